//! What may change when a run is resumed: where its files are, how long it trains, which engine computes it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::record::recorded_kernels;
use super::request::{EngineRequest, KernelsRequest};
use super::resumption::Resumption;
use super::settings::{BackendChoice, EngineOptions, RunSettings, Settings, TestRows, check_threads};
use crate::engine::Backend;
use crate::training::{PatienceOn, best_by, find_file};
use crate::{Error, Result, Setting};

/// Settings that may be given when a run is resumed.
const CHANGEABLE: [Setting; 12] = [
    Setting::Data,
    Setting::Labels,
    Setting::Test,
    Setting::From,
    Setting::Edges,
    Setting::Epochs,
    Setting::Patience,
    Setting::PatienceOn,
    Setting::Backend,
    Setting::Adapter,
    Setting::GpuKernels,
    Setting::Threads,
];

/// What was changed, apart from the places of files.
#[derive(Debug, Default)]
pub(super) struct Changes {
    epochs: Option<usize>,
    patience: Option<usize>,
    patience_on: Option<PatienceOn>,
    pub(super) is_patience_given: bool,
    pub(super) is_engine_given: bool,
}

impl Changes {
    fn of(asked: &Settings) -> Result<Self> {
        if let Some(strange) = asked.given().into_iter().find(|setting| !CHANGEABLE.contains(setting)) {
            return Err(Error::setting(strange, "cannot be changed when a run is resumed"));
        }
        let EngineOptions { backend, adapter, gpu_kernels, .. } = &asked.engine;
        Ok(Self {
            epochs: asked.training.epochs,
            patience: asked.keeping.patience,
            patience_on: asked.keeping.patience_on,
            is_patience_given: asked.keeping.patience.is_some(),
            is_engine_given: backend.is_some() || adapter.is_some() || gpu_kernels.is_some(),
        })
    }

    /// Whether the run gets another number of epochs.
    pub(super) fn extends(&self) -> bool {
        self.epochs.is_some()
    }

    /// The recorded settings as they would be with these changes.
    pub(super) fn applied_to(&self, mut config: Value) -> Value {
        if let Some(epochs) = self.epochs {
            config["recipe"]["epochs"] = epochs.into();
        }
        if let Some(patience) = self.patience {
            config["patience"] = patience.into();
        }
        if let Some(on) = self.patience_on {
            let other = Some(on).filter(|on| *on != PatienceOn::Score);
            config["patience_on"] = other.map(|on| on.to_string()).into();
        }
        config
    }

    fn put_into(&self, settings: &mut Settings) {
        settings.training.epochs = self.epochs.or(settings.training.epochs);
        settings.keeping.patience = self.patience.or(settings.keeping.patience);
        settings.keeping.patience_on = self.patience_on.or(settings.keeping.patience_on);
    }
}

impl Resumption {
    /// The settings of the run with the requested changes, and with the current places of its files.
    ///
    /// # Errors
    /// When a setting cannot be changed, a file cannot be found, or nothing would be left to do.
    pub(super) fn changed(&mut self, asked: &Settings) -> Result<RunSettings> {
        let mut settings = self.settings()?;
        self.changes = Changes::of(asked)?;
        self.changes.put_into(&mut settings);
        // A default is a place, too.
        let data = settings.data.data.take().or_else(|| self.config["data"].as_str().map(PathBuf::from));
        settings.data.data = self.place_of(Setting::Data, data, asked.data.data.clone())?;
        settings.data.labels =
            self.place_of(Setting::Labels, settings.data.labels.take(), asked.data.labels.clone())?;
        settings.samples.from =
            self.place_of(Setting::From, settings.samples.from.take(), asked.samples.from.clone())?;
        settings.architecture.edges =
            self.edges_now(settings.architecture.edges.take(), asked.architecture.edges.clone())?;
        settings.data.test = self.test_rows(settings.data.test.take(), asked.data.test.clone())?;
        let mut settings = settings.resolve()?;
        settings.engine = self.engine(&settings.engine, &asked.engine)?;
        self.check_length(&settings)?;
        Ok(settings)
    }

    /// The current place of a file of the run.
    fn place_of(
        &self,
        setting: Setting,
        recorded: Option<PathBuf>,
        asked: Option<PathBuf>,
    ) -> Result<Option<PathBuf>> {
        match (recorded, asked) {
            (None, Some(_)) => Err(Error::setting(setting, "cannot be changed: the run has no such file")),
            (Some(_), Some(asked)) => Ok(Some(asked)),
            (Some(recorded), None) if recorded.as_os_str().as_encoded_bytes().starts_with(b"<") => {
                Ok(Some(recorded))
            }
            (Some(recorded), None) => self.find(setting, &recorded).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn find(&self, setting: Setting, recorded: &Path) -> Result<PathBuf> {
        find_file(self.folder.path(), &self.config, setting, recorded)
    }

    fn test_rows(&self, recorded: Option<TestRows>, asked: Option<TestRows>) -> Result<Option<TestRows>> {
        match (recorded, asked) {
            (Some(TestRows::File(_)), Some(TestRows::File(asked))) => Ok(Some(TestRows::File(asked))),
            (_, Some(_)) => {
                let reason = "cannot be changed when a run is resumed, but for where its file is";
                Err(Error::setting(Setting::Test, reason))
            }
            (Some(TestRows::File(recorded)), None) => {
                self.find(Setting::Test, &recorded).map(|path| Some(TestRows::File(path)))
            }
            (recorded, None) => Ok(recorded),
        }
    }

    /// Refuses an end that the run has already passed.
    fn check_length(&self, settings: &RunSettings) -> Result<()> {
        let (done, epochs) = (self.history().len(), settings.recipe.epochs);
        let steps = match (&self.finished, &self.checkpoint) {
            (None, Some(checkpoint)) => checkpoint.state.so_far.steps,
            _ => 0,
        };
        if epochs < done {
            let reason = format!("{epochs} is less than the {done} epochs of the run so far");
            return Err(Error::setting(Setting::Epochs, reason));
        }
        if epochs == done && steps > 0 {
            let reason = format!("{epochs} is too few, the run is {steps} steps into epoch {}", done + 1);
            return Err(Error::setting(Setting::Epochs, reason));
        }
        let best = best_by(self.history(), settings.patience_on).map_or(0, |best| best.epoch);
        let since = done - best.max(self.patience_from());
        if let Some(patience) =
            settings.patience.filter(|patience| self.changes.is_patience_given && since >= *patience)
        {
            let reason = format!(
                "{patience} is too small, {since} epochs have passed without improvement since epoch {best}"
            );
            return Err(Error::setting(Setting::Patience, reason));
        }
        Ok(())
    }

    /// The engine of the run, whatever would be chosen now, unless another one is requested; its number of threads
    /// is free.
    pub(super) fn engine(&self, had: &EngineRequest, asked: &EngineOptions) -> Result<EngineRequest> {
        let (backend, threads) = (self.backend()?, check_threads(asked.threads)?);
        let adapter = match had {
            EngineRequest::Gpu { adapter, .. } => adapter.clone(),
            _ => None,
        };
        if self.changes.is_engine_given {
            let mut asked = asked.clone();
            if asked.backend.is_none() && backend == Backend::Gpu {
                asked.backend = Some(BackendChoice::Gpu);
                asked.adapter = asked.adapter.or(adapter);
            }
            return asked.resolve();
        }
        if threads.is_some() && backend != Backend::Cpu {
            let reason = format!("cannot be used here, the run uses the {backend} engine");
            return Err(Error::setting(Setting::Threads, reason));
        }
        Ok(match backend {
            Backend::Reference => EngineRequest::Reference,
            Backend::Cpu => EngineRequest::Cpu { threads: threads.or(had.threads()) },
            Backend::Gpu => {
                let recorded = recorded_kernels(self.folder.path());
                let asked = recorded.as_ref().map(|(_, kernels)| *kernels);
                EngineRequest::Gpu { adapter, kernels: KernelsRequest { asked, recorded } }
            }
        })
    }
}
