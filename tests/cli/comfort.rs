//! Settings from files, output for programs, and use of a model on new samples.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{SMALL, TEST, command, folder_with_data, images, refused, tanner};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn trained(folder: &Path) {
    assert_eq!(tanner(folder, &format!("{SMALL} --out run --quiet")).code, Some(0));
}

/// The bytes of a model show whether all settings took effect.
#[test]
fn a_settings_file_a_finished_run_and_typed_flags_give_the_same_model() {
    let folder = folder_with_data();
    let folder = folder.path();
    trained(folder);
    let settings = "data = \"data\"\nhidden = [16, 16]\nblocks = 2\ndegrees = [6, 4]\nbatch-size = 10\nepochs = 3\n\
                    backend = \"cpu\"\nthreads = 1\n";
    fs::write(folder.join("settings.toml"), settings).unwrap();
    for line in [
        "--config settings.toml --out from-file",
        "--config run/config.json --out from-run",
        "--preset paper --config settings.toml --activation sigmoid --pca --optimizer momentum --lr 0.1 --gain 4 \
         --schedule cosine --out all",
    ] {
        assert_eq!(tanner(folder, line).code, Some(0), "{line}");
    }
    let model = |run: &str| fs::read(folder.join(run).join("model.safetensors")).unwrap();
    for run in ["from-file", "from-run", "all"] {
        assert!(model(run) == model("run"), "{run} is another model");
    }
    // The record of a run does not depend on files that may change.
    let config = json(&fs::read_to_string(folder.join("from-file/config.json")).unwrap());
    let words: Vec<&str> =
        config["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert!(
        words.contains(&"--batch-size=10") && !words.iter().any(|word| word.contains("config")),
        "{words:?}"
    );
    refused(folder, "--config run/metrics.jsonl", 2, &["metrics.jsonl", "line 1"]);
    refused(folder, "--config nowhere.toml", 2, &["nowhere.toml"]);
    refused(folder, "--preset large", 2, &["[possible values: auto, none, paper, tanner, small, table]"]);
}

#[test]
fn quiet_runs_say_nothing_but_results_and_json_is_json() {
    let folder = folder_with_data();
    let folder = folder.path();
    let outcome = tanner(folder, &format!("{SMALL} --out run --quiet --json"));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let summary = json(&outcome.stdout);
    assert_eq!((&summary["run_folder"], &summary["epochs"]), (&"run".into(), &3.into()));
    let eval = tanner(folder, "eval --model run/model.safetensors --data data --backend cpu --json --quiet");
    let scores = json(&eval.stdout);
    assert_eq!(scores["accuracy"], summary["test_accuracy"]);
    assert_eq!((&scores["score"], &scores["scored_on"]), (&summary["score"], &"test".into()));
    assert_eq!(scores["confusion"].as_array().unwrap().len(), 3);
    let reported = |line: &str| json(&tanner(folder, &format!("{line} --json")).stdout);
    assert_eq!(reported("inspect --model run/model.safetensors")["parameters"], summary["parameters"]);
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(reported("devices")["cpu_threads"], cores);
    let runs = reported("runs .");
    let names: Vec<_> = runs.as_array().unwrap().iter().map(|run| &run["name"]).collect();
    assert_eq!(names, ["run"]);
    refused(
        folder,
        "prune --model run/model.safetensors --json",
        2,
        &["--json: prune has no results as JSON"],
    );
}

#[test]
fn eval_tells_every_class_and_draws_its_confusion() {
    let folder = folder_with_data();
    let folder = folder.path();
    trained(folder);
    let line = "eval --model run/model.safetensors --data data --backend cpu --out scores";
    let outcome = tanner(folder, line);
    for part in ["test accuracy ", "macro F1 ", "calibration error"] {
        assert!(outcome.stderr.contains(part), "{part}: {outcome:?}");
    }
    let tables: Vec<&str> = outcome.stdout.split("\n\n").collect();
    let starts = ["accuracy_percent\tcorrect\t", "class\tprecision_percent\t", "is \\ called\t0\t1\t2\n"];
    assert!(
        tables.len() == 3 && tables.iter().zip(starts).all(|(table, start)| table.starts_with(start)),
        "{tables:?}"
    );
    let scores = json(&fs::read_to_string(folder.join("scores/scores.json")).unwrap());
    let supports =
        scores["per_class"].as_array().unwrap().iter().map(|class| class["support"].as_u64().unwrap());
    assert_eq!(supports.sum::<u64>(), u64::from(TEST));
    assert!(image::open(folder.join("scores/confusion.png")).unwrap().width() > 300);
}

#[test]
fn new_samples_are_predicted_from_files_and_pipes() {
    let folder = folder_with_data();
    let folder = folder.path();
    trained(folder);
    let model = "predict --model run/model.safetensors --threads 1";
    let pictures = images(TEST);
    fs::write(folder.join("new-idx3-ubyte"), &pictures).unwrap();
    let rows: Vec<String> = pictures[16..]
        .chunks(16)
        .map(|picture| {
            let pixels: Vec<String> =
                picture.iter().map(|pixel| (f32::from(*pixel) / 255.0).to_string()).collect();
            pixels.join(",")
        })
        .collect();
    let table = rows.join("\n");
    let from_idx = tanner(folder, &format!("{model} new-idx3-ubyte"));
    assert_eq!(from_idx.code, Some(0), "{from_idx:?}");
    let lines: Vec<&str> = from_idx.stdout.lines().collect();
    assert_eq!(lines.len(), 1 + TEST as usize);
    assert_eq!(lines[0], "label,probability 0,probability 1,probability 2");
    let piped = command(folder).args(model.split(' ')).write_stdin(table.clone()).output().unwrap();
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), from_idx.stdout);

    let as_json = command(folder).args(model.split(' ')).arg("--json").write_stdin(table).output().unwrap();
    let first = json(String::from_utf8(as_json.stdout).unwrap().lines().next().unwrap());
    assert_eq!(first["label"], lines[1].split(',').next().unwrap());
    assert_eq!(tanner(folder, &format!("{model} new-idx3-ubyte --out p.npy")).code, Some(0));
    assert_eq!(fs::read(folder.join("p.npy")).unwrap().len(), 128 + TEST as usize * 3 * 4);

    refused(folder, &format!("{model} new-idx3-ubyte --out p.txt"), 1, &["--out: p.txt ends neither"]);
    refused(folder, &format!("{model} run"), 1, &["run: its name does not show the format"]);
    refused(folder, &format!("{model} --format npy data/train-images-idx3-ubyte"), 1, &["train-images"]);
}

/// Its bytes are those of a run with `--data`.
#[test]
fn a_folder_without_a_flag_is_trained_on() {
    let folder = folder_with_data();
    let folder = folder.path();
    trained(folder);
    let flags = SMALL.replace("--data data ", "");
    for (line, out) in [(format!("data {flags}"), "a"), (format!("train {flags} data"), "b")] {
        let outcome = tanner(folder, &format!("{line} --out {out}"));
        assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
        let model = |run: &str| fs::read(folder.join(run).join("model.safetensors")).unwrap();
        assert!(model(out) == model("run"), "{line} trained another model");
    }
    refused(folder, "data --data data", 2, &["cannot be used with"]);
}

#[test]
fn nothing_typed_and_no_data_is_a_question_for_help() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = tanner(folder.path(), "");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert_eq!(outcome.stdout, tanner(folder.path(), "-h").stdout);
    for part in ["Usage: tanner", "Experiments:", "  paper ", "--epochs <N>", "--help shows all flags"] {
        assert!(outcome.stdout.contains(part), "no {part:?} in {}", outcome.stdout);
    }
    assert!(
        !outcome.stdout.contains("--adam-beta1") && !outcome.stdout.contains("table1 "),
        "{}",
        outcome.stdout
    );
    let long = tanner(folder.path(), "--help").stdout;
    assert!(
        long.contains("--adam-beta1") && long.contains("Advanced:") && long.contains("Examples:"),
        "{long}"
    );
}

#[test]
fn experiments_print_their_results_and_write_only_where_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let outcome = tanner(folder, "figure1 --inputs 32 --hidden 32 --blocks 4 --degrees 4,5,3,2 --block 1");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let rows: Vec<&str> = outcome.stdout.lines().collect();
    assert!(rows.len() == 5 && rows[1] == "0\t0\t8\t32\t4\t4", "{outcome:?}");
    assert!(outcome.stderr.contains("receptive field of output block 1: input blocks 1, 2"), "{outcome:?}");
    assert_eq!(tanner(folder, "inspect --hidden 16").code, Some(0));
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "something was written");
}

#[test]
fn completions_and_manual_pages_know_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = tanner(folder, &format!("completions {shell}")).stdout;
        assert!(script.contains("predict") && script.contains("batch-size"), "{shell}");
        assert!(script.contains("paper") && script.contains("figure1"), "{shell}");
    }
    let page = tanner(folder, "man").stdout;
    assert!(
        page.contains(".TH tanner 1") && page.contains("tanner\\-paper") && !page.contains("tanner\\-table1"),
        "{page}"
    );
    assert_eq!(tanner(folder, "man --out pages").code, Some(0));
    for page in ["tanner.1", "tanner-train.1", "tanner-predict.1", "tanner-paper-table1.1"] {
        assert!(fs::metadata(folder.join("pages").join(page)).unwrap().len() > 500, "{page}");
    }
}
