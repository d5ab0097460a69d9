//! Forward of one chunk: `y = dropout(activation(W x + b))`; y is overwritten.
//!
//! Dense tiles first, a few outputs at a time so that each row of inputs that is
//! loaded serves all of them; then the sparse lists, output by output. Inputs
//! beyond a tile's edge read the tile's last input, with a weight of 0.
//!
//! Twin: `src/engine/reference/forward.rs`.

use pulp::{Arch, Simd};

use super::elementary::{sigmoid, tanh};
use super::row::{LANES, Row};
use super::simd::{Kernel, add_scaled, dispatch, rows_together, vectors, vectors_mut};
use crate::network::Activation;
use crate::network::dropout::{DropoutKey, keep_threshold};
use crate::tiles::{MICRO_BLOCK, QUAD, TiledLayer};

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

/// What follows the weighted sums of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue {
    /// The layer's activation.
    pub activation: Activation,
    /// The mask of this step, where dropout applies.
    pub dropout: Option<Mask>,
}

/// Dropout of one layer, step and chunk.
#[derive(Clone, Copy, Debug)]
pub struct Mask {
    /// Stands for seed, step and layer.
    pub key: DropoutKey,
    /// Probability with which a unit is kept.
    pub keep_probability: f32,
    /// Place in the batch of the sample in lane 0.
    pub first_column: u32,
}

impl Mask {
    /// What each lane of a unit is multiplied with: 0, or 1 / keep probability.
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
pub fn forward(
    arch: Arch,
    layer: &TiledLayer,
    values: LayerSlices<'_>,
    epilogue: Epilogue,
    x: &[Row],
    y: &mut [Row],
) {
    let weights = Weights { layer, values };
    dispatch(arch, Forward { weights, epilogue, x, y });
}

struct Forward<'a> {
    weights: Weights<'a>,
    epilogue: Epilogue,
    x: &'a [Row],
    y: &'a mut [Row],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const V: usize>(self, simd: S) {
        let weights = self.weights;
        let (inputs, outputs) = (weights.layer.inputs(), weights.layer.outputs());
        let x = &vectors::<S, V>(self.x)[..inputs.width()];
        let y = &mut vectors_mut::<S, V>(&mut *self.y)[..outputs.width()];
        for block in 0..outputs.len() {
            for first in outputs.block(block).step_by(rows_together(V)) {
                match rows_together(V) {
                    4 => weights.dense::<S, V, 4>(simd, block, first, x, y),
                    _ => weights.dense::<S, V, 2>(simd, block, first, x, y),
                }
            }
        }
        weights.sparse::<S, V>(simd, x, y);
        for (unit, row) in (0u32..).zip(&mut self.y[..outputs.width()]) {
            self.epilogue.apply(unit, row);
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
    /// Sums of `O` outputs from `first` on, which lie in one quad, over the dense tiles of their block.
    #[inline(always)]
    fn dense<S: Simd, const V: usize, const O: usize>(
        &self,
        simd: S,
        block: usize,
        first: usize,
        x: &[[S::f32s; V]],
        y: &mut [[S::f32s; V]],
    ) {
        let outputs = self.layer.outputs().block(block);
        let quad = (first - outputs.start) / QUAD;
        let lane = if O == QUAD { 0 } else { (first - outputs.start) % QUAD };
        let mut sums = [[simd.splat_f32s(0.0); V]; O];
        for tile in self.layer.dense_tiles_into(block) {
            let inputs = self.layer.inputs().block(tile.input_block as usize);
            let x = &x[inputs];
            let quads = tile.input_quads as usize;
            let weights = &self.values.dense[(tile.first as usize + quad * quads) * MICRO_BLOCK..];
            let (micro_blocks, _) = weights[..quads * MICRO_BLOCK].as_chunks::<MICRO_BLOCK>();
            for (input, weights) in (0..).step_by(QUAD).zip(micro_blocks) {
                for k in 0..QUAD {
                    let x = &x[(input + k).min(x.len() - 1)];
                    for (j, sum) in sums.iter_mut().enumerate() {
                        add_scaled(simd, sum, weights[QUAD * k + lane + j], x);
                    }
                }
            }
        }
        for (y, sum) in y[first..outputs.end.min(first + O)].iter_mut().zip(sums) {
            *y = sum;
        }
    }

    /// Adds the sparse edges and the bias of every output.
    #[inline(always)]
    fn sparse<S: Simd, const V: usize>(&self, simd: S, x: &[[S::f32s; V]], y: &mut [[S::f32s; V]]) {
        let lists = self.layer.sparse();
        let rows = lists.row_start.windows(2).zip(self.values.biases).zip(y);
        for ((bounds, bias), y) in rows {
            let edges = bounds[0] as usize..bounds[1] as usize;
            let mut sum = *y;
            for (weight, input) in self.values.sparse[edges.clone()].iter().zip(&lists.input[edges]) {
                add_scaled(simd, &mut sum, *weight, &x[*input as usize]);
            }
            let bias = simd.splat_f32s(*bias);
            for (y, sum) in y.iter_mut().zip(sum) {
                *y = simd.add_f32s(sum, bias);
            }
        }
    }
}

impl Epilogue {
    /// Activation and dropout of one unit, in place.
    #[inline(always)]
    fn apply(&self, unit: u32, row: &mut Row) {
        match self.activation {
            Activation::Identity => {}
            Activation::Sigmoid => row.0 = row.0.map(sigmoid),
            // Written so that NaN stays NaN.
            Activation::Relu => row.0 = row.0.map(|z| if z < 0.0 { 0.0 } else { z }),
            Activation::Tanh => row.0 = row.0.map(tanh),
        }
        if let Some(mask) = &self.dropout {
            for (value, factor) in row.0.iter_mut().zip(mask.factors(unit)) {
                *value *= factor;
            }
        }
    }
}
