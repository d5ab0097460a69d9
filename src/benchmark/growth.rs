//! How time and memory grow with the width of a network.

use serde::{Deserialize, Serialize};

use super::{Measurement, PowerLaw};

/// Measurements of one kind of network at rising widths, with fitted power laws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// The kind of network.
    pub arch: String,
    /// One for each width.
    pub points: Vec<Measurement>,
    /// Of the median microseconds per step.
    pub step_time: Option<PowerLaw>,
    /// Of the number of weights.
    pub edges: Option<PowerLaw>,
    /// Of the bytes of the weights on the engine.
    pub weight_bytes: Option<PowerLaw>,
    /// Of the maximum memory of the process.
    pub peak_resident_bytes: Option<PowerLaw>,
    /// Of the seconds for building graphs, initial weights and engine.
    pub build_seconds: Option<PowerLaw>,
}

impl Growth {
    /// Fits the laws; `None` for numbers that are not known at every width.
    #[must_use]
    pub fn of(arch: &str, points: Vec<Measurement>) -> Self {
        let law = |value: &dyn Fn(&Measurement) -> Option<f64>| {
            let pairs: Option<Vec<(f64, f64)>> =
                points.iter().map(|point| Some((point.width as f64, value(point)?))).collect();
            pairs.and_then(|pairs| PowerLaw::fit(&pairs))
        };
        Self {
            arch: arch.to_owned(),
            step_time: law(&|point| Some(point.spread.median_us)),
            edges: law(&|point| Some(point.edges as f64)),
            weight_bytes: law(&|point| point.weight_bytes.map(|bytes| bytes as f64)),
            peak_resident_bytes: law(&|point| point.peak_resident_bytes.map(|bytes| bytes as f64)),
            build_seconds: law(&|point| point.build_seconds),
            points,
        }
    }
}

/// Weights of the fully connected network of the same widths as that of a measurement with 10 logits.
#[must_use]
pub fn dense_edges(width: usize, hidden_layers: usize) -> u128 {
    let width = width as u128;
    width * width * hidden_layers as u128 + width * 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_are_fitted_to_what_every_point_has() {
        let point = |width: usize| {
            let mut point = Measurement::example("tanner", "sc", width);
            point.spread.median_us = 2.0 * width as f64;
            point.weight_bytes = Some((width * width) as u64);
            point.build_seconds = (width > 100).then_some(1.0);
            point
        };
        let growth = Growth::of("sc", [100, 200, 400].map(point).to_vec());
        let exponent = |law: Option<PowerLaw>| law.map(|law| (law.exponent * 1e9).round() / 1e9);
        assert_eq!((exponent(growth.step_time), exponent(growth.weight_bytes)), (Some(1.0), Some(2.0)));
        assert_eq!(growth.build_seconds, None);
        assert_eq!(Growth::of("sc", vec![point(100)]).step_time, None);
    }

    #[test]
    fn dense_weights_are_those_of_the_fully_connected_network() {
        assert_eq!(dense_edges(784, 5), 5 * 784 * 784 + 7_840);
        assert_eq!(dense_edges(65_536, 5), 5 * (1 << 32) + 655_360);
    }
}
