//! The label column, skipped columns, and classes.

use tanner::dataset::table::{ColumnRef, Columns, FitOptions, Limits};
use tanner::dataset::{Dataset, learn};

use crate::{assert_says, csv, learned, refusal, refusal_of};

const TREES: &str = "Height,class,leaf width,age\n1,oak,2,10\n3,ash,4,20\n5,oak,6,10\n7,ash,8,20\n";

fn column(text: &str) -> ColumnRef {
    text.parse().unwrap()
}

fn by_label(label: &str, drop: &[&str]) -> Result<(Dataset, Vec<String>), String> {
    let (label, drop) = (column(label), drop.iter().map(|text| column(text)).collect::<Vec<_>>());
    let columns = Columns::New { label: Some(&label), labelled: true, drop: &drop, weights: None };
    let learned =
        csv(TREES, &columns).and_then(|table| learn(table, FitOptions::default(), &Limits::default()));
    let (data, record) = learned.map_err(|error| error.to_string())?;
    Ok((data, [record.feature_names, record.class_names].concat()))
}

#[test]
fn the_label_is_found_by_its_usual_names_else_it_is_the_last_column() {
    assert_eq!(learned(TREES).1.class_names, ["ash", "oak"]);
    assert_eq!(learned(TREES.replace("class", "Y")).1.class_names, ["ash", "oak"]);
    assert_eq!(learned(TREES.replace("class", "kind")).1.class_names, ["10", "20"]);
}

#[test]
fn columns_are_named_or_counted_from_either_end() {
    for label in ["age", "3", "-1"] {
        let (data, names) = by_label(label, &["class"]).unwrap();
        assert_eq!(names, ["Height", "leaf width", "10", "20"], "{label}");
        assert_eq!((data.labels(), data.sample(1)), (&[0, 1, 0, 1][..], &[3.0, 4.0][..]));
    }
    assert_eq!(by_label("class", &["-1", "0"]).unwrap().1, ["leaf width", "ash", "oak"]);
}

#[test]
fn columns_that_are_not_there_get_a_suggestion() {
    for (label, drop, parts) in [
        ("clas", vec![], &["`label`: no column is called \"clas\"; did you mean \"class\"?"][..]),
        ("height", vec![], &["did you mean \"Height\"?"]),
        ("xyz", vec![], &["there are \"Height\", \"class\", \"leaf width\", \"age\""]),
        ("4", vec![], &["`label`: no column 4, the 4 columns are 0 to 3 or -4 to -1"]),
        ("-5", vec![], &["no column -5"]),
        ("age", vec!["hight"], &["`drop`: no column", "did you mean \"Height\"?"]),
        ("age", vec!["age"], &["`drop`: column \"age\" is the label"]),
        ("age", vec!["0", "1", "2"], &["no column is left for features"]),
    ] {
        assert_says(&by_label(label, &drop).unwrap_err(), parts);
    }
    let label = column("tree");
    let columns = Columns::New { label: Some(&label), labelled: true, drop: &[], weights: None };
    assert_says(&refusal_of("1,2\n3,4\n", &columns), &["the table has no header", "-1 the last"]);
}

#[test]
fn classes_are_sorted_by_value_where_all_are_numbers() {
    let (data, record) = learned("x,y\n1,10\n2,9\n3,-1\n4,10.0\n5,9.0\n6,-1\n");
    assert_eq!(record.class_names, ["-1", "9", "10"]);
    assert_eq!(data.labels(), [2, 1, 0, 2, 1, 0]);
    assert_eq!(learned("x,y\n1,10\n2,9\n3,b\n4,10\n5,9\n6,b\n").1.class_names, ["10", "9", "b"]);
}

#[test]
fn labels_that_are_not_classes_are_refused() {
    assert_says(&refusal("x,y\n1,a\n2,a\n"), &["label column \"y\" has only one class, \"a\""]);
    let mut names = String::from("x,name\n");
    (0..100).for_each(|row| names += &format!("{row},person {row}\n"));
    assert_says(
        &refusal(&names),
        &["column \"name\" was taken for the label", "it has 100 different values"],
    );
    let named = names.replace("name", "class");
    assert_says(
        &refusal(&named),
        &["label column \"class\" has 100 different values in 100 rows", "`label`"],
    );
    let mut many = String::from("x,price\n");
    (0..20_000).for_each(|row| many += &format!("{row},{}.5\n", row % 5000));
    assert_says(&refusal(&many), &["it holds fractions such as \"0.5\"", "`label`", "\"x\", \"price\""]);
    let usual = many.replace("price", "target");
    assert_says(
        &refusal(&usual),
        &["column \"target\" was taken", "because of its name", "a quantity", "`label`"],
    );
    let whole = usual.replace(".5", "");
    assert_says(&refusal(&whole), &["more than 4096 different values", "is it a quantity"]);
}

/// 60 rows with the cells of each; the header comes first.
fn table(header: &str, row: impl Fn(usize) -> String) -> String {
    (0..60).fold(format!("{header}\n"), |text, number| text + &row(number) + "\n")
}

#[test]
fn a_guessed_label_that_is_probably_a_feature_is_refused_with_the_names_of_all_columns() {
    let class = |row: usize| ["oak", "elm", "fir"][row % 3];
    let all = "name it with `label`; the columns are ";
    let fractions = table("kind,size", |row| format!("{},{}.5", class(row), row % 4));
    let first = "perhaps `label` kind";
    assert_says(
        &refusal(&fractions),
        &["\"size\"", "fractions such as \"0.5\"", all, "\"kind\", \"size\"", first],
    );
    let whole = table("the kind,size", |row| format!("{},{}", class(row), row % 7));
    assert_says(
        &refusal(&whole),
        &["may be a feature with 7 different numbers", "perhaps `label` 'the kind'"],
    );
    let bare = whole.split_once('\n').unwrap().1;
    assert_says(
        &refusal(bare),
        &["column 1 was taken", "there are 2 columns, 0 is the first", "perhaps `label` 0"],
    );
    // A few classes that are numbers, or many numbers behind numbers, may well be the label.
    for fine in [
        table("kind,size", |row| format!("{},{}", class(row), row % 3)),
        table("age,size", |row| format!("{},{}", row, row % 7)),
        table("age,kind", |row| format!("{},{}", row, class(row))),
    ] {
        learned(fine);
    }
    let text =
        "a,kind\n".to_owned() + &(0..600).map(|row| format!("{row},k{}\n", row % 51)).collect::<String>();
    assert_says(&refusal(&text), &["it has 51 different values", all]);
    let label = column("kind");
    let named = Columns::New { label: Some(&label), labelled: true, drop: &[], weights: None };
    assert!(
        csv(&text, &named).and_then(|table| learn(table, FitOptions::default(), &Limits::default())).is_ok()
    );
}

#[test]
fn nobody_is_told_to_remove_rows_because_of_a_guess() {
    let gap =
        table("size,kind", |row| format!("{row},{}", if row == 7 { "" } else { ["oak", "elm"][row % 2] }));
    let message = refusal(&gap);
    let parts = [
        "column \"kind\" was taken for the label",
        "line 9 has no value there",
        "`label`",
        "\"size\", \"kind\"",
    ];
    assert_says(&message, &parts);
    assert!(!message.contains("remove"), "{message}");
    let usual = gap.replace("kind", "class");
    assert_says(&refusal(&usual), &["line 9: the label is missing in column \"class\": remove such rows"]);
}
