//! `tanner train`: from data to a run folder.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use serde::Serialize;
use tanner::Error;
use tanner::dataset::{DataSplits, Dataset, load_idx_folder};
use tanner::engine::{Backend, EngineInfo};
use tanner::importance::ImportanceSettings;
use tanner::model::{Arch, ArchitectureRecord, TrainedModel};
use tanner::network::{Architecture, Network};
use tanner::report::{grouped, learning_curve};
use tanner::training::{self, Observer, Recipe, Recorder, RunFacts, RunFolder, Summary};

use super::args::TrainArgs;
use super::backend;
use super::progress::ProgressReport;
use super::settings::TrainSettings;
use super::{importance_fit, memory, terminal};

/// `config.json`: every setting of a run, as it came out of flags and defaults.
#[derive(Serialize)]
struct RunConfig<'a> {
    tanner_version: &'static str,
    started_at: String,
    command: Vec<String>,
    data: &'a Path,
    train_samples: usize,
    test_samples: usize,
    #[serde(flatten)]
    importance: &'a ImportanceSettings,
    architecture: &'a ArchitectureRecord,
    recipe: &'a Recipe,
    backend: Backend,
    adapter: &'a str,
}

/// Trains, writing as it goes.
pub(crate) fn run(process_start: Instant, args: &TrainArgs, words: &[OsString]) -> anyhow::Result<()> {
    let settings = TrainSettings::new(args)?;
    use_threads(settings.engine.threads());
    let DataSplits { train, test } = load(&settings)?;
    // Everything that can fail does so before the run folder is made.
    let recipe = &settings.recipe;
    let architecture = settings.architecture.fit_to(train.feature_count(), train.class_count());
    let engine_settings = recipe.engine_settings();
    memory::check(&architecture, &engine_settings, &[&train, &test])?;
    let network = build(&architecture, settings.architecture.arch, recipe.seed)?;
    let parameters = recipe.initialisation.draw(&network, recipe.seed)?;
    let mut chosen = backend::start(&settings.engine, &network, &parameters, engine_settings)?;
    let preprocessing = importance_fit::preprocessing(&settings.importance, &train)?;
    let train_set = Arc::new(preprocessing.apply_dataset(train)?);
    let test_set = Arc::new(preprocessing.apply_dataset(test)?);

    let record = ArchitectureRecord::new(&architecture, recipe.seed);
    let info = chosen.engine.info();
    let folder = run_folder(&settings)?;
    folder.write_config(&RunConfig {
        tanner_version: env!("CARGO_PKG_VERSION"),
        started_at: jiff::Zoned::now().to_string(),
        command: words.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        data: &settings.data,
        train_samples: train_set.samples(),
        test_samples: test_set.samples(),
        importance: &settings.importance,
        architecture: &record,
        recipe,
        backend: info.backend,
        adapter: &info.adapter,
    })?;
    chosen.announce();
    announce_run(&settings, &network, &train_set, &test_set, folder.path());
    let facts = facts(process_start, info, recipe, &train_set, &test_set);
    let model = TrainedModel::new(network, parameters, preprocessing, record)?;
    let mut recorder = Recorder::new(folder, model, facts);
    let mut progress = ProgressReport::new(recipe.epochs, train_set.samples());
    let observers: &mut [&mut dyn Observer] = &mut [&mut recorder, &mut progress];
    let outcome = training::train(&mut *chosen.engine, recipe, &train_set, &test_set, observers);
    drop(progress);
    finish(&settings, &recorder, outcome.map(|_| ()))
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

fn load(settings: &TrainSettings) -> anyhow::Result<DataSplits> {
    let mut splits = load_idx_folder(&settings.data).context("--data")?;
    if let Some(limit) = settings.train_limit {
        splits.train = splits.train.head(limit).context("--train-limit")?;
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

/// Kind and order.
fn importance_name(settings: &ImportanceSettings, separator: &str) -> String {
    format!("{}{separator}{}", settings.importance, settings.order)
}

fn facts(start: Instant, engine: EngineInfo, recipe: &Recipe, train: &Dataset, test: &Dataset) -> RunFacts {
    RunFacts {
        process_start: start,
        engine,
        seed: recipe.seed,
        train_samples: train.samples(),
        test_samples: test.samples(),
    }
}

fn announce_run(settings: &TrainSettings, network: &Network, train: &Dataset, test: &Dataset, folder: &Path) {
    let parameters = network.parameter_count();
    let saved = 100.0 * (1.0 - parameters as f64 / network.dense_parameter_count() as f64);
    terminal::note(&format!(
        "network: {} with {} parameters, {saved:.2} % fewer than fully connected; {} training and {} test samples",
        settings.architecture.arch,
        grouped(parameters),
        grouped(train.samples()),
        grouped(test.samples())
    ));
    terminal::note(&format!("run: {}", folder.display()));
}

/// Writes what is left to write, and says how the run ended and where it is.
fn finish(settings: &TrainSettings, recorder: &Recorder, outcome: tanner::Result<()>) -> anyhow::Result<()> {
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
    print_summary(&recorder.finish()?, folder.path())
}

fn print_summary(summary: &Summary, folder: &Path) -> anyhow::Result<()> {
    terminal::print(&format!(
        "test accuracy {:.2} % after {} epochs (best {:.2} % after epoch {})",
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
