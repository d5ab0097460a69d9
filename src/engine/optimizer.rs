//! Optimisers: how a gradient changes a parameter.
//!
//! [`OptimizerKind`] names the rules, [`Optimizer`] adds their hyperparameters. A new rule is a variant of both here
//! and its arithmetic in one function of each engine: `update` in `reference/backward_weight.rs` and `cpu/update.rs`,
//! `updated` in `shaders/common/update.wgsl`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::UpdateRule;
use super::optimizer_options::OptimizerOptions;
use crate::named::named;
use crate::{Error, Result, Setting};

named! {
    /// The rules by name.
    #[derive(bytemuck::NoUninit, bytemuck::Zeroable)]
    #[repr(u32)]
    pub enum OptimizerKind {
        /// Plain stochastic gradient descent.
        Sgd = "sgd",
        /// SGD with momentum.
        Momentum = "momentum",
        /// SGD with Nesterov's momentum, which looks ahead.
        Nesterov = "nesterov",
        /// Adaptive steps from means of gradients and of their squares.
        Adam = "adam",
        /// Adam with decoupled weight decay.
        AdamW = "adamw",
        /// Steps of the sign of a mean of gradients, with decoupled weight decay.
        Lion = "lion",
    }
}

#[doc(hidden)]
impl OptimizerKind {
    /// The rule with its usual hyperparameters.
    pub const fn usual(self) -> Optimizer {
        match self {
            Self::Sgd => Optimizer::Sgd,
            Self::Momentum => Optimizer::Momentum { momentum: 0.9, nesterov: false },
            Self::Nesterov => Optimizer::Momentum { momentum: 0.9, nesterov: true },
            Self::Adam => Optimizer::ADAM,
            Self::AdamW => Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
            Self::Lion => Optimizer::Lion { beta1: 0.9, beta2: 0.99 },
        }
    }

    /// Whether it has the hyperparameter of a setting.
    pub(crate) fn has(self, setting: Setting) -> bool {
        let own = self.usual().options().by_setting();
        own.into_iter().any(|(one, value)| one == setting && value.is_some())
    }

    /// A learning rate that works well for most networks.
    pub(crate) const fn usual_learning_rate(self) -> f64 {
        match self {
            Self::Sgd | Self::Momentum | Self::Nesterov => 0.1,
            Self::Adam | Self::AdamW => 0.001,
            Self::Lion => 0.0001,
        }
    }

    /// Number of state values for each parameter.
    pub const fn state_count(self) -> usize {
        match self {
            Self::Sgd => 0,
            Self::Momentum | Self::Nesterov | Self::Lion => 1,
            Self::Adam | Self::AdamW => 2,
        }
    }

    /// Whether weight decay acts only on the weights, outside the gradient and the optimiser state.
    pub(crate) const fn decouples_decay(self) -> bool {
        match self {
            Self::Sgd | Self::Momentum | Self::Nesterov | Self::Adam => false,
            Self::AdamW | Self::Lion => true,
        }
    }
}

/// The largest [`OptimizerKind::state_count`].
pub const MAX_STATES: usize = {
    let (mut most, mut index) = (0, 0);
    while index < OptimizerKind::ALL.len() {
        let count = OptimizerKind::ALL[index].state_count();
        most = if count > most { count } else { most };
        index += 1;
    }
    most
};

/// The rules with their hyperparameters, which are constant over a run.
///
/// `g` is the gradient of the loss and the penalties; with L2 it includes the decay, `2 * l2 * w`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum Optimizer {
    /// `w -= lr * g`.
    Sgd,
    /// `m = momentum * m + g`, then `w -= lr * m`; Nesterov: `w -= lr * (g + momentum * m)`
    /// (Sutskever et al., 2013, in the form of the common libraries).
    Momentum {
        /// Share of the last step that is kept, in `[0, 1)`.
        momentum: f32,
        /// Whether to look ahead.
        nesterov: bool,
    },
    /// `m = beta1 * m + (1 - beta1) * g`, `v = beta2 * v + (1 - beta2) * g^2`,
    /// `w -= lr * m' / (sqrt(v') + epsilon)` with `m' = m / (1 - beta1^t)`,
    /// `v' = v / (1 - beta2^t)` at step `t = 1, 2, ...` (Kingma and Ba, 2015).
    Adam {
        /// Decay of the mean of gradients, in `[0, 1)`.
        beta1: f32,
        /// Decay of the mean of squared gradients, in `[0, 1)`.
        beta2: f32,
        /// Keeps the division finite, above 0.
        epsilon: f32,
    },
    /// Adam with decoupled weight decay (Loshchilov and Hutter, 2019): `g` does not include the decay, and
    /// `w -= lr * (m' / (sqrt(v') + epsilon) + 2 * l2 * w)`. PyTorch's `AdamW` with `weight_decay = 2 * l2` does
    /// the same: the decay grows with the learning rate, and follows its schedule.
    AdamW {
        /// Decay of the mean of gradients, in `[0, 1)`.
        beta1: f32,
        /// Decay of the mean of squared gradients, in `[0, 1)`.
        beta2: f32,
        /// Keeps the division finite, above 0.
        epsilon: f32,
    },
    /// `c = beta1 * m + (1 - beta1) * g`, `w -= lr * (sign(c) + 2 * l2 * w)`, `m = beta2 * m + (1 - beta2) * g`
    /// (Chen et al., 2023); `g` does not include the decay, and `sign(0) = 0`.
    Lion {
        /// Weight of the mean in the sign, in `[0, 1)`.
        beta1: f32,
        /// Decay of the mean of gradients, in `[0, 1)`.
        beta2: f32,
    },
}

#[doc(hidden)]
impl Optimizer {
    /// Adam as published.
    pub const ADAM: Self = Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

    /// The rule with the options given, and the usual values of the others.
    ///
    /// # Errors
    /// [`Error::Setting`] for an option that the rule does not use, or one outside its range.
    pub fn from_options(kind: OptimizerKind, options: &OptimizerOptions) -> Result<Self> {
        let mut chosen = kind.usual();
        for (index, (place, (setting, given))) in
            chosen.hyperparameters().into_iter().zip(options.by_setting()).enumerate()
        {
            match (place, given) {
                (Some(place), Some(given)) => *place = given,
                (None, Some(_)) => return Err(Error::setting(setting, belongs_to(index))),
                (_, None) => {}
            }
        }
        chosen.check()?;
        Ok(chosen)
    }

    /// Its hyperparameters: the inverse of [`Optimizer::from_options`].
    pub fn options(&self) -> OptimizerOptions {
        let mut copy = *self;
        let [momentum, beta1, beta2, epsilon] = copy.hyperparameters().map(|value| value.copied());
        OptimizerOptions { momentum, beta1, beta2, epsilon }
    }

    /// The hyperparameters in the order of [`OptimizerOptions`], `None` for those that it does not have.
    fn hyperparameters(&mut self) -> [Option<&mut f32>; 4] {
        match self {
            Self::Sgd => [None, None, None, None],
            Self::Momentum { momentum, .. } => [Some(momentum), None, None, None],
            Self::Adam { beta1, beta2, epsilon } | Self::AdamW { beta1, beta2, epsilon } => {
                [None, Some(beta1), Some(beta2), Some(epsilon)]
            }
            Self::Lion { beta1, beta2 } => [None, Some(beta1), Some(beta2), None],
        }
    }

    /// The rule's kind.
    pub(crate) const fn kind(&self) -> OptimizerKind {
        match self {
            Self::Sgd => OptimizerKind::Sgd,
            Self::Momentum { nesterov: false, .. } => OptimizerKind::Momentum,
            Self::Momentum { nesterov: true, .. } => OptimizerKind::Nesterov,
            Self::Adam { .. } => OptimizerKind::Adam,
            Self::AdamW { .. } => OptimizerKind::AdamW,
            Self::Lion { .. } => OptimizerKind::Lion,
        }
    }

    /// Number of state values for each parameter.
    pub const fn state_count(&self) -> usize {
        self.kind().state_count()
    }

    /// Refuses hyperparameters outside their range.
    ///
    /// # Errors
    /// Names the setting, the value and the limit.
    pub(crate) fn check(&self) -> Result<()> {
        for (setting, value) in self.options().by_setting() {
            let Some(value) = value else { continue };
            let (possible, limit) = match setting {
                Setting::AdamEpsilon => (value > 0.0, "above 0"),
                _ => ((0.0..1.0).contains(&value), "at least 0 and below 1"),
            };
            if !possible {
                return Err(Error::setting(setting, format!("{value} is invalid, it must be {limit}")));
            }
        }
        Ok(())
    }

    /// The rule of one step in the numbers that kernels use.
    ///
    /// `step` counts from 0; the learning rate and the corrections of means are rounded to float32 here, once.
    #[expect(clippy::cast_possible_truncation, reason = "rounding to float32 is meant")]
    pub fn rule(&self, learning_rate: f64, step: u64, l2: f32) -> UpdateRule {
        let kind = self.kind();
        let (decay, decoupled_decay) = if kind.decouples_decay() { (0.0, 2.0 * l2) } else { (2.0 * l2, 0.0) };
        let plain = UpdateRule {
            kind,
            states: kind.state_count() as u32,
            learning_rate: learning_rate as f32,
            decay,
            decoupled_decay,
            first_correction: 1.0,
            second_correction: 1.0,
            ..bytemuck::Zeroable::zeroed()
        };
        match *self {
            Self::Sgd => plain,
            Self::Momentum { momentum, .. } => UpdateRule { first: momentum, ..plain },
            Self::Lion { beta1, beta2 } => UpdateRule { first: beta1, second: beta2, ..plain },
            Self::Adam { beta1, beta2, epsilon } | Self::AdamW { beta1, beta2, epsilon } => {
                let correction = |beta: f32| {
                    let power = i32::try_from(step + 1).unwrap_or(i32::MAX);
                    (1.0 / (1.0 - f64::from(beta).powi(power))) as f32
                };
                UpdateRule {
                    first: beta1,
                    second: beta2,
                    epsilon,
                    first_correction: correction(beta1),
                    second_correction: correction(beta2),
                    ..plain
                }
            }
        }
    }
}

/// Why the hyperparameter at this place of [`OptimizerOptions`] is refused.
fn belongs_to(index: usize) -> String {
    let owns = |kind: &OptimizerKind| kind.usual().hyperparameters()[index].is_some();
    let owners: Vec<_> = OptimizerKind::ALL.into_iter().filter(owns).map(OptimizerKind::name).collect();
    format!("cannot be used with this `optimizer`, only with {}", listed(&owners))
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.concat(),
    }
}

impl fmt::Display for Optimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sgd => f.write_str("SGD"),
            Self::Momentum { momentum, nesterov: false } => write!(f, "SGD with momentum {momentum}"),
            Self::Momentum { momentum, nesterov: true } => write!(f, "SGD with Nesterov momentum {momentum}"),
            Self::Adam { .. } => f.write_str("Adam"),
            Self::AdamW { .. } => f.write_str("AdamW"),
            Self::Lion { .. } => f.write_str("Lion"),
        }
    }
}

#[cfg(test)]
#[path = "optimizer_tests.rs"]
mod tests;
