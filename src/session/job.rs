//! The input and the result of a training run.

use std::path::{Path, PathBuf};

use super::data::Data;
use super::facts::DataFacts;
use super::resumption::Resumption;
use super::settings::{DataSettings, RunSettings};
use crate::dataset::Dataset;
use crate::error::AskedBy as _;
use crate::model::TrainedModel;
use crate::topology::Topology;
use crate::training::{Ending, EpochMetrics, Observer, PastRun, Summary};
use crate::{Error, Result, Setting};

/// A run that is about to begin: its settings, and what the caller provides.
pub struct TrainingJob<'a> {
    pub(super) settings: RunSettings,
    pub(super) data: Option<Data>,
    pub(super) topologies: Option<&'a [Topology]>,
    pub(super) observers: Vec<&'a mut dyn Observer>,
    pub(super) is_kept: bool,
    /// Whether there are samples to score it on.
    pub(super) is_scored: bool,
    /// A model to continue from, in place of the one that the settings name.
    pub(super) start: Option<TrainedModel>,
    /// Digests of the data, for a run of a batch.
    pub(super) data_sha256: Option<String>,
    /// What is known of the data, once they are there.
    pub(super) facts: Option<DataFacts>,
    /// Where a run resumes.
    pub(super) resumption: Option<Resumption>,
}

impl<'a> TrainingJob<'a> {
    /// A run in a new folder, on the data that its settings name.
    #[must_use]
    pub fn new(settings: RunSettings) -> Self {
        Self {
            settings,
            data: None,
            topologies: None,
            observers: Vec::new(),
            is_kept: true,
            is_scored: true,
            start: None,
            data_sha256: None,
            facts: None,
            resumption: None,
        }
    }

    /// Trains on these data; settings of data are ignored, and the record of the run says so.
    #[must_use]
    pub fn on(mut self, data: Data) -> Self {
        self.settings.data = DataSettings::in_memory();
        self.settings.asked.data = self.settings.data.options.clone();
        self.data = Some(data);
        self
    }

    /// Uses these graphs for the hidden layers, starting at the inputs, and adds a layer of logits.
    #[must_use]
    pub fn over(mut self, topologies: &'a [Topology]) -> Self {
        self.topologies = Some(topologies);
        self
    }

    /// Adds an observer.
    #[must_use]
    pub fn observed_by(mut self, observer: &'a mut dyn Observer) -> Self {
        self.observers.push(observer);
        self
    }

    /// Draws no conclusion from scores: there are no samples to score it on, and any will do.
    #[doc(hidden)]
    #[must_use]
    pub fn unscored(mut self) -> Self {
        self.is_scored = false;
        self
    }

    /// Continues from this model, which decides importance and architecture.
    #[doc(hidden)]
    #[must_use]
    pub fn continuing(mut self, model: TrainedModel) -> Self {
        self.start = Some(model);
        self
    }

    /// The model to continue from, if any.
    pub(super) fn take_start(&mut self) -> Result<Option<TrainedModel>> {
        if let Some(model) = self.start.take() {
            return Ok(Some(model));
        }
        self.settings.from.as_deref().map(TrainedModel::load).transpose().asked_by(Setting::From)
    }

    /// The samples of its scores, if it has any.
    pub(super) fn scored<'d>(&self, test: &'d Dataset) -> Option<&'d Dataset> {
        Some(test).filter(|_| self.is_scored)
    }

    /// Writes nothing, unless the settings name a folder.
    #[doc(hidden)]
    #[must_use]
    pub fn kept_in_memory(mut self) -> Self {
        self.is_kept = self.settings.out.is_some();
        self
    }
}

/// The result of training.
#[derive(Clone, Debug)]
pub struct TrainedRun {
    /// The model after the last epoch.
    pub model: TrainedModel,
    /// The model of the best epoch, if that is not the last one and there is no folder.
    #[doc(hidden)]
    pub best: Option<TrainedModel>,
    /// One entry for each epoch.
    pub history: Vec<EpochMetrics>,
    /// How the run ended; a stopped run can be resumed from its folder.
    pub ending: Ending,
    /// The summary of a run that was not stopped.
    pub summary: Option<Summary>,
    /// Requested number of epochs.
    pub epochs_planned: usize,
    /// The run folder, if there is one.
    pub folder: Option<PathBuf>,
    /// What may help a run that has learned nothing.
    #[doc(hidden)]
    pub tip: Option<&'static str>,
}

impl TrainedRun {
    /// The results of a finished run in its folder.
    pub(super) fn of_folder(folder: &Path, summary: Summary) -> Result<Self> {
        let past = PastRun::read(folder)?;
        let model = past.model().unwrap_or_else(|| {
            Err(Error::OtherRun(format!("the finished run in {} no longer has a model", folder.display())))
        })?;
        let ending = if summary.stopped_early { Ending::OutOfPatience } else { Ending::Completed };
        let folder = Some(folder.to_owned());
        let recorded = past.setting("/recipe/epochs").cloned().map(serde_json::from_value);
        let epochs_planned = recorded.and_then(std::result::Result::ok).unwrap_or(past.history.len());
        Ok(Self {
            model,
            best: None,
            history: past.history,
            ending,
            summary: Some(summary),
            epochs_planned,
            folder,
            tip: None,
        })
    }
}
