//! Watching runs while they train.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::killing::{End, end, start};
use crate::support::{SMALL, command, folder_with_data, tanner};

/// The state of the only run below a folder, by `tanner runs`.
fn state(folder: &Path) -> String {
    let runs = tanner(folder, "runs . --json");
    let runs: Vec<Value> = serde_json::from_str(&runs.stdout).unwrap();
    let [run] = &runs[..] else { panic!("{runs:?}") };
    run["state"].as_str().unwrap().to_owned()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_page_is_rewritten_while_its_run_trains() {
    let folder = folder_with_data();
    let line = format!("{SMALL} --out run").replace("--epochs 3", "--epochs 1000000");
    let mut run = start(folder.path(), &line);
    let metrics = folder.path().join("run/metrics.jsonl");
    wait_until("no epoch has ended", || fs::metadata(&metrics).is_ok_and(|file| file.len() > 0));
    assert_eq!(state(folder.path()), "running");
    let mut report = start(folder.path(), "report run --watch");
    let page = || fs::read_to_string(folder.path().join("report.html")).unwrap_or_default();
    let refresh = "http-equiv=\"refresh\"";
    wait_until("no page", || page().contains(refresh));
    let first = page();
    wait_until("the page is not written again", || page() != first);
    end(&mut run, End::Interrupt);
    assert_eq!(state(folder.path()), "stopped");
    assert!(report.wait().unwrap().success());
    assert!(!page().contains(refresh) && page().contains("interrupted"));
    // Nothing is running: one page, at once.
    let once = tanner(folder.path(), "report run --watch");
    assert_eq!(once.code, Some(0), "{once:?}");
}

/// A page of a run that makes no progress is left alone, and Ctrl-C ends watching without a failure.
#[cfg(target_os = "linux")]
#[test]
fn watching_ends_by_ctrl_c_and_writes_nothing_without_progress() {
    let folder = folder_with_data();
    let line = format!("{SMALL} --out run").replace("--epochs 3", "--epochs 1000000");
    let mut run = start(folder.path(), &line);
    let metrics = folder.path().join("run/metrics.jsonl");
    wait_until("no epoch has ended", || fs::metadata(&metrics).is_ok_and(|file| file.len() > 0));
    // A run that is halted holds its lock and ends no epoch.
    let signal = |name: &str, id: u32| {
        let sent = std::process::Command::new("kill").args([name, &id.to_string()]).status().unwrap();
        assert!(sent.success(), "kill {name}");
    };
    signal("-STOP", run.id());
    let mut report = start(folder.path(), "report run --watch");
    let page = folder.path().join("report.html");
    wait_until("no page", || page.exists());
    let written = || fs::metadata(&page).unwrap().modified().unwrap();
    let first = written();
    sleep(Duration::from_secs(5));
    assert_eq!(written(), first);
    let ended = end(&mut report, End::Interrupt);
    assert!(ended.success(), "{ended}");
    assert!(!fs::read_to_string(&page).unwrap().contains("http-equiv=\"refresh\""));
    signal("-CONT", run.id());
    end(&mut run, End::Interrupt);
}

#[cfg(target_os = "linux")]
#[test]
fn a_page_is_shown_in_a_browser() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = folder_with_data();
    assert_eq!(tanner(folder.path(), &format!("{SMALL} --out run")).code, Some(0));
    let programs = folder.path().join("bin");
    fs::create_dir(&programs).unwrap();
    let browser = programs.join("xdg-open");
    fs::write(&browser, "#!/bin/sh\necho \"$1\" > shown\n").unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", programs.display());
    let report =
        || command(folder.path()).args(["report", "run", "--open"]).env("PATH", &path).output().unwrap();
    assert!(report().status.success());
    let shown = folder.path().join("shown");
    wait_until("nothing was shown", || {
        fs::read_to_string(&shown).is_ok_and(|text| text.ends_with("report.html\n"))
    });
    let alone = command(folder.path()).args(["report", "run", "--open"]).env("PATH", "").output().unwrap();
    assert!(alone.status.success());
    let stderr = String::from_utf8(alone.stderr).unwrap();
    assert!(stderr.contains("found no browser: open report.html"), "{stderr}");
}
