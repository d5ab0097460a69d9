//! Predictions of a model.

use rayon::prelude::*;
use serde::Serialize;

use crate::dataset::{DataRecord, Task};
use crate::{Error, Result, threads};

/// Logits and probabilities of some samples, at least one; of regression outputs and numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Predictions {
    /// `[sample][class]`.
    logits: Vec<f32>,
    /// `[sample][class]`, each sample's adding up to 1; with several labels the probability of each, of regression numbers
    /// in the units of the targets.
    probabilities: Vec<f32>,
    classes: usize,
    /// Of regression the numbers without rounding, `[sample][target]`.
    #[serde(skip)]
    values: Vec<f64>,
    #[serde(skip)]
    task: Task,
}

impl Predictions {
    /// Takes logits `[sample][class]` and computes the probabilities: the softmax of each sample's logits.
    ///
    /// # Errors
    /// [`Error::Dataset`] when there are none, when their number is not a multiple of `classes`, or one is not finite.
    pub(crate) fn new(logits: Vec<f32>, classes: usize) -> Result<Self> {
        if classes == 0 || logits.is_empty() || !logits.len().is_multiple_of(classes) {
            let given = logits.len();
            return Err(Error::Dataset(format!("{given} logits do not fit {classes} classes a sample")));
        }
        if let Some(place) = logits.iter().position(|logit| !logit.is_finite()) {
            let (sample, class) = (place / classes, place % classes);
            let value = logits[place];
            return Err(Error::Dataset(format!(
                "the logit of class {class} of sample {sample} is {value}: the model's numbers are too large for these features"
            )));
        }
        let mut probabilities = vec![0.0; logits.len()];
        let samples = probabilities.par_chunks_mut(classes).zip(logits.par_chunks(classes));
        threads::run(|| samples.for_each(|(probabilities, logits)| softmax(logits, probabilities)));
        Ok(Self { logits, probabilities, classes, values: Vec::new(), task: Task::Classification })
    }

    /// Takes the outputs `[sample][output]` of a model whose data have this record.
    ///
    /// # Errors
    /// As [`Predictions::new`].
    pub(crate) fn of_model(logits: Vec<f32>, outputs: usize, data: &DataRecord) -> Result<Self> {
        let plain = Self::new(logits, outputs)?;
        #[expect(clippy::cast_possible_truncation, reason = "predictions are kept as f32")]
        let narrow = |value: f64| value as f32;
        match data.task {
            Task::Classification => Ok(plain),
            Task::MultiLabel => {
                let sigmoid = |logit: &f32| narrow(1.0 / (1.0 + (-f64::from(*logit)).exp()));
                let probabilities = plain.logits.iter().map(sigmoid).collect();
                Ok(Self { probabilities, task: data.task, ..plain })
            }
            Task::Regression => {
                let outputs = plain.logits.iter().zip(data.targets.iter().cycle());
                let values: Vec<f64> = outputs.map(|(output, target)| target.in_units(*output)).collect();
                let probabilities = values.iter().copied().map(narrow).collect();
                Ok(Self { probabilities, values, task: data.task, ..plain })
            }
        }
    }

    /// The predictions of several models for the same task, one after the other.
    ///
    /// # Errors
    /// [`Error::Dataset`] when there are none, or their numbers of outputs differ.
    #[cfg(feature = "train")]
    pub(crate) fn joined<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Result<Self> {
        let mut parts = parts.into_iter();
        let mut all = parts.next().cloned().ok_or_else(|| Error::Dataset("no predictions to join".into()))?;
        for part in parts {
            if (part.classes, part.task) != (all.classes, all.task) {
                let reason = format!("{} outputs do not fit {} of another model", part.classes, all.classes);
                return Err(Error::Dataset(reason));
            }
            all.logits.extend_from_slice(&part.logits);
            all.probabilities.extend_from_slice(&part.probabilities);
            all.values.extend_from_slice(&part.values);
        }
        Ok(all)
    }

    /// What was predicted.
    #[doc(hidden)]
    #[must_use]
    pub fn task(&self) -> Task {
        self.task
    }

    /// The numbers predicted for one sample, `[target]`; empty unless the task is regression.
    ///
    /// # Panics
    /// When there is no such sample.
    #[doc(hidden)]
    #[must_use]
    pub fn values_of(&self, sample: usize) -> &[f64] {
        if self.values.is_empty() { &[] } else { &self.values[sample * self.classes..][..self.classes] }
    }

    /// All probabilities, `[sample][class]`; of regression the numbers in units, `[sample][target]`.
    #[must_use]
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// The probabilities of one sample, `[class]`; of regression its numbers in units, `[target]`.
    ///
    /// # Panics
    /// When there is no such sample.
    #[must_use]
    pub fn of(&self, sample: usize) -> &[f32] {
        &self.probabilities[sample * self.classes..][..self.classes]
    }

    /// The class of a sample: that of its greatest logit, the first of equals.
    ///
    /// # Panics
    /// When there is no such sample.
    #[must_use]
    pub fn label(&self, sample: usize) -> u32 {
        let logits = self.logits_of(sample);
        let best =
            (1..logits.len()).fold(0, |best, class| if logits[class] > logits[best] { class } else { best });
        u32::try_from(best).expect("classes fit u32")
    }

    /// The classes of all samples, `[sample]`.
    #[must_use]
    pub fn labels(&self) -> Vec<u32> {
        (0..self.samples()).map(|sample| self.label(sample)).collect()
    }

    /// The cross-entropy of one sample in nats, `-ln p(label)`, from the logits, so that it stays finite
    /// if the probability is too small for f32.
    pub(super) fn cross_entropy(&self, sample: usize, label: usize) -> f64 {
        let logits = self.logits_of(sample);
        log_sum_exp(logits) - f64::from(logits[label])
    }

    fn logits_of(&self, sample: usize) -> &[f32] {
        &self.logits[sample * self.classes..][..self.classes]
    }
}

#[doc(hidden)]
impl Predictions {
    /// Number of samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.logits.len() / self.classes
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// All logits, `[sample][class]`.
    #[must_use]
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }
}

/// `ln(sum of exp(logit))`, which stays finite.
pub(super) fn log_sum_exp(logits: &[f32]) -> f64 {
    let max = f64::from(logits.iter().copied().fold(f32::MIN, f32::max));
    let sum: f64 = logits.iter().map(|logit| (f64::from(*logit) - max).exp()).sum();
    sum.ln() + max
}

#[expect(clippy::cast_possible_truncation, reason = "probabilities are kept as f32")]
fn softmax(logits: &[f32], probabilities: &mut [f32]) {
    let max = f64::from(logits.iter().copied().fold(f32::MIN, f32::max));
    let exponentials: Vec<f64> = logits.iter().map(|logit| (f64::from(*logit) - max).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    probabilities.iter_mut().zip(&exponentials).for_each(|(p, e)| *p = (e / sum) as f32);
}
