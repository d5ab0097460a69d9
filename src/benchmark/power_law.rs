//! Growth as a power of the size.

use serde::{Deserialize, Serialize};

/// `y = factor * x^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerLaw {
    /// 1 is linear growth, 2 quadratic.
    pub exponent: f64,
    /// The value at `x = 1`.
    pub factor: f64,
    /// Standard deviation of `ln y` around the line; 0.1 is about 10 per cent.
    pub residual: f64,
}

impl PowerLaw {
    /// The least-squares line through the logarithms of (x, y).
    ///
    /// `None` with fewer than two different x, or if a number is not above 0 and finite.
    #[must_use]
    pub fn fit(points: &[(f64, f64)]) -> Option<Self> {
        let usable = |value: f64| value > 0.0 && value.is_finite();
        if points.iter().any(|(x, y)| !usable(*x) || !usable(*y)) {
            return None;
        }
        let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
        let count = logs.len() as f64;
        let mean_x = logs.iter().map(|(x, _)| x).sum::<f64>() / count;
        let mean_y = logs.iter().map(|(_, y)| y).sum::<f64>() / count;
        let spread: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        if !(spread > 0.0) {
            return None;
        }
        let exponent = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / spread;
        let left: f64 = logs.iter().map(|(x, y)| (y - mean_y - exponent * (x - mean_x)).powi(2)).sum();
        Some(Self {
            exponent,
            factor: (mean_y - exponent * mean_x).exp(),
            residual: (left / (count - 2.0).max(1.0)).sqrt(),
        })
    }

    /// The value of the law at `x`.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        self.factor * x.powf(self.exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_powers_are_found() {
        for (exponent, factor) in [(1.0, 3.0), (2.0, 0.5), (1.5, 1e-9), (0.0, 7.0)] {
            let law = PowerLaw { exponent, factor, residual: 0.0 };
            let points: Vec<_> = (0..6).map(|k| 784.0 * f64::from(1 << k)).map(|x| (x, law.at(x))).collect();
            let found = PowerLaw::fit(&points).unwrap();
            assert!((found.exponent - exponent).abs() < 1e-12, "{found:?}");
            assert!((found.factor / factor - 1.0).abs() < 1e-9 && found.residual < 1e-9, "{found:?}");
        }
    }

    #[test]
    fn the_line_is_that_of_least_squares_in_the_logarithms() {
        // ln y = 0, 2, 1 at ln x = 0, 1, 2: slope 1/2, mean 1, so 1/2 at 0; the squares left sum to 1.5.
        let e = std::f64::consts::E;
        let law = PowerLaw::fit(&[(1.0, 1.0), (e, e * e), (e * e, e)]).unwrap();
        assert!((law.exponent - 0.5).abs() < 1e-12 && (law.factor - 0.5f64.exp()).abs() < 1e-12, "{law:?}");
        assert!((law.residual - 1.5f64.sqrt()).abs() < 1e-12, "{law:?}");
    }

    #[test]
    fn points_without_a_line_have_no_law() {
        let impossible: [&[(f64, f64)]; 6] = [
            &[],
            &[(1.0, 1.0)],
            &[(2.0, 1.0), (2.0, 3.0)],
            &[(1.0, 0.0), (2.0, 1.0)],
            &[(1.0, f64::NAN), (2.0, 1.0)],
            &[(-1.0, 1.0), (2.0, 1.0)],
        ];
        for points in impossible {
            assert_eq!(PowerLaw::fit(points), None, "{points:?}");
        }
    }
}
