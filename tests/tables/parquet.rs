//! Parquet files, written by the same crate.

use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use tanner::dataset::table::{
    Columns, FitOptions, Format, Impute, LabelNeed, Limits, ReadOptions, Source, Table,
};
use tanner::dataset::{DataRecord, Dataset, learn};

use crate::{NEW, assert_says, csv};

const SCHEMA: &str = "message table {
    required double a; optional float b; required int32 c; required int64 d (INTEGER(64,false)); required boolean e;
    optional binary kind (UTF8); required binary label (UTF8);
}";

/// Writes row groups of this many rows, in which every seventh `b` is missing on request, and no kind.
fn write(rows: usize, groups: usize, compression: Compression, holes: bool) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, schema, properties).unwrap();
    for group in 0..groups {
        let numbers: Vec<usize> = (group * rows..(group + 1) * rows).collect();
        let mut group = file.next_row_group().unwrap();
        write_group(&mut group, &numbers, holes);
        group.close().unwrap();
    }
    file.close().unwrap();
    bytes
}

fn write_group<W: std::io::Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    numbers: &[usize],
    holes: bool,
) {
    macro_rules! column {
        ($type:ty, $levels:expr, $value:expr) => {{
            let levels: Option<Vec<i16>> = $levels;
            let there =
                numbers.iter().enumerate().filter(|(k, _)| levels.as_ref().is_none_or(|l| l[*k] == 1));
            let values: Vec<_> = there.map(|(_, n)| $value(*n)).collect();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<$type>().write_batch(&values, levels.as_deref(), None).unwrap();
            column.close().unwrap();
        }};
    }
    let levels = Some(numbers.iter().map(|n| i16::from(!(holes && n % 7 == 3))).collect());
    column!(DoubleType, None, |n: usize| n as f64 / 4.0);
    column!(FloatType, levels, |n: usize| -(n as f32));
    column!(Int32Type, None, |n: usize| i32::try_from(n % 100).unwrap() - 50);
    column!(Int64Type, None, |n: usize| if n == 1 { -1 } else { i64::try_from(n).unwrap() });
    column!(BoolType, None, |n: usize| n.is_multiple_of(2));
    column!(ByteArrayType, Some(vec![1; numbers.len()]), |n: usize| ByteArray::from(
        ["ant", "bee", "cow"][n % 3]
    ));
    column!(ByteArrayType, None, |n: usize| ByteArray::from(["no", "yes"][n % 2]));
}

fn read(bytes: Vec<u8>, columns: &Columns<'_>) -> tanner::Result<Table> {
    let source = Source::from_bytes("t.parquet", bytes);
    Ok(Table::read(source, Format::Parquet, columns, &ReadOptions::default())?.table)
}

fn learned(bytes: Vec<u8>) -> (Dataset, DataRecord) {
    learn(read(bytes, &NEW).unwrap(), FitOptions::default(), &Limits::default()).unwrap()
}

#[test]
fn a_table_comes_back_whatever_its_compression() {
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::GZIP(parquet::basic::GzipLevel::default()),
    ] {
        let (data, record) = learned(write(20_000, 2, compression, false));
        assert_eq!(record.feature_names, ["a", "b", "c", "d", "e", "kind=ant", "kind=bee", "kind=cow"]);
        assert_eq!((record.class_names, data.samples()), (vec!["no".to_owned(), "yes".into()], 40_000));
        for row in [0, 2, 19_999, 20_000, 39_999] {
            let n = row as f32;
            let mut expected =
                vec![n / 4.0, -n, (row % 100) as f32 - 50.0, n, f32::from(u8::from(row % 2 == 0))];
            expected.extend([0, 1, 2].map(|kind| f32::from(u8::from(row % 3 == kind))));
            assert_eq!(data.sample(row), expected, "row {row}");
            assert_eq!(data.labels()[row] as usize, row % 2);
        }
        // Unsigned numbers are not negative.
        assert_eq!(data.sample(1)[3], u64::MAX as f32);
    }
}

/// Columns are read in parallel, each from its own place in the file.
#[test]
fn a_file_of_many_columns_and_pages_comes_back() {
    const COLUMNS: usize = 24;
    const ROWS: usize = 30_000;
    let cell = |row: usize, column: usize| (row * 31 + column * 7919) as f32;
    let columns = (0..COLUMNS).map(|column| format!("required float f{column};")).collect::<String>();
    let schema = Arc::new(
        parse_message_type(&format!("message table {{ {columns} required int32 label; }}")).unwrap(),
    );
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    let properties = Arc::new(properties.set_data_page_row_count_limit(500).build());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let mut file =
        SerializedFileWriter::new(std::fs::File::create(&path).unwrap(), schema, properties).unwrap();
    let mut group = file.next_row_group().unwrap();
    for column in 0..COLUMNS {
        let values: Vec<f32> = (0..ROWS).map(|row| cell(row, column)).collect();
        let mut writer = group.next_column().unwrap().unwrap();
        for part in values.chunks(500) {
            writer.typed::<FloatType>().write_batch(part, None, None).unwrap();
        }
        writer.close().unwrap();
    }
    let labels: Vec<i32> = (0..2).cycle().take(ROWS).collect();
    let mut writer = group.next_column().unwrap().unwrap();
    writer.typed::<Int32Type>().write_batch(&labels, None, None).unwrap();
    writer.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
    let source = Source::open(&path).unwrap();
    let table = Table::read(source, Format::Parquet, &NEW, &ReadOptions::default()).unwrap().table;
    let (data, _) = learn(table, FitOptions::default(), &Limits::default()).unwrap();
    for row in 0..ROWS {
        let expected: Vec<f32> = (0..COLUMNS).map(|column| cell(row, column)).collect();
        assert_eq!(data.sample(row), expected, "row {row}");
        assert_eq!(data.labels()[row] as usize, row % 2);
    }
}

#[test]
fn missing_values_are_refused_with_their_row_or_filled() {
    let bytes = write(20, 2, Compression::SNAPPY, true);
    let message =
        learn(read(bytes.clone(), &NEW).unwrap(), FitOptions::default(), &Limits::default()).unwrap_err();
    assert_says(&message.to_string(), &["t.parquet: row 4, column \"b\": the value is missing"]);
    let options = FitOptions { impute: Some(Impute::Zero), ..FitOptions::default() };
    let (data, _) = learn(read(bytes, &NEW).unwrap(), options, &Limits::default()).unwrap();
    assert_eq!((data.sample(3)[1], data.sample(4)[1], data.sample(24)[1]), (0.0, -4.0, 0.0));
}

#[test]
fn an_encoding_serves_every_format() {
    let (data, record) = learned(write(30, 1, Compression::SNAPPY, false));
    let encoding = record.encoding.as_ref().unwrap();
    let columns = Columns::Of { encoding, label: LabelNeed::Required };
    let text = "label,kind,a,b,c,d,e\nyes,cow,1.25,-5,-45,5,0\n";
    let samples = record.samples(csv(text, &columns).unwrap(), &Limits::default()).unwrap().samples;
    assert_eq!((samples.features(), samples.labels()), (data.sample(5), &[1][..]));
    let again =
        record.samples(read(write(30, 1, Compression::SNAPPY, false), &columns).unwrap(), &Limits::default());
    assert_eq!(again.unwrap().samples, data);
}

#[test]
fn damaged_files_are_refused_without_a_panic() {
    let bytes = write(50, 1, Compression::SNAPPY, true);
    for end in 0..bytes.len() {
        assert!(read(bytes[..end].to_vec(), &NEW).is_err(), "{end} bytes of {}", bytes.len());
    }
    for at in (0..bytes.len()).step_by(3) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x41;
        let _ = read(damaged, &NEW);
    }
}

/// A page header is a struct whose numbers are zigzag varints.
#[test]
fn pages_that_declare_more_than_they_can_hold_are_refused() {
    // Within its header a data page has field 5, a dictionary field 7; the number of values comes first in both.
    for (page, values, promised, part) in [
        (0x2c, 50, 51, "a page of 51 values, 50 are possible"),
        (0x4c, 3, 60, "a page of 60 values, 21 are possible"),
    ] {
        let mut bytes = write(50, 1, Compression::UNCOMPRESSED, false);
        let place = bytes.windows(3).position(|window| window == [page, 0x15, 2 * values]).unwrap();
        bytes[place + 2] = 2 * promised;
        assert_says(&read(bytes, &NEW).unwrap_err().to_string(), &[part]);
    }
}

/// A page header that claims more than the file has could cost hours of skipping nothing.
#[test]
fn a_page_beyond_the_end_is_refused_at_once() {
    let bytes = include_bytes!("beyond_the_end.parquet").to_vec();
    let begin = std::time::Instant::now();
    assert!(read(bytes, &NEW).is_err());
    assert!(begin.elapsed().as_secs() < 10);
}

/// Training would go by places, and a model by names, the first of them for both.
#[test]
fn columns_of_one_name_are_refused() {
    let schema =
        "message table { required double a; required double b; required double a; required int32 label; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    for _ in 0..3 {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&[1.0, 2.0], None, None).unwrap();
        column.close().unwrap();
    }
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&[0, 1], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
    let message = read(bytes, &NEW).unwrap_err().to_string();
    assert_says(&message, &["columns 0 and 2 are both called \"a\"", "rename one"]);
}

/// Columns are read in parallel, each at its own place of the file.
#[test]
fn a_file_is_read_a_thousand_times_alike() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    std::fs::write(&path, write(200, 3, Compression::SNAPPY, false)).unwrap();
    let read = || {
        let source = Source::open(&path).unwrap();
        let table = Table::read(source, Format::Parquet, &NEW, &ReadOptions::default()).unwrap().table;
        learn(table, FitOptions::default(), &Limits::default()).unwrap()
    };
    let threads = tanner::Threads::new(Some(4)).unwrap();
    let (data, record) = read();
    threads.install(|| {
        for time in 0..1000 {
            assert!(read() == (data.clone(), record.clone()), "read {time}");
        }
    });
}

#[test]
fn weights_of_rows_are_no_label() {
    let (label, weights) = ("kind".parse().unwrap(), "c".parse().unwrap());
    let columns = Columns::New { label: Some(&label), labelled: true, drop: &[], weights: Some(&weights) };
    // Weights from -50 to 49 are refused.
    let read = |rows, columns: &Columns<'_>| {
        let bytes = write(rows, 1, Compression::UNCOMPRESSED, false);
        Table::read(Source::from_bytes("w", bytes), Format::Parquet, columns, &ReadOptions::default())
    };
    assert_says(
        &read(100, &columns).unwrap_err().to_string(),
        &["row 1: the weight \"-50\"", "column \"c\""],
    );
    let weights = "e".parse().unwrap();
    let columns = Columns::New { label: Some(&label), labelled: true, drop: &[], weights: Some(&weights) };
    // True and false are 1 and 0: every second row counts.
    let table = read(100, &columns).unwrap().table;
    assert_eq!((table.rows(), table.labels_count(), table.weights().unwrap()), (50, 1, vec![1.0; 50]));
}
