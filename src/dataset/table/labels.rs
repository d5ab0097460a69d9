//! Labels, not yet classes.

#[cfg(feature = "train")]
use super::LabelChoice;
use super::texts::label_number;
use super::{Limits, Table, Texts, Unit, shown};
use crate::Result;

/// The label of each row, as in the table.
#[derive(Clone, Debug)]
pub struct Labels {
    /// Name of the column.
    pub(crate) name: String,
    /// Place in the file; `None` for labels of a separate file.
    pub(crate) position: Option<usize>,
    /// `[row]`, numbers of texts.
    pub(crate) codes: Vec<u32>,
    /// The texts of the numbers.
    pub(crate) texts: Texts,
    /// Where the first missing label is, and its word, if there is one.
    pub(crate) first_missing: Option<(String, String)>,
    /// Why this is the label.
    #[cfg(feature = "train")]
    pub(crate) choice: LabelChoice,
    /// `[text]`, each text as a number; NaN if it is none.
    pub(super) of_texts: Vec<f64>,
    /// The labels that are no text of the list, in the order of their rows: as numbers, NaN if they are none.
    pub(super) beyond: Vec<f64>,
}

/// The code of a row whose label is missing, or came after too many others.
const NO_TEXT: u32 = u32::MAX;

impl Labels {
    pub(super) fn new(name: &str, position: Option<usize>, limits: &Limits) -> Self {
        Self {
            name: name.to_owned(),
            position,
            codes: Vec::new(),
            texts: Texts::up_to(limits.classes),
            first_missing: None,
            #[cfg(feature = "train")]
            choice: LabelChoice::Named,
            of_texts: Vec::new(),
            beyond: Vec::new(),
        }
    }

    #[cfg(feature = "train")]
    /// Whether some row has no label.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.first_missing.is_some()
    }

    /// Refuses rows without a label.
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table) with the first of them.
    pub(super) fn check_complete(&self, table: &Table) -> Result<()> {
        let Some((place, _)) = &self.first_missing else { return Ok(()) };
        let column = shown(&self.name, table.named);
        Err(table.refused(format!("{place}: the label is missing in column {column}: remove such rows")))
    }

    /// Adds the label of the next row.
    pub(super) fn push(&mut self, text: &str) {
        self.push_number(text, || label_number(text));
    }

    /// As [`Self::push`], with the number that the text is.
    pub(super) fn push_number(&mut self, text: &str, number: impl FnOnce() -> f64) {
        let code = self.texts.number(text).unwrap_or(NO_TEXT);
        self.push_code(code, number);
    }

    /// Adds a row by the number of its text, new ones in their order, and the number that the text is.
    pub(super) fn push_code(&mut self, code: u32, number: impl FnOnce() -> f64) {
        self.codes.push(code);
        if code == NO_TEXT {
            self.beyond.push(number());
        } else if code as usize == self.of_texts.len() {
            self.of_texts.push(number());
        }
    }

    #[cfg(feature = "train")]
    /// Adds a row without a label.
    pub(super) fn push_missing(&mut self, place: impl FnOnce() -> String, word: &str) {
        self.push_code(NO_TEXT, || f64::NAN);
        self.first_missing.get_or_insert_with(|| (place(), word.to_owned()));
    }

    /// Adds the rows of a later part of the column.
    pub(super) fn append(&mut self, later: &Self) {
        if self.first_missing.is_none() {
            self.first_missing.clone_from(&later.first_missing);
        }
        let codes = self.texts.take(&later.texts);
        for (code, number) in later.codes.iter().zip(later.numbers()) {
            let code = codes.get(*code as usize).copied().flatten().unwrap_or(NO_TEXT);
            self.push_code(code, || number);
        }
    }

    /// `[row]`, the label as a number; NaN if it is none.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = f64> {
        let mut beyond = self.beyond.iter().copied();
        self.codes.iter().map(move |code| match self.of_texts.get(*code as usize) {
            Some(number) => *number,
            None => beyond.next().unwrap_or(f64::NAN),
        })
    }

    /// What keeps nearly all values from being numbers to predict: a few other ones, or a unit; `None` of other texts.
    pub(super) fn almost_numbers(&self) -> Option<String> {
        let text = |row: usize| self.texts.list().get(self.codes[row] as usize);
        let odd: Vec<usize> = self
            .numbers()
            .enumerate()
            .filter(|(_, number)| !number.is_finite())
            .map(|(row, _)| row)
            .collect();
        let row = *odd.first()?;
        let shown_text = text(row).map_or_else(|| "a missing value".to_owned(), |text| format!("{text:?}"));
        if odd.len() * 10 <= self.codes.len() {
            return Some(format!(
                "nearly all of them numbers, but row {} has {shown_text}: correct or remove {} to predict the column as a number",
                row + 1,
                if odd.len() == 1 { "it".to_owned() } else { format!("such rows ({})", odd.len()) }
            ));
        }
        let has_unit = |row: &&usize| {
            text(**row).is_some_and(|text| Unit::split(text).is_some_and(|(_, unit)| unit.is_known()))
        };
        let with_unit = odd.iter().filter(has_unit).count();
        ((self.codes.len() - odd.len() + with_unit) * 10 >= self.codes.len() * 9).then(|| {
            format!("numbers with units, such as {shown_text}: write plain numbers to predict the column as a number")
        })
    }

    /// All numbers that occur, some of them once for many rows.
    pub(crate) fn different_numbers(&self) -> impl Iterator<Item = f64> {
        self.of_texts.iter().chain(&self.beyond).copied()
    }

    /// Keeps only some rows, `[row]`, and forgets texts that no row has any more, so that they do not become classes.
    #[cfg(feature = "train")]
    pub(super) fn retain(&mut self, keep: &[bool]) {
        let numbers: Vec<f64> = self.numbers().collect();
        let codes = std::mem::take(&mut self.codes);
        let empty = Texts::up_to(self.texts.list().len());
        let texts = (!self.texts.has_overflown()).then(|| std::mem::replace(&mut self.texts, empty));
        self.beyond.clear();
        if texts.is_some() {
            self.of_texts.clear();
        }
        for ((code, number), _) in codes.into_iter().zip(numbers).zip(keep).filter(|(_, keep)| **keep) {
            let code = match &texts {
                None => Some(code),
                Some(texts) => texts.list().get(code as usize).and_then(|text| self.texts.number(text)),
            };
            self.push_code(code.unwrap_or(NO_TEXT), || number);
        }
        if !self.codes.contains(&NO_TEXT) {
            self.first_missing = None;
        }
    }
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;

    /// Labels whose list has space for two texts.
    fn labels(texts: &[&str]) -> Labels {
        let mut labels = Labels::new("y", None, &Limits { classes: 2, ..Limits::default() });
        for text in texts {
            if text.is_empty() { labels.push_missing(|| "line 9".into(), text) } else { labels.push(text) }
        }
        labels
    }

    /// NaN as -1.
    fn numbers(labels: &Labels) -> Vec<f64> {
        labels.numbers().map(|number| if number.is_nan() { -1.0 } else { number }).collect()
    }

    #[test]
    fn every_row_keeps_its_number_when_the_list_of_texts_is_full() {
        let first = labels(&["7", "0.5", "7", "", "3"]);
        assert_eq!(numbers(&first), [7.0, 0.5, 7.0, -1.0, 3.0]);
        let mut both = labels(&["3", "oak"]);
        both.append(&first);
        // The list holds 3 and oak; 7 and 0.5 come too late for it.
        assert_eq!(numbers(&both), [3.0, -1.0, 7.0, 0.5, 7.0, -1.0, 3.0]);
        both.retain(&[false, false, true, true, false, false, true]);
        assert_eq!(numbers(&both), [7.0, 0.5, 3.0]);
    }

    #[test]
    fn texts_without_rows_are_forgotten() {
        let mut labels = labels(&["7", "", "oak"]);
        labels.retain(&[false, false, true]);
        assert_eq!((labels.texts.list(), labels.codes.as_slice()), (&["oak".to_owned()][..], &[0][..]));
        assert!(!labels.is_incomplete() && numbers(&labels) == [-1.0]);
        labels.retain(&[true]);
        assert_eq!(numbers(&labels), [-1.0]);
    }
}
