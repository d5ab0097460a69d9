//! `tanner train --resume`: a run goes on in the folder where it began.
//!
//! The settings are those of the folder's `config.json`: its command line is
//! understood again, and what comes out is compared with what was recorded, so
//! that defaults which have changed since are noticed. Then everything that the
//! bits depend on is compared: engine, samples, graphs, preprocessing.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;
use tanner::dataset::{Dataset, fingerprint};
use tanner::engine::{Backend, EngineInfo};
use tanner::model::TrainedModel;
use tanner::training::{Checkpoint, RunFolder, RunIdentity};

use super::args::{Command, TrainArgs};
use super::batch_check::{as_in_files, first_difference, read_anew};
use super::gpu_kernels::{KernelsArg, KernelsRequest};
use super::progress::Epochs;
use super::run_config::{RunRecord, recorded_kernels};
use super::settings::{EngineRequest, TrainSettings, check_threads, refuse};
use super::train::{self, Report};
use super::{terminal, usage};

/// Goes on with the run in a folder.
pub(super) fn run(process_start: Instant, path: &Path, threads: Option<usize>) -> anyhow::Result<()> {
    if let Some((_, summary)) = RunFolder::finished(path)? {
        terminal::note(&format!("the run in {} is finished, nothing is left to do", path.display()));
        return train::print_summary(&summary, path);
    }
    let begun = Resumption::open(path).context("--resume")?;
    let args = begun.args().context("--resume")?;
    let mut settings = TrainSettings::new(&args)?;
    settings.engine = begun.engine(&settings.engine, check_threads(threads)?)?;
    settings.out = Some(path.to_owned());
    let report = Report { process_start, words: Vec::new(), epochs: Epochs::Lines, data_sha256: None };
    train::prepared(settings, &args, report, Some(begun))
}

/// A run that has begun: its folder, which no other process may touch now, and what it left there.
pub(super) struct Resumption {
    pub(super) folder: RunFolder,
    /// Where it was kept last; `None` before the first time, when it starts anew.
    pub(super) checkpoint: Option<Checkpoint>,
    config: Value,
}

/// Why a run cannot go on: something is not as it was.
#[derive(Debug)]
pub(super) struct OtherRun(String);

impl fmt::Display for OtherRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OtherRun {}

impl Resumption {
    /// Takes the folder of a run that is not finished.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let Some(config) = RunFolder::config(path) else {
            bail!("{} holds no run that can go on: there is no config.json that can be read", path.display());
        };
        let folder = RunFolder::reopen(path)?;
        let checkpoint = folder.checkpoint();
        let advice = |error| anyhow!("{error}; without that file the run starts anew from its settings");
        Ok(Self { checkpoint: checkpoint.map_err(advice)?, folder, config })
    }

    /// What was typed when the run began.
    fn args(&self) -> anyhow::Result<TrainArgs> {
        let path = self.folder.path().display();
        let words = self.config["command"].as_array().into_iter().flatten();
        let words: Option<Vec<OsString>> = words.map(|word| word.as_str().map(OsString::from)).collect();
        let words = words.filter(|words| !words.is_empty());
        let words = words.with_context(|| format!("the config.json of {path} has no command line"))?;
        match usage::parse(&words) {
            Ok(Command::Train(args)) => Ok(*args),
            Err(usage::Answer::Refused(reason)) => {
                bail!("the command line in the config.json of {path} is not understood any more: {reason}")
            }
            _ => bail!("the command line in the config.json of {path} trains nothing"),
        }
    }

    /// The engine that the run had, whatever would be chosen now; its number of threads is free.
    fn engine(&self, typed: &EngineRequest, threads: Option<usize>) -> anyhow::Result<EngineRequest> {
        let text = |key: &str| self.config[key].as_str().unwrap_or_default();
        let backend: Backend = serde_json::from_value(self.config["backend"].clone())
            .with_context(|| format!("the config.json of {}", self.folder.path().display()))?;
        if threads.is_some() && backend != Backend::Cpu {
            return refuse(
                "--threads",
                format!("has no meaning here, the run is one of the {backend} engine"),
            );
        }
        Ok(match backend {
            Backend::Reference => EngineRequest::Reference,
            Backend::Cpu => EngineRequest::Cpu { threads: threads.or(typed.threads()) },
            Backend::Gpu => {
                let adapter = match typed {
                    EngineRequest::Gpu { adapter, .. } => adapter.clone(),
                    _ => None,
                };
                let given: Option<KernelsArg> = text("gpu_kernels").parse().ok();
                let recorded = recorded_kernels(self.folder.path());
                EngineRequest::Gpu { adapter, kernels: KernelsRequest { typed: given, recorded } }
            }
        })
    }

    /// Refuses to go on where anything that the bits depend on is not as it was.
    ///
    /// # Errors
    /// [`OtherRun`] names what differs.
    pub(super) fn check(
        &self,
        run: &RunRecord<'_>,
        engine: &EngineInfo,
        identity: &RunIdentity,
    ) -> anyhow::Result<()> {
        let path = self.folder.path().display();
        let other = |what: String| {
            let reason = format!("the run in {path} cannot go on to the same bits: {what}");
            Err(anyhow!(OtherRun(reason)))
        };
        if let Some(key) = first_difference(&as_in_files(run)?, &read_anew(self.config.clone())?) {
            return other(format!("{key} is not what it was recorded to be"));
        }
        let recorded = |key: &str| self.config[key].as_str().unwrap_or_default();
        let (then, now) = (recorded("adapter"), engine.adapter.as_str());
        if recorded("backend") != engine.backend.to_string() || !same_arithmetic(engine.backend, then, now) {
            return other(format!("it ran on {then}, and this is {now}"));
        }
        let Some(checkpoint) = &self.checkpoint else { return Ok(()) };
        let RunIdentity { config, start, data } = &checkpoint.identity;
        if *config != identity.config {
            return other("its checkpoint belongs to another config.json".into());
        }
        if *data != identity.data {
            return other("the data are not those that it began with".into());
        }
        if *start != identity.start {
            return other("its network or preprocessing came out another way than when it began".into());
        }
        let (then, now) = (recorded("tanner_version"), env!("CARGO_PKG_VERSION"));
        if then != now {
            terminal::warn(&format!("the run began with tanner {then}, and this is {now}"));
        }
        Ok(())
    }

    /// Where it goes on, for people to read.
    pub(super) fn place(&self) -> String {
        match &self.checkpoint {
            None => "starts anew, there is no checkpoint: its first epochs are made again".into(),
            Some(Checkpoint { state, .. }) => match (state.history.len(), state.so_far.steps) {
                (epochs, 0) => format!("goes on after epoch {epochs}"),
                (epochs, steps) => format!("goes on after step {steps} of epoch {}", epochs + 1),
            },
        }
    }
}

/// How to go on with the run in a folder.
pub(super) fn command(folder: &Path) -> String {
    format!("tanner train --resume {}", shell_words::quote(&folder.display().to_string()))
}

/// The fingerprints of what a run is trained and scored on.
pub(super) fn data_identity(train: &Dataset, scored: &Dataset) -> String {
    format!("{}-{}", fingerprint(train), fingerprint(scored))
}

/// The digests of a run in a folder, whose settings are there.
pub(super) fn identity(
    folder: &RunFolder,
    model: &TrainedModel,
    data: String,
) -> tanner::Result<RunIdentity> {
    Ok(RunIdentity { config: folder.config_digest()?, start: model.digest(), data })
}

/// Whether two engines of a kind sum in the same order; threads do not matter, instruction sets may.
fn same_arithmetic(backend: Backend, then: &str, now: &str) -> bool {
    let instructions = |adapter: &str| adapter.split_once(", ").map(|(_, set)| set.to_owned());
    match backend {
        Backend::Cpu => instructions(then) == instructions(now),
        Backend::Gpu | Backend::Reference => then == now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_do_not_matter_and_instructions_do() {
        let same = |then, now| same_arithmetic(Backend::Cpu, then, now);
        assert!(same("1 thread, AVX-512", "8 threads, AVX-512"));
        assert!(!same("8 threads, AVX2", "8 threads, AVX-512"));
        assert!(!same_arithmetic(Backend::Gpu, "A", "B") && same_arithmetic(Backend::Gpu, "A", "A"));
    }
}
