//! Each feature minus its mean, by its deviation.

use super::elementwise::Elementwise;
use super::moments::{column_means, column_variances, narrow};
use crate::{Error, Result};

/// Up to format 3 of model files the divisor was the deviation plus this.
const OLD_FLOOR: f32 = 1e-3;

/// `y = (x - mean) / divisor`, for each feature by itself.
///
/// The divisor of a fit is the standard deviation, so that the result does not depend on the unit of a feature. A feature
/// that is constant, as far as float32 numbers of the size of its mean can tell, has the divisor 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardisation {
    mean: Vec<f32>,
    divisor: Vec<f32>,
}

impl Standardisation {
    /// Computes means and deviations of at least one finite sample, `[sample][feature]`.
    pub(super) fn fit(samples: &[f32], features: usize) -> Self {
        let means = column_means(samples, features);
        let variances = column_variances(samples, &means);
        let divisor = means.iter().zip(variances).map(|(mean, variance)| divisor_of(*mean, variance.sqrt()));
        Self { divisor: divisor.collect(), mean: means.iter().copied().map(narrow).collect() }
    }

    /// Restores the parts of a model file, both `[feature]`.
    ///
    /// # Errors
    /// [`Error::Importance`] when the lengths differ, when a mean is not finite, or when a divisor is not a finite number above 0.
    pub fn from_parts(mean: Vec<f32>, divisor: Vec<f32>) -> Result<Self> {
        let fail = |reason: String| Err(Error::Importance(format!("standardisation: {reason}")));
        if mean.len() != divisor.len() {
            return fail(format!("{} means and {} divisors", mean.len(), divisor.len()));
        }
        if !mean.iter().chain(&divisor).all(|value| value.is_finite()) {
            return fail("a number is not finite".to_owned());
        }
        if let Some(feature) = divisor.iter().position(|divisor| *divisor <= 0.0) {
            return fail(format!(
                "feature {feature} has the divisor {}, it must be above 0",
                divisor[feature]
            ));
        }
        Ok(Self { mean, divisor })
    }

    /// As [`Self::from_parts`], from the deviations of a model file of format 1 to 3.
    ///
    /// # Errors
    /// As [`Self::from_parts`], and when a deviation is negative.
    pub fn from_deviations(mean: Vec<f32>, deviation: &[f32]) -> Result<Self> {
        if let Some(feature) = deviation.iter().position(|&deviation| deviation < 0.0) {
            let reason = format!("feature {feature} has the negative deviation {}", deviation[feature]);
            return Err(Error::Importance(format!("standardisation: {reason}")));
        }
        Self::from_parts(mean, deviation.iter().map(|deviation| deviation + OLD_FLOOR).collect())
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

    /// `[feature]`, above 0.
    #[must_use]
    pub fn divisor(&self) -> &[f32] {
        &self.divisor
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
        let scale = || self.mean.iter().zip(&self.divisor);
        for row in samples.chunks_exact(self.features()) {
            out.extend(row.iter().zip(scale()).map(|(value, (mean, divisor))| (value - mean) / divisor));
        }
    }
}

/// The deviation (with the divisor n), or 1 if it is not above the resolution of float32 near the mean.
fn divisor_of(mean: f64, deviation: f64) -> f32 {
    let resolution = (mean.abs() * f64::from(f32::EPSILON)).max(f64::from(f32::MIN_POSITIVE));
    if deviation > resolution { narrow(deviation) } else { 1.0 }
}
