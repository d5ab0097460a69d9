//! Reports, lists and event files of runs.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{SMALL, folder_with_data, refused, tanner};

fn train(folder: &Path, flags: &str, out: &str) {
    let outcome = tanner(folder, &format!("{SMALL} {flags} --out {out}"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

#[test]
fn a_page_shows_runs_in_every_state() {
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
    for part in ["run-3-confusion", "run-2-examples", "recorded", "was interrupted", "12 validation samples"]
    {
        assert_eq!(page.contains(part), part != "recorded", "{part}");
    }
    // A missing folder and a damaged run do not affect the others.
    let outcome = tanner(folder.path(), "report d missing a --out all.html");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(
        outcome.stderr.ends_with(
            "error: 1 of 3 folders hold no run, 1 of 2 runs are damaged; the page shows the rest\n"
        ),
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
fn data_are_found_from_anywhere_or_their_absence_is_reported() {
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
    // Named data that do not fit are a failure.
    let outcome = tanner(elsewhere.path(), &format!("{line} --data nowhere"));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let end = "error: the run has no confusion matrix, for the reasons above; the page shows the rest\n";
    assert!(outcome.stderr.ends_with(end), "{outcome:?}");
}

#[test]
fn no_file_but_a_page_is_replaced() {
    let folder = folder_with_data();
    train(folder.path(), "", "a");
    refused(
        folder.path(),
        "report a --out a/model.safetensors",
        1,
        &["--out: ", "is not a page made by tanner"],
    );
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
    for part in ["stopped", "finished", "\t3\t3\t", "\t243\t", "\tpca\tdesc\t"] {
        assert!(table.contains(part), "no {part:?} in\n{table}");
    }
    refused(folder.path(), "runs nowhere", 1, &["nowhere: "]);
    refused(folder.path(), "runs --limit 0", 1, &["--limit: 0 is invalid"]);
    let none = tanner(folder.path(), "runs data");
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""));
}

#[test]
fn runs_are_filtered_by_what_they_are_and_say_how_they_differ() {
    let folder = folder_with_data();
    for (out, flags) in [("a", "--seed 1"), ("b", "--lr 0.05"), ("c", "--lr 0.05 --validation 0.2")] {
        train(folder.path(), flags, &format!("runs/{out}"));
    }
    let names = |conditions: &str| {
        let outcome = tanner(folder.path(), &format!("runs --sort name --json {conditions}"));
        assert_eq!(outcome.code, Some(0), "{conditions}: {outcome:?}");
        let runs: Vec<Value> = serde_json::from_str(&outcome.stdout).unwrap();
        runs.iter().map(|run| run["name"].as_str().unwrap().to_owned()).collect::<String>()
    };
    for (conditions, expected) in [
        ("", "abc"),
        ("--where data=data", "abc"),
        ("--where data=wine", ""),
        ("--where lr=0.05", "bc"),
        ("--where lr!=0.05", "a"),
        ("--where seed=0 --where scored_on=test", "b"),
        ("--where validation=0.2", "c"),
        ("--where hidden=16,16", "abc"),
        ("--where epochs>=3", "abc"),
        ("--where epochs<3", ""),
        ("--where score>=100%", ""),
        ("--where dropout=0", "abc"),
        ("--where l2=5e-5", "abc"),
        ("--where validation=none", "ab"),
        ("--where data=some/data", "abc"),
        ("--where started>2026-01-01", "abc"),
        ("--where started<2026-01-01", ""),
        ("--where started>=2026-01 --where started!=2025-12-31", "abc"),
        ("--where accuracy>=0", "abc"),
        ("--where state=finished", "abc"),
        // A setting that has its default.
        ("--where batch-size=10 --where optimizer=momentum", "abc"),
    ] {
        assert_eq!(names(conditions), expected, "{conditions}");
    }
    let outcome = tanner(folder.path(), "runs --sort name --json");
    let runs: Vec<Value> = serde_json::from_str(&outcome.stdout).unwrap();
    let differs: Vec<String> = runs.iter().map(|run| run["differs"].to_string()).collect();
    assert_eq!(differs, [r#"{"lr":"0.1","seed":"1"}"#, "{}", r#"{"validation":"0.2"}"#]);
    assert_eq!(runs[0]["data"], "data");
    let table = tanner(folder.path(), "runs --where lr=0.05 --sort name").stdout;
    let cells: Vec<Vec<&str>> = table.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!((cells.len(), cells[0][0], cells[1][0], cells[2][0]), (3, "run", "b", "c"));
    assert!(cells.iter().all(|line| line.len() == cells[0].len()), "{table}");
    refused(
        folder.path(),
        "runs --where colour=red",
        1,
        &["--where: no run has a \"colour\"", "data, state, score"],
    );
    refused(folder.path(), "runs --where lr>fast", 1, &["--where: lr is compared with \"fast\""]);
    refused(folder.path(), "runs --where score>90", 1, &["--where: score is a share from 0 to 1, not 90"]);
    refused(folder.path(), "runs --where state=runing", 1, &["never \"runing\"", "running, stopped"]);
    let none = tanner(folder.path(), "runs --where data=wine");
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""));
    assert!(none.stderr.contains("no run has data=wine; data there: data"), "{none:?}");
    // A run itself, and files that are not data.
    assert_eq!(names("runs/a").len(), 1);
    refused(folder.path(), "runs/a", 1, &["--data: runs/a is the folder of a run"]);
    refused(folder.path(), "runs --where lr", 2, &["--where", "data=wine"]);
}

#[test]
fn impossible_conditions_are_refused_and_damaged_runs_do_not_count() {
    let folder = folder_with_data();
    for (out, flags) in [("a", "--seed 1"), ("b", "--lr 0.05")] {
        train(folder.path(), flags, &format!("runs/{out}"));
    }
    let listed = |conditions: &str| -> Vec<Value> {
        let outcome = tanner(folder.path(), &format!("runs --sort name --json {conditions}"));
        serde_json::from_str(&outcome.stdout).unwrap()
    };
    let runs = listed("");
    for (condition, part) in [
        ("data==wine", "is not a condition"),
        ("score=>0.9", "is not a condition"),
        ("pca=true", "write importance=pca"),
        ("preset=small", "the preset of a run is not recorded"),
        ("resume=1", "no run has a \"resume\""),
        ("seconds>0", "no run has a \"seconds\""),
        ("started>2026-13-45", "which is not a date"),
    ] {
        let outcome = tanner(folder.path(), &format!("runs --where {condition}"));
        assert!(outcome.code != Some(0) && outcome.stderr.contains(part), "{condition}: {outcome:?}");
    }
    let started = &runs[0]["started_at"].as_str().unwrap()[..10];
    let today = listed(&format!("--where started={started}"));
    assert_eq!(today, runs);
    // A damaged run is not compared with the others.
    fs::create_dir(folder.path().join("runs/d")).unwrap();
    fs::write(folder.path().join("runs/d/config.json"), "{\"x\": 1}").unwrap();
    let with_damaged = listed("");
    assert_eq!((&with_damaged[..2], &with_damaged[2]["state"]), (&runs[..], &"damaged".into()));
}

#[test]
fn a_run_is_named_by_its_settings() {
    let folder = folder_with_data();
    let outcome = tanner(folder.path(), &format!("{SMALL} --lr 0.05 --seed 3"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let names: Vec<_> = fs::read_dir(folder.path().join("runs")).unwrap().collect();
    let [name] = &names[..] else { panic!("{names:?}") };
    let name = name.as_ref().unwrap().file_name().into_string().unwrap();
    let expected = "-data-sc-epochs3-batch-size10-lr0.05-hidden16-16-blocks2-degrees6-4-s3";
    assert!(name.starts_with("20") && name.ends_with(expected), "{name}");
}

#[test]
fn event_files_are_written_as_requested_and_change_nothing() {
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
        // After each epoch; the metrics for comparing runs are named again.
        let tags: [&[u8]; 3] = [b"loss/train", b"accuracy/test", b"weights/layer_3"];
        assert_eq!(tags.map(count), [3, 4, 3], "{place}");
        let parts: [&[u8]; 6] = [
            b"_hparams_/experiment",
            b"_hparams_/session_start_info",
            b"_hparams_/session_end_info",
            b"tanner train",
            b"connectivity",
            b"\x89PNG",
        ];
        assert_eq!(parts.map(count), [1; 6], "{place}");
    }
    fs::write(folder.path().join("file"), "").unwrap();
    let line = format!("{SMALL} --tensorboard file --out last");
    let outcome = tanner(folder.path(), &line);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("error: --tensorboard: file"), "{outcome:?}");
    assert!(!folder.path().join("last").exists());
}
