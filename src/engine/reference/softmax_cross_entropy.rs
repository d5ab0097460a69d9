//! Loss: softmax of the logits, cross-entropy with the (smoothed) labels, gradient of its mean.
//!
//! Twin: `shaders/softmax_cross_entropy.wgsl`.

use super::Matrix;

/// The loss of one batch.
#[derive(Clone, Debug)]
pub struct Loss {
    /// Cross-entropy in nats, summed over the samples.
    pub sum: f64,
    /// Samples whose greatest logit (the first of equals) is their label's.
    pub correct: u32,
    /// Gradient of the mean loss by the logits, `(softmax - target) / samples`, `[class][sample]`.
    pub delta: Matrix,
}

/// Takes logits `[class][sample]` and one label for each sample. The target of a class is
/// `smoothing / classes`, plus `1 - smoothing` for the label's class.
pub fn softmax_cross_entropy(logits: &Matrix, labels: &[u32], smoothing: f64) -> Loss {
    let (classes, samples) = (logits.rows(), logits.columns());
    let mut loss = Loss { sum: 0.0, correct: 0, delta: Matrix::zeros(classes, samples) };
    for (column, label) in labels.iter().enumerate() {
        let logit = |class: usize| logits.row(class)[column];
        let mut best = 0;
        for class in 1..classes {
            if logit(class) > logit(best) {
                best = class;
            }
        }
        let sum: f64 = (0..classes).map(|class| (logit(class) - logit(best)).exp()).sum();
        let label = *label as usize;
        loss.sum += sum.ln() + logit(best) - logit(label);
        // A target spread evenly over all classes replaces the label's logit by the mean.
        let mean = (0..classes).map(logit).sum::<f64>() / classes as f64;
        loss.sum += smoothing * (logit(label) - mean);
        loss.correct += u32::from(best == label);
        for class in 0..classes {
            let own = if class == label { 1.0 - smoothing } else { 0.0 };
            let target = own + smoothing / classes as f64;
            let probability = (logit(class) - logit(best)).exp() / sum;
            loss.delta.row_mut(class)[column] = (probability - target) / samples as f64;
        }
    }
    loss
}
