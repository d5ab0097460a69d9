//! Compares the CPU engine's kernels with the reference, over edge shapes and all instruction sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Instant;

mod common;
#[path = "gpu/oracle.rs"]
#[expect(dead_code, reason = "the GPU tests use the rest")]
mod oracle;

use common::{
    all_penalties, assert_close, coupled_2d, edge_layers, layer, optimizers, penalties, random_data,
    random_parameters, rng, small_network, sum_bound, values,
};
use oracle::{Bounded, Misses, Moved};
use pulp::Arch;
use tanner::dataset::Dataset;
use tanner::engine::cpu::backward_input::backward_input;
use tanner::engine::cpu::backward_weight::{
    CHUNKS_TOGETHER, Strip, backward_weight_dense, backward_weight_sparse,
};
use tanner::engine::cpu::forward::{Epilogue, LayerSlices, Mask, forward};
use tanner::engine::cpu::gather::gather;
use tanner::engine::cpu::penalty::{Connections, Regularisation};
use tanner::engine::cpu::separable_loss::separable_loss;
use tanner::engine::cpu::softmax_cross_entropy::softmax_cross_entropy;
use tanner::engine::cpu::update::ValuesMut;
use tanner::engine::cpu::{Chunk, CpuEngine, LANES, Row, SingleSample, available_instructions};
use tanner::engine::reference::{self, Matrix, ReferenceEngine};
use tanner::engine::{
    Engine, EngineSettings, LossKind, LossRule, MAX_STATES, Optimizer, Penalties, StepPlan, UpdateRule,
    Values,
};
use tanner::network::drop_connect::{ConnectionMask, NO_CONNECTION};
use tanner::network::dropout::DropoutKey;
use tanner::network::{Activation, Layer, LayerParameters, Network, Parameters};
use tanner::tiles::{TilePolicy, TiledLayer};
use tanner::topology::{Grain, Topology};

const POLICIES: [TilePolicy; 3] =
    [TilePolicy::ALL_DENSE, TilePolicy::ALL_SPARSE, TilePolicy::dense_from(0.5).listing_blocks()];
/// Samples whose gradients are summed together on up to four threads.
const GROUP: usize = CHUNKS_TOGETHER * LANES;
const POISON: Row = Row([f32::NAN; LANES]);

fn rows(values: &[f32]) -> Vec<Row> {
    values.as_chunks::<LANES>().0.iter().map(|lanes| Row(*lanes)).collect()
}

fn matrix(rows: &[Row]) -> Matrix {
    Matrix::from_values(LANES, rows.iter().flat_map(|row| row.0).map(f64::from).collect())
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

/// A packed layer with random values.
struct Packed {
    tiled: TiledLayer,
    weights: Vec<f32>,
    biases: Vec<f32>,
    slots: Vec<f32>,
}

impl Packed {
    fn new(topology: &Topology, policy: TilePolicy) -> Self {
        let tiled = TiledLayer::pack(topology, policy);
        let weights = values(&mut rng(2), topology.edges());
        let biases = values(&mut rng(3), topology.outputs().width());
        let slots = tiled.pack_values(&weights);
        Self { tiled, weights, biases, slots }
    }

    /// Each edge's number at the place of its value, for the dense values and for the sparse ones with their biases.
    fn connections(&self, biases: usize) -> [Vec<u32>; 2] {
        let mut dense = vec![NO_CONNECTION; self.slots.len() + biases];
        for (edge, slot) in (0u32..).zip(self.tiled.slot_of_edge()) {
            dense[*slot as usize] = edge;
        }
        let sparse = dense.split_off(self.tiled.dense_slots());
        [dense, sparse]
    }

    /// Updates the values of all dense tiles, tile by tile.
    fn update_dense(
        &self,
        arch: Arch,
        rule: Option<&UpdateRule>,
        regularisation: Option<Regularisation<'_>>,
        chunks: &[Chunk],
        blocks: &[[u32; 3]],
        values: ValuesMut<'_>,
    ) {
        let strips = Strip::all(&self.tiled, 0);
        let parts = values.split(strips.iter().map(Strip::values));
        for (strip, values) in strips.iter().zip(parts) {
            backward_weight_dense(arch, rule, regularisation, chunks, blocks, *strip, values);
        }
    }

    fn slices(&self) -> LayerSlices<'_> {
        let (dense, sparse) = self.slots.split_at(self.tiled.dense_slots());
        LayerSlices { dense, sparse, biases: &self.biases }
    }
}

/// Every edge layer with every policy and instruction set.
fn for_all_cases(mut run: impl FnMut(&str, Arch, &Topology, &Packed)) {
    for (name, topology) in edge_layers() {
        for policy in POLICIES {
            let packed = Packed::new(&topology, policy);
            for arch in available_instructions() {
                run(&format!("{name}, {policy:?}, {arch:?}"), arch, &topology, &packed);
            }
        }
    }
}

fn mask(layer: &Layer, key: DropoutKey) -> Option<Mask> {
    (layer.keep_probability < 1.0).then_some(Mask {
        key,
        keep_probability: layer.keep_probability,
        first_column: 0,
    })
}

#[test]
fn forward_agrees_with_the_reference() {
    for_all_cases(|name, arch, topology, packed| {
        for (activation, keep) in Activation::ALL.into_iter().flat_map(|a| [(a, 1.0), (a, 0.7)]) {
            let layer = layer(topology, activation, keep);
            let key = DropoutKey::new(1, 2, 3);
            let x = rows(&values(&mut rng(4), topology.inputs().width() * LANES));
            let mut y = vec![POISON; topology.outputs().width()];
            let epilogue = Epilogue { activation, dropout: mask(&layer, key) };
            forward(arch, &packed.tiled, packed.slices(), epilogue, &x, &mut y);
            let (weights, biases) = (widen(&packed.weights), widen(&packed.biases));
            let expected = reference::forward::forward(&layer, &weights, &biases, &matrix(&x), Some(key));
            let got: Vec<f32> = y.iter().flat_map(|row| row.0).collect();
            // No activation is steeper than 1; its own error is below 4e-7 of at most 1; dropout scales all.
            let bound = |k: usize| {
                let terms = topology.in_degree(k / LANES) + 1;
                let value = expected.y.values()[k].abs() * f64::from(keep);
                (sum_bound(terms, expected.magnitude.values()[k]) + 4e-7 * value) / f64::from(keep)
            };
            assert_close(&format!("{name}, {activation}, keep {keep}"), &got, expected.y.values(), bound);
        }
    });
}

#[test]
fn backward_input_agrees_with_the_reference() {
    for_all_cases(|name, arch, topology, packed| {
        for (activation, keep) in Activation::ALL.into_iter().flat_map(|a| [(a, 1.0), (a, 0.7)]) {
            let below = layer(topology, activation, keep);
            let (inputs, key) = (topology.inputs().width(), DropoutKey::new(1, 2, 3));
            let delta = rows(&values(&mut rng(5), topology.outputs().width() * LANES));
            // Outputs of the layer below: activations in 0..1, where dropout kept them.
            let mut y = rows(&values(&mut rng(6), inputs * LANES));
            for (unit, row) in y.iter_mut().enumerate() {
                for (column, value) in row.0.iter_mut().enumerate() {
                    let factor = reference::forward::dropout_factor(&below, Some(key), unit, column);
                    *value = if factor > 0.0 { value.abs() / keep } else { 0.0 };
                }
            }
            let mut got = vec![POISON; inputs];
            let epilogue = Epilogue { activation, dropout: mask(&below, key) };
            backward_input(arch, &packed.tiled, packed.slices(), epilogue, &delta, &y, &mut got);
            let back =
                reference::backward_input::backward_input(topology, &widen(&packed.weights), &matrix(&delta));
            let mut expected = back.gradient.clone();
            reference::backward_input::backward_activation(&below, &matrix(&y), Some(key), &mut expected);
            let got: Vec<f32> = got.iter().flat_map(|row| row.0).collect();
            // The slope is at most 1 and takes 4 more roundings of values up to 1.
            let bound = |k: usize| {
                let terms = topology.out_degree(k / LANES) + 6;
                sum_bound(terms, back.magnitude.values()[k]) / f64::from(keep)
            };
            assert_close(&format!("{name}, {activation}, keep {keep}"), &got, expected.values(), bound);
        }
    });
}

/// One layer as in the packed engines: inputs and outputs in the rows of a chunk.
fn layer_chunks(topology: &Topology, chunks: usize, seed: u64) -> Vec<Chunk> {
    let (inputs, outputs) = (topology.inputs().width(), topology.outputs().width());
    let mut rng = rng(seed);
    let mut chunk = |_| {
        let mut chunk = Chunk::new(inputs + outputs);
        chunk.activations[..inputs].copy_from_slice(&rows(&values(&mut rng, inputs * LANES)));
        chunk.activations[inputs..].fill(POISON);
        chunk.deltas[..inputs].fill(POISON);
        chunk.deltas[inputs..inputs + outputs].copy_from_slice(&rows(&values(&mut rng, outputs * LANES)));
        chunk
    };
    (0..chunks).map(&mut chunk).collect()
}

/// Rows `from..` of all chunks side by side.
fn side_by_side(chunks: &[Chunk], rows: std::ops::Range<usize>, of: fn(&Chunk) -> &[Row]) -> Matrix {
    let row = |row: usize| chunks.iter().flat_map(move |chunk| of(chunk)[row].0).map(f64::from);
    Matrix::from_values(chunks.len() * LANES, rows.flat_map(row).collect())
}

#[test]
fn backward_weight_agrees_with_the_reference() {
    for_all_cases(|name, arch, topology, packed| {
        for chunks in [1, 3] {
            let (inputs, outputs) = (topology.inputs().width(), topology.outputs().width());
            let chunks = layer_chunks(topology, chunks, 7);
            let x = side_by_side(&chunks, 0..inputs, |chunk| &chunk.activations);
            let delta = side_by_side(&chunks, inputs..inputs + outputs, |chunk| &chunk.deltas);
            let expected = reference::backward_weight::backward_weight(topology, &x, &delta);
            // Learning rate 1 and values of 0: the result is minus the gradient.
            let rule = Optimizer::Sgd.rule(1.0, 0, 0.0);
            let (blocks, sparse_rows) = row_tables(packed);
            let mut dense = vec![0.0; packed.tiled.dense_slots()];
            let mut sparse = vec![0.0; sparse_rows.len()];
            let edges = packed.tiled.sparse().input.len();
            let (dense_mut, sparse_mut) = (no_state(&mut dense), no_state(&mut sparse));
            packed.update_dense(arch, Some(&rule), None, &chunks, &blocks, dense_mut);
            backward_weight_sparse(arch, Some(&rule), None, &chunks, &sparse_rows, edges, sparse_mut);
            let slots: Vec<f32> = dense.iter().chain(&sparse[..edges]).map(|value| -value).collect();
            let terms = chunks.len() * LANES;
            let name = format!("{name}, {terms} samples");
            let bound = |k: usize| sum_bound(terms, expected.weight_magnitudes[k]);
            assert_close(&name, &packed.tiled.unpack_values(&slots), &expected.weights, bound);
            let biases: Vec<f32> = sparse[edges..].iter().map(|value| -value).collect();
            assert_close(&name, &biases, &expected.biases, |k| sum_bound(terms, expected.bias_magnitudes[k]));
            let kept: usize = slots.iter().filter(|value| **value != 0.0).count();
            assert!(kept <= topology.edges(), "{name}: padding must stay 0");
        }
    });
}

/// One step of every optimiser with every penalty, weight by weight, as the first layer of a network and as another one.
#[test]
fn penalties_reach_every_weight() {
    let mut misses = Misses::default();
    for_all_cases(|name, arch, topology, packed| {
        let chunks = layer_chunks(topology, 2, 7);
        for optimizer in optimizers() {
            for (kind, penalties) in penalties() {
                for (layer, mask) in [(0, None), (1, None), (0, Some(ConnectionMask::new(1, 2, 0.25)))] {
                    let step =
                        Step { arch, topology, packed, chunks: &chunks, optimizer, penalties, layer, mask };
                    let mask = if mask.is_some() { "masked" } else { "whole" };
                    step.check(&format!("{name}, {optimizer}, {kind}, {mask} layer {layer}"), &mut misses);
                }
            }
        }
    });
    misses.result().unwrap();
}

/// Compares five steps of every optimiser along exactly known gradients with the published formulas.
#[test]
fn every_optimizer_follows_its_formula_from_step_to_step() {
    let mut misses = Misses::default();
    for_all_cases(|name, arch, topology, packed| {
        for optimizer in optimizers() {
            several_steps(&format!("{name}, {optimizer}"), optimizer, (arch, topology, packed), &mut misses);
        }
    });
    misses.result().unwrap();
}

fn several_steps(
    name: &str,
    optimizer: Optimizer,
    (arch, topology, packed): (Arch, &Topology, &Packed),
    misses: &mut Misses,
) {
    let (inputs, outputs) = (topology.inputs().width(), topology.outputs().width());
    let (blocks, sparse_rows) = row_tables(packed);
    let edges = packed.tiled.sparse().input.len();
    let mut dense = packed.slots.clone();
    let mut sparse = dense.split_off(packed.tiled.dense_slots());
    sparse.extend(&packed.biases);
    let mut dense_state = [(); MAX_STATES].map(|()| vec![0.0; dense.len()]);
    let mut sparse_state = [(); MAX_STATES].map(|()| vec![0.0; sparse.len()]);
    let start = |values: &[f32]| -> Vec<Moved> {
        values.iter().map(|value| Moved::from_exact(*value, [0.0; MAX_STATES])).collect()
    };
    let (mut weights, mut biases) = (start(&packed.weights), start(&packed.biases));
    for number in 0..5 {
        // One sample with inputs of 1: the gradient of a weight is the delta of its output.
        let mut chunk = Chunk::new(inputs + outputs);
        chunk.activations[..inputs].iter_mut().for_each(|row| row.0[0] = 1.0);
        let deltas = values(&mut rng(40 + number), outputs);
        chunk.deltas[inputs..].iter_mut().zip(&deltas).for_each(|(row, delta)| row.0[0] = *delta);
        let step = oracle::Step { optimizer, learning_rate: 0.125, number, l2: 0.25 };
        let rule = optimizer.rule(step.learning_rate, step.number, step.l2);
        let dense_mut = with_state(&mut dense, &mut dense_state);
        packed.update_dense(arch, Some(&rule), None, std::slice::from_ref(&chunk), &blocks, dense_mut);
        let sparse_mut = with_state(&mut sparse, &mut sparse_state);
        backward_weight_sparse(arch, Some(&rule), None, &[chunk], &sparse_rows, edges, sparse_mut);
        let slots: Vec<f32> = dense.iter().chain(&sparse[..edges]).copied().collect();
        let now = packed.tiled.unpack_values(&slots);
        for (edge, (output, input)) in topology.edge_ends().enumerate() {
            weights[edge] = oracle::moved(step, &weights[edge], Bounded::exact(f64::from(deltas[output])));
            misses.near(
                format!("{name}, step {number}, edge {output}-{input}"),
                now[edge],
                weights[edge].value,
            );
        }
        for (output, bias) in biases.iter_mut().enumerate() {
            let step = oracle::Step { l2: 0.0, ..step };
            *bias = oracle::moved(step, bias, Bounded::exact(f64::from(deltas[output])));
            misses.near(format!("{name}, step {number}, bias {output}"), sparse[edges + output], bias.value);
        }
    }
}

/// The optimiser state before a step: a mean and a mean square.
const STATE: [f32; MAX_STATES] = [0.25, 0.5];

/// An update of one layer, whose inputs are those of the network if it is layer 0.
struct Step<'a> {
    arch: Arch,
    topology: &'a Topology,
    packed: &'a Packed,
    chunks: &'a [Chunk],
    optimizer: Optimizer,
    penalties: Penalties,
    layer: usize,
    mask: Option<ConnectionMask>,
}

impl Step<'_> {
    fn check(&self, name: &str, misses: &mut Misses) {
        let Self { arch, topology, packed, chunks, optimizer, penalties, layer, mask } = *self;
        let (inputs, outputs) = (topology.inputs().width(), topology.outputs().width());
        let of_weights = oracle::Step { optimizer, learning_rate: 0.5, number: 3, l2: penalties.l2 };
        let rule = optimizer.rule(of_weights.learning_rate, of_weights.number, of_weights.l2);
        let (blocks, sparse_rows) = row_tables(packed);
        let edges = packed.tiled.sparse().input.len();
        let strength = if layer == 0 { penalties.group_lasso } else { 0.0 };
        let factor = |input| oracle::group_factor(topology, &packed.weights, strength, input);
        let factors: Vec<Bounded> = (0..inputs).map(factor).collect();
        #[expect(clippy::cast_possible_truncation, reason = "rounding to float32 is meant")]
        let group_factors: Vec<f32> = factors.iter().map(|factor| factor.value as f32).collect();
        let numbers = packed.connections(sparse_rows.len() - edges);
        let regularisation = |numbers| Regularisation {
            penalties: penalties.rule(),
            inputs: if layer == 0 { inputs } else { 0 },
            group_factors: if strength > 0.0 { &group_factors } else { &[] },
            connections: mask.map(|mask| Connections { mask, numbers }),
        };
        let some = penalties.rule().on != 0 || mask.is_some();
        let [dense_part, sparse_part] = numbers.each_ref().map(|of| some.then(|| regularisation(of)));
        let (mut dense, mut sparse) = (packed.slots.clone(), vec![0.0; sparse_rows.len()]);
        sparse[..edges].copy_from_slice(&dense.split_off(packed.tiled.dense_slots()));
        sparse[edges..].copy_from_slice(&packed.biases);
        let old = STATE.map(|value| [vec![value; dense.len()], vec![value; sparse.len()]]);
        let [mut dense_state, mut sparse_state] =
            [0, 1].map(|part| old.each_ref().map(|of| of[part].clone()));
        let values = with_state(&mut dense, &mut dense_state);
        packed.update_dense(arch, Some(&rule), dense_part, chunks, &blocks, values);
        let values = with_state(&mut sparse, &mut sparse_state);
        backward_weight_sparse(arch, Some(&rule), sparse_part, chunks, &sparse_rows, edges, values);
        let slots: Vec<f32> = dense.iter().chain(&sparse[..edges]).copied().collect();
        let now = packed.tiled.unpack_values(&slots);
        let x = side_by_side(chunks, 0..inputs, |chunk| &chunk.activations);
        let delta = side_by_side(chunks, inputs..inputs + outputs, |chunk| &chunk.deltas);
        for (edge, (output, input)) in topology.edge_ends().enumerate() {
            let w = packed.weights[edge];
            let products = x.row(input).iter().zip(delta.row(output)).map(|(x, delta)| x * delta);
            let kept = mask.map_or(1.0, |mask| f64::from(mask.factor(u32::try_from(edge).unwrap())));
            let gradient = Bounded::sum(products).scaled(kept);
            let gradient = gradient.plus(oracle::penalty_gradient(&penalties, layer, w));
            let gradient = gradient.plus(factors[input].scaled(f64::from(w)));
            let expected = oracle::moved(of_weights, &Moved::from_exact(w, STATE), gradient);
            misses.near(format!("{name}, edge {output}-{input}"), now[edge], expected.value);
        }
        for (output, bias) in packed.biases.iter().enumerate() {
            let gradient = Bounded::sum(delta.row(output).iter().copied());
            let of_biases = oracle::Step { l2: 0.0, ..of_weights };
            let expected = oracle::moved(of_biases, &Moved::from_exact(*bias, STATE), gradient);
            misses.near(format!("{name}, bias {output}"), sparse[edges + output], expected.value);
        }
    }
}

/// The row tables of one layer whose inputs are in the first rows.
fn row_tables(packed: &Packed) -> (Vec<[u32; 3]>, Vec<[u32; 2]>) {
    let outputs = u32::try_from(packed.tiled.inputs().width()).unwrap();
    let blocks = packed.tiled.micro_blocks().iter();
    let blocks = blocks.map(|b| [b.output + outputs, b.input, u32::from(b.mask)]).collect();
    let lists = packed.tiled.sparse();
    let mut rows = Vec::new();
    for (output, bounds) in (outputs..).zip(lists.row_start.windows(2)) {
        rows.extend(lists.input[bounds[0] as usize..bounds[1] as usize].iter().map(|input| [output, *input]));
    }
    rows.extend((outputs..).take(packed.tiled.outputs().width()).map(|output| [output, 0]));
    (blocks, rows)
}

fn no_state(values: &mut [f32]) -> ValuesMut<'_> {
    ValuesMut { values, state: Default::default(), sums: &mut [] }
}

fn with_state<'a>(values: &'a mut [f32], state: &'a mut [Vec<f32>; MAX_STATES]) -> ValuesMut<'a> {
    ValuesMut { values, state: state.each_mut().map(Vec::as_mut_slice), sums: &mut [] }
}

/// Single layers of all edge shapes, then a network whose layers follow one another.
#[test]
fn a_single_sample_agrees_with_the_reference() {
    for arch in available_instructions() {
        // A network has two classes at least.
        let layers = edge_layers().into_iter().filter(|(_, topology)| topology.outputs().width() > 1);
        for (name, topology) in layers {
            let network = Network::new(vec![layer(&topology, Activation::Identity, 1.0)]).unwrap();
            check_single_sample(&format!("{name}, {arch:?}"), &network, arch);
        }
        for activation in Activation::ALL {
            let network = small_network(activation, 0.8);
            check_single_sample(&format!("small, {activation}, {arch:?}"), &network, arch);
        }
        check_single_sample(&format!("large, {arch:?}"), &large_network(), arch);
        check_single_sample(&format!("micro-blocks, {arch:?}"), &network_of_micro_blocks(), arch);
    }
}

fn check_single_sample(name: &str, network: &Network, arch: Arch) {
    let parameters = random_parameters(network, 4);
    let as_f64 = |layer: &LayerParameters| reference::LayerValues {
        weights: widen(&layer.weights),
        biases: widen(&layer.biases),
    };
    let wide: Vec<_> = parameters.layers.iter().map(as_f64).collect();
    let mut forward = SingleSample::with_instructions(network, &parameters, arch).unwrap();
    // The second sample would reveal leftovers of the first.
    for seed in [5, 6] {
        let features = values(&mut rng(seed), network.inputs());
        let got = forward.logits(&features).unwrap().to_vec();
        let x = Matrix::from_values(1, widen(&features));
        let layers = reference::run_forward(network, &wide, &x, None);
        let last = layers.last().unwrap();
        // Rounding errors of earlier layers are not amplified by activations, and pass through fewer than 100 weights below 1.
        let earlier = if layers.len() > 1 { 2e-5 } else { 0.0 };
        let bound = |k: usize| sum_bound(network.inputs() + 1, last.magnitude.values()[k]) + earlier;
        assert_close(name, &got, last.y.values(), bound);
    }
    let refused = forward.logits(&vec![0.0; network.inputs() + 1]).unwrap_err().to_string();
    assert!(refused.contains("features, but the network takes"), "{name}: {refused}");
}

/// Small whole numbers are exact in float32, so any wrong index shows.
#[test]
fn whole_numbers_come_out_exactly() {
    for_all_cases(|name, arch, topology, packed| {
        let whole = |count: usize| (0..count).map(|k| ((k * 7 + 3) % 11) as f32 - 5.0).collect::<Vec<f32>>();
        let weights = whole(topology.edges());
        let biases = whole(topology.outputs().width());
        let packed = Packed {
            slots: packed.tiled.pack_values(&weights),
            tiled: packed.tiled.clone(),
            weights,
            biases,
        };
        let x = rows(&whole(topology.inputs().width() * LANES));
        let mut y = vec![POISON; topology.outputs().width()];
        let epilogue = Epilogue { activation: Activation::Identity, dropout: None };
        forward(arch, &packed.tiled, packed.slices(), epilogue, &x, &mut y);
        let layer = layer(topology, Activation::Identity, 1.0);
        let (weights, biases) = (widen(&packed.weights), widen(&packed.biases));
        let expected = reference::forward::forward(&layer, &weights, &biases, &matrix(&x), None);
        assert_eq!(matrix(&y), expected.y, "{name}");
    });
}

#[test]
fn the_loss_agrees_with_the_reference() {
    for arch in available_instructions() {
        for (classes, samples, scale, smoothing) in [
            (2, 1, 1.0, 0.0),
            (10, LANES, 1.0, 0.0),
            (10, LANES - 1, 30.0, 0.0),
            (3, 5, 200.0, 0.0),
            (10, LANES - 1, 1.0, 0.1),
            (3, 5, 200.0, 0.75),
        ] {
            let mut logits = values(&mut rng(8), classes * LANES);
            logits.iter_mut().for_each(|value| *value *= scale);
            let labels: Vec<u32> =
                (0u32..).map(|k| k * 3 % u32::try_from(classes).unwrap()).take(samples).collect();
            let (logits, mut delta) = (rows(&logits), vec![POISON; classes]);
            let weights = weights_of(samples);
            let scale_of_batch = 1.0 / samples as f32;
            let got = softmax_cross_entropy(
                arch,
                &logits,
                (&labels, &weights),
                smoothing,
                scale_of_batch,
                &mut delta,
            );
            let used = |row: &Row| row.0[..samples].to_vec();
            let narrow = Matrix::from_values(samples, logits.iter().flat_map(used).map(f64::from).collect());
            let smoothing = f64::from(smoothing);
            let expected = reference::softmax_cross_entropy::softmax_cross_entropy(
                &narrow,
                (&labels, &widened(&weights)),
                smoothing,
            );
            assert_eq!(got.correct, expected.correct);
            let tolerance = 1e-6 * (f64::from(scale) + samples as f64);
            assert!((got.sum - expected.sum).abs() <= tolerance, "{} against {}", got.sum, expected.sum);
            let deltas: Vec<f32> = delta.iter().flat_map(used).collect();
            assert_close("delta", &deltas, expected.delta.values(), |_| {
                1e-6 * f64::from(scale) / samples as f64
            });
            assert!(
                delta.iter().all(|row| row.0[samples..].iter().all(|value| *value == 0.0)),
                "padding lanes"
            );
        }
    }
}

/// Weights from 0.5 to 2; of one sample 1.
fn weights_of(samples: usize) -> Vec<f32> {
    (0..samples).map(|k| [1.0, 0.5, 2.0, 1.25][k % 4]).collect()
}

fn widened(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// Outputs on both sides of each kink and far from 0, one target and several, padding lanes.
#[test]
fn separable_losses_agree_with_the_reference() {
    let rules = LossKind::ALL.map(LossRule::of).into_iter().filter(|rule| !rule.is_of_classes());
    let rules: Vec<_> = rules.chain([LossRule { kind: LossKind::Huber, delta: 0.125 }]).collect();
    for arch in available_instructions() {
        for rule in &rules {
            for (outputs, samples, scale) in [(1, 1, 1.0), (1, LANES, 3.0), (5, LANES - 1, 1.0), (3, 5, 40.0)]
            {
                let mut numbers = values(&mut rng(8), outputs * LANES);
                numbers.iter_mut().for_each(|value| *value *= scale);
                let of_label = |value: f32| f32::from(u8::from(value > 0.0));
                let targets: Vec<f32> = values(&mut rng(9), outputs * samples);
                let is_label = rule.kind == LossKind::BinaryCrossEntropy;
                let targets: Vec<f32> =
                    targets.into_iter().map(|value| if is_label { of_label(value) } else { value }).collect();
                let by_sample: Vec<&[f32]> = targets.chunks(outputs).collect();
                let (logits, mut delta) = (rows(&numbers), vec![POISON; outputs]);
                let weights = weights_of(samples);
                let of_batch = 1.0 / samples as f32;
                let got = separable_loss(arch, &logits, (&by_sample, &weights), *rule, of_batch, &mut delta);
                let used = |row: &Row| row.0[..samples].to_vec();
                let narrow =
                    Matrix::from_values(samples, logits.iter().flat_map(used).map(f64::from).collect());
                let mut wanted = Matrix::zeros(outputs, samples);
                for (k, target) in targets.iter().enumerate() {
                    wanted.row_mut(k % outputs)[k / outputs] = f64::from(*target);
                }
                let weights = widened(&weights);
                let expected = reference::separable_loss::separable_loss(&narrow, &wanted, &weights, *rule);
                let name = format!("{rule}, {outputs} outputs of {samples} samples");
                assert_eq!(got.correct, expected.correct, "{name}");
                // Each value has a few roundings; the largest is the square of the largest error.
                let largest = f64::from(scale) + 1.0;
                let bound = 16.0 * f64::from(f32::EPSILON) * largest * largest * samples as f64;
                assert!((got.sum - expected.sum).abs() <= bound, "{name}: {} and {}", got.sum, expected.sum);
                let (errors, truth) = (got.errors, expected.errors);
                assert!((errors.squared - truth.squared).abs() <= bound, "{name}");
                assert!((errors.absolute - truth.absolute).abs() <= bound, "{name}");
                let deltas: Vec<f32> = delta.iter().flat_map(used).collect();
                assert_close(&name, &deltas, expected.delta.values(), |_| {
                    16.0 * f64::from(f32::EPSILON) * largest / samples as f64
                });
                let padding = |row: &Row| row.0[samples..].iter().all(|value| *value == 0.0);
                assert!(delta.iter().all(padding), "{name}: padding lanes");
            }
        }
    }
}

#[test]
fn equal_logits_count_for_the_first_class() {
    let logits = vec![Row::ZERO; 3];
    let mut delta = vec![POISON; 3];
    let loss = softmax_cross_entropy(Arch::new(), &logits, (&[0, 1, 2, 0], &[1.0; 4]), 0.0, 0.25, &mut delta);
    assert_eq!(loss.correct, 2);
    assert!((loss.sum - 4.0 * 3f64.ln()).abs() < 1e-6);
}

#[test]
fn gather_moves_samples_into_lanes() {
    for features in [1, 63, 64, 65, 130] {
        let numbers = (0..5 * features).map(|k| k as f32).collect();
        let data = Dataset::new(numbers, features, vec![0, 1, 0, 1, 0], 2).unwrap();
        for samples in [&[3u32][..], &[4, 0, 4], &[0, 1, 2, 3, 4]] {
            let mut x = vec![POISON; features];
            gather(&data, samples, &mut x);
            for (feature, row) in x.iter().enumerate() {
                for (lane, value) in row.0.iter().enumerate() {
                    let expected =
                        samples.get(lane).map_or(0.0, |s| (*s as usize * features + feature) as f32);
                    assert_eq!(*value, expected, "feature {feature}, lane {lane}");
                }
            }
        }
    }
}

fn settings(optimizer: Optimizer, batch_size: usize) -> EngineSettings {
    EngineSettings { penalties: Penalties::l2(0.01), ..EngineSettings::new(optimizer, batch_size, 77) }
}

fn flat(parameters: &Parameters) -> Vec<f32> {
    let values = |layer: &LayerParameters| [layer.weights.clone(), layer.biases.clone()].concat();
    parameters.layers.iter().flat_map(values).collect()
}

/// Trains both engines for a few steps and compares losses, hits, parameters and evaluation.
fn compare_training(network: &Network, settings: EngineSettings, policy: TilePolicy, name: &str) {
    let data = random_data(2 * settings.batch_size + settings.batch_size.div_ceil(2), 10, 4, 21);
    let parameters = random_parameters(network, 22);
    let mut expected = ReferenceEngine::new(network, &parameters, settings).unwrap();
    let mut engine = CpuEngine::with_tiles(network, &parameters, settings, Some(2), policy).unwrap();
    let order: Vec<u32> = (0..u32::try_from(data.samples()).unwrap()).rev().collect();
    let plan = StepPlan { samples: &order, learning_rate: 0.05, first_step: 5 };
    let (got, wanted) = (engine.train(&data, &plan).unwrap(), expected.train(&data, &plan).unwrap());
    assert_eq!(got.len(), 3, "{name}: two whole batches and a part");
    for (step, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
        assert!(
            (got.loss - wanted.loss).abs() < 1e-5,
            "{name}, step {step}: {} against {}",
            got.loss,
            wanted.loss
        );
        assert_eq!((got.samples, got.correct), (wanted.samples, wanted.correct), "{name}, step {step}");
    }
    let wanted = widen(&flat(&expected.parameters().unwrap()));
    assert_close(name, &flat(&engine.parameters().unwrap()), &wanted, |_| 2e-5);
    let (got, wanted) = (engine.evaluate(&data).unwrap(), expected.evaluate(&data).unwrap());
    assert!((got.loss - wanted.loss).abs() < 1e-5, "{name}: {} against {}", got.loss, wanted.loss);
    assert_eq!((got.correct, got.samples), (wanted.correct, wanted.samples));
}

/// As many values as several tasks of an update have.
fn large_network() -> Network {
    let widths = [10, 60, 50, 4];
    let layers = widths.windows(2).map(|pair| {
        let topology = tanner::topology::fully_connected(pair[0], pair[1]).unwrap();
        let activation = if pair[1] == 4 { Activation::Identity } else { Activation::Sigmoid };
        layer(&topology, activation, 1.0)
    });
    Network::new(layers.collect()).unwrap()
}

/// Two layers of whole micro-blocks between two fully connected ones.
fn network_of_micro_blocks() -> Network {
    let topologies = [
        tanner::topology::fully_connected(10, 16).unwrap(),
        coupled_2d("4x4", "6x4", 8, Grain::MicroBlocks),
        coupled_2d("6x4", "4x4x2", 12, Grain::MicroBlocks),
        tanner::topology::fully_connected(32, 4).unwrap(),
    ];
    let layers = topologies.iter().map(|topology| {
        let activation =
            if topology.outputs().width() == 4 { Activation::Identity } else { Activation::Tanh };
        layer(topology, activation, 1.0)
    });
    Network::new(layers.collect()).unwrap()
}

#[test]
fn training_agrees_with_the_reference() {
    for optimizer in optimizers() {
        for (activation, keep) in Activation::ALL.into_iter().flat_map(|a| [(a, 1.0), (a, 0.8)]) {
            let network = small_network(activation, keep);
            for policy in POLICIES {
                let name = format!("{optimizer}, {activation}, keep {keep}, {policy:?}");
                compare_training(&network, settings(optimizer, 40), policy, &name);
            }
        }
    }
    for optimizer in optimizers() {
        let everything = EngineSettings {
            penalties: all_penalties(),
            label_smoothing: 0.1,
            drop_connect: 0.3,
            ..settings(optimizer, 40)
        };
        let connections = EngineSettings { drop_connect: 0.5, ..EngineSettings::new(optimizer, 40, 3) };
        let networks = [
            ("small", small_network(Activation::Tanh, 0.8)),
            ("large", large_network()),
            ("micro-blocks", network_of_micro_blocks()),
        ];
        for (size, network) in networks {
            for policy in POLICIES {
                let name = format!("{size}, {optimizer}, {policy:?}");
                compare_training(&network, everything, policy, &format!("{name}, everything at once"));
                compare_training(&network, connections, policy, &format!("{name}, DropConnect"));
            }
        }
    }
    for batch_size in [1, 2, LANES - 1, LANES, LANES + 1, 3 * LANES, GROUP, GROUP + 1, 2 * GROUP + 40] {
        let network = small_network(Activation::Sigmoid, 0.8);
        let settings = settings(Optimizer::ADAM, batch_size);
        compare_training(&network, settings, POLICIES[2], &format!("batch {batch_size}"));
    }
}

#[test]
fn results_repeat_bit_by_bit_on_any_number_of_threads() {
    let network = small_network(Activation::Tanh, 0.8);
    // Batches of one group of chunks, and of several, which are larger with five threads.
    for batch_size in [70, 3 * GROUP + 70] {
        let samples = 2 * batch_size + 10;
        let (data, parameters) = (random_data(samples, 10, 4, 31), random_parameters(&network, 32));
        let run = |threads: usize| {
            let settings = settings(Optimizer::ADAM, batch_size);
            let mut engine = CpuEngine::new(&network, &parameters, settings, Some(threads)).unwrap();
            let order: Vec<u32> = (0u32..).take(samples).collect();
            let plan = StepPlan { samples: &order, learning_rate: 0.01, first_step: 0 };
            let outcomes = engine.train(&data, &plan).unwrap();
            let evaluation = engine.evaluate(&data).unwrap();
            let losses: Vec<u64> = outcomes.iter().map(|outcome| outcome.loss.to_bits()).collect();
            let correct: Vec<u32> = outcomes.iter().map(|outcome| outcome.correct).collect();
            let parameters: Vec<u32> =
                flat(&engine.parameters().unwrap()).iter().map(|value| value.to_bits()).collect();
            (losses, correct, evaluation.loss.to_bits(), evaluation.correct, parameters)
        };
        let first = run(1);
        assert_eq!(first, run(1));
        assert_eq!(first, run(2));
        assert_eq!(first, run(5));
    }
}

/// Adam's moments of an input that is rarely there halve until they are denormal, and would then slow every step down.
#[test]
fn no_step_leaves_denormal_numbers_behind() {
    let network = small_network(Activation::Relu, 1.0);
    let batch = 2 * GROUP;
    let features: Vec<f32> =
        (0..20 * batch).map(|k| if k < 10 * batch { 0.5 + (k % 7) as f32 } else { 0.0 }).collect();
    let labels = (0u32..).take(2 * batch).map(|k| k % 4).collect();
    let data = Arc::new(Dataset::new(features, 10, labels, 4).unwrap());
    let settings = EngineSettings::new(Optimizer::ADAM, batch, 77);
    let mut engine = CpuEngine::new(&network, &random_parameters(&network, 3), settings, Some(3)).unwrap();
    let there: Vec<u32> = (0u32..).take(batch).collect();
    // Then no input is there. 0.9^1000 is 1e-46, which float32 cannot hold.
    let gone: Vec<u32> = (0u32..).skip(batch).take(batch).collect();
    let samples = [there, gone.repeat(1200)].concat();
    engine.train(&data, &StepPlan { samples: &samples, learning_rate: 1e-3, first_step: 0 }).unwrap();
    let state = engine.state().unwrap();
    for values in &state.optimizer {
        let Values::Single(values) = values else { panic!("the CPU engine computes in float32") };
        assert!(values.contains(&0.0) && !values.iter().any(|value| value.is_subnormal()));
    }
}

/// Whenever the flag becomes true, only complete steps have run, and later steps have the bits of a run without it.
#[test]
fn a_step_that_is_stopped_changes_nothing() {
    let network = large_network();
    let parameters = random_parameters(&network, 3);
    // Two groups to a step: the gradients of the first exist when the second is stopped.
    let settings = settings(Optimizer::ADAM, 2 * GROUP);
    let data = Arc::new(random_data(8 * GROUP, 10, 4, 5));
    let samples: Vec<u32> = (0u32..).take(data.samples()).collect();
    let steps = samples.len() / settings.batch_size;
    let new = || CpuEngine::new(&network, &parameters, settings, Some(2)).unwrap();
    let plan = |from: usize| StepPlan {
        samples: &samples[from * settings.batch_size..],
        learning_rate: 0.1,
        first_step: from as u64,
    };
    let mut whole = new();
    let begin = Instant::now();
    let outcomes = whole.train(&data, &plan(0)).unwrap();
    let (expected, time) = (whole.state().unwrap(), begin.elapsed());
    let mut abandoned = 0;
    for part in 0..12 {
        let (mut engine, stop) = (new(), AtomicBool::new(part == 0));
        let mut made = std::thread::scope(|scope| {
            scope.spawn(|| {
                sleep(time * part / 12);
                stop.store(true, Ordering::Relaxed);
            });
            engine.train_unless(&data, &plan(0), &stop).unwrap()
        });
        abandoned += usize::from(made.len() < steps);
        if made.len() < steps {
            made.extend(engine.train(&data, &plan(made.len())).unwrap());
        }
        assert!(engine.evaluate_unless(&data, &stop).unwrap().is_none());
        assert_eq!((&made, engine.state().unwrap()), (&outcomes, expected.clone()), "stopped at {part}/12");
    }
    assert!(abandoned > 0);
}

#[test]
fn impossible_settings_and_data_are_refused() {
    let network = small_network(Activation::Relu, 1.0);
    let parameters = random_parameters(&network, 1);
    let new = |settings, threads| CpuEngine::new(&network, &parameters, settings, threads).map(|_| ());
    let good = settings(Optimizer::Sgd, 8);
    let refused = |settings: EngineSettings, threads, reason: &str| {
        let message = new(settings, threads).unwrap_err().to_string();
        assert!(message.contains(reason), "{message:?} should say {reason:?}");
    };
    refused(EngineSettings { batch_size: 0, ..good }, None, "batch-size: 0 is invalid");
    refused(EngineSettings { penalties: Penalties::l2(f32::NAN), ..good }, None, "l2");
    refused(EngineSettings { penalties: Penalties::l2(-1.0), ..good }, None, "l2");
    refused(EngineSettings { drop_connect: -0.5, ..good }, None, "dropconnect: -0.5 is invalid");
    refused(EngineSettings { label_smoothing: 1.0, ..good }, None, "label-smoothing: 1 is invalid");
    refused(good, Some(0), "threads: 0 is invalid");
    let momentum = Optimizer::Momentum { momentum: 1.0, nesterov: false };
    refused(EngineSettings { optimizer: momentum, ..good }, None, "momentum: 1 is invalid");
    let mut engine = CpuEngine::new(&network, &parameters, good, None).unwrap();
    assert!(engine.evaluate(&random_data(5, 9, 4, 0)).is_err(), "too few features");
    assert!(engine.evaluate(&random_data(5, 10, 5, 0)).is_err(), "too many classes");
    let data = random_data(5, 10, 4, 0);
    let train = |engine: &mut CpuEngine, samples: &[u32], learning_rate| {
        engine.train(&data, &StepPlan { samples, learning_rate, first_step: 0 })
    };
    assert!(train(&mut engine, &[5], 0.1).is_err(), "no such sample");
    assert!(train(&mut engine, &[0], f64::NAN).is_err());
    assert!(train(&mut engine, &[], 0.1).unwrap().is_empty());
    let mut short = parameters.clone();
    short.layers[1].weights.pop();
    assert!(engine.set_parameters(&short).is_err());
}
