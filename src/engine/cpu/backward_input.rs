//! Backward of one chunk to the layer below: `delta_below = (W^T delta) * dropout * activation'`, overwritten.
//!
//! The same shape as forward, with the transposed lists.
//!
//! Twin: `src/engine/reference/backward_input.rs`.

use pulp::{Arch, Simd};

use super::forward::{Epilogue, LayerSlices};
use super::row::Row;
use super::simd::{Kernel, Parts, dispatch, vectors, vectors_mut};
use super::weighted_sums::{add_listed, add_quad};
use crate::network::Activation;
use crate::tiles::{DenseTile, MICRO_BLOCK, QUAD, TiledLayer};

/// Quads of outputs that all inputs of a tile pass over before the next ones: their micro-blocks are
/// far apart, and a processor prefetches so many streams at once.
const QUADS_TOGETHER: usize = 16;

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
    fn run<S: Simd, const W: usize, const P: usize>(self, simd: S) {
        let layer = self.weights.layer;
        let delta = &vectors::<S, W, P>(self.delta)[..layer.outputs().width()];
        for (block, inputs) in layer.inputs().blocks().enumerate() {
            let below = vectors_mut::<S, W, P>(&mut self.below[inputs.clone()]);
            below.fill([[simd.splat_f32s(0.0); W]; P]);
            for tile in layer.dense_tiles_out_of(block) {
                self.weights.dense(simd, tile, delta, below);
            }
            let rows = self.y[inputs.clone()].iter().zip(&mut self.below[inputs]);
            for (unit, (y, row)) in (layer.inputs().bounds()[block]..).zip(rows) {
                let [below] = vectors_mut::<S, W, P>(std::slice::from_mut(row)) else {
                    unreachable!("one row")
                };
                self.weights.sparse(simd, unit, delta, below);
                self.epilogue.apply_backward(unit, y, row);
            }
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
    /// Adds one dense tile to the inputs of its block.
    #[inline(always)]
    fn dense<S: Simd, const W: usize, const P: usize>(
        &self,
        simd: S,
        tile: &DenseTile,
        delta: &[Parts<S::f32s, W, P>],
        below: &mut [Parts<S::f32s, W, P>],
    ) {
        let delta = &delta[self.layer.outputs().block(tile.output_block as usize)];
        let quads = tile.input_quads as usize;
        let (micro_blocks, _) =
            self.values.dense[tile.first as usize * MICRO_BLOCK..].as_chunks::<MICRO_BLOCK>();
        let together = micro_blocks.chunks(QUADS_TOGETHER * quads);
        for (delta, micro_blocks) in delta.chunks(QUADS_TOGETHER * QUAD).zip(together) {
            for part in 0..P {
                for (quad, below) in below.chunks_mut(QUAD).enumerate() {
                    let column = micro_blocks[quad..].iter().step_by(quads);
                    add_quad(simd, part, column, |delta, below| QUAD * below + delta, delta, below);
                }
            }
        }
    }

    /// Adds the sparse edges of one input.
    #[inline(always)]
    fn sparse<S: Simd, const W: usize, const P: usize>(
        &self,
        simd: S,
        input: u32,
        delta: &[Parts<S::f32s, W, P>],
        below: &mut Parts<S::f32s, W, P>,
    ) {
        let lists = self.layer.sparse();
        let [first, end] = [0, 1].map(|k| lists.column_start[input as usize + k] as usize);
        let entries = first..end;
        let values = &lists.value[entries.clone()];
        let weight = |k: usize| self.values.sparse[values[k] as usize];
        add_listed(simd, below, &lists.output[entries], weight, delta);
    }
}

impl Epilogue {
    /// From the gradient by a unit's outputs to its deltas, in place.
    #[inline(always)]
    fn apply_backward(&self, unit: u32, y: &Row, gradient: &mut Row) {
        let mut y = y.0;
        if let Some(mask) = &self.dropout {
            // The stored output of a kept unit is its activation times the factor.
            for ((gradient, y), factor) in gradient.0.iter_mut().zip(&mut y).zip(mask.factors(unit)) {
                *gradient *= factor;
                *y *= mask.keep_probability;
            }
        }
        let lanes = gradient.0.iter_mut().zip(y);
        match self.activation {
            Activation::Identity => {}
            Activation::Sigmoid => lanes.for_each(|(gradient, y)| *gradient *= y * (1.0 - y)),
            Activation::Relu => lanes.for_each(|(gradient, y)| *gradient *= if y > 0.0 { 1.0 } else { 0.0 }),
            Activation::Tanh => lanes.for_each(|(gradient, y)| *gradient *= 1.0 - y * y),
        }
    }
}
