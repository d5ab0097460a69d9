//! Delimiters, headers, quotes, line ends, and files of many blocks.

use tanner::dataset::table::{FitOptions, Header, Limits, ReadOptions};
use tanner::dataset::{DataRecord, Dataset, learn};
use tanner::threads::Threads;

use crate::{NEW, assert_says, csv, csv_with, learned, refusal};

/// Two features and a label, the expected result of every spelling below.
fn assert_plain((data, record): &(Dataset, DataRecord)) {
    assert_eq!(data.features(), [1.5, -2.0, 0.25, 1e3, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(data.labels(), [1, 0, 0, 1]);
    assert_eq!(record.class_names, ["ash", "oak"]);
}

const ROWS: [&str; 4] = ["1.5,-2,oak", ".25,1e3,ash", "3,4,ash", "5,+6,oak"];

#[test]
fn a_header_is_seen_and_so_is_its_absence() {
    let (data, record) = learned(format!("a,b,tree\n{}\n", ROWS.join("\n")));
    assert_eq!(record.feature_names, ["a", "b"]);
    assert_plain(&(data, record));
    let (data, record) = learned(ROWS.join("\n"));
    assert_eq!((record.feature_names.len(), record.encoding.as_ref().unwrap().named), (0, false));
    assert_plain(&(data, record));
    // Names that are numbers are above numbers, but the label reveals the header.
    assert_eq!(learned("label,0,1\n1,2,3\n2,4,5\n1,0,0\n2,1,1\n").1.feature_names, ["0", "1"]);
}

#[test]
fn texts_alone_have_a_header_where_no_row_repeats_it() {
    let (data, record) = learned("cap,smell,edible\nx,a,e\nb,n,p\nx,n,p\nb,a,e\n");
    assert_eq!(record.feature_names, ["cap=b", "cap=x", "smell=a", "smell=n"]);
    assert_eq!(data.samples(), 4);
    let (data, _) = learned("x,a,e\nb,n,p\nx,n,p\nb,a,e\n");
    assert_eq!(data.samples(), 4);
}

#[test]
fn an_explicit_header_option_wins() {
    let with = |header| ReadOptions { header, ..ReadOptions::default() };
    let text = "1,2,3\n1,2,0\n4,5,1\n6,7,0\n8,9,1\n";
    let table = csv_with(text, &NEW, &with(Header::Yes)).unwrap();
    assert_eq!((table.rows(), table.is_named()), (4, true));
    let table = csv_with(text, &NEW, &with(Header::No)).unwrap();
    assert_eq!((table.rows(), table.is_named()), (5, false));
    let table = csv_with("a,b\n1,2\n", &NEW, &with(Header::No)).unwrap();
    assert_eq!((table.rows(), table.text_columns()), (2, 1));
}

#[test]
fn delimiters_line_ends_marks_and_blanks_make_no_difference() {
    let rows = ROWS.join("\n");
    for text in [
        rows.replace(',', ";"),
        rows.replace(',', "\t"),
        rows.replace(',', " , "),
        rows.replace('\n', "\r\n") + "\r\n",
        rows.replace('\n', "\n\n\n"),
        format!("\u{feff}{rows}"),
        format!("\u{feff}u,v,w\r\n{}", rows.replace('\n', "\r\n")),
        rows.replace("oak", "\"oak\"").replace("1e3", "\"1e3\""),
    ] {
        assert_plain(&learned(text));
    }
    let options = ReadOptions { delimiter: Some(b'|'), ..ReadOptions::default() };
    let table = csv_with(rows.replace(',', "|"), &NEW, &options).unwrap();
    assert_plain(&learn(table, FitOptions::default(), &Limits::default()).unwrap());
}

#[test]
fn quotes_hold_delimiters_line_ends_and_quotes() {
    let text = "size,\"wood, or\nwhat\",tree\n1,\"hard, \"\"very\"\"\",oak\n2,\"so\r\nso\",oak\n3,soft,ash\n4,soft,ash\n";
    let (data, record) = learned(text);
    let names = ["size", "wood, or\nwhat=hard, \"very\"", "wood, or\nwhat=so\r\nso", "wood, or\nwhat=soft"];
    assert_eq!(record.feature_names, names);
    assert_eq!(data.sample(1), [2.0, 0.0, 1.0, 0.0]);
    // The lines of a record of several lines count.
    assert_says(&refusal(text.replace("3,soft,ash", "3,soft")), &["line 6: 2 fields, expected 3"]);
}

#[test]
fn lines_are_counted_with_every_line_end() {
    for end in ["\n", "\r\n", "\n\n"] {
        let lines = if end == "\n\n" { "line 7" } else { "line 4" };
        let text = ["a,b,c", "1,2,x", "1,2,y", "1,,x", "3,4,y"].join(end);
        assert_says(&refusal(&text), &[lines, "column \"b\": the value is missing", "`impute`", "`drop`"]);
        assert_says(&refusal(text.replace("1,,x", "1,x")), &[lines, "2 fields, expected 3"]);
        assert_says(
            &refusal(text.replace("1,,x", "1,-inf,x")),
            &[lines, "column \"b\"", "\"-inf\" is not a number"],
        );
        assert_says(
            &refusal(text.replace("1,,x", "1,1e39,x")),
            &[lines, "\"1e39\" is not a number that float32"],
        );
        assert_says(&refusal(text.replace("1,,x", "1,3,?")), &[lines, "has no value there"]);
    }
    assert_says(&refusal(b"1,\xff,x\n1,2,y\n3,4,x\n2,2,y\n"), &["line 1, column 1: not UTF-8"]);
}

#[test]
fn files_that_are_not_text_tables_are_refused() {
    for (text, part) in [
        (&b""[..], "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"a,b,c\n", "a header, but no rows"),
        (b"\xff\xfea\0,\0", "UTF-16"),
        (b"a\0b", "not text"),
        (b"a,b,a\n1,2,3\n", "columns 0 and 2 are both called \"a\""),
        (b"5\n6\n", "no column is left for features"),
        (b"a,\"b,c\n1,2,3\n4,5,6\n7,8,9\n", ""),
    ] {
        assert_says(&refusal(text), &[part]);
    }
}

/// Enough rows for several blocks, with quotes that contain line ends, and their known result.
fn large(rows: usize) -> (String, Vec<f32>) {
    let mut text = String::from("number,half,colour,note,label\n");
    let mut expected = Vec::new();
    for row in 0..rows {
        let colour = ["red", "green", "blue"][row * row % 7 % 3];
        let note = if row % 2 == 0 { "\"a,\n\n\n\n\n\n\"\"b\"\"\"" } else { "plain" };
        text += &format!("{row},{}.5,{colour},{note},{}\n", row % 1000, row % 2);
        expected.extend([row as f32, (row % 1000) as f32 + 0.5]);
        expected.extend(["blue", "green", "red"].map(|one| f32::from(u8::from(one == colour))));
        expected.extend([f32::from(u8::from(row % 2 == 0)), f32::from(u8::from(row % 2 == 1))]);
    }
    (text, expected)
}

#[test]
fn many_blocks_give_every_row_once_and_in_order_on_any_number_of_threads() {
    let (text, expected) = large(400_000);
    assert!(text.len() > 10 << 20, "{}", text.len());
    for threads in [1, 3] {
        let pool = Threads::new(Some(threads)).unwrap();
        let (data, record) = pool.install(|| learned(&text));
        assert_eq!(record.feature_names.len(), 7);
        assert!(data.features() == expected, "{threads} threads");
    }
}

#[test]
fn far_lines_are_named_rightly() {
    let (mut text, _) = large(400_000);
    let lines = 1 + text.lines().count();
    text += "1,2,3\n";
    assert_says(&refusal(&text), &[&format!("line {lines}: 3 fields, expected 5")]);
    let table = csv("a,b\n1,0\n2,1\n3,0\n4,1\n", &NEW).unwrap();
    assert_eq!((table.rows(), table.width()), (4, 1));
}
