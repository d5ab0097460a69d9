//! What the targets of tables share: reading without and with knowledge of the columns, then encoding.

use tanner::dataset::table::{ColumnRef, Columns, FitOptions, Format, Impute, LabelNeed, Limits, ReadOptions, Source, Table};
use tanner::dataset::{DataRecord, learn};

/// As little as a small machine has, so that a promise of more is refused.
pub fn limits() -> Limits {
    Limits { memory: 64 << 20, max_record_bytes: 1 << 20, ..Limits::default() }
}

/// The first byte chooses the options, the others are the file.
pub fn read(bytes: &[u8], format: Format) {
    let Some((&choice, bytes)) = bytes.split_first() else { return };
    let label: Option<ColumnRef> = (choice & 1 > 0).then(|| "-1".parse().ok()).flatten();
    let columns = Columns::New { label: label.as_ref(), labelled: choice & 2 == 0, drop: &[] };
    let options = ReadOptions { limits: limits(), ..ReadOptions::default() };
    let source = || Source::from_bytes("fuzz", bytes.to_vec());
    let Ok(tables) = Table::read(source(), format, &columns, &options) else { return };
    let fit = FitOptions {
        impute: [None, Some(Impute::Mean), Some(Impute::Median), Some(Impute::Zero)][usize::from(choice >> 6)],
        ..FitOptions::default()
    };
    let Ok((data, record)) = learn(tables.table, fit, &options.limits) else { return };
    assert!(data.features().iter().all(|value| value.is_finite()));
    again(source(), format, &record, &options, data.samples());
}

/// A file that was understood is understood again by what was learned of it.
fn again(source: Source, format: Format, record: &DataRecord, options: &ReadOptions, samples: usize) {
    let Some(encoding) = &record.encoding else { return };
    let columns = Columns::Of { encoding, label: LabelNeed::Ignored };
    let mut table = Table::read(source, format, &columns, options).expect("the same file").table;
    let encoded = encoding.encode(&mut table, &options.limits).expect("the same columns");
    assert_eq!(encoded.features.len(), samples * encoding.width());
}
