//! Texts by number, in the order of their first appearance.

use std::collections::HashMap;

use super::UNSEEN;
use super::span::narrow;

/// Bytes of the longest category or label.
pub(crate) const MAX_TEXT: usize = 1024;

/// Unknown texts that are remembered for a warning.
const UNKNOWN: usize = 3;
/// Numbers of texts that a float32 can represent.
#[cfg(feature = "train")]
const MOST_CELLS: usize = 1 << 24;

/// A list of different texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    list: Vec<String>,
    places: HashMap<String, u32>,
    growth: NewTexts,
    /// Whether missing values are texts, too.
    #[cfg(feature = "train")]
    is_verbatim: bool,
    /// The first texts that were not added, with where each was.
    unknown: Vec<String>,
}

/// What false and true are called in a column of booleans, by the programs that write them.
const TRUTHS: [[&str; 7]; 2] =
    [["False", "false", "FALSE", "f", "F", "0", "0.0"], ["True", "true", "TRUE", "t", "T", "1", "1.0"]];
/// Of these the words that are nothing but booleans.
const WORDS: usize = 3;

/// What happens to a text that is not in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NewTexts {
    /// It is added, up to this many.
    UpTo(usize),
    /// The list was full when another text came.
    Overflown,
    /// It is not added.
    Never,
}

impl Default for NewTexts {
    fn default() -> Self {
        Self::UpTo(usize::MAX)
    }
}

impl Texts {
    /// An empty list that takes up to this many texts.
    pub(crate) fn up_to(limit: usize) -> Self {
        Self { growth: NewTexts::UpTo(limit), ..Self::default() }
    }

    /// An empty list that takes every text as it is, also one that means a missing value.
    #[cfg(feature = "train")]
    pub(crate) fn verbatim() -> Self {
        Self { is_verbatim: true, growth: NewTexts::UpTo(MOST_CELLS), ..Self::default() }
    }

    /// Whether missing values are texts, too.
    #[cfg(feature = "train")]
    pub(crate) fn is_verbatim(&self) -> bool {
        self.is_verbatim
    }

    /// Whether it is the list of a new column of texts that may be missing.
    #[cfg(feature = "train")]
    pub(crate) fn grows(&self) -> bool {
        self.growth != NewTexts::Never && !self.is_verbatim
    }

    /// The first texts that a fixed list does not have.
    pub(crate) fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// A fixed list. If these are booleans, every spelling of theirs is found.
    pub(crate) fn fixed(list: &[String]) -> Self {
        let mut places: HashMap<String, u32> =
            (0..).zip(list).map(|(place, text)| (text.clone(), place)).collect();
        let truths: Option<Vec<usize>> = list.iter().map(|text| truth(text, TRUTHS[0].len())).collect();
        if let Some(truths) = truths.filter(|truths| truths.len() < 2 || truths[0] != truths[1]) {
            for (place, truth) in (0..).zip(truths) {
                for text in TRUTHS[truth] {
                    places.entry(text.to_owned()).or_insert(place);
                }
            }
        }
        Self { list: list.to_vec(), places, growth: NewTexts::Never, ..Self::default() }
    }

    /// The number of a text, which is added if the list may grow.
    pub(crate) fn number(&mut self, text: &str) -> Option<u32> {
        if let Some(place) = self.places.get(text) {
            return Some(*place);
        }
        match self.growth {
            NewTexts::UpTo(limit) if self.list.len() < limit => {
                let place = u32::try_from(self.list.len()).ok()?;
                self.list.push(text.to_owned());
                self.places.insert(text.to_owned(), place);
                Some(place)
            }
            NewTexts::UpTo(_) => {
                self.growth = NewTexts::Overflown;
                None
            }
            NewTexts::Never => {
                if self.unknown.len() < UNKNOWN && !self.unknown.iter().any(|known| known == text) {
                    self.unknown.push(text.to_owned());
                }
                None
            }
            NewTexts::Overflown => None,
        }
    }

    /// The cell of a text, which is added if the list may grow.
    pub(crate) fn cell(&mut self, text: &str) -> f32 {
        cell(self.number(text))
    }

    /// The number of a known text.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        self.places.get(text).copied()
    }

    /// The texts by their numbers.
    pub(crate) fn list(&self) -> &[String] {
        &self.list
    }

    /// Whether there were too many different texts for the list.
    pub(crate) fn has_overflown(&self) -> bool {
        self.growth == NewTexts::Overflown
    }

    /// Numbers of another list's texts in this one, which grows by them.
    pub(crate) fn take(&mut self, other: &Self) -> Vec<Option<u32>> {
        let numbers = other.list.iter().map(|text| self.number(text)).collect();
        for text in &other.unknown {
            self.number(text);
        }
        if other.has_overflown() && self.growth != NewTexts::Never {
            self.growth = NewTexts::Overflown;
        }
        numbers
    }
}

/// A cell without surrounding blanks, also those that are no ASCII, such as the no-break space.
pub(crate) fn trimmed(cell: &[u8]) -> &[u8] {
    let cell = cell.trim_ascii();
    if cell.first().is_none_or(u8::is_ascii) && cell.last().is_none_or(u8::is_ascii) {
        return cell;
    }
    let is_blank =
        |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\u{200e}' | '\u{200f}');
    std::str::from_utf8(cell).map_or(cell, |text| text.trim_matches(is_blank).as_bytes())
}

/// Of the first spellings of a boolean the value of this one, 0 or 1.
fn truth(text: &str, spellings: usize) -> Option<usize> {
    TRUTHS.iter().position(|truths| truths[..spellings].contains(&text))
}

/// The number of a boolean that is written as a word.
pub(crate) fn boolean(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text.trim_ascii()).ok()?;
    truth(text, TRUTHS[0].len()).map(|truth| truth as f64)
}

/// The one spelling of booleans, if all texts are the words true and false.
pub(crate) fn booleans(texts: &[String]) -> Option<Vec<String>> {
    let spelling = |text: &String| truth(text, WORDS).map(|truth| TRUTHS[truth][0].to_owned());
    texts.iter().map(spelling).collect()
}

/// The cell of a text by its number, which a float32 can represent; [`UNSEEN`] without one.
pub(crate) fn cell(number: Option<u32>) -> f32 {
    number.map_or(UNSEEN, |number| number as f32)
}

/// The first of some names, for a message.
pub(crate) fn listed(names: impl IntoIterator<Item = String>, most: usize) -> String {
    let mut names = names.into_iter();
    let mut first: Vec<String> = names.by_ref().take(most).collect();
    first.extend(names.next().map(|_| "..".to_owned()));
    first.join(", ")
}

/// The float64 number nearest to a text, or its neighbour where rounding twice would give another float32 number than rounding once.
pub(crate) fn parse(text: &str) -> Result<f64, std::num::ParseFloatError> {
    /// The 29 bits of a float64 number that float32 lacks, and of these the highest.
    const LOST: u64 = (1 << 29) - 1;
    const HALF: u64 = 1 << 28;
    let number: f64 = text.parse()?;
    let is_between = number.to_bits() & LOST == HALF || number.abs() < f64::from(f32::MIN_POSITIVE);
    if !is_between {
        return Ok(number);
    }
    let nearest: f32 = text.parse()?;
    Ok(match narrow(number) {
        same if same == nearest => number,
        lower if lower < nearest => number.next_up(),
        _ => number.next_down(),
    })
}

/// A number, if the text is one; infinities are numbers, NaN is not.
pub(crate) fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| !number.is_nan())
}

/// The number of a label, true being 1 and false 0; NaN of any other text.
pub(crate) fn label_number(text: &str) -> f64 {
    match text {
        _ if text.eq_ignore_ascii_case("true") => 1.0,
        _ if text.eq_ignore_ascii_case("false") => 0.0,
        _ => number(text).unwrap_or(f64::NAN),
    }
}

/// Sorts texts: by value if all are numbers, otherwise by their characters.
pub(crate) fn sort(texts: &mut [String]) {
    if texts.iter().all(|text| number(text).is_some()) {
        texts.sort_by(|a, b| {
            let key = |text: &str| number(text).unwrap_or(0.0);
            key(a).total_cmp(&key(b)).then_with(|| a.cmp(b))
        });
    } else {
        texts.sort();
    }
}

#[cfg(test)]
mod tests {
    use super::super::CellRules;
    use super::super::cells::Field;
    use super::*;

    /// Numbers are read once, as float64; as float32 they must be what reading them as float32 gives.
    #[test]
    fn numbers_round_to_float32_as_if_read_so() {
        let halfway = f64::midpoint(1.0, f64::from(1.0f32.next_up()));
        let mut texts = vec![
            halfway.to_string(),
            // Digits beyond float64 that decide.
            format!("{halfway:.60}1"),
            format!("{:.60}", halfway),
            "1.000000059604644775390624999999".into(),
            "1.000000178813934326171875000001".into(),
            "3.4028235677973366e38".into(),
            "3.4028235677973361e38".into(),
            "1e-46".into(),
            "7e-46".into(),
            "7.006492321624085e-46".into(),
            "7.0064923216240854e-46".into(),
            "-1.4e-45".into(),
            "1.1754943157898258e-38".into(),
            "-0".into(),
            "0.1".into(),
            "1e400".into(),
        ];
        texts.extend(
            (0..2000u32)
                .map(|k| format!("{}.{}e{}", k % 7, k.wrapping_mul(2_654_435_761), k as i32 % 77 - 38)),
        );
        for text in &texts {
            let expected: f32 = text.parse().unwrap();
            match CellRules::default().field(text.as_bytes(), None) {
                Field::Number(number) => assert_eq!(narrow(number).to_bits(), expected.to_bits(), "{text}"),
                Field::Infinite => assert!(expected.is_infinite(), "{text}"),
                _ => panic!("{text}"),
            }
        }
    }
}
