//! The cost of pruning, step by step.

use serde::Serialize;

use crate::engine::Evaluation;
use crate::network::Network;

/// A measured intermediate network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PrunePoint {
    /// The step that led here.
    pub step: String,
    /// Number of weights and biases.
    pub parameters: usize,
    /// Number of weights.
    pub edges: usize,
    /// Width of each hidden layer.
    pub hidden: Vec<usize>,
    /// Correct samples of the validation split, by which steps are chosen.
    pub validation_correct: usize,
    /// Share of correct samples of the validation split.
    pub validation_accuracy: f64,
    /// Mean cross-entropy over the validation split, in nats.
    pub validation_loss: f64,
    /// Share of correct test samples; never used to choose.
    pub test_accuracy: f64,
    /// Mean cross-entropy over the test set, in nats.
    pub test_loss: f64,
}

impl PrunePoint {
    pub(super) fn new(step: String, network: &Network, validation: &Evaluation, test: &Evaluation) -> Self {
        let widths = network.widths();
        Self {
            step,
            parameters: network.parameter_count(),
            edges: network.layers().iter().map(|layer| layer.topology.edges()).sum(),
            hidden: widths[1..widths.len() - 1].to_vec(),
            validation_correct: validation.correct,
            validation_accuracy: validation.accuracy(),
            validation_loss: validation.loss,
            test_accuracy: test.accuracy(),
            test_loss: test.loss,
        }
    }
}
