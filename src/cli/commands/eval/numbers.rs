//! The scores of models that predict numbers or several labels.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;
use tanner::Error;
use tanner::dataset::{Dataset, Task};
use tanner::engine::Evaluation;
use tanner::experiments::PermutationImportance;
use tanner::files::atomic_write;
use tanner::inference::{MultiLabelScores, Predictor, RegressionScores, TaskScores};
use tanner::report::{TextCell, TextColumn, TextTable, digits, four_decimals};
use tanner::training::{Metric, ScoredOn};

use super::{AveragedScores, averaged, print_importance};
use crate::cli::commands::permutation;
use crate::cli::flags::EvalArgs;
use crate::cli::ui::terminal;

/// Scores for files and programs, with the names used in the files of a run.
#[derive(Serialize)]
struct Named {
    task: Task,
    metric: Metric,
    score: f64,
    score_loss: f64,
    scored_on: ScoredOn,
    #[serde(flatten)]
    scores: TaskScores,
    /// Of pictures, averaged over views of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    averaged: Option<AveragedScores>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permutation_importance: Option<PermutationImportance>,
}

/// Digits of scores.
const DIGITS: usize = 4;

fn shown(value: f64) -> String {
    digits(value, DIGITS)
}

fn shown_r2(r2: Option<f64>) -> String {
    r2.map_or("-".to_owned(), four_decimals)
}

/// Prints and writes the scores.
pub(super) fn run(
    args: &EvalArgs,
    predictor: Predictor,
    evaluation: &Evaluation,
    test: &Dataset,
) -> anyhow::Result<()> {
    let predictions = predictor.predict(test.features())?;
    let (data, targets) = (predictor.model().data(), test.targets());
    let task = data.task;
    let scores = TaskScores::new(&predictions, targets, &data.targets)?;
    let (lines, table) = match &scores {
        TaskScores::Labels(scores) => of_labels(scores, evaluation),
        TaskScores::Numbers(scores) => of_numbers(scores, evaluation),
        TaskScores::Classes(_) => return Ok(()),
    };
    let permutation_importance = permutation(&predictor, test, &args.permutation)?;
    let averaged = args.average.as_ref().map(|over| averaged(predictor, over, test)).transpose()?;
    let metric = Metric::of_task(task);
    let results = Named {
        task,
        metric,
        score: scores.score_and_loss().0,
        score_loss: evaluation.loss,
        scored_on: ScoredOn::Test,
        scores,
        averaged,
        permutation_importance,
    };
    let json = serde_json::to_value(&results)?;
    if let Some(folder) = &args.out {
        write(folder, &json)?;
    }
    if terminal::wants_json() {
        return terminal::print_json(&json);
    }
    for line in lines {
        terminal::remark(&line)?;
    }
    if let Some(AveragedScores { views, score, .. }) = &results.averaged {
        let score = metric.shown(*score);
        terminal::remark(&format!(
            "averaged over {views} views of each picture: {} {score}",
            metric.title()
        ))?;
    }
    terminal::print_next_table("", &table)?;
    results.permutation_importance.as_ref().map_or(Ok(()), print_importance)?;
    args.out
        .as_ref()
        .map_or(Ok(()), |folder| terminal::remark(&format!("\n{}: scores.json", folder.display())))
}

/// Lines, and a row for each target or label.
type Shown = (Vec<String>, TextTable);

fn of_numbers(scores: &RegressionScores, evaluation: &Evaluation) -> Shown {
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
    (vec![line], table)
}

fn of_labels(scores: &MultiLabelScores, evaluation: &Evaluation) -> Shown {
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
    (lines, table)
}

fn write(folder: &Path, json: &serde_json::Value) -> anyhow::Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error)).context("--out")?;
    Ok(atomic_write(folder.join("scores.json"), &serde_json::to_vec_pretty(json)?)?)
}
