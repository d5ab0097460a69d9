//! Whether the first record of a file names its columns.

use std::collections::HashSet;

use csv::ByteRecord;

use super::super::cells::{CellRules, Field};
use super::super::units::Unit;

/// Names that are certainly names, in lower case.
const USUAL_NAMES: [&str; 14] = [
    "label", "class", "target", "y", "id", "name", "index", "type", "species", "value", "outcome", "result",
    "date", "age",
];
/// The largest sum of evidence that is not sure.
const UNSURE: i32 = 1;

/// The decision about a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeaderGuess {
    pub(super) is_header: bool,
    pub(super) is_sure: bool,
}

/// What the records below the first one hold in a column.
struct Below<'a> {
    /// Numbers, without those that are missing.
    numbers: Vec<f64>,
    texts: Vec<&'a [u8]>,
}

impl<'a> Below<'a> {
    fn of(others: &'a [ByteRecord], column: usize, rules: &CellRules) -> Self {
        let mut below = Self { numbers: Vec::new(), texts: Vec::new() };
        for record in others {
            let Some(field) = record.get(column).map(<[u8]>::trim_ascii) else { continue };
            match number_or_unit(field, rules) {
                Field::Number(number) => below.numbers.push(number),
                Field::Text => below.texts.push(field),
                Field::MissingWord | Field::Missing | Field::Infinite => {}
            }
        }
        below
    }

    fn is_numeric(&self) -> bool {
        !self.numbers.is_empty() && self.numbers.len() >= 9 * self.texts.len()
    }
}

/// As [`CellRules::field`], where a number may also have a unit.
fn number_or_unit(field: &[u8], rules: &CellRules) -> Field {
    let Field::Text = rules.field(field, None) else { return rules.field(field, None) };
    let unit = std::str::from_utf8(field).ok().and_then(Unit::split);
    let number = unit.filter(|(_, unit)| unit.is_known()).and_then(|(number, _)| rules.number(&number));
    number.filter(|number| number.is_finite()).map_or(Field::Text, Field::Number)
}

/// Decides about the first record. `known` are names of which a header has some.
pub(super) fn guess(
    first: &ByteRecord,
    others: &[ByteRecord],
    known: Option<&[&str]>,
    rules: &CellRules,
) -> HeaderGuess {
    let fields: Vec<&[u8]> = first.iter().map(<[u8]>::trim_ascii).collect();
    let sure = |is_header| HeaderGuess { is_header, is_sure: true };
    if let Some(known) = known {
        let there: HashSet<&[u8]> = fields.iter().copied().collect();
        let count = known.iter().filter(|name| there.contains(name.as_bytes())).count();
        if count > 0 && (count == known.len() || 2 * count > fields.len()) {
            return sure(true);
        }
    }
    let mut seen = HashSet::new();
    // Names may be empty, as above row numbers or behind the last delimiter.
    let are_distinct = fields.iter().filter(|field| !field.is_empty()).all(|field| seen.insert(*field));
    if seen.is_empty() {
        return sure(false);
    }
    if others.is_empty() {
        let is_name = |field: &&[u8]| rules.field(field, None) == Field::Text || field.is_empty();
        let is_header = are_distinct && fields.iter().all(is_name);
        return HeaderGuess { is_header, is_sure: !is_header };
    }
    let columns: Vec<Below<'_>> = (0..fields.len()).map(|column| Below::of(others, column, rules)).collect();
    let mut sum = numbers_as_names(&fields, &columns, rules);
    let mut is_all_text = true;
    for (field, below) in fields.iter().zip(&columns) {
        sum = sum.saturating_add(evidence(field, below, others.len(), rules));
        is_all_text &= !below.is_numeric();
    }
    // Two columns of one name are refused later; two equal texts above others are values.
    if is_all_text && !are_distinct {
        return sure(false);
    }
    let is_sure = sum.abs() > UNSURE && !(is_all_text && sum.abs() < 8);
    HeaderGuess { is_header: sum > 0, is_sure }
}

/// How much one column speaks for a header; below 0, how much it speaks against one.
fn evidence(field: &[u8], below: &Below<'_>, rows: usize, rules: &CellRules) -> i32 {
    let first = number_or_unit(field, rules);
    let is_usual = || USUAL_NAMES.iter().any(|name| field.eq_ignore_ascii_case(name.as_bytes()));
    if below.is_numeric() {
        return match first {
            Field::Text if is_usual() => 6,
            Field::Text => 3,
            // A name may be a number, but rarely one with decimals.
            Field::Number(number) if number.fract() != 0.0 => -3,
            Field::Number(number) if is_unlike(number, &below.numbers) => 0,
            Field::Number(_) => -1,
            Field::Infinite => -3,
            Field::Missing | Field::MissingWord => 0,
        };
    }
    if below.texts.is_empty() {
        return i32::from(first == Field::Text);
    }
    if below.texts.contains(&field) {
        return -3;
    }
    match first {
        Field::Number(_) if below.numbers.is_empty() => return 3,
        Field::Text => {}
        _ => return 0,
    }
    let distinct: HashSet<&&[u8]> = below.texts.iter().collect();
    let is_repetitive = 2 * distinct.len() <= rows;
    let mut lengths = below.texts.iter().map(|text| text.len());
    let length = lengths.next().filter(|length| lengths.all(|other| other == *length));
    let shape = match length {
        // Codes of one length, above them another one of that length.
        Some(length) if length == field.len() => -2,
        Some(_) if is_repetitive => 1,
        _ => 0,
    };
    // A name is written like no value below it: with a capital or an underscore.
    let has = |text: &[u8], is: fn(&u8) -> bool| text.iter().any(is);
    let signs: [fn(&u8) -> bool; 3] = [|b| *b == b'_', u8::is_ascii_uppercase, |b| *b == b' '];
    let style =
        signs.iter().any(|sign| has(field, *sign) && !below.texts.iter().any(|text| has(text, *sign)));
    i32::from(is_repetitive) + shape + i32::from(style) + if is_usual() { 4 } else { 0 }
}

/// Whether a number lies outside of the others, or is the only whole one.
fn is_unlike(number: f64, others: &[f64]) -> bool {
    let (least, most) =
        others.iter().fold((f64::MAX, f64::MIN), |(a, b), other| (a.min(*other), b.max(*other)));
    number < least
        || number > most
        || others.iter().filter(|other| other.fract() != 0.0).count() * 2 > others.len()
}

/// How much the numbers of the first record look like names: 0, 1, 2, .. or years or places of a spectrum.
fn numbers_as_names(fields: &[&[u8]], columns: &[Below<'_>], rules: &CellRules) -> i32 {
    let mut numbers = Vec::new();
    let mut unlike = 0;
    for (place, field) in fields.iter().enumerate() {
        let Field::Number(number) = rules.field(field, None) else { continue };
        numbers.push(number);
        let below = &columns[place];
        unlike += usize::from(!below.is_numeric() || is_unlike(number, &below.numbers));
    }
    if numbers.len() < 3 {
        return 0;
    }
    let step = numbers[1] - numbers[0];
    let is_even = step > 0.0
        && numbers
            .windows(2)
            .all(|pair| (pair[1] - pair[0] - step).abs() <= 1e-3 * step.abs().max(pair[1].abs() * 1e-3));
    let are_whole = numbers.iter().all(|number| number.fract() == 0.0);
    let counts_up = are_whole && step == 1.0 && is_even && matches!(numbers[0], 0.0 | 1.0);
    let count = i32::try_from(numbers.len()).unwrap_or(i32::MAX / 8);
    // Numbers with decimals spoke against a header.
    let against = count.saturating_mul(if are_whole { 1 } else { 3 });
    let all_unlike = unlike == numbers.len();
    if counts_up && (numbers.len() > 4 || all_unlike) {
        return against.saturating_add(4);
    }
    if is_even && all_unlike {
        return against.saturating_add(3);
    }
    let are_far = are_whole && all_unlike && columns.iter().all(|below| below.texts.is_empty());
    if are_far && numbers.len() == fields.len() && are_all_far(&numbers, columns) {
        return against.saturating_add(2);
    }
    0
}

/// Whether each number is farther from all numbers below it than those are from each other.
fn are_all_far(numbers: &[f64], columns: &[Below<'_>]) -> bool {
    numbers.iter().zip(columns).all(|(number, below)| {
        let (least, most) =
            below.numbers.iter().fold((f64::MAX, f64::MIN), |(a, b), other| (a.min(*other), b.max(*other)));
        let spread = most - least;
        below.numbers.len() > 4 && (*number > most + spread || *number < least - spread)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess_of(text: &str) -> (bool, bool) {
        let records: Vec<ByteRecord> =
            text.lines().map(|line| ByteRecord::from(line.split(',').collect::<Vec<_>>())).collect();
        let guess = guess(&records[0], &records[1..], None, &CellRules::default());
        (guess.is_header, guess.is_sure)
    }

    fn rows(count: usize, row: impl Fn(usize) -> String) -> String {
        (0..count).map(|at| row(at) + "\n").collect()
    }

    #[test]
    fn names_above_numbers_are_a_header_and_values_are_not() {
        let numbers = rows(30, |at| format!("{}.5,{},{}", at % 7, at % 5, ["oak", "elm"][at % 2]));
        assert_eq!(guess_of(&format!("a,b,c\n{numbers}")), (true, true));
        assert!(guess_of(&format!("a_1,-,kind\n{numbers}")).0);
        assert_eq!(guess_of(&numbers), (false, true));
        for first in ["1.25,-,oak", "0.5,?,elm", "0.5,abc,oak", "NA,NA,oak", "1.5,2,fir"] {
            assert!(!guess_of(&format!("{first}\n{numbers}")).0, "{first}");
        }
    }

    #[test]
    fn numbers_may_be_names() {
        let numbers = |at: usize| format!("{}.25,-{}.5,{}.75", at % 7, at % 5, at % 11);
        let labelled = rows(30, |at| format!("{},{}", numbers(at), ["oak", "elm"][at % 2]));
        for names in
            ["0,1,2,3", "1,2,3,4", "2018,2019,2020,kind", "400.5,401,401.5,wood", "0,1,2,label", "10,20,30,x"]
        {
            assert!(guess_of(&format!("{names}\n{labelled}")).0, "{names}");
        }
        let classes = rows(30, |at| format!("{},{}", numbers(at), at % 2));
        for names in ["0,1,2,3", "2018,2019,2020,2021", "101,205,307,999"] {
            assert!(guess_of(&format!("{names}\n{classes}")).0, "{names}");
        }
        let indexed = rows(30, |at| format!("{at},{},{}", numbers(at), at % 2));
        assert!(guess_of(&format!(",0,1,2,3\n{indexed}")).0);
        let whole = rows(30, |at| format!("{},{},{},{}", at % 7, at * 3 % 5, at % 11, at % 2));
        for first in ["1,0,5,1", "3,4,10,0", "0,1,2,1", "6,4,3,1"] {
            assert!(!guess_of(&format!("{first}\n{whole}")).0, "{first}");
        }
    }

    #[test]
    fn texts_are_names_where_no_row_repeats_them_and_are_written_otherwise() {
        let codes = rows(30, |at| {
            format!("{},{},{}", ["a", "b", "c"][at % 3], ["b", "c"][at % 2], ["elm", "oak"][at % 2])
        });
        assert_eq!(guess_of(&format!("p,q,rare\n{codes}")), (false, false));
        assert!(guess_of(&format!("cap,smell,kind\n{codes}")).0);
        assert!(!guess_of(&codes).0);
        let words =
            rows(30, |at| format!("{},{}", ["red", "green", "blue"][at % 3], ["large", "tiny"][at % 2]));
        assert_eq!(guess_of(&format!("Colour,Size\n{words}")), (true, false));
        assert_eq!(guess_of(&format!("colour,colour\n{words}")), (false, true));
    }

    #[test]
    fn one_line_of_texts_is_a_header() {
        assert_eq!(guess_of("len,wid,kind"), (true, false));
        assert!(!guess_of("1,2,oak").0);
    }
}
