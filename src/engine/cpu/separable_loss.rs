//! Loss of one chunk whose outputs are compared with their targets one by one, and its gradient by the outputs.
//!
//! Twin: `src/engine/reference/separable_loss.rs`.

use pulp::Arch;

use super::elementary::exp;
use super::row::{LANES, Row};
use super::softmax_cross_entropy::ChunkLoss;
use crate::engine::{Errors, LossKind, LossRule};

/// Takes outputs `[output]`, their targets `[sample][output]` and the weights of the first lanes; overwrites `delta`
/// with the gradient times `scale` there and with 0 in the other lanes.
///
/// # Panics
/// When the rule is the cross-entropy of classes.
pub fn separable_loss(
    arch: Arch,
    outputs: &[Row],
    (targets, weights): (&[&[f32]], &[f32]),
    rule: LossRule,
    scale: f32,
    delta: &mut [Row],
) -> ChunkLoss {
    arch.dispatch(
        #[inline(always)]
        || run(outputs, (targets, weights), rule, scale, delta),
    )
}

#[inline(always)]
fn run(
    outputs: &[Row],
    (targets, weights): (&[&[f32]], &[f32]),
    rule: LossRule,
    scale: f32,
    delta: &mut [Row],
) -> ChunkLoss {
    let share = 1.0 / outputs.len() as f32;
    let (mut sums, mut squared, mut absolute) = ([0.0_f64; LANES], 0.0_f64, 0.0_f64);
    let mut are_right = [true; LANES];
    for (output, (row, delta)) in outputs.iter().zip(delta).enumerate() {
        *delta = Row::ZERO;
        for (lane, target) in targets.iter().enumerate() {
            let (z, target) = (row.0[lane], target[output]);
            let (value, slope) = value_and_slope(rule, z, target);
            sums[lane] += f64::from(value);
            delta.0[lane] = slope * (share * scale) * weights[lane];
            let error = f64::from(z - target);
            squared += error * error;
            absolute += error.abs();
            are_right[lane] &= (z > 0.0) == (target > 0.5);
        }
    }
    let share = f64::from(share);
    let sum = sums.iter().zip(weights).map(|(sum, weight)| f64::from(*weight) * share * sum).sum();
    let right = are_right[..targets.len()].iter().map(|right| u32::from(*right)).sum();
    let correct = if rule.kind == LossKind::BinaryCrossEntropy { right } else { 0 };
    ChunkLoss { sum, correct, errors: Errors { squared: share * squared, absolute: share * absolute } }
}

/// The loss of one output, and its derivative by the output.
#[inline(always)]
fn value_and_slope(rule: LossRule, z: f32, target: f32) -> (f32, f32) {
    let error = z - target;
    match rule.kind {
        LossKind::Squared => (0.5 * error * error, error),
        LossKind::Absolute => (error.abs(), sign(error)),
        LossKind::Huber if error.abs() <= rule.delta => (0.5 * error * error, error),
        LossKind::Huber => (rule.delta * (error.abs() - 0.5 * rule.delta), rule.delta * sign(error)),
        LossKind::BinaryCrossEntropy => {
            let below = exp::<false>(-z.abs());
            // exp(-|z|) / (1 + exp(-|z|)) is the probability of the less likely of 0 and 1.
            let less_likely = below / (1.0 + below);
            let probability = if z > 0.0 { 1.0 - less_likely } else { less_likely };
            (z.max(0.0) - z * target + below.ln_1p(), probability - target)
        }
        LossKind::CrossEntropy => panic!("classes are compared together"),
    }
}

/// -1, 0 or 1; NaN of NaN.
#[inline(always)]
fn sign(error: f32) -> f32 {
    if error == 0.0 { 0.0 } else { error.signum() }
}
