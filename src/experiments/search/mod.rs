//! A search for settings: random candidates, of which the better ones train for longer (`halving`), judged by held-out
//! training rows and never by test rows.
//!
//! Candidate 0 is the default: the settings that the search was given. Every training is a run of a [`Batch`](crate::session::Batch), in a folder of
//! its own, whose summary is its record. So a search that was interrupted, in any way, repeats its decisions from the folders
//! and goes on.

mod carry_out;
mod clock;
mod halving;
mod space;
mod verdict;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use self::carry_out::Search;
use self::clock::Clock;
pub use self::space::Space;
pub use self::verdict::{Versus, VersusErrors, VersusRows};
use crate::dataset::Holdout;
use crate::error::AskedBy as _;
use crate::session::{Session, Settings, lock};
use crate::text::grouped;
use crate::training::Metric;
use crate::{Error, Result, Setting};

/// Candidates without a budget.
pub const USUAL_TRIALS: usize = 27;
/// Default share of the training rows to judge by.
const USUAL_VALIDATION: Holdout = Holdout::Share(0.2);
/// The folder of the runs in that of the search.
const TRIALS: &str = "trials";
/// More candidates than anybody waits for.
const MAX_TRIALS: usize = 1_000_000;

/// What to search, and how long.
#[derive(Clone, Debug, Default)]
pub struct SearchSettings {
    /// The settings that hold for all candidates; alone, those of the default.
    pub base: Settings,
    /// What candidates differ in; by default the built-in space of the architecture.
    pub space: Option<Space>,
    /// Number of candidates.
    pub trials: Option<usize>,
    /// Seconds in all, with those of earlier calls.
    pub seconds: Option<f64>,
    /// Number of folds of the training rows to judge by, instead of one held-out part.
    pub folds: Option<usize>,
    /// The folder of the search.
    pub out: PathBuf,
}

/// A training of a candidate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// Number of the candidate; 0 is the default.
    pub candidate: usize,
    /// Epochs of this rung.
    pub epochs: usize,
    /// The score of the held-out rows after the last epoch.
    #[serde(flatten)]
    pub score: TrialScore,
    /// The mean loss of the held-out rows, likewise.
    pub loss: Option<f64>,
    /// Number of weights and biases.
    pub parameters: Option<usize>,
    /// Seconds that it took.
    pub seconds: f64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What it differs in from the default.
    pub settings: Settings,
}

/// The score of a trial under the name of its metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrialScore {
    /// What runs of the task are scored by.
    pub metric: Metric,
    /// The mean over folds; `None` if the trial failed.
    pub value: Option<f64>,
}

impl Serialize for TrialScore {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(Some(1))?;
        fields.serialize_entry(self.metric.name(), &self.value)?;
        fields.end()
    }
}

impl TrialScore {
    /// A number that is higher for better scores, lowest if there is none.
    pub(crate) fn goodness(&self) -> f64 {
        self.value.map_or(f64::NEG_INFINITY, |value| self.metric.goodness(value))
    }
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchEnd {
    /// All candidates were tried.
    Trials,
    /// The time is over.
    Time,
    /// It was asked to stop.
    Stopped,
}

/// The result of a search.
#[derive(Clone, Debug, Serialize)]
pub struct FoundSettings {
    /// Why it ended.
    pub end: SearchEnd,
    /// Seed of the candidates, and of all runs.
    pub seed: u64,
    /// Epochs of each rung.
    pub rungs: Vec<usize>,
    /// Number of folds, if candidates were judged by folds.
    pub folds: Option<usize>,
    /// Every training, in order.
    pub trials: Vec<Trial>,
    /// Index of the best among those with all epochs; `None` if there is none.
    pub best: Option<usize>,
    /// The best compared with the default, unless it is the default.
    pub versus: Option<Versus>,
    /// The best settings: those of all candidates, and its own.
    #[serde(skip)]
    pub settings: Settings,
    /// What was searched, as a file.
    #[serde(skip)]
    pub space: String,
}

/// A trial is better than another if its score is, or if it is the same with a lower loss. A failed one is worst.
fn is_better(one: &Trial, other: &Trial) -> bool {
    let rank = |trial: &Trial| (trial.score.goodness(), -trial.loss.unwrap_or(f64::INFINITY));
    rank(one) > rank(other)
}

impl Session<'_> {
    /// Searches for better settings.
    ///
    /// # Errors
    /// Settings that contradict a search, data that cannot be read, a folder of another search; a disk that is full. Candidates
    /// that cannot be trained do not end it.
    #[doc(hidden)]
    pub fn search(&self, settings: &SearchSettings) -> Result<FoundSettings> {
        check(settings)?;
        let trials = settings.out.join(TRIALS);
        std::fs::create_dir_all(&trials).map_err(|error| Error::io(&trials, error)).asked_by(Setting::Out)?;
        let Some(_lock) = lock(&settings.out.join("search"))? else {
            let reason = format!("another process is searching in {}", settings.out.display());
            return Err(Error::setting(Setting::Out, reason));
        };
        let (stop, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
        let clock = Clock::new(settings.seconds);
        thread::scope(|scope| {
            let _done = Done(&is_over);
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    if self.is_stopped() || clock.is_over() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    thread::sleep(Clock::TICK);
                }
            });
            let session = self.with_stop(&stop);
            Search::new(self, &session, settings, &clock).and_then(Search::run)
        })
    }
}

/// Ends the thread that looks at the clock, however the search ends.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Refuses settings that have no place in a search.
fn check(settings: &SearchSettings) -> Result<()> {
    let SearchSettings { base, trials, seconds, folds, .. } = settings;
    if let Some(trials) = trials.filter(|trials| !(1..=MAX_TRIALS).contains(trials)) {
        let reason = format!("{trials} is invalid, it must be 1 to {}", grouped(MAX_TRIALS));
        return Err(Error::setting(Setting::Trials, reason));
    }
    // Not `<= 0`, which NaN would pass.
    if seconds.is_some_and(|seconds| !(seconds > 0.0 && seconds.is_finite())) {
        return Err(Error::setting(Setting::TimeBudget, "it must be above 0"));
    }
    if folds.is_some_and(|folds| folds < 2) {
        return Err(Error::setting(Setting::Folds, "it must be at least 2"));
    }
    if folds.is_some() && base.samples.validation.is_some() {
        let reason = "cannot be used with `validation`: candidates are judged by folds or by one part";
        return Err(Error::setting(Setting::Folds, reason));
    }
    if base.samples.from.is_some() {
        let reason = "cannot be used with a search: the saved model may have seen the rows that candidates are judged by";
        return Err(Error::setting(Setting::From, reason));
    }
    Ok(())
}
