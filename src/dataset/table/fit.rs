//! Fitting an encoding to training rows.

use super::encoding::{code, missing_value};
use super::texts::{booleans, sort};
use super::{Column, ColumnEncoding, LabelPlace, Table, TableEncoding, shown};
use crate::named::named;
use crate::{Error, Result};

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

/// Options of an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FitOptions {
    /// How missing values are filled; without it they are refused.
    pub impute: Option<Impute>,
    /// Maximum number of categories of a column of texts.
    pub max_categories: usize,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { impute: None, max_categories: 64 }
    }
}

impl TableEncoding {
    /// Fits an encoding to the rows that are not marked; without marks to all.
    ///
    /// # Errors
    /// [`Error::Table`] when a value is missing and may not be filled, when a column has too many
    /// categories, or no value in any training row.
    pub fn fit(table: &Table, held_out: Option<&[bool]>, options: FitOptions) -> Result<Self> {
        let is_training = |row: usize| held_out.is_none_or(|marks| !marks[row]);
        let fit = |(slot, column): (usize, &Column)| {
            if options.impute.is_none() && column.first_missing.is_some() {
                return Err(missing_value(table, column));
            }
            let cells = || {
                let cells = table.cells.iter().skip(slot).step_by(table.columns.len());
                cells
                    .enumerate()
                    .filter(|(row, cell)| is_training(*row) && !cell.is_nan())
                    .map(|(_, cell)| *cell)
            };
            let (mut fill, mut categories) = (None, None);
            if column.texts.is_some() {
                categories = Some(fit_categories(table, column, cells(), options.max_categories)?);
            } else if let Some(impute) = options.impute {
                fill = Some(fit_fill(table, column, cells(), impute)?);
            }
            let is_number = column.texts.is_none();
            Ok(ColumnEncoding {
                name: column.name.clone(),
                position: column.position,
                categories,
                fill,
                offset: Some(column.offset).filter(|offset| is_number && *offset != 0.0),
                range: column.span.range().filter(|_| is_number),
            })
        };
        let columns = table.columns.iter().enumerate().map(fit).collect::<Result<_>>()?;
        let label = table.labels.as_ref();
        let label = label.map(|label| LabelPlace { name: label.name.clone(), position: label.position });
        let (named, file_columns) = (table.named, table.file_columns);
        let encoding = Self { named, columns, label, file_columns, impute: options.impute };
        encoding.check().map_err(|error| table.refused(error.to_string()))?;
        Ok(encoding)
    }
}

fn fit_categories(
    table: &Table,
    column: &Column,
    cells: impl Iterator<Item = f32>,
    most: usize,
) -> Result<Vec<String>> {
    let name = shown(&column.name, table.named);
    let Some(texts) = &column.texts else { return Ok(Vec::new()) };
    let too_many = |how_many: String| {
        let example = texts.list().first().map_or("", String::as_str);
        Err(table.refused(format!(
            "column {name} holds texts, such as {example:?}, {how_many} different ones, the limit is {most}: leave \
             it out with `drop` {} if it identifies rows or is a date, or raise the limit with `max-categories`",
            column.name
        )))
    };
    if texts.has_overflown() {
        return too_many(format!("more than {}", texts.list().len()));
    }
    let mut seen = vec![false; texts.list().len()];
    cells.filter_map(code).for_each(|code| seen[code] = true);
    let mut categories: Vec<String> =
        texts.list().iter().zip(seen).filter(|(_, seen)| *seen).map(|(text, _)| text.clone()).collect();
    if categories.is_empty() {
        return Err(no_value(table, &name));
    }
    if categories.len() > most {
        return too_many(categories.len().to_string());
    }
    if let Some(text) = stray_text(&categories) {
        return Err(table.refused(format!(
            "column {name} holds numbers and the text {text:?}: correct that cell (decimals have a point), or leave the \
             column out with `drop` {}",
            column.name
        )));
    }
    if let Some(spelled) = booleans(&categories) {
        categories = spelled;
    }
    sort(&mut categories);
    categories.dedup();
    Ok(categories)
}

/// Columns with at least this many different texts may be corrupted numbers.
const MANY_TEXTS: usize = 8;

/// The text that turns apparent numbers into categories: if nearly all texts are numbers, with a point or
/// a comma, the first one that is not.
fn stray_text(categories: &[String]) -> Option<&String> {
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let numbers = categories.iter().filter(|text| is_number(&text.replacen(',', ".", 1))).count();
    let nearly_all = categories.len() > MANY_TEXTS && 10 * numbers >= 9 * categories.len();
    categories.iter().find(|text| !is_number(text)).filter(|_| nearly_all)
}

fn fit_fill(table: &Table, column: &Column, cells: impl Iterator<Item = f32>, impute: Impute) -> Result<f32> {
    let (mut sum, mut count, mut values) = (0.0, 0_usize, Vec::new());
    for cell in cells {
        sum += f64::from(cell);
        count += 1;
        if impute == Impute::Median {
            values.push(cell);
        }
    }
    if count == 0 && impute != Impute::Zero {
        return Err(no_value(table, &shown(&column.name, table.named)));
    }
    #[expect(clippy::cast_possible_truncation, reason = "between numbers that f32 holds")]
    Ok(match impute {
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

fn no_value(table: &Table, name: &str) -> Error {
    table.refused(format!("column {name} has no value in any training row: exclude it with `drop`"))
}
