//! The objective of one training step, with all its regularisation, and its gradients.

use super::drop_connect::{connection_factors, drop_connect};
use super::group_norm::{group_factors, group_penalty};
use super::softmax_cross_entropy::Loss;
use super::{BackwardWeight, LayerValues, Matrix, dropout_keys, loss_and_gradients};
use crate::engine::{EngineSettings, Penalties};
use crate::network::Network;

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
    labels: &[u32],
    step: u64,
) -> (Loss, Vec<BackwardWeight>) {
    let keys = dropout_keys(network, settings.seed, step);
    let smoothing = f64::from(settings.label_smoothing);
    let run = |values: &[LayerValues]| loss_and_gradients(network, values, x, labels, smoothing, Some(&keys));
    let (loss, mut gradients) = match settings.connection_mask(step) {
        None => run(values),
        Some(mask) => {
            let factors = connection_factors(network, mask);
            let (loss, mut gradients) = run(&drop_connect(values, &factors));
            for (gradients, factors) in gradients.iter_mut().zip(&factors) {
                for (edge, factor) in factors.iter().enumerate() {
                    gradients.weights[edge] *= factor;
                    gradients.weight_magnitudes[edge] *= factor;
                }
            }
            (loss, gradients)
        }
    };
    add_penalties(network, &settings.coupled_penalties(), values, &mut gradients);
    (loss, gradients)
}

fn add_penalties(
    network: &Network,
    penalties: &Penalties,
    values: &[LayerValues],
    gradients: &mut [BackwardWeight],
) {
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
