//! Which character precedes decimals: the one with which more columns are numbers.

use csv::ByteRecord;

use super::super::Columns;
use super::super::cells::{CellRules, Decimal, Field};
use super::super::units::Unit;
use super::above;

/// Cells that are examined.
const CELLS: usize = 100_000;

/// The numbers of a model in a file.
pub(super) struct KnownNumbers<'a> {
    /// How the training table wrote them, if that was a text table.
    rules: Option<&'a CellRules>,
    /// The places of their columns.
    places: Vec<usize>,
    /// Records up to the header, with it.
    above: usize,
}

impl<'a> KnownNumbers<'a> {
    /// `None` if nothing is known of the columns, or they are not found.
    pub(super) fn find(columns: &'a Columns<'_>, records: &[ByteRecord]) -> Option<Self> {
        let rules = columns.trained_rules();
        let names: Option<Vec<&str>> = columns.known_names();
        let header = names.and_then(|names| {
            let place = |record: &ByteRecord, name: &str| {
                record.iter().position(|field| field.trim_ascii() == name.as_bytes())
            };
            records.iter().take(above::MOST + 1).enumerate().find_map(|(above, record)| {
                let places: Option<Vec<usize>> = names.iter().map(|name| place(record, name)).collect();
                Some((above + 1, places?))
            })
        });
        let (above, all) = match header {
            Some(found) => found,
            // The first record may be a header with other names.
            None => (usize::from(records.len() > 1), columns.places(records.first()?.len())?),
        };
        let places = columns.of_numbers(&all);
        Some(Self { rules, places, above })
    }

    /// The cells of these columns.
    fn cells<'r>(&self, records: &'r [ByteRecord]) -> impl Iterator<Item = &'r [u8]> {
        let records = records.get(self.above..).unwrap_or_default();
        records.iter().flat_map(|record| self.places.iter().filter_map(|place| record.get(*place)))
    }

    /// The rules of training, if all cells are numbers under them.
    fn trained(&self, records: &[ByteRecord], missing: &CellRules) -> Option<CellRules> {
        let rules = CellRules { missing: missing.missing.clone(), ..self.rules?.clone() };
        let is_read = |field: &[u8]| match rules.field(field, None) {
            Field::Number(_) | Field::Missing | Field::MissingWord => true,
            Field::Text | Field::Infinite => number_in(field, &rules).is_some(),
        };
        self.cells(records).take(CELLS).all(is_read).then_some(rules)
    }
}

/// The number of a cell with a unit or without.
fn number_in(field: &[u8], rules: &CellRules) -> Option<f64> {
    let text = std::str::from_utf8(field.trim_ascii()).ok()?;
    let number = Unit::split(text).map_or(text.into(), |(number, _)| number);
    rules.number(&number).filter(|number| number.is_finite())
}

/// What the cells of a column are under each of several rules.
#[derive(Clone)]
struct Tally {
    /// Numbers without points and commas, the same under all rules.
    plain: usize,
    /// Texts without them.
    texts: usize,
    /// Cells with points or commas, and how many of these are numbers, by rule.
    marked: usize,
    numbers: Vec<usize>,
}

impl Tally {
    fn add(&mut self, field: &[u8], choices: &[CellRules]) {
        let has = |byte| memchr::memchr(byte, field).is_some();
        if has(b',') || has(b'.') {
            self.marked += 1;
            for (rules, count) in choices.iter().zip(&mut self.numbers) {
                *count += usize::from(number_in(field, rules).is_some());
            }
            return;
        }
        match choices[0].field(field, None) {
            Field::Missing | Field::MissingWord => {}
            _ if number_in(field, &choices[0]).is_some() => self.plain += 1,
            _ => self.texts += 1,
        }
    }

    /// Whether the rule makes nearly all cells numbers, some of them with points or commas.
    fn is_numeric(&self, choice: usize) -> bool {
        let numbers = self.plain + self.numbers[choice];
        self.numbers[choice] > 0 && numbers >= 9 * (self.texts + self.marked - self.numbers[choice])
    }
}

/// The rules under which most columns are numbers. Those of a model hold as long as its numbers can be read with them, and only
/// its numbers decide otherwise.
pub(super) fn rules_of(
    records: &[ByteRecord],
    delimiter: u8,
    known: Option<&KnownNumbers<'_>>,
    rules: &CellRules,
    decimal: Decimal,
) -> CellRules {
    let with =
        |decimal_comma, thousands| CellRules { decimal_comma, thousands, missing: rules.missing.clone() };
    match decimal {
        Decimal::Point => return with(false, true),
        Decimal::Comma => return with(true, true),
        Decimal::Auto => {}
    }
    if let Some(trained) = known.and_then(|known| known.trained(records, rules)) {
        return trained;
    }
    let (point, comma) = (with(false, false), with(true, false));
    let (point_groups, comma_groups) = (with(false, true), with(true, true));
    let mut choices = if delimiter == b',' {
        vec![point, point_groups, comma, comma_groups]
    } else {
        vec![point, comma, point_groups, comma_groups]
    };
    if let Some(trained) = known.and_then(|known| known.rules) {
        choices.insert(0, with(trained.decimal_comma, trained.thousands));
    }
    let above = known.map_or(usize::from(records.len() > 1), |known| known.above);
    let tallies = tallies(records.get(above..).unwrap_or_default(), &choices, known);
    let has_comma = records.iter().flatten().take(CELLS).any(|field| field.contains(&b','));
    // In a file with commas between fields, decimals with commas are quoted, and numbers with points but without commas
    // show that the point is the decimal, unless others have both.
    let has_points = || {
        let point = choices.iter().position(|rules| !rules.decimal_comma && !rules.thousands);
        point.is_some_and(|point| tallies.iter().any(|tally| tally.is_numeric(point)))
            && !records.iter().flatten().take(CELLS).any(has_groups_and_comma)
    };
    let allows_comma = delimiter != b',' || has_comma && !has_points();
    let score = |choice: usize| {
        let columns = tallies.iter().filter(|tally| tally.is_numeric(choice)).count();
        (columns, tallies.iter().map(|tally| tally.numbers[choice]).sum::<usize>())
    };
    let possible = (0..choices.len()).filter(|choice| allows_comma || !choices[*choice].decimal_comma);
    let best = possible.rev().max_by_key(|choice| score(*choice));
    best.map_or_else(|| with(false, false), |best| choices.swap_remove(best))
}

/// The tally of each column that may hold numbers.
fn tallies(records: &[ByteRecord], choices: &[CellRules], known: Option<&KnownNumbers<'_>>) -> Vec<Tally> {
    let empty = Tally { plain: 0, texts: 0, marked: 0, numbers: vec![0; choices.len()] };
    let width = records.iter().map(ByteRecord::len).max().unwrap_or(0);
    let mut tallies = vec![empty; width];
    for record in records.iter().take(CELLS / width.max(1) + 1) {
        for (place, (field, tally)) in record.iter().zip(&mut tallies).enumerate() {
            if known.is_none_or(|known| known.places.contains(&place)) {
                tally.add(field.trim_ascii(), choices);
            }
        }
    }
    tallies
}

/// Whether a cell is like `1.234,5`.
fn has_groups_and_comma(field: &[u8]) -> bool {
    let comma = memchr::memrchr(b',', field);
    comma.is_some_and(|comma| {
        memchr::memchr(b'.', &field[..comma]).is_some()
            && number_in(field, &CellRules { decimal_comma: true, thousands: true, ..CellRules::default() })
                .is_some()
    })
}
