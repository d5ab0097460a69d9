//! Input that claims more than it holds, or is not valid at all.

use tanner::dataset::learn;
use tanner::dataset::table::{Columns, FitOptions, Format, Limits, ReadOptions, Source, Table};
use zip::CompressionMethod;

use crate::arrays::{npy, npz};
use crate::{NEW, assert_says, csv, csv_with};

fn read(format: Format, bytes: Vec<u8>, limits: Limits) -> Result<Table, String> {
    let options = ReadOptions { limits, ..ReadOptions::default() };
    let tables = Table::read(Source::from_bytes("h", bytes), format, &NEW, &options);
    tables.map(|tables| tables.table).map_err(|error| error.to_string())
}

#[test]
fn tables_larger_than_memory_are_refused_before_data_are_read() {
    let limits = Limits { memory: 1000, bytes_per_value: 9.0, ..Limits::default() };
    let mut text = String::from("a,b,label\n");
    (0..100).for_each(|row| text += &format!("{row},1,{}\n", row % 2));
    let message = read(Format::Csv, text.into_bytes(), limits).unwrap_err();
    assert_says(&message, &["rows with 2 columns need", "out of memory", "are free", "`drop`"]);
    let message = read(Format::Npy, npy("|u1", "(100, 3)", &[0; 300]), limits).unwrap_err();
    assert_says(&message, &["about 100 rows with 2 columns need"]);
}

#[test]
fn rows_that_grow_shorter_later_are_refused_while_they_are_read() {
    // The first megabytes suggest few rows; then rows get short.
    let mut text = String::from("a,b,label\n");
    (0..50_000).for_each(|row| text += &format!("{row}.{},1,{}\n", "0".repeat(100), row % 2));
    (0..500_000).for_each(|row| text += &format!("1,2,{}\n", row % 2));
    let needed = 550_000 * 2 * 4;
    let fits = Limits { memory: needed, ..Limits::default() };
    assert_eq!(read(Format::Csv, text.clone().into_bytes(), fits).unwrap().rows(), 550_000);
    let tight = Limits { memory: needed - 8, ..Limits::default() };
    assert_says(&read(Format::Csv, text.into_bytes(), tight).unwrap_err(), &["out of memory: about "]);
}

#[test]
fn records_and_columns_have_their_limits() {
    let limits = Limits { columns: 100, ..Limits::default() };
    let wide = vec!["1"; 101].join(",") + "\n";
    assert_says(
        &read(Format::Csv, wide.into_bytes(), limits).unwrap_err(),
        &["101 columns, the limit is 100"],
    );
    assert_says(&read(Format::Npy, npy("|u1", "(1, 101)", &[0; 101]), limits).unwrap_err(), &["101 columns"]);
    // A quote that is never closed swallows the rest.
    let mut text = String::from("a,b,label\n1,2,x\n");
    (0..700_000).for_each(|row| text += &format!("{row},1,{}\n", row % 2));
    text += "1,\"2,x\n";
    (0..2_000_000).for_each(|_| text += "1,2,x,4,5\n");
    let message = read(Format::Csv, text.into_bytes(), Limits::default()).unwrap_err();
    assert_says(&message, &["line 700003: ", "is a quote not closed?"]);
}

#[test]
fn long_texts_are_refused() {
    let text = format!("a,label\n{},x\n1,y\n", "z".repeat(2000));
    assert_says(&csv(&text, &NEW).unwrap_err().to_string(), &["line 2, column \"a\": a text of 2000 bytes"]);
}

/// For any bytes, a reader returns an error or a valid table.
#[test]
fn damaged_bytes_never_panic() {
    let text = b"a,\"b\",label\r\n1,2,x\n3,\"4\n\",y\n5,6,x\n7,8,y\n".to_vec();
    let array = npy("<f4", "(3, 2)", &[1; 24]);
    let pair = || vec![("x", npy("<f4", "(3, 2)", &[1; 24])), ("y", npy("|u1", "(3,)", &[0, 1, 0]))];
    for (format, bytes) in [
        (Format::Csv, text),
        (Format::Npy, array),
        (Format::Npz, npz(&pair(), CompressionMethod::Stored)),
        (Format::Npz, npz(&pair(), CompressionMethod::Deflated)),
    ] {
        for end in 0..bytes.len() {
            let _ = read(format, bytes[..end].to_vec(), Limits::default());
        }
        for at in 0..bytes.len() {
            for change in [1, 0x20, 0x80, 0xFF] {
                let mut damaged = bytes.clone();
                damaged[at] ^= change;
                let _ = read(format, damaged, Limits::default());
            }
        }
    }
}

/// The name of an array is part of the table's name.
#[test]
fn an_array_with_line_breaks_in_its_name_is_refused_in_one_line() {
    let arrays = [("x\n\u{3}", npy("|u1", "(4, 2)", &[1; 8])), ("y", npy("|u1", "(4,)", &[0, 1, 2, 3]))];
    let tables = Table::read(
        Source::from_bytes("h", npz(&arrays, CompressionMethod::Stored)),
        Format::Npz,
        &NEW,
        &ReadOptions::default(),
    );
    let refused = learn(tables.unwrap().table, FitOptions::default(), &Limits::default());
    let message = refused.map(|_| ()).unwrap_err().to_string();
    assert!(message.starts_with("h, x  .npy: ") && !message.contains(char::is_control), "{message:?}");
}

/// An archive may claim any size; only actual data are allocated.
#[test]
fn an_archive_with_wrong_sizes_is_refused() {
    let array = npy("<f4", "(1000000, 1000000)", &[0; 64]);
    let message = read(Format::Npz, npz(&[("x", array)], CompressionMethod::Deflated), Limits::default());
    assert_says(&message.unwrap_err(), &["do not hold the shape [1000000, 1000000]"]);
}

#[test]
fn an_archive_with_a_wrong_length_is_refused() {
    let array = npy("|u1", "(1000000, 1000)", &[]);
    let promised = u32::try_from(array.len() + 1_000_000_000).unwrap().to_le_bytes();
    let mut bytes = npz(&[("x", array)], CompressionMethod::Stored);
    // Compressed and uncompressed size of a local header and of the central directory.
    for (signature, sizes) in [(b"PK\x03\x04", 18), (b"PK\x01\x02", 20)] {
        let header = bytes.windows(4).position(|window| window == signature).unwrap();
        for size in [sizes, sizes + 4] {
            bytes[header + size..][..4].copy_from_slice(&promised);
        }
    }
    let message = read(Format::Npz, bytes, Limits::default()).unwrap_err();
    assert_says(&message, &["bytes cannot come from", "compressed ones"]);
}

#[test]
fn a_number_that_was_damaged_in_an_archive_is_found() {
    let arrays = [("x", npy("|u1", "(3, 1)", &[7, 7, 7])), ("y", npy("|u1", "(3,)", &[8, 9, 8]))];
    for (name, numbers) in [("x", [7, 7, 7]), ("y", [8, 9, 8])] {
        let mut bytes = npz(&arrays, CompressionMethod::Stored);
        let first = bytes.windows(3).position(|window| window == numbers).unwrap();
        bytes[first] ^= 1;
        let message = read(Format::Npz, bytes, Limits::default()).unwrap_err();
        assert_says(&message, &[&format!("{name}.npy: damaged: "), "checksum"]);
    }
}

#[test]
fn quotes_from_a_table_do_not_break_lines() {
    let table = csv("\"a\nb\",y\nred,0\nblue,1\nred,0\nblue,1\n", &NEW).unwrap();
    let fit = FitOptions { max_categories: 1, ..FitOptions::default() };
    let message = learn(table, fit, &Limits::default()).unwrap_err().to_string();
    assert_says(&message, &["2 different ones, the limit is 1", "`drop` 'a b'"]);
    assert!(!message.contains('\n'), "{message:?}");
}

#[test]
fn a_limit_on_columns_holds_for_tables_without_labels() {
    let columns = Columns::New { label: None, labelled: false, drop: &[], weights: None };
    let table = csv_with("1,2\n3,4\n", &columns, &ReadOptions::default()).unwrap();
    assert_eq!((table.width(), table.labels().is_none()), (2, true));
}
