//! The minibatch: `x[feature][b] = data[sample[b]][feature]`.
//!
//! Twin: `shaders/gather.wgsl`.

use super::Matrix;
use crate::dataset::{Dataset, Targets};

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

/// What the outputs of a batch are compared with, and how much each sample counts.
#[derive(Clone, Debug)]
pub struct BatchTargets {
    /// Labels `[sample]`, or numbers `[target][sample]`.
    pub values: TargetValues,
    /// `[sample]`.
    pub weights: Vec<f64>,
}

/// Classes or numbers of a batch.
#[derive(Clone, Debug)]
pub enum TargetValues {
    /// `[sample]`.
    Labels(Vec<u32>),
    /// `[target][sample]`.
    Numbers(Matrix),
}

/// Collects the labels or targets of some samples, and their weights.
pub fn gather_targets(data: &Dataset, samples: &[u32]) -> BatchTargets {
    let weights = samples.iter().map(|sample| f64::from(data.weight(*sample as usize))).collect();
    let values = match data.targets() {
        Targets::Classes { labels, .. } => {
            TargetValues::Labels(samples.iter().map(|sample| labels[*sample as usize]).collect())
        }
        Targets::Numbers { count, .. } => {
            let mut targets = Matrix::zeros(*count, samples.len());
            for (column, sample) in samples.iter().enumerate() {
                for (target, value) in data.target(*sample as usize).iter().enumerate() {
                    targets.row_mut(target)[column] = f64::from(*value);
                }
            }
            TargetValues::Numbers(targets)
        }
    };
    BatchTargets { values, weights }
}
