//! RigL: the smallest weights are removed, and edges are added where the gradient of the loss is largest.
//!
//! Evci, Gale, Menick, Castro and Elsen, "Rigging the Lottery: Making All Tickets Winners", ICML 2020. The gradient of an
//! missing edge is the sum of `delta[output] * x[input]` over a batch. It is computed from the activations and
//! deltas of the reference kernels, without dropout, for a few rows of free places at a time, which bounds memory.

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Rule;
use super::snapshot::{Largest, LayerSnapshot, Moves, Snapshot};
use crate::engine::reference::Matrix;
use crate::engine::reference::backward_input::{backward_activation, backward_input};
use crate::engine::reference::forward::forward;
use crate::engine::reference::gather::{gather, gather_targets};
use crate::engine::reference::objective::compare;
use crate::threads;
use crate::topology::Link;

/// Output groups whose free places are examined together.
const ROWS: usize = 16;

pub(super) struct Rigl;

impl Rule for Rigl {
    fn moves(&self, snapshot: &Snapshot<'_>, _: &mut ChaCha8Rng) -> Vec<Moves> {
        let layers = snapshot.network.layers();
        let batch = &snapshot.batch;
        // `[layer]`: the inputs of each layer, and finally the logits.
        let mut x = vec![gather(batch.data, batch.samples)];
        for (layer, values) in layers.iter().zip(&snapshot.parameters.layers) {
            let y = forward(layer, &values.weights, &values.biases, &x[x.len() - 1], None).y;
            x.push(y);
        }
        let logits = x.pop().unwrap_or_else(|| Matrix::zeros(0, 1));
        let targets = gather_targets(batch.data, batch.samples);
        let mut delta = compare(&logits, &targets, batch.loss, batch.label_smoothing).delta;
        let mut moves = Vec::with_capacity(layers.len());
        for index in (0..layers.len()).rev() {
            let layer = snapshot.layer(index);
            let added = steepest(layer, &x[index], &delta);
            moves.push(Moves { dropped: layer.smallest(added.len()), added });
            if index > 0 {
                let weights = &snapshot.parameters.layers[index].weights;
                delta = backward_input(layer.topology, weights, &delta).gradient;
                backward_activation(&layers[index - 1], &x[index], None, &mut delta);
            }
            x.truncate(index);
        }
        moves.reverse();
        moves
    }
}

/// The free places with the largest absolute gradients; for a micro-block, the sum of its absolute gradients.
fn steepest(layer: LayerSnapshot<'_>, x: &Matrix, delta: &Matrix) -> Vec<Link> {
    let group_size = layer.grain().group_size();
    let gradient = |output: usize, input: usize| {
        let products = delta.row(output).iter().zip(x.row(input));
        products.map(|(delta, x)| delta * x).sum::<f64>().abs()
    };
    let of_link = |(output, input): Link| {
        let [output, input] = [output, input].map(|group| group as usize * group_size);
        let lanes = 0..group_size * group_size;
        lanes.map(|lane| gradient(output + lane / group_size, input + lane % group_size)).sum::<f64>()
    };
    let of_row = |output: u32| {
        let mut row = Vec::new();
        layer.free(output, |link, _| row.push((of_link(link), link)));
        row
    };
    let mut steepest = Largest::new(layer.count());
    if layer.count() > 0 {
        let outputs: Vec<u32> = (0..layer.topology.groups(layer.grain())[0]).collect();
        for outputs in outputs.chunks(ROWS) {
            let rows: Vec<Vec<(f64, Link)>> =
                threads::run(|| outputs.par_iter().map(|output| of_row(*output)).collect());
            rows.into_iter().flatten().for_each(|(key, link)| steepest.offer(key, link));
        }
    }
    steepest.links()
}
