//! Use of a trained model: from raw features to classes and their probabilities, and how good they are.
//!
//! A [`Predictor`] runs a [`TrainedModel`] on the CPU; its [`Predictions`] are
//! logits and probabilities. [`Scores`] compares them with labels. Nothing here
//! needs a GPU.

mod predictions;
mod scores;

use std::sync::Arc;

use crate::dataset::Dataset;
use crate::dataset::table::Limits;
use crate::engine::cpu::CpuEngine;
use crate::engine::{EngineSettings, Optimizer};
use crate::model::TrainedModel;
use crate::{Error, Result};

pub use predictions::Predictions;
pub use scores::{ClassScores, Scores};

/// Samples that are preprocessed together: enough for all threads, little beside the data themselves.
const PART: usize = 8192;

/// Runs a trained model on raw features.
///
/// A sample's predictions do not depend on the number of threads. With PCA their last bits can
/// depend on the samples beside it, see [`Preprocessing::apply`](crate::importance::Preprocessing::apply).
///
/// ```no_run
/// use tanner::inference::Predictor;
/// use tanner::model::TrainedModel;
///
/// # fn main() -> tanner::Result<()> {
/// let predictor = Predictor::new(TrainedModel::load("model.safetensors")?, None)?;
/// let predictions = predictor.predict(&[0.5; 784])?;
/// println!("class {}, probabilities {:?}", predictions.label(0), predictions.of(0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Predictor {
    model: Arc<TrainedModel>,
    engine: Arc<CpuEngine>,
}

impl Predictor {
    /// Packs a model for the CPU; `threads` defaults to all cores.
    ///
    /// # Errors
    /// [`Error::Setting`] when threads cannot be started.
    pub fn new(model: TrainedModel, threads: Option<usize>) -> Result<Self> {
        // Nothing is trained, so any settings will do.
        let settings = EngineSettings::new(Optimizer::Sgd, 1, 0);
        let engine = CpuEngine::new(model.network(), model.parameters(), settings, threads)?;
        Ok(Self { model: Arc::new(model), engine: Arc::new(engine) })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &TrainedModel {
        &self.model
    }

    /// Predicts rows of a table, each given as (column, text): what the model has learned of columns, categories and missing
    /// values turns them into features, as it does with a CSV file. A category that training did not see is none of those known.
    ///
    /// ```no_run
    /// # fn main() -> tanner::Result<()> {
    /// # let model = tanner::model::TrainedModel::load("model.safetensors")?;
    /// # let predictor = tanner::inference::Predictor::new(model, None)?;
    /// let row = [("petal length", "1.4"), ("petal width", "0.2"), ("colour", "blue")];
    /// let class = predictor.predict_rows([row])?.label(0);
    /// println!("{}", predictor.model().class_names()[class as usize]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Table`] naming the column that is unknown, missing or there twice, a text where training had numbers, a missing
    /// value where the model fills none, and when there is no row; [`Error::Dataset`] when the model was not trained on
    /// a table with names of columns.
    pub fn predict_rows<Row, Name, Text>(&self, rows: impl IntoIterator<Item = Row>) -> Result<Predictions>
    where
        Row: IntoIterator<Item = (Name, Text)>,
        Name: AsRef<str>,
        Text: AsRef<str>,
    {
        let Some(encoding) = self.model.data().encoding.as_ref().filter(|encoding| encoding.named) else {
            let reason = "the model was not trained on a table with names of columns, predict its features";
            return Err(Error::Dataset(reason.into()));
        };
        let mut table = encoding.table_of_rows(rows)?;
        if table.rows() == 0 {
            return Err(table.refused("no rows"));
        }
        self.predict(&encoding.encode(&mut table, &Limits::default())?.features)
    }

    /// Predicts the classes of samples whose raw `features` are `[sample][feature]`, row-major.
    ///
    /// # Errors
    /// [`Error::Dataset`] when there is no sample, when their length is no multiple of the model's number of features,
    /// or one of them is not a finite number.
    pub fn predict(&self, features: &[f32]) -> Result<Predictions> {
        let (width, classes) = (self.model.preprocessing().input_features(), self.model.network().classes());
        if features.is_empty() || !features.len().is_multiple_of(width) {
            return Err(Error::Dataset(format!(
                "{} feature values cannot be predicted, it must be a multiple of {width}, the model's number of features",
                features.len()
            )));
        }
        let mut logits = Vec::with_capacity(features.len() / width * classes);
        for (part, values) in features.chunks(PART * width).enumerate() {
            if let Some(place) = values.iter().position(|value| !value.is_finite()) {
                let sample = part * PART + place / width;
                return Err(Error::Dataset(format!(
                    "feature {} of sample {sample} is {}, but every feature must be a finite number",
                    place % width,
                    values[place]
                )));
            }
            let prepared = self.model.preprocessing().apply(values)?;
            let labels = vec![0; values.len() / width];
            let inputs = self.model.network().inputs();
            logits.extend(self.engine.logits(&Dataset::new(prepared, inputs, labels, classes)?)?);
        }
        Predictions::new(logits, classes)
    }
}

#[cfg(test)]
mod tests;
