//! `tanner train`: from data to a run folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use tanner::Error;
use tanner::dataset::{DataSplits, Dataset};
use tanner::engine::EngineInfo;
use tanner::files::check_folder;
use tanner::importance::ImportanceSettings;
use tanner::model::{Arch, TrainedModel};
use tanner::network::{Architecture, Network};
use tanner::report::{grouped, learning_curve};
use tanner::threads::Threads;
use tanner::training::{
    self, AugmentedData, Ending, Observer, Recorder, RunClock, RunFacts, RunFolder, Summary, TensorBoard,
    TrainOptions, TrainingData, TrainingState,
};

use super::args::TrainArgs;
use super::backend::Chosen;
use super::data::{self, Data};
use super::gpu_kernels::{Kernels, Use};
use super::opening::Opening;
use super::progress::{Epochs, ProgressReport};
use super::report_args::EventsPlace;
use super::resume::{self, Resumption};
use super::run_config::{RunConfig, RunRecord, Samples};
use super::settings::TrainSettings;
use super::signals::{self, Stop};
use super::start::Start;
use super::{shrunk, starved, terminal};

/// Widths of the hidden layers where none are typed.
const PAPER_WIDTHS: [usize; 5] = [784; 5];

/// Trains, writing as it goes.
pub(crate) fn run(process_start: Instant, args: &TrainArgs, words: &[OsString]) -> anyhow::Result<()> {
    if let Some(folder) = &args.runs.resume {
        return resume::run(process_start, folder, args.engine.threads);
    }
    let words = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let report = Report { process_start, words, epochs: Epochs::Lines, data_sha256: None };
    prepared(TrainSettings::new(args)?, args, report, None)
}

/// Trains with these settings, from the start or from where a run has come to.
pub(super) fn prepared(
    mut settings: TrainSettings,
    args: &TrainArgs,
    report: Report,
    begun: Option<Resumption>,
) -> anyhow::Result<()> {
    use_threads(settings.engine.threads());
    let opening = Opening::of(&settings.engine);
    let saved = settings.from.as_deref().map(TrainedModel::load).transpose()?;
    if let Some(model) = &saved {
        settings.go_on_from(model, args);
    }
    let data = load(&settings, saved.as_ref())?;
    let (summary, folder) = train(&settings, saved, data, opening, report, begun)?;
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

/// One run from data to a whole run folder; the settings say where. `opening` is of their engine, and what has
/// `begun` goes on where it was kept last.
pub(super) fn train(
    settings: &TrainSettings,
    saved: Option<TrainedModel>,
    data: Data,
    opening: Opening,
    report: Report,
    begun: Option<Resumption>,
) -> anyhow::Result<(Summary, PathBuf)> {
    let Data { splits: DataSplits { train, test }, record } = data;
    // Everything that can fail does so before the run folder is made.
    let recipe = &settings.recipe;
    let start = match saved {
        Some(model) => Start::saved(model, settings, &train, &test)?,
        None => Start::new(settings, &train, &test)?,
    };
    if settings.data.format.is_some() && settings.architecture.hidden == PAPER_WIDTHS {
        terminal::note(
            "tip: these are the widths of the paper's network; --preset small is made for small tables",
        );
    }
    starved::warn(start.network());
    let data = resume::data_identity(&train, &test);
    let engine_settings = recipe.engine_settings();
    let mut chosen = opening.start((start.network(), start.parameters(), engine_settings), Use::Steps)?;
    let samples = Samples { train: train.samples(), test: test.samples() };
    let model = start.into_model(settings, &train, samples, record)?;
    shrunk::warn(&model);
    let train_set = training_data(settings, train, &model)?;
    let test_set = Arc::new(model.prepare(test)?);

    if let Some(EventsPlace::Below(logs)) = &settings.tensorboard {
        check_folder(logs).context("--tensorboard")?;
    }
    let epochs = report.epochs;
    let place = begun.as_ref().map(Resumption::place);
    let (mut recorder, state) = recorder((settings, model, samples, data), &chosen, report, begun)?;
    if epochs == Epochs::Lines {
        chosen.announce();
        announce_run(settings, &recorder, samples, place.as_deref());
    }
    let mut progress = ProgressReport::new(recipe.epochs, samples.train, epochs, settings.scored_on());
    progress.resumed(recorder.history());
    let mut tensorboard = tensorboard(settings, recorder.folder(), recorder.history().len())?;
    let mut observers: Vec<&mut dyn Observer> = vec![&mut recorder, &mut progress];
    observers.extend(tensorboard.as_mut().map(|board| board as &mut dyn Observer));
    let stop = signals::listen();
    let options = TrainOptions {
        resume_from: state,
        stop: Some(stop.asked()),
        checkpoint_every: Some(settings.checkpoint_every),
        patience: settings.patience,
    };
    let outcome =
        training::train_with(&mut *chosen.engine, recipe, train_set, &test_set, &mut observers, options);
    drop(progress);
    let summary = finish(settings, &recorder, outcome.map(|trained| trained.ending), stop)?;
    Ok((summary, recorder.folder().path().to_owned()))
}

/// The recorder of a run, in a new folder with its settings or in that of what has begun, and where it goes on.
fn recorder(
    (settings, model, samples, data): (&TrainSettings, TrainedModel, Samples, String),
    chosen: &Chosen,
    report: Report,
    begun: Option<Resumption>,
) -> anyhow::Result<(Recorder, Option<TrainingState>)> {
    let info = chosen.engine.info();
    let run = RunRecord::new(settings, model.record(), samples, report.data_sha256.as_deref());
    let facts = facts(report.process_start, info.clone(), settings, samples);
    let Some(begun) = begun else {
        let folder = run_folder(settings)?;
        folder.write_config(&RunConfig {
            run,
            tanner_version: env!("CARGO_PKG_VERSION"),
            started_at: jiff::Zoned::now().to_string(),
            command: words_with(report.words, chosen.kernels.as_ref()),
            backend: info.backend,
            adapter: &info.adapter,
            gpu_kernels: chosen.kernels.as_ref().map(|kernels| kernels.tuning.to_string()),
        })?;
        let identity = resume::identity(&folder, &model, data)?;
        return Ok((Recorder::new(folder, model, facts, identity), None));
    };
    let identity = resume::identity(&begun.folder, &model, data)?;
    begun.check(&run, &info, &identity)?;
    let mut recorder = Recorder::new(begun.folder, model, facts, identity);
    let (state, clock) = begun
        .checkpoint
        .map_or_else(|| (None, RunClock::default()), |checkpoint| (Some(checkpoint.state), checkpoint.clock));
    recorder.resume(state.as_ref().map_or(&[], |state| &state.history), clock)?;
    Ok((recorder, state))
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
        let threads = Threads::new(Some(count)).and_then(Threads::make_default);
        if let Err(error) = threads {
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

/// Data as the settings say, or as a model says that training goes on from.
fn load(settings: &TrainSettings, saved: Option<&TrainedModel>) -> anyhow::Result<Data> {
    let mut data = match saved {
        Some(model) => Data { splits: data::load_for(model, &settings.data)?, record: model.data().clone() },
        None => data::load(&settings.data, settings.recipe.seed)?,
    };
    data.splits = split(settings, data.splits)?;
    Ok(data)
}

/// What is trained on and what is scored: the test set, or a held-out part of the training set in its place.
pub(super) fn split(settings: &TrainSettings, mut splits: DataSplits) -> anyhow::Result<DataSplits> {
    if let Some(limit) = settings.train_limit {
        splits.train = splits.train.head(limit).context("--train-limit")?;
    }
    if let Some(holdout) = settings.validation {
        let held_out = splits.train.into_holdout(holdout, settings.recipe.seed).context("--validation")?;
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
fn tensorboard(
    settings: &TrainSettings,
    folder: &RunFolder,
    epochs_before: usize,
) -> anyhow::Result<Option<TensorBoard>> {
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
    let board = TensorBoard::create(&place, epochs_before, settings.scored_on()).context("--tensorboard")?;
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

fn announce_run(settings: &TrainSettings, recorder: &Recorder, samples: Samples, place: Option<&str>) {
    let (model, folder) = (recorder.model(), recorder.folder().path());
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
    let place = place.map_or_else(String::new, |place| format!(", {place}"));
    terminal::note(&format!("run: {}{place}", folder.display()));
}

/// Writes what is left to write, and says how the run ended and where it is.
fn finish(
    settings: &TrainSettings,
    recorder: &Recorder,
    outcome: tanner::Result<Ending>,
    stop: &Stop,
) -> anyhow::Result<Summary> {
    if let Ok(Ending::Stopped { epochs, steps }) = outcome {
        return Err(stopped(recorder.folder().path(), (epochs, settings.recipe.epochs), steps, stop));
    }
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
    let ending = match outcome {
        Ok(ending) => ending,
        Err(error) => return Err(failed(recorder, error)),
    };
    if ending == Ending::OutOfPatience {
        let patience = settings.patience.unwrap_or_default();
        terminal::note(&format!(
            "stopped early: no better {} accuracy in {patience} epochs, the best model is in best.safetensors",
            settings.scored_on()
        ));
    }
    Ok(recorder.finish(ending)?)
}

/// What a failed run has left.
fn failed(recorder: &Recorder, error: Error) -> anyhow::Error {
    let folder = recorder.folder();
    let kept = match recorder.history().last() {
        Some(last) => format!("the model of epoch {} is in {}", last.epoch, folder.model_path().display()),
        None => "no epoch had ended, there is no model".to_owned(),
    };
    // What diverged would do so again.
    let way_out = match error {
        Error::Diverged(_) => String::new(),
        _ => format!(" ({} goes on once this is mended)", resume::command(folder.path())),
    };
    anyhow!(error).context(format!("training stopped, {kept}{way_out}"))
}

/// How to go on with a run that was told to stop.
fn stopped(folder: &Path, (done, epochs): (usize, usize), steps: usize, stop: &Stop) -> anyhow::Error {
    let after = match steps {
        0 => String::new(),
        steps => format!(" and {steps} steps of the next"),
    };
    let command = resume::command(folder);
    anyhow!(stop.interrupted(format!(" after {done} of {epochs} epochs{after}; go on with: {command}")))
}

pub(super) fn print_summary(summary: &Summary, folder: &Path) -> anyhow::Result<()> {
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
