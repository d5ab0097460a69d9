//! The minibatch: `x[feature][b] = data[sample[b]][feature]`.
//!
//! Twin: `shaders/gather.wgsl`.

use super::Matrix;
use crate::dataset::Dataset;

/// Collects the features of some samples, one column each: `[feature][sample]`.
pub fn gather(data: &Dataset, samples: &[u32]) -> Matrix {
    let mut x = Matrix::zeros(data.feature_count(), samples.len());
    for (column, sample) in samples.iter().enumerate() {
        for (feature, value) in data.sample(*sample as usize).iter().enumerate() {
            x.row_mut(feature)[column] = f64::from(*value);
        }
    }
    x
}

/// Collects the labels of some samples.
pub fn gather_labels(data: &Dataset, samples: &[u32]) -> Vec<u32> {
    samples.iter().map(|sample| data.labels()[*sample as usize]).collect()
}
