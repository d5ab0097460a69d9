//! Signals that end a job.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{SMALL, folder_with_data, tanner};

/// The binary in a folder, with readable stderr, started by a shell that runs a command first.
fn start(folder: &Path, before: &str, line: &str) -> Child {
    // The tests may run under `nohup` themselves.
    let env = if before.is_empty() && cfg!(target_os = "linux") { "env --default-signal=HUP" } else { "" };
    let script = format!("{before} exec {env} {} {line}", env!("CARGO_BIN_EXE_tanner"));
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(folder).env("NODEVICE_SELECT", "1");
    command.env("XDG_RUNTIME_DIR", folder).env("TANNER_CACHE", "");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(child: &Child, signals: &[&str]) {
    let one = |signal: &&str| format!("kill -{signal} {}", child.id());
    let script = signals.iter().map(one).collect::<Vec<_>>().join("; ");
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
}

/// Waits until a file exists and is not empty.
fn wait_for(file: &Path) {
    let begin = Instant::now();
    while fs::read(file).map_or(0, |bytes| bytes.len()) == 0 {
        assert!(begin.elapsed() < Duration::from_secs(60), "{} does not come", file.display());
        sleep(Duration::from_millis(10));
    }
}

/// Exit code and the last line of stderr.
fn ended(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), stderr.lines().last().unwrap_or_default().to_owned())
}

#[test]
fn every_signal_that_ends_a_job_saves_and_says_how_to_continue() {
    let folder = folder_with_data();
    let signals =
        [("HUP", 1), ("INT", 2), ("QUIT", 3), ("USR1", 10), ("USR2", 12), ("TERM", 15), ("XCPU", 24)];
    for (name, number) in signals {
        let line = format!("{SMALL} --epochs 1000000 --out {name}");
        let child = start(folder.path(), "", &line);
        wait_for(&folder.path().join(name).join("metrics.jsonl"));
        // `timeout` sends its signal twice; systemd SIGHUP after SIGTERM.
        send(&child, &[name, name, "HUP"]);
        let (code, last) = ended(child);
        assert_eq!(code, Some(128 + number), "{last}");
        let named = if name == "INT" { "Ctrl-C".to_owned() } else { format!("SIG{name}") };
        assert!(last.starts_with(&format!("stopped by {named} after ")), "{last}");
        assert!(last.ends_with(&format!("; resume with: tanner train --resume {name}")), "{last}");
        assert!(folder.path().join(name).join("checkpoint.safetensors").exists(), "{name}");
    }
}

#[test]
fn hangup_under_nohup_is_ignored() {
    let folder = folder_with_data();
    let child = start(folder.path(), "trap '' HUP;", &format!("{SMALL} --epochs 1000000 --out run"));
    let metrics = folder.path().join("run/metrics.jsonl");
    wait_for(&metrics);
    send(&child, &["HUP"]);
    let there = fs::read(&metrics).unwrap().len();
    let begin = Instant::now();
    while fs::read(&metrics).unwrap().len() < there + 2000 {
        assert!(begin.elapsed() < Duration::from_secs(60), "the run does not continue");
        sleep(Duration::from_millis(10));
    }
    send(&child, &["TERM"]);
    assert_eq!(ended(child).0, Some(143));
}

#[test]
fn before_its_first_step_a_run_ends_at_once_and_says_that_nothing_is_saved() {
    let folder = folder_with_data();
    // A pipe without a writer: the data never arrive.
    assert!(Command::new("mkfifo").arg(folder.path().join("slow.csv")).status().unwrap().success());
    for (line, rest) in [
        ("--backend cpu --data slow.csv", " before the first step; nothing is saved"),
        ("compare --data slow.csv --out out --run a=", "; repeat the command to resume"),
    ] {
        let child = start(folder.path(), "", line);
        sleep(Duration::from_millis(500));
        send(&child, &["USR1"]);
        assert_eq!(ended(child), (Some(138), format!("stopped by SIGUSR1{rest}")), "{line}");
    }
}

#[test]
fn after_its_last_step_a_run_is_kept_until_all_of_it_is_written() {
    let folder = folder_with_data();
    let mut finished = 0;
    for wait in 0..40 {
        let run = folder.path().join(format!("r{wait}"));
        let child = start(folder.path(), "", &format!("{SMALL} --epochs 1 --out r{wait}"));
        wait_for(&run.join("metrics.jsonl"));
        sleep(Duration::from_millis(wait));
        send(&child, &["TERM"]);
        let (code, last) = ended(child);
        if run.join("summary.json").exists() {
            finished += 1;
            assert_eq!(code, Some(0), "{wait} ms: {last}");
        } else {
            assert_eq!(code, Some(143), "{wait} ms: {last}");
            assert!(run.join("checkpoint.safetensors").exists(), "{wait} ms: {last}");
        }
    }
    assert!(finished > 0);
}

#[test]
fn a_second_signal_ends_at_once() {
    let folder = folder_with_data();
    // One step takes far longer than the signals are apart.
    let line = "--data data --arch fc --hidden 3000,3000,3000,3000 --importance none --batch-size 60 --epochs 1000 \
                --backend reference --out run";
    let mut child = start(folder.path(), "", line);
    // The last line before the first step.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("run: run")));
    sleep(Duration::from_millis(200));
    send(&child, &["TERM"]);
    sleep(Duration::from_millis(800));
    assert!(child.try_wait().unwrap().is_none(), "it waits for its step");
    send(&child, &["INT"]);
    let begin = Instant::now();
    let (code, _) = ended(child);
    assert_eq!(code, Some(130));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn a_file_beyond_the_limit_is_an_error_in_a_line() {
    let folder = folder_with_data();
    // 512 bytes: less than a model has.
    let mut child = start(folder.path(), "ulimit -f 1;", &format!("{SMALL} --out run"));
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{stderr}");
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(matches!(errors[..], [error] if error.contains("File too large")), "{stderr}");
}

#[test]
fn too_little_address_space_is_one_line() {
    let folder = folder_with_data();
    assert_eq!(tanner(folder.path(), &format!("{SMALL} --out run")).code, Some(0));
    // The address space that the process may have, in KiB, and a command line for which it is not enough.
    for (limit, line) in [
        (400_000, "--data data --backend cpu --arch fc --hidden 6000,6000 --importance none --out big"),
        (300_000, "--data data --backend cpu --arch rsp --hidden 300000,300000 --degree 20 --out wide"),
        (300_000, "bench --backend cpu --arch fc --batch 65536"),
    ] {
        let before = format!("ulimit -v {limit};");
        let output = start(folder.path(), &before, line).wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}: {stderr}");
        let last = stderr.lines().last().unwrap();
        assert!(last.starts_with("error: ") && last.contains("ulimit -v"), "{stderr}");
        // Flags, not settings.
        assert!(!last.contains('`'), "{stderr}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn devices_says_that_address_space_is_too_narrow() {
    let child = start(Path::new("."), "ulimit -v 200000;", "devices");
    let (code, last) = ended(child);
    assert_eq!(code, Some(0), "{last}");
    let why = "the limit on address space leaves no memory for a GPU driver";
    assert_eq!(last, format!("auto chooses the CPU: {why}"));
}

/// A heap for each thread would take 128 MiB of it.
#[test]
#[cfg(target_os = "linux")]
fn more_address_space_than_is_enough_is_enough() {
    let folder = folder_with_data();
    for limit in (100_000..=400_000).step_by(50_000) {
        let line = format!(
            "--data data --backend cpu --threads 4 --importance none --hidden 16 --epochs 2 --out v{limit}"
        );
        let output = start(folder.path(), &format!("ulimit -v {limit};"), &line).wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{limit} KiB: {stderr}");
    }
}

/// A table of 40,000 rows and 51 columns.
fn table() -> String {
    let row = |row: usize| {
        let cells = (0..50).map(|column| format!("{},", (row * 7 + column * row) % 10));
        cells.chain([format!("{}\n", row % 2)]).collect::<String>()
    };
    (0..40_000).map(row).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn a_failed_allocation_says_how_to_continue_if_something_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.csv"), table()).unwrap();
    let begin = "--data t.csv --backend cpu --threads 2 --importance none --hidden 16,16 --epochs 8 \
                 --checkpoint-every 1 --out run";
    let mut child = start(folder.path(), "", begin);
    wait_for(&folder.path().join("run/checkpoint.safetensors"));
    child.kill().unwrap();
    child.wait().unwrap();
    for (line, how) in [
        ("train --resume run --threads 2", "; resume with: tanner train --resume run"),
        (
            "compare --data t.csv --backend cpu --threads 2 --seeds 1 --out many --run a=--importance=none",
            "; repeat the command to resume",
        ),
    ] {
        let mut seen = 0;
        for limit in (42_000..=66_000).step_by(3000) {
            let before = format!("ulimit -c 0; ulimit -v {limit};");
            let (code, last) = ended(start(folder.path(), &before, line));
            if !last.starts_with("error: out of memory: an allocation ") {
                assert!(code.is_some_and(|code| code < 2), "{limit} KiB: {last}");
                continue;
            }
            seen += 1;
            assert!(last.ends_with(how), "{limit} KiB: {last}");
        }
        assert!(seen > 0, "{line}");
    }
}

/// Whichever allocation fails first: small ones are not checked beforehand.
#[test]
fn an_allocation_that_fails_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.csv"), table()).unwrap();
    let line =
        "--data t.csv --backend cpu --threads 2 --importance none --hidden 16,16 --epochs 1 -q --out run";
    for limit in (42_000..=66_000).step_by(3000) {
        let before = format!("ulimit -c 0; ulimit -v {limit};");
        let output = start(folder.path(), &before, line).wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        if output.status.code() == Some(0) {
            fs::remove_dir_all(folder.path().join("run")).unwrap();
            continue;
        }
        assert_eq!(output.status.code(), Some(1), "{limit} KiB: {stderr}");
        let errors: Vec<&str> = stderr.lines().filter(|line| !line.starts_with("warning: ")).collect();
        let [error] = errors[..] else { panic!("{limit} KiB: {stderr}") };
        let is_clear =
            error.starts_with("error: ") && error.contains("out of memory: ") && error.contains("iB");
        assert!(is_clear, "{limit} KiB: {error}");
        let _ = fs::remove_dir_all(folder.path().join("run"));
    }
}
