//! The memory of a forest on 60,000 pictures; alone in its process, whose peak is measured.

#![cfg(target_os = "linux")]

mod common;

use common::pictures::write_pictures;
use tanner::dataset::{Samples, load_idx_training};
use tanner::importance::forest::{ForestOptions, gini_importance_of};
use tanner::threads::Threads;

/// The training set as f32 would take 179 MiB of these.
const LIMIT_MIB: f64 = 150.0;

#[test]
fn a_forest_on_pictures_never_holds_them_as_f32() {
    let folder = tempfile::tempdir().unwrap();
    write_pictures(folder.path(), "train", 60_000);
    let start = peak_mib();
    let train = load_idx_training(folder.path()).unwrap();
    assert_eq!((train.samples(), train.feature_count()), (60_000, 784));
    let options = ForestOptions { trees: 1, seed: 0, max_rows: None };
    let pool = Threads::new(Some(2)).unwrap();
    let scores = pool.install(|| gini_importance_of(&train, &options, &|_| {})).unwrap();
    assert!((scores.iter().sum::<f64>() - 1.0).abs() <= 1e-12);
    let peak = peak_mib();
    assert!(peak <= LIMIT_MIB, "{peak} MiB");
    // The pictures alone are 45 MiB: a smaller rise would show that nothing was measured.
    assert!(peak - start >= 40.0, "{start} MiB before, {peak} MiB after");
}

/// Maximum memory that this process ever had resident.
fn peak_mib() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
