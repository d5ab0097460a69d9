//! Loss of outputs that are compared with their targets one by one: the mean over them, and its gradient.
//!
//! Twin: `shaders/separable_loss.wgsl`.

use super::Matrix;
use super::softmax_cross_entropy::Loss;
use crate::engine::{Errors, LossKind, LossRule};

/// Takes outputs and targets, both `[output][sample]`, and the weight of each sample in the mean loss.
///
/// # Panics
/// When the rule is the cross-entropy of classes.
pub fn separable_loss(outputs: &Matrix, targets: &Matrix, weights: &[f64], rule: LossRule) -> Loss {
    let (count, samples) = (outputs.rows(), outputs.columns());
    let mut loss =
        Loss { sum: 0.0, correct: 0, errors: Errors::default(), delta: Matrix::zeros(count, samples) };
    for (column, weight) in weights.iter().enumerate() {
        let mut are_right = true;
        for output in 0..count {
            let (z, target) = (outputs.row(output)[column], targets.row(output)[column]);
            let (value, slope) = value_and_slope(rule, z, target);
            let share = 1.0 / count as f64;
            loss.sum += weight * share * value;
            loss.delta.row_mut(output)[column] = weight * share * slope / samples as f64;
            let error = z - target;
            loss.errors.squared += share * error * error;
            loss.errors.absolute += share * error.abs();
            are_right &= (z > 0.0) == (target > 0.5);
        }
        loss.correct += u32::from(are_right && rule.kind == LossKind::BinaryCrossEntropy);
    }
    loss
}

/// The loss of one output, and its derivative by the output.
fn value_and_slope(rule: LossRule, z: f64, target: f64) -> (f64, f64) {
    let (error, delta) = (z - target, f64::from(rule.delta));
    match rule.kind {
        LossKind::Squared => (error * error / 2.0, error),
        LossKind::Absolute if error == 0.0 => (0.0, 0.0),
        LossKind::Absolute => (error.abs(), error.signum()),
        LossKind::Huber if error.abs() <= delta => (error * error / 2.0, error),
        LossKind::Huber => (delta * (error.abs() - delta / 2.0), delta * error.signum()),
        LossKind::BinaryCrossEntropy => {
            let value = z.max(0.0) - z * target + (-z.abs()).exp().ln_1p();
            (value, 1.0 / (1.0 + (-z).exp()) - target)
        }
        LossKind::CrossEntropy => panic!("classes are compared together"),
    }
}
