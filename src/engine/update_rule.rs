//! One step of an optimiser as plain numbers, for kernels.

use super::OptimizerKind;

/// One step of an [`Optimizer`](super::Optimizer); twin: `shaders/common/uniforms.wgsl`.
///
/// [`Optimizer`](super::Optimizer) documents the numbers that each rule uses.
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::NoUninit, bytemuck::Zeroable)]
#[repr(C)]
pub struct UpdateRule {
    /// Which rule; shaders have a constant of the same value for each.
    pub kind: OptimizerKind,
    /// State values of each parameter.
    pub states: u32,
    /// Step length.
    pub learning_rate: f32,
    /// Weight decay inside the gradient, `2 * l2`: the gradient of a weight gets `decay * w` added.
    pub decay: f32,
    /// Weight decay outside the gradient, `2 * l2`: a weight loses `learning_rate * decoupled_decay * w`.
    pub decoupled_decay: f32,
    /// Momentum, or beta1.
    pub first: f32,
    /// beta2.
    pub second: f32,
    /// Keeps a division finite.
    pub epsilon: f32,
    /// `1 / (1 - beta1^t)`.
    pub first_correction: f32,
    /// `1 / (1 - beta2^t)`.
    pub second_correction: f32,
    /// Nothing; uniforms have a multiple of 16 bytes.
    pub reserved: [u32; 2],
}

impl UpdateRule {
    /// The rule for biases, which never decay.
    #[must_use]
    pub fn without_decay(&self) -> Self {
        Self { decay: 0.0, decoupled_decay: 0.0, ..*self }
    }
}
