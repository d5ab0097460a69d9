//! Edits of graphs, and values by edge.

use std::collections::HashSet;
use std::sync::Arc;

use rand::RngExt;
use tanner::engine::{Engine, EngineSettings, EngineState, Optimizer, Penalties, StepPlan, Values};
use tanner::network::{Activation, Network};
use tanner::topology::{Edit, Edited, Grain, Link, Topology, fully_connected};

use super::{coupled_2d, layer, random_data, rng, small_network};

/// The new edge of each old edge of a layer; `None` if nothing has moved.
type Now = Option<Vec<Option<u32>>>;
/// Layer, output and, of a weight, input.
type Ends = (usize, usize, Option<usize>);

/// A network drawn edge by edge, and one in whole micro-blocks.
pub fn networks() -> [Network; 2] {
    let first = coupled_2d("8x6", "6x4x2", 12, Grain::MicroBlocks);
    let second = coupled_2d("6x4x2", "4x4", 8, Grain::MicroBlocks);
    let logits = fully_connected(16, 4).unwrap();
    let layers = [(first, Activation::Tanh), (second, Activation::Tanh), (logits, Activation::Identity)];
    let layers = layers.iter().map(|(topology, activation)| layer(topology, *activation, 1.0));
    [small_network(Activation::Tanh, 0.8), Network::new(layers.collect()).unwrap()]
}

/// Moves a third of a layer's links to random places.
fn moved(topology: &Topology, seed: u64) -> Option<Edited> {
    let grain = topology.grain();
    let there: HashSet<Link> = topology.links(grain).collect();
    let [outputs, inputs] = topology.groups(grain);
    let mut absent: Vec<Link> = (0..outputs)
        .flat_map(|output| (0..inputs).map(move |input| (output, input)))
        .filter(|link| !there.contains(link))
        .collect();
    let mut rng = rng(seed);
    let dropped: Vec<Link> = topology.links(grain).step_by(3).take(absent.len()).collect();
    let added = dropped.iter().map(|_| absent.swap_remove(rng.random_range(0..absent.len()))).collect();
    (!dropped.is_empty() && !there.is_empty())
        .then(|| topology.edit(Edit { grain, dropped, added }).unwrap())
        .filter(|edited| edited.now.contains(&None))
}

/// The edit of each layer; none for the logits.
pub fn edits(network: &Network, seed: u64) -> (Vec<Arc<Topology>>, Vec<Now>) {
    let layers = network.layers().iter().map(|layer| match moved(&layer.topology, seed) {
        Some(edited) => (Arc::new(edited.topology), Some(edited.now)),
        None => (layer.topology.clone(), None),
    });
    layers.unzip()
}

pub fn settings(optimizer: Optimizer) -> EngineSettings {
    let penalties = Penalties { l2: 1e-3, group_lasso: 1e-3, ..Penalties::default() };
    EngineSettings { penalties, drop_connect: 0.2, ..EngineSettings::new(optimizer, 10, 5) }
}

/// The numbers of each weight by layer, output and input, and of each bias.
pub fn by_ends(network: &Network, values: &Values) -> Vec<(Ends, f64)> {
    let values: Vec<f64> = match values {
        Values::Single(values) => values.iter().map(|value| f64::from(*value)).collect(),
        Values::Double(values) => values.clone(),
    };
    let names = network.layers().iter().enumerate().flat_map(|(index, layer)| {
        let weights = layer.topology.edge_ends().map(move |(output, input)| (index, output, Some(input)));
        weights.chain((0..layer.topology.outputs().width()).map(move |output| (index, output, None)))
    });
    names.zip(values).collect()
}

pub fn all(state: &EngineState) -> impl Iterator<Item = &Values> {
    [&state.parameters].into_iter().chain(&state.optimizer)
}

/// The state once the edges of all layers have moved.
pub fn carried(state: EngineState, network: &Network, now: &[Now]) -> EngineState {
    let layers = now.iter().enumerate().filter_map(|(layer, now)| Some((layer, now.as_ref()?)));
    layers.fold(state, |state, (layer, now)| state.moved(network, layer, now))
}

/// Trains, moves the same edges, and continues, three times; the values by their ends, and the loss.
pub fn trained_and_moved(engine: &mut dyn Engine, network: &Network) -> (Vec<(Ends, f64)>, f64) {
    let data = random_data(60, network.inputs(), 4, 3);
    let samples: Vec<u32> = (0..60).map(|k| k * 7 % 60).collect();
    let mut now = network.clone();
    for round in 0..3 {
        let plan = StepPlan { samples: &samples, learning_rate: 0.05, first_step: 6 * round };
        engine.train(&data, &plan).unwrap();
        let (graphs, moves) = edits(&now, round);
        let state = carried(engine.take_state().unwrap(), &now, &moves);
        engine.rewire(&graphs, state.clone()).unwrap();
        now = now.over(&graphs).unwrap();
    }
    engine.train(&data, &StepPlan { samples: &samples, learning_rate: 0.05, first_step: 18 }).unwrap();
    (by_ends(&now, &engine.state().unwrap().parameters), engine.evaluate(&data).unwrap().loss)
}
