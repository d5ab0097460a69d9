//! Gradients of packed values over a whole batch, with the optimiser's update fused; values and state are changed in place.
//!
//! A micro-block owns 16 sums over all samples, a sparse edge one. Every value is
//! summed by one thread, chunk by chunk, so the result does not depend on the
//! number of threads. Lanes without a sample have deltas of 0. A large batch comes in groups of
//! chunks: sums are kept until the last group, which updates.
//!
//! Twin: `src/engine/reference/backward_weight.rs`.

use pulp::{Arch, Simd};

use super::penalty::{Plain, Regularisation, Regularise};
use super::row::Chunk;
use super::simd::{Kernel, dispatch, vectors};
use super::update::ValuesMut;
use crate::engine::UpdateRule;
use crate::tiles::{DenseTile, MICRO_BLOCK, QUAD, TiledLayer};

/// Rows of micro-blocks of a strip.
const STRIP_ROWS: usize = 8;

/// Chunks that gradients are summed over at a time, so that what a patch reads stays in the first-level cache.
/// Groups of a batch are multiples of it, so that the sums do not depend on how a batch is cut.
pub const CHUNKS_TOGETHER: usize = 8;

/// Side of a square of micro-blocks that are worked on together: 2 x 16 neurons, whose rows of
/// [`CHUNKS_TOGETHER`] chunks take 32 KiB.
const PATCH: usize = 4;

/// Sparse edges, or biases, whose gradients are summed before they are updated.
const EDGES_TOGETHER: usize = 256;

/// Listed micro-blocks of a strip.
const STRIP_BLOCKS: usize = 64;

/// Some rows of micro-blocks of a dense tile, or some of a list: the work of one task.
#[derive(Clone, Copy, Debug)]
pub struct Strip {
    /// The first micro-block, among all of the network.
    pub first: usize,
    /// Number of micro-blocks.
    pub count: usize,
    /// Number of micro-blocks in each row.
    pub row: usize,
}

impl Strip {
    /// All micro-blocks of a layer in order, the first of them being number `first` of the network.
    pub fn all(layer: &TiledLayer, first: usize) -> Vec<Self> {
        let of_tile = |tile: &DenseTile| {
            let (rows, row) = (tile.output_quads as usize, tile.input_quads as usize);
            let first = first + tile.first as usize;
            (0..rows).step_by(STRIP_ROWS).map(move |from| Self {
                first: first + from * row,
                count: STRIP_ROWS.min(rows - from) * row,
                row,
            })
        };
        let listed = layer.listed().input.len();
        let of_list = (0..listed).step_by(STRIP_BLOCKS).map(|from| {
            let count = STRIP_BLOCKS.min(listed - from);
            Self { first: first + from, count, row: count }
        });
        layer.dense_tiles().iter().flat_map(of_tile).chain(of_list).collect()
    }

    /// Number of values.
    pub fn values(&self) -> usize {
        self.count * MICRO_BLOCK
    }
}

/// Adds the gradients of one strip and, with a rule, updates its values, given the rows and masks of the network's micro-blocks as in
/// [`NetworkLayout::micro_block_rows`](crate::engine::layout::NetworkLayout::micro_block_rows).
pub fn backward_weight_dense(
    arch: Arch,
    rule: Option<&UpdateRule>,
    regularisation: Option<Regularisation<'_>>,
    chunks: &[Chunk],
    blocks: &[[u32; 3]],
    strip: Strip,
    values: ValuesMut<'_>,
) {
    let blocks = &blocks[strip.first..][..strip.count];
    match regularisation {
        None => dispatch(arch, Dense { rule, regularise: Plain, chunks, blocks, strip, values }),
        Some(some) => dispatch(arch, Dense { rule, regularise: some, chunks, blocks, strip, values }),
    }
}

/// Adds the gradients of sparse values and, with a rule, updates them, given their rows as in
/// [`NetworkLayout::sparse_rows`](crate::engine::layout::NetworkLayout::sparse_rows);
/// those from `biases` on are biases: their input is 1, and they do not decay.
pub fn backward_weight_sparse(
    arch: Arch,
    rule: Option<&UpdateRule>,
    regularisation: Option<Regularisation<'_>>,
    chunks: &[Chunk],
    rows: &[[u32; 2]],
    biases: usize,
    values: ValuesMut<'_>,
) {
    match regularisation {
        None => dispatch(arch, Sparse { rule, regularise: Plain, chunks, rows, biases, values }),
        Some(some) => dispatch(arch, Sparse { rule, regularise: some, chunks, rows, biases, values }),
    }
}

struct Dense<'a, R> {
    rule: Option<&'a UpdateRule>,
    regularise: R,
    chunks: &'a [Chunk],
    blocks: &'a [[u32; 3]],
    strip: Strip,
    values: ValuesMut<'a>,
}

impl<R: Regularise> Kernel for Dense<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const W: usize, const P: usize>(mut self, simd: S) {
        let length = self.strip.row;
        let rows = self.blocks.len() / length;
        for first_row in (0..rows).step_by(PATCH) {
            for first_column in (0..length).step_by(PATCH) {
                let rows = first_row..rows.min(first_row + PATCH);
                let columns = PATCH.min(length - first_column);
                self.patch::<S, W, P>(simd, rows.map(|row| row * length + first_column), columns);
            }
        }
    }
}

impl<R: Regularise> Dense<'_, R> {
    /// Updates at most `PATCH` rows of as many micro-blocks, given the place of the first one of each row.
    #[inline(always)]
    fn patch<S: Simd, const W: usize, const P: usize>(
        &mut self,
        simd: S,
        rows: impl Iterator<Item = usize> + Clone,
        columns: usize,
    ) {
        let mut gradients = [[0.0; MICRO_BLOCK]; PATCH * PATCH];
        for (place, gradients) in rows.clone().zip(gradients.chunks_exact_mut(columns)) {
            self.values.load_sums(place * MICRO_BLOCK, gradients.as_flattened_mut());
        }
        for chunks in self.chunks.chunks(CHUNKS_TOGETHER) {
            for (place, gradients) in rows.clone().zip(gradients.chunks_exact_mut(columns)) {
                for (block, gradient) in self.blocks[place..].iter().zip(gradients) {
                    // As many sums at a time as fit the vector registers.
                    if S::REGISTER_COUNT >= 32 {
                        add_products::<S, W, P, 4>(simd, chunks, block, 0, gradient);
                    } else {
                        add_products::<S, W, P, 2>(simd, chunks, block, 0, gradient);
                        add_products::<S, W, P, 2>(simd, chunks, block, 2, gradient);
                    }
                }
            }
        }
        for (place, gradients) in rows.zip(gradients.chunks_exact_mut(columns)) {
            let first = place * MICRO_BLOCK;
            self.values.store_sums(first, gradients.as_flattened(), self.rule.is_none());
            if let Some(rule) = self.rule {
                self.regularise(simd, place, gradients);
                self.values.update(rule, first, gradients.as_flattened());
            }
        }
    }

    /// Turns gradients of the loss into those of the update, for consecutive micro-blocks.
    #[inline(always)]
    fn regularise<S: Simd>(&self, simd: S, first: usize, gradients: &mut [[f32; MICRO_BLOCK]]) {
        let (weights, _) = self.values.values[first * MICRO_BLOCK..].as_chunks::<MICRO_BLOCK>();
        let blocks = (first..).zip(&self.blocks[first..]);
        for ((place, [_, input, mask]), (gradients, weights)) in blocks.zip(gradients.iter_mut().zip(weights))
        {
            let slot = (self.strip.first + place) * MICRO_BLOCK;
            for (lane, (gradient, weight)) in gradients.iter_mut().zip(weights).enumerate() {
                let input = *input as usize + lane / QUAD;
                *gradient = self.regularise.gradient(*gradient, *weight, slot + lane, input);
            }
            // Padding, whose value and state are 0, keeps them with a gradient of 0.
            keep_edges(simd, *mask, gradients);
        }
    }
}

/// The places of a micro-block in its mask.
const BITS: [u32; MICRO_BLOCK] =
    [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000];

/// Sets values without an edge to 0; without branches, which would often be mispredicted.
#[inline(always)]
fn keep_edges<S: Simd>(simd: S, mask: u32, values: &mut [f32; MICRO_BLOCK]) {
    let (mask, none) = (simd.splat_u32s(mask), simd.splat_u32s(0));
    let ((values, _), (bits, _)) = (S::as_mut_simd_f32s(values), S::as_simd_u32s(&BITS));
    for (values, bits) in values.iter_mut().zip(bits) {
        let missing = simd.equal_u32s(simd.and_u32s(mask, *bits), none);
        *values = simd.select_f32s(missing, simd.splat_f32s(0.0), *values);
    }
}

/// Adds the products of `I` inputs from lane `first` on with 4 outputs, summed over the samples of some
/// chunks. Neurons beyond a tile's edge serve as padding; their sums are masked out.
#[inline(always)]
fn add_products<S: Simd, const W: usize, const P: usize, const I: usize>(
    simd: S,
    chunks: &[Chunk],
    block: &[u32; 3],
    first: usize,
    gradient: &mut [f32; MICRO_BLOCK],
) {
    let mut sums = [[simd.splat_f32s(0.0); QUAD]; I];
    for chunk in chunks {
        let x = &vectors::<S, W, P>(&chunk.activations)[block[1] as usize + first..][..I];
        let delta = &vectors::<S, W, P>(&chunk.deltas)[block[0] as usize..][..QUAD];
        for part in 0..P {
            for w in 0..W {
                for k in 0..I {
                    for j in 0..QUAD {
                        sums[k][j] = simd.mul_add_e_f32s(delta[j][part][w], x[k][part][w], sums[k][j]);
                    }
                }
            }
        }
    }
    for k in 0..I {
        for j in 0..QUAD {
            gradient[QUAD * (first + k) + j] += simd.reduce_sum_f32s(sums[k][j]);
        }
    }
}

struct Sparse<'a, R> {
    rule: Option<&'a UpdateRule>,
    regularise: R,
    chunks: &'a [Chunk],
    rows: &'a [[u32; 2]],
    biases: usize,
    values: ValuesMut<'a>,
}

impl<R: Regularise> Kernel for Sparse<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const W: usize, const P: usize>(mut self, simd: S) {
        let (edges, biases) = self.rows.split_at(self.biases.min(self.rows.len()));
        for (part, rows) in edges.chunks(EDGES_TOGETHER).enumerate() {
            let first = part * EDGES_TOGETHER;
            let gradients = &mut [0.0; EDGES_TOGETHER][..rows.len()];
            self.values.load_sums(first, gradients);
            for chunks in self.chunks.chunks(CHUNKS_TOGETHER) {
                add_edges::<S, W, P>(simd, chunks, rows, gradients);
            }
            self.values.store_sums(first, gradients, self.rule.is_none());
            let Some(rule) = self.rule else { continue };
            let weights = &self.values.values[first..];
            for (index, ((gradient, weight), [_, input])) in
                (first..).zip(gradients.iter_mut().zip(weights).zip(rows))
            {
                *gradient = self.regularise.gradient(*gradient, *weight, index, *input as usize);
            }
            self.values.update(rule, first, gradients);
        }
        let of_biases = self.rule.map(UpdateRule::without_decay);
        for (part, rows) in biases.chunks(EDGES_TOGETHER).enumerate() {
            let first = edges.len() + part * EDGES_TOGETHER;
            let gradients = &mut [0.0; EDGES_TOGETHER][..rows.len()];
            self.values.load_sums(first, gradients);
            for chunks in self.chunks.chunks(CHUNKS_TOGETHER) {
                for (gradient, [output, _]) in gradients.iter_mut().zip(rows) {
                    *gradient += bias_gradient::<S, W, P>(simd, chunks, *output);
                }
            }
            self.values.store_sums(first, gradients, self.rule.is_none());
            if let Some(rule) = &of_biases {
                self.values.update(rule, first, gradients);
            }
        }
    }
}

/// Sum of one output's deltas over the samples of some chunks.
#[inline(always)]
fn bias_gradient<S: Simd, const W: usize, const P: usize>(simd: S, chunks: &[Chunk], output: u32) -> f32 {
    let mut sums = [[simd.splat_f32s(0.0); W]; P];
    for chunk in chunks {
        let delta = &vectors::<S, W, P>(&chunk.deltas)[output as usize];
        for (sum, delta) in sums.iter_mut().flatten().zip(delta.iter().flatten()) {
            *sum = simd.add_f32s(*sum, *delta);
        }
    }
    let zero = simd.splat_f32s(0.0);
    simd.reduce_sum_f32s(sums.iter().flatten().fold(zero, |sum, part| simd.add_f32s(sum, *part)))
}

/// Adds the products of every edge, summed over the samples of some chunks: four edges at a time, and
/// where they lead to one output, its deltas are loaded once.
#[inline(always)]
fn add_edges<S: Simd, const W: usize, const P: usize>(
    simd: S,
    chunks: &[Chunk],
    rows: &[[u32; 2]],
    gradients: &mut [f32],
) {
    let (fours, rest) = rows.as_chunks::<4>();
    let (gradients, rest_gradients) = gradients.as_chunks_mut::<4>();
    for (rows, gradients) in fours.iter().zip(gradients) {
        let (outputs, inputs) = (rows.map(|row| row[0]), rows.map(|row| row[1]));
        if outputs == [outputs[0]; 4] {
            add_dots::<S, W, P, 4, 1>(simd, chunks, [outputs[0]], inputs, gradients);
        } else {
            add_dots::<S, W, P, 4, 4>(simd, chunks, outputs, inputs, gradients);
        }
    }
    for ([output, input], gradient) in rest.iter().zip(rest_gradients) {
        add_dots::<S, W, P, 1, 1>(simd, chunks, [*output], [*input], std::array::from_mut(gradient));
    }
}

/// Adds the products of `N` inputs with an output each, or all with one, in two chains of additions each.
#[inline(always)]
fn add_dots<S: Simd, const W: usize, const P: usize, const N: usize, const OUTPUTS: usize>(
    simd: S,
    chunks: &[Chunk],
    outputs: [u32; OUTPUTS],
    inputs: [u32; N],
    gradients: &mut [f32; N],
) {
    let mut sums = [[simd.splat_f32s(0.0); 2]; N];
    for chunk in chunks {
        let deltas = vectors::<S, W, P>(&chunk.deltas);
        let deltas = outputs.map(|output| &deltas[output as usize]);
        let x = vectors::<S, W, P>(&chunk.activations);
        let x = inputs.map(|input| &x[input as usize]);
        for part in 0..P {
            for w in 0..W {
                for n in 0..N {
                    let delta = deltas[n % OUTPUTS][part][w];
                    sums[n][w % 2] = simd.mul_add_e_f32s(delta, x[n][part][w], sums[n][w % 2]);
                }
            }
        }
    }
    for (gradient, [even, odd]) in gradients.iter_mut().zip(sums) {
        *gradient += simd.reduce_sum_f32s(simd.add_f32s(even, odd));
    }
}
