//! What a run is scored by: a metric, and which direction of it is better.

use std::cmp::Ordering;

use crate::dataset::Task;
use crate::engine::Evaluation;
use crate::named::named;

named! {
    /// A measure of predictions.
    #[derive(Default)]
    pub enum Metric {
        /// Share of samples whose predicted class is the label.
        #[default]
        Accuracy = "accuracy",
        /// Root of the mean squared error.
        Rmse = "rmse",
        /// Share of samples all of whose labels are predicted.
        SubsetAccuracy = "subset_accuracy",
    }
}

impl Metric {
    /// The one that epochs of a task are compared by.
    #[must_use]
    pub const fn of_task(task: Task) -> Self {
        match task {
            Task::Classification => Self::Accuracy,
            Task::Regression => Self::Rmse,
            Task::MultiLabel => Self::SubsetAccuracy,
        }
    }

    /// Whether this is the accuracy of classes.
    #[must_use]
    pub fn is_accuracy(&self) -> bool {
        *self == Self::Accuracy
    }

    /// Whether lower values are better.
    #[must_use]
    pub const fn lower_is_better(self) -> bool {
        match self {
            Self::Rmse => true,
            Self::Accuracy | Self::SubsetAccuracy => false,
        }
    }

    /// Whether values are shares from 0 to 1, shown in per cent.
    #[must_use]
    pub const fn is_share(self) -> bool {
        match self {
            Self::Accuracy | Self::SubsetAccuracy => true,
            Self::Rmse => false,
        }
    }

    /// Which of two values is better: `Greater` if it is the first. NaN is never better.
    #[must_use]
    pub fn compare(self, one: f64, other: f64) -> Ordering {
        let order = one.partial_cmp(&other).unwrap_or(Ordering::Equal);
        if self.lower_is_better() { order.reverse() } else { order }
    }

    /// Whether a value is at least as good as a target.
    #[must_use]
    pub fn reaches(self, value: f64, target: f64) -> bool {
        if self.lower_is_better() { value <= target } else { value >= target }
    }

    /// Its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Rmse => "RMSE",
            Self::SubsetAccuracy => "subset accuracy",
        }
    }

    /// Its short name in lines of progress.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::Accuracy | Self::SubsetAccuracy => "acc",
            Self::Rmse => "RMSE",
        }
    }

    /// A number that is higher for better values.
    #[must_use]
    pub fn goodness(self, value: f64) -> f64 {
        if self.lower_is_better() { -value } else { value }
    }

    /// A value for people: `88.58 %`, or a number with 4 digits.
    #[must_use]
    pub fn shown(self, value: f64) -> String {
        if self.is_share() { format!("{:.2} %", 100.0 * value) } else { crate::text::digits(value, 4) }
    }
}

/// How the results of an engine become a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scoring {
    /// The metric.
    pub metric: Metric,
    /// Factor of errors, which engines measure in deviations.
    pub scale: f64,
}

impl Default for Scoring {
    fn default() -> Self {
        Self { metric: Metric::Accuracy, scale: 1.0 }
    }
}

impl Scoring {
    /// The score of some results.
    #[must_use]
    pub fn of(&self, evaluation: &Evaluation) -> f64 {
        match self.metric {
            Metric::Accuracy | Metric::SubsetAccuracy => evaluation.accuracy(),
            Metric::Rmse => self.scale * (evaluation.errors.squared / evaluation.samples as f64).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_knows_what_is_better() {
        assert_eq!(Metric::Accuracy.compare(0.9, 0.8), Ordering::Greater);
        assert_eq!(Metric::Rmse.compare(0.9, 0.8), Ordering::Less);
        assert!(Metric::Rmse.reaches(0.5, 0.5) && !Metric::Rmse.reaches(0.6, 0.5));
        assert!(Metric::Accuracy.reaches(0.6, 0.5) && !Metric::Accuracy.reaches(0.4, 0.5));
        for metric in Metric::ALL {
            assert_eq!(metric.compare(1.0, 1.0), Ordering::Equal);
            assert_eq!(metric.compare(f64::NAN, 1.0), Ordering::Equal);
        }
        assert_eq!(Metric::Accuracy.shown(0.885_81), "88.58 %");
        assert_eq!(Metric::Rmse.shown(54.321_98), "54.32");
        assert_eq!(Metric::Rmse.shown(0.001_234_56), "0.001235");
        assert_eq!(Metric::Rmse.shown(123_456.7), "123457");
    }
}
