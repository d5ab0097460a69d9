//! Fitting an encoding to training rows.

use super::encoding::code;
use super::problems::TooMany;
use super::texts::{booleans, sort};
use super::{CellRules, Column, ColumnEncoding, LabelPlace, Labels, Problems, Table, TableEncoding, Texts};
use crate::Result;
use crate::dataset::Task;
use crate::named::named;

named! {
    /// How missing values of a column of numbers are filled. A missing text becomes all zeros.
    pub enum Impute {
        /// By the mean of the training rows.
        Mean = "mean",
        /// By their median.
        Median = "median",
        /// By 0.
        Zero = "zero",
    }
}

/// Options of an encoding, and of what is learned from a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FitOptions {
    /// How missing values are filled; without it they are refused.
    pub impute: Option<Impute>,
    /// Maximum number of categories of a column of texts.
    pub max_categories: usize,
    /// The task, if it was requested; otherwise the labels suggest it.
    pub task: Option<Task>,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { impute: None, max_categories: 64, task: None }
    }
}

impl TableEncoding {
    /// Fits an encoding to the rows that are not marked; without marks to all.
    ///
    /// # Errors
    /// [`Error::Table`] when a value is missing and may not be filled, when a column has too many
    /// categories, or no value in any training row.
    pub fn fit(table: &Table, held_out: Option<&[bool]>, options: FitOptions) -> Result<Self> {
        let (mut problems, mut columns) = (Problems::new(table, options), Vec::new());
        for (slot, column) in table.columns.iter().enumerate() {
            let fitted = fit_column(table, (slot, column), held_out, options, &mut problems);
            columns.push(fitted);
        }
        if !problems.is_empty() {
            return Err(problems.into_error(table));
        }
        let place = |label: &Labels| LabelPlace { name: label.name.clone(), position: label.position };
        let mut labels = table.labels.iter().map(place);
        let (label, more_labels) = (labels.next(), labels.collect());
        let weights = table.weights.as_ref().map(place);
        let (named, file_columns, impute) = (table.named, table.file_columns, options.impute);
        let cells = table.rules.clone().filter(|rules| *rules != CellRules::default());
        let encoding = Self { named, columns, label, more_labels, weights, file_columns, impute, cells };
        encoding.check().map_err(|error| table.refused(error.to_string()))?;
        Ok(encoding)
    }

    /// Everything that keeps a table from being learned, whichever rows are held out.
    #[cfg(feature = "train")]
    pub(crate) fn problems(table: &Table, options: FitOptions) -> Problems {
        let mut problems = Problems::new(table, options);
        for column in table.columns.iter().enumerate() {
            fit_column(table, column, None, options, &mut problems);
        }
        problems
    }
}

fn fit_column(
    table: &Table,
    (slot, column): (usize, &Column),
    held_out: Option<&[bool]>,
    options: FitOptions,
    problems: &mut Problems,
) -> ColumnEncoding {
    let is_training = |row: usize| held_out.is_none_or(|marks| !marks[row]);
    let cells = || {
        let cells = table.cells.iter().skip(slot).step_by(table.columns.len());
        cells.enumerate().filter(|(row, cell)| is_training(*row) && !cell.is_nan()).map(|(_, cell)| *cell)
    };
    let (mut fill, mut categories) = (None, None);
    if let Some(cells) = &column.mixed_units {
        problems.add_mixed(&column.name, cells);
    } else if let Some(odd) = column.odd.as_ref().filter(|_| column.texts.is_none()) {
        problems.add_odd(&column.name, odd);
    } else if let Some(texts) = &column.texts {
        categories = fit_categories(&column.name, texts, cells(), options.max_categories, problems);
    } else if let Some(impute) = options.impute {
        fill = fit_fill(cells(), impute);
        if fill.is_none() {
            problems.add_empty(&column.name);
        }
    } else if column.first_missing.is_some() && cells().next().is_none() {
        problems.add_empty(&column.name);
    }
    if options.impute.is_none() && column.first_missing.is_some() && !problems.has(&column.name) {
        problems.add_missing(column);
    }
    let (name, position, unit) = (column.name.clone(), column.position, column.unit.clone());
    let is_number = column.texts.is_none();
    let offset = Some(column.offset).filter(|offset| is_number && *offset != 0.0);
    let range = column.span.range().filter(|_| is_number);
    ColumnEncoding { name, position, categories, fill, offset, range, unit }
}

/// The categories of a column of texts; none if there is a problem.
fn fit_categories(
    name: &str,
    texts: &Texts,
    cells: impl Iterator<Item = f32>,
    most: usize,
    problems: &mut Problems,
) -> Option<Vec<String>> {
    let mut seen = vec![false; texts.list().len()];
    cells.filter_map(code).for_each(|code| seen[code] = true);
    let count = seen.iter().filter(|seen| **seen).count();
    if texts.has_overflown() || count > most {
        problems.add_too_many(too_many(name, texts, count));
        return None;
    }
    let with_marks = texts.list().iter().zip(seen);
    let mut categories: Vec<String> =
        with_marks.filter(|(_, seen)| *seen).map(|(text, _)| text.clone()).collect();
    if categories.is_empty() {
        problems.add_empty(name);
        return None;
    }
    if let Some(spelled) = booleans(&categories) {
        categories = spelled;
    }
    sort(&mut categories);
    categories.dedup();
    Some(categories)
}

fn too_many(name: &str, texts: &Texts, count: usize) -> TooMany {
    let count =
        if texts.has_overflown() { format!("more than {}", texts.list().len()) } else { count.to_string() };
    let is_number = |text: &&String| text.replacen(',', ".", 1).parse::<f64>().is_ok();
    let numbers = texts.list().iter().filter(is_number).count();
    // A text among numbers says more than one of the numbers.
    let example = texts.list().iter().find(|text| !is_number(text)).or_else(|| texts.list().first());
    TooMany {
        column: name.to_owned(),
        count,
        example: example.cloned().unwrap_or_default(),
        are_numbers: 10 * numbers >= 9 * texts.list().len(),
    }
}

/// The fill of missing numbers; none if there is no number.
fn fit_fill(cells: impl Iterator<Item = f32>, impute: Impute) -> Option<f32> {
    let (mut sum, mut count, mut values) = (0.0, 0_usize, Vec::new());
    for cell in cells {
        sum += f64::from(cell);
        count += 1;
        if impute == Impute::Median {
            values.push(cell);
        }
    }
    if count == 0 && impute != Impute::Zero {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "between numbers that f32 holds")]
    Some(match impute {
        Impute::Zero => 0.0,
        Impute::Mean => (sum / count as f64) as f32,
        Impute::Median => median(&mut values) as f32,
    })
}

/// The median of at least one value.
fn median(values: &mut [f32]) -> f64 {
    let middle = values.len() / 2;
    let is_odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    let upper = f64::from(*upper);
    if is_odd {
        return upper;
    }
    let lower = below.iter().copied().max_by(f32::total_cmp).map_or(upper, f64::from);
    f64::midpoint(lower, upper)
}
