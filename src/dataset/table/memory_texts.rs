//! Texts in memory, which are read like cells of a CSV file.

use std::borrow::Cow;

use super::memory::NAME;
use super::{ColumnEncoding, Columns, Format, Header, LabelNeed, ReadOptions, Source, Table, TableEncoding};
use crate::{Error, Result};

/// Reads columns of texts like those of a CSV file.
pub(super) fn read_texts(
    columns: Vec<(String, Vec<Option<String>>)>,
    slots: &[usize],
    known: Option<&TableEncoding>,
    options: &ReadOptions,
) -> Result<Table> {
    let failed = |error: csv::Error| Error::table(NAME.into(), &error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(|(name, _)| name)).map_err(failed)?;
    for row in 0..columns.first().map_or(0, |(_, cells)| cells.len()) {
        let cells = columns.iter().map(|(_, cells)| in_one_line(cells[row].as_deref().unwrap_or("")));
        writer.write_record(cells.map(Cow::into_owned)).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| Error::table(NAME.into(), &error.to_string()))?;
    // The line below the header is row 0.
    let options =
        ReadOptions { header: Header::Yes, delimiter: Some(b','), lines_before: -2, ..options.clone() };
    let source = Source::from_bytes(NAME, bytes);
    let encoding = known.map(|known| {
        let column = |(position, slot): (usize, &usize)| {
            let name = columns[position].0.clone();
            ColumnEncoding { name, position, ..known.columns[*slot].clone() }
        };
        let columns = slots.iter().enumerate().map(column).collect();
        TableEncoding {
            named: true,
            columns,
            label: None,
            more_labels: Vec::new(),
            weights: None,
            file_columns: slots.len(),
            ..known.clone()
        }
    });
    let roles = match &encoding {
        Some(encoding) => Columns::Of { encoding, label: LabelNeed::Ignored },
        None => Columns::New { label: None, labelled: false, drop: &[], weights: None },
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

/// A text without line breaks, which a stray quote in a file would cause.
fn in_one_line(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\r']) {
        Cow::Owned(text.replace(['\n', '\r'], " "))
    } else {
        Cow::Borrowed(text)
    }
}
