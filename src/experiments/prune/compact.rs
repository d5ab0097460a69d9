//! The smaller network that remains when edges are removed.
//!
//! Neurons without effect are also removed, without changing any logit: a
//! neuron without inputs is a constant, which moves into the biases that it
//! feeds; a neuron without outputs is dropped with its incoming edges. Both
//! propagate from layer to layer.

use std::sync::Arc;

use crate::engine::reference::forward::activate;
use crate::network::{Layer, LayerParameters, Network, Parameters};
use crate::topology::{Partition, Topology};
use crate::{Error, Result};

/// A network of the remaining edges.
#[derive(Clone, Debug)]
pub struct Compacted {
    /// The network, without useless neurons; all inputs and logits stay.
    pub network: Network,
    /// Its parameters.
    pub parameters: Parameters,
    /// The remaining neurons of each hidden layer, by their old numbers: `[hidden layer]`.
    pub kept: Vec<Vec<usize>>,
}

/// Builds the network of the edges that `keep`, `[layer][edge]`, marks.
///
/// Without dropout it computes what the old network computes with the other
/// weights set to 0, except for rounding.
///
/// # Errors
/// [`Error::Network`] when a layer would have no edge left.
///
/// # Panics
/// When marks or parameters do not fit the network.
pub fn compact(network: &Network, parameters: &Parameters, mut keep: Vec<Vec<bool>>) -> Result<Compacted> {
    let biases = fold_constants(network, parameters, &mut keep);
    drop_unread(network, &mut keep);
    let layers = network.layers();
    let kept: Vec<Vec<usize>> =
        (0..layers.len() - 1).map(|index| fed(&layers[index].topology, &keep[index])).collect();
    if let Some(layer) = kept.iter().position(Vec::is_empty) {
        return Err(Error::Network(format!(
            "pruning: hidden layer {} would keep nothing that reaches the logits, prune less",
            layer + 1
        )));
    }
    let all = |partition: &Partition| (0..partition.width()).collect::<Vec<usize>>();
    let mut inputs = all(layers[0].topology.inputs());
    let (mut smaller, mut values) = (Vec::new(), Vec::new());
    for (index, layer) in layers.iter().enumerate() {
        let topology = &layer.topology;
        let outputs = kept.get(index).cloned().unwrap_or_else(|| all(topology.outputs()));
        let part = part_of(topology, &parameters.layers[index].weights, &keep[index], &inputs, &outputs);
        let (topology, weights) = part.map_err(|error| in_layer(index, error))?;
        smaller.push(Layer { topology: Arc::new(topology), ..layer.clone() });
        #[expect(clippy::cast_possible_truncation, reason = "rounding to float32 is meant")]
        let biases = outputs.iter().map(|output| biases[index][*output] as f32).collect();
        values.push(LayerParameters { weights, biases });
        inputs = outputs;
    }
    Ok(Compacted { network: Network::new(smaller)?, parameters: Parameters { layers: values }, kept })
}

/// Moves neurons that nothing feeds into the biases of the next layer, from the
/// first layer on, and returns all biases.
fn fold_constants(network: &Network, parameters: &Parameters, keep: &mut [Vec<bool>]) -> Vec<Vec<f64>> {
    let widen = |layer: &LayerParameters| layer.biases.iter().map(|bias| f64::from(*bias)).collect();
    let mut biases: Vec<Vec<f64>> = parameters.layers.iter().map(widen).collect();
    for (index, pair) in network.layers().windows(2).enumerate() {
        let (layer, next) = (&pair[0], &pair[1].topology);
        for neuron in 0..layer.topology.outputs().width() {
            if layer.topology.row(neuron).any(|edge| keep[index][edge]) {
                continue;
            }
            let constant = activate(layer.activation, biases[index][neuron]);
            for (output, edge) in next.column(neuron) {
                if std::mem::take(&mut keep[index + 1][edge]) {
                    let weight = parameters.layers[index + 1].weights[edge];
                    biases[index + 1][output] += f64::from(weight) * constant;
                }
            }
        }
    }
    biases
}

/// Removes the edges into neurons without outputs, from the last layer back.
fn drop_unread(network: &Network, keep: &mut [Vec<bool>]) {
    for (index, pair) in network.layers().windows(2).enumerate().rev() {
        let (layer, next) = (&pair[0].topology, &pair[1].topology);
        for neuron in 0..layer.outputs().width() {
            if !next.column(neuron).any(|(_, edge)| keep[index + 1][edge]) {
                keep[index][layer.row(neuron)].fill(false);
            }
        }
    }
}

/// The outputs with at least one edge.
fn fed(topology: &Topology, keep: &[bool]) -> Vec<usize> {
    (0..topology.outputs().width()).filter(|output| topology.row(*output).any(|edge| keep[edge])).collect()
}

/// The marked edges between these neurons, renumbered, and their weights.
fn part_of(
    topology: &Topology,
    weights: &[f32],
    keep: &[bool],
    inputs: &[usize],
    outputs: &[usize],
) -> Result<(Topology, Vec<f32>)> {
    let mut number = vec![None; topology.inputs().width()];
    for (new, old) in (0u32..).zip(inputs) {
        number[*old] = Some(new);
    }
    let (mut row_start, mut input, mut values) = (vec![0], Vec::new(), Vec::new());
    for output in outputs {
        for edge in topology.row(*output).filter(|edge| keep[*edge]) {
            // Edges of removed neurons are already gone.
            input.extend(number[topology.edge_inputs()[edge] as usize]);
            values.push(weights[edge]);
        }
        row_start.push(u32::try_from(input.len()).expect("no more edges than before"));
    }
    let (inputs, outputs) = (recut(topology.inputs(), inputs)?, recut(topology.outputs(), outputs)?);
    Ok((Topology::from_rows(inputs, outputs, row_start, input)?, values))
}

/// The blocks of the kept neurons; empty ones vanish.
fn recut(partition: &Partition, kept: &[usize]) -> Result<Partition> {
    let below = |bound: &u32| kept.partition_point(|neuron| *neuron < *bound as usize);
    let mut bounds: Vec<usize> = partition.bounds().iter().map(below).collect();
    bounds.dedup();
    Partition::from_bounds(bounds)
}

fn in_layer(index: usize, error: Error) -> Error {
    match error {
        Error::Topology(reason) => Error::Network(format!("pruning, layer {}: {reason}", index + 1)),
        other => other,
    }
}
