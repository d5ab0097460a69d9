//! Numbers with other offsets than in training, and numbers far outside of its range, which are probably in another unit.

use super::span::narrow;
use super::{Span, Table, TableEncoding};

/// Numbers are far if they are this many times the range of training away from it.
const FAR: f64 = 9.0;
/// Numbers of all columns are small if they are this many times smaller than in training.
const SMALL: f64 = 50.0;
/// Rows from which on they are judged: one small row is nothing unusual.
const SMALL_ROWS: usize = 10;
/// Columns that a warning names.
const NAMED: usize = 5;

impl TableEncoding {
    /// Moves numbers that were read with other offsets, as those of a second table of an archive.
    pub(super) fn align(&self, table: &mut Table) {
        let width = self.columns.len();
        for (slot, (column, encoding)) in table.columns.iter_mut().zip(&self.columns).enumerate() {
            let offset = encoding.offset.unwrap_or(0.0);
            if column.offset != offset && encoding.categories.is_none() {
                for cell in table.cells.iter_mut().skip(slot).step_by(width) {
                    *cell = narrow(f64::from(*cell) + column.offset - offset);
                }
                column.offset = offset;
            }
        }
    }

    /// The columns whose numbers are far from those of training, with both ranges; the spans are by column, of this many rows.
    pub(crate) fn far_columns(&self, spans: &[Span], rows: usize) -> Option<String> {
        let ranges = || {
            let both = self.columns.iter().zip(spans);
            both.filter_map(|(column, span)| Some((column.name.as_str(), column.range?, span.range()?)))
        };
        let shown = |[low, high]: [f64; 2]| format!("{} to {}", shown_number(low), shown_number(high));
        let is_far = |(_, [low, high], new): &(&str, [f64; 2], [f64; 2])| {
            let far = FAR * (high - low);
            far > 0.0 && (new[1] > high + far || new[0] < low - far)
        };
        let mut far = ranges().filter(is_far);
        let named = far.by_ref().take(NAMED);
        let named: Vec<String> = named
            .map(|(name, old, new)| format!("{name:?} {}, in training {}", shown(new), shown(old)))
            .collect();
        if !named.is_empty() {
            let more = far.count();
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            return Some(format!(
                "numbers are far from those of training, is their unit another? {}{more}",
                named.join("; ")
            ));
        }
        // A single small number means nothing, small ones in every column do.
        let largest = |range: [f64; 2]| range[0].abs().max(range[1].abs());
        let (old, new) = ranges().fold((0.0, 0.0), |(old, new): (f64, f64), (_, was, is)| {
            (old.max(largest(was)), new.max(largest(is)))
        });
        (rows >= SMALL_ROWS && ranges().count() > 1 && new > 0.0 && SMALL * new < old).then(|| {
            let [new, old] = [new, old].map(shown_number);
            format!("numbers of all columns are up to {new}, in training up to {old}: is their unit another?")
        })
    }
}

/// A number with a few digits.
fn shown_number(number: f64) -> String {
    let is_ordinary = number == 0.0 || (1e-3..1e6).contains(&number.abs());
    if is_ordinary { ((number * 1e4).round() / 1e4).to_string() } else { format!("{number:.3e}") }
}
