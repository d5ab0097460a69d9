//! Use of a trained model: from raw features to classes and probabilities, and their scores.
//!
//! A [`Predictor`] runs a [`TrainedModel`] on the CPU; its [`Predictions`] are
//! logits and probabilities. [`Scores`] compares them with labels. Nothing here
//! needs a GPU.

pub(crate) mod metrics;
mod number_scores;
mod predictions;
mod scores;
mod task_scores;

use std::sync::Arc;

use crate::dataset::table::Limits;
use crate::dataset::{Augmentation, Dataset, Targets, Task, View};
use crate::engine::cpu::CpuEngine;
use crate::engine::{EngineSettings, Optimizer};
use crate::model::TrainedModel;
use crate::{Error, Result};

#[doc(hidden)]
pub use metrics::{AtThreshold, ThresholdTable};
#[doc(hidden)]
pub use number_scores::{LabelScores, MultiLabelScores, RegressionScores, TargetScores};
pub use predictions::Predictions;
pub use scores::{ClassScores, Scores};
#[doc(hidden)]
pub use task_scores::TaskScores;

/// Samples that are preprocessed together: enough for all threads, few compared with the data.
const PART: usize = 8192;

/// Runs a trained model on raw features.
///
/// A sample's predictions do not depend on the number of threads. With PCA their last bits can
/// depend on other samples, see [`Preprocessing::apply`](crate::importance::Preprocessing::apply).
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
    /// Views of each picture over which predictions are averaged; empty without averaging.
    views: Vec<View>,
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
        Ok(Self { model: Arc::new(model), engine: Arc::new(engine), views: Vec::new() })
    }

    /// Averages the logarithms of the probabilities over views of each picture: unchanged and shifted by up to `shift` pixels
    /// along a side, each also mirrored with `flip`. The time of a prediction grows with the number of views.
    ///
    /// # Errors
    /// [`Error::Setting`] when the model was not trained on pictures, or the shift is too large for them.
    pub fn averaging(self, over: &Augmentation) -> Result<Self> {
        let views = over.views(self.model.data().image_shape)?;
        Ok(Self { views, ..self })
    }

    /// Number of views of a picture per prediction.
    #[doc(hidden)]
    #[must_use]
    pub fn views(&self) -> usize {
        self.views.len().max(1)
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &TrainedModel {
        &self.model
    }

    /// Predicts rows of a table, each given as (column, text). The model's encoding of columns, categories and missing
    /// values turns them into features, as for a CSV file. A category that training did not see counts as none of the known ones.
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
    /// [`Error::Table`] naming the column that is unknown, missing or repeated, a text where training had numbers, a missing
    /// value if the model does not fill it, and when there is no row; [`Error::Dataset`] when the model was not trained on
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
    /// [`Error::Dataset`] when there is no sample, when their length is not a multiple of the model's number of features,
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
            if !self.views.is_empty() {
                logits.extend(self.averaged(values)?);
                continue;
            }
            logits.extend(self.logits(values)?);
        }
        Predictions::of_model(logits, classes, self.model.data())
    }

    /// The logits of some samples, `[sample][class]`.
    fn logits(&self, features: &[f32]) -> Result<Vec<f32>> {
        let (width, classes) = (self.model.preprocessing().input_features(), self.model.network().classes());
        let prepared = self.model.preprocessing().apply(features)?;
        let samples = features.len() / width;
        // The engine does not look at them.
        let targets = match self.model.data().task {
            Task::Classification => Targets::Classes { labels: vec![0; samples], count: classes },
            task => Targets::Numbers { task, values: vec![0.0; samples * classes], count: classes },
        };
        self.engine.logits(&Dataset::with_targets(prepared, self.model.network().inputs(), targets)?)
    }

    /// The mean logarithms of the probabilities over all views, `[sample][class]`; of other tasks the mean outputs.
    fn averaged(&self, features: &[f32]) -> Result<Vec<f32>> {
        let (width, classes) = (self.model.preprocessing().input_features(), self.model.network().classes());
        let mut mean = vec![0.0; features.len() / width * classes];
        for view in &self.views {
            let logits = self.logits(&view.of(features, width))?;
            let samples = mean.chunks_mut(classes).zip(logits.chunks(classes));
            for (mean, logits) in samples {
                let is_of_classes = self.model.data().task == Task::Classification;
                let normaliser = if is_of_classes { predictions::log_sum_exp(logits) } else { 0.0 };
                for (mean, logit) in mean.iter_mut().zip(logits) {
                    *mean += (f64::from(*logit) - normaliser) / self.views.len() as f64;
                }
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "logits are f32")]
        Ok(mean.into_iter().map(|value: f64| value as f32).collect())
    }
}

#[cfg(test)]
mod tests;
