//! Measurements of a run: one [`EpochMetrics`] per epoch, one [`Summary`] at the end.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize, Serializer};

use super::{Metric, RewiringSummary};
use crate::engine::Backend;
use crate::importance::{Importance, Order};
use crate::model::Arch;
use crate::named::named;

named! {
    /// The samples that scores, accuracies and losses called `test` were measured on.
    #[derive(Default)]
    pub enum ScoredOn {
        /// The test set.
        #[default]
        Test = "test",
        /// A held-out part of the training set, instead of the test set, which stays unused.
        Validation = "validation",
    }
}

named! {
    /// What must improve for patience to restart.
    #[derive(Default)]
    pub enum PatienceOn {
        /// The score: a better one (accuracy: higher; RMSE: lower), or the same with a lower loss.
        #[default]
        Score = "score",
        /// Only the loss.
        Loss = "loss",
    }
}

/// One epoch; a line of `metrics.jsonl`, which has `score` and `score_loss`, too.
///
/// With another metric than the accuracy of classes, the fields called accuracy hold that metric, and files name them by it:
/// `test_rmse`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss, of classes the cross-entropy in nats, over the epoch's batches, each before its update, with dropout; with
    /// smoothed labels, if the recipe smooths them. Penalties are not included.
    pub train_loss: f64,
    /// The same over the test set, after the epoch; labels are never smoothed here.
    pub test_loss: f64,
    /// Share of correct training samples, or another metric, measured like the training loss.
    #[serde(alias = "train_rmse", alias = "train_subset_accuracy")]
    pub train_accuracy: f64,
    /// Share of correct test samples, or another metric, after the epoch.
    #[serde(alias = "test_rmse", alias = "test_subset_accuracy")]
    pub test_accuracy: f64,
    /// The metric.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "Metric::is_accuracy")]
    pub metric: Metric,
    /// Learning rate of all steps of the epoch.
    pub learning_rate: f64,
    /// Wall time of the epoch: waiting for its samples, its training steps and the evaluation.
    pub seconds: f64,
    /// Wall time of the training steps only.
    pub seconds_steps: f64,
    /// The samples that `test` refers to.
    #[serde(default)]
    pub scored_on: ScoredOn,
    /// Edges that moved before the epoch's first step, in a run that rewires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[doc(hidden)]
    pub edges_moved: Option<usize>,
}

impl EpochMetrics {
    /// The same for files, with names that do not depend on the scored samples.
    #[doc(hidden)]
    #[must_use]
    pub fn named(&self) -> impl Serialize {
        let scores = Scores { score: self.test_accuracy, score_loss: self.test_loss, best_score: None };
        Named { all: self, metric: self.metric, scores }
    }
}

/// Edges that moved in all epochs of a run that rewires.
pub fn edges_moved(history: &[EpochMetrics]) -> Option<usize> {
    let moves = history.iter().map(|epoch| epoch.edges_moved);
    moves.reduce(|sum, more| Some(sum?.saturating_add(more?))).flatten()
}

/// Metrics or a summary for files and programs: the score under its own names, and under the older ones that
/// begin with `test` regardless of the scored samples.
pub(crate) struct Named<'a, T> {
    all: &'a T,
    metric: Metric,
    scores: Scores,
}

/// The scores among metrics or a summary.
#[derive(Serialize)]
struct Scores {
    /// The metric over the samples of `scored_on`.
    score: f64,
    /// Mean loss over them.
    score_loss: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    best_score: Option<f64>,
}

impl<T: Serialize> Serialize for Named<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Both<'a, T> {
            #[serde(flatten)]
            all: &'a T,
            #[serde(flatten)]
            scores: &'a Scores,
        }
        let both = Both { all: self.all, scores: &self.scores };
        if self.metric.is_accuracy() {
            return both.serialize(serializer);
        }
        // What is no accuracy is not called so.
        let value = serde_json::to_value(&both).map_err(serde::ser::Error::custom)?;
        let fields = value.as_object().into_iter().flatten();
        serializer.collect_map(fields.map(|(key, value)| match key.strip_suffix("_accuracy") {
            Some(of) if of.ends_with("train") || of.ends_with("test") => {
                (format!("{of}_{}", self.metric), value)
            }
            _ => (key.clone(), value),
        }))
    }
}

/// Whether an epoch is better than the best one before it: by its score, ties by the lower loss. So the first of equals
/// stays the best.
pub fn is_better(epoch: &EpochMetrics, best: &EpochMetrics, by: PatienceOn) -> bool {
    let lower_loss = epoch.test_loss < best.test_loss;
    match by {
        PatienceOn::Loss => lower_loss,
        PatienceOn::Score => match epoch.metric.compare(epoch.test_accuracy, best.test_accuracy) {
            Ordering::Equal => lower_loss,
            order => order == Ordering::Greater,
        },
    }
}

/// The epoch with the best score, ties by the lower loss, then the first. `best.safetensors` and the summary use it.
pub fn best_epoch(history: &[EpochMetrics]) -> Option<&EpochMetrics> {
    best_by(history, PatienceOn::Score)
}

/// The best epoch by score or by loss.
pub(crate) fn best_by(history: &[EpochMetrics], by: PatienceOn) -> Option<&EpochMetrics> {
    history.iter().reduce(|best, later| if is_better(later, best, by) { later } else { best })
}

/// The most frequent class of the samples that a run is scored on: the accuracy of always answering it is its share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[doc(hidden)]
pub struct Majority {
    /// Its name.
    pub class: String,
    /// Its share of the samples.
    pub share: f64,
}

/// The whole run; `summary.json`, which has `score`, `score_loss` and `best_score`, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The samples that `test` refers to.
    #[serde(default)]
    pub scored_on: ScoredOn,
    /// Share of correct test samples, or another metric, after the last epoch.
    #[serde(alias = "test_rmse", alias = "test_subset_accuracy")]
    pub test_accuracy: f64,
    /// The same after the best epoch.
    #[serde(alias = "best_test_rmse", alias = "best_test_subset_accuracy")]
    pub best_test_accuracy: f64,
    /// The best epoch, counted from 1: ties by the lower loss, then the first.
    pub best_epoch: usize,
    /// Mean loss, of classes the cross-entropy, over the test set after the last epoch.
    pub test_loss: f64,
    /// The same over the last epoch's training batches.
    pub train_loss: f64,
    /// Share of correct training samples, or another metric, in the last epoch.
    #[serde(alias = "train_rmse", alias = "train_subset_accuracy")]
    pub train_accuracy: f64,
    /// The metric.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "Metric::is_accuracy")]
    pub metric: Metric,
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
    /// The moved edges, in a run that rewires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[doc(hidden)]
    pub rewiring: Option<RewiringSummary>,
    /// Wall time from the start of the process to this summary; of a resumed run, that of the processes
    /// before is added, each up to its last checkpoint.
    pub seconds_total: f64,
    /// Wall time of all epochs: training steps and evaluations.
    pub seconds_training: f64,
    /// Wall time of all training steps.
    pub seconds_steps: f64,
    /// The requested score, if any.
    #[serde(default)]
    pub target: Option<f64>,
    /// Wall time from the start of the process until the score first reached the target.
    #[serde(default)]
    pub seconds_to_target: Option<f64>,
    /// Kind of engine.
    pub backend: Backend,
    /// Processor or adapter.
    pub adapter: String,
    /// Kind of architecture.
    pub arch: Arch,
    /// The kind of importance.
    pub importance: Importance,
    /// The direction of the order.
    pub order: Order,
    /// Seed of the run.
    pub seed: u64,
    /// Number of training samples.
    pub train_samples: usize,
    /// Number of test samples.
    pub test_samples: usize,
    /// The answer that is right most often among the test samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[doc(hidden)]
    pub majority: Option<Majority>,
    /// When the run ended, RFC 3339.
    pub finished_at: String,
    /// Version of this program.
    pub tanner_version: String,
}

impl Summary {
    /// The same for files and programs, with names that do not depend on the scored samples.
    #[doc(hidden)]
    #[must_use]
    pub fn named(&self) -> impl Serialize {
        let best_score = Some(self.best_test_accuracy);
        let scores = Scores { score: self.test_accuracy, score_loss: self.test_loss, best_score };
        Named { all: self, metric: self.metric, scores }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(scores: &[(f64, f64)]) -> Vec<EpochMetrics> {
        let epoch = |(epoch, (score, loss)): (usize, &(f64, f64))| EpochMetrics {
            epoch,
            test_accuracy: *score,
            test_loss: *loss,
            ..EpochMetrics::default()
        };
        (1..).zip(scores).map(epoch).collect()
    }

    #[test]
    fn the_best_epoch_has_the_best_score_then_the_lower_loss_then_comes_first() {
        let best = |scores: &[(f64, f64)], by| best_by(&epochs(scores), by).unwrap().epoch;
        let scores = [(0.8, 0.1), (0.9, 0.5), (0.9, 0.3), (0.9, 0.3), (0.9, 0.4), (0.7, 0.01)];
        assert_eq!(best(&scores, PatienceOn::Score), 3);
        assert_eq!(best_epoch(&epochs(&scores)).unwrap().epoch, 3);
        assert_eq!(best(&scores, PatienceOn::Loss), 6);
        assert_eq!(best(&[(0.9, 0.3), (0.9, 0.3)], PatienceOn::Loss), 1);
        assert_eq!(best_epoch(&[]), None);
    }

    #[test]
    fn what_is_no_accuracy_is_not_called_so_and_its_lowest_value_is_the_best() {
        let rmse = |epoch: EpochMetrics| EpochMetrics { metric: Metric::Rmse, ..epoch };
        let all: Vec<_> = epochs(&[(3.0, 0.1), (2.0, 0.3), (2.5, 0.01)]).into_iter().map(rmse).collect();
        assert_eq!(best_epoch(&all).unwrap().epoch, 2);
        let line = serde_json::to_value(all[1].named()).unwrap();
        assert_eq!(
            (&line["metric"], &line["test_rmse"], &line["score"]),
            (&"rmse".into(), &2.0.into(), &2.0.into())
        );
        assert!(line.get("test_accuracy").is_none() && line.get("train_accuracy").is_none(), "{line}");
        assert_eq!(serde_json::from_value::<EpochMetrics>(line).unwrap(), all[1]);
    }

    #[test]
    fn files_say_what_was_scored_under_new_and_old_names() {
        let metrics = EpochMetrics { scored_on: ScoredOn::Validation, ..epochs(&[(0.75, 0.5)]).remove(0) };
        let line = serde_json::to_value(metrics.named()).unwrap();
        assert_eq!((&line["score"], &line["score_loss"]), (&0.75.into(), &0.5.into()));
        assert_eq!((&line["test_accuracy"], &line["test_loss"]), (&0.75.into(), &0.5.into()));
        assert_eq!((&line["scored_on"], line.get("best_score")), (&"validation".into(), None));
        assert_eq!(serde_json::from_value::<EpochMetrics>(line).unwrap(), metrics);
    }
}
