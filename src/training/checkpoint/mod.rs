//! Where a run is between two steps: all that is needed to resume it to the same bits as without an interruption.
//!
//! The trainer saves and restores a [`TrainingState`]; a [`Checkpoint`] combines it with the data of the run
//! folder's [`Recorder`](super::Recorder), and is stored as [`mod@format`].
//!
//! Random numbers need no saved state: every stream is keyed by the run's seed, its purpose, and the epoch or
//! step ([`random`](crate::random)). So the seed, which is part of the recipe, and the position,
//! which is part of the state, restore everything random: order of samples, augmentation, masks of dropout
//! and of DropConnect.

mod decode;
pub(super) mod encode;
pub mod format;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{EpochMetrics, Recipe};
use crate::engine::{EngineState, Errors, Evaluation, StepOutcome};
use crate::files::atomic_write;
use crate::model::container;
use crate::network::Network;
use crate::topology::GraphRows;
use crate::{Error, Result, Setting};

/// Sums over the steps of the unfinished epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochSoFar {
    /// Steps made.
    pub steps: usize,
    /// Samples in them.
    pub samples: usize,
    /// Correct ones among these.
    pub correct: usize,
    /// Losses, each as often as its batch had samples.
    pub loss: f64,
    /// Errors of regression.
    #[serde(default, skip_serializing_if = "Errors::are_0")]
    pub errors: Errors,
    /// Wall time of the epoch.
    pub seconds: f64,
    /// Wall time of its steps.
    pub seconds_steps: f64,
    /// Edges that moved before its first step; `None` if the run does not rewire, or has not yet before this epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edges_moved: Option<usize>,
}

impl EpochSoFar {
    pub(super) fn add(&mut self, outcome: &StepOutcome) {
        self.loss += outcome.loss * f64::from(outcome.samples);
        self.correct += outcome.correct as usize;
        self.errors = self.errors + outcome.errors;
        self.samples += outcome.samples as usize;
        self.steps += 1;
    }

    /// The means so far.
    pub(super) fn evaluation(&self) -> Evaluation {
        let Self { samples, correct, errors, .. } = *self;
        Evaluation { loss: self.loss / samples as f64, correct, samples, errors }
    }

    /// Whether the network is unchanged in this epoch.
    pub(super) fn is_untouched(&self) -> bool {
        self.steps == 0 && self.edges_moved.unwrap_or(0) == 0
    }

    /// Whether these can be sums over the steps of an epoch.
    fn is_possible(&self) -> bool {
        let Errors { squared, absolute } = self.errors;
        let numbers = [self.loss, squared, absolute, self.seconds, self.seconds_steps];
        numbers.iter().all(|number| number.is_finite() && *number >= 0.0)
            && self.correct <= self.samples
            && self.steps <= self.samples
            && (self.steps > 0 || self.samples == 0)
    }
}

/// A run between two steps.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingState {
    /// The complete epochs.
    pub history: Vec<EpochMetrics>,
    /// The next, unfinished one.
    pub so_far: EpochSoFar,
    /// Parameters and optimiser state.
    pub engine: EngineState,
    /// The edges of each layer, in a run that rewires; otherwise they are the initial ones.
    pub graphs: Option<Vec<GraphRows>>,
}

impl TrainingState {
    /// The network of this state, given the initial one.
    ///
    /// # Errors
    /// If the graphs do not fit its layers.
    pub fn network(&self, begun: &Network) -> Result<Network> {
        let Some(graphs) = &self.graphs else { return Ok(begun.clone()) };
        let layers = begun.layers().iter().zip(graphs);
        let graphs = layers.map(|(layer, rows)| rows.between(&layer.topology));
        begun.over(&graphs.collect::<Result<Vec<_>>>()?)
    }

    /// Checks all that can be checked without a network or a recipe.
    ///
    /// # Errors
    /// [`Error::Network`] or [`Error::Dataset`] says what is impossible.
    pub fn check_itself(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::Dataset(format!("state of a run: {reason}")));
        for (epoch, metrics) in (1..).zip(&self.history) {
            let EpochMetrics { train_loss, test_loss, train_accuracy, test_accuracy, .. } = *metrics;
            let numbers =
                [train_loss, test_loss, metrics.learning_rate, metrics.seconds, metrics.seconds_steps];
            let scores = [train_accuracy, test_accuracy];
            let limits = 0.0..=if metrics.metric.is_share() { 1.0 } else { f64::MAX };
            let possible = numbers.iter().all(|number| number.is_finite() && *number >= 0.0)
                && scores.iter().all(|score| limits.contains(score));
            if metrics.epoch != epoch || !possible {
                return refuse(format!("the metrics of epoch {epoch} are impossible"));
            }
        }
        if !self.so_far.is_possible() {
            return refuse(format!("the sums of epoch {} are impossible", self.history.len() + 1));
        }
        self.engine.check_itself()
    }

    /// Checks that the state is possible with this recipe.
    ///
    /// # Errors
    /// As [`TrainingState::check_itself`]; [`Error::Setting`] when it is beyond the recipe's epochs.
    pub fn check(&self, recipe: &Recipe) -> Result<()> {
        self.check_itself()?;
        let (done, epochs) = (self.history.len(), recipe.epochs);
        if done > epochs || (done == epochs && self.so_far.steps > 0) {
            let reason = format!("{epochs} is less than the epochs of the run so far");
            return Err(Error::Setting { setting: Setting::Epochs, reason });
        }
        Ok(())
    }
}

/// Digests of what a run began with, as text, compared before it is resumed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunIdentity {
    /// SHA-256 of the bytes of its `config.json`.
    pub config: String,
    /// [`TrainedModel::digest`](crate::model::TrainedModel::digest) of the model before its first step.
    pub start: String,
    /// [`fingerprint`](crate::dataset::fingerprint()) of the samples it is trained and scored on.
    pub data: String,
}

/// Seconds over all processes of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunClock {
    /// From the start of the process to the checkpoint, summed over all processes.
    pub seconds: f64,
    /// The same to the target accuracy, if it was reached.
    pub seconds_to_target: Option<f64>,
}

/// The content of `checkpoint.safetensors`.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The state of the run.
    pub state: TrainingState,
    /// Which run it is.
    pub identity: RunIdentity,
    /// How long it has taken.
    pub clock: RunClock,
}

impl Checkpoint {
    /// Writes the file atomically and synchronises it.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written; the old file remains.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.to_bytes().map_err(|reason| Error::Checkpoint { path: path.into(), reason })?;
        atomic_write(path, &bytes)
    }

    /// Reads a file, checking every part of it.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Checkpoint`] when it is not a checkpoint, or a damaged one.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let refuse = |reason| Error::Checkpoint { path: path.into(), reason };
        Self::from_bytes(&container::read_file(path, refuse)?).map_err(refuse)
    }
}

#[cfg(test)]
mod tests;
