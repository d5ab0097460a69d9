//! Trains on samples in memory, saves the model, and scores it on unseen samples.
//!
//! `cargo run --release --no-default-features --features train --example own_data`

use std::ops::ControlFlow;

use tanner::prelude::*;

fn main() -> tanner::Result<()> {
    let (train, test) = rings()?.holdout(Holdout::Share(0.25), 0)?;
    let run = Classifier::new()
        .hidden([32, 32])
        .density(0.3)
        .activation(Activation::Tanh)
        .importance(Importance::Variance)
        .epochs(60)
        .batch_size(16)
        .fit(&train, Some(&test), |_| ControlFlow::Continue(()))?;

    let path = std::env::temp_dir().join("tanner-rings.safetensors");
    run.model.save(&path)?;
    let predictor = Predictor::new(TrainedModel::load(&path)?, None)?;
    let scores = Scores::new(&predictor.predict(test.features())?, test.labels())?;
    println!("{}: {} of {} right", path.display(), scores.correct, scores.samples);
    println!("confusion {:?}, log-loss {:.3}", scores.confusion, scores.log_loss);
    Ok(())
}

/// 600 points in the plane; the class says which of three rings around the origin a point is on.
fn rings() -> tanner::Result<Dataset> {
    let (mut features, mut labels) = (Vec::new(), Vec::new());
    for k in 0u16..600 {
        let ring = k % 3;
        let angle = f32::from(k) * 2.399_963; // the golden angle spreads points evenly
        let radius = f32::from(ring + 1) + 0.2 * (f32::from(k * 7 % 11) / 11.0 - 0.5);
        features.extend([radius * angle.cos(), radius * angle.sin()]);
        labels.push(u32::from(ring));
    }
    Dataset::new(features, 2, labels, 3)
}
