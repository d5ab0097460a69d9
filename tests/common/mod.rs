//! Code shared by test files: comparison with bounds, edge shapes, small networks and data.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file compiles this module for itself and uses a part of it"
)]

pub mod golden;
pub mod moves;
pub mod pictures;

use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tanner::dataset::Dataset;
use tanner::engine::{Optimizer, OptimizerKind, OptimizerOptions, Penalties};
use tanner::network::{Activation, Layer, LayerParameters, Network, Parameters};
use tanner::random::{Purpose, generator};
use tanner::topology::{
    Coupled2d, Falloff, Grain, Grid, Partition, SpatiallyCoupled, Topology, fully_connected,
};

/// Fails unless every value is within its bound; lists the first failures. NaN is never within a bound.
pub fn assert_close(what: &str, got: &[f32], expected: &[f64], bound: impl Fn(usize) -> f64) {
    assert_eq!(got.len(), expected.len(), "{what}: number of values");
    let outside = |k: &usize| {
        let error = (f64::from(got[*k]) - expected[*k]).abs();
        !(error <= bound(*k))
    };
    let failures: Vec<usize> = (0..got.len()).filter(outside).collect();
    let line =
        |k: &usize| format!("  [{k}] got {}, expected {}, bound {:e}\n", got[*k], expected[*k], bound(*k));
    let lines: String = failures.iter().take(10).map(line).collect();
    assert!(
        failures.is_empty(),
        "{what}: {} of {} values outside their bounds\n{lines}",
        failures.len(),
        got.len()
    );
}

/// Bound of a float32 sum of `terms` products whose absolute values sum to `magnitude`.
pub fn sum_bound(terms: usize, magnitude: f64) -> f64 {
    (terms as f64 + 2.0) * f64::from(f32::EPSILON) * magnitude
}

/// Every optimiser; an epsilon is so large that the rounding of a small mean square does not grow by the division.
pub fn optimizers() -> impl Iterator<Item = Optimizer> {
    OptimizerKind::ALL.into_iter().map(|kind| {
        let epsilon = kind.usual().options().epsilon.map(|_| 1e-3);
        let options = OptimizerOptions { epsilon, ..OptimizerOptions::default() };
        Optimizer::from_options(kind, &options).expect("options of this kind")
    })
}

/// A generator for test values.
pub fn rng(seed: u64) -> ChaCha8Rng {
    generator(seed, Purpose::Permutation(u32::MAX))
}

/// Values in -1..1.
pub fn values(rng: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

pub fn coupled(inputs: usize, outputs: usize, blocks: usize, field: usize, degrees: &[usize]) -> Topology {
    let degrees = degrees.to_vec();
    let request = SpatiallyCoupled { inputs, outputs, blocks, receptive_field: field, degrees };
    request.build(&mut generator(1, Purpose::Topology(0))).expect("a possible layer")
}

/// A layer of one block a side with each input's outputs.
pub fn from_edges(inputs: usize, outputs: usize, targets: &[Vec<u32>]) -> Topology {
    let (inputs, outputs) = (Partition::whole(inputs).unwrap(), Partition::whole(outputs).unwrap());
    Topology::from_targets(inputs, outputs, targets).expect("a possible layer")
}

/// Layers at the edges of what kernels handle, each with its name.
pub fn edge_layers() -> Vec<(&'static str, Topology)> {
    let mut hollow: Vec<Vec<u32>> = vec![vec![1, 2, 4, 5, 8]; 9];
    hollow[4].clear();
    hollow[8].clear();
    vec![
        ("one edge", from_edges(1, 1, &[vec![0]])),
        ("one tile", fully_connected(4, 4).unwrap()),
        ("one row", fully_connected(13, 1).unwrap()),
        ("one column", fully_connected(1, 13).unwrap()),
        ("ragged tile", fully_connected(7, 9).unwrap()),
        ("last block smaller", coupled(11, 10, 4, 2, &[2, 3, 2, 1])),
        ("even blocks", coupled(32, 32, 4, 2, &[8, 10, 5, 1])),
        ("empty rows and columns", from_edges(9, 10, &hollow)),
        ("a block without edges", coupled(20, 20, 4, 1, &[5, 2, 0, 1])),
        ("band as wide as the matrix", coupled(18, 15, 3, 3, &[4, 6, 9])),
        ("wide to narrow", coupled(45, 6, 3, 2, &[2, 3, 1])),
        ("narrow to wide", coupled(5, 61, 5, 2, &[11, 20, 3, 7, 1])),
        ("micro-blocks in 2-D", coupled_2d("8x6", "6x4x2", 12, Grain::MicroBlocks)),
        ("edges in 2-D", coupled_2d("5x4", "3x3", 7, Grain::Edges)),
        ("micro-blocks in several blocks", blocks_of_quads()),
    ]
}

/// A layer that is coupled in two dimensions.
pub fn coupled_2d(inputs: &str, outputs: &str, fan_in: u32, grain: Grain) -> Topology {
    let fan_in = f64::from(fan_in);
    let [inputs, outputs]: [Grid; 2] = [inputs, outputs].map(|text| text.parse().unwrap());
    let (picture, importance) = ([inputs.rows, inputs.columns], Vec::new());
    let layer = Coupled2d {
        inputs,
        outputs,
        fan_in,
        reach: 1.5,
        falloff: Falloff::Gauss,
        grain,
        picture,
        importance,
    };
    layer.build(&mut rng(21)).unwrap()
}

/// Whole micro-blocks in a layer whose sides have blocks; an output quad and an input quad have none.
fn blocks_of_quads() -> Topology {
    let quads = [(0, 0), (3, 0), (4, 0), (1, 1), (3, 3), (4, 3), (1, 4), (0, 5), (5, 5)];
    let edges: Vec<(u32, u32)> = quads
        .iter()
        .flat_map(|(input, output)| (0..16).map(move |lane| (4 * input + lane / 4, 4 * output + lane % 4)))
        .collect();
    let [inputs, outputs] =
        [[0, 8, 16, 24], [0, 4, 16, 24]].map(|bounds| Partition::from_bounds(bounds).unwrap());
    Topology::from_edges(inputs, outputs, &edges).unwrap()
}

/// No penalty, every penalty alone, all together.
pub fn penalties() -> Vec<(&'static str, Penalties)> {
    let none = Penalties::default();
    vec![
        ("no penalty", none),
        ("L2", Penalties::l2(0.05)),
        ("L1", Penalties { l1: 0.03, ..none }),
        ("L1 of the input layer", Penalties { l1_input: Some(0.04), ..none }),
        ("L1 of the other layers", Penalties { l1: 0.05, l1_input: Some(0.0), ..none }),
        ("L1/2", Penalties { l_half: 0.02, ..none }),
        ("weight elimination", Penalties { weight_elimination: 0.07, ..none }),
        ("group lasso", Penalties { group_lasso: 0.08, ..none }),
        ("all penalties", all_penalties()),
    ]
}

/// All penalties at once, each with a different strength.
pub fn all_penalties() -> Penalties {
    Penalties {
        l2: 0.01,
        l1: 0.02,
        l1_input: Some(0.03),
        l_half: 0.015,
        weight_elimination: 0.025,
        group_lasso: 0.035,
    }
}

/// A layer around a topology.
pub fn layer(topology: &Topology, activation: Activation, keep_probability: f32) -> Layer {
    Layer { topology: Arc::new(topology.clone()), activation, keep_probability }
}

/// 10 inputs, two spatially-coupled hidden layers of 12 and 9, 4 logits.
pub fn small_network(activation: Activation, keep_probability: f32) -> Network {
    let first = coupled(10, 12, 3, 2, &[4, 5, 2]);
    let second = coupled(12, 9, 3, 2, &[3, 4, 1]);
    let logits = fully_connected(9, 4).unwrap();
    Network::new(vec![
        layer(&first, activation, keep_probability),
        layer(&second, activation, keep_probability),
        layer(&logits, Activation::Identity, 1.0),
    ])
    .expect("widths fit")
}

/// Random weights and biases in -1..1.
pub fn random_parameters(network: &Network, seed: u64) -> Parameters {
    let mut rng = rng(seed);
    let mut draw = |layer: &Layer| LayerParameters {
        weights: values(&mut rng, layer.topology.edges()),
        biases: values(&mut rng, layer.topology.outputs().width()),
    };
    Parameters { layers: network.layers().iter().map(&mut draw).collect() }
}

/// Random features in -1..1 with labels that a network can learn: the greatest of the first features.
pub fn random_data(samples: usize, features: usize, classes: usize, seed: u64) -> Arc<Dataset> {
    let features_of_all = values(&mut rng(seed), samples * features);
    let label = |sample: &[f32]| {
        let candidates = &sample[..classes.min(features)];
        let best = (0..candidates.len()).max_by(|a, b| candidates[*a].total_cmp(&candidates[*b]));
        u32::try_from(best.expect("at least one feature")).expect("few classes")
    };
    let labels = features_of_all.chunks(features).map(label).collect();
    Arc::new(Dataset::new(features_of_all, features, labels, classes).expect("valid data"))
}
