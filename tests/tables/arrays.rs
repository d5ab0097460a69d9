//! NPY and NPZ.

use std::io::{Cursor, Write};

use tanner::dataset::table::{
    ColumnRef, Columns, FitOptions, Format, Impute, Limits, ReadOptions, Source, Table, Tables, read_labels,
};
use tanner::dataset::{DataRecord, Dataset, learn};
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
    let columns = Columns::New { label: Some(&label), labelled: true, drop: &[] };
    let (by_column, record) =
        learned(read(Format::Npy, npy("|u1", "(4, 3)", &data), &columns).unwrap().table);
    assert_eq!(by_column.features(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 8.0]);
    assert_eq!(record.class_names, ["7", "9"]);

    let columns = Columns::New { label: None, labelled: false, drop: &[] };
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
            let Tables { table, test } = read(Format::Npz, bytes, &NEW).unwrap();
            assert!(test.is_none());
            let (data, _) = learned(table);
            assert_eq!((data.sample(3), data.labels()), (&[7.0, 8.0][..], &[1, 0, 1, 0][..]));
        }
    }
    let (x_test, y_test) = (npy("<f4", "(1, 2)", &floats(&[9.0, 10.0])), npy("|u1", "(1, 1)", &[0]));
    let arrays = [("x_train", x.clone()), ("y_train", y), ("x_test", x_test), ("y_test", y_test)];
    let Tables { table, test } = read(Format::Npz, npz(&arrays, CompressionMethod::Deflated), &NEW).unwrap();
    let (_, record) = learned(table);
    let test = record.samples(test.unwrap(), &Limits::default()).unwrap().samples;
    assert_eq!((test.features(), test.labels()), (&[9.0, 10.0][..], &[0][..]));
    // Without separate labels, the last column is the label.
    let (data, _) = learned(
        read(
            Format::Npz,
            npz(&[("x", npy("|u1", "(4, 2)", &[1, 0, 2, 1, 3, 0, 4, 1]))], CompressionMethod::Stored),
            &NEW,
        )
        .unwrap()
        .table,
    );
    assert_eq!((data.features(), data.labels()), (&[1.0, 2.0, 3.0, 4.0][..], &[0, 1, 0, 1][..]));
    let other = npz(&[("weights", x.clone())], CompressionMethod::Stored);
    assert_says(
        &read(Format::Npz, other, &NEW).unwrap_err().to_string(),
        &["holds neither x nor x_train", "weights.npy"],
    );
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
    let fortran = npy("<f4", "(1, 2)", &[0; 8]);
    let fortran = String::from_utf8_lossy(&fortran[10..]).replace("False", "True ");
    let mut column_major = npy("<f4", "(1, 2)", &[0; 8])[..10].to_vec();
    column_major.extend(fortran.as_bytes());
    let infinite: Vec<u8> = [f64::INFINITY, 0.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let beyond: Vec<u8> = [1e39_f64, 0.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    for (bytes, part) in [
        (b"no array".to_vec(), "not an NPY array"),
        (npy("<f4", "(1, 2)", &[0; 7]), "do not hold the shape [1, 2]"),
        (npy("<f4", "(1, 2)", &[0; 9]), "do not hold the shape [1, 2]"),
        (npy("<f4", "(4294967296, 4294967296, 4294967296)", &[0; 8]), "do not hold the shape"),
        (npy("<f4", "(2,)", &[0; 8]), "shape [2], expected [rows, columns]"),
        (npy("<f4", "(0, 2)", &[]), "the array is empty"),
        (npy("<c8", "(1, 1)", &[0; 8]), "elements of type \"<c8\""),
        (npy("|O", "(1, 1)", &[0; 8]), "elements of type"),
        (npy("<U1", "(1, 2)", &[0; 8]), "an array of texts"),
        (column_major, "Fortran order"),
        (npy("<f8", "(1, 2)", &infinite), "row 1, column 0: inf is not a number"),
        (npy("<f8", "(1, 2)", &beyond), "row 1, column 0: 1e39 is not a number"),
    ] {
        assert_says(&read(Format::Npy, bytes, &NEW).unwrap_err().to_string(), &[part]);
    }
}
