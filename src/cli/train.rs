//! `tanner train`: from data to a run folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use tanner::Error;
use tanner::dataset::{DataSplits, Dataset, load_idx_folder};
use tanner::engine::EngineInfo;
use tanner::files::check_folder;
use tanner::importance::ImportanceSettings;
use tanner::model::{Arch, TrainedModel};
use tanner::network::{Architecture, Network};
use tanner::report::{grouped, learning_curve};
use tanner::training::{
    self, AugmentedData, Observer, Recorder, RunFacts, RunFolder, Summary, TensorBoard, TrainingData,
};

use super::args::TrainArgs;
use super::gpu_kernels::{Kernels, Use};
use super::opening::Opening;
use super::progress::{Epochs, ProgressReport};
use super::report_args::EventsPlace;
use super::run_config::{RunConfig, RunRecord, Samples};
use super::settings::TrainSettings;
use super::start::Start;
use super::{starved, terminal};

/// Trains, writing as it goes.
pub(crate) fn run(process_start: Instant, args: &TrainArgs, words: &[OsString]) -> anyhow::Result<()> {
    let mut settings = TrainSettings::new(args)?;
    use_threads(settings.engine.threads());
    let opening = Opening::of(&settings.engine);
    let saved = settings.from.as_deref().map(TrainedModel::load).transpose()?;
    if let Some(model) = &saved {
        settings.go_on_from(model, args);
    }
    let splits = load(&settings)?;
    let words = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let report = Report { process_start, words, epochs: Epochs::Lines, data_sha256: None };
    let (summary, folder) = train(&settings, saved, splits, opening, report)?;
    print_summary(&summary, &folder)
}

/// What a run says of itself while and after it goes on.
pub(super) struct Report {
    /// Seconds count from here.
    pub(super) process_start: Instant,
    /// The command line that gives the same run.
    pub(super) words: Vec<String>,
    /// How epochs are shown.
    pub(super) epochs: Epochs,
    /// Digests of the data, where the run is one of many.
    pub(super) data_sha256: Option<String>,
}

/// One run from data to a whole run folder; the settings say where. `opening` is of their engine.
pub(super) fn train(
    settings: &TrainSettings,
    saved: Option<TrainedModel>,
    splits: DataSplits,
    opening: Opening,
    report: Report,
) -> anyhow::Result<(Summary, PathBuf)> {
    let DataSplits { train, test } = splits;
    // Everything that can fail does so before the run folder is made.
    let recipe = &settings.recipe;
    let start = match saved {
        Some(model) => Start::saved(model, settings, &train, &test)?,
        None => Start::new(settings, &train, &test)?,
    };
    starved::warn(start.network());
    let engine_settings = recipe.engine_settings();
    let mut chosen = opening.start((start.network(), start.parameters(), engine_settings), Use::Steps)?;
    let samples = Samples { train: train.samples(), test: test.samples() };
    let model = start.into_model(settings, &train, samples)?;
    let train_set = training_data(settings, train, &model)?;
    let test_set = Arc::new(model.prepare(test)?);

    let info = chosen.engine.info();
    if let Some(EventsPlace::Below(logs)) = &settings.tensorboard {
        check_folder(logs).context("--tensorboard")?;
    }
    let folder = run_folder(settings)?;
    folder.write_config(&RunConfig {
        run: RunRecord::new(settings, model.record(), samples, report.data_sha256.as_deref()),
        tanner_version: env!("CARGO_PKG_VERSION"),
        started_at: jiff::Zoned::now().to_string(),
        command: words_with(report.words, chosen.kernels.as_ref()),
        backend: info.backend,
        adapter: &info.adapter,
        gpu_kernels: chosen.kernels.as_ref().map(|kernels| kernels.tuning.to_string()),
    })?;
    if report.epochs == Epochs::Lines {
        chosen.announce();
        announce_run(settings, &model, samples, folder.path());
    }
    let mut tensorboard = tensorboard(settings, &folder)?;
    let facts = facts(report.process_start, info, settings, samples);
    let mut recorder = Recorder::new(folder, model, facts);
    let mut progress = ProgressReport::new(recipe.epochs, samples.train, report.epochs, settings.scored_on());
    let mut observers: Vec<&mut dyn Observer> = vec![&mut recorder, &mut progress];
    observers.extend(tensorboard.as_mut().map(|board| board as &mut dyn Observer));
    let outcome = training::train(&mut *chosen.engine, recipe, train_set, &test_set, &mut observers);
    drop(progress);
    let summary = finish(settings, &recorder, outcome.map(|_| ()))?;
    Ok((summary, recorder.folder().path().to_owned()))
}

/// The command line that gives the same run, whatever a measurement would find.
fn words_with(mut words: Vec<String>, kernels: Option<&Kernels>) -> Vec<String> {
    if let Some(kernels) = kernels {
        let word = format!("--gpu-kernels={}", kernels.tuning);
        // Of flags that are given twice the last one counts.
        if words.last() != Some(&word) {
            words.push(word);
        }
    }
    words
}

/// Draws the graphs; what is impossible is said with the flag that asked for it.
pub(super) fn build(architecture: &Architecture, arch: Arch, seed: u64) -> anyhow::Result<Network> {
    architecture.build(seed).with_context(|| format!("--arch {arch}"))
}

/// The importance is computed on as many threads as the engine may have.
pub(super) fn use_threads(threads: Option<usize>) {
    if let Some(count) = threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build_global();
        if let Err(error) = pool {
            log::warn!("the number of threads stays what it was: {error}");
        }
    }
}

/// The training samples as the network takes them, the same every epoch or augmented.
fn training_data(
    settings: &TrainSettings,
    train: Dataset,
    model: &TrainedModel,
) -> anyhow::Result<Box<dyn TrainingData>> {
    if settings.augmentation.is_none() {
        return Ok(Box::new(Arc::new(model.prepare(train)?)));
    }
    let (recipe, preprocessing) = (&settings.recipe, model.preprocessing().clone());
    let data = AugmentedData::new(train, preprocessing, settings.augmentation, recipe.seed, recipe.epochs)?;
    Ok(Box::new(data))
}

fn load(settings: &TrainSettings) -> anyhow::Result<DataSplits> {
    split(settings, load_idx_folder(&settings.data).context("--data")?)
}

/// What is trained on and what is scored: the test set, or a held-out part of the training set in its place.
pub(super) fn split(settings: &TrainSettings, mut splits: DataSplits) -> anyhow::Result<DataSplits> {
    if let Some(limit) = settings.train_limit {
        splits.train = splits.train.head(limit).context("--train-limit")?;
    }
    if let Some(holdout) = settings.validation {
        let held_out = splits.train.holdout(holdout, settings.recipe.seed).context("--validation")?;
        (splits.train, splits.test) = held_out;
    }
    Ok(splits)
}

fn run_folder(settings: &TrainSettings) -> anyhow::Result<RunFolder> {
    if let Some(path) = &settings.out {
        return RunFolder::create(path).map_err(|error| match error {
            Error::Io { .. } => anyhow!(error).context("--out"),
            names_the_flag => names_the_flag.into(),
        });
    }
    let time = jiff::Zoned::now().strftime("%Y-%m-%dT%H-%M-%S").to_string();
    let (arch, seed) = (settings.architecture.arch, settings.recipe.seed);
    let name = format!("{time}-{arch}-{}-s{seed}", importance_name(&settings.importance, "-"));
    Ok(RunFolder::create_unique(Path::new("runs"), &name)?)
}

/// The event file that was asked for.
fn tensorboard(settings: &TrainSettings, folder: &RunFolder) -> anyhow::Result<Option<TensorBoard>> {
    let place = match &settings.tensorboard {
        None => return Ok(None),
        Some(EventsPlace::RunFolder) => folder.path().to_owned(),
        Some(EventsPlace::Below(logs)) => {
            match folder.path().canonicalize().ok().as_deref().and_then(Path::file_name) {
                Some(run) => logs.join(run),
                None => logs.clone(),
            }
        }
    };
    let board = TensorBoard::create(&place, 0, settings.scored_on()).context("--tensorboard")?;
    Ok(Some(board))
}

/// Kind and order.
fn importance_name(settings: &ImportanceSettings, separator: &str) -> String {
    format!("{}{separator}{}", settings.importance, settings.order)
}

fn facts(start: Instant, engine: EngineInfo, settings: &TrainSettings, samples: Samples) -> RunFacts {
    RunFacts {
        process_start: start,
        engine,
        seed: settings.recipe.seed,
        scored_on: settings.scored_on(),
        train_samples: samples.train,
        test_samples: samples.test,
    }
}

fn announce_run(settings: &TrainSettings, model: &TrainedModel, samples: Samples, folder: &Path) {
    let parameters = model.network().parameter_count();
    let saved = 100.0 * (1.0 - parameters as f64 / model.dense_parameter_count() as f64);
    terminal::note(&format!(
        "network: {} with {} parameters, {saved:.2} % fewer than fully connected; {} training and {} {} samples",
        settings.architecture.arch,
        grouped(parameters),
        grouped(samples.train),
        grouped(samples.test),
        settings.scored_on()
    ));
    terminal::note(&format!("run: {}", folder.display()));
}

/// Writes what is left to write, and says how the run ended and where it is.
fn finish(
    settings: &TrainSettings,
    recorder: &Recorder,
    outcome: tanner::Result<()>,
) -> anyhow::Result<Summary> {
    let folder = recorder.folder();
    if !recorder.history().is_empty() {
        let (arch, recipe) = (settings.architecture.arch, &settings.recipe);
        let title = format!(
            "{arch}, importance {}, seed {}",
            importance_name(&settings.importance, " "),
            recipe.seed
        );
        let written =
            learning_curve(recorder.history(), &title).and_then(|png| folder.write_learning_curve(&png));
        // A picture is not worth losing the outcome of a run.
        if let Err(error) = written {
            terminal::warn(&error.to_string());
        }
    }
    if let Err(error) = outcome {
        let kept = match recorder.history().last() {
            Some(last) => {
                format!("the model of epoch {} is in {}", last.epoch, folder.model_path().display())
            }
            None => "no epoch had ended, there is no model".to_owned(),
        };
        return Err(anyhow!(error).context(format!("training stopped, {kept}")));
    }
    Ok(recorder.finish()?)
}

fn print_summary(summary: &Summary, folder: &Path) -> anyhow::Result<()> {
    if terminal::wants_json() {
        let mut json = serde_json::to_value(summary)?;
        json["run_folder"] = folder.display().to_string().into();
        return terminal::print_json(&json);
    }
    terminal::print(&format!(
        "{} accuracy {:.2} % after {} epochs (best {:.2} % after epoch {})",
        summary.scored_on,
        100.0 * summary.test_accuracy,
        summary.epochs,
        100.0 * summary.best_test_accuracy,
        summary.best_epoch
    ))?;
    terminal::print(&format!(
        "{} parameters ({} fully connected), {:.1} s, of which {:.1} s training",
        grouped(summary.parameters),
        grouped(summary.dense_parameters),
        summary.seconds_total,
        summary.seconds_training
    ))?;
    terminal::print(&format!("run folder {}", folder.display()))
}
