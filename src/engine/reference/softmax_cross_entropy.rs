//! Loss: softmax of the logits, cross-entropy with the (smoothed) labels, gradient of its mean.
//!
//! Twin: `shaders/softmax_cross_entropy.wgsl`.

use super::Matrix;
use crate::engine::Errors;

/// The loss of one batch.
#[derive(Clone, Debug)]
pub struct Loss {
    /// Loss summed over the samples, each times its weight; of classes the cross-entropy in nats.
    pub sum: f64,
    /// Samples whose greatest logit (the first of equals) is their label's; with several labels, those with no wrong one.
    pub correct: u32,
    /// Sums of the errors of regression.
    pub errors: Errors,
    /// Gradient of the mean loss by the logits, `[class][sample]`; of classes `weight (softmax - target) / samples`.
    pub delta: Matrix,
}

/// Takes logits `[class][sample]` and the label and weight of each sample. The target of a class is
/// `smoothing / classes`, plus `1 - smoothing` for the label's class.
pub fn softmax_cross_entropy(logits: &Matrix, (labels, weights): (&[u32], &[f64]), smoothing: f64) -> Loss {
    let (classes, samples) = (logits.rows(), logits.columns());
    let mut loss =
        Loss { sum: 0.0, correct: 0, errors: Errors::default(), delta: Matrix::zeros(classes, samples) };
    for (column, (label, weight)) in labels.iter().zip(weights).enumerate() {
        let logit = |class: usize| logits.row(class)[column];
        let mut best = 0;
        for class in 1..classes {
            if logit(class) > logit(best) {
                best = class;
            }
        }
        let sum: f64 = (0..classes).map(|class| (logit(class) - logit(best)).exp()).sum();
        let label = *label as usize;
        loss.sum += weight * (sum.ln() + logit(best) - logit(label));
        // A target spread evenly over all classes replaces the label's logit by the mean.
        let mean = (0..classes).map(logit).sum::<f64>() / classes as f64;
        loss.sum += weight * smoothing * (logit(label) - mean);
        loss.correct += u32::from(best == label);
        for class in 0..classes {
            let own = if class == label { 1.0 - smoothing } else { 0.0 };
            let target = own + smoothing / classes as f64;
            let probability = (logit(class) - logit(best)).exp() / sum;
            loss.delta.row_mut(class)[column] = weight * (probability - target) / samples as f64;
        }
    }
    loss
}
