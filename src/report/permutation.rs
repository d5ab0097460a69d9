//! The permutation importance of columns: a table.

use super::table::{TextCell, TextColumn, TextTable};
use crate::experiments::{MeanDeviation, PermutationImportance};
use crate::training::Metric;

/// A row for each of the first `most` columns, the most important first: how much worse score and loss are, an accuracy in
/// points, with their deviations over the repetitions.
#[must_use]
pub fn permutation_table(importance: &PermutationImportance, most: usize) -> TextTable {
    let metric = importance.metric;
    let (score, loss) = match metric {
        Metric::Rmse => (
            TextColumn::number("RMSE added").plain(&["rmse_added", "rmse_added_deviation"]),
            TextColumn::number("MAE added").plain(&["mae_added", "mae_added_deviation"]),
        ),
        Metric::Accuracy | Metric::SubsetAccuracy => (
            TextColumn::number(format!("{} lost", metric.title()))
                .plain(&[&format!("{metric}_lost_percent"), &format!("{metric}_lost_deviation_percent")]),
            TextColumn::number("log-loss added").plain(&["log_loss_added", "log_loss_added_deviation"]),
        ),
    };
    let mut table = TextTable::new([TextColumn::text("column").least(8), score, loss.rank(1)]);
    let percent = |value: f64| format!("{:.2}", 100.0 * value);
    let units = |value: f64| crate::text::digits(value, 4);
    for column in importance.columns.iter().take(most) {
        table.row(if metric.is_share() {
            let loss = with_deviation(&column.loss_rise, |value| format!("{value:.4}"));
            [TextCell::text(column.name.as_str()), with_deviation(&column.worse, percent), loss]
        } else {
            let worse = with_deviation(&column.worse, units);
            [TextCell::text(column.name.as_str()), worse, with_deviation(&column.loss_rise, units)]
        });
    }
    table
}

/// `1.25 ± 0.31`, and both numbers for programs.
fn with_deviation(value: &MeanDeviation, number: impl Fn(f64) -> String) -> TextCell {
    let (mean, deviation) = (number(value.mean), value.deviation.map(number));
    let shown = deviation.as_ref().map_or_else(|| mean.clone(), |deviation| format!("{mean} ± {deviation}"));
    TextCell::split(shown, [mean, deviation.unwrap_or_default()])
}
