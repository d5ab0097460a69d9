//! `tanner train`: from data to a run folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use serde::Serialize;
use tanner::Error;
use tanner::dataset::{DataSplits, Dataset, Holdout, load_idx_folder};
use tanner::engine::{Backend, EngineInfo};
use tanner::importance::{Importance, Order};
use tanner::model::{Arch, ArchitectureRecord, TrainedModel};
use tanner::network::{Architecture, Network};
use tanner::report::{grouped, learning_curve};
use tanner::training::{self, Observer, Recipe, Recorder, RunFacts, RunFolder, Summary};

use super::args::TrainArgs;
use super::backend;
use super::progress::{Epochs, ProgressReport};
use super::settings::{EngineRequest, TrainSettings};
use super::start::Start;
use super::terminal;

/// `config.json`: every setting of a run, as it came out of flags and defaults.
#[derive(Serialize)]
struct RunConfig<'a> {
    #[serde(flatten)]
    run: RunRecord<'a>,
    tanner_version: &'static str,
    started_at: String,
    command: Vec<String>,
    backend: Backend,
    adapter: &'a str,
}

/// The part of `config.json` that decides what a run computes, on any engine.
#[derive(Serialize)]
pub(super) struct RunRecord<'a> {
    data: &'a Path,
    train_samples: usize,
    test_samples: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    train_limit: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<Holdout>,
    importance: Importance,
    order: Order,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a Path>,
    architecture: &'a ArchitectureRecord,
    recipe: &'a Recipe,
}

impl<'a> RunRecord<'a> {
    /// `samples`: of the training set and of the set that is scored.
    pub(super) fn new(
        settings: &'a TrainSettings,
        architecture: &'a ArchitectureRecord,
        samples: [usize; 2],
    ) -> Self {
        Self {
            data: &settings.data,
            train_samples: samples[0],
            test_samples: samples[1],
            train_limit: settings.train_limit,
            validation: settings.validation,
            importance: settings.importance,
            order: settings.order,
            from: settings.from.as_deref(),
            architecture,
            recipe: &settings.recipe,
        }
    }
}

/// Trains, writing as it goes.
pub(crate) fn run(process_start: Instant, args: &TrainArgs, words: &[OsString]) -> anyhow::Result<()> {
    let mut settings = TrainSettings::new(args)?;
    use_threads(&settings.engine);
    let saved = settings.from.as_deref().map(TrainedModel::load).transpose()?;
    if let Some(model) = &saved {
        settings.go_on_from(model, args);
    }
    let splits = load(&settings)?;
    let words = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let report = Report { process_start, words, epochs: Epochs::Lines };
    let (summary, folder) = train(&settings, saved, splits, report)?;
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
}

/// One run from data to a whole run folder; the settings say where.
pub(super) fn train(
    settings: &TrainSettings,
    saved: Option<TrainedModel>,
    splits: DataSplits,
    report: Report,
) -> anyhow::Result<(Summary, PathBuf)> {
    let DataSplits { train, test } = splits;
    // Everything that can fail does so before the run folder is made.
    let recipe = &settings.recipe;
    let start = match saved {
        Some(model) => Start::Saved(Box::new(model)),
        None => Start::new(settings, &train, &test)?,
    };
    let engine_settings = recipe.engine_settings();
    let mut chosen = backend::start(&settings.engine, start.network(), start.parameters(), engine_settings)?;
    let model = start.into_model(settings, &train, &test)?;
    let train_set = Arc::new(model.prepare(train)?);
    let test_set = Arc::new(model.prepare(test)?);

    let info = chosen.engine.info();
    let folder = run_folder(settings)?;
    folder.write_config(&RunConfig {
        run: RunRecord::new(settings, model.record(), [train_set.samples(), test_set.samples()]),
        tanner_version: env!("CARGO_PKG_VERSION"),
        started_at: jiff::Zoned::now().to_string(),
        command: report.words,
        backend: info.backend,
        adapter: &info.adapter,
    })?;
    if report.epochs == Epochs::Lines {
        chosen.announce();
        announce_run(settings, model.network(), &train_set, &test_set, folder.path());
    }
    let facts = facts(report.process_start, info, settings, &train_set, &test_set);
    let mut recorder = Recorder::new(folder, model, facts);
    let mut progress = ProgressReport::new(recipe.epochs, train_set.samples(), report.epochs);
    let observers: &mut [&mut dyn Observer] = &mut [&mut recorder, &mut progress];
    let outcome = training::train(&mut *chosen.engine, recipe, &train_set, &test_set, observers);
    drop(progress);
    let summary = finish(settings, &recorder, outcome.map(|_| ()))?;
    Ok((summary, recorder.folder().path().to_owned()))
}

/// Draws the graphs; what is impossible is said with the flag that asked for it.
pub(super) fn build(architecture: &Architecture, arch: Arch, seed: u64) -> anyhow::Result<Network> {
    architecture.build(seed).with_context(|| format!("--arch {arch}"))
}

/// The importance is computed on as many threads as the engine may have.
pub(super) fn use_threads(engine: &EngineRequest) {
    if let EngineRequest::Auto { threads: Some(count) } | EngineRequest::Cpu { threads: Some(count) } = engine
    {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(*count).build_global();
        if let Err(error) = pool {
            log::warn!("the number of threads stays what it was: {error}");
        }
    }
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
    let name = format!("{time}-{arch}-{}-{}-s{seed}", settings.importance, settings.order);
    Ok(RunFolder::create_unique(Path::new("runs"), &name)?)
}

fn facts(
    start: Instant,
    engine: EngineInfo,
    settings: &TrainSettings,
    train: &Dataset,
    test: &Dataset,
) -> RunFacts {
    RunFacts {
        process_start: start,
        engine,
        seed: settings.recipe.seed,
        scored_on: settings.scored_on(),
        train_samples: train.samples(),
        test_samples: test.samples(),
    }
}

fn announce_run(settings: &TrainSettings, network: &Network, train: &Dataset, test: &Dataset, folder: &Path) {
    let parameters = network.parameter_count();
    let saved = 100.0 * (1.0 - parameters as f64 / network.dense_parameter_count() as f64);
    terminal::note(&format!(
        "network: {} with {} parameters, {saved:.2} % fewer than fully connected; {} training and {} {} samples",
        settings.architecture.arch,
        grouped(parameters),
        grouped(train.samples()),
        grouped(test.samples()),
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
        let title =
            format!("{arch}, importance {} {}, seed {}", settings.importance, settings.order, recipe.seed);
        let written =
            learning_curve(recorder.history(), &title).and_then(|png| folder.write_learning_curve(&png));
        // A picture is not worth losing the outcome of a run.
        if let Err(error) = written {
            terminal::note(&format!("warning: {error}"));
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
