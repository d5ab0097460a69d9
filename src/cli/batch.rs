//! Many runs, one after the other, into one folder; taken up again after an interruption.
//!
//! Run `NAME` with seed `S` lives in `OUT/runs/NAME-sS`, a run folder like any
//! other. A finished one is not run again, after a check that it was the same
//! run on the same data; one without a summary was interrupted and starts anew,
//! which gives the same bits. Several processes may work on one folder: a lock
//! file beside each run's folder keeps them out of each other's way.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use tanner::Error;
use tanner::dataset::{DataSplits, load_idx_folder};
use tanner::engine::gpu::Tuning;
use tanner::experiments::{Configuration, Entry, RunScore};
use tanner::training::{RunFolder, Summary};

use super::args::Command;
use super::batch_args::BatchArgs;
use super::batch_check::check_same;
use super::opening::Opening;
use super::progress::Epochs;
use super::run_config::recorded_kernels;
use super::settings::TrainSettings;
use super::train::{self, Report};
use super::{terminal, usage};

/// Flags that may not stand in a configuration: a batch gives the first three to its
/// runs itself, and `--from` would make runs of one another, of which it keeps no account.
const OWN_FLAGS: [&str; 4] = ["--seed", "--out", "--data", "--from"];

/// A folder of runs, and the data that they share.
pub(super) struct Batch<'a> {
    args: &'a BatchArgs,
    runs: PathBuf,
    /// The data with their digest, read when they are needed first.
    data: OnceCell<(DataSplits, String)>,
}

/// A configuration under one seed.
struct Run {
    name: String,
    words: Vec<String>,
    settings: TrainSettings,
    folder: PathBuf,
}

/// What a batch could not finish.
#[derive(Default)]
pub(super) struct Unfinished {
    failed: Vec<String>,
    elsewhere: Vec<String>,
}

impl Unfinished {
    /// An error when anything is missing; results are written before.
    pub(super) fn told(&self) -> anyhow::Result<()> {
        if !self.failed.is_empty() {
            bail!(
                "runs that failed, for the reasons above: {}; all others are finished",
                self.failed.join(", ")
            );
        }
        if !self.elsewhere.is_empty() {
            let names = self.elsewhere.join(", ");
            bail!("not all is finished, another process is at {names}: give the same command again later");
        }
        Ok(())
    }
}

impl<'a> Batch<'a> {
    /// Nothing is read or written yet.
    pub(super) fn new(args: &'a BatchArgs) -> Self {
        Self { args, runs: args.out.join("runs"), data: OnceCell::new() }
    }

    /// Runs what has not been run yet, or nothing under `--report-only`. A run that fails does not
    /// keep the others from theirs.
    ///
    /// # Errors
    /// Flags that cannot be understood, before anything is run; a folder that cannot
    /// be used; a finished run that was another one.
    pub(super) fn run(&self, configurations: &[Configuration]) -> anyhow::Result<Unfinished> {
        if self.args.report_only {
            return Ok(Unfinished::default());
        }
        // Every configuration is looked at before the first one runs.
        let mut queue = Vec::new();
        for seed in 0..self.args.seeds()? {
            for configuration in configurations {
                queue.push(self.prepare(configuration, seed)?);
            }
        }
        check_scored(&queue)?;
        fs::create_dir_all(&self.runs).map_err(|error| Error::io(&self.runs, error)).context("--out")?;
        if let Some(first) = queue.first() {
            train::use_threads(first.settings.engine.threads());
        }
        let mut unfinished = Unfinished::default();
        for (number, run) in (1..).zip(&queue) {
            self.perform(run, &format!("[{number}/{}] {}", queue.len(), run.name), &mut unfinished)?;
        }
        Ok(unfinished)
    }

    /// Everything that is finished, whatever its seed, by rising seed.
    ///
    /// # Errors
    /// When a finished run was another one than its name says, or cannot be read.
    pub(super) fn collect(&self, configurations: &[Configuration]) -> anyhow::Result<Vec<Entry>> {
        let (mut entries, mut found) = (Vec::new(), Vec::new());
        for configuration in configurations {
            let mut scores = Vec::new();
            for seed in self.seeds_there(&configuration.name)? {
                let run = self.prepare(configuration, seed)?;
                if let Some(summary) = self.finished(&run)? {
                    scores.push(RunScore::from(&summary));
                    found.push(run);
                }
            }
            entries.push(Entry { configuration: configuration.clone(), runs: scores });
        }
        check_scored(&found)?;
        Ok(entries)
    }

    /// Seeds of the folders that carry this name.
    fn seeds_there(&self, name: &str) -> anyhow::Result<Vec<u64>> {
        let entries = fs::read_dir(&self.runs).map_err(|error| Error::io(&self.runs, error));
        let entries = entries.context("--out: no runs are there")?;
        let mut seeds = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| Error::io(&self.runs, error))?;
            let folder = entry.file_name().to_string_lossy().into_owned();
            let digits = folder.strip_prefix(name).and_then(|rest| rest.strip_prefix("-s"));
            let seed = digits.and_then(|digits| digits.parse::<u64>().ok());
            // Only the one spelling that this program writes.
            seeds.extend(seed.filter(|seed| digits == Some(&*seed.to_string())));
        }
        seeds.sort_unstable();
        Ok(seeds)
    }

    fn prepare(&self, configuration: &Configuration, seed: u64) -> anyhow::Result<Run> {
        let Configuration { name, flags } = configuration;
        let run_name = format!("{name}-s{seed}");
        let folder = self.runs.join(&run_name);
        let mut own = Vec::new();
        for text in [flags, &self.args.with] {
            own.extend(shell_words::split(text).with_context(|| format!("{name}: {text:?}"))?);
        }
        let is = |word: &str, flag: &str| word == flag || word.starts_with(&format!("{flag}="));
        if let Some(flag) = OWN_FLAGS.iter().find(|flag| own.iter().any(|word| is(word, flag))) {
            bail!("{name}: {flag} may not stand among the flags of a configuration");
        }
        let mut words = vec!["tanner".to_owned(), "train".to_owned()];
        words.extend(self.args.engine.words());
        words.extend(own);
        words.push(format!("--seed={seed}"));
        words.push(format!("--data={}", self.args.data.data.display()));
        words.push(format!("--out={}", folder.display()));
        let os_words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let typed = match usage::parse(&os_words) {
            Ok(Command::Train(typed)) => typed,
            Err(usage::Answer::Refused(reason)) => bail!("{name}: {reason}"),
            _ => bail!("{name}: {flags:?} are no flags of a training run"),
        };
        let settings = TrainSettings::new(&typed).with_context(|| name.clone())?;
        Ok(Run { name: run_name, words, settings, folder })
    }

    /// The summary of a run that has finished, if it was this one.
    fn finished(&self, run: &Run) -> anyhow::Result<Option<Summary>> {
        let Some((config, summary)) = RunFolder::finished(&run.folder)? else { return Ok(None) };
        let (data, digest) = self.data()?;
        check_same(&run.settings, data, digest, &run.folder, &config)?;
        Ok(Some(summary))
    }

    /// One run, unless it is finished or another process is at it.
    fn perform(&self, run: &Run, label: &str, unfinished: &mut Unfinished) -> anyhow::Result<()> {
        let Some(_lock) = lock(&run.folder)? else {
            terminal::note(&format!("{label}: another process is at it, left out"));
            unfinished.elsewhere.push(run.name.clone());
            return Ok(());
        };
        if let Some(summary) = self.finished(run)? {
            terminal::note(&format!("{label}: {} (finished before)", told(&summary)));
            return Ok(());
        }
        let kernels = recorded_kernels(&run.folder);
        RunFolder::remove_unfinished(&run.folder).context("an unfinished run cannot be made anew")?;
        terminal::note(&format!("{label}: started"));
        match self.train(run, kernels) {
            Ok(summary) => terminal::note(&format!("{label}: {}", told(&summary))),
            Err(error) => {
                terminal::note(&format!("{label}: {}", super::one_line(&error)));
                unfinished.failed.push(run.name.clone());
            }
        }
        Ok(())
    }

    fn train(&self, run: &Run, kernels: Option<(String, Tuning)>) -> anyhow::Result<Summary> {
        let process_start = Instant::now();
        let opening = Opening::of(&run.settings.engine.with_recorded(kernels));
        let (data, digest) = self.data()?;
        let splits = train::split(&run.settings, data.clone())?;
        let report = Report {
            process_start,
            words: run.words.clone(),
            epochs: Epochs::Quiet,
            data_sha256: Some(digest.to_owned()),
        };
        Ok(train::train(&run.settings, None, splits, opening, report)?.0)
    }

    /// The data of all runs, and their digest.
    fn data(&self) -> anyhow::Result<(&DataSplits, &str)> {
        if self.data.get().is_none() {
            let splits = load_idx_folder(&self.args.data.data).context("--data")?;
            let digest = format!("{}-{}", splits.train.digest(), splits.test.digest());
            // Only this thread sets it, and it was empty.
            let _ = self.data.set((splits, digest));
        }
        self.data.get().map(|(data, digest)| (data, digest.as_str())).context("--data")
    }
}

/// Refuses accuracies on the test set beside such on held-out training samples.
fn check_scored(runs: &[Run]) -> anyhow::Result<()> {
    let scored = |run: &Run| run.settings.scored_on();
    let other = runs.iter().find(|run| scored(run) != scored(&runs[0]));
    if let Some(other) = other {
        bail!(
            "{} is scored on the {} samples, {} on the {} samples, which cannot be compared: \
             give --validation to all configurations or to none",
            runs[0].name,
            scored(&runs[0]),
            other.name,
            scored(other)
        );
    }
    Ok(())
}

fn told(summary: &Summary) -> String {
    let (accuracy, seconds) = (100.0 * summary.test_accuracy, summary.seconds_total);
    format!("{} accuracy {accuracy:.2} %, {seconds:.0} s on {}", summary.scored_on, summary.backend)
}

/// Takes the lock of one run; `None` when another process holds it.
fn lock(folder: &Path) -> anyhow::Result<Option<File>> {
    let mut path = folder.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
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
