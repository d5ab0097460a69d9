//! Checks that an engine computes correctly, before timing it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::logits::{LOGIT_BOUND, Logits};
use super::noise;
use crate::dataset::Dataset;
use crate::engine::reference::{LayerValues, ReferenceEngine};
use crate::engine::{Engine, EngineSettings, Evaluation, StepPlan};
use crate::network::{LayerParameters, Network, Parameters};
use crate::{Error, Result};

/// Minimum number of compared steps.
const STEPS: usize = 3;
/// Samples of each: more than a vector of any engine, and not a multiple of its length. Steps of smaller batches are shorter
/// and as many as needed for this many samples: in the gradient of a single step, a saturated neuron's rounding
/// weighs as much as all the others, under Adam, with nothing to average it away.
const SAMPLES: usize = 37;

/// Neurons of the widest layer for which steps have their full length; in wider ones they are shorter.
const WIDTH: f64 = 784.0;

/// Largest relative deviation of the loss of a step, or of an evaluation, from the reference's. The rounding of the
/// logits, whose difference a loss near 0 is, is added: [`LOGIT_BOUND`].
pub const LOSS_BOUND: f64 = 1e-5;
/// How far a layer's parameters may be from the reference's after these steps, as a share of how far
/// these moved (Euclidean norms). Rounding of the parameters themselves to float32 is added.
pub const CHANGE_BOUND: f64 = 1e-3;

/// A few steps of the reference engine, for comparison.
pub struct Yardstick {
    start: Parameters,
    data: Arc<Dataset>,
    learning_rate: f64,
    /// How far the rounding of logits may change a loss.
    rounding: f64,
    losses: Vec<f64>,
    evaluation: Evaluation,
    end: Vec<LayerValues>,
}

/// The result of a check; both numbers are shares of their bounds, at most 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Largest deviation of a loss.
    pub loss: f64,
    /// Largest deviation of a layer's parameters.
    pub parameters: f64,
}

impl Yardstick {
    /// Runs the reference engine from these parameters, with these settings, on a small batch of noise.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn new(network: &Network, start: &Parameters, settings: EngineSettings) -> Result<Self> {
        let batch_size = SAMPLES.min(settings.batch_size);
        let steps = STEPS.max(SAMPLES.div_ceil(batch_size));
        let data = noise(steps * batch_size, network.inputs(), network.classes())?;
        let mut engine = ReferenceEngine::new(network, start, EngineSettings { batch_size, ..settings })?;
        // Full steps of a few samples, or of a wider layer, whose weights add up in its outputs, would move a network
        // so far that the rounding of one step grows in the next ones.
        let widest = network.widths().into_iter().max().unwrap_or(1) as f64;
        let share = batch_size as f64 / SAMPLES as f64 * (WIDTH / widest).min(1.0);
        let learning_rate = share * settings.optimizer.kind().usual_learning_rate();
        let losses = losses(&mut engine, &data, batch_size, learning_rate)?;
        let evaluation = engine.evaluate(&data)?;
        let end = engine.values().to_vec();
        let magnitudes = Logits::of(network, start, data.sample(0)).magnitudes;
        let rounding = LOGIT_BOUND * magnitudes.into_iter().fold(0.0, f64::max);
        Ok(Self { start: start.clone(), data, learning_rate, rounding, losses, evaluation, end })
    }

    /// Runs another engine over the same steps, and restores its state.
    ///
    /// The engine must have been made with the same settings, apart from a batch size that may be larger.
    ///
    /// # Errors
    /// [`Error::WrongResult`] says which value differs, and how far; those of the engine.
    pub fn check(&self, engine: &mut dyn Engine) -> Result<CheckReport> {
        engine.set_parameters(&self.start)?;
        let steps = self.losses.len();
        let losses = losses(engine, &self.data, self.data.samples() / steps, self.learning_rate)?;
        let evaluation = engine.evaluate(&self.data)?;
        let end = engine.parameters()?;
        engine.set_parameters(&self.start)?;
        let mut report = CheckReport { loss: 0.0, parameters: 0.0 };
        let expected = self.losses.iter().chain([&self.evaluation.loss]);
        for (index, (got, expected)) in losses.iter().chain([&evaluation.loss]).zip(expected).enumerate() {
            let share = (got - expected).abs() / (LOSS_BOUND * expected.abs() + self.rounding);
            report.loss = report.loss.max(share);
            if !(share <= 1.0) {
                let what =
                    if index < steps { format!("the loss of step {}", index + 1) } else { "the loss".into() };
                return Err(wrong(engine, &what, format!("is {got}, the reference's {expected}")));
            }
        }
        for (index, layers) in self.start.layers.iter().zip(&self.end).zip(&end.layers).enumerate() {
            let ((start, expected), got) = layers;
            let share = self.deviation(start, expected, got);
            report.parameters = report.parameters.max(share);
            if !(share <= 1.0) {
                let what = format!("layer {}", index + 1);
                let how = format!("is {share:.3e} times the bound off the reference after {steps} steps");
                return Err(wrong(engine, &what, how));
            }
        }
        Ok(report)
    }

    /// Distance of a layer's parameters from the reference's, as a share of the bound.
    fn deviation(&self, start: &LayerParameters, expected: &LayerValues, got: &LayerParameters) -> f64 {
        let (mut error, mut moved, mut size) = (0.0, 0.0, 0.0);
        let weights = start.weights.iter().zip(&expected.weights).zip(&got.weights);
        let biases = start.biases.iter().zip(&expected.biases).zip(&got.biases);
        for ((start, expected), got) in weights.chain(biases) {
            error += (f64::from(*got) - expected).powi(2);
            moved += (expected - f64::from(*start)).powi(2);
            size += expected.powi(2);
        }
        let rounding = self.losses.len() as f64 * f64::from(f32::EPSILON) / 2.0 * size.sqrt();
        error.sqrt() / (CHANGE_BOUND * moved.sqrt() + rounding)
    }
}

/// The loss of each step, one call per step, so that engines with a larger batch run the same steps.
fn losses(
    engine: &mut dyn Engine,
    data: &Arc<Dataset>,
    batch_size: usize,
    learning_rate: f64,
) -> Result<Vec<f64>> {
    let order: Vec<u32> = (0u32..).take(data.samples()).collect();
    let mut losses = Vec::new();
    for (first_step, samples) in (0..).zip(order.chunks(batch_size)) {
        let outcomes = engine.train(data, &StepPlan { samples, learning_rate, first_step })?;
        losses.extend(outcomes.iter().map(|outcome| outcome.loss));
    }
    Ok(losses)
}

fn wrong(engine: &dyn Engine, what: &str, how: String) -> Error {
    let info = engine.info();
    Error::WrongResult(format!(
        "the {} engine on {} computes wrong numbers: {what} {how}",
        info.backend, info.adapter
    ))
}

#[cfg(test)]
#[path = "yardstick_tests.rs"]
mod tests;
