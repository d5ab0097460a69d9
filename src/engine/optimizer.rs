//! Optimisers: how a gradient changes a parameter.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::{Error, Result, Setting};

/// The rules, with the settings that stay the same over a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
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
}

impl Optimizer {
    /// Adam as published.
    pub const ADAM: Self = Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

    /// Number of state values for each parameter: 0, 1 or 2.
    pub fn state_count(&self) -> usize {
        match self {
            Self::Sgd => 0,
            Self::Momentum { .. } => 1,
            Self::Adam { .. } => 2,
        }
    }

    /// Refuses settings outside their range.
    ///
    /// # Errors
    /// Names the setting, the value and the limit.
    pub fn check(&self) -> Result<()> {
        let refuse = |setting, reason| Err(Error::Setting { setting, reason });
        let fraction = |value: f32| (0.0..1.0).contains(&value);
        match *self {
            Self::Momentum { momentum, .. } if !fraction(momentum) => refuse(
                Setting::Momentum,
                format!("{momentum} is impossible, it must be at least 0 and below 1"),
            ),
            Self::Adam { beta1, beta2, epsilon }
                if !(fraction(beta1) && fraction(beta2) && epsilon > 0.0) =>
            {
                refuse(
                    Setting::Optimizer,
                    format!(
                        "beta1 {beta1}, beta2 {beta2} must be at least 0 and below 1, epsilon {epsilon} above 0"
                    ),
                )
            }
            _ => Ok(()),
        }
    }

    /// The rule of one step in the numbers that kernels use.
    ///
    /// `step` counts from 0; the learning rate and Adam's corrections are rounded to float32 here, once.
    #[expect(clippy::cast_possible_truncation, reason = "rounding to float32 is meant")]
    pub fn rule(&self, learning_rate: f64, step: u64, l2: f32) -> UpdateRule {
        let plain = UpdateRule {
            kind: 0,
            learning_rate: learning_rate as f32,
            decay: 2.0 * l2,
            first: 0.0,
            second: 0.0,
            epsilon: 0.0,
            first_correction: 1.0,
            second_correction: 1.0,
        };
        match *self {
            Self::Sgd => plain,
            Self::Momentum { momentum, nesterov } => {
                UpdateRule { kind: if nesterov { 2 } else { 1 }, first: momentum, ..plain }
            }
            Self::Adam { beta1, beta2, epsilon } => {
                let correction = |beta: f32| {
                    let power = i32::try_from(step + 1).unwrap_or(i32::MAX);
                    (1.0 / (1.0 - f64::from(beta).powi(power))) as f32
                };
                UpdateRule {
                    kind: 3,
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

impl fmt::Display for Optimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sgd => f.write_str("SGD"),
            Self::Momentum { momentum, nesterov: false } => write!(f, "SGD with momentum {momentum}"),
            Self::Momentum { momentum, nesterov: true } => write!(f, "SGD with Nesterov momentum {momentum}"),
            Self::Adam { .. } => f.write_str("Adam"),
        }
    }
}

/// One step of an [`Optimizer`], as kernels read it; `shaders/common/update.wgsl` has its twin.
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct UpdateRule {
    /// 0 SGD, 1 momentum, 2 Nesterov momentum, 3 Adam.
    pub kind: u32,
    /// Step length.
    pub learning_rate: f32,
    /// `2 * l2`; the gradient of a weight gets `decay * w` added. Biases have none.
    pub decay: f32,
    /// Momentum, or Adam's beta1.
    pub first: f32,
    /// Adam's beta2.
    pub second: f32,
    /// Adam's epsilon.
    pub epsilon: f32,
    /// `1 / (1 - beta1^t)`.
    pub first_correction: f32,
    /// `1 / (1 - beta2^t)`.
    pub second_correction: f32,
}

named! {
    /// The rules.
    pub enum OptimizerKind {
        Sgd = "sgd",
        Momentum = "momentum",
        Nesterov = "nesterov",
        Adam = "adam",
    }
}

/// What can be set.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OptimizerOptions {
    /// m
    pub momentum: Option<f32>,
    /// b
    pub adam_beta1: Option<f32>,
    /// b
    pub adam_beta2: Option<f32>,
    /// e
    pub adam_epsilon: Option<f32>,
}

impl OptimizerKind {
    /// Rate.
    pub fn usual_learning_rate(self) -> f64 {
        if self == Self::Adam { 0.001 } else { 0.1 }
    }
}

impl Optimizer {
    /// From.
    pub fn from_options(kind: OptimizerKind, options: &OptimizerOptions) -> Result<Self> {
        let momentum = options.momentum.unwrap_or(0.9);
        let is_m = matches!(kind, OptimizerKind::Momentum | OptimizerKind::Nesterov);
        if options.momentum.is_some() && !is_m {
            return Err(Error::setting(
                Setting::Momentum,
                "has no meaning with this `optimizer`, it belongs to momentum and nesterov",
            ));
        }
        Ok(match kind {
            OptimizerKind::Sgd => Self::Sgd,
            OptimizerKind::Momentum => Self::Momentum { momentum, nesterov: false },
            OptimizerKind::Nesterov => Self::Momentum { momentum, nesterov: true },
            OptimizerKind::Adam => Self::Adam {
                beta1: options.adam_beta1.unwrap_or(0.9),
                beta2: options.adam_beta2.unwrap_or(0.999),
                epsilon: options.adam_epsilon.unwrap_or(1e-8),
            },
        })
    }
    /// Options.
    pub fn options(&self) -> OptimizerOptions {
        match *self {
            Self::Sgd => OptimizerOptions::default(),
            Self::Momentum { momentum, .. } => {
                OptimizerOptions { momentum: Some(momentum), ..Default::default() }
            }
            Self::Adam { beta1, beta2, epsilon } => OptimizerOptions {
                momentum: None,
                adam_beta1: Some(beta1),
                adam_beta2: Some(beta2),
                adam_epsilon: Some(epsilon),
            },
        }
    }
    /// Kind.
    pub fn kind(&self) -> OptimizerKind {
        match self {
            Self::Sgd => OptimizerKind::Sgd,
            Self::Momentum { nesterov: false, .. } => OptimizerKind::Momentum,
            Self::Momentum { nesterov: true, .. } => OptimizerKind::Nesterov,
            Self::Adam { .. } => OptimizerKind::Adam,
        }
    }
}

impl OptimizerOptions {
    /// All.
    pub const SETTINGS: [Setting; 4] =
        [Setting::Momentum, Setting::AdamBeta1, Setting::AdamBeta2, Setting::AdamEpsilon];
}
