//! The reference engine: float64, one core, written for readability.
//!
//! One file for each stage of a training step, with the same stem as its WGSL
//! kernel. Everything works on the [`Topology`](crate::topology::Topology)
//! itself, without tiles, and each stage also returns the sum of the absolute
//! terms of what it computed, from which tests derive bounds for float32 kernels.

#[doc(hidden)]
pub mod backward_input;
#[doc(hidden)]
pub mod backward_weight;
#[doc(hidden)]
pub mod drop_connect;
#[doc(hidden)]
pub mod forward;
#[doc(hidden)]
pub mod gather;
#[doc(hidden)]
pub mod group_norm;
mod matrix;
#[doc(hidden)]
pub mod objective;
#[doc(hidden)]
pub mod separable_loss;
#[doc(hidden)]
pub mod softmax_cross_entropy;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Result;
use crate::dataset::Dataset;
use crate::engine::{
    Backend, BatchPart, Engine, EngineInfo, EngineSettings, EngineState, Errors, Evaluation, LossRule,
    MAX_STATES, PartGradients, StepOutcome, StepPlan, UpdateRule, Values, check_gradients, check_plan,
    check_targets,
};
use crate::network::dropout::DropoutKey;
use crate::network::{LayerParameters, Network, Parameters};
use crate::topology::Topology;

use backward_input::{backward_activation, backward_input};
use backward_weight::{BackwardWeight, backward_weight, update};
use forward::{Forward, forward};
use gather::{BatchTargets, gather, gather_targets};
use objective::{compare, masked_gradients, regularise};
use softmax_cross_entropy::Loss;

pub use matrix::Matrix;

/// Weights (in canonical order) and biases of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerValues {
    /// `[edges]`.
    pub weights: Vec<f64>,
    /// `[outputs]`.
    pub biases: Vec<f64>,
}

impl From<&LayerParameters> for LayerValues {
    fn from(parameters: &LayerParameters) -> Self {
        let widen = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect();
        Self { weights: widen(&parameters.weights), biases: widen(&parameters.biases) }
    }
}

/// The dropout keys of one step, one for each layer.
pub fn dropout_keys(network: &Network, seed: u64, step: u64) -> Vec<DropoutKey> {
    (0u32..).zip(network.layers()).map(|(layer, _)| DropoutKey::new(seed, step, layer)).collect()
}

/// Runs all layers over a batch `[feature][sample]`; keys apply dropout.
pub fn run_forward(
    network: &Network,
    values: &[LayerValues],
    x: &Matrix,
    keys: Option<&[DropoutKey]>,
) -> Vec<Forward> {
    let mut results: Vec<Forward> = Vec::with_capacity(values.len());
    for (index, (layer, values)) in network.layers().iter().zip(values).enumerate() {
        let x = results.last().map_or(x, |below| &below.y);
        let key = keys.map(|keys| keys[index]);
        results.push(forward(layer, &values.weights, &values.biases, x, key));
    }
    results
}

/// Loss and gradients (without penalties) of one batch, given the loss and the smoothing of labels.
pub fn loss_and_gradients(
    network: &Network,
    values: &[LayerValues],
    x: &Matrix,
    targets: &BatchTargets,
    (rule, smoothing): (LossRule, f64),
    keys: Option<&[DropoutKey]>,
) -> (Loss, Vec<BackwardWeight>) {
    let results = run_forward(network, values, x, keys);
    let loss = compare(&results[results.len() - 1].y, targets, rule, smoothing);
    let mut delta = loss.delta.clone();
    let mut gradients = Vec::with_capacity(results.len());
    for (index, layer) in network.layers().iter().enumerate().rev() {
        let x = if index == 0 { x } else { &results[index - 1].y };
        gradients.push(backward_weight(&layer.topology, x, &delta));
        if index > 0 {
            delta = backward_input(&layer.topology, &values[index].weights, &delta).gradient;
            let below = &network.layers()[index - 1];
            backward_activation(below, &results[index - 1].y, keys.map(|keys| keys[index - 1]), &mut delta);
        }
    }
    gradients.reverse();
    (loss, gradients)
}

/// The reference engine.
pub struct ReferenceEngine {
    network: Network,
    settings: EngineSettings,
    values: Vec<LayerValues>,
    /// The optimiser state of each layer's weights, then of its biases.
    state: Vec<[Vec<[f64; MAX_STATES]>; 2]>,
}

impl ReferenceEngine {
    /// Takes a network and its initial parameters.
    ///
    /// # Errors
    /// When the parameters do not fit, or a setting is outside its range.
    pub fn new(network: &Network, parameters: &Parameters, settings: EngineSettings) -> Result<Self> {
        settings.check()?;
        let mut engine = Self { network: network.clone(), settings, values: Vec::new(), state: Vec::new() };
        engine.set_parameters(parameters)?;
        Ok(engine)
    }

    /// The current weights and biases, in float64.
    #[doc(hidden)]
    pub fn values(&self) -> &[LayerValues] {
        &self.values
    }

    fn step(&mut self, data: &Dataset, samples: &[u32], learning_rate: f64, step: u64) -> StepOutcome {
        let whole = BatchPart { samples, first: 0, batch: samples.len(), step };
        let (loss, gradients) = self.gradients_of(data, &whole);
        self.update_by(gradients, learning_rate, step);
        let count = u32::try_from(samples.len()).expect("a batch fits u32");
        let mean = loss.sum / samples.len() as f64;
        StepOutcome { loss: mean, correct: loss.correct, samples: count, errors: loss.errors }
    }

    /// The loss of a part of a batch, and its gradients of the batch's mean loss.
    fn gradients_of(&self, data: &Dataset, part: &BatchPart<'_>) -> (Loss, Vec<BackwardWeight>) {
        let (x, targets) = (gather(data, part.samples), gather_targets(data, part.samples));
        let first = u32::try_from(part.first).expect("a batch fits u32");
        let place = (first, part.step);
        let (loss, mut gradients) =
            masked_gradients(&self.network, &self.settings, &self.values, &x, &targets, place);
        // They are those of the mean over the part.
        let share = part.samples.len() as f64 / part.batch as f64;
        let all = gradients.iter_mut().flat_map(|layer| layer.weights.iter_mut().chain(&mut layer.biases));
        all.for_each(|gradient| *gradient *= share);
        (loss, gradients)
    }

    /// Regularises the gradients of a batch's mean loss, and moves every value by one step.
    fn update_by(&mut self, mut gradients: Vec<BackwardWeight>, learning_rate: f64, step: u64) {
        regularise(&self.network, &self.settings, &self.values, &mut gradients, step);
        // The gradients include the coupled weight decay.
        let rule = self.settings.rule(learning_rate, step);
        let rule = UpdateRule { decay: 0.0, ..rule };
        let of_biases = rule.without_decay();
        for ((values, state), gradients) in self.values.iter_mut().zip(&mut self.state).zip(&gradients) {
            for (edge, gradient) in gradients.weights.iter().enumerate() {
                values.weights[edge] = update(&rule, *gradient, &mut state[0][edge], values.weights[edge]);
            }
            for (output, gradient) in gradients.biases.iter().enumerate() {
                values.biases[output] =
                    update(&of_biases, *gradient, &mut state[1][output], values.biases[output]);
            }
        }
    }
}

impl fmt::Debug for ReferenceEngine {
    /// Shows the device, not the many values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReferenceEngine").field("info", &self.info()).finish_non_exhaustive()
    }
}

impl Engine for ReferenceEngine {
    fn info(&self) -> EngineInfo {
        EngineInfo { backend: Backend::Reference, adapter: "float64 on one core".into() }
    }

    fn steps_per_call(&self) -> usize {
        1
    }

    fn train(&mut self, data: &Arc<Dataset>, plan: &StepPlan<'_>) -> Result<Vec<StepOutcome>> {
        check_plan(&self.network, data, self.settings.loss, plan)?;
        let batches = (plan.first_step..).zip(plan.samples.chunks(self.settings.batch_size));
        Ok(batches.map(|(step, samples)| self.step(data, samples, plan.learning_rate, step)).collect())
    }

    fn gradients(&mut self, data: &Arc<Dataset>, part: &BatchPart<'_>) -> Result<PartGradients> {
        part.check(&self.network, data, &self.settings)?;
        if part.samples.is_empty() {
            let values = Values::Double(vec![0.0; self.network.parameter_count()]);
            return Ok(PartGradients { values, loss: 0.0, correct: 0, errors: Errors::default() });
        }
        let (loss, gradients) = self.gradients_of(data, part);
        let all = gradients.iter().flat_map(|layer| layer.weights.iter().chain(&layer.biases));
        let values = Values::Double(all.copied().collect());
        Ok(PartGradients { values, loss: loss.sum, correct: loss.correct, errors: loss.errors })
    }

    fn apply(&mut self, gradients: &Values, learning_rate: f64, step: u64) -> Result<()> {
        check_gradients(&self.network, gradients, learning_rate, false)?;
        let Values::Double(gradients) = gradients else { unreachable!("checked above") };
        let mut rest = gradients.as_slice();
        let mut take =
            |count: usize| rest.split_off(..count).expect("a gradient for every parameter").to_vec();
        let layers = self.network.layers().iter().map(|layer| {
            let (edges, outputs) = (layer.topology.edges(), layer.topology.outputs().width());
            BackwardWeight {
                weights: take(edges),
                weight_magnitudes: vec![0.0; edges],
                biases: take(outputs),
                bias_magnitudes: vec![0.0; outputs],
            }
        });
        let gradients = layers.collect();
        self.update_by(gradients, learning_rate, step);
        Ok(())
    }

    fn evaluate(&mut self, data: &Arc<Dataset>) -> Result<Evaluation> {
        let whole = self.evaluate_unless(data, &AtomicBool::new(false))?;
        Ok(whole.expect("nothing stops it"))
    }

    fn evaluate_unless(&mut self, data: &Arc<Dataset>, stop: &AtomicBool) -> Result<Option<Evaluation>> {
        check_targets(&self.network, data, self.settings.loss)?;
        let mut result =
            Evaluation { loss: 0.0, correct: 0, samples: data.samples(), errors: Errors::default() };
        let samples: Vec<u32> = (0u32..).take(data.samples()).collect();
        for batch in samples.chunks(self.settings.batch_size) {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let results = run_forward(&self.network, &self.values, &gather(data, batch), None);
            let logits = &results[results.len() - 1].y;
            let loss = compare(logits, &gather_targets(data, batch), self.settings.loss, 0.0);
            result.loss += loss.sum / data.samples() as f64;
            result.correct += loss.correct as usize;
            result.errors = result.errors + loss.errors;
        }
        Ok(Some(result))
    }

    #[expect(clippy::cast_possible_truncation, reason = "rounding to float32 is meant")]
    fn parameters(&mut self) -> Result<Parameters> {
        let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect();
        let layer = |values: &LayerValues| LayerParameters {
            weights: narrow(&values.weights),
            biases: narrow(&values.biases),
        };
        Ok(Parameters { layers: self.values.iter().map(layer).collect() })
    }

    fn set_parameters(&mut self, parameters: &Parameters) -> Result<()> {
        parameters.check(&self.network)?;
        self.values = parameters.layers.iter().map(LayerValues::from).collect();
        let memory = |values: &[f64]| vec![[0.0; MAX_STATES]; values.len()];
        self.state =
            self.values.iter().map(|layer| [memory(&layer.weights), memory(&layer.biases)]).collect();
        Ok(())
    }

    fn state(&mut self) -> Result<EngineState> {
        let parameters = self.values.iter().flat_map(|layer| layer.weights.iter().chain(&layer.biases));
        let memory = |number: usize| {
            let all = self.state.iter().flatten().flatten();
            Values::Double(all.map(|memories| memories[number]).collect())
        };
        let optimizer = (0..self.settings.optimizer.state_count()).map(memory).collect();
        let parameters = Values::Double(parameters.copied().collect());
        Ok(EngineState { parameters, optimizer, optimizer_start: self.settings.optimizer_start })
    }

    fn restore(&mut self, state: &EngineState) -> Result<()> {
        state.check(&self.network, &self.settings.optimizer, false)?;
        let mine = self.values.iter_mut().flat_map(|layer| layer.weights.iter_mut().chain(&mut layer.biases));
        replace(mine, &state.parameters);
        self.settings.optimizer_start = state.optimizer_start;
        self.state.iter_mut().flatten().flatten().for_each(|memories| *memories = [0.0; MAX_STATES]);
        for (number, given) in state.optimizer.iter().enumerate() {
            replace(self.state.iter_mut().flatten().flatten().map(|memories| &mut memories[number]), given);
        }
        Ok(())
    }

    fn network(&self) -> Option<&Network> {
        Some(&self.network)
    }

    fn rewire(&mut self, graphs: &[Arc<Topology>], state: EngineState) -> Result<()> {
        let network = self.network.over(graphs)?;
        state.check(&network, &self.settings.optimizer, false)?;
        let rounded = state.rounded(&network)?;
        self.network = network;
        self.set_parameters(&rounded)?;
        self.restore(&state)
    }
}

/// Overwrites the engine's numbers with as many given ones.
fn replace<'a>(mine: impl Iterator<Item = &'a mut f64>, given: &Values) {
    if let Values::Double(given) = given {
        mine.zip(given).for_each(|(mine, given)| *mine = *given);
    }
}
