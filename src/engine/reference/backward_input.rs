//! Backward to the layer below: `delta_below = (W^T delta) * dropout * activation'`.
//!
//! A *delta* is the gradient of the loss by a neuron's weighted sum.
//!
//! Twin: `shaders/backward_input.wgsl`.

use super::Matrix;
use super::forward::dropout_factor;
use crate::network::dropout::DropoutKey;
use crate::network::{Activation, Layer};
use crate::topology::Topology;

/// `W^T delta` and the scale of its rounding errors, both `[input][sample]`.
#[derive(Clone, Debug)]
pub struct BackwardInput {
    /// Gradient of the loss by the layer's inputs.
    pub gradient: Matrix,
    /// `sum |w delta|`.
    pub magnitude: Matrix,
}

/// Carries deltas `[output][sample]` back over the edges of a layer.
pub fn backward_input<W: Copy + Into<f64>>(
    topology: &Topology,
    weights: &[W],
    delta: &Matrix,
) -> BackwardInput {
    let inputs = topology.inputs().width();
    let mut gradient = Matrix::zeros(inputs, delta.columns());
    let mut magnitude = Matrix::zeros(inputs, delta.columns());
    for (edge, (output, input)) in topology.edge_ends().enumerate() {
        let weight: f64 = weights[edge].into();
        for (column, delta) in delta.row(output).iter().enumerate() {
            gradient.row_mut(input)[column] += weight * delta;
            magnitude.row_mut(input)[column] += (weight * delta).abs();
        }
    }
    BackwardInput { gradient, magnitude }
}

/// Carries a gradient by a layer's outputs `y` back through its dropout and
/// activation, in place: from outputs to weighted sums.
pub fn backward_activation(layer: &Layer, y: &Matrix, dropout: Option<DropoutKey>, gradient: &mut Matrix) {
    for unit in 0..y.rows() {
        for (column, value) in gradient.row_mut(unit).iter_mut().enumerate() {
            let factor = dropout_factor(layer, dropout, unit, column);
            let slope =
                if factor == 0.0 { 0.0 } else { slope(layer.activation, y.row(unit)[column] / factor) };
            *value *= factor * slope;
        }
    }
}

/// The derivative of an activation, from its value.
pub fn slope(activation: Activation, y: f64) -> f64 {
    match activation {
        Activation::Sigmoid => y * (1.0 - y),
        Activation::Relu => f64::from(y > 0.0),
        Activation::Tanh => 1.0 - y * y,
        Activation::Identity => 1.0,
    }
}
