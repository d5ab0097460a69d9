//! Standardising and reordering in one pass: no output depends on more than one input.

use rayon::prelude::*;

use super::Standardisation;
use crate::threads;

/// Samples per task of a thread; results do not depend on it.
const BLOCK_ROWS: usize = 256;

/// `y[j] = (x[source[j]] - mean[j]) / divisor[j]`, all three in the order of the outputs.
pub(super) struct Elementwise {
    source: Vec<u32>,
    /// Mean and divisor, if features are standardised.
    scale: Option<(Vec<f32>, Vec<f32>)>,
}

impl Elementwise {
    /// Combines a standardisation with the order that follows it; both indexed by input feature.
    pub(super) fn new(standardisation: Option<&Standardisation>, order: impl Iterator<Item = u32>) -> Self {
        let source: Vec<u32> = order.collect();
        let reordered = |values: &[f32]| source.iter().map(|&input| values[input as usize]).collect();
        let scale = standardisation
            .map(|standardisation| (reordered(standardisation.mean()), reordered(standardisation.divisor())));
        Self { source, scale }
    }

    /// `[sample][feature]` in and out, of the same length.
    pub(super) fn apply(&self, samples: &[f32], out: &mut [f32]) {
        let block = BLOCK_ROWS * self.source.len();
        let apply = |(out, samples): (&mut [f32], &[f32])| {
            let rows = samples.chunks_exact(self.source.len());
            for (out, row) in out.chunks_exact_mut(self.source.len()).zip(rows) {
                self.apply_row(row, out);
            }
        };
        threads::run(|| out.par_chunks_mut(block).zip(samples.par_chunks(block)).for_each(apply));
    }

    fn apply_row(&self, row: &[f32], out: &mut [f32]) {
        for (out, &source) in out.iter_mut().zip(&self.source) {
            *out = row[source as usize];
        }
        // Separate from gathering, so that this loop can be vectorised.
        if let Some((mean, divisor)) = &self.scale {
            for ((out, mean), divisor) in out.iter_mut().zip(mean).zip(divisor) {
                *out = (*out - mean) / divisor;
            }
        }
    }
}
