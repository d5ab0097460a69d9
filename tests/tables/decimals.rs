//! The character before decimals, and the delimiter, where texts hold commas, too.

use tanner::dataset::table::{ColumnRef, Columns, LabelNeed, Limits};

use super::{NEW, csv, learned};

/// A new table with a label, by default the last column.
fn new(label: Option<&ColumnRef>) -> Columns<'_> {
    Columns::New { label, labelled: true, drop: &[], weights: None }
}

/// `x` with decimals, a text column of which some cells are numbers with a comma, whole numbers and the label.
fn with_texts(texts: [&str; 3], decimals: usize) -> String {
    let rows = (0..60).map(|row| {
        let x = 1.0 + (row * 7 % 50) as f64 / 10.0 + 0.005;
        format!("{x:.decimals$},\"{}\",{},{}\n", texts[row % 3], row % 10, ["u", "v"][row % 2])
    });
    format!("x,size,z,kind\n{}", rows.collect::<String>())
}

#[test]
fn texts_with_commas_do_not_change_the_numbers() {
    for texts in [["1,5", "2,5", "red"], ["1,2", "1,3", "2,3"], ["red", "1,5", "blue"]] {
        for decimals in [2, 3] {
            let (data, _) = learned(with_texts(texts, decimals));
            let xs: Vec<f32> = data.features().iter().step_by(data.feature_count()).copied().collect();
            assert!(xs.iter().all(|x| (1.0..7.0).contains(x)), "{texts:?}, {decimals} decimals: {xs:?}");
        }
    }
    // Without points, quoted commas are decimals, with points as groups of thousands, too.
    for cells in [["1,5", "2,25", "3,5"], ["1.234,5", "2,25", "3.000,5"]] {
        let rows = (0..30).map(|row| format!("\"{}\",{},{}\n", cells[row % 3], row % 7, ["u", "v"][row % 2]));
        let (data, _) = learned(format!("a,b,kind\n{}", rows.collect::<String>()));
        assert_eq!(data.features()[2], 2.25, "{cells:?}");
        assert_eq!(data.features()[0], if cells[0] == "1,5" { 1.5 } else { 1234.5 });
    }
}

#[test]
fn a_model_reads_numbers_as_its_training_table() {
    let (_, record) = learned(with_texts(["1,5", "2,5", "red"], 2));
    let encoding = record.encoding.as_ref().unwrap();
    let columns = Columns::Of { encoding, label: LabelNeed::Ignored };
    let first = |text: &str| {
        let mut table = csv(text, &columns).unwrap();
        encoding.encode(&mut table, &Limits::default()).unwrap().features[0]
    };
    assert_eq!(first("x,size,z\n4.125,\"1,5\",3\n"), 4.125);
    assert_eq!(first("x,size,z,note\n4.125,red,3,\"1,5\"\n"), 4.125);
    // Another country's file can be read only with commas.
    assert_eq!(first("x;size;z\n4,125;red;3\n"), 4.125);
    assert_eq!(first("x;size;z\n4,5;red;3\n2,125;red;1\n"), 4.5);
}

#[test]
fn a_decimal_comma_does_not_separate_columns() {
    let (two, label) = ("1".parse().unwrap(), "t".parse().unwrap());
    let rows = |form: fn(usize) -> String| (0..40).map(form).collect::<String>();
    let numbers =
        |row: usize, separator: &str| format!("{},{}{separator}{},{}\n", row, row % 9, row % 7, row % 5);
    for (text, label) in [
        (rows(|row| format!("{},{};{},5\n", row, row % 9, row % 3)), Some(&two)),
        (rows(|row| format!("{},{}\t{},5\n", row, row % 9, row % 3)), Some(&two)),
        (rows(|row| format!("{},{}\t{}\n", row, row % 9, ["u", "v"][row % 2])), None),
        (format!("x;t\n{}", (0..40).map(|row| numbers(row, ";")).collect::<String>()), Some(&label)),
        (format!("x\tt\n{}", (0..40).map(|row| numbers(row, "\t")).collect::<String>()), Some(&label)),
    ] {
        let table = csv(&text, &new(label)).unwrap_or_else(|error| panic!("{text:.30}: {error}"));
        assert_eq!((table.width(), table.rows()), (1, 40), "{text:.30}");
        assert_eq!(table.text_columns(), 0, "{text:.30}");
    }
}

#[test]
fn rows_without_values_and_texts_that_begin_like_comments() {
    let (data, _) = learned("a,b,kind\n1,2,u\n3,4,v\n1,2,u\n3,5,v\n,,\n , ,\n");
    assert_eq!(data.features().len(), 8);
    let table = csv("#1,2.5,u\n#2,3.5,v\n#1,2.5,u\n#3,3.5,v\n", &NEW).unwrap();
    assert_eq!(table.rows(), 4);
    let table = csv("# a comment, of two parts\n1,2.5,u\n2,3.5,v\n", &NEW).unwrap();
    assert_eq!(table.rows(), 2);
}
