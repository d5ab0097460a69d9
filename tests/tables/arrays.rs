//! NPY and NPZ.

use std::io::{Cursor, Write};

use tanner::dataset::table::{
    ColumnRef, Columns, FitOptions, Format, Impute, Limits, ReadOptions, Source, Table, Tables, read_labels,
};
use tanner::dataset::{DataRecord, Dataset, Task, learn};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::{NEW, assert_says};

/// The bytes of an array.
pub(crate) fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// The bytes of an archive, its arrays compressed or not.
pub(crate) fn npz(arrays: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        let options = SimpleFileOptions::default().compression_method(method);
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn read(format: Format, bytes: Vec<u8>, columns: &Columns<'_>) -> tanner::Result<Tables> {
    Table::read(Source::from_bytes("a", bytes), format, columns, &ReadOptions::default())
}

fn learned(table: Table) -> (Dataset, DataRecord) {
    learn(table, FitOptions::default(), &Limits::default()).unwrap()
}

fn bytes<const SIZE: usize>(values: &[[u8; SIZE]]) -> Vec<u8> {
    values.concat()
}

/// Rows of a feature, a negative one if possible, and the label.
#[test]
fn every_type_and_order_of_bytes_is_read() {
    macro_rules! cases {
        ($($type:ty: $descr:literal),*) => {
            vec![$(
                (concat!("<", $descr), bytes(&[3, 1, 100, 0, 5, 1, 7, 0].map(|v: u8| (v as $type).to_le_bytes()))),
                (concat!(">", $descr), bytes(&[3, 1, 100, 0, 5, 1, 7, 0].map(|v: u8| (v as $type).to_be_bytes()))),
            )*]
        };
    }
    let cases = cases!(u8: "u1", i8: "i1", u16: "u2", i16: "i2", u32: "u4", i32: "i4", u64: "u8", i64: "i8",
        f32: "f4", f64: "f8");
    for (descr, data) in cases {
        let (data, record) = learned(read(Format::Npy, npy(descr, "(4, 2)", &data), &NEW).unwrap().table);
        assert_eq!(data.features(), [3.0, 100.0, 5.0, 7.0], "{descr}");
        assert_eq!(
            (data.labels(), record.class_names),
            (&[1, 0, 1, 0][..], vec!["0".to_owned(), "1".into()])
        );
    }
    let signed = bytes(&[-3i16, 1, -100, 0, 5, 1, 7, 0].map(i16::to_be_bytes));
    let (data, _) = learned(read(Format::Npy, npy(">i2", "(4, 2)", &signed), &NEW).unwrap().table);
    assert_eq!(data.features(), [-3.0, -100.0, 5.0, 7.0]);
    let (data, _) =
        learned(read(Format::Npy, npy("|b1", "(4, 2)", &[1, 1, 0, 0, 1, 1, 0, 0]), &NEW).unwrap().table);
    assert_eq!(data.features(), [1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn the_label_is_any_column_or_a_separate_file() {
    let data: Vec<u8> = vec![7, 1, 2, 9, 3, 4, 7, 5, 6, 9, 8, 8];
    let label: ColumnRef = "0".parse().unwrap();
    let columns = Columns::New { label: Some(&label), labelled: true, drop: &[], weights: None };
    let (by_column, record) =
        learned(read(Format::Npy, npy("|u1", "(4, 3)", &data), &columns).unwrap().table);
    assert_eq!(by_column.features(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 8.0]);
    assert_eq!(record.class_names, ["7", "9"]);

    let columns = Columns::New { label: None, labelled: false, drop: &[], weights: None };
    let table =
        || read(Format::Npy, npy("|u1", "(4, 2)", &[1, 2, 3, 4, 5, 6, 8, 8]), &columns).unwrap().table;
    let labels = |bytes| read_labels(Source::from_bytes("l", bytes), &Limits::default());
    let texts: Vec<u8> = ["ö!", "b", "ö!", "b"]
        .iter()
        .flat_map(|text| {
            let mut codes: Vec<u32> = text.chars().map(u32::from).collect();
            codes.resize(2, 0);
            codes.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<u8>>()
        })
        .collect();
    let table_with_texts = table().with_labels(labels(npy("<U2", "(4,)", &texts)).unwrap()).unwrap();
    let (by_file, record) = learned(table_with_texts);
    assert_eq!(
        (by_file.features(), record.class_names),
        (by_column.features(), vec!["b".to_owned(), "ö!".into()])
    );
    let table = table();
    let message = table.with_labels(labels(npy("|u1", "(3,)", &[0, 1, 0])).unwrap()).unwrap_err().to_string();
    assert_says(&message, &["a: has 4 rows, but there are 3 labels"]);
}

#[test]
fn archives_have_one_pair_or_two() {
    let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let x = npy("<f4", "(4, 2)", &floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]));
    let y = npy("|u1", "(4,)", &[1, 0, 1, 0]);
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        for names in [["x", "y"], ["X", "Y"], ["features", "labels"]] {
            let bytes = npz(&[(names[1], y.clone()), (names[0], x.clone())], method);
            let Tables { table, test, .. } = read(Format::Npz, bytes, &NEW).unwrap();
            assert!(test.is_none());
            let (data, _) = learned(table);
            assert_eq!((data.sample(3), data.labels()), (&[7.0, 8.0][..], &[1, 0, 1, 0][..]));
        }
    }
    let (x_test, y_test) = (npy("<f4", "(1, 2)", &floats(&[9.0, 10.0])), npy("|u1", "(1, 1)", &[0]));
    let arrays = [("x_train", x.clone()), ("y_train", y), ("x_test", x_test), ("y_test", y_test)];
    let Tables { table, test, .. } =
        read(Format::Npz, npz(&arrays, CompressionMethod::Deflated), &NEW).unwrap();
    let (_, record) = learned(table);
    let test = record.samples(test.unwrap(), &Limits::default()).unwrap().samples;
    assert_eq!((test.features(), test.labels()), (&[9.0, 10.0][..], &[0][..]));
    // Without an array of labels, a column has to be named.
    let alone = npz(&[("x", npy("|u1", "(4, 2)", &[1, 0, 2, 1, 3, 0, 4, 1]))], CompressionMethod::Stored);
    let refused = read(Format::Npz, alone.clone(), &NEW).unwrap_err().to_string();
    assert_says(&refused, &["a: there are no labels for x; the arrays are x [4, 2]: name"]);
    let last: ColumnRef = "-1".parse().unwrap();
    let columns = Columns::New { label: Some(&last), labelled: true, drop: &[], weights: None };
    let (data, _) = learned(read(Format::Npz, alone, &columns).unwrap().table);
    assert_eq!((data.features(), data.labels()), (&[1.0, 2.0, 3.0, 4.0][..], &[0, 1, 0, 1][..]));
}

#[test]
fn pictures_remain_pictures() {
    let arrays = [("x", npy("|u1", "(4, 2, 3)", &[5; 24])), ("y", npy("|u1", "(4,)", &[0, 1, 0, 1]))];
    let (data, record) =
        learned(read(Format::Npz, npz(&arrays, CompressionMethod::Stored), &NEW).unwrap().table);
    assert_eq!((data.image_shape(), record.image_shape), (Some([2, 3]), Some([2, 3])));
}

#[test]
fn missing_numbers_are_refused_or_filled() {
    let data: Vec<u8> =
        [1.0, 0.0, f64::NAN, 1.0, 3.0, 0.0, 5.0, 1.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let table = || read(Format::Npy, npy("<f8", "(4, 2)", &data), &NEW).unwrap().table;
    let message = learn(table(), FitOptions::default(), &Limits::default()).unwrap_err().to_string();
    assert_says(&message, &["row 2, column 0: the value is missing"]);
    let options = FitOptions { impute: Some(Impute::Mean), ..FitOptions::default() };
    let (filled, _) = learn(table(), options, &Limits::default()).unwrap();
    assert_eq!(filled.features(), [1.0, 3.0, 3.0, 5.0]);
}

#[test]
fn arrays_that_cannot_be_read_are_refused() {
    let records = npy("X", "(1,)", &[0; 8]);
    let text = String::from_utf8_lossy(&records[10..]).replace("'X'", "[('a', '<f4'), ('b', '<i4')]");
    let mut records = b"\x93NUMPY\x01\x00".to_vec();
    records.extend(u16::try_from(text.len() - 8).unwrap().to_le_bytes());
    records.extend(text.as_bytes());
    let infinite: Vec<u8> = [f64::INFINITY, 0.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let beyond: Vec<u8> = [1e39_f64, 0.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    for (bytes, part) in [
        (b"no array".to_vec(), "not an NPY array"),
        (npy("<f4", "(1, 2)", &[0; 7]), "do not hold the shape [1, 2]"),
        (npy("<f4", "(1, 2)", &[0; 9]), "do not hold the shape [1, 2]"),
        (npy("<f4", "(4294967296, 4294967296, 4294967296)", &[0; 8]), "do not hold the shape"),
        (
            npy("<f4", "(2,)", &[0; 8]),
            "shape [2], expected [rows, columns]; a single column is x.reshape(-1, 1)",
        ),
        (npy("|u1", "(2, 2, 2, 2, 2)", &[0; 32]), "x.reshape(len(x), -1) makes a table"),
        (
            npy("|u1", "(2, 5, 5, 3)", &[0; 150]),
            "3 colours (shape [2, 5, 5, 3]), expected one number for each pixel: save grey ones, x.mean(axis=3)",
        ),
        (npy("|u1", "(2, 4, 5, 5)", &[0; 200]), "x.mean(axis=1)"),
        (npy("|u1", "(2, 5, 5)", &[0; 50]), "holds pictures (shape [2, 5, 5]) without labels"),
        (npy("<f4", "(0, 2)", &[]), "the array is empty"),
        (npy("<c8", "(1, 1)", &[0; 8]), "elements of type \"<c8\""),
        (npy("|O", "(1, 1)", &[0; 8]), "Python objects: save texts as y.astype(str)"),
        (npy("<M8[ns]", "(1, 1)", &[0; 8]), "save x.astype(\"float64\")"),
        (records, "holds records (a structured array)"),
        (npy("<U1", "(1, 2)", &[0; 8]), "an array of texts"),
        (npy("<f8", "(1, 2)", &infinite), "row 1, column 0: inf is not a number"),
        (npy("<f8", "(1, 2)", &beyond), "row 1, column 0: 1e39 is not a number"),
    ] {
        assert_says(&read(Format::Npy, bytes, &NEW).unwrap_err().to_string(), &[part]);
    }
}

/// The bytes of an array that is stored column by column.
fn by_column(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let bytes = npy(descr, shape, data);
    let place = bytes.windows(5).position(|part| part == b"False").unwrap();
    [&bytes[..place], b"True ", &bytes[place + 5..]].concat()
}

/// `numpy.save(f, pandas.read_csv(..).values)` stores columns one after another.
#[test]
fn arrays_stored_by_column_are_read() {
    let data = [1, 2, 3, 4, 10, 20, 30, 40, 0, 1, 0, 1].map(|v: u8| v);
    let (data, _) = learned(read(Format::Npy, by_column("|u1", "(4, 3)", &data), &NEW).unwrap().table);
    assert_eq!(data.features(), [1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0]);
    assert_eq!(data.labels(), [0, 1, 0, 1]);
    // More rows than are read at a time: the value of row r and column c is 2 r + c.
    let rows = 20_000u32;
    let bytes: Vec<u8> =
        (0..2).flat_map(|c| (0..rows).flat_map(move |r| (2 * r + c).to_be_bytes())).collect();
    let columns = Columns::New { label: None, labelled: false, drop: &[], weights: None };
    let labels =
        npy("|u1", &format!("({rows},)"), &(0..rows).map(|r| u8::from(r % 2 == 0)).collect::<Vec<_>>());
    let labels = read_labels(Source::from_bytes("y.npy", labels), &Limits::default()).unwrap();
    let table = read(Format::Npy, by_column(">u4", &format!("({rows}, 2)"), &bytes), &columns).unwrap().table;
    let (data, _) = learned(table.with_labels(labels).unwrap());
    assert!(data.features().iter().enumerate().all(|(k, value)| *value == k as f32));
}

#[test]
fn pictures_may_have_an_axis_of_one_colour() {
    let pixels: Vec<u8> = (0..24).collect();
    let y = ("y", npy("|u1", "(4,)", &[0, 1, 0, 1]));
    for shape in ["(4, 2, 3)", "(4, 1, 2, 3)", "(4, 2, 3, 1)"] {
        let arrays =
            [("x", npy("<i2", shape, &pixels.iter().flat_map(|v| [*v, 0]).collect::<Vec<u8>>())), y.clone()];
        let (data, _) =
            learned(read(Format::Npz, npz(&arrays, CompressionMethod::Stored), &NEW).unwrap().table);
        assert_eq!((data.image_shape(), data.sample(3)[5]), (Some([2, 3]), 23.0), "{shape}");
    }
}

#[test]
fn halves_are_read() {
    let data: Vec<u8> =
        [0x3c00u16, 0xc500, 0x3555, 0x3c00, 0x0001, 0xc500].iter().flat_map(|v| v.to_le_bytes()).collect();
    let columns = Columns::New { label: None, labelled: false, drop: &[], weights: None };
    let table = read(Format::Npy, npy("<f2", "(2, 3)", &data), &columns).unwrap().table;
    let labels =
        read_labels(Source::from_bytes("y.npy", npy("|b1", "(2,)", &[1, 0])), &Limits::default()).unwrap();
    let labelled = table.with_labels(labels).unwrap();
    let classes = learn(labelled, FitOptions::default(), &Limits::default()).unwrap();
    assert_eq!(classes.0.features(), [1.0, -5.0, 0.333_251_95, 1.0, 5.960_464_5e-8, -5.0]);
    assert_eq!(classes.1.class_names, ["False", "True"]);
}

fn archive(arrays: &[(&str, &str, usize)]) -> Vec<u8> {
    let arrays: Vec<(&str, Vec<u8>)> = arrays
        .iter()
        .map(|(name, shape, bytes)| {
            (
                *name,
                npy("|u1", shape, &(0..*bytes).map(|k| u8::try_from(k % 2).unwrap()).collect::<Vec<u8>>()),
            )
        })
        .collect();
    npz(&arrays, CompressionMethod::Stored)
}

#[test]
fn arrays_are_found_by_usual_names_and_the_others_are_reported() {
    for [x, y, x_test, y_test] in [
        ["X_train", "y_train", "X_test", "y_test"],
        ["train_images", "train_labels", "test_images", "test_labels"],
        ["trainX", "trainY", "testX", "testY"],
        ["data-train", "target-train", "data-test", "target-test"],
        ["training_inputs", "training_targets", "testing_inputs", "testing_targets"],
    ] {
        let bytes = archive(&[
            ("x_val", "(2, 3)", 6),
            (y_test, "(2,)", 2),
            (x_test, "(2, 3)", 6),
            (y, "(4,)", 4),
            (x, "(4, 3)", 12),
        ]);
        let Tables { table, test, notes } = read(Format::Npz, bytes, &NEW).unwrap();
        assert_eq!((table.rows(), test.unwrap().rows()), (4, 2), "{x}");
        assert_eq!(
            notes,
            ["arrays that are not used: x_val [2, 3]; `validation` holds rows of the training set out"]
        );
    }
    for [x, y] in [["data", "target"], ["images", "labels"], ["arr_0", "arr_1"], ["a", "b"], ["x", "species"]]
    {
        let bytes = archive(&[(y, "(4, 1)", 4), (x, "(4, 3)", 12)]);
        let tables = read(Format::Npz, bytes, &NEW).unwrap();
        assert!(tables.table.labels().is_some() && tables.table.width() == 3, "{x}");
    }
}

#[test]
fn arrays_can_be_named_and_left_out() {
    let bytes = archive(&[
        ("fine_train", "(4,)", 4),
        ("coarse_train", "(4,)", 4),
        ("x_train", "(4, 3)", 12),
        ("fine_test", "(2,)", 2),
        ("x_test", "(2, 3)", 6),
    ]);
    let label: ColumnRef = "fine_train".parse().unwrap();
    let columns = Columns::New { label: Some(&label), labelled: true, drop: &[], weights: None };
    let Tables { table, test, notes } = read(Format::Npz, bytes.clone(), &columns).unwrap();
    assert!(table.labels().is_some() && test.unwrap().labels().is_some());
    assert_eq!(notes, ["arrays that are not used: coarse_train [4]"]);
    assert_says(
        &read(Format::Npz, bytes, &NEW).unwrap_err().to_string(),
        &["no labels for x_train", "fine_train [4], coarse_train [4], x_train [4, 3]"],
    );
    let two = archive(&[("a", "(4, 3)", 12), ("b", "(4, 2)", 8), ("c", "(4,)", 4)]);
    let message = read(Format::Npz, two.clone(), &NEW).unwrap_err().to_string();
    assert_says(&message, &["not clear: a [4, 3], b [4, 2], c [4];", "`label`", "`drop`"]);
    let drop = ["b".parse().unwrap()];
    let columns = Columns::New { label: None, labelled: true, drop: &drop, weights: None };
    assert_eq!(read(Format::Npz, two, &columns).unwrap().table.width(), 3);
}

/// A file of labels wins over the archive's own.
#[test]
fn labels_of_a_separate_file_belong_to_an_archive_too() {
    let x = archive(&[("x", "(4, 3)", 12), ("y", "(4,)", 4)]);
    let columns = Columns::New { label: None, labelled: false, drop: &[], weights: None };
    let Tables { table, notes, .. } = read(Format::Npz, x, &columns).unwrap();
    assert!(table.labels().is_none() && table.width() == 3);
    assert_eq!(notes, ["arrays that are not used: y [4]"]);
    let labels = Source::from_bytes("l.npz", archive(&[("arr_0", "(4,)", 4)]));
    assert!(table.with_labels(read_labels(labels, &Limits::default()).unwrap()).is_ok());
}

#[test]
fn archives_without_what_is_needed_are_refused_with_their_arrays() {
    let without = archive(&[("x_train", "(4, 3)", 12), ("y_train", "(4,)", 4), ("x_test", "(2, 3)", 6)]);
    let message = read(Format::Npz, without, &NEW).unwrap_err().to_string();
    assert_says(&message, &["no labels for x_test", "x_train [4, 3], y_train [4], x_test [2, 3]"]);
    let sparse =
        archive(&[("indices", "(4,)", 4), ("indptr", "(4,)", 4), ("data", "(4,)", 4), ("shape", "(2,)", 2)]);
    assert_says(
        &read(Format::Npz, sparse, &NEW).unwrap_err().to_string(),
        &["sparse matrix of scipy", "x.toarray()"],
    );
    let message = read(Format::Npz, archive(&[]), &NEW).unwrap_err().to_string();
    assert_says(&message, &["holds no arrays"]);
    let both = archive(&[("x", "(4, 3)", 12), ("x_train", "(4, 3)", 12), ("y", "(4,)", 4)]);
    assert_says(
        &read(Format::Npz, both, &NEW).unwrap_err().to_string(),
        &["both x [4, 3] and x_train [4, 3]"],
    );
    let hot = archive(&[("x", "(4, 3)", 12), ("y", "(4, 2)", 8)]);
    let read = read(Format::Npz, hot, &NEW).unwrap();
    let error = learn(read.table, FitOptions::default(), &Limits::default()).unwrap_err();
    assert_says(&error.to_string(), &["y.argmax(axis=1)"]);
}

/// The first column has features, the second labels, the third weights.
#[test]
fn weights_are_taken_from_the_array_that_has_the_labels() {
    let (label, weights): (ColumnRef, ColumnRef) = ("1".parse().unwrap(), "2".parse().unwrap());
    let columns = Columns::New { label: Some(&label), labelled: true, drop: &[], weights: Some(&weights) };
    let data = npy("|u1", "(4, 3)", &[1, 0, 2, 3, 1, 1, 5, 9, 0, 7, 1, 4]);
    for (format, bytes) in
        [(Format::Npy, data.clone()), (Format::Npz, npz(&[("x", data.clone())], CompressionMethod::Stored))]
    {
        let table = read(format, bytes, &columns).unwrap().table;
        assert_eq!((table.rows(), table.labels_count()), (3, 1), "the row of weight 0 is left out");
        assert_eq!(table.weights().unwrap(), [2.0, 1.0, 4.0]);
    }
    let apart = [("x", data), ("y", npy("|u1", "(4,)", &[0, 1, 0, 1]))];
    let columns = Columns::New { label: None, labelled: true, drop: &[], weights: Some(&weights) };
    let refused = read(Format::Npz, npz(&apart, CompressionMethod::Stored), &columns).unwrap_err();
    assert_says(&refused.to_string(), &["`weights`", "the array y"]);
}

#[test]
fn labels_to_test_on_have_as_many_columns() {
    let (x, two, one) = (("<f4", "(4, 2)", 32), ("<f4", "(4, 2)", 32), ("<f4", "(4,)", 16));
    let of = |train: (&'static str, &'static str, usize), test: (&'static str, &'static str, usize)| {
        let arrays = [
            ("x_train", x.0, x.1, x.2),
            ("y_train", train.0, train.1, train.2),
            ("x_test", x.0, x.1, x.2),
            ("y_test", test.0, test.1, test.2),
        ];
        let arrays = arrays.map(|(name, descr, shape, bytes)| (name, npy(descr, shape, &vec![0; bytes])));
        read(Format::Npz, npz(&arrays, CompressionMethod::Stored), &NEW)
    };
    assert!(of(two, two).is_ok() && of(one, one).is_ok());
    for (refused, tested, trained) in [(of(two, one), 1, 2), (of(one, two), 2, 1)] {
        let message = refused.unwrap_err().to_string();
        let expected =
            format!("y_test, have {tested} columns, but those to train on, y_train, have {trained}");
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
fn targets_stored_by_column_are_read() {
    let targets =
        |bytes: Vec<u8>| read_labels(Source::from_bytes("y.npy", bytes), &Limits::default()).unwrap();
    let by_row = targets(npy("|u1", "(3, 2)", &[1, 2, 3, 4, 5, 6]));
    let by_column = targets(by_column("|u1", "(3, 2)", &[1, 3, 5, 2, 4, 6]));
    let columns = Columns::New { label: None, labelled: false, drop: &[], weights: None };
    let numbers = |labels| {
        let table = read(Format::Npy, npy("|u1", "(3, 1)", &[7, 8, 9]), &columns).unwrap().table;
        table.with_labels(labels).unwrap().numbers(Task::Regression).unwrap()
    };
    assert_eq!(numbers(by_row), numbers(by_column));
}
