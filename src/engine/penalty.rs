//! Penalties on the weights, added to the loss.
//!
//! [`Penalties`] holds their strengths and is their one definition, in float64.
//! [`PenaltyRule`] is their form for kernels; float32 twins of the gradient
//! are `shaders/common/penalty.wgsl` and `src/engine/cpu/penalty.rs`.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, Setting};

/// Half the width of the interval around 0 in which the L1/2 penalty is smoothed:
/// below the weights that matter (|w| > 0.1), above those that are noise.
pub const L_HALF_SMOOTHING: f32 = 0.05;

/// The weight between small and large for weight elimination (`w0`).
pub const WEIGHT_ELIMINATION_SCALE: f32 = 1.0;

/// Strengths of the penalties, each 0 (none) or above. They apply to weights, never to biases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Penalties {
    /// L2, weight decay: `l2 * sum(w^2)`, gradient `2 * l2 * w`.
    pub l2: f32,
    /// L1: `l1 * sum(|w|)`, gradient `l1 * sign(w)`, 0 at 0.
    pub l1: f32,
    /// L1 of the first layer instead of `l1`; `None`: the same.
    pub l1_input: Option<f32>,
    /// Smoothed L1/2 (Fan, Zurada and Wu, "Convergence of online gradient methods for neural networks with
    /// smoothing L1/2 regularization", 2014): `l_half * sum(f(w)^(1/2))`, gradient `l_half * f'(w) / (2 f(w)^(1/2))`;
    /// `f(w) = |w|` from `a = 0.05` on, `-w^4 / (8 a^3) + 3 w^2 / (4 a) + 3 a / 8` below.
    pub l_half: f32,
    /// Weight elimination (Weigend, Rumelhart and Huberman, 1991): `weight_elimination * sum(u / (1 + u))` with
    /// `u = (w / w0)^2`, `w0 = 1`; gradient `2 w / w0^2 / (1 + u)^2` times the strength.
    pub weight_elimination: f32,
    /// Group lasso on the first layer, a group for each input neuron, see
    /// smoothed near 0.
    pub group_lasso: f32,
}

/// Penalties for kernels, all but L2, which is
/// [`UpdateRule::decay`](super::UpdateRule::decay); twin: `shaders/common/uniforms.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct PenaltyRule {
    /// 0: all that follow are 0.
    pub on: u32,
    /// L1 of all layers but the first.
    pub l1: f32,
    /// L1 of the first layer.
    pub l1_input: f32,
    /// Smoothed L1/2.
    pub l_half: f32,
    /// Weight elimination.
    pub weight_elimination: f32,
    /// Group lasso of the first layer.
    pub group_lasso: f32,
    /// Nothing.
    pub reserved: [u32; 2],
}

#[doc(hidden)]
impl Penalties {
    /// Only L2.
    pub const fn l2(l2: f32) -> Self {
        Self { l2, l1: 0.0, l1_input: None, l_half: 0.0, weight_elimination: 0.0, group_lasso: 0.0 }
    }

    /// Refuses strengths that are negative or not finite.
    ///
    /// # Errors
    /// Names the flag and the value.
    pub(crate) fn check(&self) -> Result<()> {
        let strengths = [
            (Setting::L2, self.l2),
            (Setting::L1, self.l1),
            (Setting::L1Input, self.l1_input.unwrap_or(0.0)),
            (Setting::LHalf, self.l_half),
            (Setting::WeightElimination, self.weight_elimination),
            (Setting::GroupLasso, self.group_lasso),
        ];
        match strengths.into_iter().find(|(_, strength)| !(*strength >= 0.0 && strength.is_finite())) {
            Some((setting, strength)) => {
                let reason = format!("{strength} is invalid, it must be 0 or above, and finite");
                Err(Error::setting(setting, reason))
            }
            None => Ok(()),
        }
    }

    /// The form for kernels.
    pub fn rule(&self) -> PenaltyRule {
        let l1_input = self.l1_input.unwrap_or(self.l1);
        let strengths = [self.l1, l1_input, self.l_half, self.weight_elimination, self.group_lasso];
        let on = strengths.iter().any(|strength| *strength > 0.0);
        PenaltyRule {
            on: u32::from(on),
            l1: self.l1,
            l1_input,
            l_half: self.l_half,
            weight_elimination: self.weight_elimination,
            group_lasso: self.group_lasso,
            reserved: [0; 2],
        }
    }

    /// The L1 strength of the layer with this index.
    fn l1_of(&self, layer: usize) -> f32 {
        self.l1_input.filter(|_| layer == 0).unwrap_or(self.l1)
    }

    /// The contribution to the loss of one weight of the layer with this index.
    pub(crate) fn value(&self, layer: usize, weight: f64) -> f64 {
        let u = (weight / f64::from(WEIGHT_ELIMINATION_SCALE)).powi(2);
        f64::from(self.l2) * weight * weight
            + f64::from(self.l1_of(layer)) * weight.abs()
            + f64::from(self.l_half) * smoothed(weight)[0].sqrt()
            + f64::from(self.weight_elimination) * u / (1.0 + u)
    }

    /// The derivative of [`Penalties::value`] by the weight, as the terms that add up to it.
    pub(crate) fn gradient_terms(&self, layer: usize, weight: f64) -> [f64; 4] {
        let [f, slope] = smoothed(weight);
        let scale = f64::from(WEIGHT_ELIMINATION_SCALE);
        let u = (weight / scale).powi(2);
        [
            2.0 * f64::from(self.l2) * weight,
            f64::from(self.l1_of(layer)) * sign(weight),
            f64::from(self.l_half) * slope / (2.0 * f.sqrt()),
            f64::from(self.weight_elimination) * 2.0 * weight / scale.powi(2) / (1.0 + u).powi(2),
        ]
    }

    /// The derivative of [`Penalties::value`] by the weight.
    pub fn gradient(&self, layer: usize, weight: f64) -> f64 {
        self.gradient_terms(layer, weight).iter().sum()
    }
}

/// 1, -1, or 0 at 0.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

/// The smoothed `|w|` of the L1/2 penalty and its derivative.
fn smoothed(w: f64) -> [f64; 2] {
    let a = f64::from(L_HALF_SMOOTHING);
    if w.abs() >= a {
        [w.abs(), sign(w)]
    } else {
        let f = -w.powi(4) / (8.0 * a.powi(3)) + 3.0 * w * w / (4.0 * a) + 3.0 * a / 8.0;
        [f, -w.powi(3) / (2.0 * a.powi(3)) + 3.0 * w / (2.0 * a)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Value and gradient of one penalty, compared with numbers computed by hand.
    #[test]
    fn penalties_are_those_worked_out_by_hand() {
        let none = Penalties::default();
        let l1 = Penalties { l1: 0.5, l1_input: Some(0.25), ..none };
        let half = Penalties { l_half: 2.0, ..none };
        let elimination = Penalties { weight_elimination: 2.0, ..none };
        for (penalties, layer, weight, value, gradient) in [
            (Penalties::l2(0.5), 0, -3.0, 4.5, -3.0),
            (l1, 0, -3.0, 0.75, -0.25),
            (l1, 1, -3.0, 1.5, -0.5),
            (l1, 1, 0.0, 0.0, 0.0),
            (Penalties { l1: 0.5, ..none }, 0, 3.0, 1.5, 0.5),
            // 2 * sqrt(4) and 2 / (2 * sqrt(4)).
            (half, 0, 4.0, 4.0, 0.5),
            (half, 3, -4.0, 4.0, -0.5),
            // f(0) = 3 a / 8 with a = 0.05.
            (half, 0, 0.0, 2.0 * 0.018_75f64.sqrt(), 0.0),
            // f(a / 2) = a (-1/128 + 3/16 + 3/8) = 71 a / 128, f'(a / 2) = -1/16 + 3/4 = 11/16.
            (
                half,
                0,
                0.025,
                2.0 * (71.0 * 0.05 / 128.0f64).sqrt(),
                11.0 / 16.0 / (71.0 * 0.05 / 128.0f64).sqrt(),
            ),
            // u = 4: 2 * 4 / 5; 2 * 2 * 2 / 25.
            (elimination, 0, 2.0, 1.6, 0.32),
            (elimination, 2, -1.0, 1.0, -1.0),
            (elimination, 0, 0.0, 0.0, 0.0),
        ] {
            let near = |got: f64, expected: f64| (got - expected).abs() <= 1e-7 * (1.0 + expected.abs());
            let got = [penalties.value(layer, weight), penalties.gradient(layer, weight)];
            assert!(near(got[0], value) && near(got[1], gradient), "{penalties:?} of {weight}: {got:?}");
        }
    }

    #[test]
    fn the_smoothed_root_has_no_step_where_its_pieces_meet() {
        let a = f64::from(L_HALF_SMOOTHING);
        for side in [-1.0, 1.0] {
            let [inside, outside] = [1.0 - 1e-9, 1.0 + 1e-9].map(|share| smoothed(side * a * share));
            assert!((inside[0] - outside[0]).abs() < 1e-9 && (inside[1] - outside[1]).abs() < 1e-7);
        }
    }

    #[test]
    fn kernels_skip_penalties_that_are_not_there() {
        assert_eq!(Penalties::l2(1.0).rule().on, 0);
        let none = Penalties::default();
        for some in [
            Penalties { l1: 1e-9, ..none },
            Penalties { l1_input: Some(1e-9), ..none },
            Penalties { l_half: 1e-9, ..none },
            Penalties { weight_elimination: 1e-9, ..none },
            Penalties { group_lasso: 1e-9, ..none },
        ] {
            assert_eq!(some.rule().on, 1, "{some:?}");
        }
        let rule = Penalties { l1: 0.5, ..none }.rule();
        assert_eq!((rule.l1, rule.l1_input), (0.5, 0.5));
        let rule = Penalties { l1: 0.5, l1_input: Some(0.0), ..none }.rule();
        assert_eq!((rule.l1, rule.l1_input), (0.5, 0.0));
    }
}
