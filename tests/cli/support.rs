//! A small data set on disk, and the binary with its parsed output.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// Flags of a network for the pictures of [`folder_with_data`], trained on the CPU.
pub(crate) const SMALL: &str = "--data data --hidden 16,16 --blocks 2 --degrees 6,4 --batch-size 10 --epochs 3 --backend cpu --threads 2";

/// Number of training and of test pictures.
pub(crate) const TRAIN: u32 = 60;
pub(crate) const TEST: u32 = 25;

/// How a system says that a file is not there.
pub(crate) const NOT_FOUND: &str = "(os error 2)";

/// What a command line gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the binary in a folder, with backtraces enabled, so that a test would see them.
pub(crate) fn tanner(folder: &Path, line: &str) -> Outcome {
    let words: Vec<&str> = line.split_whitespace().collect();
    let output = command(folder).args(words).output().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The binary, before its arguments.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("tanner").unwrap();
    command.current_dir(folder).env("RUST_BACKTRACE", "1").env_remove("RUST_LOG");
    // Vulkan layers that look for a display complain on stderr if there is none.
    command.env("NODEVICE_SELECT", "1").env("XDG_RUNTIME_DIR", folder);
    command.env("TANNER_CACHE", folder.join("cache"));
    command
}

/// Demands a refusal: nothing on stdout, one line on stderr with these parts, and no trace of a panic.
pub(crate) fn refused(folder: &Path, line: &str, code: i32, parts: &[&str]) {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(code), "{line}: {outcome:?}");
    assert_eq!(outcome.stdout, "", "{line}");
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    let [error] = lines[..] else { panic!("{line}: expected one line, got {:?}", outcome.stderr) };
    assert!(error.starts_with("error: "), "{line}: {error}");
    for part in parts {
        assert!(error.contains(part), "{line}: {error:?} does not say {part:?}");
    }
    for trace in ["panicked", "backtrace", "RUST_BACKTRACE", "src/"] {
        assert!(!error.contains(trace), "{line}: {error}");
    }
}

/// A new folder with `data/`: 4 x 4 pictures of 3 classes, each class with a different bright row.
pub(crate) fn folder_with_data() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    for (prefix, count) in [("train", TRAIN), ("t10k", TEST)] {
        fs::write(data.join(format!("{prefix}-images-idx3-ubyte")), images(count)).unwrap();
        fs::write(data.join(format!("{prefix}-labels-idx1-ubyte")), labels(count)).unwrap();
    }
    folder
}

pub(crate) fn images(count: u32) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    [count, 4, 4].iter().for_each(|dimension| bytes.extend(dimension.to_be_bytes()));
    for sample in 0..count {
        for pixel in 0..16 {
            let noise = (sample * 31 + pixel * 17 + sample * pixel) % 90;
            let bright = if pixel / 4 == sample % 3 { 160 } else { 0 };
            bytes.push(u8::try_from(noise + bright).unwrap());
        }
    }
    bytes
}

pub(crate) fn labels(count: u32) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 1];
    bytes.extend(count.to_be_bytes());
    bytes.extend((0..count).map(|sample| u8::try_from(sample % 3).unwrap()));
    bytes
}
