//! Percolation: what leads nowhere loses its edges to what leads somewhere.
//!
//! As in SET the smallest weights go. Then nothing may reach a hidden neuron any more, or it may reach no logit: it is
//! removed, its other edges go, too, and none comes to it again. All come by chance between neurons that are alive. The idea
//! is that of Zhang, Zhao, Wu, Muscoloni and Cannistraci, "Epitopological learning and Cannistraci-Hebb network shape
//! intelligence brain-inspired theory for ultra-sparse advantage in deep learning", ICLR 2024.

use std::collections::BTreeSet;

use rand_chacha::ChaCha8Rng;

use super::Rule;
use super::subject::{Layer, Moves, Subject};
use crate::topology::Link;

pub(super) struct Percolate;

impl Rule for Percolate {
    fn moves(&self, subject: &Subject<'_>, rng: &mut ChaCha8Rng) -> Vec<Moves> {
        let layers: Vec<Layer<'_>> = subject.layers().collect();
        // More would be gone for good where a layer is nearly full.
        let count = |layer: &Layer<'_>| layer.count().min(layer.room());
        let smallest: Vec<Vec<Link>> = layers.iter().map(|layer| layer.smallest(count(layer))).collect();
        let alive = Alive::without(&layers, &smallest);
        let of_layer = |(index, (layer, smallest)): (usize, (&Layer<'_>, Vec<Link>))| {
            if layer.topology.edges() == layer.topology.dense_edges() {
                return Moves::default();
            }
            let small: BTreeSet<Link> = smallest.iter().copied().collect();
            let is_dead = |link: &Link| !small.contains(link) && !alive.carries(layer, index, *link);
            let mut dropped: Vec<Link> = layer.topology.links(layer.grain()).filter(is_dead).collect();
            dropped.extend(smallest);
            let added = layer.drawn(dropped.len(), |link| alive.joins(layer, index, link), rng);
            // Where there is no room for all, those that lead nowhere go first.
            dropped.truncate(added.len());
            Moves { dropped, added }
        };
        layers.iter().zip(smallest).enumerate().map(of_layer).collect()
    }
}

/// Which neurons something reaches, and which reach a logit, `[row of neurons][neuron]`; the inputs are reached, and the
/// logits are what is to be reached.
struct Alive {
    reached: Vec<Vec<bool>>,
    useful: Vec<Vec<bool>>,
}

impl Alive {
    /// In the graphs without some of their links.
    fn without(layers: &[Layer<'_>], gone: &[Vec<Link>]) -> Self {
        let inputs = layers.first().map_or(0, |layer| layer.topology.inputs().width());
        let logits = layers.last().map_or(0, |layer| layer.topology.outputs().width());
        let gone: Vec<BTreeSet<Link>> = gone.iter().map(|links| links.iter().copied().collect()).collect();
        let mut reached = vec![vec![true; inputs]];
        for (layer, gone) in layers.iter().zip(&gone) {
            let mut above = vec![false; layer.topology.outputs().width()];
            let below = &reached[reached.len() - 1];
            edges(layer, gone).for_each(|(output, input)| above[output] |= below[input]);
            reached.push(above);
        }
        let mut useful = vec![vec![true; logits]];
        for (layer, gone) in layers.iter().zip(&gone).rev() {
            let mut below = vec![false; layer.topology.inputs().width()];
            let above = &useful[useful.len() - 1];
            edges(layer, gone).for_each(|(output, input)| below[input] |= above[output]);
            useful.push(below);
        }
        useful.reverse();
        Self { reached, useful }
    }

    /// Whether something goes through a link of a layer.
    fn carries(&self, layer: &Layer<'_>, index: usize, link: Link) -> bool {
        let [outputs, inputs] = neurons(layer, link);
        inputs.into_iter().any(|input| self.reached[index][input])
            && outputs.into_iter().any(|output| self.useful[index + 1][output])
    }

    /// Whether a link of a layer would join neurons that are alive; inputs always are.
    fn joins(&self, layer: &Layer<'_>, index: usize, link: Link) -> bool {
        let [outputs, inputs] = neurons(layer, link);
        let lives = |row: usize, neuron: usize| self.reached[row][neuron] && self.useful[row][neuron];
        (index == 0 || inputs.into_iter().any(|input| lives(index, input)))
            && outputs.into_iter().any(|output| lives(index + 1, output))
    }
}

/// The outputs and the inputs that a link joins.
fn neurons(layer: &Layer<'_>, link: Link) -> [std::ops::Range<usize>; 2] {
    let together = layer.grain().together();
    [link.0, link.1].map(|group| group as usize * together..(group as usize + 1) * together)
}

/// The edges of a layer, as (output, input), but for those of links that are gone.
fn edges(layer: &Layer<'_>, gone: &BTreeSet<Link>) -> impl Iterator<Item = (usize, usize)> {
    let width = layer.grain().together();
    let group = move |neuron: usize| u32::try_from(neuron / width).unwrap_or(u32::MAX);
    layer.topology.edge_ends().filter(move |(output, input)| !gone.contains(&(group(*output), group(*input))))
}
