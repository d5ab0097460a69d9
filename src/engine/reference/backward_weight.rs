//! Gradients of weights and biases, sampled at the edges, and the optimiser's update.
//!
//! `g[edge] = sum over samples of delta[output] * x[input]`; for a bias x is 1.
//!
//! Twin: `shaders/backward_weight.wgsl`, which fuses both.

use super::Matrix;
use crate::engine::{MAX_STATES, OptimizerKind, UpdateRule};
use crate::topology::Topology;

/// Gradients of one layer, with the scale of their rounding errors.
#[derive(Clone, Debug)]
pub struct BackwardWeight {
    /// By the weights, in canonical order.
    pub weights: Vec<f64>,
    /// `sum |delta x|` of each weight.
    pub weight_magnitudes: Vec<f64>,
    /// By the biases.
    pub biases: Vec<f64>,
    /// `sum |delta|` of each bias.
    pub bias_magnitudes: Vec<f64>,
}

/// Takes the layer's inputs `[input][sample]` and deltas `[output][sample]`.
pub fn backward_weight(topology: &Topology, x: &Matrix, delta: &Matrix) -> BackwardWeight {
    let edge_products = |(output, input): (usize, usize)| {
        delta.row(output).iter().zip(x.row(input)).map(|(delta, x)| delta * x).collect::<Vec<f64>>()
    };
    let sum = |products: &[f64]| products.iter().sum::<f64>();
    let magnitude = |products: &[f64]| products.iter().map(|product| product.abs()).sum::<f64>();
    let by_edge = topology.edge_ends().map(edge_products);
    let (weights, weight_magnitudes) = by_edge.map(|p| (sum(&p), magnitude(&p))).unzip();
    let by_output = (0..topology.outputs().width()).map(|output| delta.row(output));
    let (biases, bias_magnitudes) = by_output.map(|row| (sum(row), magnitude(row))).unzip();
    BackwardWeight { weights, weight_magnitudes, biases, bias_magnitudes }
}

/// Updates one parameter by one step and returns it; `state` is its optimiser state, of which a rule uses the first
/// [`state_count`](OptimizerKind::state_count).
pub fn update(rule: &UpdateRule, gradient: f64, state: &mut [f64; MAX_STATES], value: f64) -> f64 {
    let g = gradient + f64::from(rule.decay) * value;
    let [rate, first, second] = [rule.learning_rate, rule.first, rule.second].map(f64::from);
    let [mean, square, ..] = state;
    match rule.kind {
        OptimizerKind::Sgd => value - rate * g,
        OptimizerKind::Momentum => {
            *mean = first * *mean + g;
            value - rate * *mean
        }
        OptimizerKind::Nesterov => {
            *mean = first * *mean + g;
            value - rate * (g + first * *mean)
        }
        OptimizerKind::Lion => {
            let c = first * *mean + (1.0 - first) * g;
            *mean = second * *mean + (1.0 - second) * g;
            // `signum` returns 1 or -1 for 0.
            let sign = if c == 0.0 { 0.0 } else { c.signum() };
            value - rate * (sign + f64::from(rule.decoupled_decay) * value)
        }
        OptimizerKind::Adam | OptimizerKind::AdamW => {
            *mean = first * *mean + (1.0 - first) * g;
            *square = second * *square + (1.0 - second) * g * g;
            let mean = *mean * f64::from(rule.first_correction);
            let scale = (*square * f64::from(rule.second_correction)).sqrt() + f64::from(rule.epsilon);
            value - rate * mean / scale - rate * f64::from(rule.decoupled_decay) * value
        }
    }
}
