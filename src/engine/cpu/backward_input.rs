//! Backward of one chunk to the layer below: `delta_below = (W^T delta) * dropout * activation'`, overwritten.
//!
//! Twin: `src/engine/reference/backward_input.rs`.

use super::forward::{Epilogue, LayerSlices};
use super::row::Row;
use super::simd::{KernelRun, dispatch};
use super::weighted_sums::{Direction, WeightedSums};
use crate::network::Activation;
use crate::tiles::{DenseTile, MICRO_BLOCK, QUAD, TiledLayer};
use crate::topology::Partition;

/// Takes the deltas of a layer, `[output]`; writes those of the layer below,
/// `[input]`, whose outputs were `y` through `epilogue`.
pub fn backward_input<'a>(
    run: impl Into<KernelRun<'a>>,
    layer: &TiledLayer,
    values: LayerSlices<'_>,
    epilogue: Epilogue,
    delta: &[Row],
    y: &[Row],
    below: &mut [Row],
) {
    let (run, direction) = (run.into(), Inputs { layer, values, epilogue, y });
    dispatch(run.arch, WeightedSums { run, direction, far: delta, near: below });
}

/// From outputs back to inputs, whose values were `y`.
struct Inputs<'a> {
    layer: &'a TiledLayer,
    values: LayerSlices<'a>,
    epilogue: Epilogue,
    y: &'a [Row],
}

impl<'a> Direction<'a> for Inputs<'a> {
    /// Their micro-blocks are far apart, and a processor prefetches about this number of streams at once.
    const QUADS_TOGETHER: usize = 16;

    fn near(&self) -> &'a Partition {
        self.layer.inputs()
    }

    fn far(&self) -> &'a Partition {
        self.layer.outputs()
    }

    #[inline(always)]
    fn start(&self, _: usize) -> f32 {
        0.0
    }

    fn tiles(&self, block: usize) -> impl Iterator<Item = (&'a DenseTile, u32)> {
        self.layer.dense_tiles_out_of(block).map(|tile| (tile, tile.output_block))
    }

    #[inline(always)]
    fn micro_blocks(
        &self,
        tile: &DenseTile,
        input_quad: usize,
        output_quad: usize,
    ) -> impl Iterator<Item = &'a [f32; MICRO_BLOCK]> {
        let row = tile.input_quads as usize;
        self.values.micro_blocks(tile)[output_quad * row + input_quad..].iter().step_by(row)
    }

    #[inline(always)]
    fn listed(&self, input_quad: usize) -> impl Iterator<Item = (&'a [f32; MICRO_BLOCK], u32)> {
        let lists = self.layer.listed();
        let [first, end] = [0, 1].map(|k| lists.column_start[input_quad + k] as usize);
        let (weights, _) = self.values.dense.as_chunks::<MICRO_BLOCK>();
        lists.block[first..end]
            .iter()
            .map(|block| &weights[*block as usize])
            .zip(lists.output[first..end].iter().copied())
    }

    fn is_listed(&self) -> bool {
        self.layer.is_listed()
    }

    #[inline(always)]
    fn slot(output: usize, input: usize) -> usize {
        QUAD * input + output
    }

    #[inline(always)]
    fn list(&self, input: u32) -> (&'a [u32], impl Fn(usize) -> f32) {
        let lists = self.layer.sparse();
        let [first, end] = [0, 1].map(|k| lists.column_start[input as usize + k] as usize);
        let (places, sparse) = (&lists.value[first..end], self.values.sparse);
        (&lists.output[first..end], move |k| sparse[places[k] as usize])
    }

    #[inline(always)]
    fn finish<const FUSED: bool>(&self, unit: u32, row: &mut Row) {
        self.epilogue.apply_backward(unit, &self.y[unit as usize], row);
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
