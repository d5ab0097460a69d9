//! Model files: an error, or a usable model that has the same bytes when written again.
#![no_main]

mod chance;
mod container;
mod promises;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use tanner::inference::Predictor;
use tanner::model::TrainedModel;

fuzz_target!(|bytes: &[u8]| {
    let bound = (1 << 20) + 64 * bytes.len();
    let Some(model) = promises::kept(bound, || TrainedModel::from_bytes(bytes)) else { return };
    let written = model.to_bytes().expect("a model that was read");
    let again = TrainedModel::from_bytes(&written).expect("a model that was written");
    assert_eq!(again.to_bytes().expect("a model that was read"), written);
    let sample = vec![0.25; model.preprocessing().input_features()];
    let predictor = Predictor::new(model, Some(1)).expect("a model that was read");
    // Weights may be so large that logits overflow, which is also reported as an error.
    if let Err(error) = predictor.predict(&sample) {
        promises::one_line(&error);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    container::mutate(data, size, max_size, seed)
});
