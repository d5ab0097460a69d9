//! The metrics of a step, as the host adds them up.

use super::super::uniforms::Metric;
use crate::engine::{Errors, Evaluation};

/// The metrics of one step, over all workgroups.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in super::super) struct Seen {
    /// Loss, summed over the batch.
    pub(in super::super) loss: f64,
    /// Samples whose greatest logit was their label's; with several labels, those with no wrong one.
    pub(in super::super) correct: u32,
    /// Sums of the errors of regression.
    pub(in super::super) errors: Errors,
}

impl Seen {
    /// With the metrics of another workgroup.
    pub(super) fn plus(self, metric: &Metric) -> Self {
        let errors = Errors { squared: metric.squared.into(), absolute: metric.absolute.into() };
        Self {
            loss: self.loss + f64::from(metric.loss),
            correct: self.correct + metric.correct,
            errors: self.errors + errors,
        }
    }

    /// The results of all batches of a data set.
    pub(in super::super) fn evaluation(seen: &[Self], samples: usize) -> Evaluation {
        let loss: f64 = seen.iter().map(|seen| seen.loss).sum();
        Evaluation {
            loss: loss / samples as f64,
            correct: seen.iter().map(|seen| seen.correct as usize).sum(),
            samples,
            errors: seen.iter().fold(Errors::default(), |sum, seen| sum + seen.errors),
        }
    }
}
