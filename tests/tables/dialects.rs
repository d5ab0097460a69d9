//! Delimiters, decimals, headers, comments, missing values and units as people's files have them.

use std::fmt::Write as _;

use tanner::dataset::table::{
    Columns, Decimal, FitOptions, Header, Impute, LabelNeed, Limits, ReadOptions, Source, Table,
};
use tanner::dataset::{DataRecord, Dataset, learn};

use crate::{NEW, assert_says, csv, csv_with, learned, refusal};

/// Three measures of 60 trees; in each column some have several decimals.
fn measures(row: usize) -> [f32; 3] {
    let value = |factor: usize, shift: f32| ((row * factor % 41) as f32 - shift) / 16.0;
    [value(7, 20.0), value(11, 13.0), value(5, 30.0)]
}

const KINDS: [&str; 3] = ["oak", "elm", "fir"];

/// The rows with `format` for a number, and a delimiter.
fn rows(delimiter: &str, format: impl Fn(f32) -> String) -> String {
    let row = |row: usize| {
        let fields = measures(row).map(&format);
        fields.join(delimiter) + delimiter + KINDS[row % 3] + "\n"
    };
    (0..60).map(row).collect()
}

fn plain(number: f32) -> String {
    number.to_string()
}

fn with_comma(number: f32) -> String {
    number.to_string().replace('.', ",")
}

fn assert_measures((data, record): &(Dataset, DataRecord), what: &str) {
    let expected: Vec<f32> = (0..60).flat_map(measures).collect();
    assert_eq!(data.features(), expected, "{what}");
    assert_eq!(record.class_names, ["elm", "fir", "oak"], "{what}");
    assert!((0..60).all(|row| record.class_names[data.labels()[row] as usize] == KINDS[row % 3]), "{what}");
}

/// The names of the columns of features; none without a header.
fn names(record: &DataRecord) -> Vec<&str> {
    record.feature_names.iter().map(String::as_str).collect()
}

#[test]
fn the_delimiter_is_that_with_which_more_columns_are_numbers() {
    for delimiter in [",", ";", "\t", "|", "   ", " ", " \t ", " | ", ", "] {
        let (plain, spaced) = (rows(delimiter, plain), rows(delimiter, |number| format!("  {number} ")));
        assert_measures(&learned(&plain), delimiter);
        assert_measures(&learned(&spaced), delimiter);
        let header = ["len", "wid", "hgt", "kind"].join(delimiter);
        let (data, record) = learned(format!("{header}\n{plain}"));
        assert_eq!(names(&record), ["len", "wid", "hgt"], "{delimiter:?}");
        assert_measures(&(data, record), delimiter);
    }
    for delimiter in [";", "\t", "|", "  "] {
        let text = rows(delimiter, with_comma);
        assert_measures(&learned(&text), delimiter);
        assert_measures(&learned(format!("{}\n{text}", ["a", "b", "c", "kind"].join(delimiter))), delimiter);
    }
    let quoted = rows(",", |number| format!("\"{}\"", with_comma(number)));
    assert_measures(&learned(quoted), "quoted decimals with commas");
    // One column of numbers, beside texts and beside whole numbers.
    let (data, _) = learned("0,5;oak\n1,25;elm\n0,75;oak\n2,5;elm\n");
    assert_eq!(data.features(), [0.5, 1.25, 0.75, 2.5]);
    let (data, _) = learned("0,0;-0,0;0,5;0\n1,5;-1,0;1,5;1\n3,0;-1,5;-0,5;0\n-0,5;-0,5;0,0;1\n");
    assert_eq!(data.features()[..6], [0.0, 0.0, 0.5, 1.5, -1.0, 1.5]);
}

#[test]
fn thousands_are_read_where_they_cannot_be_decimals() {
    let text = "price,kind\n\"1,234.5\",oak\n\"12,345\",elm\n999,oak\n\"1,000,000\",elm\n";
    assert_eq!(learned(text).0.features(), [1234.5, 12345.0, 999.0, 1e6]);
    let text = "price;kind\n1.234,5;oak\n12.345;elm\n999;oak\n1.000.000;elm\n";
    assert_eq!(learned(text).0.features(), [1234.5, 12345.0, 999.0, 1e6]);
    let text = "price;kind\n1 234,5;oak\n12 345;elm\n999;oak\n1\u{a0}000\u{a0}000;elm\n";
    assert_eq!(learned(text).0.features(), [1234.5, 12345.0, 999.0, 1e6]);
    // A comma is that of decimals in a European file, and a point always that of decimals.
    assert_eq!(
        learned("a;kind\n1,234;oak\n2,345;elm\n3,1;oak\n1;elm\n").0.features(),
        [1.234, 2.345, 3.1, 1.0]
    );
    assert_eq!(
        learned("a;kind\n1.234;oak\n2.345;elm\n3;oak\n1;elm\n").0.features(),
        [1.234, 2.345, 3.0, 1.0]
    );
    let point = ReadOptions { decimal: Decimal::Point, ..ReadOptions::default() };
    let table = csv_with("a;kind\n1,234;oak\n2,345;elm\n3;oak\n1;elm\n", &NEW, &point).unwrap();
    let (data, _) = learn(table, FitOptions::default(), &Limits::default()).unwrap();
    assert_eq!(data.features(), [1234.0, 2345.0, 3.0, 1.0]);
}

#[test]
fn excel_names_its_delimiter_and_comments_precede_a_table() {
    let text = format!("a,b,c,kind\n{}", rows(",", plain));
    for above in [
        "sep=,\n",
        "\u{feff}sep=,\r\n",
        "# a file\n",
        "# x, y, z\n#\n",
        "# width, height, depth, kind\n",
        "\u{feff}# a\n",
    ] {
        let (data, record) = learned(format!("{above}{text}"));
        assert_eq!(names(&record), ["a", "b", "c"], "{above:?}");
        assert_measures(&(data, record), above);
        // Lines are counted from the beginning of the file.
        let spoilt = format!("{above}{text}1,2\n");
        assert_says(&refusal(&spoilt), &[&format!("line {}: 2 fields, expected 4", spoilt.lines().count())]);
    }
    assert_measures(&learned(format!("sep=;\n{}", rows(";", with_comma))), "sep=;");
    // numpy.savetxt writes its header as a comment.
    let (data, record) = learned(format!("# len wid hgt kind\n{}", rows(" ", plain)));
    assert_eq!(names(&record), ["len", "wid", "hgt"]);
    assert_measures(&(data, record), "numpy");
    let (_, record) = learned("#,Name,Legendary\n1,a,yes\n2,b,no\n3,a,no\n4,b,yes\n");
    assert_eq!(names(&record), ["#", "Name=a", "Name=b"]);
    assert_says(&refusal(format!("{text}# the end\n")), &["line 62: 1 fields", "comment"]);
}

#[test]
fn a_delimiter_behind_each_line_is_no_column() {
    for text in [
        rows(",", plain).replace('\n', ",\n"),
        format!("a,b,c,kind,\n{}", rows(",", plain).replace('\n', ",\n")),
        format!("a,b,c,kind,,\n{}", rows(",", plain).replace('\n', ",,\n")),
    ] {
        assert_measures(&learned(&text), &text[..20]);
        // Beyond the rows that are examined first.
        let line = text.lines().last().unwrap();
        let spoilt = text.clone() + &format!("{line}\n").repeat(1500) + line + "7\n";
        let number = spoilt.lines().count();
        let said = format!("line {number}: \"7\" in a column that has no name and is empty above");
        assert_says(&refusal(spoilt), &[&said]);
    }
}

#[test]
fn numbers_may_name_columns() {
    for header in ["0,1,2,3", "1,2,3,4", "2018,2019,2020,kind", "0,1,2,label"] {
        let (data, record) = learned(format!("{header}\n{}", rows(",", plain)));
        assert_eq!(names(&record), header.split(',').take(3).collect::<Vec<_>>(), "{header}");
        assert_measures(&(data, record), header);
    }
    let indexed: String =
        rows(",", plain).lines().enumerate().fold(String::new(), |mut text, (row, line)| {
            writeln!(text, "{row},{line}").unwrap();
            text
        });
    assert_eq!(names(&learned(format!(",0,1,2,3\n{indexed}")).1), ["column 0", "0", "1", "2"]);
    // Small whole numbers above others are data.
    let whole: String =
        (0..40).map(|row| format!("{},{},{},{}\n", row % 7, row * 3 % 5, row % 4, row % 2)).collect();
    assert_eq!(csv(&whole, &NEW).unwrap().rows(), 40);
    assert_eq!(csv(format!("3,1,2,0\n{whole}"), &NEW).unwrap().rows(), 41);
}

#[test]
fn a_first_row_with_a_missing_value_is_no_header() {
    for first in ["0.063,-,0.32,oak", "0.5,NA,1,elm", "?,?,1.5,fir", "0.5,abc,1,elm"] {
        let table = csv(format!("{first}\n{}", rows(",", plain)), &NEW).unwrap();
        assert_eq!((table.rows(), table.is_named()), (61, false), "{first}");
    }
}

#[test]
fn a_table_of_texts_has_a_header_where_the_first_row_is_written_otherwise() {
    let codes: String = (0..40)
        .map(|row| {
            format!("{},{},{}\n", ["a", "b", "c"][row % 3], ["b", "c"][row % 2], ["elm", "fir"][row % 2])
        })
        .collect();
    assert_eq!(csv(format!("p,q,rare\n{codes}"), &NEW).unwrap().rows(), 41);
    assert_eq!(csv(format!("cap,smell,kind\n{codes}"), &NEW).unwrap().rows(), 40);
    assert_eq!(csv(&codes, &NEW).unwrap().rows(), 40);
}

#[test]
fn a_header_alone_is_told_from_a_row_alone() {
    assert_says(
        &refusal("len,wid,hgt,kind\n"),
        &["a header, but no rows", "len, wid, hgt, kind", "`header` no"],
    );
    assert_says(&refusal("1,2,oak\n"), &["only one class"]);
}

fn with_options(
    text: &str,
    missing: Option<&[&str]>,
    impute: Option<Impute>,
) -> tanner::Result<(Dataset, DataRecord)> {
    let missing = missing.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
    let table = csv_with(text, &NEW, &ReadOptions { missing, ..ReadOptions::default() })?;
    learn(table, FitOptions { impute, ..FitOptions::default() }, &Limits::default())
}

#[test]
fn usual_words_among_numbers_are_missing_values() {
    for word in [
        "None", "none", "#N/A", "N.A.", "NaT", "<NA>", "\\N", "-", "--", ".", "missing", "Unknown",
        "#DIV/0!", "nan",
    ] {
        let text = format!("a,b,c,kind\n{}", rows(",", plain).replacen(&plain(measures(7)[1]), word, 1));
        assert!(text.contains(word), "{word}");
        let message = with_options(&text, None, None).unwrap_err().to_string();
        assert_says(&message, &["the value is missing", "`impute`"]);
        assert!(!message.contains("max-categories"), "{message}");
        let (data, record) = with_options(&text, None, Some(Impute::Zero)).unwrap();
        assert_eq!((data.feature_count(), data.samples()), (3, 60), "{word}");
        assert!(record.encoding.unwrap().columns.iter().all(|column| column.categories.is_none()));
    }
    // Beside texts they are texts.
    let (_, record) = learned("smoker,label\nnone,0\nheavy,1\nnone,0\nunknown,1\n-,0\n");
    assert_eq!(names(&record), ["smoker=-", "smoker=heavy", "smoker=none", "smoker=unknown"]);
    assert_eq!(names(&learned("a,label\nunknown,0\nnone,1\nunknown,0\nnone,1\n").1), ["a=none", "a=unknown"]);
}

#[test]
fn the_words_for_missing_values_can_be_listed() {
    let text = "a,region,label\n1,EU,NA\n-999,NA,EU\n3,AS,NA\n4,NA,EU\n";
    assert_says(&with_options(text, None, None).unwrap_err().to_string(), &["`missing` ''"]);
    let (data, record) = with_options(text, Some(&[]), None).unwrap();
    assert_eq!(record.class_names, ["EU", "NA"]);
    assert_eq!(names(&record), ["a", "region=AS", "region=EU", "region=NA"]);
    assert_eq!(data.sample(1), [-999.0, 0.0, 0.0, 1.0]);
    let (data, record) = with_options(text, Some(&["-999"]), Some(Impute::Zero)).unwrap();
    assert_eq!(data.sample(1), [0.0, 0.0, 0.0, 1.0]);
    // A model keeps them.
    let encoding = record.encoding.as_ref().unwrap();
    let columns = Columns::Of { encoding, label: LabelNeed::Ignored };
    let mut table = csv("a,region\n-999,NA\n5,EU\n", &columns).unwrap();
    let features = encoding.encode(&mut table, &Limits::default()).unwrap().features;
    assert_eq!(features, [0.0, 0.0, 0.0, 1.0, 5.0, 0.0, 1.0, 0.0]);
    let words =
        with_options("a,label\n1,x\nNA,y\ngone,x\n4,y\n", Some(&["usual", "gone"]), Some(Impute::Zero));
    assert_eq!(words.unwrap().0.features(), [1.0, 0.0, 0.0, 4.0]);
    assert_says(
        &with_options("a,label\n1,x\nNA,y\n3,x\n4,y\n2,x\n5,x\n6,x\n7,x\n8,y\n9,y\n0,y\n", Some(&[]), None)
            .unwrap_err()
            .to_string(),
        &["line 3", "\"NA\" among numbers"],
    );
}

/// Numbers with a unit, and the features of the table with the last one replaced.
fn with_unit(format: impl Fn(usize) -> String) -> String {
    let row = |row: usize| format!("{};{}\n", format(row), KINDS[row % 3]);
    "size;kind\n".to_owned() + &(0..60).map(row).collect::<String>()
}

#[test]
fn a_unit_of_all_numbers_is_removed_in_training_and_later() {
    let expected: Vec<f32> = (0..60).map(|row| (row * 7 % 41) as f32).collect();
    for (before, behind) in
        [("", "%"), ("", " %"), ("", " cm"), ("", "kg"), ("$", ""), ("€ ", ""), ("", " €"), ("EUR ", "")]
    {
        let text = with_unit(|row| format!("{before}{}{behind}", row * 7 % 41));
        let (data, record) = learned(&text);
        assert_eq!(data.features(), expected, "{before}{behind}");
        let encoding = record.encoding.as_ref().unwrap();
        let columns = Columns::Of { encoding, label: LabelNeed::Ignored };
        let mut table = csv(format!("size\n{before}7{behind}\n{before}100{behind}\n"), &columns).unwrap();
        assert_eq!(encoding.encode(&mut table, &Limits::default()).unwrap().features, [7.0, 100.0]);
        for other in ["7", "7 mm", "£7"] {
            let message = csv(format!("size\n{other}\n"), &columns).unwrap_err().to_string();
            assert_says(&message, &["line 2, column \"size\"", "is not a number with"]);
        }
    }
    let (data, _) = learned(with_unit(|row| format!("${},{:03}.50", row % 9 + 1, row * 37 % 1000)));
    assert_eq!(data.features()[1], 2037.5);
    let (data, _) =
        learned(with_unit(|row| format!("{} year{}", row % 3 + 1, if row % 3 == 0 { "" } else { "s" })));
    assert_eq!(data.features()[..4], [1.0, 2.0, 3.0, 1.0]);
}

#[test]
fn several_units_of_a_column_are_refused_by_name() {
    for (format, parts) in [
        (
            &(|row: usize| format!("{} {}", row * 7 % 41, ["cm", "mm"][row % 2])) as &dyn Fn(usize) -> String,
            ["\"0 cm\"", "\"7 mm\""],
        ),
        (&|row| format!("{}{}", row * 7 % 41, ["%", ""][row % 2]), ["\"0%\"", "without a unit"]),
        (&|row| format!("{}{}", ["$", "€"][row % 2], row * 7 % 41), ["\"$0\"", "\"€7\""]),
    ] {
        assert_says(
            &refusal(with_unit(format)),
            &["column \"size\" holds numbers with several units", parts[0], parts[1], "`drop` size"],
        );
    }
    // Ordinals and codes are categories.
    let (_, record) = learned(with_unit(|row| ["1st", "2nd", "3rd"][row % 3].to_owned()));
    assert_eq!(names(&record), ["size=1st", "size=2nd", "size=3rd"]);
    let (_, record) = learned(with_unit(|row| format!("N{}", row % 4)));
    assert_eq!(names(&record), ["size=N0", "size=N1", "size=N2", "size=N3"]);
    let odd = with_unit(|row| if row == 5 { "7".into() } else { format!("{} cm", row * 7 % 41) });
    assert_says(&refusal(odd), &["line 7, column \"size\": \"7\" among numbers"]);
}

#[test]
fn a_stray_quote_is_refused_with_its_line() {
    let text = format!("a,b,c,kind\n{}", rows(",", plain));
    let lines: Vec<&str> = text.lines().collect();
    let quoted = |marks: &[(usize, &str, &str)]| {
        let mut lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        for (line, from, to) in marks {
            lines[line - 1] = lines[line - 1].replacen(from, to, 1);
        }
        lines.join("\n") + "\n"
    };
    for (marks, said) in [
        (
            &[(11, "oak", "\"oak"), (14, "oak", "\"oak")][..],
            "line 11: the quote that opens here closes on line 14",
        ),
        (
            &[(11, "oak", "\"oak"), (14, "oak", "oak\"")],
            "line 11: the quote that opens here closes on line 14",
        ),
        (
            &[(11, "oak", "\"oak"), (12, "elm", "elm\"")],
            "line 11: the quote that opens here closes on line 12",
        ),
        (&[(11, ",oak", ",\"oak")], "line 11: the quote that opens here is not closed"),
        (&[(1, "b", "\"b")], "line 1: the quote that opens here is not closed"),
    ] {
        assert_says(&refusal(quoted(marks)), &[said]);
    }
    // A quote within a text is part of it.
    let (data, _) = learned("a,kind\n1,5\" pipe\n2,3\" pipe\n3,5\" pipe\n4,3\" pipe\n");
    assert_eq!(data.samples(), 4);
    // Blanks before a quoted text do not belong to it.
    let (_, record) =
        learned("a, \"b, c\", kind\n1, \"x, y\", oak\n2, \"z\", elm\n3, \"x, y\", oak\n4, \"z\", elm\n");
    assert_eq!(names(&record), ["a", "b, c=x, y", "b, c=z"]);
}

#[test]
fn later_tables_may_be_written_otherwise() {
    let (data, record) = learned(format!("a;b;c;kind\n{}", rows(";", with_comma)));
    let encoding = record.encoding.as_ref().unwrap();
    let columns = Columns::Of { encoding, label: LabelNeed::Ignored };
    for text in [
        format!("a;b;c;kind\n{}", rows(";", with_comma)),
        format!("a,b,c,kind\n{}", rows(",", plain)),
        format!("a\tb\tc\tkind\n{}", rows("\t", plain)),
        format!(
            "sep=|\nkind|c|b|a\n{}",
            (0..60)
                .map(|row| {
                    let [a, b, c] = measures(row).map(with_comma);
                    format!("x|{c}|{b}|{a}\n")
                })
                .collect::<String>()
        ),
    ] {
        let mut table = csv(&text, &columns).unwrap();
        assert_eq!(
            encoding.encode(&mut table, &Limits::default()).unwrap().features,
            data.features(),
            "{}",
            &text[..12]
        );
    }
}

#[test]
fn an_explicit_delimiter_and_header_win() {
    let options =
        |delimiter, header| ReadOptions { delimiter: Some(delimiter), header, ..ReadOptions::default() };
    let text = "1;5,2;7\n3;4,9;8\n1;5,2;7\n3;4,9;8\n";
    let table = csv_with(text, &NEW, &options(b',', Header::No)).unwrap();
    assert_eq!((table.rows(), table.width()), (4, 1));
    let source = Source::from_bytes("t.data", b"a b\n1  0\n 2 1\n3 0\n4\t1\n".to_vec());
    let table = Table::read(source, tanner::dataset::table::Format::Csv, &NEW, &options(b' ', Header::Auto))
        .unwrap()
        .table;
    assert_eq!((table.rows(), table.width(), table.is_named()), (4, 1, true));
}
