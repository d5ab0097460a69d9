//! The golden runs: ten steps of a small network with each loss, the same on every engine.
//!
//! Graphs, initial weights, dropout masks and data all come from fixed seeds, so
//! a changed loss means that something between the seed and the loss changed.

use std::sync::Arc;

use tanner::dataset::{Dataset, Targets, Task};
use tanner::engine::{Engine, EngineSettings, LossKind, LossRule, Optimizer, Penalties, StepPlan};
use tanner::network::{Activation, Architecture, Connectivity, Initialisation, Network, Parameters, Scheme};

/// A run and the losses of the float64 reference.
pub struct Golden {
    pub rule: LossRule,
    losses: [f64; 10],
}

pub const RUNS: [Golden; 5] = [
    Golden {
        rule: LossRule::CROSS_ENTROPY,
        losses: [
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
        ],
    },
    Golden {
        rule: LossRule::of(LossKind::Squared),
        losses: [
            3.0042549788815816,
            3.334316701972244,
            2.6163562203621655,
            2.0082112050884975,
            1.6267573655566554,
            1.5979538023883872,
            2.0757840974379023,
            2.106531204321622,
            1.724588699961619,
            1.254983670011927,
        ],
    },
    Golden {
        rule: LossRule::of(LossKind::Absolute),
        losses: [
            2.028776291511194,
            2.1308793480437247,
            2.0877817517566317,
            1.8258821236413787,
            1.713139196621522,
            1.5930195452547722,
            1.8075757667639376,
            1.6360954339917277,
            1.249574984919254,
            1.2135308472826916,
        ],
    },
    Golden {
        rule: LossRule { kind: LossKind::Huber, delta: 0.5 },
        losses: [
            0.8975020738335779,
            0.9573502448935984,
            0.9498563811169067,
            0.8458053199691932,
            0.7984732077718412,
            0.7611765393676747,
            0.8748222766465472,
            0.7905065519531473,
            0.5858667751160904,
            0.5839910197396151,
        ],
    },
    Golden {
        rule: LossRule::of(LossKind::BinaryCrossEntropy),
        losses: [
            1.1132580707839355,
            1.435433308440421,
            1.2267040860450371,
            1.11697042925901,
            0.9358706013075277,
            0.898568510904933,
            1.2485093118252193,
            1.1583264986818986,
            0.8849650614245391,
            0.6970625325287267,
        ],
    },
];

/// Greatest difference of a float32 engine's loss from the recorded one. Seen:
/// below 4e-7 on the CPU, for losses near 3.
pub const FLOAT32_BOUND: f64 = 2e-6;

/// A spatially-coupled network with dropout and 5 outputs, its initial parameters and its settings.
pub fn network(rule: LossRule) -> (Network, Parameters, EngineSettings) {
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
    (network, parameters, EngineSettings { penalties: Penalties::l2(1e-4), loss: rule, ..settings })
}

/// Samples of 30 features with targets for the loss: a class, or 5 numbers in -2..2, or 5 labels.
fn data(rule: LossRule) -> Arc<Dataset> {
    let data = super::random_data(190, 30, 5, 2024);
    let numbers = super::values(&mut super::rng(2025), 190 * 5).into_iter();
    let values = match rule.task() {
        Task::Classification => return data,
        Task::Regression => numbers.map(|value| 2.0 * value).collect(),
        Task::MultiLabel => numbers.map(|value| f32::from(u8::from(value > 0.2))).collect(),
    };
    let targets = Targets::Numbers { task: rule.task(), values, count: 5 };
    Arc::new(Dataset::with_targets(data.features().to_vec(), 30, targets).expect("targets for each sample"))
}

impl Golden {
    /// Runs the ten steps, nine whole batches and a part. Fails unless every loss is within the bound of the recorded one.
    pub fn check(&self, engine: &mut dyn Engine, bound: f64) {
        let order: Vec<u32> = (0..190).map(|k| k * 7 % 190).collect();
        let plan = StepPlan { samples: &order, learning_rate: 0.05, first_step: 0 };
        let steps = engine.train(&data(self.rule), &plan).expect("ten steps");
        let losses: Vec<f64> = steps.iter().map(|outcome| outcome.loss).collect();
        assert_eq!(losses.len(), self.losses.len());
        let outside = |(got, expected): &(&f64, &f64)| !((*got - *expected).abs() <= bound);
        let failures: Vec<_> = losses.iter().zip(&self.losses).filter(outside).collect();
        let rule = self.rule;
        assert!(
            failures.is_empty(),
            "{rule}: (got, recorded) beyond {bound:e}: {failures:?}\nall: {losses:?}"
        );
    }
}
