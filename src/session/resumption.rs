//! A run to resume or extend, in its folder.
//!
//! The settings are those of the folder's `config.json`, with changes: where its files are ([`Changes`]), how
//! many epochs there are, on which engine. The resolved settings are compared with the recorded ones, so that defaults
//! that have changed since are noticed. Then everything that the bits depend on is compared: engine, samples, graphs,
//! preprocessing.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::Session;
use super::changes::Changes;
use super::record::{Digests, RunRecord};
use super::settings::Settings;
use crate::dataset::{DataRecord, Dataset, fingerprint};
use crate::engine::{Backend, EngineInfo, EngineState};
use crate::model::TrainedModel;
use crate::topology::GraphRows;
use crate::training::{
    Checkpoint, EpochMetrics, EpochSoFar, OptimizerState, PastRun, Recipe, RunClock, RunFolder, RunIdentity,
    Summary, TrainingState, last_continuation,
};
use crate::{Error, Result};

/// A run to resume: its locked folder, and its files.
#[derive(Debug)]
pub struct Resumption {
    pub(super) folder: RunFolder,
    /// Its last checkpoint; `None` if there is none yet, and it starts again.
    pub(super) checkpoint: Option<Checkpoint>,
    /// The finished run to extend.
    pub(super) finished: Option<Box<FinishedRun>>,
    pub(super) config: Value,
    pub(super) changes: Changes,
}

/// A run with a summary.
#[derive(Debug)]
pub(super) struct FinishedRun {
    history: Vec<EpochMetrics>,
    model: TrainedModel,
    summary: Summary,
}

impl Resumption {
    /// Opens the folder of an unfinished run.
    ///
    /// # Errors
    /// When there is no such run, its checkpoint is damaged, or another process works on it.
    pub fn open(path: &Path) -> Result<Self> {
        let Some(config) = RunFolder::config(path) else {
            let reason = match path.join("config.json").exists() {
                true => "holds no run that can be resumed: its config.json is damaged",
                false => "holds no run that can be resumed: there is no config.json",
            };
            return Err(Error::OtherRun(format!("{} {reason}", path.display())));
        };
        let folder = RunFolder::reopen(path)?;
        let checkpoint = folder.checkpoint().map_err(|error| {
            Error::OtherRun(format!("{error}; without that file the run starts over from its settings"))
        })?;
        Ok(Self { folder, checkpoint, finished: None, config, changes: Changes::default() })
    }

    /// Opens the folder of a finished run, for more epochs.
    ///
    /// # Errors
    /// When one of its files cannot be read, or another process works on it.
    pub(super) fn extend(path: &Path, summary: Summary) -> Result<Self> {
        let past = PastRun::read(path)?;
        let refuse = |what: String| {
            Err(Error::OtherRun(format!("the run in {} cannot be extended: {what}", path.display())))
        };
        if let Some(problem) = past.problems.first() {
            return refuse(problem.clone());
        }
        let Some(model) = past.model() else { return refuse("it no longer has a model.safetensors".into()) };
        let finished = FinishedRun { history: past.history.clone(), model: model?, summary };
        let folder = RunFolder::reopen(path)?;
        // A checkpoint from before the end knows the data, in older runs whose settings do not.
        let checkpoint = folder.checkpoint().unwrap_or_default();
        let config = past.config.unwrap_or_default();
        Ok(Self {
            folder,
            checkpoint,
            finished: Some(Box::new(finished)),
            config,
            changes: Changes::default(),
        })
    }

    /// The settings of the run, as last resumed.
    pub(super) fn settings(&self) -> Result<Settings> {
        Settings::from_config(&self.config).map_err(|reason| self.refuse_config(reason))
    }

    pub(super) fn refuse_config(&self, reason: String) -> Error {
        Error::SettingsFile { path: self.folder.path().join("config.json"), reason }
    }

    /// The kind of engine that it had last.
    pub(super) fn backend(&self) -> Result<Backend> {
        serde_json::from_value(self.config["backend"].clone())
            .map_err(|error| self.refuse_config(format!("backend: {error}")))
    }

    /// Where it resumes, for people to read.
    pub(super) fn place(&self) -> String {
        match (&self.finished, &self.checkpoint) {
            (Some(finished), _) => {
                format!("resumes after epoch {}, its optimiser starts from zero", finished.history.len())
            }
            (None, None) => "starts over: there is no checkpoint".into(),
            (None, Some(Checkpoint { state, .. })) => match (state.history.len(), state.so_far.steps) {
                (epochs, 0) => format!("resumes after epoch {epochs}"),
                (epochs, steps) => format!("resumes after step {steps} of epoch {}", epochs + 1),
            },
        }
    }

    /// The epochs that it has.
    pub(super) fn history(&self) -> &[EpochMetrics] {
        match (&self.finished, &self.checkpoint) {
            (Some(finished), _) => &finished.history,
            (None, Some(checkpoint)) => &checkpoint.state.history,
            (None, None) => &[],
        }
    }

    /// The state of its optimiser.
    pub(super) fn optimizer(&self) -> OptimizerState {
        if self.finished.is_some() { OptimizerState::Zero } else { OptimizerState::Kept }
    }

    /// The epoch from which its patience counts.
    pub(super) fn patience_from(&self) -> usize {
        match (&self.finished, last_continuation(&self.config)) {
            _ if self.changes.is_patience_given => 0,
            // A request for more epochs of a run that stopped early restarts its patience.
            (Some(finished), _) => finished.history.len(),
            (None, last) => last.map_or(0, |last| last.patience_from),
        }
    }

    /// Where it resumes: the state of its checkpoint, or the model of a finished run, without optimiser state,
    /// in the precision of the engine.
    pub(super) fn state(
        &self,
        recipe: &Recipe,
        samples: usize,
        backend: Backend,
    ) -> Option<(TrainingState, RunClock)> {
        let (state, clock) = match (&self.finished, &self.checkpoint) {
            (Some(finished), _) => {
                let FinishedRun { history, model, summary } = &**finished;
                let steps = history.len() * samples.div_ceil(recipe.batch_size);
                let engine = EngineState::fresh(model.parameters(), &recipe.optimizer, steps as u64);
                let clock =
                    RunClock { seconds: summary.seconds_total, seconds_to_target: summary.seconds_to_target };
                let network = model.network().layers().iter();
                let graphs = recipe
                    .rewire
                    .map(|_| network.map(|layer| GraphRows::Of(layer.topology.clone())).collect());
                let so_far = EpochSoFar::default();
                (TrainingState { history: history.clone(), so_far, engine, graphs }, clock)
            }
            (None, Some(checkpoint)) => (checkpoint.state.clone(), checkpoint.clock),
            (None, None) => return None,
        };
        Some((TrainingState { engine: state.engine.for_backend(backend), ..state }, clock))
    }
}

impl Session<'_> {
    /// Refuses to resume if anything has changed that the bits depend on.
    pub(super) fn check_same_run(
        &self,
        resumption: &Resumption,
        run: &RunRecord<'_>,
        engine: &EngineInfo,
        identity: &RunIdentity,
        epochs_before: usize,
    ) -> Result<()> {
        let path = resumption.folder.path().display();
        let others = |then: &str, now: &str| {
            format!("the data are not those it started with: {}", other_samples(then, now))
        };
        let other = |what: String| {
            Err(Error::OtherRun(format!("the run in {path} cannot be resumed to the same bits: {what}")))
        };
        let difference = run.difference_from(&resumption.changes.applied_to(resumption.config.clone()));
        let difference =
            difference.map_err(|error| Error::OtherRun(format!("the settings of {path}: {error}")))?;
        let recorded_digests = Digests::deserialize(&resumption.config["digests"]).ok();
        let of_checkpoint =
            resumption.checkpoint.as_ref().map(|checkpoint| Digests::from(&checkpoint.identity));
        let digests = recorded_digests.or(of_checkpoint);
        let other_data = digests.as_ref().filter(|digests| !is_same_data(&digests.data, &identity.data));
        if let Some(key) = difference {
            let follows_from_data = key.starts_with("architecture.") || key.ends_with("_samples");
            if follows_from_data && let Some(then) = other_data {
                return other(others(&then.data, &identity.data));
            }
            return other(format!("{key} differs from what was recorded"));
        }
        let recorded = |key: &str| resumption.config[key].as_str().unwrap_or_default();
        let (then, now) = (recorded("adapter"), engine.adapter.as_str());
        let is_same =
            recorded("backend") == engine.backend.to_string() && same_arithmetic(engine.backend, then, now);
        if !is_same && !resumption.changes.is_engine_given {
            let way_out = "give `backend` (and `adapter`) to continue here, with other last digits";
            return other(format!("it ran on {then}, and this is {now}; {way_out}"));
        }
        if !is_same {
            self.note(format!(
                "the run continues on {now}; it ran on {then}: its last digits differ from those of an uninterrupted run"
            ));
        }
        if let Some(checkpoint) = &resumption.checkpoint
            && checkpoint.identity.config != identity.config
        {
            let way_out = "undo that, and give `data`, `epochs` and the like with `resume`";
            return other(format!(
                "its checkpoint belongs to another config.json, or somebody has edited this one: {way_out}"
            ));
        }
        if let Some(then) = other_data {
            return other(others(&then.data, &identity.data));
        }
        match digests {
            Some(Digests { start, .. }) if start != identity.start => {
                return other("its network or preprocessing differs from that of its start".into());
            }
            None if resumption.finished.is_some() => {
                self.warn("an older version made the run, so its data cannot be checked for changes");
            }
            _ => {}
        }
        if let Some(finished) = &resumption.finished
            && finished.model.epochs_trained() != epochs_before + finished.history.len()
        {
            return other(format!("its model.safetensors is not that of epoch {}", finished.history.len()));
        }
        let (then, now) = (recorded("tanner_version"), env!("CARGO_PKG_VERSION"));
        if then != now {
            self.warn(format!("the run began with tanner {then}, and this is {now}"));
        }
        Ok(())
    }
}

/// Adds the remedy if the GPU of a run is missing.
pub(super) fn without_engine(error: Error, resumption: Option<&Resumption>) -> Error {
    match (resumption, error) {
        (Some(resumption), Error::NoAdapter(reason)) if !resumption.changes.is_engine_given => {
            Error::NoAdapter(format!(
                "{reason}; the run in {} was made on {}: give `backend` cpu to continue on the CPU, with other last digits",
                resumption.folder.path().display(),
                resumption.config["adapter"].as_str().unwrap_or("a GPU")
            ))
        }
        // The recorded adapter, which was not requested now.
        (Some(resumption), Error::For { setting: crate::Setting::Adapter, source })
            if !resumption.changes.is_engine_given =>
        {
            without_engine(*source, Some(resumption))
        }
        (_, error) => error,
    }
}

/// The fingerprints of the samples that a run trains and scores on, and the digest of their names, if any.
pub(super) fn data_identity(train: &Dataset, scored: &Dataset, record: &DataRecord) -> String {
    record.with_names(format!("{}-{}", fingerprint(train), fingerprint(scored)))
}

/// Whether data are the recorded ones; older versions recorded no names.
pub(super) fn is_same_data(then: &str, now: &str) -> bool {
    then == now
        || (then.matches('-').count() == 1
            && now.strip_prefix(then).is_some_and(|rest| rest.starts_with('-')))
}

/// How two [`data_identity`]s differ.
fn other_samples(then: &str, now: &str) -> String {
    let parts =
        |identity: &str| identity.split('-').map(|digest| digest.chars().take(12).collect()).collect();
    let [then, now]: [Vec<String>; 2] = [then, now].map(parts);
    let none = || "none".to_owned();
    let differs = |(part, what): (usize, &str)| {
        let [then, now] = [&then, &now].map(|parts| parts.get(part).cloned().unwrap_or_else(none));
        (then != now).then(|| format!("the hash of the {what} is {now}.., it recorded {then}.."))
    };
    let parts = ["training samples", "scored samples", "names of features and classes"];
    let differences: Vec<String> = parts.into_iter().enumerate().filter_map(differs).collect();
    differences.join(", ")
}

/// The digests of a run in a folder.
pub(super) fn identity(folder: &RunFolder, digests: Digests) -> Result<RunIdentity> {
    Ok(RunIdentity { config: folder.config_digest()?, start: digests.start, data: digests.data })
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

    #[test]
    fn other_samples_are_named_with_their_hashes() {
        let line = other_samples("aaaaaaaaaaaaaaaa-bbbb", "aaaaaaaaaaaaaaaa-cccc");
        assert_eq!(line, "the hash of the scored samples is cccc.., it recorded bbbb..");
        assert!(other_samples("aa-bb", "cc-dd").contains("training samples is cc.."));
    }
}
