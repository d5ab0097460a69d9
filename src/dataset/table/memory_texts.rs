//! Texts in memory, which are read like cells of a CSV file.

use std::borrow::Cow;

use super::memory::NAME;
use super::{ColumnEncoding, Columns, Format, Header, LabelNeed, ReadOptions, Source, Table, TableEncoding};
use crate::{Error, Result};

/// The name of the column of row numbers, which no other column has.
const ROW: &str = "row\u{1}";

/// Reads columns of texts like those of a CSV file.
pub(super) fn read_texts(
    columns: Vec<(String, Vec<Option<String>>)>,
    slots: &[usize],
    known: Option<&TableEncoding>,
    options: &ReadOptions,
) -> Result<Table> {
    let failed = |error: csv::Error| Error::table(NAME.into(), &error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    // A first column of row numbers, which is dropped: so no line is empty, and none repeats the header.
    let names: Vec<Cow<'_, str>> =
        columns.iter().enumerate().map(|(place, (name, _))| in_header(name, place)).collect();
    writer.write_record([ROW].into_iter().chain(names.iter().map(AsRef::as_ref))).map_err(failed)?;
    for row in 0..columns.first().map_or(0, |(_, cells)| cells.len()) {
        let number = Cow::Owned(row.to_string());
        let cells = columns.iter().map(|(_, cells)| in_one_line(cells[row].as_deref().unwrap_or("")));
        writer.write_record([number].into_iter().chain(cells).map(Cow::into_owned)).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| Error::table(NAME.into(), &error.to_string()))?;
    // The line below the header is row 0.
    let options =
        ReadOptions { header: Header::Yes, delimiter: Some(b','), lines_before: -2, ..options.clone() };
    let source = Source::from_bytes(NAME, bytes);
    let encoding = known.map(|known| {
        let column = |(place, slot): (usize, &usize)| {
            let name = names[place].clone().into_owned();
            ColumnEncoding { name, position: place + 1, ..known.columns[*slot].clone() }
        };
        let columns = slots.iter().enumerate().map(column).collect();
        TableEncoding {
            named: true,
            columns,
            label: None,
            more_labels: Vec::new(),
            weights: None,
            file_columns: slots.len() + 1,
            ..known.clone()
        }
    });
    let drop = [ROW.parse()?];
    let roles = match &encoding {
        Some(encoding) => Columns::Of { encoding, label: LabelNeed::Ignored },
        None => Columns::New { label: None, labelled: false, drop: &drop, weights: None },
    };
    let read = Table::read(source, Format::Csv, &roles, &options).map_err(|error| match error {
        Error::Table { name, reason } => match reason.strip_prefix("line ") {
            Some(rest) => Error::Table { name, reason: format!("row {rest}") },
            None => Error::Table { name, reason },
        },
        other => other,
    });
    Ok(read?.table)
}

/// The name of a column as it is written in the header, where it must not be blank.
fn in_header(name: &str, place: usize) -> Cow<'_, str> {
    if name.trim().is_empty() { Cow::Owned(format!("column {place}")) } else { in_one_line(name) }
}

/// A text without line breaks, which a stray quote in a file would cause.
pub(super) fn in_one_line(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\r']) {
        Cow::Owned(text.replace(['\n', '\r'], " "))
    } else {
        Cow::Borrowed(text)
    }
}
