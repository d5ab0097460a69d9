//! Scores of predicted numbers: of regression and of several labels.

use serde::Serialize;

use super::Predictions;
use crate::dataset::{TargetRecord, Targets, Task};
use crate::{Error, Result};

/// The scores of one target of regression.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetScores {
    /// Name of the target.
    pub name: String,
    /// Root of the mean squared error, in units of the target.
    pub rmse: f64,
    /// Mean absolute error, in units of the target.
    pub mae: f64,
    /// Share of the variance that is explained: 1 less the squared errors over those of the mean of these samples; `None`
    /// if all have the same value.
    pub r2: Option<f64>,
}

/// Predicted numbers compared with those of the samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RegressionScores {
    /// Number of samples.
    pub samples: usize,
    /// That of the target; of several, the root of the mean of their squared errors in deviations of the training samples.
    pub rmse: f64,
    /// That of the target; of several, the mean of their absolute errors in deviations of the training samples.
    pub mae: f64,
    /// Mean over the targets that have one.
    pub r2: Option<f64>,
    /// Whether `rmse` and `mae` are in deviations, not in units.
    pub in_deviations: bool,
    /// `[target]`.
    pub per_target: Vec<TargetScores>,
}

/// The scores of one label of several.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelScores {
    /// Name of the label.
    pub name: String,
    /// Share of samples for which it is predicted as it is.
    pub accuracy: f64,
    /// Share of correct ones among the samples predicted to have it; 0 if there are none.
    pub precision: f64,
    /// Share of correct ones among the samples that have it; 0 if there are none.
    pub recall: f64,
    /// Harmonic mean of the two; 0 if both are 0.
    pub f1: f64,
    /// Area under the ROC curve; `None` if all or no samples have it.
    pub auc: Option<f64>,
    /// Number of samples that have it.
    pub support: usize,
}

/// Several predicted labels compared with those of the samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MultiLabelScores {
    /// Number of samples.
    pub samples: usize,
    /// Number of samples all of whose labels are predicted.
    pub correct: usize,
    /// Share of them.
    pub subset_accuracy: f64,
    /// Share of right labels of all samples.
    pub label_accuracy: f64,
    /// Mean binary cross-entropy in nats, over labels and samples.
    pub log_loss: f64,
    /// Mean of the labels' F1.
    pub macro_f1: f64,
    /// F1 of all labels together.
    pub micro_f1: f64,
    /// Mean of the labels' areas under the ROC curve, over those that have one.
    pub macro_auc: Option<f64>,
    /// `[label]`.
    pub per_label: Vec<LabelScores>,
}

impl RegressionScores {
    /// Compares predictions with the numbers of the same samples, in units of the targets.
    ///
    /// # Errors
    /// [`Error::Dataset`] when they do not fit.
    pub fn new(predictions: &Predictions, targets: &Targets, records: &[TargetRecord]) -> Result<Self> {
        check(predictions, targets, Task::Regression, records)?;
        let (count, samples) = (records.len(), predictions.samples());
        let (mut per_target, mut squared, mut absolute) = (Vec::new(), 0.0, 0.0);
        for (number, record) in records.iter().enumerate() {
            let truth = || targets.values().iter().skip(number).step_by(count).map(|value| f64::from(*value));
            let errors =
                truth().enumerate().map(|(sample, value)| predictions.values_of(sample)[number] - value);
            let (square, size) =
                errors.fold((0.0, 0.0), |(square, size), e| (square + e * e, size + e.abs()));
            let mean = truth().sum::<f64>() / samples as f64;
            let variance: f64 = truth().map(|value| (value - mean).powi(2)).sum();
            let (mse, mae) = (square / samples as f64, size / samples as f64);
            squared += mse / record.deviation.powi(2);
            absolute += mae / record.deviation;
            per_target.push(TargetScores {
                name: record.name.clone(),
                rmse: mse.sqrt(),
                mae,
                r2: (variance > 0.0).then(|| 1.0 - square / variance),
            });
        }
        let in_deviations = count > 1;
        let (rmse, mae) = if in_deviations {
            ((squared / count as f64).sqrt(), absolute / count as f64)
        } else {
            (per_target[0].rmse, per_target[0].mae)
        };
        let r2 = mean(per_target.iter().filter_map(|target| target.r2));
        Ok(Self { samples, rmse, mae, r2, in_deviations, per_target })
    }
}

impl MultiLabelScores {
    /// Compares predictions with the labels of the same samples; a label is predicted from a probability of 1/2 on.
    ///
    /// # Errors
    /// [`Error::Dataset`] when they do not fit.
    pub fn new(predictions: &Predictions, targets: &Targets, records: &[TargetRecord]) -> Result<Self> {
        check(predictions, targets, Task::MultiLabel, records)?;
        let (count, samples) = (records.len(), predictions.samples());
        let (mut per_label, mut right_labels, mut log_loss) = (Vec::new(), 0, 0.0);
        let mut is_right = vec![true; samples];
        let mut all = Counts::default();
        for (number, record) in records.iter().enumerate() {
            let has = |sample: usize| targets.values()[sample * count + number] > 0.5;
            let logit = |sample: usize| f64::from(predictions.logits()[sample * count + number]);
            let mut counts = Counts::default();
            for (sample, is_right) in is_right.iter_mut().enumerate() {
                let (z, truth) = (logit(sample), has(sample));
                counts.add(z > 0.0, truth);
                *is_right &= (z > 0.0) == truth;
                log_loss += z.max(0.0) - if truth { z } else { 0.0 } + (-z.abs()).exp().ln_1p();
            }
            right_labels += counts.right;
            all = all + counts;
            per_label.push(LabelScores {
                name: record.name.clone(),
                accuracy: counts.right as f64 / samples as f64,
                precision: share(counts.both, counts.predicted),
                recall: share(counts.both, counts.present),
                f1: counts.f1(),
                auc: roc_auc((0..samples).map(|sample| (logit(sample), has(sample)))),
                support: counts.present,
            });
        }
        let correct = is_right.iter().filter(|right| **right).count();
        let labels = (samples * count) as f64;
        Ok(Self {
            samples,
            correct,
            subset_accuracy: correct as f64 / samples as f64,
            label_accuracy: right_labels as f64 / labels,
            log_loss: log_loss / labels,
            macro_f1: mean(per_label.iter().map(|label| label.f1)).unwrap_or(0.0),
            micro_f1: all.f1(),
            macro_auc: mean(per_label.iter().filter_map(|label| label.auc)),
            per_label,
        })
    }
}

/// Numbers of samples.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    predicted: usize,
    present: usize,
    both: usize,
    right: usize,
}

impl Counts {
    fn add(&mut self, predicted: bool, present: bool) {
        self.predicted += usize::from(predicted);
        self.present += usize::from(present);
        self.both += usize::from(predicted && present);
        self.right += usize::from(predicted == present);
    }

    fn f1(self) -> f64 {
        share(2 * self.both, self.predicted + self.present)
    }
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            predicted: self.predicted + other.predicted,
            present: self.present + other.present,
            both: self.both + other.both,
            right: self.right + other.right,
        }
    }
}

fn share(part: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

/// The mean of some values; `None` of none.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The probability that a sample that has the label gets the higher score, ties counting half (Mann and Whitney); `None` if
/// all or no samples have it.
fn roc_auc(scored: impl Iterator<Item = (f64, bool)>) -> Option<f64> {
    let mut scored: Vec<(f64, bool)> = scored.collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = scored.iter().filter(|(_, has)| *has).count();
    let negatives = scored.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let (mut below, mut wins) = (0_usize, 0.0);
    for ties in scored.chunk_by(|a, b| a.0 == b.0) {
        let with = ties.iter().filter(|(_, has)| *has).count();
        let without = ties.len() - with;
        wins += with as f64 * (below as f64 + 0.5 * without as f64);
        below += without;
    }
    Some(wins / positives as f64 / negatives as f64)
}

fn check(predictions: &Predictions, targets: &Targets, task: Task, records: &[TargetRecord]) -> Result<()> {
    let fits = targets.task() == task
        && targets.outputs() == records.len()
        && predictions.classes() == records.len()
        && predictions.samples() == targets.samples();
    if fits {
        return Ok(());
    }
    Err(Error::Dataset(format!(
        "{} targets of {} samples for {} do not fit {} predictions of {} samples for {task}",
        targets.outputs(),
        targets.samples(),
        targets.task(),
        predictions.classes(),
        predictions.samples()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::DataRecord;

    fn records(task: Task, targets: &[(&str, f64, f64)]) -> DataRecord {
        let record = |(name, mean, deviation): &(&str, f64, f64)| TargetRecord {
            name: (*name).into(),
            mean: *mean,
            deviation: *deviation,
        };
        DataRecord { task, targets: targets.iter().map(record).collect(), ..DataRecord::default() }
    }

    #[test]
    fn errors_are_in_the_units_of_the_target() {
        let data = records(Task::Regression, &[("price", 100.0, 10.0)]);
        // Predictions 100, 110, 90 of 100, 120, 80.
        let predictions = Predictions::of_model(vec![0.0, 1.0, -1.0], 1, &data).unwrap();
        let values = vec![100.0, 120.0, 80.0];
        let targets = Targets::Numbers { task: Task::Regression, values, count: 1 };
        let scores = RegressionScores::new(&predictions, &targets, &data.targets).unwrap();
        assert!((scores.rmse - (200.0_f64 / 3.0).sqrt()).abs() < 1e-9 && !scores.in_deviations);
        assert!((scores.mae - 20.0 / 3.0).abs() < 1e-9);
        assert_eq!(scores.r2, Some(1.0 - 200.0 / 800.0));
        assert_eq!(predictions.of(1), [110.0]);
    }

    #[test]
    fn several_labels_are_counted_each_and_together() {
        let data = records(Task::MultiLabel, &[("a", 0.0, 1.0), ("b", 0.0, 1.0)]);
        let logits = vec![1.0, -1.0, 2.0, 1.0, -1.0, -2.0, -2.0, 3.0];
        let predictions = Predictions::of_model(logits, 2, &data).unwrap();
        let values = vec![1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0];
        let targets = Targets::Numbers { task: Task::MultiLabel, values, count: 2 };
        let scores = MultiLabelScores::new(&predictions, &targets, &data.targets).unwrap();
        assert_eq!((scores.correct, scores.subset_accuracy, scores.label_accuracy), (2, 0.5, 0.75));
        let [a, b] = &scores.per_label[..] else { panic!() };
        assert_eq!((a.precision, a.recall, a.f1, a.support), (1.0, 2.0 / 3.0, 0.8, 3));
        assert_eq!((b.precision, b.recall, b.support), (0.5, 1.0, 1));
        assert_eq!((a.auc, b.auc), (Some(1.0), Some(1.0)));
        assert_eq!(scores.micro_f1, 2.0 * 3.0 / 8.0);
        assert_eq!(roc_auc([(0.0, true), (0.0, false)].into_iter()), Some(0.5));
        assert_eq!(roc_auc([(0.0, true)].into_iter()), None);
    }
}
