//! Predicting rows that are given by the names of their columns.

use std::collections::HashMap;
use std::ops::ControlFlow;

use tanner::dataset::table::{Columns, FitOptions, Format, Impute, Limits, ReadOptions, Source, Table};
use tanner::dataset::{DataRecord, Dataset, learn};
use tanner::prelude::*;

const TABLE: &str = "size,colour,kind\n1.5,red,a\n2,blue,b\n,red,a\n4,green,b\n0.5,,a\n3,blue,b\n";

fn read(text: &str, columns: &Columns<'_>) -> Table {
    let source = Source::from_bytes("t.csv", text.as_bytes().to_vec());
    Table::read(source, Format::Csv, columns, &ReadOptions::default()).unwrap().table
}

fn learned(text: &str, impute: Option<Impute>) -> (Dataset, DataRecord) {
    let columns = Columns::New { label: None, labelled: true, drop: &[], weights: None };
    let options = FitOptions { impute, ..FitOptions::default() };
    learn(read(text, &columns), options, &Limits::default()).unwrap()
}

fn predictor(text: &str, impute: Option<Impute>) -> (Predictor, Dataset) {
    let (data, record) = learned(text, impute);
    let run = Classifier::new().hidden([8]).epochs(3).batch_size(2);
    let mut model = run.fit(&data, Some(&data), |_| ControlFlow::Continue(())).unwrap().model;
    model.set_data(record).unwrap();
    (Predictor::new(model, Some(1)).unwrap(), data)
}

fn refusal(predictor: &Predictor, row: &[(&str, &str)]) -> String {
    predictor.predict_rows([row.iter().copied()]).unwrap_err().to_string()
}

#[test]
fn rows_equal_the_table_in_any_order_of_columns() {
    let (predictor, data) = predictor(TABLE, Some(Impute::Mean));
    let expected = predictor.predict(data.features()).unwrap();
    let rows: Vec<HashMap<String, String>> = TABLE
        .lines()
        .skip(1)
        .map(|line| {
            ["size", "colour"].into_iter().map(String::from).zip(line.split(',').map(String::from)).collect()
        })
        .collect();
    assert_eq!(predictor.predict_rows(rows).unwrap(), expected);
    let first = [("colour", " red "), ("size", "1.50")];
    // Alone, as the last bits of a rotation may depend on other samples.
    let alone = predictor.predict(data.sample(0)).unwrap();
    assert_eq!(predictor.predict_rows([first]).unwrap(), alone);
    // An unseen colour belongs to no known one, like a missing one.
    let odd = [[("colour", "pink"), ("size", "7")], [("colour", "?"), ("size", "7")]];
    let odd = predictor.predict_rows(odd).unwrap();
    assert_eq!(odd.of(0), odd.of(1));
}

#[test]
fn errors_are_named() {
    let (predictor, _) = predictor(TABLE, Some(Impute::Mean));
    for (row, parts) in [
        (
            &[("size", "1"), ("color", "red")][..],
            &["row 0", "\"color\" is unknown", "\"size\", \"colour\""][..],
        ),
        (&[("size", "1")], &["row 0", "\"colour\" is missing"]),
        (&[("size", "1"), ("colour", "red"), ("size", "1")], &["\"size\" appears twice"]),
        (&[("size", "big"), ("colour", "red")], &["\"size\": \"big\" is not a number"]),
        (
            &[("size", "1e99"), ("colour", "red")],
            &["\"size\": \"1e99\" is not a number that float32 can hold"],
        ),
        (&[("size", "1"), ("colour", "red"), ("kind", "a")], &["\"kind\" is unknown"]),
    ] {
        let message = refusal(&predictor, row);
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
    let none: [[(&str, &str); 0]; 0] = [];
    assert!(predictor.predict_rows(none).unwrap_err().to_string().contains("no rows"));
}

#[test]
fn missing_values_need_a_fill_and_names_need_a_table() {
    let (whole, _) = predictor("size,kind\n1,a\n2,b\n3,a\n4,b\n", None);
    let message = refusal(&whole, &[("size", "")]);
    assert!(message.contains("\"size\"") && message.contains("the value is missing"), "{message}");

    let data = Dataset::new(vec![0.0, 1.0, 0.2, 0.8], 1, vec![0, 1, 0, 1], 2).unwrap();
    let run = Classifier::new().hidden([4]).epochs(1);
    let model = run.fit(&data, Some(&data), |_| ControlFlow::Continue(())).unwrap().model;
    let nameless = Predictor::new(model, Some(1)).unwrap();
    assert!(refusal(&nameless, &[("size", "1")]).contains("not trained on a table"));
}
