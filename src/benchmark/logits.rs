//! Checks the logits of one sample.

use super::noise;
use crate::engine::cpu::SingleSample;
use crate::engine::reference::{LayerValues, Matrix, run_forward};
use crate::network::{Network, Parameters};
use crate::{Error, Result};

/// How far a logit may be from the reference's, as a share of the absolute terms of its sum, `|b| + sum |w x|`:
/// 8 times the rounding of float32, for the logit's own sum and for those of the layers below it.
pub const LOGIT_BOUND: f64 = 1e-6;

/// The reference engine's logits of one sample.
pub(super) struct Logits {
    /// `[class]`.
    pub(super) values: Vec<f64>,
    /// `|b| + sum |w x|` of each logit, `[class]`.
    pub(super) magnitudes: Vec<f64>,
}

impl Logits {
    /// Without dropout, as in evaluation.
    pub(super) fn of(network: &Network, parameters: &Parameters, features: &[f32]) -> Self {
        let values: Vec<LayerValues> = parameters.layers.iter().map(LayerValues::from).collect();
        let x = Matrix::from_values(1, features.iter().map(|value| f64::from(*value)).collect());
        let last = run_forward(network, &values, &x, None).pop();
        let (values, magnitudes) =
            last.map(|last| (last.y.values().to_vec(), last.magnitude.values().to_vec())).unwrap_or_default();
        Self { values, magnitudes }
    }

    /// The largest deviation as a share of the bound, at most 1.
    fn check(&self, got: &[f32]) -> Result<f64> {
        let mut used: f64 = 0.0;
        let expected = self.values.iter().zip(&self.magnitudes);
        for (class, (got, (expected, magnitude))) in got.iter().zip(expected).enumerate() {
            let share = (f64::from(*got) - expected).abs() / (LOGIT_BOUND * magnitude);
            used = used.max(share);
            if !(share <= 1.0) {
                return Err(Error::WrongResult(format!(
                    "the forward pass of one sample is not timed: logit {class} is {got}, the reference's {expected}"
                )));
            }
        }
        Ok(used)
    }
}

/// Compares the logits of [`SingleSample`] with the reference's; returns the largest deviation as a share of the
/// bound, at most 1.
///
/// # Errors
/// [`Error::WrongResult`] when a logit differs by more than [`LOGIT_BOUND`].
pub fn check_single_sample(network: &Network, parameters: &Parameters) -> Result<f64> {
    let data = noise(1, network.inputs(), network.classes())?;
    let mut forward = SingleSample::new(network, parameters)?;
    Logits::of(network, parameters, data.sample(0)).check(forward.logits(data.sample(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::BenchNetwork;
    use crate::model::Arch;
    use crate::training::Recipe;

    fn subject(arch: Arch, width: usize, seed: u64) -> (Network, Parameters) {
        let request = BenchNetwork { arch, width, hidden_layers: 3 };
        let network = request.architecture().unwrap().build(seed).unwrap();
        let parameters = Recipe::default().initialisation.draw(&network, seed).unwrap();
        (network, parameters)
    }

    #[test]
    fn right_logits_pass_whatever_the_network() {
        for (arch, width) in Arch::drawable().flat_map(|arch| [(arch, 50), (arch, 784)]) {
            for seed in 0..5 {
                let (network, parameters) = subject(arch, width, seed);
                let used = check_single_sample(&network, &parameters).unwrap();
                assert!(used > 0.0 && used <= 0.5, "{arch} {width} {seed}: {used}");
            }
        }
    }

    #[test]
    fn wrong_logits_are_refused() {
        let (network, parameters) = subject(Arch::Sc, 98, 0);
        let data = noise(1, 98, 10).unwrap();
        let expected = Logits::of(&network, &parameters, data.sample(0));
        let mut forward = SingleSample::new(&network, &parameters).unwrap();
        let right = forward.logits(data.sample(0)).unwrap().to_vec();
        assert!(expected.check(&right).is_ok());
        // The terms of this logit sum up to some tens.
        for wrong in [right[3] + 2e-4, f32::NAN] {
            let got: Vec<f32> = (0..).zip(&right).map(|(k, one)| if k == 3 { wrong } else { *one }).collect();
            let refusal = expected.check(&got).unwrap_err().to_string();
            assert!(refusal.contains("logit 3 is "), "{refusal}");
        }
    }
}
