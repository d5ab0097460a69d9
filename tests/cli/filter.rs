//! `predict` as a filter: rows are answered as they arrive.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{command, refused, tanner};

/// A model of a table with the columns a, b and colour.
fn model(folder: &Path) -> String {
    let row = |k: u32| format!("{},{},{},{}\n", k % 7, k % 5, ["red", "blue"][k as usize % 2], k % 7 % 2);
    let table: String = (0..200).map(row).collect();
    fs::write(folder.join("t.csv"), format!("a,b,colour,label\n{table}")).unwrap();
    let line = "--data t.csv --preset small --epochs 2 --hidden 8 --backend cpu --threads 1 --out run";
    assert_eq!(tanner(folder, line).code, Some(0));
    "predict --model run/model.safetensors --threads 1".into()
}

fn piped(folder: &Path, line: &str, input: &str) -> (Option<i32>, String, String) {
    let output = command(folder).args(line.split(' ')).write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_row_is_answered_before_the_next_one_comes() {
    let folder = tempfile::tempdir().unwrap();
    let line = model(folder.path());
    let whole = piped(folder.path(), &line, "a,b,colour\n1,2,red\n3,4,blue\n5,0,red\n").1;
    let expected: Vec<&str> = whole.lines().collect();
    assert_eq!(expected.len(), 4);
    for (flags, header, rows) in [
        ("", "a,b,colour\n", ["1,2,red", "3,4,blue", "5,0,red"]),
        (" --stream", "colour;b;a\n", ["red;2;1", "blue;4;3", "red;0;5"]),
        ("", "", ["1,2,red,0", "3,4,blue,1", "5,0,red,0"]),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tanner"))
            .args(format!("{line}{flags}").split(' '))
            .current_dir(folder.path())
            .env("NODEVICE_SELECT", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        input.write_all(header.as_bytes()).unwrap();
        for (number, row) in rows.iter().enumerate() {
            // A row in two halves: an incomplete row is not a row.
            let (half, rest) = row.split_at(2);
            input.write_all(half.as_bytes()).unwrap();
            input.flush().unwrap();
            input.write_all(format!("{rest}\n").as_bytes()).unwrap();
            input.flush().unwrap();
            if number == 0 {
                assert_eq!(answers.next().unwrap().unwrap(), expected[0]);
            }
            assert_eq!(answers.next().unwrap().unwrap(), expected[1 + number], "{header:?}");
        }
        drop(input);
        assert!(answers.next().is_none() && child.wait().unwrap().success());
    }
}

#[test]
fn a_pipe_and_a_file_give_the_same_bytes_and_errors_name_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let line = model(folder);
    let rows: String = (0..20_000).map(|k| format!("{},{},red\n", k % 7, k % 3)).collect();
    let table = format!("a,b,colour\n{rows}");
    fs::write(folder.join("new.csv"), &table).unwrap();
    let from_file = tanner(folder, &format!("{line} new.csv"));
    assert_eq!(from_file.stdout.lines().count(), 20_001);
    let (code, from_pipe, _) = piped(folder, &line, &table);
    assert!(code == Some(0) && from_pipe == from_file.stdout);
    assert_eq!(tanner(folder, &format!("{line} new.csv --out out.csv")).code, Some(0));
    assert_eq!(fs::read_to_string(folder.join("out.csv")).unwrap(), from_file.stdout);
    fs::write(folder.join("new.tsv"), table.replace(',', "\t")).unwrap();
    assert_eq!(tanner(folder, &format!("{line} new.tsv")).stdout, from_file.stdout);

    let (code, _, stderr) = piped(folder, &line, &format!("{table}1,x,red\n"));
    assert!(code == Some(1) && stderr.starts_with("error: stdin: line 20002, "), "{stderr}");
    fs::write(folder.join("new.csv"), format!("{table}1,x,red\n")).unwrap();
    let stderr = tanner(folder, &format!("{line} new.csv")).stderr;
    assert!(stderr.starts_with("error: new.csv: line 20002, "), "{stderr}");
    // Texts that training did not see are counted over all parts.
    let (code, _, stderr) = piped(folder, &line, &table.replace("red", "green"));
    assert!(code == Some(0) && stderr.lines().count() == 1 && stderr.contains("20,000 rows"), "{stderr}");
}

#[test]
fn inputs_without_rows_are_refused_and_a_closed_pipe_is_not_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let line = model(folder);
    for (input, part) in
        [("", "the file is empty"), ("a,b,colour\n", "a header, but no rows"), ("\n\n", "empty")]
    {
        let (code, stdout, stderr) = piped(folder, &line, input);
        assert!(code == Some(1) && stdout.is_empty() && stderr.contains(part), "{input:?}: {stderr}");
        fs::write(folder.join("empty.csv"), input).unwrap();
        refused(folder, &format!("{line} empty.csv"), 1, &["empty.csv: ", part]);
    }
    #[cfg(unix)]
    {
        let script = format!("yes 1,2,red | {} {line} | head -n 3", env!("CARGO_BIN_EXE_tanner"));
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 3);
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn inputs_are_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let line = model(path);
    let before = fs::read(path.join("t.csv")).unwrap();
    refused(path, &format!("{line} t.csv --out t.csv"), 1, &["--out: t.csv is the input"]);
    fs::create_dir(path.join("d")).unwrap();
    refused(path, &format!("{line} t.csv --out d/../t.csv"), 1, &["which would be overwritten"]);
    #[cfg(unix)]
    {
        let script = format!("exec {} {line} --out t.csv < t.csv", env!("CARGO_BIN_EXE_tanner"));
        let output = Command::new("sh").args(["-c", &script]).current_dir(path).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && stderr.contains("t.csv is the input"), "{stderr}");
    }
    assert_eq!(fs::read(path.join("t.csv")).unwrap(), before);
}

/// Without a header, the label may be in its place of training, but no other extra column is allowed.
#[test]
fn a_column_too_many_without_a_header_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let line = model(path);
    let expected = piped(path, &line, "1,2,red\n3,4,blue\n").1;
    for fine in ["1,2,red,0\n3,4,blue,1\n", "1,2,red,\n3,4,blue,\n", "1,2,red,9\n3,4,blue,1.0\n"] {
        let (code, stdout, stderr) = piped(path, &line, fine);
        assert_eq!((code, stdout), (Some(0), expected.clone()), "{fine:?}: {stderr}");
    }
    let (code, stdout, stderr) = piped(path, &line, "1,2,red,77\n3,4,blue,78\n");
    assert_eq!((code, &*stdout), (Some(1), ""));
    let reason =
        "without a header column 3 is the label, as in training, but \"77\" is not a class of 0, 1: leave";
    assert!(stderr.contains(reason) && stderr.lines().count() == 1, "{stderr}");
}
