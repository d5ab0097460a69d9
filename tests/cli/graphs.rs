//! Networks over graphs from files.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;
use tanner::model::TrainedModel;
use tanner::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{SMALL, folder_with_data, refused, tanner};

/// A run over graphs from files, on the small pictures: 16 features, 3 classes.
const RUN: &str = "--data data --batch-size 10 --epochs 3 --backend cpu --threads 2 --activation relu";

fn done(folder: &Path, line: &str) -> String {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome.stdout + &outcome.stderr
}

fn config(folder: &Path, run: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join(run).join("config.json")).unwrap()).unwrap()
}

fn model(folder: &Path, run: &str) -> TrainedModel {
    TrainedModel::load(folder.join(run).join("model.safetensors")).unwrap()
}

/// An array of numpy in format 1.0.
fn npy(kind: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), data].concat()
}

fn numbers(values: &[i64]) -> Vec<u8> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    npy("<i8", &format!("{},", values.len()), &bytes)
}

/// Arrays of an archive, by their names.
type Arrays = Vec<(&'static str, Vec<u8>)>;

/// The bytes of an archive of arrays.
fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        archive.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A matrix of this many outputs by inputs, in compressed rows.
fn csr(shape: [i64; 2], indptr: &[i64], indices: &[i64]) -> Arrays {
    vec![
        ("indptr", numbers(indptr)),
        ("indices", numbers(indices)),
        ("shape", numbers(&shape)),
        ("format", npy("|S3", "", b"csr")),
        ("data", npy("|b1", &format!("{},", indices.len()), &vec![0; indices.len()])),
    ]
}

/// Two layers, 16 to 4 to 3; the second output of the first has no inputs.
fn write_two_layers(folder: &Path) {
    let first = csr([4, 16], &[0, 3, 3, 5, 7], &[7, 0, 3, 15, 1, 4, 9]);
    fs::write(folder.join("a.npz"), npz(&first)).unwrap();
    let second = csr([3, 4], &[0, 4, 6, 9], &[0, 1, 2, 3, 0, 3, 1, 2, 0]);
    fs::write(folder.join("b.npz"), npz(&second)).unwrap();
}

#[test]
fn an_exported_graph_is_trained_again_edge_by_edge() {
    let folder = folder_with_data();
    let path = folder.path();
    done(path, &format!("{SMALL} --out run"));
    done(path, "prune --model run --data data --method magnitude --sparsity 0.3 --backend cpu --out pruned");
    for of in ["run", "pruned"] {
        let out = format!("again-{of}");
        done(path, &format!("export --model {of} --csr csr-{of}"));
        let said = done(path, &format!("{RUN} --edges csr-{of} --out {out}"));
        assert!(said.contains("network: custom with "), "{said}");
        let (then, now) = (model(path, of), model(path, &out));
        let layers = then.network().layers().iter().zip(now.network().layers());
        for (number, (then, now)) in (1..).zip(layers) {
            let [then, now] = [then, now].map(|layer| layer.topology.edge_ends().collect::<Vec<_>>());
            assert!(then == now, "{of}, layer {number}");
        }
        assert_eq!(then.network().widths(), now.network().widths());
        // The copy in the run's folder is a file of graphs, too.
        done(path, &format!("{RUN} --edges {out}/edges.npz --out copy-{of}"));
        let bytes = |run: &str| fs::read(path.join(run).join("model.safetensors")).unwrap();
        assert!(bytes(&out) == bytes(&format!("copy-{of}")), "{of}");
        assert_eq!(config(path, &out)["edges_sha256"], config(path, &format!("copy-{of}"))["edges_sha256"]);
        assert_eq!(config(path, &out)["importance"], "none");
    }
    done(path, "inspect --model again-run");
    done(path, "eval --model again-run --data data");
}

#[test]
fn every_command_that_trains_takes_graphs_from_files() {
    let folder = folder_with_data();
    let path = folder.path();
    write_two_layers(path);
    // Inputs in any order, two constant neurons, explicit zeros: seven edges and nine.
    let said = done(path, "inspect --edges a.npz,b.npz --out drawn");
    assert!(said.contains("parameters 23,"), "{said}");
    assert!(said.contains("neurons without inputs, which stay constant: layer 1 has 1 of 4"), "{said}");
    let said =
        done(path, &format!("{RUN} --edges a.npz,b.npz --pca --dropout 0.1 --optimizer adam --out run"));
    assert!(said.contains("network: custom with 23 parameters"), "{said}");
    assert!(said.contains("layer 1 has 1 of 4") && config(path, "run")["importance"] == "pca", "{said}");
    fs::write(path.join("s.toml"), "edges = [\"a.npz\", \"b.npz\"]\nepochs = 1\nbackend = \"cpu\"").unwrap();
    done(path, "--config s.toml --data data --preset paper --out from-file");
    // The columns of a graph are features in their places, whatever a preset would do.
    assert_eq!(config(path, "from-file")["importance"], "none");
    let bench = done(path, "bench --edges a.npz,b.npz --batch 8 --seconds 0.01 --backend cpu --json");
    assert!(bench.contains("\"arch\":\"custom\"") && bench.contains("\"edges\":16"), "{bench}");
    done(path, "bench --edges a.npz,b.npz --write-edges edges.json");
    let plan = "epochs = 1\n[[configuration]]\nname = \"file\"\nedges = \"a.npz,b.npz\"\n\
                [[configuration]]\nname = \"rsp\"\narch = \"rsp\"\nhidden = 4\ndegree = 1";
    fs::write(path.join("plan.toml"), plan).unwrap();
    for _ in 0..2 {
        done(path, "compare plan.toml --data data --seeds 1 --backend cpu --out compared");
    }
    // A finished run over another graph is not accepted as this one.
    fs::write(path.join("a.npz"), npz(&csr([4, 16], &[0, 1, 2, 3, 4], &[1, 2, 3, 4]))).unwrap();
    let outcome = tanner(path, "compare plan.toml --data data --seeds 1 --backend cpu --out compared");
    assert!(outcome.code == Some(1) && outcome.stderr.contains("a different edges_sha256"), "{outcome:?}");
}

#[test]
fn the_library_takes_them_as_the_command_line_does() {
    let folder = folder_with_data();
    let path = folder.path();
    write_two_layers(path);
    done(path, &format!("{RUN} --edges a.npz,b.npz --out run"));
    let data = tanner::dataset::load_idx_folder(path.join("data").as_path()).unwrap();
    let classifier = Classifier::new()
        .edges(vec![path.join("a.npz"), path.join("b.npz")])
        .activation(Activation::Relu)
        .batch_size(10)
        .epochs(3)
        .engine(EngineKind::CpuThreads(2));
    let keep_training = |_: &EpochMetrics| std::ops::ControlFlow::Continue(());
    let run = classifier.fit(&data.train, Some(&data.test), keep_training).unwrap();
    assert!(run.model.to_bytes().unwrap() == fs::read(path.join("run/model.safetensors")).unwrap());
    let graph = run.model.network().layers()[0].topology.as_ref().clone();
    let both =
        classifier.topologies(vec![graph]).fit(&data.train, Some(&data.test), keep_training).unwrap_err();
    assert!(both.to_string().contains("graphs passed to the session"), "{both}");
}

#[test]
fn a_run_resumes_with_its_graphs_or_not_at_all() {
    let folder = folder_with_data();
    let path = folder.path();
    write_two_layers(path);
    done(
        path,
        &format!("{RUN} --edges a.npz,b.npz --epochs 6 --out straight").replacen("--epochs 3 ", "", 1),
    );
    done(path, &format!("{RUN} --edges a.npz,b.npz --out run"));
    // The files are gone: the run has its own copy.
    fs::create_dir(path.join("elsewhere")).unwrap();
    for file in ["a.npz", "b.npz"] {
        fs::rename(path.join(file), path.join("elsewhere").join(file)).unwrap();
    }
    done(path, "train --resume run --epochs 4");
    done(path, "train --resume run --epochs 5 --edges elsewhere/a.npz,elsewhere/b.npz");
    done(path, "train --resume run --epochs 6");
    let ends = |run| model(path, run).network().layers()[0].topology.edge_ends().collect::<Vec<_>>();
    assert_eq!(ends("run"), ends("straight"));
    // Another graph of the same widths is noticed, wherever it is.
    let other = npz(&csr([4, 16], &[0, 3, 3, 5, 7], &[7, 0, 3, 15, 1, 4, 8]));
    fs::write(path.join("other.npz"), &other).unwrap();
    let line = "train --resume run --epochs 7 --edges other.npz,elsewhere/b.npz";
    refused(
        path,
        line,
        1,
        &["--edges: other.npz,elsewhere/b.npz has other graphs than the run started with"],
    );
    fs::write(path.join("elsewhere/a.npz"), &other).unwrap();
    refused(path, "train --resume run --epochs 7", 1, &["other graphs", "edges.npz has those"]);
    fs::write(path.join("elsewhere/a.npz"), "no archive").unwrap();
    let parts = ["a.npz: not an NPZ archive", "edges.npz has the graphs of the run"];
    refused(path, "train --resume run --epochs 7", 1, &parts);
    done(path, "train --resume run --epochs 7 --edges run/edges.npz");
    // A run without them gets none.
    done(path, &format!("{SMALL} --out plain"));
    refused(path, "train --resume plain --epochs 4 --edges other.npz", 1, &["has no graphs from files"]);
}

#[test]
fn arrays_that_are_not_a_graph_are_refused() {
    let folder = folder_with_data();
    let path = folder.path();
    write_two_layers(path);
    let shape = [4, 16];
    let (indptr, indices) = ([0, 3, 3, 5, 7], [7, 0, 3, 15, 1, 4, 9]);
    let with = |what: &'static str, bytes: Vec<u8>| -> Arrays {
        let mut arrays = csr(shape, &indptr, &indices);
        arrays.retain(|(name, _)| *name != what);
        arrays.push((what, bytes));
        arrays
    };
    let coo = |columns: &[i64]| {
        vec![
            ("row", numbers(&[0, 3])),
            ("col", numbers(columns)),
            ("shape", numbers(&shape)),
            (
                "format",
                npy("<U3", "", &"coo".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect::<Vec<_>>()),
            ),
        ]
    };
    let none = || -> Arrays { vec![("mask", numbers(&[1]))] };
    let cases: Vec<(Arrays, &str)> = vec![
        (none(), "holds neither indptr and indices nor layer1.indptr"),
        (with("indices", numbers(&[7, 0, 3, 15, 1, 4, 16])), "an edge from input 16 to output 3"),
        (with("indices", numbers(&[7, 0, 7, 15, 1, 4, 9])), "input 7 to output 0 appears twice"),
        (with("indices", numbers(&[7, 0, -1, 15, 1, 4, 9])), "-1 at place 2 is not an index"),
        (with("indices", numbers(&[1 << 40, 0, 3, 15, 1, 4, 9])), "1099511627776 at place 0 is not an index"),
        (with("indices", npy("<f8", "7,", &[0; 56])), "holds no whole numbers"),
        (with("indices", npy("<i8", "7,", &[0; 40])), "do not hold the shape [7]"),
        (with("indices", npy("<i8", "99999999999,", &[0; 40])), "do not hold the shape"),
        (with("indices", npy("|O", "7,", &[0; 56])), "holds Python objects"),
        (with("indptr", numbers(&[0, 3, 3, 5])), "indptr has 4 entries, expected 5"),
        (with("indptr", numbers(&[0, 3, 2, 5, 7])), "indptr falls"),
        (with("indptr", numbers(&[0, 3, 9, 5, 7])), "indptr falls or goes too far"),
        (with("indptr", numbers(&[0, 3, 3, 5, 6])), "indptr goes from 0 to 6, expected 0 to 7"),
        (with("data", npy("<f4", "6,", &[0; 24])), "data of shape [6] do not fit 7 indices"),
        (with("format", npy("|S3", "", b"bsr")), "has the format \"bsr\", expected csr, csc or coo"),
        (with("format", numbers(&[1])), "expected one text"),
        (with("shape", numbers(&[4])), "has the shape [4], expected [outputs, inputs]"),
        (with("shape", numbers(&[0, 16])), "a side of 0 neurons"),
        (with("shape", numbers(&[4, 4_000_000_000])), "a side of 4000000000 neurons"),
        (with("shape", numbers(&[4, 1_000_000_000])), "has 1000000000 inputs, the data have 16 features"),
        (with("shape", numbers(&[4, 17])), "has 17 inputs, the data have 16 features"),
        (csr([5, 16], &[0, 0, 0, 0, 0, 1], &[2]), "has 4 inputs, but 5 outputs come from x.npz"),
        (csr(shape, &[0; 5], &[]), "a layer without any edge"),
        (coo(&[1, 16]), "an edge from input 16 to output 3"),
        (coo(&[1, 2, 3]), "2 rows do not fit 3 columns"),
    ];
    for (arrays, part) in cases {
        fs::write(path.join("x.npz"), npz(&arrays)).unwrap();
        refused(path, &format!("{RUN} --edges x.npz,b.npz"), 1, &["--edges: ", ".npz", part]);
    }
}

#[test]
fn files_that_hold_no_graph_are_refused() {
    let folder = folder_with_data();
    let path = folder.path();
    write_two_layers(path);
    // The shape claims far too much.
    let wide = csr([1, 1_000_000_000], &[0, 1], &[5]);
    fs::write(path.join("x.npz"), npz(&wide)).unwrap();
    refused(
        path,
        "inspect --edges x.npz",
        1,
        &["x.npz: a side of 1000000000 neurons with 1 edges, the limit is 65536"],
    );
    let whole = fs::read(path.join("a.npz")).unwrap();
    fs::write(path.join("x.npz"), &whole[..whole.len() / 2]).unwrap();
    refused(path, &format!("{RUN} --edges x.npz,b.npz"), 1, &["x.npz: not an NPZ archive"]);
    fs::write(path.join("x.npz"), b"").unwrap();
    refused(path, &format!("{RUN} --edges x.npz,b.npz"), 1, &["x.npz: not an NPZ archive"]);
    fs::create_dir(path.join("gap")).unwrap();
    for name in ["layer1.npz", "layer3.npz"] {
        fs::copy(path.join("a.npz"), path.join("gap").join(name)).unwrap();
    }
    refused(path, &format!("{RUN} --edges gap"), 1, &["gap: there is no layer2.npz, but a layer3.npz"]);
    refused(path, &format!("{RUN} --edges data"), 1, &["data: holds no layer1.npz"]);
    refused(path, &format!("{RUN} --edges none.npz"), 1, &["--edges: none.npz: "]);
    refused(path, &format!("{RUN} --edges a.npz"), 1, &["last layer has 4 outputs, the data have 3 classes"]);
    assert!(!path.join("runs").exists());
}

#[test]
fn settings_decided_by_graph_files_are_refused() {
    let folder = folder_with_data();
    let path = folder.path();
    write_two_layers(path);
    for flags in [
        "--arch rsp",
        "--hidden 4",
        "--blocks 2",
        "--degrees 3",
        "--density 0.1",
        "--degree 3",
        "--budget 99",
        "--degree-distribution 3",
        "--receptive-field 2",
        "--softness 1",
        "--parameters 99",
        "--grid 4x4",
        "--fan-in 4",
        "--reach 2",
        "--falloff gauss",
        "--grain 1",
    ] {
        let flag = flags.split(' ').next().unwrap();
        for command in [RUN, "inspect"] {
            let parts = [&format!("{flag}: cannot be used with --edges")[..]];
            refused(path, &format!("{command} --edges a.npz,b.npz {flags}"), 1, &parts);
        }
    }
    refused(path, &format!("{RUN} --edges a.npz,,b.npz"), 2, &["names no files"]);
    refused(path, "bench --edges a.npz,b.npz --width 16", 2, &["--width"]);
    for flag in ["--inputs 16", "--classes 3", "--seed 1"] {
        refused(path, &format!("inspect --edges a.npz,b.npz {flag}"), 2, &["--edges"]);
    }
}
