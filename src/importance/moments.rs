//! Mean and variance of each feature, the same bits with any number of threads.

use rayon::prelude::*;

/// Rows whose sum one thread takes; the sums are added in the order of the blocks.
const BLOCK_ROWS: usize = 2048;

/// `[feature]`, the mean of each column of `[sample][feature]`, summed in f64.
pub(super) fn column_means(samples: &[f32], features: usize) -> Vec<f64> {
    column_averages(samples, features, |_, value| value)
}

/// `[feature]`, the variance of each column around its mean, with the divisor n.
pub(super) fn column_variances(samples: &[f32], means: &[f64]) -> Vec<f64> {
    column_averages(samples, means.len(), |feature, value| {
        let deviation = value - means[feature];
        deviation * deviation
    })
}

/// The mean of `term(feature, value)` over each column.
fn column_averages(samples: &[f32], features: usize, term: impl Fn(usize, f64) -> f64 + Sync) -> Vec<f64> {
    let partial_sums: Vec<Vec<f64>> = samples
        .par_chunks(BLOCK_ROWS * features)
        .map(|block| {
            let mut sums = vec![0.0; features];
            for row in block.chunks_exact(features) {
                for (feature, (sum, &value)) in sums.iter_mut().zip(row).enumerate() {
                    *sum += term(feature, f64::from(value));
                }
            }
            sums
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "sample counts are far below 2^52")]
    let count = (samples.len() / features) as f64;
    (0..features).map(|feature| partial_sums.iter().map(|sums| sums[feature]).sum::<f64>() / count).collect()
}

/// Rounds to f32.
#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is the purpose")]
pub(super) fn narrow(value: f64) -> f32 {
    value as f32
}
