//! Runs that are killed at random moments and resumed until they are done, compared with an uninterrupted one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::support::command;

/// How a run is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// `kill -9`.
    Kill,
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// A closed terminal.
    HangUp,
}

/// Every way, in turn.
pub(crate) const EVERY_END: [End; 4] = [End::Kill, End::Terminate, End::Interrupt, End::HangUp];

impl End {
    fn signal(self) -> &'static str {
        match self {
            Self::Kill => "-KILL",
            Self::Interrupt => "-INT",
            Self::Terminate => "-TERM",
            Self::HangUp => "-HUP",
        }
    }

    /// Exit code of a run that was ended while it trained.
    fn code(self) -> Option<i32> {
        match self {
            Self::Kill => None,
            Self::Interrupt => Some(130),
            Self::Terminate => Some(143),
            Self::HangUp => Some(129),
        }
    }
}

/// Moments between 0 and 1, the same in every test run.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> f64 {
        // Knuth's linear congruential generator; the upper bits are good enough for moments.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / f64::from(1u32 << 24)
    }
}

/// The binary, which reacts to SIGHUP even if the tests run under `nohup`.
pub(crate) fn listening() -> Command {
    let binary = env!("CARGO_BIN_EXE_tanner");
    if !cfg!(target_os = "linux") {
        return Command::new(binary);
    }
    let mut command = Command::new("env");
    command.args(["--default-signal=HUP", binary]);
    command
}

/// Starts the binary, ignoring its output.
pub(crate) fn start(folder: &Path, line: &str) -> Child {
    let mut command = listening();
    command.args(line.split_whitespace()).current_dir(folder).env("NODEVICE_SELECT", "1");
    command.env("XDG_RUNTIME_DIR", folder).env("TANNER_CACHE", folder.join("cache")).env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Ends a run, however far it is.
pub(crate) fn end(child: &mut Child, end: End) -> ExitStatus {
    // Fails if it has already ended.
    let _ =
        Command::new("kill").args([end.signal(), &*child.id().to_string()]).stderr(Stdio::null()).status();
    child.wait().unwrap()
}

/// The parts that may not differ: models, metrics and summary without times, and the list of files.
pub(crate) fn outcome(run: &Path) -> (Vec<String>, Vec<Vec<u8>>, Vec<Value>) {
    let mut names: Vec<String> =
        fs::read_dir(run).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    // A short run saves a checkpoint only when something ends it.
    names.retain(|name| name != "checkpoint.safetensors");
    names.sort();
    let models = ["model.safetensors", "best.safetensors"].map(|name| fs::read(run.join(name)).unwrap());
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    assert!(metrics.ends_with('\n'), "half a line");
    let summary = fs::read_to_string(run.join("summary.json")).unwrap();
    let mut values: Vec<Value> =
        metrics.lines().chain([&*summary]).map(|line| serde_json::from_str(line).unwrap()).collect();
    for value in &mut values {
        let object = value.as_object_mut().unwrap();
        // The adapter names the threads, which are free.
        object.retain(|key, _| !key.starts_with("seconds") && !["finished_at", "adapter"].contains(&&**key));
    }
    (names, models.into(), values)
}

/// Ends the run of a command line several times, resuming it each time, and demands the outcome of an
/// uninterrupted one. The ways to end it alternate, and each process has another number of threads than the previous
/// one, if that is free. Returns how often the run had a checkpoint when it was ended, and how often not yet.
pub(crate) fn survives(folder: &Path, flags: &str, endings: &[End], times: usize, seed: u64) -> [usize; 2] {
    let whole = command(folder).args(format!("{flags} --out whole").split_whitespace()).output().unwrap();
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    let first = window(&folder.join("whole"), times);
    let mut window = first;
    let expected = outcome(&folder.join("whole"));
    let (mut moments, mut ended, mut places) = (Moments(seed), 0, [0; 2]);
    for attempt in 0.. {
        // A signal after the last step has no effect: the run finishes.
        assert!(attempt < 200 * times, "runs are done before they can be ended");
        let run = folder.join(format!("run{attempt}"));
        while !run.join("summary.json").exists() {
            let line = next_line(&run, flags, attempt, ended);
            let ending = endings[ended % endings.len()];
            let mut child = start(folder, &line);
            if ended == times {
                assert!(child.wait().unwrap().success(), "{line}");
                continue;
            }
            sleep(Duration::from_secs_f64(window * moments.next()));
            let status = end(&mut child, ending);
            if !status.success() {
                // Before it trains, a run has nothing to save, and a signal has its default effect.
                assert!(status.code().is_none() || status.code() == ending.code(), "{line}: {status:?}");
                ended += 1;
                let is_early = !run.join("checkpoint.safetensors").exists();
                if is_early && ending != End::Kill && line.contains("--out") {
                    let lines = fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default();
                    assert!(lines.is_empty(), "{line}: {ending:?} loses what had been trained: {lines}");
                }
                places[usize::from(is_early)] += 1;
                // The machine may be slower or faster by now than it was for the whole run.
                window *= if is_early { 1.15 } else { 1.0 };
            } else {
                // A signal may be lost that comes before the program listens: where a shell in the background started
                // the tests, Ctrl-C is ignored until then. So moments that got too early are later ones again.
                window = if window > 0.3 * first { 0.85 * window } else { first };
            }
        }
        let line = format!("--resume run{attempt}");
        let finished = command(folder).args(line.split_whitespace()).output().unwrap();
        assert!(
            finished.status.success() && String::from_utf8_lossy(&finished.stderr).contains("is finished")
        );
        assert!(outcome(&run) == expected, "{flags}, {endings:?}: another outcome after {ended} times");
        if ended == times {
            return places;
        }
    }
    places
}

/// Seconds within which a run is ended each time, so that all of its parts are tested, but it is not done too early:
/// what comes before the first step, and a share of the training.
fn window(whole: &Path, times: usize) -> f64 {
    let summary: Value = serde_json::from_slice(&fs::read(whole.join("summary.json")).unwrap()).unwrap();
    let [total, training] = ["seconds_total", "seconds_training"].map(|key| summary[key].as_f64().unwrap());
    total - training + 2.0 * training / (times + 1) as f64
}

/// Resumes a run that has settings; one that was ended earlier starts again.
fn next_line(run: &PathBuf, flags: &str, attempt: usize, ended: usize) -> String {
    if run.join("config.json").exists() {
        let threads = if flags.contains("--backend cpu") {
            format!(" --threads {}", 1 + ended % 3)
        } else {
            String::new()
        };
        return format!("train --resume run{attempt}{threads}");
    }
    if run.exists() {
        fs::remove_dir_all(run).unwrap();
    }
    format!("train {flags} --out run{attempt}")
}
