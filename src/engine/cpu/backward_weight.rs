//! Gradients of packed values over a whole batch, with the optimiser's update fused; values and state are changed in place.
//!
//! A micro-block owns 16 sums over all samples, a sparse edge one. Every value is
//! summed by one thread, chunk after chunk, so the result does not depend on the
//! number of threads. Lanes without a sample have deltas of 0.
//!
//! Twin: `src/engine/reference/backward_weight.rs`.

use pulp::{Arch, Simd};

use super::penalty::{Plain, Regularisation, Regularise};
use super::row::{Chunk, Row};
use super::simd::{Kernel, dispatch, vectors};
use crate::engine::UpdateRule;
use crate::tiles::{MICRO_BLOCK, QUAD};

/// Consecutive values and the optimiser's state of each; state that the rule does not use may be empty.
#[derive(Debug)]
pub struct ValuesMut<'a> {
    /// The values.
    pub values: &'a mut [f32],
    /// Momentum, or Adam's mean.
    pub first: &'a mut [f32],
    /// Adam's mean square.
    pub second: &'a mut [f32],
}

/// Updates the values of micro-blocks, given their rows and masks as in
/// [`NetworkLayout::micro_block_rows`](crate::engine::layout::NetworkLayout::micro_block_rows).
pub fn backward_weight_dense(
    arch: Arch,
    rule: &UpdateRule,
    regularisation: Option<Regularisation<'_>>,
    chunks: &[Chunk],
    blocks: &[[u32; 3]],
    values: ValuesMut<'_>,
) {
    match regularisation {
        None => dispatch(arch, Dense { rule, regularise: Plain, chunks, blocks, values }),
        Some(some) => dispatch(arch, Dense { rule, regularise: some, chunks, blocks, values }),
    }
}

/// Updates sparse values, given their rows as in
/// [`NetworkLayout::sparse_rows`](crate::engine::layout::NetworkLayout::sparse_rows);
/// those from `biases` on are biases: their input is 1, and they do not decay.
pub fn backward_weight_sparse(
    arch: Arch,
    rule: &UpdateRule,
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
    rule: &'a UpdateRule,
    regularise: R,
    chunks: &'a [Chunk],
    blocks: &'a [[u32; 3]],
    values: ValuesMut<'a>,
}

impl<R: Regularise> Kernel for Dense<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const V: usize>(mut self, simd: S) {
        for (index, block) in self.blocks.iter().enumerate() {
            let mut gradient = [0.0; MICRO_BLOCK];
            // As many sums at a time as fit the vector registers.
            if S::REGISTER_COUNT >= 32 {
                self.sums::<S, V, 4>(simd, block, 0, &mut gradient);
            } else {
                self.sums::<S, V, 2>(simd, block, 0, &mut gradient);
                self.sums::<S, V, 2>(simd, block, 2, &mut gradient);
            }
            for (lane, gradient) in gradient.iter().enumerate() {
                if block[2] >> lane & 1 == 1 {
                    let slot = index * MICRO_BLOCK + lane;
                    let input = block[1] as usize + lane / QUAD;
                    let weight = self.values.values[slot];
                    let gradient = self.regularise.gradient(*gradient, weight, slot, input);
                    self.values.update(self.rule, self.rule.decay, slot, gradient);
                }
            }
        }
    }
}

impl<R> Dense<'_, R> {
    /// Sums of `I` inputs from lane `first` on by 4 outputs. Neurons beyond a tile's
    /// edge stand in for padding (their sums are masked out): the last row where
    /// there is no further one.
    #[inline(always)]
    fn sums<S: Simd, const V: usize, const I: usize>(
        &self,
        simd: S,
        block: &[u32; 3],
        first: usize,
        gradient: &mut [f32; MICRO_BLOCK],
    ) {
        let mut sums = [[simd.splat_f32s(0.0); QUAD]; I];
        for chunk in self.chunks {
            let (x, delta) = (vectors::<S, V>(&chunk.activations), vectors::<S, V>(&chunk.deltas));
            let last = x.len() - 1;
            let x: [_; I] = std::array::from_fn(|k| &x[(block[1] as usize + first + k).min(last)]);
            let delta: [_; QUAD] = std::array::from_fn(|j| &delta[(block[0] as usize + j).min(last)]);
            for v in 0..V {
                for k in 0..I {
                    for j in 0..QUAD {
                        sums[k][j] = simd.mul_add_e_f32s(delta[j][v], x[k][v], sums[k][j]);
                    }
                }
            }
        }
        for k in 0..I {
            for j in 0..QUAD {
                gradient[QUAD * (first + k) + j] = simd.reduce_sum_f32s(sums[k][j]);
            }
        }
    }
}

struct Sparse<'a, R> {
    rule: &'a UpdateRule,
    regularise: R,
    chunks: &'a [Chunk],
    rows: &'a [[u32; 2]],
    biases: usize,
    values: ValuesMut<'a>,
}

impl<R: Regularise> Kernel for Sparse<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const V: usize>(mut self, simd: S) {
        let biases = self.biases.min(self.rows.len());
        for (index, [output, input]) in self.rows[..biases].iter().enumerate() {
            let mut sum = simd.splat_f32s(0.0);
            for chunk in self.chunks {
                let x = &vectors::<S, V>(&chunk.activations)[*input as usize];
                let delta = &vectors::<S, V>(&chunk.deltas)[*output as usize];
                for v in 0..V {
                    sum = simd.mul_add_e_f32s(delta[v], x[v], sum);
                }
            }
            let gradient = simd.reduce_sum_f32s(sum);
            let weight = self.values.values[index];
            let gradient = self.regularise.gradient(gradient, weight, index, *input as usize);
            self.values.update(self.rule, self.rule.decay, index, gradient);
        }
        for (index, [output, _]) in self.rows.iter().enumerate().skip(biases) {
            let lanes = |row: &Row| row.0.iter().sum::<f32>();
            let gradient = self.chunks.iter().map(|chunk| lanes(&chunk.deltas[*output as usize])).sum();
            self.values.update(self.rule, 0.0, index, gradient);
        }
    }
}

impl ValuesMut<'_> {
    /// Moves one value by one step.
    #[inline(always)]
    fn update(&mut self, rule: &UpdateRule, decay: f32, index: usize, gradient: f32) {
        let value = &mut self.values[index];
        let g = gradient + decay * *value;
        match rule.kind {
            0 => *value -= rule.learning_rate * g,
            1 | 2 => {
                let momentum = &mut self.first[index];
                *momentum = rule.first * *momentum + g;
                let ahead = if rule.kind == 2 { g + rule.first * *momentum } else { *momentum };
                *value -= rule.learning_rate * ahead;
            }
            _ => {
                let (mean, square) = (&mut self.first[index], &mut self.second[index]);
                *mean = rule.first * *mean + (1.0 - rule.first) * g;
                *square = rule.second * *square + (1.0 - rule.second) * g * g;
                let scale = (*square * rule.second_correction).sqrt() + rule.epsilon;
                *value -= rule.learning_rate * (*mean * rule.first_correction) / scale;
            }
        }
    }
}
