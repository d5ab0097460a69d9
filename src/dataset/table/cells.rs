//! Cells of text tables: which are numbers, which are missing, and which have a unit.

use serde::{Deserialize, Serialize};

use super::span::narrow;
use super::texts::{label_number, parse, trimmed};
use super::units::{Unit, sign_of};
use crate::named::named;

/// The word of a list that means all usual words.
pub(crate) const USUAL: &str = "usual";
/// Words that mean a missing value in any column.
const MISSING: [&str; 10] = ["?", "NA", "N/A", "n/a", "NaN", "nan", "NAN", "null", "NULL", "Null"];
/// Words that mean a missing value among numbers, in lower case. In a column of texts they are categories.
const MISSING_AMONG_NUMBERS: [&str; 43] = [
    "-",
    "--",
    "---",
    "–",
    "—",
    ".",
    "..",
    "...",
    "*",
    "**",
    "#",
    "none",
    "(none)",
    "na",
    "#n/a",
    "#na",
    "n.a.",
    "n.a",
    "n/d",
    "n.d.",
    "nd",
    "nat",
    "<na>",
    "<null>",
    "(null)",
    "nil",
    "\\n",
    "missing",
    "unknown",
    "undefined",
    "empty",
    "(blank)",
    "not available",
    "not applicable",
    "#div/0!",
    "#value!",
    "#ref!",
    "#num!",
    "#name?",
    "#null!",
    "1.#qnan",
    "1.#ind",
    "-1.#ind",
];

named! {
    /// The character before the decimals of numbers.
    #[derive(Default)]
    #[doc(hidden)]
    pub enum Decimal {
        /// The one with which more cells are numbers.
        #[default]
        Auto = "auto",
        /// A point; commas group thousands.
        Point = ".",
        /// A comma; points group thousands.
        Comma = ",",
    }
}

/// How the cells of a text table are read. A model keeps it for later tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[doc(hidden)]
pub struct CellRules {
    /// Whether decimals follow a comma, not a point.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub decimal_comma: bool,
    /// Whether the other one of point and comma groups thousands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub thousands: bool,
    /// The words that mean a missing value, in place of the usual ones, which `usual` adds. An empty cell is always missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<String>>,
}

/// A parsed field, without surrounding blanks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field {
    Missing,
    /// Missing among numbers, by a word that may be a category elsewhere.
    MissingWord,
    /// Rounded to float32, it is the float32 number nearest to the text.
    Number(f64),
    /// Infinite, or beyond what float32 holds.
    Infinite,
    Text,
}

impl CellRules {
    /// Refuses rules that this program could not produce.
    pub(crate) fn check(&self) -> Result<(), String> {
        let longest = self.missing.iter().flatten().map(String::len).max().unwrap_or(0);
        if longest > super::texts::MAX_TEXT {
            return Err(format!("a word for missing values of {longest} bytes"));
        }
        Ok(())
    }

    /// Whether a cell without surrounding blanks is missing in any column.
    pub(crate) fn is_missing(&self, cell: &[u8]) -> bool {
        cell.is_empty()
            || self.missing.iter().flatten().any(|word| word.as_bytes() == cell)
            // No usual word is longer.
            || cell.len() <= 4 && self.has_usual() && MISSING.iter().any(|word| word.as_bytes() == cell)
    }

    /// Whether the usual words mean a missing value.
    fn has_usual(&self) -> bool {
        self.missing.as_ref().is_none_or(|words| words.iter().any(|word| word == USUAL))
    }

    /// Parses a cell of a column of numbers that all have this unit.
    #[inline]
    pub(crate) fn field(&self, bytes: &[u8], unit: Option<&Unit>) -> Field {
        let bytes = bytes.trim_ascii();
        // The usual case comes first, for speed.
        if unit.is_none()
            && !self.decimal_comma
            && self.missing.is_none()
            && let Some(number) = plain(bytes)
        {
            return of_number(number, true);
        }
        self.other_field(bytes, unit)
    }

    fn other_field(&self, bytes: &[u8], unit: Option<&Unit>) -> Field {
        let bytes = trimmed(bytes);
        if self.is_missing(bytes) {
            return Field::Missing;
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return Field::Text };
        let number = match unit {
            Some(unit) => unit.strip(text).and_then(|text| self.number(&text)),
            None => self.number(text),
        };
        match number {
            Some(number) if self.is_missing_number(number) => Field::Missing,
            Some(number) => of_number(number, self.has_usual()),
            None if self.has_usual() && is_missing_among_numbers(text) => Field::MissingWord,
            None => Field::Text,
        }
    }

    /// Whether a word such as -999 means a missing value.
    fn is_missing_number(&self, number: f64) -> bool {
        self.missing.iter().flatten().any(|word| word.parse() == Ok(number))
    }

    /// The number of a label, true being 1 and false 0; NaN of any other text.
    #[cfg(feature = "train")]
    pub(crate) fn label_number(&self, text: &str) -> f64 {
        let is_word = text.starts_with(char::is_alphabetic);
        if is_word { label_number(text) } else { self.number(text).unwrap_or(f64::NAN) }
    }

    /// The number of a text, which may be infinite or NaN.
    pub(crate) fn number(&self, text: &str) -> Option<f64> {
        if !self.decimal_comma {
            return plain(text.as_bytes()).or_else(|| plain(self.without_groups(text)?.as_bytes()));
        }
        let mut buffer = [0; 40];
        let comma = memchr(b',', text);
        if memchr(b'.', text).is_none() && text.len() <= buffer.len() {
            let copy = &mut buffer[..text.len()];
            copy.copy_from_slice(text.as_bytes());
            if let Some(comma) = comma {
                copy[comma] = b'.';
            }
            // "1," is no number, unlike "1.".
            let is_whole =
                comma.is_none_or(|comma| text[comma + 1..].starts_with(|c: char| c.is_ascii_digit()));
            if let Some(number) = plain(copy).filter(|_| is_whole) {
                return Some(number);
            }
        }
        plain(self.without_groups(text)?.as_bytes())
    }

    /// The text with a point before its decimals and without separators of thousands; none if those are misplaced.
    fn without_groups(&self, text: &str) -> Option<String> {
        let (sign, unsigned) = sign_of(text);
        let (point, group) = if self.decimal_comma { (',', '.') } else { ('.', ',') };
        let (whole, decimals) = match unsigned.split_once(point) {
            Some((whole, decimals)) => (whole, Some(decimals)),
            None => (unsigned, None),
        };
        if decimals.is_some_and(|decimals| !decimals.starts_with(|c: char| c.is_ascii_digit())) {
            return None;
        }
        let is_separator = |c: &char| {
            matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}') || self.thousands && *c == group
        };
        let mut whole = whole.to_owned();
        if let Some(separator) = whole.chars().find(is_separator) {
            let groups: Vec<&str> = whole.split(separator).collect();
            let is_number = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit());
            let (first, others) = groups.split_first()?;
            let are_of = |length: usize, groups: &[&str]| groups.iter().all(|group| group.len() == length);
            // In India, groups before the last one have two digits.
            let is_indian =
                || others.split_last().is_some_and(|(last, middle)| last.len() == 3 && are_of(2, middle));
            let is_grouped = matches!(first.len(), 1..=3)
                && !first.starts_with('0')
                && (are_of(3, others) || first.len() < 3 && is_indian())
                && groups.iter().all(is_number);
            whole = is_grouped.then(|| groups.concat())?;
        }
        if !whole.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'e' | b'E' | b'-' | b'+')) {
            return None;
        }
        Some(format!("{sign}{whole}{}", decimals.map_or(String::new(), |decimals| format!(".{decimals}"))))
    }
}

fn memchr(byte: u8, text: &str) -> Option<usize> {
    text.bytes().position(|one| one == byte)
}

#[inline]
fn plain(bytes: &[u8]) -> Option<f64> {
    parse(std::str::from_utf8(bytes).ok()?).ok()
}

#[inline]
fn of_number(number: f64, nan_is_missing: bool) -> Field {
    match number {
        number if narrow(number).is_finite() => Field::Number(number),
        number if !number.is_nan() => Field::Infinite,
        _ if nan_is_missing => Field::Missing,
        _ => Field::Text,
    }
}

/// Whether a text means a missing value among numbers.
fn is_missing_among_numbers(text: &str) -> bool {
    // No word is longer.
    text.len() <= 16 && MISSING_AMONG_NUMBERS.contains(&text.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: CellRules = CellRules { decimal_comma: false, thousands: false, missing: None };
    const COMMA: CellRules = CellRules { decimal_comma: true, ..POINT };
    const POINT_GROUPS: CellRules = CellRules { thousands: true, ..POINT };
    const COMMA_GROUPS: CellRules = CellRules { thousands: true, ..COMMA };

    #[test]
    fn numbers_are_read_with_points_commas_and_groups() {
        for (text, numbers) in [
            ("1.5", [Some(1.5), None, Some(1.5), None]),
            ("1,5", [None, Some(1.5), None, Some(1.5)]),
            ("-0,25e2", [None, Some(-25.0), None, Some(-25.0)]),
            ("1,234", [None, Some(1.234), Some(1234.0), Some(1.234)]),
            ("1.234", [Some(1.234), None, Some(1.234), Some(1234.0)]),
            ("1,234,567", [None, None, Some(1_234_567.0), None]),
            ("-1.234,5", [None, None, None, Some(-1234.5)]),
            ("1,234.5", [None, None, Some(1234.5), None]),
            ("0,123", [None, Some(0.123), None, Some(0.123)]),
            ("12,34,567", [None, None, Some(1_234_567.0), None]),
            ("12,345,67", [None, None, None, None]),
            ("123,45,678", [None, None, None, None]),
            ("(1.5)", [Some(-1.5), None, Some(-1.5), None]),
            ("(1,234)", [None, Some(-1.234), Some(-1234.0), Some(-1.234)]),
            ("1.5-", [Some(-1.5), None, Some(-1.5), None]),
            ("700 -", [Some(-700.0), Some(-700.0), Some(-700.0), Some(-700.0)]),
            ("2-", [None, None, None, None]),
            ("(-7)", [None, None, None, None]),
            ("-7-", [None, None, None, None]),
            ("()", [None, None, None, None]),
            ("(a)", [None, None, None, None]),
            ("2-3", [None, None, None, None]),
            ("1 234", [Some(1234.0), Some(1234.0), Some(1234.0), Some(1234.0)]),
            ("1\u{a0}234,5", [None, Some(1234.5), None, Some(1234.5)]),
            ("1'234.5", [Some(1234.5), None, Some(1234.5), None]),
            ("\u{2013}7", [Some(-7.0), Some(-7.0), Some(-7.0), Some(-7.0)]),
            ("\u{2212}7", [Some(-7.0), Some(-7.0), Some(-7.0), Some(-7.0)]),
            ("7", [Some(7.0), Some(7.0), Some(7.0), Some(7.0)]),
            ("1,", [None, None, None, None]),
            ("", [None, None, None, None]),
            ("-", [None, None, None, None]),
            ("1 2", [None, None, None, None]),
            ("2020-01-01", [None, None, None, None]),
            ("1e3", [Some(1000.0), Some(1000.0), Some(1000.0), Some(1000.0)]),
        ] {
            let read = [POINT, COMMA, POINT_GROUPS, COMMA_GROUPS].map(|rules| rules.number(text));
            assert_eq!(read, numbers, "{text:?}");
        }
    }

    #[test]
    fn words_are_missing_everywhere_or_among_numbers_or_as_requested() {
        for word in ["", " ", "NA", "nan", "NaN", "-nan", "?", "null"] {
            assert_eq!(POINT.field(word.as_bytes(), None), Field::Missing, "{word}");
        }
        for word in [
            "None", "none", "#N/A", "N.A.", "NaT", "<NA>", "\\N", "-", "--", ".", "missing", "Unknown",
            "#DIV/0!",
        ] {
            assert_eq!(POINT.field(word.as_bytes(), None), Field::MissingWord, "{word}");
            assert!(!POINT.is_missing(word.as_bytes()), "{word}");
        }
        let own = CellRules { missing: Some(vec!["-999".into(), "gone".into()]), ..POINT };
        for (word, field) in [
            ("gone", Field::Missing),
            ("-999", Field::Missing),
            ("-999.0", Field::Missing),
            ("", Field::Missing),
            ("NA", Field::Text),
            ("NaN", Field::Text),
            ("-", Field::Text),
            ("-99", Field::Number(-99.0)),
        ] {
            assert_eq!(own.field(word.as_bytes(), None), field, "{word}");
        }
        assert_eq!(POINT.field(b"1e39", None), Field::Infinite);
        assert_eq!(POINT.field(b"abc", None), Field::Text);
        assert_eq!(POINT.field(b"\xff", None), Field::Text);
    }
}
