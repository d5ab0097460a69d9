//! The search for settings: repeatable, resumable, and judged without test rows.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Outcome, command, refused, tanner};

const BASE: &str = "table.csv --arch fc --importance variance --standardize on --label kind --drop id --seed 2 --backend cpu --threads 1";

/// 90 rows of 2 classes that overlap.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "id,size,width,kind\n".to_owned();
    for row in 0..90u32 {
        let class = row % 2;
        text += &format!(
            "r{row},{},{},{}\n",
            class * 3 + row * 7 % 5,
            row * 11 % 6,
            ["no", "yes"][class as usize]
        );
    }
    fs::write(folder.path().join("table.csv"), text).unwrap();
    folder
}

fn run(folder: &Path, line: &str) -> Outcome {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome
}

fn json(folder: &Path, file: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap()
}

/// The trials without their times.
fn trials(folder: &Path, out: &str) -> Vec<Value> {
    let mut found = json(folder, &format!("{out}/tune.json"));
    let trials = found["trials"].as_array_mut().unwrap();
    for trial in &mut *trials {
        trial.as_object_mut().unwrap().remove("seconds");
    }
    trials.clone()
}

#[test]
fn a_search_halves_repeats_and_resumes() {
    let folder = folder();
    let folder = folder.path();
    let line = format!("tune {BASE} --epochs 9 --trials 11 --out");
    let first = run(folder, &format!("{line} one"));
    let all = trials(folder, "one");
    // The default; 9 + 3 + 1 of the first bracket, 2 + 1 + 1 of the second.
    let epochs: Vec<u64> = all.iter().map(|trial| trial["epochs"].as_u64().unwrap()).collect();
    assert_eq!(epochs, [&[9][..], &[1; 9], &[3; 3], &[9], &[1; 2], &[3], &[9]].concat());
    // Those that go on are the best of their rung.
    let accuracy = |trial: &Value| trial["accuracy"].as_f64().unwrap();
    let mut rung: Vec<&Value> = all[1..10].iter().collect();
    rung.sort_by(|one, other| accuracy(other).total_cmp(&accuracy(one)));
    assert!(all[10..13].iter().all(|next| {
        let before = all[1..10].iter().find(|trial| trial["candidate"] == next["candidate"]).unwrap();
        accuracy(before) >= accuracy(rung[2])
    }));
    let last = first.stdout.lines().last().unwrap();
    assert_eq!(last, "use: tanner table.csv --config one/best.toml");
    // The same again in another folder, and after an interruption.
    run(folder, &format!("{line} two"));
    assert_eq!(trials(folder, "two"), all);
    for gone in ["0003-epochs1", "0011-epochs1"] {
        fs::remove_dir_all(folder.join("two/trials").join(gone)).unwrap();
    }
    fs::remove_file(folder.join("two/best.toml")).unwrap();
    let again = run(folder, &format!("{line} two"));
    assert_eq!(trials(folder, "two"), all);
    assert_eq!(again.stderr.matches("(finished before)").count(), all.len() - 2, "{again:?}");
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    assert_eq!(read("one/best.toml"), read("two/best.toml"));
    // Only the default and the best have a model.
    let models = fs::read_dir(folder.join("one/trials")).unwrap();
    let models =
        models.filter(|entry| entry.as_ref().unwrap().path().join("model.safetensors").exists()).count();
    assert!((1..=2).contains(&models), "{models}");
}

/// best.toml trains the same network: its run has the settings of the best candidate, and the test rows were not used.
#[test]
fn the_best_settings_can_be_trained_with() {
    let folder = folder();
    let folder = folder.path();
    run(folder, &format!("tune {BASE} --epochs 4 --trials 3 --lr 0.0123 --out out"));
    let found = json(folder, "out/tune.json");
    let best = &found["trials"][usize::try_from(found["best"].as_u64().unwrap()).unwrap()];
    let name = format!("out/trials/{:04}-epochs4", best["candidate"].as_u64().unwrap());
    run(folder, "table.csv --config out/best.toml --validation 0.2 --backend cpu --threads 1 --out run");
    let (one, other) = (json(folder, "run/config.json"), json(folder, &format!("{name}/config.json")));
    for key in ["recipe", "architecture", "order", "table", "train_samples"] {
        assert_eq!(one[key], other[key], "{key}");
    }
    // 72 rows remain without the test rows; a fifth of them judges.
    assert_eq!((&other["train_samples"], &other["test_samples"]), (&58.into(), &14.into()));
    // A flag holds for all candidates and is not searched.
    for trial in found["trials"].as_array().unwrap() {
        let candidate = trial["candidate"].as_u64().unwrap();
        let config =
            json(folder, &format!("out/trials/{candidate:04}-epochs{}/config.json", trial["epochs"]));
        assert_eq!(config["recipe"]["learning_rate"], 0.0123);
        assert!(trial["settings"].get("lr").is_none());
    }
    assert!(!fs::read_to_string(folder.join("out/space.toml")).unwrap().contains("lr ="));
}

/// Candidates whose network cannot be built for the data are drawn again, not tried.
#[test]
fn candidates_fit_the_data() {
    let folder = folder();
    let folder = folder.path();
    let outcome = run(
        folder,
        &format!("tune {} --epochs 1 --trials 20 --out out", BASE.replace("--arch fc", "--arch sc")),
    );
    assert!(
        !outcome.stderr.contains("failed") && !outcome.stderr.contains("warning: a --density"),
        "{outcome:?}"
    );
    let all = trials(folder, "out");
    assert!(all.len() == 21 && all.iter().all(|trial| trial.get("failure").is_none()), "{all:?}");
}

#[test]
fn folds_and_own_spaces() {
    let folder = folder();
    let folder = folder.path();
    fs::write(
        folder.join("space.toml"),
        "lr = [0.01]\nhidden = [[4], [8, 4]]\ndropout = { low = 0.0, high = 0.4 }\n",
    )
    .unwrap();
    run(folder, &format!("tune {BASE} --epochs 2 --trials 2 --folds 3 --space space.toml --out out"));
    let found = json(folder, "out/tune.json");
    for trial in &found["trials"].as_array().unwrap()[1..] {
        let keys: Vec<&String> = trial["settings"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["dropout", "hidden", "lr"]);
        let candidate = trial["candidate"].as_u64().unwrap();
        let score = |fold: u64| {
            let summary = json(folder, &format!("out/trials/{candidate:04}-epochs2-fold{fold}/summary.json"));
            assert_eq!(summary["test_samples"], 24);
            summary["score"].as_f64().unwrap()
        };
        let mean = (score(0) + score(1) + score(2)) / 3.0;
        assert!((trial["accuracy"].as_f64().unwrap() - mean).abs() < 1e-12);
    }
}

/// A typed optimiser leaves the rate to the search; what a typed setting excludes is not searched.
#[test]
fn what_is_reported_is_what_was_trained_with() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("space.toml"), "lr = [0.02, 0.3]\n").unwrap();
    run(folder, &format!("tune {BASE} --optimizer sgd --epochs 1 --trials 8 --space space.toml --out out"));
    let mut rates = std::collections::BTreeSet::new();
    for trial in &json(folder, "out/tune.json")["trials"].as_array().unwrap()[1..] {
        let candidate = trial["candidate"].as_u64().unwrap();
        let config = json(folder, &format!("out/trials/{candidate:04}-epochs1/config.json"));
        assert_eq!(config["recipe"]["learning_rate"], trial["settings"]["lr"]);
        rates.insert(trial["settings"]["lr"].to_string());
    }
    assert_eq!(rates.len(), 2, "both rates were tried");
    fs::write(folder.join("space.toml"), "degree = [2, 3]\nlr = [0.02, 0.3]\n").unwrap();
    let base = BASE.replace("--arch fc", "--arch rsp --degree-distribution poisson:2");
    run(folder, &format!("tune {base} --epochs 1 --trials 2 --space space.toml --out apart"));
    let found = json(folder, "apart/tune.json");
    assert!(found["trials"].as_array().unwrap().iter().all(|trial| trial["settings"]["degree"].is_null()));
}

/// A longer search may have removed the model of an earlier best one.
#[test]
fn a_shorter_search_in_the_same_folder_has_a_result() {
    let folder = folder();
    let folder = folder.path();
    for trials in [12, 9, 4, 2] {
        run(folder, &format!("tune {BASE} --epochs 9 --trials {trials} --out out"));
    }
}

/// What a signal leaves is resumed; the results so far are written.
#[cfg(unix)]
#[test]
fn an_interrupted_search_writes_its_best_so_far_and_goes_on() {
    let folder = folder();
    let folder = folder.path();
    let line = format!("tune {BASE} --epochs 40 --trials 9 --out out");
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("tanner"));
    child.args(words).current_dir(folder).env("TANNER_CACHE", "").stdout(std::process::Stdio::piped());
    let child = child.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let first = folder.join("out/trials/0002-epochs4/summary.json");
    for _ in 0..6000 {
        if first.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let process = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("stopped by Ctrl-C; to resume, repeat the command with --out out"), "{stderr}");
    let found = json(folder, "out/tune.json");
    assert_eq!((&found["end"], &found["best"]), (&"stopped".into(), &0.into()));
    assert!(folder.join("out/best.toml").exists());
    run(folder, &line);
    let whole = trials(folder, "out");
    run(folder, &line.replace("--out out", "--out other"));
    assert_eq!(trials(folder, "other"), whole);
}

#[test]
fn time_ends_a_search_with_a_result() {
    let folder = folder();
    let folder = folder.path();
    let begin = std::time::Instant::now();
    run(folder, &format!("tune {BASE} --epochs 6 --budget 2s --out out"));
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
    let found = json(folder, "out/tune.json");
    assert_eq!(found["end"], "time");
    // The default is trained whatever it takes.
    let whole = |trial: &&Value| trial["epochs"] == 6;
    assert!(found["trials"].as_array().unwrap().iter().filter(whole).count() >= 1, "{found}");
    // Nothing is left of the time.
    let again = run(folder, &format!("tune {BASE} --epochs 6 --budget 2s --out out"));
    assert!(again.stderr.contains("(finished before)"), "{again:?}");
}

#[test]
fn searches_that_cannot_be_are_refused() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("space.toml"), "lrr = [1]").unwrap();
    for (flags, code, part) in [
        ("--budget 10", 2, "\"10\" is not a time: write 90s, 10m or 2h"),
        ("--trials 0", 1, "--trials: 0 is invalid"),
        ("--folds 1", 1, "--folds: it must be at least 2"),
        ("--folds 3 --validation 0.2", 1, "cannot be used with --validation"),
        ("--space space.toml", 1, "\"lrr\" is not a setting"),
        ("--space none.toml", 1, "none.toml"),
        ("--resume x", 1, "--resume: cannot be used with tune"),
        ("--lr fast", 2, "--lr"),
        ("--epoch 3", 2, "--epochs"),
    ] {
        refused(folder, &format!("tune {BASE} {flags} --out out -q"), code, &[part]);
    }
    run(folder, &format!("tune {BASE} --epochs 2 --trials 1 --out out"));
    let other = tanner(folder, &format!("tune {BASE} --epochs 2 --trials 1 --dropout 0.3 --out out -q"));
    assert!(
        other.code == Some(1) && other.stderr.contains("holds a finished run with a different"),
        "{other:?}"
    );
    let help = command(folder).args(["tune", "--help"]).output().unwrap();
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(help.contains("--budget <TIME>") && help.contains("--narrow-budget <N>"), "{help}");
}
