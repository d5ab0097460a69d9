//! Which character separates fields: the one with which more columns are numbers.

use std::path::Path;

use csv::ByteRecord;

use super::super::cells::{CellRules, Decimal, Field};
use super::super::units::Unit;
use super::above;
use super::decimals::rules_of;
use super::dialect::records;
use super::squeeze::{has_blanks_before_quotes, tidied};

/// Fields between runs of blanks and tabs.
pub(super) const BLANKS: u8 = b' ';
/// Possible delimiters, the first of equals wins. Commas come late: they may be those of numbers.
const DELIMITERS: [u8; 5] = [b'\t', b';', b'|', b',', BLANKS];
/// Lines and cells that are examined.
const LINES: usize = 250;
const CELLS: usize = 100_000;

/// What is known of a file before its delimiter.
#[derive(Clone, Copy)]
pub(super) struct Knowledge<'a> {
    pub(super) name: &'a str,
    /// Names that a header has.
    pub(super) columns: Option<&'a [&'a str]>,
    pub(super) rules: &'a CellRules,
    pub(super) decimal: Decimal,
}

/// How well a delimiter fits, the most important reason first.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// Whether one of the first records has all known names.
    is_known: bool,
    /// Whether nearly all records have the same number of fields, more than one.
    is_regular: bool,
    numeric_columns: usize,
    /// Whether those are all columns. Commas of decimals split numbers, but other columns as well.
    is_all_numbers: bool,
    /// Without regular records, those that have the most frequent number of fields.
    alike: usize,
    is_character: bool,
    columns: usize,
}

/// By the file's name, otherwise the one with which most records have the same number of fields, most columns are
/// numbers, and there are most columns.
pub(super) fn delimiter(text: &[u8], known: Knowledge<'_>) -> u8 {
    let extension = Path::new(known.name).extension().and_then(|extension| extension.to_str());
    let is_tabbed =
        extension.is_some_and(|one| ["tsv", "tab"].iter().any(|tab| one.eq_ignore_ascii_case(tab)));
    let end = memchr::memchr_iter(b'\n', text).nth(LINES).map_or(text.len(), |end| end + 1);
    let head = &text[..end];
    if is_tabbed && head.contains(&b'\t') {
        return b'\t';
    }
    // The first of equals; a file of one column has none.
    let fits = DELIMITERS.into_iter().rev().map(|delimiter| (fit(head, delimiter, known), delimiter));
    let best = fits.max_by_key(|(fit, _)| *fit);
    best.filter(|(fit, _)| *fit != Fit::default()).map_or(b',', |(_, delimiter)| delimiter)
}

fn fit(head: &[u8], delimiter: u8, known: Knowledge<'_>) -> Fit {
    let head = tidied(head, delimiter, has_blanks_before_quotes(head, delimiter));
    let records = records(&head, delimiter).unwrap_or_default();
    let columns = usual_length(&records);
    let holds =
        |record: &ByteRecord, name: &&str| record.iter().any(|field| field.trim_ascii() == name.as_bytes());
    // Above the header there may be titles, which may mention columns.
    let is_known = known.columns.is_some_and(|names| {
        let mut first = records.iter().take(above::MOST + 1).filter(|record| record.len() == columns);
        first.any(|record| names.iter().all(|name| holds(record, name)))
    });
    let alike = records.iter().filter(|record| record.len() == columns).count();
    let is_regular = columns > 1 && 10 * alike >= 9 * records.len();
    let is_character = delimiter != BLANKS;
    if !is_regular {
        // Blanks that split lines differently are part of texts.
        let alike = if is_character && columns > 1 { alike } else { 0 };
        return Fit { is_known, alike, columns: if alike > 0 { columns } else { 0 }, ..Fit::default() };
    }
    // Decimals with commas among fields with commas are quoted.
    let is_quoted = || records.iter().flatten().any(|field| field.contains(&b','));
    if delimiter == b',' && known.decimal == Decimal::Comma && !is_quoted() {
        return Fit::default();
    }
    let rules = rules_of(&records, delimiter, None, known.rules, known.decimal);
    let numeric_columns = numeric_columns(&records, columns, &rules);
    let is_all_numbers = numeric_columns == columns;
    Fit { is_known, is_regular, numeric_columns, is_all_numbers, alike: 0, is_character, columns }
}

/// The most frequent number of fields.
pub(super) fn usual_length(records: &[ByteRecord]) -> usize {
    let mut counts = std::collections::BTreeMap::new();
    for record in records {
        *counts.entry(record.len()).or_insert(0_usize) += 1;
    }
    counts.into_iter().max_by_key(|(length, count)| (*count, *length)).map_or(0, |(length, _)| length)
}

/// Columns in which nearly all cells below the first one are numbers.
fn numeric_columns(records: &[ByteRecord], columns: usize, rules: &CellRules) -> usize {
    let most = (CELLS / columns).max(2);
    let below = records.get(1..).filter(|below| !below.is_empty()).unwrap_or(records);
    let mut counts = vec![(0, 0); columns];
    let mut units: Vec<Option<Unit>> = vec![None; columns];
    for record in below.iter().take(most).filter(|record| record.len() == columns) {
        for ((field, (numbers, texts)), unit) in record.iter().zip(&mut counts).zip(&mut units) {
            match rules.field(field, None) {
                Field::Number(_) => *numbers += 1,
                Field::Text if is_number_with(unit, field, rules) => *numbers += 1,
                Field::Text | Field::Infinite => *texts += 1,
                Field::Missing | Field::MissingWord => {}
            }
        }
    }
    counts.into_iter().filter(|(numbers, texts)| *numbers > 0 && *numbers >= 9 * *texts).count()
}

/// Whether a field is a number with a common unit, or with that of its column, which the first one decides.
fn is_number_with(unit: &mut Option<Unit>, field: &[u8], rules: &CellRules) -> bool {
    let text = std::str::from_utf8(field.trim_ascii()).unwrap_or_default();
    let Some((number, own)) = Unit::split(text) else { return false };
    rules.number(&number).is_some() && (own.is_known() || *unit.get_or_insert_with(|| own.clone()) == own)
}
