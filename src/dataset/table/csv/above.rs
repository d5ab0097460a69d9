//! Lines around the header that are no data: titles above it, and a row of units below it.

use csv::ByteRecord;

use super::super::cells::{CellRules, Field};
use super::super::texts::{listed, trimmed};
use super::super::units::Unit;
use super::delimiter::usual_length;

/// Lines of titles that are skipped.
pub(super) const MOST: usize = 20;
/// Cells and characters of a cell in a note.
const SHOWN: usize = 4;
const LONGEST: usize = 40;

/// The records above the header that are titles: at most half of the usual number of fields, or a single cell of a
/// padded line, that begin with a text. The record below them must be a header.
pub(super) fn titles(
    records: &[ByteRecord],
    rules: &CellRules,
    is_header: impl Fn(&[ByteRecord]) -> bool,
) -> usize {
    let usual = usual_length(records);
    let is_title = |record: &ByteRecord| {
        let mut filled = record.iter().filter(|field| !field.trim_ascii().is_empty());
        // Spreadsheets pad empty lines.
        let Some(first) = filled.next() else { return true };
        let count = filled.count() + 1;
        let is_text = rules.field(first, None) == Field::Text;
        is_text && 2 * count <= usual && (record.len() < usual || count == 1)
    };
    let count = records.iter().take_while(|record| is_title(record)).count();
    let rest = &records[count..];
    let is_table = || rest.len() > 1 && rest[0].len() == usual && is_header(rest);
    if (1..=MOST).contains(&count) && is_table() { count } else { 0 }
}

/// Whether the first record below a header holds units or types, not data: no number where all others have numbers,
/// but texts, at least one of which is a unit, stands in brackets or is not alone; and no text that others have, too.
pub(super) fn holds_units(data: &[ByteRecord], rules: &CellRules) -> bool {
    let Some((first, others)) = data.split_first() else { return false };
    let (mut texts, mut are_units) = (0, false);
    for (column, field) in first.iter().enumerate() {
        let field = trimmed(field);
        if !is_numeric(others, column, rules) {
            let is_value =
                |record: &ByteRecord| record.get(column).is_some_and(|other| trimmed(other) == field);
            if !field.is_empty() && others.iter().any(is_value) {
                return false;
            }
            continue;
        }
        let kind = rules.field(field, None);
        if kind != Field::Text && !matches!(kind, Field::Number(_) | Field::Infinite) {
            continue;
        }
        let text = String::from_utf8_lossy(field);
        if kind != Field::Text || text.contains(|c: char| c.is_ascii_digit()) && !is_bracketed(&text) {
            return false;
        }
        texts += 1;
        are_units |= is_bracketed(&text) || Unit { behind: text.into_owned(), ..Unit::default() }.is_known();
    }
    texts > 1 || are_units
}

fn is_bracketed(text: &str) -> bool {
    [('[', ']'), ('(', ')'), ('<', '>')]
        .iter()
        .any(|(open, close)| text.starts_with(*open) && text.ends_with(*close))
}

/// Whether nearly all cells of a column are numbers, and there are some.
fn is_numeric(records: &[ByteRecord], column: usize, rules: &CellRules) -> bool {
    let (mut numbers, mut texts) = (0, 0);
    for field in records.iter().filter_map(|record| record.get(column)) {
        match rules.field(field, None) {
            Field::Number(_) => numbers += 1,
            Field::Text | Field::Infinite => texts += 1,
            Field::Missing | Field::MissingWord => {}
        }
    }
    numbers > 0 && numbers >= 9 * texts
}

/// What was skipped, for the user to check.
pub(super) fn note(titles: &[ByteRecord], units: Option<&ByteRecord>) -> Vec<String> {
    let cells = |record: &ByteRecord| {
        let filled = record.iter().map(trimmed).filter(|field| !field.is_empty());
        let shown = filled.map(|field| {
            let text: String = String::from_utf8_lossy(field).chars().take(LONGEST).collect();
            format!("{text:?}")
        });
        listed(shown, SHOWN)
    };
    let mut notes: Vec<String> = titles
        .iter()
        .map(cells)
        .filter(|cells| !cells.is_empty())
        .take(SHOWN)
        .map(|cells| format!("skipped above the header: {cells}"))
        .collect();
    if titles.len() > SHOWN {
        notes.push(format!("skipped above the header: {} lines in all", titles.len()));
    }
    notes.extend(units.map(|units| format!("skipped below the header, units or types: {}", cells(units))));
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<ByteRecord> {
        text.lines().map(|line| ByteRecord::from(line.split(',').collect::<Vec<_>>())).collect()
    }

    #[test]
    fn titles_are_short_texts_above_a_header() {
        let count = |text: &str, is_header| titles(&records(text), &CellRules::default(), |_| is_header);
        let table = "a,b,c,kind\n1,2,3,oak\n4,5,6,elm\n";
        assert_eq!(count(&format!("Trees\nof 2024\n{table}"), true), 2);
        assert_eq!(count(&format!("Trees,,,\n{table}"), true), 1);
        // Not above data, and nothing but a text.
        assert_eq!(count(&format!("Trees\n{table}"), false), 0);
        for first in ["1.5", "5,6", ",,7,", "x,y,z", "a,b,,", "oak,1,2"] {
            assert_eq!(count(&format!("{first}\n{table}"), true), 0, "{first}");
        }
        assert_eq!(count(table, true), 0);
        assert_eq!(count("a\nb\nc\n", true), 0);
    }

    #[test]
    fn units_stand_above_numbers() {
        let holds = |first: &str| {
            let rows = format!("{first}\n1,2.5,oak\n2,?,elm\n3,4.5,oak\n");
            holds_units(&records(&rows), &CellRules::default())
        };
        for first in ["cm,kg,", "cm,,-", "[cm],-,x", "float,int,str", "(m),-,-"] {
            assert!(holds(first), "{first}");
        }
        for first in
            ["small,low,oak", "cm,kg,elm", "1,2,oak", "x,3,oak", "NA,?,oak", ",,", "none,x,oak", "x1,y2,oak"]
        {
            assert!(!holds(first), "{first}");
        }
    }
}
