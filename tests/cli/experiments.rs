//! Many runs in one folder: interrupted and resumed, compared, refused.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{folder_with_data, refused, tanner};

const ENGINE: &str = "--data data --backend cpu --threads 1";
/// A network for the small pictures.
const NETWORK: &str = "--hidden 16,16 --blocks 2 --degrees 6,4 --batch-size 10";

/// Two runs: descending and ascending order.
fn table1(out: &str, epochs: usize) -> Vec<String> {
    let line = format!("table1 --recipe tanner --cells pca-sc --seeds 1 --out {out} {ENGINE}");
    let mut words: Vec<String> = line.split_whitespace().map(Into::into).collect();
    words.extend(["--with".into(), format!("{NETWORK} --epochs {epochs}")]);
    words
}

fn run(folder: &Path, words: &[String]) -> (bool, String, String) {
    let output = crate::support::command(folder).args(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

fn start(folder: &Path, words: &[String]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tanner"));
    command.args(words).current_dir(folder).env("NODEVICE_SELECT", "1").env("XDG_RUNTIME_DIR", folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until the file has some lines.
fn wait_for_lines(path: &Path, lines: usize) {
    let begin = Instant::now();
    loop {
        let there = fs::read_to_string(path).map_or(0, |text| text.lines().count());
        if there >= lines {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{} has {there} lines", path.display());
        sleep(Duration::from_millis(2));
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_table_becomes_the_uninterrupted_one_bit_for_bit() {
    let folder = folder_with_data();
    // The second run must be in the middle when its signal comes, even on a busy machine.
    let epochs = 4000;
    let (fine, stdout, stderr) = run(folder.path(), &table1("whole", epochs));
    assert!(fine, "{stderr}");
    assert!(stdout.contains("pca\tdesc\tsc\t87.18\t"), "{stdout}");
    for (out, signals) in [("killed", &["-KILL"][..]), ("stopped", &["-TERM"])] {
        let words = table1(out, epochs);
        let mut child = start(folder.path(), &words);
        // In the middle of the second run.
        let metrics = folder.path().join(out).join("runs/tanner-pca-asc-sc-s0/metrics.jsonl");
        wait_for_lines(&metrics, 3);
        for signal in signals {
            let kill = Command::new("kill").args([signal, &*child.id().to_string()]).status().unwrap();
            assert!(kill.success(), "{out}");
        }
        assert!(!child.wait().unwrap().success());
        assert!(!metrics.with_file_name("summary.json").exists(), "{out} too late");
        assert!(!folder.path().join(out).join("table1-tanner.md").exists());

        let (fine, _, stderr) = run(folder.path(), &words);
        assert!(fine, "{stderr}");
        assert!(stderr.contains("[1/2] tanner-pca-desc-sc-s0") && stderr.contains("(finished before)"));
        assert!(stderr.contains("[2/2] tanner-pca-asc-sc-s0: "), "{stderr}");
        // Killed within seconds, it has saved nothing yet; Ctrl-C saves a checkpoint.
        let how = if out == "killed" { "asc-sc-s0: started" } else { "asc-sc-s0: resumes after " };
        assert!(stderr.contains(how), "{stderr}");
        let whole = files(&folder.path().join("whole"));
        assert_eq!(whole.len(), 4, "md, json, png, svg");
        assert!(files(&folder.path().join(out)) == whole, "{out}: another table");
    }
}

#[test]
fn a_finished_run_with_other_settings_is_refused() {
    let folder = folder_with_data();
    assert!(run(folder.path(), &table1("out", 1)).0);
    let (fine, _, stderr) = run(folder.path(), &table1("out", 2));
    assert!(!fine && stderr.contains("holds a finished run with a different recipe.epochs"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    // Repeating it does no work.
    let (fine, _, stderr) = run(folder.path(), &table1("out", 1));
    assert!(fine && !stderr.contains("started"), "{stderr}");
}

fn compare(folder: &Path, runs: &[String]) -> (bool, String, String) {
    let line = format!("compare --seeds 1 --out c {ENGINE}");
    let mut words: Vec<String> = line.split_whitespace().map(Into::into).collect();
    words.extend(runs.iter().flat_map(|run| ["--run".to_owned(), run.clone()]));
    run(folder, &words)
}

/// A reason that stops all runs is reported once, and without runs there is no table.
#[cfg(unix)]
#[test]
fn one_reason_of_many_failures_is_reported_once() {
    let folder = folder_with_data();
    let mut command = crate::support::command(folder.path());
    command.env("VK_DRIVER_FILES", "/nowhere").env("VK_ICD_FILENAMES", "/nowhere");
    let line = "compare --seeds 2 --out c --data data --backend gpu --adapter 7";
    let output = command.args(line.split_whitespace()).args(["--run", "a=", "--run", "b="]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), &*output.stdout), (Some(1), &[][..]), "{stderr}");
    assert_eq!(stderr.matches("failed for the same reason as a-s0").count(), 3, "{stderr}");
    let end = "error: runs that failed, for the reasons above: a-s0, b-s0, a-s1, b-s1\n";
    assert!(stderr.ends_with(end), "{stderr}");
}

#[test]
fn a_run_with_more_or_fewer_settings_or_other_data_is_another_run() {
    let folder = folder_with_data();
    let with = |flags: &str| vec![format!("a={NETWORK} --epochs 1 {flags}")];
    for flags in ["--augment flip", "--validation 15", "--train-limit 20"] {
        assert!(compare(folder.path(), &with(flags)).0, "{flags}");
        let (fine, _, stderr) = compare(folder.path(), &with(""));
        assert!(!fine && stderr.contains("holds a finished run with a different"), "{flags}: {stderr}");
        fs::remove_dir_all(folder.path().join("c")).unwrap();
    }
    assert!(compare(folder.path(), &with("")).0);
    let labels = folder.path().join("data/t10k-labels-idx1-ubyte");
    let mut bytes = fs::read(&labels).unwrap();
    bytes[8] = (bytes[8] + 1) % 3;
    fs::write(&labels, bytes).unwrap();
    let (fine, _, stderr) = compare(folder.path(), &with(""));
    assert!(!fine && stderr.contains("a different data_sha256"), "{stderr}");
}

#[test]
fn a_run_that_fails_does_not_keep_the_others_from_theirs() {
    let folder = folder_with_data();
    let runs =
        [format!("bad={NETWORK} --epochs 2 --optimizer sgd --lr 1e38"), format!("good={NETWORK} --epochs 1")];
    let (fine, stdout, stderr) = compare(folder.path(), &runs);
    assert!(!fine && stdout.contains("\ngood\t") && stdout.contains("\nbad\t\t0\t\t\t"), "{stdout}");
    assert!(stderr.contains("bad-s0: training diverged") || stderr.contains("diverged"), "{stderr}");
    assert!(stderr.lines().last().unwrap().starts_with("error: runs that failed"), "{stderr}");
    assert!(folder.path().join("c/comparison.json").exists());
}

#[cfg(unix)]
#[test]
fn every_run_has_its_own_lock_and_a_locked_run_is_skipped() {
    let folder = folder_with_data();
    let runs = [format!("lr-0.1={NETWORK} --epochs 1"), format!("lr-0.2={NETWORK} --epochs 1 --lr 0.2")];
    assert!(compare(folder.path(), &runs).0);
    let lock = folder.path().join("c/runs/.lr-0.1-s0.lock");
    assert!(lock.exists() && folder.path().join("c/runs/.lr-0.2-s0.lock").exists());
    let held = fs::File::create(&lock).unwrap();
    held.lock().unwrap();
    // Runs that the other process has finished meanwhile are in the table, and nothing is missing.
    let (fine, stdout, stderr) = compare(folder.path(), &runs);
    assert!(
        fine && stderr.contains("[1/2] lr-0.1-s0: another process is working on it, skipped"),
        "{stderr}"
    );
    assert!(stdout.contains("\nlr-0.1\t243\t1\t"), "{stdout}");
    fs::remove_file(folder.path().join("c/runs/lr-0.1-s0/summary.json")).unwrap();
    let (fine, stdout, stderr) = compare(folder.path(), &runs);
    assert!(
        !fine && stderr.contains("error: not all runs are finished, another process is working on lr-0.1-s0"),
        "{stderr}"
    );
    assert!(stdout.contains("\nlr-0.2\t") && stdout.contains("\nlr-0.1\t\t0\t"), "{stdout}");
}

/// A process that collects results waits for another one that does, so that the more complete results are written last.
#[cfg(unix)]
#[test]
fn results_are_written_by_one_process_at_a_time() {
    let folder = folder_with_data();
    let runs = [format!("a={NETWORK} --epochs 1")];
    assert!(compare(folder.path(), &runs).0);
    let held = fs::File::create(folder.path().join("c/runs/results.lock")).unwrap();
    held.lock().unwrap();
    fs::remove_file(folder.path().join("c/comparison.md")).unwrap();
    let line = "compare --out c --data data --report-only --run";
    let mut words: Vec<String> = line.split_whitespace().map(Into::into).collect();
    words.push(runs[0].clone());
    let mut child = start(folder.path(), &words);
    sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none() && !folder.path().join("c/comparison.md").exists());
    drop(held);
    assert!(child.wait().unwrap().success() && folder.path().join("c/comparison.md").exists());
}

#[test]
fn a_damaged_run_is_skipped_reported_and_kept() {
    let folder = folder_with_data();
    let runs = ["a", "b", "c", "d", "e"].map(|name| format!("{name}={NETWORK} --epochs 1"));
    assert!(compare(folder.path(), &runs[..4]).0);
    let place = |name: &str| folder.path().join("c/runs").join(name);
    fs::write(place("a-s0/summary.json"), "{").unwrap();
    fs::write(place("b-s0/config.json"), "").unwrap();
    fs::remove_file(place("c-s0/summary.json")).unwrap();
    fs::write(place("c-s0/notes.txt"), "mine").unwrap();
    fs::remove_dir_all(place("d-s0")).unwrap();
    fs::write(place("d-s0"), "a file").unwrap();

    let (fine, stdout, stderr) = compare(folder.path(), &runs);
    assert!(!fine && stdout.contains("\ne\t243\t1\t"), "{stdout} {stderr}");
    for (name, part) in [
        ("[1/5] a-s0", "c/runs/a-s0/summary.json: "),
        ("[2/5] b-s0", "c/runs/b-s0/config.json: "),
        ("[3/5] c-s0", "c/runs/c-s0: holds notes.txt, "),
        ("[4/5] d-s0", "c/runs/d-s0: "),
    ] {
        let line = stderr.lines().find(|line| line.starts_with(name)).unwrap();
        let advice = format!("; remove c/runs/{} to repeat the run", &name[6..]);
        assert!(line.contains(part) && line.ends_with(&advice), "{line}");
    }
    // The remark on where the comparison is goes to stderr, not into the tab-separated table.
    let lines = stderr.lines().filter(|line| !line.starts_with("warning: nothing learned"));
    assert_eq!(lines.count(), 8, "{stderr}");
    let last = stderr.lines().last().unwrap();
    assert_eq!(last, "error: runs that failed, for the reasons above: a-s0, b-s0, c-s0, d-s0");
    assert!(place("c-s0/model.safetensors").exists() && place("c-s0/notes.txt").exists());

    let mut words: Vec<String> =
        ["compare", "--out", "c", "--report-only", "--data", "data"].map(Into::into).to_vec();
    words.extend(runs.iter().flat_map(|run| ["--run".to_owned(), run.clone()]));
    let (fine, stdout, stderr) = run(folder.path(), &words);
    assert!(!fine && stdout.contains("\ne\t243\t1\t"), "{stdout} {stderr}");
    assert!(stderr.ends_with("error: runs that failed, for the reasons above: a-s0, b-s0\n"), "{stderr}");
}

#[test]
fn scores_on_other_samples_are_not_compared() {
    let folder = folder_with_data();
    let runs = [format!("a={NETWORK} --epochs 1"), format!("b={NETWORK} --epochs 1 --validation 15")];
    let (fine, _, stderr) = compare(folder.path(), &runs);
    assert!(!fine && stderr.contains("cannot be compared"), "{stderr}");
    assert!(!folder.path().join("c").exists());
}

#[test]
fn configurations_are_compared_pair_by_pair() {
    let folder = folder_with_data();
    let plan = format!(
        "flags = \"{NETWORK} --epochs 2 --validation 0.25\"\n\
         [[configuration]]\nname = \"plain\"\nflags = \"\"\n\
         [[configuration]]\nname = \"tanh\"\nflags = \"--activation tanh\"\n"
    );
    fs::write(folder.path().join("plan.toml"), plan).unwrap();
    let outcome =
        tanner(folder.path(), &format!("compare plan.toml --baseline tanh --seeds 2 --out c {ENGINE}"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("validation accuracy"), "{outcome:?}");
    let text = fs::read_to_string(folder.path().join("c/comparison.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["baseline"], "tanh");
    let plain = &json["configurations"][0];
    assert_eq!(plain["runs"].as_array().unwrap().len(), 2);
    assert_eq!(plain["runs"][0]["scored_on"], "validation");
    assert_eq!(plain["minus_baseline"]["difference"]["count"], 2);
    let summary = fs::read_to_string(folder.path().join("c/runs/plain-s1/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!((&summary["train_samples"], &summary["test_samples"]), (&45.into(), &15.into()));
    assert_eq!(plain["runs"][1]["accuracy"], summary["test_accuracy"]);
}

#[test]
fn figure2_counts_in_a_model_and_its_axis_tells_the_order_of_the_inputs() {
    let folder = folder_with_data();
    for (order, label) in [("desc", "most important first"), ("asc", "least important first")] {
        let train = format!("{} --epochs 1 --order {order} --out run-{order}", crate::support::SMALL);
        assert_eq!(tanner(folder.path(), &train).code, Some(0));
        let line = format!("figure2 --model run-{order}/model.safetensors --threshold 0.01 --out {order}");
        let outcome = tanner(folder.path(), &line);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let svg = fs::read_to_string(folder.path().join(order).join("figure2.svg")).unwrap();
        assert!(svg.contains(label), "{order}");
    }
}

#[test]
fn mistakes_are_reported_before_anything_runs() {
    let folder = folder_with_data();
    let write = |text: &str| fs::write(folder.path().join("plan.toml"), text).unwrap();
    let compare = format!("compare plan.toml --out c {ENGINE}");
    for (text, part) in [
        ("", "there is no [[configuration]]"),
        ("[[configuration]]\nname = \"a/b\"\nflags = \"\"\n", "cannot be the name of a configuration"),
        ("[[configuration]]\nname = \"a\"\nflags = \"--epoch 3\"\n", "'--epochs'"),
        ("[[configuration]]\nname = \"a\"\nflags = \"--seed 3\"\n", "--seed applies to all runs"),
        ("[[configuration]]\nname = \"a\"\nflags = \"eval --model m\"\n", "'--model'"),
        ("[[configuration]]\nname = \"a\"\nflags = \"--epochs 0\"\n", "--epochs: 0 "),
        ("[[configuration]]\nname = \"a\"\nflag = \"\"\n", "plan.toml: a: \"flag\" is not a setting"),
        ("[[configuration]]\nname = \"a\"\nflags = \"'\"\n", "a: \"'\""),
    ] {
        write(text);
        refused(folder.path(), &compare, 1, &[part]);
    }
    write("[[configuration]]\nname = \"a\"\nflags = \"\"\n[[configuration]]\nname = \"a\"\nflags = \"\"\n");
    refused(folder.path(), &compare, 1, &["two configurations are called \"a\""]);
    write("[[configuration]]\nname = \"a\"\nflags = \"\"\n");
    refused(
        folder.path(),
        &format!("{compare} --baseline b"),
        1,
        &["--baseline: no configuration is called"],
    );
    refused(folder.path(), &format!("compare --out c {ENGINE}"), 1, &["nothing to compare"]);
    refused(folder.path(), &format!("compare --out c --run sc {ENGINE}"), 1, &["--run: \"sc\" has no name"]);
    refused(folder.path(), &format!("{compare} --seeds 0"), 1, &["--seeds: 0 is invalid"]);
    refused(folder.path(), &format!("table1 --out c --cells pca-xx {ENGINE}"), 1, &["--cells: \"pca-xx\""]);
    refused(folder.path(), "train --validation 1.5", 2, &["--validation"]);
    refused(folder.path(), "train --data data --validation 60", 1, &["--validation", "60 of 60"]);
    assert!(!folder.path().join("c").exists());
}
