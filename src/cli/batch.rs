//! Many runs, one after the other, into one folder; taken up again after an interruption.
//!
//! Run `NAME` with seed `S` lives in `OUT/runs/NAME-sS`, a run folder like any
//! other. A finished one is not run again, after a check that it was the same
//! run; one without a summary was interrupted and starts anew, which gives the
//! same bits. Several processes may work on one folder: a lock file beside each
//! run's folder keeps them out of each other's way.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tanner::Error;
use tanner::dataset::load_idx_folder;
use tanner::experiments::{Configuration, Entry, RunScore};
use tanner::model::ArchitectureRecord;
use tanner::training::{Recipe, RunFolder, Summary};

use super::args::Command;
use super::batch_args::BatchArgs;
use super::progress::Epochs;
use super::run_config::{RunRecord, Samples};
use super::settings::TrainSettings;
use super::train::{self, Report};
use super::{terminal, usage};

/// Flags that a batch gives to its runs itself.
const OWN_FLAGS: [&str; 3] = ["--seed", "--out", "--data"];
/// A flag that would make runs of one another, which a batch does not keep account of.
const FROM: &str = "--from";

/// A configuration under one seed.
struct Run {
    name: String,
    words: Vec<String>,
    settings: TrainSettings,
}

/// Runs what has not been run yet.
///
/// # Errors
/// Flags that cannot be understood, before anything is run; whatever ends a run.
pub(super) fn run(args: &BatchArgs, configurations: &[Configuration]) -> anyhow::Result<()> {
    let seeds = args.seeds()?;
    let runs = args.out.join("runs");
    // Every configuration is looked at before the first one runs.
    let mut queue = Vec::new();
    for seed in 0..seeds {
        for configuration in configurations {
            queue.push(prepare(args, &runs, configuration, seed)?);
        }
    }
    fs::create_dir_all(&runs).map_err(|error| Error::io(&runs, error)).context("--out")?;
    if let Some(first) = queue.first() {
        train::use_threads(first.settings.engine.threads());
    }
    let count = queue.len();
    for (number, run) in (1..).zip(&queue) {
        perform(run, &format!("[{number}/{count}] {}", run.name))?;
    }
    Ok(())
}

/// Everything that is finished, whatever its seed, by rising seed.
///
/// # Errors
/// When a finished run was another one than its name says, or cannot be read.
pub(super) fn collect(args: &BatchArgs, configurations: &[Configuration]) -> anyhow::Result<Vec<Entry>> {
    let runs = args.out.join("runs");
    let entries = configurations.iter().map(|configuration| {
        let mut scores = Vec::new();
        for seed in seeds_there(&runs, &configuration.name)? {
            let run = prepare(args, &runs, configuration, seed)?;
            if let Some((config, summary)) = RunFolder::finished(&out(&run))? {
                check_same(&run, &out(&run), &config)?;
                scores.push(RunScore::from(&summary));
            }
        }
        Ok(Entry { configuration: configuration.clone(), runs: scores })
    });
    entries.collect()
}

/// Seeds of the folders that carry this name.
fn seeds_there(runs: &Path, name: &str) -> anyhow::Result<Vec<u64>> {
    let mut seeds = Vec::new();
    for entry in fs::read_dir(runs).map_err(|error| Error::io(runs, error))? {
        let entry = entry.map_err(|error| Error::io(runs, error))?;
        let folder = entry.file_name().to_string_lossy().into_owned();
        let seed = folder.strip_prefix(name).and_then(|rest| rest.strip_prefix("-s"));
        seeds.extend(seed.and_then(|seed| seed.parse::<u64>().ok()));
    }
    seeds.sort_unstable();
    Ok(seeds)
}

fn run_name(configuration: &Configuration, seed: u64) -> String {
    format!("{}-s{seed}", configuration.name)
}

fn prepare(args: &BatchArgs, runs: &Path, configuration: &Configuration, seed: u64) -> anyhow::Result<Run> {
    let name = run_name(configuration, seed);
    let mut words = vec!["tanner".to_owned(), "train".to_owned()];
    for text in [&configuration.flags, &args.with] {
        words.extend(shell_words::split(text).with_context(|| format!("{}: {text:?}", configuration.name))?);
    }
    let is = |word: &str, flag: &str| word == flag || word.starts_with(&format!("{flag}="));
    if let Some(flag) = OWN_FLAGS.iter().chain([&FROM]).find(|flag| words.iter().any(|word| is(word, flag))) {
        bail!("{}: {flag} may not stand among the flags of a configuration", configuration.name);
    }
    let folder = runs.join(&name);
    words.extend(["--seed".into(), seed.to_string()]);
    words.extend(["--data".into(), args.data.data.to_string_lossy().into_owned()]);
    words.extend(["--out".into(), folder.to_string_lossy().into_owned()]);
    words.extend(args.engine.words());
    let os_words: Vec<OsString> = words.iter().map(OsString::from).collect();
    let typed = match usage::parse(&os_words) {
        Ok(Command::Train(typed)) => typed,
        Err(usage::Answer::Refused(reason)) => bail!("{}: {reason}", configuration.name),
        _ => bail!("{}: {:?} are no flags of a training run", configuration.name, configuration.flags),
    };
    let settings = TrainSettings::new(&typed).with_context(|| configuration.name.clone())?;
    Ok(Run { name, words, settings })
}

/// One run, unless it is finished or another process is at it.
fn perform(run: &Run, label: &str) -> anyhow::Result<()> {
    let folder = out(run);
    let Some(_lock) = lock(&folder)? else {
        terminal::note(&format!("{label}: another process is at it, left out"));
        return Ok(());
    };
    if let Some((config, summary)) = RunFolder::finished(&folder)? {
        check_same(run, &folder, &config)?;
        terminal::note(&format!("{label}: {} (finished before)", told(&summary)));
        return Ok(());
    }
    RunFolder::remove_unfinished(&folder)?;
    terminal::note(&format!("{label}: started"));
    let process_start = Instant::now();
    let splits = load_idx_folder(&run.settings.data).context("--data")?;
    let splits = train::split(&run.settings, splits)?;
    let report = Report { process_start, words: run.words.clone(), epochs: Epochs::Quiet };
    let (summary, _) = train::train(&run.settings, None, splits, report).with_context(|| run.name.clone())?;
    terminal::note(&format!("{label}: {}", told(&summary)));
    Ok(())
}

fn out(run: &Run) -> PathBuf {
    run.settings.out.clone().unwrap_or_default()
}

fn told(summary: &Summary) -> String {
    let (accuracy, seconds) = (100.0 * summary.test_accuracy, summary.seconds_total);
    format!("{} accuracy {accuracy:.2} %, {seconds:.0} s on {}", summary.scored_on, summary.backend)
}

/// Takes the lock of one run; `None` when another process holds it.
fn lock(folder: &Path) -> anyhow::Result<Option<File>> {
    let path = folder.with_extension("lock");
    let file = File::create(&path).map_err(|error| Error::io(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        // Some file systems know no locks; there, one process at a time is the user's care.
        Err(TryLockError::Error(error)) => {
            log::warn!("{}: {error}", path.display());
            Ok(Some(file))
        }
    }
}

/// Refuses a finished run that had other settings under the same name.
fn check_same(run: &Run, folder: &Path, config: &Value) -> anyhow::Result<()> {
    let [inputs, classes] = sizes(run, ["inputs", "classes"], &config["architecture"])?;
    let [train, test] = sizes(run, ["train_samples", "test_samples"], config)?;
    let architecture = run.settings.architecture.fit_to(inputs, classes)?;
    let record = ArchitectureRecord::new(&architecture, run.settings.recipe.seed);
    let expected = as_in_files(&RunRecord::new(&run.settings, &record, Samples { train, test }))?;
    if let Some(key) = first_difference(&expected, &read_anew(config.clone())?) {
        bail!(
            "{} holds a finished run with another {key}: name another --out, or remove that folder",
            folder.display()
        );
    }
    Ok(())
}

/// A value as a file has it: by way of text, float32 numbers look different.
fn as_in_files(value: &impl Serialize) -> serde_json::Result<Value> {
    serde_json::from_str(&serde_json::to_string(value)?)
}

/// Settings that an older version did not know get the value that they had then: their default.
fn read_anew(mut config: Value) -> serde_json::Result<Value> {
    if let Ok(recipe) = Recipe::deserialize(&config["recipe"]) {
        config["recipe"] = as_in_files(&recipe)?;
    }
    if let Ok(architecture) = ArchitectureRecord::deserialize(&config["architecture"]) {
        config["architecture"] = as_in_files(&architecture)?;
    }
    Ok(config)
}

/// Two sizes that the finished run had.
fn sizes(run: &Run, names: [&str; 2], config: &Value) -> anyhow::Result<[usize; 2]> {
    let [first, second] = names.map(|name| {
        let size = config[name].as_u64().and_then(|size| usize::try_from(size).ok());
        size.ok_or_else(|| anyhow!("{}: its config.json has no {name}", run.name))
    });
    Ok([first?, second?])
}

/// The first setting of `expected` that `found` has otherwise, as `recipe.epochs`.
fn first_difference(expected: &Value, found: &Value) -> Option<String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => expected.iter().find_map(|(key, value)| {
            let below = first_difference(value, found.get(key).unwrap_or(&Value::Null))?;
            Some(if below.is_empty() { key.clone() } else { format!("{key}.{below}") })
        }),
        (expected, found) => (expected != found).then(String::new),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_named_and_what_is_only_found_is_ignored() {
        let expected = json!({"recipe": {"epochs": 3, "l2": 0.5}, "order": "desc"});
        assert_eq!(first_difference(&expected, &expected), None);
        let longer = json!({"recipe": {"epochs": 3, "l2": 0.5}, "order": "desc", "adapter": "x"});
        assert_eq!(first_difference(&expected, &longer), None);
        let other = json!({"recipe": {"epochs": 4, "l2": 0.5}, "order": "desc"});
        assert_eq!(first_difference(&expected, &other).unwrap(), "recipe.epochs");
        let without = json!({"recipe": {"epochs": 3, "l2": 0.5}});
        assert_eq!(first_difference(&expected, &without).unwrap(), "order");
    }

    #[test]
    fn settings_of_an_older_version_read_as_their_defaults() {
        let recipe = as_in_files(&Recipe::default()).unwrap();
        let mut older = recipe.clone();
        older.as_object_mut().unwrap().remove("label_smoothing").unwrap();
        let read = read_anew(json!({"recipe": older, "order": "desc"})).unwrap();
        assert_eq!(read, json!({"recipe": recipe, "order": "desc"}));
    }
}
