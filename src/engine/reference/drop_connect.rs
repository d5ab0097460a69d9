//! DropConnect: the weights that one step works with, `w * factor`.
//!
//! Twin: `shaders/drop_connect.wgsl`.

use super::LayerValues;
use crate::network::Network;
use crate::network::drop_connect::{ConnectionMask, connection_numbers};

/// What the mask multiplies each weight with, and its gradient too: `[layer][edge]`.
pub fn connection_factors(network: &Network, mask: ConnectionMask) -> Vec<Vec<f64>> {
    let factors =
        |layer| connection_numbers(network, layer).map(|number| f64::from(mask.factor(number))).collect();
    (0..network.layers().len()).map(factors).collect()
}

/// The weights under the mask; biases stay as they are.
pub fn drop_connect(values: &[LayerValues], factors: &[Vec<f64>]) -> Vec<LayerValues> {
    let layer = |(values, factors): (&LayerValues, &Vec<f64>)| LayerValues {
        weights: values.weights.iter().zip(factors).map(|(weight, factor)| weight * factor).collect(),
        biases: values.biases.clone(),
    };
    values.iter().zip(factors).map(layer).collect()
}
