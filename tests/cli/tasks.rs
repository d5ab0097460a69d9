//! Regression, several labels, and weights, from the command line to a model and back.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Outcome, tanner};

/// Flags of a small network, trained on the CPU.
const NET: &str = "--arch fc --hidden 16 --activation tanh --standardize --importance none --epochs 12 --optimizer adam \
                   --lr 0.02 --batch-size 8 --backend cpu --threads 2";

/// Numbers `price` and `size`, labels `red` and `big`, a class `kind`, weights `times`, all of two features and a text.
fn houses(rows: usize) -> String {
    let mut text = String::from("a,b,place,price,size,red,big,kind,times\n");
    for row in 0..rows {
        let (a, b) = ((row * 7 % 31) as f64 / 10.0, (row * 11 % 23) as f64 / 10.0);
        let (place, bonus) = [("town", 40.0), ("sea", 90.0)][row % 2];
        let price = 1000.0 + 100.0 * a - 50.0 * b + bonus;
        let size = 0.001 * (3.0 * b - a);
        let kind = ["hut", "house", "castle"][usize::from(a > 1.0) + usize::from(a > 2.0)];
        text += &format!(
            "{a},{b},{place},{price:.2},{size:.5},{},{},{kind},{}\n",
            u8::from(a > b),
            u8::from(price > 1100.0),
            row % 3
        );
    }
    text
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("houses.csv"), houses(240)).unwrap();
    folder
}

fn run(folder: &Path, line: &str) -> Outcome {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome
}

fn refused(folder: &Path, line: &str, parts: &[&str]) {
    let outcome = tanner(folder, line);
    assert!(matches!(outcome.code, Some(1 | 2)) && outcome.stdout.is_empty(), "{line}: {outcome:?}");
    let error = outcome.stderr.lines().last().unwrap_or_default();
    assert!(error.starts_with("error: ") && !error.contains("panicked"), "{line}: {outcome:?}");
    for part in parts {
        assert!(error.contains(part), "{line}: {error:?} does not say {part:?}");
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn summary(folder: &Path, run: &str) -> Value {
    json(&fs::read_to_string(folder.join(run).join("summary.json")).unwrap())
}

const REST: &str = "--drop red,big,kind,times";

#[test]
fn a_number_is_learned_scored_and_predicted_in_its_units() {
    let folder = folder();
    let folder = folder.path();
    let trained =
        run(folder, &format!("houses.csv --label price --drop size,red,big,kind,times {NET} --out run"));
    assert!(trained.stderr.contains("task: regression of \"price\""), "{trained:?}");
    assert!(trained.stdout.contains("test RMSE "), "{trained:?}");
    let summary = summary(folder, "run");
    let rmse = summary["test_rmse"].as_f64().unwrap();
    // The deviation of the prices is about 100.
    assert!(
        rmse < 30.0 && summary["metric"] == "rmse" && summary.get("test_accuracy").is_none(),
        "{summary}"
    );
    let best = summary["best_score"].as_f64().unwrap();
    assert!(best <= rmse);
    let epochs = fs::read_to_string(folder.join("run/metrics.jsonl")).unwrap();
    let scores: Vec<f64> = epochs.lines().map(|line| json(line)["score"].as_f64().unwrap()).collect();
    assert_eq!(scores.iter().copied().fold(f64::INFINITY, f64::min), best, "lower is better");
    // The same rows, scored again.
    let scored = json(&run(folder, "eval --model run --data houses.csv --json").stdout);
    assert!((scored["rmse"].as_f64().unwrap() - rmse).abs() < 1e-3 * rmse, "{scored}");
    assert!(scored["r2"].as_f64().unwrap() > 0.9 && scored["mae"].as_f64().unwrap() < rmse, "{scored}");
    let predicted = run(folder, "predict --model run houses.csv").stdout;
    let mut lines = predicted.lines();
    assert_eq!(lines.next(), Some("price"));
    let numbers: Vec<f64> = lines.map(|line| line.parse().unwrap()).collect();
    assert!(
        numbers.len() == 240 && numbers.iter().all(|price| (700.0..1600.0).contains(price)),
        "{numbers:?}"
    );
    let one = json(run(folder, "predict --model run houses.csv --json").stdout.lines().next().unwrap());
    assert!((one["predictions"]["price"].as_f64().unwrap() - numbers[0]).abs() < 1e-3);
}

#[test]
fn runs_of_numbers_are_resumed_continued_exported_listed_and_shown() {
    let folder = folder();
    let folder = folder.path();
    let data = format!("houses.csv --label price,size {REST} {NET} --loss huber:0.5");
    run(folder, &format!("{data} --out whole"));
    // The folder must not differ from one whose run was extended.
    run(folder, &format!("{data} --epochs 12 --patience 12 --validation 0.2 --out patient"));
    run(folder, "train --resume patient --epochs 15");
    run(folder, &format!("houses.csv --from whole {} --out more", "--epochs 2 --backend cpu"));
    let config = json(&fs::read_to_string(folder.join("more/config.json")).unwrap());
    assert_eq!(config["recipe"]["loss"], "huber:0.5", "the loss of the model");
    run(folder, "export --model whole --onnx model.onnx");
    run(folder, "export --model whole --csr csr");
    run(folder, "inspect --model whole");
    let listed = run(folder, "runs . --sort score").stdout;
    assert!(listed.contains("RMSE ") && listed.lines().count() == 4, "{listed}");
    run(folder, "report whole more patient --out page.html");
    let page = fs::read_to_string(folder.join("page.html")).unwrap();
    assert!(
        page.contains("test RMSE") && !page.contains("No confusion matrix"),
        "the page says what was scored"
    );
}

#[test]
fn the_target_of_an_error_is_reached_from_above() {
    let folder = folder();
    let folder = folder.path();
    let data = format!("houses.csv --label price --drop size,red,big,kind,times {NET}");
    run(folder, &format!("{data} --target 10000 --out easy"));
    run(folder, &format!("{data} --target 0.000001 --out hard"));
    assert!(summary(folder, "easy")["seconds_to_target"].is_number());
    assert!(summary(folder, "hard")["seconds_to_target"].is_null());
    let classes = format!("houses.csv --label kind --drop price,size,red,big,times {NET} --target 87");
    refused(folder, &classes, &["--target: 87 is not a share"]);
}

#[test]
fn several_labels_are_learned_scored_and_predicted() {
    let folder = folder();
    let folder = folder.path();
    let line = format!("houses.csv --label red,big --drop price,size,kind,times {NET} --epochs 25 --out run");
    let trained = run(folder, &line.replacen("--epochs 12 ", "", 1));
    assert!(trained.stderr.contains("task: multilabel of \"red\", \"big\""), "{trained:?}");
    let share = summary(folder, "run")["test_subset_accuracy"].as_f64().unwrap();
    assert!(share > 0.8, "{share}");
    let scored = json(&run(folder, "eval --model run --data houses.csv --json").stdout);
    assert_eq!(scored["subset_accuracy"].as_f64(), Some(share));
    assert!(scored["macro_auc"].as_f64().unwrap() > 0.95 && scored["micro_f1"].as_f64().unwrap() > 0.9);
    assert_eq!(scored["per_label"][1]["name"], "big");
    let predicted = run(folder, "predict --model run houses.csv").stdout;
    assert!(predicted.starts_with("red,big,probability red,probability big\n"), "{predicted}");
    assert!(predicted.lines().skip(1).all(|line| {
        let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        (0..2).all(|label| (cells[label] == 1.0) == (cells[label + 2] > 0.5))
    }));
}

#[test]
fn the_label_suggests_the_task_and_settings_of_other_tasks_are_refused() {
    let folder = folder();
    let folder = folder.path();
    let with = |flags: &str| {
        format!("houses.csv {flags} {NET} --epochs 1 --out none").replacen("--epochs 12 ", "", 1)
    };
    refused(folder, &with("--label price,kind"), &["\"kind\" holds texts"]);
    refused(
        folder,
        &with("--label kind --task regression"),
        &["row 1, column \"kind\"", "\"hut\"", "regression"],
    );
    refused(folder, &with("--label price,size --task multilabel"), &["row 1, column \"price\"", "0 or 1"]);
    refused(folder, &with("--label price,size --task classification"), &["2 label columns"]);
    refused(folder, &with("--label price,price"), &["named twice"]);
    refused(folder, &with("--label price --label-smoothing 0.1"), &["--label-smoothing", "regression"]);
    refused(folder, &with("--label price --class-weight balanced"), &["--class-weight", "regression"]);
    refused(folder, &with("--label kind --loss huber"), &["--loss", "only with regression"]);
    refused(folder, &with("--label price --loss huber:0"), &["--loss"]);
    refused(folder, &with("--label price --loss cross-entropy"), &["--loss", "squared, absolute or huber"]);
    refused(folder, &with("--label kind --class-weight huts:2"), &["no class is called \"huts\"", "\"hut\""]);
    refused(folder, &with("--label kind --class-weight hut:-1"), &["--class-weight", "above 0"]);
    // Fractions of a guessed label are refused, unless the task is typed.
    fs::write(
        folder.join("houses.csv"),
        houses(240).replace(",kind,times", ",kind,rent").replace(",0\n", ",0.5\n"),
    )
    .unwrap();
    refused(folder, &with("--drop kind,price,size"), &["\"rent\" was taken for the label", "--label"]);
    run(folder, &with("--drop kind,price,size --task regression"));
}

#[test]
fn weights_of_0_leave_rows_out_and_bad_weights_are_refused() {
    let folder = folder();
    let folder = folder.path();
    let text = houses(240);
    let kept: String =
        text.lines().filter(|line| !line.ends_with(",0")).map(|line| format!("{line}\n")).collect();
    fs::write(folder.join("kept.csv"), kept).unwrap();
    let flags = format!("--label price --drop size,red,big,kind --weights times --rf --trees 5 {NET}");
    let flags = flags.replacen("--importance none ", "", 1);
    for (data, out) in [("houses.csv", "all"), ("kept.csv", "kept")] {
        run(folder, &format!("{data} {flags} --out {out}"));
    }
    let model = |run: &str| fs::read(folder.join(run).join("model.safetensors")).unwrap();
    assert_eq!(model("all"), model("kept"), "rows of weight 0 are as if they were not there");
    // The same rows are the test set again.
    let score = |model: &str, data: &str| {
        json(&run(folder, &format!("eval --model {model} --data {data} --json")).stdout)["rmse"].as_f64()
    };
    assert_eq!(score("all", "houses.csv"), score("kept", "kept.csv"));
    let header = "a,b,y,w\n1,2,x,1\n2,1,z,1\n3,2,x,1\n4,1,z,";
    for (weight, parts) in [
        ("-1", &["row 4: the weight \"-1\"", "--weights"][..]),
        ("nan", &["the weight is missing", "--weights"]),
        ("", &["the weight is missing", "--weights"]),
        ("inf", &["row 4: the weight \"inf\""]),
        ("much", &["row 4: the weight \"much\""]),
    ] {
        fs::write(folder.join("bad.csv"), format!("{header}{weight}\n")).unwrap();
        refused(folder, &format!("bad.csv --label y --weights w {NET} --out none"), parts);
    }
    fs::write(folder.join("bad.csv"), header.replace(",1\n", ",0\n") + "0\n").unwrap();
    refused(
        folder,
        &format!("bad.csv --label y --weights w {NET} --out none"),
        &["all weights in column \"w\" are 0"],
    );
    refused(folder, &format!("houses.csv --label price --weights price {NET} --out none"), &["is the label"]);
}

#[test]
fn numbers_whose_differences_float32_loses_are_refused() {
    let folder = folder();
    let folder = folder.path();
    let far = |by: i64| {
        let row = |row: i64| format!("{},{},{}\n", row % 7, row % 11, by + row % 7 + row % 11);
        let text = "a,b,y\n".to_owned() + &(0..60).map(row).collect::<String>();
        fs::write(folder.join("far.csv"), text).unwrap();
    };
    far(1_000_000_000);
    refused(
        folder,
        &format!("far.csv --label y --task regression {NET} --out none"),
        &["label column \"y\" goes from 1000000000 to 1000000015", "steps of 64", "subtract 1000000008"],
    );
    // Whole numbers that float32 holds.
    far(10_000_000);
    run(folder, &format!("far.csv --label y --task regression {NET} --out near"));
}

/// Of one step over all rows at once, and so of every such step, the gradients are the same.
#[test]
fn whole_weights_are_like_repeated_rows() {
    let folder = folder();
    let folder = folder.path();
    let text = houses(96);
    let header = text.lines().next().unwrap();
    // Weights 2, 1 and 3, and instead of them so many rows.
    let (mut weighted, mut repeated) = (format!("{header}\n"), format!("{header}\n"));
    for (row, line) in text.lines().skip(1).enumerate() {
        let (start, _) = line.rsplit_once(',').unwrap();
        let weight = [2, 1, 3][row % 3];
        weighted += &format!("{start},{weight}\n");
        repeated += &format!("{start},1\n").repeat(weight);
    }
    fs::write(folder.join("weighted.csv"), weighted).unwrap();
    fs::write(folder.join("repeated.csv"), repeated).unwrap();
    let net = "--preset none --arch fc --hidden 12 --activation tanh --importance none --epochs 30 --batch-size 1000 \
               --optimizer adam --lr 0.02 --test houses.csv --weights times";
    for (label, rest) in
        [("price", "size,red,big,kind"), ("red,big", "size,price,kind"), ("kind", "price,size,red,big")]
    {
        for backend in ["cpu --threads 2", "reference"] {
            for data in ["weighted", "repeated"] {
                run(
                    folder,
                    &format!(
                        "{data}.csv --label {label} --drop {rest} {net} --backend {backend} --out {data}"
                    ),
                );
            }
            let numbers = |model: &str| -> Vec<f64> {
                let text = run(folder, &format!("predict --model {model} houses.csv --json")).stdout;
                let all = text.lines().map(json).flat_map(|line| numbers_of(&line));
                all.collect()
            };
            let (one, other) = (numbers("weighted"), numbers("repeated"));
            assert!(one.len() >= 240 && one.len() == other.len());
            let worst =
                one.iter().zip(&other).map(|(a, b)| (a - b).abs() / a.abs().max(1.0)).fold(0.0, f64::max);
            assert!(worst < 1e-4, "{label} on {backend}: {worst}");
            // Not because weights have no effect.
            run(
                folder,
                &format!(
                    "weighted.csv --label {label} --drop {rest},times {net} --backend {backend} --out plain"
                )
                .replacen(" --weights times", "", 1),
            );
            let plain = numbers("plain");
            assert!(one.iter().zip(&plain).any(|(a, b)| (a - b).abs() > 1e-3), "{label} on {backend}");
            for run in ["weighted", "repeated", "plain"] {
                fs::remove_dir_all(folder.join(run)).unwrap();
            }
        }
    }
}

/// All numbers in a JSON value.
fn numbers_of(value: &Value) -> Vec<f64> {
    match value {
        Value::Number(number) => number.as_f64().into_iter().collect(),
        Value::Array(values) => values.iter().flat_map(numbers_of).collect(),
        Value::Object(fields) => fields.values().flat_map(numbers_of).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn folds_are_scored_by_the_measures_of_the_task() {
    let folder = folder();
    let folder = folder.path();
    let line =
        format!("houses.csv --label price --drop size,red,big,kind,times {NET} --folds 4 --seed 3 --out out");
    let outcome = run(folder, &line);
    let last = outcome.stdout.lines().last().unwrap();
    assert!(last.starts_with("4 folds: RMSE ") && last.contains(", R2 0.9"), "{outcome:?}");
    let report = json(&fs::read_to_string(folder.join("out/folds.json")).unwrap());
    let predictions = fs::read_to_string(folder.join("out/predictions.csv")).unwrap();
    assert!(predictions.starts_with("row,fold,price,predicted price\n"), "{predictions}");
    let rows: Vec<Vec<f64>> = predictions
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
        .collect();
    let numbers: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(numbers, (1..=240).map(f64::from).collect::<Vec<_>>());
    let rmse = |rows: &[&Vec<f64>]| {
        (rows.iter().map(|row| (row[2] - row[3]).powi(2)).sum::<f64>() / rows.len() as f64).sqrt()
    };
    for fold in 0..4u32 {
        let own: Vec<&Vec<f64>> = rows.iter().filter(|row| row[1] == f64::from(fold)).collect();
        let scored = report["runs"][fold as usize]["scores"]["rmse"].as_f64().unwrap();
        assert!(own.len() == 60 && (rmse(&own) - scored).abs() < 1e-4 * scored, "{scored}");
        let of_run = summary(folder, &format!("out/fold-{fold}"))["test_rmse"].as_f64().unwrap();
        assert!((of_run - scored).abs() < 1e-3 * scored, "{of_run} {scored}");
    }
    let pooled = report["pooled"]["rmse"].as_f64().unwrap();
    assert!((rmse(&rows.iter().collect::<Vec<_>>()) - pooled).abs() < 1e-4 * pooled);
    assert_eq!((&report["task"], &report["measures"][0]["name"]), (&"regression".into(), &"rmse".into()));
    assert_eq!(run(folder, &line).stderr.matches("(finished before)").count(), 4);
    let labels =
        format!("houses.csv --label red,big --drop price,size,kind,times {NET} --folds 3 --out labels");
    let outcome = run(folder, &labels);
    assert!(outcome.stdout.lines().last().unwrap().starts_with("3 folds: subset accuracy "), "{outcome:?}");
    assert_eq!(run(folder, &labels).stderr.matches("(finished before)").count(), 3);
}

#[test]
fn searches_lower_the_error() {
    let folder = folder();
    let folder = folder.path();
    let base = "tune houses.csv --drop size,red,big,kind,times --arch fc --importance none --standardize --seed 1 \
                --backend cpu --threads 1 --epochs 9 --trials 9";
    run(folder, &format!("{base} --label price --out out"));
    let found = json(&fs::read_to_string(folder.join("out/tune.json")).unwrap());
    let trials = found["trials"].as_array().unwrap();
    let whole = |trial: &&Value| trial["epochs"] == 9;
    let rmse = |trial: &Value| trial["rmse"].as_f64().unwrap();
    let lowest = trials.iter().filter(whole).map(rmse).fold(f64::INFINITY, f64::min);
    let best = &trials[usize::try_from(found["best"].as_u64().unwrap()).unwrap()];
    assert_eq!(rmse(best), lowest, "{found}");
    assert!(trials.iter().all(|trial| trial["settings"].get("label-smoothing").is_none() && trial.get("failure").is_none()));
    // Of the first rung, those that go on have the lowest errors.
    let mut rung: Vec<f64> = trials.iter().filter(|trial| trial["epochs"] == 1).map(rmse).collect();
    rung.sort_by(f64::total_cmp);
    for next in trials.iter().filter(|trial| trial["epochs"] == 3) {
        let before =
            trials.iter().find(|one| one["candidate"] == next["candidate"] && one["epochs"] == 1).unwrap();
        assert!(rmse(before) <= rung[2], "{found}");
    }
    if best["candidate"] != 0 {
        let versus = &found["versus"];
        assert!((versus["best_rmse"].as_f64().unwrap() - lowest).abs() < 1e-3 * lowest, "{found}");
    }
    let text = fs::read_to_string(folder.join("out/trials.csv")).unwrap();
    assert!(text.starts_with("candidate,epochs,rmse,loss,"), "{text}");
    let labels = base
        .replace("--drop size,red,big,kind,times", "--drop price,size,kind,times")
        .replace("--trials 9", "--trials 3");
    let outcome = run(folder, &format!("{labels} --label red,big --folds 2 --out labels"));
    assert!(outcome.stdout.contains("subset accuracy"), "{outcome:?}");
}

#[test]
fn columns_matter_by_the_error_and_pages_show_every_target() {
    let folder = folder();
    let folder = folder.path();
    run(folder, &format!("houses.csv --label price,size {REST} {NET} --out run"));
    let line = "eval --model run --data houses.csv --permutation=3";
    let json_of = json(&run(folder, &format!("{line} --json")).stdout);
    let importance = &json_of["permutation_importance"];
    assert_eq!(importance["rmse"], json_of["rmse"]);
    let columns = importance["columns"].as_array().unwrap();
    let rise = |column: &Value| column["rmse_rise"]["mean"].as_f64().unwrap();
    assert!(columns.len() == 3 && columns.windows(2).all(|two| rise(&two[0]) >= rise(&two[1])), "{json_of}");
    assert!(rise(&columns[0]) > 0.1 && columns[0]["mae_rise"]["mean"].as_f64().unwrap() > 0.1);
    assert!(run(folder, line).stdout.contains("rmse_added"));
    run(folder, &format!("houses.csv --label red,big --drop price,size,kind,times {NET} --out labels"));
    let labels = json(&run(folder, "eval --model labels --data houses.csv --permutation=2 --json").stdout);
    assert!(
        labels["permutation_importance"]["columns"][0]["subset_accuracy_drop"]["mean"].as_f64().unwrap()
            > 0.1
    );
    run(folder, "report run labels --permutation --out page.html");
    let page = fs::read_to_string(folder.join("page.html")).unwrap();
    for part in [
        "run-1-targets",
        "run-2-targets",
        "MAE",
        "R2",
        "macro F1",
        "AUC",
        "RMSE added",
        "subset accuracy lost",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("another score") && !page.contains("No scores of samples"), "the run's own score");
}

#[test]
fn models_of_numbers_and_labels_are_pruned_by_their_own_score() {
    let folder = folder();
    let folder = folder.path();
    let net = "--arch sc --hidden 64,64 --blocks 4 --receptive-field 4 --density 0.5 --activation tanh --standardize \
               --importance none --epochs 4 --optimizer adam --lr 0.02 --batch-size 8 --backend cpu --threads 2";
    for (label, rest, metric) in [
        ("price", "size,red,big,kind,times", "rmse"),
        ("red,big", "price,size,kind,times", "subset_accuracy"),
    ] {
        let line = format!("houses.csv --label {label} --drop {rest} {net} --validation 0.2 --out {metric}");
        run(folder, &line);
        let prune = format!("prune --model {metric} --data houses.csv --backend cpu --max-drop 20");
        run(folder, &format!("{prune} --out {metric}-pruned"));
        let report = json(&fs::read_to_string(folder.join(format!("{metric}-pruned/pruning.json"))).unwrap());
        let curve = report["curve"].as_array().unwrap();
        let score = |point: &Value| point[format!("validation_{metric}")].as_f64().unwrap();
        assert!(
            curve.len() > 1 && report["parameters"].as_u64() < report["parameters_before"].as_u64(),
            "{report}"
        );
        let (first, last) = (score(&curve[0]), score(curve.last().unwrap()));
        assert!(if metric == "rmse" { last <= 1.2 * first } else { last >= first - 0.2 }, "{report}");
        // The scores are those of the model that is written.
        let scored =
            json(&run(folder, &format!("eval --model {metric}-pruned --data houses.csv --json")).stdout);
        let test = curve.last().unwrap()[format!("test_{metric}")].as_f64().unwrap();
        assert!((scored[metric].as_f64().unwrap() - test).abs() <= 1e-3 * test, "{scored} {report}");
        run(folder, &format!("{prune} --fine-tune 3 --lr 0.005 --out {metric}-tuned"));
        run(
            folder,
            &format!(
                "prune --model {metric} --data houses.csv --backend cpu --method magnitude --sparsity 0.5 --out {metric}-half"
            ),
        );
        let table = fs::read_to_string(folder.join(format!("{metric}-half/pruning.csv"))).unwrap();
        assert!(table.lines().next().unwrap().contains(&format!("validation_{metric},")), "{table}");
    }
}

#[test]
fn weighted_classes_are_answered_more_often() {
    let folder = folder();
    let folder = folder.path();
    let line = |flags: &str| {
        format!("houses.csv --label kind --drop price,size,red,big,times {NET} --epochs 2 {flags}")
    };
    let line = |flags: &str| line(flags).replacen("--epochs 12 ", "", 1);
    for (flags, out) in
        [("", "plain"), ("--class-weight castle:50", "weighted"), ("--class-weight balanced", "balanced")]
    {
        run(folder, &line(&format!("{flags} --out {out}")));
    }
    let castles = |model: &str| {
        let predicted = run(folder, &format!("predict --model {model} houses.csv")).stdout;
        predicted.lines().filter(|line| line.starts_with("castle,")).count()
    };
    assert!(castles("weighted") > castles("plain"), "{} and {}", castles("weighted"), castles("plain"));
}
