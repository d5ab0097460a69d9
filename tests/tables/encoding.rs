//! Encodings fitted on training rows, and their use on other tables.

use tanner::dataset::table::{Columns, FitOptions, Impute, LabelNeed, Limits, TableEncoding, Unseen};
use tanner::dataset::{DataRecord, Holdout, learn, learn_and_split};

use crate::{NEW, assert_says, csv, learned};

const PETS: &str = "kind,weight,name\ncat,4,Kim\ndog,20,Bo\ncat,5,Bo\nhen,2,Kim\ndog,30,Kim\nhen,3,Bo\n";

/// Features, labels, and unseen texts.
type Samples = (Vec<f32>, Vec<u32>, Vec<Unseen>);

fn again(record: &DataRecord, text: &str) -> Result<Samples, String> {
    let encoding = record.encoding.as_ref().unwrap();
    let columns = Columns::Of { encoding, label: LabelNeed::Required };
    let read = csv(text, &columns).and_then(|table| record.samples(table, &Limits::default()));
    let encoded = read.map_err(|error| error.to_string())?;
    Ok((encoded.samples.features().to_vec(), encoded.samples.labels().to_vec(), encoded.unseen))
}

#[test]
fn texts_become_one_feature_for_each_category() {
    let (data, record) = learned(PETS);
    assert_eq!(record.feature_names, ["kind=cat", "kind=dog", "kind=hen", "weight"]);
    assert_eq!(data.sample(0), [1.0, 0.0, 0.0, 4.0]);
    assert_eq!(data.sample(3), [0.0, 0.0, 1.0, 2.0]);
}

#[test]
fn another_table_is_matched_by_name_whatever_the_order() {
    let (data, record) = learned(PETS);
    let (features, labels, unseen) =
        again(&record, "age,name,weight,kind\n9,Bo,4,cat\n9,Kim,2,hen\n").unwrap();
    assert_eq!(features, [data.sample(0), data.sample(3)].concat());
    assert_eq!((labels, unseen), (vec![0, 1], vec![]));
    for (text, parts) in [
        ("kind,wieght,name\ncat,4,Kim\n", &["column \"weight\"", "did you mean \"wieght\"?"][..]),
        ("kind,weight\ncat,4\n", &["the label column \"name\" is missing"]),
        (
            "kind,weight,name\ncat,4,Max\n",
            &["row 1: label \"Max\" is not a class of the training data", "Bo, Kim"],
        ),
        ("kind,weight,name\ncat,heavy,Bo\n", &["line 2, column \"weight\": \"heavy\" is not a number, as"]),
        ("kind,weight,name\ncat,,Bo\n", &["line 2, column \"weight\": the value is missing"]),
    ] {
        assert_says(&again(&record, text).unwrap_err(), parts);
    }
}

#[test]
fn an_unknown_text_has_no_category_and_is_reported_once() {
    let (_, record) = learned(PETS);
    let (features, _, unseen) = again(&record, "kind,weight,name\nfox,1,Bo\nowl,2,Bo\ncat,3,Bo\n").unwrap();
    assert_eq!(features, [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 2.0, 1.0, 0.0, 0.0, 3.0]);
    let strings = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let kind = |rows, texts: &[&str], is_all| Unseen {
        first: Some("line 2".into()),
        column: "kind".into(),
        rows,
        texts: strings(texts),
        known: strings(&["cat", "dog", "hen"]),
        is_all,
    };
    assert_eq!(unseen, [kind(2, &["fox", "owl"], false)]);
    // Nothing is known of this column in any row.
    let (.., unseen) =
        again(&record, "kind,weight,name\nfox,1,Bo\nfox,2,Bo\nyak,2,Bo\ngnu,2,Bo\nant,2,Bo\n").unwrap();
    assert_eq!(unseen, [kind(5, &["fox", "yak", "gnu"], true)]);
}

#[test]
fn without_names_columns_keep_their_places_and_the_label_may_be_gone() {
    let (data, record) = learned("cat,4,0,1\ndog,20,1,2\ncat,5,1,1\ndog,2,0,2\n");
    assert_eq!(data.feature_count(), 2 + 2);
    let encoding = record.encoding.as_ref().unwrap();
    let columns = Columns::Of { encoding, label: LabelNeed::IfThere };
    // The label was the last column.
    let mut table = csv("dog,7,1\n", &columns).unwrap();
    assert!(table.labels().is_none());
    assert_eq!(encoding.encode(&mut table, &Limits::default()).unwrap().features, [0.0, 1.0, 7.0, 1.0]);
    let message = csv("dog,7\n", &columns).unwrap_err().to_string();
    assert_says(&message, &["2 columns, the training data had 4, or 3 without the label"]);
}

fn fit(text: &str, held_out: &[bool], impute: Impute) -> TableEncoding {
    let options = FitOptions { impute: Some(impute), ..FitOptions::default() };
    TableEncoding::fit(&csv(text, &NEW).unwrap(), Some(held_out), options).unwrap()
}

#[test]
fn fills_come_from_the_training_rows() {
    let text = "a,b,label\n1,,x\n2,5,y\n9,6,x\nNA,7,y\n1000,1000,x\n";
    let held_out = [false, false, false, false, true];
    let fills =
        |impute| fit(text, &held_out, impute).columns.iter().map(|c| c.fill.unwrap()).collect::<Vec<_>>();
    assert_eq!(fills(Impute::Mean), [4.0, 6.0]);
    assert_eq!(fills(Impute::Median), [2.0, 6.0]);
    assert_eq!(fills(Impute::Zero), [0.0, 0.0]);
    // The median of an even number is between two values.
    let even = "a,label\n1,x\n4,y\n?,x\n8,x\n2,y\n";
    assert_eq!(fit(even, &[false; 5], Impute::Median).columns[0].fill, Some(3.0));
}

#[test]
fn missing_values_are_filled_and_missing_texts_are_of_no_category() {
    let text = "a,kind,label\n1,cat,x\n,dog,y\n3,null,x\n8,dog,y\n";
    let options = FitOptions { impute: Some(Impute::Mean), ..FitOptions::default() };
    let (data, record) = learn(csv(text, &NEW).unwrap(), options, &Limits::default()).unwrap();
    assert_eq!(data.features(), [1.0, 1.0, 0.0, 4.0, 0.0, 1.0, 3.0, 0.0, 0.0, 8.0, 0.0, 1.0]);
    let (features, ..) = again(&record, "a,kind,label\nn/a,?,x\n").unwrap();
    assert_eq!(features, [4.0, 0.0, 0.0]);
    let empty = "a,b,label\n,1,x\n,2,y\n,3,x\n,4,y\n";
    let message = learn(csv(empty, &NEW).unwrap(), options, &Limits::default()).unwrap_err().to_string();
    assert_says(&message, &["column \"a\" has no value in any training row"]);
}

#[test]
fn categories_are_those_of_the_training_rows() {
    let table = csv(PETS, &NEW).unwrap();
    let held_out = [false, true, false, false, true, false];
    let encoding = TableEncoding::fit(&table, Some(&held_out), FitOptions::default()).unwrap();
    assert_eq!(encoding.feature_names(), ["kind=cat", "kind=hen", "weight"]);
    let few = FitOptions { max_categories: 2, ..FitOptions::default() };
    let message = TableEncoding::fit(&table, None, few).unwrap_err().to_string();
    assert_says(
        &message,
        &["column \"kind\" holds texts, such as \"cat\"", "3 different ones, the limit is 2"],
    );
    assert_eq!(TableEncoding::fit(&table, Some(&held_out), few).unwrap(), encoding);
}

#[test]
fn a_table_is_split_by_class_and_seed_and_fitted_without_its_test_rows() {
    let mut text = String::from("x,label\n");
    (0..100).for_each(|row| text += &format!("{row},{}\n", ["a", "b", "b", "c"][row % 4]));
    let split = |seed| {
        let table = csv(&text, &NEW).unwrap();
        learn_and_split(table, (Holdout::Share(0.2), seed), FitOptions::default(), &Limits::default())
            .unwrap()
    };
    let (parts, record) = split(3);
    let counts =
        |labels: &[u32]| [0, 1, 2].map(|class| labels.iter().filter(|label| **label == class).count());
    let (train, test) = (&parts.samples.train, &parts.samples.test);
    assert_eq!((counts(train.labels()), counts(test.labels())), ([20, 40, 20], [5, 10, 5]));
    let mut all = [train.features(), test.features()].concat();
    all.sort_by(f32::total_cmp);
    assert!(all.iter().enumerate().all(|(row, value)| *value == row as f32));
    assert_eq!(record.test.unwrap().of, 100);
    // The same again from the record, and other rows from another seed.
    let encoding = record.encoding.as_ref().unwrap();
    let known = csv(&text, &Columns::Of { encoding, label: LabelNeed::Required }).unwrap();
    let again = record.splits(known, record.test.unwrap(), &Limits::default()).unwrap();
    assert_eq!(again.samples, parts.samples);
    assert_ne!(split(4).0.samples, parts.samples);
    assert_eq!(split(3).0.samples, parts.samples);
}

#[test]
fn ten_rows_are_enough() {
    let mut text = String::from("x,label\n");
    (0..10).for_each(|row| text += &format!("{row},{}\n", row % 2));
    let table = csv(&text, &NEW).unwrap();
    let options = FitOptions::default();
    let (parts, _) = learn_and_split(table, (Holdout::Share(0.2), 0), options, &Limits::default()).unwrap();
    assert_eq!((parts.samples.train.samples(), parts.samples.test.samples()), (8, 2));
}
