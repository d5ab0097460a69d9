//! All problems of a table in one message, with the settings that mend them.

use tanner::dataset::learn;
use tanner::dataset::table::{ColumnRef, Columns, FitOptions, Impute, Limits, ReadOptions};

use crate::{NEW, assert_says, csv_with, learned, refusal};

/// A passenger list: names, tickets and cabins differ, ages and cabins and ports are missing.
fn passengers() -> String {
    let mut text = String::from("Id,Survived,Name,Age,Ticket,Fare,\"Cabin, deck\",Port\n");
    for row in 0..200 {
        let age = if row % 5 == 0 { String::new() } else { (row % 70).to_string() };
        let ticket = if row % 3 == 0 { format!("A/5 {row}") } else { (1000 + row * 7).to_string() };
        let cabin = if row % 2 == 0 { String::new() } else { format!("C{row}") };
        let port = if row == 60 { "" } else { ["S", "C", "Q"][row % 3] };
        text += &format!("{row},{},\"Doe, {row}\",{age},{ticket},{}.5,{cabin},{port}\n", row % 2, row % 90);
    }
    text
}

#[test]
fn one_message_tells_all_and_its_settings_mend_all() {
    let message = refusal(passengers());
    assert_says(&message, &["\"Port\"", "\"Name\"", "\"Cabin, deck\"", "\"Ticket\"", "\"Age\"", "line 62"]);
    assert_says(&message, &["add `label` NAME `drop` 'Name,\"Cabin, deck\",Ticket' `impute` median"]);
    // As typed: the list is split at its commas.
    let drop: Vec<ColumnRef> =
        ["Name", "\"Cabin", " deck\"", "Ticket"].iter().map(|text| text.parse().unwrap()).collect();
    let label: ColumnRef = "Survived".parse().unwrap();
    let columns = Columns::New { label: Some(&label), labelled: true, drop: &drop, weights: None };
    let table = csv_with(passengers(), &columns, &ReadOptions::default()).unwrap();
    let fit = FitOptions { impute: Some(Impute::Median), ..FitOptions::default() };
    let (data, record) = learn(table, fit, &Limits::default()).unwrap();
    assert_eq!((data.samples(), data.feature_count()), (200, 6));
    assert_eq!(record.feature_names, ["Id", "Age", "Fare", "Port=C", "Port=Q", "Port=S"]);
}

#[test]
fn one_bad_cell_is_named_and_the_advice_loads_the_table() {
    let mut text = String::from("a,b,label\n");
    (0..100).for_each(|row| text += &format!("{},{}.5,{}\n", row * 7, row % 9, row % 2));
    let text = text.replacen("49,", "abc,", 1);
    let message = refusal(&text);
    assert_says(
        &message,
        &[
            "line 9, column \"a\": \"abc\" among numbers",
            "correct it",
            "`missing` usual,abc `impute` median",
            "`drop` a",
        ],
    );
    assert!(!message.contains("max-categories"), "{message}");
    let missing = Some(vec!["usual".to_owned(), "abc".to_owned()]);
    let table = csv_with(&text, &NEW, &ReadOptions { missing, ..ReadOptions::default() }).unwrap();
    let fit = FitOptions { impute: Some(Impute::Zero), ..FitOptions::default() };
    assert_eq!(learn(table, fit, &Limits::default()).unwrap().0.sample(7), [0.0, 7.5]);
}

#[test]
fn a_bad_cell_far_down_is_named_and_changes_no_kind() {
    // 3,000 rows of numbers hide the text from the check of the beginning.
    let mut text = String::from("a,b,label\n");
    (0..3000).for_each(|row| text += &format!("{},{row},{}\n", row % 3, row % 2));
    text += "two,7,0\n0,seven,1\n";
    assert_says(
        &refusal(&text),
        &[
            "line 3002, column \"a\": \"two\" among numbers",
            "line 3003, column \"b\": \"seven\"",
            "`missing` usual,two,seven",
        ],
    );
    // Codes that are repeated are categories, wherever they begin.
    (0..40).for_each(|row| text += &format!("two,{row},{}\n", row % 2));
    let (data, record) = learned(text.replace("seven", "8"));
    assert_eq!(record.feature_names, ["a=0", "a=1", "a=2", "a=two", "b"]);
    assert_eq!(data.sample(3000), [0.0, 0.0, 0.0, 1.0, 7.0]);
}

#[test]
fn codes_of_numbers_and_texts_are_categories() {
    // The dependents of a loan: 0, 1, 2 and 3+.
    let mut text = String::from("dependents,label\n");
    (0..200).for_each(|row| {
        text +=
            &format!("{},{}\n", if row % 13 == 0 { "3+".to_owned() } else { (row % 3).to_string() }, row % 2);
    });
    assert_eq!(
        learned(text).1.feature_names,
        ["dependents=0", "dependents=1", "dependents=2", "dependents=3+"]
    );
}

#[test]
fn names_are_advised_so_that_a_shell_takes_them() {
    let rows: String =
        (0..150).map(|row| format!("N{},{row}.5,{}\n", row * 7919 % 100_003, row % 3)).collect();
    for (name, typed) in [
        ("Full Name", "`drop` 'Full Name'"),
        ("it's", "`drop` 'it'\\''s'"),
        ("\"a, b\"", "`drop` '\"a, b\"'"),
        ("plain", "`drop` plain if"),
    ] {
        assert_says(&refusal(format!("{name},len,label\n{rows}")), &[typed]);
    }
    let drop: Vec<ColumnRef> = ["Full", " Name"].iter().map(|text| text.parse().unwrap()).collect();
    let columns = Columns::New { label: None, labelled: true, drop: &drop, weights: None };
    let message =
        csv_with(format!("\"Full, Name\",len,label\n{rows}"), &columns, &ReadOptions::default()).unwrap_err();
    assert_says(&message.to_string(), &["`drop` '\"Full, Name\"'"]);
}
