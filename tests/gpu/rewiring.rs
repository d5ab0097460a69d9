//! Graphs that move, on the GPU engine.

use tanner::engine::gpu::GpuOptions;
use tanner::engine::reference::ReferenceEngine;
use tanner::engine::{Engine, Optimizer, OptimizerKind, StepPlan};

use crate::common::moves::{carried, edits, networks, settings, trained_and_moved};
use crate::common::{random_data, random_parameters};
use crate::oracle::{Bounded, Misses};
use crate::shapes;

/// An engine that is rewired has the bits of one that was made for the new graph, under every tile policy, with data on the
/// device and streamed.
pub(crate) fn continues_like_a_new_engine() -> Result<(), String> {
    let mut misses = Misses::default();
    for (network, (policy, tiles)) in
        networks().into_iter().flat_map(|network| shapes::POLICIES.map(|policy| (network.clone(), policy)))
    {
        let (data, parameters) = (random_data(47, network.inputs(), 4, 3), random_parameters(&network, 1));
        let (graphs, now) = edits(&network, 2);
        let rewired = network.over(&graphs).unwrap();
        let order: Vec<u32> = (0..130).map(|place| place * 17 % 47).collect();
        let plan = |samples, first_step| StepPlan { samples, learning_rate: 0.05, first_step };
        for resident_limit in [None, Some(0)] {
            let options = GpuOptions { resident_limit, ..shapes::options(tiles, false) };
            let mut engine = shapes::engine(&network, &parameters, settings(Optimizer::ADAM), &options);
            engine.train(&data, &plan(&order[..70], 0)).unwrap();
            let state = carried(engine.state().unwrap(), &network, &now);
            engine.rewire(&graphs, state.clone()).unwrap();
            misses.equal(format!("{policy}: round trip"), engine.state().unwrap() == state, true);
            let mut made = shapes::engine(
                &rewired,
                &random_parameters(&rewired, 2),
                settings(Optimizer::ADAM),
                &options,
            );
            made.restore(&state).unwrap();
            let steps = engine.train(&data, &plan(&order[70..], 7)).unwrap();
            misses.equal(
                format!("{policy}: steps"),
                steps,
                made.train(&data, &plan(&order[70..], 7)).unwrap(),
            );
            misses.equal(format!("{policy}: end"), engine.state().unwrap() == made.state().unwrap(), true);
            misses.equal(
                format!("{policy}: evaluation"),
                engine.evaluate(&data).unwrap(),
                made.evaluate(&data).unwrap(),
            );
        }
    }
    misses.result()
}

/// The same edits in the middle of the same steps as on the reference engine.
pub(crate) fn agrees_with_the_reference() -> Result<(), String> {
    let mut misses = Misses::default();
    let optimizer = OptimizerKind::Momentum.usual();
    for (network, (policy, tiles)) in
        networks().into_iter().flat_map(|network| shapes::POLICIES.map(|policy| (network.clone(), policy)))
    {
        let parameters = random_parameters(&network, 1);
        let options = shapes::options(tiles, false);
        let mut gpu = shapes::engine(&network, &parameters, settings(optimizer), &options);
        let mut reference = ReferenceEngine::new(&network, &parameters, settings(optimizer)).unwrap();
        let ((got, loss), (expected, expected_loss)) =
            (trained_and_moved(&mut gpu, &network), trained_and_moved(&mut reference, &network));
        let close = |value: f64| Bounded { value, bound: 2e-5 * (1.0 + value.abs()) };
        misses.near(format!("{policy}: loss"), loss, close(expected_loss));
        for ((ends, got), (expected_ends, expected)) in got.iter().zip(&expected) {
            misses.equal(format!("{policy}: ends"), ends, expected_ends);
            misses.near(format!("{policy}, {ends:?}"), *got, close(*expected));
        }
    }
    misses.result()
}
