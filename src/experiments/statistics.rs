//! Rank correlation, to compare orders.

use rand::RngExt;

use crate::random::{Purpose, generator};

/// Up to this many values, all orders are tried, 40,320 of them.
const ALL_ORDERS: usize = 8;
const DRAWN_ORDERS: usize = 100_000;

/// Ranks from 1, the smallest first; equal values share the mean of their ranks.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let below = ranks.iter().filter(|rank| **rank > 0.0).count();
        let mean = below as f64 + (equal.len() + 1) as f64 / 2.0;
        equal.iter().for_each(|index| ranks[*index] = mean);
    }
    ranks
}

/// Spearman's rank correlation, -1 to 1: Pearson's of the ranks, also valid with ties.
///
/// `None` for fewer than 2 values, if one side does not vary, or if a value is not a number.
///
/// # Panics
/// When the lengths differ.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_eq!(x.len(), y.len(), "a correlation is of pairs");
    if x.iter().chain(y).any(|value| value.is_nan()) {
        return None;
    }
    pearson(&ranks(x), &ranks(y))
}

/// Probability of a correlation this great or greater if every order is equally likely (one-sided).
///
/// Exact for up to 8 pairs; for more, the share among 100,000 random orders, which
/// are the same in every run. `None` where [`spearman`] is.
///
/// # Panics
/// When the lengths differ.
pub fn spearman_chance(x: &[f64], y: &[f64]) -> Option<f64> {
    let observed = spearman(x, y)?;
    let (x, mut y) = (ranks(x), ranks(y));
    // Equal correlations may differ in their last bits by the order of a sum.
    let as_great = |y: &[f64]| pearson(&x, y).is_some_and(|rho| rho >= observed - 1e-12);
    if x.len() <= ALL_ORDERS {
        let (mut orders, mut great) = (0u32, 0u32);
        permute(&mut y, 0, &mut |y| {
            orders += 1;
            great += u32::from(as_great(y));
        });
        return Some(f64::from(great) / f64::from(orders));
    }
    let mut rng = generator(0, Purpose::Permutation(u32::MAX));
    let mut great = 0;
    for _ in 0..DRAWN_ORDERS {
        for last in (1..y.len()).rev() {
            y.swap(last, rng.random_range(0..=last));
        }
        great += usize::from(as_great(&y));
    }
    // The observed order is one of them.
    Some((great + 1) as f64 / (DRAWN_ORDERS + 1) as f64)
}

fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (x, y) = (x - mean_x, y - mean_y);
        (xy, xx, yy) = (xy + x * y, xx + x * x, yy + y * y);
    }
    (xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt())
}

/// Visits every order of the values starting at `first`.
fn permute(values: &mut [f64], first: usize, visit: &mut dyn FnMut(&[f64])) {
    if first + 1 >= values.len() {
        return visit(values);
    }
    for pick in first..values.len() {
        values.swap(first, pick);
        permute(values, first + 1, visit);
        values.swap(first, pick);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_their_ranks() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0, 3.0]), [4.0, 1.0, 4.0, 2.0, 4.0]);
        assert_eq!(ranks(&[5.0, 5.0]), [1.5, 1.5]);
        assert_eq!(ranks(&[]), [0.0; 0]);
    }

    /// By hand: 1 - 6 sum(d^2) / (n (n^2 - 1)).
    #[test]
    fn correlations_without_ties_follow_the_formula_of_differences() {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0];
        for (y, squares) in [
            ([10.0, 20.0, 30.0, 40.0, 50.0], 0.0),
            ([50.0, 40.0, 30.0, 20.0, 10.0], 40.0),
            ([20.0, 10.0, 30.0, 50.0, 40.0], 4.0),
            ([30.0, 10.0, 50.0, 20.0, 40.0], 14.0),
        ] {
            let expected = 1.0 - 6.0 * squares / 120.0;
            let rho = spearman(&x, &y).unwrap();
            assert!((rho - expected).abs() < 1e-12, "{y:?}: {rho}, expected {expected}");
        }
    }

    /// By hand: ranks 1, 2, 3, 4 and 1, 2.5, 2.5, 4 have xy 4.5, xx 5, yy 4.5.
    #[test]
    fn ties_are_pearsons_of_the_mean_ranks() {
        let rho = spearman(&[1.0, 2.0, 3.0, 4.0], &[7.0, 8.0, 8.0, 9.0]).unwrap();
        assert!((rho - 4.5 / (5.0f64 * 4.5).sqrt()).abs() < 1e-12, "{rho}");
    }

    #[test]
    fn constants_have_no_correlation() {
        assert_eq!(spearman(&[1.0, 2.0], &[3.0, 3.0]), None);
        assert_eq!(spearman(&[1.0], &[3.0]), None);
        assert_eq!(spearman(&[1.0, 2.0], &[f64::NAN, 3.0]), None);
        assert_eq!(spearman_chance(&[1.0, 2.0], &[3.0, 3.0]), None);
    }

    /// Of the 24 orders of 4, one has correlation 1; 4 have 0.8 or more (the identity and three swaps of neighbours).
    #[test]
    fn chances_count_orders() {
        let x = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(spearman_chance(&x, &x), Some(1.0 / 24.0));
        assert_eq!(spearman_chance(&x, &[2.0, 1.0, 3.0, 4.0]), Some(4.0 / 24.0));
        assert_eq!(spearman_chance(&x, &[4.0, 3.0, 2.0, 1.0]), Some(1.0));
        let long: Vec<f64> = (0..20).map(f64::from).collect();
        assert!(spearman_chance(&long, &long).unwrap() < 1e-4);
        // No relation: about half of all orders are as great (20 values, alternately low and high).
        let waves: Vec<f64> = (0..20).map(|k| f64::from(k % 2) * 100.0 + f64::from((k * 7) % 20)).collect();
        let chance = spearman_chance(&long, &waves).unwrap();
        assert!((0.05..0.95).contains(&chance), "{chance}");
    }
}
