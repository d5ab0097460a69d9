//! The contribution of regularisation to the gradient of one weight, in float32.
//!
//! L2 is not here: it is part of the update rule and costs next to nothing.
//!
//! Twin: [`Penalties`](crate::engine::Penalties), the definition in float64.

use crate::engine::PenaltyRule;
use crate::engine::penalty::{L_HALF_SMOOTHING, WEIGHT_ELIMINATION_SCALE};
use crate::network::drop_connect::ConnectionMask;

/// From the gradient of the loss to that of the loss and its penalties. A type for each
/// case, so that a kernel without penalties is compiled without any trace of them.
pub(super) trait Regularise: Copy {
    /// Takes the gradient by a weight, the weight, its place among the values of the task, and the row of its input.
    fn gradient(&self, gradient: f32, weight: f32, place: usize, input: usize) -> f32;
}

/// No penalty but L2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain;

impl Regularise for Plain {
    #[inline(always)]
    fn gradient(&self, gradient: f32, _: f32, _: usize, _: usize) -> f32 {
        gradient
    }
}

/// Penalties beyond L2, and DropConnect.
#[derive(Clone, Copy, Debug)]
pub struct Regularisation<'a> {
    /// Strengths of the penalties.
    pub penalties: PenaltyRule,
    /// Number of the network's inputs, which are the first rows; weights from there on belong to other layers.
    pub inputs: usize,
    /// The factor of the group lasso for the weights of each input, `[inputs]`; empty without it.
    pub group_factors: &'a [f32],
    /// The connections of this step, if it drops any.
    pub connections: Option<Connections<'a>>,
}

/// A mask, and the connection number of each value of a task.
#[derive(Clone, Copy, Debug)]
pub struct Connections<'a> {
    /// The mask of the step.
    pub mask: ConnectionMask,
    /// `[values]`.
    pub numbers: &'a [u32],
}

impl Regularisation<'_> {
    /// The same for a task whose values begin at `start`.
    pub(super) fn from(mut self, start: usize) -> Self {
        if let Some(connections) = &mut self.connections {
            connections.numbers = &connections.numbers[start..];
        }
        self
    }
}

impl Regularise for Regularisation<'_> {
    #[inline(always)]
    fn gradient(&self, gradient: f32, weight: f32, place: usize, input: usize) -> f32 {
        let rule = &self.penalties;
        let mut sum = gradient;
        if let Some(Connections { mask, numbers }) = self.connections {
            sum *= mask.factor(numbers[place]);
        }
        sum += sign(weight) * if input < self.inputs { rule.l1_input } else { rule.l1 };
        // Inputs are the first rows, and no other row has a factor.
        if let Some(factor) = self.group_factors.get(input) {
            sum += factor * weight;
        }
        if rule.l_half > 0.0 {
            sum += rule.l_half * slope_of_smoothed_root(weight);
        }
        if rule.weight_elimination > 0.0 {
            sum += rule.weight_elimination * slope_of_elimination(weight);
        }
        sum
    }
}

/// 1, -1, or 0 at 0.
#[inline(always)]
fn sign(x: f32) -> f32 {
    if x == 0.0 { 0.0 } else { 1f32.copysign(x) }
}

/// `f'(w) / (2 f(w)^(1/2))` of the smoothed L1/2 penalty.
#[inline(always)]
fn slope_of_smoothed_root(w: f32) -> f32 {
    const A: f32 = L_HALF_SMOOTHING;
    let square = w * w;
    let (f, slope) = if w.abs() >= A {
        (w.abs(), sign(w))
    } else {
        let f = square * (3.0 / (4.0 * A) - square / (8.0 * A * A * A)) + 3.0 * A / 8.0;
        (f, w * (3.0 / (2.0 * A) - square / (2.0 * A * A * A)))
    };
    slope / (2.0 * f.sqrt())
}

/// `2 w / w0^2 / (1 + (w / w0)^2)^2` of weight elimination.
#[inline(always)]
fn slope_of_elimination(w: f32) -> f32 {
    const SCALE: f32 = WEIGHT_ELIMINATION_SCALE;
    let rest = 1.0 + (w / SCALE) * (w / SCALE);
    2.0 * w / (SCALE * SCALE) / (rest * rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Penalties;

    /// Around 0, where the sign is not differentiable, and around the smoothed root.
    #[test]
    fn gradients_are_those_of_the_definition() {
        let a = L_HALF_SMOOTHING;
        let none = Penalties::default();
        let penalties =
            Penalties { l1: 0.5, l1_input: Some(0.25), l_half: 0.75, weight_elimination: 0.125, ..none };
        let regularisation =
            Regularisation { penalties: penalties.rule(), inputs: 2, group_factors: &[], connections: None };
        for weight in [0.0, -0.0, 1e-30, a / 3.0, 0.999 * a, a, 1.001 * a, 0.4, 1.0, 30.0, 1e6] {
            for (weight, input) in [(weight, 0), (-weight, 1), (weight, 2), (-weight, 3)] {
                let got = f64::from(regularisation.gradient(0.5, weight, 0, input));
                let expected = 0.5 + penalties.gradient(usize::from(input > 1), f64::from(weight));
                let bound = 1e-6 * (1.0 + expected.abs());
                assert!((got - expected).abs() <= bound, "{weight}, input {input}: {got}, not {expected}");
            }
        }
    }
}
