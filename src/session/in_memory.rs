//! Tables in memory: what a run trains on, and what a model predicts.

use super::Session;
use super::data::{Data, with_warnings};
use super::settings::DataOptions;
use super::tables::{encoding_of, limits};
use crate::dataset::table::{FitOptions, Table, TableEncoding};
use crate::dataset::{DataRecord, DataSplits, Dataset, KnownTargets};
use crate::model::TrainedModel;
use crate::{Error, Result};

/// Makes a table that has the columns of an encoding.
type MakeTable<'a> = &'a dyn Fn(&TableEncoding) -> Result<Table>;

#[doc(hidden)]
impl Session<'_> {
    /// The data of a run on a table in memory, and on another one for its scores; without that the run needs
    /// [`TrainingJob::unscored`](super::TrainingJob::unscored).
    ///
    /// # Errors
    /// When a table cannot be encoded, or does not fit its targets.
    pub fn data_in_memory(
        &self,
        table: Table,
        known: KnownTargets,
        test: Option<(MakeTable<'_>, KnownTargets)>,
        options: &DataOptions,
    ) -> Result<Data> {
        let usual = FitOptions::default();
        let max_categories = options.max_categories.unwrap_or(usual.max_categories);
        let fit = FitOptions { impute: options.impute, max_categories, task: None };
        let (train, record) = DataRecord::learn_known(table, known, fit, options.picture)?;
        let mut warnings = Vec::new();
        let test = match (test, &record.encoding) {
            (Some((make, known)), Some(encoding)) => {
                let (samples, lines) = with_warnings(record.known_samples(make(encoding)?, known)?);
                warnings.extend(lines);
                samples
            }
            _ => first(&train)?,
        };
        Ok(Data { splits: DataSplits { train, test }, record, warnings })
    }

    /// The same for a run that continues a model.
    ///
    /// # Errors
    /// As [`Session::data_in_memory`]; when the targets are not those of the model.
    pub fn data_in_memory_for(
        &self,
        model: &TrainedModel,
        train: (MakeTable<'_>, KnownTargets),
        test: Option<(MakeTable<'_>, KnownTargets)>,
    ) -> Result<Data> {
        let record = model.data();
        let Some(encoding) = &record.encoding else {
            return Err(Error::Dataset("the model was not trained on a table".into()));
        };
        let mut warnings = Vec::new();
        let mut samples = |(make, known): (MakeTable<'_>, KnownTargets)| -> Result<Dataset> {
            if known.names != model.output_names() {
                let reason = "the targets differ from those that the model was trained on";
                return Err(Error::Dataset(reason.into()));
            }
            let (samples, lines) = with_warnings(record.known_samples(make(encoding)?, known)?);
            warnings.extend(lines);
            Ok(samples)
        };
        let train = samples(train)?;
        let test = test.map(samples).transpose()?.map_or_else(|| first(&train), Ok)?;
        Ok(Data { splits: DataSplits { train, test }, record: record.clone(), warnings })
    }

    /// The features of a table in memory, `[row][feature]`, for a model.
    ///
    /// # Errors
    /// When the table does not fit the model.
    pub fn features_in_memory(&self, model: &TrainedModel, make: MakeTable<'_>) -> Result<Vec<f32>> {
        let encoding = encoding_of(model);
        Ok(self.samples(model.data().features(make(&encoding)?, &encoding, &limits())?))
    }
}

/// The first sample, for a run that is not scored.
fn first(train: &Dataset) -> Result<Dataset> {
    let targets = train.targets().first();
    let one = Dataset::with_targets(train.sample(0).to_vec(), train.feature_count(), targets)?;
    train.image_shape().map_or(Ok(one.clone()), |shape| one.with_image_shape(shape))
}
