//! Hyperparameters of optimisers, as set by a user.

use serde::{Deserialize, Serialize};

use crate::Setting;

/// Hyperparameters of all rules, each `None` if unset or not part of the rule.
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
    /// Their settings.
    pub(crate) const SETTINGS: [Setting; 4] =
        [Setting::Momentum, Setting::AdamBeta1, Setting::AdamBeta2, Setting::AdamEpsilon];

    /// Each with its setting.
    pub(super) fn by_setting(&self) -> [(Setting, Option<f32>); 4] {
        let values = [self.momentum, self.beta1, self.beta2, self.epsilon];
        std::array::from_fn(|place| (Self::SETTINGS[place], values[place]))
    }
}
