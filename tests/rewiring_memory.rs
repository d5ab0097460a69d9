//! How much memory moving edges takes, compared with a run whose edges stay; alone in its process, whose allocations are
//! counted.

use std::ops::ControlFlow;

use peak_alloc::PeakAlloc;
use tanner::dataset::Dataset;
use tanner::prelude::*;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Megabytes at the peak of a run of a wide network on few samples, nearly all of which follow the edges.
fn peak(settings: &str) -> f32 {
    let noise =
        |place: u32| f32::from(u16::try_from(place.wrapping_mul(2_654_435_761) >> 16).unwrap()) / 65536.0;
    let samples = |count: u32, first: u32| {
        let features = (0..count * 32).map(|place| noise(place + first)).collect();
        let labels = (0..count).map(|sample| sample % 4).collect();
        Dataset::new(features, 32, labels, 4).unwrap().with_image_shape([4, 8]).unwrap()
    };
    let (train, test) = (samples(64, 0), samples(32, 5000));
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "importance = \"none\"\noptimizer = \"adam\"\nbatch-size = 16\nepochs = 3\nbackend = \"cpu\"\nthreads = 2\n\
         out = \"{}\"\n{settings}",
        folder.path().join("run").display()
    );
    let parsed = Settings::from_toml(&text).unwrap();
    MEMORY.reset_peak_usage();
    let proceed = |_: &EpochMetrics| ControlFlow::Continue(());
    let run = Classifier::with(parsed).fit(&train, Some(&test), proceed).unwrap();
    let moved = run.history.iter().any(|epoch| epoch.edges_moved.unwrap_or(0) > 0);
    assert_eq!(moved, settings.contains("rewire"));
    MEMORY.peak_usage_as_mb()
}

#[test]
fn moving_edges_takes_about_1_3_times_the_memory_at_most() {
    // Single edges and whole micro-blocks, with a checkpoint after each step and with none before the end.
    let edges = "arch = \"rsp\"\nhidden = [2000, 2000]\ndegree = 200\n";
    let blocks = "arch = \"sc2d\"\ngrid = \"4x8x64,4x8x64\"\nreach = 4\nfan-in = [30, 300]\n";
    peak(edges);
    // Edges are nearly all that these runs hold in memory. With real data, large networks of every kind stay below 1.28; here
    // blocks without a checkpoint, whose own peak is lowest, need a little more than 1.3.
    for (network, most) in [(edges, [1.3, 1.3]), (blocks, [1.3, 1.35])] {
        for (checkpoints, most) in
            ["checkpoint-every = \"1steps\"\n", "checkpoint-every = \"1000s\"\n"].into_iter().zip(most)
        {
            let still = peak(&format!("{network}{checkpoints}"));
            for rule in ["set", "rigl", "percolate"] {
                let settings = format!("{network}{checkpoints}rewire = \"{rule}\"\nrewire-end = 1\n");
                let moving = peak(&settings);
                println!("{settings}{moving} MB, without {still} MB, {:.2}\n", moving / still);
                assert!(moving < most * still, "{settings}{moving} MB, without {still} MB");
            }
        }
    }
}
