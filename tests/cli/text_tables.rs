//! Text tables as people have them, from the command line: compressed, piped, misnamed, with names that need quotes.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{Outcome, tanner};

const NET: &str = "--hidden 8 --blocks 1 --density 1 --epochs 1 --backend cpu --threads 1 --importance none";

fn trees() -> String {
    let row =
        |row: usize| format!("{},{}.5,{}\n", row * 7 % 41, row * 11 % 37, ["oak", "elm", "fir"][row % 3]);
    "len,wid,kind\n".to_owned() + &(0..60).map(row).collect::<String>()
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn run(folder: &Path, line: &str) -> Outcome {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome
}

fn error(folder: &Path, line: &str) -> String {
    let outcome = tanner(folder, line);
    assert!(matches!(outcome.code, Some(1 | 2)), "{line}: {outcome:?}");
    let error = outcome.stderr.lines().last().unwrap_or_default().to_owned();
    assert!(error.starts_with("error: ") && !error.contains("panicked"), "{line}: {outcome:?}");
    error
}

#[test]
fn gzip_is_read_whatever_its_name_and_pipes_as_stdin() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("plain.csv"), trees()).unwrap();
    fs::write(folder.join("called.csv"), gzipped(&trees())).unwrap();
    fs::write(folder.join("table.csv.gz"), gzipped(&trees())).unwrap();
    fs::write(folder.join("table.dat"), trees().replace(',', "  ")).unwrap();
    run(folder, &format!("--data plain.csv {NET} --out plain"));
    let answers = run(folder, "predict --model plain plain.csv").stdout;
    assert_eq!(answers.lines().count(), 61);
    let digest = |run: &str| {
        let config = fs::read_to_string(folder.join(run).join("config.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&config).unwrap()["data_sha256"].clone()
    };
    for name in ["called.csv", "table.csv.gz", "table.dat"] {
        run(folder, &format!("--data {name} {NET} --out {name}-run"));
        assert_eq!(digest(&format!("{name}-run")), digest("plain"), "{name}");
        assert_eq!(run(folder, &format!("predict --model plain {name}")).stdout, answers, "{name}");
    }
    let mut cut = gzipped(&trees());
    cut.truncate(100);
    fs::write(folder.join("cut.csv.gz"), cut).unwrap();
    assert!(error(folder, &format!("--data cut.csv.gz {NET}")).contains("gzip"));
    #[cfg(unix)]
    {
        let script = "cat called.csv | \"$0\" predict --model plain > out && cmp out expected \
            && \"$0\" predict --model plain <(cut -d, -f1,2 plain.csv) > out && cmp out expected \
            && \"$0\" --data <(cat plain.csv) $1 --out piped";
        fs::write(folder.join("expected"), answers).unwrap();
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_tanner"), NET]).current_dir(folder);
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(digest("piped"), digest("plain"));
    }
}

#[test]
fn a_file_is_what_its_first_bytes_say() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let workbook = b"PK\x03\x04\x14\0\0\0\0\0[Content_Types].xml and xl/workbook.xml";
    for (name, bytes, said) in [
        ("book.csv", &workbook[..], "an Excel workbook (.xlsx): save the sheet as CSV"),
        ("book.xlsx", workbook, "an Excel workbook"),
        ("some.csv", b"PK\x03\x04 other.csv", "a zip archive"),
        ("some.txt", b"\x89HDF\r\n\x1a\n and more", "an HDF5 file"),
        ("page.csv", b"\n<!DOCTYPE html><html>404</html>\n", "a page of HTML"),
        ("big.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        ("rows.jsonl", b"{\"len\": 1, \"kind\": \"oak\"}\n", "JSON: save the table as CSV"),
        ("iris.arff", b"@RELATION iris\n@DATA\n", "an ARFF file"),
        ("frame.pkl", b"\x80\x04\x95\x01\x02", "a pickle of Python"),
        ("other.name", b"1,2,3\n", "if it is one of these, rename it"),
        ("old.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
    ] {
        fs::write(folder.join(name), bytes).unwrap();
        let error = error(folder, &format!("--data {name} {NET}"));
        assert!(error.contains(said) && error.contains(name), "{error}");
    }
    let header = format!("{:117}\n", "{'descr': '|u1', 'fortran_order': False, 'shape': (20, 3), }");
    let data: Vec<u8> = (0..60).map(|at| if at % 3 == 2 { at % 2 } else { at }).collect();
    let array = [b"\x93NUMPY\x01\x00\x76\x00", header.as_bytes(), &data].concat();
    fs::write(folder.join("array.csv"), array).unwrap();
    let outcome = run(folder, &format!("--data array.csv --label -1 {NET} --out array"));
    assert!(
        outcome.stderr.contains("array.csv is an array of numpy (NPY), whatever its name says"),
        "{outcome:?}"
    );
}

#[test]
fn gzip_needs_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["trees.gz", "trees"] {
        fs::write(folder.join(name), gzipped(&trees())).unwrap();
        let outcome = run(folder, &format!("--data {name} {NET} --out {name}-run"));
        assert!(outcome.stderr.contains("60 rows"), "{outcome:?}");
    }
    fs::write(folder.join("bytes.gz"), gzipped("\0\0\u{8}\u{3}")).unwrap();
    assert!(error(folder, &format!("--data bytes.gz {NET}")).contains("neither"));
}

#[test]
fn the_advised_flags_load_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut text = String::from("Full Name,\"height, cm\",age,ticket,label\n");
    for row in 0..150 {
        let age = if row % 9 == 0 { String::new() } else { (row % 60).to_string() };
        text += &format!("N{},{}.5,{age},T/{row},{}\n", row * 7919 % 100_003, row % 50, row % 3);
    }
    fs::write(folder.join("people.csv"), text).unwrap();
    let error = error(folder, &format!("--data people.csv {NET}"));
    let flags = error.split("add ").nth(1).unwrap_or_else(|| panic!("{error}"));
    assert_eq!(flags, "--drop 'Full Name,ticket' --impute median");
    let script = format!("\"$0\" --data people.csv {NET} --out run {flags}");
    #[cfg(unix)]
    {
        let output = std::process::Command::new("bash")
            .args(["-c", &script, env!("CARGO_BIN_EXE_tanner")])
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let script = format!("\"$0\" --data people.csv {NET} --out other {flags} --drop '\"height, cm\"'");
        let output = std::process::Command::new("bash")
            .args(["-c", &script, env!("CARGO_BIN_EXE_tanner")])
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn a_text_in_another_encoding_is_one_problem() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("t.csv"), trees()).unwrap();
    run(folder, &format!("--data t.csv {NET} --out run"));
    let wide: Vec<u8> =
        "\u{feff}".encode_utf16().chain(trees().encode_utf16()).flat_map(u16::to_le_bytes).collect();
    fs::write(folder.join("wide.csv"), wide).unwrap();
    let error = error(folder, "predict --model run wide.csv");
    assert_eq!(error, "error: wide.csv: UTF-16 text; save the file as UTF-8");
}

#[test]
fn a_label_of_many_texts_is_never_among_the_columns_to_drop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let table = |name: &str, label: &dyn Fn(usize) -> String, rows: usize| {
        let lines: String = (0..rows).map(|row| format!("{}.5,{}\n", row % 7, label(row))).collect();
        fs::write(path.join(name), format!("x,cls\n{lines}")).unwrap();
    };
    let said = |line: &str| {
        let outcome = tanner(path, &format!("{line} --epochs 1 --backend cpu -q"));
        assert!(!outcome.stderr.contains("--drop"), "{outcome:?}");
        outcome.stderr
    };
    table("many.csv", &|row| format!("k{}", row % 200), 600);
    let guessed = said("many.csv");
    assert!(guessed.contains("if it is the label, add --label cls"), "{guessed}");
    assert!(!said("many.csv --label cls").contains("error"));
    table("more.csv", &|row| format!("k{}", row % 4500), 9000);
    said("more.csv");
    let named = said("more.csv --label cls");
    assert!(
        named.contains("more than 4096 different values, the most that classes may have: merge"),
        "{named}"
    );
    table("dates.csv", &|row| format!("20{:02}-01-{:02}", row / 28, 1 + row % 28), 200);
    said("dates.csv");
    assert!(said("dates.csv --label cls").contains("write dates and other quantities as plain numbers"));
}
