//! `tanner eval`: the scores of a saved model.

mod numbers;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;
use tanner::Error;
use tanner::dataset::{Augmentation, Dataset, Task};
use tanner::engine::{EngineSettings, Evaluation};
use tanner::experiments::PermutationImportance;
use tanner::files::atomic_write;
use tanner::inference::{Predictor, Scores, TaskScores};
use tanner::model::TrainedModel;
use tanner::report::{
    MAX_TABLE_CLASSES, TextCell, TextColumn, TextTable, class_table, confusion_picture, confusion_table,
    grouped, permutation_table, threshold_table,
};
use tanner::session::settings::{DataOptions, DataSettings};
use tanner::session::{EnginePurpose, EngineRequest, Session};
use tanner::training::{Majority, Recipe, ScoredOn};

use crate::cli::flags::EvalArgs;
use crate::cli::ui::{session, terminal};

/// Columns whose importance is shown on a terminal.
const LISTED_COLUMNS: usize = 20;

/// Reads a model and scores it on the test set.
pub(crate) fn run(args: &EvalArgs) -> anyhow::Result<()> {
    let request = args.engine.resolve()?;
    super::check_permutation(&args.permutation)?;
    let file = args.file.clone().or_else(|| args.data.data.clone());
    let data = DataSettings::new(&DataOptions { data: file, ..args.data.clone() })?;
    let model = super::load_model(&args.model)?;
    let session = session();
    let test = session.load_test(&model, &data)?;
    let evaluation = evaluation(&session, &request, &model, test.clone())?;
    let names = model.class_names();
    let predictor = Predictor::new(model, request.threads())?;
    if predictor.model().data().task != Task::Classification {
        return numbers::run(args, predictor, &evaluation, &test);
    }
    let scores = Scores::new(&predictor.predict(test.features())?, test.labels())?;
    let (majority, share) = scores.majority();
    let permutation = super::permutation(&predictor, &test, &args.permutation)?;
    let averaged = args.average.as_ref().map(|over| averaged(predictor, over, &test)).transpose()?;
    let results = NamedScores {
        scores: &scores,
        score: scores.accuracy,
        score_loss: scores.log_loss,
        scored_on: ScoredOn::Test,
        majority: Majority { class: names[majority].clone(), share },
        not_counted: scores
            .classes_without_samples()
            .into_iter()
            .map(|class| names[class].as_str())
            .collect(),
        averaged: averaged.as_ref(),
        classes: &names,
        positive_class: positive_class(&names),
        permutation_importance: permutation.as_ref(),
    };
    if let Some(folder) = &args.out {
        write(folder, &results, &args.model)?;
    }
    if terminal::wants_json() {
        return terminal::print_json(&results);
    }
    print(&evaluation, &results)?;
    args.out.as_ref().map_or(Ok(()), |folder| {
        terminal::remark(&format!("\n{}: scores.json, confusion.png, confusion.svg", folder.display()))
    })
}

/// Scores with the names of the classes.
#[derive(Serialize)]
struct NamedScores<'a> {
    #[serde(flatten)]
    scores: &'a Scores,
    /// The same as `accuracy` and `log_loss`, under the names used in the files of a run.
    score: f64,
    score_loss: f64,
    scored_on: ScoredOn,
    /// The class that most samples have: the accuracy of always answering it is its share.
    majority: Majority,
    /// Classes without samples, which do not count for `macro_f1`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_counted: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    averaged: Option<&'a AveragedScores>,
    classes: &'a [String],
    /// Of two classes the one that AUC, Brier score and thresholds are about.
    #[serde(skip_serializing_if = "Option::is_none")]
    positive_class: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permutation_importance: Option<&'a PermutationImportance>,
}

/// The scores of predictions averaged over views of each picture.
#[derive(Serialize)]
struct AveragedScores {
    views: usize,
    score: f64,
    /// The mean cross-entropy; of numbers nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    score_loss: Option<f64>,
}

fn averaged(predictor: Predictor, over: &Augmentation, test: &Dataset) -> anyhow::Result<AveragedScores> {
    let predictor = predictor.averaging(over)?;
    let (predictions, records) = (predictor.predict(test.features())?, &predictor.model().data().targets);
    let scores = TaskScores::new(&predictions, test.targets(), records)?;
    let (score, _) = scores.score_and_loss();
    let score_loss = scores.measure("log_loss");
    Ok(AveragedScores { views: predictor.views(), score, score_loss })
}

/// Accuracy and loss on the requested engine.
fn evaluation(
    session: &Session<'_>,
    request: &EngineRequest,
    model: &TrainedModel,
    test: Dataset,
) -> anyhow::Result<Evaluation> {
    let test = Arc::new(model.prepare(test)?);
    // Nothing is trained; these are default settings.
    let settings = EngineSettings { loss: model.loss(), ..Recipe::default().engine_settings() };
    let mut opened =
        session.engine(request, model.network(), model.parameters(), settings, EnginePurpose::Passes)?;
    session.announce(&opened);
    Ok(opened.engine.evaluate(&test)?)
}

fn print(evaluation: &Evaluation, results: &NamedScores<'_>) -> anyhow::Result<()> {
    let (scores, names) = (results.scores, results.classes);
    terminal::remark(&format!(
        "test accuracy {:.2} % ({} of {}), loss {:.4}; always {:?}: {:.2} %",
        100.0 * evaluation.accuracy(),
        grouped(evaluation.correct),
        grouped(evaluation.samples),
        evaluation.loss,
        results.majority.class,
        100.0 * results.majority.share
    ))?;
    print_doubts(results)?;
    terminal::remark(&format!(
        "macro F1 {:.2} %, expected calibration error {:.2} %",
        100.0 * scores.macro_f1,
        100.0 * scores.calibration_error
    ))?;
    terminal::remark(&ranking(scores, names))?;
    if let Some(AveragedScores { views, score, score_loss: Some(score_loss) }) = results.averaged {
        terminal::remark(&format!(
            "averaged over {views} views of each picture: accuracy {:.2} %, loss {score_loss:.4}",
            100.0 * score
        ))?;
    }
    if !terminal::is_read_by_people() {
        terminal::print(&totals(evaluation, results).tsv())?;
    }
    terminal::print_next_table("", &class_table(scores, names))?;
    if let (Some(thresholds), Some(positive)) = (&scores.thresholds, positive_class(names)) {
        let heading = format!("predicting {positive:?} from a probability of");
        terminal::print_next_table(&heading, &threshold_table(thresholds))?;
    }
    results.permutation_importance.map_or(Ok(()), print_importance)?;
    match confusion_table(scores, names) {
        Some(table) => terminal::print_next_table("confusion matrix", &table),
        None => terminal::remark(&format!(
            "\nno confusion matrix for more than {MAX_TABLE_CLASSES} classes: --out DIR draws one"
        )),
    }
}

/// The importance of columns: people get a screen of them, programs all.
fn print_importance(importance: &PermutationImportance) -> anyhow::Result<()> {
    let most = if terminal::is_read_by_people() { LISTED_COLUMNS } else { usize::MAX };
    let (metric, repeats) = (importance.metric.title(), importance.repeats);
    let change = if importance.metric.is_share() {
        format!("points of {metric} lost")
    } else {
        format!("rise of the {metric}")
    };
    let heading = format!("importance of columns: {change} if one is shuffled, {repeats} times each");
    terminal::print_next_table(&heading, &permutation_table(importance, most))?;
    if most < importance.columns.len() {
        terminal::print(&format!("{most} of {} columns; --json has all", importance.columns.len()))?;
    }
    Ok(())
}

/// What makes the scores say less than they seem to.
fn print_doubts(results: &NamedScores<'_>) -> anyhow::Result<()> {
    let (scores, Majority { class, share }) = (results.scores, &results.majority);
    if scores.accuracy <= *share {
        terminal::warn(&format!(
            "the network is no better than always answering {class:?}, which is right in {:.2} % of the samples",
            100.0 * share
        ));
    }
    for class in results.not_counted.iter().take(MAX_TABLE_CLASSES) {
        terminal::remark(&format!("class {class:?}: 0 test rows, not counted"))?;
    }
    Ok(())
}

/// Of two classes the second.
fn positive_class(names: &[String]) -> Option<&str> {
    if let [_, positive] = names { Some(positive) } else { None }
}

/// AUC and Brier score, and which classes they leave out.
fn ranking(scores: &Scores, names: &[String]) -> String {
    let number = |value: Option<f64>| value.map_or("none".to_owned(), |value| format!("{value:.4}"));
    let (roc, precision) = (number(scores.roc_auc), number(scores.average_precision));
    let brier = format!("Brier score {:.4}", scores.brier);
    if let Some(positive) = positive_class(names) {
        let why = if scores.roc_auc.is_none() { " (all samples are of one class)" } else { "" };
        return format!("ROC AUC {roc}, PR AUC {precision}{why}, {brier}, for class {positive:?}");
    }
    let without = &scores.classes_without_auc;
    let left = match (without.len(), without.first()) {
        (0, _) | (_, None) => String::new(),
        (1, Some(class)) => format!(", without {:?}, which has no samples here", names[*class]),
        (count, Some(class)) => {
            format!(", without {count} classes that have no samples here, such as {:?}", names[*class])
        }
    };
    format!(
        "ROC AUC {roc}, PR AUC {precision} (means over the classes, each against the rest{left}), {brier}"
    )
}

/// The scores over all classes, for programs.
fn totals(evaluation: &Evaluation, results: &NamedScores<'_>) -> TextTable {
    let scores = results.scores;
    let mut names = vec![
        "accuracy_percent",
        "correct",
        "samples",
        "loss",
        "macro_f1_percent",
        "calibration_error_percent",
        "majority_percent",
        "roc_auc",
        "pr_auc",
        "brier",
    ];
    names.extend(results.averaged.map(|_| "averaged_accuracy_percent"));
    let mut table = TextTable::new(names.into_iter().map(TextColumn::number));
    let averaged = results.averaged.map(|averaged| TextCell::percent(averaged.score));
    let cells = [
        TextCell::percent(evaluation.accuracy()),
        TextCell::count(evaluation.correct),
        TextCell::count(evaluation.samples),
        format!("{:.4}", evaluation.loss).into(),
        TextCell::percent(scores.macro_f1),
        TextCell::percent(scores.calibration_error),
        TextCell::percent(results.majority.share),
        TextCell::known(scores.roc_auc, |value| format!("{value:.6}").into()),
        TextCell::known(scores.average_precision, |value| format!("{value:.6}").into()),
        format!("{:.6}", scores.brier).into(),
    ];
    table.row(cells.into_iter().chain(averaged));
    table
}

fn write(folder: &Path, results: &NamedScores<'_>, model: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error)).context("--out")?;
    let json = serde_json::to_vec_pretty(results)?;
    atomic_write(folder.join("scores.json"), &json)?;
    let title = format!("{}: {:.2} %", model.display(), 100.0 * results.scores.accuracy);
    confusion_picture(results.scores, results.classes, &title)?.write(folder, "confusion")?;
    Ok(())
}
