//! Predictions of a saved model without the command line: raw features in, probabilities out.
//!
//!     cargo run --release --example probabilities -- model.safetensors < features.f32 > probabilities.f32
//!
//! Features are little-endian float32, `[sample][feature]`; probabilities come likewise, `[sample][class]`.

use std::error::Error;
use std::io::{Read, Write, stdin, stdout};
use std::path::PathBuf;

use tanner::inference::Predictor;
use tanner::model::TrainedModel;

fn main() -> Result<(), Box<dyn Error>> {
    let path: PathBuf = std::env::args_os().nth(1).ok_or("name a model file")?.into();
    let predictor = Predictor::new(TrainedModel::load(&path)?, None)?;
    let mut bytes = Vec::new();
    stdin().read_to_end(&mut bytes)?;
    let (values, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(format!("{} bytes are no whole number of float32 values", bytes.len()).into());
    }
    let features: Vec<f32> = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let predictions = predictor.predict(&features)?;
    let bytes: Vec<u8> = predictions.probabilities().iter().flat_map(|p| p.to_le_bytes()).collect();
    stdout().write_all(&bytes)?;
    Ok(())
}
