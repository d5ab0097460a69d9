//! `tanner bench`: small networks, measured quickly.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{refused, tanner};

const SMALL: &str = "bench --width 98 --layers 2 --backend cpu --threads 2 --seconds 0.02";

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = files.collect();
    names.sort();
    names
}

#[test]
fn every_network_and_batch_is_measured_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = tanner(folder.path(), &format!("{SMALL} --batch 8,40 --out out"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    for name in ["tanner sc cpu", "tanner rsp cpu", "tanner fc cpu", "tanner narrow cpu"] {
        assert_eq!(outcome.stdout.matches(name).count(), 2, "{name}: {}", outcome.stdout);
    }
    let measured = json(&folder.path().join("out/bench.json"));
    let measured = measured.as_array().unwrap();
    assert_eq!(measured.len(), 8);
    for one in measured {
        let number = |field: &str| one[field].as_f64().unwrap_or_else(|| panic!("{field} in {one}"));
        let five =
            ["fastest_us", "lower_quartile_us", "median_us", "upper_quartile_us", "slowest_us"].map(number);
        assert!(five[0] > 0.0 && five.is_sorted(), "{one}");
        assert!(number("calls") >= 5.0 && number("steps_per_call") >= 1.0, "{one}");
        assert!(one["check"]["loss"].as_f64().unwrap() <= 1.0, "{one}");
        assert!(one["device"].as_str().unwrap().starts_with("2 threads"), "{one}");
        assert_eq!(one["version"], env!("CARGO_PKG_VERSION"));
        let cores = std::thread::available_parallelism().unwrap().get();
        assert_eq!(one["machine"]["logical_cores"], cores, "{one}");
    }
    // One block of 98 has the degree of the paper's first: 98 x 98; logits have 98 x 10.
    assert_eq!(measured[0]["edges"], 2 * 98 * 98 + 980);
    refused(folder.path(), &format!("{SMALL} --out out"), 1, &["--out", "already holds a bench.json"]);
}

#[test]
fn inference_measures_one_sample_on_one_thread() {
    let folder = tempfile::tempdir().unwrap();
    let line =
        "bench --inference --arch sc --width 98 --layers 2 --backend cpu --seconds 0.02 --batch 1,64 --json";
    let outcome = tanner(folder.path(), line);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let lines: Vec<Value> = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["mode"], &lines[0]["batch"]), (&"inference".into(), &1.into()));
    assert!(lines[0]["device"].as_str().unwrap().starts_with("1 thread,"), "{}", lines[0]);
    let cores = std::thread::available_parallelism().unwrap().get();
    assert!(lines[1]["device"].as_str().unwrap().starts_with(&format!("{cores} thread")), "{}", lines[1]);
}

#[test]
fn networks_of_one_size_are_measured() {
    let folder = tempfile::tempdir().unwrap();
    let line = "bench --arch sc2d,sc,rsp,fc,narrow,band --width 196 --layers 2 --parameters 8000 --batch 4 --backend cpu --threads 1 \
                --seconds 0.01 --check skip --json";
    let outcome = tanner(folder.path(), line);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let measured: Vec<serde_json::Value> =
        outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(measured.len(), 6);
    for one in measured {
        // Without the biases: 402 of layers of 196.
        let edges = one["edges"].as_u64().unwrap();
        assert!((7_500..8_000).contains(&edges), "{} {edges}", one["arch"]);
    }
    for (flags, part) in [
        ("--arch sc --parameters 7", "--arch sc: --parameters: 7 is out of range: these layers"),
        ("--edges graphs --parameters 7", "cannot be used with"),
        ("--scale --parameters 7", "cannot be used with"),
    ] {
        let outcome = tanner(folder.path(), &format!("bench {flags}"));
        assert_ne!(outcome.code, Some(0), "{flags}");
        assert!(outcome.stderr.contains(part), "{flags}: {outcome:?}");
    }
}

#[test]
fn a_check_alone_times_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = tanner(folder.path(), &format!("{SMALL} --arch sc,fc --batch 8 --check only"));
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(0), 2), "{outcome:?}");
    assert!(outcome.stdout.lines().all(|line| line.contains("agrees with the reference")), "{outcome:?}");
    let kept = format!("{SMALL} --arch sc --check only --out out");
    refused(folder.path(), &kept, 1, &["--out: cannot be used with --check only"]);
    assert!(!folder.path().join("out").exists());
}

/// One sample on the CPU has a separate forward pass, on one thread regardless of --threads.
#[test]
fn a_single_sample_is_checked_and_recorded_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let line = format!("{SMALL} --inference --arch sc --batch 1");
    let outcome = tanner(folder.path(), &format!("{line} --check only"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.starts_with("sc batch 1 on cpu (1 thread,"), "{outcome:?}");
    assert!(outcome.stdout.contains(", logits "), "{outcome:?}");
    let outcome = tanner(folder.path(), &format!("{line} --json"));
    let measured: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert!(measured["device"].as_str().unwrap().starts_with("1 thread,"), "{measured}");
}

#[test]
fn a_network_that_cannot_be_measured_takes_no_other_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let line =
        "bench --width 100000 --layers 1 --backend cpu --threads 1 --seconds 0.01 --check skip --batch 2";
    let outcome = tanner(folder.path(), &format!("{line} --arch fc,sc --out out"));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.starts_with("warning: fc: the network and one batch need"), "{outcome:?}");
    let end = "error: skipped, for the reasons above: fc; all else is measured\n";
    assert!(outcome.stderr.ends_with(end) && outcome.stdout.contains("tanner sc cpu"), "{outcome:?}");
    let measured = json(&folder.path().join("out/bench.json"));
    assert_eq!((measured.as_array().unwrap().len(), &measured[0]["arch"]), (1, &"sc".into()));
    let profiled = tanner(folder.path(), &format!("{line} --profile --arch fc,sc --out out"));
    assert!(profiled.code == Some(1) && profiled.stderr.ends_with(end), "{profiled:?}");
    assert_eq!(json(&folder.path().join("out/profile.json"))[0]["arch"], "sc");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_to_is_refused_before_anything_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    for flags in ["--arch sc", "--scale --widths 98 --arch sc", "--profile", "--chart none.json"] {
        let flags = if flags.starts_with("--chart") {
            format!("bench {flags}")
        } else {
            format!("bench {flags} --seconds 0.02 --backend cpu --threads 1")
        };
        refused(folder.path(), &format!("{flags} --out /proc/x/y"), 1, &["--out: /proc/x/y: No such file"]);
    }
}

#[test]
fn the_growth_of_the_coupled_network_is_linear_in_edges_and_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let line =
        "bench --scale --widths 784,1568,3136 --layers 1 --batch 4 --backend cpu --threads 1 --seconds 0.01";
    let outcome = tanner(folder.path(), &format!("{line} --out out"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(names(&folder.path().join("out")), ["scale.csv", "scale.json", "scale.png", "scale.svg"]);
    let growth = json(&folder.path().join("out/scale.json"));
    let growth = &growth[0];
    let exponent = |law: &str| growth[law]["exponent"].as_f64().unwrap();
    assert!((exponent("edges") - 1.0).abs() < 1e-9, "{growth}");
    assert!((0.9..1.2).contains(&exponent("weight_bytes")), "{growth}");
    let numbers = |field: &str| -> Vec<u64> {
        growth["points"].as_array().unwrap().iter().map(|point| point[field].as_u64().unwrap()).collect()
    };
    // The first tile is packed in another way, the others grow as the width.
    let bytes = numbers("weight_bytes");
    let growths = [bytes[1] - bytes[0], bytes[2] - bytes[1]];
    assert!(growths[1].abs_diff(2 * growths[0]) < growths[0] / 100, "{bytes:?}");
    assert_eq!(numbers("edges"), [41_650 + 7_840, 2 * (41_650 + 7_840), 4 * (41_650 + 7_840)]);
    assert!(
        outcome.stdout.contains("dense_bytes") && outcome.stderr.contains("weights width^1.00"),
        "{outcome:?}"
    );
    let csv = fs::read_to_string(folder.path().join("out/scale.csv")).unwrap();
    assert_eq!(csv.lines().count(), 4);
}

#[test]
fn a_width_that_cannot_be_measured_is_skipped_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let line = "bench --scale --widths 98,30000000,196 --layers 1 --batch 2 --backend cpu --threads 1 --seconds 0.01";
    let outcome = tanner(folder.path(), &format!("{line} --arch fc --out out"));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(
        outcome.stderr.contains("warning: fc, width 30000000: ") && outcome.stderr.contains("GiB are free")
    );
    assert!(outcome.stderr.ends_with("fc, width 30000000; all else is measured\n"), "{outcome:?}");
    assert_eq!(json(&folder.path().join("out/scale.json"))[0]["points"].as_array().unwrap().len(), 2);
}

#[test]
fn edges_are_those_of_the_network_that_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let outcome =
        tanner(folder.path(), "bench --write-edges edges.json --arch sc --width 196 --layers 2 --seed 3");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let edges = json(&folder.path().join("edges.json"));
    assert_eq!(edges["widths"], serde_json::json!([196, 196, 196, 10]));
    let layers = edges["layers"].as_array().unwrap();
    let inputs: Vec<u64> =
        layers[0]["input"].as_array().unwrap().iter().map(|i| i.as_u64().unwrap()).collect();
    let starts = layers[0]["row_start"].as_array().unwrap();
    // Half of the inputs have degree 98, the others 20.
    assert_eq!((starts.len(), inputs.len(), starts[196].as_u64()), (197, 98 * 118, Some(98 * 118)));
    let degree = |input: u64| inputs.iter().filter(|other| **other == input).count();
    assert_eq!([0, 97, 98, 195].map(degree), [98, 98, 20, 20]);
    for (flags, part) in [
        ("e.json --arch sc,fc", "one --arch"),
        ("none/e.json", "there is no folder none: create it first"),
        ("e.json --width 100000 --layers 10000", "GiB are free: take a smaller --width or fewer --layers"),
        ("e.json --layers 1000000000", "--layers: 1000000000 is invalid"),
    ] {
        let line = format!("bench --write-edges {flags}");
        let outcome = tanner(folder.path(), &line);
        assert!(outcome.code == Some(1) && outcome.stderr.contains(part), "{line}: {outcome:?}");
    }
    assert!(!folder.path().join("e.json").exists());
}

#[test]
fn charts_have_ratios_to_ours_and_refuse_invalid_measurements() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(tanner(folder.path(), &format!("{SMALL} --arch sc --batch 8 --out ours")).code, Some(0));
    let mut theirs = json(&folder.path().join("ours/bench.json"))[0].clone();
    theirs["program"] = "other".into();
    for time in ["fastest_us", "lower_quartile_us", "median_us", "upper_quartile_us", "slowest_us"] {
        theirs[time] = (2.5 * theirs[time].as_f64().unwrap()).into();
    }
    fs::write(folder.path().join("theirs.json"), format!("{theirs}\n")).unwrap();
    let outcome = tanner(folder.path(), "bench --chart theirs.json,ours/bench.json --out both");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("\t1.00\n") && outcome.stdout.contains("\t2.50\n"), "{outcome:?}");
    assert_eq!(names(&folder.path().join("both")), ["bench.json", "bench.png", "bench.svg"]);
    fs::write(folder.path().join("broken.json"), "{}\n").unwrap();
    refused(folder.path(), "bench --chart broken.json --out new", 1, &["broken.json", "no measurement"]);
    refused(folder.path(), "bench --chart none.json --out new", 1, &["none.json"]);
    fs::write(folder.path().join("empty.json"), "[]").unwrap();
    refused(folder.path(), "bench --chart empty.json --out new", 1, &["empty.json", "the file holds none"]);
    assert!(!folder.path().join("new").exists());
}

#[test]
fn invalid_measurements_are_refused_by_flag() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, part) in [
        ("--width 0", "--width: 0 is invalid"),
        ("--layers 0", "--layers: 0 is invalid"),
        ("--batch 0", "--batch: 0 is invalid"),
        ("--batch 99999999", "--batch: 99999999 is invalid"),
        ("--seconds 0", "--seconds: 0 is invalid"),
        ("--seconds nan", "--seconds: NaN is invalid"),
        ("--width 30000000 --arch fc", "GiB are free: take a smaller --width"),
        ("--scale --batch 8,16", "--batch: one size is measured"),
        ("--scale --widths 0 --seconds 0.01 --backend cpu", "error: --width: 0 is invalid"),
        ("--width 18446744073709551615", "--width: 18446744073709551615 is invalid"),
        ("--layers 18446744073709551615", "--layers: 18446744073709551615 is invalid"),
        ("--write-edges e --width 18446744073709551615", "--width: 18446744073709551615 is invalid"),
        ("--threads 0", "--threads: 0 is invalid"),
    ] {
        let outcome = tanner(folder.path(), &format!("bench {flags}"));
        let last = outcome.stderr.lines().last().unwrap_or_default();
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{flags}: {outcome:?}");
        assert!(last.starts_with("error: ") && last.contains(part), "{flags}: {outcome:?}");
    }
    for flags in [
        "--scale --width 98",
        "--widths 98",
        "--batch x",
        "--inference --optimizer adam",
        "--chart a --arch sc",
        "--chart a --width 5",
        "--chart a --seconds 1",
        "--chart a --batch 1",
        "--chart a --optimizer adam",
        "--chart a --threads 1",
        "--write-edges e --json",
        "--write-edges e --batch 1",
        "--write-edges e --optimizer adam",
        "--write-edges e --backend cpu",
    ] {
        assert_eq!(tanner(folder.path(), &format!("bench {flags}")).code, Some(2), "{flags}");
    }
}
