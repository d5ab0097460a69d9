//! The observer that writes what TensorBoard shows.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::event_file::{EventFile, Histogram, SummaryValue};
use super::hparams::{self, Outcome};
use super::{EpochMetrics, Metric, Observer, ScoredOn};
use crate::network::Parameters;
use crate::{Error, Result};

/// Buckets of a layer's weights; TensorBoard shows 30.
const BUCKETS: usize = 60;

/// Writes losses, accuracies, learning rate and the distribution of each layer's weights after every epoch, and what
/// the run is.
///
/// | tag | |
/// |---|---|
/// | `loss/train`, `loss/test` | mean loss, of classes the cross-entropy in nats |
/// | `accuracy/train`, `accuracy/test` | share of correct samples; other metrics by their name, such as `rmse/test` |
/// | `learning_rate`, `seconds` | of the epoch |
/// | `weights/layer_1`, .. | histogram of the weights that exist |
/// | `command`, `settings` | text: the command that repeats the run, and its settings |
/// | `connectivity`, `receptive_fields` where inputs are pixels | pictures |
///
/// The tab HPARAMS compares runs by their settings. The step is the epoch. `test` is `validation` if a held-out
/// part is scored.
#[derive(Debug)]
pub struct TensorBoard {
    events: EventFile,
    scored_on: ScoredOn,
    metric: Metric,
}

impl TensorBoard {
    /// Creates a new event file in a folder, and the folder if necessary.
    ///
    /// A resumed run passes the number of epochs that count already: what
    /// earlier files of the folder say of later epochs is dropped by TensorBoard then.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder or the file cannot be created or written.
    pub fn create(
        folder: impl AsRef<Path>,
        epochs_before: usize,
        (scored_on, metric): (ScoredOn, Metric),
    ) -> Result<Self> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let mut events = EventFile::create(folder)?;
        if epochs_before > 0 {
            events.restart(epochs_before as u64 + 1)?;
        }
        Ok(Self { events, scored_on, metric })
    }

    /// Writes what the run is: its `config.json` as hyperparameters and text, and pictures, which are PNG files.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be written.
    pub(crate) fn describe(&mut self, config: &Value, pictures: Vec<(&'static str, Vec<u8>)>) -> Result<()> {
        let [score, loss] = [self.metric.name(), "loss"].map(|what| format!("{what}/{}", self.scored_on));
        let mut values = hparams::start(config, &[&score, &loss]);
        values.extend(text("command", &config["command"]));
        values.extend(text("settings", &config["settings"]));
        let pictures = pictures.into_iter();
        values.extend(pictures.map(|(name, png)| (name.to_owned(), SummaryValue::Picture(png))));
        self.events.summaries(0, &values)
    }

    /// Writes how the run ended.
    ///
    /// # Errors
    /// As [`TensorBoard::describe`].
    pub(crate) fn ended(&mut self, outcome: Outcome) -> Result<()> {
        self.events.summaries(0, &[hparams::end(outcome)])
    }
}

/// A value as a block of code; a list of words is a command line.
fn text(name: &str, value: &Value) -> Option<(String, SummaryValue)> {
    let code = match value {
        Value::Null => return None,
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        other => serde_json::to_string_pretty(other).ok()?,
    };
    Some((name.to_owned(), SummaryValue::Text(format!("```\n{code}\n```"))))
}

impl Observer for TensorBoard {
    fn epoch_ended(&mut self, metrics: &EpochMetrics, parameters: &Parameters) -> Result<()> {
        #[expect(clippy::cast_possible_truncation, reason = "a scalar of TensorBoard is a float32")]
        let scalar = |tag: String, value: f64| (tag, SummaryValue::Scalar(value as f32));
        let scored_on = self.scored_on;
        let mut values = vec![
            scalar("loss/train".into(), metrics.train_loss),
            scalar(format!("loss/{scored_on}"), metrics.test_loss),
            scalar(format!("{}/train", self.metric), metrics.train_accuracy),
            scalar(format!("{}/{scored_on}", self.metric), metrics.test_accuracy),
            scalar("learning_rate".into(), metrics.learning_rate),
            scalar("seconds".into(), metrics.seconds),
        ];
        let moved = metrics.edges_moved.map(|moved| scalar("edges_moved".into(), moved as f64));
        values.extend(moved);
        for (number, layer) in (1..).zip(&parameters.layers) {
            let histogram = Histogram::of(&layer.weights, BUCKETS);
            let histogram = histogram.map(SummaryValue::Histogram);
            values.extend(histogram.map(|histogram| (format!("weights/layer_{number}"), histogram)));
        }
        self.events.summaries(metrics.epoch as u64, &values)
    }
}
