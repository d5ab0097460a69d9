//! How much each sample counts in the loss of training.

use super::Dataset;
use crate::{Error, Result};

impl Dataset {
    /// The weight of each sample in the loss, `[sample]`; `None` if all count alike.
    #[must_use]
    #[doc(hidden)]
    pub fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }

    /// The weight of one sample in the loss; 1 without weights.
    ///
    /// # Panics
    /// When `index` is not below [`Dataset::samples`].
    #[must_use]
    #[doc(hidden)]
    pub fn weight(&self, index: usize) -> f32 {
        self.weights.as_ref().map_or(1.0, |weights| weights[index])
    }

    /// The same samples with weights, `[sample]`, or without any.
    ///
    /// # Errors
    /// [`Error::Dataset`] unless there is a finite weight above 0 for each sample.
    #[doc(hidden)]
    pub fn with_weights(mut self, weights: Option<Vec<f32>>) -> Result<Self> {
        let fail = |reason: String| Err(Error::Dataset(reason));
        if let Some(weights) = &weights {
            if weights.len() != self.samples() {
                return fail(format!("{} weights do not fit {} samples", weights.len(), self.samples()));
            }
            if let Some(sample) = weights.iter().position(|weight| !(weight.is_finite() && *weight > 0.0)) {
                let weight = weights[sample];
                let scale = "after division by the mean weight, float32 must hold it";
                return fail(format!("sample {sample} has the weight {weight}, it must be above 0: {scale}"));
            }
        }
        self.weights = weights;
        Ok(self)
    }

    /// The same with weights whose mean is 1, each multiplied by the weight of its class; without any if all are equal.
    ///
    /// So the loss of a batch of `n` samples is `sum(w l) / n`, and that of all samples together `sum(w l) / sum(w)`.
    ///
    /// # Errors
    /// As [`Dataset::with_weights`].
    #[doc(hidden)]
    pub fn with_mean_weight_1(self, class_weights: Option<&[f64]>) -> Result<Self> {
        if self.weights.is_none() && class_weights.is_none() {
            return Ok(self);
        }
        let of_class = |sample: usize| {
            class_weights.map_or(1.0, |weights| weights[self.targets.labels()[sample] as usize])
        };
        let weights: Vec<f64> =
            (0..self.samples()).map(|sample| f64::from(self.weight(sample)) * of_class(sample)).collect();
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        #[expect(clippy::cast_possible_truncation, reason = "weights of engines are f32")]
        let scaled: Vec<f32> = weights.iter().map(|weight| (weight / mean) as f32).collect();
        let are_equal = scaled.iter().all(|weight| *weight == scaled[0]);
        self.with_weights((!are_equal).then_some(scaled))
    }
}
