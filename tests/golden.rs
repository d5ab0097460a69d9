//! The golden runs on the engines that need no GPU.

mod common;

use common::golden;
use tanner::engine::cpu::CpuEngine;
use tanner::engine::reference::ReferenceEngine;
use tanner::tiles::TilePolicy;

#[test]
fn the_reference_gives_the_recorded_losses() {
    for golden in golden::RUNS {
        let (network, parameters, settings) = golden::network(golden.rule);
        golden.check(&mut ReferenceEngine::new(&network, &parameters, settings).unwrap(), 1e-12);
    }
}

#[test]
fn the_cpu_gives_the_recorded_losses() {
    for golden in golden::RUNS {
        let (network, parameters, settings) = golden::network(golden.rule);
        for policy in [TilePolicy::ALL_DENSE, TilePolicy::ALL_SPARSE, TilePolicy::dense_from(0.5)] {
            let mut engine = CpuEngine::with_tiles(&network, &parameters, settings, Some(2), policy).unwrap();
            golden.check(&mut engine, golden::FLOAT32_BOUND);
        }
    }
}
