//! Means, deviations, and differences of pairs.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Mean and sample standard deviation of a few numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MeanDeviation {
    /// How many numbers.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation with the divisor `count - 1`; `None` for a single number.
    pub deviation: Option<f64>,
}

impl MeanDeviation {
    /// `None` if there is no number.
    #[must_use]
    pub fn of(numbers: &[f64]) -> Option<Self> {
        if numbers.is_empty() {
            return None;
        }
        let count = numbers.len();
        let mean = numbers.iter().sum::<f64>() / count as f64;
        let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
        let deviation = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
        let deviation = deviation.map(|deviation| spread(deviation, numbers.iter()));
        let mean = if deviation == Some(0.0) { numbers[0] } else { mean };
        Some(Self { count, mean, deviation })
    }
}

/// Two configurations on the same seeds: the paired t-test (Student, 1908).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// Differences, first minus second, seed by seed.
    pub difference: MeanDeviation,
    /// Two-sided p of a mean difference of 0; `None` for one pair, and for
    /// differences without any spread, where no t exists.
    pub p: Option<f64>,
}

impl Paired {
    /// Compares pair by pair; `None` if there is no pair.
    #[must_use]
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let differences: Vec<f64> = pairs.iter().map(|(first, second)| first - second).collect();
        let mut difference = MeanDeviation::of(&differences)?;
        // Differences are as coarse as the original numbers.
        let sources = || pairs.iter().flat_map(|(first, second)| [first, second]);
        difference.deviation = difference.deviation.map(|deviation| spread(deviation, sources()));
        Some(Self { difference, p: p_of_mean_0(&difference) })
    }
}

/// The deviation, or 0 if it is only rounding of equal numbers as large as `sources`.
fn spread<'a>(deviation: f64, sources: impl Iterator<Item = &'a f64>) -> f64 {
    let largest = sources.fold(0.0, |most: f64, number| most.max(number.abs()));
    if deviation <= 1e-12 * largest { 0.0 } else { deviation }
}

fn p_of_mean_0(difference: &MeanDeviation) -> Option<f64> {
    let deviation = difference.deviation.filter(|deviation| *deviation > 0.0)?;
    let count = difference.count as f64;
    let t = difference.mean / (deviation / count.sqrt());
    let distribution = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    Some(2.0 * distribution.cdf(-t.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_by_hand() {
        assert_eq!(MeanDeviation::of(&[]), None);
        let one = MeanDeviation::of(&[3.0]).unwrap();
        assert_eq!((one.count, one.mean, one.deviation), (1, 3.0, None));
        // Squares of 1, 0, 1 over 2.
        let three = MeanDeviation::of(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!((three.mean, three.deviation), (2.0, Some(1.0)));
    }

    #[test]
    fn a_paired_test_by_hand() {
        // Differences 1, 2, 3: t = 2 / (1 / sqrt(3)) = 3.4641 with 2 degrees of freedom,
        // where p = 1 - t / sqrt(t^2 + 2) = 1 - sqrt(12 / 14).
        let paired = Paired::of(&[(2.0, 1.0), (4.0, 2.0), (6.0, 3.0)]).unwrap();
        assert_eq!(paired.difference.mean, 2.0);
        let p = paired.p.unwrap();
        assert!((p - (1.0 - (12.0_f64 / 14.0).sqrt())).abs() <= 1e-9, "{p}");
        // The sign does not matter to it.
        let swapped = Paired::of(&[(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]).unwrap();
        assert!((swapped.p.unwrap() - p).abs() <= 1e-12);
    }

    #[test]
    fn without_spread_there_is_no_p() {
        assert_eq!(Paired::of(&[]), None);
        assert_eq!(Paired::of(&[(1.0, 0.0)]).unwrap().p, None);
        assert_eq!(Paired::of(&[(1.0, 0.0), (2.0, 1.0)]).unwrap().p, None);
        // Equal except for rounding.
        let pairs = [(0.8967, 0.8701), (0.8836, 0.8570), (0.8881, 0.8615)];
        let paired = Paired::of(&pairs).unwrap();
        assert_eq!((paired.difference.deviation, paired.p), (Some(0.0), None));
        let collapsed = MeanDeviation::of(&[0.1; 3]).unwrap();
        assert_eq!((collapsed.mean, collapsed.deviation), (0.1, Some(0.0)));
    }
}
