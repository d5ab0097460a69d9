//! Runs whose edges move.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tanner::model::TrainedModel;

use crate::support::{SMALL, folder_with_data, refused, tanner};

fn done(folder: &Path, line: &str) -> String {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome.stdout + &outcome.stderr
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn edges_moved(run: &Path) -> Vec<u64> {
    let lines = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let moved =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["edges_moved"].as_u64());
    moved.map(Option::unwrap).collect()
}

/// The edges of each layer of a run's model, as (output, input).
fn edges(run: &Path) -> Vec<Vec<(usize, usize)>> {
    let model = TrainedModel::load(run).unwrap();
    model.network().layers().iter().map(|layer| layer.topology.edge_ends().collect()).collect()
}

#[test]
fn pruned_networks_in_two_dimensions_are_rewired() {
    let folder = folder_with_data();
    let path = folder.path();
    done(path, "--data data --arch sc2d --grid 4x4x2,4x4 --fan-in 8,12 --epochs 2 --backend cpu --out run");
    // Single weights are removed from micro-blocks.
    done(path, "prune --model run --data data --method magnitude --sparsity 0.1 --backend cpu --out weights");
    for rule in ["set", "rigl", "percolate"] {
        let out = format!("{rule}-weights");
        let said = done(
            path,
            &format!("--from weights --data data --rewire {rule} --epochs 4 --backend cpu --out {out}"),
        );
        assert!(!said.contains("the places of the others"), "{said}");
        let [before, after] = ["weights", &out].map(|run| edges(&path.join(run)));
        assert_eq!(before.iter().map(Vec::len).sum::<usize>(), after.iter().map(Vec::len).sum::<usize>());
        assert!(edges_moved(&path.join(out)).iter().sum::<u64>() > 0 && before != after);
    }
}

#[test]
fn a_run_whose_edges_never_move_says_so() {
    let folder = folder_with_data();
    let path = folder.path();
    let nothing = "warning: no edge has moved";
    for flags in ["--rewire-every 50", "--rewire-fraction 1e-9", "--hidden none --arch rsp"] {
        let said = done(path, &format!("--data data --backend cpu --epochs 2 --rewire set {flags}"));
        assert!(said.contains(nothing), "{flags}: {said}");
    }
    let said =
        done(path, "--data data --backend cpu --epochs 4 --arch rsp --hidden 16,16 --degree 4 --rewire set");
    assert!(!said.contains(nothing), "{said}");
}

#[test]
fn a_run_whose_edges_move_lives_as_any_other() {
    let folder = folder_with_data();
    let path = folder.path();
    let small = SMALL.replace("--epochs 3", "--epochs 8");
    done(path, &format!("{small} --out static"));
    let said = done(path, &format!("{small} --rewire rigl --rewire-every 2 --out run"));
    let (run, moved) = (path.join("run"), edges_moved(&path.join("run")));
    // 3 tenths of 80 edges a layer, half of that after 3 of 6 epochs: (1 + cos(2 pi / 6)) / 2 of 24 is 18, of 4 epochs 6.
    assert_eq!(moved, [0, 0, 2 * 18, 0, 2 * 6, 0, 0, 0]);
    assert!(said.contains("48 edges moved"), "{said}");
    let (before, after) = (edges(&path.join("static")), edges(&run));
    let counts = |edges: &[Vec<(usize, usize)>]| edges.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(counts(&before), counts(&after));
    assert!(before[0] != after[0] && before[1] != after[1] && before[2] == after[2]);
    let summary = json(&run.join("summary.json"));
    let rewiring = &summary["rewiring"];
    assert_eq!((&rewiring["edges_moved"], rewiring["layers"].as_array().unwrap().len()), (&48.into(), 2));
    assert_eq!(rewiring["layers"][0]["start"], serde_json::json!([6.0, 4.0]));
    let end: f64 =
        rewiring["layers"][0]["end"].as_array().unwrap().iter().map(|degree| degree.as_f64().unwrap()).sum();
    assert_eq!(end, 10.0);
    assert_eq!(json(&run.join("config.json"))["recipe"]["rewire"]["rule"], "rigl");
    assert!(json(&path.join("static/summary.json")).get("rewiring").is_none());
    let inspected = done(path, "inspect --model run");
    assert!(inspected.contains("layer\tstart\tend\n1\t6.0, 4.0\t"), "{inspected}");
    let described: Value = serde_json::from_str(&tanner(path, "inspect --model run --json").stdout).unwrap();
    assert_eq!(described["rewiring"], summary["rewiring"]);
    for line in [
        "eval --model run --data data",
        "export --model run --onnx m.onnx --csr csr",
        "train --config run --epochs 2 --out again",
    ] {
        done(path, line);
    }
    done(path, "report run static --out page.html");
    let page = fs::read_to_string(path.join("page.html")).unwrap();
    assert!(page.contains("id=\"run-1-rewiring\"") && !page.contains("id=\"run-2-rewiring\""));
    // A longer run moves more, and keeps the number of edges.
    done(path, "train --resume run --epochs 24");
    assert_eq!(counts(&edges(&run)), counts(&after));
    assert!(edges_moved(&run)[8..].iter().sum::<u64>() > 0);
    done(path, "train --from run --data data --rewire set --epochs 4 --backend cpu --out further");
    assert!(edges(&path.join("further"))[0] != edges(&run)[0]);
}

/// Each rule on each engine, on graphs that are drawn edge by edge, and in two dimensions by whole micro-blocks.
#[test]
fn every_rule_runs_on_every_graph_and_engine() {
    let folder = folder_with_data();
    let planar = "--arch sc2d --grid 4x4,2x2x4 --fan-in 8,12 --reach 3";
    for (number, graph) in ["--arch rsp --hidden 16,16 --degree 5", planar].into_iter().enumerate() {
        for rule in ["set", "rigl", "percolate"] {
            for engine in ["cpu", "reference"] {
                let run = format!("{engine}-{rule}-{number}");
                let line = format!(
                    "--data data {graph} --batch-size 10 --epochs 4 --backend {engine} --rewire {rule} --out {run}"
                );
                done(folder.path(), &line);
                let run = folder.path().join(run);
                assert!(edges_moved(&run)[1] > 0, "{line}");
                let model = TrainedModel::load(&run).unwrap();
                for layer in &model.network().layers()[..2] {
                    let degrees =
                        (0..layer.topology.outputs().width()).map(|output| layer.topology.in_degree(output));
                    let edges = [80, if number == 0 { 80 } else { 128 }, 192];
                    assert!(edges.contains(&degrees.sum::<usize>()), "{line}");
                }
            }
        }
    }
}

/// Fully connected layers have no free place.
#[test]
fn edges_that_cannot_move_are_refused() {
    let folder = folder_with_data();
    for (flags, part) in [
        ("--rewire-every 2", "--rewire-every: needs --rewire"),
        ("--rewire set --rewire-fraction 2", "--rewire-fraction: 2 is invalid"),
        ("--rewire set --rewire-every 0", "--rewire-every: 0 is invalid"),
        ("--rewire rigl --arch fc", "--rewire: rigl cannot be used with --arch fc"),
    ] {
        refused(folder.path(), &format!("--data data {flags}"), 1, &[part]);
    }
    refused(
        folder.path(),
        "--data data --rewire often",
        2,
        &["[possible values: off, set, rigl, percolate]"],
    );
    done(folder.path(), &format!("{SMALL} --rewire off --out run"));
    assert!(!fs::read_to_string(folder.path().join("run/metrics.jsonl")).unwrap().contains("edges_moved"));
}
