//! Exported models on the command line; whether other programs read them correctly is
//! tested by `tests/python/run`.

use std::fs;
use std::path::Path;

use crate::support::{SMALL, folder_with_data, refused, tanner};

const EXPORT: &str = "export --model run/model.safetensors";

fn run(folder: &Path, line: &str) -> String {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome.stdout
}

#[test]
fn a_model_is_exported_once_and_nothing_is_overwritten() {
    let folder = folder_with_data();
    run(folder.path(), &format!("{SMALL} --out run"));
    let said = run(folder.path(), &format!("{EXPORT} --onnx model.onnx --csr csr"));
    assert!(said.contains("onnx model.onnx (") && said.contains("csr csr (6 files, "), "{said}");
    let onnx = fs::read(folder.path().join("model.onnx")).unwrap();
    for part in ["probabilities", "class_names", "tanner-model", "Gemm"] {
        assert!(onnx.windows(part.len()).any(|window| window == part.as_bytes()), "{part}");
    }
    for file in ["layer1.npz", "layer2.npz", "layer3.npz", "biases.npz", "preprocessing.npz", "model.json"] {
        assert!(fs::metadata(folder.path().join("csr").join(file)).unwrap().len() > 0, "{file}");
    }
    refused(folder.path(), &format!("{EXPORT} --onnx model.onnx"), 1, &["--onnx: model.onnx already exists"]);
    refused(folder.path(), &format!("{EXPORT} --csr csr"), 1, &["--csr: csr already holds a layer1.npz"]);
    // The same model has the same bytes, and each form has different ones.
    run(folder.path(), &format!("{EXPORT} --onnx again.onnx"));
    assert_eq!(fs::read(folder.path().join("again.onnx")).unwrap(), onnx);
    let sizes = ["dense", "scatter", "gather"].map(|form| {
        run(folder.path(), &format!("{EXPORT} --form {form} --onnx {form}.onnx"));
        fs::metadata(folder.path().join(format!("{form}.onnx"))).unwrap().len()
    });
    assert_eq!(onnx.len() as u64, sizes[0].min(sizes[1]), "{sizes:?}");
    assert!(sizes[2] > sizes[1], "{sizes:?}");
}

#[test]
fn meaningless_exports_are_refused_and_write_nothing() {
    let folder = folder_with_data();
    run(folder.path(), &format!("{SMALL} --epochs 1 --out run"));
    fs::write(folder.path().join("file"), "").unwrap();
    for (line, code, part) in [
        (EXPORT.to_owned(), 2, "--onnx <FILE>"),
        (format!("{EXPORT} --form dense --csr csr"), 2, "--onnx <FILE>"),
        (format!("{EXPORT} --onnx x.onnx --form sparse"), 2, "invalid value 'sparse'"),
        ("export --onnx x.onnx".to_owned(), 2, "--model <FILE>"),
        ("export --model file --onnx x.onnx".to_owned(), 1, "file: not a usable model file: truncated"),
        (format!("{EXPORT} --onnx missing/x.onnx"), 1, "--onnx: there is no folder missing"),
        (format!("{EXPORT} --onnx x.onnx --csr file"), 1, "--csr: file is not a folder"),
    ] {
        refused(folder.path(), &line, code, &[part]);
    }
    assert!(!folder.path().join("x.onnx").exists());
}

#[cfg(unix)]
#[test]
fn an_endless_device_is_not_a_model() {
    let folder = folder_with_data();
    let line = "export --model /dev/zero --onnx x.onnx";
    refused(folder.path(), line, 1, &["/dev/zero: not a usable model file", "its header would have 0 bytes"]);
}
