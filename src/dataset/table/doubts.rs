//! Cells of a table that may not mean what they say: numbers for missing values, texts that are too rare, and texts
//! that are spelled in several ways.

use std::collections::HashMap;

use super::advice::typed;
use super::classes::folded;
use super::span::narrow;
use super::texts::{booleans, listed};
use super::{Column, Table, shown};

/// Rows that a text needs on average, and different texts from which on it is doubted.
const FEW_ROWS: usize = 3;
const MANY_TEXTS: usize = 20;
/// Steps of float32 between the quartiles of a column that are too few.
const COARSE: f32 = 64.0;
/// Numbers up to this size keep their differences.
const LARGE: f32 = 1e6;
/// Rows that are looked at.
const LOOKED_AT: usize = 100_000;
/// Columns that a warning names.
const NAMED: usize = 3;

impl Table {
    /// What the user should check.
    pub(crate) fn doubts(&self) -> Vec<String> {
        if self.image_shape.is_some() {
            return Vec::new();
        }
        let columns = || self.columns.iter().enumerate();
        let stand_ins = columns().filter_map(|(slot, column)| self.stand_in(slot, column)).take(NAMED);
        let rare = columns().filter_map(|(slot, column)| self.rare_texts(slot, column)).take(NAMED);
        let spelled = columns().filter_map(|(_, column)| self.spelled_apart(column)).take(NAMED);
        let coarse = columns().filter_map(|(slot, column)| self.coarse(slot, column)).take(NAMED);
        stand_ins.chain(coarse).chain(rare).chain(spelled).collect()
    }

    /// A number such as -999 in several rows, far from the others: it may mean a missing value.
    fn stand_in(&self, slot: usize, column: &Column) -> Option<String> {
        let [low, high] = column.span.range().filter(|_| column.texts.is_none())?;
        let value = [low, high].into_iter().find(|value| is_all_nines(*value))?;
        let (mut rows, mut least, mut most) = (0, f64::INFINITY, f64::NEG_INFINITY);
        let cells = self.cells.iter().skip(slot).step_by(self.columns.len());
        for number in cells.filter(|cell| !cell.is_nan()).map(|cell| f64::from(*cell) + column.offset) {
            if number == value {
                rows += 1;
            } else {
                (least, most) = (least.min(number), most.max(number));
            }
        }
        let distance = (value - most).max(least - value);
        // A column of one other number may hold codes.
        (rows > 1 && most > least && distance > 2.0 * (most - least)).then(|| {
            let words = format!("usual,{value}");
            let remedy = match self.rules {
                Some(_) => format!("add `missing` {words} `impute` median"),
                None => "leave it out of the file (null, NaN), and add `impute` median".to_owned(),
            };
            format!(
                "column {} holds {value} in {rows} rows, its other numbers go from {} to {}: if it means missing, {remedy}",
                shown(&column.name, self.named),
                narrow(least),
                narrow(most)
            )
        })
    }

    /// Large numbers beside others far away, such as times and a few zeros: no offset keeps their differences in float32.
    fn coarse(&self, slot: usize, column: &Column) -> Option<String> {
        let [least, most] = column.span.range()?;
        let is_large = least.abs().max(most.abs()) > f64::from(LARGE);
        if !is_large || column.texts.is_some() || column.offset != 0.0 || column.span.is_exact() {
            return None;
        }
        let cells = self.cells.iter().skip(slot).step_by(self.columns.len()).copied();
        let mut cells: Vec<f32> = cells.filter(|cell| !cell.is_nan()).take(LOOKED_AT).collect();
        if cells.len() < MANY_TEXTS {
            return None;
        }
        cells.sort_by(f32::total_cmp);
        let at = |part: usize| cells[(cells.len() - 1) * part / 8];
        let (low, middle, high) = (at(2), at(4), at(6));
        let step = middle.abs().next_up() - middle.abs();
        // Of a quarter of the rows around the middle, float32 tells only few apart.
        (middle.abs() > LARGE && high - low < COARSE * step).then(|| {
            format!(
                "column {} holds numbers near {middle} beside others far from them, and differences below {step} are lost: if the \
                 others mean missing, make them so{}; else subtract {middle} from all numbers",
                shown(&column.name, self.named),
                if self.rules.is_some() { " with `missing`" } else { "" }
            )
        })
    }

    /// Many different texts in few rows each, such as dates: nothing is learned of a text that occurs once or twice.
    fn rare_texts(&self, slot: usize, column: &Column) -> Option<String> {
        let texts = column.texts.as_ref().filter(|texts| !texts.has_overflown())?.list();
        let cells = self.cells.iter().skip(slot).step_by(self.columns.len());
        let rows = cells.filter(|cell| !cell.is_nan()).count();
        // Where all differ, they name rows, which is said elsewhere.
        (texts.len() >= MANY_TEXTS && texts.len() < rows && rows < FEW_ROWS * texts.len()).then(|| {
            format!(
                "column {} holds {} different texts in {rows} rows, such as {:?}, too few rows of each to learn from: write dates, \
                 times and quantities as plain numbers, or leave the column out with `drop` {}",
                shown(&column.name, self.named),
                texts.len(),
                texts[0],
                typed([&column.name])
            )
        })
    }

    fn spelled_apart(&self, column: &Column) -> Option<String> {
        let texts = column.texts.as_ref()?.list();
        if booleans(texts).is_some() {
            return None;
        }
        let mut seen = HashMap::new();
        let mut pairs = texts.iter().filter_map(|text| Some((seen.insert(folded(text), text)?, text)));
        let first = pairs.next()?;
        let shown_pairs =
            std::iter::once(first).chain(pairs).map(|(one, two)| format!("{one:?} and {two:?}"));
        Some(format!(
            "column {} holds {}: if they mean the same, spell them alike",
            shown(&column.name, self.named),
            listed(shown_pairs, NAMED)
        ))
    }
}

/// Whether a number has two digits or more, all of them 9.
fn is_all_nines(value: f64) -> bool {
    let size = value.abs();
    size > 90.0 && size < 1e15 && ((size + 1.0).log10().fract() == 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_nines() {
        for value in [99.0, -99.0, 999.0, -999.0, 9999.0, -9999.0, 99999.0, -999_999.0, 9_999_999.0] {
            assert!(is_all_nines(value), "{value}");
        }
        for value in [9.0, -9.0, 0.0, 98.0, 100.0, 99.5, 989.0, -1.0, 1e300] {
            assert!(!is_all_nines(value), "{value}");
        }
    }
}
