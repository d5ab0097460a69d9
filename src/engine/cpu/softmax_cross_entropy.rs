//! Loss of one chunk: softmax, cross-entropy with the (smoothed) labels, gradient by the logits.
//!
//! Twin: `src/engine/reference/softmax_cross_entropy.rs`.

use pulp::Arch;

use super::elementary::exp;
use super::row::{LANES, Row};
use crate::engine::Errors;

/// The contribution of one chunk to the loss of its batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChunkLoss {
    /// Loss summed over the samples, each times its weight; of classes the cross-entropy in nats.
    pub sum: f64,
    /// Samples whose greatest logit (the first of equals) is their label's; with several labels, those with no wrong one.
    pub correct: u32,
    /// Sums of the errors of regression.
    pub errors: Errors,
}

/// Takes logits `[class]` and the labels and weights of the first lanes, smoothed by `smoothing`; overwrites
/// `delta` with `(softmax - target) * scale * weight` there and with 0 in the other lanes.
pub fn softmax_cross_entropy(
    arch: Arch,
    logits: &[Row],
    (labels, weights): (&[u32], &[f32]),
    smoothing: f32,
    scale: f32,
    delta: &mut [Row],
) -> ChunkLoss {
    arch.dispatch(
        #[inline(always)]
        || run(logits, (labels, weights), smoothing, scale, delta),
    )
}

#[inline(always)]
fn run(
    logits: &[Row],
    (labels, weights): (&[u32], &[f32]),
    smoothing: f32,
    scale: f32,
    delta: &mut [Row],
) -> ChunkLoss {
    let (mut greatest, mut best) = (logits[0].0, [0u32; LANES]);
    for (class, row) in (0u32..).zip(logits).skip(1) {
        for lane in 0..LANES {
            let better = row.0[lane] > greatest[lane];
            best[lane] = if better { class } else { best[lane] };
            greatest[lane] = if better { row.0[lane] } else { greatest[lane] };
        }
    }
    let mut sums = [0.0; LANES];
    for (row, delta) in logits.iter().zip(&mut *delta) {
        for lane in 0..LANES {
            delta.0[lane] = exp::<false>(row.0[lane] - greatest[lane]);
            sums[lane] += delta.0[lane];
        }
    }
    let mut factors = [0.0; LANES];
    for ((factor, sum), weight) in factors.iter_mut().zip(sums).zip(weights) {
        *factor = scale * weight / sum;
    }
    for row in &mut *delta {
        for (value, factor) in row.0.iter_mut().zip(factors) {
            *value *= factor;
        }
    }
    let mut loss = ChunkLoss::default();
    if smoothing > 0.0 {
        loss.sum = smooth(logits, (labels, weights), smoothing, scale, delta);
    }
    for (lane, (label, weight)) in labels.iter().zip(weights).enumerate() {
        delta[*label as usize].0[lane] -= scale * weight * (1.0 - smoothing);
        let above = greatest[lane] - logits[*label as usize].0[lane];
        loss.sum += f64::from(*weight) * (f64::from(sums[lane]).ln() + f64::from(above));
        loss.correct += u32::from(best[lane] == *label);
    }
    loss
}

/// Subtracts every class's share of the targets from the deltas, and returns what moving the targets
/// adds to the loss: the mean of all logits replaces the label's.
#[inline(always)]
fn smooth(
    logits: &[Row],
    (labels, weights): (&[u32], &[f32]),
    smoothing: f32,
    scale: f32,
    delta: &mut [Row],
) -> f64 {
    let share = smoothing / logits.len() as f32 * scale;
    let mut sum = 0.0;
    for (lane, (label, weight)) in labels.iter().zip(weights).enumerate() {
        let own = f64::from(logits[*label as usize].0[lane]);
        for (logit, delta) in logits.iter().zip(&mut *delta) {
            delta.0[lane] -= share * weight;
            sum += f64::from(*weight) * (own - f64::from(logit.0[lane]));
        }
    }
    f64::from(smoothing) * sum / logits.len() as f64
}
