//! The permutation importance of columns: a table.

use super::table::{TextCell, TextColumn, TextTable};
use crate::experiments::{MeanDeviation, PermutationImportance};

/// A row for each of the first `most` columns, the most important first: the loss of accuracy in points and the rise of the
/// log-loss, with their deviations over the repetitions.
#[must_use]
pub fn permutation_table(importance: &PermutationImportance, most: usize) -> TextTable {
    let mut table = TextTable::new([
        TextColumn::text("column").least(8),
        TextColumn::number("accuracy lost")
            .plain(&["accuracy_lost_percent", "accuracy_lost_deviation_percent"]),
        TextColumn::number("log-loss added").plain(&["log_loss_added", "log_loss_added_deviation"]).rank(1),
    ]);
    for column in importance.columns.iter().take(most) {
        table.row([
            TextCell::text(column.name.as_str()),
            with_deviation(&column.accuracy_drop, 100.0, 2),
            with_deviation(&column.log_loss_rise, 1.0, 4),
        ]);
    }
    table
}

/// `1.25 ± 0.31`, and both numbers for programs.
fn with_deviation(value: &MeanDeviation, factor: f64, digits: usize) -> TextCell {
    let number = |value: f64| format!("{:.digits$}", factor * value);
    let (mean, deviation) = (number(value.mean), value.deviation.map(number));
    let shown = deviation.as_ref().map_or_else(|| mean.clone(), |deviation| format!("{mean} ± {deviation}"));
    TextCell::split(shown, [mean, deviation.unwrap_or_default()])
}
