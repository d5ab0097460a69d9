//! Mean and variance of each feature, the same bits with any number of threads.

use rayon::prelude::*;

use crate::dataset::Samples;
use crate::threads;

/// Rows summed by one thread; the sums are added in the order of the blocks.
const BLOCK_ROWS: usize = 2048;

/// `[feature]`, the mean of each column of `[sample][feature]`, summed in f64.
pub(super) fn column_means(samples: &[f32], features: usize) -> Vec<f64> {
    column_averages(samples.len() / features, features, &rows_of(samples), |_, value| value)
}

/// `[feature]`, the variance of each column around its mean, with the divisor n.
pub(super) fn column_variances(samples: &[f32], means: &[f64]) -> Vec<f64> {
    let count = samples.len() / means.len();
    column_averages(count, means.len(), &rows_of(samples), squared_deviation(means))
}

/// `[feature]`, the variances of a set that is read row by row.
pub(super) fn feature_variances(samples: &impl Samples) -> Vec<f64> {
    let (count, features) = (samples.samples(), samples.feature_count());
    let read = |row: usize, out: &mut [f32]| samples.read(row, 0, out);
    let means = column_averages(count, features, &read, |_, value| value);
    column_averages(count, features, &read, squared_deviation(&means))
}

/// Reads a row of `[sample][feature]`.
fn rows_of(samples: &[f32]) -> impl Fn(usize, &mut [f32]) + Sync {
    |row, out| out.copy_from_slice(&samples[row * out.len()..][..out.len()])
}

fn squared_deviation(means: &[f64]) -> impl Fn(usize, f64) -> f64 + Sync {
    |feature, value| {
        let deviation = value - means[feature];
        deviation * deviation
    }
}

/// The mean of `term(feature, value)` over each column of `count` rows.
fn column_averages(
    count: usize,
    features: usize,
    read: &(impl Fn(usize, &mut [f32]) + Sync),
    term: impl Fn(usize, f64) -> f64 + Sync,
) -> Vec<f64> {
    let partial_sums: Vec<Vec<f64>> = threads::run(|| {
        let sums_of = |block| {
            let first = block * BLOCK_ROWS;
            let (mut sums, mut row) = (vec![0.0; features], vec![0.0; features]);
            for sample in first..count.min(first + BLOCK_ROWS) {
                read(sample, &mut row);
                for (feature, (sum, &value)) in sums.iter_mut().zip(&row).enumerate() {
                    *sum += term(feature, f64::from(value));
                }
            }
            sums
        };
        (0..count.div_ceil(BLOCK_ROWS)).into_par_iter().map(sums_of).collect()
    });
    #[expect(clippy::cast_precision_loss, reason = "sample counts are far below 2^52")]
    let divisor = count as f64;
    (0..features)
        .map(|feature| partial_sums.iter().map(|sums| sums[feature]).sum::<f64>() / divisor)
        .collect()
}

/// Rounds to f32.
#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is the purpose")]
pub(super) fn narrow(value: f64) -> f32 {
    value as f32
}
