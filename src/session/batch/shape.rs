//! The shape and digests of a batch's data, to check finished runs.

use serde_json::Value;

use super::PlannedRun;
use crate::dataset::{DataRecord, DataSplits, Task};
use crate::edges::EndWidths;
use crate::engine::LossRule;
use crate::model::ArchitectureRecord;
use crate::session::graph_files::{digest, network_from_files};
use crate::session::record::{RunRecord, SampleCounts};
use crate::session::resumption::is_same_data;
use crate::session::settings::{InputShape, RunSettings};
use crate::{Error, Result};

/// The properties of data by which runs are compared.
#[derive(Clone, Debug)]
pub(super) struct DataShape {
    train_samples: usize,
    test_samples: usize,
    pub(super) features: InputShape,
    pub(super) classes: usize,
    pub(super) task: Task,
    /// Of training and test set.
    pub(super) digest: String,
}

impl DataShape {
    /// From the data and their record.
    pub(super) fn of(DataSplits { train, test }: &DataSplits, record: &DataRecord) -> Self {
        Self {
            train_samples: train.samples(),
            test_samples: test.samples(),
            features: train.into(),
            classes: train.targets().outputs(),
            task: train.targets().task(),
            digest: record.with_names(format!("{}-{}", train.digest(), test.digest())),
        }
    }

    /// The architecture of a run, and the digest of its graphs if they come from files.
    fn architecture(&self, settings: &RunSettings) -> Result<(ArchitectureRecord, Option<String>)> {
        let (architecture, seed) = (&settings.architecture, settings.recipe.seed);
        if let Some(network) = network_from_files(architecture, Some(self.ends()))? {
            let units = (architecture.activation(), architecture.keep_probability());
            let record = ArchitectureRecord::custom(&network, units.0, units.1, seed);
            return Ok((record, digest(architecture, &network)));
        }
        let architecture = architecture.fit_to(self.features, self.classes)?;
        Ok((ArchitectureRecord::new(&architecture, seed), None))
    }

    /// The ends that graphs from files must match.
    pub(super) fn ends(&self) -> EndWidths {
        EndWidths { features: self.features.features, classes: self.classes }
    }

    /// Refuses a finished run that had other settings or other data.
    pub(super) fn check_same(
        &self,
        PlannedRun { settings, folder, .. }: &PlannedRun,
        config: &Value,
    ) -> Result<()> {
        // As the run did when it had read its data; the loss of a model to continue from is only in that model.
        let recorded = settings.from.as_ref().and_then(|_| recorded_loss(config));
        let mut settings = settings.clone();
        settings.fit_to_task(self.task, recorded)?;
        let settings = &settings;
        let limited = settings.train_limit.unwrap_or(usize::MAX).min(self.train_samples);
        let held_out = settings.validation.map(|holdout| holdout.count_of(limited)).transpose()?;
        let samples = SampleCounts {
            train: limited - held_out.unwrap_or(0),
            test: held_out.unwrap_or(self.test_samples),
        };
        let (record, edges_sha256) = self.architecture(settings)?;
        let recorded = config["data_sha256"].as_str().filter(|then| is_same_data(then, &self.digest));
        let record = RunRecord::new(settings, &record, samples, recorded.or(Some(&self.digest)))
            .with_edges(edges_sha256);
        // The data may have moved: they have a digest. A saved model has none.
        let from = settings.from.as_ref().map_or(Value::Null, |from| from.display().to_string().into());
        let difference = match record.difference_from(config) {
            Ok(None) if from != config["from"] => Ok(Some("from".into())),
            difference => difference,
        };
        let folder = folder.display();
        match difference {
            Ok(None) => Ok(()),
            Ok(Some(key)) => Err(Error::OtherRun(format!(
                "{folder} holds a finished run with a different {key}: give the settings that it was made with, or another `out`"
            ))),
            Err(error) => Err(Error::OtherRun(format!("the settings of {folder}: {error}"))),
        }
    }
}

/// The loss of a finished run.
fn recorded_loss(config: &Value) -> Option<LossRule> {
    serde_json::from_value(config["recipe"]["loss"].clone()).ok()
}
