//! The folds of a cross-validation: a table.

use super::table::{TextCell, TextColumn, TextTable};
use crate::dataset::Task;
use crate::experiments::{FoldsReport, MeanDeviation};

/// How a score is shown.
#[derive(Clone, Copy)]
enum Form {
    /// In per cent.
    Share,
    /// With four decimals.
    Four,
    /// In units of the target, with four digits.
    Units,
}

/// Name of a score, heading, name for programs, form, and rank: a narrow terminal drops the highest first.
type Column = (&'static str, &'static str, &'static str, Form, u8);

const CLASSES: &[Column] = &[
    ("accuracy", "accuracy %", "accuracy_percent", Form::Share, 0),
    ("macro_f1", "macro F1 %", "macro_f1_percent", Form::Share, 2),
    ("log_loss", "log-loss", "log_loss", Form::Four, 0),
    ("roc_auc", "ROC AUC", "roc_auc", Form::Four, 0),
    ("average_precision", "PR AUC", "pr_auc", Form::Four, 3),
    ("brier", "Brier", "brier", Form::Four, 3),
];
const NUMBERS: &[Column] = &[
    ("rmse", "RMSE", "rmse", Form::Units, 0),
    ("mae", "MAE", "mae", Form::Units, 0),
    ("r2", "R2", "r2", Form::Four, 0),
];
const LABELS: &[Column] = &[
    ("subset_accuracy", "subset accuracy %", "subset_accuracy_percent", Form::Share, 0),
    ("label_accuracy", "label accuracy %", "label_accuracy_percent", Form::Share, 3),
    ("macro_f1", "macro F1 %", "macro_f1_percent", Form::Share, 0),
    ("micro_f1", "micro F1 %", "micro_f1_percent", Form::Share, 2),
    ("macro_auc", "macro AUC", "macro_auc", Form::Four, 0),
    ("log_loss", "log-loss", "log_loss", Form::Four, 3),
];

/// A row for each fold, and at the end their means and standard deviations.
#[must_use]
pub fn folds_table(report: &FoldsReport<'_>) -> TextTable {
    let columns = match report.task {
        Task::Classification => CLASSES,
        Task::Regression => NUMBERS,
        Task::MultiLabel => LABELS,
    };
    let headings = columns
        .iter()
        .map(|(_, heading, plain, _, rank)| TextColumn::number(*heading).plain(&[plain]).rank(*rank));
    let mut table = TextTable::new(
        [TextColumn::text("fold"), TextColumn::number("rows").rank(1)].into_iter().chain(headings),
    );
    let cell = |form: Form, value: Option<f64>| match form {
        Form::Share => TextCell::known(value, TextCell::percent),
        Form::Four => TextCell::known(value, |value| TextCell::text(crate::text::four_decimals(value))),
        Form::Units => TextCell::known(value, |value| TextCell::text(crate::text::digits(value, 4))),
    };
    for run in &report.runs {
        let scores = columns.iter().map(|(name, _, _, form, _)| cell(*form, run.scores.measure(name)));
        table.row([run.fold.to_string().into(), TextCell::count(run.rows)].into_iter().chain(scores));
    }
    for (name, of) in [
        ("mean", (|measure| Some(measure.mean)) as fn(MeanDeviation) -> Option<f64>),
        ("deviation", |measure| measure.deviation),
    ] {
        let value = |measure: &str| report.measure(measure).and_then(of);
        let scores = columns.iter().map(|(name, _, _, form, _)| cell(*form, value(name)));
        table.row([name.into(), TextCell::default()].into_iter().chain(scores));
    }
    table
}
