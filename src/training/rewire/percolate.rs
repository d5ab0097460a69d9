//! Percolation: edges of disconnected neurons move to connected ones.
//!
//! As in SET, the smallest weights are removed. This can disconnect a hidden neuron from all inputs, or from all logits: then
//! its other edges are removed too, and it gets no new ones. New edges are drawn at random between connected neurons. The idea
//! is that of Zhang, Zhao, Wu, Muscoloni and Cannistraci, "Epitopological learning and Cannistraci-Hebb network shape
//! intelligence brain-inspired theory for ultra-sparse advantage in deep learning", ICLR 2024.

use std::collections::BTreeSet;

use rand_chacha::ChaCha8Rng;

use super::Rule;
use super::snapshot::{LayerSnapshot, Moves, Snapshot};
use crate::topology::Link;

pub(super) struct Percolate;

impl Rule for Percolate {
    fn moves(&self, snapshot: &Snapshot<'_>, rng: &mut ChaCha8Rng) -> Vec<Moves> {
        let layers: Vec<LayerSnapshot<'_>> = snapshot.layers().collect();
        // In a nearly full layer, more could not be replaced.
        let count = |layer: &LayerSnapshot<'_>| layer.count().min(layer.room());
        let smallest: Vec<Vec<Link>> = layers.iter().map(|layer| layer.smallest(count(layer))).collect();
        let connected = Connected::without(&layers, &smallest);
        let of_layer = |(index, (layer, smallest)): (usize, (&LayerSnapshot<'_>, Vec<Link>))| {
            if layer.topology.edges() == layer.topology.dense_edges() {
                return Moves::default();
            }
            let small: BTreeSet<Link> = smallest.iter().copied().collect();
            let is_dead = |link: &Link| !small.contains(link) && !connected.carries(layer, index, *link);
            let mut dropped: Vec<Link> = layer.topology.links(layer.grain()).filter(is_dead).collect();
            dropped.extend(smallest);
            let added = layer.drawn(dropped.len(), |link| connected.joins(layer, index, link), rng);
            // If there is no room for all, edges of disconnected neurons are removed first.
            dropped.truncate(added.len());
            Moves { dropped, added }
        };
        layers.iter().zip(smallest).enumerate().map(of_layer).collect()
    }
}

/// Which neurons an input reaches, and which reach a logit: `[row of neurons][neuron]`.
struct Connected {
    reached: Vec<Vec<bool>>,
    useful: Vec<Vec<bool>>,
}

impl Connected {
    /// The connected neurons of the graphs without some of their links.
    fn without(layers: &[LayerSnapshot<'_>], removed: &[Vec<Link>]) -> Self {
        let inputs = layers.first().map_or(0, |layer| layer.topology.inputs().width());
        let logits = layers.last().map_or(0, |layer| layer.topology.outputs().width());
        let removed: Vec<BTreeSet<Link>> =
            removed.iter().map(|links| links.iter().copied().collect()).collect();
        let mut reached = vec![vec![true; inputs]];
        for (layer, removed) in layers.iter().zip(&removed) {
            let mut above = vec![false; layer.topology.outputs().width()];
            let below = &reached[reached.len() - 1];
            edges(layer, removed).for_each(|(output, input)| above[output] |= below[input]);
            reached.push(above);
        }
        let mut useful = vec![vec![true; logits]];
        for (layer, removed) in layers.iter().zip(&removed).rev() {
            let mut below = vec![false; layer.topology.inputs().width()];
            let above = &useful[useful.len() - 1];
            edges(layer, removed).for_each(|(output, input)| below[input] |= above[output]);
            useful.push(below);
        }
        useful.reverse();
        Self { reached, useful }
    }

    /// Whether a link of a layer is on a path from an input to a logit.
    fn carries(&self, layer: &LayerSnapshot<'_>, index: usize, link: Link) -> bool {
        let [outputs, inputs] = neurons(layer, link);
        inputs.into_iter().any(|input| self.reached[index][input])
            && outputs.into_iter().any(|output| self.useful[index + 1][output])
    }

    /// Whether a link of a layer would join connected neurons; inputs always count as connected.
    fn joins(&self, layer: &LayerSnapshot<'_>, index: usize, link: Link) -> bool {
        let [outputs, inputs] = neurons(layer, link);
        let is_connected = |row: usize, neuron: usize| self.reached[row][neuron] && self.useful[row][neuron];
        (index == 0 || inputs.into_iter().any(|input| is_connected(index, input)))
            && outputs.into_iter().any(|output| is_connected(index + 1, output))
    }
}

/// The outputs and the inputs of a link.
fn neurons(layer: &LayerSnapshot<'_>, link: Link) -> [std::ops::Range<usize>; 2] {
    let group_size = layer.grain().group_size();
    [link.0, link.1].map(|group| group as usize * group_size..(group as usize + 1) * group_size)
}

/// The edges of a layer, as (output, input), without those of removed links.
fn edges(layer: &LayerSnapshot<'_>, removed: &BTreeSet<Link>) -> impl Iterator<Item = (usize, usize)> {
    let width = layer.grain().group_size();
    let group = move |neuron: usize| u32::try_from(neuron / width).unwrap_or(u32::MAX);
    layer
        .topology
        .edge_ends()
        .filter(move |(output, input)| !removed.contains(&(group(*output), group(*input))))
}
