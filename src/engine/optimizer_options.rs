//! Hyperparameters of optimisers as a user chooses them.

use serde::{Deserialize, Serialize};

use crate::Setting;

/// Hyperparameters of all rules, each `None` where a rule does not have it or it was not chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerOptions {
    /// Share of the last step that is kept, in `[0, 1)`.
    pub momentum: Option<f32>,
    /// Decay of the mean of gradients, in `[0, 1)`.
    pub beta1: Option<f32>,
    /// Decay of the mean of squared gradients, in `[0, 1)`.
    pub beta2: Option<f32>,
    /// Keeps a division finite, above 0.
    pub epsilon: Option<f32>,
}

impl OptimizerOptions {
    /// The settings that they are chosen by.
    pub(crate) const SETTINGS: [Setting; 4] =
        [Setting::Momentum, Setting::AdamBeta1, Setting::AdamBeta2, Setting::AdamEpsilon];

    /// Each with the setting that it is chosen by.
    pub(super) fn by_setting(&self) -> [(Setting, Option<f32>); 4] {
        let values = [self.momentum, self.beta1, self.beta2, self.epsilon];
        std::array::from_fn(|place| (Self::SETTINGS[place], values[place]))
    }
}
