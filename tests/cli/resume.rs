//! `--resume`, signals and patience: runs end anywhere and resume to the same bits.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::killing::{EVERY_END, End, end, outcome, start, survives};
use crate::support::{folder_with_data, refused, tanner};

/// A network for the small pictures; without the number of epochs.
pub(crate) const NETWORK: &str = "--data data --hidden 16,16 --blocks 2 --degrees 6,4 --batch-size 10 --backend cpu --threads 2 \
     --checkpoint-every 1";

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

/// Waits until the metrics have some lines.
pub(crate) fn wait_for_lines(path: &Path, count: usize) {
    let begin = Instant::now();
    while lines(path) < count {
        assert!(begin.elapsed() < Duration::from_secs(60), "{} has {} lines", path.display(), lines(path));
        sleep(Duration::from_millis(1));
    }
}

/// A run that was killed after some epochs.
pub(crate) fn killed(folder: &Path, flags: &str) {
    let mut child = start(folder, &format!("{NETWORK} {flags} --out run"));
    wait_for_lines(&folder.join("run/metrics.jsonl"), 3);
    assert!(!end(&mut child, End::Kill).success(), "too late");
}

#[test]
fn a_run_survives_whatever_ends_it() {
    let adam = "--optimizer adam --dropout 0.3 --dropconnect 0.2 --augment shift=1,flip --epochs 240";
    let stopping = "--validation 15 --patience 400 --optimizer nesterov --epochs 240";
    let every_step = "--optimizer sgd --dropout 0.2 --checkpoint-every 1steps --epochs 40";
    let moving = "--optimizer adam --rewire rigl --rewire-end 1 --checkpoint-every 7steps --epochs 120";
    for (flags, ending, times) in [
        (adam, &EVERY_END[..], 4),
        (stopping, &[End::Interrupt], 2),
        (every_step, &[End::Kill], 3),
        (moving, &[End::Kill, End::Terminate], 3),
    ] {
        let folder = folder_with_data();
        survives(folder.path(), &format!("{NETWORK} {flags}"), ending, times, 7);
    }
    let folder = folder_with_data();
    survives(
        folder.path(),
        &format!("{NETWORK} --checkpoint-every 5s --epochs 240"),
        &[End::Terminate],
        2,
        8,
    );
}

/// By hand: `TANNER_KILLS=20 cargo test --release --test cli -- --ignored fashion`, on a GPU with `TANNER_BACKEND=gpu`.
#[test]
#[ignore = "takes minutes and needs data/fashion-mnist; TANNER_KILLS says how often each run is ended"]
fn runs_on_fashion_mnist_survive() {
    let times = std::env::var("TANNER_KILLS").map_or(5, |text| text.parse().unwrap());
    let backend = std::env::var("TANNER_BACKEND").unwrap_or("cpu".into());
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fashion-mnist");
    let common = format!(
        "--data {} --train-limit 2000 --batch-size 33 --backend {backend} --checkpoint-every 1",
        data.display()
    );
    let variants = [
        ("--epochs 5", &EVERY_END[..]),
        ("--epochs 5 --optimizer adam --dropout 0.3 --dropconnect 0.2 --augment shift=2,flip", &EVERY_END),
        ("--epochs 6 --validation 0.2 --patience 2 --checkpoint-every 7steps", &[End::Kill]),
        ("--epochs 3 --arch rsp --importance none --checkpoint-every 1steps", &[End::Kill]),
        ("--epochs 5 --optimizer nesterov", &[End::Interrupt]),
        ("--epochs 5 --optimizer adam --augment flip --validation 200 --patience 3", &[End::Terminate]),
    ];
    for (flags, endings) in variants {
        let folder = tempfile::tempdir().unwrap();
        let begin = Instant::now();
        let [kept, not_yet] = survives(folder.path(), &format!("{common} {flags}"), endings, times, 11);
        let seconds = begin.elapsed().as_secs();
        println!(
            "{endings:?} {flags}: ended {kept} times after, {not_yet} times before its first checkpoint; {seconds} s"
        );
    }
}

#[test]
fn ctrl_c_says_how_to_continue_and_a_second_one_quits_at_once() {
    let folder = folder_with_data();
    let line = format!("{NETWORK} --epochs 100000 --out run");
    let spawn = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tanner"));
        command.args(line.split_whitespace()).current_dir(folder.path()).env("NODEVICE_SELECT", "1");
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let child = spawn();
    wait_for_lines(&folder.path().join("run/metrics.jsonl"), 3);
    let signal = |name: &str| Command::new("kill").args([name, &*child.id().to_string()]).status().unwrap();
    assert!(signal("-INT").success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let last = stderr.lines().last().unwrap();
    assert!(last.starts_with("stopped by Ctrl-C after ") && last.contains(" of 100000 epochs"), "{last}");
    assert!(last.ends_with("; resume with: tanner train --resume run"), "{last}");
    assert!(folder.path().join("run/checkpoint.safetensors").exists());
    assert!(!folder.path().join("run/summary.json").exists());

    // Two at once: whatever their order, the run ends with the code of one of them.
    let mut child = start(folder.path(), "--resume run");
    let there = lines(&folder.path().join("run/metrics.jsonl"));
    wait_for_lines(&folder.path().join("run/metrics.jsonl"), there + 3);
    let both = format!("kill -INT {0}; kill -TERM {0}", child.id());
    assert!(Command::new("sh").args(["-c", &both]).status().unwrap().success());
    let code = child.wait().unwrap().code();
    assert!([Some(130), Some(143)].contains(&code), "{code:?}");
}

#[test]
fn a_batch_stops_cleanly_and_the_same_command_continues_it() {
    let folder = folder_with_data();
    let flags = "--hidden=16,16 --blocks=2 --degrees=6,4 --batch-size=10 --dropout=0.3";
    let words = |out: &str| {
        let line = format!("compare --seeds 2 --data data --backend cpu --threads 1 --out {out} --run");
        let mut words: Vec<String> = line.split_whitespace().map(Into::into).collect();
        words.push(format!("a={flags} --epochs=5000"));
        words
    };
    let run = |out| crate::support::command(folder.path()).args(words(out)).output().unwrap();
    assert!(run("whole").status.success());
    let mut command = Command::new(env!("CARGO_BIN_EXE_tanner"));
    command.args(words("cut")).current_dir(folder.path()).env("NODEVICE_SELECT", "1");
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_lines(&folder.path().join("cut/runs/a-s0/metrics.jsonl"), 5);
    let signal = Command::new("kill").args(["-TERM", &*child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(143), "{stderr}");
    assert!(stderr.ends_with("stopped by SIGTERM; repeat the command to resume\n"), "{stderr}");
    assert!(
        !folder.path().join("cut/runs/a-s1").exists() && !folder.path().join("cut/comparison.md").exists()
    );
    let output = run("cut");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && stderr.contains("[1/2] a-s0: resumes after "), "{stderr}");
    for run in ["runs/a-s0", "runs/a-s1"] {
        assert!(
            outcome(&folder.path().join("cut").join(run)) == outcome(&folder.path().join("whole").join(run))
        );
    }
}

#[test]
fn a_finished_run_says_so_and_is_unchanged() {
    let folder = folder_with_data();
    assert_eq!(tanner(folder.path(), &format!("{NETWORK} --epochs 3 --out run")).code, Some(0));
    let before = outcome(&folder.path().join("run"));
    let again = tanner(folder.path(), "train --resume run");
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(again.stderr, "the run in run is finished, nothing is left to do\n");
    assert!(again.stdout.contains("accuracy") && again.stdout.contains("after 3 epochs"), "{again:?}");
    assert!(outcome(&folder.path().join("run")) == before);
}

#[test]
fn runs_that_cannot_be_resumed_are_refused_in_one_line() {
    let folder = folder_with_data();
    fs::create_dir(folder.path().join("empty")).unwrap();
    for (line, code, part) in [
        ("--resume none", 1, "--resume: none holds no run that can be resumed"),
        ("--resume empty", 1, "--resume: empty holds no run that can be resumed"),
        ("train --resume empty --lr 3", 2, "--lr cannot be used with --resume"),
        ("--resume empty --out x", 2, "--out cannot be used with --resume"),
        ("--patience 3", 1, "--patience: needs --validation"),
        ("--patience 0 --validation 5", 1, "--patience: 0 is invalid"),
        ("--patience-on loss --validation 5", 1, "--patience-on: needs --patience"),
        ("--data data --target 1.1", 1, "--target: 1.1 is not a share from 0 to 1"),
        ("--checkpoint-every 0", 2, "\"0\" is invalid"),
    ] {
        refused(folder.path(), line, code, &[part]);
    }
    assert_eq!(fs::read_dir(folder.path().join("empty")).unwrap().count(), 0);
}

/// Everything that the bits depend on is compared with what was recorded.
#[test]
fn a_changed_run_is_refused_with_the_differences() {
    let folder = folder_with_data();
    killed(folder.path(), "--epochs 50000");
    let run = folder.path().join("run");
    let config = fs::read_to_string(run.join("config.json")).unwrap();
    let other = |from: &str, to: &str, part: &str| {
        assert!(config.contains(from), "{from}");
        fs::write(run.join("config.json"), config.replace(from, to)).unwrap();
        refused(folder.path(), "--resume run", 1, &[part]);
    };
    other(
        "\"learning_rate\": 0.1",
        "\"learning_rate\": 0.2",
        "recipe.learning_rate differs from what was recorded",
    );
    other("\"patience\": null", "\"patience\": 3", "patience differs from what was recorded");
    other(
        "\"batch-size\"",
        "\"badge-size\"",
        "\"badge-size\" is not a setting; did you mean \"batch-size\"?",
    );
    other("2 threads, ", "2 threads, no ", "it ran on 2 threads, no ");
    other("\"started_at\": \"", "\"started_at\": \"x", "its checkpoint belongs to another config.json");
    fs::write(run.join("config.json"), &config).unwrap();

    let labels = folder.path().join("data/t10k-labels-idx1-ubyte");
    let whole = fs::read(&labels).unwrap();
    let mut changed = whole.clone();
    changed[9] = (changed[9] + 1) % 3;
    fs::write(&labels, changed).unwrap();
    let parts =
        ["the data are not those it started with: the hash of the scored samples is ", "it recorded "];
    refused(folder.path(), "--resume run", 1, &parts);
    fs::write(&labels, whole).unwrap();

    let checkpoint = fs::read(run.join("checkpoint.safetensors")).unwrap();
    fs::write(run.join("checkpoint.safetensors"), &checkpoint[..checkpoint.len() / 2]).unwrap();
    refused(folder.path(), "--resume run", 1, &["not a usable checkpoint", "starts over"]);
    fs::write(run.join("checkpoint.safetensors"), &checkpoint).unwrap();

    let held = fs::File::create(run.join("run.lock")).unwrap();
    held.lock().unwrap();
    refused(folder.path(), "--resume run", 1, &["--resume: run: another process is working on this run"]);
}

/// A model that a run continued from is part of the run.
#[test]
fn a_run_from_a_model_resumes_and_notices_another_model() {
    let folder = folder_with_data();
    for (name, epochs) in [("first", 2), ("other", 1)] {
        let line = format!("{NETWORK} --epochs {epochs} --out {name}");
        assert_eq!(tanner(folder.path(), &line).code, Some(0));
    }
    let model = |name: &str| folder.path().join(name).join("model.safetensors");
    let from = "--data data --batch-size 10 --backend cpu --from first/model.safetensors --optimizer adam --checkpoint-every 1";
    let whole = tanner(folder.path(), &format!("{from} --epochs 400 --out whole"));
    assert_eq!(whole.code, Some(0), "{whole:?}");
    let mut child = start(folder.path(), &format!("{from} --epochs 400 --out cut"));
    wait_for_lines(&folder.path().join("cut/metrics.jsonl"), 3);
    assert!(!end(&mut child, End::Kill).success(), "too late");
    fs::copy(model("first"), model("first").with_extension("kept")).unwrap();
    fs::copy(model("other"), model("first")).unwrap();
    refused(folder.path(), "--resume cut", 1, &["its network or preprocessing differs"]);
    fs::rename(model("first").with_extension("kept"), model("first")).unwrap();
    // The number of threads is free.
    let resumed = tanner(folder.path(), "--resume cut --threads 1");
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert!(resumed.stderr.contains(", resumes after "), "{resumed:?}");
    let [(_, models, values), (_, whole_models, whole_values)] =
        ["cut", "whole"].map(|name| outcome(&folder.path().join(name)));
    assert!(models == whole_models && values == whole_values);
}

/// Metrics beyond the checkpoint, incomplete lines and files are removed.
#[test]
fn partial_writes_are_truncated() {
    let folder = folder_with_data();
    assert_eq!(tanner(folder.path(), &format!("{NETWORK} --epochs 300 --out whole")).code, Some(0));
    killed(folder.path(), "--epochs 300 --checkpoint-every 2");
    let run = folder.path().join("run");
    let mut metrics = fs::read(run.join("metrics.jsonl")).unwrap();
    metrics.extend(b"{\"epoch\":99,\"train_loss\":1.0}\n{\"epoch\":100,\"tra");
    fs::write(run.join("metrics.jsonl"), metrics).unwrap();
    fs::write(run.join(".tanner-half"), "half a model").unwrap();
    assert_eq!(tanner(folder.path(), "--resume run").code, Some(0));
    assert!(outcome(&run) == outcome(&folder.path().join("whole")));

    // Killed before the first checkpoint, a run starts over from its settings.
    for name in ["summary.json", "learning_curve.png", "best.safetensors"] {
        fs::remove_file(run.join(name)).unwrap();
    }
    let again = tanner(folder.path(), "--resume run");
    assert!(again.code == Some(0) && again.stderr.contains("starts over"), "{again:?}");
    assert!(outcome(&run) == outcome(&folder.path().join("whole")));
}

/// A file that cannot grow, as on a full disk: the last checkpoint stays intact.
#[test]
fn a_full_disk_leaves_the_last_checkpoint() {
    let folder = folder_with_data();
    assert_eq!(tanner(folder.path(), &format!("{NETWORK} --epochs 40 --out whole")).code, Some(0));
    // Files end at 16 blocks of 512 or 1024 bytes; checkpoints grow with their epochs.
    let line = format!("{NETWORK} --epochs 40 --out run");
    let script = format!("trap '' XFSZ; ulimit -f 16; exec {} {line}", env!("CARGO_BIN_EXE_tanner"));
    let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let error = stderr.lines().last().unwrap();
    assert!(error.starts_with("error: training stopped, the model of epoch "), "{error}");
    assert!(error.contains("(once this is fixed, continue with tanner train --resume run)"), "{error}");
    assert!(error.contains("File too large"), "{error}");
    let run = folder.path().join("run");
    assert!(lines(&run.join("metrics.jsonl")) > 3 && run.join("checkpoint.safetensors").exists());
    let resumed = tanner(folder.path(), "--resume run");
    assert!(resumed.code == Some(0) && resumed.stderr.contains(", resumes after "), "{resumed:?}");
    assert!(outcome(&run) == outcome(&folder.path().join("whole")));
}

/// The last and the best model are saved, and both accuracies reported.
#[test]
fn patience_stops_early_and_keeps_the_best() {
    let folder = folder_with_data();
    let line = format!("{NETWORK} --epochs 400 --lr 0.5 --validation 20 --patience 5 --out run");
    let outcome = tanner(folder.path(), &line);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(
        outcome.stderr.contains("stopped early: no better validation accuracy in 5 epochs"),
        "{outcome:?}"
    );
    let run = folder.path().join("run");
    let summary = json(&run.join("summary.json"));
    assert_eq!(summary["stopped_early"], true);
    let number = |key: &str| summary[key].as_u64().unwrap();
    assert_eq!(number("epochs"), number("best_epoch") + 5);
    assert_eq!(lines(&run.join("metrics.jsonl")) as u64, number("epochs"));
    assert_eq!(json(&run.join("config.json"))["patience"], 5);
    let load = |name: &str| tanner::model::TrainedModel::load(run.join(name)).unwrap();
    assert_eq!(load("model.safetensors").epochs_trained() as u64, number("epochs"));
    assert_eq!(load("best.safetensors").epochs_trained() as u64, number("best_epoch"));
    let again = tanner(folder.path(), "--resume run");
    assert!(again.code == Some(0) && again.stderr.contains("is finished"), "{again:?}");
}

#[test]
fn a_run_that_finishes_while_another_process_waits_stays_finished() {
    let folder = folder_with_data();
    for name in ["a", "b", "c"] {
        let mut child = start(folder.path(), &format!("{NETWORK} --epochs 1500 --out {name}"));
        wait_for_lines(&folder.path().join(name).join("metrics.jsonl"), 3);
        let line = format!("train --resume {name}");
        let last = loop {
            let outcome = tanner(folder.path(), &line);
            if !outcome.stderr.contains("another process") {
                break outcome;
            }
        };
        assert!(child.wait().unwrap().success());
        assert!(last.code == Some(0) && last.stderr.contains("is finished"), "{last:?}");
        assert_eq!(lines(&folder.path().join(name).join("metrics.jsonl")), 1500);
    }
}

#[test]
fn a_finished_run_says_what_has_no_effect_and_a_damaged_one_is_refused() {
    let folder = folder_with_data();
    let run = folder.path().join("run");
    assert_eq!(tanner(folder.path(), &format!("{NETWORK} --epochs 3 --out run")).code, Some(0));
    let outcome = tanner(folder.path(), "train --resume run --data nowhere");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("warning: --data has no effect on a finished run"), "{outcome:?}");
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let first = metrics.lines().next().unwrap();
    fs::write(run.join("metrics.jsonl"), format!("{first}\n")).unwrap();
    refused(folder.path(), "train --resume run", 1, &["is damaged", "1 readable epochs", "summary.json"]);
}

#[test]
fn a_batch_continues_after_its_data_moved() {
    let folder = folder_with_data();
    let line = "compare --seeds 1 --backend cpu --threads 1 --out out --run";
    let flags = "a=--hidden=16,16 --blocks=2 --degrees=6,4 --batch-size=10 --epochs=2";
    let compare = |data: &str| {
        let words = line.split_whitespace().chain([flags, "--data", data]);
        let output = crate::support::command(folder.path()).args(words).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(compare("data").0, Some(0));
    fs::rename(folder.path().join("data"), folder.path().join("moved")).unwrap();
    let (code, stderr) = compare("moved");
    assert!(code == Some(0) && !stderr.contains("started"), "{stderr}");
    // Other data are noticed.
    let pictures = folder.path().join("moved/train-images-idx3-ubyte");
    let mut bytes = fs::read(&pictures).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&pictures, bytes).unwrap();
    assert_eq!(compare("moved").0, Some(1));
}
