//! Penalties and smoothed labels in kernels and in whole steps.

use tanner::engine::gpu::Share;
use tanner::engine::{EngineSettings, Optimizer, OptimizerKind, Penalties};
use tanner::network::Activation;
use tanner::tiles::TilePolicy;

use crate::common::{all_penalties, penalties};
use crate::kernels::Bench;
use crate::oracle::Misses;
use crate::{shapes, training};

/// Every penalty alone, and all of them with every optimiser, on awkward shapes.
pub(crate) fn penalties_reach_every_weight(tiles: TilePolicy, runtime_checks: bool) -> Result<(), String> {
    let options = shapes::options(tiles, runtime_checks);
    let check = |shape: &str, optimizer, penalties: Penalties| {
        let network = shapes::shape(shape, Activation::Tanh, 1.0);
        let settings = EngineSettings { penalties, ..shapes::settings(optimizer, 5) };
        let mut misses = Misses::default();
        let mut bench = Bench::new(network, settings, &options, false);
        bench.backward_weight(5, &mut misses);
        misses.result().map_err(|text| format!("{shape}, {optimizer}, {penalties:?}: {text}"))
    };
    for (_, penalties) in penalties() {
        check("coupled", Optimizer::Sgd, penalties)?;
    }
    for optimizer in OptimizerKind::ALL.map(OptimizerKind::usual) {
        for shape in ["last block smaller", "empty row and column", "oblong tiles"] {
            check(shape, optimizer, all_penalties())?;
        }
    }
    Ok(())
}

/// L1 of small whole numbers is exact: any weight with another layer's strength is detected.
pub(crate) fn whole_numbers(tiles: TilePolicy, runtime_checks: bool) -> Result<(), String> {
    let options = shapes::options(tiles, runtime_checks);
    let all = shapes::shapes(Activation::Relu, 0.5).into_iter();
    for ((_, network), share) in
        all.flat_map(|shape| [Share::ONE, Share::ALL[3]].map(|share| (shape.clone(), share)))
    {
        let options = shapes::shared(share, options.clone());
        let penalties = Penalties { l1: 0.5, l1_input: Some(0.25), ..Penalties::l2(0.25) };
        let settings = EngineSettings { penalties, ..shapes::settings(Optimizer::Sgd, 5) };
        let mut misses = Misses::default();
        Bench::new(network, settings, &options, true).backward_weight(5, &mut misses);
        misses.result()?;
    }
    Ok(())
}

/// The loss and its deltas, in training with smoothed labels, in evaluation with true ones.
pub(crate) fn smoothed_labels(runtime_checks: bool) -> Result<(), String> {
    let options = shapes::options(TilePolicy::ALL_SPARSE, runtime_checks);
    let cases = [("coupled", 0.1), ("one tile", 0.75), ("empty row and column", 0.3)];
    for ((shape, label_smoothing), share) in
        cases.into_iter().flat_map(|case| Share::ALL.map(|share| (case, share)))
    {
        let options = shapes::shared(share, options.clone());
        for whole in [true, false] {
            let network = shapes::shape(shape, Activation::Tanh, 1.0);
            let settings = EngineSettings { label_smoothing, ..shapes::settings(Optimizer::Sgd, 66) };
            let mut bench = Bench::new(network, settings, &options, whole);
            let mut misses = Misses::default();
            for samples in [1, 4, 5, 66] {
                bench.softmax(samples, &mut misses);
            }
            misses.result().map_err(|text| format!("{shape}, share {share}: {text}"))?;
        }
    }
    Ok(())
}

/// Masked weights on every shape, and gradients under the mask.
pub(crate) fn connections_are_dropped(tiles: TilePolicy, runtime_checks: bool) -> Result<(), String> {
    let options = shapes::options(tiles, runtime_checks);
    for (name, network) in shapes::shapes(Activation::Tanh, 0.5) {
        for drop_connect in [0.25, 0.9] {
            let settings = EngineSettings { drop_connect, ..shapes::settings(Optimizer::Sgd, 5) };
            let mut misses = Misses::default();
            let mut bench = Bench::new(network.clone(), settings, &options, false);
            bench.drop_connect(&mut misses);
            bench.backward_weight(5, &mut misses);
            misses.result().map_err(|text| format!("{name}: {text}"))?;
        }
    }
    Ok(())
}

/// Compares steps with everything at once, and with only dropped connections, with the reference.
pub(crate) fn steps_follow_the_reference(runtime_checks: bool) -> Result<(), String> {
    for optimizer in OptimizerKind::ALL.map(OptimizerKind::usual) {
        let settings = EngineSettings {
            penalties: all_penalties(),
            label_smoothing: 0.1,
            drop_connect: 0.3,
            ..EngineSettings::new(optimizer, 10, 5)
        };
        training::follow(settings, runtime_checks)?;
        let settings = EngineSettings { drop_connect: 0.5, ..EngineSettings::new(optimizer, 10, 6) };
        training::follow(settings, runtime_checks)?;
    }
    Ok(())
}
