//! Labels keep their spelling, booleans have one.

use tanner::dataset::table::{
    Columns, FitOptions, Format, LabelNeed, Limits, ReadOptions, Source, Table, read_labels,
};
use tanner::dataset::{DataRecord, learn};

use crate::arrays::npy;
use crate::{assert_says, csv, learned};

/// The names of the classes of a text file with these labels, each in two rows.
fn classes(labels: &[&str]) -> Vec<String> {
    learned(rows(labels)).1.class_names
}

fn rows(labels: &[&str]) -> String {
    let row = |(k, label): (usize, &&str)| format!("{k},{label}\n");
    let twice = [labels, labels].concat();
    "x,label\n".to_owned() + &twice.iter().enumerate().map(row).collect::<String>()
}

/// The classes of other labels for a model with these classes.
fn classes_again(record: &DataRecord, labels: &[&str]) -> Result<Vec<u32>, String> {
    let columns = Columns::Of { encoding: record.encoding.as_ref().unwrap(), label: LabelNeed::Required };
    let samples = record.samples(csv(rows(labels), &columns).unwrap(), &Limits::default());
    samples
        .map(|samples| samples.samples.labels()[..labels.len()].to_vec())
        .map_err(|error| error.to_string())
}

#[test]
fn labels_that_are_spelled_apart_are_classes_of_their_own() {
    for labels in [
        &["01", "1", "2"][..],
        &["001", "002"],
        &["1e2", "100"],
        &["+1", "1", "-1"],
        &["12345678901234561", "12345678901234563", "12345678901234567"],
        &["0x10", "16"],
        &["1.50", "2.5"],
        &["NaN1", "inf"],
    ] {
        let mut expected = labels.to_vec();
        expected.sort_unstable();
        let mut found = classes(labels);
        found.sort_unstable();
        assert_eq!(found, expected);
    }
}

/// Whole numbers become decimals in a column that has or had gaps.
#[test]
fn whole_numbers_are_the_same_labels_with_a_point() {
    for labels in [["1", "2", "10"], ["1.0", "2.0", "10.0"], ["1.00", "2.00", "10.00"], ["1.", "2.", "10."]] {
        assert_eq!(classes(&labels), ["1", "2", "10"]);
    }
    assert_eq!(classes(&["-1.0", "-0.0", "0.5"]), ["-1", "0", "0.5"]);
    let (_, record) = learned(rows(&["1", "2", "10"]));
    assert_eq!(classes_again(&record, &["10.0", "2", "1.0"]), Ok(vec![2, 1, 0]));
    assert_says(&classes_again(&record, &["01"]).unwrap_err(), &["label \"01\" is not a class"]);
    let (_, record) = learned(rows(&["01", "02"]));
    assert_says(&classes_again(&record, &["1"]).unwrap_err(), &["label \"1\" is not a class"]);
}

#[test]
fn long_labels_of_arrays_keep_their_digits() {
    let labels = [12_345_678_901_234_561_i64, 12_345_678_901_234_563, 12_345_678_901_234_567].repeat(2);
    let bytes: Vec<u8> = labels.iter().flat_map(|label| label.to_le_bytes()).collect();
    let read = |bytes| read_labels(Source::from_bytes("y", bytes), &Limits::default()).unwrap();
    let columns = Columns::New { label: None, labelled: false, drop: &[], weights: None };
    let x = Source::from_bytes("x", npy("|u1", "(6, 1)", &[0; 6]));
    let table = Table::read(x, Format::Npy, &columns, &ReadOptions::default()).unwrap().table;
    let table = table.with_labels(read(npy("<i8", "(6,)", &bytes))).unwrap();
    let (data, record) = learn(table, FitOptions::default(), &Limits::default()).unwrap();
    assert_eq!(data.labels(), [0, 1, 2, 0, 1, 2]);
    assert_eq!(record.class_names, labels[..3].iter().map(ToString::to_string).collect::<Vec<_>>());
}

#[test]
fn booleans_have_one_spelling() {
    for labels in [["True", "False"], ["TRUE", "FALSE"], ["true", "false"], ["false", "TRUE"]] {
        assert_eq!(classes(&labels), ["False", "True"]);
    }
    // Not only booleans, or not certainly.
    assert_eq!(classes(&["true", "maybe"]), ["maybe", "true"]);
    assert_eq!(classes(&["t", "f"]), ["f", "t"]);
    let (_, record) = learned(rows(&["True", "False"]));
    assert_eq!(classes_again(&record, &["true", "FALSE", "t", "0", "1.0", "F"]), Ok(vec![1, 0, 1, 0, 1, 0]));
    assert_says(&classes_again(&record, &["yes"]).unwrap_err(), &["label \"yes\""]);
}

#[test]
fn a_column_of_booleans_means_the_same_in_every_spelling() {
    let table = |cells: [&str; 4]| {
        let rows = cells.iter().zip(["a", "b", "a", "b"]).map(|(cell, label)| format!("{cell},{label}\n"));
        "flag,label\n".to_owned() + &rows.collect::<String>()
    };
    let spellings = [
        ["True", "False", "True", "False"],
        ["TRUE", "FALSE", "TRUE", "FALSE"],
        ["true", "false", "true", "false"],
        ["T", "F", "t", "f"],
        ["1", "0", "1", "0"],
        ["1.0", "0.0", "1.0", "0.0"],
        ["true", "FALSE", "1", "F"],
    ];
    // As categories and, from numbers, as one feature.
    for (trained, names) in [
        (spellings[0], &["flag=False", "flag=True"][..]),
        (spellings[1], &["flag=False", "flag=True"]),
        (["true", "FALSE", "True", "false"], &["flag=False", "flag=True"]),
        (["f", "t", "f", "t"], &["flag=f", "flag=t"]),
        (spellings[4], &["flag"]),
    ] {
        let (data, record) = learned(table(trained));
        assert_eq!(record.feature_names, names);
        let columns = Columns::Of { encoding: record.encoding.as_ref().unwrap(), label: LabelNeed::Required };
        let is_turned = trained[0] == "f";
        for cells in spellings {
            let samples = record.samples(csv(table(cells), &columns).unwrap(), &Limits::default()).unwrap();
            assert_eq!(samples.unseen, [], "{trained:?} {cells:?}");
            let same = samples.samples.features() == data.features();
            assert_eq!(same, !is_turned, "{trained:?} {cells:?}");
        }
    }
    // Other numbers are no booleans.
    let (_, record) = learned(table(["1", "0", "2", "0"]));
    let columns = Columns::Of { encoding: record.encoding.as_ref().unwrap(), label: LabelNeed::Required };
    let refused = csv(table(spellings[0]), &columns).unwrap_err().to_string();
    assert_says(&refused, &["\"True\" is not a number"]);
}
