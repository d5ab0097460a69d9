//! What one training step minimises, with all its regularisation, and the gradients of that.

use super::softmax_cross_entropy::Loss;
use super::{BackwardWeight, LayerValues, Matrix, dropout_keys, loss_and_gradients};
use crate::engine::{EngineSettings, Penalties};
use crate::network::Network;

/// The sum of all penalties on the weights of a network.
pub fn penalty(penalties: &Penalties, values: &[LayerValues]) -> f64 {
    let layers = values.iter().enumerate();
    layers.flat_map(|(layer, of)| of.weights.iter().map(move |w| penalties.value(layer, *w))).sum()
}

/// Loss of one batch, without penalties, and the gradients of loss and penalties together;
/// magnitudes have the terms of the penalties in them, too.
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
    let (loss, mut gradients) = loss_and_gradients(network, values, x, labels, smoothing, Some(&keys));
    for (layer, (gradients, values)) in gradients.iter_mut().zip(values).enumerate() {
        for (edge, weight) in values.weights.iter().enumerate() {
            let terms = settings.penalties.gradient_terms(layer, *weight);
            gradients.weights[edge] += terms.iter().sum::<f64>();
            gradients.weight_magnitudes[edge] += terms.iter().map(|term| term.abs()).sum::<f64>();
        }
    }
    (loss, gradients)
}
