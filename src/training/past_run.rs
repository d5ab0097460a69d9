//! Reads existing run folders: all that is readable, and the problems with the rest.
//!
//! A [`PastRun`] never fails because of a damaged file: it keeps what the other files say, and lists what it
//! could not read. [`RunOverview`] has the few facts for listing runs.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::run_folder::{CONFIG, METRICS, MODEL, SUMMARY};
use super::run_lock::is_locked;
use super::{EpochMetrics, Metric, ScoredOn, Summary, best_epoch, in_force, times};
use crate::model::TrainedModel;
use crate::named::named;
use crate::{Error, Result};

/// A file of a run folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFile {
    /// Its name in the folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

named! {
    /// The state of a run, as far as its folder shows.
    pub enum RunState {
        /// It has a summary, and nothing is damaged.
        Finished = "finished",
        /// A process holds its lock.
        Running = "running",
        /// It has no summary, and no process works on it: it was interrupted.
        Stopped = "stopped",
        /// One of its files cannot be read.
        Damaged = "damaged",
    }
}

/// The content of a run folder.
#[derive(Clone, Debug)]
pub struct PastRun {
    /// The folder, as given.
    pub path: PathBuf,
    /// The settings, as in `config.json`.
    pub config: Option<Value>,
    /// The readable epochs, in order.
    pub history: Vec<EpochMetrics>,
    /// The summary of a finished run.
    pub summary: Option<Summary>,
    /// Every file of the folder, by name.
    pub files: Vec<RunFile>,
    /// What cannot be read, one sentence each.
    pub problems: Vec<String>,
    /// Whether a process was working on it when it was read.
    pub is_running: bool,
}

impl PastRun {
    /// Reads a folder.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, is not a folder, or holds no file of a run.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let files = files(path).map_err(|error| Error::io(path, error))?;
        if !Self::is_in(path) {
            let reason = format!("is not a run folder: there is neither {CONFIG} nor {METRICS} nor {MODEL}");
            return Err(Error::io(path, std::io::Error::other(reason)));
        }
        // Checked before reading files: a run that ends meanwhile has all of them.
        let is_running = is_locked(path);
        let mut problems = Vec::new();
        let config: Option<Value> = json(path, CONFIG, &mut problems).map(in_force);
        let history = history(path, &mut problems);
        let summary: Option<Summary> = json(path, SUMMARY, &mut problems);
        match &config {
            None if problems.is_empty() => {
                problems.push(format!("{CONFIG} is missing: the settings are not known"));
            }
            Some(config) if !config["recipe"].is_object() => {
                problems.push(format!("{CONFIG} holds no settings of a run"));
            }
            _ => {}
        }
        if let Some(summary) = summary.as_ref().filter(|summary| summary.epochs != history.len()) {
            let found = history.len();
            problems
                .push(format!("{METRICS} has {found} readable epochs, {SUMMARY} says {}", summary.epochs));
        }
        Ok(Self { path: path.to_owned(), config, history, summary, files, problems, is_running })
    }

    /// Whether a folder has any file of a run.
    #[doc(hidden)]
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        [CONFIG, METRICS, MODEL, SUMMARY].iter().any(|name| folder.join(name).exists())
    }

    /// Reads the runs directly below a folder, by name; folders without a run are skipped.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder itself cannot be read.
    pub fn all_below(folder: impl AsRef<Path>) -> Result<Vec<Self>> {
        let folder = folder.as_ref();
        let failed = |error| Error::io(folder, error);
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            paths.push(entry.map_err(failed)?.path());
        }
        paths.sort();
        Ok(paths.iter().filter(|path| path.is_dir()).filter_map(|path| Self::read(path).ok()).collect())
    }

    /// The last part of the folder's path.
    #[must_use]
    pub fn name(&self) -> String {
        // A path such as `.` has no last part.
        let whole = self.path.file_name().is_none().then(|| self.path.canonicalize().ok()).flatten();
        let path = whole.as_deref().unwrap_or(&self.path);
        path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into())
    }

    /// The state of the run.
    #[must_use]
    pub fn state(&self) -> RunState {
        match (&self.summary, self.problems.is_empty()) {
            (_, false) => RunState::Damaged,
            (Some(_), true) => RunState::Finished,
            (None, true) if self.is_running => RunState::Running,
            (None, true) => RunState::Stopped,
        }
    }

    /// Whether the folder has a file of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.name == name)
    }

    /// Reads the model of the last epoch; `None` if there is no such file.
    #[must_use]
    pub fn model(&self) -> Option<Result<TrainedModel>> {
        self.has(MODEL).then(|| TrainedModel::load(self.path.join(MODEL)))
    }

    /// A setting by its path in `config.json`, for example `/recipe/epochs`.
    #[must_use]
    pub fn setting(&self, pointer: &str) -> Option<&Value> {
        self.config.as_ref()?.pointer(pointer).filter(|value| !value.is_null())
    }

    /// The samples on which accuracies called `test` were measured.
    #[must_use]
    pub fn scored_on(&self) -> ScoredOn {
        match &self.summary {
            Some(summary) => summary.scored_on,
            None if self.setting("/validation").is_some() => ScoredOn::Validation,
            None => ScoredOn::Test,
        }
    }

    /// The metric of its scores.
    pub fn metric(&self) -> Metric {
        self.history.last().map_or_else(Metric::default, |last| last.metric)
    }

    /// The epoch of the best score, ties by the lower loss, then the first.
    #[must_use]
    pub fn best(&self) -> Option<&EpochMetrics> {
        best_epoch(&self.history)
    }
}

/// Facts of runs to list and compare; unknown ones are `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunOverview {
    /// Name of the folder.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    /// When the run started, in seconds since 1970, from its settings or else its folder; in JSON also by RFC 3339.
    #[serde(flatten, serialize_with = "moments")]
    pub started: Option<i64>,
    /// Name of the data: that of the folder, or of the table without its ending.
    pub data: Option<String>,
    /// Kind of architecture.
    pub arch: Option<String>,
    /// The kind of importance.
    pub importance: Option<String>,
    /// The direction of the order.
    pub order: Option<String>,
    /// Number of weights and biases.
    pub parameters: Option<usize>,
    /// Complete epochs.
    pub epochs: usize,
    /// Requested number of epochs.
    pub epochs_planned: Option<usize>,
    /// The metric of the scores.
    pub metric: Metric,
    /// The metric after the last epoch.
    #[serde(flatten, serialize_with = "last_score")]
    pub accuracy: Option<f64>,
    /// The same after the best epoch.
    #[serde(flatten, serialize_with = "best_score")]
    pub best_accuracy: Option<f64>,
    /// The best epoch, counted from 1.
    pub best_epoch: Option<usize>,
    /// The samples on which accuracies were measured.
    pub scored_on: ScoredOn,
    /// The state of the run.
    pub state: RunState,
    /// Settings that differ from those of most runs in the list.
    pub differs: BTreeMap<String, String>,
    /// What cannot be read.
    pub problems: Vec<String>,
}

fn moments<S: Serializer>(value: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(2))?;
    map.serialize_entry("started", value)?;
    map.serialize_entry("started_at", &value.and_then(times::rfc3339))?;
    map.end()
}

fn last_score<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map([("score", value), ("accuracy", value)])
}

fn best_score<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map([("best_score", value), ("best_accuracy", value)])
}

impl RunOverview {
    /// Extracts the facts of a run. A finished run's parameters are in its summary; for any other,
    /// its model file is read, if there is one.
    #[must_use]
    pub fn new(run: &PastRun) -> Self {
        let text = |pointer: &str| run.setting(pointer)?.as_str().map(str::to_owned);
        let count = |pointer: &str| usize::try_from(run.setting(pointer)?.as_u64()?).ok();
        let summary = run.summary.as_ref();
        let model_parameters = || Some(run.model()?.ok()?.network().parameter_count());
        let best = run.best();
        Self {
            name: run.name(),
            path: run.path.clone(),
            started: started(run),
            data: text("/data").map(|path| data_name(Path::new(&path))),
            arch: text("/architecture/arch").or(summary.map(|summary| summary.arch.name().to_owned())),
            importance: text("/importance").or(summary.map(|summary| summary.importance.to_string())),
            order: text("/order").or(summary.map(|summary| summary.order.to_string())),
            parameters: summary.map(|summary| summary.parameters).or_else(model_parameters),
            epochs: run.history.len(),
            epochs_planned: count("/recipe/epochs"),
            metric: run.metric(),
            accuracy: run.history.last().map(|last| last.test_accuracy),
            best_accuracy: best.map(|best| best.test_accuracy),
            best_epoch: best.map(|best| best.epoch),
            scored_on: run.scored_on(),
            state: run.state(),
            differs: BTreeMap::new(),
            problems: run.problems.clone(),
        }
    }
}

/// A short name for data: that of a folder, or of a file without its ending.
#[must_use]
pub fn data_name(path: &Path) -> String {
    let name = if path.extension().is_some() { path.file_stem() } else { path.file_name() };
    let whole = || path.canonicalize().ok()?.file_name().map(std::ffi::OsStr::to_owned);
    let name = name.map(std::ffi::OsStr::to_owned).or_else(whole);
    name.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// The recorded start, or else the folder's time of modification.
fn started(run: &PastRun) -> Option<i64> {
    let recorded = run.setting("/started_at").and_then(Value::as_str);
    if let Some(seconds) = recorded.and_then(times::seconds) {
        return Some(seconds);
    }
    let changed = fs::metadata(&run.path).ok()?.modified().ok()?;
    Some(jiff::Timestamp::try_from(changed).ok()?.as_second())
}

/// The regular files of a folder, by name, without temporary ones.
fn files(folder: &Path) -> std::io::Result<Vec<RunFile>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let there = fs::metadata(entry.path()).ok().filter(fs::Metadata::is_file);
        if let Some(file) = there.filter(|_| !name.starts_with(crate::files::TEMPORARY_PREFIX)) {
            files.push(RunFile { name, bytes: file.len() });
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// The bytes of a file of the folder, if it exists; an unreadable one becomes a problem.
fn bytes(folder: &Path, name: &str, problems: &mut Vec<String>) -> Option<Vec<u8>> {
    match fs::read(folder.join(name)) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => {
            problems.push(format!("{name} cannot be read: {error}"));
            None
        }
    }
}

/// As `bytes`, of a JSON file; a damaged one becomes a problem.
fn json<T: DeserializeOwned>(folder: &Path, name: &str, problems: &mut Vec<String>) -> Option<T> {
    let bytes = bytes(folder, name, problems)?;
    serde_json::from_slice(&bytes).map_err(|error| problems.push(format!("{name} is damaged: {error}"))).ok()
}

/// The epochs up to the first unreadable line. A run stopped while writing leaves an incomplete last line, no damage.
fn history(folder: &Path, problems: &mut Vec<String>) -> Vec<EpochMetrics> {
    let bytes = bytes(folder, METRICS, problems).unwrap_or_default();
    let mut history: Vec<EpochMetrics> = Vec::new();
    for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        let last = history.last().map_or(0, |epoch| epoch.epoch);
        match serde_json::from_slice::<EpochMetrics>(line) {
            Ok(epoch) if epoch.epoch > last => history.push(epoch),
            Err(_) if !line.ends_with(b"\n") => break,
            Ok(epoch) => {
                problems.push(format!("{METRICS}, line {number}: epoch {} after epoch {last}", epoch.epoch));
                break;
            }
            Err(error) => {
                problems.push(format!("{METRICS}, line {number}, is damaged: {error}"));
                break;
            }
        }
    }
    history
}

#[cfg(test)]
#[path = "past_run_tests.rs"]
mod tests;
