//! Tables of users, from the command line to a model and back.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tanner::model::TrainedModel;
use tempfile::TempDir;

use crate::support::{NOT_FOUND, Outcome, SMALL, folder_with_data, tanner};

/// Flags of a small network, trained on the CPU.
const NET: &str = "--preset none --arch fc --hidden 8 --activation relu --standardize --importance none --epochs 8 --lr 0.1 \
                   --batch-size 8 --backend cpu --threads 2";

/// Three kinds of flowers, distinguished by size and colour; the label is in the middle column.
fn flowers(rows: usize) -> String {
    let mut text = String::from("size,kind,colour,\"height, cm\"\n");
    for row in 0..rows {
        let kind = ["rose", "tulip", "lily"][row % 3];
        let colour = [["red", "pink"], ["yellow", "red"], ["white", "white"]][row % 3][row / 3 % 2];
        let size = (row % 3) as f64 + (row * 7 % 10) as f64 / 20.0;
        text += &format!("{size},{kind},{colour},{}\n", 10 + row * 13 % 17);
    }
    text
}

fn folder_with_flowers() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flowers.csv"), flowers(120)).unwrap();
    folder
}

fn run(folder: &Path, line: &str) -> Outcome {
    let outcome = tanner(folder, line);
    assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
    outcome
}

/// Demands a refusal: one error line, after any notes.
fn refused(folder: &Path, line: &str, parts: &[&str]) {
    let outcome = tanner(folder, line);
    assert!(matches!(outcome.code, Some(1 | 2)) && outcome.stdout.is_empty(), "{line}: {outcome:?}");
    let errors: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    let [error] = errors[..] else { panic!("{line}: {outcome:?}") };
    assert_eq!(outcome.stderr.lines().last(), Some(error), "{line}: {outcome:?}");
    for part in parts {
        assert!(error.contains(part), "{line}: {error:?} does not say {part:?}");
    }
    assert!(!error.contains("panicked") && !error.contains("fault of tanner"), "{line}: {error}");
}

fn config(folder: &Path, run: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join(run).join("config.json")).unwrap()).unwrap()
}

fn load(folder: &Path, run: &str) -> TrainedModel {
    TrainedModel::load(folder.join(run).join("model.safetensors")).unwrap()
}

/// `90.00` of `test accuracy 90.00 %`.
fn accuracy(text: &str) -> f64 {
    let rest = text.split("test accuracy ").nth(1).unwrap_or_else(|| panic!("no accuracy in {text:?}"));
    rest.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_table_is_trained_on_and_its_names_travel() {
    let folder = folder_with_flowers();
    let folder = folder.path();
    let outcome = run(folder, &format!("--data flowers.csv --label kind {NET} --seed 4 --out run"));
    for part in [
        "table: 120 rows (96 training, 24 test), header",
        "features: 2 numbers, 1 text of 4 categories -> 6 inputs",
    ] {
        assert!(outcome.stderr.contains(part), "{outcome:?}");
    }
    let model = load(folder, "run");
    let data = model.data();
    assert_eq!(data.class_names, ["lily", "rose", "tulip"]);
    let names = ["size", "colour=pink", "colour=red", "colour=white", "colour=yellow", "height, cm"];
    assert_eq!(data.feature_names, names);
    assert_eq!((model.network().inputs(), data.test.unwrap().seed), (6, 4));
    let config = config(folder, "run");
    assert_eq!((&config["data"], &config["table"]["label"]), (&"flowers.csv".into(), &"kind".into()));
    // The same test rows again, without naming them.
    let eval = run(folder, "eval --model run/model.safetensors --data flowers.csv --backend cpu");
    assert_eq!(accuracy(&eval.stderr), accuracy(&outcome.stdout));
    assert!(accuracy(&eval.stderr) > 80.0 && eval.stderr.contains("of 24)"), "{eval:?}");
    assert!(
        eval.stderr.contains("scored on the 24 rows that were held out in training (seed 4)"),
        "{eval:?}"
    );
    // The same seed trains the same model with any number of threads.
    let again = NET.replace("--threads 2", "--threads 1");
    run(folder, &format!("--data flowers.csv --label kind {again} --seed 4 --out again"));
    let bytes = |run: &str| fs::read(folder.join(run).join("model.safetensors")).unwrap();
    assert!(bytes("run") == bytes("again"));
}

#[test]
fn another_table_is_encoded_as_in_training() {
    let folder = folder_with_flowers();
    let folder = folder.path();
    run(folder, &format!("--data flowers.csv --label kind {NET} --out run"));
    let mut other = String::from("\"height, cm\";colour;extra;size;kind\n");
    other += "12;red;x;0.1;rose\n14;violet;x;2.2;lily\n15;yellow;x;1.3;tulip\n";
    fs::write(folder.join("other.csv"), &other).unwrap();
    let eval = run(folder, "eval --model run/model.safetensors --data other.csv --backend cpu");
    assert!(eval.stderr.contains("of 3)"), "{eval:?}");
    for part in [
        "scored on all 3 rows",
        "warning: texts that do not occur in the training rows",
        "\"colour\" in 1 row",
    ] {
        assert_eq!(eval.stderr.matches(part).count(), 1, "{part}: {eval:?}");
    }
    let by_test =
        run(folder, "eval --model run/model.safetensors --data flowers.csv --test other.csv --backend cpu");
    assert_eq!(by_test.stdout, eval.stdout);
    fs::write(folder.join("wrong.csv"), other.replace("size", "sizes")).unwrap();
    refused(
        folder,
        "eval --model run/model.safetensors --data wrong.csv --backend cpu",
        &["wrong.csv", "column \"size\" of the training data is missing; did you mean \"sizes\"?"],
    );
    for flag in ["--impute mean", "--drop size", "--label size", "--max-categories 3"] {
        let line = format!("eval --model run/model.safetensors --data flowers.csv --backend cpu {flag}");
        refused(folder, &line, &["the model has that of its training"]);
    }
    let line = "eval --model run/model.safetensors --data flowers.csv --test 0.3 --backend cpu";
    refused(folder, line, &["--test", "name a FILE"]);
}

#[test]
fn test_files_shares_and_numbers() {
    let folder = folder_with_flowers();
    let folder = folder.path();
    fs::write(folder.join("test.csv"), flowers(33)).unwrap();
    let train = |test: &str| {
        let line = format!("--data flowers.csv --label kind {NET} --epochs 1 --test {test} --out run-{test}");
        run(folder, &line).stderr
    };
    assert!(train("test.csv").contains("120 training and 33 test samples"));
    assert!(load(folder, "run-test.csv").data().test.is_none());
    assert!(train("0.5").contains("60 training and 60 test samples"));
    assert!(train("30").contains("90 training and 30 test samples"));
    for test in ["1.5", "0", "missing.csv"] {
        refused(
            folder,
            &format!("--data flowers.csv --label kind {NET} --test {test} --out no"),
            &["--test"],
        );
    }
    let line = format!("--data flowers.csv --label kind {NET} --epochs 1 --validation 0.25 --out valid");
    assert!(run(folder, &line).stderr.contains("72 training and 24 validation samples"));
}

#[test]
fn pruning_layers_and_importance_take_tables() {
    let folder = folder_with_flowers();
    let folder = folder.path();
    run(folder, &format!("--data flowers.csv --label kind {NET} --epochs 20 --validation 0.25 --out run"));
    let model = "--model run/model.safetensors --data flowers.csv --backend cpu";
    let prune =
        format!("prune {model} --method magnitude --sparsity 0.3 --rounds 1 --fine-tune 0 --out small");
    run(folder, &prune);
    assert_eq!(load(folder, "small").data(), load(folder, "run").data());
    run(folder, "eval --model small/model.safetensors --data flowers.csv --backend cpu");
    run(folder, &format!("layer-importance {model} --blocks 2 --trees 3 --out layers"));
    let ranking = run(folder, "importance --data flowers.csv --label kind --trees 20").stdout;
    assert!(ranking.starts_with("rank,feature,importance,name\n1,"), "{ranking}");
    assert!(ranking.contains(",\"height, cm\"") && ranking.lines().count() == 7, "{ranking}");
    let on =
        "--from run/model.safetensors --data flowers.csv --epochs 1 --batch-size 8 --backend cpu --out on";
    run(folder, on);
    assert_eq!(load(folder, "on").data(), load(folder, "run").data());
}

#[test]
fn batches_split_by_their_seeds_and_continue() {
    let folder = folder_with_flowers();
    let folder = folder.path();
    let line = "compare --data flowers.csv --label kind --seeds 2 --backend cpu --out out --run";
    let words: Vec<&str> = line.split_whitespace().collect();
    let flags = "a=--arch fc --hidden 4 --epochs 2 --batch-size 8";
    let compare = || {
        let output = crate::support::command(folder).args(&words).arg(flags).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(!compare().contains("finished before"));
    assert_eq!(compare().matches("finished before").count(), 2);
    let seed = |run: &str| load(&folder.join("out/runs"), run).data().test.unwrap().seed;
    assert_eq!((seed("a-s0"), seed("a-s1")), (0, 1));
    let digest = |run: &str| config(&folder.join("out/runs"), run)["data_sha256"].clone();
    assert_ne!(digest("a-s0"), digest("a-s1"));
}

#[test]
fn missing_values_are_refused_or_filled() {
    let folder = folder_with_flowers();
    let folder = folder.path();
    let text = flowers(120).replacen("\n", "\n,rose,red,4\n", 1);
    fs::write(folder.join("holes.csv"), text).unwrap();
    let line = format!("--data holes.csv --label kind {NET} --epochs 1 --out run");
    refused(folder, &line, &["--data: holes.csv: line 2, column \"size\": the value is missing", "--impute"]);
    assert!(!folder.join("run").exists());
    run(folder, &format!("{line} --impute median"));
    let model = load(folder, "run");
    let fill = model.data().encoding.as_ref().unwrap().columns[0].fill.unwrap();
    assert!(fill > 0.5 && fill < 2.5, "{fill}");
}

#[test]
fn one_to_thirty_features_train_on_every_architecture() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for features in [1, 7, 30] {
        let mut text = String::new();
        for row in 0..60 {
            let value = |feature: usize| format!("{}.5,", row % 2 * 3 + row * feature % 5);
            text += &format!("{}{}\n", (0..features).map(value).collect::<String>(), ["no", "yes"][row % 2]);
        }
        fs::write(folder.join("table.csv"), text).unwrap();
        for flags in [
            "--arch sc --blocks 3 --degrees 2,3,1 --hidden 11,7",
            "--arch rsp --degree 3 --hidden 11,7",
            "--arch band --blocks 3 --degrees 2 --hidden 11,7",
            "--arch fc --hidden none",
        ] {
            if features < 3 && flags.contains("blocks") {
                continue;
            }
            for importance in ["--pca", "--rf --trees 5", "--importance none"] {
                let _ = fs::remove_dir_all(folder.join("run"));
                let line =
                    format!("--data table.csv {flags} {importance} --epochs 1 --backend cpu --out run");
                run(folder, &line);
            }
        }
    }
}

#[test]
fn flags_of_tables_belong_to_tables() {
    let folder = folder_with_data();
    let folder = folder.path();
    fs::write(folder.join("flowers.csv"), flowers(60)).unwrap();
    fs::write(folder.join("table.xyz"), flowers(60)).unwrap();
    for (line, parts) in [
        (format!("{SMALL} --label kind --out run"), &["--data: --label belongs to tables"][..]),
        (format!("{SMALL} --test 0.2 --out run"), &["--test belongs to tables"]),
        (format!("--data table.xyz {NET} --out run"), &["neither a folder of IDX files nor named .csv"]),
        (format!("--data no.csv {NET} --out run"), &["no.csv", NOT_FOUND]),
        (
            format!("--data flowers.csv --labels l.npy {NET} --out run"),
            &["--labels: cannot be used with flowers.csv"],
        ),
        (format!("--data flowers.csv --label kid {NET} --out run"), &["did you mean \"kind\"?"]),
        (format!("--data flowers.csv --label kind --max-categories 2 {NET} --out run"), &["the limit is 2"]),
        (
            format!("--data flowers.csv --max-categories 0 {NET} --out run"),
            &["--max-categories: 0 is invalid"],
        ),
        (format!("--data flowers.csv --label kind --impute most {NET} --out run"), &["mean, median, zero"]),
        (format!("--data flowers.csv --delimiter ab {NET} --out run"), &["cannot separate fields"]),
        (
            format!("--data flowers.csv --label kind {NET} --augment flip --out run"),
            &["not known to be pictures"],
        ),
    ] {
        refused(folder, &line, parts);
    }
    run(folder, &format!("{SMALL} --out run"));
    assert_eq!(load(folder, "run").data().image_shape, Some([4, 4]));
    assert!(config(folder, "run").get("table").is_none());
    let line = "eval --model run/model.safetensors --data flowers.csv --backend cpu";
    refused(folder, line, &["4 columns, the training data had 16"]);
}

#[test]
fn arrays_of_numpy_are_tables() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let write = |name: &str, descr: &str, shape: &str, data: Vec<u8>| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        let bytes = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &data].concat();
        fs::write(folder.join(name), bytes).unwrap();
    };
    let value = |row: u16, column: u16| row % 2 * 3 + row * column % 4;
    let features = (0..40).flat_map(|row| (0..3).flat_map(move |column| value(row, column).to_le_bytes()));
    write("x.npy", "<u2", "(40, 3)", features.collect());
    write("y.npy", "<i8", "(40,)", (0..40i64).flat_map(|row| (row % 2 - 1).to_le_bytes()).collect());
    let outcome = run(folder, &format!("--data x.npy --labels y.npy {NET} --out run"));
    assert!(outcome.stderr.contains("32 training and 8 test samples"), "{outcome:?}");
    assert_eq!(load(folder, "run").data().class_names, ["-1", "0"]);
    let eval = run(folder, "eval --model run/model.safetensors --data x.npy --labels y.npy --backend cpu");
    assert_eq!(accuracy(&eval.stderr), accuracy(&outcome.stdout));
    refused(folder, "eval --model run/model.safetensors --data x.npy --backend cpu", &["x.npy"]);
}

/// The only column that tells the classes apart is measured in a small unit.
#[test]
fn columns_in_small_units_are_learned_like_others() {
    let folder = tempfile::tempdir().unwrap();
    let accuracy_in = |unit: &str| {
        let rows = (0..40).map(|row| format!("{},{}{unit},{}\n", row * 7 % 10, row % 2, ["a", "b"][row % 2]));
        let text = format!("noise,size,label\n{}", rows.collect::<String>());
        fs::write(folder.path().join("scales.csv"), text).unwrap();
        let outcome = run(folder.path(), &format!("--data scales.csv {NET} --out run{unit}"));
        assert!(!outcome.stderr.contains("warning: columns"), "{outcome:?}");
        accuracy(&outcome.stdout)
    };
    assert_eq!(["", "e-6", "e-20"].map(accuracy_in), [100.0; 3]);
}

#[test]
fn several_spellings_of_a_label_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let warned = |labels: [&str; 2]| {
        let rows = (0..40).map(|row| format!("{},{}\n", row % 2, labels[row % 2]));
        fs::write(folder.path().join("t.csv"), format!("a,label\n{}", rows.collect::<String>())).unwrap();
        let outcome = tanner(folder.path(), &format!("--data t.csv {NET} --json"));
        outcome.stderr.lines().find(|line| line.contains("the labels ")).map(ToOwned::to_owned)
    };
    for (labels, part) in [
        (
            ["1e2", "100"],
            Some("\"1e2\" and \"100\" are two classes; if they mean the same, spell them alike"),
        ),
        (["1", "1.0"], Some("\"1\" and \"1.0\" are one class, \"1\"")),
        (["TRUE", "True"], Some("\"TRUE\" and \"True\" are one class, \"True\"")),
        (["1", "True"], Some("\"1\" and \"True\" are two classes")),
        (["0.0", "false"], Some("\"0.0\" and \"false\" are two classes")),
        (["0", "True"], None),
        (["9007199254740992", "9007199254740993"], None),
        (["a", "b"], None),
    ] {
        let line = warned(labels);
        assert_eq!(line.is_some(), part.is_some(), "{labels:?}: {line:?}");
        assert!(line.is_none_or(|line| line.contains(part.unwrap())), "{labels:?}");
    }
}

/// With one block, the window is one block.
#[test]
fn a_table_of_one_feature_trains_with_one_block() {
    let folder = tempfile::tempdir().unwrap();
    let rows = (0..40).map(|row| format!("{},{}\n", row % 2 * 3, row % 2));
    fs::write(folder.path().join("one.csv"), rows.collect::<String>()).unwrap();
    let line =
        "--data one.csv --hidden 8 --blocks 1 --epochs 2 --importance none --backend cpu --threads 1 --out";
    run(folder.path(), &format!("{line} a"));
    run(folder.path(), &format!("{} b", line.replace("--blocks 1 ", "")));
}

#[test]
fn spoiled_numbers_are_not_categories() {
    let folder = tempfile::tempdir().unwrap();
    let table = |first: &str| {
        let rows = (1..40).map(|row| format!("{},{}\n", row * 3, row % 2));
        format!("size,label\n{first},1\n{}", rows.collect::<String>())
    };
    fs::write(folder.path().join("typo.csv"), table("1.2x")).unwrap();
    let line = format!("--data typo.csv {NET} --out a");
    refused(
        folder.path(),
        &line,
        &["line 2, column \"size\": \"1.2x\" among numbers", "correct it", "--drop size"],
    );
    fs::write(
        folder.path().join("comma.csv"),
        table("\"1,5\"").replace("\n9,", "\n9.5,").replace("\n12,", "\n12.5,"),
    )
    .unwrap();
    refused(
        folder.path(),
        &line.replace("typo", "comma"),
        &["line 2, column \"size\": \"1,5\" among numbers", "--decimal"],
    );
}

/// As many rows, but not the table that was split.
#[test]
fn another_order_of_rows_is_not_taken_for_the_training_table() {
    let folder = folder_with_flowers();
    let folder = folder.path();
    run(folder, &format!("--data flowers.csv {NET} --out run"));
    let text = flowers(120);
    let (header, rows) = text.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    rows.reverse();
    fs::write(folder.join("reversed.csv"), format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    let eval = |data: &str| {
        run(folder, &format!("eval --model run/model.safetensors --data {data} --backend cpu")).stderr
    };
    assert!(eval("flowers.csv").contains("scored on the 24 rows that were held out"));
    assert!(eval("reversed.csv").contains("warning: scored on all 120 rows: this is not the training table"));
    refused(
        folder,
        "eval --model run/model.safetensors --backend cpu",
        &["--data: the model was trained on a table"],
    );
}

#[test]
fn several_columns_are_dropped_with_a_preset() {
    let folder = folder_with_flowers();
    let line = "--data flowers.csv --label kind --preset small --epochs 1 --drop colour,size --backend cpu --out run";
    run(folder.path(), line);
    assert_eq!(load(folder.path(), "run").data().feature_names, ["height, cm"]);
}

/// A network that is no better than the most frequent class says so, also under `--quiet`.
#[test]
fn a_network_that_learned_nothing_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let row = |row: u32| {
        let class = row % 3;
        format!("{},{},{}\n", class * 10 + row % 4, row % 5, ["ash", "elm", "oak"][class as usize])
    };
    fs::write(folder.path().join("trees.csv"), (0..150).map(row).collect::<String>()).unwrap();
    let warning = "warning: nothing learned: always answering \"";
    let line = "trees.csv --preset none --backend cpu --epochs 2 --quiet";
    let said = tanner(folder.path(), line);
    assert!(said.code == Some(0) && said.stderr.contains(warning), "{said:?}");
    assert!(
        said.stderr.contains("is right in 33.33 % of the test samples, the network in 33.33 %"),
        "{said:?}"
    );
    let said = tanner(folder.path(), &line.replace(" --quiet", ""));
    let tip = said.stderr.lines().last().unwrap();
    assert!(tip.starts_with("tip: more epochs or another recipe may help: --preset "), "{said:?}");
    let said = tanner(folder.path(), "trees.csv --preset small --backend cpu --epochs 60");
    assert!(said.code == Some(0) && !said.stderr.contains("nothing learned"), "{said:?}");
}
