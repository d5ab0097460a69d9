//! Centre and spread of numbers, as outliers hardly change them.

/// What a normal distribution's median of absolute differences from its median is multiplied by to be its deviation.
const OF_MEDIAN: f64 = 1.4826;
/// What its interquartile range is divided by.
const OF_QUARTILES: f64 = 1.349;

/// The median of weighted values, and the estimate of their deviation: by the absolute differences from the median or by the
/// interquartile range, whichever is larger; none if half of the values are the same.
pub(super) fn of(values: impl Iterator<Item = (f64, f64)>) -> (f64, Option<f64>) {
    let mut sorted: Vec<(f64, f64)> = values.collect();
    let median = quantile(&mut sorted, 0.5);
    let range = quantile(&mut sorted, 0.75) - quantile(&mut sorted, 0.25);
    let mut differences: Vec<(f64, f64)> =
        sorted.iter().map(|(weight, value)| (*weight, (value - median).abs())).collect();
    let spread = f64::max(OF_MEDIAN * quantile(&mut differences, 0.5), range / OF_QUARTILES);
    (median, (spread > 0.0 && spread.is_finite()).then_some(spread))
}

/// The value below which this share of the weights lies; halfway between two values if it lies exactly between them.
fn quantile(values: &mut [(f64, f64)], share: f64) -> f64 {
    values.sort_unstable_by(|(_, a), (_, b)| a.total_cmp(b));
    let wanted = share * values.iter().map(|(weight, _)| weight).sum::<f64>();
    let mut below = 0.0;
    for (place, (weight, value)) in values.iter().enumerate() {
        below += weight;
        match values.get(place + 1) {
            Some((_, next)) if below == wanted => return f64::midpoint(*value, *next),
            _ if below >= wanted => return *value,
            _ => {}
        }
    }
    values.last().map_or(0.0, |(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_equal(values: &[f64]) -> (f64, Option<f64>) {
        of(values.iter().map(|value| (1.0, *value)))
    }

    #[test]
    fn an_outlier_hardly_changes_the_spread() {
        let mut values: Vec<f64> = (0..100).map(f64::from).collect();
        let (median, spread) = of_equal(&values);
        assert!(median == 49.5 && (spread.unwrap() - 37.0).abs() < 0.5, "{spread:?}");
        values[3] = 1e9;
        let (median, with) = of_equal(&values);
        assert!(median == 50.5 && (with.unwrap() - spread.unwrap()).abs() < 1.0, "{with:?}");
    }

    #[test]
    fn mostly_equal_values_have_the_spread_of_their_quartiles_or_none() {
        let mostly = |same: usize| {
            let values: Vec<f64> = (0..20).map(|value| if value < same { 0.0 } else { 9.0 }).collect();
            of_equal(&values)
        };
        assert_eq!(mostly(12), (0.0, Some(9.0 / OF_QUARTILES)));
        assert_eq!(mostly(19), (0.0, None));
    }

    #[test]
    fn a_weight_counts_like_equal_rows() {
        let rows = of_equal(&[1.0, 1.0, 1.0, 5.0, 7.0, 7.0, 20.0]);
        assert_eq!(of([(3.0, 1.0), (1.0, 5.0), (2.0, 7.0), (1.0, 20.0)].into_iter()), rows);
    }
}
