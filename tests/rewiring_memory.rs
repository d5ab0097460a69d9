//! How much more memory a run takes if edges move; alone in its process, whose allocations are counted.

use std::ops::ControlFlow;

use peak_alloc::PeakAlloc;
use tanner::dataset::Dataset;
use tanner::prelude::*;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Peak megabytes of a run of a wide network on few samples; nearly all depend on the edges.
fn peak(more: &str) -> f32 {
    let noise =
        |place: u32| f32::from(u16::try_from(place.wrapping_mul(2_654_435_761) >> 16).unwrap()) / 65536.0;
    let samples = |count: u32, first: u32| {
        let features = (0..count * 32).map(|place| noise(place + first)).collect();
        Dataset::new(features, 32, (0..count).map(|sample| sample % 4).collect(), 4).unwrap()
    };
    let (train, test) = (samples(64, 0), samples(32, 5000));
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "arch = \"rsp\"\nhidden = [2000, 2000]\ndegree = 200\nimportance = \"none\"\noptimizer = \"adam\"\nbatch-size = 16\n\
         epochs = 3\nbackend = \"cpu\"\nthreads = 2\ncheckpoint-every = \"1steps\"\nout = \"{}\"\n{more}",
        folder.path().join("run").display()
    );
    let settings = Settings::from_toml(&text).unwrap();
    MEMORY.reset_peak_usage();
    let keep_training = |_: &EpochMetrics| ControlFlow::Continue(());
    let run = Classifier::with(settings).fit(&train, Some(&test), keep_training).unwrap();
    assert_eq!(run.history.iter().any(|epoch| epoch.edges_moved.unwrap_or(0) > 0), !more.is_empty());
    MEMORY.peak_usage_as_mb()
}

#[test]
fn moving_edges_takes_less_than_1_3_times_the_memory() {
    peak("");
    let still = peak("");
    for rule in ["set", "rigl", "percolate"] {
        let moving = peak(&format!("rewire = \"{rule}\"\nrewire-end = 1"));
        println!("{rule}: {moving} MB, without {still} MB");
        assert!(moving < 1.3 * still, "{rule}: {moving} MB, without {still} MB");
    }
}
