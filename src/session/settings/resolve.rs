//! Resolves settings: fills in defaults, and checks everything that can be checked without data.

use std::path::{Path, PathBuf};

use super::architecture::ArchitectureSettings;
use super::class_weights::ClassWeights;
use super::format::format;
use super::groups::{DataOptions, EngineOptions, KeepingOptions};
use super::recipe::{recipe, regression_loss, usual_l2};
use super::task_choice::TaskChoice;
use super::values::{BackendChoice, EventsPlace};
use super::{Preset, Settings, TestRows, TrainingShape};
use crate::dataset::table::{FitOptions, Format, Limits, ReadOptions, unquoted};
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

/// The requested data.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSettings {
    /// A folder of IDX files, or a table.
    pub path: PathBuf,
    /// The format of a table; `None` for a folder.
    #[doc(hidden)]
    pub format: Option<Format>,
    /// How a table is read and encoded.
    pub options: DataOptions,
}

impl Settings {
    /// Fills in all defaults, the preset's first.
    ///
    /// # Errors
    /// [`Error::Setting`] for a value outside its range, and for settings that do not fit together.
    pub fn resolve(&self) -> Result<RunSettings> {
        self.resolve_for(None)
    }

    /// As [`Settings::resolve`], with the preset's settings for these data.
    fn resolve_for(&self, data: Option<TrainingShape>) -> Result<RunSettings> {
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
            from: samples.from.clone(),
            architecture,
            recipe,
            augmentation: asked.training.augment.unwrap_or_default(),
            checkpoint_every: asked.keeping.checkpoint_every.unwrap_or_default(),
            patience: patience(&asked.keeping, samples.validation)?,
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
        if self.validation.is_some() { ScoredOn::Validation } else { ScoredOn::Test }
    }

    /// The same with a preset's settings for these data; none if its settings do not depend on data.
    ///
    /// # Errors
    /// As [`Settings::resolve`].
    pub(crate) fn for_data(&self, shape: TrainingShape) -> Result<Option<Self>> {
        if !self.typed.preset.preset.is_some_and(Preset::depends_on_data) {
            return Ok(None);
        }
        let mut chosen = self.typed.resolve_for(Some(shape))?;
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
fn patience(keeping: &KeepingOptions, validation: Option<Holdout>) -> Result<Option<usize>> {
    if keeping.patience_on.is_some() && keeping.patience.is_none() {
        return Err(Error::setting(Setting::PatienceOn, "needs `patience`"));
    }
    let reason = match keeping.patience {
        Some(0) => "0 is invalid, it must be at least 1",
        Some(_) if validation.is_none() => {
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

/// Replaces the path of samples that did not come from files.
const IN_MEMORY: &str = "<samples in memory>";

impl DataSettings {
    /// The record of samples that did not come from files.
    pub(crate) fn in_memory() -> Self {
        let path = PathBuf::from(IN_MEMORY);
        let options = DataOptions { data: Some(path.clone()), ..DataOptions::default() };
        Self { path, format: None, options }
    }

    /// Whether the data are a folder of pictures.
    pub(crate) fn is_folder(&self) -> bool {
        self.format.is_none() && !self.is_in_memory()
    }

    /// Whether the samples did not come from files.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.path.as_os_str() == IN_MEMORY
    }

    /// Checks all that can be checked without reading.
    ///
    /// # Errors
    /// [`Error::Setting`] for a file that is not a table, and for settings of other kinds of data.
    #[doc(hidden)]
    pub fn new(options: &DataOptions) -> Result<Self> {
        let path = options.data.clone().unwrap_or_else(|| PathBuf::from("data/fashion-mnist"));
        let format = format(&path)?;
        let strange = options.given().find(|setting| *setting != Setting::Data);
        if let (None, Some(setting)) = (format, strange) {
            let reason = format!("`{setting}` belongs to tables, {} is not a table file", path.display());
            return Err(Error::setting(Setting::Data, reason));
        }
        if options.max_categories == Some(0) {
            let reason = "0 is invalid, it must be at least 1; `drop` leaves columns out";
            return Err(Error::setting(Setting::MaxCategories, reason));
        }
        let of_one_format = [
            (
                options.labels.is_some() && format != Some(Format::Npz),
                Setting::Labels,
                Format::Npy,
                "NPY and NPZ files",
            ),
            (options.header.is_some(), Setting::Header, Format::Csv, "CSV files"),
            (options.delimiter.is_some(), Setting::Delimiter, Format::Csv, "CSV files"),
            (options.decimal.is_some(), Setting::Decimal, Format::Csv, "CSV files"),
            (options.missing.is_some(), Setting::Missing, Format::Csv, "CSV files"),
        ];
        let strange = of_one_format.iter().find(|(given, _, owner, _)| *given && format != Some(*owner));
        if let Some((_, setting, _, owner)) = strange {
            let reason = format!("cannot be used with {}, only with {owner}", path.display());
            return Err(Error::setting(*setting, reason));
        }
        let mut options = options.clone();
        // Of an archive, labels may be an array, not a file.
        let is_name = |labels: &&PathBuf| !labels.exists() && labels.extension().is_none();
        let array = options.labels.as_ref().filter(|labels| format == Some(Format::Npz) && is_name(labels));
        if let Some(name) = array.and_then(|labels| labels.to_str()) {
            options.label = Some(name.parse()?);
            options.labels = None;
        }
        Ok(Self { path, format, options })
    }

    /// How a table is read.
    pub(crate) fn reading(&self, limits: Limits) -> ReadOptions {
        let words = |list: &Vec<String>| {
            let words = unquoted(list.iter().map(String::as_str)).into_iter();
            words.map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
        };
        ReadOptions {
            header: self.options.header.unwrap_or_default(),
            delimiter: self.options.delimiter.map(|delimiter| delimiter.0),
            decimal: self.options.decimal.unwrap_or_default(),
            missing: self.options.missing.as_ref().map(words),
            limits,
            ..ReadOptions::default()
        }
    }

    /// How an encoding is fitted.
    #[must_use]
    pub(crate) fn fit(&self) -> FitOptions {
        let usual = FitOptions::default();
        let max_categories = self.options.max_categories.unwrap_or(usual.max_categories);
        let task = self.options.task.and_then(TaskChoice::task);
        FitOptions { impute: self.options.impute, max_categories, task }
    }

    /// A file of test rows, if one is named.
    #[must_use]
    pub(crate) fn test_file(&self) -> Option<&Path> {
        if let Some(TestRows::File(path)) = &self.options.test { Some(path) } else { None }
    }
}
