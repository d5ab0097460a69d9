//! Compares each kernel with float64, after poisoning every output.

use std::sync::Arc;

use tanner::dataset::Dataset;
use tanner::engine::gpu::{Buffer, GpuEngine, Kernel, KernelKind, Probe, ProbeStep, Share};
use tanner::engine::layout::PackedValues;
use tanner::engine::reference::drop_connect::connection_factors;
use tanner::engine::{EngineSettings, MAX_STATES, Optimizer};
use tanner::network::drop_connect::connection_numbers;
use tanner::network::dropout::{DropoutKey, keep_threshold};
use tanner::network::{Activation, LayerParameters, Network, Parameters};

use crate::oracle::{self, Bounded, Misses, Moved};
use crate::shapes;

/// The value of padding, which may not be overwritten.
const SENTINEL: f32 = 7.0;
/// Number of the step in kernel tests.
const STEP: u64 = 9;
const RATE: f64 = 0.5;

/// Values, then each state of an optimiser.
type WithState<T> = [T; 1 + MAX_STATES];

/// One engine under test.
pub(crate) struct Bench {
    pub(crate) network: Network,
    pub(crate) settings: EngineSettings,
    /// Small whole numbers: every sum is exact, and so is every comparison.
    pub(crate) whole: bool,
    engine: GpuEngine,
    parameters: Parameters,
}

impl Bench {
    pub(crate) fn new(
        network: Network,
        settings: EngineSettings,
        options: &tanner::engine::gpu::GpuOptions,
        whole: bool,
    ) -> Self {
        let value = |place, layer: usize| number(whole, place, layer, 20);
        let parameters = shapes::parameters(&network, value);
        let engine = shapes::engine(&network, &parameters, settings, options);
        Self { network, settings, whole, engine, parameters }
    }

    /// Runs every kernel on batches of each of these sizes.
    pub(crate) fn check_all(&mut self, batches: &[usize]) -> Result<(), String> {
        let mut misses = Misses::default();
        for samples in batches {
            self.gather(*samples, &mut misses);
            for layer in 0..self.network.layers().len() {
                self.forward(layer, *samples, &mut misses);
                if layer > 0 {
                    self.backward_input(layer, *samples, &mut misses);
                }
            }
            self.softmax(*samples, &mut misses);
            self.backward_weight(*samples, &mut misses);
        }
        misses.result()
    }

    fn bounded(&self, expected: Bounded) -> Bounded {
        if self.whole { Bounded::exact(expected.value) } else { expected }
    }

    /// A tensor full of NaN, with numbers in the rows and lanes that a kernel may read.
    fn poisoned(
        &mut self,
        rows: std::ops::Range<usize>,
        lanes: usize,
        value: impl Fn(usize, usize) -> f32,
    ) -> Rows {
        let probe = self.engine.probe();
        let row_len = probe.row_len();
        let mut values = vec![f32::NAN; probe.layout().rows() * row_len];
        for row in rows {
            for lane in 0..lanes {
                values[row * row_len + lane] = value(row, lane);
            }
        }
        Rows { values, row_len }
    }

    fn run(&mut self, kernel: Kernel, samples: usize, training: bool) {
        let learning_rate = training.then_some(RATE);
        self.engine.probe().run(kernel, ProbeStep { samples, step: STEP, learning_rate }).unwrap();
    }

    fn write(&mut self, buffer: Buffer, rows: &Rows) {
        self.engine.probe().write(buffer, &rows.values).unwrap();
    }

    fn read(&mut self, buffer: Buffer) -> Rows {
        let mut probe = self.engine.probe();
        Rows { values: probe.read(buffer).unwrap(), row_len: probe.row_len() }
    }

    fn row_of(&mut self, layer: usize) -> (usize, usize) {
        let place = self.engine.probe().layout().places()[layer];
        (place.input_row as usize, place.output_row as usize)
    }

    pub(crate) fn gather(&mut self, samples: usize, misses: &mut Misses) {
        let data = shapes::dataset(&self.network, 70, 30);
        let chosen: Vec<u32> = (0u32..).take(samples).map(|sample| (sample * 29 + 3) % 70).collect();
        let before = self.poisoned(0..0, 0, |_, _| 0.0);
        self.write(Buffer::Activations, &before);
        self.engine.probe().load(&data, &chosen).unwrap();
        self.run(KernelKind::Gather.of(0), samples, true);
        let after = self.read(Buffer::Activations);
        let (features, lanes) = (self.network.inputs(), lanes(samples));
        after.compare(&before, misses, format!("gather of {samples}"), |row, lane| {
            if row >= features || lane >= lanes {
                return None;
            }
            let feature = |sample: &u32| data.sample(*sample as usize)[row];
            Some(Bounded::exact(f64::from(chosen.get(lane).map_or(0.0, feature))))
        });
    }

    pub(crate) fn forward(&mut self, layer: usize, samples: usize, misses: &mut Misses) {
        let (first_input, _) = self.row_of(layer);
        let of = self.network.layers()[layer].clone();
        let (lanes, whole) = (lanes(samples), self.whole);
        let rows = first_input..first_input + of.topology.inputs().width();
        let before = self.poisoned(rows, lanes, |row, lane| number(whole, row, lane, 31));
        self.write(Buffer::Activations, &before);
        self.run(KernelKind::Forward.of(layer), samples, true);
        let after = self.read(Buffer::Activations);
        self.compare_outputs(layer, samples, [&before, &after], "forward", misses);
    }

    /// Compares a layer's outputs with its inputs from before; everything else must be unchanged.
    fn compare_outputs(
        &mut self,
        layer: usize,
        samples: usize,
        [before, after]: [&Rows; 2],
        what: &str,
        misses: &mut Misses,
    ) {
        let (first_input, first_output) = self.row_of(layer);
        let (of, lanes) = (self.network.layers()[layer].clone(), lanes(samples));
        let outputs = first_output..first_output + of.topology.outputs().width();
        let LayerParameters { weights, biases } = &self.parameters.layers[layer];
        let keeps = self.keeps(layer);
        after.compare(before, misses, format!("{what} {layer} of {samples}"), |row, lane| {
            if !outputs.contains(&row) || lane >= lanes {
                return None;
            }
            let output = row - first_output;
            let x = |input| f64::from(before.at(first_input + input, lane));
            let sum = oracle::weighted_sum(&of.topology, weights, output, x);
            let z = sum.plus(Bounded::exact(f64::from(biases[output])));
            let y = oracle::activate(of.activation, z);
            let keep = Bounded::exact(f64::from(of.keep_probability));
            let kept = keeps(output, lane);
            Some(self.bounded(if kept { y.divided_by(keep) } else { Bounded::exact(0.0) }))
        });
    }

    /// The host's dropout mask of a layer's outputs.
    fn keeps(&self, layer: usize) -> impl Fn(usize, usize) -> bool + use<> {
        let key = DropoutKey::new(self.settings.seed, STEP, u32::try_from(layer).unwrap());
        let threshold = keep_threshold(self.network.layers()[layer].keep_probability);
        move |unit, lane| key.keeps(u32::try_from(unit).unwrap(), u32::try_from(lane).unwrap(), threshold)
    }

    /// The last layer with its loss: the logits as by forward, and the results from these logits.
    pub(crate) fn softmax(&mut self, samples: usize, misses: &mut Misses) {
        let (whole, lanes, classes) = (self.whole, lanes(samples), self.network.classes());
        let last = self.network.layers().len() - 1;
        let data = shapes::dataset(&self.network, 70, 33);
        let chosen: Vec<u32> = (0u32..).take(samples).map(|sample| (sample * 13 + 1) % 70).collect();
        let (first_input, first) = self.row_of(last);
        let inputs = first_input..first_input + self.network.layers()[last].topology.inputs().width();
        // Whole numbers, and only the biases in every third lane, lead to many equal maxima, the others to large differences.
        let input = |row, lane| match whole {
            true if lane % 3 == 0 => 0.0,
            true => number(true, row, lane, 34),
            false => 40.0 * number(false, row, lane, 34),
        };
        let given = self.poisoned(inputs, lanes, input);
        for training in [true, false] {
            let before = self.poisoned(0..0, 0, |_, _| 0.0);
            self.engine.probe().load(&data, &chosen).unwrap();
            // Its labels stay, its features are overwritten.
            self.run(KernelKind::Gather.of(0), samples, training);
            self.write(Buffer::Activations, &given);
            self.write(Buffer::Deltas, &before);
            self.run(KernelKind::SoftmaxCrossEntropy.of(0), samples, training);
            let (logits, after) = (self.read(Buffer::Activations), self.read(Buffer::Deltas));
            self.compare_outputs(last, samples, [&given, &logits], "logits", misses);
            let outcome = self.engine.probe().metric(samples).unwrap();
            let results: Vec<_> = (0..samples)
                .map(|lane| {
                    let z: Vec<_> = (0..classes).map(|c| f64::from(logits.at(first + c, lane))).collect();
                    let label = data.labels()[chosen[lane] as usize] as usize;
                    let smoothing = if training { self.settings.label_smoothing } else { 0.0 };
                    oracle::softmax(&z, label, smoothing)
                })
                .collect();
            let loss = results.iter().fold(Bounded::exact(0.0), |sum, (loss, ..)| sum.plus(*loss));
            misses.near(format!("loss of {samples}"), outcome.loss * samples as f64, loss);
            let correct = results.iter().filter(|(.., correct)| *correct).count();
            misses.equal(format!("correct of {samples}"), outcome.correct as usize, correct);
            after.compare(&before, misses, format!("softmax of {samples}"), |row, lane| {
                if !training || !(first..first + classes).contains(&row) || lane >= lanes {
                    return None;
                }
                let delta = results.get(lane).map(|(_, deltas, _)| deltas[row - first]);
                let by_batch = |delta: Bounded| delta.divided_by(Bounded::exact(samples as f64));
                Some(delta.map_or(Bounded::exact(0.0), by_batch))
            });
        }
    }

    pub(crate) fn backward_input(&mut self, layer: usize, samples: usize, misses: &mut Misses) {
        let (first_input, first_output) = self.row_of(layer);
        let topology = Arc::clone(&self.network.layers()[layer].topology);
        let below = self.network.layers()[layer - 1].clone();
        let (lanes, whole) = (lanes(samples), self.whole);
        let outputs = first_output..first_output + topology.outputs().width();
        let inputs = first_input..first_input + topology.inputs().width();
        let before = self.poisoned(outputs, lanes, |row, lane| number(whole, row, lane, 35));
        let y = self.poisoned(inputs.clone(), lanes, |row, lane| number(whole, row, lane, 36));
        self.write(Buffer::Deltas, &before);
        self.write(Buffer::Activations, &y);
        self.run(KernelKind::BackwardInput.of(layer), samples, true);
        let after = self.read(Buffer::Deltas);
        let keeps = self.keeps(layer - 1);
        let keep = Bounded::exact(f64::from(below.keep_probability));
        after.compare(&before, misses, format!("backward_input {layer} of {samples}"), |row, lane| {
            if !inputs.contains(&row) || lane >= lanes {
                return None;
            }
            let (input, weights) = (row - first_input, &self.parameters.layers[layer].weights);
            let delta = |output| f64::from(before.at(first_output + output, lane));
            let sum = oracle::transposed_sum(&topology, weights, input, delta);
            let a = Bounded::exact(f64::from(y.at(row, lane))).times(keep);
            let kept = keeps(input, lane);
            let delta = if kept { sum.divided_by(keep) } else { Bounded::exact(0.0) };
            Some(self.bounded(delta.times(oracle::slope(below.activation, a))))
        });
    }

    /// Values and states, dense and sparse, and padding.
    pub(crate) fn backward_weight(&mut self, samples: usize, misses: &mut Misses) {
        let (whole, lanes, rows) = (self.whole, lanes(samples), self.engine.probe().layout().rows());
        let x = self.poisoned(0..rows, lanes, |row, lane| number(whole, row, lane, 37));
        let delta = |row, lane| if lane < samples { number(whole, row, lane, 38) } else { 0.0 };
        let delta = self.poisoned(0..rows, lanes, delta);
        self.write(Buffer::Activations, &x);
        self.write(Buffer::Deltas, &delta);
        // The second state is a mean of squares.
        let state = |stream| move |place, layer: usize| shapes::real(place, layer, stream).abs() + 0.1;
        let old: WithState<Parameters> = std::array::from_fn(|index| match u32::try_from(index).unwrap() {
            0 => self.parameters.clone(),
            index => shapes::parameters(&self.network, state(38 + index)),
        });
        let mut probe = self.engine.probe();
        let packed = old.clone().map(|values| pack_with_sentinels(&probe, &values));
        write_values(&mut probe, &packed);
        self.group_norm(samples, misses);
        self.run(KernelKind::BackwardWeight.of(0), samples, true);
        let mut probe = self.engine.probe();
        let now = read_values(&mut probe);
        check_sentinels(&probe, &now, self.settings.optimizer, misses);
        let now = now.map(|values| probe.layout().unpack(&values));
        self.compare_values(samples, &old, &now, [&x, &delta], misses);
        // The other kernels rely on padding of 0.
        let values = self.engine.probe().layout().pack(&self.parameters);
        self.engine.probe().write_packed(Buffer::Values, &[values]).unwrap();
    }

    /// Compares steps along exactly known gradients, starting at the engine's initial parameters, with the formulas.
    pub(crate) fn several_steps(&mut self, misses: &mut Misses) {
        let EngineSettings { optimizer, penalties, .. } = self.settings;
        let layers = self.network.layers().to_vec();
        let start = |values: &[f32]| -> Vec<Moved> {
            values.iter().map(|value| Moved::from_exact(*value, [0.0; MAX_STATES])).collect()
        };
        let first = self.parameters.layers.iter();
        let mut expected: Vec<_> = first.map(|layer| (start(&layer.weights), start(&layer.biases))).collect();
        for number in 0..5u32 {
            // One sample with inputs of 1: the gradient of a weight is the delta of its output.
            let rows = self.engine.probe().layout().rows();
            let x = self.poisoned(0..rows, 4, |_, lane| if lane == 0 { 1.0 } else { 0.0 });
            let delta = |row, lane| if lane == 0 { shapes::real(row, 0, 80 + number) } else { 0.0 };
            let delta = self.poisoned(0..rows, 4, delta);
            self.write(Buffer::Activations, &x);
            self.write(Buffer::Deltas, &delta);
            let step = ProbeStep { samples: 1, step: number.into(), learning_rate: Some(RATE) };
            self.engine.probe().run(KernelKind::BackwardWeight.of(0), step).unwrap();
            let mut probe = self.engine.probe();
            let [values, ..] = read_values(&mut probe);
            let now = probe.layout().unpack(&values);
            let of_weights =
                oracle::Step { optimizer, learning_rate: RATE, number: number.into(), l2: penalties.l2 };
            let of_biases = oracle::Step { l2: 0.0, ..of_weights };
            for (index, (weights, biases)) in expected.iter_mut().enumerate() {
                let first_output = self.row_of(index).1;
                let gradient = |output| Bounded::exact(f64::from(delta.at(first_output + output, 0)));
                for (edge, (output, input)) in layers[index].topology.edge_ends().enumerate() {
                    weights[edge] = oracle::moved(of_weights, &weights[edge], gradient(output));
                    let what = format!("step {number}, layer {index}, edge {output}-{input}");
                    misses.near(what, now.layers[index].weights[edge], weights[edge].value);
                }
                for (output, bias) in biases.iter_mut().enumerate() {
                    *bias = oracle::moved(of_biases, bias, gradient(output));
                    let what = format!("step {number}, layer {index}, bias {output}");
                    misses.near(what, now.layers[index].biases[output], bias.value);
                }
            }
        }
    }

    /// The factors of the group lasso, which the update needs.
    fn group_norm(&mut self, samples: usize, misses: &mut Misses) {
        let strength = self.settings.penalties.group_lasso;
        if strength == 0.0 {
            return;
        }
        let inputs = self.network.inputs();
        self.engine.probe().write(Buffer::GroupFactors, &vec![f32::NAN; inputs]).unwrap();
        self.run(KernelKind::GroupNorm.of(0), samples, true);
        let factors = self.engine.probe().read(Buffer::GroupFactors).unwrap();
        misses.equal("groups", factors.len(), inputs);
        let (topology, weights) = (&self.network.layers()[0].topology, &self.parameters.layers[0].weights);
        for (input, factor) in factors.iter().enumerate() {
            let expected = oracle::group_factor(topology, weights, strength, input);
            misses.near(format!("factor of input {input}"), *factor, expected);
        }
    }

    /// The masked weights, bit for bit.
    pub(crate) fn drop_connect(&mut self, misses: &mut Misses) {
        let mask = self.settings.connection_mask(STEP).unwrap();
        let mut probe = self.engine.probe();
        let poison = vec![f32::NAN; probe.len(Buffer::Masked)];
        probe.write(Buffer::Masked, &poison).unwrap();
        self.run(KernelKind::DropConnect.of(0), 1, true);
        let mut probe = self.engine.probe();
        let masked = probe.read_packed(Buffer::Masked).unwrap().remove(0);
        for (slot, (value, edge)) in masked.dense.iter().zip(edges(&probe)).enumerate() {
            if !edge {
                misses.same(format!("padding slot {slot}"), *value, 0.0);
            }
        }
        let masked = probe.layout().unpack(&masked);
        for index in 0..self.network.layers().len() {
            let (plain, masked) = (&self.parameters.layers[index], &masked.layers[index]);
            misses.equal(format!("biases of layer {index}"), &masked.biases, &plain.biases);
            let numbers = connection_numbers(&self.network, index).enumerate();
            for ((edge, number), (masked, plain)) in numbers.zip(masked.weights.iter().zip(&plain.weights)) {
                let factor = mask.factor(number);
                misses.same(format!("layer {index}, edge {edge}"), *masked, factor * plain);
            }
        }
    }

    fn compare_values(
        &mut self,
        samples: usize,
        old: &WithState<Parameters>,
        now: &WithState<Parameters>,
        [x, delta]: [&Rows; 2],
        misses: &mut Misses,
    ) {
        let EngineSettings { optimizer, penalties, .. } = self.settings;
        let of_weights = oracle::Step { optimizer, learning_rate: RATE, number: STEP, l2: penalties.l2 };
        let of_biases = oracle::Step { l2: 0.0, ..of_weights };
        let mask = self.settings.connection_mask(STEP);
        let factors = mask.map(|mask| connection_factors(&self.network, mask));
        let factors = factors.unwrap_or_else(|| vec![Vec::new(); self.network.layers().len()]);
        for (index, layer) in self.network.layers().to_vec().iter().enumerate() {
            let (first_input, first_output) = self.row_of(index);
            let mut compare = |what: String, step, old: WithState<f32>, now: WithState<f32>, gradient| {
                let [value, state @ ..] = old;
                let moved = oracle::moved(step, &Moved::from_exact(value, state), gradient);
                misses.near(&what, now[0], self.bounded(moved.value));
                for index in 0..optimizer.state_count() {
                    misses.near(format!("{what}, state {index}"), now[1 + index], moved.state[index]);
                }
            };
            for (edge, (output, input)) in layer.topology.edge_ends().enumerate() {
                let of = |all: &WithState<Parameters>| {
                    all.each_ref().map(|values| values.layers[index].weights[edge])
                };
                let products = (0..samples).map(|lane| {
                    f64::from(x.at(first_input + input, lane))
                        * f64::from(delta.at(first_output + output, lane))
                });
                let mut gradient = Bounded::sum(products);
                if let Some(factor) = factors[index].get(edge) {
                    gradient = gradient.scaled(*factor);
                }
                if penalties.rule().on != 0 {
                    gradient = gradient.plus(oracle::penalty_gradient(&penalties, index, of(old)[0]));
                }
                if penalties.group_lasso > 0.0 && index == 0 {
                    let weights = &old[0].layers[0].weights;
                    let factor = oracle::group_factor(&layer.topology, weights, penalties.group_lasso, input);
                    gradient = gradient.plus(factor.scaled(f64::from(of(old)[0])));
                }
                compare(
                    format!("layer {index}, edge {output}-{input} of {samples}"),
                    of_weights,
                    of(old),
                    of(now),
                    gradient,
                );
            }
            for output in 0..layer.topology.outputs().width() {
                let of = |all: &WithState<Parameters>| {
                    all.each_ref().map(|values| values.layers[index].biases[output])
                };
                let deltas = (0..samples).map(|lane| f64::from(delta.at(first_output + output, lane)));
                compare(
                    format!("layer {index}, bias {output} of {samples}"),
                    of_biases,
                    of(old),
                    of(now),
                    Bounded::sum(deltas),
                );
            }
        }
    }
}

/// A tensor's values by row and lane.
struct Rows {
    values: Vec<f32>,
    row_len: usize,
}

impl Rows {
    fn at(&self, row: usize, lane: usize) -> f32 {
        self.values[row * self.row_len + lane]
    }

    /// Compares every value with the expected one or, if there is none, with the old one.
    fn compare(
        &self,
        before: &Self,
        misses: &mut Misses,
        what: String,
        expected: impl Fn(usize, usize) -> Option<Bounded>,
    ) {
        for (place, (got, before)) in self.values.iter().zip(&before.values).enumerate() {
            let (row, lane) = (place / self.row_len, place % self.row_len);
            let what = format_args!("{what}, row {row}, sample {lane}").to_string();
            match expected(row, lane) {
                Some(expected) => misses.near(what, *got, expected),
                None => misses.same(what, *got, *before),
            }
        }
    }
}

fn lanes(samples: usize) -> usize {
    samples.next_multiple_of(4)
}

/// A whole number in `-3..=3`, or one in `[-1, 1)`.
fn number(whole: bool, a: usize, b: usize, stream: u32) -> f32 {
    if whole { shapes::whole(a, b, stream) } else { shapes::real(a, b, stream) }
}

/// Which dense slots are edges.
fn edges(probe: &Probe<'_>) -> Vec<bool> {
    let blocks = probe.layout().layers().iter().flat_map(|layer| layer.micro_blocks());
    blocks.flat_map(|block| (0..16).map(move |lane| block.mask >> lane & 1 == 1)).collect()
}

fn pack_with_sentinels(probe: &Probe<'_>, values: &Parameters) -> PackedValues {
    let mut packed = probe.layout().pack(values);
    for (value, edge) in packed.dense.iter_mut().zip(edges(probe)) {
        *value = if edge { *value } else { SENTINEL };
    }
    packed
}

fn check_sentinels(
    probe: &Probe<'_>,
    now: &WithState<PackedValues>,
    optimizer: Optimizer,
    misses: &mut Misses,
) {
    for values in now.iter().take(1 + optimizer.state_count()) {
        for (slot, (value, edge)) in values.dense.iter().zip(edges(probe)).enumerate() {
            if !edge {
                misses.same(format!("padding slot {slot}"), *value, SENTINEL);
            }
        }
    }
}

/// Writes values, and as many states as the optimiser has.
fn write_values(probe: &mut Probe<'_>, [values, state @ ..]: &WithState<PackedValues>) {
    let count = probe.len(Buffer::State) / probe.len(Buffer::Values);
    probe.write_packed(Buffer::Values, std::slice::from_ref(values)).unwrap();
    probe.write_packed(Buffer::State, &state[..count]).unwrap();
}

/// Values and states; an unused state is all 0.
fn read_values(probe: &mut Probe<'_>) -> WithState<PackedValues> {
    let mut found = probe.read_packed(Buffer::Values).unwrap();
    found.extend(probe.read_packed(Buffer::State).unwrap());
    let nothing = |of: &PackedValues| PackedValues {
        dense: vec![0.0; of.dense.len()],
        sparse: vec![0.0; of.sparse.len()],
    };
    std::array::from_fn(|index| found.get(index).cloned().unwrap_or_else(|| nothing(&found[0])))
}

/// Sums so large that careless exponentials overflow.
pub(crate) fn activations_saturate(runtime_checks: bool) -> Result<(), String> {
    let mut misses = Misses::default();
    for activation in Activation::ALL {
        let network = shapes::shape("one tile", activation, 1.0);
        let options = shapes::options(tanner::tiles::TilePolicy::ALL_SPARSE, runtime_checks);
        let parameters = shapes::parameters(&network, |place, _| if place < 1_000_000 { 1.0 } else { 0.0 });
        let mut engine = shapes::engine(&network, &parameters, shapes::settings(Optimizer::Sgd, 4), &options);
        let mut probe = engine.probe();
        for z in [-1e30f32, -200.0, -90.0, -50.0, -15.0, 15.0, 50.0, 90.0, 200.0, 1e30] {
            let row_len = probe.row_len();
            let mut values = vec![0.0; probe.len(Buffer::Activations)];
            values[..row_len].fill(z);
            probe.write(Buffer::Activations, &values).unwrap();
            let step = ProbeStep { samples: 4, step: 0, learning_rate: None };
            probe.run(KernelKind::Forward.of(0), step).unwrap();
            let y = probe.read(Buffer::Activations).unwrap()[4 * row_len];
            let expected = oracle::activate(activation, Bounded::exact(f64::from(z)));
            misses.near(format!("{activation} of {z}"), y, expected);
        }
    }
    misses.result()
}

/// More quads and more columns than one workgroup has, in blocks that end within a quad.
pub(crate) fn wide_layers(runtime_checks: bool) -> Result<(), String> {
    for share in [1, 2, 8] {
        let policy = tanner::tiles::TilePolicy::dense_from(0.45);
        let options = shapes::shared(Share::new(share).unwrap(), shapes::options(policy, runtime_checks));
        let settings = shapes::settings(Optimizer::Sgd, 133);
        let mut bench = Bench::new(shapes::wide(Activation::Identity), settings, &options, true);
        bench.check_all(&[133, 130]).map_err(|text| format!("share {share}: {text}"))?;
    }
    Ok(())
}

/// Layers as wide as those that are trained, on few samples.
pub(crate) fn full_width(
    tiles: tanner::tiles::TilePolicy,
    share: Share,
    runtime_checks: bool,
) -> Result<(), String> {
    let options = shapes::shared(share, shapes::options(tiles, runtime_checks));
    let settings = shapes::settings(Optimizer::Sgd, 9);
    Bench::new(shapes::full_width(Activation::Relu), settings, &options, true).check_all(&[9])
}

/// More than 65,535 workgroups of shared sums: 3 quads of outputs and 175,000 columns, 8 columns of a quad in a workgroup.
pub(crate) fn shared_sums_fold(runtime_checks: bool) -> Result<(), String> {
    let (features, outputs, samples) = (2, 12, 700_000);
    let whole = |width| tanner::topology::Partition::whole(width).unwrap();
    let layer = shapes::layer_of(whole(features), whole(outputs), |_, _| true);
    let network = shapes::network(vec![layer], Activation::Identity, 1.0);
    let parameters = shapes::parameters(&network, |place, layer| shapes::whole(place, layer, 51));
    let options = shapes::options(tanner::tiles::TilePolicy::ALL_DENSE, runtime_checks);
    let share = Share::new(16).unwrap();
    let columns = 1 << KernelKind::Forward.spec().lane_bits(share, u32::try_from(samples / 4).unwrap());
    assert!(outputs / 4 * (samples / 4 / columns) > 65_535, "the test is too small");
    let options = shapes::shared(share, options);
    let settings = shapes::settings(Optimizer::Sgd, samples);
    let mut engine = shapes::engine(&network, &parameters, settings, &options);
    let mut probe = engine.probe();
    let inputs: Vec<f32> = (0..features * samples).map(|place| shapes::whole(place, 0, 52)).collect();
    probe.write(Buffer::Activations, &inputs).unwrap();
    probe.run(KernelKind::Forward.of(0), ProbeStep { samples, step: 0, learning_rate: None }).unwrap();
    let got = probe.read(Buffer::Activations).unwrap();
    let mut misses = Misses::default();
    let LayerParameters { weights, biases } = &parameters.layers[0];
    for (output, row) in got[features * samples..].chunks(samples).enumerate() {
        let sum = |sample: usize| {
            let terms = (0..features)
                .map(|input| weights[output * features + input] * inputs[input * samples + sample]);
            terms.sum::<f32>() + biases[output]
        };
        let wrong = row.iter().enumerate().position(|(sample, got)| *got != sum(sample));
        misses.equal(format!("first wrong sample of output {output}"), wrong, None);
    }
    misses.result()
}

/// More than 65,535 workgroups in one dispatch: 4 columns of logits in each, for a batch of 2^20 samples.
pub(crate) fn dispatches_fold(runtime_checks: bool) -> Result<(), String> {
    let (features, classes, samples) = (3, 2, 1 << 20);
    let share = Share::new(16).unwrap();
    assert!(samples / 4 / share.columns() as usize > 65_535, "the test is too small");
    let whole = |width| tanner::topology::Partition::whole(width).unwrap();
    let layer = shapes::layer_of(whole(features), whole(classes), |o, i| o + i < 2);
    let network = shapes::network(vec![layer], Activation::Identity, 1.0);
    // All logits are 0, and all probabilities a half.
    let parameters = shapes::parameters(&network, |_, _| 0.0);
    let options = shapes::options(tanner::tiles::TilePolicy::ALL_SPARSE, runtime_checks);
    let settings = shapes::settings(Optimizer::Sgd, samples);
    let mut engine = shapes::engine(&network, &parameters, settings, &shapes::shared(share, options));
    let data: Arc<Dataset> = shapes::dataset(&network, 97, 50);
    let chosen: Vec<u32> = (0u32..).take(samples).map(|place| (place ^ (place >> 9)) % 97).collect();
    let mut probe = engine.probe();
    probe.load(&data, &chosen).unwrap();
    let step = ProbeStep { samples, step: 0, learning_rate: Some(0.0) };
    probe.run(KernelKind::Gather.of(0), step).unwrap();
    probe.run(KernelKind::SoftmaxCrossEntropy.of(0), step).unwrap();
    let (inputs, deltas) = (probe.read(Buffer::Activations).unwrap(), probe.read(Buffer::Deltas).unwrap());
    let mut misses = Misses::default();
    for feature in 0..features {
        let expected = chosen.iter().map(|sample| data.sample(*sample as usize)[feature]);
        let row = &inputs[feature * samples..][..samples];
        let wrong = row.iter().zip(expected).position(|(got, expected)| *got != expected);
        misses.equal(format!("first wrong sample of feature {feature}"), wrong, None);
    }
    for class in 0..classes {
        let is_label = |sample: &u32| data.labels()[*sample as usize] as usize == class;
        let expected = chosen.iter().map(|sample| (0.5 - f32::from(is_label(sample))) / samples as f32);
        let row = &deltas[(features + class) * samples..][..samples];
        let wrong = row.iter().zip(expected).position(|(got, expected)| *got != expected);
        misses.equal(format!("first wrong delta of class {class}"), wrong, None);
    }
    misses.result()
}
