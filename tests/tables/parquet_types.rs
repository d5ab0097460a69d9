//! Types, encodings and layouts of Parquet files that other programs write.

use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
    Int32Type, Int64Type, Int96, Int96Type,
};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use tanner::dataset::table::{
    ColumnRef, Columns, FitOptions, Format, LabelNeed, Limits, ReadOptions, Source, Table, Tables,
};
use tanner::dataset::{DataRecord, Dataset, learn};

use crate::{NEW, assert_says};

/// A file of one row group, whose columns `fill` writes.
fn file(
    schema: &str,
    properties: WriterPropertiesBuilder,
    fill: impl FnOnce(&mut SerializedRowGroupWriter<'_, &mut Vec<u8>>),
) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&format!("message table {{ {schema} }}")).unwrap());
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties.build())).unwrap();
    let mut group = file.next_row_group().unwrap();
    fill(&mut group);
    group.close().unwrap();
    file.close().unwrap();
    bytes
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    values: &[T::T],
    levels: Option<&[i16]>,
) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, levels, None).unwrap();
    column.close().unwrap();
}

fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
}

fn read(bytes: Vec<u8>, columns: &Columns<'_>) -> tanner::Result<Tables> {
    let source = Source::from_bytes("t.parquet", bytes);
    Table::read(source, Format::Parquet, columns, &ReadOptions::default())
}

fn learned(bytes: Vec<u8>) -> (Dataset, DataRecord) {
    learn(read(bytes, &NEW).unwrap().table, FitOptions::default(), &Limits::default()).unwrap()
}

fn refusal(bytes: Vec<u8>) -> String {
    read(bytes, &NEW).unwrap_err().to_string()
}

#[test]
fn decimals_halves_and_old_times_are_numbers() {
    let schema = "required int32 a (DECIMAL(9,2)); required int64 b (DECIMAL(18,3)); required fixed_len_byte_array(16) c (DECIMAL(38,4)); \
                  required binary d (DECIMAL(20,1)); required fixed_len_byte_array(2) e (FLOAT16); required int96 f; \
                  required int64 label (DECIMAL(18,0));";
    let bytes = file(schema, properties(), |group| {
        column::<Int32Type>(group, &[1999, -5, 0, 1], None);
        column::<Int64Type>(group, &[-1500, 2500, 1, 0], None);
        let wide = |value: i128| FixedLenByteArray::from(value.to_be_bytes().to_vec());
        column::<FixedLenByteArrayType>(group, &[12_345, -12_345, 0, 10_000].map(wide), None);
        let short = |bytes: &[u8]| ByteArray::from(bytes.to_vec());
        column::<ByteArrayType>(
            group,
            &[short(&[25]), short(&[0xff]), short(&[1, 0]), short(&[0xff, 0])],
            None,
        );
        let half = |bits: u16| FixedLenByteArray::from(bits.to_le_bytes().to_vec());
        column::<FixedLenByteArrayType>(group, &[0x3c00, 0xc500, 0x3800, 0].map(half), None);
        // Julian day 2,440,588 is 1 January 1970; nanoseconds of the day come first.
        let time = |nanoseconds: u32, days: u32| {
            let mut time = Int96::new();
            time.set_data(nanoseconds, 0, 2_440_588 + days);
            time
        };
        column::<Int96Type>(group, &[time(0, 0), time(5, 0), time(0, 1), time(7, 0)], None);
        column::<Int64Type>(group, &[7, 8, 7, 8], None);
    });
    let (data, record) = learned(bytes);
    let rows = [
        [19.99, -1.5, 1.2345, 2.5, 1.0, 0.0],
        [-0.05, 2.5, -1.2345, -0.1, -5.0, 5.0],
        [0.0, 0.001, 0.0, 25.6, 0.5, 86_400e9],
        [0.01, 0.0, 1.0, -25.6, 0.0, 7.0],
    ];
    assert_eq!(data.features(), rows.concat());
    assert_eq!(record.class_names, ["7", "8"]);
}

#[test]
fn texts_in_delta_encodings_are_read() {
    let texts: Vec<String> =
        (0..3000).map(|k| ["no", "yes", "perhaps", ""][k % 3].to_owned() + &"x".repeat(k % 2)).collect();
    for encoding in [Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY] {
        for version in [
            parquet::file::properties::WriterVersion::PARQUET_1_0,
            parquet::file::properties::WriterVersion::PARQUET_2_0,
        ] {
            let options = properties()
                .set_dictionary_enabled(false)
                .set_writer_version(version)
                .set_data_page_row_count_limit(700)
                .set_column_encoding("kind".into(), encoding)
                .set_column_encoding("label".into(), encoding);
            let bytes =
                file("optional binary kind (UTF8); required binary label (UTF8);", options, |group| {
                    let levels: Vec<i16> = (0..3000).map(|k| i16::from(k % 5 > 0)).collect();
                    let some = texts.iter().zip(&levels).filter(|(_, level)| **level > 0);
                    let some: Vec<ByteArray> = some.map(|(text, _)| text.as_str().into()).collect();
                    column::<ByteArrayType>(group, &some, Some(&levels));
                    let all: Vec<ByteArray> = texts.iter().map(|text| text.as_str().into()).collect();
                    column::<ByteArrayType>(group, &all, None);
                });
            let options =
                FitOptions { impute: Some(tanner::dataset::table::Impute::Zero), ..FitOptions::default() };
            let (data, record) =
                learn(read(bytes, &NEW).unwrap().table, options, &Limits::default()).unwrap();
            for (row, text) in texts.iter().enumerate() {
                assert_eq!(record.class_names[data.labels()[row] as usize], *text, "{encoding} {row}");
                let name = format!("kind={text}");
                for (value, feature) in data.sample(row).iter().zip(&record.feature_names) {
                    assert_eq!(
                        *value,
                        f32::from(u8::from(*feature == name && row % 5 > 0)),
                        "{encoding} {row}"
                    );
                }
            }
        }
    }
}

/// Counts and lengths are within the data: the crate would allocate whatever they promise.
#[test]
fn damaged_texts_in_delta_encodings_are_refused() {
    for encoding in [Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY] {
        let options = properties()
            .set_dictionary_enabled(false)
            .set_compression(Compression::UNCOMPRESSED)
            .set_column_encoding("label".into(), encoding);
        let texts: Vec<ByteArray> = (0..200).map(|k| format!("class {}", k % 7).as_str().into()).collect();
        let bytes = file("required binary label (UTF8); required double a;", options, |group| {
            column::<ByteArrayType>(group, &texts, None);
            column::<DoubleType>(group, &vec![0.5; 200], None);
        });
        let label: ColumnRef = "label".parse().unwrap();
        let columns = Columns::New { label: Some(&label), labelled: true, drop: &[], weights: None };
        read(bytes.clone(), &columns).unwrap();
        for at in 0..bytes.len().min(600) {
            for change in [0x01, 0x80, 0xff, 0x7f] {
                let mut damaged = bytes.clone();
                damaged[at] ^= change;
                let _ = read(damaged, &columns);
            }
        }
        // The header of the lengths: blocks of 128 in 4 parts, 200 values.
        let place = bytes.windows(4).position(|part| part == [0x80, 1, 4, 200]).unwrap();
        let mut many = bytes.clone();
        many[place + 4] = 0x7f;
        assert_says(&read(many, &columns).unwrap_err().to_string(), &["contradict the file"]);
    }
    let long: ByteArray = "x".repeat(1 << 20).as_str().into();
    let options = properties()
        .set_dictionary_enabled(false)
        .set_column_encoding("label".into(), Encoding::DELTA_BYTE_ARRAY);
    let bytes = file("required double a; required binary label (UTF8);", options, |group| {
        column::<DoubleType>(group, &[0.0; 5000], None);
        column::<ByteArrayType>(group, &vec![long; 5000], None);
    });
    assert!(bytes.len() < 1 << 22, "one long text, repeated");
    assert_says(&refusal(bytes), &["a text longer than 1024 bytes"]);
}

#[test]
fn lists_and_structures_are_refused_by_the_name_that_the_user_knows() {
    let schema = "required double a; required group embedding (LIST) { repeated group list { optional double element; } } \
                  required group st { required double a; required int32 b; } required int32 label;";
    let bytes = file(schema, properties(), |group| {
        column::<DoubleType>(group, &[1.0, 2.0, 3.0, 4.0], None);
        let mut list = group.next_column().unwrap().unwrap();
        list.typed::<DoubleType>().write_batch(&[1.0; 4], Some(&[2; 4]), Some(&[0; 4])).unwrap();
        list.close().unwrap();
        column::<DoubleType>(group, &[1.0, 2.0, 3.0, 4.0], None);
        column::<Int32Type>(group, &[1, 2, 3, 4], None);
        column::<Int32Type>(group, &[0, 1, 0, 1], None);
    });
    assert_says(&refusal(bytes.clone()), &["column \"embedding\" holds lists", "`drop` embedding"]);
    let reads = |names: &[&str]| {
        let drop: Vec<ColumnRef> = names.iter().map(|name| name.parse().unwrap()).collect();
        let table =
            read(bytes.clone(), &Columns::New { label: None, labelled: true, drop: &drop, weights: None });
        table.map(|tables| tables.table.width()).map_err(|error| error.to_string())
    };
    assert_says(&reads(&["embedding"]).unwrap_err(), &["column \"st\" holds structures", "\"a\""]);
    assert_eq!(reads(&["st", "embedding"]), Ok(1));
}

#[test]
fn the_index_of_a_data_frame_is_not_a_feature() {
    let metadata = |index: &str| {
        let text = format!(r#"{{"index_columns": [{index}], "columns": []}}"#);
        properties().set_key_value_metadata(Some(vec![KeyValue::new("pandas".into(), text)]))
    };
    let write = |properties, name: &str| {
        file(
            &format!("required double a; required int64 label; required int64 {name};"),
            properties,
            |group| {
                column::<DoubleType>(group, &[0.5, 1.5, 2.5, 3.5], None);
                column::<Int64Type>(group, &[0, 1, 0, 1], None);
                column::<Int64Type>(group, &[0, 1, 2, 3], None);
            },
        )
    };
    for (properties, name) in [
        (metadata(r#""__index_level_0__""#), "__index_level_0__"),
        (metadata(r#""id""#), "id"),
        // Another program kept the column, but not the metadata.
        (properties(), "__index_level_0__"),
    ] {
        let tables = read(write(properties, name), &NEW).unwrap();
        assert_eq!(tables.notes, [format!("the index of a pandas data frame is not a feature: {name:?}")]);
        let (_, record) = learn(tables.table, FitOptions::default(), &Limits::default()).unwrap();
        assert_eq!(record.feature_names, ["a"]);
    }
    let range = metadata(r#"{"kind": "range", "name": null, "start": 0, "stop": 4, "step": 1}"#);
    let tables =
        read(write(range, "id"), &Columns::New { label: None, labelled: false, drop: &[], weights: None })
            .unwrap();
    assert_eq!((tables.table.width(), tables.notes.len()), (3, 0));
}

#[test]
fn booleans_are_numbers_or_the_categories_of_a_text_file() {
    let bytes = file("required boolean a; required boolean label;", properties(), |group| {
        column::<BoolType>(group, &[true, false, true, false], None);
        column::<BoolType>(group, &[false, true, false, true], None);
    });
    let (data, record) = learned(bytes.clone());
    assert_eq!(data.features(), [1.0, 0.0, 1.0, 0.0]);
    assert_eq!(record.class_names, ["False", "True"]);
    let (as_text, record) = crate::learned("a,label\nTrue,False\nFalse,True\nTrue,False\nFalse,True\n");
    let columns = Columns::Of { encoding: record.encoding.as_ref().unwrap(), label: LabelNeed::Required };
    let samples = record.samples(read(bytes, &columns).unwrap().table, &Limits::default()).unwrap();
    assert_eq!((samples.samples, samples.unseen.len()), (as_text, 0));
}

#[test]
fn compressions_that_are_not_read_are_named_with_another() {
    let brotli = file("required double a; required int32 label;", properties(), |group| {
        column::<DoubleType>(group, &[1.0, 2.0], None);
        column::<Int32Type>(group, &[0, 1], None);
    });
    // In the metadata of a column chunk field 4 is the compression: 0 for none, 4 for brotli.
    let place = brotli.windows(3).rposition(|part| part == [0x15, 0, 0x16]).unwrap();
    let mut named = brotli;
    named[place + 1] = 8;
    assert_says(&refusal(named), &["compressed with brotli", "zstd"]);
}

#[test]
fn a_folder_of_parts_is_one_table() {
    let part = |first: i64, kind: &str| {
        file(
            &format!(
                "required double a; required int64 n; required binary {kind} (UTF8); required int32 label;"
            ),
            properties(),
            |group| {
                column::<DoubleType>(group, &[0.5, 1.5], None);
                column::<Int64Type>(group, &[first, first + 1], None);
                let texts = [format!("k{}", first % 4), "k0".into()];
                column::<ByteArrayType>(group, &texts.map(|text| text.as_str().into()), None);
                column::<Int32Type>(group, &[0, 1], None);
            },
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(folder.path().join(name), bytes).unwrap();
    for number in [2, 10, 0] {
        write(&format!("part-{number}.parquet"), part(number, "kind"));
    }
    write("_SUCCESS", Vec::new());
    write("_metadata.parquet", b"no table".to_vec());
    let read = |folder: &Path| {
        Table::read(Source::open(folder)?, Format::of_path(folder).unwrap(), &NEW, &ReadOptions::default())
    };
    let (data, record) =
        learn(read(folder.path()).unwrap().table, FitOptions::default(), &Limits::default()).unwrap();
    let numbers: Vec<f32> = (0..6).map(|row| data.sample(row)[1]).collect();
    assert_eq!(numbers, [0.0, 1.0, 2.0, 3.0, 10.0, 11.0]);
    assert_eq!(record.feature_names, ["a", "n", "kind=k0", "kind=k2"]);
    assert_eq!(data.sample(2)[2..], [0.0, 1.0]);
    write("part-3.parquet", part(1, "sort"));
    let message = read(folder.path()).unwrap_err().to_string();
    assert_says(&message, &["part-3.parquet: column 2 is \"sort\" (BYTE_ARRAY), in the first part \"kind\""]);
}

/// Programs that copy text tables keep numbers as texts.
#[test]
fn texts_that_are_numbers_are_numbers_unless_they_are_codes() {
    let schema = "optional binary x (STRING); required binary code (STRING); required binary few (STRING); required int32 label;";
    let write = |first: &str| {
        file(schema, properties(), |group| {
            let texts = |text: &dyn Fn(usize) -> String| -> Vec<ByteArray> {
                (0..60).map(|row| ByteArray::from(text(row).as_str())).collect()
            };
            let x = |row: usize| if row == 0 { first.to_owned() } else { format!("{row}.5") };
            column::<ByteArrayType>(group, &texts(&x), Some(&[1; 60]));
            column::<ByteArrayType>(group, &texts(&|row| format!("{row:03}")), None);
            column::<ByteArrayType>(group, &texts(&|row| (row % 5).to_string()), None);
            column::<Int32Type>(group, &(0..60).map(|row| row % 2).collect::<Vec<i32>>(), None);
        })
    };
    let tables = read(write("-1e3"), &NEW).unwrap();
    assert_eq!(tables.notes, ["texts that are numbers are read as numbers: \"x\""]);
    assert_eq!((tables.table.text_columns(), tables.table.width()), (2, 3));
    let (data, record) = learned(write("-1e3"));
    assert_eq!([data.sample(0)[0], data.sample(7)[0]], [-1000.0, 7.5]);
    // A later file has them as numbers or as texts.
    let columns = Columns::Of { encoding: record.encoding.as_ref().unwrap(), label: LabelNeed::Required };
    let samples = |bytes| {
        let table = read(bytes, &columns).map_err(|error| error.to_string())?.table;
        Ok::<_, String>(record.samples(table, &Limits::default()).unwrap().samples)
    };
    assert_eq!(samples(write("-1000.0")).unwrap(), data);
    assert_says(&samples(write("abc")).unwrap_err(), &["row 1, column \"x\": a text", "holds numbers"]);
    // One text makes the column one of texts.
    assert_eq!(read(write("abc"), &NEW).unwrap().table.text_columns(), 3);
}

#[test]
fn texts_with_one_unit_are_numbers_and_names_have_no_blanks_around_them() {
    let texts = |texts: &[&str]| texts.iter().map(|text| ByteArray::from(*text)).collect::<Vec<_>>();
    let table = |first: &str, shares: &[&str]| {
        let schema =
            format!("required binary {first} (UTF8); required double x; required binary label (UTF8);");
        file(&schema, properties(), |group| {
            column::<ByteArrayType>(group, &texts(shares), None);
            column::<DoubleType>(group, &[1.0, 2.0, 3.0, 4.0], None);
            column::<ByteArrayType>(group, &texts(&["a", "b", "a", "b"]), None);
        })
    };
    let shares = ["8%", "-1.5 %", "30%", "8%"];
    let (data, record) = learned(table("\u{200b}share\u{200b}", &shares));
    assert_eq!(
        (record.feature_names.as_slice(), data.feature_count()),
        (&["share".into(), "x".into()][..], 2)
    );
    assert_eq!((0..4).map(|row| data.sample(row)[0]).collect::<Vec<_>>(), [8.0, -1.5, 30.0, 8.0]);
    // The model expects the unit.
    let encoding = record.encoding.as_ref().unwrap();
    let columns = Columns::Of { encoding, label: LabelNeed::Ignored };
    read(table("share", &shares), &columns).unwrap();
    let message = read(table("share", &["8%", "5 cm", "1%", "2%"]), &columns).unwrap_err().to_string();
    assert_says(&message, &["row 2, column \"share\": not a number with the unit \"%\""]);
    // Several units remain texts.
    assert_eq!(learned(table("share", &["8%", "5 cm", "1%", "8%"])).0.feature_count(), 4);
    assert_says(&refusal(table("\u{200b}x", &shares)), &["\"x\""]);
}
