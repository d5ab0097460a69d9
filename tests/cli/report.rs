//! Looking at runs: the page, the list, event files.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{SMALL, folder_with_data, refused, tanner};

fn train(folder: &Path, flags: &str, out: &str) {
    let outcome = tanner(folder, &format!("{SMALL} {flags} --out {out}"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

#[test]
fn a_page_shows_runs_whatever_has_become_of_them() {
    let folder = folder_with_data();
    for (out, flags) in [("a", "--seed 1"), ("b", "--seed 2 --validation 0.2"), ("c", ""), ("d", "")] {
        train(folder.path(), flags, out);
    }
    // One was interrupted, one is damaged.
    fs::remove_file(folder.path().join("c/summary.json")).unwrap();
    fs::write(folder.path().join("d/model.safetensors"), "no model").unwrap();
    fs::write(folder.path().join("d/config.json"), "{").unwrap();
    let outcome = tanner(folder.path(), "report a b c");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.starts_with("report report.html ("), "{outcome:?}");
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    for part in
        ["run-3-confusion", "run-2-examples", "recorded", "is still going on", "12 validation samples"]
    {
        assert_eq!(page.contains(part), part != "recorded", "{part}");
    }
    // One folder that is none and one that is damaged keep nobody from the rest.
    let outcome = tanner(folder.path(), "report d missing a --out all.html");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(
        outcome
            .stderr
            .ends_with("error: of 3 folders 1 hold no run and 1 a damaged one; the page shows the rest\n"),
        "{outcome:?}"
    );
    let page = fs::read_to_string(folder.path().join("all.html")).unwrap();
    for part in
        ["config.json is damaged", "Not shown: missing", "not a usable model file", "id=\"run-2-confusion\""]
    {
        assert!(page.contains(part), "no {part:?}");
    }
}

#[test]
fn data_are_found_from_anywhere_or_their_absence_is_told() {
    let folder = folder_with_data();
    train(folder.path(), "", "runs/a");
    let elsewhere = tempfile::tempdir().unwrap();
    let run = folder.path().join("runs/a");
    let line = format!("report {} --out page.html", run.display());
    assert_eq!(tanner(elsewhere.path(), &line).code, Some(0));
    let page = || fs::read_to_string(elsewhere.path().join("page.html")).unwrap();
    assert!(page().contains("id=\"run-1-confusion\""));
    fs::rename(folder.path().join("data"), folder.path().join("moved")).unwrap();
    let outcome = tanner(elsewhere.path(), &line);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("no confusion matrix: --data: data of the run in "), "{outcome:?}");
    assert!(page().contains("No confusion matrix") && page().contains("id=\"run-1-weights\""));
    let outcome = tanner(elsewhere.path(), &format!("{line} --data {}/moved", folder.path().display()));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert!(page().contains("id=\"run-1-confusion\""));
}

#[test]
fn no_file_but_a_page_is_replaced() {
    let folder = folder_with_data();
    train(folder.path(), "", "a");
    refused(folder.path(), "report a --out a/model.safetensors", 1, &["--out: ", "no page of tanner"]);
    refused(folder.path(), "report a --out nowhere/page.html", 1, &["--out: there is no folder nowhere"]);
    let many = vec!["a"; 17].join(" ");
    refused(
        folder.path(),
        &format!("report {many}"),
        1,
        &["17 runs are too many for one page, the limit is 16"],
    );
    refused(folder.path(), "report", 2, &["<DIR>"]);
    for _ in 0..2 {
        assert_eq!(tanner(folder.path(), "report a").code, Some(0));
    }
}

#[test]
fn runs_are_listed_as_table_and_json() {
    let folder = folder_with_data();
    for (out, flags) in [("runs/b", "--seed 1"), ("runs/a", "--arch fc --backend reference")] {
        let flags = format!("{SMALL} {flags} --out {out}");
        let flags = if out == "runs/a" {
            flags.replace("--blocks 2 --degrees 6,4", "").replace("--backend cpu --threads 2", "")
        } else {
            flags
        };
        let outcome = tanner(folder.path(), &flags);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }
    fs::create_dir(folder.path().join("runs/inspect")).unwrap();
    let json = |line: &str| -> Vec<Value> {
        let outcome = tanner(folder.path(), line);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let names = |line: &str| {
        json(line).iter().map(|run| run["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("runs --json --sort name"), ["a", "b"]);
    assert_eq!(names("runs --json --sort parameters"), ["b", "a"]);
    assert_eq!(names("runs runs --json --limit 1 --sort name"), ["a"]);
    let runs = json("runs --json --sort name");
    assert_eq!((&runs[1]["parameters"], &runs[1]["state"]), (&243.into(), &"finished".into()));
    assert_eq!((&runs[1]["epochs"], &runs[1]["scored_on"]), (&3.into(), &"test".into()));
    fs::remove_file(folder.path().join("runs/b/summary.json")).unwrap();
    let table = tanner(folder.path(), "runs").stdout;
    for part in ["unfinished", "finished", "3 of 3", "243", "pca desc"] {
        assert!(table.contains(part), "no {part:?} in\n{table}");
    }
    refused(folder.path(), "runs nowhere", 1, &["nowhere: "]);
    refused(folder.path(), "runs --limit 0", 1, &["--limit: 0 is impossible"]);
    let none = tanner(folder.path(), "runs data");
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""));
}

#[test]
fn event_files_lie_where_they_are_wanted_and_change_nothing() {
    let folder = folder_with_data();
    let events = |place: &str| {
        let names = fs::read_dir(folder.path().join(place)).unwrap();
        let mut names = names.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.find(|name| name.starts_with("events.out.tfevents."))
    };
    train(folder.path(), "", "plain");
    train(folder.path(), "--tensorboard", "beside");
    train(folder.path(), "--tensorboard logs --seed 0", "below");
    assert_eq!(events("plain"), None);
    let model = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    assert!(model("plain") == model("beside") && model("plain") == model("below"));
    for place in ["beside", "logs/below"] {
        let bytes = fs::read(folder.path().join(place).join(events(place).unwrap())).unwrap();
        let count = |tag: &[u8]| bytes.windows(tag.len()).filter(|window| *window == tag).count();
        assert_eq!(
            [count(b"loss/train"), count(b"accuracy/test"), count(b"weights/layer_3")],
            [3; 3],
            "{place}"
        );
    }
    fs::write(folder.path().join("file"), "").unwrap();
    let line = format!("{SMALL} --tensorboard file --out last");
    let outcome = tanner(folder.path(), &line);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("error: --tensorboard: file"), "{outcome:?}");
    assert!(!folder.path().join("last").exists());
}
