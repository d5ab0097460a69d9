//! Targets that are not quite numbers, rows that do not count, and models of numbers in commands that are mostly used for classes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{folder_with_data, refused, tanner};

const QUICK: &str = "--epochs 2 --backend cpu --threads 2";

/// Writes 120 rows of two features and a label.
fn write(folder: &Path, name: &str, label: impl Fn(usize, f64) -> String) {
    let mut text = String::from("a,b,y\n");
    for row in 0..120 {
        let (a, b) = ((row * 7 % 31) as f64 / 10.0, (row * 11 % 23) as f64 / 10.0);
        writeln!(text, "{a},{b},{}", label(row, 3.0 * a - b + row as f64 / 1000.0)).unwrap();
    }
    fs::write(folder.join(name), text).unwrap();
}

fn run(folder: &Path, line: &str) -> String {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome.stdout
}

#[test]
fn targets_that_are_almost_numbers_are_refused_with_what_to_correct() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for odd in ["inf", "oops"] {
        write(path, "odd.csv", |row, y| if row == 16 { odd.to_owned() } else { y.to_string() });
        let parts = [&*format!("row 17 has {odd:?}: correct or remove it to predict the column as a number")];
        refused(path, &format!("odd.csv --label y {QUICK}"), 1, &parts);
        let parts = [&*format!("row 17, column \"y\": label {odd:?} is not a number")];
        refused(path, &format!("odd.csv --label y --task regression {QUICK}"), 1, &parts);
    }
    write(path, "units.csv", |_, y| format!("{y} kg"));
    let parts =
        ["numbers with units, such as \"0 kg\": write plain numbers to predict the column as a number"];
    refused(path, &format!("units.csv --label y {QUICK}"), 1, &parts);
    refused(path, &format!("units.csv --label y --task regression {QUICK}"), 1, &["write it without a unit"]);
    // Names are no numbers.
    write(path, "names.csv", |row, _| format!("name {row}"));
    refused(path, &format!("names.csv --label y {QUICK}"), 1, &["a class needs at least 2 rows"]);
}

#[test]
fn a_row_of_weight_0_needs_no_label() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let label =
        |row: usize, y: f64| if row.is_multiple_of(10) { "" } else { ["low", "high"][usize::from(y > 2.0)] };
    write(path, "some.csv", |row, y| format!("{},{}", label(row, y), u8::from(!row.is_multiple_of(10))));
    let text = fs::read_to_string(path.join("some.csv")).unwrap().replacen("a,b,y", "a,b,y,w", 1);
    fs::write(path.join("some.csv"), &text).unwrap();
    run(path, &format!("some.csv --label y --weights w {QUICK} --out run"));
    let scored = run(path, "eval --model run --data some.csv --json");
    let scored: Value = serde_json::from_str(&scored).unwrap();
    // A fifth of the 108 rows that count was held out.
    assert_eq!(scored["samples"], 22, "{scored}");
    fs::write(path.join("all.csv"), text.replace(",,0", ",,1")).unwrap();
    refused(path, "eval --model run --data all.csv", 1, &["line 2: the label is missing in column \"y\""]);
}

#[test]
fn what_needs_classes_is_refused_with_a_model_of_numbers() {
    let folder = folder_with_data();
    let path = folder.path();
    let mut text = (0..16).map(|pixel| format!("p{pixel},")).collect::<String>() + "y\n";
    for row in 0..60_u32 {
        let pixels: Vec<u32> = (0..16).map(|pixel| (row * 7 + pixel * pixel * 5) % 11).collect();
        pixels.iter().for_each(|pixel| write!(text, "{pixel},").unwrap());
        writeln!(text, "{}", f64::from(pixels[3] + 2 * pixels[8]) / 7.0).unwrap();
    }
    fs::write(path.join("pictures.csv"), text).unwrap();
    run(path, &format!("pictures.csv --label y --task regression --picture 4x4 {QUICK} --out run"));
    refused(path, "predict --model run pictures.csv --proba", 1, &["--proba: the model predicts numbers"]);
    refused(path, "eval --model run --data data", 1, &["has classes, but the model is one of regression"]);
    let scored = run(path, "eval --model run --data pictures.csv --average shift=1 --json");
    let scored: Value = serde_json::from_str(&scored).unwrap();
    let (views, score) = (&scored["averaged"]["views"], scored["averaged"]["score"].as_f64().unwrap());
    assert!(*views == 5 && score.is_finite() && scored["rmse"] != scored["averaged"]["score"], "{scored}");
    write(path, "table.csv", |_, y| y.to_string());
    run(path, &format!("table.csv --label y {QUICK} --out table"));
    refused(path, "eval --model table --data data", 1, &["the model was trained on a table"]);
    // Layers of fewer neurons have fewer blocks.
    run(path, "prune --model table --data table.csv --blocks 4 --target 90% --backend cpu --out pruned");
}

#[test]
fn scores_far_from_1_are_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "numbers.csv", |_, y| y.to_string());
    run(path, &format!("numbers.csv --label y {QUICK} --out run"));
    // Rows whose labels are nearly equal explain nothing.
    write(path, "flat.csv", |row, _| format!("{}", 5.0 + row as f64 * 1e-6));
    let table = run(path, "eval --model run --data flat.csv");
    let r2 = table.trim_end().rsplit('\t').next().unwrap();
    assert!(r2.starts_with('-') && r2.contains('e') && r2.len() < 12, "{table}");
}

#[test]
fn robust_losses_learn_beside_an_outlier_and_a_squared_one_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "clean.csv", |_, y| format!("{}", 1500.0 * y + 7000.0));
    write(
        path,
        "outlier.csv",
        |row, y| {
            if row == 3 { "7e7".to_owned() } else { format!("{}", 1500.0 * y + 7000.0) }
        },
    );
    let scored = |loss: &str| {
        let flags = format!(
            "--label y --test clean.csv --loss {loss} --epochs 40 --lr 0.01 --backend cpu --threads 2"
        );
        let trained = tanner(path, &format!("outlier.csv {flags} --out {loss}"));
        assert_eq!(trained.code, Some(0), "{trained:?}");
        let text = run(path, &format!("eval --model {loss} --data clean.csv --json"));
        let scores: Value = serde_json::from_str(&text).unwrap();
        (scores["r2"].as_f64().unwrap(), trained.stderr)
    };
    for loss in ["huber", "absolute"] {
        let (r2, said) = scored(loss);
        assert!(r2 > 0.9 && !said.contains("nothing learned"), "{loss}: {r2} {said}");
    }
    let (r2, said) = scored("squared");
    assert!(r2 < 0.0, "{r2}");
    assert!(said.contains("nothing learned: always answering the mean of the test samples has"), "{said}");
}

#[test]
fn a_rare_label_does_not_keep_the_others_from_being_learned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let flags = |row: usize, y: f64| [u8::from(y > 2.0), u8::from([7, 80].contains(&row)), 0];
    let text = |row: usize, y: f64| flags(row, y).map(|flag| flag.to_string()).join(",");
    write(path, "flags.csv", text);
    let table = fs::read_to_string(path.join("flags.csv")).unwrap().replacen("a,b,y", "a,b,big,rare,none", 1);
    fs::write(path.join("flags.csv"), table).unwrap();
    for seed in 0..4 {
        let line = format!("flags.csv --label big,rare --seed {seed} {QUICK} --out rare-{seed}");
        let trained = tanner(path, &line);
        assert!(trained.code == Some(0) && !trained.stderr.contains("the same in all"), "{trained:?}");
    }
    let trained = tanner(path, &format!("flags.csv --label big,rare,none {QUICK} --out none"));
    let warning = "label \"none\" is the same in all 96 training samples";
    assert!(trained.code == Some(0) && trained.stderr.contains(warning), "{trained:?}");
    run(path, &format!("flags.csv --label big,rare,none --folds 5 {QUICK} --out folds"));
    run(path, "eval --model none --data flags.csv --json");
    fs::write(path.join("same.csv"), "a,u,v\n".to_owned() + &"1,0,1\n".repeat(30)).unwrap();
    let parts = ["2 label columns, such as \"u\", have only one value in the training rows"];
    refused(path, &format!("same.csv --label u,v {QUICK}"), 1, &parts);
}

#[test]
fn a_target_that_only_the_split_makes_constant_is_refused_with_that_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "two.csv", |row, y| format!("{y},{}", if row == 5 { 1.5 } else { 0.5 }));
    let table = fs::read_to_string(path.join("two.csv")).unwrap().replacen("a,b,y", "a,b,y,z", 1);
    fs::write(path.join("two.csv"), table).unwrap();
    let said: Vec<String> = (0..30)
        .map(|seed| {
            tanner(path, &format!("two.csv --label y,z --seed {seed} --epochs 1 --backend cpu -q")).stderr
        })
        .filter(|said| said.contains("only one value"))
        .collect();
    assert!(
        said[0].contains("the rows with other values were drawn for the test; take another --seed"),
        "{said:?}"
    );
}

#[test]
fn what_only_rows_of_weight_0_hold_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let with_weights = |weight: &dyn Fn(usize) -> String| {
        let mut text = "a,c,w,y\n".to_owned();
        for row in 0..120 {
            let a = (row * 7 % 31) as f64 / 10.0;
            let kind = if row < 80 { format!("u{row}") } else { ["p", "q"][row % 2].to_owned() };
            writeln!(text, "{a},{kind},{},{}", weight(row), ["lo", "hi"][usize::from(a > 1.5)]).unwrap();
        }
        fs::write(path.join("odd.csv"), text).unwrap();
    };
    with_weights(&|row| u8::from(row >= 80).to_string());
    let trained = tanner(path, &format!("odd.csv --label y --weights w {QUICK} --out run"));
    assert_eq!(trained.code, Some(0), "{trained:?}");
    assert!(trained.stderr.contains("1 number, 1 text of 2 categories"), "{trained:?}");
    assert!(!trained.stderr.contains("different texts"), "{trained:?}");
    run(path, "eval --model run --data odd.csv");
    with_weights(&|row| ["1e-30", "1e30"][usize::from(row == 3)].to_owned());
    let parts =
        ["weights in column \"w\" differ by more than float32 can hold: 1e-30 in row 1 beside 1e30 in row 4"];
    refused(path, &format!("odd.csv --label y --weights w --drop c {QUICK}"), 1, &parts);
}
