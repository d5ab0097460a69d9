//! Times one training step of the paper's network on the CPU engine.

use std::sync::Arc;
use std::time::Instant;

use tanner::dataset::Dataset;
use tanner::engine::cpu::CpuEngine;
use tanner::engine::{Engine, EngineSettings, Optimizer, StepPlan};
use tanner::network::{Activation, Architecture, Connectivity, Initialisation, Scheme};

fn main() -> tanner::Result<()> {
    let fc = std::env::args().any(|a| a == "fc");
    for batch_size in [128usize, 1024] {
        let samples = 4 * batch_size;
        let value = |k: usize| ((k * 2_654_435_761) % 1000) as f32 / 1000.0;
        let features = (0..samples * 784).map(value).collect();
        let labels = (0..samples).map(|k| (k % 10) as u32).collect();
        let data = Arc::new(Dataset::new(features, 784, labels, 10)?);
        let mut arch = Architecture::paper(784, 10);
        if fc {
            arch.connectivity = Connectivity::FullyConnected;
        }
        let network = arch.build(0)?;
        let init = Initialisation { scheme: Scheme::Glorot, gain: Activation::Sigmoid.usual_gain() };
        let parameters = init.draw(&network, 0)?;
        let optimizer = Optimizer::Momentum { momentum: 0.9, nesterov: false };
        let settings = EngineSettings { optimizer, l2: 5e-5, batch_size, seed: 0 };
        for threads in [1, 2] {
            let mut engine = CpuEngine::new(&network, &parameters, settings, Some(threads))?;
            let order: Vec<u32> = (0..samples as u32).collect();
            let plan = StepPlan { samples: &order, learning_rate: 0.1, first_step: 0 };
            let mut times = Vec::new();
            for _ in 0..if fc { 3 } else { 20 } {
                let start = Instant::now();
                engine.train(&data, &plan)?;
                times.push(start.elapsed().as_secs_f64() * 1e3 / 4.0);
            }
            times.sort_by(f64::total_cmp);
            println!(
                "batch {batch_size} threads {threads}: median {:.2} ms, best {:.2} ms",
                times[times.len() / 2],
                times[0]
            );
        }
    }
    Ok(())
}
