//! Activation functions.

use crate::named::named;

named! {
    /// The function that a layer applies to its weighted sums.
    #[repr(u32)]
    pub enum Activation {
        /// `1 / (1 + exp(-z))`
        Sigmoid = "sigmoid",
        /// `max(z, 0)`
        Relu = "relu",
        /// `tanh(z)`
        Tanh = "tanh",
        /// `z`
        Identity = "identity",
    }
}

#[doc(hidden)]
impl Activation {
    /// Its code in kernels; shaders have a constant of the same value.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The gain that preserves the size of a signal from layer to layer: the inverse
    /// of the slope at 0 (sigmoid 4, tanh and identity 1), sqrt 2 for ReLU.
    pub fn usual_gain(self) -> f32 {
        match self {
            Self::Sigmoid => 4.0,
            Self::Relu => std::f32::consts::SQRT_2,
            Self::Tanh | Self::Identity => 1.0,
        }
    }
}
