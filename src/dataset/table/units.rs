//! Units around numbers, such as `%`, `$` and `cm`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Characters of the longest unit.
const LONGEST: usize = 16;
const CURRENCIES: [char; 16] =
    ['$', '€', '£', '¥', '₹', '₽', '₩', '₺', '₫', '฿', '₪', '₴', '₦', '₱', '¢', '₿'];
/// Words that may stand before a number.
const CURRENCY_WORDS: [&str; 22] = [
    "USD", "EUR", "GBP", "JPY", "CHF", "CNY", "INR", "RUB", "BRL", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK",
    "PLN", "CZK", "ZAR", "MXN", "Rs", "Rs.", "kr",
];
/// Units whose mixture in a column is certainly a mistake.
const KNOWN: [&str; 62] = [
    "%", "‰", "°", "°C", "°F", "µm", "nm", "mm", "cm", "dm", "m", "km", "in", "ft", "yd", "mi", "mile", "µg",
    "mg", "g", "kg", "t", "oz", "lb", "ml", "mL", "cl", "l", "L", "ns", "µs", "ms", "s", "sec", "min", "h",
    "hr", "hour", "day", "week", "month", "year", "Hz", "kHz", "MHz", "GHz", "B", "kB", "KB", "MB", "GB",
    "TB", "W", "kW", "V", "A", "Pa", "kPa", "bar", "k", "K", "M",
];

/// What stands before and behind every number of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[doc(hidden)]
pub struct Unit {
    /// Before the number, without blanks: `$`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub before: String,
    /// Behind the number, without blanks and without the `s` of a plural: `year`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub behind: String,
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.before.as_str(), self.behind.as_str()) {
            ("", behind) => write!(f, "{behind:?}"),
            (before, "") => write!(f, "{before:?}"),
            (before, behind) => write!(f, "{before:?} and {behind:?}"),
        }
    }
}

impl Unit {
    /// A text as a number and its unit; none if there is no unit that could be one.
    pub(crate) fn split(text: &str) -> Option<(Cow<'_, str>, Self)> {
        let (sign, unsigned) = sign_of(text);
        let start = unsigned.find(|c: char| c.is_ascii_digit())?;
        // A number may begin with its decimals: ".5 cm".
        let start = if unsigned[..start].ends_with(['.', ',']) { start - 1 } else { start };
        let (before, rest) = unsigned.split_at(start);
        let end = end_of_number(rest);
        let (number, behind) = (&rest[..end], rest[end..].trim());
        let (inner, before, behind) = match (before.strip_suffix('-'), before.strip_suffix('(')) {
            (Some(before), _) => ("-", before.trim(), behind),
            (None, Some(before)) if behind == ")" => ("-", before.trim(), ""),
            _ => ("", before.trim(), behind),
        };
        if !(before.is_empty() || is_currency(before)) || !(behind.is_empty() || is_unit(behind)) {
            return None;
        }
        if before.is_empty() && behind.is_empty() {
            return None;
        }
        let number = match (sign, inner) {
            ("", "") => Cow::Borrowed(number),
            (sign, inner) => Cow::Owned(format!("{sign}{inner}{number}")),
        };
        Some((number, Self { before: before.to_owned(), behind: singular(behind).to_owned() }))
    }

    /// The number of a text with exactly this unit.
    pub(crate) fn strip<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let (sign, unsigned) = sign_of(text);
        let rest = unsigned.strip_prefix(self.before.as_str())?;
        let number = if self.behind.is_empty() {
            rest
        } else {
            let plural = rest.strip_suffix('s').and_then(|rest| rest.strip_suffix(self.behind.as_str()));
            rest.strip_suffix(self.behind.as_str()).or(plural)?
        };
        let number = number.trim();
        Some(if sign.is_empty() { Cow::Borrowed(number) } else { Cow::Owned(format!("{sign}{number}")) })
    }

    /// Whether it is a common unit, not just some text behind a number.
    pub(crate) fn is_known(&self) -> bool {
        !self.before.is_empty() || KNOWN.contains(&self.behind.as_str()) || is_currency(&self.behind)
    }

    /// Refuses a unit that this program could not produce.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.before.len().max(self.behind.len()) > 8 * LONGEST
            || self.before.is_empty() && self.behind.is_empty()
        {
            return Err(format!("{self} is not a unit"));
        }
        Ok(())
    }
}

/// The sign of a text, and the rest. Accountants write `(5)` for -5, some programs `5-`.
pub(super) fn sign_of(text: &str) -> (&'static str, &str) {
    let starts =
        |text: &str| text.starts_with(|c: char| c.is_ascii_digit() || c == '.' || CURRENCIES.contains(&c));
    match text.strip_prefix(['-', '+', '\u{2212}', '\u{2013}']) {
        Some(rest) if text.starts_with('+') => return ("", rest.trim_start()),
        Some(rest) => return ("-", rest.trim_start()),
        None => {}
    }
    // Of one digit, as in 2-, it may be a grade.
    let before = text.strip_suffix(['-', '\u{2212}']).map(str::trim_end).filter(|rest| rest.len() > 2);
    let within = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).map(str::trim);
    within.or(before).filter(|rest| starts(rest)).map_or(("", text), |rest| ("-", rest))
}

/// Where the digits of a number end, with separators between them.
fn end_of_number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while end < bytes.len() {
        let separator = match bytes[end] {
            byte if byte.is_ascii_digit() => 0,
            b'.' | b',' if is_digit(end + 1) => 0,
            b'.' if end > 0 && bytes.get(end + 1).is_none_or(|next| !next.is_ascii_alphanumeric()) => 0,
            b' ' | b'\'' => 1,
            b'\xc2' if bytes.get(end + 1) == Some(&0xa0) => 2,
            b'\xe2' if text[end..].starts_with(['\u{202f}', '\u{2019}']) => 3,
            _ => return end,
        };
        // Three digits follow the separator of a group.
        let group = end + separator;
        if separator > 0 && (is_digit(group + 3) || !(0..3).all(|digit| is_digit(group + digit))) {
            return end;
        }
        end += separator.max(1);
    }
    end
}

fn is_currency(text: &str) -> bool {
    text.chars().count() <= 4 && text.ends_with(CURRENCIES) && !text.contains(char::is_whitespace)
        || CURRENCY_WORDS.contains(&text)
}

/// Whether a text behind a number may be its unit: a short one that begins with a letter or the sign of a unit.
fn is_unit(text: &str) -> bool {
    let first = text.chars().next().unwrap_or(' ');
    let begins = first.is_alphabetic()
        || matches!(first, '%' | '‰' | '°' | 'º' | '\'' | '"')
        || CURRENCIES.contains(&first);
    begins && text.chars().count() <= LONGEST && !text.contains(char::is_control)
}

/// Without the `s` of a plural.
fn singular(unit: &str) -> &str {
    if unit.len() > 2 { unit.strip_suffix('s').unwrap_or(unit) } else { unit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_split_into_numbers_and_units() {
        for (text, number, before, behind) in [
            ("8%", "8", "", "%"),
            ("53 cm", "53", "", "cm"),
            ("-1.5kg", "-1.5", "", "kg"),
            ("$1,234.50", "1,234.50", "$", ""),
            ("-$5", "-5", "$", ""),
            ("$-5", "-5", "$", ""),
            ("US$ 7", "7", "US$", ""),
            ("EUR 7,5", "7,5", "EUR", ""),
            ("1 234,5 €", "1 234,5", "", "€"),
            ("10 years", "10", "", "year"),
            ("1 year", "1", "", "year"),
            ("53 m2", "53", "", "m2"),
            (".5 cm", ".5", "", "cm"),
            ("20 °C", "20", "", "°C"),
            ("($5.50)", "-5.50", "$", ""),
            ("(12 cm)", "-12", "", "cm"),
            ("5 kg-", "-5", "", "kg"),
        ] {
            let (read, unit) = Unit::split(text).unwrap_or_else(|| panic!("{text:?}"));
            assert_eq!(
                (&*read, unit.before.as_str(), unit.behind.as_str()),
                (number, before, behind),
                "{text:?}"
            );
            assert_eq!(
                unit.strip(text).map(|number| number.replace("--", "-")),
                Some(number.to_owned()),
                "{text:?}"
            );
            unit.check().unwrap();
        }
        // A unit before the parentheses leaves them for the number.
        let (number, unit) = Unit::split("$ (1,234)").unwrap();
        assert_eq!((&*number, unit.before.as_str()), ("-1,234", "$"));
        assert_eq!(unit.strip("$ (1,234)").as_deref(), Some("(1,234)"));
        for text in [
            "",
            "abc",
            "7",
            "(7)",
            "12 (3)",
            "N98940354",
            "A/5 21171",
            "2020-01-01",
            "10-19",
            "12:30",
            "5 000",
            "17.5.",
            "no. 5",
        ] {
            assert!(Unit::split(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn only_the_same_unit_is_stripped() {
        let percent = Unit { behind: "%".into(), ..Unit::default() };
        assert_eq!(percent.strip("8 %").as_deref(), Some("8"));
        for text in ["8", "8 cm", "", "%8"] {
            assert_ne!(percent.strip(text).as_deref(), Some("8"), "{text:?}");
        }
        let month = Unit { behind: "month".into(), ..Unit::default() };
        assert_eq!(month.strip("1 month").as_deref(), Some("1"));
        assert_eq!(month.strip(" 36 months").map(|text| text.trim().to_owned()).as_deref(), Some("36"));
    }
}
