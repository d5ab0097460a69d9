//! Forward of one chunk: `y = dropout(activation(W x + b))`; y is overwritten.
//!
//! One block of outputs after the other, whose sums then stay in the first-level cache: dense tiles first, 4 outputs at a
//! time so that each row of inputs that is loaded serves all of them, and so many inputs at a time that they stay there,
//! too; then the sparse lists and the activation, output by output.
//!
//! Twin: `src/engine/reference/forward.rs`.

use pulp::{Arch, Simd};

use super::elementary::activate;
use super::row::{LANES, Row};
use super::simd::{Kernel, Parts, dispatch, vectors, vectors_mut};
use super::weighted_sums::{add_listed, add_quad};
use crate::network::Activation;
use crate::network::dropout::{DropoutKey, keep_threshold};
use crate::tiles::{DenseTile, MICRO_BLOCK, QUAD, TiledLayer};

/// Quads of inputs that all outputs of a tile pass over before the next ones: half their lanes take 8 KiB.
const QUADS_TOGETHER: usize = 32;

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
    fn run<S: Simd, const W: usize, const P: usize>(self, simd: S) {
        let layer = self.weights.layer;
        let x = &vectors::<S, W, P>(self.x)[..layer.inputs().width()];
        for (block, outputs) in layer.outputs().blocks().enumerate() {
            let y = vectors_mut::<S, W, P>(&mut self.y[outputs.clone()]);
            for (y, bias) in y.iter_mut().zip(&self.weights.values.biases[outputs.clone()]) {
                *y = [[simd.splat_f32s(*bias); W]; P];
            }
            for tile in layer.dense_tiles_into(block) {
                self.weights.dense(simd, tile, x, y);
            }
            for (unit, row) in (layer.outputs().bounds()[block]..).zip(&mut self.y[outputs]) {
                let [y] = vectors_mut::<S, W, P>(std::slice::from_mut(row)) else { unreachable!("one row") };
                self.weights.sparse(simd, unit, x, y);
                // All vector units have fused multiplications; without one they would be calls.
                match S::F32_LANES {
                    1 => self.epilogue.apply::<false>(unit, row),
                    _ => self.epilogue.apply::<true>(unit, row),
                }
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
    /// Adds one dense tile to the outputs of its block.
    #[inline(always)]
    fn dense<S: Simd, const W: usize, const P: usize>(
        &self,
        simd: S,
        tile: &DenseTile,
        x: &[Parts<S::f32s, W, P>],
        y: &mut [Parts<S::f32s, W, P>],
    ) {
        let x = &x[self.layer.inputs().block(tile.input_block as usize)];
        let (micro_blocks, _) =
            self.values.dense[tile.first as usize * MICRO_BLOCK..].as_chunks::<MICRO_BLOCK>();
        let quads = tile.input_quads as usize;
        for (from, x) in (0..quads).step_by(QUADS_TOGETHER).zip(x.chunks(QUADS_TOGETHER * QUAD)) {
            for part in 0..P {
                for (y, row) in y.chunks_mut(QUAD).zip(micro_blocks.chunks_exact(quads)) {
                    add_quad(simd, part, row[from..].iter(), |x, y| QUAD * x + y, x, y);
                }
            }
        }
    }

    /// Adds the sparse edges of one output.
    #[inline(always)]
    fn sparse<S: Simd, const W: usize, const P: usize>(
        &self,
        simd: S,
        output: u32,
        x: &[Parts<S::f32s, W, P>],
        y: &mut Parts<S::f32s, W, P>,
    ) {
        let lists = self.layer.sparse();
        let [first, end] = [0, 1].map(|k| lists.row_start[output as usize + k] as usize);
        let edges = first..end;
        let weights = &self.values.sparse[edges.clone()];
        add_listed(simd, y, &lists.input[edges], |k| weights[k], x);
    }
}

impl Epilogue {
    /// Activation and dropout of one unit, in place; `FUSED` as the elementary functions have it.
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
