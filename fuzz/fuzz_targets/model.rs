//! Model files: an error, or a model that can be used.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanner::inference::Predictor;
use tanner::model::TrainedModel;

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = TrainedModel::from_bytes(bytes) else { return };
    let sample = vec![0.25; model.preprocessing().input_features()];
    let predictor = Predictor::new(model, Some(1)).expect("a model that was read");
    // Weights may be so large that logits overflow: that is told, too.
    let _ = predictor.predict(&sample);
});
