//! The effect of rewiring on a network's degrees.

use serde::{Deserialize, Serialize};

use crate::network::Network;
use crate::topology::{Partition, Topology};

/// Number of blocks into which the inputs of a layer with only one block are cut.
const BLOCKS: usize = 8;

/// The number of edges that moved in a run, and the degrees before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RewiringSummary {
    /// Moves of all epochs.
    pub edges_moved: usize,
    /// The degrees of each layer that is not fully connected.
    pub layers: Vec<LayerDegrees>,
}

/// Mean out-degree of the inputs of each block of a layer; a layer with only one block is cut into eight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerDegrees {
    /// Counted from 1.
    pub layer: usize,
    /// Before the first step: `[block]`.
    pub start: Vec<f64>,
    /// After the last one.
    pub end: Vec<f64>,
}

impl RewiringSummary {
    pub(in crate::training) fn new(edges_moved: usize, start: &[Vec<f64>], network: &Network) -> Self {
        let layers = network.layers().iter().zip(start).enumerate();
        let sparse = layers.filter(|(_, (layer, _))| !layer.topology.is_fully_connected());
        let layers = sparse.map(|(index, (layer, start))| LayerDegrees {
            layer: index + 1,
            start: start.clone(),
            end: mean_out_degrees(&layer.topology),
        });
        Self { edges_moved, layers: layers.collect() }
    }
}

/// Mean out-degree of the inputs of each block, of each layer: `[layer][block]`.
pub(in crate::training) fn of_network(network: &Network) -> Vec<Vec<f64>> {
    network.layers().iter().map(|layer| mean_out_degrees(&layer.topology)).collect()
}

fn mean_out_degrees(topology: &Topology) -> Vec<f64> {
    let inputs = topology.inputs();
    let cut = (inputs.len() == 1).then(|| Partition::even(inputs.width(), BLOCKS.min(inputs.width())).ok());
    let blocks = cut.flatten().unwrap_or_else(|| inputs.clone());
    let mean = |block: std::ops::Range<usize>| {
        let count = block.len() as f64;
        block.map(|input| topology.out_degree(input)).sum::<usize>() as f64 / count
    };
    blocks.blocks().map(mean).collect()
}
