use std::sync::Arc;
use std::time::Instant;
use tanner::dataset::Dataset;
use tanner::engine::cpu::{CpuEngine, DENSE_FROM, SingleSample};
use tanner::engine::{Engine, EngineSettings, Optimizer, StepPlan};
use tanner::network::{Activation, Initialisation, Layer, Network, Scheme};
use tanner::random::{Purpose, generator};
use tanner::tiles::TilePolicy;
use tanner::topology::*;
fn net(t: Vec<Topology>) -> Network {
    let n = t.len();
    Network::new(
        t.into_iter()
            .enumerate()
            .map(|(i, t)| Layer {
                topology: Arc::new(t),
                activation: if i + 1 == n { Activation::Identity } else { Activation::Relu },
                keep_probability: 1.0,
            })
            .collect(),
    )
    .unwrap()
}
fn main() {
    let g: Grid = "28x28".parse().unwrap();
    let planar = |grain| {
        let mut t = Vec::new();
        for (i, (reach, fan_in)) in [(1.5, 40), (2.5, 80), (5.0, 144)].into_iter().enumerate() {
            t.push(
                Coupled2d {
                    inputs: g,
                    outputs: g,
                    fan_in,
                    reach,
                    falloff: Falloff::Gauss,
                    grain,
                    picture: [28, 28],
                    importance: vec![],
                }
                .build(&mut generator(0, Purpose::Topology(i as u32)))
                .unwrap(),
            );
        }
        t.push(fully_connected(784, 10).unwrap());
        net(t)
    };
    let w = 187;
    let narrow = net(vec![
        fully_connected(784, w).unwrap(),
        fully_connected(w, w).unwrap(),
        fully_connected(w, w).unwrap(),
        fully_connected(w, 10).unwrap(),
    ]);
    let data = Arc::new(
        Dataset::new(
            (0..1024 * 784).map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0).collect(),
            784,
            (0..1024).map(|i| i % 10).collect(),
            10,
        )
        .unwrap(),
    );
    let settings = EngineSettings::new(Optimizer::ADAM, 128, 0);
    let policy = TilePolicy::dense_from(DENSE_FROM);
    let cases = [
        ("narrow", &narrow, policy),
        ("listed", &planar(Grain::MicroBlocks), policy.listing_blocks()),
        ("lists", &planar(Grain::MicroBlocks), policy),
        ("edges", &planar(Grain::Edges), policy),
    ];
    let init = Initialisation { scheme: Scheme::Glorot, gain: 1.0 };
    let mut engines: Vec<_> = cases
        .iter()
        .map(|(_, n, p)| CpuEngine::with_tiles(n, &init.draw(n, 0).unwrap(), settings, None, *p).unwrap())
        .collect();
    let mut singles: Vec<_> =
        cases.iter().map(|(_, n, _)| SingleSample::new(n, &init.draw(n, 0).unwrap()).unwrap()).collect();
    let samples: Vec<u32> = (0..1024).collect();
    let mut times = vec![Vec::new(); 4];
    let mut ones = vec![Vec::new(); 4];
    for round in 0..40 {
        for (k, engine) in engines.iter_mut().enumerate() {
            let begin = Instant::now();
            engine
                .train(&data, &StepPlan { samples: &samples, learning_rate: 0.001, first_step: round * 8 })
                .unwrap();
            times[k].push(begin.elapsed().as_secs_f64() / 8.0 * 1e3);
            let x = &data.features()[..784];
            let begin = Instant::now();
            for _ in 0..50 {
                std::hint::black_box(singles[k].logits(x).unwrap());
            }
            ones[k].push(begin.elapsed().as_secs_f64() / 50.0 * 1e6);
        }
    }
    for (k, (name, n, _)) in cases.iter().enumerate() {
        times[k].sort_by(f64::total_cmp);
        ones[k].sort_by(f64::total_cmp);
        println!(
            "{name:8} {:7} parameters  step {:.3} ms (min {:.3})  one {:.1} us",
            n.parameter_count(),
            times[k][20],
            times[k][0],
            ones[k][20]
        );
    }
}
