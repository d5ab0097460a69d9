//! Graphs that move: every engine keeps the state of edges that stay, and continues like one made for the new graph.

mod common;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use common::moves::{all, by_ends, carried, edits, networks, settings, trained_and_moved};
use common::{random_data, random_parameters, small_network};
use tanner::engine::cpu::CpuEngine;
use tanner::engine::reference::ReferenceEngine;
use tanner::engine::{Engine, EngineSettings, EngineState, Optimizer, OptimizerKind, StepPlan};
use tanner::network::{Activation, Network};
use tanner::tiles::TilePolicy;
use tanner::topology::{Region, Topology};
use tanner::training::{
    CheckpointEvery, EpochMetrics, Observer, Recipe, Rewire, Rewiring, TrainOptions, Trained, TrainingState,
    train, train_with,
};

/// Makes an engine of a network and its settings.
type Make = fn(&Network, EngineSettings) -> Box<dyn Engine>;

fn engines() -> Vec<(&'static str, Make)> {
    fn cpu(network: &Network, settings: EngineSettings, policy: TilePolicy) -> Box<dyn Engine> {
        let parameters = random_parameters(network, 1);
        Box::new(CpuEngine::with_tiles(network, &parameters, settings, Some(2), policy).unwrap())
    }
    vec![
        ("reference", |network, settings| {
            Box::new(ReferenceEngine::new(network, &random_parameters(network, 1), settings).unwrap())
        }),
        ("cpu, dense tiles", |network, settings| cpu(network, settings, TilePolicy::ALL_DENSE)),
        ("cpu, sparse tiles", |network, settings| cpu(network, settings, TilePolicy::ALL_SPARSE)),
        ("cpu, its own tiles", |network, settings| {
            cpu(network, settings, TilePolicy::dense_from(0.45).listing_blocks())
        }),
    ]
}

/// Edges that stay keep parameter and optimiser state to the last bit, new ones begin at 0, and later steps have
/// the bits of an engine made for the new graph.
#[test]
fn a_rewired_engine_continues_like_one_made_for_its_graph() {
    for network in networks() {
        let data = random_data(60, network.inputs(), 4, 3);
        let samples: Vec<u32> = (0..130).map(|k| k * 7 % 60).collect();
        let plan = |samples, first_step| StepPlan { samples, learning_rate: 0.05, first_step };
        let (graphs, now) = edits(&network, 2);
        let rewired = network.over(&graphs).unwrap();
        assert!(now[0].is_some() && now[1].is_some() && now[2].is_none());
        for (name, make) in engines() {
            for optimizer in OptimizerKind::ALL.map(OptimizerKind::usual) {
                let mut engine = make(&network, settings(optimizer));
                engine.train(&data, &plan(&samples[..70], 0)).unwrap();
                let before = engine.state().unwrap();
                let state = carried(before.clone(), &network, &now);
                engine.rewire(&graphs, state.clone()).unwrap();
                assert_eq!(engine.state().unwrap(), state, "{name}, {optimizer}");
                for (before, after) in all(&before).zip(all(&state)) {
                    let before: HashMap<_, _> = by_ends(&network, before).into_iter().collect();
                    for (ends, value) in by_ends(&rewired, after) {
                        assert_eq!(value, before.get(&ends).copied().unwrap_or(0.0), "{name}: {ends:?}");
                    }
                }
                let mut made = make(&rewired, settings(optimizer));
                made.restore(&state).unwrap();
                let outcomes = engine.train(&data, &plan(&samples[70..], 7)).unwrap();
                assert_eq!(outcomes, made.train(&data, &plan(&samples[70..], 7)).unwrap(), "{name}");
                assert_eq!(engine.state().unwrap(), made.state().unwrap(), "{name}, {optimizer}");
                assert_eq!(engine.evaluate(&data).unwrap(), made.evaluate(&data).unwrap());
            }
        }
    }
}

/// The same edits in the middle of the same steps: each engine has the reference's value on each edge, except for rounding.
#[test]
fn rewired_engines_agree_edge_by_edge() {
    for network in networks() {
        let run = |make: Make| {
            let mut engine = make(&network, settings(OptimizerKind::Momentum.usual()));
            trained_and_moved(&mut *engine, &network)
        };
        let (expected, loss) = run(engines()[0].1);
        for (name, make) in engines().into_iter().skip(1) {
            let (values, got) = run(make);
            assert!((got - loss).abs() <= 1e-5 * loss, "{name}: {got} {loss}");
            for ((ends, value), (expected_ends, expected)) in values.iter().zip(&expected) {
                assert_eq!(ends, expected_ends);
                let bound = 2e-5 * (1.0 + expected.abs());
                assert!((value - expected).abs() <= bound, "{name}, {ends:?}: {value} {expected}");
            }
        }
    }
}

#[test]
fn graphs_that_do_not_fit_are_refused_and_change_nothing() {
    let network = small_network(Activation::Tanh, 1.0);
    let graphs: Vec<Arc<Topology>> = network.layers().iter().map(|layer| layer.topology.clone()).collect();
    let mut swapped = graphs.clone();
    swapped.swap(0, 1);
    for (name, make) in engines() {
        let mut engine = make(&network, settings(Optimizer::ADAM));
        let state = engine.state().unwrap();
        let short = EngineState { optimizer: Vec::new(), ..state.clone() };
        for (graphs, state, part) in [
            (&graphs[..2], &state, "2 graphs do not fit a network of 3 layers"),
            (&swapped, &state, "other numbers of neurons than layer 1"),
            (&graphs, &short, "0 values a parameter do not fit"),
        ] {
            let message = engine.rewire(graphs, state.clone()).unwrap_err().to_string();
            assert!(message.contains(part), "{name}: {message}");
        }
        assert_eq!(engine.state().unwrap(), state, "{name}");
    }
}

fn recipe(rule: Rewire) -> Recipe {
    let rewire = Some(Rewiring { every: 2, end: 1.0, ..Rewiring::new(rule) });
    Recipe { epochs: 9, batch_size: 10, learning_rate: 0.05, drop_connect: 0.1, rewire, ..Recipe::default() }
}

/// Keeps every state and every rewired network.
#[derive(Default)]
struct Keeper {
    states: Vec<TrainingState>,
    networks: Vec<Network>,
}

impl Observer for Keeper {
    fn rewired(&mut self, network: &Network) {
        self.networks.push(network.clone());
    }

    fn checkpoint(&mut self, state: &TrainingState) -> tanner::Result<()> {
        self.states.push(state.clone());
        Ok(())
    }
}

fn run(
    make: Make,
    network: &Network,
    rule: Rewire,
    every: CheckpointEvery,
    state: Option<TrainingState>,
) -> (Trained, Keeper, EngineState) {
    let (training, test) = (random_data(95, network.inputs(), 4, 3), random_data(40, network.inputs(), 4, 4));
    let recipe = recipe(rule);
    let mut engine = make(network, recipe.engine_settings());
    let mut keeper = Keeper::default();
    let options =
        TrainOptions { resume_from: state, checkpoint_every: Some(every), ..TrainOptions::default() };
    let trained = train_with(&mut *engine, &recipe, &training, &test, &mut [&mut keeper], options).unwrap();
    let end = engine.state().unwrap();
    (trained, keeper, end)
}

/// All but the times.
fn numbers(history: &[EpochMetrics]) -> Vec<EpochMetrics> {
    let without =
        |metrics: &EpochMetrics| EpochMetrics { seconds: 0.0, seconds_steps: 0.0, ..metrics.clone() };
    history.iter().map(without).collect()
}

/// Each rule moves edges when due, keeps their number, and stays within the initially connected blocks. From whatever
/// state a run is resumed, in the middle of an epoch or between two, it ends with the same bits.
#[test]
fn runs_move_edges_and_go_on_to_the_same_bits() {
    for (number, network) in networks().into_iter().enumerate() {
        let regions: Vec<Region> = network.layers().iter().map(|layer| Region::of(&layer.topology)).collect();
        for (name, make) in engines() {
            for rule in [Rewire::Set, Rewire::Rigl, Rewire::Percolate] {
                let every = [CheckpointEvery::Steps(1), CheckpointEvery::Epochs(1)][number];
                let (whole, keeper, end) = run(make, &network, rule, every, None);
                let moved: Vec<bool> =
                    whole.history.iter().map(|epoch| epoch.edges_moved.unwrap() > 0).collect();
                assert_eq!(
                    moved,
                    [false, false, true, false, true, false, true, false, false],
                    "{name}, {rule}"
                );
                assert_eq!(keeper.networks.len(), 3);
                for moved in &keeper.networks {
                    for ((layer, now), region) in network.layers().iter().zip(moved.layers()).zip(&regions) {
                        assert_eq!(now.topology.edges(), layer.topology.edges());
                        assert_eq!(now.topology.grain(), layer.topology.grain());
                        let blocks = |topology: &Topology| {
                            let (inputs, outputs) = (topology.inputs().clone(), topology.outputs().clone());
                            let ends = topology.edge_ends();
                            ends.map(|(o, i)| (outputs.block_of(o), inputs.block_of(i)))
                                .collect::<HashSet<_>>()
                        };
                        assert!(blocks(&now.topology).is_subset(&blocks(&layer.topology)), "{region:?}");
                    }
                }
                // States before edges move and after, between two epochs and in the middle of one.
                for (place, state) in keeper.states.iter().enumerate().filter(|(place, _)| place % 5 != 4) {
                    let (resumed, _, same_end) = run(make, &network, rule, every, Some(state.clone()));
                    assert_eq!(numbers(&resumed.history), numbers(&whole.history), "{name}, {rule}, {place}");
                    assert_eq!(same_end, end, "{name}, {rule}, state {place}");
                }
                assert!(keeper.states.len() >= 7, "{}", keeper.states.len());
            }
        }
    }
}

/// Without rewiring, there are no graphs in the state and no numbers in the metrics.
#[test]
fn a_run_that_does_not_rewire_has_no_trace_of_it() {
    let network = small_network(Activation::Tanh, 0.8);
    let (training, test) = (random_data(95, 10, 4, 3), random_data(40, 10, 4, 4));
    let recipe = Recipe { rewire: None, ..recipe(Rewire::Set) };
    let mut engine = engines()[0].1(&network, recipe.engine_settings());
    let mut keeper = Keeper::default();
    let options =
        TrainOptions { checkpoint_every: Some(CheckpointEvery::Steps(1)), ..TrainOptions::default() };
    let trained = train_with(&mut *engine, &recipe, &training, &test, &mut [&mut keeper], options).unwrap();
    assert!(keeper.states.iter().all(|state| state.graphs.is_none() && state.so_far.edges_moved.is_none()));
    let line = serde_json::to_string(&trained.history[0]).unwrap();
    assert!(!line.contains("edges_moved"), "{line}");
    let off =
        Recipe { rewire: Some(Rewiring { every: 100, ..Rewiring::new(Rewire::Set) }), ..recipe.clone() };
    let mut other = engines()[0].1(&network, recipe.engine_settings());
    train(&mut *other, &off, &training, &test, &mut []).unwrap();
    assert_eq!(other.state().unwrap(), engine.state().unwrap());
}
