//! The scores of predictions, whatever the task.

use serde::Serialize;

use super::{MultiLabelScores, Predictions, RegressionScores, Scores};
use crate::Result;
use crate::dataset::{TargetRecord, Targets, Task};

/// Scores of classes, of numbers or of several labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum TaskScores {
    /// Of classification.
    Classes(Scores),
    /// Of regression.
    Numbers(RegressionScores),
    /// Of several labels.
    Labels(MultiLabelScores),
}

impl TaskScores {
    /// Compares predictions with the targets of the same samples. `records` are those of numbers and labels.
    ///
    /// # Errors
    /// [`Error::Dataset`](crate::Error::Dataset) when they do not fit each other.
    pub fn new(predictions: &Predictions, targets: &Targets, records: &[TargetRecord]) -> Result<Self> {
        match targets.task() {
            Task::Classification => Scores::new(predictions, targets.labels()).map(Self::Classes),
            Task::Regression => RegressionScores::new(predictions, targets, records).map(Self::Numbers),
            Task::MultiLabel => MultiLabelScores::new(predictions, targets, records).map(Self::Labels),
        }
    }

    /// The scores that are one number, by their names in `scores.json`; the first one is the most important.
    #[must_use]
    pub fn measures(&self) -> Vec<(&'static str, Option<f64>)> {
        match self {
            Self::Classes(scores) => vec![
                ("accuracy", Some(scores.accuracy)),
                ("log_loss", Some(scores.log_loss)),
                ("macro_f1", Some(scores.macro_f1)),
                ("roc_auc", scores.roc_auc),
                ("average_precision", scores.average_precision),
                ("brier", Some(scores.brier)),
            ],
            Self::Numbers(scores) => {
                vec![("rmse", Some(scores.rmse)), ("mae", Some(scores.mae)), ("r2", scores.r2)]
            }
            Self::Labels(scores) => vec![
                ("subset_accuracy", Some(scores.subset_accuracy)),
                ("log_loss", Some(scores.log_loss)),
                ("label_accuracy", Some(scores.label_accuracy)),
                ("macro_f1", Some(scores.macro_f1)),
                ("micro_f1", Some(scores.micro_f1)),
                ("macro_auc", scores.macro_auc),
            ],
        }
    }

    /// The score of this name; `None` if there is none, or it is unknown for these samples.
    #[must_use]
    pub fn measure(&self, name: &str) -> Option<f64> {
        self.measures().into_iter().find(|(own, _)| *own == name)?.1
    }

    /// The score that runs are compared by, and the loss that decides between equals: the mean cross-entropy, or the mean
    /// absolute error of numbers.
    #[must_use]
    pub fn score_and_loss(&self) -> (f64, f64) {
        match self {
            Self::Classes(scores) => (scores.accuracy, scores.log_loss),
            Self::Numbers(scores) => (scores.rmse, scores.mae),
            Self::Labels(scores) => (scores.subset_accuracy, scores.log_loss),
        }
    }
}
