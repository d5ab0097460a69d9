//! The golden run: ten steps of a small network, the same on every engine.
//!
//! Graphs, initial weights, dropout masks and data all come from fixed seeds, so
//! a changed loss means that something between the seed and the loss changed.

use tanner::engine::{Engine, EngineSettings, Optimizer, Penalties, StepPlan};
use tanner::network::{Activation, Architecture, Connectivity, Initialisation, Network, Parameters, Scheme};

/// The losses of the float64 reference.
pub const LOSSES: [f64; 10] = [
    2.8080023329291626,
    2.852516512937636,
    3.238568126391489,
    2.4775378641314694,
    2.722492181954828,
    2.090683091110235,
    2.4206448409517902,
    2.9256346608050734,
    2.0719702030890366,
    2.9038429516136026,
];

/// Greatest difference of a float32 engine's loss from the recorded one. Seen:
/// below 2e-7 on the CPU, for losses near 3.
pub const FLOAT32_BOUND: f64 = 2e-6;

/// A spatially-coupled network with dropout, its initial parameters and its settings.
pub fn network() -> (Network, Parameters, EngineSettings) {
    let architecture = Architecture {
        inputs: 30,
        hidden: vec![24, 20],
        classes: 5,
        connectivity: Connectivity::SpatiallyCoupled {
            blocks: vec![4],
            receptive_fields: vec![2],
            degrees: vec![vec![5, 7, 3, 2]],
        },
        activation: Activation::Sigmoid,
        keep_probability: 0.9,
        reaches_all: false,
    };
    let network = architecture.build(2024).expect("a possible network");
    let start = Initialisation { scheme: Scheme::Glorot, gain: Activation::Sigmoid.usual_gain() };
    let parameters = start.draw(&network, 2024).expect("a possible gain");
    let optimizer = Optimizer::Momentum { momentum: 0.9, nesterov: false };
    let settings = EngineSettings::new(optimizer, 20, 2024);
    (network, parameters, EngineSettings { penalties: Penalties::l2(1e-4), ..settings })
}

/// Runs the ten steps, nine whole batches and a part.
pub fn run(engine: &mut dyn Engine) -> Vec<f64> {
    let data = super::random_data(190, 30, 5, 2024);
    let order: Vec<u32> = (0..190).map(|k| k * 7 % 190).collect();
    let plan = StepPlan { samples: &order, learning_rate: 0.05, first_step: 0 };
    engine.train(&data, &plan).expect("ten steps").iter().map(|outcome| outcome.loss).collect()
}

/// Fails unless every loss is within the bound of the recorded one.
pub fn check(losses: &[f64], bound: f64) {
    assert_eq!(losses.len(), LOSSES.len());
    let outside = |(got, expected): &(&f64, &f64)| !((*got - *expected).abs() <= bound);
    let failures: Vec<_> = losses.iter().zip(&LOSSES).filter(outside).collect();
    assert!(failures.is_empty(), "(got, recorded) beyond {bound:e}: {failures:?}\nall: {losses:?}");
}
