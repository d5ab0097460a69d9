//! Uses a saved model: without GPU, command line or training.
//!
//! `cargo run --release --no-default-features --features inference --example inference_only -- MODEL`
//!
//! With these features, neither training nor wgpu nor clap is built.

use std::process::ExitCode;

use tanner::engine::SingleSample;
use tanner::inference::Predictor;
use tanner::model::TrainedModel;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("name a model file, for example runs/NAME/model.safetensors");
        return ExitCode::from(2);
    };
    match run(path.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(path: &std::path::Path) -> tanner::Result<()> {
    let model = TrainedModel::load(path)?;
    let sample = vec![0.5; model.preprocessing().input_features()];

    // One sample at a time with the lowest latency ...
    let mut forward = SingleSample::new(model.network(), model.parameters())?;
    println!("logits {:.3?}", forward.logits(&model.preprocessing().apply(&sample)?)?);

    // ... or many at once on all cores.
    let predictor = Predictor::new(model, None)?;
    let predictions = predictor.predict(&sample.repeat(1000))?;
    println!("class {} with probabilities {:.3?}", predictions.label(999), predictions.of(999));
    Ok(())
}
