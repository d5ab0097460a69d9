//! Losses that compare outputs with targets one by one, and weights of samples.

use std::sync::Arc;

use tanner::dataset::{Dataset, Targets, Task};
use tanner::engine::gpu::{Buffer, KernelKind, ProbeStep, Share};
use tanner::engine::reference::gather::gather_targets;
use tanner::engine::reference::objective::compare;
use tanner::engine::reference::{Matrix, ReferenceEngine};
use tanner::engine::{Engine, EngineSettings, LossKind, LossRule, Optimizer, StepPlan};
use tanner::network::{Activation, Layer, Network};
use tanner::tiles::TilePolicy;
use tanner::topology::fully_connected;

use crate::oracle::{Bounded, EPSILON, Misses};
use crate::shapes;

const TILES: TilePolicy = TilePolicy::dense_from(0.45);

/// Every loss, and Huber's with another parameter.
fn rules() -> impl Iterator<Item = LossRule> {
    LossKind::ALL.map(LossRule::of).into_iter().chain([LossRule { kind: LossKind::Huber, delta: 0.125 }])
}

/// A hidden layer of 6 and this many outputs.
fn network(outputs: usize) -> Network {
    let layer =
        |topology, activation| Layer { topology: Arc::new(topology), activation, keep_probability: 1.0 };
    let hidden = layer(fully_connected(5, 6).unwrap(), Activation::Tanh);
    Network::new(vec![hidden, layer(fully_connected(6, outputs).unwrap(), Activation::Identity)]).unwrap()
}

/// Samples of a task, weighted from 0.5 to 2.
fn data(task: Task, network: &Network, samples: usize) -> Arc<Dataset> {
    let count = network.classes();
    let values = (0..samples * network.inputs()).map(|place| shapes::real(place, 0, 90)).collect();
    let target = |place| match task {
        Task::MultiLabel => f32::from(u8::from(shapes::real(place, 1, 91) > 0.0)),
        _ => 2.0 * shapes::real(place, 1, 91),
    };
    let targets = match task {
        Task::Classification => Targets::Classes {
            labels: (0u32..).take(samples).map(|k| k * 7 % u32::try_from(count).unwrap()).collect(),
            count,
        },
        task => Targets::Numbers { task, values: (0..samples * count).map(target).collect(), count },
    };
    let weights = (0..samples).map(|k| [1.0, 0.5, 2.0, 1.25][k % 4]).collect();
    let data = Dataset::with_targets(values, network.inputs(), targets).unwrap();
    Arc::new(data.with_weights(Some(weights)).unwrap())
}

fn rule_settings(rule: LossRule, batch_size: usize) -> EngineSettings {
    EngineSettings { loss: rule, ..EngineSettings::new(Optimizer::Sgd, batch_size, 3) }
}

/// The loss kernel alone, from the logits that it made itself: losses, errors, right samples, deltas and padding.
pub(crate) fn kernels_follow_the_reference(runtime_checks: bool) -> Result<(), String> {
    let mut misses = Misses::default();
    // Outputs that fit workgroup memory and that do not, fewer and more than slices.
    for outputs in [1, 2, 5, 40] {
        let network = network(outputs);
        let start = shapes::parameters(&network, |place, layer| shapes::real(place, layer, 92));
        for rule in rules().filter(|rule| outputs > 1 || !rule.is_of_classes()) {
            let data = data(rule.task(), &network, 70);
            for share in Share::ALL {
                let options = shapes::shared(share, shapes::options(TILES, runtime_checks));
                let mut engine = shapes::engine(&network, &start, rule_settings(rule, 65), &options);
                for samples in [1usize, 3, 4, 64, 65] {
                    let chosen: Vec<u32> = (0u32..).take(samples).map(|k| k * 11 % 70).collect();
                    let name = format!("{rule}, {outputs} outputs, share {share}, {samples} samples");
                    check(&mut engine, &data, &chosen, (rule, &name), &mut misses);
                }
            }
        }
    }
    misses.result()
}

fn check(
    engine: &mut tanner::engine::gpu::GpuEngine,
    data: &Arc<Dataset>,
    chosen: &[u32],
    (rule, name): (LossRule, &str),
    misses: &mut Misses,
) {
    let samples = chosen.len();
    let kind = if rule.is_of_classes() { KernelKind::SoftmaxCrossEntropy } else { KernelKind::SeparableLoss };
    let mut probe = engine.probe();
    probe.load(data, chosen).unwrap();
    let poison = vec![f32::NAN; probe.len(Buffer::Deltas)];
    probe.write(Buffer::Deltas, &poison).unwrap();
    let step = ProbeStep { samples, step: 0, learning_rate: Some(0.1) };
    for kernel in [KernelKind::Gather.of(0), KernelKind::Forward.of(0), kind.of(1)] {
        probe.run(kernel, step).unwrap();
    }
    let (row, outputs) = (probe.row_len(), data.targets().outputs());
    let (all, deltas) = (probe.read(Buffer::Activations).unwrap(), probe.read(Buffer::Deltas).unwrap());
    let first = all.len() / row - outputs;
    let logits = (first..first + outputs).flat_map(|output| all[output * row..][..samples].to_vec());
    let logits = Matrix::from_values(samples, logits.map(f64::from).collect());
    let targets = gather_targets(data, chosen);
    let expected = compare(&logits, &targets, rule, 0.0);
    let got = probe.metric(samples).unwrap();
    // Values are below 8, so squares are below 64; logarithms and exponentials have a few roundings each.
    let largest = logits.values().iter().fold(4.0f64, |most, z| most.max(z.abs() + 4.0));
    let bound = |value: f64| Bounded { value, bound: 32.0 * EPSILON * largest * largest * samples as f64 };
    misses.near(format!("{name}: loss"), got.loss * samples as f64, bound(expected.sum));
    misses.near(format!("{name}: squares"), got.errors.squared, bound(expected.errors.squared));
    misses.near(format!("{name}: sizes"), got.errors.absolute, bound(expected.errors.absolute));
    misses.equal(format!("{name}: right"), got.correct, expected.correct);
    for output in 0..outputs {
        for lane in 0..samples.next_multiple_of(4) {
            let delta = f64::from(deltas[(first + output) * row + lane]);
            let value = if lane < samples { expected.delta.row(output)[lane] } else { 0.0 };
            let bound = if lane < samples { 32.0 * EPSILON * largest / samples as f64 } else { 0.0 };
            misses.near(format!("{name}: delta {output} of {lane}"), delta, Bounded { value, bound });
        }
    }
}

/// Steps and evaluations of all kernels together, resident and streamed.
pub(crate) fn training_follows_the_reference(runtime_checks: bool) -> Result<(), String> {
    for rule in rules() {
        let network = network(3);
        let start = shapes::parameters(&network, |place, layer| 0.5 * shapes::real(place, layer, 93));
        let data = data(rule.task(), &network, 47);
        let settings = rule_settings(rule, 10);
        let order: Vec<u32> = (0..94u32).map(|k| k * 13 % 47).collect();
        let plan = StepPlan { samples: &order, learning_rate: 0.05, first_step: 0 };
        let mut reference = ReferenceEngine::new(&network, &start, settings).unwrap();
        let expected = reference.train(&data, &plan).unwrap();
        let scores = reference.evaluate(&data).unwrap();
        for limit in [None, Some(0)] {
            let mut options = shapes::options(TILES, runtime_checks);
            options.resident_limit = limit;
            let mut engine = shapes::engine(&network, &start, settings, &options);
            let near = |what: &str, got: f64, expected: f64| {
                let error = (got - expected).abs();
                // 10 steps of float32 on numbers near 1.
                if error <= 2e-5 * (1.0 + expected.abs()) {
                    return Ok(());
                }
                Err(format!("{rule}, resident limit {limit:?}: {what} {got}, expected {expected}"))
            };
            for (got, expected) in engine.train(&data, &plan).unwrap().iter().zip(&expected) {
                near("loss", got.loss, expected.loss)?;
                near("squares", got.errors.squared, expected.errors.squared)?;
                near("sizes", got.errors.absolute, expected.errors.absolute)?;
            }
            let got = engine.evaluate(&data).unwrap();
            near("loss of all", got.loss, scores.loss)?;
            near("squares of all", got.errors.squared, scores.errors.squared)?;
            let parameters = [engine.parameters().unwrap(), reference.parameters().unwrap()];
            let [got, expected] = parameters.map(|all| {
                let layers = all.layers.into_iter();
                layers.flat_map(|layer| [layer.weights, layer.biases].concat()).collect::<Vec<f32>>()
            });
            for (got, expected) in got.iter().zip(&expected) {
                near("a parameter", f64::from(*got), f64::from(*expected))?;
            }
        }
    }
    Ok(())
}
