//! Cross-validation, and what nobody may know of the rows that are tested.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tanner::model::TrainedModel;
use tempfile::TempDir;

use crate::support::{Outcome, refused, tanner};

const NET: &str = "--label kind --impute mean --hidden 8 --importance variance --standardize on --arch fc --epochs 4 \
                   --batch-size 8 --backend cpu --threads 1";

/// 61 rows in 3 classes, with a text column and missing numbers; one category occurs once.
fn table() -> String {
    table_of(61)
}

fn table_of(rows: u32) -> String {
    let mut text = "size,colour,kind\n".to_owned();
    for row in 0..rows {
        let class = row % 3;
        let size = if row % 7 == 5 { String::new() } else { (class * 4 + row * 13 % 5).to_string() };
        let colour = if row == 17 { "violet" } else { ["red", "green", "blue"][(row % 4 % 3) as usize] };
        text += &format!("{size},{colour},{}\n", ["rose", "daisy", "tulip"][class as usize]);
    }
    text
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("table.csv"), table()).unwrap();
    folder
}

fn run(folder: &Path, line: &str) -> Outcome {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome
}

fn model(folder: &Path, name: &str) -> TrainedModel {
    TrainedModel::load(folder.join(name).join("model.safetensors")).unwrap()
}

/// The lines of predictions.csv, split at commas, without the header.
fn predictions(folder: &Path, out: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(folder.join(out).join("predictions.csv")).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(lines.next().unwrap()[..5], ["row", "fold", "label", "predicted", "probability daisy"]);
    lines.collect()
}

#[test]
fn every_row_is_tested_once_and_the_numbers_agree() {
    let folder = folder();
    let folder = folder.path();
    let outcome = run(folder, &format!("table.csv {NET} --folds 4 --seed 3 --out out"));
    let last = outcome.stdout.lines().last().unwrap();
    assert!(last.starts_with("4 folds: accuracy ") && last.contains(" ± "), "{outcome:?}");
    let report: Value = serde_json::from_slice(&fs::read(folder.join("out/folds.json")).unwrap()).unwrap();
    assert_eq!((&report["folds"], &report["rows"], &report["seed"]), (&4.into(), &61.into(), &3.into()));
    let lines = predictions(folder, "out");
    let rows: Vec<usize> = lines.iter().map(|line| line[0].parse().unwrap()).collect();
    assert_eq!(rows, (1..=61).collect::<Vec<_>>());
    let table = table();
    let labels: Vec<&str> = table.lines().skip(1).map(|line| line.rsplit(',').next().unwrap()).collect();
    let mut accuracies = Vec::new();
    for fold in 0..4 {
        let own: Vec<&Vec<String>> = lines.iter().filter(|line| line[1] == fold.to_string()).collect();
        let right = own.iter().filter(|line| line[2] == line[3]).count();
        let accuracy = right as f64 / own.len() as f64;
        let run = &report["runs"][fold];
        assert_eq!(run["scores"]["accuracy"], accuracy);
        assert_eq!((&run["rows"], &run["train_samples"]), (&own.len().into(), &(61 - own.len()).into()));
        // The run scored the same rows after its last epoch.
        let summary = fs::read(folder.join(format!("out/fold-{fold}/summary.json"))).unwrap();
        let summary: Value = serde_json::from_slice(&summary).unwrap();
        assert_eq!(summary["score"], accuracy);
        accuracies.push(accuracy);
    }
    assert!(lines.iter().all(|line| line[2] == labels[line[0].parse::<usize>().unwrap() - 1]));
    let mean = accuracies.iter().sum::<f64>() / 4.0;
    assert!((report["measures"][0]["over_folds"]["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    let right = lines.iter().filter(|line| line[2] == line[3]).count();
    assert_eq!(report["pooled"]["correct"], right);
    // Eval finds the rows of a fold by itself.
    let eval = run(folder, "eval --model out/fold-2 --data table.csv --json -q");
    let eval: Value = serde_json::from_str(&eval.stdout).unwrap();
    assert_eq!(eval["accuracy"], accuracies[2]);
}

/// Whatever the test rows contain, except their labels, the model of their fold is the same.
#[test]
fn nothing_is_fitted_on_the_rows_of_a_fold() {
    let folder = folder();
    let folder = folder.path();
    for preset in
        [NET.to_owned(), format!("{NET} --importance rf --trees 10"), format!("{NET} --importance pca")]
    {
        let _ = fs::remove_dir_all(folder.join("out"));
        let _ = fs::remove_dir_all(folder.join("other"));
        run(folder, &format!("table.csv {preset} --folds 3 --out out"));
        let tested: Vec<usize> = predictions(folder, "out")
            .iter()
            .filter(|line| line[1] == "0")
            .map(|line| line[0].parse().unwrap())
            .collect();
        assert!(tested.len() == 21, "{tested:?}");
        let mut lines: Vec<String> = table().lines().map(str::to_owned).collect();
        for row in &tested {
            let kind = lines[*row].rsplit(',').next().unwrap().to_owned();
            lines[*row] = format!("{},alien,{kind}", 1000 * row);
        }
        fs::write(folder.join("other.csv"), lines.join("\n")).unwrap();
        run(folder, &format!("other.csv {preset} --folds 3 --out other"));
        let (one, other) = (model(folder, "out/fold-0"), model(folder, "other/fold-0"));
        assert_eq!(one.parameters(), other.parameters());
        assert_eq!(one.preprocessing(), other.preprocessing());
        // The range of the file is recorded, too, but no feature depends on it.
        let fitted = |model: &TrainedModel| {
            let columns = model.data().encoding.clone().unwrap().columns.into_iter();
            columns.map(|column| (column.categories, column.fill, column.offset)).collect::<Vec<_>>()
        };
        assert_eq!(fitted(&one), fitted(&other));
        // The rows of fold 0 train the others.
        assert_ne!(model(folder, "out/fold-1").parameters(), model(folder, "other/fold-1").parameters());
    }
}

/// The recipe that is chosen for the data is that of a run on the same rows, also when the folds are found again.
#[test]
fn folds_have_the_recipe_of_a_run_without_flags() {
    let folder = folder();
    let folder = folder.path();
    // Enough rows for numbers in pieces.
    fs::write(folder.join("table.csv"), table_of(661)).unwrap();
    let line =
        "table.csv --label kind --impute mean --epochs 2 --backend cpu --threads 1 --folds 3 --out out";
    run(folder, line);
    run(
        folder,
        "table.csv --label kind --impute mean --epochs 2 --backend cpu --threads 1 --test fold-1-of-3 --out run",
    );
    let (fold, run_alone) = (model(folder, "out/fold-1"), model(folder, "run"));
    assert!(fold.network().widths()[0] > fold.preprocessing().input_features(), "no pieces");
    assert_eq!(fold.parameters(), run_alone.parameters());
    assert_eq!(run(folder, line).stderr.matches("(finished before)").count(), 3);
}

/// Weights decide what a run computes, as features and labels do.
#[test]
fn folds_with_other_weights_are_refused() {
    let folder = folder();
    let folder = folder.path();
    let weighed = |weight: fn(usize) -> usize| {
        let lines = table();
        let lines = lines.lines().enumerate().map(|(row, line)| match row {
            0 => format!("{line},w\n"),
            _ => format!("{line},{}\n", weight(row)),
        });
        fs::write(folder.join("table.csv"), lines.collect::<String>()).unwrap();
    };
    let line = format!("table.csv {NET} --weights w --folds 2 --out out");
    weighed(|row| 1 + row % 2);
    run(folder, &line);
    weighed(|row| 1 + row % 3);
    let refused = tanner(folder, &line);
    assert!(refused.code == Some(1) && refused.stderr.contains("different data_sha256"), "{refused:?}");
}

#[test]
fn finished_folds_are_not_repeated_and_the_result_is_the_same() {
    let folder = folder();
    let folder = folder.path();
    let line = format!("table.csv {NET} --folds 3 --out out");
    let first = run(folder, &line);
    let read = |file: &str| fs::read(folder.join(file)).unwrap();
    let (report, predictions) = (read("out/folds.json"), read("out/predictions.csv"));
    let kept = fs::metadata(folder.join("out/fold-0/model.safetensors")).unwrap().modified().unwrap();
    fs::remove_dir_all(folder.join("out/fold-1")).unwrap();
    fs::remove_file(folder.join("out/predictions.csv")).unwrap();
    let again = run(folder, &line);
    assert_eq!(again.stderr.matches("(finished before)").count(), 2, "{again:?}");
    assert_eq!((read("out/folds.json"), read("out/predictions.csv")), (report, predictions));
    assert_eq!(first.stdout, again.stdout);
    assert_eq!(fs::metadata(folder.join("out/fold-0/model.safetensors")).unwrap().modified().unwrap(), kept);
    for (flags, part) in
        [("--folds 3 --lr 0.5", "different recipe"), ("--folds 4", "finished run with a different")]
    {
        let refused = tanner(folder, &format!("table.csv {NET} {flags} --out out -q"));
        assert!(refused.code == Some(1) && refused.stderr.contains(part), "{flags}: {refused:?}");
    }
}

#[test]
fn folds_that_cannot_be_are_refused_and_small_classes_reported() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("test.csv"), table()).unwrap();
    for (flags, part) in [
        ("--folds 1", "--folds: 1 is invalid, it must be at least 2"),
        ("--folds 62", "--folds: 62 is invalid, table.csv has 61 rows"),
        ("--folds 3 --test 0.2", "--test: cannot be used with --folds"),
        ("--folds 3 --test test.csv", "--test: cannot be used with --folds"),
    ] {
        refused(folder, &format!("table.csv {NET} {flags} --out out -q"), 1, &[part]);
    }
    fs::create_dir(folder.join("pictures")).unwrap();
    refused(folder, "pictures --folds 3 -q", 1, &["--folds: pictures has its own test set"]);
    refused(folder, "--resume x --folds 3", 2, &["--folds cannot be used with --resume"]);
    let text: String = "a,kind\n".to_owned()
        + &(0..30).map(|row| format!("{row},{}\n", if row < 27 { "x" } else { "y" })).collect::<String>();
    fs::write(folder.join("rare.csv"), text).unwrap();
    let outcome = run(folder, "rare.csv --hidden 4 --arch fc --epochs 1 --backend cpu --folds 5 --out rare");
    assert!(outcome.stderr.contains("class \"y\" has 3 rows for 5 folds"), "{outcome:?}");
    // Their AUC is missing in two folds, and the mean is over the others.
    let report: Value = serde_json::from_slice(&fs::read(folder.join("rare/folds.json")).unwrap()).unwrap();
    let auc = report["measures"].as_array().unwrap().iter().find(|measure| measure["name"] == "roc_auc");
    assert_eq!(auc.unwrap()["over_folds"]["count"], 3);
}

/// With held-out training rows to stop by, the tested rows are still those of the fold.
#[test]
fn validation_rows_are_taken_from_the_training_rows() {
    let folder = folder();
    let folder = folder.path();
    run(folder, &format!("table.csv {NET} --folds 3 --validation 0.25 --patience 2 --out out"));
    assert_eq!(predictions(folder, "out").len(), 61);
    let summary: Value =
        serde_json::from_slice(&fs::read(folder.join("out/fold-0/summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["scored_on"], &summary["train_samples"]), (&"validation".into(), &30.into()));
}
