//! Runs that are resumed elsewhere, longer or on another engine.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::killing::{End, end, outcome, start};
use crate::resume::{NETWORK, killed, wait_for_lines};
use crate::support::{command, folder_with_data, refused, tanner};

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn metrics(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn done(folder: &Path, line: &str) -> String {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome.stderr
}

/// Models and metrics without times.
fn bits(run: &Path) -> (Vec<Vec<u8>>, Vec<Value>) {
    let (_, models, values) = outcome(run);
    (models, values)
}

#[test]
fn a_run_resumes_after_its_data_moved() {
    let folder = folder_with_data();
    let path = folder.path();
    done(path, &format!("{NETWORK} --epochs 400 --out whole"));
    killed(path, "--epochs 400");
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("other")).unwrap();
    let moved = elsewhere.path().join("other/moved");
    // From another folder, the data are where the run was started.
    let copy = elsewhere.path().join("copy");
    assert!(
        std::process::Command::new("cp")
            .arg("-r")
            .args([&path.join("run"), &copy])
            .status()
            .unwrap()
            .success()
    );
    done(elsewhere.path(), "--resume copy");
    assert!(bits(&copy) == bits(&path.join("whole")));

    fs::rename(path.join("data"), &moved).unwrap();
    let (here, then) = (elsewhere.path().join("data"), path.join("data"));
    let run = path.join("run");
    let line = format!("--resume {}", run.display());
    let [here, then] = [&here, &then].map(|place| place.to_str().unwrap());
    refused(elsewhere.path(), &line, 1, &["data of the run in", here, then, "give its place with --data"]);
    // Another content is refused by its hash.
    let changed = elsewhere.path().join("changed");
    assert!(std::process::Command::new("cp").arg("-r").args([&moved, &changed]).status().unwrap().success());
    let labels = changed.join("train-labels-idx1-ubyte");
    let mut bytes = fs::read(&labels).unwrap();
    bytes[9] = (bytes[9] + 1) % 3;
    fs::write(&labels, bytes).unwrap();
    let parts =
        ["the data are not those it started with: the hash of the training samples is", "it recorded"];
    refused(elsewhere.path(), &format!("{line} --data changed"), 1, &parts);
    assert!(json(&run.join("config.json"))["continued"].is_null(), "a refusal was written");
    done(elsewhere.path(), &format!("{line} --data other/moved"));
    assert!(bits(&run) == bits(&path.join("whole")));
    let config = json(&run.join("config.json"));
    assert_eq!(config["data"], "data");
    assert_eq!(config["absolute_paths"]["data"], then);
    let entry = &config["continued"][0];
    assert_eq!(entry["data"].as_str(), moved.canonicalize().unwrap().to_str());
    assert_eq!((&entry["epochs"], &entry["optimizer"]), (&400.into(), &"kept".into()));
    assert!(entry["epoch"].as_u64().unwrap() > 0 && entry["backend"] == "cpu" && entry["step"].is_u64());
    // The place of the last continuation is tried first.
    done(path, "--resume run --epochs 401");
}

#[test]
fn the_other_files_of_a_run_move_too() {
    let folder = folder_with_data();
    let path = folder.path();
    let row = |k: u32| format!("{}.5,{},{}\n", k % 7, k * k % 11, ["a", "b"][(k % 2) as usize]);
    let table = |rows: std::ops::Range<u32>| "x,y,class\n".to_owned() + &rows.map(row).collect::<String>();
    fs::write(path.join("train.csv"), table(0..80)).unwrap();
    fs::write(path.join("test.csv"), table(80..110)).unwrap();
    done(path, "--data train.csv --test test.csv --hidden 8 --arch fc --epochs 2 --backend cpu --out first");
    let from =
        "--data train.csv --test test.csv --from first/model.safetensors --backend cpu --schedule constant";
    done(path, &format!("{from} --epochs 3 --out whole"));
    done(path, &format!("{from} --epochs 2 --out run"));
    fs::rename(path.join("test.csv"), path.join("test2.csv")).unwrap();
    fs::rename(path.join("first"), path.join("first2")).unwrap();
    refused(path, "--resume run --epochs 3", 1, &["first/model.safetensors", "give its place with --from"]);
    let line = "--resume run --epochs 3 --from first2/model.safetensors";
    refused(path, line, 1, &["test.csv of the run", "give its place with --test"]);
    refused(path, &format!("{line} --labels test2.csv"), 1, &["--labels: cannot be changed"]);
    refused(path, &format!("{line} --test 0.3"), 1, &["--test: cannot be changed"]);
    done(path, &format!("{line} --test test2.csv"));
    assert_eq!(metrics(&path.join("run")).len(), 3);
}

/// At a constant rate, an interrupted and extended run equals one with that length from the start.
#[test]
fn an_interrupted_run_that_is_extended_has_the_bits_of_a_longer_one() {
    let folder = folder_with_data();
    let path = folder.path();
    let adam = "--schedule constant --optimizer adam --lr 0.01 --dropout 0.2";
    killed(path, &format!("{adam} --epochs 100000"));
    let there = metrics(&path.join("run")).len();
    let epochs = there + 40;
    done(path, &format!("{NETWORK} {adam} --epochs {epochs} --out whole"));
    refused(path, "--resume run --epochs 1", 1, &["--epochs: 1 is less than the "]);
    let said = done(path, &format!("--resume run --epochs {epochs} --threads 1"));
    assert!(said.contains(&format!("constant over {epochs} epochs: continues at 0.01\n")), "{said}");
    assert!(bits(&path.join("run")) == bits(&path.join("whole")));
    let listed = tanner(path, "runs . --json");
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert!(listed.to_string().contains(&format!("\"epochs_planned\":{epochs}")), "{listed}");
}

#[test]
fn a_finished_run_is_extended_along_the_longer_schedule() {
    let folder = folder_with_data();
    let path = folder.path();
    done(path, &format!("{NETWORK} --optimizer adam --epochs 4 --out run"));
    let before = metrics(&path.join("run"));
    refused(path, "--resume run --epochs 3", 1, &["--epochs: 3 is less than the 4 epochs of the run so far"]);
    assert!(done(path, "--resume run --epochs 4").contains("is finished, nothing is left to do"));
    let said = done(path, "--resume run --epochs 8");
    assert!(said.contains("cosine over 8 epochs: continues at 0.0005\n"), "{said}");
    assert!(said.contains("resumes after epoch 4, its optimiser starts from zero"), "{said}");
    let after = metrics(&path.join("run"));
    assert!(after.len() == 8 && after[..4] == before[..]);
    for (epoch, line) in after.iter().enumerate().skip(4) {
        let rate = 0.001 * (1.0 + (std::f64::consts::PI * epoch as f64 / 8.0).cos()) / 2.0;
        assert!((line["learning_rate"].as_f64().unwrap() - rate).abs() < 1e-15, "{line}");
    }
    let summary = json(&path.join("run/summary.json"));
    assert_eq!(summary["epochs"], 8);
    let entry = &json(&path.join("run/config.json"))["continued"][0];
    assert_eq!(
        (&entry["optimizer"], &entry["epochs"], &entry["epoch"]),
        (&"zero".into(), &8.into(), &4.into())
    );
    let model = tanner::model::TrainedModel::load(path.join("run/model.safetensors")).unwrap();
    assert_eq!(model.epochs_trained(), 8);
    // The settings of the longer run are those of its config.json.
    done(path, "train --config run/config.json --out again");
    assert_eq!(metrics(&path.join("again")).len(), 8);
}

/// A run killed while it is being extended is finished, or resumes after its last epoch.
#[test]
fn an_extension_can_be_interrupted_anywhere() {
    let folder = folder_with_data();
    let path = folder.path();
    done(path, &format!("{NETWORK} --schedule constant --epochs 4 --out run"));
    done(path, &format!("{NETWORK} --schedule constant --epochs 4 --out whole"));
    done(path, "--resume whole --epochs 30");
    for attempt in 0..8 {
        let mut child = start(path, "--resume run --epochs 30");
        std::thread::sleep(Duration::from_millis(15 * attempt));
        end(&mut child, End::Kill);
        done(path, "runs .");
        assert!(metrics(&path.join("run")).len() >= 4);
    }
    done(path, "--resume run --epochs 30");
    assert!(bits(&path.join("run")) == bits(&path.join("whole")));
}

#[test]
fn a_run_that_stopped_early_resumes() {
    let folder = folder_with_data();
    let path = folder.path();
    done(path, &format!("{NETWORK} --epochs 400 --lr 0.5 --validation 20 --patience 3 --out run"));
    let summary = json(&path.join("run/summary.json"));
    let (best, epochs) = (summary["best_epoch"].as_u64().unwrap(), summary["epochs"].as_u64().unwrap());
    assert_eq!((&summary["stopped_early"], epochs), (&true.into(), best + 3));
    let copy = |name: &str| {
        let copied = std::process::Command::new("cp").args(["-r", "run", name]).current_dir(path).status();
        assert!(copied.unwrap().success());
    };
    copy("longer");
    copy("patient");
    // A request for more epochs restarts patience.
    done(path, "--resume longer --epochs 410");
    let longer = json(&path.join("longer/summary.json"));
    assert!(longer["epochs"].as_u64().unwrap() >= epochs + 3, "{longer}");
    // Patience that is given counts from the best epoch.
    refused(path, "--resume patient --patience 2", 1, &["--patience: 2 is too small, 3 epochs have passed"]);
    done(path, "--resume patient --patience 9");
    let patient = json(&path.join("patient/summary.json"));
    let [best, epochs] = ["best_epoch", "epochs"].map(|key| patient[key].as_u64().unwrap());
    assert!(epochs == best + 9 || epochs == 400, "{patient}");
    assert_eq!(json(&path.join("patient/config.json"))["continued"][0]["patience"], 9);
    // Killed and resumed, it still counts from where it was extended.
    let again = done(path, "--resume longer");
    assert!(again.contains("is finished"), "{again}");
}

#[test]
fn a_run_resumes_on_another_engine_if_requested() {
    let folder = folder_with_data();
    let path = folder.path();
    let network = NETWORK.replace("--backend cpu --threads 2", "--backend reference");
    let mut child =
        start(path, &format!("{network} --epochs 100000 --optimizer adam --schedule constant --out run"));
    wait_for_lines(&path.join("run/metrics.jsonl"), 3);
    assert!(!end(&mut child, End::Terminate).success());
    let epochs = metrics(&path.join("run")).len() + 2;
    let said = done(path, &format!("--resume run --epochs {epochs} --backend cpu"));
    assert!(said.contains("last digits differ from those of an uninterrupted run"), "{said}");
    assert_eq!(json(&path.join("run/summary.json"))["backend"], "cpu");
    done(path, &format!("{network} --epochs {epochs} --optimizer adam --schedule constant --out whole"));
    let [mine, reference] = ["run", "whole"].map(|run| metrics(&path.join(run)).pop().unwrap());
    let [mine, reference] = [mine, reference].map(|line| line["train_loss"].as_f64().unwrap());
    assert!((mine - reference).abs() < 1e-4 * reference, "{mine}, expected {reference}");
    // The run is on the CPU now.
    let said = done(path, &format!("--resume run --epochs {}", epochs + 1));
    assert!(!said.contains("last digits"), "{said}");
}

#[test]
fn a_gpu_that_is_not_there_is_named_with_the_way_out() {
    let folder = folder_with_data();
    let path = folder.path();
    killed(path, "--epochs 100000");
    let config = path.join("run/config.json");
    let text = fs::read_to_string(&config).unwrap();
    let gpu = text.replace("\"backend\": \"cpu\"", "\"backend\": \"gpu\"").replace(
        ",
    \"threads\": 2",
        "",
    );
    fs::write(&config, gpu.replace("\"adapter\": \"", "\"adapter\": \"Some GPU, ")).unwrap();
    let mut command = command(path);
    command.env("VK_ICD_FILENAMES", "/nowhere.json").env("VK_DRIVER_FILES", "/nowhere.json");
    let output = command.args(["--resume", "run"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let last = stderr.lines().last().unwrap();
    assert!(
        last.contains("was made on Some GPU") && last.contains("give --backend cpu to continue"),
        "{last}"
    );
}

/// Names are part of a table's content: a model keeps them, and finds columns by them.
#[test]
fn a_table_with_other_names_is_another_one() {
    let folder = folder_with_data();
    let path = folder.path();
    let row = |k: u32| format!("{}.5,{},{}\n", k % 7, k * k % 11, ["a", "b"][(k % 2) as usize]);
    let table = |header: &str| format!("{header}\n") + &(0..80).map(row).collect::<String>();
    fs::write(path.join("t.csv"), table("x,y,class")).unwrap();
    fs::write(path.join("columns.csv"), table("y,x,class")).unwrap();
    fs::write(path.join("classes.csv"), table("x,y,class").replace(",b\n", ",c\n")).unwrap();
    fs::write(path.join("wider.csv"), table("x,y,class").replace(".5,", ".5,1,").replace("x,", "x,z,"))
        .unwrap();
    let network = "--hidden 8 --arch fc --importance none --backend cpu";
    done(path, &format!("--data t.csv {network} --epochs 2 --out run"));
    let part = "the data are not those it started with: the hash of the names of features and classes is";
    let resumed = |data: &str| tanner(path, &format!("--resume run --epochs 3 --data {data}"));
    for other in ["columns.csv", "classes.csv"] {
        let outcome = resumed(other);
        assert!(outcome.code == Some(1) && outcome.stderr.contains(part), "{outcome:?}");
    }
    // Another table is reported as such, before its consequences.
    let outcome = resumed("wider.csv");
    assert!(outcome.code == Some(1) && outcome.stderr.contains("not those it started with"), "{outcome:?}");
    // Older versions recorded no names.
    let config = path.join("run/config.json");
    let mut older = json(&config);
    let digest = older["digests"]["data"].as_str().unwrap().rsplit_once('-').unwrap().0.to_owned();
    assert_eq!(digest.matches('-').count(), 1, "{digest}");
    older["digests"]["data"] = digest.into();
    fs::write(&config, older.to_string()).unwrap();
    done(path, "--resume run --epochs 3");

    let compare =
        |data: &str| format!("compare --data {data} --seeds 1 --out c --backend cpu --run a=--hidden=8");
    done(path, &compare("t.csv"));
    let outcome = tanner(path, &compare("columns.csv"));
    assert!(outcome.code == Some(1) && outcome.stderr.contains("a different data_sha256"), "{outcome:?}");
}
