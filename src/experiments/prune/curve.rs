//! The cost of pruning, step by step.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::engine::Evaluation;
use crate::network::Network;
use crate::training::{Metric, Scoring};

/// A measured intermediate network.
#[derive(Clone, Debug, PartialEq)]
pub struct PrunePoint {
    /// What the model is scored by; unless it is the accuracy of classes, it replaces the accuracy in the fields of that name, and
    /// its name replaces `accuracy` in files.
    #[doc(hidden)]
    pub metric: Metric,
    /// The step that led here.
    pub step: String,
    /// Number of weights and biases.
    pub parameters: usize,
    /// Number of weights.
    pub edges: usize,
    /// Width of each hidden layer.
    pub hidden: Vec<usize>,
    /// Correct samples of the validation split, by which steps are chosen; 0 of numbers.
    pub validation_correct: usize,
    /// Share of correct samples of the validation split.
    pub validation_accuracy: f64,
    /// Mean loss over the validation split, of classes the cross-entropy in nats.
    pub validation_loss: f64,
    /// Share of correct test samples; never used to choose.
    pub test_accuracy: f64,
    /// Mean loss over the test set.
    pub test_loss: f64,
}

impl Serialize for PrunePoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("step", &self.step)?;
        fields.serialize_entry("parameters", &self.parameters)?;
        fields.serialize_entry("edges", &self.edges)?;
        fields.serialize_entry("hidden", &self.hidden)?;
        if self.metric.is_share() {
            fields.serialize_entry("validation_correct", &self.validation_correct)?;
        }
        fields.serialize_entry(&format!("validation_{}", self.metric), &self.validation_accuracy)?;
        fields.serialize_entry("validation_loss", &self.validation_loss)?;
        fields.serialize_entry(&format!("test_{}", self.metric), &self.test_accuracy)?;
        fields.serialize_entry("test_loss", &self.test_loss)?;
        fields.end()
    }
}

impl PrunePoint {
    pub(super) fn new(
        step: String,
        network: &Network,
        [validation, test]: &[Evaluation; 2],
        scoring: &Scoring,
    ) -> Self {
        let widths = network.widths();
        Self {
            metric: scoring.metric,
            step,
            parameters: network.parameter_count(),
            edges: network.layers().iter().map(|layer| layer.topology.edges()).sum(),
            hidden: widths[1..widths.len() - 1].to_vec(),
            validation_correct: validation.correct,
            validation_accuracy: scoring.of(validation),
            validation_loss: validation.loss,
            test_accuracy: scoring.of(test),
            test_loss: test.loss,
        }
    }
}
