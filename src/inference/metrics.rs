//! Measures of a ranking and of probabilities, on plain slices.
//!
//! Each function takes one score for each sample, and optional weights of the samples. Definitions and treatment of
//! equal scores are those of scikit-learn's `roc_auc_score`, `average_precision_score`, `precision_recall_curve` and
//! `brier_score_loss`.

use serde::{Deserialize, Serialize};

/// Thresholds that a [`ThresholdTable`] always has.
const THRESHOLDS: [f32; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// The weight of a sample; 1 without weights.
fn weight(weights: Option<&[f32]>, sample: usize) -> f64 {
    weights.map_or(1.0, |weights| f64::from(weights[sample]))
}

/// Weights of the samples whose score is at least `score`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Called {
    score: f32,
    /// Of positive samples.
    right: f64,
    /// Of negative samples.
    wrong: f64,
}

/// An entry for each different score, the highest first; scores must not be NaN.
fn by_score(scores: &[f32], positive: impl Fn(usize) -> bool, weights: Option<&[f32]>) -> Vec<Called> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]));
    let (mut all, mut called) = (Vec::new(), Called::default());
    for equal in order.chunk_by(|one, other| scores[*one] == scores[*other]) {
        for sample in equal {
            let side = if positive(*sample) { &mut called.right } else { &mut called.wrong };
            *side += weight(weights, *sample);
        }
        called.score = scores[equal[0]];
        all.push(called);
    }
    all
}

/// Area under the receiver operating characteristic: the probability that a positive sample has a higher score than a
/// negative one, where equal scores count half.
///
/// `None` unless there are positive and negative samples (of a weight above 0).
pub(crate) fn roc_auc(
    scores: &[f32],
    positive: impl Fn(usize) -> bool,
    weights: Option<&[f32]>,
) -> Option<f64> {
    let curve = by_score(scores, positive, weights);
    let all = curve.last().filter(|all| all.right > 0.0 && all.wrong > 0.0)?;
    let (mut area, mut before) = (0.0, Called::default());
    for point in &curve {
        area += (point.wrong - before.wrong) * (point.right + before.right) / 2.0;
        before = *point;
    }
    Some(area / all.right / all.wrong)
}

/// Average precision, the area under steps of precision over recall: the precision at each different score, weighted by
/// the recall that it adds. Without interpolation.
///
/// `None` unless there are positive and negative samples (of a weight above 0).
pub(crate) fn average_precision(
    scores: &[f32],
    positive: impl Fn(usize) -> bool,
    weights: Option<&[f32]>,
) -> Option<f64> {
    let curve = by_score(scores, positive, weights);
    let all = curve.last().filter(|all| all.right > 0.0 && all.wrong > 0.0)?;
    let (mut area, mut before) = (0.0, 0.0);
    // Scores of weight 0 have no precision, and add no recall.
    for point in curve.iter().filter(|point| point.right > 0.0) {
        area += (point.right - before) / all.right * (point.right / (point.right + point.wrong));
        before = point.right;
    }
    Some(area)
}

/// Brier score, 0 is best: for two classes the mean of `(p - y)^2` of the second class, at most 1; for more classes the
/// mean over samples of the sum of `(p - y)^2` over all classes, at most 2. `y` is 1 for the sample's class, otherwise 0.
///
/// `probabilities` is `[sample][class]`, with `labels` below `classes`.
pub(crate) fn brier(probabilities: &[f32], labels: &[u32], classes: usize, weights: Option<&[f32]>) -> f64 {
    let (mut sum, mut all) = (0.0, 0.0);
    for (sample, (probabilities, label)) in probabilities.chunks(classes).zip(labels).enumerate() {
        let squares = probabilities.iter().enumerate().map(|(class, probability)| {
            let target = f64::from(u8::from(*label as usize == class));
            (f64::from(*probability) - target).powi(2)
        });
        // The two squares of two classes are equal.
        let error: f64 = if classes == 2 { squares.skip(1).sum() } else { squares.sum() };
        let weight = weight(weights, sample);
        sum += weight * error;
        all += weight;
    }
    sum / all
}

/// How the classification of two classes depends on the probability from which a sample is called positive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[doc(hidden)]
pub struct ThresholdTable {
    /// At 0.1 to 0.9.
    pub at: Vec<AtThreshold>,
    /// At the probability with the highest F1 among those that occur, the lowest of equals.
    pub best_f1: AtThreshold,
}

/// The classification at one threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[doc(hidden)]
pub struct AtThreshold {
    /// Samples with at least this probability are called positive.
    pub threshold: f32,
    /// Share of positive samples among those called positive; 0 if there are none.
    pub precision: f64,
    /// Share of those called positive among the positive samples.
    pub recall: f64,
    /// Harmonic mean of the two; 0 if both are 0.
    pub f1: f64,
}

impl ThresholdTable {
    /// The table for one probability of each sample; `None` without positive samples.
    pub(crate) fn new(
        scores: &[f32],
        positive: impl Fn(usize) -> bool,
        weights: Option<&[f32]>,
    ) -> Option<Self> {
        let curve = by_score(scores, positive, weights);
        let all = curve.last()?.right;
        if all <= 0.0 {
            return None;
        }
        let at = |threshold: f32| {
            let above = curve.partition_point(|point| point.score >= threshold);
            AtThreshold::of(
                threshold,
                above.checked_sub(1).map_or(Called::default(), |last| curve[last]),
                all,
            )
        };
        let of_point = |point: &Called| AtThreshold::of(point.score, *point, all);
        let better = |best: AtThreshold, lower: AtThreshold| if lower.f1 >= best.f1 { lower } else { best };
        let best_f1 = curve.iter().map(of_point).reduce(better)?;
        Some(Self { at: THRESHOLDS.map(at).to_vec(), best_f1 })
    }
}

impl AtThreshold {
    fn of(threshold: f32, Called { right, wrong, .. }: Called, positive: f64) -> Self {
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        Self {
            threshold,
            precision: share(right, right + wrong),
            recall: share(right, positive),
            // 2 P R / (P + R), written so that it needs no division by 0.
            f1: share(2.0 * right, right + wrong + positive),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-12, "{found}, expected {expected}");
    }

    /// With ties inside and between the classes.
    const SCORES: [f32; 10] = [0.1, 0.4, 0.35, 0.8, 0.4, 0.9, 0.8, 0.2, 0.4, 1.0];
    const POSITIVE: [bool; 10] = [false, false, true, true, true, true, false, false, true, false];
    const WEIGHTS: [f32; 10] = [1.0, 2.0, 0.5, 1.0, 3.0, 0.25, 1.0, 0.0, 2.0, 1.5];

    /// Computed with scikit-learn 1.9: `roc_auc_score`, `average_precision_score`, without and with `sample_weight`.
    #[test]
    fn rankings_are_measured_as_in_scikit_learn() {
        let is = |sample: usize| POSITIVE[sample];
        near(roc_auc(&SCORES, is, None).unwrap(), 0.58);
        near(roc_auc(&SCORES, is, Some(&WEIGHTS)).unwrap(), 0.404_040_404_040_404_03);
        near(average_precision(&SCORES, is, None).unwrap(), 0.553_571_428_571_428_5);
        near(average_precision(&SCORES, is, Some(&WEIGHTS)).unwrap(), 0.529_781_387_145_728_2);
    }

    #[test]
    fn extremes_of_a_ranking() {
        let scores = [0.1, 0.2, 0.3, 0.4];
        let above = |sample: usize| sample >= 2;
        assert_eq!(roc_auc(&scores, above, None), Some(1.0));
        assert_eq!(average_precision(&scores, above, None), Some(1.0));
        assert_eq!(roc_auc(&scores, |sample| sample < 2, None), Some(0.0));
        // Nothing is ranked: one half, and the share of positive samples.
        assert_eq!(roc_auc(&[0.5; 4], above, None), Some(0.5));
        assert_eq!(average_precision(&[0.5; 4], above, None), Some(0.5));
        for none in [true, false] {
            assert_eq!(roc_auc(&scores, |_| none, None), None);
            assert_eq!(average_precision(&scores, |_| none, None), None);
        }
        let weights = [1.0, 1.0, 0.0, 0.0];
        assert_eq!(roc_auc(&scores, above, Some(&weights)), None);
        assert_eq!(roc_auc(&[], above, None), None);
    }

    /// By hand, and scikit-learn's `brier_score_loss`.
    #[test]
    fn brier_scores_have_both_definitions() {
        near(brier(&[0.25, 0.75, 1.0, 0.0], &[1, 1], 2, None), (0.0625 + 1.0) / 2.0);
        near(brier(&[0.25, 0.75, 1.0, 0.0], &[1, 1], 2, Some(&[3.0, 1.0])), (3.0 * 0.0625 + 1.0) / 4.0);
        near(brier(&[0.5, 0.25, 0.25, 0.0, 0.0, 1.0], &[0, 2], 3, None), (0.25 + 0.0625 + 0.0625) / 2.0);
        near(brier(&[0.0, 0.0, 1.0], &[0], 3, None), 2.0);
    }

    #[test]
    fn thresholds_call_what_reaches_them() {
        let table = ThresholdTable::new(&SCORES, |sample| POSITIVE[sample], None).unwrap();
        assert_eq!(table.at.len(), 9);
        // 0.4 itself is positive: 7 of 10 are called, 4 of them right, of 5.
        let at = table.at[3];
        assert_eq!(at.threshold, 0.4);
        near(at.precision, 4.0 / 7.0);
        near(at.recall, 0.8);
        near(at.f1, 8.0 / 12.0);
        // From 0.35 on 8 are called, 5 of them right: 10 / 13.
        assert_eq!(table.best_f1.threshold, 0.35);
        near(table.best_f1.f1, 10.0 / 13.0);
        // Nothing is above.
        let table = ThresholdTable::new(&[0.05, 0.5], |sample| sample == 0, None).unwrap();
        assert_eq!(table.at[8], AtThreshold { threshold: 0.9, precision: 0.0, recall: 0.0, f1: 0.0 });
        assert!(ThresholdTable::new(&SCORES, |_| false, None).is_none());
    }
}
