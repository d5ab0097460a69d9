//! Resolves settings: fills in defaults, and checks everything that can be checked without data.

use std::path::PathBuf;

use super::architecture::ArchitectureSettings;
use super::class_weights::ClassWeights;
use super::data_settings::DataSettings;
use super::groups::{EngineOptions, KeepingOptions};
use super::recipe::{recipe, regression_loss, usual_l2};
use super::values::{BackendChoice, EventsPlace};
use super::{Preset, Settings, TrainingShape};
use crate::dataset::{Augmentation, Holdout};
use crate::engine::LossRule;
use crate::importance::{ImportanceSettings, NumberEncoding, NumberForm};
use crate::model::{Arch, TrainedModel};
use crate::session::{EngineRequest, KernelsRequest};
use crate::training::{CheckpointEvery, PatienceOn, Recipe, ScoredOn};
use crate::{Error, Result, Setting};

/// More threads than any machine has cores.
const MAX_THREADS: usize = 1024;

/// A training run: consistent [`Settings`] with all defaults filled in.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// The request.
    pub asked: Settings,
    /// The same without the preset.
    pub(crate) typed: Settings,
    /// The preset, as far as it is known without data.
    pub(crate) preset: Preset,
    /// Which data.
    pub data: DataSettings,
    /// Number of training samples, if not all are used.
    pub train_limit: Option<usize>,
    /// Score on a held-out part of the training set instead of the test set.
    pub validation: Option<Holdout>,
    /// Whether the data come with samples that are there to choose by, in place of test samples.
    pub(crate) has_validation_set: bool,
    /// A saved model to continue from; it decides importance and architecture.
    pub from: Option<PathBuf>,
    /// How inputs are standardised and ordered.
    pub importance: ImportanceSettings,
    /// The network.
    #[doc(hidden)]
    pub architecture: ArchitectureSettings,
    /// How it is trained.
    pub recipe: Recipe,
    /// Augmentation of training pictures.
    pub augmentation: Augmentation,
    /// When to save checkpoints.
    pub checkpoint_every: CheckpointEvery,
    /// Epochs without a better validation accuracy after which the run ends.
    pub patience: Option<usize>,
    /// What must improve.
    #[doc(hidden)]
    pub patience_on: PatienceOn,
    /// The loss of regression, if it was requested.
    pub(crate) loss: Option<LossRule>,
    /// How much each class counts.
    pub(crate) class_weight: Option<ClassWeights>,
    /// A score; the time of reaching it is recorded.
    #[doc(hidden)]
    pub target: Option<f64>,
    /// The engine.
    pub engine: EngineRequest,
    /// Folder of the run.
    pub out: Option<PathBuf>,
    /// Where to write an event file for TensorBoard, if requested.
    #[doc(hidden)]
    pub tensorboard: Option<EventsPlace>,
}

impl Settings {
    /// Fills in all defaults, the preset's first.
    ///
    /// # Errors
    /// [`Error::Setting`] for a value outside its range, and for settings that do not fit together.
    pub fn resolve(&self) -> Result<RunSettings> {
        self.resolve_for(None, false)
    }

    /// As [`Settings::resolve`], for data in memory whose second part is no test set: epochs may be chosen by it.
    ///
    /// # Errors
    /// As [`Settings::resolve`]; and with `validation`.
    #[doc(hidden)]
    pub fn resolve_with_validation_set(&self) -> Result<RunSettings> {
        if self.samples.validation.is_none() {
            return self.resolve_for(None, true);
        }
        let reason =
            "holds out training samples, but there are others to score epochs on: choose one of both";
        Err(Error::setting(Setting::Validation, reason))
    }

    /// As [`Settings::resolve`], with the preset's settings for these data.
    fn resolve_for(&self, data: Option<TrainingShape>, has_validation_set: bool) -> Result<RunSettings> {
        self.check_either()?;
        let mut typed = self.clone();
        typed.unify_importance();
        let (asked, preset) = typed.clone().with_preset(data);
        let samples = &asked.samples;
        if samples.train_limit == Some(0) {
            return Err(Error::setting(Setting::TrainLimit, "0 is invalid, it must be at least 1"));
        }
        let architecture = ArchitectureSettings::new(&asked.architecture)?;
        let importance = asked
            .importance
            .clone()
            .fitting(architecture.arch, asked.architecture.importance_power.unwrap_or(0.0))?;
        if importance.numbers == Some(NumberForm::Piecewise)
            && let Some(arch) = [Arch::Sc2d, Arch::Custom].into_iter().find(|arch| architecture.arch == *arch)
        {
            let what =
                if arch == Arch::Custom { "`edges`, whose graphs have" } else { "`arch` sc2d, which has" };
            let reason =
                format!("piecewise cannot be used with {what} one input for each feature: take scaled");
            return Err(Error::setting(Setting::Numbers, reason));
        }
        let recipe = recipe(&asked.training, &architecture)?;
        Ok(RunSettings {
            importance: importance.resolve(recipe.seed)?,
            data: DataSettings::new(&asked.data)?,
            train_limit: samples.train_limit,
            validation: samples.validation,
            has_validation_set,
            from: samples.from.clone(),
            architecture,
            recipe,
            augmentation: asked.training.augment.unwrap_or_default(),
            checkpoint_every: asked.keeping.checkpoint_every.unwrap_or_default(),
            patience: patience(&asked.keeping, has_validation_set || samples.validation.is_some())?,
            patience_on: asked.keeping.patience_on.unwrap_or_default(),
            loss: regression_loss(asked.training.loss)?,
            class_weight: asked.training.class_weight.clone(),
            target: asked.keeping.target.map(|target| target.0),
            engine: asked.engine.resolve()?,
            out: asked.output.out.clone(),
            tensorboard: asked.output.tensorboard.clone(),
            asked,
            typed,
            preset,
        })
    }
}

impl RunSettings {
    /// The samples that the run is scored on.
    #[must_use]
    pub(crate) fn scored_on(&self) -> ScoredOn {
        let chooses = self.validation.is_some() || self.has_validation_set;
        if chooses { ScoredOn::Validation } else { ScoredOn::Test }
    }

    /// The same with a preset's settings for these data; none if its settings do not depend on data.
    ///
    /// # Errors
    /// As [`Settings::resolve`].
    pub(crate) fn for_data(&self, shape: TrainingShape) -> Result<Option<Self>> {
        if !self.typed.preset.preset.is_some_and(Preset::depends_on_data) {
            return Ok(None);
        }
        let mut chosen = self.typed.resolve_for(Some(shape), self.has_validation_set)?;
        chosen.asked.data = self.asked.data.clone();
        let (data, engine, out) = (self.data.clone(), self.engine.clone(), self.out.clone());
        Ok(Some(Self { data, engine, out, ..chosen }))
    }

    /// Takes over the settings that a saved model decides.
    pub(crate) fn continue_from(&mut self, model: &TrainedModel) {
        let fitted = model.preprocessing();
        self.importance = ImportanceSettings {
            order: fitted.order(),
            standardize: fitted.standardisation().is_some(),
            numbers: fitted.numbers().map_or(NumberForm::Plain, NumberEncoding::form),
            ..ImportanceSettings::new(fitted.importance())
        };
        self.architecture.of_arch(model.record().arch);
        self.recipe.penalties.l2 = self.asked.training.l2.unwrap_or(usual_l2(model.record().arch));
    }
}

/// Patience needs samples that are neither trained on nor reported.
fn patience(keeping: &KeepingOptions, has_validation: bool) -> Result<Option<usize>> {
    if keeping.patience_on.is_some() && keeping.patience.is_none() {
        return Err(Error::setting(Setting::PatienceOn, "needs `patience`"));
    }
    let reason = match keeping.patience {
        Some(0) => "0 is invalid, it must be at least 1",
        Some(_) if !has_validation => {
            "needs `validation`: stopping where the test accuracy looks best would make it too good"
        }
        fitting => return Ok(fitting),
    };
    Err(Error::setting(Setting::Patience, reason))
}

/// Refuses an unreasonable number of threads.
///
/// # Errors
/// [`Error::Setting`] for 0 and for more than 1024.
pub fn check_threads(given: Option<usize>) -> Result<Option<usize>> {
    match given {
        Some(count) if !(1..=MAX_THREADS).contains(&count) => {
            let reason = format!("{count} is invalid, it must be 1 to {MAX_THREADS}");
            Err(Error::setting(Setting::Threads, reason))
        }
        fitting => Ok(fitting),
    }
}

impl EngineOptions {
    /// Validates the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that do not apply to the requested engine.
    #[doc(hidden)]
    pub fn resolve(&self) -> Result<EngineRequest> {
        let backend = self.backend.unwrap_or(BackendChoice::Auto);
        let (threads, adapter) = (check_threads(self.threads)?, self.adapter.clone());
        let kernels = KernelsRequest { asked: self.gpu_kernels, ..KernelsRequest::default() };
        let strange = |setting: Setting, owners: &str| {
            let reason = format!("cannot be used with this `backend`, only with {owners}");
            Err(Error::setting(setting, reason))
        };
        let on_host = matches!(backend, BackendChoice::Cpu | BackendChoice::Reference);
        match (backend, &adapter, threads) {
            _ if on_host && self.gpu_kernels.is_some() => strange(Setting::GpuKernels, "gpu and auto"),
            _ if on_host && adapter.is_some() => strange(Setting::Adapter, "gpu and auto"),
            (BackendChoice::Gpu | BackendChoice::Reference, _, Some(_)) => {
                strange(Setting::Threads, "cpu and auto")
            }
            (BackendChoice::Auto, Some(_), Some(_)) => {
                Err(Error::setting(Setting::Threads, "cannot be used with `adapter`, which selects a GPU"))
            }
            // A named adapter excludes falling back to the CPU.
            (BackendChoice::Gpu, ..) | (BackendChoice::Auto, Some(_), None) => {
                Ok(EngineRequest::Gpu { adapter, kernels })
            }
            (BackendChoice::Auto, None, _) => Ok(EngineRequest::Auto { threads, kernels }),
            (BackendChoice::Cpu, ..) => Ok(EngineRequest::Cpu { threads }),
            (BackendChoice::Reference, ..) => Ok(EngineRequest::Reference),
        }
    }
}
