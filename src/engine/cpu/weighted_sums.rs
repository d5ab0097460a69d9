//! Weighted sums for the neurons on one side of a layer: the common part of forward and backward_input.
//!
//! Works block by block, so that sums stay in the first-level cache: dense tiles first, 4 neurons at a
//! time so that each far row that is loaded serves all of them, and as many far rows at a time as stay there,
//! too; or the listed micro-blocks, a list for each 4 neurons; then the sparse lists and what follows the sum, neuron by neuron.

use pulp::Simd;

use super::row::Row;
use super::simd::{Kernel, KernelRun, Parts, vectors, vectors_mut};
use crate::tiles::{DenseTile, MICRO_BLOCK, QUAD};
use crate::topology::Partition;

/// Neurons between two checks of the stop flag.
const NEURONS_BETWEEN_LOOKS: usize = 1024;

/// A way over the edges of a layer: each near neuron sums over far ones.
pub(super) trait Direction<'a> {
    /// Quads of far rows that all sums of a tile pass over before the next ones.
    const QUADS_TOGETHER: usize;

    /// The neurons that sum.
    fn near(&self) -> &'a Partition;

    /// The neurons that are summed over.
    fn far(&self) -> &'a Partition;

    /// The initial value of a near neuron's sum.
    fn start(&self, near: usize) -> f32;

    /// The dense tiles of a near block, each with its far block.
    fn tiles(&self, block: usize) -> impl Iterator<Item = (&'a DenseTile, u32)>;

    /// A tile's micro-blocks of one near quad, from one far quad on.
    fn micro_blocks(
        &self,
        tile: &DenseTile,
        near_quad: usize,
        far_quad: usize,
    ) -> impl Iterator<Item = &'a [f32; MICRO_BLOCK]>;

    /// The listed micro-blocks of a near quad, each with its far quad.
    fn listed(&self, near_quad: usize) -> impl Iterator<Item = (&'a [f32; MICRO_BLOCK], u32)>;

    /// Whether the layer is stored as lists of micro-blocks.
    fn is_listed(&self) -> bool;

    /// Place in a micro-block of the weight between two neurons of its quads.
    fn slot(far: usize, near: usize) -> usize;

    /// The far ends of a near neuron's sparse edges, and the weight of each of them.
    fn list(&self, near: u32) -> (&'a [u32], impl Fn(usize) -> f32);

    /// Turns a complete sum into a result, in place; `FUSED` as in the elementary functions.
    fn finish<const FUSED: bool>(&self, near: u32, sum: &mut Row);
}

/// Takes the rows of all far neurons and overwrites those of all near ones.
pub(super) struct WeightedSums<'a, D> {
    pub(super) run: KernelRun<'a>,
    pub(super) direction: D,
    pub(super) far: &'a [Row],
    pub(super) near: &'a mut [Row],
}

impl<'a, D: Direction<'a>> Kernel for WeightedSums<'_, D> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const W: usize, const P: usize>(self, simd: S) {
        let Self { run, direction, far, near } = self;
        let far = &vectors::<S, W, P>(far)[..direction.far().width()];
        for (block, neurons) in direction.near().blocks().enumerate() {
            let sums = vectors_mut::<S, W, P>(&mut near[neurons.clone()]);
            for (sum, neuron) in sums.iter_mut().zip(neurons.clone()) {
                *sum = [[simd.splat_f32s(direction.start(neuron)); W]; P];
            }
            for (tile, far_block) in direction.tiles(block) {
                let far = &far[direction.far().block(far_block as usize)];
                add_tile(simd, run, &direction, tile, far, sums);
            }
            if direction.is_listed() {
                add_blocks(simd, run, &direction, neurons.start / QUAD, far, sums);
            }
            let mut neuron = direction.near().bounds()[block];
            // A whole layer may be one block.
            for rows in near[neurons].chunks_mut(NEURONS_BETWEEN_LOOKS) {
                if run.is_stopped() {
                    return;
                }
                for row in rows {
                    let [sum] = vectors_mut::<S, W, P>(std::slice::from_mut(row)) else {
                        unreachable!("one row")
                    };
                    let (places, weight) = direction.list(neuron);
                    if !places.is_empty() {
                        add_listed(simd, sum, places, weight, far);
                    }
                    // All vector units have fused multiplications; without one they would be calls.
                    match S::F32_LANES {
                        1 => direction.finish::<false>(neuron, row),
                        _ => direction.finish::<true>(neuron, row),
                    }
                    neuron += 1;
                }
            }
        }
    }
}

/// Adds one dense tile to the sums of its near block.
#[inline(always)]
fn add_tile<'a, S: Simd, D: Direction<'a>, const W: usize, const P: usize>(
    simd: S,
    run: KernelRun<'_>,
    direction: &D,
    tile: &DenseTile,
    far: &[Parts<S::f32s, W, P>],
    sums: &mut [Parts<S::f32s, W, P>],
) {
    for (far_quad, far) in (0..).step_by(D::QUADS_TOGETHER).zip(far.chunks(D::QUADS_TOGETHER * QUAD)) {
        // Few tiles are that large.
        if far_quad > 0 && run.is_stopped() {
            return;
        }
        for part in 0..P {
            for (near_quad, sums) in sums.chunks_mut(QUAD).enumerate() {
                let micro_blocks = direction.micro_blocks(tile, near_quad, far_quad);
                add_quad(simd, part, micro_blocks, D::slot, far, sums);
            }
        }
    }
}

/// Adds the listed micro-blocks to the sums of some near quads, the first of which is given.
#[inline(always)]
fn add_blocks<'a, S: Simd, D: Direction<'a>, const W: usize, const P: usize>(
    simd: S,
    run: KernelRun<'_>,
    direction: &D,
    first_quad: usize,
    far: &[Parts<S::f32s, W, P>],
    sums: &mut [Parts<S::f32s, W, P>],
) {
    let (far, _) = far.as_chunks::<QUAD>();
    let (quads, _) = sums.as_chunks_mut::<QUAD>();
    for (near_quad, sums) in (first_quad..).zip(quads) {
        if run.is_stopped() {
            return;
        }
        for part in 0..P {
            let mut quad = sums.map(|sum| sum[part]);
            for (weights, far_quad) in direction.listed(near_quad) {
                for (k, row) in far[far_quad as usize].iter().enumerate() {
                    add_scaled(simd, &mut quad, |j| weights[D::slot(k, j)], &row[part]);
                }
            }
            for (sum, quad) in sums.iter_mut().zip(quad) {
                sum[part] = quad;
            }
        }
    }
}

/// Adds `weight * row` over rows to at most 4 sums, for one part of the lanes: a micro-block for every 4 rows,
/// in which `slot(k, j)` is the place of the weight between row `k` and sum `j`.
#[inline(always)]
pub(super) fn add_quad<'a, S: Simd, const W: usize, const P: usize>(
    simd: S,
    part: usize,
    mut micro_blocks: impl Iterator<Item = &'a [f32; MICRO_BLOCK]>,
    slot: impl Fn(usize, usize) -> usize + Copy,
    rows: &[Parts<S::f32s, W, P>],
    sums: &mut [Parts<S::f32s, W, P>],
) {
    let mut quad = [[simd.splat_f32s(0.0); W]; QUAD];
    for (quad, sum) in quad.iter_mut().zip(&*sums) {
        *quad = sum[part];
    }
    let (quads, rest) = rows.as_chunks::<QUAD>();
    for (rows, weights) in quads.iter().zip(&mut micro_blocks) {
        for (k, row) in rows.iter().enumerate() {
            add_scaled(simd, &mut quad, |j| weights[slot(k, j)], &row[part]);
        }
    }
    // The remaining rows of the tile, if their number is not a multiple of 4.
    if let Some(weights) = micro_blocks.next() {
        for (k, row) in rest.iter().enumerate() {
            add_scaled(simd, &mut quad, |j| weights[slot(k, j)], &row[part]);
        }
    }
    for (sum, quad) in sums.iter_mut().zip(quad) {
        sum[part] = quad;
    }
}

/// `sums[j] += weight(j) * x` for 4 sums.
#[inline(always)]
fn add_scaled<S: Simd, const W: usize>(
    simd: S,
    sums: &mut [[S::f32s; W]; QUAD],
    weight: impl Fn(usize) -> f32,
    x: &[S::f32s; W],
) {
    for (j, sum) in sums.iter_mut().enumerate() {
        let weight = simd.splat_f32s(weight(j));
        for (sum, x) in sum.iter_mut().zip(x) {
            *sum = simd.mul_add_e_f32s(weight, *x, *sum);
        }
    }
}

/// `sum += weight(k) * rows[places[k]]` over a list, every other entry into a second sum, so that
/// two chains of additions run side by side.
#[inline(always)]
pub(super) fn add_listed<S: Simd, const W: usize, const P: usize>(
    simd: S,
    sum: &mut Parts<S::f32s, W, P>,
    places: &[u32],
    weight: impl Fn(usize) -> f32,
    rows: &[Parts<S::f32s, W, P>],
) {
    let add = |sum: &mut Parts<S::f32s, W, P>, k: usize, place: u32| {
        let (weight, row) = (simd.splat_f32s(weight(k)), &rows[place as usize]);
        for part in 0..P {
            for w in 0..W {
                sum[part][w] = simd.mul_add_e_f32s(weight, row[part][w], sum[part][w]);
            }
        }
    };
    let mut sums = [*sum, [[simd.splat_f32s(0.0); W]; P]];
    let (pairs, rest) = places.as_chunks::<2>();
    for (k, pair) in pairs.iter().enumerate() {
        add(&mut sums[0], 2 * k, pair[0]);
        add(&mut sums[1], 2 * k + 1, pair[1]);
    }
    if let [last] = rest {
        add(&mut sums[0], places.len() - 1, *last);
    }
    for part in 0..P {
        for w in 0..W {
            sum[part][w] = simd.add_f32s(sums[0][part][w], sums[1][part][w]);
        }
    }
}
