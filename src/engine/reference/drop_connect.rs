//! DropConnect: the weights of one step, `w * factor`.
//!
//! Twin: `shaders/drop_connect.wgsl`.

use super::LayerValues;
use crate::network::Network;
use crate::network::drop_connect::{ConnectionMask, connection_numbers};

/// The mask's factor of each weight, and of its gradient: `[layer][edge]`.
pub fn connection_factors(network: &Network, mask: ConnectionMask) -> Vec<Vec<f64>> {
    let factors =
        |layer| connection_numbers(network, layer).map(|number| f64::from(mask.factor(number))).collect();
    (0..network.layers().len()).map(factors).collect()
}

/// The masked weights; biases are unchanged.
pub fn drop_connect(values: &[LayerValues], factors: &[Vec<f64>]) -> Vec<LayerValues> {
    let layer = |(values, factors): (&LayerValues, &Vec<f64>)| LayerValues {
        weights: values.weights.iter().zip(factors).map(|(weight, factor)| weight * factor).collect(),
        biases: values.biases.clone(),
    };
    values.iter().zip(factors).map(layer).collect()
}
