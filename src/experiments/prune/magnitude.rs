//! Hard-threshold pruning by the size of the weights, over all layers at once
//! (Han et al., "Learning both Weights and Connections for Efficient Neural Networks", 2015).

use super::refuse;
use crate::network::Parameters;
use crate::{Result, Setting};

/// Which weights are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WeightGoal {
    /// Remove this share of the weights that the model has, the smallest; above 0 and below 1.
    /// Each of `n` rounds removes the same share of the remaining weights.
    Sparsity(f64),
    /// Remove every weight whose absolute value is below this; above 0.
    Threshold(f32),
}

impl WeightGoal {
    /// Refuses goals outside their range.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) with the flag, the value and the limit.
    #[doc(hidden)]
    pub fn check(&self) -> Result<()> {
        match *self {
            Self::Sparsity(share) if !(share > 0.0 && share < 1.0) => {
                refuse(Setting::Sparsity, format!("{share} is invalid, it must be above 0 and below 1"))
            }
            Self::Threshold(limit) if !(limit > 0.0 && limit.is_finite()) => {
                refuse(Setting::Threshold, format!("{limit} is invalid, it must be above 0 and finite"))
            }
            _ => Ok(()),
        }
    }

    /// Marks the weights that round `round` (from 1) of `rounds` keeps: `[layer][edge]`.
    ///
    /// `edges_at_start` is the number of weights before the first round. Of equal
    /// weights the first, in canonical order, are kept.
    pub(crate) fn keep(
        &self,
        parameters: &Parameters,
        edges_at_start: usize,
        round: usize,
        rounds: usize,
    ) -> Vec<Vec<bool>> {
        match *self {
            Self::Threshold(limit) => {
                let keep = |weights: &Vec<f32>| weights.iter().map(|weight| weight.abs() >= limit).collect();
                parameters.layers.iter().map(|layer| keep(&layer.weights)).collect()
            }
            Self::Sparsity(share) => {
                let left = (1.0 - share).powf(round as f64 / rounds as f64);
                #[expect(clippy::cast_possible_truncation, reason = "a share of a number of edges")]
                let count = (left * edges_at_start as f64).round() as usize;
                keep_largest(parameters, count.max(1))
            }
        }
    }
}

/// Marks the `count` weights of greatest absolute value.
fn keep_largest(parameters: &Parameters, count: usize) -> Vec<Vec<bool>> {
    let mut keep: Vec<Vec<bool>> =
        parameters.layers.iter().map(|layer| vec![false; layer.weights.len()]).collect();
    let places = parameters.layers.iter().enumerate().flat_map(|(layer, values)| {
        values.weights.iter().enumerate().map(move |(edge, weight)| (weight.abs(), layer, edge))
    });
    let mut places: Vec<(f32, usize, usize)> = places.collect();
    places.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    for (_, layer, edge) in places.into_iter().take(count) {
        keep[layer][edge] = true;
    }
    keep
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::LayerParameters;

    fn parameters() -> Parameters {
        let layer = |weights: &[f32]| LayerParameters { weights: weights.to_vec(), biases: vec![9.0] };
        Parameters { layers: vec![layer(&[0.1, -5.0, 2.0]), layer(&[-2.0, 0.3, 0.0, 2.0])] }
    }

    #[test]
    fn exactly_the_largest_are_kept_and_the_first_of_equals() {
        let kept = |count| keep_largest(&parameters(), count).concat();
        assert_eq!(kept(1), [false, true, false, false, false, false, false]);
        assert_eq!(kept(3), [false, true, true, true, false, false, false]);
        assert_eq!(kept(4), [false, true, true, true, false, false, true]);
        assert!(kept(7).iter().all(|kept| *kept));
    }

    #[test]
    fn rounds_remove_equal_shares_and_the_last_reaches_the_goal() {
        let left = |round, rounds| {
            let keep = WeightGoal::Sparsity(0.75).keep(&parameters(), 8, round, rounds);
            keep.iter().flatten().filter(|kept| **kept).count()
        };
        assert_eq!([left(1, 1), left(1, 2), left(2, 2)], [2, 4, 2]);
    }

    #[test]
    fn a_threshold_keeps_weights_that_reach_it() {
        let keep = WeightGoal::Threshold(2.0).keep(&parameters(), 7, 1, 1);
        assert_eq!(keep.concat(), [false, true, true, true, false, false, true]);
    }

    #[test]
    fn goals_outside_their_range_are_refused() {
        for share in [0.0, 1.0, -0.5, 1.5, f64::NAN] {
            let message = WeightGoal::Sparsity(share).check().unwrap_err().to_string();
            assert!(message.starts_with("sparsity: "), "{message}");
        }
        for limit in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let message = WeightGoal::Threshold(limit).check().unwrap_err().to_string();
            assert!(message.starts_with("threshold: "), "{message}");
        }
        WeightGoal::Sparsity(0.5).check().unwrap();
        WeightGoal::Threshold(0.5).check().unwrap();
    }
}
