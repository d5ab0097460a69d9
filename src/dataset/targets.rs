//! What the samples of a data set are to be predicted as: classes or numbers.

use serde::{Deserialize, Serialize};

use super::check_labels;
#[cfg(feature = "train")]
use super::spread;
use crate::named::named;
use crate::{Error, Result};

named! {
    /// What a network learns to predict.
    #[derive(Default, PartialOrd, Ord)]
    pub enum Task {
        /// One class for each sample.
        #[default]
        Classification = "classification",
        /// One or several numbers for each sample.
        Regression = "regression",
        /// Several labels for each sample, each of which it has or has not.
        MultiLabel = "multilabel",
    }
}

impl Task {
    /// Whether classes are predicted.
    #[must_use]
    pub fn is_classification(&self) -> bool {
        *self == Self::Classification
    }
}

/// What the targets of regression are counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Centre {
    /// The mean, in deviations.
    Mean,
    #[cfg(feature = "train")]
    /// The median, in units that single outliers do not change.
    Median,
}

/// A number that is predicted: how it is called, and how outputs are turned into its units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetRecord {
    /// Name of its column.
    pub name: String,
    /// The output 0: the mean over the training samples, their median for losses that outliers hardly change; 0 if it is one of
    /// several labels.
    pub mean: f64,
    /// The unit of outputs: the deviation over the training samples, or a robust estimate of it; 1 if it is one of several
    /// labels.
    pub deviation: f64,
}

impl TargetRecord {
    /// The records of targets, from training samples, each of which counts by its weight, if there are weights; names may be
    /// fewer than targets.
    pub(crate) fn of(
        targets: &Targets,
        weights: Option<&[f32]>,
        names: impl IntoIterator<Item = String>,
    ) -> Vec<Self> {
        Self::fitted(targets, weights, names, Centre::Mean)
    }

    /// As [`TargetRecord::of`], around this centre.
    pub(crate) fn fitted(
        targets: &Targets,
        weights: Option<&[f32]>,
        names: impl IntoIterator<Item = String>,
        centre: Centre,
    ) -> Vec<Self> {
        let count = targets.outputs();
        let weight = |sample: usize| weights.map_or(1.0, |weights| f64::from(weights[sample]));
        let all: f64 = (0..targets.samples()).map(weight).sum();
        let record = |(target, name): (usize, String)| {
            let values = || {
                let values = targets.values().iter().skip(target).step_by(count).enumerate();
                values.map(|(sample, value)| (weight(sample), f64::from(*value)))
            };
            if targets.task() != Task::Regression {
                return Self { name, mean: 0.0, deviation: 1.0 };
            }
            let mean = values().map(|(weight, value)| weight * value).sum::<f64>() / all;
            let variance = values().map(|(weight, value)| weight * (value - mean).powi(2)).sum::<f64>() / all;
            // A target of one value has no deviation; any other one will do.
            let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
            match centre {
                Centre::Mean => Self { name, mean, deviation },
                #[cfg(feature = "train")]
                Centre::Median => {
                    let (mean, robust) = spread::of(values());
                    Self { name, mean, deviation: robust.unwrap_or(deviation) }
                }
            }
        };
        names.into_iter().take(count).enumerate().map(record).collect()
    }

    /// A value in deviations from the centre.
    #[expect(clippy::cast_possible_truncation, reason = "engines compare float32")]
    pub(crate) fn scaled(&self, value: f32) -> f32 {
        ((f64::from(value) - self.mean) / self.deviation) as f32
    }

    /// An output in the units of the target.
    pub(crate) fn in_units(&self, output: f32) -> f64 {
        f64::from(output) * self.deviation + self.mean
    }

    pub(super) fn check(&self, task: Task) -> Result<()> {
        let is_unscaled = self.mean == 0.0 && self.deviation == 1.0;
        let is_possible = self.mean.is_finite() && self.deviation.is_finite() && self.deviation > 0.0;
        if is_possible && (task == Task::Regression || is_unscaled) {
            return Ok(());
        }
        let Self { name, mean, deviation } = self;
        Err(Error::Dataset(format!("target {name:?} has the mean {mean} and the deviation {deviation}")))
    }
}

/// What each sample is to be predicted as.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// A class for each sample.
    Classes {
        /// `[sample]`, each below `count`.
        labels: Vec<u32>,
        /// Number of classes.
        count: usize,
    },
    /// Numbers for each sample: of regression any, of several labels 0 or 1.
    Numbers {
        /// [`Task::Regression`] or [`Task::MultiLabel`].
        task: Task,
        /// `[sample][target]`, row-major.
        values: Vec<f32>,
        /// Number of targets of a sample.
        count: usize,
    },
}

impl Targets {
    /// The task that these are targets of.
    #[must_use]
    pub fn task(&self) -> Task {
        match self {
            Self::Classes { .. } => Task::Classification,
            Self::Numbers { task, .. } => *task,
        }
    }

    /// Number of outputs that predict them: classes, or targets of a sample.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match self {
            Self::Classes { count, .. } | Self::Numbers { count, .. } => *count,
        }
    }

    /// The classes, `[sample]`; empty for numbers.
    #[must_use]
    pub fn labels(&self) -> &[u32] {
        match self {
            Self::Classes { labels, .. } => labels,
            Self::Numbers { .. } => &[],
        }
    }

    /// The numbers, `[sample][target]`; empty for classes.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        match self {
            Self::Classes { .. } => &[],
            Self::Numbers { values, .. } => values,
        }
    }

    /// Number of samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Numbers { values, count, .. } => values.len() / count.max(&1),
        }
    }

    /// The numbers of the targets that are the same in all samples.
    #[cfg(feature = "train")]
    pub(crate) fn constant(&self) -> Vec<usize> {
        let (values, count) = (self.values(), self.outputs());
        let is_constant = |target: &usize| {
            let mut values = values.iter().skip(*target).step_by(count);
            let first = values.next();
            values.all(|value| Some(value) == first)
        };
        if values.is_empty() { Vec::new() } else { (0..count).filter(is_constant).collect() }
    }

    /// Those of the first sample alone.
    #[cfg(feature = "train")]
    pub(crate) fn first(&self) -> Self {
        match self {
            Self::Classes { labels, count } => Self::Classes { labels: labels[..1].to_vec(), count: *count },
            Self::Numbers { task, values, count } => {
                Self::Numbers { task: *task, values: values[..*count].to_vec(), count: *count }
            }
        }
    }

    /// Keeps the samples for which `keep` is true, in order.
    pub(super) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        match self {
            Self::Classes { labels, .. } => super::retain_rows(labels, 1, keep),
            Self::Numbers { values, count, .. } => super::retain_rows(values, *count, keep),
        }
    }

    /// The samples for which `keep` is true, in order.
    pub(super) fn select(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut selected = self.clone();
        selected.retain(keep);
        selected
    }

    /// Refuses targets that do not fit so many feature values, or break an invariant of [`Dataset`](super::Dataset).
    pub(super) fn check(&self, values: usize, feature_count: usize) -> Result<()> {
        let fail = |reason: String| Err(Error::Dataset(reason));
        let (targets, count) = match self {
            Self::Classes { labels, count } => return check_labels(values, feature_count, labels, *count),
            Self::Numbers { values, count, .. } => (values, *count),
        };
        if targets.is_empty() {
            return fail("0 samples, at least 1 is needed".to_owned());
        }
        if feature_count == 0 || count == 0 {
            return fail(format!(
                "{feature_count} features and {count} targets, at least 1 of each is needed"
            ));
        }
        let samples = targets.len() / count;
        if !targets.len().is_multiple_of(count) || samples.checked_mul(feature_count) != Some(values) {
            return fail(format!(
                "{values} feature values do not fit {} target values with {feature_count} features and {count} targets each",
                targets.len()
            ));
        }
        let is_valid = |value: &f32| match self.task() {
            Task::MultiLabel => *value == 0.0 || *value == 1.0,
            _ => value.is_finite(),
        };
        let Some(place) = targets.iter().position(|value| !is_valid(value)) else { return Ok(()) };
        let expected = if self.task() == Task::MultiLabel { "0 or 1" } else { "a finite number" };
        fail(format!(
            "target {} of sample {} is {}, but it must be {expected}",
            place % count,
            place / count,
            targets[place]
        ))
    }
}
