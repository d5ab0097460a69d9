//! The effect of rewiring on the degrees, as a table.

use crate::report::table::{TextCell, TextColumn, TextTable};
use crate::training::RewiringSummary;

/// A row for each layer whose edges could move: the mean out-degree of its inputs by block, before the first step and after
/// the last.
#[must_use]
pub fn rewiring_table(rewiring: &RewiringSummary) -> TextTable {
    let mut table = TextTable::new([
        TextColumn::text("layer"),
        TextColumn::text("out-degrees by block at the start").plain(&["start"]),
        TextColumn::text("at the end").plain(&["end"]),
    ]);
    for layer in &rewiring.layers {
        let cells =
            [TextCell::from(layer.layer.to_string()), listed(&layer.start).into(), listed(&layer.end).into()];
        table.row(cells);
    }
    table
}

/// Degrees with one decimal.
pub(super) fn listed(degrees: &[f64]) -> String {
    degrees.iter().map(|degree| format!("{degree:.1}")).collect::<Vec<_>>().join(", ")
}
