//! When and how a run folder is written, and what its files say.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::killing::{End, end, start};
use crate::resume::{NETWORK, wait_for_lines};
use crate::support::{SMALL, folder_with_data, tanner};

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn metrics(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn epoch_of(file: &Path) -> usize {
    tanner::model::TrainedModel::load(file).unwrap().epochs_trained()
}

/// Models are written with checkpoints: after the first epoch, when one is due, and at the end.
#[test]
fn models_are_written_no_more_often_than_checkpoints() {
    let folder = folder_with_data();
    let run = folder.path().join("run");
    let line = format!("{NETWORK} --epochs 1000000 --out run --checkpoint-every")
        .replace("--checkpoint-every 1 ", "");
    let mut child = start(folder.path(), &format!("{line} 3600s"));
    wait_for_lines(&run.join("metrics.jsonl"), 50);
    assert_eq!((epoch_of(&run.join("model.safetensors")), epoch_of(&run.join("best.safetensors"))), (1, 1));
    assert!(!run.join("checkpoint.safetensors").exists());
    assert_eq!(end(&mut child, End::Terminate).code(), Some(143));
    let lines = metrics(&run);
    assert_eq!(epoch_of(&run.join("model.safetensors")), lines.len());
    let score = |line: &Value| (line["score"].as_f64().unwrap(), -line["score_loss"].as_f64().unwrap());
    let best = lines.iter().reduce(|best, line| if score(line) > score(best) { line } else { best }).unwrap();
    assert_eq!(epoch_of(&run.join("best.safetensors")) as u64, best["epoch"].as_u64().unwrap());
    assert!(run.join("checkpoint.safetensors").exists() && !run.join("summary.json").exists());
}

#[test]
fn files_say_what_was_scored_and_when() {
    let folder = folder_with_data();
    let flags = "--validation 12 --checkpoint-every 1 --target 0.1 --patience 2 --patience-on loss --out run";
    let outcome = tanner(folder.path(), &format!("{SMALL} {flags} --json"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let run = folder.path().join("run");
    assert!(!run.join("checkpoint.safetensors").exists(), "a finished run has none");
    let lines = metrics(&run);
    for line in &lines {
        assert_eq!(line["scored_on"], "validation");
        assert_eq!((&line["score"], &line["score_loss"]), (&line["test_accuracy"], &line["test_loss"]));
    }
    let (summary, printed) =
        (json(&run.join("summary.json")), serde_json::from_str::<Value>(&outcome.stdout).unwrap());
    let last = lines.last().unwrap();
    for summary in [&summary, &printed] {
        assert_eq!((&summary["score"], &summary["score_loss"]), (&last["score"], &last["score_loss"]));
        assert_eq!(
            (&summary["best_score"], &summary["scored_on"]),
            (&summary["best_test_accuracy"], &last["scored_on"])
        );
        assert_eq!(summary["target"], 0.1);
        assert!(summary["seconds_to_target"].as_f64().unwrap() > 0.0, "{summary}");
    }
    let config = json(&run.join("config.json"));
    assert_eq!((&config["patience_on"], &config["settings"]["target"]), (&"loss".into(), &"0.1".into()));
    for time in [&config["started_at"], &summary["finished_at"]] {
        let time = time.as_str().unwrap();
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert!(["0000-00-00T00:00:00+00:00", "0000-00-00T00:00:00-00:00"].contains(&&*shape), "{time}");
    }
}

/// While the loss falls at the same accuracy, patience waits, and the best epoch is the one of the lowest loss.
#[test]
fn ties_of_the_score_go_to_the_lower_loss() {
    let folder = folder_with_data();
    let line = format!("{NETWORK} --epochs 400 --validation 20 --patience 3 --lr 0.5 --out");
    assert_eq!(tanner(folder.path(), &format!("{line} run")).code, Some(0));
    let run = folder.path().join("run");
    let lines = metrics(&run);
    let score = |line: &Value| (line["score"].as_f64().unwrap(), -line["score_loss"].as_f64().unwrap());
    let best = lines.iter().reduce(|best, line| if score(line) > score(best) { line } else { best }).unwrap();
    let first = lines.iter().find(|line| line["score"] == best["score"]).unwrap();
    assert_ne!(first, best, "the best score came only once: the test says nothing");
    let summary = json(&run.join("summary.json"));
    assert_eq!(summary["best_epoch"], best["epoch"]);
    assert_eq!(epoch_of(&run.join("best.safetensors")) as u64, best["epoch"].as_u64().unwrap());
    let runs: Value = serde_json::from_str(&tanner(folder.path(), "runs . --json").stdout).unwrap();
    assert!(runs.to_string().contains(&format!("\"best_epoch\":{}", best["epoch"])), "{runs}");
    assert!(runs.to_string().contains(&format!("\"best_score\":{}", summary["best_score"])), "{runs}");
    assert!(runs.to_string().contains(&format!("\"score\":{}", summary["score"])), "{runs}");
    // By the loss alone it stops three epochs after the lowest.
    let line = format!("{line} loss --patience-on loss --lr 1").replace("--lr 0.5 ", "");
    let outcome = tanner(folder.path(), &line);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let lines = metrics(&folder.path().join("loss"));
    let loss = |line: &Value| line["score_loss"].as_f64().unwrap();
    let lowest = lines.iter().reduce(|low, line| if loss(line) < loss(low) { line } else { low }).unwrap();
    assert!(lines.len() == 400 || lines.len() as u64 == lowest["epoch"].as_u64().unwrap() + 3);
    assert_eq!(
        lines.len() < 400,
        outcome.stderr.contains("stopped early: no lower validation loss in 3 epochs")
    );
}

#[test]
fn a_run_folder_that_is_gone_is_not_promised() {
    let folder = folder_with_data();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tanner"));
    let line = format!("{NETWORK} --epochs 1000000 --out run");
    command.args(line.split_whitespace()).current_dir(folder.path()).env("NODEVICE_SELECT", "1");
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_lines(&folder.path().join("run/metrics.jsonl"), 3);
    // Renamed, it is gone at once, however fast the run writes.
    fs::rename(folder.path().join("run"), folder.path().join("gone")).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let last = stderr.lines().last().unwrap();
    let start =
        "error: training stopped, its run folder is gone (if it was moved, continue with --resume): run/";
    assert!(last.starts_with(start), "{last}");
}

/// A run that could not write its settings leaves nothing behind; neither does an incomplete export.
#[cfg(target_os = "linux")]
#[test]
fn immediate_failures_leave_no_files() {
    let folder = folder_with_data();
    let limited = |blocks: u32, line: &str| {
        let script = format!("ulimit -f {blocks}; exec {} {line}", env!("CARGO_BIN_EXE_tanner"));
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &script]).current_dir(folder.path()).env("TANNER_CACHE", "");
        assert_eq!(command.output().unwrap().status.code(), Some(1), "{line}");
    };
    limited(1, &format!("{SMALL} --out run"));
    assert!(!folder.path().join("run").exists());
    assert_eq!(tanner(folder.path(), &format!("{SMALL} --out run")).code, Some(0));
    let export = "export --model run --csr csr";
    limited(1, export);
    assert_eq!(tanner(folder.path(), export).code, Some(0));
}
