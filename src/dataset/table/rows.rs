//! Rows given by the names of their columns.

use super::cells::{CellRules, Field};
use super::span::narrow;
use super::texts::{boolean, cell as cell_of, listed};
use super::{Column, ColumnEncoding, Table, TableEncoding, Texts};
use crate::{Error, Result};

/// The name of such a table in messages.
const NAME: &str = "rows";

impl TableEncoding {
    /// The table of rows of (column, text) cells, in any order; texts are read like cells of a CSV file.
    ///
    /// Every column of features must occur exactly once, and no other column.
    ///
    /// # Errors
    /// [`Error::Table`] naming the row, counted from 0, and the column that is unknown, missing or repeated, or whose text is
    /// not a number although training had numbers.
    pub(crate) fn table_of_rows<Row, Name, Text>(&self, rows: impl IntoIterator<Item = Row>) -> Result<Table>
    where
        Row: IntoIterator<Item = (Name, Text)>,
        Name: AsRef<str>,
        Text: AsRef<str>,
    {
        let columns = self.columns.iter().map(column).collect();
        let rules = self.cells.clone().unwrap_or_default();
        let mut table = Table { named: true, ..Table::new(NAME.into(), columns, self.file_columns) };
        for row in rows {
            let number = table.rows;
            let refuse = |what: String| Error::table(NAME.into(), &format!("row {number}: {what}"));
            let mut cells = vec![None; self.columns.len()];
            for (name, text) in row {
                let name = name.as_ref();
                let Some(slot) = self.columns.iter().position(|column| column.name == name) else {
                    return Err(refuse(format!(
                        "column {name:?} is unknown, the model has {}",
                        listed(self.columns.iter().map(|column| format!("{:?}", column.name)), 10)
                    )));
                };
                let cell = cell(text.as_ref(), number, &rules, &mut table.columns[slot], &self.columns[slot])
                    .map_err(|what| refuse(format!("column {name:?}: {what}")))?;
                if cells[slot].replace(cell).is_some() {
                    return Err(refuse(format!("column {name:?} appears twice")));
                }
            }
            for (cell, column) in cells.iter().zip(&self.columns) {
                let missing = || refuse(format!("column {:?} is missing", column.name));
                table.cells.push(cell.ok_or_else(missing)?);
            }
            table.rows += 1;
        }
        Ok(table)
    }
}

fn column(encoding: &ColumnEncoding) -> Column {
    let texts = encoding.categories.as_deref().map(Texts::fixed);
    let (unit, offset) = (encoding.unit.clone(), encoding.offset.unwrap_or(0.0));
    Column { unit, offset, ..Column::new(encoding.name.clone(), encoding.position, texts) }
}

/// The value of a cell: a number, the number of a category, or NaN if missing.
fn cell(
    text: &str,
    row: usize,
    rules: &CellRules,
    column: &mut Column,
    encoding: &ColumnEncoding,
) -> Result<f32, String> {
    let text = text.trim_ascii();
    if let Some(texts) = &column.texts
        && !rules.is_missing(text.as_bytes())
    {
        return Ok(cell_of(texts.find(text)));
    }
    let field = if column.texts.is_some() {
        Field::Missing
    } else {
        rules.field(text.as_bytes(), column.unit.as_ref())
    };
    match field {
        Field::Number(number) => Ok(narrow(number - column.offset)),
        Field::Infinite => Err(format!("{text:?} is not a number that float32 can hold")),
        Field::Text
            if column.texts.is_none() && encoding.holds_booleans() && boolean(text.as_bytes()).is_some() =>
        {
            Ok(narrow(boolean(text.as_bytes()).unwrap_or_default()))
        }
        Field::Text => Err(format!("{text:?} is not a number, as this column held in training")),
        Field::Missing | Field::MissingWord => {
            column.first_missing.get_or_insert_with(|| format!("row {row}"));
            Ok(f32::NAN)
        }
    }
}
