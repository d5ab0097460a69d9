//! Compares the binary on the GPU engine with the binary on the CPU engine.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

#[cfg(unix)]
use crate::killing::{EVERY_END, End, survives};
use crate::oracle::{Bounded, Misses};
use crate::support::{TEST, command, folder_with_data, tanner};

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

/// The same flags lead to the same losses, within the bound, and a model that both engines score equally.
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

/// No measurement would find this.
const ODD: &str = "dense=never,forward=32,logits=2,backward-input=16,backward-weight=4";

fn config(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("config.json")).unwrap()).unwrap()
}

/// Files of one kind in the cache.
fn cached(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder.join("cache")).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == kind)).collect()
}

/// The result of `auto` is in the run's settings, leads to the same bits when given again, is found in the
/// cache, and is measured again if the cache is damaged.
pub(crate) fn kernels_are_recorded() -> Result<(), String> {
    let folder = folder_with_data();
    let mut misses = Misses::default();
    let mut train = |kernels: &str, out: &str, why: &str| {
        let line = format!("{FLAGS} --backend gpu {kernels} --out {out}");
        let outcome = tanner(folder.path(), &line);
        misses.equal(format!("{kernels}: {}", outcome.stderr), outcome.code, Some(0));
        misses.equal(format!("{why} in {}", outcome.stderr), outcome.stderr.contains(why), true);
        let run = folder.path().join(out);
        let config = config(&run);
        let spec = config["gpu_kernels"].as_str().unwrap_or_default().to_owned();
        let words = config["command"].as_array().cloned().unwrap_or_default();
        let kernels = format!("--gpu-kernels={spec}");
        misses.equal(format!("command of {out}"), words.contains(&kernels.into()), true);
        ((spec, fs::read(run.join("model.safetensors")).unwrap()), outcome.stderr)
    };
    // A search that runs out of time resumes with the next run, until nothing is left.
    let mut searches =
        (0..20).map(|number| train("--gpu-kernels auto", &format!("search-{number}"), "(measured in"));
    let first = searches
        .find(|(_, said)| !said.contains("the next run resumes the search"))
        .expect("an end of the search")
        .0;
    drop(searches);
    let mut train = |kernels: &str, out: &str, why: &str| train(kernels, out, why).0;
    let again = train("--gpu-kernels auto", "again", "from the cache)");
    let given = train(&format!("--gpu-kernels {}", first.0), "given", "(--gpu-kernels)");
    let cache = cached(folder.path(), "gpu-kernels");
    fs::write(&cache[0], "no tuning").unwrap();
    train("--gpu-kernels auto", "damaged", "(measured in");
    let odd = train(&format!("--gpu-kernels {ODD}"), "odd", "(--gpu-kernels)");
    let odd_again = train(&format!("--gpu-kernels {ODD}"), "odd-again", "(--gpu-kernels)");
    let usual = train("", "usual", "(");
    let checks = cached(folder.path(), "gpu-check").len();
    misses.equal("tunings and checks in the cache", [cache.len(), checks], [1, 1]);
    misses.equal("auto twice", first == again, true);
    misses.equal("auto, then given", first == given, true);
    misses.equal("odd kernels twice", odd == odd_again, true);
    misses.equal("odd kernels", odd.0.as_str(), ODD);
    misses.equal("odd kernels sum in another order", odd.1 == usual.1, false);
    misses.result()
}

/// A run without a summary was interrupted: it uses the kernels of its settings, whatever would be chosen now.
pub(crate) fn batches_keep_kernels() -> Result<(), String> {
    let folder = folder_with_data();
    let mut misses = Misses::default();
    let flags = "--hidden=16 --blocks=2 --degrees=6,4 --batch-size=10 --epochs=1";
    let line = [
        "compare",
        "--run",
        &format!("a={flags}"),
        "--seeds",
        "1",
        "--data",
        "data",
        "--out",
        "batch",
        "--backend",
        "gpu",
    ];
    let mut run = || {
        let output = command(folder.path()).args(line).output().unwrap();
        misses.equal(String::from_utf8_lossy(&output.stderr).into_owned(), output.status.code(), Some(0));
    };
    run();
    let path = folder.path().join("batch/runs/a-s0");
    let mut before = config(&path);
    fs::remove_file(path.join("summary.json")).unwrap();
    before["gpu_kernels"] = ODD.into();
    fs::write(path.join("config.json"), before.to_string()).unwrap();
    run();
    let restored = config(&path)["gpu_kernels"].clone();
    // Another adapter would have measured other ones.
    fs::remove_file(path.join("summary.json")).unwrap();
    before["adapter"] = "another".into();
    fs::write(path.join("config.json"), before.to_string()).unwrap();
    run();
    misses.equal("restored", restored, Value::from(ODD));
    misses.equal("another adapter's", config(&path)["gpu_kernels"] == ODD, false);
    misses.result()
}

/// Trains until kernels come from the cache: until then each run may choose different ones, with different bits.
#[cfg(unix)]
fn search_to_the_end(folder: &Path, line: &str) {
    let searches = (0..20).map(|number| tanner(folder, &format!("{line} --out search-{number}")).stderr);
    let is_over = |said: &String| said.contains("from the cache");
    assert!(searches.take_while(|said| !is_over(said)).count() < 20, "the search has no end");
}

/// Runs that are ended at random moments and resumed have the bits of uninterrupted ones; `TANNER_KILLS` says how
/// often each is ended.
#[cfg(unix)]
pub(crate) fn runs_survive() -> Result<(), String> {
    let times = std::env::var("TANNER_KILLS").map_or(2, |text| text.parse().unwrap());
    let flags = FLAGS.replace("--epochs 3", "--epochs 30 --checkpoint-every 1");
    let adam = "--optimizer adam --dropconnect 0.2 --augment shift=1,flip --gpu-kernels auto";
    let every_step = "--validation 15 --patience 90 --checkpoint-every 1steps --rewire set --rewire-every 3";
    let few = "--optimizer sgd --checkpoint-every 3";
    for (more, endings) in [(adam, &EVERY_END[..]), (every_step, &[End::Interrupt]), (few, &[End::Terminate])]
    {
        let folder = folder_with_data();
        let line = format!("{flags} {more} --backend gpu");
        if more.contains("auto") {
            search_to_the_end(folder.path(), &line);
        }
        let [kept, not_yet] = survives(folder.path(), &line, endings, times, 5);
        eprintln!("{endings:?}: ended {kept} times after, {not_yet} times before the first checkpoint");
    }
    Ok(())
}

/// The file of Mesa's software driver on Debian.
pub(crate) const SOFTWARE_DRIVER: &str = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";

/// Two equal adapters are distinguished by their numbers; a name that matches both chooses none, and a resumed run uses its own.
pub(crate) fn adapters_have_numbers() -> Result<(), String> {
    let folder = folder_with_data();
    fs::copy(SOFTWARE_DRIVER, folder.path().join("copy.json")).map_err(|error| error.to_string())?;
    let drivers = format!("{SOFTWARE_DRIVER}:{}", folder.path().join("copy.json").display());
    let run = |line: &str| {
        let mut command = command(folder.path());
        let output =
            command.args(line.split_whitespace()).env("VK_ICD_FILENAMES", &drivers).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let mut misses = Misses::default();
    let adapters: Value = serde_json::from_str(&run("devices --json").1).unwrap();
    let numbers: Vec<_> =
        adapters["adapters"].as_array().unwrap().iter().map(|adapter| adapter["number"].as_u64()).collect();
    misses.equal("numbers", numbers, vec![Some(1), Some(2)]);
    misses.equal("memory", adapters["adapters"][1]["memory"].as_u64() > Some(1 << 20), true);
    misses.equal("bus id", adapters["adapters"][1]["bus_id"].is_null(), true);
    for (adapter, part) in
        [("llvmpipe", "a part of 2 names"), ("3", "number \"3\""), ("radeon", "\"radeon\"")]
    {
        let (code, _, stderr) = run(&format!("{FLAGS} --adapter {adapter}"));
        misses.equal(&stderr, code, Some(1));
        let names_all =
            stderr.lines().count() == 1 && stderr.contains(part) && stderr.contains("2: llvmpipe");
        misses.equal(&stderr, names_all, true);
    }
    let (code, _, stderr) = run(&format!("{FLAGS} --adapter 2 --out run"));
    misses.equal(&stderr, code, Some(0));
    fs::remove_file(folder.path().join("run/summary.json")).unwrap();
    let (code, _, stderr) = run("--resume run");
    misses.equal(&stderr, code, Some(0));
    misses.result()
}
