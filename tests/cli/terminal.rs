//! The content of stdout and stderr, and the output of commands that do not train.

use std::fs;
use std::process::Stdio;

use crate::support::{SMALL, folder_with_data, tanner};

#[test]
fn results_go_to_stdout_and_progress_to_stderr_without_escape_sequences() {
    let folder = folder_with_data();
    let outcome = tanner(folder.path(), &format!("{SMALL} --out run"));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let results: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(results.len(), 3, "{results:?}");
    assert!(results[0].starts_with("test accuracy ") && results[0].contains("after 3 epochs"), "{results:?}");
    assert!(results[1].starts_with("243 parameters (595 fully connected)"), "{results:?}");
    assert_eq!(results[2], "run folder run");
    let progress: Vec<&str> = outcome.stderr.lines().collect();
    assert!(
        progress[0] == "data: 85 pictures of 4x4 (60 training, 25 test)"
            && progress[1].starts_with("label: 3 classes: 0 29 (34.1 %), ")
            && progress[2].starts_with("engine: cpu on ")
            && progress[2].ends_with("--backend cpu"),
        "{progress:?}"
    );
    let epochs: Vec<_> = progress.iter().filter(|line| line.starts_with("epoch ")).collect();
    assert_eq!(epochs.len(), 3, "{progress:?}");
    assert!(epochs[2].starts_with("epoch 3/3  train loss "), "{progress:?}");
    assert!(!outcome.stderr.contains('\u{1b}') && !outcome.stdout.contains('\u{1b}'), "{outcome:?}");
}

#[test]
fn layers_that_starve_are_reported_in_one_line() {
    let folder = folder_with_data();
    // The last input block gives its one edge to the output block before the last.
    let small = "--hidden 16 --blocks 2 --degrees 6,1";
    let warning = "warning: neurons without inputs, which stay constant: layer 1 has 8 of 16, a whole block among them; \
                larger --degrees (rsp: --degree, sc2d: --fan-in) or more --parameters reach them";
    for line in [
        format!("inspect --inputs 16 --classes 3 {small}"),
        format!("{small} --data data --epochs 1 --batch-size 10 --backend cpu --threads 2 --out run"),
    ] {
        let outcome = tanner(folder.path(), &line);
        assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
        let is_about_neurons = |line: &&str| line.starts_with("warning: neurons");
        let warnings: Vec<&str> = outcome.stderr.lines().filter(is_about_neurons).collect();
        assert_eq!(warnings, [warning], "{line}");
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let folder = folder_with_data();
    let lines = [format!("{SMALL} --out run"), "inspect".into(), "--help".into(), "devices".into()];
    for line in lines {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_tanner"))
            .current_dir(folder.path())
            .args(line.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line}: {stderr}");
        assert!(!stderr.contains("panicked"), "{line}: {stderr}");
    }
}

#[test]
fn an_unwritable_stderr_is_not_an_error() {
    let folder = folder_with_data();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_tanner"))
        .current_dir(folder.path())
        .args(SMALL.split_whitespace())
        .args(["--out", "run"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("test accuracy "));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_below_stdout_is_reported() {
    let folder = folder_with_data();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tanner"))
        .current_dir(folder.path())
        .arg("inspect")
        .stdout(full)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.starts_with("error: stdout: ") && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn inspect_describes_the_papers_network_and_draws_it() {
    let folder = folder_with_data();
    let outcome = tanner(folder.path(), "inspect --out pictures");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let tables: Vec<&str> = outcome.stdout.split("\n\n").collect();
    assert_eq!(tables.len(), 2, "{outcome:?}");
    let lines: Vec<Vec<&str>> = tables[0].lines().map(|line| line.split('\t').collect()).collect();
    assert!(lines.len() == 7 && lines.iter().all(|line| line.len() == lines[0].len()), "{lines:?}");
    let value = |name: &str| lines[1][lines[0].iter().position(|column| *column == name).unwrap()];
    let values = ["layer", "activation", "inputs", "edges", "density_percent", "dense_tiles", "edge_bytes"];
    assert_eq!(values.map(value), ["1", "sigmoid", "784", "41650", "6.78", "3", "166600"]);
    assert!(outcome.stdout.contains("98,130,98,49,20,10,10,10"), "{outcome:?}");
    for part in
        ["parameters 220,020, fully connected 3,085,050: 92.87 % fewer", "picture pictures/connectivity.png"]
    {
        assert!(outcome.stderr.contains(part), "no {part:?} in {}", outcome.stderr);
    }
    assert!(!outcome.stdout.contains('\u{1b}'));
    let picture = image::open(folder.path().join("pictures/connectivity.png")).unwrap();
    // A pixel for each possible edge of five layers of 784, with gaps of 16 between them and a title and axes around.
    assert!(
        picture.width() > 5 * 784 + 4 * 16 && picture.height() > 784,
        "{} x {}",
        picture.width(),
        picture.height()
    );
}

#[test]
fn inspect_describes_other_networks_and_saved_models() {
    let folder = folder_with_data();
    for (line, part) in [
        (
            "--arch fc --hidden 20 --inputs 30 --classes 5",
            "parameters 725, fully connected 725: 0.00 % fewer",
        ),
        ("--arch rsp --degree 3 --hidden 20 --inputs 30", "parameters 320"),
        ("--hidden none", "parameters 7,850"),
        ("--arch narrow", "parameters 219,955, fully connected 219,955"),
        ("--arch narrow --budget 100000", "parameters 99,"),
        ("--arch band", "parameters 220,020, fully connected 3,085,050: 92.87 % fewer"),
        // 53 from each of 784 inputs of five layers; 3,930 biases and 7,840 weights of logits.
        ("--degrees 53", "parameters 219,530, fully connected 3,085,050"),
    ] {
        let outcome = tanner(folder.path(), &format!("inspect {line}"));
        assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
        assert!(outcome.stderr.contains(part), "{line}: no {part:?} in {}", outcome.stderr);
    }
    for arch in ["narrow", "band"] {
        assert_eq!(tanner(folder.path(), &format!("{SMALL} --arch {arch} --out {arch}")).code, Some(0));
        let outcome = tanner(folder.path(), &format!("inspect --model {arch}/model.safetensors"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let (narrow, band) = ("parameters 235, fully connected 235", "parameters 243, fully connected 595");
        let part = if arch == "narrow" { narrow } else { band };
        assert!(outcome.stderr.contains(part), "no {part:?} in {}", outcome.stderr);
    }
    assert_eq!(tanner(folder.path(), &format!("{SMALL} --out run")).code, Some(0));
    let outcome = tanner(folder.path(), "inspect --model run/model.safetensors");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    for part in ["parameters 243, fully connected 595", "preprocessing pca desc: 288 more numbers"] {
        assert!(outcome.stderr.contains(part), "no {part:?} in {}", outcome.stderr);
    }
}

#[test]
fn devices_says_what_auto_chooses() {
    let folder = folder_with_data();
    let outcome = tanner(folder.path(), "devices");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(
        outcome.stderr.contains("CPU: ") && outcome.stderr.contains("\nauto chooses the "),
        "{outcome:?}"
    );
}

#[test]
fn auto_gives_its_reason() {
    let folder = folder_with_data();
    let outcome =
        tanner(folder.path(), &format!("{SMALL} --out run").replace("--backend cpu --threads 2", ""));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let engine = outcome.stderr.lines().find(|line| line.starts_with("engine: ")).unwrap();
    assert!(engine.contains(" GPU"), "{engine}");
}
