//! Forward: `y = dropout(activation(W x + b))`.
//!
//! Twin: `shaders/forward.wgsl`.

use super::Matrix;
use crate::network::dropout::{DropoutKey, keep_threshold};
use crate::network::{Activation, Layer};

/// The results of a layer.
#[derive(Clone, Debug)]
pub struct Forward {
    /// Outputs after activation and dropout, `[output][sample]`.
    pub y: Matrix,
    /// `|b| + sum |w x|` of each weighted sum, the scale of its rounding errors, `[output][sample]`.
    pub magnitude: Matrix,
}

/// Runs one layer over a batch; a key applies dropout as in training.
pub fn forward<W: Copy + Into<f64>>(
    layer: &Layer,
    weights: &[W],
    biases: &[W],
    x: &Matrix,
    dropout: Option<DropoutKey>,
) -> Forward {
    let topology = &layer.topology;
    let outputs = topology.outputs().width();
    let mut y = Matrix::zeros(outputs, x.columns());
    let mut magnitude = Matrix::zeros(outputs, x.columns());
    for (output, bias) in biases.iter().enumerate() {
        let bias: f64 = (*bias).into();
        y.row_mut(output).fill(bias);
        magnitude.row_mut(output).fill(bias.abs());
        for edge in topology.row(output) {
            let input = topology.edge_inputs()[edge] as usize;
            let weight: f64 = weights[edge].into();
            for (column, x) in x.row(input).iter().enumerate() {
                y.row_mut(output)[column] += weight * x;
                magnitude.row_mut(output)[column] += (weight * x).abs();
            }
        }
        for (column, value) in y.row_mut(output).iter_mut().enumerate() {
            *value = activate(layer.activation, *value) * dropout_factor(layer, dropout, output, column);
        }
    }
    Forward { y, magnitude }
}

/// The activation function.
pub fn activate(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
        Activation::Relu => z.max(0.0),
        Activation::Tanh => z.tanh(),
        Activation::Identity => z,
    }
}

/// Dropout's factor of a unit's output: 0, or 1 / keep probability.
pub fn dropout_factor(layer: &Layer, dropout: Option<DropoutKey>, unit: usize, column: usize) -> f64 {
    let Some(key) = dropout.filter(|_| layer.keep_probability < 1.0) else { return 1.0 };
    let [unit, column] = [unit, column].map(|index| u32::try_from(index).expect("indices fit u32"));
    if key.keeps(unit, column, keep_threshold(layer.keep_probability)) {
        1.0 / f64::from(layer.keep_probability)
    } else {
        0.0
    }
}
