//! What a run measures: one [`EpochMetrics`] an epoch, one [`Summary`] at the end.

use serde::{Deserialize, Serialize};

use crate::engine::Backend;
use crate::importance::{Importance, Order};
use crate::model::Arch;
use crate::named::named;

/// The accuracy whose first reaching is timed: the paper's best, 87.18 %.
pub(crate) const TARGET_ACCURACY: f64 = 0.8718;

named! {
    /// The samples that accuracies and losses called `test` were measured on.
    #[derive(Default)]
    pub enum ScoredOn {
        /// The test set.
        #[default]
        Test = "test",
        /// A held-out part of the training set, in place of the test set, which was not looked at.
        Validation = "validation",
    }
}

/// One epoch; a line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean cross-entropy in nats over the epoch's batches, each before its update, with dropout; against
    /// the smoothed labels, where the recipe smooths them. Penalties are not included.
    pub train_loss: f64,
    /// Mean cross-entropy in nats over the test set, after the epoch; labels are never smoothed here.
    pub test_loss: f64,
    /// Share of correct training samples, counted as the training loss is.
    pub train_accuracy: f64,
    /// Share of correct test samples, after the epoch.
    pub test_accuracy: f64,
    /// Learning rate of all steps of the epoch.
    pub learning_rate: f64,
    /// Wall time of the epoch: waiting for its samples, its training steps and the evaluation.
    pub seconds: f64,
    /// Wall time of the training steps alone.
    pub seconds_steps: f64,
}

/// The epoch with the best score; the first of equals. Patience, `best.safetensors` and the summary go by it.
pub fn best_epoch(history: &[EpochMetrics]) -> Option<&EpochMetrics> {
    history.iter().reduce(|best, later| if later.test_accuracy > best.test_accuracy { later } else { best })
}

/// The whole run; `summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// What `test` stands for in this summary.
    #[serde(default)]
    pub scored_on: ScoredOn,
    /// Share of correct test samples after the last epoch.
    pub test_accuracy: f64,
    /// The same after the best epoch.
    pub best_test_accuracy: f64,
    /// The best epoch, counted from 1; the first of equals.
    pub best_epoch: usize,
    /// Mean cross-entropy over the test set after the last epoch.
    pub test_loss: f64,
    /// Mean cross-entropy over the last epoch's training batches.
    pub train_loss: f64,
    /// Share of correct training samples in the last epoch.
    pub train_accuracy: f64,
    /// Number of epochs trained.
    pub epochs: usize,
    /// Whether the run ended before its last epoch because the score had not improved for long enough; the
    /// accuracies of the last epoch (`model.safetensors`) and of the best one (`best.safetensors`) are both here.
    #[serde(default)]
    pub stopped_early: bool,
    /// Number of weights and biases.
    pub parameters: usize,
    /// Number of weights and biases of the fully connected network of the same widths.
    pub dense_parameters: usize,
    /// Number of weights of each layer.
    pub edges_per_layer: Vec<usize>,
    /// Wall time from the start of the process to this summary; of a run that was resumed, that of the processes
    /// before is added, each up to its last checkpoint.
    pub seconds_total: f64,
    /// Wall time of all epochs: training steps and evaluations.
    pub seconds_training: f64,
    /// Wall time of all training steps.
    pub seconds_steps: f64,
    /// Wall time from the start of the process until the test accuracy first reached the paper's, 87.18 %.
    pub seconds_to_8718: Option<f64>,
    /// Kind of engine.
    pub backend: Backend,
    /// Processor or adapter.
    pub adapter: String,
    /// Kind of architecture.
    pub arch: Arch,
    /// How the importance of the features was found.
    pub importance: Importance,
    /// Which end of the order came first.
    pub order: Order,
    /// Seed of the run.
    pub seed: u64,
    /// Number of training samples.
    pub train_samples: usize,
    /// Number of test samples.
    pub test_samples: usize,
    /// When the run ended, RFC 9557.
    pub finished_at: String,
    /// Version of this program.
    pub tanner_version: String,
}
