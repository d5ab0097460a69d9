//! Every mistake ends in one line and an exit code, before anything is written.

use std::fs;
use std::path::Path;

use crate::support::{NOT_FOUND, SMALL, TEST, TRAIN, folder_with_data, images, labels, refused, tanner};

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

/// Only the data may be in the folder after a refusal.
fn untouched(folder: &Path) {
    let names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["data"], "something was left behind");
}

#[test]
fn settings_outside_their_range_are_refused() {
    let folder = folder_with_data();
    for (flags, part) in [
        ("--epochs 0", "--epochs: 0 is invalid"),
        ("--batch-size 0", "--batch-size: 0 is invalid"),
        ("--lr nan", "--lr: NaN is invalid"),
        ("--lr -0.1", "--lr: -0.1 is invalid"),
        ("--lr inf", "--lr: inf is invalid"),
        ("--l2 nan", "--l2: NaN is invalid"),
        ("--l1 -1", "--l1: -1 is invalid"),
        ("--dropconnect 1", "--dropconnect: 1 is invalid"),
        ("--label-smoothing 1", "--label-smoothing: 1 is invalid"),
        ("--momentum 1", "--momentum: 1 is invalid"),
        ("--gain 0", "--gain: 0 is invalid"),
        ("--dropout 1", "--dropout: 1 is invalid"),
        ("--threads 0", "--threads: 0 is invalid"),
        ("--blocks 0", "--blocks: 0 is invalid"),
        ("--hidden 0", "--hidden: a width of 0 is invalid"),
        ("--train-limit 0", "--train-limit: 0 is invalid"),
        (
            "--data data --arch fc --hidden 100000000,1000000",
            "GiB are free: take smaller layers (--hidden, --grid)",
        ),
        ("--data none", "--data: data set: folder none does not exist"),
        ("--data data --train-limit 61", "--train-limit: data set: the first 61 samples"),
        ("--arch fc --degrees 1,2", "--degrees: cannot be used with --arch fc"),
        ("--optimizer adam --momentum 0.5", "--momentum: cannot be used"),
        ("--importance none --order asc", "--order: asc cannot be used"),
        ("--arch narrow --budget 5 --data data", "a budget of 5 parameters is impossible, "),
        ("--arch narrow --data data --degrees 99", "--degrees: the sc network to match: layer 1"),
        ("--arch band --data data --hidden 16 --blocks 2 --degrees 17", "layer 1: block 0: a degree of 17"),
        ("--arch fc --softness 1", "--softness: cannot be used with --arch fc"),
        ("--data data --augment shift=4 --arch rsp", "--augment: a shift of 4 is invalid"),
        ("--backend cpu --adapter any", "--adapter: cannot be used"),
    ] {
        refused(folder.path(), flags, 1, &[part]);
    }
    untouched(folder.path());
}

#[test]
fn impossible_graphs_are_refused_with_layer_block_and_limit() {
    let folder = folder_with_data();
    let small = "--data data --hidden 16,16";
    for (flags, parts) in [
        (
            "--blocks 2 --degrees 9,4",
            &["--degrees: ", "layer 1", "block 0", "degree of 9", "hold 8 neurons"][..],
        ),
        ("--blocks 2 --degrees 6,4/6,17", &["layer 2", "block 1", "degree of 17", "hold 16 neurons"]),
        ("--blocks 2 --degrees 1,2,3", &["--degrees: ", "layer 1", "3", "2"]),
        ("--blocks 2 --degrees 1,2 --receptive-field 3", &["receptive field of 3", "1 to 2"]),
        ("--blocks 17 --degrees 1", &["17 blocks", "1 to 16"]),
        ("--blocks 2,2,2 --degrees 1", &["3 blocks for 2 hidden layers"]),
        ("--arch rsp --degree 17", &["--degree: ", "layer 1", "degree of 17", "16 outputs"]),
        ("--arch rsp --degree-distribution 3:0.5", &["sum to 1"]),
    ] {
        refused(folder.path(), &format!("{small} {flags}"), 1, parts);
    }
    untouched(folder.path());
}

#[test]
fn mistyped_flags_are_refused_with_code_2() {
    let folder = folder_with_data();
    for (line, part) in [
        ("--epoch 3", "'--epochs'"),
        ("--arch cs", "[possible values: sc, rsp, fc, narrow, band, sc2d]"),
        ("--order down", "[possible values: desc, asc, place]"),
        ("--epochs three", "--epochs: \"three\" is not a whole number"),
        ("inspect --hidden 1.5", "'--hidden <N,N,..>': \"1.5\" is not a whole number"),
        ("prune --model m --sparsity much", "\"much\" is not a share: write 0.5 or 50%"),
        ("--batch-size -1", "--batch-size: -1 is invalid, it must be a whole number, at least 1"),
        ("--seed -1", "--seed: -1 is invalid"),
        ("--epochs", "a value is required"),
        ("--degrees 1,x", "not a whole number"),
        ("--schedule never", "step:EPOCHS:FACTOR"),
        ("--pca --importance pca", "cannot be used with"),
        ("--seed 1 devices", "--seed must come after the subcommand devices"),
        ("traln", "`traln` is neither a command nor a file; did you mean `train`?"),
        ("train nothing", "`nothing` is neither a file nor a folder"),
        ("eval", "--model <FILE>"),
    ] {
        refused(folder.path(), line, 2, &[part]);
    }
    untouched(folder.path());
}

#[test]
fn damaged_data_are_refused_by_file_and_place() {
    let folder = folder_with_data();
    let data = folder.path().join("data");
    let whole = (fs::read(data.join(IMAGES)).unwrap(), fs::read(data.join(LABELS)).unwrap());
    let cut = whole.0[..whole.0.len() - 1].to_vec();
    let longer = [&whole.0[..], &[7]].concat();
    let mut huge = whole.0.clone();
    huge[4..8].fill(0xff);
    for (name, bytes, part) in [
        (IMAGES, cut, "ends after"),
        (IMAGES, longer, "byte 976"),
        (IMAGES, huge, "byte "),
        (IMAGES, Vec::new(), "ends after 0 bytes"),
        (IMAGES, whole.1.clone(), "a label file"),
        (LABELS, whole.0.clone(), "an image file"),
        (LABELS, labels(59), "59 labels, expected 60"),
        (LABELS, b"\x1f\x8bnot really gzip".to_vec(), LABELS),
        (IMAGES, b"<html>not found</html>".to_vec(), "zero bytes"),
    ] {
        fs::write(data.join(IMAGES), &whole.0).unwrap();
        fs::write(data.join(LABELS), &whole.1).unwrap();
        fs::write(data.join(name), bytes).unwrap();
        refused(folder.path(), SMALL, 1, &[name, part]);
    }
    fs::write(data.join(LABELS), &whole.1).unwrap();
    fs::write(data.join(IMAGES), images(60)).unwrap();
    fs::remove_file(data.join(TEST_LABELS)).unwrap();
    refused(folder.path(), SMALL, 1, &[TEST_LABELS]);
    refused(folder.path(), "--data nowhere", 1, &["folder nowhere does not exist"]);
    refused(folder.path(), &format!("--data data/{IMAGES}"), 1, &[IMAGES]);
    untouched(folder.path());
}

/// The tests may run as root, who can write anywhere; but not below a file, and not into /proc.
#[test]
fn a_folder_that_cannot_be_written_to_is_refused_before_training() {
    let folder = folder_with_data();
    let below = format!("{SMALL} --out data/{IMAGES}/run");
    refused(folder.path(), &below, 1, &[IMAGES]);
    #[cfg(target_os = "linux")]
    refused(folder.path(), &format!("{SMALL} --out /proc/run"), 1, &["/proc/run"]);
    untouched(folder.path());
}

#[test]
fn an_unknown_adapter_is_refused() {
    let folder = folder_with_data();
    let line = "--data data --hidden 16 --blocks 2 --degrees 6,4 --adapter no-such-card";
    refused(folder.path(), line, 1, &["GPU: ", "no-such-card"]);
    untouched(folder.path());
}

#[test]
fn files_that_are_not_models_are_refused() {
    let folder = folder_with_data();
    let path = folder.path().join("model");
    assert_eq!(tanner(folder.path(), &format!("{SMALL} --out run")).code, Some(0));
    let model = fs::read(folder.path().join("run/model.safetensors")).unwrap();
    let text = "not a usable model file";
    let eval = "eval --model model --data data --backend cpu";
    refused(folder.path(), eval, 1, &["model: ", NOT_FOUND]);
    for bytes in [&model[..model.len() / 2], &model[..7], b"", b"some text", &images(TEST)] {
        fs::write(&path, bytes).unwrap();
        refused(folder.path(), eval, 1, &["model: ", text]);
        refused(folder.path(), "inspect --model model", 1, &["model: ", text]);
    }
    refused(
        folder.path(),
        "eval --model data --data data --backend cpu",
        1,
        &["data: ", "a folder without model.safetensors: name a model file, or the folder of a run"],
    );
    for (bytes, kind) in
        [(&b"version https://git-lfs.github.com/spec/v1"[..], "Git LFS"), (b"<html><body>", "HTML page")]
    {
        fs::write(&path, bytes).unwrap();
        refused(folder.path(), eval, 1, &["model: ", kind]);
    }
    // The folder of a run is the model in it.
    for line in [
        "eval --model run --data data --backend cpu",
        "inspect --model run",
        "export --model run --onnx m.onnx",
    ] {
        let outcome = tanner(folder.path(), line);
        assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    }
    for (flags, part) in [
        ("--target 70% --method magnitude", "takes the share to remove, --sparsity 0.3 to leave 70 %"),
        ("--max-drop 1 --method magnitude", "takes --sparsity SHARE or --threshold T"),
        ("--sparsity 0.3", "takes what to leave, --target 70%"),
        ("--threshold 0.3", "--method blocks takes --target or --max-drop"),
        ("--method magnitude", "needs the share to remove (--sparsity 0.3)"),
    ] {
        refused(folder.path(), &format!("prune --model run --data data {flags}"), 1, &[part]);
    }
    refused(folder.path(), "report run/config.json", 1, &["is a file of the run run: name the folder"]);
    // A valid model, but of pictures of another size.
    fs::write(&path, &model).unwrap();
    let data = folder.path().join("data");
    for (name, count) in [(IMAGES, TRAIN), ("t10k-images-idx3-ubyte", TEST)] {
        let mut half = images(count);
        half[15] = 2;
        half.truncate(16 + 8 * count as usize);
        fs::write(data.join(name), half).unwrap();
    }
    refused(folder.path(), eval, 1, &["pictures of 4 x 2 pixels, the model was trained on 4 x 4"]);
}

#[test]
fn a_missing_data_set_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let parts = [
        "Fashion-MNIST, the data of a run that names none, is not here: there is no folder data/fashion-mnist;",
        "name a table or a folder of yours (--data), or start in a checkout of Tanner's repository",
    ];
    for command in ["--pca", "train", "importance", "paper table1 --out t"] {
        refused(folder, command, 1, &parts);
    }
    refused(folder, "mine.csv", 1, &["mine.csv: ", NOT_FOUND]);
    refused(folder, "train some/folder", 1, &["folder some/folder does not exist"]);
}

#[test]
fn tables_too_small_or_of_another_shape_name_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("one.csv"), "a,label\n1,x\n2,x\n").unwrap();
    let outcome = tanner(folder, "one.csv");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let error = outcome.stderr.lines().last().unwrap();
    assert!(
        error.contains("only one class, \"x\"") && error.contains("name another column with --label"),
        "{error}"
    );
}
