//! Compares the reference engine's gradients with central differences of its loss.

mod common;

use common::{all_penalties, from_edges, layer, penalties, random_data, random_parameters, small_network};
use tanner::dataset::{Dataset, Targets, Task};
use tanner::engine::penalty::L_HALF_SMOOTHING;
use tanner::engine::reference::backward_weight::update;
use tanner::engine::reference::drop_connect::{connection_factors, drop_connect};
use tanner::engine::reference::gather::{BatchTargets, gather, gather_targets};
use tanner::engine::reference::group_norm::{group_factors, group_penalty};
use tanner::engine::reference::objective::{compare, objective_gradients, penalty};
use tanner::engine::reference::separable_loss::separable_loss;
use tanner::engine::reference::softmax_cross_entropy::softmax_cross_entropy;
use tanner::engine::reference::{LayerValues, Matrix, dropout_keys, run_forward};
use tanner::engine::{
    EngineSettings, LossKind, LossRule, MAX_STATES, Optimizer, OptimizerKind, OptimizerOptions, Penalties,
};
use tanner::network::{Activation, Network};
use tanner::topology::fully_connected;

const STEP: f64 = 1e-5;
/// Truncation (about STEP^2) and cancellation (about 1e-16 / STEP), relative to gradients near 1.
const TOLERANCE: f64 = 1e-8;

struct Case<'a> {
    name: String,
    network: &'a Network,
    values: Vec<LayerValues>,
    x: Matrix,
    targets: BatchTargets,
    settings: EngineSettings,
    step: u64,
}

impl<'a> Case<'a> {
    fn new(name: String, network: &'a Network, penalties: Penalties) -> Self {
        let data = random_data(7, network.inputs(), network.classes(), 11);
        let samples: Vec<u32> = (0..7).collect();
        let values = random_parameters(network, 5).layers.iter().map(LayerValues::from).collect();
        Case {
            name,
            network,
            values,
            x: gather(&data, &samples),
            targets: gather_targets(&data, &samples),
            settings: EngineSettings { penalties, ..EngineSettings::new(Optimizer::Sgd, 7, 9) },
            step: 3,
        }
    }

    /// Mean cross-entropy plus penalties.
    fn objective(&self, values: &[LayerValues]) -> f64 {
        let keys = dropout_keys(self.network, self.settings.seed, self.step);
        let mask = self.settings.connection_mask(self.step);
        let masked = mask.map(|mask| drop_connect(values, &connection_factors(self.network, mask)));
        let results = run_forward(self.network, masked.as_deref().unwrap_or(values), &self.x, Some(&keys));
        let smoothing = f64::from(self.settings.label_smoothing);
        let outputs = &results[results.len() - 1].y;
        let loss = compare(outputs, &self.targets, self.settings.loss, smoothing);
        loss.sum / outputs.columns() as f64 + penalty(self.network, &self.settings.penalties, values)
    }

    /// Compares every gradient, collects all failures.
    fn check(&self) {
        let Self { network, settings, values, x, targets, step, .. } = self;
        let (_, gradients) = objective_gradients(network, settings, values, x, targets, *step);
        let mut failures = Vec::new();
        let mut largest: f64 = 0.0;
        for (index, analytic) in gradients.iter().enumerate() {
            let kinds: [(&str, &Vec<f64>, Access); 2] = [
                ("weight", &analytic.weights, |layer| &mut layer.weights),
                ("bias", &analytic.biases, |layer| &mut layer.biases),
            ];
            for (kind, analytic, access) in kinds {
                for (k, analytic) in analytic.iter().enumerate() {
                    let moved = |by: f64| {
                        let mut values = self.values.clone();
                        access(&mut values[index])[k] += by;
                        self.objective(&values)
                    };
                    let numerical = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
                    largest = largest.max(analytic.abs());
                    if !((numerical - analytic).abs() <= TOLERANCE) {
                        failures.push(format!(
                            "layer {index} {kind} {k}: numerical {numerical}, analytic {analytic}"
                        ));
                    }
                }
            }
        }
        assert!(failures.is_empty(), "{}: {} failures\n{}", self.name, failures.len(), failures.join("\n"));
        assert!(largest > 1e-3, "{}: gradients so small ({largest:e}) prove nothing", self.name);
    }
}

type Access = fn(&mut LayerValues) -> &mut Vec<f64>;

#[test]
fn every_activation_and_parameter_kind() {
    for activation in Activation::ALL {
        let network = small_network(activation, 1.0);
        Case::new(format!("{activation}"), &network, Penalties::default()).check();
    }
}

#[test]
fn dropout_and_weight_decay() {
    for activation in Activation::ALL {
        let network = small_network(activation, 0.6);
        Case::new(format!("{activation} with dropout and decay"), &network, Penalties::l2(0.05)).check();
    }
}

/// The parameters have weights on both sides of every piece of a penalty, and none so near a kink that a difference would span it.
#[test]
fn every_penalty_alone_and_all_of_them() {
    let network = small_network(Activation::Tanh, 1.0);
    for (name, penalties) in penalties() {
        let case = Case::new(name.into(), &network, penalties);
        let weights: Vec<f64> = case.values.iter().flat_map(|layer| layer.weights.clone()).collect();
        let inside = weights.iter().filter(|w| w.abs() < f64::from(L_HALF_SMOOTHING)).count();
        assert!(inside > 0 && inside < weights.len(), "no weight in a piece of the smoothed root");
        assert!(weights.iter().all(|w| w.abs() > 2.0 * STEP), "a weight at the kink of L1");
        case.check();
    }
}

#[test]
fn label_smoothing_alone_and_with_everything() {
    for (smoothing, keep, penalties) in
        [(0.1, 1.0, Penalties::default()), (0.75, 1.0, Penalties::default()), (0.3, 0.6, all_penalties())]
    {
        let network = small_network(Activation::Sigmoid, keep);
        let mut case = Case::new(format!("labels smoothed by {smoothing}"), &network, penalties);
        case.settings.label_smoothing = smoothing;
        case.check();
    }
}

/// Data of a task for a network, with or without weights.
fn data_of(task: Task, network: &Network, weighted: bool) -> Dataset {
    let data = random_data(7, network.inputs(), network.classes(), 11);
    let count = network.classes();
    let value = |k: usize| match task {
        Task::Regression => ((k * 37 % 23) as f32 - 11.0) / 7.0,
        _ => (k * 5 % 3 % 2) as f32,
    };
    let targets = match task {
        Task::Classification => data.targets().clone(),
        task => Targets::Numbers { task, values: (0..7 * count).map(value).collect(), count },
    };
    let weights = weighted.then(|| (0..7u8).map(|k| 0.25 + f32::from(k * k) / 8.0).collect());
    let data = Dataset::with_targets(data.features().to_vec(), network.inputs(), targets).unwrap();
    data.with_weights(weights).unwrap()
}

/// No error is so near a kink that a difference would span it: every target differs from its output.
#[test]
fn every_loss_with_weights_and_without() {
    let network = small_network(Activation::Tanh, 1.0);
    let rules = LossKind::ALL.map(LossRule::of).into_iter();
    for rule in rules.chain([LossRule { kind: LossKind::Huber, delta: 0.3 }]) {
        for weighted in [false, true] {
            let data = data_of(rule.task(), &network, weighted);
            let mut case = Case::new(format!("{rule}, weighted: {weighted}"), &network, Penalties::default());
            case.targets = gather_targets(&data, &[0, 1, 2, 3, 4, 5, 6]);
            case.settings.loss = rule;
            case.check();
        }
    }
}

/// A row of weight 2 and two rows of weight 1 have the same loss and gradients, in a batch of all rows with the mean weight 1.
#[test]
fn whole_weights_are_repeated_rows() {
    let network = small_network(Activation::Tanh, 1.0);
    for rule in LossKind::ALL.map(LossRule::of) {
        let plain = data_of(rule.task(), &network, false);
        let repeats = [1u8, 3, 2, 1, 1, 2, 4];
        let weights = Some(repeats.map(f32::from).to_vec());
        let weighted = plain.clone().with_weights(weights).unwrap().with_mean_weight_1(None).unwrap();
        let repeated: Vec<u32> =
            (0..).zip(repeats).flat_map(|(row, count)| std::iter::repeat_n(row, count.into())).collect();
        let of = |data: &Dataset, samples: &[u32]| {
            let settings = EngineSettings { loss: rule, ..EngineSettings::new(Optimizer::Sgd, 20, 9) };
            let values: Vec<_> =
                random_parameters(&network, 5).layers.iter().map(LayerValues::from).collect();
            let (x, targets) = (gather(data, samples), gather_targets(data, samples));
            let (loss, gradients) = objective_gradients(&network, &settings, &values, &x, &targets, 0);
            let all = gradients.into_iter().flat_map(|layer| [layer.weights, layer.biases].concat());
            (loss.sum / samples.len() as f64, all.collect::<Vec<f64>>())
        };
        let (one, other) = (of(&weighted, &[0, 1, 2, 3, 4, 5, 6]), of(&plain, &repeated));
        // Weights are float32.
        assert!((one.0 - other.0).abs() <= 1e-6 * other.0, "{rule}: {} and {}", one.0, other.0);
        for (one, other) in one.1.iter().zip(&other.1) {
            assert!((one - other).abs() <= 1e-6, "{rule}: {one} and {other}");
        }
    }
}

/// One sample, two outputs: errors 0.5 and -3, weight 2.
#[test]
fn separable_losses_worked_out_by_hand() {
    let outputs = Matrix::from_values(1, vec![1.5, -2.0]);
    let targets = Matrix::from_values(1, vec![1.0, 1.0]);
    let ln = |z: f64| z.exp().ln_1p();
    for (text, sum, deltas) in [
        ("squared", 0.125 + 4.5, [0.5, -3.0]),
        ("absolute", 0.5 + 3.0, [1.0, -1.0]),
        ("huber:2", 0.125 + 4.0, [0.5, -2.0]),
        (
            "binary-cross-entropy",
            ln(-1.5) + ln(2.0),
            [-1.0 / (1.0 + 1.5f64.exp()), -1.0 / (1.0 + (-2f64).exp())],
        ),
    ] {
        let loss = separable_loss(&outputs, &targets, &[2.0], text.parse().unwrap());
        assert!((loss.sum - sum).abs() < 1e-12, "{text}: {} is not {sum}", loss.sum);
        for (delta, expected) in loss.delta.values().iter().zip(deltas) {
            assert!((delta - expected).abs() < 1e-12, "{text}: {delta} is not {expected}");
        }
        assert_eq!((loss.errors.squared, loss.errors.absolute), ((0.25 + 9.0) / 2.0, 1.75));
        assert_eq!(loss.correct, 0, "the second output is on the wrong side");
    }
    let right = Matrix::from_values(1, vec![0.5, 2.0]);
    let rule = LossRule::of(LossKind::BinaryCrossEntropy);
    assert_eq!(separable_loss(&right, &targets, &[1.0], rule).correct, 1);
    // An error of 0 is at the kink, where the slope is 0.
    let rule = LossRule::of(LossKind::Absolute);
    assert_eq!(separable_loss(&targets, &targets, &[1.0], rule).delta.values(), [0.0, 0.0]);
}

#[test]
fn dropped_connections_alone_and_with_everything() {
    for (drop, keep, penalties) in [(0.3, 1.0, Penalties::default()), (0.5, 0.6, all_penalties())] {
        let network = small_network(Activation::Tanh, keep);
        let mut case = Case::new(format!("connections dropped by {drop}"), &network, penalties);
        case.settings.drop_connect = drop;
        case.check();
    }
}

/// Groups of norms 5 and 0, degrees 2 and 2; a group of one weight.
#[test]
fn a_group_lasso_worked_out_by_hand() {
    // Edges by output, then input: (0, 0), (0, 1), (1, 0), (1, 1), (1, 2).
    let topology = from_edges(3, 2, &[vec![0, 1], vec![0, 1], vec![1]]);
    let weights = [3.0, 0.0, -4.0, 0.0, -2.0];
    let root = 2f64.sqrt();
    let penalty = group_penalty(&topology, &weights, 0.5);
    assert!((penalty - 0.5 * (5.0 * root + 2.0)).abs() < 1e-12, "{penalty}");
    for (factor, expected) in group_factors(&topology, &weights, 0.5).iter().zip([0.1 * root, 0.0, 0.25]) {
        assert!((factor - expected).abs() < 1e-12, "{factor} is not {expected}");
    }
}

/// Shares 1/4 and 3/4, targets 1/10 and 9/10.
#[test]
fn a_smoothed_loss_worked_out_by_hand() {
    let logits = Matrix::from_values(1, vec![0.0, 3f64.ln()]);
    let loss = softmax_cross_entropy(&logits, (&[1], &[1.0]), f64::from(0.2f32));
    let expected = -0.1 * 0.25f64.ln() - 0.9 * 0.75f64.ln();
    assert!((loss.sum - expected).abs() < 1e-7, "{}", loss.sum);
    for (delta, expected) in loss.delta.values().iter().zip([0.25 - 0.1, 0.75 - 0.9]) {
        assert!((delta - expected).abs() < 1e-7, "{delta}");
    }
    let plain = softmax_cross_entropy(&logits, (&[1], &[1.0]), 0.0);
    assert!((plain.sum + 0.75f64.ln()).abs() < 1e-15, "{}", plain.sum);
}

#[test]
fn one_layer_of_logits() {
    let network =
        Network::new(vec![layer(&fully_connected(5, 3).unwrap(), Activation::Identity, 1.0)]).unwrap();
    Case::new("softmax regression".into(), &network, Penalties::l2(0.01)).check();
}

/// The published formulas in float64: a parameter after each step; weight decay is `decay * w`.
fn by_formula(optimizer: Optimizer, rate: f64, decay: f64, mut w: f64, gradients: &[f64]) -> Vec<f64> {
    let (mut m, mut v) = (0.0, 0.0);
    let steps = (1..).zip(gradients).map(|(t, gradient)| {
        let g = gradient + decay * w;
        let corrected = |mean: f64, beta: f64| mean / (1.0 - beta.powi(t));
        match optimizer {
            Optimizer::Sgd => w -= rate * g,
            Optimizer::Momentum { momentum, nesterov } => {
                let momentum = f64::from(momentum);
                m = momentum * m + g;
                w -= rate * if nesterov { g + momentum * m } else { m };
            }
            Optimizer::Adam { beta1, beta2, epsilon } => {
                let (beta1, beta2) = (f64::from(beta1), f64::from(beta2));
                m = beta1 * m + (1.0 - beta1) * g;
                v = beta2 * v + (1.0 - beta2) * g * g;
                w -= rate * corrected(m, beta1) / (corrected(v, beta2).sqrt() + f64::from(epsilon));
            }
            Optimizer::Lion { beta1, beta2 } => {
                let (beta1, beta2, g) = (f64::from(beta1), f64::from(beta2), *gradient);
                let c = beta1 * m + (1.0 - beta1) * g;
                let sign = f64::from(i8::from(c > 0.0) - i8::from(c < 0.0));
                w -= rate * (sign + decay * w);
                m = beta2 * m + (1.0 - beta2) * g;
            }
            Optimizer::AdamW { beta1, beta2, epsilon } => {
                let (beta1, beta2, g) = (f64::from(beta1), f64::from(beta2), *gradient);
                m = beta1 * m + (1.0 - beta1) * g;
                v = beta2 * v + (1.0 - beta2) * g * g;
                let by = corrected(m, beta1) / (corrected(v, beta2).sqrt() + f64::from(epsilon));
                w -= rate * (by + decay * w);
            }
        }
        w
    });
    steps.collect()
}

/// Compares every optimiser's update with its published formula, over steps of known gradients, one of them 0.
#[test]
fn updates_follow_their_formulas() {
    let gradients = [0.5, -0.25, 1.0, 0.0, -0.75];
    for kind in OptimizerKind::ALL {
        let OptimizerOptions { momentum, beta1, beta2, epsilon } = kind.usual().options();
        // Numbers that float32 holds exactly.
        let options = OptimizerOptions {
            momentum: momentum.map(|_| 0.5),
            beta1: beta1.map(|_| 0.5),
            beta2: beta2.map(|_| 0.75),
            epsilon: epsilon.map(|_| 0.125),
        };
        let optimizer = Optimizer::from_options(kind, &options).unwrap();
        // Corrections of means are rounded to float32.
        let relative = if epsilon.is_some() { 1e-7 } else { 1e-15 };
        for l2 in [0.0, 0.25] {
            let (mut w, mut state) = (2.0, [0.0; MAX_STATES]);
            let expected = by_formula(optimizer, 0.125, 2.0 * f64::from(l2), w, &gradients);
            for (step, (g, expected)) in (0..).zip(gradients.into_iter().zip(expected)) {
                w = update(&optimizer.rule(0.125, step, l2), g, &mut state, w);
                assert!(
                    (w - expected).abs() <= relative * expected.abs(),
                    "{kind}, step {step}: {w} {expected}"
                );
            }
            assert!(state[kind.state_count()..].iter().all(|unused| *unused == 0.0), "{kind}");
            assert!(state[..kind.state_count()].iter().all(|used| *used != 0.0), "{kind}");
        }
    }
}
