//! Forward of one chunk: `y = dropout(activation(W x + b))`; y is overwritten.
//!
//! Twin: `src/engine/reference/forward.rs`.

use super::elementary::activate;
use super::row::{LANES, Row};
use super::simd::{KernelRun, dispatch};
use super::weighted_sums::{Direction, WeightedSums};
use crate::network::Activation;
use crate::network::dropout::{DropoutKey, keep_threshold};
use crate::tiles::{DenseTile, MICRO_BLOCK, QUAD, TiledLayer};
use crate::topology::Partition;

/// The values of one layer.
#[derive(Clone, Copy, Debug)]
pub struct LayerSlices<'a> {
    /// `[micro-block][16]`.
    pub dense: &'a [f32],
    /// `[sparse edges]`.
    pub sparse: &'a [f32],
    /// `[outputs]`.
    pub biases: &'a [f32],
}

impl<'a> LayerSlices<'a> {
    /// The micro-blocks from a tile's first one on.
    #[inline(always)]
    pub(super) fn micro_blocks(&self, tile: &DenseTile) -> &'a [[f32; MICRO_BLOCK]] {
        self.dense[tile.first as usize * MICRO_BLOCK..].as_chunks().0
    }
}

/// The operations after the weighted sums of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue {
    /// The layer's activation.
    pub activation: Activation,
    /// The mask of this step, if dropout applies.
    pub dropout: Option<Mask>,
}

/// Dropout of one layer, step and chunk.
#[derive(Clone, Copy, Debug)]
pub struct Mask {
    /// Key of seed, step and layer.
    pub key: DropoutKey,
    /// Probability with which a unit is kept.
    pub keep_probability: f32,
    /// Place in the batch of the sample in lane 0.
    pub first_column: u32,
}

impl Mask {
    /// The factor of each lane of a unit: 0, or 1 / keep probability.
    #[inline(always)]
    pub(super) fn factors(&self, unit: u32) -> [f32; LANES] {
        let (threshold, scale) = (keep_threshold(self.keep_probability), 1.0 / self.keep_probability);
        let mut factors = [0.0; LANES];
        for (column, factor) in (self.first_column..).zip(&mut factors) {
            *factor = if self.key.keeps(unit, column, threshold) { scale } else { 0.0 };
        }
        factors
    }
}

/// Runs one layer over one chunk: inputs `[input]`, outputs `[output]`.
pub fn forward<'a>(
    run: impl Into<KernelRun<'a>>,
    layer: &TiledLayer,
    values: LayerSlices<'_>,
    epilogue: Epilogue,
    x: &[Row],
    y: &mut [Row],
) {
    let (run, direction) = (run.into(), Outputs { layer, values, epilogue });
    dispatch(run.arch, WeightedSums { run, direction, far: x, near: y });
}

/// From inputs to outputs.
struct Outputs<'a> {
    layer: &'a TiledLayer,
    values: LayerSlices<'a>,
    epilogue: Epilogue,
}

impl<'a> Direction<'a> for Outputs<'a> {
    /// Half their lanes take 8 KiB.
    const QUADS_TOGETHER: usize = 32;

    fn near(&self) -> &'a Partition {
        self.layer.outputs()
    }

    fn far(&self) -> &'a Partition {
        self.layer.inputs()
    }

    #[inline(always)]
    fn start(&self, output: usize) -> f32 {
        self.values.biases[output]
    }

    fn tiles(&self, block: usize) -> impl Iterator<Item = (&'a DenseTile, u32)> {
        self.layer.dense_tiles_into(block).iter().map(|tile| (tile, tile.input_block))
    }

    #[inline(always)]
    fn micro_blocks(
        &self,
        tile: &DenseTile,
        output_quad: usize,
        input_quad: usize,
    ) -> impl Iterator<Item = &'a [f32; MICRO_BLOCK]> {
        let row = output_quad * tile.input_quads as usize;
        self.values.micro_blocks(tile)[row + input_quad..row + tile.input_quads as usize].iter()
    }

    #[inline(always)]
    fn listed(&self, output_quad: usize) -> impl Iterator<Item = (&'a [f32; MICRO_BLOCK], u32)> {
        let lists = self.layer.listed();
        let [first, end] = [0, 1].map(|k| lists.row_start[output_quad + k] as usize);
        let (weights, _) = self.values.dense.as_chunks::<MICRO_BLOCK>();
        weights[first..end].iter().zip(lists.input[first..end].iter().copied())
    }

    fn is_listed(&self) -> bool {
        self.layer.is_listed()
    }

    #[inline(always)]
    fn slot(input: usize, output: usize) -> usize {
        QUAD * input + output
    }

    #[inline(always)]
    fn list(&self, output: u32) -> (&'a [u32], impl Fn(usize) -> f32) {
        let lists = self.layer.sparse();
        let [first, end] = [0, 1].map(|k| lists.row_start[output as usize + k] as usize);
        let weights = &self.values.sparse[first..end];
        (&lists.input[first..end], move |k| weights[k])
    }

    #[inline(always)]
    fn finish<const FUSED: bool>(&self, unit: u32, row: &mut Row) {
        self.epilogue.apply::<FUSED>(unit, row);
    }
}

impl Epilogue {
    /// Activation and dropout of one unit, in place; `FUSED` as in the elementary functions.
    #[inline(always)]
    fn apply<const FUSED: bool>(&self, unit: u32, row: &mut Row) {
        activate::<FUSED>(self.activation, &mut row.0);
        if let Some(mask) = &self.dropout {
            for (value, factor) in row.0.iter_mut().zip(mask.factors(unit)) {
                *value *= factor;
            }
        }
    }
}
