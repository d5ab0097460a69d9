//! Activation functions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result, Setting};

/// What a layer applies to its weighted sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[repr(u32)]
pub enum Activation {
    /// `1 / (1 + exp(-z))`
    Sigmoid,
    /// `max(z, 0)`
    Relu,
    /// `tanh(z)`
    Tanh,
    /// `z`
    Identity,
}

impl Activation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sigmoid, Self::Relu, Self::Tanh, Self::Identity];

    /// The number by which kernels know it; shaders have a constant of the same value.
    pub const fn code(self) -> u32 {
        self as u32
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

impl FromStr for Activation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|activation| activation.name() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            Error::Setting {
                setting: Setting::Activation,
                reason: format!("{text:?} is unknown, there are {known}"),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_activation_has_one_name_everywhere() {
        for activation in Activation::ALL {
            assert_eq!(activation.to_string().parse::<Activation>().unwrap(), activation);
            assert_eq!(serde_json::to_value(activation).unwrap(), serde_json::json!(activation.name()));
        }
        let message = "relux".parse::<Activation>().unwrap_err().to_string();
        assert!(message.contains("\"relux\" is unknown, there are sigmoid, relu"), "{message}");
    }

    /// The derive lists every variant, so `ALL` misses none.
    #[cfg(feature = "cli")]
    #[test]
    fn the_command_line_has_the_same_names_in_the_same_order() {
        use clap::ValueEnum;

        assert_eq!(Activation::value_variants(), Activation::ALL);
        for activation in Activation::ALL {
            assert_eq!(activation.to_possible_value().unwrap().get_name(), activation.name());
        }
    }
}
