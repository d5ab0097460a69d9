//! Group lasso: the weights of one input neuron are a group, whose penalty is `strength * sqrt(d) * |w|`
//! with `d` weights of norm `|w|` (Yuan and Lin, "Model selection and estimation in regression with
//! grouped variables", 2006).
//!
//! Twin: `shaders/group_norm.wgsl`.

use crate::topology::Topology;

/// The penalty on one layer.
pub fn group_penalty(topology: &Topology, weights: &[f64], strength: f32) -> f64 {
    let groups = 0..topology.inputs().width();
    groups
        .map(|input| f64::from(strength) * root_degree(topology, input) * norm(topology, weights, input))
        .sum()
}

/// The penalty's gradient by a weight is the weight times the factor of its input:
/// `strength * sqrt(d) / |w|`, or 0 if all weights of the group are 0: `[inputs]`.
pub fn group_factors(topology: &Topology, weights: &[f64], strength: f32) -> Vec<f64> {
    let factor = |input| match norm(topology, weights, input) {
        0.0 => 0.0,
        norm => f64::from(strength) * root_degree(topology, input) / norm,
    };
    (0..topology.inputs().width()).map(factor).collect()
}

fn root_degree(topology: &Topology, input: usize) -> f64 {
    (topology.out_degree(input) as f64).sqrt()
}

fn norm(topology: &Topology, weights: &[f64], input: usize) -> f64 {
    topology.column(input).map(|(_, edge)| weights[edge].powi(2)).sum::<f64>().sqrt()
}
