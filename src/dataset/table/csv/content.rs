//! What the columns of a file hold, judged by its first rows or by all.

use std::collections::{HashMap, HashSet};

use csv::ByteRecord;

use super::super::cells::{CellRules, Field};
use super::super::odd_cells::{FEW, OddCells};
use super::super::units::Unit;

/// Cells of several columns that are examined.
const CELLS: usize = 1_000_000;
/// Different values of a column whose units are a mistake, not categories.
const MANY: usize = 8;
/// Characters of an example.
const LONGEST: usize = 40;

/// What the first rows of a column hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Content {
    /// Numbers, all with this unit if there is one.
    Numbers(Option<Unit>),
    /// Numbers with several units: the first cell, and the first one of another unit with its line.
    Mixed(String),
    #[default]
    Texts,
    /// Nothing, not even a name.
    Empty,
}

/// The number of different numbers, up to one more than codes may have.
pub(super) fn different(numbers: impl Iterator<Item = f64>) -> usize {
    let mut seen = HashSet::new();
    for number in numbers {
        seen.insert(number.to_bits());
        if seen.len() > FEW {
            break;
        }
    }
    seen.len()
}

/// What the columns of these records hold.
pub(super) fn contents(
    data: &[ByteRecord],
    header: Option<&[String]>,
    columns: usize,
    rules: &CellRules,
    line: u64,
) -> Vec<Content> {
    let rows = data.len().min((CELLS / columns).max(8));
    let content = |column: usize| {
        let is_unnamed = header.is_none_or(|names| names[column] == format!("column {column}"));
        content_of(&data[..rows], column, is_unnamed, rules, line)
    };
    (0..columns).map(content).collect()
}

fn content_of(data: &[ByteRecord], column: usize, is_unnamed: bool, rules: &CellRules, line: u64) -> Content {
    let mut numbers = Vec::new();
    let mut odd = OddCells::default();
    let mut units = Units::default();
    let mut words = 0;
    let mut is_empty = true;
    for (row, record) in data.iter().enumerate() {
        let Some(field) = record.get(column) else { continue };
        is_empty &= field.trim_ascii().is_empty();
        match rules.field(field, None) {
            Field::Number(number) => numbers.push(number),
            Field::Text => {
                odd.add(field, || 0);
                // Lines are counted from the first row, if none is empty or holds a line break.
                units.add(field, rules, line + row as u64);
            }
            Field::MissingWord => words += 1,
            Field::Missing | Field::Infinite => {}
        }
    }
    if is_empty && is_unnamed {
        return Content::Empty;
    }
    if let Some(content) = units.content(numbers.len(), odd.rows) {
        return content;
    }
    let makes_texts = odd.make_texts(numbers.len(), different(numbers.iter().copied()));
    if makes_texts || numbers.is_empty() && words > 0 { Content::Texts } else { Content::Numbers(None) }
}

/// The units of a column.
#[derive(Default)]
struct Units {
    /// For each unit, in the order of their appearance: rows, different numbers, first text and its line.
    found: Vec<(Unit, usize, HashSet<u64>, String, u64)>,
    places: HashMap<Unit, usize>,
}

impl Units {
    fn add(&mut self, field: &[u8], rules: &CellRules, line: u64) {
        let Ok(text) = std::str::from_utf8(field.trim_ascii()) else { return };
        let Some((number, unit)) = Unit::split(text) else { return };
        let Some(number) = rules.number(&number) else { return };
        let place = *self.places.entry(unit.clone()).or_insert(self.found.len());
        if place == self.found.len() {
            self.found.push((unit, 0, HashSet::new(), text.chars().take(LONGEST).collect(), line));
        }
        let found = &mut self.found[place];
        found.1 += 1;
        found.2.insert(number.to_bits());
    }

    /// The content of a column with numbers of these units, with plain numbers and other texts.
    fn content(&self, plain: usize, texts: usize) -> Option<Content> {
        let all = plain + texts;
        let (unit, rows, different, text, _) = self.found.iter().max_by_key(|found| found.1)?;
        if 10 * rows >= 9 * all && different.len() > 1 {
            return Some(Content::Numbers(Some(unit.clone())));
        }
        let known = || self.found.iter().filter(|found| found.0.is_known());
        let with_unit: usize = known().map(|found| found.1).sum();
        let kinds = known().count() + usize::from(plain > 0);
        let values: usize = known().map(|found| found.2.len()).sum::<usize>() + plain;
        let is_mixed =
            kinds > 1 && 10 * (with_unit + plain) >= 9 * all && 10 * with_unit >= all && values > MANY;
        if !is_mixed {
            return None;
        }
        let other = known().find(|found| found.0 != *unit);
        let other =
            other.map_or("numbers without a unit".to_owned(), |(_, _, _, text, _)| format!("{text:?}"));
        Some(Content::Mixed(format!("{text:?} and {other}")))
    }
}
