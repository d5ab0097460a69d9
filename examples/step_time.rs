//! Times one training step (forward, backward, update) of the paper's network on every engine that is here.
//!
//! `cargo run --release --example step_time -- [sc|rsp|fc] [seconds for each measurement]`
//!
//! Prints one JSON object for each engine and batch size: median, fastest and
//! slowest call in microseconds a step, each call running `steps` steps.

use std::sync::Arc;
use std::time::Instant;

use tanner::dataset::Dataset;
use tanner::engine::cpu::CpuEngine;
use tanner::engine::gpu::{AdapterChoice, GpuEngine, GpuOptions};
use tanner::engine::{Engine, EngineSettings, Optimizer, Penalties, StepPlan};
use tanner::network::{Activation, Architecture, Connectivity, Initialisation, Scheme};
use tanner::topology::DegreeDistribution;

fn main() -> tanner::Result<()> {
    let mut words = std::env::args().skip(1);
    let arch = words.next().unwrap_or_else(|| "sc".into());
    let seconds: f64 = words.next().and_then(|text| text.parse().ok()).unwrap_or(3.0);
    let mut architecture = Architecture::paper(784, 10);
    architecture.connectivity = match arch.as_str() {
        "rsp" => Connectivity::RandomSparse { degrees: vec![DegreeDistribution::Regular(53)] },
        "fc" => Connectivity::FullyConnected,
        _ => architecture.connectivity,
    };
    let network = architecture.build(0)?;
    let start = Initialisation { scheme: Scheme::Glorot, gain: Activation::Sigmoid.usual_gain() };
    let parameters = start.draw(&network, 0)?;
    let optimizer = Optimizer::Momentum { momentum: 0.9, nesterov: false };
    for batch_size in [128, 1024, 4096] {
        let settings = EngineSettings {
            penalties: Penalties::l2(5e-5),
            ..EngineSettings::new(optimizer, batch_size, 0)
        };
        let data = pseudo_random_data(4 * batch_size)?;
        let mut cpu = CpuEngine::new(&network, &parameters, settings, None)?;
        measure(&mut cpu, &arch, &data, batch_size, seconds)?;
        let options = GpuOptions { adapter: AdapterChoice::Hardware, ..GpuOptions::default() };
        match GpuEngine::new(&network, &parameters, settings, &options) {
            Ok(mut gpu) => measure(&mut gpu, &arch, &data, batch_size, seconds)?,
            Err(error) => eprintln!("no hardware GPU: {error}"),
        }
    }
    Ok(())
}

/// Images of noise; the time of a step does not depend on what is in them.
fn pseudo_random_data(samples: usize) -> tanner::Result<Arc<Dataset>> {
    let value = |k: usize| (k.wrapping_mul(2_654_435_761) % 1000) as f32 / 1000.0;
    let labels = (0u32..).map(|k| k % 10).take(samples).collect();
    Ok(Arc::new(Dataset::new((0..samples * 784).map(value).collect(), 784, labels, 10)?))
}

fn measure(
    engine: &mut dyn Engine,
    arch: &str,
    data: &Arc<Dataset>,
    batch_size: usize,
    seconds: f64,
) -> tanner::Result<()> {
    let steps = 4 * engine.steps_per_call().div_ceil(4);
    let order: Vec<u32> = (0u32..).map(|k| k % (4 * 128)).take(steps * batch_size).collect();
    let plan = StepPlan { samples: &order, learning_rate: 0.01, first_step: 0 };
    let mut times = Vec::new();
    engine.train(data, &plan)?;
    let begin = Instant::now();
    while times.len() < 5 || begin.elapsed().as_secs_f64() < seconds {
        let call = Instant::now();
        engine.train(data, &plan)?;
        times.push(call.elapsed().as_secs_f64() * 1e6 / steps as f64);
    }
    times.sort_by(f64::total_cmp);
    let info = engine.info();
    println!(
        r#"{{"arch": "{arch}", "backend": "{}", "adapter": "{}", "batch": {batch_size}, "steps": {steps}, "calls": {}, "median_us": {:.1}, "fastest_us": {:.1}, "slowest_us": {:.1}}}"#,
        info.backend,
        info.adapter,
        times.len(),
        times[times.len() / 2],
        times[0],
        times[times.len() - 1]
    );
    Ok(())
}
