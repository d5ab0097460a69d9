//! One run of a batch: its data and its training.

use std::time::Instant;

use super::{Batch, DataShape, FolderContent, PlannedRun, RunKernels, lock, to_be_removed};
use crate::dataset::{DataRecord, TargetRecord, Targets, Task};
use crate::importance::{ImportanceSettings, NumberEncoding, NumberForm};
use crate::inference::Predictor;
use crate::model::TrainedModel;
use crate::session::data::{Data, RawData};
use crate::session::job::{TrainedRun, TrainingJob};
use crate::session::record::recorded_kernels;
use crate::session::reporter::OneOfMany;
use crate::session::settings::{Preset, RunSettings, Settings, TrainingShape};
use crate::session::train::split;
use crate::session::{Resumption, Session};
use crate::training::{Ending, RunFolder, Summary};
use crate::{Error, Result, Setting, threads};

/// What became of a run.
pub(crate) enum Attempt {
    /// Another process works on it.
    Elsewhere,
    /// It was already finished.
    Before(Box<Summary>),
    /// It is finished now.
    Finished(Box<Summary>),
    /// It was stopped before its end, and can be resumed.
    Stopped,
    /// It failed, or its folder is damaged.
    Failed(Error),
}

/// Refuses presets that follow from the data: the settings of a run are compared before its data are read.
///
/// # Errors
/// [`Error::Setting`] with the remedy.
pub(super) fn check_preset(settings: &Settings) -> Result<()> {
    match settings.preset.preset {
        Some(preset) if preset.depends_on_data() => {
            let reason = format!(
                "{preset} follows from the data and is not for batches: take small, tanner, paper or none"
            );
            Err(Error::setting(Setting::Preset, reason))
        }
        _ => Ok(()),
    }
}

/// What decides which samples of its data a run trains on.
fn split_key(RunSettings { recipe, validation, train_limit, data, .. }: &RunSettings) -> String {
    let test = data.options.test.as_ref().map(ToString::to_string);
    format!("{} {test:?} {validation:?} {train_limit:?}", recipe.seed)
}

/// The model of a run's last epoch.
const MODEL: &str = "model.safetensors";

impl PlannedRun {
    /// Whether the model of its last epoch is there.
    pub(crate) fn has_model(&self) -> bool {
        self.folder.join(MODEL).exists()
    }

    /// Removes the models of a finished run; its summary stays.
    pub(crate) fn remove_models(&self) {
        for name in [MODEL, "best.safetensors"] {
            // What is not there need not be removed.
            let _ = std::fs::remove_file(self.folder.join(name));
        }
    }
}

impl Batch<'_> {
    /// A run in the folder of the batch.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that do not fit together.
    pub(crate) fn planned(&self, name: String, mut settings: Settings) -> Result<PlannedRun> {
        let folder = self.runs.join(&name);
        settings.output.out = Some(folder.clone());
        let follows_from_data = settings.preset.preset.is_some_and(Preset::depends_on_data);
        let mut run = PlannedRun { name, settings: settings.resolve()?, folder };
        if follows_from_data {
            // As the run will choose, so that it can be compared with a finished one.
            run.settings = run.settings.for_data(self.training_shape(&run)?)?.unwrap_or(run.settings);
        }
        Ok(run)
    }

    /// What presets need to know of the training samples of a run.
    fn training_shape(&self, run: &PlannedRun) -> Result<TrainingShape> {
        let key = split_key(&run.settings);
        if let Some(shape) = self.training_shapes.borrow().get(&key) {
            return Ok(*shape);
        }
        let shape = TrainingShape::of(&split(&run.settings, self.data(run)?.splits)?.train);
        self.training_shapes.borrow_mut().insert(key, shape);
        Ok(shape)
    }

    /// The number of inputs of a run's network, if its numbers are cut into pieces.
    fn encoded_width(&self, run: &PlannedRun) -> Result<Option<usize>> {
        let ImportanceSettings { numbers, bins, .. } = run.settings.importance;
        if numbers != NumberForm::Piecewise {
            return Ok(None);
        }
        let key = format!("{} {bins:?}", split_key(&run.settings));
        if let Some(width) = self.encoded_widths.borrow().get(&key) {
            return Ok(Some(*width));
        }
        let _entered = threads::enter(run.settings.engine.threads())?;
        let train = split(&run.settings, self.data(run)?.splits)?.train;
        let fitted = NumberEncoding::fit(numbers, bins, train.features(), train.feature_count());
        let width = fitted.map_or(train.feature_count(), |encoding| encoding.outputs());
        self.encoded_widths.borrow_mut().insert(key, width);
        Ok(Some(width))
    }

    /// The number of features of a run's data, after the encoding of numbers.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub(crate) fn features(&self, run: &PlannedRun) -> Result<usize> {
        Ok(self.shape(run)?.features.features)
    }

    /// What is predicted from a run's data.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub(crate) fn task(&self, run: &PlannedRun) -> Result<Task> {
        Ok(self.shape(run)?.task)
    }

    /// Refuses a network that cannot be built for the data.
    ///
    /// # Errors
    /// With the setting that is at fault.
    pub(crate) fn check_fits(&self, run: &PlannedRun) -> Result<()> {
        let (shape, architecture) = (self.shape(run)?, &run.settings.architecture);
        if architecture.edges().is_some() {
            return Ok(());
        }
        let built = architecture.fit_to(shape.features, shape.classes)?.build(run.settings.recipe.seed);
        built.map(drop).map_err(|error| architecture.blame(error))
    }

    /// How wrong the last model of a finished run is about each sample that the run was scored on, `[sample]`: 0 or 1 of classes
    /// and several labels, the squared error of numbers. That of several numbers is the mean, in deviations.
    ///
    /// # Errors
    /// When the model cannot be read.
    pub(crate) fn errors(&self, run: &PlannedRun) -> Result<Vec<f64>> {
        let _entered = threads::enter(run.settings.engine.threads())?;
        let scored = split(&run.settings, self.data(run)?.splits)?.test;
        let model = TrainedModel::load(run.folder.join(MODEL))?;
        let predictor = Predictor::new(model, run.settings.engine.threads())?;
        let predictions = predictor.predict(scored.features())?;
        let (targets, records) = (scored.targets(), &predictor.model().data().targets);
        let error = |sample: usize| match targets {
            Targets::Classes { labels, .. } => f64::from(predictions.label(sample) != labels[sample]),
            Targets::Numbers { task: Task::Regression, count, .. } => {
                let values = scored.target(sample).iter().zip(predictions.values_of(sample)).zip(records);
                let square = |((value, predicted), record): ((&f32, &f64), &TargetRecord)| {
                    let unit = if *count == 1 { 1.0 } else { record.deviation };
                    ((f64::from(*value) - predicted) / unit).powi(2)
                };
                values.map(square).sum::<f64>() / *count as f64
            }
            Targets::Numbers { count, .. } => {
                let logits = &predictions.logits()[sample * count..][..*count];
                let mut labels = scored.target(sample).iter().zip(logits);
                f64::from(labels.any(|(label, logit)| (*label > 0.5) != (*logit > 0.0)))
            }
        };
        Ok((0..scored.samples()).map(error).collect())
    }

    /// A line about a run; a run without a label has none.
    fn say(&self, label: &str, text: &str) {
        if !label.is_empty() {
            self.session.note(format!("{label}: {text}"));
        }
    }

    /// Trains or resumes a run, unless it is finished or another process works on it.
    ///
    /// # Errors
    /// When it is a finished run with other settings or other data.
    pub(crate) fn attempt(&self, run: &PlannedRun, label: &str) -> Result<Attempt> {
        let _lock = match lock(&run.folder) {
            Ok(Some(lock)) => lock,
            Ok(None) => return Ok(Attempt::Elsewhere),
            Err(error) => return Ok(Attempt::Failed(error)),
        };
        // Read before their folder is removed.
        let kernels = recorded_kernels(&run.folder);
        let trained = match self.found(run)? {
            FolderContent::Finished(summary) => return Ok(Attempt::Before(summary)),
            FolderContent::Damaged(error) => Err(to_be_removed(run, error)),
            FolderContent::Unfinished => self.resume_run(run, label, kernels),
        };
        Ok(match trained {
            Ok(TrainedRun { summary: Some(summary), .. }) => Attempt::Finished(Box::new(summary)),
            Ok(TrainedRun { ending: Ending::Stopped { .. }, .. }) => Attempt::Stopped,
            Ok(_) => Attempt::Failed(Error::OtherRun(format!("{} ended without a summary", run.name))),
            Err(error) => Attempt::Failed(error),
        })
    }

    /// A run from its last checkpoint, or from the start if none fits, to the same bits.
    pub(super) fn resume_run(
        &self,
        run: &PlannedRun,
        label: &str,
        kernels: RunKernels,
    ) -> Result<TrainedRun> {
        if let Ok(resumption @ Resumption { checkpoint: Some(_), .. }) = Resumption::open(&run.folder) {
            self.say(label, &resumption.place());
            match self.train(run, kernels.clone(), Some(resumption)) {
                Err(error @ Error::OtherRun(_)) => {
                    self.say(label, &format!("starts over, {error}"));
                }
                trained => return trained,
            }
        }
        RunFolder::remove_unfinished(&run.folder).map_err(|error| to_be_removed(run, error))?;
        self.say(label, "started");
        self.train(run, kernels, None)
    }

    fn train(&self, run: &PlannedRun, kernels: RunKernels, from: Option<Resumption>) -> Result<TrainedRun> {
        let quiet = self.quiet();
        let session = self.session_of_run(&quiet);
        let mut settings = run.settings.clone();
        settings.engine = settings.engine.with_recorded(kernels);
        let data_sha256 = Some(self.shape(run)?.digest);
        let data = Some(self.data(run)?);
        session.train(TrainingJob { data, data_sha256, resumption: from, ..TrainingJob::new(settings) })
    }

    /// The reporter of runs.
    fn quiet(&self) -> OneOfMany<'_> {
        OneOfMany { reporter: self.session.reporter, warned: &self.warned, is_trial: self.is_search }
    }

    /// The session of a run.
    fn session_of_run<'b>(&'b self, reporter: &'b OneOfMany<'b>) -> Session<'b> {
        Session {
            reporter,
            start: Instant::now(),
            cache: self.session.cache.clone(),
            #[cfg(feature = "gpu")]
            device: self.session.device.clone(),
            ..*self.session
        }
    }

    /// The data of all runs.
    pub(super) fn raw(&self) -> Result<&RawData> {
        self.raw_after(|_| Ok(()))
    }

    /// The same after a check, before anything is reported about them.
    pub(super) fn raw_after(&self, check: impl FnOnce(&RawData) -> Result<()>) -> Result<&RawData> {
        if let Some(raw) = self.raw.get() {
            return Ok(raw);
        }
        let raw = self.session.read(&self.data)?;
        check(&raw)?;
        self.session.report_raw(&raw, &self.data)?;
        Ok(self.raw.get_or_init(|| raw))
    }

    /// The data of one run.
    pub(super) fn data(&self, run: &PlannedRun) -> Result<Data> {
        let quiet = self.quiet();
        let session = self.session_of_run(&quiet);
        session.split_data(self.raw()?.clone(), &run.settings.data, run.settings.recipe.seed)
    }

    /// The shape of the data of a run, as its network takes them.
    pub(super) fn shape(&self, run: &PlannedRun) -> Result<DataShape> {
        let mut shape = self.raw_shape(run)?;
        if let Some(width) = self.encoded_width(run)? {
            shape.features = width.into();
        }
        Ok(shape)
    }

    fn raw_shape(&self, run: &PlannedRun) -> Result<DataShape> {
        let seeded = self.raw()?.is_seeded(&run.settings.data);
        let test = || run.settings.data.options.test.as_ref().map(ToString::to_string).unwrap_or_default();
        let key = if seeded { (run.settings.recipe.seed, test()) } else { (0, String::new()) };
        if let Some(shape) = self.shapes.borrow().get(&key) {
            return Ok(shape.clone());
        }
        let _entered = threads::enter(run.settings.engine.threads())?;
        let shape = match self.raw()? {
            RawData::Idx(splits) => DataShape::of(splits, &DataRecord::default()),
            RawData::Table(..) => {
                let data = self.data(run)?;
                DataShape::of(&data.splits, &data.record)
            }
        };
        self.shapes.borrow_mut().insert(key, shape.clone());
        Ok(shape)
    }
}
