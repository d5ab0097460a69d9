//! Repeated times, as five numbers.

use serde::{Deserialize, Serialize};

/// A thousand years, which no step takes.
const MOST_MICROSECONDS: f64 = 3.2e16;

/// How long one step took, in microseconds, over several calls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Number of timed calls.
    pub calls: usize,
    /// Middle of the calls.
    pub median_us: f64,
    /// Fastest call.
    pub fastest_us: f64,
    /// A quarter of the calls were at least as fast.
    pub lower_quartile_us: f64,
    /// A quarter of the calls were at least as slow.
    pub upper_quartile_us: f64,
    /// Slowest call.
    pub slowest_us: f64,
}

impl Spread {
    /// Summarises times in microseconds; `None` if there is no time.
    #[must_use]
    pub fn of(mut times: Vec<f64>) -> Option<Self> {
        times.sort_by(f64::total_cmp);
        Some(Self {
            calls: times.len(),
            median_us: quantile(&times, 0.5)?,
            fastest_us: quantile(&times, 0.0)?,
            lower_quartile_us: quantile(&times, 0.25)?,
            upper_quartile_us: quantile(&times, 0.75)?,
            slowest_us: quantile(&times, 1.0)?,
        })
    }

    /// Says which value is impossible, if any.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.calls == 0 {
            return Err("calls is 0, it must be at least 1".into());
        }
        let times = [
            ("fastest_us", self.fastest_us),
            ("lower_quartile_us", self.lower_quartile_us),
            ("median_us", self.median_us),
            ("upper_quartile_us", self.upper_quartile_us),
            ("slowest_us", self.slowest_us),
        ];
        for (name, time) in times {
            if !(time > 0.0 && time <= MOST_MICROSECONDS) {
                return Err(format!("{name} is {time}, it must be above 0 and at most {MOST_MICROSECONDS}"));
            }
        }
        for pair in times.windows(2) {
            let [(below, least), (name, time)] = [pair[0], pair[1]];
            // Interpolated quartiles may cross by a rounding.
            if time < least * (1.0 - 1e-9) {
                return Err(format!("{name} is {time}, less than {below}, {least}"));
            }
        }
        Ok(())
    }

    /// Several rounds of one measurement as one: the medians of medians and of
    /// quartiles, the extremes of all; `None` if there is no round.
    #[must_use]
    pub fn of_rounds(rounds: &[Self]) -> Option<Self> {
        let middle = |value: fn(&Self) -> f64| {
            Self::of(rounds.iter().map(value).collect()).map(|spread| spread.median_us)
        };
        Some(Self {
            calls: rounds.iter().fold(0, |sum, round| sum.saturating_add(round.calls)),
            median_us: middle(|round| round.median_us)?,
            fastest_us: rounds.iter().map(|round| round.fastest_us).reduce(f64::min)?,
            lower_quartile_us: middle(|round| round.lower_quartile_us)?,
            upper_quartile_us: middle(|round| round.upper_quartile_us)?,
            slowest_us: rounds.iter().map(|round| round.slowest_us).reduce(f64::max)?,
        })
    }
}

/// The value below which this share of the sorted values lies, interpolated between neighbours.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share * last as f64;
    #[expect(clippy::cast_possible_truncation, reason = "0 to the last place")]
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    Some(sorted[below] + (place - below as f64) * (sorted[above] - sorted[below]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_numbers_of_known_times() {
        let spread = Spread::of(vec![50.0, 10.0, 40.0, 20.0, 30.0]).unwrap();
        let numbers =
            [spread.fastest_us, spread.lower_quartile_us, spread.median_us, spread.upper_quartile_us];
        assert_eq!((numbers, spread.slowest_us, spread.calls), ([10.0, 20.0, 30.0, 40.0], 50.0, 5));
        let even = Spread::of(vec![1.0, 4.0, 2.0, 3.0]).unwrap();
        assert_eq!((even.lower_quartile_us, even.median_us, even.upper_quartile_us), (1.75, 2.5, 3.25));
        assert_eq!(Spread::of(vec![7.0]).unwrap().upper_quartile_us, 7.0);
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn rounds_keep_the_extremes_and_the_middle_of_the_medians() {
        let rounds = [vec![1.0, 2.0, 9.0], vec![4.0, 5.0, 6.0], vec![2.0, 3.0, 4.0]];
        let rounds: Vec<Spread> = rounds.into_iter().filter_map(Spread::of).collect();
        let joined = Spread::of_rounds(&rounds).unwrap();
        assert_eq!(
            (joined.calls, joined.fastest_us, joined.median_us, joined.slowest_us),
            (9, 1.0, 3.0, 9.0)
        );
        assert_eq!(Spread::of_rounds(&[]), None);
    }
}
