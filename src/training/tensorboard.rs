//! The observer that writes what TensorBoard shows.

use std::fs;
use std::path::Path;

use super::event_file::{EventFile, Histogram, SummaryValue};
use super::{EpochMetrics, Observer, ScoredOn};
use crate::network::Parameters;
use crate::{Error, Result};

/// Buckets of a layer's weights; TensorBoard shows 30.
const BUCKETS: usize = 60;

/// Writes losses, accuracies, learning rate and the distribution of each layer's weights after every epoch.
///
/// | tag | |
/// |---|---|
/// | `loss/train`, `loss/test` | mean cross-entropy in nats |
/// | `accuracy/train`, `accuracy/test` | share of correct samples |
/// | `learning_rate`, `seconds` | of the epoch |
/// | `weights/layer_1`, .. | histogram of the weights that exist |
///
/// The step is the epoch. `test` is `validation` where a held-out part is scored.
#[derive(Debug)]
pub struct TensorBoard {
    events: EventFile,
    scored_on: ScoredOn,
}

impl TensorBoard {
    /// Makes a new event file in a folder, which is made where it is not there.
    ///
    /// A run that goes on after an interruption gives the number of epochs that count already: what
    /// earlier files of the folder say of later epochs is dropped by TensorBoard then.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder or the file cannot be made or written to.
    pub fn create(folder: impl AsRef<Path>, epochs_before: usize, scored_on: ScoredOn) -> Result<Self> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let mut events = EventFile::create(folder)?;
        if epochs_before > 0 {
            events.restart(epochs_before as u64 + 1)?;
        }
        Ok(Self { events, scored_on })
    }
}

impl Observer for TensorBoard {
    fn epoch_ended(&mut self, metrics: &EpochMetrics, parameters: &Parameters) -> Result<()> {
        #[expect(clippy::cast_possible_truncation, reason = "a scalar of TensorBoard is a float32")]
        let scalar = |tag: String, value: f64| (tag, SummaryValue::Scalar(value as f32));
        let scored_on = self.scored_on;
        let mut values = vec![
            scalar("loss/train".into(), metrics.train_loss),
            scalar(format!("loss/{scored_on}"), metrics.test_loss),
            scalar("accuracy/train".into(), metrics.train_accuracy),
            scalar(format!("accuracy/{scored_on}"), metrics.test_accuracy),
            scalar("learning_rate".into(), metrics.learning_rate),
            scalar("seconds".into(), metrics.seconds),
        ];
        for (number, layer) in (1..).zip(&parameters.layers) {
            let histogram = Histogram::of(&layer.weights, BUCKETS);
            let histogram = histogram.map(SummaryValue::Histogram);
            values.extend(histogram.map(|histogram| (format!("weights/layer_{number}"), histogram)));
        }
        self.events.summaries(metrics.epoch as u64, &values)
    }
}
