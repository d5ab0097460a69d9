//! Whether the best settings of a search are better than the default, on the same held-out rows.

use serde::Serialize;
use statrs::distribution::{Binomial, DiscreteCDF as _};

use crate::experiments::Paired;
use crate::text::digits;
use crate::training::Metric;

/// Below this probability, a difference is not called chance.
const SIGNIFICANT: f64 = 0.05;

/// The best settings of a search compared with the default, on the same held-out rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Versus {
    /// By the rows that are correct.
    Rows(VersusRows),
    /// By the errors of the rows.
    Errors(VersusErrors),
}

/// The squared errors of the best and of the default, compared row by row (the paired t-test).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct VersusErrors {
    /// Number of held-out rows.
    pub rows: usize,
    /// Root of the mean squared error of the best settings.
    pub best_rmse: f64,
    /// That of the default.
    pub default_rmse: f64,
    /// Two-sided probability of a difference this large if both were equally good; `None` if all rows differ by the same.
    pub p: Option<f64>,
}

/// The correct rows of the best and of the default, compared row by row (McNemar, 1947; the exact test).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct VersusRows {
    /// Number of held-out rows.
    pub rows: usize,
    /// Rows that the best settings predict correctly.
    pub best_correct: usize,
    /// Rows that the default predicts correctly.
    pub default_correct: usize,
    /// Rows that only the best settings predict correctly.
    pub only_best: usize,
    /// Rows that only the default predicts correctly.
    pub only_default: usize,
    /// Two-sided probability of a difference this large if both were equally good.
    pub p: f64,
}

impl Versus {
    /// Compares the errors of rows, `[row]`; `None` if there are no rows.
    ///
    /// # Panics
    /// When the lengths differ.
    pub(super) fn of(metric: Metric, best: &[f64], default: &[f64]) -> Option<Self> {
        if metric.is_share() {
            let correct = |errors: &[f64]| errors.iter().map(|error| *error == 0.0).collect::<Vec<_>>();
            return Some(Self::Rows(VersusRows::of(&correct(best), &correct(default))));
        }
        VersusErrors::of(best, default).map(Self::Errors)
    }

    /// In one sentence.
    #[must_use]
    pub fn in_words(&self) -> String {
        let (is_default_as_good, numbers) = match self {
            Self::Rows(rows) => (rows.is_default_as_good(), rows.numbers()),
            Self::Errors(errors) => (errors.is_default_as_good(), errors.numbers()),
        };
        if is_default_as_good {
            format!("the default is as good, within chance: {numbers}")
        } else {
            format!("the best is better than the default: {numbers}")
        }
    }
}

impl VersusErrors {
    fn of(best: &[f64], default: &[f64]) -> Option<Self> {
        assert_eq!(best.len(), default.len(), "the rows are the same");
        let pairs: Vec<(f64, f64)> = best.iter().copied().zip(default.iter().copied()).collect();
        let Paired { p, .. } = Paired::of(&pairs)?;
        let rmse = |errors: &[f64]| (errors.iter().sum::<f64>() / errors.len() as f64).sqrt();
        Some(Self { rows: best.len(), best_rmse: rmse(best), default_rmse: rmse(default), p })
    }

    /// Whether the default is as good, as far as these rows show.
    fn is_default_as_good(&self) -> bool {
        self.best_rmse >= self.default_rmse || self.p.is_some_and(|p| p >= SIGNIFICANT)
    }

    fn numbers(&self) -> String {
        let Self { rows, best_rmse, default_rmse, p } = self;
        let p = p.map_or(String::new(), |p| format!(" (p {})", shown(p)));
        format!(
            "RMSE {} against {} on {rows} held-out rows{p}",
            digits(*best_rmse, 4),
            digits(*default_rmse, 4)
        )
    }
}

/// A probability for people.
fn shown(p: f64) -> String {
    if p < 0.01 { "< 0.01".to_owned() } else { format!("= {p:.2}") }
}

impl VersusRows {
    /// Compares which rows are correct, `[row]`.
    ///
    /// # Panics
    /// When the lengths differ.
    fn of(best: &[bool], default: &[bool]) -> Self {
        assert_eq!(best.len(), default.len(), "the rows are the same");
        let count =
            |is: &dyn Fn(bool, bool) -> bool| best.iter().zip(default).filter(|(b, d)| is(**b, **d)).count();
        let (only_best, only_default) =
            (count(&|best, default| best && !default), count(&|best, default| default && !best));
        Self {
            rows: best.len(),
            best_correct: count(&|best, _| best),
            default_correct: count(&|_, default| default),
            only_best,
            only_default,
            p: sign_test(only_best, only_default),
        }
    }

    /// Whether the default is as good, as far as these rows show.
    #[must_use]
    pub fn is_default_as_good(&self) -> bool {
        self.only_best <= self.only_default || self.p >= SIGNIFICANT
    }

    fn numbers(&self) -> String {
        let Self { rows, best_correct, default_correct, only_best, only_default, p } = self;
        let percent = |correct: &usize| 100.0 * *correct as f64 / *rows as f64;
        format!(
            "{:.2} % against {:.2} % of {rows} held-out rows (correct only by the best: {only_best}, only by the default: \
             {only_default}; p {})",
            percent(best_correct),
            percent(default_correct),
            shown(*p)
        )
    }
}

/// Two-sided exact sign test.
fn sign_test(one: usize, other: usize) -> f64 {
    let all = (one + other) as u64;
    match Binomial::new(0.5, all) {
        Ok(binomial) if all > 0 => (2.0 * binomial.cdf(one.min(other) as u64)).min(1.0),
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: 2 (1 + 10) / 2^10 for 1 of 10.
    #[test]
    fn sign_tests_count_coins() {
        assert!((sign_test(1, 9) - 22.0 / 1024.0).abs() < 1e-12);
        assert_eq!((sign_test(0, 0), sign_test(3, 3)), (1.0, 1.0));
        assert_eq!(sign_test(9, 1), sign_test(1, 9));
    }

    #[test]
    fn a_small_difference_is_chance() {
        let rows = |right: usize| (0..60).map(|row| row < right).collect::<Vec<_>>();
        let close = VersusRows::of(&rows(52), &rows(50));
        assert_eq!((close.only_best, close.only_default, close.rows), (2, 0, 60));
        assert!(
            close.is_default_as_good()
                && Versus::Rows(close).in_words().contains("as good, within chance: 86.67 % against 83.33 %")
        );
        let clear = VersusRows::of(&rows(50), &rows(30));
        assert!(!clear.is_default_as_good() && clear.p < 1e-5, "{clear:?}");
        assert!(VersusRows::of(&rows(30), &rows(50)).is_default_as_good());
    }

    #[test]
    fn errors_are_compared_row_by_row() {
        let errors = |extra: f64| (0..40).map(|row| f64::from(row % 5) + extra).collect::<Vec<_>>();
        let mut noisy = errors(0.2);
        noisy.iter_mut().step_by(2).for_each(|error| *error += 0.1);
        let Some(Versus::Errors(clear)) = Versus::of(Metric::Rmse, &errors(0.0), &noisy) else { panic!() };
        // The mean of 0, 1, 2, 3 and 4, and 0.25 more.
        assert!((clear.best_rmse - 2f64.sqrt()).abs() < 1e-12 && (clear.default_rmse - 1.5).abs() < 1e-12);
        assert!(!clear.is_default_as_good() && clear.p.unwrap() < 1e-6, "{clear:?}");
        assert!(VersusErrors::of(&noisy, &errors(0.0)).unwrap().is_default_as_good());
        let same = Versus::of(Metric::Rmse, &errors(0.0), &errors(0.0)).unwrap();
        assert!(same.in_words().contains("as good, within chance: RMSE 1.414 against 1.414"), "{same:?}");
        // One row that is much worse is chance.
        let mut other = errors(0.0);
        other[3] += 9.0;
        assert!(VersusErrors::of(&errors(0.0), &other).unwrap().is_default_as_good());
        let rows = Versus::of(Metric::SubsetAccuracy, &[0.0, 1.0], &[1.0, 1.0]);
        assert!(matches!(rows, Some(Versus::Rows(VersusRows { only_best: 1, .. }))), "{rows:?}");
    }
}
