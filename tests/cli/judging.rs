//! Measures of rankings and probabilities, and the importance of columns, from the command line.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Outcome, refused, tanner};

fn run(folder: &Path, line: &str) -> Outcome {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome
}

/// The class follows the size, with errors; the colour says nothing.
fn table(classes: &[&str]) -> String {
    let mut text = "size,colour,kind\n".to_owned();
    for row in 0..120usize {
        let class = if row % 11 == 3 { (row + 1) % classes.len() } else { row % classes.len() };
        let colour = ["red", "green", "blue", "white"][row * 7 % 13 % 4];
        text += &format!("{},{colour},{}\n", row % classes.len() * 3 + row * 5 % 4, classes[class]);
    }
    text
}

const NET: &str =
    "--hidden 8 --arch fc --epochs 15 --batch-size 8 --lr 0.05 --standardize on --backend cpu --threads 1";

#[test]
fn eval_reports_rankings_thresholds_and_the_importance_of_columns() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("table.csv"), table(&["no", "yes"])).unwrap();
    run(folder, &format!("table.csv {NET} --out run"));
    let line = "eval --model run --data table.csv --test table.csv --permutation=3 --backend cpu";
    let eval = run(folder, line);
    assert!(eval.stderr.contains("for class \"yes\""), "{eval:?}");
    for part in ["roc_auc\tpr_auc\tbrier", "threshold\tprecision_percent", "best F1", "accuracy_lost_percent"]
    {
        assert!(eval.stdout.contains(part), "{part}: {eval:?}");
    }
    let json: Value = serde_json::from_str(&run(folder, &format!("{line} --json -q")).stdout).unwrap();
    assert_eq!(
        (&json["positive_class"], json["thresholds"]["at"].as_array().unwrap().len()),
        (&"yes".into(), 9)
    );
    assert!(json["roc_auc"].as_f64().unwrap() > 0.8, "{json}");
    let columns = &json["permutation_importance"]["columns"];
    assert_eq!((&columns[0]["name"], &columns[1]["name"]), (&"size".into(), &"colour".into()));
    assert_eq!((&columns[1]["features"], &columns[0]["accuracy_drop"]["count"]), (&4.into(), &3.into()));
    assert!(columns[0]["accuracy_drop"]["mean"].as_f64().unwrap() > 0.2, "{json}");
    // The same seed repeats the same numbers, another one does not.
    let other: Value =
        serde_json::from_str(&run(folder, &format!("{line} --permutation-seed 5 --json -q")).stdout).unwrap();
    assert_ne!(other["permutation_importance"], json["permutation_importance"]);
    refused(folder, "eval --model run --permutation=0", 1, &["it must be 1 to 10000"]);
    refused(folder, "eval --model run --permutation-seed 3", 2, &["--permutation"]);
    run(folder, "report run --permutation --out page.html");
    let page = fs::read_to_string(folder.join("page.html")).unwrap();
    for part in ["Permutation importance", "run-1-thresholds", "ROC AUC", "Brier score"] {
        assert!(page.contains(part), "{part}");
    }
}

/// A class without rows has no AUC, and the mean says so.
#[test]
fn classes_without_rows_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let all = table(&["a", "b", "c"]);
    fs::write(folder.join("table.csv"), &all).unwrap();
    run(folder, &format!("table.csv {NET} --out run"));
    let without: String =
        all.lines().filter(|line| !line.ends_with(",b")).map(|line| format!("{line}\n")).collect();
    fs::write(folder.join("without.csv"), without).unwrap();
    let line = "eval --model run --data table.csv --test without.csv --backend cpu";
    let eval = run(folder, line);
    assert!(eval.stderr.contains("without \"b\", which has no samples here"), "{eval:?}");
    let json: Value = serde_json::from_str(&run(folder, &format!("{line} --json -q")).stdout).unwrap();
    assert_eq!(
        (&json["classes_without_auc"], &json["per_class"][1]["roc_auc"]),
        (&serde_json::json!([1]), &Value::Null)
    );
    let mean = (json["per_class"][0]["roc_auc"].as_f64().unwrap()
        + json["per_class"][2]["roc_auc"].as_f64().unwrap())
        / 2.0;
    assert!((json["roc_auc"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!(json.get("thresholds").is_none() && json.get("positive_class").is_none());
}
