//! Complete runs on a small data set, and the use of their results.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{SMALL, TEST, TRAIN, folder_with_data, tanner};

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The one folder below `runs`.
fn only_run(folder: &Path) -> std::path::PathBuf {
    let runs: Vec<_> = fs::read_dir(folder.join("runs")).unwrap().map(|run| run.unwrap().path()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].clone()
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_run_writes_its_files_and_the_summary_its_keys() {
    let folder = folder_with_data();
    let outcome = tanner(folder.path(), &format!("--pca --order desc --seed 5 {SMALL}"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let run = only_run(folder.path());
    let name = "-data-sc-epochs3-batch-size10-hidden16-16-blocks2-degrees6-4-pca-desc-s5";
    assert!(run.to_str().unwrap().ends_with(name), "{run:?}");
    let files = [
        "best.safetensors",
        "config.json",
        "learning_curve.png",
        "metrics.jsonl",
        "model.safetensors",
        "run.lock",
        "summary.json",
    ];
    assert_eq!(names(&run), files.map(str::to_owned).into());

    let summary = json(&run.join("summary.json"));
    let keys = [
        "test_accuracy",
        "best_test_accuracy",
        "epochs",
        "parameters",
        "dense_parameters",
        "edges_per_layer",
        "seconds_total",
        "seconds_training",
        "target",
        "seconds_to_target",
        "score",
        "score_loss",
        "best_score",
        "scored_on",
        "backend",
        "adapter",
        "arch",
        "importance",
        "order",
        "seed",
    ];
    for key in keys {
        assert!(summary.get(key).is_some(), "the summary has no {key}");
    }
    assert_eq!(summary["edges_per_layer"], serde_json::json!([80, 80, 48]));
    assert_eq!(summary["parameters"], 80 + 80 + 48 + 16 + 16 + 3);
    assert_eq!(summary["dense_parameters"], 16 * 16 + 16 * 16 + 48 + 16 + 16 + 3);
    for (key, value) in [("backend", "cpu"), ("arch", "sc"), ("importance", "pca"), ("order", "desc")] {
        assert_eq!(summary[key], value);
    }
    assert_eq!((&summary["epochs"], &summary["seed"]), (&3.into(), &5.into()));
    let seconds = |key: &str| summary[key].as_f64().unwrap();
    assert!(0.0 < seconds("seconds_training") && seconds("seconds_training") < seconds("seconds_total"));
    assert!(summary["target"].is_null() && summary["seconds_to_target"].is_null(), "{summary}");

    let config = json(&run.join("config.json"));
    assert_eq!(config["recipe"]["schedule"], "cosine");
    assert_eq!(config["architecture"]["blocks"], serde_json::json!([2]));
    assert_eq!((&config["train_samples"], &config["test_samples"]), (&TRAIN.into(), &TEST.into()));
}

#[test]
fn metrics_have_a_line_an_epoch_that_the_summary_repeats() {
    let folder = folder_with_data();
    assert_eq!(tanner(folder.path(), &format!("{SMALL} --out run")).code, Some(0));
    let run = folder.path().join("run");
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    for (line, epoch) in lines.iter().zip(1..) {
        assert_eq!(line["epoch"], epoch);
        for key in ["train_loss", "test_loss", "train_accuracy", "test_accuracy", "learning_rate", "seconds"]
        {
            assert!(line[key].as_f64().is_some_and(f64::is_finite), "epoch {epoch} has no {key}");
        }
    }
    assert_eq!(lines[0]["learning_rate"], 0.1);
    let summary = json(&run.join("summary.json"));
    assert_eq!(summary["test_accuracy"], lines[2]["test_accuracy"]);
    let accuracies = lines.iter().map(|line| line["test_accuracy"].as_f64().unwrap());
    assert_eq!(summary["best_test_accuracy"].as_f64().unwrap(), accuracies.fold(0.0, f64::max));
}

#[test]
fn a_saved_model_scores_the_same_on_every_engine() {
    let folder = folder_with_data();
    for (name, flags) in [
        ("sc", SMALL.to_owned()),
        ("asc", format!("{SMALL} --order asc")),
        ("raw", format!("{SMALL} --importance none --dropout 0.2")),
        (
            "rsp",
            "--arch rsp --degree 5 --data data --hidden 16 --epochs 2 --batch-size 7 --backend cpu".into(),
        ),
        ("fc", "--arch fc --data data --hidden 9,7 --optimizer adam --epochs 2 --backend reference".into()),
        ("narrow", format!("{SMALL} --arch narrow --augment shift=1,flip")),
        ("band", format!("{SMALL} --arch band --softness 0.5")),
        ("none", "--data data --hidden none --epochs 2 --activation relu --backend cpu".into()),
    ] {
        let outcome = tanner(folder.path(), &format!("train {flags} --out {name}"));
        assert_eq!(outcome.code, Some(0), "{name}: {outcome:?}");
        let accuracy =
            json(&folder.path().join(name).join("summary.json"))["test_accuracy"].as_f64().unwrap();
        let correct = (accuracy * f64::from(TEST)).round();
        let expected = format!("test accuracy {:.2} % ({correct} of {TEST})", 100.0 * accuracy);
        for backend in ["cpu", "reference"] {
            let line = format!("eval --model {name}/model.safetensors --data data --backend {backend}");
            let outcome = tanner(folder.path(), &line);
            assert_eq!(outcome.code, Some(0), "{name}: {outcome:?}");
            assert!(outcome.stderr.contains(&expected), "{name} on {backend}: {outcome:?}, not {expected}");
        }
    }
}

#[test]
fn the_network_learns() {
    let folder = folder_with_data();
    let outcome = tanner(
        folder.path(),
        &format!("{SMALL} --epochs 30 --target 87.18% --out run").replace("--epochs 3 ", ""),
    );
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let summary = json(&folder.path().join("run/summary.json"));
    assert_eq!(summary["test_accuracy"], 1.0, "{summary}");
    assert_eq!(summary["target"], 0.8718);
    assert!(summary["seconds_to_target"].as_f64().unwrap() < summary["seconds_total"].as_f64().unwrap());
}

#[test]
fn the_same_seed_gives_the_same_model_and_another_seed_another() {
    let folder = folder_with_data();
    let model = |name: &str, flags: &str| {
        assert_eq!(tanner(folder.path(), &format!("{SMALL} {flags} --out {name}")).code, Some(0));
        fs::read(folder.path().join(name).join("model.safetensors")).unwrap()
    };
    let first = model("a", "--dropout 0.3 --seed 7");
    assert!(first == model("b", "--dropout 0.3 --seed 7"), "the same seed gave another model");
    assert!(first != model("c", "--dropout 0.3 --seed 8"), "another seed gave the same model");
}

/// The same pictures whatever engine and however many threads, other ones for another seed.
#[test]
fn augmentation_is_repeated_and_recorded() {
    let folder = folder_with_data();
    let run = |name: &str, flags: &str| {
        let line = format!("{SMALL} {flags} --out {name}");
        let outcome = tanner(folder.path(), &line);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        fs::read(folder.path().join(name).join("model.safetensors")).unwrap()
    };
    let first = run("a", "--augment shift=1,flip");
    assert_eq!(json(&folder.path().join("a/config.json"))["augmentation"]["shift"], 1);
    assert!(first == run("b", "--augment flip,shift=1"), "the same augmentation gave another model");
    assert!(first != run("c", "--augment shift=1"), "flips made no difference");
    let plain = run("d", "");
    assert!(first != plain && plain == run("e", "--augment none"), "no augmentation made a difference");
    let one = format!("{SMALL} --augment shift=1,flip --out one").replace("--threads 2", "--threads 1");
    assert_eq!(tanner(folder.path(), &one).code, Some(0));
    assert!(
        first == fs::read(folder.path().join("one/model.safetensors")).unwrap(),
        "threads made a difference"
    );
    // Scores are those of unchanged pictures.
    let accuracy = json(&folder.path().join("a/summary.json"))["test_accuracy"].as_f64().unwrap();
    let outcome = tanner(folder.path(), "eval --model a/model.safetensors --data data --backend cpu");
    assert!(outcome.stderr.contains(&format!("test accuracy {:.2} %", 100.0 * accuracy)), "{outcome:?}");
}

#[test]
fn engines_see_the_same_augmented_pictures() {
    let folder = folder_with_data();
    let losses = |backend: &str| {
        let flags = SMALL.replace("--backend cpu --threads 2", &format!("--backend {backend}"));
        let line = format!("{flags} --augment shift=1,flip --out {backend}");
        assert_eq!(tanner(folder.path(), &line).code, Some(0));
        let text = fs::read_to_string(folder.path().join(backend).join("metrics.jsonl")).unwrap();
        let line = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        text.lines().map(|text| line(text)["train_loss"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    let (reference, cpu) = (losses("reference"), losses("cpu"));
    for (epoch, (reference, cpu)) in reference.iter().zip(&cpu).enumerate() {
        // float32 over 18 steps; other pictures move the losses by several per cent.
        let error = (reference - cpu).abs() / reference;
        assert!(!(error > 1e-4) && error.is_finite(), "epoch {epoch}: {cpu}, expected {reference}");
    }
}

#[test]
fn a_folder_with_a_run_is_refused_and_kept() {
    let folder = folder_with_data();
    let line = format!("{SMALL} --out run");
    assert_eq!(tanner(folder.path(), &line).code, Some(0));
    let before = fs::read(folder.path().join("run/summary.json")).unwrap();
    crate::support::refused(folder.path(), &line, 1, &["--out: run already holds a run"]);
    assert_eq!(fs::read(folder.path().join("run/summary.json")).unwrap(), before);
}

#[test]
fn a_run_that_diverges_keeps_the_last_model_and_says_where() {
    let folder = folder_with_data();
    // The second epoch steps by 1e27.
    let flags =
        format!("{SMALL} --activation relu --optimizer sgd --lr 1e-3 --schedule step:1:1e30 --out run");
    let outcome = tanner(folder.path(), &flags);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let error = outcome.stderr.lines().last().unwrap();
    let kept =
        "error: training stopped, the model of epoch 1 is in run/model.safetensors: training diverged: ";
    assert!(error.starts_with(kept), "{error}");
    let run = folder.path().join("run");
    assert_eq!(fs::read_to_string(run.join("metrics.jsonl")).unwrap().lines().count(), 1);
    assert!(!run.join("summary.json").exists());
    let outcome = tanner(folder.path(), "eval --model run/model.safetensors --data data --backend cpu");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

#[test]
fn a_limit_takes_the_first_samples() {
    let folder = folder_with_data();
    assert_eq!(tanner(folder.path(), &format!("{SMALL} --train-limit 12 --out run")).code, Some(0));
    assert_eq!(json(&folder.path().join("run/summary.json"))["train_samples"], 12);
}
