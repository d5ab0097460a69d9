//! Options of a run besides its recipe: where it resumes, when it saves checkpoints, what ends it early.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::{EpochMetrics, Metric, PatienceOn, ScoredOn, Scoring, TrainingState};
use crate::named::serde_as_text;
use crate::topology::Region;
use crate::{Error, Result, Setting};

/// Options of [`train_with`](super::train_with) besides the recipe. The default is that of
/// [`train`](super::train): from the start to the last epoch.
#[derive(Default)]
pub struct TrainOptions<'a> {
    /// The state where an earlier run of the same recipe on the same data stopped; the result has the bits of a
    /// run without interruption.
    pub resume_from: Option<TrainingState>,
    /// Ends the run after the engine's current call, once it is true.
    pub stop: Option<&'a AtomicBool>,
    /// When observers receive the state to save; always when the run is stopped.
    pub checkpoint_every: Option<CheckpointEvery>,
    /// Ends the run after this many epochs without a better score on the samples it is scored on; at least 1.
    pub patience: Option<usize>,
    /// What must improve.
    pub patience_on: PatienceOn,
    /// The epoch from which patience counts, unless a later one is the best.
    pub patience_from: usize,
    /// The kind of samples to score on, for the metrics.
    pub scored_on: ScoredOn,
    /// How results become the score.
    pub scoring: Scoring,
    /// Where the edges of each layer may move; by default the connected blocks.
    pub regions: Vec<Region>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// After all epochs of the recipe.
    Completed,
    /// After as many epochs without a better score as its patience.
    OutOfPatience,
    /// On request; it can be resumed from its last checkpoint.
    Stopped {
        /// Whole epochs.
        epochs: usize,
        /// Steps of the unfinished epoch.
        steps: usize,
    },
}

/// The metrics of a run, and how it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// All epochs, including those before a resumption.
    pub history: Vec<EpochMetrics>,
    /// How it ended.
    pub ending: Ending,
}

/// How often a run saves a checkpoint.
///
/// As text: `1` (epochs), `500steps`, `30s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointEvery {
    /// Every this many epochs.
    Epochs(usize),
    /// After this many steps, at the end of the engine's call that contains the last of them.
    Steps(usize),
    /// The same, after this many seconds.
    Seconds(u64),
}

impl Default for CheckpointEvery {
    /// Rare enough that synchronising a file takes less than a hundredth of a run, however short its epochs,
    /// and frequent enough that little is lost, however long they are.
    fn default() -> Self {
        Self::Seconds(5)
    }
}

impl fmt::Display for CheckpointEvery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epochs(count) => write!(f, "{count}"),
            Self::Steps(count) => write!(f, "{count}steps"),
            Self::Seconds(count) => write!(f, "{count}s"),
        }
    }
}

impl FromStr for CheckpointEvery {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |what: &str| {
            let reason = format!("{text:?} {what}: write epochs (1), steps (500steps) or seconds (30s)");
            Error::Setting { setting: Setting::CheckpointEvery, reason }
        };
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let count: usize = number.parse().map_err(|_| refuse("is not valid"))?;
        if count == 0 {
            return Err(refuse("is invalid, it must be at least 1"));
        }
        match &text[number.len()..] {
            "" => Ok(Self::Epochs(count)),
            "steps" => Ok(Self::Steps(count)),
            "s" => Ok(Self::Seconds(count as u64)),
            _ => Err(refuse("is not valid")),
        }
    }
}

serde_as_text!(CheckpointEvery);

/// A score; the time of reaching it is recorded.
///
/// As text: `0.8718` or `87.18%`; for the RMSE of regression a number in its units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetScore(pub f64);

impl TargetScore {
    /// Refuses a score that this metric cannot have.
    ///
    /// # Errors
    /// [`Error::Setting`] with the score.
    pub(crate) fn check(target: Option<f64>, metric: Metric) -> Result<()> {
        match target.filter(|target| metric.is_share() && *target > 1.0) {
            None => Ok(()),
            Some(target) => {
                let reason = format!(
                    "{target} is not a share from 0 to 1: write a share (0.8718) or per cent (87.18%)"
                );
                Err(Error::setting(Setting::Target, reason))
            }
        }
    }
}

impl fmt::Display for TargetScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TargetScore {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |what: &str| {
            let reason = format!("{text:?} {what}: write a share (0.8718) or per cent (87.18%)");
            Error::Setting { setting: Setting::Target, reason }
        };
        // The exponent gives the exact bits of the share, which a division might miss.
        let number = match text.strip_suffix('%') {
            Some(number) => format!("{}e-2", number.trim_end()),
            None => text.to_owned(),
        };
        let share: f64 = number.parse().map_err(|_| refuse("is not valid"))?;
        if !(0.0..=f64::MAX).contains(&share) || (text.ends_with('%') && share > 1.0) {
            return Err(refuse("is not a share from 0 to 1, nor an RMSE"));
        }
        Ok(Self(share))
    }
}

serde_as_text!(TargetScore);

/// Counts until the next checkpoint.
pub(super) struct Due {
    every: Option<CheckpointEvery>,
    steps: usize,
    last: Instant,
}

impl Due {
    pub(super) fn new(every: Option<CheckpointEvery>) -> Self {
        Self { every, steps: 0, last: Instant::now() }
    }

    /// Whether one is due, after this many more steps.
    pub(super) fn after_steps(&mut self, steps: usize) -> bool {
        self.steps += steps;
        match self.every {
            Some(CheckpointEvery::Steps(count)) => self.steps >= count,
            Some(CheckpointEvery::Seconds(count)) => self.last.elapsed() >= Duration::from_secs(count),
            Some(CheckpointEvery::Epochs(_)) | None => false,
        }
    }

    /// Whether one is due, after this many complete epochs of the run.
    pub(super) fn after_epochs(&self, epochs: usize) -> bool {
        matches!(self.every, Some(CheckpointEvery::Epochs(count)) if epochs.is_multiple_of(count.max(1)))
    }

    /// A checkpoint was made.
    pub(super) fn made(&mut self) {
        (self.steps, self.last) = (0, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_invalid_text_is_refused() {
        for text in ["1", "25", "500steps", "30s"] {
            assert_eq!(text.parse::<CheckpointEvery>().unwrap().to_string(), text);
        }
        for text in ["", "0", "0s", "s", "-1", "1.5", "3 epochs", "3steps4", "10m", "99999999999999999999"] {
            let message = text.parse::<CheckpointEvery>().unwrap_err().to_string();
            assert!(message.starts_with("checkpoint-every: ") && message.contains("500steps"), "{message}");
        }
    }

    #[test]
    fn a_target_is_a_share_or_per_cent() {
        for (text, share) in
            [("0.8718", 0.8718), ("87.18%", 0.8718), ("87.18 %", 0.8718), ("1", 1.0), ("0", 0.0)]
        {
            assert_eq!(text.parse::<TargetScore>().unwrap(), TargetScore(share), "{text}");
        }
        for text in ["", "%", "-0.1", "101%", "nan", "inf", "half", "1e400"] {
            let message = text.parse::<TargetScore>().unwrap_err().to_string();
            assert!(message.starts_with("target: ") && message.contains("(87.18%)"), "{message}");
        }
    }

    #[test]
    fn steps_are_counted_over_calls_and_epochs_by_their_number() {
        let mut due = Due::new(Some(CheckpointEvery::Steps(10)));
        assert!(!due.after_steps(8) && due.after_steps(8) && !due.after_epochs(10));
        due.made();
        assert!(!due.after_steps(8));
        let mut due = Due::new(Some(CheckpointEvery::Epochs(3)));
        assert!(!due.after_steps(1000) && due.after_epochs(6) && !due.after_epochs(7));
        let mut due = Due::new(Some(CheckpointEvery::Seconds(3600)));
        assert!(!due.after_steps(1000) && !due.after_epochs(1));
        assert!(!Due::new(None).after_epochs(1));
    }
}
