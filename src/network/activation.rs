//! Activation functions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a layer applies to its weighted sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `1 / (1 + exp(-z))`.
    Sigmoid,
    /// `max(z, 0)`.
    Relu,
    /// `tanh(z)`.
    Tanh,
    /// `z`.
    Identity,
}

impl Activation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sigmoid, Self::Relu, Self::Tanh, Self::Identity];

    /// The number by which kernels know it.
    pub fn code(self) -> u32 {
        match self {
            Self::Identity => 0,
            Self::Sigmoid => 1,
            Self::Relu => 2,
            Self::Tanh => 3,
        }
    }

    /// The name that settings and model files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Identity => "identity",
        }
    }

    /// The gain that lets a signal keep its size from layer to layer: the inverse
    /// of the slope at 0 (sigmoid 4, tanh and identity 1), sqrt 2 for ReLU.
    pub fn usual_gain(self) -> f32 {
        match self {
            Self::Sigmoid => 4.0,
            Self::Relu => std::f32::consts::SQRT_2,
            Self::Tanh | Self::Identity => 1.0,
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
