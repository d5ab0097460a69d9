//! Whether the best settings of a search are better than the default, on the same held-out rows.

use serde::Serialize;
use statrs::distribution::{Binomial, DiscreteCDF as _};

/// Below this probability, a difference is not called chance.
const SIGNIFICANT: f64 = 0.05;

/// The correct rows of the best and of the default, compared row by row (McNemar, 1947; the exact test).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Versus {
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
    /// Compares which rows are correct, `[row]`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub(super) fn of(best: &[bool], default: &[bool]) -> Self {
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

    /// In one sentence.
    #[must_use]
    pub fn in_words(&self) -> String {
        let Self { rows, best_correct, default_correct, only_best, only_default, p } = self;
        let percent = |correct: &usize| 100.0 * *correct as f64 / *rows as f64;
        let numbers = format!(
            "{:.2} % against {:.2} % of {rows} held-out rows (correct only by the best: {only_best}, only by the default: \
             {only_default}; p {})",
            percent(best_correct),
            percent(default_correct),
            if *p < 0.01 { "< 0.01".to_owned() } else { format!("= {p:.2}") }
        );
        match self.is_default_as_good() {
            true => format!("the default is as good, within chance: {numbers}"),
            false => format!("the best is better than the default: {numbers}"),
        }
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
        let close = Versus::of(&rows(52), &rows(50));
        assert_eq!((close.only_best, close.only_default, close.rows), (2, 0, 60));
        assert!(
            close.is_default_as_good()
                && close.in_words().contains("as good, within chance: 86.67 % against 83.33 %")
        );
        let clear = Versus::of(&rows(50), &rows(30));
        assert!(!clear.is_default_as_good() && clear.p < 1e-5, "{clear:?}");
        assert!(Versus::of(&rows(30), &rows(50)).is_default_as_good());
    }
}
