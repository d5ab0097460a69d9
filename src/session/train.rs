//! One training run, from data to a model and, optionally, a run folder.

use std::sync::Arc;

use super::Session;
use super::data::Data;
use super::engine::OpenedEngine;
use super::facts::{DataFacts, Origin};
use super::graph_files;
use super::job::{TrainedRun, TrainingJob};
use super::places::{run_folder, tensorboard};
use super::record::{AbsolutePaths, Digests, RunConfig, RunRecord, SampleCounts};
use super::reporter::RunPreview;
use super::request::EnginePurpose;
use super::resumption::{self, Resumption};
use super::settings::{EventsPlace, Preset, RunSettings, Settings, TrainingShape};
use super::start::Start;
use super::verdict::OneAnswer;
use crate::dataset::{DataSplits, Dataset};
use crate::error::AskedBy as _;
use crate::files::check_folder;
use crate::model::{Arch, TrainedModel};
use crate::text::grouped;
use crate::topology::Region;
use crate::training::{
    self, AugmentedData, Ending, Majority, Metric, Observer, Outcome, Recorder, RunFacts, RunFolder,
    TrainOptions, Trained, TrainingData, TrainingState, now,
};
use crate::{Error, Result, Setting, paper, threads};

impl Session<'_> {
    /// Trains a job, writing files as it goes.
    ///
    /// # Errors
    /// Before anything is written: settings that do not fit the data or the machine. Later [`Error::Training`], with
    /// the complete epochs.
    pub fn train(&self, mut job: TrainingJob<'_>) -> Result<TrainedRun> {
        let _entered = threads::enter(job.settings.engine.threads())?;
        let opening = self.opening(&job.settings.engine);
        let saved = job.take_start()?;
        if let Some(model) = &saved {
            job.settings.continue_from(model);
        }
        let data = self.data_of(&mut job, saved.as_ref())?;
        Self::choose_recipe(&mut job, &data.splits.train, saved.as_ref())?;
        let (DataSplits { train, test }, record) = self.weighed(&mut job.settings, data, saved.as_ref())?;
        let metric = Metric::of_task(record.task);
        let settings = &job.settings;
        // Everything that can fail comes before the run folder is created.
        let start = self.start(&job, saved, [&train, &test])?;
        let is_papers =
            settings.architecture.arch == Arch::Sc && settings.architecture.hidden == paper::HIDDEN;
        if settings.data.format.is_some() && is_papers {
            self.note("tip: these are the widths of the paper's network; `preset` table is made for tables");
        }
        let data_digest = resumption::data_identity(&train, &test, &record);
        let engine_settings = settings.recipe.engine_settings();
        let subject = (start.network(), start.parameters(), engine_settings);
        let mut opened = self
            .engine_of(opening, subject, EnginePurpose::Steps)
            .map_err(|error| resumption::without_engine(error, job.resumption.as_ref()))?;
        let samples = SampleCounts { train: train.samples(), test: test.samples() };
        let model = self.prepared(start, settings, &train, samples.train + samples.test, record)?;
        let alone = if job.is_scored { None } else { OneAnswer::of(&train) };
        let train_set = training_data(settings, train, &model)?;
        // Before any edge moves.
        let regions = if settings.recipe.rewire.is_some() { self.regions(&model) } else { Vec::new() };
        let test_set = Arc::new(model.prepare(test)?);
        if let Some(EventsPlace::Below(logs)) = &settings.tensorboard {
            check_folder(logs).asked_by(Setting::Tensorboard)?;
        }
        let place = job.resumption.as_ref().map(Resumption::place);
        let (mut recorder, state, patience_from) =
            self.recorder(&mut job, model, &opened, samples, data_digest)?;
        if let Some(facts) =
            job.facts.as_ref().filter(|_| job.settings.data.is_folder() && job.data_sha256.is_none())
        {
            self.report_data(&Origin::default(), facts, job.settings.scored_on());
        }
        if let Some(line) = job.settings.preset_line(samples.train) {
            self.note(line);
        }
        self.announce(&opened);
        self.announce_run(&job.settings, &recorder, samples, place.as_deref());
        let preview = RunPreview {
            epochs: job.settings.recipe.epochs,
            samples: samples.train,
            scored_on: job.settings.scored_on(),
            metric,
            history: recorder.history(),
            folder: recorder.folder().map(RunFolder::path),
            is_one_of_many: job.data_sha256.is_some(),
        };
        // Kept until the summary is written, because until then something can be lost.
        let mut watcher = self.reporter.watch(&preview);
        let observers = (&mut recorder, &mut watcher);
        let trained = self.steps(
            &mut job,
            &mut opened,
            observers,
            (train_set, &test_set),
            (state, patience_from, regions),
        );
        self.finish(&job.settings, recorder, trained, (job.scored(&test_set), alone))
    }

    /// Takes the preset's settings for these data, where they depend on data.
    fn choose_recipe(job: &mut TrainingJob<'_>, train: &Dataset, saved: Option<&TrainedModel>) -> Result<()> {
        let Some(mut chosen) = job.settings.for_data(TrainingShape::of(train))? else { return Ok(()) };
        if let Some(model) = saved {
            chosen.continue_from(model);
        }
        job.settings = chosen;
        Ok(())
    }

    /// The initial network of a job.
    fn start(
        &self,
        job: &TrainingJob<'_>,
        saved: Option<TrainedModel>,
        data: [&Dataset; 2],
    ) -> Result<Start> {
        let settings = &job.settings;
        let start = match (saved, job.topologies) {
            (Some(model), _) => Start::saved(model, settings, data)?,
            (None, Some(_)) if settings.architecture.edges().is_some() => {
                let reason = "cannot be used with graphs passed to the session";
                return Err(Error::setting(Setting::Edges, reason));
            }
            (None, Some(topologies)) => Start::over(topologies, settings, data)?,
            (None, None) => {
                let resumption = job.resumption.as_ref();
                let start = Start::from_files(settings, data)
                    .map_err(|error| Resumption::with_copy(resumption, error))?;
                if let Some(start) = start {
                    if let Some(resumption) = resumption {
                        resumption.check_edges(&settings.architecture, start.network())?;
                    }
                    self.warn_of_unreached_neurons(start.network());
                    return Ok(start);
                }
                let fit = || self.preprocessing(&settings.importance, data[0]);
                let (start, architecture) = Start::new(settings, data, fit)?;
                self.warn_of_unused_importance(settings);
                self.note_mirrored_pictures(settings);
                self.warn_of_far_edges(&architecture, start.network());
                self.warn_of_size(&settings.architecture, start.network());
                start
            }
        };
        self.warn_of_constant_neurons(start.network());
        Ok(start)
    }

    /// The data of a job.
    fn data_of(&self, job: &mut TrainingJob<'_>, saved: Option<&TrainedModel>) -> Result<Data> {
        let settings = &job.settings;
        let (mut data, origin) = match (job.data.take(), saved) {
            (Some(data), _) => (data, None),
            (None, Some(model)) => {
                let splits = self.load_for(model, &settings.data)?;
                (Data { splits, record: model.data().clone(), warnings: Vec::new() }, None)
            }
            (None, None) => {
                let raw = self.read(&settings.data)?;
                let origin = raw.origin();
                (self.split_data(raw, &settings.data, settings.recipe.seed)?, Some(origin))
            }
        };
        data.splits = split(settings, data.splits)?;
        let facts = |origin| DataFacts::new(origin, &data.record, &data.splits.train, &data.splits.test);
        let found = facts(origin.as_ref().unwrap_or(&Origin::default()));
        // Pictures are reported with the run, for there is less to be wrong with them.
        if let Some(origin) = origin.as_ref().filter(|_| settings.data.format.is_some()) {
            self.report_data(origin, &found, settings.scored_on());
        }
        data.warnings.drain(..).for_each(|line| self.warn(line));
        job.facts = Some(found);
        Ok(data)
    }

    /// The recorder of a run, in a new folder or in that of a run to resume, and where it resumes.
    fn recorder(
        &self,
        job: &mut TrainingJob<'_>,
        model: TrainedModel,
        opened: &OpenedEngine,
        samples: SampleCounts,
        data: String,
    ) -> Result<(Recorder, Option<TrainingState>, usize)> {
        let (settings, info) = (&job.settings, opened.engine.info());
        let facts = RunFacts {
            process_start: self.start,
            engine: info.clone(),
            seed: settings.recipe.seed,
            scored_on: settings.scored_on(),
            scoring: model.scoring(),
            target: settings.target,
            train_samples: samples.train,
            test_samples: samples.test,
            majority: job
                .facts
                .as_ref()
                .and_then(DataFacts::majority)
                .map(|(class, share)| Majority { class: class.into(), share }),
        };
        let edges_sha256 = graph_files::digest(&settings.architecture, model.network());
        let run = RunRecord::new(settings, model.record(), samples, job.data_sha256.as_deref())
            .with_edges(edges_sha256);
        let digests = Digests { start: model.digest(), data };
        if let Some(resumption) = job.resumption.take() {
            return self.resume_recorder(resumption, settings, &run, opened, (model.clone(), facts, digests));
        }
        if !job.is_kept {
            return Ok((Recorder::in_memory(model, facts), None, 0));
        }
        let folder = run_folder(settings)?;
        let asked = with_kernels(&settings.asked, opened.kernels.as_deref());
        graph_files::keep(&folder, &settings.architecture, model.network())?;
        let command = ["tanner".to_owned(), "train".to_owned()].into_iter().chain(asked.to_flags());
        folder.write_config(&RunConfig {
            run,
            tanner_version: env!("CARGO_PKG_VERSION"),
            started_at: now(),
            absolute_paths: AbsolutePaths::of(settings),
            digests: digests.clone(),
            command: command.collect(),
            data_facts: job.facts.as_ref(),
            backend: info.backend,
            adapter: &info.adapter,
            gpu_kernels: opened.kernels.as_deref(),
            preset: Some(settings.preset).filter(|preset| *preset != Preset::None),
            settings: &asked,
        })?;
        let identity = resumption::identity(&folder, digests)?;
        Ok((Recorder::new(folder, model, facts, identity), None, 0))
    }

    /// All steps, with all observers.
    fn steps(
        &self,
        job: &mut TrainingJob<'_>,
        opened: &mut OpenedEngine,
        (recorder, watcher): (&mut Recorder, &mut Option<Box<dyn Observer + '_>>),
        (train, test): (Box<dyn TrainingData>, &Arc<Dataset>),
        (state, patience_from, regions): (Option<TrainingState>, usize, Vec<Region>),
    ) -> Result<Trained> {
        let settings = &job.settings;
        let scoring = recorder.model().scoring();
        let pictures = || self.reporter.pictures(recorder.model());
        let mut tensorboard = tensorboard(settings, recorder, pictures)?;
        let mut observers: Vec<&mut dyn Observer> = vec![recorder];
        observers.extend(watcher.as_mut().map(|watcher| &mut **watcher as &mut dyn Observer));
        observers.extend(tensorboard.as_mut().map(|board| board as &mut dyn Observer));
        observers.extend(job.observers.iter_mut().map(|observer| &mut **observer as &mut dyn Observer));
        let options = TrainOptions {
            resume_from: state,
            stop: self.stop,
            checkpoint_every: Some(settings.checkpoint_every),
            patience: settings.patience,
            patience_on: settings.patience_on,
            patience_from,
            scored_on: settings.scored_on(),
            scoring,
            regions,
        };
        let trained =
            training::train_with(&mut *opened.engine, &settings.recipe, train, test, &mut observers, options);
        if let Some(board) = &mut tensorboard {
            let outcome = match &trained {
                Ok(Trained { ending: Ending::Stopped { .. }, .. }) => Outcome::Running,
                Ok(_) => Outcome::Success,
                Err(_) => Outcome::Failure,
            };
            // Next to the error of a failed run, that of its event file is irrelevant.
            board.ended(outcome).or_else(|error| trained.is_err().then_some(()).ok_or(error))?;
        }
        trained
    }

    /// Reports the size of a run, and its folder.
    fn announce_run(
        &self,
        settings: &RunSettings,
        recorder: &Recorder,
        samples: SampleCounts,
        place: Option<&str>,
    ) {
        let model = recorder.model();
        let parameters = model.network().parameter_count();
        let saved = 100.0 * (1.0 - parameters as f64 / model.dense_parameter_count() as f64);
        // Dense networks save nothing.
        let saved =
            if saved < 0.005 { String::new() } else { format!(", {saved:.2} % fewer than fully connected") };
        self.note(format!(
            "network: {} with {} parameters{saved}; {} training and {} {} samples",
            settings.architecture.arch,
            grouped(parameters),
            grouped(samples.train),
            grouped(samples.test),
            settings.scored_on()
        ));
        if let Some(folder) = recorder.folder() {
            let place = place.map_or_else(String::new, |place| format!(", {place}"));
            self.note(format!("run: {}{place}", folder.path().display()));
        }
    }
}

/// The settings that repeat the run, independent of kernel measurements.
fn with_kernels(asked: &Settings, kernels: Option<&str>) -> Settings {
    let mut asked = asked.clone();
    if let Some(kernels) = kernels.and_then(|kernels| kernels.parse().ok()) {
        asked.engine.gpu_kernels = Some(kernels);
    }
    asked
}

/// The preprocessed training samples, the same every epoch or augmented.
fn training_data(
    settings: &RunSettings,
    train: Dataset,
    model: &TrainedModel,
) -> Result<Box<dyn TrainingData>> {
    if settings.augmentation.is_none() {
        return Ok(Box::new(Arc::new(model.prepare(train)?)));
    }
    let (recipe, preprocessing) = (&settings.recipe, model.preprocessing().clone());
    let train = model.data().scaled(train)?;
    Ok(Box::new(AugmentedData::new(train, preprocessing, settings.augmentation, recipe.seed, recipe.epochs)?))
}

/// The samples to train on and to score on: the test set, or a held-out part of the training set.
pub(super) fn split(settings: &RunSettings, mut splits: DataSplits) -> Result<DataSplits> {
    if let Some(limit) = settings.train_limit {
        splits.train = splits.train.head(limit).asked_by(Setting::TrainLimit)?;
    }
    if let Some(holdout) = settings.validation {
        let held_out =
            splits.train.into_holdout(holdout, settings.recipe.seed).asked_by(Setting::Validation)?;
        (splits.train, splits.test) = held_out;
    }
    Ok(splits)
}
