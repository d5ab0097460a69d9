//! `tanner eval`: the scores of a saved model.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;
use tanner::Error;
use tanner::dataset::Dataset;
use tanner::engine::{EngineSettings, Evaluation};
use tanner::files::atomic_write;
use tanner::inference::{Predictor, Scores};
use tanner::model::TrainedModel;
use tanner::report::{MAX_TABLE_CLASSES, class_table, confusion_picture, confusion_table, grouped};
use tanner::training::Recipe;

use super::args::EvalArgs;
use super::gpu_kernels::Use;
use super::settings::EngineRequest;
use super::{backend, data, terminal};

/// Reads a model and scores it on the test set.
pub(crate) fn run(args: &EvalArgs) -> anyhow::Result<()> {
    let request = EngineRequest::new(&args.engine)?;
    let data_settings = args.data.settings()?;
    let model = TrainedModel::load(&args.model)?;
    let test = data::load_test(&model, &data_settings)?;
    let evaluation = evaluation(&request, &model, test.clone())?;
    let names = model.class_names();
    let predictor = Predictor::new(model, request.threads())?;
    let scores = Scores::new(&predictor.predict(test.features())?, test.labels())?;
    let told = Told { scores: &scores, classes: &names };
    if let Some(folder) = &args.out {
        write(folder, &told, &args.model)?;
    }
    if terminal::wants_json() {
        return terminal::print_json(&told);
    }
    print(&evaluation, &told)?;
    args.out.as_ref().map_or(Ok(()), |folder| {
        terminal::print(&format!("\n{}: scores.json, confusion.png, confusion.svg", folder.display()))
    })
}

/// Scores with the names of the classes.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    scores: &'a Scores,
    classes: &'a [String],
}

/// Accuracy and loss by the engine that was asked for.
fn evaluation(request: &EngineRequest, model: &TrainedModel, test: Dataset) -> anyhow::Result<Evaluation> {
    let test = Arc::new(model.prepare(test)?);
    // Nothing is trained; these are the settings of a plain run.
    let settings: EngineSettings = Recipe::default().engine_settings();
    let mut chosen = backend::start(request, model.network(), model.parameters(), settings, Use::Passes)?;
    chosen.announce();
    Ok(chosen.engine.evaluate(&test)?)
}

fn print(evaluation: &Evaluation, told: &Told<'_>) -> anyhow::Result<()> {
    let (scores, names) = (told.scores, told.classes);
    terminal::print(&format!(
        "test accuracy {:.2} % ({} of {}), loss {:.4}",
        100.0 * evaluation.accuracy(),
        grouped(evaluation.correct),
        grouped(evaluation.samples),
        evaluation.loss
    ))?;
    terminal::print(&format!(
        "macro F1 {:.2} %, expected calibration error {:.2} %",
        100.0 * scores.macro_f1,
        100.0 * scores.calibration_error
    ))?;
    terminal::print(&format!("\n{}", class_table(scores, names)))?;
    match confusion_table(scores, names) {
        Some(table) => terminal::print(&format!("\nconfusion matrix\n{table}")),
        None => terminal::print(&format!(
            "\nno confusion matrix for more than {MAX_TABLE_CLASSES} classes: --out DIR draws one"
        )),
    }
}

fn write(folder: &Path, told: &Told<'_>, model: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error)).context("--out")?;
    let json = serde_json::to_vec_pretty(told)?;
    atomic_write(folder.join("scores.json"), &json)?;
    let title = format!("{}: {:.2} %", model.display(), 100.0 * told.scores.accuracy);
    confusion_picture(told.scores, told.classes, &title)?.write(folder, "confusion")?;
    Ok(())
}
