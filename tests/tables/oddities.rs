//! Lines around a header, signs behind numbers, blanks that are no ASCII, and texts that are tables of another kind.

use tanner::dataset::table::{Columns, FitOptions, Impute, LabelNeed, Limits, ReadOptions};
use tanner::dataset::{DataRecord, learn};

use crate::{NEW, assert_says, csv, csv_with, learned, refusal};

/// A header and 40 rows of two numbers and a kind of tree.
fn trees(number: impl Fn(i32) -> String) -> String {
    let row = |row: i32| {
        let kind = ["oak", "elm", "fir"][row.unsigned_abs() as usize % 3];
        format!("{}.5,{},{kind}\n", row * 7 % 23, number(row * 11 % 37 - 18))
    };
    "len,gain,kind\n".to_owned() + &(0..40).map(row).collect::<String>()
}

fn plain(number: i32) -> String {
    number.to_string()
}

fn names(record: &DataRecord) -> Vec<&str> {
    record.feature_names.iter().map(String::as_str).collect()
}

/// The features of the rows of another table.
fn again(record: &DataRecord, text: &str) -> Vec<f32> {
    let encoding = record.encoding.as_ref().unwrap();
    let columns = Columns::Of { encoding, label: LabelNeed::Required };
    let samples = record.samples(csv(text, &columns).unwrap(), &Limits::default()).unwrap();
    samples.samples.features().to_vec()
}

#[test]
fn negative_numbers_of_accountants_are_negative() {
    let (expected, _) = learned(trees(plain));
    for written in [
        |number: i32| if number < 0 { format!("({})", -number) } else { number.to_string() },
        |number: i32| if number < 0 { format!("{}.00-", -number) } else { format!("{number}.00") },
        |number: i32| if number < 0 { format!("($ {}.00)", -number) } else { format!("$ {number}.00") },
        |number: i32| if number < 0 { format!("$({})", -number) } else { format!("${number}") },
        |number: i32| if number < 0 { format!("({} cm)", -number) } else { format!("{number} cm") },
    ] {
        let (data, record) = learned(trees(written));
        assert_eq!(data, expected, "{}", written(-5));
        assert_eq!(again(&record, &trees(written)), expected.features(), "{}", written(-5));
    }
    // Grades are texts.
    let (data, _) = learned("g,label\n".to_owned() + &"1-,a\n2+,b\n2-,a\n3,b\n".repeat(8));
    assert_eq!(data.feature_count(), 4);
}

#[test]
fn groups_of_two_digits_are_read_where_the_last_has_three() {
    let rows = (0..40)
        .map(|row| format!("\"{},{:02},{:03}\",{}\n", 1 + row % 9, row * 7 % 100, row * 13 % 1000, row % 2));
    let (data, _) = learned("price,label\n".to_owned() + &rows.collect::<String>());
    assert_eq!(data.sample(1), [207_013.0]);
}

#[test]
fn titles_and_units_around_a_header_are_no_data() {
    let table = trees(plain);
    let (expected, _) = learned(&table);
    let (header, rows) = table.split_once('\n').unwrap();
    for text in [
        format!("Trees of the forest\n{table}"),
        format!("len gain by kind\n{table}"),
        format!("Trees\n\nmeasured in 2024\n{table}"),
        format!("\"Trees, all of them\",,\n,,\n{table}"),
        format!("{header}\ncm,EUR,-\n{rows}"),
        format!("{header}\n[cm],[EUR],\n{rows}"),
        format!("{header}\nfloat,int,str\n{rows}"),
        format!("{table}\u{1a}"),
        format!("Trees\r\n{header}\r\ncm,,\r\n{}", rows.replace('\n', "\r\n")),
    ] {
        let (data, record) = learned(&text);
        assert_eq!(names(&record), ["len", "gain"], "{text}");
        assert_eq!(data, expected, "{text}");
        assert_eq!(again(&record, &text), expected.features(), "{text}");
        // Lines are those of the file.
        let (before, _) = text.rsplit_once(",oak").unwrap();
        let broken = format!("{before},oak,1\n");
        let line = broken.lines().count();
        assert_says(&refusal(&broken), &[&format!("line {line}: 4 fields, expected 3")]);
    }
    // Above data, nothing is skipped, nor are rows of missing values or of a single column.
    assert_says(&refusal(format!("Trees\n{rows}")), &["line 1: 1 field, most lines have 3"]);
    assert_says(&refusal(format!("{header}\n?,NA,oak\n{rows}")), &["line 2", "missing"]);
    assert_says(&refusal(format!("{header}\nx,1,oak\n{rows}")), &["line 2", "\"x\" among numbers"]);
}

#[test]
fn a_header_in_the_middle_is_refused_with_its_line() {
    let table = trees(plain);
    assert_says(&refusal(format!("{table}{table}")), &["line 42 repeats the header"]);
    // Numbers that name columns may be values, too.
    let numbers = "0,1,2\n".to_owned() + &"5,7,1\n6,8,2\n0,1,2\n".repeat(9);
    let options = ReadOptions { header: tanner::dataset::table::Header::Yes, ..ReadOptions::default() };
    let read = csv_with(numbers, &NEW, &options).unwrap();
    learn(read, FitOptions::default(), &Limits::default()).unwrap();
}

#[test]
fn infinite_numbers_can_be_made_missing() {
    for word in ["inf", "-Infinity", "1e400"] {
        let text = trees(|number| if number == 3 { word.to_owned() } else { plain(number) });
        let refused = refusal(&text);
        assert_says(
            &refused,
            &["column \"gain\"", "float32", &format!("add `missing` usual,{word} `impute` median")],
        );
        let missing = Some(vec!["usual".to_owned(), word.to_owned()]);
        let options = ReadOptions { missing, ..ReadOptions::default() };
        let fit = FitOptions { impute: Some(Impute::Median), ..FitOptions::default() };
        let (data, _) = learn(csv_with(&text, &NEW, &options).unwrap(), fit, &Limits::default()).unwrap();
        assert!(data.features().iter().all(|value| value.is_finite()), "{word}");
    }
}

#[test]
fn blanks_that_are_no_ascii_belong_to_no_text() {
    let row = |row: usize| {
        let blank = ["", "\u{a0}", "\u{3000}"][row % 3];
        let kind = ["oak", "elm"][row % 2];
        format!("{row}.5{blank},{blank}red{blank},{kind}{blank}\n")
    };
    let text = format!("len,colour\u{a0},kind\n{}", (0..24).map(row).collect::<String>());
    let (data, record) = learned(text);
    assert_eq!(record.class_names, ["elm", "oak"]);
    assert_eq!(record.feature_names, ["len", "colour=red"]);
    assert_eq!(data.sample(1), [1.5, 1.0]);
}

#[test]
fn tables_of_another_kind_are_refused_with_a_way_out() {
    let sparse: String = (0..30).map(|row| format!("{} 1:0.{row} 3:1.5\n", row % 2)).collect();
    assert_says(&refusal(sparse), &["LIBSVM", "load_svmlight_file", "toarray"]);
    for delimiter in ['~', '^', ':'] {
        let text = trees(plain).replace(',', &delimiter.to_string());
        assert_says(&refusal(text), &["each line is one field", &format!("`delimiter` '{delimiter}'")]);
    }
    // Rows named by R, which gives their column no name.
    let (header, rows) = ("len,gain,kind", trees(plain));
    let named = rows.lines().skip(1).enumerate().map(|(row, line)| format!("\"{row}\",{line}\n"));
    let text = format!("{header}\n{}", named.collect::<String>());
    assert_says(&refusal(text), &["line 2: 4 fields, expected 3", "row.names = FALSE"]);
    let rows =
        trees(plain).replace(",oak\n", ",oak,\n").replace(",elm\n", ",elm,\n").replace(",fir\n", ",fir,\n");
    assert_says(&refusal(rows), &["line 2: 4 fields, expected 3", "rows that end with the delimiter"]);
    let broken = trees(plain).replace(",fir\n", ",fir, old\n");
    assert_says(&refusal(broken), &["line 4: 4 fields", "must be in quotes"]);
}
