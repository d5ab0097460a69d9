//! `bench.sh`: its refusals before building, and its results.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Puts a program where `cargo build` would.
fn place(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    assert!(Command::new("chmod").arg("+x").arg(path).status().unwrap().success());
}

/// Runs the script in a folder with the binary as if cargo had built it there; building does nothing.
fn bench(folder: &Path, words: &[&str]) -> Output {
    let (programs, built) = (folder.join("programs"), folder.join("target/release/tanner"));
    place(&programs.join("cargo"), "#!/bin/sh\nexit 0\n");
    if !built.exists() {
        place(&built, &format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_tanner")));
    }
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/bench.sh"));
    command
        .current_dir(folder)
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", "target")
        .env("PYTHON", "/bin/false");
    command.env("NODEVICE_SELECT", "1").env("XDG_RUNTIME_DIR", folder).args(words).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn invalid_measurements_are_refused_before_the_build() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("full")).unwrap();
    fs::write(folder.path().join("full/bench.json"), "").unwrap();
    for (words, part) in [
        (&["--rounds", "99999999999999999999"][..], "--rounds must be a whole number from 1 to 999"),
        (&["--rounds", "0"], "--rounds must be"),
        (&["--seconds", "0.0"], "--seconds must be above 0"),
        (&["--seconds", "nan"], "--seconds must be above 0"),
        (&["--batch", "1,,2"], "--batch must be whole numbers"),
        (&["--threads", "0"], "--threads must be"),
        (&["--out", "full"], "full already holds a bench.json: name another folder"),
        (&["--out"], "--out needs a value"),
        (&["--round", "1"], "--round is not known"),
    ] {
        let output = bench(folder.path(), words);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.contains(part) && !said.contains("building"), "{words:?}: {said}");
    }
}

#[test]
fn rounds_are_kept_one_by_one_in_a_folder_of_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    let words =
        ["--rounds", "2", "--quick", "--seconds", "0.01", "--batch", "8", "--threads", "1", "--out", "out"];
    let output = bench(folder.path(), &words);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("round 2 of 2") && said.contains("no Python: /bin/false"), "{said}");
    let out = folder.path().join("out");
    let lines = fs::read_to_string(out.join("ours.json")).unwrap().lines().count();
    // Training, many samples and one, of two networks, in two rounds; the chart has each once.
    assert_eq!(lines, 12);
    let joined: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("bench.json")).unwrap()).unwrap();
    assert_eq!(joined.as_array().unwrap().len(), 6);
    assert!(out.join("bench.png").exists() && out.join("bench.svg").exists());
    assert_eq!(bench(folder.path(), &words).status.code(), Some(2));
}

#[test]
fn measurements_before_a_failure_are_charted() {
    let folder = tempfile::tempdir().unwrap();
    let fails = format!(
        "#!/bin/sh\ncase \"$*\" in *--inference*) exit 7;; esac\nexec '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_tanner")
    );
    place(&folder.path().join("target/release/tanner"), &fails);
    let words = ["--quick", "--seconds", "0.01", "--batch", "8", "--threads", "1", "--out", "a,b"];
    let output = bench(folder.path(), &words);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(7), "{said}");
    assert!(said.contains("ended early (exit code 7)"), "{said}");
    let joined = fs::read(folder.path().join("a,b/bench.json")).unwrap();
    let joined: serde_json::Value = serde_json::from_slice(&joined).unwrap();
    assert_eq!(joined.as_array().unwrap().len(), 2);
    assert!(String::from_utf8(output.stdout).unwrap().contains("tanner fc cpu"));
}
