//! Tables: reading, refusals, and the encoding of columns.

mod arrays;
mod columns;
mod decimals;
mod dialects;
mod encoding;
mod hostile;
mod memory;
mod oddities;
mod offsets;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "parquet")]
mod parquet_types;
mod problems;
mod spelling;
mod text;

use tanner::Result;
use tanner::dataset::table::{Columns, FitOptions, Format, Limits, ReadOptions, Source, Table};
use tanner::dataset::{DataRecord, Dataset, learn};

/// Columns of an unknown table.
const NEW: Columns<'static> = Columns::New { label: None, labelled: true, drop: &[], weights: None };

/// Reads a table of text.
fn csv(text: impl AsRef<[u8]>, columns: &Columns<'_>) -> Result<Table> {
    csv_with(text, columns, &ReadOptions::default())
}

fn csv_with(text: impl AsRef<[u8]>, columns: &Columns<'_>, options: &ReadOptions) -> Result<Table> {
    let source = Source::from_bytes("t.csv", text.as_ref().to_vec());
    Ok(Table::read(source, Format::Csv, columns, options)?.table)
}

/// Reads a table and learns all of it.
fn learned(text: impl AsRef<[u8]>) -> (Dataset, DataRecord) {
    learn(csv(text, &NEW).unwrap(), FitOptions::default(), &Limits::default()).unwrap()
}

/// Why a table cannot be read or learned.
fn refusal(text: impl AsRef<[u8]>) -> String {
    refusal_of(text, &NEW)
}

fn refusal_of(text: impl AsRef<[u8]>, columns: &Columns<'_>) -> String {
    let learn = |table| learn(table, FitOptions::default(), &Limits::default());
    let message = csv(text, columns).and_then(learn).unwrap_err().to_string();
    assert!(message.starts_with("t.csv: ") && !message.contains('\n'), "{message}");
    message
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_says_how_to_get_it() {
    let source = Source::from_bytes("t.parquet", Vec::new());
    let refused =
        Table::read(source, Format::Parquet, &NEW, &ReadOptions::default()).unwrap_err().to_string();
    assert_says(&refused, &["t.parquet: ", "--features parquet", "CSV"]);
}

fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}
