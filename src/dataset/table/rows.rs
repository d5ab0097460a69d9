//! Rows given by the names of their columns.

use super::texts::{Field, is_missing};
use super::{Column, Table, TableEncoding, Texts, UNSEEN};
use crate::{Error, Result};

/// What such a table is called in messages.
const NAME: &str = "rows";

impl TableEncoding {
    /// The table of rows whose cells are (column, text), in any order; a text is read as a cell of a CSV file is.
    ///
    /// Every column of features must be there once, and no other one.
    ///
    /// # Errors
    /// [`Error::Table`] naming the row, counted from 0, and the column that is unknown, missing or there twice, or whose text is
    /// no number where training had numbers.
    pub(crate) fn table_of_rows<Row, Name, Text>(&self, rows: impl IntoIterator<Item = Row>) -> Result<Table>
    where
        Row: IntoIterator<Item = (Name, Text)>,
        Name: AsRef<str>,
        Text: AsRef<str>,
    {
        let mut table = Table {
            name: NAME.into(),
            rows: 0,
            columns: self.columns.iter().map(column).collect(),
            cells: Vec::new(),
            labels: None,
            named: true,
            file_columns: self.file_columns,
            image_shape: None,
        };
        for row in rows {
            let number = table.rows;
            let refuse = |what: String| Error::table(NAME.into(), &format!("row {number}: {what}"));
            let mut cells = vec![None; self.columns.len()];
            for (name, text) in row {
                let name = name.as_ref();
                let Some(slot) = self.columns.iter().position(|column| column.name == name) else {
                    return Err(refuse(format!(
                        "column {name:?} is unknown, the model has {}",
                        self.listed()
                    )));
                };
                let cell = cell(text.as_ref(), number, &mut table.columns[slot])
                    .map_err(|what| refuse(format!("column {name:?}: {what}")))?;
                if cells[slot].replace(cell).is_some() {
                    return Err(refuse(format!("column {name:?} is there twice")));
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

    /// The names of some columns, for a message.
    fn listed(&self) -> String {
        const SOME: usize = 10;
        let mut names: Vec<String> =
            self.columns.iter().take(SOME).map(|column| format!("{:?}", column.name)).collect();
        if self.columns.len() > SOME {
            names.push("..".into());
        }
        names.join(", ")
    }
}

fn column(encoding: &super::ColumnEncoding) -> Column {
    let texts = encoding.categories.as_deref().map(Texts::fixed);
    Column { name: encoding.name.clone(), position: encoding.position, texts, first_missing: None }
}

/// The value of a cell: a number, the number of a category, or NaN where it is missing.
fn cell(text: &str, row: usize, column: &mut Column) -> Result<f32, String> {
    let text = text.trim_ascii();
    if let Some(texts) = &column.texts
        && !is_missing(text.as_bytes())
    {
        #[expect(clippy::cast_precision_loss, reason = "numbers of texts are small")]
        return Ok(texts.find(text).map_or(UNSEEN, |category| category as f32));
    }
    match Field::of(text.as_bytes()) {
        Field::Number(number) => Ok(number),
        Field::Infinite => Err(format!("{text:?} is no number that float32 holds")),
        Field::Text => Err(format!("{text:?} is no number, as this column held in training")),
        Field::Missing => {
            column.first_missing.get_or_insert_with(|| format!("row {row}"));
            Ok(f32::NAN)
        }
    }
}
