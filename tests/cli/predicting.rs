//! What `predict` writes beside its answers, and what it says of rows that it cannot read as in training.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::{Outcome, refused, tanner};

const KINDS: [&str; 3] = ["ash", "elm", "oak"];

/// A folder with a run on a table of sizes and colours, and five new rows with identifiers.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("size,colour,kind\n");
    for row in 0..90 {
        let colour = ["red", "blue"][row % 2];
        writeln!(text, "{},{colour},{}", row * 37 % 101, KINDS[row % 3]).unwrap();
    }
    fs::write(folder.path().join("t.csv"), text).unwrap();
    let new = "id,size,colour,\"note, free\"\n7,1,red,\"a \"\"b\"\"\"\nNA,2,blue,c\n0009,3,red,\n10,4,blue,\n11,5,red,\"x,y\"\n";
    fs::write(folder.path().join("new.csv"), new).unwrap();
    let net =
        "--arch fc --hidden 4 --activation relu --standardize --importance none --epochs 1 --backend cpu";
    run(folder.path(), &format!("t.csv {net} --out run"));
    folder
}

fn run(folder: &Path, line: &str) -> Outcome {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome
}

const PREDICT: &str = "predict --model run --threads 1";

/// Predictions for the new rows, with arguments that hold blanks.
fn tanner_with(folder: &Path, arguments: &[&str]) -> String {
    let mut command = crate::support::command(folder);
    let output = command.args(PREDICT.split(' ')).arg("new.csv").args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn columns_of_the_input_are_kept_in_front_as_they_were_written() {
    let folder = folder();
    let folder = folder.path();
    let plain = run(folder, &format!("{PREDICT} new.csv")).stdout;
    assert!(plain.starts_with("label,probability ash,probability elm,probability oak\n"), "{plain}");
    let kept = run(folder, &format!("{PREDICT} new.csv --keep 3,id")).stdout;
    let lines: Vec<&str> = kept.lines().collect();
    assert_eq!(lines[0], "\"note, free\",id,label,probability ash,probability elm,probability oak");
    for (line, (start, answer)) in lines[1..].iter().zip(
        ["\"a \"\"b\"\"\",7,", "c,NA,", ",0009,", ",10,", "\"x,y\",11,"]
            .into_iter()
            .zip(plain.lines().skip(1)),
    ) {
        assert_eq!(*line, format!("{start}{answer}"));
    }
    // A name with a comma is quoted as in CSV.
    let quoted = tanner_with(folder, &["--keep", "\"note, free\",id"]);
    assert_eq!(quoted, kept);
    // The same from a pipe that ends its rows one by one, and as JSON.
    let piped = crate::support::command(folder)
        .args(PREDICT.split(' '))
        .args(["--keep", "id", "--stream", "--label-only"])
        .write_stdin(fs::read(folder.join("new.csv")).unwrap())
        .output()
        .unwrap();
    let piped = String::from_utf8(piped.stdout).unwrap();
    assert!(
        piped.starts_with("id,label\n7,") && piped.contains("\n0009,") && piped.lines().count() == 6,
        "{piped}"
    );
    let json = run(folder, &format!("{PREDICT} --data new.csv --keep id --label-only --json")).stdout;
    assert!(json.starts_with("{\"kept\":{\"id\":\"7\"},\"label\":\""), "{json}");
    // A kept column never looks like an answer, whatever it is called.
    fs::write(folder.join("labelled.csv"), "label,size,colour\noak,1,red\n").unwrap();
    let kept = run(folder, &format!("{PREDICT} labelled.csv --keep label --proba")).stdout;
    assert!(kept.starts_with("input label,label,probability ash,") && kept.contains("\noak,"), "{kept}");
    fs::write(folder.join("bare.csv"), "1,red\n2,blue\n").unwrap();
    let bare = run(folder, &format!("{PREDICT} bare.csv --header no --keep -1 --label-only")).stdout;
    assert!(bare.starts_with("column 1,label\nred,"), "{bare}");
    for (flags, parts) in [
        ("new.csv --keep Id", &["`--keep`", "did you mean \"id\"?"][..]),
        ("new.csv --keep id,0", &["named twice"]),
        ("new.csv --keep id --out x.npy", &["--out", "probabilities only"]),
        ("new.csv --label-only --out x.npy", &["--out", "probabilities only"]),
        ("new.csv --label-only --proba", &["cannot be used with"]),
        ("new.csv --data new.csv", &["cannot be used with"]),
    ] {
        let outcome = tanner(folder, &format!("{PREDICT} {flags}"));
        assert!(outcome.code != Some(0) && outcome.stdout.is_empty(), "{flags}: {outcome:?}");
        parts.iter().for_each(|part| {
            assert!(outcome.stderr.replace("--keep:", "`--keep`").contains(part), "{outcome:?}");
        });
    }
}

#[test]
fn only_earlier_predictions_are_replaced() {
    let folder = folder();
    let folder = folder.path();
    let said = run(folder, &format!("{PREDICT} new.csv --out p.csv")).stderr;
    assert!(said.contains("predictions of 5 samples: p.csv"), "{said}");
    let said = run(folder, &format!("{PREDICT} new.csv --out p.csv")).stderr;
    assert!(said.contains("predictions of 5 samples, in place of earlier ones: p.csv"), "{said}");
    let before = fs::read(folder.join("t.csv")).unwrap();
    for flags in ["new.csv --out t.csv", "new.csv --keep id --out p.csv"] {
        refused(
            folder,
            &format!("{PREDICT} {flags}"),
            1,
            &["--out: ", "exists and does not hold such predictions"],
        );
    }
    assert_eq!(fs::read(folder.join("t.csv")).unwrap(), before);
    run(folder, &format!("{PREDICT} new.csv --out p.npy"));
    run(folder, &format!("{PREDICT} new.csv --out p.npy"));
    fs::write(folder.join("other.npy"), "text").unwrap();
    refused(folder, &format!("{PREDICT} new.csv --out other.npy"), 1, &["exists and is not an array"]);
}

#[test]
fn texts_that_training_did_not_see_are_named_with_the_line_of_the_first() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("odd.csv"), "size,colour\n1,red\n2,pink\n3,green\n4,pink\n").unwrap();
    let said = run(folder, &format!("{PREDICT} odd.csv --quiet")).stderr;
    let expected = "belong to no category: \"colour\" in 3 rows (\"pink\", \"green\", the first in line 3)\n";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn eval_takes_its_data_without_a_flag() {
    let folder = folder();
    let folder = folder.path();
    let [named, bare] =
        ["--data t.csv", "t.csv"].map(|data| run(folder, &format!("eval --model run --backend cpu {data}")));
    assert_eq!((&named.stdout, named.stderr.contains("scored on the 18 rows")), (&bare.stdout, true));
    assert!(bare.stderr.contains("; always \"ash\": 33.33 %"), "{bare:?}");
}

#[test]
fn every_row_that_cannot_be_read_is_named_with_its_line() {
    let folder = folder();
    let folder = folder.path();
    let rows = ["1,red", "x,red", "3,blue", ",blue", "5,red,7", "6,red"].join("\n");
    let quoted = format!("size,colour\n0,\"a\nb\"\n{rows}\n");
    fs::write(folder.join("bad.csv"), &quoted).unwrap();
    let expected = [
        "bad.csv: 3 rows cannot be read: line 5, column \"size\": \"x\" is not a number, as this column held in training; ",
        "line 7, column \"size\": the value is missing, and the model fills none: fill it, or train with --impute; ",
        "line 8: 3 fields, expected 2 as in the first line",
    ];
    refused(folder, &format!("{PREDICT} bad.csv"), 1, &expected);
    let many: String =
        (0..30).map(|row| format!("{}\n", if row % 2 == 0 { "7,red" } else { "-,red" })).collect();
    fs::write(folder.join("many.csv"), format!("size,colour\n{many}")).unwrap();
    let outcome = tanner(folder, &format!("{PREDICT} many.csv"));
    assert!(
        outcome.stderr.contains("15 rows cannot be read: line 3")
            && outcome.stderr.ends_with("; and 5 more rows\n"),
        "{outcome:?}"
    );
    // One problem is said as before.
    fs::write(folder.join("one.csv"), "size,colour\n1,red\ny,red\n").unwrap();
    refused(
        folder,
        &format!("{PREDICT} one.csv"),
        1,
        &["error: one.csv: line 3, column \"size\": \"y\" is not a number"],
    );
}
