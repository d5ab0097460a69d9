//! The engine as a whole: what it learns, that it repeats, what it refuses.

use std::sync::Arc;

use tanner::Error;
use tanner::dataset::Dataset;
use tanner::engine::gpu::{AdapterChoice, GpuEngine, GpuOptions, Kernel, ProbeStep, Tensor};
use tanner::engine::{Engine, EngineSettings, Optimizer, StepOutcome, StepPlan};
use tanner::network::dropout::{DropoutKey, keep_threshold};
use tanner::network::{Activation, Network, Parameters};
use tanner::tiles::TilePolicy;

use crate::oracle::{self, Bounded, Misses};
use crate::shapes;

const MIXED: TilePolicy = TilePolicy { dense_from: 0.45 };
const NESTEROV: Optimizer = Optimizer::Momentum { momentum: 0.9, nesterov: true };

fn start(network: &Network) -> Parameters {
    shapes::parameters(network, |place, layer| 0.5 * shapes::real(place, layer, 60))
}

fn coupled(keep_probability: f32) -> Network {
    shapes::shape("coupled", Activation::Tanh, keep_probability)
}

fn settings(optimizer: Optimizer) -> EngineSettings {
    EngineSettings { optimizer, l2: 1e-3, batch_size: 10, seed: 5 }
}

fn order(steps: usize) -> Vec<u32> {
    (0u32..).take(10 * steps).map(|place| place * 17 % 47).collect()
}

fn train(engine: &mut GpuEngine, data: &Arc<Dataset>, samples: &[u32], first_step: u64) -> Vec<StepOutcome> {
    engine.train(data, &StepPlan { samples, learning_rate: 0.05, first_step }).unwrap()
}

fn bits(parameters: &Parameters) -> Vec<u32> {
    let values = parameters.layers.iter().flat_map(|layer| layer.weights.iter().chain(&layer.biases));
    values.map(|value| value.to_bits()).collect()
}

/// Some steps, then an evaluation: everything that came out.
fn short_run(
    network: &Network,
    data: &Arc<Dataset>,
    options: &GpuOptions,
) -> (Vec<StepOutcome>, Vec<u32>, f64) {
    let mut engine = shapes::engine(network, &start(network), settings(Optimizer::ADAM), options);
    let outcomes = train(&mut engine, data, &order(70)[..694], 0);
    let evaluation = engine.evaluate(data).unwrap();
    (outcomes, bits(&engine.parameters().unwrap()), evaluation.loss)
}

/// Three steps and an evaluation against float64, through all kernels in their order.
pub(crate) fn follows_float64(runtime_checks: bool) -> Result<(), String> {
    let network = coupled(0.8);
    let data = shapes::dataset(&network, 47, 61);
    let mut misses = Misses::default();
    for optimizer in [Optimizer::Sgd, NESTEROV, Optimizer::ADAM] {
        let options = shapes::options(MIXED, runtime_checks);
        let mut engine = shapes::engine(&network, &start(&network), settings(optimizer), &options);
        let samples = &order(3)[..27];
        let outcomes = train(&mut engine, &data, samples, 4);
        let mut float64 = Float64::new(&network, settings(optimizer));
        for (step, (batch, outcome)) in samples.chunks(10).zip(&outcomes).enumerate() {
            let (loss, correct) = float64.train(&data, batch, 4 + step as u64);
            misses.near(format!("{optimizer}, step {step}: loss"), outcome.loss, close(loss));
            misses.equal(
                "correct",
                (outcome.correct as usize, outcome.samples as usize),
                (correct, batch.len()),
            );
        }
        let now = engine.parameters().unwrap();
        for (index, (now, then)) in now.layers.iter().zip(&float64.values).enumerate() {
            let values = now.weights.iter().chain(&now.biases).zip(then.weights.iter().chain(&then.biases));
            for (place, (now, then)) in values.enumerate() {
                misses.near(format!("{optimizer}, layer {index}, value {place}"), *now, close(*then));
            }
        }
        let all: Vec<u32> = (0..47).collect();
        let (loss, correct) = float64.forward(&data, &all, None).1;
        let evaluation = engine.evaluate(&data).unwrap();
        misses.near(format!("{optimizer}: evaluation"), evaluation.loss, close(loss));
        misses.equal("evaluation", (evaluation.correct, evaluation.samples), (correct, 47));
    }
    misses.result()
}

/// Errors of three steps grow past any simple bound; a wrong kernel misses by far more.
fn close(value: f64) -> Bounded {
    Bounded { value, bound: 2e-5 * (1.0 + value.abs()) }
}

pub(crate) fn repeats_bit_for_bit() -> Result<(), String> {
    let (network, options) = (coupled(0.5), shapes::options(MIXED, false));
    let data = shapes::dataset(&network, 47, 62);
    let run = || short_run(&network, &data, &options);
    let mut misses = Misses::default();
    let (first, second) = (run(), run());
    misses.equal("steps", first.0.len(), 70);
    misses.equal("two runs", first, second);
    misses.result()
}

pub(crate) fn streamed_equals_resident() -> Result<(), String> {
    let (network, options) = (coupled(0.5), shapes::options(MIXED, false));
    let data = shapes::dataset(&network, 47, 63);
    let tight = GpuOptions { resident_limit: Some(100), ..options.clone() };
    let mut misses = Misses::default();
    misses.equal("streamed", short_run(&network, &data, &tight), short_run(&network, &data, &options));
    misses.result()
}

/// Cutting a run into calls, also in the middle of a submit, changes nothing; nor does the number of steps a call has.
pub(crate) fn calls_can_be_cut() -> Result<(), String> {
    let (network, options) =
        (shapes::shape("one tile", Activation::Sigmoid, 0.5), shapes::options(MIXED, false));
    let settings = EngineSettings { batch_size: 1, ..settings(Optimizer::ADAM) };
    let data = shapes::dataset(&network, 47, 64);
    let samples = &order(110)[..1_060];
    let run = |cuts: &[usize]| {
        let mut engine = shapes::engine(&network, &start(&network), settings, &options);
        let (mut outcomes, mut first) = (Vec::new(), 0);
        for cut in cuts.iter().chain([&samples.len()]) {
            outcomes.extend(train(&mut engine, &data, &samples[first..*cut], first as u64));
            first = *cut;
        }
        (outcomes, bits(&engine.parameters().unwrap()))
    };
    let mut misses = Misses::default();
    let whole = run(&[]);
    misses.equal("steps", whole.0.len(), 1_060);
    misses.equal("cut runs", whole, run(&[1, 8, 50, 100, 1_030]));
    misses.result()
}

pub(crate) fn parameters_come_back() -> Result<(), String> {
    let mut misses = Misses::default();
    for (name, network) in shapes::shapes(Activation::Relu, 1.0) {
        for (policy, tiles) in shapes::POLICIES {
            let parameters = start(&network);
            let options = shapes::options(tiles, false);
            let mut engine = shapes::engine(&network, &parameters, settings(Optimizer::ADAM), &options);
            misses.equal(format!("{name}, {policy}"), engine.parameters().unwrap(), parameters);
            let probe = engine.probe();
            let kinds = (probe.layout().dense_len() > 0, probe.layout().first_bias() > 0);
            match policy {
                "dense" => misses.equal(format!("kinds of tiles of {name}"), kinds, (true, false)),
                "sparse" => misses.equal(format!("kinds of tiles of {name}"), kinds, (false, true)),
                _ if ["coupled", "last block smaller", "empty row and column"].contains(&name) => {
                    misses.equal(format!("kinds of tiles of {name}"), kinds, (true, true));
                }
                _ => {}
            }
        }
    }
    misses.result()
}

/// New parameters start a new run: nothing of momentum or means is left.
pub(crate) fn new_parameters_forget() -> Result<(), String> {
    let mut misses = Misses::default();
    for optimizer in [NESTEROV, Optimizer::ADAM] {
        let (network, options) = (coupled(1.0), shapes::options(MIXED, false));
        let data = shapes::dataset(&network, 47, 65);
        let mut engine = shapes::engine(&network, &start(&network), settings(optimizer), &options);
        let first = (train(&mut engine, &data, &order(5), 0), bits(&engine.parameters().unwrap()));
        engine.set_parameters(&start(&network)).unwrap();
        let second = (train(&mut engine, &data, &order(5), 0), bits(&engine.parameters().unwrap()));
        misses.equal(format!("{optimizer}"), second, first);
    }
    misses.result()
}

/// More data sets than are remembered, in turn; each must be seen as what it is.
pub(crate) fn data_sets_take_turns() -> Result<(), String> {
    let (network, options) = (coupled(1.0), shapes::options(MIXED, false));
    let mut misses = Misses::default();
    let mut engine = shapes::engine(&network, &start(&network), settings(Optimizer::Sgd), &options);
    let sets: Vec<_> = (0..7u32).map(|set| shapes::dataset(&network, 20 + set as usize, 70 + set)).collect();
    let first: Vec<_> = sets.iter().map(|set| engine.evaluate(set).unwrap()).collect();
    for set in [6, 0, 5, 0, 1, 3, 2, 6, 4] {
        misses.equal(format!("set {set}"), engine.evaluate(&sets[set]).unwrap(), first[set]);
        misses.equal("samples", first[set].samples, 20 + set);
    }
    misses.equal("sets differ", first[0].loss == first[1].loss, false);
    misses.result()
}

pub(crate) fn bad_requests_are_refused() -> Result<(), String> {
    let (network, options) = (coupled(1.0), shapes::options(MIXED, false));
    let mut misses = Misses::default();
    let mut says = |what: &str, result: Result<(), Error>, words: &[&str]| {
        let text = result.err().map(|error| error.to_string()).unwrap_or_default();
        let missing: Vec<_> = words.iter().filter(|word| !text.contains(**word)).collect();
        misses.equal(format!("{what}: {text:?}"), missing, vec![]);
    };
    let make = |settings, options: &GpuOptions| {
        GpuEngine::new(&network, &start(&network), settings, options).map(|_| ())
    };
    let named = GpuOptions { adapter: AdapterChoice::Named("no such card".into()), ..options.clone() };
    let there = tanner::engine::gpu::adapters()[0].name.clone();
    says("adapter", make(settings(Optimizer::Sgd), &named), &["no such card", &there]);
    let none = EngineSettings { batch_size: 0, ..settings(Optimizer::Sgd) };
    says("batch 0", make(none, &options), &["--batch-size", "0"]);
    let wrong = Parameters { layers: vec![] };
    says(
        "parameters",
        GpuEngine::new(&network, &wrong, settings(Optimizer::Sgd), &options).map(|_| ()),
        &["0 layers"],
    );

    let mut engine = shapes::engine(&network, &start(&network), settings(Optimizer::Sgd), &options);
    says("parameters", engine.set_parameters(&wrong), &["0 layers"]);
    let data = shapes::dataset(&network, 5, 66);
    let plan = StepPlan { samples: &[0, 5], learning_rate: 0.1, first_step: 0 };
    says("sample", engine.train(&data, &plan).map(|_| ()), &["sample 5"]);
    let plan = StepPlan { samples: &[0], learning_rate: f64::NAN, first_step: 0 };
    says("rate", engine.train(&data, &plan).map(|_| ()), &["NaN"]);
    let narrow = Arc::new(Dataset::new(vec![0.0; 6], 3, vec![0, 1], 2).unwrap());
    says("features", engine.evaluate(&narrow).map(|_| ()), &["3 features", "20 inputs"]);
    let many = Arc::new(Dataset::new(vec![0.0; 20], 20, vec![0], 7).unwrap());
    says("classes", engine.evaluate(&many).map(|_| ()), &["7 classes", "6 logits"]);
    let mut probe = engine.probe();
    let step = ProbeStep { samples: 1, step: 0, learning_rate: None };
    says("no data", probe.run(Kernel::Gather, step), &["Gather"]);
    says("layer", probe.run(Kernel::Forward(3), step), &["3 layers"]);
    says("layer", probe.run(Kernel::BackwardInput(0), step), &["3 layers"]);
    says("batch", probe.run(Kernel::Forward(0), ProbeStep { samples: 11, ..step }), &["11", "10"]);
    says("values", probe.write(Tensor::Dense, &[0.0; 1 << 16]), &["65536"]);
    // Refused requests leave the engine as it was.
    let plan = StepPlan { samples: &[0, 4], learning_rate: 0.1, first_step: 0 };
    misses.equal("a good request", engine.train(&data, &plan).unwrap().len(), 1);
    misses.equal("nothing to do", engine.evaluate(&data).is_ok(), true);
    misses.result()
}

/// Mean time of a training step of the paper's network at batch 128, in nanoseconds.
pub(crate) fn time_of_a_step() -> u64 {
    let network = tanner::network::Architecture::paper(784, 10).build(0).unwrap();
    let parameters = shapes::parameters(&network, |place, layer| 0.1 * shapes::real(place, layer, 80));
    let settings = EngineSettings { batch_size: 128, ..settings(Optimizer::ADAM) };
    let options = GpuOptions { adapter: AdapterChoice::Any, ..GpuOptions::default() };
    let mut engine = shapes::engine(&network, &parameters, settings, &options);
    let data = shapes::dataset(&network, 4096, 81);
    let samples: Vec<u32> = (0..4096).collect();
    let mut run = || {
        let start = std::time::Instant::now();
        engine.train(&data, &StepPlan { samples: &samples, learning_rate: 1e-3, first_step: 0 }).unwrap();
        u64::try_from(start.elapsed().as_nanos()).unwrap() / (4096 / 128)
    };
    run();
    (run() + run()) / 2
}

/// A buffer beyond the adapter's limits is refused by name, size and limit.
pub(crate) fn large_networks_are_refused() -> Result<(), String> {
    let limit = tanner::engine::gpu::adapters()[0].max_binding_size;
    let batch_size = 1 << 20;
    let rows = usize::try_from(limit).unwrap() / (4 * batch_size) + 1;
    if rows > 1 << 16 {
        // No adapter so far has a binding limit of 256 GiB.
        return Err(format!("the adapter's limit of {limit} bytes is beyond this test"));
    }
    let wide = shapes::layer_of(
        tanner::topology::Partition::whole(rows).unwrap(),
        tanner::topology::Partition::whole(2).unwrap(),
        |_, input| input == 0,
    );
    let network = shapes::network(vec![wide], Activation::Identity, 1.0);
    let settings = EngineSettings { batch_size, ..settings(Optimizer::Sgd) };
    let options = shapes::options(TilePolicy::ALL_SPARSE, false);
    let error = GpuEngine::new(&network, &start(&network), settings, &options).err();
    let text = error.map(|error| error.to_string()).unwrap_or_default();
    let size = (16 * (rows as u64 + 2) * (batch_size as u64 / 4)).to_string();
    match ["activations", &size, &limit.to_string()].iter().find(|word| !text.contains(**word)) {
        Some(word) => Err(format!("{word} is not in {text:?}")),
        None => Ok(()),
    }
}

/// The whole step in float64, straight from the definitions.
struct Float64 {
    network: Network,
    settings: EngineSettings,
    values: Vec<Values>,
    first: Vec<Values>,
    second: Vec<Values>,
}

#[derive(Clone)]
struct Values {
    weights: Vec<f64>,
    biases: Vec<f64>,
}

impl Float64 {
    fn new(network: &Network, settings: EngineSettings) -> Self {
        let double = |values: &Vec<f32>| values.iter().map(|value| f64::from(*value)).collect();
        let layers = start(network).layers;
        let values: Vec<_> = layers
            .iter()
            .map(|layer| Values { weights: double(&layer.weights), biases: double(&layer.biases) })
            .collect();
        let zero: Vec<_> = values
            .iter()
            .map(|layer| Values {
                weights: vec![0.0; layer.weights.len()],
                biases: vec![0.0; layer.biases.len()],
            })
            .collect();
        Self { network: network.clone(), settings, values, first: zero.clone(), second: zero }
    }

    /// Activations `[sample][layer][neuron]`, and (mean loss, correct samples) of a batch; no dropout without a step.
    fn forward(
        &self,
        data: &Dataset,
        batch: &[u32],
        step: Option<u64>,
    ) -> (Vec<Vec<Vec<f64>>>, (f64, usize)) {
        let (mut all, mut loss, mut correct) = (Vec::new(), 0.0, 0);
        for (column, sample) in (0u32..).zip(batch) {
            let input = data.sample(*sample as usize).iter().map(|value| f64::from(*value));
            let mut layers: Vec<Vec<f64>> = vec![input.collect()];
            for (index, layer) in (0u32..).zip(self.network.layers()) {
                let (x, values) = (&layers[index as usize], &self.values[index as usize]);
                let mut z = values.biases.clone();
                for (edge, (output, input)) in layer.topology.edge_ends().enumerate() {
                    z[output] += values.weights[edge] * x[input];
                }
                let keep = f64::from(layer.keep_probability);
                let kept = |unit| step.is_none_or(|step| self.keeps(index, step, unit, column));
                let scale = if step.is_some() { keep } else { 1.0 };
                let y = (0u32..).zip(z).map(|(unit, z)| {
                    let a = oracle::activate(layer.activation, Bounded::exact(z)).value;
                    if kept(unit) { a / scale } else { 0.0 }
                });
                layers.push(y.collect());
            }
            let label = data.labels()[*sample as usize] as usize;
            let (of_sample, _, right) = oracle::softmax(&layers[layers.len() - 1], label);
            loss += of_sample.value / batch.len() as f64;
            correct += usize::from(right);
            all.push(layers);
        }
        (all, (loss, correct))
    }

    fn keeps(&self, layer: u32, step: u64, unit: u32, column: u32) -> bool {
        let threshold = keep_threshold(self.network.layers()[layer as usize].keep_probability);
        DropoutKey::new(self.settings.seed, step, layer).keeps(unit, column, threshold)
    }

    fn train(&mut self, data: &Dataset, batch: &[u32], step: u64) -> (f64, usize) {
        let (all, outcome) = self.forward(data, batch, Some(step));
        let mut gradient: Vec<_> = self.values.clone();
        for layer in &mut gradient {
            let decay = 2.0 * f64::from(self.settings.l2);
            layer.weights.iter_mut().for_each(|weight| *weight *= decay);
            layer.biases.fill(0.0);
        }
        for ((column, sample), layers) in (0u32..).zip(batch).zip(&all) {
            let label = data.labels()[*sample as usize] as usize;
            let (_, deltas, _) = oracle::softmax(&layers[layers.len() - 1], label);
            let mut delta: Vec<f64> = deltas.iter().map(|delta| delta.value / batch.len() as f64).collect();
            for index in (0..self.network.layers().len()).rev() {
                let topology = &self.network.layers()[index].topology;
                let mut below = vec![0.0; topology.inputs().width()];
                for (edge, (output, input)) in topology.edge_ends().enumerate() {
                    gradient[index].weights[edge] += delta[output] * layers[index][input];
                    below[input] += delta[output] * self.values[index].weights[edge];
                }
                for (bias, delta) in gradient[index].biases.iter_mut().zip(&delta) {
                    *bias += delta;
                }
                if index > 0 {
                    delta = self.through(index - 1, below, &layers[index], (step, column));
                }
            }
        }
        self.update(&gradient, step);
        outcome
    }

    /// Deltas before a layer's activation and dropout, from those behind.
    fn through(&self, layer: usize, deltas: Vec<f64>, y: &[f64], (step, column): (u64, u32)) -> Vec<f64> {
        let of = &self.network.layers()[layer];
        let keep = f64::from(of.keep_probability);
        let units = (0u32..).zip(deltas).zip(y);
        let deltas = units.map(|((unit, delta), y)| {
            let slope = oracle::slope(of.activation, Bounded::exact(y * keep)).value;
            let kept = self.keeps(u32::try_from(layer).unwrap(), step, unit, column);
            if kept { delta / keep * slope } else { 0.0 }
        });
        deltas.collect()
    }

    fn update(&mut self, gradient: &[Values], step: u64) {
        let optimizer = self.settings.optimizer;
        let rate = 0.05;
        let change = |value: &mut f64, first: &mut f64, second: &mut f64, gradient: f64| match optimizer {
            Optimizer::Sgd => *value -= rate * gradient,
            Optimizer::Momentum { momentum, nesterov } => {
                let momentum = f64::from(momentum);
                *first = momentum * *first + gradient;
                *value -= rate * if nesterov { gradient + momentum * *first } else { *first };
            }
            Optimizer::Adam { beta1, beta2, epsilon } => {
                let (beta1, beta2) = (f64::from(beta1), f64::from(beta2));
                let time = i32::try_from(step + 1).unwrap();
                *first = beta1 * *first + (1.0 - beta1) * gradient;
                *second = beta2 * *second + (1.0 - beta2) * gradient * gradient;
                let (mean, square) = (*first / (1.0 - beta1.powi(time)), *second / (1.0 - beta2.powi(time)));
                *value -= rate * mean / (square.sqrt() + f64::from(epsilon));
            }
        };
        for (index, gradient) in gradient.iter().enumerate() {
            let (value, first, second) =
                (&mut self.values[index], &mut self.first[index], &mut self.second[index]);
            for (edge, gradient) in gradient.weights.iter().enumerate() {
                change(
                    &mut value.weights[edge],
                    &mut first.weights[edge],
                    &mut second.weights[edge],
                    *gradient,
                );
            }
            for (output, gradient) in gradient.biases.iter().enumerate() {
                change(
                    &mut value.biases[output],
                    &mut first.biases[output],
                    &mut second.biases[output],
                    *gradient,
                );
            }
        }
    }
}
