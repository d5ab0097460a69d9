//! Pruning, continuing from a saved model, and measuring layers, from the command line.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tanner::model::TrainedModel;
use tempfile::TempDir;

use crate::support::{SMALL, folder_with_data, refused, tanner};

const PRUNE: &str =
    "prune --model run/model.safetensors --data data --backend cpu --threads 2 --validation 0.25";

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A folder with data and a trained model in `run`.
fn folder_with_model() -> TempDir {
    let folder = folder_with_data();
    let outcome = tanner(folder.path(), &format!("{SMALL} --epochs 30 --lr 0.3 --out run"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    folder
}

fn run(folder: &Path, line: &str) -> String {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome.stdout + &outcome.stderr
}

fn load(folder: &Path, name: &str) -> TrainedModel {
    TrainedModel::load(folder.join(name).join("model.safetensors")).unwrap()
}

#[test]
fn a_pruned_model_is_smaller_and_eval_inspect_and_training_take_it() {
    let folder = folder_with_model();
    let outcome =
        tanner(folder.path(), &format!("{PRUNE} --max-drop 40 --fine-tune 2 --rounds 2 --out small"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("warning: the model may have been trained on"));
    let out = folder.path().join("small");
    for file in ["model.safetensors", "pruning.json", "pruning.csv", "pruning.png", "pruning.svg"] {
        assert!(out.join(file).is_file(), "{file} is missing");
    }
    let size = |name: &str| fs::metadata(folder.path().join(name).join("model.safetensors")).unwrap().len();
    assert!(size("small") < size("run"));
    let (before, after) = (load(folder.path(), "run"), load(folder.path(), "small"));
    assert!(after.network().parameter_count() < before.network().parameter_count());
    let report = json(&out.join("pruning.json"));
    let last = report["curve"].as_array().unwrap().last().unwrap();
    assert_eq!(report["parameters"], after.network().parameter_count());
    let lines = fs::read_to_string(out.join("pruning.csv")).unwrap().lines().count();
    assert_eq!(lines, 1 + report["curve"].as_array().unwrap().len());

    let eval = run(folder.path(), "eval --model small/model.safetensors --data data --backend cpu");
    let accuracy = format!("test accuracy {:.2} %", 100.0 * last["test_accuracy"].as_f64().unwrap());
    assert!(eval.contains(&accuracy), "{eval} does not say {accuracy}");
    assert!(outcome.stderr.contains(&accuracy), "{outcome:?}");
    let inspect = run(folder.path(), "inspect --model small/model.safetensors");
    assert!(inspect.contains("pruned by blocks") && inspect.contains("of 208 weights are left"), "{inspect}");

    let on = "--from small/model.safetensors --data data --epochs 2 --batch-size 10 --backend cpu --out on";
    run(folder.path(), on);
    let trained = load(folder.path(), "on");
    assert_eq!(trained.record(), after.record());
    assert_eq!(trained.preprocessing(), after.preprocessing());
    assert_eq!(trained.epochs_trained(), after.epochs_trained() + 2);
    assert_ne!(trained.parameters(), after.parameters());
    for (old, new) in after.network().layers().iter().zip(trained.network().layers()) {
        assert_eq!(old.topology, new.topology);
    }
    assert_eq!(json(&folder.path().join("on/config.json"))["from"], "small/model.safetensors");
}

#[test]
fn magnitude_prunes_any_architecture() {
    let folder = folder_with_data();
    let fc =
        "--arch fc --data data --hidden 16,16 --batch-size 10 --epochs 20 --lr 0.3 --backend cpu --out run";
    run(folder.path(), fc);
    let flags = "--method magnitude --sparsity 0.6 --rounds 2 --fine-tune 2 --out small";
    run(folder.path(), &format!("{PRUNE} {flags}"));
    let edges = |name| -> usize {
        load(folder.path(), name).network().layers().iter().map(|layer| layer.topology.edges()).sum()
    };
    // 16 x 16 + 16 x 16 + 16 x 3 weights; dead ends may take a few more than 60 %.
    assert_eq!(edges("run"), 560);
    assert!((100..=224).contains(&edges("small")), "{}", edges("small"));
    // For a fully connected network, blocks must be requested.
    refused(
        folder.path(),
        "prune --model run/model.safetensors --data data --blocks 17 --validation 10",
        1,
        &["--blocks"],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_to_is_refused_before_pruning() {
    let folder = folder_with_model();
    refused(folder.path(), &format!("{PRUNE} --out /proc/x"), 1, &["--out: /proc/x: No such file"]);
}

#[test]
fn rounds_end_where_nothing_changes_any_more() {
    let folder = folder_with_model();
    for (name, flags) in [("small", "--method magnitude --threshold 0.1"), ("blocks", "--max-drop 40")] {
        let outcome = tanner(folder.path(), &format!("{PRUNE} {flags} --rounds 10000 --out {name}"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let report = json(&folder.path().join(name).join("pruning.json"));
        let curve = report["curve"].as_array().unwrap();
        assert!(curve.len() < 20, "{name}: {} points", curve.len());
    }
}

#[test]
fn the_importance_of_layers_is_measured() {
    let folder = folder_with_model();
    let measure = "layer-importance --model run/model.safetensors --data data --backend cpu --threads 2";
    let text = run(folder.path(), &format!("{measure} --out li"));
    assert!(text.contains("hidden 2") && text.contains("that the order of importance survives"), "{text}");
    let report = json(&folder.path().join("li/layer_importance.json"));
    assert_eq!((report["measured_on"].as_str(), report["silence"].as_str()), (Some("test"), Some("mean")));
    let layers = report["layers"].as_array().unwrap();
    let blocks: Vec<usize> = layers.iter().map(|layer| layer["blocks"].as_array().unwrap().len()).collect();
    assert_eq!(blocks, [2, 2, 2]);
    for file in ["layer_importance.csv", "layer_importance.png", "layer_importance.svg"] {
        assert!(folder.path().join("li").join(file).is_file(), "{file} is missing");
    }
    let on = format!("{measure} --on validation --validation 20 --silence zero --blocks 4 --out li4");
    run(folder.path(), &on);
    let report = json(&folder.path().join("li4/layer_importance.json"));
    assert_eq!(report["measured_on"], "validation");
    assert_eq!(report["split"]["holdout"], "20");
    assert_eq!(report["layers"][1]["blocks"].as_array().unwrap().len(), 4);
    refused(folder.path(), &on, 1, &["--out", "holds a layer_importance"]);
}

#[test]
fn invalid_values_are_refused_with_their_flag_and_nothing_is_written() {
    let folder = folder_with_model();
    for (flags, part) in [
        ("--sparsity 0.5", "--sparsity: works only with --method magnitude"),
        ("--method magnitude", "--sparsity: --method magnitude needs the share"),
        ("--method magnitude --sparsity 1", "--sparsity: 1 is invalid"),
        ("--method magnitude --sparsity nan", "--sparsity: NaN is invalid"),
        ("--method magnitude --threshold nan", "--threshold: NaN is invalid"),
        ("--method magnitude --threshold -1", "--threshold: -1 is invalid"),
        ("--method magnitude --sparsity 0.5 --max-drop 1", "--max-drop: works only with --method blocks"),
        ("--method magnitude --sparsity 0.5 --inputs prune", "--inputs: works only with --method blocks"),
        ("--max-drop nan", "--max-drop: NaN is invalid"),
        ("--max-drop -1", "--max-drop: -1 is invalid"),
        ("--rounds 0", "--rounds: 0 is invalid"),
        ("--rounds 18446744073709551615", "--rounds: 18446744073709551615 is invalid"),
        ("--fine-tune 18446744073709551615", "--fine-tune: 18446744073709551615 is invalid"),
        ("--lr 0", "--lr: 0.0 is invalid"),
        ("--blocks 0", "--blocks: 0 is invalid"),
        ("--train-limit 61", "--train-limit: data set: the first 61 samples"),
        ("--out run", "--out: run already holds a model.safetensors"),
    ] {
        let line = format!("{PRUNE} {flags}");
        let outcome = tanner(folder.path(), &line);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{line}: {outcome:?}");
        let error = outcome.stderr.lines().last().unwrap();
        assert!(
            error.starts_with("error: ") && error.contains(part),
            "{line}: {error:?} does not say {part:?}"
        );
    }
    nothing_is_left_behind(folder.path());
}

#[test]
fn command_lines_that_contradict_themselves_are_refused() {
    let folder = folder_with_model();
    for (line, code, part) in [
        ("prune --data data", 2, "--model <FILE>"),
        ("prune --model none --data data", 1, "none"),
        (
            "prune --model run/model.safetensors --data data --validation 60",
            1,
            "holding out 60 of 60 samples",
        ),
        ("prune --model run/model.safetensors --validation 0", 2, "holds nothing out"),
        ("prune --model run/model.safetensors --target 0%", 2, "nor a share of them"),
        ("prune --model run/model.safetensors --target -5%", 2, "\"-5%\" is neither a number of parameters"),
        ("prune --model run/model.safetensors --target 9 --max-drop 1", 2, "cannot be used with"),
        ("prune --model run/model.safetensors --threshold 1 --sparsity 0.5", 2, "cannot be used with"),
        ("--from run/model.safetensors --arch fc", 2, "cannot be used with"),
        ("--from run/model.safetensors --hidden 3", 2, "cannot be used with"),
        ("--from run/model.safetensors --pca", 2, "cannot be used with"),
        ("--from run/model.safetensors --order desc", 2, "cannot be used with"),
        ("--from run/model.safetensors --gain 2", 2, "cannot be used with"),
        ("--from none --data data", 1, "none"),
        (
            "layer-importance --model run/model.safetensors --data data --validation 20",
            1,
            "--validation: cannot be used with --on test",
        ),
        (
            "layer-importance --model run/model.safetensors --data data --blocks 17",
            1,
            "--blocks: 17 is invalid",
        ),
    ] {
        let outcome = tanner(folder.path(), line);
        let error = outcome.stderr.lines().last().unwrap_or_default();
        assert_eq!(outcome.code, Some(code), "{line}: {outcome:?}");
        assert!(
            error.starts_with("error: ") && error.contains(part),
            "{line}: {error:?} does not say {part:?}"
        );
    }
    nothing_is_left_behind(folder.path());
}

fn nothing_is_left_behind(folder: &Path) {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["data", "run"], "something was left behind");
}
