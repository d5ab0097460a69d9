//! The vertical axis of a chart: its range and its ticks.

/// The vertical axis.
#[derive(Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<f64>,
    pub(super) is_logarithmic: bool,
}

impl Axis {
    /// An axis between round numbers, for values that are not negative.
    pub(super) fn linear(low: f64, high: f64, greatest: f64) -> Self {
        let range = (high - low).max(high.abs() * 1e-3).max(1e-9);
        let decade = 10f64.powf((range / 4.0).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
        let step = steps.into_iter().find(|step| range / step <= 5.0).unwrap_or(steps[3]);
        let last = (high / step).ceil();
        // If all values are equal, there is room below them.
        let first = (low / step).floor().min(last - 1.0).max(0.0);
        #[expect(clippy::cast_possible_truncation, reason = "about five; casts saturate")]
        let count = (last - first).clamp(1.0, 10.0) as usize;
        let ticks: Vec<f64> = (0..=count).map(|tick| step * (first + tick as f64)).collect();
        let ticks: Vec<f64> = ticks.into_iter().filter(|tick| *tick <= greatest * (1.0 + 1e-9)).collect();
        let end = (step * (first + count as f64)).min(greatest);
        Self { low: step * first, high: end.max(step * first + 1e-9), ticks, is_logarithmic: false }
    }

    /// Ticks at 1, 2 and 5 times powers of ten, or at powers of ten only if there are many.
    pub(super) fn logarithmic(low: f64, high: f64) -> Self {
        let (first, last) = (low.log10().floor(), high.log10().ceil());
        let factors: &[f64] = if high / low < 1e3 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        #[expect(clippy::cast_possible_truncation, reason = "an exponent of a double")]
        let exponents = first as i32..=last as i32;
        let all: Vec<f64> = exponents
            .flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)))
            .collect();
        // From the last round number below to the first above.
        let start = all.iter().rposition(|tick| *tick <= low).unwrap_or(0);
        let end = all.iter().position(|tick| *tick >= high).unwrap_or(all.len() - 1);
        // If all values are equal, there is room above or below them.
        let end = end.max(start + 1).min(all.len() - 1);
        let start = start.min(end - 1);
        let every = (end - start).div_ceil(10).max(1);
        let ticks = all[start..=end].iter().copied().step_by(every).collect();
        Self { low: all[start], high: all[end], ticks, is_logarithmic: true }
    }

    /// The position of a value, from 0 at the bottom to 1 at the top.
    pub(super) fn place(&self, value: f64) -> f64 {
        if self.is_logarithmic {
            return (value / self.low).ln() / (self.high / self.low).ln();
        }
        (value - self.low) / (self.high - self.low)
    }

    /// The label of a tick, with as many digits as it needs.
    pub(super) fn label(tick: f64) -> String {
        if tick != 0.0 && !(1e-4..1e6).contains(&tick) {
            return format!("{tick:.0e}");
        }
        let text = format!("{tick:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_numbers_around_what_is_shown() {
        let ticks = |low, high, greatest| Axis::linear(low, high, greatest).ticks;
        assert_eq!(ticks(0.0, 2.3, f64::INFINITY), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
        assert_eq!(ticks(71.0, 99.2, 100.0), [70.0, 80.0, 90.0, 100.0]);
        let same = Axis::linear(100.0, 100.0, 100.0);
        assert!(!((same.high - 100.0).abs() > 1e-9) && same.low < 100.0, "{same:?}");
        for (low, high) in [(0.0, 0.0), (5.0, 5.0), (0.0, 1e30), (0.0, 1e-7)] {
            let axis = Axis::linear(low, high, f64::INFINITY);
            assert!(axis.high > axis.low && (2..=8).contains(&axis.ticks.len()), "{axis:?}");
            assert!((-1e-9..=1.0 + 1e-9).contains(&axis.place(high)), "{axis:?}");
        }
        assert_eq!(
            [0.0, 0.30000000000000004, 2.5, 100.0, 1e-7].map(Axis::label),
            ["0", "0.3", "2.5", "100", "1e-7"]
        );
    }

    #[test]
    fn losses_far_apart_go_by_factors() {
        let axis = Axis::logarithmic(0.09, 19.0);
        assert_eq!(axis.ticks, [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0]);
        assert_eq!([axis.place(0.05), axis.place(20.0)], [0.0, 1.0]);
        assert!(!((axis.place(1.0) - 0.5).abs() > 1e-12), "{axis:?}");
        for same in [1.0, 0.3, 5.0] {
            let axis = Axis::logarithmic(same, same);
            assert!(axis.high > axis.low && (0.0..=1.0).contains(&axis.place(same)), "{axis:?}");
        }
        let wide = Axis::logarithmic(2e-30, 2e299);
        assert!(wide.ticks.len() <= 12 && wide.high >= 2e299, "{wide:?}");
    }
}
