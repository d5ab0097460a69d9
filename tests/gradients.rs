//! The reference engine's gradients against central differences of its loss.

mod common;

use common::{layer, random_data, random_parameters, small_network};
use tanner::engine::reference::backward_weight::update;
use tanner::engine::reference::gather::{gather, gather_labels};
use tanner::engine::reference::softmax_cross_entropy::softmax_cross_entropy;
use tanner::engine::reference::{LayerValues, Matrix, dropout_keys, loss_and_gradients, run_forward};
use tanner::engine::{Optimizer, UpdateRule};
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
    labels: Vec<u32>,
    l2: f64,
    step: u64,
}

impl<'a> Case<'a> {
    fn new(name: String, network: &'a Network, l2: f64) -> Self {
        let data = random_data(7, network.inputs(), network.classes(), 11);
        let samples: Vec<u32> = (0..7).collect();
        let values = random_parameters(network, 5).layers.iter().map(LayerValues::from).collect();
        Case {
            name,
            network,
            values,
            x: gather(&data, &samples),
            labels: gather_labels(&data, &samples),
            l2,
            step: 3,
        }
    }

    /// Mean cross-entropy plus penalty.
    fn objective(&self, values: &[LayerValues]) -> f64 {
        let keys = dropout_keys(self.network, 9, self.step);
        let results = run_forward(self.network, values, &self.x, Some(&keys));
        let loss = softmax_cross_entropy(&results[results.len() - 1].y, &self.labels);
        let squares: f64 = values.iter().flat_map(|layer| &layer.weights).map(|w| w * w).sum();
        loss.sum / self.labels.len() as f64 + self.l2 * squares
    }

    /// Compares every gradient, collects all failures.
    fn check(&self) {
        let keys = dropout_keys(self.network, 9, self.step);
        let (_, gradients) =
            loss_and_gradients(self.network, &self.values, &self.x, &self.labels, Some(&keys));
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
                    let decay =
                        if kind == "weight" { 2.0 * self.l2 * self.values[index].weights[k] } else { 0.0 };
                    let analytic = analytic + decay;
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
        Case::new(format!("{activation}"), &network, 0.0).check();
    }
}

#[test]
fn dropout_and_weight_decay() {
    for activation in Activation::ALL {
        let network = small_network(activation, 0.6);
        Case::new(format!("{activation} with dropout and decay"), &network, 0.05).check();
    }
}

#[test]
fn one_layer_of_logits() {
    let network =
        Network::new(vec![layer(&fully_connected(5, 3).unwrap(), Activation::Identity, 1.0)]).unwrap();
    Case::new("softmax regression".into(), &network, 0.01).check();
}

/// Every optimiser's update against its published formula, written out for three steps of known gradients.
#[test]
fn updates_follow_their_formulas() {
    let gradients = [0.5, -0.25, 1.0];
    let run = |optimizer: Optimizer, decay: f64| {
        let (mut w, mut state) = (2.0, [0.0; 2]);
        for (step, g) in (0u64..).zip(gradients) {
            let rule: UpdateRule = optimizer.rule(0.125, step, 0.0);
            w = update(&rule, decay, g, &mut state, w);
        }
        w
    };
    assert_eq!(run(Optimizer::Sgd, 0.0), 2.0 - 0.125 * 1.25);
    // Decay 0.5: w1 = 2 - .125 * 1.5, and so on.
    let mut w = 2.0;
    for g in gradients {
        w -= 0.125 * (g + 0.5 * w);
    }
    assert_eq!(run(Optimizer::Sgd, 0.5), w);
    // Momentum 1/2: m = .5, 0, 1.
    let momentum = |nesterov| Optimizer::Momentum { momentum: 0.5, nesterov };
    assert_eq!(run(momentum(false), 0.0), 2.0 - 0.125 * (0.5 + 0.0 + 1.0));
    assert_eq!(run(momentum(true), 0.0), 2.0 - 0.125 * (0.75 - 0.25 + 1.5));
    let (mut w, mut m, mut v) = (2.0f64, 0.0f64, 0.0f64);
    for (t, g) in (1..).zip(gradients) {
        m = 0.5 * m + 0.5 * g;
        v = 0.75 * v + 0.25 * g * g;
        w -= 0.125 * (m / (1.0 - 0.5f64.powi(t))) / ((v / (1.0 - 0.75f64.powi(t))).sqrt() + 0.125);
    }
    let adam = Optimizer::Adam { beta1: 0.5, beta2: 0.75, epsilon: 0.125 };
    assert!((run(adam, 0.0) - w).abs() < 1e-7, "corrections are rounded to float32");
}
