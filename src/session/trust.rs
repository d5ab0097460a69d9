//! Checks that an adapter computes correctly, before training on it.
//!
//! A driver that miscompiles a kernel returns plausible numbers. So before an adapter is first used,
//! two small networks take a few steps on it, with all kernels, and are compared with the reference. A pass is recorded
//! in the cache, for the adapter, its driver and the source of all kernels.

use std::path::Path;

use crate::benchmark::{BenchNetwork, CheckReport, Yardstick};
use crate::engine::gpu::{GpuDevice, GpuEngine, GpuOptions};
use crate::engine::{Engine, EngineSettings, Optimizer, Penalties};
use crate::files::CacheFile;
use crate::model::Arch;
use crate::network::{Network, Parameters};
use crate::training::Recipe;
use crate::{Error, Result};

/// The kind of cache file.
const KIND: &str = "gpu check";
/// Neurons of a layer: 14 x 14, blocks that end within a micro-block.
const WIDTH: usize = 196;
/// Maximum batch size; the check uses batches of 37.
const BATCH: usize = 64;

/// Checks an adapter, unless the cache says that it passed.
///
/// # Errors
/// [`Error::Device`] if its results differ from the reference's, or it fails.
pub(super) fn check_once(device: &GpuDevice, cache: Option<&Path>) -> Result<()> {
    let key = device.fingerprint();
    let file = cache.map(|folder| CacheFile::new(folder, &key, KIND));
    let passed = |bytes: &[u8]| (bytes == key.as_bytes()).then_some(());
    if file.as_ref().and_then(|file| file.read(passed)).is_some() {
        return Ok(());
    }
    let report = check_adapter(device)?;
    log::info!("gpu check: {report:?} of what is allowed");
    if let Some(file) = file {
        file.write(key.as_bytes());
    }
    Ok(())
}

/// Runs a few steps on an adapter and on the reference; returns the largest deviations as shares of the bounds.
///
/// # Errors
/// [`Error::Device`] if its results differ, or it fails.
pub fn check_adapter(device: &GpuDevice) -> Result<CheckReport> {
    let mut worst = CheckReport { loss: 0.0, parameters: 0.0 };
    // Dense tiles with sparse edges; whole micro-blocks.
    for arch in [Arch::Sc, Arch::Sc2d] {
        let (network, parameters, settings) = subject(arch)?;
        let mut engine = GpuEngine::on(device, &network, &parameters, settings, &GpuOptions::default())?;
        let found = compare(&mut engine, &network, &parameters, settings)?;
        worst.loss = worst.loss.max(found.loss);
        worst.parameters = worst.parameters.max(found.parameters);
    }
    Ok(worst)
}

/// A small network whose training runs every kernel.
fn subject(arch: Arch) -> Result<(Network, Parameters, EngineSettings)> {
    let mut architecture = BenchNetwork { arch, width: WIDTH, hidden_layers: 2 }.architecture()?;
    architecture.keep_probability = 0.8;
    let network = architecture.build(0)?;
    let parameters = Recipe::default().initialisation.draw(&network, 0)?;
    let settings = EngineSettings {
        penalties: Penalties { group_lasso: 1e-4, ..Penalties::default() },
        drop_connect: 0.1,
        ..EngineSettings::new(Optimizer::ADAM, BATCH, 0)
    };
    Ok((network, parameters, settings))
}

/// Compares an engine with the reference.
fn compare(
    engine: &mut dyn Engine,
    network: &Network,
    parameters: &Parameters,
    settings: EngineSettings,
) -> Result<CheckReport> {
    let adapter = engine.info().adapter;
    Yardstick::new(network, parameters, settings)?.check(engine).map_err(|error| match error {
        Error::WrongResult(how) => Error::Device {
            adapter,
            reason: format!("{how}; update its driver, take another `adapter`, or `backend` cpu"),
        },
        error => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::CpuEngine;

    #[test]
    fn an_engine_with_wrong_results_is_refused_with_advice() {
        for arch in [Arch::Sc, Arch::Sc2d] {
            let (network, parameters, settings) = subject(arch).unwrap();
            let mut engine = CpuEngine::new(&network, &parameters, settings, Some(1)).unwrap();
            let report = compare(&mut engine, &network, &parameters, settings).unwrap();
            assert!(report.loss <= 1.0 && report.parameters <= 1.0, "{report:?}");
            // Simulates a kernel with another mask than the host, or without a penalty.
            let other = EngineSettings { seed: 1, ..settings };
            let lax = EngineSettings { penalties: Penalties::default(), ..settings };
            for wrong in [other, lax] {
                let mut engine = CpuEngine::new(&network, &parameters, wrong, Some(1)).unwrap();
                let error = compare(&mut engine, &network, &parameters, settings).unwrap_err().to_string();
                let words = ["wrong numbers", "the reference", "`adapter`", "`backend` cpu"];
                assert!(words.iter().all(|word| error.contains(word)), "{error}");
            }
        }
    }
}
