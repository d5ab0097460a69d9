//! The folds of a cross-validation: a table.

use super::table::{TextCell, TextColumn, TextTable};
use crate::experiments::{FoldsReport, MeanDeviation};

/// A row for each fold, and at the end their means and standard deviations.
#[must_use]
pub fn folds_table(report: &FoldsReport<'_>) -> TextTable {
    let share = |name: &str, plain: &str| TextColumn::number(name).plain(&[plain]);
    let mut table = TextTable::new([
        TextColumn::text("fold"),
        TextColumn::number("rows").rank(1),
        share("accuracy %", "accuracy_percent"),
        share("macro F1 %", "macro_f1_percent").rank(2),
        TextColumn::number("log-loss").plain(&["log_loss"]),
        TextColumn::number("ROC AUC").plain(&["roc_auc"]),
        TextColumn::number("PR AUC").plain(&["pr_auc"]).rank(3),
        TextColumn::number("Brier").plain(&["brier"]).rank(3),
    ]);
    let four = |value: f64| TextCell::text(format!("{value:.4}"));
    for run in &report.runs {
        let scores = run.scores;
        table.row([
            run.fold.to_string().into(),
            TextCell::count(run.rows),
            TextCell::percent(scores.accuracy),
            TextCell::percent(scores.macro_f1),
            four(scores.log_loss),
            TextCell::known(scores.roc_auc, four),
            TextCell::known(scores.average_precision, four),
            four(scores.brier),
        ]);
    }
    for (name, of) in [
        ("mean", (|measure| Some(measure.mean)) as fn(MeanDeviation) -> Option<f64>),
        ("deviation", |measure| measure.deviation),
    ] {
        let value = |measure: &str| report.measure(measure).and_then(of);
        table.row([
            name.into(),
            TextCell::default(),
            TextCell::known(value("accuracy"), TextCell::percent),
            TextCell::known(value("macro_f1"), TextCell::percent),
            TextCell::known(value("log_loss"), four),
            TextCell::known(value("roc_auc"), four),
            TextCell::known(value("average_precision"), four),
            TextCell::known(value("brier"), four),
        ]);
    }
    table
}
