//! The binary on the GPU engine against the binary on the CPU engine.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::oracle::{Bounded, Misses};
use crate::support::{TEST, folder_with_data, tanner};

/// Greatest relative difference of an epoch's loss between the engines. Seen:
/// below 1e-6 on this small set, 3e-4 after two epochs of the paper's network on 2,000 pictures, whose loss
/// falls from 22 to 7 in 32 steps.
const BOUND: f64 = 1e-3;

const FLAGS: &str =
    "--data data --hidden 16,16 --blocks 2 --degrees 6,4 --batch-size 10 --epochs 3 --dropout 0.2";

/// One JSON object for each epoch.
fn metrics(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The same flags give the same losses, within the bound, and a model that both engines score alike.
pub(crate) fn engines_agree() -> Result<(), String> {
    let folder = folder_with_data();
    let mut misses = Misses::default();
    for backend in ["cpu", "gpu"] {
        let outcome = tanner(folder.path(), &format!("{FLAGS} --backend {backend} --out {backend}"));
        misses.equal(format!("training on the {backend}: {}", outcome.stderr), outcome.code, Some(0));
    }
    let runs = ["cpu", "gpu"].map(|run| metrics(&folder.path().join(run)));
    misses.equal("epochs", [runs[0].len(), runs[1].len()], [3, 3]);
    for (on_cpu, on_gpu) in runs[0].iter().zip(&runs[1]) {
        for key in ["train_loss", "test_loss"] {
            let value = on_cpu[key].as_f64().unwrap();
            misses.near(key, on_gpu[key].as_f64().unwrap(), Bounded { value, bound: BOUND * value });
        }
    }
    for trained in ["cpu", "gpu"] {
        let scores = ["cpu", "gpu", "reference"].map(|backend| {
            let line = format!("eval --data data --model {trained}/model.safetensors --backend {backend}");
            let outcome = tanner(folder.path(), &line);
            // The number of correct pictures; the loss behind it may differ in its last digit.
            let correct = outcome.stdout.split(", loss").next().filter(|text| text.contains("accuracy"));
            correct.map_or_else(|| format!("no accuracy: {outcome:?}"), str::to_owned)
        });
        misses.equal(format!("{TEST} pictures, cpu and gpu"), &scores[0], &scores[1]);
        misses.equal(format!("{TEST} pictures, cpu and reference"), &scores[0], &scores[2]);
        misses.equal("an accuracy", scores[0].starts_with("no accuracy"), false);
    }
    misses.result()
}
