//! The reference engine's float64 arithmetic, one number at a time, with a bound
//! on the error that float32 may make: the yardstick of kernel tests.

use tanner::engine::penalty::{L_HALF_SMOOTHING, WEIGHT_ELIMINATION_SCALE};
use tanner::engine::reference::{self, Matrix};
use tanner::engine::{MAX_STATES, Optimizer, Penalties};
use tanner::network::Activation;
use tanner::topology::Topology;

/// Rounding of one float32 operation.
pub(crate) const EPSILON: f64 = f32::EPSILON as f64;

/// A number and the maximum error of a float32 kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounded {
    pub(crate) value: f64,
    pub(crate) bound: f64,
}

impl Bounded {
    pub(crate) fn exact(value: f64) -> Self {
        Self { value, bound: 0.0 }
    }

    /// A sum of `terms` products, in any order: `(terms + 2) * epsilon * sum |w x|`.
    pub(crate) fn sum(products: impl Iterator<Item = f64>) -> Self {
        let (mut value, mut size, mut terms) = (0.0, 0.0, 0.0);
        for product in products {
            value += product;
            size += product.abs();
            terms += 1.0;
        }
        Self { value, bound: (terms + 2.0) * EPSILON * size }
    }

    /// Errors of both, and one rounding.
    pub(crate) fn plus(self, other: Self) -> Self {
        let value = self.value + other.value;
        Self { value, bound: self.bound + other.bound + EPSILON * (self.value.abs() + other.value.abs()) }
    }

    /// Errors of both, and one rounding.
    pub(crate) fn times(self, other: Self) -> Self {
        let value = self.value * other.value;
        let bound = self.bound * (other.value.abs() + other.bound)
            + other.bound * self.value.abs()
            + EPSILON * value.abs();
        Self { value, bound }
    }

    /// Divisions of GPUs are right to 2.5 units in the last place.
    pub(crate) fn divided_by(self, other: Self) -> Self {
        let value = self.value / other.value;
        let least = other.value.abs() - other.bound;
        Self { value, bound: (self.bound + other.bound * value.abs()) / least + 3.0 * EPSILON * value.abs() }
    }

    pub(crate) fn square_root(self) -> Self {
        let value = self.value.sqrt();
        Self { value, bound: (self.bound / value).min(self.bound.sqrt()) + 3.0 * EPSILON * value }
    }

    /// 1, -1 or, of 0, 0; any of them where an error may change the sign.
    pub(crate) fn sign(self) -> Self {
        let value = if self.value == 0.0 { 0.0 } else { self.value.signum() };
        Self { value, bound: if self.bound > 0.0 && self.value.abs() <= self.bound { 2.0 } else { 0.0 } }
    }

    pub(crate) fn scaled(self, factor: f64) -> Self {
        self.times(Self::exact(factor))
    }
}

/// The activation of a sum; exponentials of GPUs are right to `3 + 2 |z|` units in the last place.
pub(crate) fn activate(activation: Activation, z: Bounded) -> Bounded {
    let value = reference::forward::activate(activation, z.value);
    match activation {
        Activation::Identity => z,
        Activation::Relu => Bounded { value, bound: z.bound },
        Activation::Sigmoid => {
            let rounding = (3.0 + 2.0 * z.value.abs()) * value * (1.0 - value) + 5.0 * value;
            // Below -80 kernels stop: what is left is below 1e-34.
            Bounded { value, bound: 0.25 * z.bound + rounding * EPSILON + 1e-34 }
        }
        Activation::Tanh => {
            Bounded { value, bound: z.bound + (8.0 + 2.0 * z.value.abs().min(15.0)) * EPSILON }
        }
    }
}

/// The derivative of an activation at the value `a`.
pub(crate) fn slope(activation: Activation, a: Bounded) -> Bounded {
    let one = Bounded::exact(1.0);
    let minus = |x: Bounded| Bounded { value: -x.value, bound: x.bound };
    let bound = match activation {
        Activation::Identity | Activation::Relu => 0.0,
        Activation::Sigmoid => a.times(one.plus(minus(a))).bound,
        Activation::Tanh => one.plus(minus(a.times(a))).bound,
    };
    Bounded { value: reference::backward_input::slope(activation, a.value), bound }
}

/// `bias[o] + sum_i w[o][i] x[i]` of one output.
pub(crate) fn weighted_sum(
    topology: &Topology,
    weights: &[f32],
    output: usize,
    x: impl Fn(usize) -> f64,
) -> Bounded {
    let edges = topology.row(output);
    Bounded::sum(edges.map(|edge| f64::from(weights[edge]) * x(topology.edge_inputs()[edge] as usize)))
}

/// `sum_o w[o][i] delta[o]` of one input.
pub(crate) fn transposed_sum(
    topology: &Topology,
    weights: &[f32],
    input: usize,
    delta: impl Fn(usize) -> f64,
) -> Bounded {
    Bounded::sum(topology.column(input).map(|(output, edge)| f64::from(weights[edge]) * delta(output)))
}

/// Loss of one sample, its deltas times the batch size, and whether the first greatest logit is the label's.
pub(crate) fn softmax(logits: &[f64], label: usize, smoothing: f32) -> (Bounded, Vec<Bounded>, bool) {
    let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let column = Matrix::from_values(1, logits.to_vec());
    let (label_word, smoothing) = (u32::try_from(label).unwrap(), f64::from(smoothing));
    let expected =
        reference::softmax_cross_entropy::softmax_cross_entropy(&column, (&[label_word], &[1.0]), smoothing);
    let terms: Vec<f64> = logits.iter().map(|z| (z - greatest).exp()).collect();
    let sum: f64 = terms.iter().sum();
    // Of each exponential: its own rounding and that of its argument.
    let relative = |z: f64| (4.0 + 3.0 * (z - greatest).abs()) * EPSILON;
    let sum_error: f64 = logits.iter().zip(&terms).map(|(z, term)| relative(*z) * term).sum();
    let sum_relative = sum_error / sum + logits.len() as f64 * EPSILON;
    let size = sum.ln().abs() + greatest.abs() + logits[label].abs();
    // Smoothing sums the distance of every logit; each share of it was divided once.
    let spread: f64 = logits.iter().map(|z| greatest.abs() + z.abs()).sum();
    let size = size + smoothing * (2.0 + logits.len() as f64 / 4.0) * spread / logits.len() as f64;
    // Logarithms of GPUs are right to 2^-21 near 1.
    let loss = Bounded { value: expected.sum, bound: sum_relative + 4.0 * EPSILON * size + 4.0 * EPSILON };
    let deltas = (0..logits.len()).map(|class| {
        let share = terms[class] / sum;
        let bound = share * (relative(logits[class]) + sum_relative + 4.0 * EPSILON) + EPSILON;
        Bounded { value: expected.delta.row(class)[0], bound }
    });
    (loss, deltas.collect(), expected.correct == 1)
}

/// Gradient of all penalties but L2 and the group lasso on one weight of a layer, checked against the definition.
pub(crate) fn penalty_gradient(penalties: &Penalties, layer: usize, weight: f32) -> Bounded {
    let rule = penalties.rule();
    let w = Bounded::exact(f64::from(weight));
    let sign = if weight == 0.0 { 0.0 } else { f64::from(weight.signum()) };
    let l1 = Bounded::exact(f64::from(if layer == 0 { rule.l1_input } else { rule.l1 }) * sign);
    let half = slope_of_smoothed_root(w).scaled(f64::from(rule.l_half));
    let w0 = f64::from(WEIGHT_ELIMINATION_SCALE);
    let scaled = w.scaled(1.0 / w0);
    let rest = Bounded::exact(1.0).plus(scaled.times(scaled));
    let elimination = scaled.scaled(2.0 / w0).divided_by(rest.times(rest));
    let elimination = elimination.scaled(f64::from(rule.weight_elimination));
    let sum = [half, elimination].into_iter().filter(|term| term.value != 0.0).fold(l1, Bounded::plus);
    let expected = Penalties { l2: 0.0, ..*penalties }.gradient(layer, f64::from(weight));
    assert!((sum.value - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{sum:?} is not {expected}");
    sum
}

/// The group lasso's factor of one input's weights, checked against the reference.
pub(crate) fn group_factor(topology: &Topology, weights: &[f32], strength: f32, input: usize) -> Bounded {
    let weights: Vec<f64> = weights.iter().map(|weight| f64::from(*weight)).collect();
    let expected = reference::group_norm::group_factors(topology, &weights, strength)[input];
    let square = Bounded::sum(topology.column(input).map(|(_, edge)| weights[edge] * weights[edge]));
    if square.value == 0.0 {
        return Bounded::exact(expected);
    }
    let root = Bounded::exact(topology.out_degree(input) as f64).square_root();
    let factor = root.scaled(f64::from(strength)).divided_by(square.square_root());
    assert!((factor.value - expected).abs() <= 1e-12 * expected, "{factor:?} is not {expected}");
    factor
}

/// The derivative of the smoothed L1/2 penalty in bounded arithmetic.
fn slope_of_smoothed_root(w: Bounded) -> Bounded {
    let a = f64::from(L_HALF_SMOOTHING);
    // Kernels round the coefficients, in up to 4 operations.
    let coefficient = |value: f64| Bounded { value, bound: 4.0 * EPSILON * value.abs() };
    let (f, slope) = if w.value.abs() >= a {
        (Bounded::exact(w.value.abs()), Bounded::exact(w.value.signum()))
    } else {
        let square = w.times(w);
        let minus = square.times(coefficient(-1.0 / (8.0 * a.powi(3))));
        let f = square.times(coefficient(3.0 / (4.0 * a)).plus(minus)).plus(coefficient(3.0 * a / 8.0));
        let minus = square.times(coefficient(-1.0 / (2.0 * a.powi(3))));
        (f, w.times(coefficient(3.0 / (2.0 * a)).plus(minus)))
    };
    slope.divided_by(f.square_root().scaled(2.0))
}

/// A parameter and its optimiser state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    pub(crate) value: Bounded,
    pub(crate) state: [Bounded; MAX_STATES],
}

impl Moved {
    /// Exact numbers.
    pub(crate) fn from_exact(value: f32, state: [f32; MAX_STATES]) -> Self {
        let exact = |x| Bounded::exact(f64::from(x));
        Self { value: exact(value), state: state.map(exact) }
    }
}

/// One step of an optimiser.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) optimizer: Optimizer,
    pub(crate) learning_rate: f64,
    /// From 0 on.
    pub(crate) number: u64,
    /// Strength of L2; 0 for biases.
    pub(crate) l2: f32,
}

/// A parameter after one step by the published formula, checked against the reference.
pub(crate) fn moved(step: Step, old: &Moved, gradient: Bounded) -> Moved {
    let moved = by_formula(step, old, gradient);
    let rule = step.optimizer.rule(step.learning_rate, step.number, step.l2);
    let mut state = old.state.map(|state| state.value);
    let value = reference::backward_weight::update(&rule, gradient.value, &mut state, old.value.value);
    let same = |a: Bounded, b: f64| (a.value - b).abs() <= 1e-7 * (1.0 + b.abs());
    assert!(same(moved.value, value), "{step:?}: {moved:?} is not the reference's {value}");
    assert!(moved.state.into_iter().zip(state).all(|(a, b)| same(a, b)), "{step:?}: {moved:?} and {state:?}");
    moved
}

/// The formulas in bounded arithmetic; `gradient` has all penalties but L2.
#[expect(clippy::cast_possible_truncation, reason = "rounding to float32 is meant")]
fn by_formula(step: Step, old: &Moved, gradient: Bounded) -> Moved {
    let Moved { value, state } = *old;
    let [first, second] = state;
    let rate = -f64::from(step.learning_rate as f32);
    let decay = value.scaled(f64::from(2.0 * step.l2));
    let g = gradient.plus(decay);
    let rest = |beta: f32| Bounded { value: 1.0 - f64::from(beta), bound: EPSILON };
    let mean =
        |beta: f32, old: Bounded, new: Bounded| old.scaled(f64::from(beta)).plus(new.times(rest(beta)));
    let corrected = |beta: f32, mean: Bounded| {
        let correction = 1.0 / (1.0 - f64::from(beta).powi(i32::try_from(step.number + 1).unwrap()));
        mean.times(Bounded { value: correction, bound: EPSILON * correction })
    };
    match step.optimizer {
        Optimizer::Sgd => Moved { value: value.plus(g.scaled(rate)), state },
        Optimizer::Momentum { momentum, nesterov } => {
            let first = first.scaled(f64::from(momentum)).plus(g);
            let by = if nesterov { g.plus(first.scaled(f64::from(momentum))) } else { first };
            Moved { value: value.plus(by.scaled(rate)), state: [first, second] }
        }
        Optimizer::Adam { beta1, beta2, epsilon } => {
            let (first, second) = (mean(beta1, first, g), mean(beta2, second, g.times(g)));
            let root = corrected(beta2, second).square_root().plus(Bounded::exact(f64::from(epsilon)));
            let by = corrected(beta1, first).divided_by(root);
            Moved { value: value.plus(by.scaled(rate)), state: [first, second] }
        }
        Optimizer::Lion { beta1, beta2 } => {
            let by = mean(beta1, first, gradient).sign().plus(decay);
            Moved { value: value.plus(by.scaled(rate)), state: [mean(beta2, first, gradient), second] }
        }
        Optimizer::AdamW { beta1, beta2, epsilon } => {
            let adam = Step { optimizer: Optimizer::Adam { beta1, beta2, epsilon }, l2: 0.0, ..step };
            let by_adam = by_formula(adam, old, gradient);
            Moved { value: by_adam.value.plus(decay.scaled(rate)), ..by_adam }
        }
    }
}

/// Collects every miss, so that one run shows the whole pattern.
#[derive(Debug, Default)]
pub(crate) struct Misses(Vec<String>, usize);

impl Misses {
    /// Counts a value that is not within its bound; NaN never is.
    pub(crate) fn near(&mut self, what: impl std::fmt::Display, got: impl Into<f64>, expected: Bounded) {
        self.1 += 1;
        let got: f64 = got.into();
        let error = (got - expected.value).abs();
        if !(error <= expected.bound) {
            let Bounded { value, bound } = expected;
            self.0.push(format!("{what}: got {got:e}, expected {value:e}, error {error:e}, bound {bound:e}"));
        }
    }

    /// Counts a value that does not have the expected bits.
    pub(crate) fn same(&mut self, what: impl std::fmt::Display, got: f32, expected: f32) {
        self.1 += 1;
        if got.to_bits() != expected.to_bits() {
            self.0.push(format!("{what}: got {got:e}, expected the bits of {expected:e}"));
        }
    }

    /// Counts values that differ.
    pub(crate) fn equal<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: impl std::fmt::Display,
        got: T,
        expected: T,
    ) {
        self.1 += 1;
        if got != expected {
            self.0.push(format!("{what}: got {got:?}, expected {expected:?}"));
        }
    }

    /// All misses, the first twenty in full.
    pub(crate) fn result(self) -> Result<(), String> {
        match (self.0.len(), self.1) {
            (_, 0) => Err("nothing was compared".into()),
            (0, _) => Ok(()),
            (misses, all) => {
                let shown: Vec<_> = self.0.into_iter().take(20).collect();
                Err(format!("{misses} of {all} values are wrong:\n{}", shown.join("\n")))
            }
        }
    }
}
