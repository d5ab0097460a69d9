//! A step in two halves on the engines without a GPU: gradients of parts of a batch, and the update by their sum.

mod common;

use std::sync::Arc;

use common::{all_penalties, optimizers, random_data, random_parameters, small_network};
use tanner::dataset::{Dataset, Targets, Task};
use tanner::engine::cpu::CpuEngine;
use tanner::engine::reference::ReferenceEngine;
use tanner::engine::{
    BatchPart, Engine, EngineSettings, Errors, LossKind, LossRule, Optimizer, PartGradients, StepOutcome,
    StepPlan, Values,
};
use tanner::network::{Activation, Network};
use tanner::tiles::TilePolicy;

const POLICIES: [TilePolicy; 3] =
    [TilePolicy::ALL_DENSE, TilePolicy::ALL_SPARSE, TilePolicy::dense_from(0.5)];
/// Samples of the data, more than a group of the CPU engine has.
const SAMPLES: usize = 400;

/// Everything that a step can have: dropout, dropped connections, penalties, smoothed labels.
fn settings(optimizer: Optimizer, batch_size: usize) -> EngineSettings {
    EngineSettings {
        penalties: all_penalties(),
        label_smoothing: 0.1,
        drop_connect: 0.2,
        ..EngineSettings::new(optimizer, batch_size, 7)
    }
}

fn network() -> Network {
    small_network(Activation::Tanh, 0.8)
}

/// Samples of different weights.
fn data() -> Arc<Dataset> {
    let weights = (0..SAMPLES).map(|sample| 0.5 + (sample % 5) as f32 / 4.0).collect();
    let data = random_data(SAMPLES, 10, 4, 1);
    Arc::new(Dataset::clone(&data).with_weights(Some(weights)).unwrap())
}

fn order() -> Vec<u32> {
    (0u32..).step_by(7).map(|place| place % 400).take(SAMPLES).collect()
}

fn engine(kind: &str, settings: EngineSettings, policy: TilePolicy, threads: usize) -> Box<dyn Engine> {
    let (network, parameters) = (network(), random_parameters(&network(), 2));
    match kind {
        "reference" => Box::new(ReferenceEngine::new(&network, &parameters, settings).unwrap()),
        _ => Box::new(CpuEngine::with_tiles(&network, &parameters, settings, Some(threads), policy).unwrap()),
    }
}

fn wide(values: &Values) -> Vec<f64> {
    match values {
        Values::Single(values) => values.iter().map(|value| f64::from(*value)).collect(),
        Values::Double(values) => values.clone(),
    }
}

/// The sum of gradients in the order of the parts, in the precision of the engine.
fn sum(parts: &[PartGradients]) -> Values {
    let mut parts = parts.iter().map(|part| part.values.clone());
    let first = parts.next().unwrap();
    parts.fold(first, |sum, part| match (sum, part) {
        (Values::Single(a), Values::Single(b)) => {
            Values::Single(a.iter().zip(b).map(|(a, b)| a + b).collect())
        }
        (Values::Double(a), Values::Double(b)) => {
            Values::Double(a.iter().zip(b).map(|(a, b)| a + b).collect())
        }
        _ => panic!("one precision"),
    })
}

/// The parts of a batch, cut at these places.
fn parts<'a>(batch: &'a [u32], cuts: &[usize], step: u64) -> Vec<BatchPart<'a>> {
    let ends = cuts.iter().copied().chain([batch.len()]);
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let part = |(first, end): (usize, usize)| BatchPart {
        samples: &batch[first..end],
        first,
        batch: batch.len(),
        step,
    };
    starts.zip(ends).map(part).collect()
}

fn outcome(parts: &[PartGradients], samples: usize) -> StepOutcome {
    StepOutcome {
        loss: parts.iter().map(|part| part.loss).sum::<f64>() / samples as f64,
        correct: parts.iter().map(|part| part.correct).sum(),
        samples: u32::try_from(samples).unwrap(),
        errors: parts.iter().fold(Errors::default(), |sum, part| sum + part.errors),
    }
}

#[test]
fn a_whole_batch_in_two_halves_has_the_bits_of_a_step() {
    let (data, order) = (data(), order());
    let kinds = [("reference", POLICIES[0], 1)].into_iter();
    let kinds =
        kinds.chain(POLICIES.into_iter().flat_map(|policy| [1, 2].map(|threads| ("cpu", policy, threads))));
    for (kind, policy, threads) in kinds {
        for optimizer in optimizers() {
            // The largest batch is summed in groups; the last batch is smaller.
            for batch_size in [1, 37, SAMPLES] {
                let what =
                    format!("{kind}, {policy:?}, {threads} threads, {optimizer}, batches of {batch_size}");
                let settings = settings(optimizer, batch_size);
                let mut fused = engine(kind, settings, policy, threads);
                let mut halves = engine(kind, settings, policy, threads);
                let most = 3 * batch_size.max(20);
                let samples = &order[..most.min(SAMPLES)];
                let plan = StepPlan { samples, learning_rate: 0.05, first_step: 4 };
                let expected = fused.train(&data, &plan).unwrap();
                let steps = (4..).zip(samples.chunks(batch_size)).map(|(step, batch)| {
                    let before = halves.state().unwrap();
                    let part = halves.gradients(&data, &parts(batch, &[], step)[0]).unwrap();
                    assert_eq!(halves.state().unwrap(), before, "{what}: gradients change nothing");
                    halves.apply(&part.values, 0.05, step).unwrap();
                    outcome(&[part], batch.len())
                });
                assert_eq!(steps.collect::<Vec<_>>(), expected, "{what}");
                assert_eq!(halves.state().unwrap(), fused.state().unwrap(), "{what}");
            }
        }
    }
}

#[test]
fn gradients_of_parts_add_up_to_those_of_the_batch() {
    let (data, order) = (data(), order());
    let settings = settings(Optimizer::Sgd, SAMPLES);
    let batch = &order[..300];
    for (kind, bound) in [("reference", 1e-14), ("cpu", 2e-6)] {
        for policy in POLICIES {
            let mut engine = engine(kind, settings, policy, 2);
            let whole = engine.gradients(&data, &parts(batch, &[], 3)[0]).unwrap();
            let scale = wide(&whole.values).iter().fold(0.0, |most: f64, value| most.max(value.abs()));
            assert!(scale > 0.01);
            // Even parts, odd ones, empty ones, and one for each sample.
            let single: Vec<usize> = (1..300).collect();
            for cuts in [&[150][..], &[75, 150, 225], &[1, 18, 18, 299], &[0, 300], &single] {
                let of = parts(batch, cuts, 3);
                let all: Vec<_> = of.iter().map(|part| engine.gradients(&data, part).unwrap()).collect();
                let (got, expected) = (wide(&sum(&all)), wide(&whole.values));
                for (place, (got, expected)) in got.iter().zip(&expected).enumerate() {
                    assert!((got - expected).abs() <= bound * scale, "{kind}, {place}: {got} for {expected}");
                }
                let (got, expected) = (outcome(&all, 300), outcome(std::slice::from_ref(&whole), 300));
                assert_eq!((got.correct, got.samples), (expected.correct, expected.samples));
                assert!((got.loss - expected.loss).abs() <= 1e-6 * expected.loss);
            }
            let nothing =
                engine.gradients(&data, &BatchPart { samples: &[], first: 5, batch: 9, step: 0 }).unwrap();
            assert!(wide(&nothing.values).iter().all(|value| *value == 0.0));
            assert_eq!((nothing.loss, nothing.correct), (0.0, 0));
        }
    }
}

#[test]
fn the_cpu_has_the_gradients_of_the_reference() {
    let (data, order) = (data(), order());
    let settings = settings(Optimizer::Sgd, 64);
    for part in parts(&order[..64], &[5, 40], 9) {
        let expected =
            wide(&engine("reference", settings, POLICIES[0], 1).gradients(&data, &part).unwrap().values);
        let scale = expected.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        for policy in POLICIES {
            let got = wide(&engine("cpu", settings, policy, 2).gradients(&data, &part).unwrap().values);
            for (place, (got, expected)) in got.iter().zip(&expected).enumerate() {
                assert!((got - expected).abs() <= 3e-6 * scale, "{policy:?}, {place}: {got} for {expected}");
            }
        }
    }
}

/// Two engines that each see half of every batch and add their gradients train the network of one engine.
#[test]
fn engines_that_share_batches_stay_equal_and_near_one_that_does_not() {
    let (data, order) = (data(), order());
    for kind in ["reference", "cpu"] {
        let settings = EngineSettings { batch_size: 40, ..settings(optimizers().nth(1).unwrap(), 40) };
        let mut alone = engine(kind, settings, POLICIES[2], 1);
        let mut ranks = [engine(kind, settings, POLICIES[2], 1), engine(kind, settings, POLICIES[0], 2)];
        let plan = StepPlan { samples: &order, learning_rate: 0.02, first_step: 0 };
        let expected = alone.train(&data, &plan).unwrap();
        for ((step, batch), expected) in (0..).zip(order.chunks(40)).zip(expected) {
            let of = parts(batch, &[20], step);
            let all: Vec<_> =
                ranks.iter_mut().zip(&of).map(|(rank, part)| rank.gradients(&data, part).unwrap()).collect();
            let got = outcome(&all, batch.len());
            assert!((got.loss - expected.loss).abs() < 1e-5, "{kind}, step {step}");
            let sum = sum(&all);
            ranks.iter_mut().for_each(|rank| rank.apply(&sum, 0.02, step).unwrap());
        }
        let [one, other] = ranks.map(|mut rank| rank.parameters().unwrap());
        assert_eq!(one, other, "{kind}: tiles and threads change no bit of the update");
        let expected = alone.parameters().unwrap();
        for (got, expected) in one.layers.iter().zip(&expected.layers) {
            let pairs =
                got.weights.iter().zip(&expected.weights).chain(got.biases.iter().zip(&expected.biases));
            pairs.for_each(|(got, expected)| {
                assert!((got - expected).abs() < 1e-4, "{kind}: {got} for {expected}");
            });
        }
    }
}

#[test]
fn numbers_to_predict_have_gradients_too() {
    let order = order();
    let mut values = random_data(SAMPLES, 10, 4, 3).features().to_vec();
    let targets = values.split_off(SAMPLES * 6);
    let targets = Targets::Numbers { task: Task::Regression, values: targets, count: 4 };
    // The features of 400 samples of ten are those of 240, with four targets each for 400.
    let features = random_data(SAMPLES, 10, 4, 4).features().to_vec();
    let data = Arc::new(Dataset::with_targets(features, 10, targets).unwrap());
    for kind in ["reference", "cpu"] {
        let loss = LossRule { kind: LossKind::Huber, delta: 0.5 };
        let settings = EngineSettings { loss, label_smoothing: 0.0, ..settings(Optimizer::Sgd, 64) };
        let mut engine = engine(kind, settings, POLICIES[1], 1);
        let whole = engine.gradients(&data, &parts(&order[..64], &[], 0)[0]).unwrap();
        let of = parts(&order[..64], &[10, 33], 0);
        let all: Vec<_> = of.iter().map(|part| engine.gradients(&data, part).unwrap()).collect();
        let errors = outcome(&all, 64).errors;
        assert!((errors.squared - whole.errors.squared).abs() < 1e-9 && whole.errors.squared > 0.0);
        for (got, expected) in wide(&sum(&all)).iter().zip(wide(&whole.values)) {
            assert!((got - expected).abs() < 1e-6, "{kind}");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (data, order) = (data(), order());
    for kind in ["reference", "cpu"] {
        let mut engine = engine(kind, settings(Optimizer::Sgd, 40), POLICIES[0], 1);
        let good = BatchPart { samples: &order[..10], first: 5, batch: 20, step: 0 };
        let gradients = engine.gradients(&data, &good).unwrap().values;
        for (part, reason) in [
            (BatchPart { first: 11, ..good }, "10 samples from place 11 on, the batch has 20"),
            (BatchPart { first: usize::MAX, ..good }, "from place"),
            (BatchPart { samples: &[], batch: 0, first: 0, ..good }, "the batch has 0"),
            (BatchPart { batch: 41, ..good }, "the settings allow 40"),
            (BatchPart { samples: &[400], ..good }, "sample 400 is not there"),
        ] {
            let error = engine.gradients(&data, &part).unwrap_err().to_string();
            assert!(error.contains(reason), "{kind}: {error}");
        }
        let short = match &gradients {
            Values::Single(values) => Values::Single(values[1..].to_vec()),
            Values::Double(values) => Values::Double(values[1..].to_vec()),
        };
        let other = match &gradients {
            Values::Single(_) => Values::Double(wide(&gradients)),
            Values::Double(values) => Values::Single(vec![0.0; values.len()]),
        };
        for (gradients, rate, reason) in [
            (&short, 0.1, "do not fit a network of"),
            (&other, 0.1, "not in the numbers of the engine"),
            (&gradients, f64::NAN, "learning rate"),
        ] {
            let error = engine.apply(gradients, rate, 0).unwrap_err().to_string();
            assert!(error.contains(reason), "{kind}: {error}");
        }
    }
}
