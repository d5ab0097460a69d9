//! Encodes the columns of a table as features of samples.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::label_place::LabelPlace;
use super::{CellRules, Impute, Limits, Table, Unit, shown};
use crate::{Error, Result, threads};

/// Bytes of the longest name that a file may keep.
const MAX_NAME: usize = 4096;
/// Unseen texts that a warning names.
const NAMED_TEXTS: usize = 3;
/// Rows that a thread encodes at a time.
const PART: usize = 1024;

/// How tables with certain columns become features; fitted on training rows.
///
/// A column of numbers is one feature. A column of texts is one feature for each of its categories, 1 if the cell is that text and
/// 0 otherwise; a text not among them becomes all zeros. If missing values are imputed, a missing number becomes the column's
/// fill, a missing text all zeros.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableEncoding {
    /// Whether columns are found by their names.
    pub named: bool,
    /// In the order of the features.
    pub columns: Vec<ColumnEncoding>,
    /// The first label; `None` if labels had a separate file or array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<LabelPlace>,
    /// Further labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_labels: Vec<LabelPlace>,
    /// The column of the rows' weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<LabelPlace>,
    /// Number of columns of the training file, by which columns without names are found.
    pub file_columns: usize,
    /// How missing values are filled; without it they are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impute: Option<Impute>,
    /// How the cells of text tables are read; none for the usual way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[doc(hidden)]
    pub cells: Option<CellRules>,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnEncoding {
    /// Its name; a place if columns have no names.
    pub name: String,
    /// Its place in the training file, counted from 0.
    pub position: usize,
    /// The categories of texts; none for a column of numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// The replacement of a missing number, after the offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<f32>,
    /// What is subtracted from each number, in float64, before it is rounded to float32; `None` for 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<f64>,
    /// The smallest and the largest number in the training file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
    /// What stands before or behind every number in text tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[doc(hidden)]
    pub unit: Option<Unit>,
}

/// An encoded table.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// `[row][feature]`.
    pub features: Vec<f32>,
    /// Columns with texts that training did not see.
    pub unseen: Vec<Unseen>,
}

/// Texts without a category: they became zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Name of the column.
    pub column: String,
    /// Number of rows.
    pub rows: usize,
    /// The first of these texts.
    #[doc(hidden)]
    pub texts: Vec<String>,
    /// Where the first one is, if known.
    #[doc(hidden)]
    pub first: Option<String>,
    /// The first of the categories.
    #[doc(hidden)]
    pub known: Vec<String>,
    /// Whether no row has a text of a category.
    #[doc(hidden)]
    pub is_all: bool,
}

impl Unseen {
    /// Adds what was found in later rows.
    #[cfg(feature = "train")]
    pub(crate) fn extend(&mut self, later: Self) {
        self.rows += later.rows;
        self.is_all &= later.is_all;
        for text in later.texts {
            if self.texts.len() < NAMED_TEXTS && !self.texts.contains(&text) {
                self.texts.push(text);
            }
        }
        self.first = self.first.take().or(later.first);
    }
}

impl ColumnEncoding {
    /// Whether its numbers are from 0 to 1, and so may be booleans.
    pub(crate) fn holds_booleans(&self) -> bool {
        self.categories.is_none() && self.range == Some([0.0, 1.0])
    }

    /// Number of features that it becomes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.categories.as_ref().map_or(1, Vec::len)
    }
}

impl TableEncoding {
    /// Columns of numbers, each a feature, in their order.
    #[must_use]
    pub fn of_columns(features: usize) -> Self {
        let column = |position: usize| ColumnEncoding {
            name: position.to_string(),
            position,
            categories: None,
            fill: None,
            offset: None,
            range: None,
            unit: None,
        };
        Self {
            named: false,
            columns: (0..features).map(column).collect(),
            label: None,
            more_labels: Vec::new(),
            weights: None,
            file_columns: features,
            impute: None,
            cells: None,
        }
    }

    pub(crate) fn labels(&self) -> impl Iterator<Item = &LabelPlace> + Clone {
        self.label.iter().chain(&self.more_labels)
    }

    /// Number of features of a sample.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.iter().map(ColumnEncoding::width).sum()
    }

    /// The name of each feature: that of its column, and the category behind `=`.
    #[must_use]
    pub fn feature_names(&self) -> Vec<String> {
        let names = |column: &ColumnEncoding| match &column.categories {
            None => vec![column.name.clone()],
            Some(list) => list.iter().map(|category| format!("{}={category}", column.name)).collect(),
        };
        self.columns.iter().flat_map(names).collect()
    }

    /// Refuses an encoding that this program could not produce.
    ///
    /// # Errors
    /// [`Error::Dataset`] with what is wrong.
    pub fn check(&self) -> Result<()> {
        let fail = |reason: String| Err(Error::Dataset(format!("encoding: {reason}")));
        let limits = Limits::default();
        if self.columns.is_empty() || self.file_columns > limits.columns {
            return fail(format!("{} columns of {}", self.columns.len(), self.file_columns));
        }
        if let Some(reason) = self.cells.as_ref().and_then(|cells| cells.check().err()) {
            return fail(reason);
        }
        let label = self.labels().chain(&self.weights).filter_map(|label| label.position);
        let mut taken = std::collections::HashSet::new();
        let places = self.columns.iter().map(|column| column.position).chain(label);
        if let Some(wrong) =
            places.into_iter().find(|place| *place >= self.file_columns || !taken.insert(*place))
        {
            return fail(format!("place {wrong} is used twice or beyond the {} columns", self.file_columns));
        }
        for column in &self.columns {
            let categories = column.categories.as_deref().unwrap_or_default();
            let distinct: std::collections::HashSet<&String> = categories.iter().collect();
            if distinct.len() != categories.len() || column.categories.as_ref().is_some_and(Vec::is_empty) {
                return fail(format!("column {:?} has no categories or twice the same", column.name));
            }
            if column.name.len() > MAX_NAME || categories.iter().any(|text| text.len() > MAX_NAME) {
                return fail(format!("a name or category is longer than {MAX_NAME} bytes"));
            }
            if let Some(reason) = column.unit.as_ref().and_then(|unit| unit.check().err()) {
                return fail(format!("column {:?}: {reason}", column.name));
            }
            if column.fill.is_some_and(|fill| !fill.is_finite()) {
                return fail(format!("column {:?} has a fill that is not a finite number", column.name));
            }
            let bounds = column.range.unwrap_or_default();
            if !column.offset.iter().chain(&bounds).all(|bound| bound.is_finite()) || bounds[0] > bounds[1] {
                return fail(format!("column {:?} has an impossible range or offset", column.name));
            }
        }
        Ok(())
    }

    /// The features of a table that was read with [`Columns::Of`](super::Columns::Of) this
    /// encoding, or that this one was fitted on.
    ///
    /// A table of numbers needs no second copy.
    ///
    /// # Errors
    /// [`Error::Table`] when values are missing that are not imputed, or when the features need
    /// more memory than the limits allow.
    pub fn encode(&self, table: &mut Table, limits: &Limits) -> Result<Encoded> {
        if table.columns.len() != self.columns.len() {
            let (there, expected) = (table.columns.len(), self.columns.len());
            return Err(table.refused(format!("{there} columns of features, expected {expected}")));
        }
        let missing = table.columns.iter().find(|column| column.first_missing.is_some());
        if let (Some(column), None) = (missing, self.impute) {
            let place = column.first_missing.as_deref().unwrap_or("somewhere");
            let name = shown(&column.name, table.named);
            return Err(table.refused(format!(
                "{place}, column {name}: the value is missing, and the model fills none: fill it, or train with `impute`"
            )));
        }
        self.align(table);
        let mut cells = std::mem::take(&mut table.cells);
        if self.columns.iter().all(|column| column.categories.is_none()) {
            let fills: Vec<f32> = self.columns.iter().map(|column| column.fill.unwrap_or(0.0)).collect();
            let fill = |row: &mut [f32]| {
                for (cell, fill) in row.iter_mut().zip(&fills).filter(|(cell, _)| cell.is_nan()) {
                    *cell = *fill;
                }
            };
            threads::run(|| cells.par_chunks_mut(fills.len()).for_each(fill));
            return Ok(Encoded { features: cells, unseen: Vec::new() });
        }
        limits
            .check_values(table.rows as f64, self.width() as f64)
            .map_err(|reason| table.refused(format!("one feature for each category: {reason}")))?;
        Ok(Encoded { features: self.one_hot(table, &cells), unseen: self.unseen(table, &cells) })
    }

    fn one_hot(&self, table: &Table, cells: &[f32]) -> Vec<f32> {
        let (width, columns) = (self.width(), self.columns.len());
        let places: Vec<Vec<Option<usize>>> = self.category_places(table);
        let mut features = vec![0.0; table.rows * width];
        let parts = features.par_chunks_mut(PART * width).zip(cells.par_chunks(PART * columns));
        let encode = |(to, from): (&mut [f32], &[f32])| {
            for (to, from) in to.chunks_exact_mut(width).zip(from.chunks_exact(columns)) {
                let mut first = 0;
                for ((column, cell), places) in self.columns.iter().zip(from).zip(&places) {
                    if column.categories.is_none() {
                        to[first] = if cell.is_nan() { column.fill.unwrap_or(0.0) } else { *cell };
                    } else if let Some(place) = code(*cell).and_then(|code| places[code]) {
                        to[first + place] = 1.0;
                    }
                    first += column.width();
                }
            }
        };
        threads::run(|| parts.for_each(encode));
        features
    }

    /// For each column the category of each of the table's texts.
    fn category_places(&self, table: &Table) -> Vec<Vec<Option<usize>>> {
        let places = |(encoding, column): (&ColumnEncoding, &super::Column)| {
            let (Some(categories), Some(texts)) = (&encoding.categories, &column.texts) else {
                return Vec::new();
            };
            let known = super::Texts::fixed(categories);
            texts.list().iter().map(|text| known.find(text).map(|place| place as usize)).collect()
        };
        self.columns.iter().zip(&table.columns).map(places).collect()
    }

    /// Texts that are neither a known category nor missing.
    fn unseen(&self, table: &Table, cells: &[f32]) -> Vec<Unseen> {
        let places = self.category_places(table);
        let columns = self.columns.iter().zip(&places).enumerate();
        let count = |(slot, (column, places)): (usize, (&ColumnEncoding, &Vec<Option<usize>>))| {
            column.categories.as_ref()?;
            let own = &table.columns[slot];
            let texts = own.texts.as_ref()?;
            // Texts that the reader did not keep, then those of rows that were not used in training.
            let mut unseen = Unseen {
                column: column.name.clone(),
                rows: 0,
                texts: texts.unknown().to_vec(),
                first: own.first_unseen.clone(),
                known: column.categories.iter().flatten().take(NAMED_TEXTS).cloned().collect(),
                is_all: true,
            };
            let of_column = cells.iter().skip(slot).step_by(self.columns.len());
            for (row, cell) in of_column.enumerate() {
                let known = code(*cell).filter(|code| places[*code].is_none());
                if *cell != super::UNSEEN && known.is_none() {
                    unseen.is_all &= cell.is_nan();
                    continue;
                }
                unseen.rows += 1;
                let text = known.map(|code| &texts.list()[code]);
                if let Some(text) =
                    text.filter(|text| unseen.texts.len() < NAMED_TEXTS && !unseen.texts.contains(text))
                {
                    unseen.texts.push(text.clone());
                }
                if unseen.first.is_none() {
                    unseen.first = Some(format!("row {}", row + 1));
                }
            }
            (unseen.rows > 0).then_some(unseen)
        };
        columns.filter_map(count).collect()
    }
}

/// The number of a cell's text; none when it is missing or unseen.
#[expect(clippy::cast_possible_truncation, reason = "numbers of texts, or not taken")]
pub(super) fn code(cell: f32) -> Option<usize> {
    (cell >= 0.0).then_some(cell as usize)
}
