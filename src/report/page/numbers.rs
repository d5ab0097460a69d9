//! The scores of each number or label of a run that predicts no classes.

use maud::{Markup, html};

use super::markup::{cut, missing, percent, shown, tile};
use super::{MAX_CLASSES, ReportedRun, permutation};
use crate::experiments::PermutationImportance;
use crate::inference::{LabelScores, TargetScores, TaskScores};
use crate::report::grouped;
use crate::text::{digits, four_decimals};

/// Maximum number of characters of a name.
const MAX_NAME: usize = 48;

/// The results of a run's model that predicts numbers or several labels.
#[derive(Clone, Debug)]
pub struct NumbersRun {
    /// Its scores on the samples that its run was scored on.
    pub scores: TaskScores,
    /// The importance of the columns, if requested.
    pub permutation: Option<PermutationImportance>,
}

fn four(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), four_decimals)
}

/// The most important scores, beside that of the run.
pub(super) fn tiles(run: &NumbersRun) -> Markup {
    html! {
        @match &run.scores {
            TaskScores::Numbers(scores) => {
                (tile("MAE", &digits(scores.mae, 4), if scores.in_deviations { "in deviations" } else { "" }))
                (tile("R2", &four(scores.r2), "1 is best"))
            }
            TaskScores::Labels(scores) => {
                (tile("macro F1", &percent(scores.macro_f1), "mean over the labels"))
                (tile("macro AUC", &four(scores.macro_auc), "1 is best"))
            }
            TaskScores::Classes(_) => {}
        }
    }
}

/// Which samples were predicted, a row for each number or label, and the importance of columns.
pub(super) fn figures(id: &str, reported: &ReportedRun, run: &NumbersRun) -> Markup {
    html! {
        (agreement(reported, run))
        figure.wide id={ (id) "-targets" } {
            @match &run.scores {
                TaskScores::Numbers(scores) => {
                    h3 { "Errors" }
                    div.scroll { (numbers(&scores.per_target)) }
                    figcaption { (left_out(scores.per_target.len())) "R2 is the share of the variance that is explained: 0 for always \
                        predicting the mean of these samples." }
                }
                TaskScores::Labels(scores) => {
                    h3 { "Labels" }
                    div.scroll { (labels(&scores.per_label)) }
                    figcaption { (left_out(scores.per_label.len())) "Macro F1 " (percent(scores.macro_f1)) ", micro F1 "
                        (percent(scores.micro_f1)) ", single labels right " (percent(scores.label_accuracy)) ", log-loss "
                        (format!("{:.4}", scores.log_loss)) ". A bar is the F1 score." }
                }
                TaskScores::Classes(_) => {}
            }
        }
        @if let Some(importance) = &run.permutation { (permutation::figure(id, importance)) }
    }
}

fn left_out(all: usize) -> String {
    if all <= MAX_CLASSES { String::new() } else { format!("The first {MAX_CLASSES} of {all}. ") }
}

fn numbers(targets: &[TargetScores]) -> Markup {
    html! {
        table.classes {
            caption { "Errors in the units of the numbers." }
            thead { tr {
                th scope="col" { "Number" }
                @for name in ["RMSE", "MAE", "R2"] { th.number scope="col" { (name) } }
            } }
            tbody { @for target in targets.iter().take(MAX_CLASSES) {
                tr {
                    th scope="row" { (cut(&target.name, MAX_NAME)) }
                    td.number { (digits(target.rmse, 4)) }
                    td.number { (digits(target.mae, 4)) }
                    td.number.bar style={ "--share:" (format!("{:.4}", target.r2.unwrap_or(0.0).clamp(0.0, 1.0))) } { (four(target.r2)) }
                }
            } }
        }
    }
}

fn labels(labels: &[LabelScores]) -> Markup {
    html! {
        table.classes {
            caption { "Precision: share of the predictions of a label that are right. Recall: share of the samples with a label that are found." }
            thead { tr {
                th scope="col" { "Label" }
                @for name in ["Precision", "Recall", "F1", "AUC", "Samples"] { th.number scope="col" { (name) } }
            } }
            tbody { @for label in labels.iter().take(MAX_CLASSES) {
                tr {
                    th scope="row" { (cut(&label.name, MAX_NAME)) }
                    td.number { (percent(label.precision)) }
                    td.number { (percent(label.recall)) }
                    td.number.bar style={ "--share:" (format!("{:.4}", label.f1)) } { (percent(label.f1)) }
                    td.number { (four(label.auc)) }
                    td.number { (grouped(label.support)) }
                }
            } }
        }
    }
}

/// States on which samples the page's predictions were made, and whether they agree with the run's.
fn agreement(reported: &ReportedRun, run: &NumbersRun) -> Markup {
    let (overview, metric) = (&reported.overview, reported.overview.metric);
    let (now, samples) = match &run.scores {
        TaskScores::Classes(scores) => (scores.accuracy, scores.samples),
        TaskScores::Numbers(scores) => (scores.rmse, scores.samples),
        TaskScores::Labels(scores) => (scores.subset_accuracy, scores.samples),
    };
    // Engines sum in different orders.
    let tolerance = if metric.is_share() { 1e-3 + 1.5 / samples as f64 } else { 1e-3 * now.abs() };
    let agrees = overview.accuracy.is_none_or(|then| (then - now).abs() <= tolerance);
    let other = "The run recorded another score: these are not the samples that it was scored on, or this is not its model.";
    html! {
        p.note {
            "Predictions of the last epoch's model on " (grouped(samples)) " " (overview.scored_on)
            " samples, made on the CPU for this page: " (metric.title()) " " (shown(metric, now)) "."
        }
        @if !agrees { (missing(format!("{other} It was {}.", shown(metric, overview.accuracy.unwrap_or(f64::NAN))))) }
    }
}
