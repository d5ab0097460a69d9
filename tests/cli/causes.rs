//! Error lines name the typed flag, the file, and the word that was probably meant.

use std::fs;

use crate::support::{folder_with_data, refused, tanner};

#[test]
fn the_flag_that_was_typed_is_named() {
    let folder = folder_with_data();
    let folder = folder.path();
    let rsp = "inspect --arch rsp";
    for (line, part) in [
        ("inspect --receptive-field 99", "error: --receptive-field: layer 1: a receptive field of 99"),
        ("inspect --receptive-field 0", "error: --receptive-field: layer 1"),
        ("inspect --hidden 8 --blocks 99", "error: --blocks: "),
        ("inspect --degrees 9999", "error: --degrees: layer 1"),
        ("inspect --degrees 1,2 --blocks 4", "error: --degrees: layer 1: 2 degrees for 4 blocks"),
        (&format!("{rsp} --degree 9999"), "error: --degree: "),
        (&format!("{rsp} --degree-distribution uniform:90-10"), "error: --degree-distribution: "),
        ("inspect --arch narrow --budget 1", "error: --budget: "),
        ("train --data data --receptive-field 99 --out run", "error: --receptive-field: "),
        ("train --data data --from nofile --out run", "error: --from: nofile"),
        ("train --data data --adapter nobody --out run", "error: --adapter: "),
        ("train --data data --adapter 77 --out run", "error: --adapter: "),
        ("eval --model nofile", "error: --model: nofile"),
        ("predict --model nofile", "error: --model: nofile"),
        ("runs nope", "error: DIR: nope"),
        ("prune --model m --method magnitude --sparsity 50%", "error: --model: m"),
    ] {
        refused(folder, line, 1, &[part]);
    }
    for (line, part) in [
        ("--checkpoint-every -5s", "\"-5s\" is"),
        ("--validation -1", "\"-1\" is not a share"),
        ("--blocks -1", "\"-1\" is not a whole number"),
        ("--epochs -1", "at least 1"),
        ("--threads -1", "at least 1"),
        ("--patience -1", "at least 1"),
        ("prune --model m --sparsity half", "\"half\" is not a share: write 0.5 or 50%"),
    ] {
        refused(folder, line, 2, &[part]);
    }
}

#[test]
fn a_settings_file_is_named_and_a_run_folder_counts_as_one() {
    let folder = folder_with_data();
    let folder = folder.path();
    for (text, code, part) in [
        ("batch-size = 0", 1, "--config: s.toml: --batch-size: 0 is invalid"),
        ("lr = -1", 1, "--config: s.toml: --lr: -1.0 is invalid"),
        ("validation = \"x\"", 2, "line 1: validation: \"x\" is not valid"),
        ("epochs = 99999999999999999999", 2, "line 1: a whole number that is larger than any setting allows"),
        ("arch = \"foo\"", 2, "is not one of sc, rsp, fc, narrow, band, sc2d"),
        ("epochs = -1", 2, "at least 1"),
        ("quiet = true", 2, "\"quiet\" is not a setting, only a flag: type --quiet"),
    ] {
        fs::write(folder.join("s.toml"), text).unwrap();
        refused(folder, "--data data --config s.toml --out run", code, &[part]);
    }
    fs::write(folder.join("s.toml"), "arch = \"foo\"").unwrap();
    let custom = tanner(folder, "--config s.toml");
    assert!(!custom.stderr.contains("custom"), "{custom:?}");
    fs::create_dir(folder.join("old")).unwrap();
    fs::write(folder.join("old/config.json"), "{\"settings\": {\"epochs\": \"many\"}}").unwrap();
    refused(folder, "--config old", 2, &["--config: ", "config.json: epochs: "]);
}

#[test]
fn files_of_the_wrong_kind_are_called_by_their_kind() {
    let folder = folder_with_data();
    let folder = folder.path();
    fs::write(folder.join("x.csv"), "a,b,label\n1,2,x\n2,3,y\n").unwrap();
    refused(folder, "eval --model x.csv", 1, &["--model: x.csv", "a text file"]);
    for command in ["inspect", "paper figure1"] {
        refused(folder, &format!("{command} --out x.csv"), 1, &["--out: x.csv is not a folder"]);
    }
}
