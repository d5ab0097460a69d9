//! Backward of one chunk to the layer below: `delta_below = (W^T delta) * dropout * activation'`, overwritten.
//!
//! The same shape as forward, with the transposed lists. Outputs beyond a tile's
//! edge read the tile's last output, with a weight of 0.
//!
//! Twin: `src/engine/reference/backward_input.rs`.

use pulp::{Arch, Simd};

use super::forward::{Epilogue, LayerSlices};
use super::row::Row;
use super::simd::{Kernel, add_scaled, dispatch, rows_together, vectors, vectors_mut};
use crate::network::Activation;
use crate::tiles::{MICRO_BLOCK, QUAD, TiledLayer};

/// Takes the deltas of a layer, `[output]`; writes those of the layer below,
/// `[input]`, whose outputs were `y` through `epilogue`.
pub fn backward_input(
    arch: Arch,
    layer: &TiledLayer,
    values: LayerSlices<'_>,
    epilogue: Epilogue,
    delta: &[Row],
    y: &[Row],
    below: &mut [Row],
) {
    let weights = Weights { layer, values };
    dispatch(arch, BackwardInput { weights, epilogue, delta, y, below });
}

struct BackwardInput<'a> {
    weights: Weights<'a>,
    epilogue: Epilogue,
    delta: &'a [Row],
    y: &'a [Row],
    below: &'a mut [Row],
}

impl Kernel for BackwardInput<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const V: usize>(self, simd: S) {
        let weights = self.weights;
        let (inputs, outputs) = (weights.layer.inputs(), weights.layer.outputs());
        let delta = &vectors::<S, V>(self.delta)[..outputs.width()];
        let below = &mut vectors_mut::<S, V>(&mut *self.below)[..inputs.width()];
        for block in 0..inputs.len() {
            for first in inputs.block(block).step_by(rows_together(V)) {
                match rows_together(V) {
                    4 => weights.dense::<S, V, 4>(simd, block, first, delta, below),
                    _ => weights.dense::<S, V, 2>(simd, block, first, delta, below),
                }
            }
        }
        weights.sparse::<S, V>(simd, delta, below);
        let rows = self.y.iter().zip(&mut self.below[..inputs.width()]);
        for (unit, (y, below)) in (0u32..).zip(rows) {
            self.epilogue.apply_backward(unit, y, below);
        }
    }
}

/// The edges of one layer and their values.
#[derive(Clone, Copy)]
struct Weights<'a> {
    layer: &'a TiledLayer,
    values: LayerSlices<'a>,
}

impl Weights<'_> {
    /// Sums of `I` inputs from `first` on, which lie in one quad, over the dense tiles of their block.
    #[inline(always)]
    fn dense<S: Simd, const V: usize, const I: usize>(
        &self,
        simd: S,
        block: usize,
        first: usize,
        delta: &[[S::f32s; V]],
        below: &mut [[S::f32s; V]],
    ) {
        let inputs = self.layer.inputs().block(block);
        let quad = (first - inputs.start) / QUAD;
        let lane = if I == QUAD { 0 } else { (first - inputs.start) % QUAD };
        let mut sums = [[simd.splat_f32s(0.0); V]; I];
        for tile in self.layer.dense_tiles_out_of(block) {
            let delta = &delta[self.layer.outputs().block(tile.output_block as usize)];
            let (micro_blocks, _) =
                self.values.dense[tile.first as usize * MICRO_BLOCK..].as_chunks::<MICRO_BLOCK>();
            let rows = micro_blocks.chunks_exact(tile.input_quads as usize).take(tile.output_quads as usize);
            for (output, row) in (0..).step_by(QUAD).zip(rows) {
                let weights = &row[quad];
                for j in 0..QUAD {
                    let delta = &delta[(output + j).min(delta.len() - 1)];
                    for (k, sum) in sums.iter_mut().enumerate() {
                        add_scaled(simd, sum, weights[QUAD * (lane + k) + j], delta);
                    }
                }
            }
        }
        for (below, sum) in below[first..inputs.end.min(first + I)].iter_mut().zip(sums) {
            *below = sum;
        }
    }

    /// Adds the sparse edges of every input.
    #[inline(always)]
    fn sparse<S: Simd, const V: usize>(&self, simd: S, delta: &[[S::f32s; V]], below: &mut [[S::f32s; V]]) {
        let lists = self.layer.sparse();
        for (bounds, below) in lists.column_start.windows(2).zip(below) {
            let entries = bounds[0] as usize..bounds[1] as usize;
            let mut sum = *below;
            for (output, value) in lists.output[entries.clone()].iter().zip(&lists.value[entries]) {
                add_scaled(simd, &mut sum, self.values.sparse[*value as usize], &delta[*output as usize]);
            }
            *below = sum;
        }
    }
}

impl Epilogue {
    /// From the gradient by a unit's outputs to its deltas, in place.
    #[inline(always)]
    fn apply_backward(&self, unit: u32, y: &Row, gradient: &mut Row) {
        // Without dropout every factor is 1; the stored output of a kept unit is its activation times the factor.
        let (factors, keep) = match &self.dropout {
            Some(mask) => (mask.factors(unit), mask.keep_probability),
            None => ([1.0; super::row::LANES], 1.0),
        };
        for ((gradient, y), factor) in gradient.0.iter_mut().zip(y.0).zip(factors) {
            *gradient *= factor * slope(self.activation, y * keep);
        }
    }
}

/// The derivative of an activation, from its value.
#[inline(always)]
fn slope(activation: Activation, y: f32) -> f32 {
    match activation {
        Activation::Identity => 1.0,
        Activation::Sigmoid => y * (1.0 - y),
        Activation::Relu => f32::from(u8::from(y > 0.0)),
        Activation::Tanh => 1.0 - y * y,
    }
}
