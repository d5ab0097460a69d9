//! A column of a table, before it is encoded.

use super::{MissingWords, OddCells, Span, Texts, Unit};

/// A column of features.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Place in the file, counted from 0.
    pub(crate) position: usize,
    /// The texts of a column of texts; none for numbers.
    pub(crate) texts: Option<Texts>,
    /// Where the first missing cell is, if there is one.
    pub(crate) first_missing: Option<String>,
    /// Where the first text is that training did not see.
    pub(crate) first_unseen: Option<String>,
    /// What was subtracted from each number.
    pub(crate) offset: f64,
    /// The numbers before that.
    pub(crate) span: Span,
    /// Words among numbers that were taken for missing values.
    pub(crate) words: MissingWords,
    /// Cells of a column of numbers that are no numbers.
    pub(crate) odd: Option<OddCells>,
    /// Two cells of different units, if the column has several.
    pub(crate) mixed_units: Option<String>,
    /// What stands before or behind every number.
    pub(crate) unit: Option<Unit>,
}

impl Column {
    /// A column without cells.
    pub(crate) fn new(name: String, position: usize, texts: Option<Texts>) -> Self {
        Self {
            name,
            position,
            texts,
            first_missing: None,
            first_unseen: None,
            offset: 0.0,
            span: Span::default(),
            words: MissingWords::default(),
            odd: None,
            mixed_units: None,
            unit: None,
        }
    }
}
