//! The paper's idea in two dimensions: important inputs have more edges.

#[cfg(feature = "train")]
use crate::{Error, Result};

/// How strongly the importance of inputs affects the draw of the first layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InputImportance {
    /// Power of the importance; 0 if all inputs are equal.
    pub power: f64,
    /// The importance of each input, not negative: `[input]`; empty until known.
    pub of_input: Vec<f64>,
}

/// The minimum importance of an input, as a share of the mean, so that no pixel is unreachable.
#[cfg(feature = "train")]
const LEAST: f64 = 1e-6;

#[cfg(feature = "train")]
impl InputImportance {
    /// The factor of each input's weight in a draw, `(importance / mean)^power`, at least `LEAST^power`; empty
    /// if all are equal or their importance is unknown.
    pub(super) fn weights(&self) -> Vec<f64> {
        if self.power == 0.0 {
            return Vec::new();
        }
        let mean = self.of_input.iter().sum::<f64>() / self.of_input.len() as f64;
        let share = |importance: &f64| if mean > 0.0 { importance / mean } else { 1.0 };
        self.of_input.iter().map(|importance| share(importance).max(LEAST).powf(self.power)).collect()
    }

    /// Refuses to draw by an unknown importance.
    ///
    /// # Errors
    /// [`Error::Topology`] if it is needed.
    pub(super) fn check(&self) -> Result<()> {
        if self.power > 0.0 && self.of_input.is_empty() {
            return Err(Error::Topology(
                "the importance of the inputs is known once a run has data: train, then inspect the model"
                    .into(),
            ));
        }
        Ok(())
    }
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;

    fn weights(power: f64, of_input: &[f64]) -> Vec<f64> {
        InputImportance { power, of_input: of_input.to_vec() }.weights()
    }

    #[test]
    fn weights_are_powers_of_the_share_of_the_mean() {
        assert_eq!(weights(2.0, &[1.0, 2.0, 3.0]), [0.25, 1.0, 2.25]);
        assert_eq!(weights(0.5, &[0.0, 8.0]), [1e-3, 2f64.sqrt()]);
        assert_eq!(weights(1.0, &[0.0, 0.0]), [1.0, 1.0]);
        assert!(weights(0.0, &[1.0, 2.0]).is_empty());
    }

    #[test]
    fn an_importance_that_is_not_known_is_refused() {
        assert!(InputImportance { power: 1.0, of_input: Vec::new() }.check().is_err());
        assert!(InputImportance { power: 1.0, of_input: vec![1.0] }.check().is_ok());
        assert!(InputImportance::default().check().is_ok());
    }
}
