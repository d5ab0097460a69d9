//! Graphs that move: every engine keeps what belongs to edges that stay, and goes on as one that was made for the new graph.

mod common;

use std::collections::HashMap;
use std::sync::Arc;

use common::moves::{all, by_ends, edits, networks, settings};
use common::{random_data, random_parameters, small_network};
use tanner::engine::cpu::CpuEngine;
use tanner::engine::reference::ReferenceEngine;
use tanner::engine::{Engine, EngineSettings, EngineState, Optimizer, OptimizerKind, StepPlan};
use tanner::network::{Activation, Network};
use tanner::tiles::TilePolicy;
use tanner::topology::Topology;

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

/// Edges that stay keep parameter and optimiser state to the last bit, new ones begin at 0; and the steps that follow have
/// the bits of an engine that was made for the new graph.
#[test]
fn a_rewired_engine_goes_on_as_one_that_was_made_for_its_graph() {
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
                let state = before.clone().moved(&network, &now);
                engine.rewire(&graphs, &state).unwrap();
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

/// The same edits in the middle of the same steps: each engine has the reference's value on each edge, but for rounding.
#[test]
fn rewired_engines_agree_edge_by_edge() {
    for network in networks() {
        let data = random_data(60, network.inputs(), 4, 3);
        let samples: Vec<u32> = (0..60).map(|k| k * 7 % 60).collect();
        let run = |make: Make| {
            let mut engine = make(&network, settings(OptimizerKind::Momentum.usual()));
            let mut now = network.clone();
            for round in 0..3 {
                let plan = StepPlan { samples: &samples, learning_rate: 0.05, first_step: 6 * round };
                engine.train(&data, &plan).unwrap();
                let (graphs, moves) = edits(&now, round);
                let state = engine.state().unwrap().moved(&now, &moves);
                engine.rewire(&graphs, &state).unwrap();
                now = now.over(&graphs).unwrap();
            }
            engine
                .train(&data, &StepPlan { samples: &samples, learning_rate: 0.05, first_step: 18 })
                .unwrap();
            (by_ends(&now, &engine.state().unwrap().parameters), engine.evaluate(&data).unwrap().loss)
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
            let message = engine.rewire(graphs, state).unwrap_err().to_string();
            assert!(message.contains(part), "{name}: {message}");
        }
        assert_eq!(engine.state().unwrap(), state, "{name}");
    }
}
