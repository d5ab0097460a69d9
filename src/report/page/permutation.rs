//! The permutation importance of the columns.

use maud::{Markup, html};

use super::markup::cut;
use crate::experiments::PermutationImportance;
use crate::report::grouped;

/// Maximum number of columns in the list.
const LISTED: usize = 20;
/// Maximum number of characters of a name.
const MAX_NAME: usize = 48;

/// The columns without which the model predicts worst.
pub(super) fn figure(id: &str, importance: &PermutationImportance) -> Markup {
    let listed = &importance.columns[..importance.columns.len().min(LISTED)];
    let most = listed.first().map_or(0.0, |column| column.accuracy_drop.mean).max(f64::MIN_POSITIVE);
    let points = |share: f64| format!("{:.2}", 100.0 * share);
    html! {
        figure.wide id={ (id) "-permutation" } {
            h3 { "Permutation importance" span.unit { "points of accuracy lost" } }
            div.importance {
                ol { @for column in listed {
                    @let drop = &column.accuracy_drop;
                    li style={ "--share:" (format!("{:.4}", (drop.mean / most).clamp(0.0, 1.0))) } {
                        span { (cut(&column.name, MAX_NAME)) } " " (points(drop.mean))
                        @if let Some(deviation) = drop.deviation { " ± " (points(deviation)) }
                        ", log-loss " (format!("{:+.4}", column.log_loss_rise.mean))
                    }
                } }
            }
            figcaption { "The loss of accuracy on the " (grouped(importance.samples)) " scored samples if the values of one column are \
                shuffled among them, mean and deviation over " (importance.repeats) " shuffles (seed " (importance.seed) "). These are \
                the first " (listed.len()) " of " (grouped(importance.columns.len())) " columns. Columns that tell the same hide each other." }
        }
    }
}
