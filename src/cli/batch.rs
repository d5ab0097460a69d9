//! Many runs, one after the other, into one folder; taken up again after an interruption.
//!
//! Run `NAME` with seed `S` lives in `OUT/runs/NAME-sS`, a run folder like any
//! other. A finished one is not run again, after a check that it was the same
//! run on the same data; one without a summary was interrupted and goes on from
//! its checkpoint, or starts anew, which gives the same bits. Several processes may work on one folder: a lock
//! file beside each run's folder keeps them out of each other's way.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use tanner::Error;
use tanner::engine::gpu::Tuning;
use tanner::experiments::{Configuration, Entry, RunScore};
use tanner::training::{RunFolder, Summary};

use super::args::Command;
use super::batch_args::BatchArgs;
use super::batch_check::{DataShape, check_same};
use super::data::{Data, Raw};
use super::opening::Opening;
use super::progress::Epochs;
use super::resume::{OtherRun, Resumption};
use super::run_config::recorded_kernels;
use super::settings::TrainSettings;
use super::signals::{self, Interrupted};
use super::train::{self, Report};
use super::unfinished::Unfinished;
use super::{terminal, usage};

/// Flags that may not stand in a configuration: a batch gives all but `--from` to its
/// runs itself, and `--from` would make runs of one another, of which it keeps no account.
const OWN_FLAGS: [&str; 12] = [
    "--seed",
    "--out",
    "--data",
    "--from",
    "--label",
    "--labels",
    "--header",
    "--delimiter",
    "--drop",
    "--max-categories",
    "--impute",
    "--test",
];

/// How to go on with a batch that was told to stop.
const SAME_COMMAND: &str = "; the same command goes on from here";

/// Adapter and kernels that a run had before.
type Recorded = Option<(String, Tuning)>;

/// A folder of runs, and the data that they share.
pub(super) struct Batch<'a> {
    args: &'a BatchArgs,
    runs: PathBuf,
    /// The data, read when they are needed first.
    raw: OnceCell<Raw>,
    /// What they are under each seed; under one for all where none decides.
    shapes: RefCell<BTreeMap<u64, DataShape>>,
}

/// A configuration under one seed.
struct Run {
    name: String,
    words: Vec<String>,
    settings: TrainSettings,
    folder: PathBuf,
}

/// What is in the folder of a run.
enum Found {
    /// Nothing that was finished.
    Unfinished,
    /// This run, finished.
    Finished(Box<Summary>),
    /// A run that cannot be read, and why.
    Damaged(Error),
}

impl<'a> Batch<'a> {
    /// Nothing is read or written yet.
    pub(super) fn new(args: &'a BatchArgs) -> Self {
        Self { args, runs: args.out.join("runs"), raw: OnceCell::new(), shapes: RefCell::default() }
    }

    /// Runs what has not been run yet, or nothing under `--report-only`. A run that fails, or whose folder
    /// is damaged, does not keep the others from theirs.
    ///
    /// # Errors
    /// Before anything is run: flags that cannot be understood, a folder that cannot
    /// be used, a finished run that was another one.
    pub(super) fn run(&self, configurations: &[Configuration]) -> anyhow::Result<Unfinished> {
        if self.args.report_only {
            return Ok(Unfinished::default());
        }
        // Every configuration is looked at before the first one runs.
        let mut queue = Vec::new();
        for seed in 0..self.args.seeds()? {
            for configuration in configurations {
                queue.push(self.prepare(configuration, seed)?);
            }
        }
        check_scored(&queue)?;
        if let Some(first) = queue.first() {
            train::use_threads(first.settings.engine.threads());
        }
        self.raw()?;
        fs::create_dir_all(&self.runs).map_err(|error| Error::io(&self.runs, error)).context("--out")?;
        for run in &queue {
            self.found(run)?;
        }
        let stop = signals::listen();
        let mut unfinished = Unfinished::default();
        for (number, run) in (1..).zip(&queue) {
            if stop.asked().load(Ordering::Relaxed) {
                bail!(stop.interrupted(SAME_COMMAND));
            }
            let label = format!("[{number}/{}] {}", queue.len(), run.name);
            self.perform(run, &label, &mut unfinished).map_err(|error| match error.is::<Interrupted>() {
                true => anyhow!(stop.interrupted(SAME_COMMAND)),
                false => error,
            })?;
        }
        Ok(unfinished)
    }

    /// Everything that is finished, whatever its seed, by rising seed. What another process has
    /// finished by now is missing no longer; what cannot be read is left out and told.
    ///
    /// # Errors
    /// When a finished run was another one than its name says.
    pub(super) fn collect(
        &self,
        configurations: &[Configuration],
        unfinished: &mut Unfinished,
    ) -> anyhow::Result<Vec<Entry>> {
        let (mut entries, mut found) = (Vec::new(), Vec::new());
        for configuration in configurations {
            let mut scores = Vec::new();
            for seed in self.seeds_there(&configuration.name)? {
                let run = self.prepare(configuration, seed)?;
                match self.found(&run)? {
                    Found::Unfinished => {}
                    Found::Finished(summary) => {
                        scores.push(RunScore::from(&*summary));
                        found.push(run);
                    }
                    Found::Damaged(error) => {
                        unfinished.fail(&run.name, &run.name, &to_be_removed(&run, error));
                    }
                }
            }
            entries.push(Entry { configuration: configuration.clone(), runs: scores });
        }
        check_scored(&found)?;
        found.iter().for_each(|run| unfinished.finished(&run.name));
        Ok(entries)
    }

    /// Keeps other processes from collecting and writing results until it is dropped, so that the last ones
    /// to be written are the most complete. Some file systems know no locks and go without.
    pub(super) fn lock_results(&self) -> Option<File> {
        let file = File::create(self.runs.join("results.lock")).ok()?;
        file.lock().ok().map(|()| file)
    }

    /// Seeds of the folders that carry this name.
    fn seeds_there(&self, name: &str) -> anyhow::Result<Vec<u64>> {
        let entries = fs::read_dir(&self.runs).map_err(|error| Error::io(&self.runs, error));
        let entries = entries.context("--out: no runs are there")?;
        let mut seeds = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| Error::io(&self.runs, error))?;
            let folder = entry.file_name().to_string_lossy().into_owned();
            let digits = folder.strip_prefix(name).and_then(|rest| rest.strip_prefix("-s"));
            let seed = digits.and_then(|digits| digits.parse::<u64>().ok());
            // Only the one spelling that this program writes.
            seeds.extend(seed.filter(|seed| digits == Some(&*seed.to_string())));
        }
        seeds.sort_unstable();
        Ok(seeds)
    }

    fn prepare(&self, configuration: &Configuration, seed: u64) -> anyhow::Result<Run> {
        let Configuration { name, flags } = configuration;
        let run_name = format!("{name}-s{seed}");
        let folder = self.runs.join(&run_name);
        let mut own = Vec::new();
        for text in [flags, &self.args.with] {
            own.extend(shell_words::split(text).with_context(|| format!("{name}: {text:?}"))?);
        }
        let is = |word: &str, flag: &str| word == flag || word.starts_with(&format!("{flag}="));
        if let Some(flag) = OWN_FLAGS.iter().find(|flag| own.iter().any(|word| is(word, flag))) {
            bail!("{name}: {flag} may not stand among the flags of a configuration");
        }
        let mut words = vec!["tanner".to_owned(), "train".to_owned()];
        words.extend(self.args.engine.words());
        words.extend(own);
        words.push(format!("--seed={seed}"));
        words.extend(self.args.data.words());
        words.push(format!("--out={}", folder.display()));
        let os_words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let typed = match usage::parse(&os_words) {
            Ok(Command::Train(typed)) => typed,
            Err(usage::Answer::Refused(reason)) => bail!("{name}: {reason}"),
            _ => bail!("{name}: {flags:?} are no flags of a training run"),
        };
        let settings = TrainSettings::new(&typed).with_context(|| name.clone())?;
        Ok(Run { name: run_name, words, settings, folder })
    }

    /// What is in the folder of a run.
    ///
    /// # Errors
    /// When it is a finished run with other settings or other data.
    fn found(&self, run: &Run) -> anyhow::Result<Found> {
        let (config, summary) = match RunFolder::finished(&run.folder) {
            Ok(None) => return Ok(Found::Unfinished),
            Ok(Some(finished)) => finished,
            Err(error) => return Ok(Found::Damaged(error)),
        };
        check_same(&run.settings, &self.shape(run)?, &run.folder, &config)?;
        Ok(Found::Finished(Box::new(summary)))
    }

    /// One run, unless it is finished or another process is at it.
    ///
    /// # Errors
    /// As [`Batch::found`]; whatever else goes wrong is this run's affair and told.
    fn perform(&self, run: &Run, label: &str, unfinished: &mut Unfinished) -> anyhow::Result<()> {
        let _lock = match lock(&run.folder) {
            Ok(Some(lock)) => lock,
            Ok(None) => {
                terminal::note(&format!("{label}: another process is at it, left out"));
                unfinished.elsewhere(&run.name);
                return Ok(());
            }
            Err(error) => {
                unfinished.fail(&run.name, label, &error);
                return Ok(());
            }
        };
        // Before the folder goes, in which they stand.
        let kernels = recorded_kernels(&run.folder);
        let trained = match self.found(run)? {
            Found::Finished(summary) => {
                terminal::note(&format!("{label}: {} (finished before)", told(&summary)));
                return Ok(());
            }
            Found::Damaged(error) => Err(to_be_removed(run, error)),
            Found::Unfinished => self.go_on(run, label, kernels),
        };
        match trained {
            Ok(summary) => terminal::note(&format!("{label}: {}", told(&summary))),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => unfinished.fail(&run.name, label, &error),
        }
        Ok(())
    }

    /// A run from its last checkpoint, or from the start where there is none that fits: the bits are the same.
    fn go_on(&self, run: &Run, label: &str, kernels: Recorded) -> anyhow::Result<Summary> {
        if let Ok(begun @ Resumption { checkpoint: Some(_), .. }) = Resumption::open(&run.folder) {
            terminal::note(&format!("{label}: {}", begun.place()));
            match self.train(run, kernels.clone(), Some(begun)) {
                Err(error) if error.is::<OtherRun>() => {
                    terminal::note(&format!("{label}: starts anew, {}", super::one_line(&error)));
                }
                trained => return trained,
            }
        }
        RunFolder::remove_unfinished(&run.folder).map_err(|error| to_be_removed(run, error))?;
        terminal::note(&format!("{label}: started"));
        self.train(run, kernels, None)
    }

    fn train(&self, run: &Run, kernels: Recorded, begun: Option<Resumption>) -> anyhow::Result<Summary> {
        let process_start = Instant::now();
        let opening = Opening::of(&run.settings.engine.with_recorded(kernels));
        let digest = self.shape(run)?.digest;
        let mut data = self.data(run)?;
        data.splits = train::split(&run.settings, data.splits)?;
        let report = Report {
            process_start,
            words: run.words.clone(),
            epochs: Epochs::Quiet,
            data_sha256: Some(digest),
        };
        Ok(train::train(&run.settings, None, data, opening, report, begun)?.0)
    }

    /// The data of all runs.
    fn raw(&self) -> anyhow::Result<&Raw> {
        if self.raw.get().is_none() {
            // Only this thread sets it, and it was empty.
            let _ = self.raw.set(Raw::read(&self.args.data.settings()?)?);
        }
        self.raw.get().context("--data")
    }

    /// The data as one run sees them.
    fn data(&self, run: &Run) -> anyhow::Result<Data> {
        self.raw()?.clone().split(&run.settings.data, run.settings.recipe.seed)
    }

    /// What the data of a run are, without them.
    fn shape(&self, run: &Run) -> anyhow::Result<DataShape> {
        let seeded = self.raw()?.is_seeded(&run.settings.data);
        let key = if seeded { run.settings.recipe.seed } else { 0 };
        if let Some(shape) = self.shapes.borrow().get(&key) {
            return Ok(shape.clone());
        }
        let shape = match self.raw()? {
            Raw::Idx(splits) => DataShape::of(splits),
            Raw::Table(_) => DataShape::of(&self.data(run)?.splits),
        };
        self.shapes.borrow_mut().insert(key, shape.clone());
        Ok(shape)
    }
}

/// Refuses accuracies on the test set beside such on held-out training samples.
fn check_scored(runs: &[Run]) -> anyhow::Result<()> {
    let scored = |run: &Run| run.settings.scored_on();
    let other = runs.iter().find(|run| scored(run) != scored(&runs[0]));
    if let Some(other) = other {
        bail!(
            "{} is scored on the {} samples, {} on the {} samples, which cannot be compared: \
             give --validation to all configurations or to none",
            runs[0].name,
            scored(&runs[0]),
            other.name,
            scored(other)
        );
    }
    Ok(())
}

fn told(summary: &Summary) -> String {
    let (accuracy, seconds) = (100.0 * summary.test_accuracy, summary.seconds_total);
    format!("{} accuracy {accuracy:.2} %, {seconds:.0} s on {}", summary.scored_on, summary.backend)
}

/// What to do about a folder that is neither a finished run nor what an interrupted one leaves.
fn to_be_removed(run: &Run, error: Error) -> anyhow::Error {
    if matches!(&error, Error::Io { source, .. } if source.kind() == ErrorKind::WouldBlock) {
        return error.into();
    }
    anyhow!("{error}; remove {} to make the run anew", run.folder.display())
}

/// Takes the lock of one run; `None` when another process holds it.
fn lock(folder: &Path) -> anyhow::Result<Option<File>> {
    let mut path = folder.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let file = File::create(&path).map_err(|error| Error::io(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        // Some file systems know no locks; there, one process at a time is the user's care.
        Err(TryLockError::Error(error)) => {
            log::warn!("{}: {error}", path.display());
            Ok(Some(file))
        }
    }
}
