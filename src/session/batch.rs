//! Many runs, one after another, in one folder, resumable after an interruption.
//!
//! Run `NAME` with seed `S` is in `OUT/runs/NAME-sS`, a normal run folder. A finished run is not repeated,
//! after a check that it was the same run on the same data. A run without a summary was interrupted and resumes from its
//! checkpoint, or starts again, to the same bits. Several processes may work on one folder: a lock file next to
//! each run's folder keeps them apart.

mod folds;
mod lock;
mod outcome;
mod plan;
mod run;
mod shape;
mod sizes;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub use folds::{CrossValidation, TestedFold};
pub(crate) use lock::lock;
pub use outcome::Unfinished;
pub use plan::{Configuration, Plan};
pub(crate) use run::Attempt;
use shape::DataShape;
#[doc(hidden)]
pub use sizes::MatchParameters;

use super::Session;
use super::data::RawData;
use super::settings::{DataSettings, KernelChoice, RunSettings, Settings, TrainingShape};
use crate::error::AskedBy as _;
use crate::training::{RunFolder, Summary};
use crate::{Error, Result, Setting, threads};

/// Recorded adapter and kernels of a run.
type RunKernels = Option<(String, KernelChoice)>;

/// A folder of runs, and the data that they share.
pub struct Batch<'a> {
    session: &'a Session<'a>,
    /// Data, engine and folder: what all runs share.
    shared: Settings,
    data: DataSettings,
    runs: PathBuf,
    /// The data, read on first use.
    raw: OnceCell<RawData>,
    /// Their shape for each seed and choice of test rows; a single entry if those have no effect.
    shapes: RefCell<BTreeMap<(u64, String), DataShape>>,
    /// What presets need to know of the training samples, by what decides it.
    training_shapes: RefCell<BTreeMap<String, TrainingShape>>,
    /// Numbers of inputs behind an encoding of numbers, by the training samples.
    encoded_widths: RefCell<BTreeMap<String, usize>>,
    /// Warnings so far: one that concerns all runs is given once.
    warned: Mutex<BTreeSet<String>>,
    /// Whether runs are trials of a search: without pictures of their epochs, and warnings about their settings.
    is_search: bool,
}

/// A configuration under one seed, or another run of a batch.
pub(crate) struct PlannedRun {
    pub(crate) name: String,
    pub(crate) settings: RunSettings,
    pub(crate) folder: PathBuf,
}

/// The content of the folder of a run.
enum FolderContent {
    /// No finished run.
    Unfinished,
    /// This run, finished.
    Finished(Box<Summary>),
    /// A run that cannot be read, and why.
    Damaged(Error),
}

impl<'a> Batch<'a> {
    /// Runs into a folder; data and engine are those of the shared settings. Nothing is read or written yet.
    ///
    /// # Errors
    /// [`Error::Setting`] for shared settings that do not fit together.
    pub fn new(session: &'a Session<'a>, shared: Settings, out: impl AsRef<Path>) -> Result<Self> {
        let data = DataSettings::new(&shared.data)?;
        Ok(Self {
            session,
            shared,
            data,
            runs: out.as_ref().join("runs"),
            raw: OnceCell::new(),
            shapes: RefCell::default(),
            training_shapes: RefCell::default(),
            encoded_widths: RefCell::default(),
            warned: Mutex::default(),
            is_search: false,
        })
    }

    /// The same for trials of a search: without pictures of their epochs, and warnings about their settings.
    pub(crate) fn of_trials(self) -> Self {
        Self { is_search: true, ..self }
    }

    /// The same with its runs directly in the folder.
    pub(crate) fn directly_in(session: &'a Session<'a>, shared: Settings, out: &Path) -> Result<Self> {
        Ok(Self { runs: out.to_owned(), ..Self::new(session, shared, out)? })
    }

    /// Runs what is missing: every configuration with each of the seeds `0..seeds`. A run that fails, or
    /// whose folder is damaged, does not stop the others.
    ///
    /// # Errors
    /// Before anything is run: invalid settings, an unusable folder, a finished run that
    /// differs.
    pub fn run(&self, configurations: &[Configuration], seeds: u64) -> Result<Unfinished> {
        // Every configuration is checked before the first one runs.
        let mut queue = Vec::new();
        for seed in 0..seeds {
            for configuration in configurations {
                queue.push(self.prepare(configuration, seed)?);
            }
        }
        check_scored(&queue)?;
        self.run_all(&queue)
    }

    /// Runs what is missing of a queue.
    fn run_all(&self, queue: &[PlannedRun]) -> Result<Unfinished> {
        let _entered = threads::enter(queue.first().and_then(|run| run.settings.engine.threads()))?;
        self.raw()?;
        fs::create_dir_all(&self.runs)
            .map_err(|error| Error::io(&self.runs, error))
            .asked_by(Setting::Out)?;
        for run in queue {
            self.found(run)?;
        }
        let mut unfinished = Unfinished::default();
        for (number, run) in (1..).zip(queue) {
            if unfinished.is_stopped || self.session.is_stopped() {
                unfinished.is_stopped = true;
                break;
            }
            let label = format!("[{number}/{}] {}", queue.len(), run.name);
            self.perform(run, &label, &mut unfinished)?;
        }
        Ok(unfinished)
    }

    /// The summaries of all finished runs of a configuration, by rising seed. Runs that another
    /// process has finished meanwhile are included; unreadable runs are skipped and reported.
    ///
    /// # Errors
    /// When a finished run differs from its configuration, or was scored on other samples than the rest.
    #[doc(hidden)]
    pub fn collect(
        &self,
        configurations: &[Configuration],
        unfinished: &mut Unfinished,
    ) -> Result<Vec<Vec<Summary>>> {
        let (mut all, mut found) = (Vec::new(), Vec::new());
        for configuration in configurations {
            let mut summaries = Vec::new();
            for seed in self.seeds_there(&configuration.name)? {
                let run = self.prepare(configuration, seed)?;
                match self.found(&run)? {
                    FolderContent::Unfinished => {}
                    FolderContent::Finished(summary) => {
                        summaries.push(*summary);
                        found.push(run);
                    }
                    FolderContent::Damaged(error) => {
                        unfinished.fail(
                            self.session.reporter,
                            &run.name,
                            &run.name,
                            &to_be_removed(&run, error),
                        );
                    }
                }
            }
            all.push(summaries);
        }
        check_scored(&found)?;
        found.iter().for_each(|run| unfinished.finished(&run.name));
        Ok(all)
    }

    /// Keeps other processes from collecting and writing results until it is dropped, so that the last results
    /// written are the most complete. Not all file systems support locks.
    #[must_use]
    #[doc(hidden)]
    pub fn lock_results(&self) -> Option<File> {
        let file = File::create(self.runs.join("results.lock")).ok()?;
        file.lock().ok().map(|()| file)
    }

    /// Seeds of the folders with this name.
    fn seeds_there(&self, name: &str) -> Result<Vec<u64>> {
        let failed = |error| Error::io(&self.runs, error);
        let entries = fs::read_dir(&self.runs).map_err(failed).asked_by(Setting::Out)?;
        let mut seeds = Vec::new();
        for entry in entries {
            let folder = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            let digits = folder.strip_prefix(name).and_then(|rest| rest.strip_prefix("-s"));
            let seed = digits.and_then(|digits| digits.parse::<u64>().ok());
            // Only the spelling that this program writes.
            seeds.extend(seed.filter(|seed| digits == Some(&*seed.to_string())));
        }
        seeds.sort_unstable();
        Ok(seeds)
    }

    fn prepare(&self, configuration: &Configuration, seed: u64) -> Result<PlannedRun> {
        let name = format!("{}-s{seed}", configuration.name);
        let folder = self.runs.join(&name);
        let mut settings = configuration.settings.clone().over(self.shared.clone());
        settings.training.seed = Some(seed);
        settings.output.out = Some(folder.clone());
        let settings = run::check_preset(&settings).and_then(|()| settings.resolve());
        let settings = settings.map_err(|error| configuration.error(error))?;
        Ok(PlannedRun { name, settings, folder })
    }

    /// The content of the folder of a run.
    ///
    /// # Errors
    /// When it is a finished run with other settings or other data.
    fn found(&self, run: &PlannedRun) -> Result<FolderContent> {
        let (config, summary) = match RunFolder::finished(&run.folder) {
            Ok(None) => return Ok(FolderContent::Unfinished),
            Ok(Some(finished)) => finished,
            Err(error) => return Ok(FolderContent::Damaged(error)),
        };
        self.shape(run)?.check_same(run, &config)?;
        Ok(FolderContent::Finished(Box::new(summary)))
    }

    /// One run, unless it is finished or another process works on it.
    ///
    /// # Errors
    /// As [`Batch::found`]; other failures are reported for this run.
    fn perform(&self, run: &PlannedRun, label: &str, unfinished: &mut Unfinished) -> Result<()> {
        let session = self.session;
        match self.attempt(run, label)? {
            Attempt::Elsewhere => {
                session.note(format!("{label}: another process is working on it, skipped"));
                unfinished.elsewhere(&run.name);
            }
            Attempt::Before(summary) => {
                session.note(format!("{label}: {} (finished before)", in_words(&summary)));
            }
            Attempt::Finished(summary) => session.note(format!("{label}: {}", in_words(&summary))),
            Attempt::Stopped => unfinished.is_stopped = true,
            Attempt::Failed(error) => unfinished.fail(session.reporter, &run.name, label, &error),
        }
        Ok(())
    }
}

/// Refuses to compare accuracies on the test set with accuracies on held-out training samples.
fn check_scored(runs: &[PlannedRun]) -> Result<()> {
    let scored = |run: &PlannedRun| run.settings.scored_on();
    let Some(other) = runs.iter().find(|run| scored(run) != scored(&runs[0])) else { return Ok(()) };
    Err(Error::setting(
        Setting::Validation,
        format!(
            "{} is scored on the {} samples, {} on the {} samples, which cannot be compared: give `validation` to \
             all configurations or to none",
            runs[0].name,
            scored(&runs[0]),
            other.name,
            scored(other)
        ),
    ))
}

fn in_words(summary: &Summary) -> String {
    let Summary { scored_on, metric, backend, seconds_total: seconds, .. } = summary;
    let score = metric.shown(summary.test_accuracy);
    format!("{scored_on} {} {score}, {seconds:.0} s on {backend}", metric.title())
}

/// The error of a folder that is neither a finished nor an interrupted run.
fn to_be_removed(run: &PlannedRun, error: Error) -> Error {
    if matches!(&error, Error::Io { source, .. } if source.kind() == ErrorKind::WouldBlock) {
        return error;
    }
    Error::OtherRun(format!("{error}; remove {} to repeat the run", run.folder.display()))
}
