//! Each feature minus its mean, by its deviation.

use super::elementwise::Elementwise;
use super::moments::{column_means, column_variances, narrow};
use crate::{Error, Result};

/// Added to each deviation, so that an almost constant feature is not magnified.
const FLOOR: f32 = 1e-3;

/// `y = (x - mean) / (deviation + 1e-3)`, for each feature by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardisation {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Standardisation {
    /// Computes means and deviations of at least one finite sample, `[sample][feature]`.
    pub(super) fn fit(samples: &[f32], features: usize) -> Self {
        let means = column_means(samples, features);
        let deviation =
            column_variances(samples, &means).into_iter().map(|variance| narrow(variance.sqrt())).collect();
        Self { mean: means.into_iter().map(narrow).collect(), deviation }
    }

    /// Restores the parts of a model file, both `[feature]`.
    ///
    /// # Errors
    /// [`Error::Importance`] when the lengths differ, or when a number is not finite or a deviation negative.
    pub fn from_parts(mean: Vec<f32>, deviation: Vec<f32>) -> Result<Self> {
        let fail = |reason: String| Err(Error::Importance(format!("standardisation: {reason}")));
        if mean.len() != deviation.len() {
            return fail(format!("{} means and {} deviations", mean.len(), deviation.len()));
        }
        if !mean.iter().chain(&deviation).all(|value| value.is_finite()) {
            return fail("a number is not finite".to_owned());
        }
        if let Some(feature) = deviation.iter().position(|&deviation| deviation < 0.0) {
            return fail(format!("feature {feature} has the negative deviation {}", deviation[feature]));
        }
        Ok(Self { mean, deviation })
    }

    /// Number of features.
    #[must_use]
    pub fn features(&self) -> usize {
        self.mean.len()
    }

    /// `[feature]`, means of the training set.
    #[must_use]
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// `[feature]`, standard deviations of the training set, with the divisor n.
    #[must_use]
    pub fn deviation(&self) -> &[f32] {
        &self.deviation
    }

    /// Standardises samples: `[sample][feature]` in and out, each feature in its place.
    pub(super) fn apply(&self, samples: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; samples.len()];
        let features = u32::try_from(self.features()).expect("a row of 2^32 features fits no memory");
        Elementwise::new(Some(self), 0..features).apply(samples, &mut out);
        out
    }

    /// Replaces `out` by standardised samples, on this thread: the same bits as [`Self::apply`].
    pub(super) fn apply_here(&self, samples: &[f32], out: &mut Vec<f32>) {
        out.clear();
        let scale = || self.mean.iter().zip(self.divisor());
        for row in samples.chunks_exact(self.features()) {
            out.extend(row.iter().zip(scale()).map(|(value, (mean, divisor))| (value - mean) / divisor));
        }
    }

    /// `[feature]`, the divisor: the deviation plus 1e-3.
    pub fn divisor(&self) -> impl Iterator<Item = f32> {
        self.deviation.iter().map(|deviation| deviation + FLOOR)
    }
}
