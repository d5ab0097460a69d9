//! A run goes on in the folder where it began.
//!
//! The settings are those of the folder's `config.json`. What comes out of them is compared with what was recorded, so
//! that defaults which have changed since are noticed. Then everything that the bits depend on is compared: engine,
//! samples, graphs, preprocessing.

use std::path::Path;

use serde_json::Value;

use super::Session;
use super::record::{RunRecord, recorded_kernels};
use super::request::{EngineRequest, KernelsRequest};
use super::settings::Settings;
use crate::dataset::{Dataset, fingerprint};
use crate::engine::{Backend, EngineInfo};
use crate::model::TrainedModel;
use crate::training::{Checkpoint, RunFolder, RunIdentity};
use crate::{Error, Result, Setting};

/// A run that has begun: its folder, which no other process may touch now, and what it left there.
#[derive(Debug)]
pub struct Resumption {
    pub(super) folder: RunFolder,
    /// Where it was kept last; `None` before the first time, when it starts again.
    pub(super) checkpoint: Option<Checkpoint>,
    config: Value,
}

impl Resumption {
    /// Takes the folder of a run that is not finished.
    ///
    /// # Errors
    /// When there is no such run, its checkpoint is damaged, or another process is at it.
    pub fn open(path: &Path) -> Result<Self> {
        let Some(config) = RunFolder::config(path) else {
            let reason = "holds no run that can go on: there is no config.json that can be read";
            return Err(Error::OtherRun(format!("{} {reason}", path.display())));
        };
        let folder = RunFolder::reopen(path)?;
        let checkpoint = folder.checkpoint().map_err(|error| {
            Error::OtherRun(format!("{error}; without that file the run starts anew from its settings"))
        })?;
        Ok(Self { folder, checkpoint, config })
    }

    /// The settings with which the run began.
    pub(super) fn settings(&self) -> Result<Settings> {
        Settings::from_config(&self.config)
            .map_err(|reason| Error::SettingsFile { path: self.folder.path().join("config.json"), reason })
    }

    /// The engine that the run had, whatever would be chosen now; its number of threads is free.
    pub(super) fn engine(&self, asked: &EngineRequest, threads: Option<usize>) -> Result<EngineRequest> {
        let backend: Backend =
            serde_json::from_value(self.config["backend"].clone()).map_err(|error| Error::SettingsFile {
                path: self.folder.path().join("config.json"),
                reason: format!("backend: {error}"),
            })?;
        if threads.is_some() && backend != Backend::Cpu {
            let reason = format!("has no meaning here, the run is one of the {backend} engine");
            return Err(Error::setting(Setting::Threads, reason));
        }
        Ok(match backend {
            Backend::Reference => EngineRequest::Reference,
            Backend::Cpu => EngineRequest::Cpu { threads: threads.or(asked.threads()) },
            Backend::Gpu => {
                let adapter = match asked {
                    EngineRequest::Gpu { adapter, .. } => adapter.clone(),
                    _ => None,
                };
                let recorded = recorded_kernels(self.folder.path());
                let asked = recorded.as_ref().map(|(_, kernels)| *kernels);
                EngineRequest::Gpu { adapter, kernels: KernelsRequest { asked, recorded } }
            }
        })
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

impl Session<'_> {
    /// Refuses to go on where anything that the bits depend on is not as it was.
    pub(super) fn check_same_run(
        &self,
        begun: &Resumption,
        run: &RunRecord<'_>,
        engine: &EngineInfo,
        identity: &RunIdentity,
    ) -> Result<()> {
        let path = begun.folder.path().display();
        let other = |what: String| {
            Err(Error::OtherRun(format!("the run in {path} cannot go on to the same bits: {what}")))
        };
        let difference = run.difference_from(&begun.config);
        let difference =
            difference.map_err(|error| Error::OtherRun(format!("the settings of {path}: {error}")))?;
        if let Some(key) = difference {
            return other(format!("{key} is not what it was recorded to be"));
        }
        let recorded = |key: &str| begun.config[key].as_str().unwrap_or_default();
        let (then, now) = (recorded("adapter"), engine.adapter.as_str());
        if recorded("backend") != engine.backend.to_string() || !same_arithmetic(engine.backend, then, now) {
            return other(format!("it ran on {then}, and this is {now}"));
        }
        let Some(checkpoint) = &begun.checkpoint else { return Ok(()) };
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
            self.warn(format!("the run began with tanner {then}, and this is {now}"));
        }
        Ok(())
    }
}

/// The fingerprints of what a run is trained and scored on.
pub(super) fn data_identity(train: &Dataset, scored: &Dataset) -> String {
    format!("{}-{}", fingerprint(train), fingerprint(scored))
}

/// The digests of a run in a folder, whose settings are there.
pub(super) fn identity(folder: &RunFolder, model: &TrainedModel, data: String) -> Result<RunIdentity> {
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
