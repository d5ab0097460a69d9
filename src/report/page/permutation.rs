//! The permutation importance of the columns.

use maud::{Markup, html};

use super::markup::cut;
use crate::experiments::PermutationImportance;
use crate::report::grouped;
use crate::text::digits;
use crate::training::Metric;

/// Maximum number of columns in the list.
const LISTED: usize = 20;
/// Maximum number of characters of a name.
const MAX_NAME: usize = 48;

/// The columns without which the model predicts worst.
pub(super) fn figure(id: &str, importance: &PermutationImportance) -> Markup {
    let listed = &importance.columns[..importance.columns.len().min(LISTED)];
    let most = listed.first().map_or(0.0, |column| column.worse.mean).max(f64::MIN_POSITIVE);
    let metric = importance.metric;
    let points =
        |score: f64| if metric.is_share() { format!("{:.2}", 100.0 * score) } else { digits(score, 4) };
    let (unit, change) = match metric {
        Metric::Accuracy => ("points of accuracy lost", "loss of accuracy"),
        Metric::SubsetAccuracy => ("points of subset accuracy lost", "loss of subset accuracy"),
        Metric::Rmse => ("RMSE added", "rise of the RMSE"),
    };
    let loss = |rise: f64| match metric {
        Metric::Rmse => format!("MAE {}{}", if rise < 0.0 { "" } else { "+" }, digits(rise, 4)),
        Metric::Accuracy | Metric::SubsetAccuracy => format!("log-loss {rise:+.4}"),
    };
    html! {
        figure.wide id={ (id) "-permutation" } {
            h3 { "Permutation importance" span.unit { (unit) } }
            div.importance {
                ol { @for column in listed {
                    @let drop = &column.worse;
                    li style={ "--share:" (format!("{:.4}", (drop.mean / most).clamp(0.0, 1.0))) } {
                        span { (cut(&column.name, MAX_NAME)) } " " (points(drop.mean))
                        @if let Some(deviation) = drop.deviation { " ± " (points(deviation)) }
                        ", " (loss(column.loss_rise.mean))
                    }
                } }
            }
            figcaption { "The " (change) " on the " (grouped(importance.samples)) " scored samples if the values of one column are \
                shuffled among them, mean and deviation over " (importance.repeats) " shuffles (seed " (importance.seed) "). These are \
                the first " (listed.len()) " of " (grouped(importance.columns.len())) " columns. Columns that tell the same hide each other." }
        }
    }
}
