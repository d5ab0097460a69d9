//! `tanner bench --profile`: the stages of steps of a small network.

use std::fs;

use serde_json::Value;

use crate::support::{refused, tanner};

const SMALL: &str = "bench --profile --width 98 --layers 2 --backend cpu --threads 2 --seconds 0.02";

#[test]
fn every_stage_is_reported_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = tanner(folder.path(), &format!("{SMALL} --batch 8,40 --out out"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("core_us") && !outcome.stdout.contains("dispatch"), "{outcome:?}");
    assert_eq!(outcome.stdout.matches("gradients + update, sparse").count(), 2, "{outcome:?}");
    let profiles: Value =
        serde_json::from_slice(&fs::read(folder.path().join("out/profile.json")).unwrap()).unwrap();
    let profiles = profiles.as_array().unwrap();
    assert_eq!(profiles.len(), 2);
    for (profile, batch) in profiles.iter().zip([8, 40]) {
        assert_eq!((&profile["batch"], &profile["workers"]), (&batch.into(), &2.into()), "{profile}");
        let stages = profile["stages"].as_array().unwrap();
        // Gather, three layers forward, loss, two layers backward, two updates.
        assert_eq!(stages.len(), 9, "{profile}");
        let sum = |field: &str| -> f64 { stages.iter().map(|stage| stage[field].as_f64().unwrap()).sum() };
        // Two layers of 98 x 98 and one of 98 x 10; the first has no backward pass to its inputs.
        let edges = 3 * (2 * 98 * 98 + 980) - 98 * 98;
        assert_eq!(sum("multiply_adds"), f64::from(batch * edges), "{profile}");
        assert!((sum("share") - 1.0).abs() < 1e-9 && sum("microseconds") > 0.0, "{profile}");
        assert!(profile["step"]["median_us"].as_f64().unwrap() > 0.0, "{profile}");
        assert!(stages.iter().all(|stage| stage.get("dispatch").is_none()), "{profile}");
    }
    refused(folder.path(), &format!("{SMALL} --out out"), 1, &["--out", "already holds a profile.json"]);
}

#[test]
fn a_line_of_json_for_each_profile() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = tanner(folder.path(), &format!("{SMALL} --batch 8 --arch sc,fc --json"));
    let lines: Vec<Value> = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let archs: Vec<&Value> = lines.iter().map(|line| &line["arch"]).collect();
    assert_eq!(archs, ["sc", "fc"], "{outcome:?}");
}

#[test]
fn impossible_profiles_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let small = "bench --profile --width 98 --layers 1 --batch 8";
    refused(folder.path(), &format!("{small} --backend reference"), 1, &["--backend: the reference engine"]);
    refused(folder.path(), &format!("{small} --check only"), 1, &["--check: only"]);
    for flags in ["--scale", "--inference", "--write-edges e", "--chart a"] {
        assert_eq!(tanner(folder.path(), &format!("bench --profile {flags}")).code, Some(2), "{flags}");
    }
}
