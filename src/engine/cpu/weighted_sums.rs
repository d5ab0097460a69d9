//! Rows that are multiplied with weights and added up: what forward and backward_input have in common.

use pulp::Simd;

use super::simd::Parts;
use crate::tiles::{MICRO_BLOCK, QUAD};

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
    // What is left of the tile's rows where they are no multiple of 4.
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
