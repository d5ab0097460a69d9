//! Labels, not yet classes.

#[cfg(feature = "train")]
use super::LabelChoice;
use super::texts::label_number;
use super::{Limits, Texts};

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
    /// `[row]`, the label as a number; NaN if it is none.
    pub(crate) numbers: Vec<f64>,
}

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
            numbers: Vec::new(),
        }
    }

    #[cfg(feature = "train")]
    /// Whether some row has no label.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.first_missing.is_some()
    }

    /// Adds the label of the next row.
    pub(super) fn push(&mut self, text: &str) {
        self.push_number(text, label_number(text));
    }

    /// As [`Self::push`], with the number that the text is.
    pub(super) fn push_number(&mut self, text: &str, number: f64) {
        self.codes.push(self.texts.number(text).unwrap_or(u32::MAX));
        self.numbers.push(number);
    }

    #[cfg(feature = "train")]
    /// Adds a row without a label.
    pub(super) fn push_missing(&mut self, place: impl FnOnce() -> String, word: &str) {
        self.codes.push(u32::MAX);
        self.numbers.push(f64::NAN);
        self.first_missing.get_or_insert_with(|| (place(), word.to_owned()));
    }
}
