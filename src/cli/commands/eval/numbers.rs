//! The scores of models that predict numbers or several labels.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;
use tanner::Error;
use tanner::dataset::{Dataset, Task};
use tanner::engine::Evaluation;
use tanner::files::atomic_write;
use tanner::inference::{MultiLabelScores, Predictions, RegressionScores};
use tanner::model::TrainedModel;
use tanner::report::{TextCell, TextColumn, TextTable, digits};
use tanner::training::{Metric, ScoredOn};

use crate::cli::flags::EvalArgs;
use crate::cli::ui::terminal;

/// Scores for files and programs, with the names used in the files of a run.
#[derive(Serialize)]
struct Named<T> {
    task: Task,
    metric: Metric,
    score: f64,
    score_loss: f64,
    scored_on: ScoredOn,
    #[serde(flatten)]
    scores: T,
}

/// Digits of scores.
const DIGITS: usize = 4;

fn shown(value: f64) -> String {
    digits(value, DIGITS)
}

fn shown_r2(r2: Option<f64>) -> String {
    r2.map_or("-".to_owned(), |r2| format!("{r2:.4}"))
}

/// Prints and writes the scores.
pub(super) fn run(
    args: &EvalArgs,
    model: &TrainedModel,
    (evaluation, predictions, test): (&Evaluation, &Predictions, &Dataset),
) -> anyhow::Result<()> {
    let (data, targets) = (model.data(), test.targets());
    let (json, lines, table) = match data.task {
        Task::MultiLabel => {
            of_labels(&MultiLabelScores::new(predictions, targets, &data.targets)?, evaluation)?
        }
        _ => of_numbers(&RegressionScores::new(predictions, targets, &data.targets)?, evaluation)?,
    };
    if let Some(folder) = &args.out {
        write(folder, &json)?;
    }
    if terminal::wants_json() {
        return terminal::print_json(&json);
    }
    for line in lines {
        terminal::remark(&line)?;
    }
    terminal::print_next_table("", &table)?;
    args.out
        .as_ref()
        .map_or(Ok(()), |folder| terminal::remark(&format!("\n{}: scores.json", folder.display())))
}

type Shown = (serde_json::Value, Vec<String>, TextTable);

fn of_numbers(scores: &RegressionScores, evaluation: &Evaluation) -> anyhow::Result<Shown> {
    let named = Named {
        task: Task::Regression,
        metric: Metric::Rmse,
        score: scores.rmse,
        score_loss: evaluation.loss,
        scored_on: ScoredOn::Test,
        scores,
    };
    let unit = if scores.in_deviations { " (in deviations of the training rows)" } else { "" };
    let line = format!(
        "test RMSE {}, MAE {}{unit}, R2 {}, loss {:.4} on {} samples",
        shown(scores.rmse),
        shown(scores.mae),
        shown_r2(scores.r2),
        evaluation.loss,
        tanner::report::grouped(scores.samples)
    );
    let mut table = TextTable::new(
        [TextColumn::text("target")]
            .into_iter()
            .chain(["RMSE", "MAE", "R2"].into_iter().map(TextColumn::number)),
    );
    for target in &scores.per_target {
        let numbers = [shown(target.rmse), shown(target.mae), shown_r2(target.r2)];
        table.row([TextCell::text(target.name.clone())].into_iter().chain(numbers.map(TextCell::text)));
    }
    Ok((serde_json::to_value(named)?, vec![line], table))
}

fn of_labels(scores: &MultiLabelScores, evaluation: &Evaluation) -> anyhow::Result<Shown> {
    let named = Named {
        task: Task::MultiLabel,
        metric: Metric::SubsetAccuracy,
        score: scores.subset_accuracy,
        score_loss: evaluation.loss,
        scored_on: ScoredOn::Test,
        scores,
    };
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let lines = vec![
        format!(
            "test subset accuracy {} ({} of {} samples have all labels right), loss {:.4}",
            percent(scores.subset_accuracy),
            tanner::report::grouped(scores.correct),
            tanner::report::grouped(scores.samples),
            evaluation.loss
        ),
        format!(
            "label accuracy {}, macro F1 {}, micro F1 {}, macro AUC {}",
            percent(scores.label_accuracy),
            percent(scores.macro_f1),
            percent(scores.micro_f1),
            scores.macro_auc.map_or("-".into(), |auc| format!("{auc:.4}"))
        ),
    ];
    let names = ["accuracy %", "precision %", "recall %", "F1 %", "AUC", "samples"];
    let mut table = TextTable::new(
        [TextColumn::text("label")].into_iter().chain(names.into_iter().map(TextColumn::number)),
    );
    for label in &scores.per_label {
        let shares = [label.accuracy, label.precision, label.recall, label.f1].map(TextCell::percent);
        let auc = label.auc.map_or("-".to_owned(), |auc| format!("{auc:.4}"));
        let cells = shares.into_iter().chain([TextCell::text(auc), TextCell::count(label.support)]);
        table.row([TextCell::text(label.name.clone())].into_iter().chain(cells));
    }
    Ok((serde_json::to_value(named)?, lines, table))
}

fn write(folder: &Path, json: &serde_json::Value) -> anyhow::Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error)).context("--out")?;
    Ok(atomic_write(folder.join("scores.json"), &serde_json::to_vec_pretty(json)?)?)
}
