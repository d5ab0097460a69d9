//! Shared by the targets for tables: reading with and without a known schema, then encoding.

use tanner::dataset::table::{
    ColumnRef, Columns, Decimal, FitOptions, Format, Impute, LabelNeed, Limits, ReadOptions, Source, Table,
};
use tanner::dataset::{DataRecord, learn};

use crate::promises;

/// Maximum columns of a file; each needs about a KiB for its names and lists.
const COLUMNS: usize = 4096;
/// Maximum bytes of the samples.
const MEMORY: u64 = 64 << 20;
/// Bytes that one byte of deflated data may expand to (1032 by zlib's documentation).
const MAX_DEFLATE: usize = 1032;

fn limits(format: Format) -> Limits {
    // Parquet can repeat values in few bytes; for the other formats, a file's length limits its content.
    let memory = if format == Format::Parquet { MEMORY } else { u64::MAX };
    Limits { memory, max_record_bytes: 1 << 20, columns: COLUMNS, ..Limits::default() }
}

/// Maximum number of bytes that a reader may allocate for a file.
fn bound(format: Format, bytes: &[u8]) -> usize {
    let (is_gzip, bytes) = (bytes.starts_with(b"\x1f\x8b"), bytes.len());
    let free = (1 << 20) + COLUMNS * 1024;
    free + match format {
        // Blocks of 4 MiB, one of which is copied while it grows.
        // A gzipped file expands by at most 1032.
        Format::Csv if is_gzip => (24 << 20) + 64 * MAX_DEFLATE * bytes,
        Format::Csv => (24 << 20) + 64 * bytes,
        Format::Npy => 16 * bytes,
        Format::Npz => 8 * MAX_DEFLATE * bytes,
        // Three times, because the table grows, plus the pages of some columns, each of which may declare 2 GiB.
        Format::Parquet => 3 * MEMORY as usize + 8 * (2 << 30),
    }
}

/// The first byte selects the options, the rest is the file.
pub fn read(bytes: &[u8], format: Format) {
    let Some((&choice, bytes)) = bytes.split_first() else { return };
    let label: Option<ColumnRef> = (choice & 1 > 0).then(|| "-1".parse().ok()).flatten();
    let columns = Columns::New { label: label.as_ref(), labelled: choice & 2 == 0, drop: &[], weights: None };
    let options = ReadOptions {
        limits: limits(format),
        decimal: [Decimal::Auto, Decimal::Auto, Decimal::Point, Decimal::Comma][usize::from(choice >> 2 & 3)],
        missing: [None, None, Some(Vec::new()), Some(vec!["usual".into(), "-1".into(), "x".into()])]
            [usize::from(choice >> 4 & 3)]
        .clone(),
        ..ReadOptions::default()
    };
    let source = || Source::from_bytes("fuzz", bytes.to_vec());
    let read = || Table::read(source(), format, &columns, &options);
    let Some(tables) = promises::kept(bound(format, bytes), read) else { return };
    let has_test = tables.test.is_some();
    let fit = FitOptions {
        impute: [None, Some(Impute::Mean), Some(Impute::Median), Some(Impute::Zero)]
            [usize::from(choice >> 6)],
        ..FitOptions::default()
    };
    let (data, record) = match learn(tables.table, fit, &Limits { memory: MEMORY, ..options.limits }) {
        Ok(learnt) => learnt,
        Err(error) => return promises::one_line(&error),
    };
    assert!(data.features().iter().all(|value| value.is_finite()));
    // A test set may have other columns, which is an error only when it is used.
    if !has_test {
        again(source(), format, &record, &options, data.samples());
    }
}

/// A file that was read can be read again with the schema learned from it.
fn again(source: Source, format: Format, record: &DataRecord, options: &ReadOptions, samples: usize) {
    let Some(encoding) = &record.encoding else { return };
    // With its labels: to predict, rows without any value count, too.
    let columns = Columns::Of { encoding, label: LabelNeed::IfThere };
    let mut table = Table::read(source, format, &columns, options).expect("the same file").table;
    let encoded = encoding.encode(&mut table, &options.limits).expect("the same columns");
    assert_eq!(encoded.features.len(), samples * encoding.width());
}
