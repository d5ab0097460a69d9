//! Networks of awkward shapes, and numbers to fill them with.

use std::sync::{Arc, OnceLock};

use tanner::dataset::Dataset;
use tanner::engine::gpu::{AdapterChoice, GpuDevice, GpuEngine, GpuOptions, Share, Shares};
use tanner::engine::{EngineSettings, Optimizer, Penalties};
use tanner::network::dropout::pcg4d;
use tanner::network::{Activation, Layer, LayerParameters, Network, Parameters};
use tanner::tiles::TilePolicy;
use tanner::topology::{Partition, Topology, fully_connected};

/// Tile policies under test; the mixed one splits the shapes' tiles.
pub(crate) const POLICIES: [(&str, TilePolicy); 3] = [
    ("dense", TilePolicy::ALL_DENSE),
    ("sparse", TilePolicy::ALL_SPARSE),
    ("mixed", TilePolicy::dense_from(0.45)),
];

/// A whole number in `-3..=3`, the same for the same words.
pub(crate) fn whole(a: usize, b: usize, stream: u32) -> f32 {
    (hash(a, b, stream) % 7) as f32 - 3.0
}

/// A number in `[-1, 1)`, the same for the same words.
pub(crate) fn real(a: usize, b: usize, stream: u32) -> f32 {
    (hash(a, b, stream) >> 8) as f32 / (1 << 23) as f32 - 1.0
}

fn hash(a: usize, b: usize, stream: u32) -> u32 {
    pcg4d([u32::try_from(a).unwrap(), u32::try_from(b).unwrap(), stream, 77])[0]
}

/// Edges of a layer where `exists(output, input)`.
pub(crate) fn layer_of(
    inputs: Partition,
    outputs: Partition,
    exists: impl Fn(usize, usize) -> bool,
) -> Arc<Topology> {
    let targets = |input| (0u32..).take(outputs.width()).filter(|o| exists(*o as usize, input)).collect();
    let targets: Vec<Vec<u32>> = (0..inputs.width()).map(targets).collect();
    Arc::new(Topology::from_targets(inputs.clone(), outputs.clone(), &targets).unwrap())
}

fn even(width: usize, blocks: usize) -> Partition {
    Partition::even(width, blocks).unwrap()
}

/// A band: output block i is connected to the input blocks i .. i + field, ever more sparsely.
fn band(inputs: Partition, outputs: Partition, field: usize, stream: u32) -> Arc<Topology> {
    let (from, to) = (inputs.clone(), outputs.clone());
    layer_of(inputs, outputs, move |output, input| {
        let (i, j) = (to.block_of(output), from.block_of(input));
        (i..i + field).contains(&j) && hash(output, input, stream) % 8 >= 2 * u32::try_from(j).unwrap()
    })
}

/// Named networks, each with at least 2 layers.
pub(crate) fn shapes(activation: Activation, keep_probability: f32) -> Vec<(&'static str, Network)> {
    let full = |inputs, outputs| Arc::new(fully_connected(inputs, outputs).unwrap());
    let ragged = even(10, 4);
    let holes =
        layer_of(even(9, 2), even(7, 2), |o, i| o != 1 && o < 4 && i != 2 && i < 8 && (o + i) % 3 != 0);
    let shapes = [
        ("one tile", vec![full(4, 4), full(4, 2)]),
        ("one row", vec![full(5, 1), full(1, 3)]),
        // Tiles with more than one quad each way, and not as many.
        ("oblong tiles", vec![full(5, 18), full(18, 9), full(9, 3)]),
        (
            "last block smaller",
            vec![
                band(even(11, 3), ragged.clone(), 2, 1),
                band(ragged.clone(), ragged.clone(), 3, 2),
                full(10, 3),
            ],
        ),
        ("empty row and column", vec![holes, band(even(7, 1), even(6, 3), 3, 4), full(6, 5)]),
        ("band as wide as the matrix", vec![band(even(12, 3), even(12, 3), 3, 5), full(12, 4)]),
        (
            "coupled",
            vec![
                band(even(20, 4), even(20, 4), 2, 6),
                band(even(20, 4), even(20, 4), 2, 7),
                layer_of(even(20, 4), even(6, 2), |o, i| !hash(o, i, 8).is_multiple_of(3)),
            ],
        ),
        (
            "whole micro-blocks",
            vec![
                layer_of(even(20, 1), even(24, 2), |o, i| !hash(o / 4, i / 4, 9).is_multiple_of(3)),
                layer_of(even(24, 2), even(16, 4), |o, i| hash(o / 4, i / 4, 10).is_multiple_of(2)),
                full(16, 5),
            ],
        ),
    ];
    shapes.map(|(name, layers)| (name, network(layers, activation, keep_probability))).into()
}

/// A network whose hidden layers have 28 quads in 4 blocks of 24 and 25 neurons.
pub(crate) fn wide(activation: Activation) -> Network {
    let hidden = || even(98, 4);
    let last = Arc::new(fully_connected(98, 10).unwrap());
    network(vec![band(hidden(), hidden(), 2, 11), band(hidden(), hidden(), 3, 12), last], activation, 1.0)
}

/// Layers as wide as the paper's: one in blocks of 98 neurons (24 quads and a half), thinner from block to block, and one in
/// whole micro-blocks.
pub(crate) fn full_width(activation: Activation) -> Network {
    let side = || even(784, 8);
    let thinning = layer_of(side(), side(), |output, input| {
        let (to, from) = (output / 98, input / 98);
        (to..to + 2).contains(&from) && hash(output, input, 13) as usize % 16 >= 2 * from
    });
    let in_blocks = layer_of(even(784, 1), even(784, 1), |output, input| {
        hash(output / 4, input / 4, 14).is_multiple_of(16)
    });
    let last = Arc::new(fully_connected(784, 10).unwrap());
    network(vec![thinning, in_blocks, last], activation, 1.0)
}

/// The shape of this name.
pub(crate) fn shape(name: &str, activation: Activation, keep_probability: f32) -> Network {
    let mut all = shapes(activation, keep_probability).into_iter();
    all.find_map(|(of, network)| (of == name).then_some(network)).unwrap()
}

pub(crate) fn network(layers: Vec<Arc<Topology>>, activation: Activation, keep_probability: f32) -> Network {
    let last = layers.len() - 1;
    let layer = |(index, topology)| {
        if index == last {
            Layer { topology, activation: Activation::Identity, keep_probability: 1.0 }
        } else {
            Layer { topology, activation, keep_probability }
        }
    };
    Network::new(layers.into_iter().enumerate().map(layer).collect()).unwrap()
}

/// A value for each parameter: `value(place, layer)`.
pub(crate) fn parameters(network: &Network, value: impl Fn(usize, usize) -> f32) -> Parameters {
    let layers = network.layers().iter().enumerate().map(|(index, layer)| LayerParameters {
        weights: (0..layer.topology.edges()).map(|edge| value(edge, index)).collect(),
        biases: (0..layer.topology.outputs().width()).map(|o| value(1_000_000 + o, index)).collect(),
    });
    Parameters { layers: layers.collect() }
}

/// Random samples with features in `[-1, 1)`.
pub(crate) fn dataset(network: &Network, samples: usize, stream: u32) -> Arc<Dataset> {
    let (features, classes) = (network.inputs(), network.classes());
    let values = (0..samples * features).map(|place| real(place, 0, stream)).collect();
    let labels = (0..samples).map(|sample| hash(sample, 1, stream) % u32::try_from(classes).unwrap());
    Arc::new(Dataset::new(values, features, labels.collect(), classes).unwrap())
}

pub(crate) fn settings(optimizer: Optimizer, batch_size: usize) -> EngineSettings {
    EngineSettings { penalties: Penalties::l2(0.25), ..EngineSettings::new(optimizer, batch_size, 3) }
}

pub(crate) fn options(tiles: TilePolicy, runtime_checks: bool) -> GpuOptions {
    GpuOptions { adapter: AdapterChoice::Any, runtime_checks, tiles, ..GpuOptions::default() }
}

/// The same share in every kernel.
pub(crate) fn shared(share: Share, options: GpuOptions) -> GpuOptions {
    GpuOptions { shares: Some(Shares::alike(share)), ..options }
}

pub(crate) fn engine(
    network: &Network,
    parameters: &Parameters,
    settings: EngineSettings,
    options: &GpuOptions,
) -> GpuEngine {
    if options.timestamps {
        return GpuEngine::new(network, parameters, settings, options).unwrap();
    }
    GpuEngine::on(device(), network, parameters, settings, options).unwrap()
}

/// The device of all engines with default options, so that each kernel is compiled once.
fn device() -> &'static GpuDevice {
    static DEVICE: OnceLock<GpuDevice> = OnceLock::new();
    let any = || GpuOptions { adapter: AdapterChoice::Any, ..GpuOptions::default() };
    DEVICE.get_or_init(|| GpuDevice::open(&any()).unwrap())
}
