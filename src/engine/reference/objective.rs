//! The objective of one training step, with all its regularisation, and its gradients.

use super::drop_connect::{connection_factors, drop_connect};
use super::gather::{BatchTargets, TargetValues};
use super::group_norm::{group_factors, group_penalty};
use super::separable_loss::separable_loss;
use super::softmax_cross_entropy::{Loss, softmax_cross_entropy};
use super::{BackwardWeight, LayerValues, Matrix, dropout_keys, loss_and_gradients};
use crate::engine::{EngineSettings, LossRule, Penalties};
use crate::network::Network;

/// Compares the outputs of a batch with its targets; labels are smoothed by `smoothing`.
pub fn compare(outputs: &Matrix, targets: &BatchTargets, rule: LossRule, smoothing: f64) -> Loss {
    let weights = &targets.weights;
    match &targets.values {
        TargetValues::Labels(labels) => softmax_cross_entropy(outputs, (labels, weights), smoothing),
        TargetValues::Numbers(targets) => separable_loss(outputs, targets, weights, rule),
    }
}

/// The sum of all penalties on the weights of a network.
pub fn penalty(network: &Network, penalties: &Penalties, values: &[LayerValues]) -> f64 {
    let layers = values.iter().enumerate();
    let each: f64 =
        layers.flat_map(|(layer, of)| of.weights.iter().map(move |w| penalties.value(layer, *w))).sum();
    each + group_penalty(&network.layers()[0].topology, &values[0].weights, penalties.group_lasso)
}

/// Loss of one batch, without penalties, and the gradients of the loss and the
/// `EngineSettings::coupled_penalties` together; magnitudes include the terms of the penalties.
pub fn objective_gradients(
    network: &Network,
    settings: &EngineSettings,
    values: &[LayerValues],
    x: &Matrix,
    targets: &BatchTargets,
    step: u64,
) -> (Loss, Vec<BackwardWeight>) {
    let (loss, mut gradients) = masked_gradients(network, settings, values, x, targets, (0, step));
    regularise(network, settings, values, &mut gradients, step);
    (loss, gradients)
}

/// Loss and gradients of samples that are at place `first` of their batch and behind it: without penalties, and by the weights as
/// they are after connections were dropped.
pub fn masked_gradients(
    network: &Network,
    settings: &EngineSettings,
    values: &[LayerValues],
    x: &Matrix,
    targets: &BatchTargets,
    (first, step): (u32, u64),
) -> (Loss, Vec<BackwardWeight>) {
    let keys = dropout_keys(network, settings.seed, step).into_iter().map(|key| key.from_column(first));
    let keys: Vec<_> = keys.collect();
    let loss = (settings.loss, f64::from(settings.label_smoothing));
    let run = |values: &[LayerValues]| loss_and_gradients(network, values, x, targets, loss, Some(&keys));
    match settings.connection_mask(step) {
        None => run(values),
        Some(mask) => run(&drop_connect(values, &connection_factors(network, mask))),
    }
}

/// Turns such gradients into those of the objective: times the factors of the connections, plus those of the penalties.
pub fn regularise(
    network: &Network,
    settings: &EngineSettings,
    values: &[LayerValues],
    gradients: &mut [BackwardWeight],
    step: u64,
) {
    if let Some(mask) = settings.connection_mask(step) {
        for (gradients, factors) in gradients.iter_mut().zip(&connection_factors(network, mask)) {
            for (edge, factor) in factors.iter().enumerate() {
                gradients.weights[edge] *= factor;
                gradients.weight_magnitudes[edge] *= factor;
            }
        }
    }
    let penalties = &settings.coupled_penalties();
    for (layer, (gradients, values)) in gradients.iter_mut().zip(values).enumerate() {
        for (edge, weight) in values.weights.iter().enumerate() {
            let terms = penalties.gradient_terms(layer, *weight);
            gradients.weights[edge] += terms.iter().sum::<f64>();
            gradients.weight_magnitudes[edge] += terms.iter().map(|term| term.abs()).sum::<f64>();
        }
    }
    if penalties.group_lasso > 0.0 {
        let (topology, weights) = (&network.layers()[0].topology, &values[0].weights);
        let factors = group_factors(topology, weights, penalties.group_lasso);
        for (edge, (_, input)) in topology.edge_ends().enumerate() {
            gradients[0].weights[edge] += factors[input] * weights[edge];
            gradients[0].weight_magnitudes[edge] += factors[input] * weights[edge].abs();
        }
    }
}
