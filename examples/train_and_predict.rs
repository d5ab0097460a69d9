//! Trains on vectors, stops from the callback, saves; `inference_only` loads the file without the training code.
//!
//! `cargo run --release --example train_and_predict -- model.safetensors`
//! `cargo run --release --no-default-features --features inference --example inference_only -- model.safetensors`

use std::ops::ControlFlow;

use tanner::prelude::*;

fn main() -> tanner::Result<()> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| "model.safetensors".into());
    // 300 samples of 4 features; the class is the sign of the sum of the first two.
    let features: Vec<f32> = (0..300 * 4).map(|k| ((k * 37 % 101) as f32) / 50.0 - 1.0).collect();
    let labels: Vec<u32> = features.chunks(4).map(|s| u32::from(s[0] + s[1] > 0.0)).collect();
    let data = Dataset::new(features, 4, labels, 2)?;
    let good_enough = |epoch: &EpochMetrics| {
        println!("epoch {}: {:.1} %", epoch.epoch, 100.0 * epoch.test_accuracy);
        if epoch.test_accuracy > 0.95 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let classifier = Classifier::preset(Preset::Small).class_names(["below", "above"]);
    let run = classifier.fit(&data, None, good_enough)?;
    run.model.save(&path)?;
    println!("{} parameters after {} epochs", run.model.network().parameter_count(), run.history.len());
    Ok(())
}
