//! Tables of columns and arrays that are already in memory.
//!
//! Numbers get the offsets, and texts the reading, that the same columns of a file would get: texts go through the CSV reader.

use super::memory_texts::{in_one_line, read_texts};
use super::span::narrow;
use super::texts::MAX_TEXT;
use super::{Column, ColumnEncoding, ReadOptions, Span, Table, TableEncoding, Texts, listed, shown};
use crate::{Error, Result};

/// The name of such a table in messages.
pub(super) const NAME: &str = "data";

/// Numbers in memory, `[row][column]`, row-major.
#[derive(Clone, Debug)]
pub enum Array<'a> {
    /// These become the cells of the table without a copy.
    Float32(Vec<f32>),
    /// Float64, which are rounded to float32 after the offset of their column is subtracted.
    Float64(&'a [f64]),
    /// Bytes, such as pixels.
    Bytes(&'a [u8]),
}

/// A named column in memory.
#[derive(Clone, Debug)]
pub struct MemoryColumn {
    /// Its name.
    pub name: String,
    /// Its cells.
    pub cells: MemoryCells,
}

/// The cells of a column.
#[derive(Clone, Debug)]
pub enum MemoryCells {
    /// Numbers; NaN if missing.
    Numbers(Vec<f64>),
    /// Texts, which are read like cells of a CSV file; `None` if missing.
    Texts(Vec<Option<String>>),
    /// Categories: texts that are no numbers even if they are written as such.
    Categories(Vec<Option<String>>),
}

impl MemoryCells {
    fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Texts(texts) | Self::Categories(texts) => texts.len(),
        }
    }

    /// Numbers as they are written.
    fn into_texts(self) -> Vec<Option<String>> {
        match self {
            Self::Texts(texts) | Self::Categories(texts) => texts,
            Self::Numbers(numbers) => {
                let text = |number: f64| (!number.is_nan()).then(|| number.to_string());
                numbers.into_iter().map(text).collect()
            }
        }
    }
}

impl Table {
    /// A table of numbers, with names of its columns if they have any, in the order of an encoding if one is known.
    ///
    /// # Errors
    /// [`Error::Table`] when there are no values, the width does not fit, or a number does not fit into float32.
    pub fn of_array(
        array: Array<'_>,
        width: usize,
        names: Option<&[String]>,
        known: Option<&TableEncoding>,
    ) -> Result<Self> {
        let values = match &array {
            Array::Float32(values) => values.len(),
            Array::Float64(values) => values.len(),
            Array::Bytes(values) => values.len(),
        };
        let refuse = |reason: String| Err(Error::table(NAME.into(), &reason));
        if width == 0 || values == 0 || !values.is_multiple_of(width) {
            return refuse(format!(
                "{values} values of {width} columns, at least 1 row of 1 column is needed"
            ));
        }
        if let Some(known) = known.filter(|known| known.columns.len() != width) {
            return refuse(format!("{width} columns, but the model takes {}", known.columns.len()));
        }
        if let Some(column) =
            known.and_then(|known| known.columns.iter().find(|one| one.categories.is_some()))
        {
            return refuse(format!(
                "column {:?} held texts in training, but an array has only numbers",
                column.name
            ));
        }
        let name = |place: usize| names.map_or_else(|| place.to_string(), |names| names[place].clone());
        let columns = (0..width).map(|place| Column::new(name(place), place, None)).collect();
        let mut table = Self::new(NAME.into(), columns, width);
        (table.named, table.rows) = (names.is_some(), values / width);
        table.holds_bytes = matches!(array, Array::Bytes(_));
        match array {
            Array::Float32(values) => table.take_float32(values, known),
            Array::Float64(values) => table.take_float64(width, known, |place| values[place]),
            Array::Bytes(values) => table.take_float64(width, known, |place| f64::from(values[place])),
        }?;
        Ok(table)
    }

    /// A table of named columns; if an encoding is known, those columns that it has.
    ///
    /// # Errors
    /// [`Error::Table`] naming the column that is missing or cannot be read.
    pub fn of_columns(
        columns: Vec<MemoryColumn>,
        known: Option<&TableEncoding>,
        options: &ReadOptions,
    ) -> Result<Self> {
        let (columns, width) = (in_order(columns, known)?, known.map(|known| known.columns.len()));
        let rows = columns.first().map_or(0, |column| column.cells.len());
        let refuse = |reason: String| Err(Error::table(NAME.into(), &reason));
        if rows == 0 || width.is_some_and(|width| width != columns.len()) {
            return refuse(format!("{rows} rows of {} columns, at least 1 of each is needed", columns.len()));
        }
        if let Some(column) = columns.iter().find(|column| column.cells.len() != rows) {
            let (cells, name) = (column.cells.len(), &column.name);
            return refuse(format!("column {name:?} has {cells} cells, the first column has {rows}"));
        }
        let fields = columns.iter().enumerate();
        let empty = fields.map(|(place, column)| Column::new(column.name.clone(), place, None)).collect();
        let mut table = Self::new(NAME.into(), empty, columns.len());
        (table.named, table.rows) = (true, rows);
        table.cells = vec![0.0; rows * columns.len()];
        let (mut texts, mut slots) = (Vec::new(), Vec::new());
        for (slot, column) in columns.into_iter().enumerate() {
            let encoding = known.map(|known| &known.columns[slot]);
            match column.cells {
                MemoryCells::Numbers(numbers) if encoding.is_none_or(|one| one.categories.is_none()) => {
                    table.take_column(slot, &numbers, encoding)?;
                }
                MemoryCells::Categories(cells) if encoding.is_none_or(|one| one.categories.is_some()) => {
                    table.take_categories(slot, &cells)?;
                }
                cells => {
                    texts.push((column.name, cells.into_texts()));
                    slots.push(slot);
                }
            }
        }
        if !slots.is_empty() {
            let read = read_texts(texts, &slots, known, options)?;
            table.take_texts(read, &slots)?;
        }
        Ok(table)
    }

    /// Takes the numbers of one column.
    fn take_column(&mut self, slot: usize, numbers: &[f64], known: Option<&ColumnEncoding>) -> Result<()> {
        let mut span = Span::default();
        numbers.iter().filter(|number| !number.is_nan()).for_each(|number| span.add(*number));
        let offset = known.map_or_else(|| span.offset(), |known| known.offset).unwrap_or(0.0);
        let width = self.columns.len();
        for (row, number) in numbers.iter().enumerate() {
            self.cells[row * width + slot] = narrow(number - offset);
        }
        self.columns[slot].offset = offset;
        self.columns[slot].span = span;
        self.check_cells(slot)
    }

    /// Takes float32 numbers as they are, unless a model subtracts something.
    fn take_float32(&mut self, values: Vec<f32>, known: Option<&TableEncoding>) -> Result<()> {
        let width = self.columns.len();
        if known.is_some_and(|known| known.columns.iter().any(|column| column.offset.is_some())) {
            return self.take_float64(width, known, |place| f64::from(values[place]));
        }
        let mut spans = vec![Span::default(); width];
        for row in values.chunks_exact(width) {
            for (span, value) in spans.iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
                span.add(f64::from(*value));
            }
        }
        self.cells = values;
        self.columns.iter_mut().zip(spans).for_each(|(column, span)| column.span = span);
        (0..width).try_for_each(|slot| self.check_cells(slot))
    }

    fn take_float64(
        &mut self,
        width: usize,
        known: Option<&TableEncoding>,
        value: impl Fn(usize) -> f64,
    ) -> Result<()> {
        let mut spans = vec![Span::default(); width];
        for row in 0..self.rows {
            for (column, span) in spans.iter_mut().enumerate() {
                let value = value(row * width + column);
                if !value.is_nan() {
                    span.add(value);
                }
            }
        }
        let offset = |slot: usize| match known {
            Some(known) => known.columns[slot].offset,
            None => spans[slot].offset(),
        };
        let offsets: Vec<f64> = (0..width).map(|slot| offset(slot).unwrap_or(0.0)).collect();
        let cells = (0..self.rows * width).map(|place| narrow(value(place) - offsets[place % width]));
        self.cells = cells.collect();
        for (column, (span, offset)) in self.columns.iter_mut().zip(spans.into_iter().zip(offsets)) {
            (column.span, column.offset) = (span, offset);
        }
        (0..width).try_for_each(|slot| self.check_cells(slot))
    }

    /// Notes the first missing cell of a column of numbers, and refuses an infinite one.
    fn check_cells(&mut self, slot: usize) -> Result<()> {
        let is_plain =
            |column: &Column| column.span.range().is_none_or(|[low, high]| (high - low).is_finite());
        let cells = || self.cells.iter().skip(slot).step_by(self.columns.len()).enumerate();
        // The range of most columns says that there is nothing to find.
        if (!is_plain(&self.columns[slot]) || cells().any(|(_, cell)| cell.is_infinite()))
            && let Some((row, _)) = cells().find(|(_, cell)| cell.is_infinite())
        {
            let name = shown(&self.columns[slot].name, self.named);
            let reason =
                format!("row {row}, column {name}: the number is infinite, or too large for float32");
            return Err(self.refused(reason));
        }
        let missing = cells().find(|(_, cell)| cell.is_nan()).map(|(row, _)| format!("row {row}"));
        self.columns[slot].first_missing = missing;
        Ok(())
    }

    /// Takes the columns of a table of texts into these places.
    fn take_texts(&mut self, read: Self, slots: &[usize]) -> Result<()> {
        if read.rows != self.rows || read.columns.len() != slots.len() {
            let reason = format!(
                "{} rows of {} columns of texts were read as {} rows of {} columns",
                self.rows,
                slots.len(),
                read.rows,
                read.columns.len()
            );
            return Err(self.refused(reason));
        }
        let width = self.columns.len();
        for (from, (slot, column)) in slots.iter().zip(read.columns).enumerate() {
            let cells = read.cells.iter().skip(from).step_by(slots.len());
            cells.enumerate().for_each(|(row, cell)| self.cells[row * width + slot] = *cell);
            let own = &self.columns[*slot];
            self.columns[*slot] = Column { name: own.name.clone(), position: *slot, ..column };
        }
        self.rules = read.rules;
        Ok(())
    }

    /// Takes texts as categories, without blanks around them as in files; none of them means a missing value but an empty one.
    fn take_categories(&mut self, slot: usize, cells: &[Option<String>]) -> Result<()> {
        let width = self.columns.len();
        let mut column = Column::new(self.columns[slot].name.clone(), slot, Some(Texts::default()));
        for (row, cell) in cells.iter().enumerate() {
            let text = in_one_line(cell.as_deref().map_or("", str::trim));
            if text.len() > MAX_TEXT {
                let (name, length) = (shown(&self.columns[slot].name, self.named), text.len());
                let reason = format!(
                    "row {row}, column {name}: a text of {length} bytes, at most {MAX_TEXT} are allowed"
                );
                return Err(self.refused(reason));
            }
            self.cells[row * width + slot] = match column.texts.as_mut() {
                Some(texts) if !text.is_empty() => texts.cell(&text),
                _ => {
                    column.first_missing.get_or_insert_with(|| format!("row {row}"));
                    f32::NAN
                }
            };
        }
        self.columns[slot] = column;
        Ok(())
    }
}

/// The columns in the order of an encoding, without those that it does not have.
fn in_order(columns: Vec<MemoryColumn>, known: Option<&TableEncoding>) -> Result<Vec<MemoryColumn>> {
    let Some(known) = known else { return Ok(columns) };
    let refuse = |reason: String| Error::table(NAME.into(), &reason);
    if !known.named {
        // Trained on an array: places are all that is known.
        return Ok(columns);
    }
    let mut columns: Vec<Option<MemoryColumn>> = columns.into_iter().map(Some).collect();
    let mut found = Vec::new();
    for wanted in &known.columns {
        let is_it = |column: &&mut Option<MemoryColumn>| {
            column.as_ref().is_some_and(|column| column.name == wanted.name)
        };
        let Some(column) = columns.iter_mut().find(is_it).and_then(Option::take) else {
            let there = listed(columns.iter().flatten().map(|column| format!("{:?}", column.name)), 10);
            return Err(refuse(format!("column {:?} is missing, there are {there}", wanted.name)));
        };
        found.push(column);
    }
    Ok(found)
}
