//! Resuming a run, up to its next step.

use std::path::Path;

use super::Session;
use super::engine::OpenedEngine;
use super::job::{TrainedRun, TrainingJob};
use super::record::{AbsolutePaths, Digests, RunRecord};
use super::resumption::{self, Resumption};
use super::settings::{EngineOptions, RunSettings, Settings};
use crate::error::AskedBy as _;
use crate::model::TrainedModel;
use crate::training::{
    Checkpoint, Continuation, PastRun, Recorder, RunClock, RunFacts, RunFolder, RunIdentity, Summary,
    TrainingState, now,
};
use crate::{Error, Result, Setting};

impl Session<'_> {
    /// Resumes the run in a folder, to the same bits as without an interruption, on this many CPU threads or as
    /// many as it had. For a finished run it returns the results.
    ///
    /// # Errors
    /// [`Error::OtherRun`] when the run cannot be resumed, or not to the same bits; as [`Session::train`].
    pub fn resume(&self, path: impl AsRef<Path>, threads: Option<usize>) -> Result<TrainedRun> {
        let engine = EngineOptions { threads, ..EngineOptions::default() };
        self.resume_with(path, &Settings { engine, ..Settings::default() })
    }

    /// As [`Session::resume`], with changes: where files are now, more epochs or more patience, another engine.
    ///
    /// # Errors
    /// As [`Session::resume`]; [`Error::Setting`] for a setting that cannot be changed.
    #[doc(hidden)]
    pub fn resume_with(&self, path: impl AsRef<Path>, asked: &Settings) -> Result<TrainedRun> {
        let path = path.as_ref();
        let mut resumption = match RunFolder::finished(path)? {
            None => {
                let resumption = Resumption::open(path).asked_by(Setting::Resume)?;
                // Another process may have finished it before the lock was free.
                if RunFolder::finished(path)?.is_some() {
                    drop(resumption);
                    return self.resume_with(path, asked);
                }
                resumption
            }
            Some((config, summary)) => {
                if !is_extended(&config, &summary, asked)? {
                    self.warn_of_no_effect(asked);
                    return self.finished(path, summary);
                }
                Resumption::extend(path, summary).asked_by(Setting::Resume)?
            }
        };
        let mut settings = resumption.changed(asked).asked_by(Setting::Resume)?;
        settings.out = Some(path.to_owned());
        if settings.data.is_in_memory() {
            let reason =
                "was trained on samples in memory; the program that has them can call Classifier::resume";
            return Err(Error::OtherRun(format!("the run in {} {reason}", path.display())));
        }
        self.train(TrainingJob { resumption: Some(resumption), ..TrainingJob::new(settings) })
    }

    /// As [`Session::resume`], with the settings and data of a job, which name the folder.
    pub(crate) fn resume_job(&self, mut job: TrainingJob<'_>) -> Result<TrainedRun> {
        let path = job.settings.out.clone().unwrap_or_default();
        if let Some((_, summary)) = RunFolder::finished(&path)? {
            return self.finished(&path, summary);
        }
        let resumption = Resumption::open(&path).asked_by(Setting::Out)?;
        if RunFolder::finished(&path)?.is_some() {
            drop(resumption);
            return self.resume_job(job);
        }
        job.settings.engine = resumption.engine(&job.settings.engine, &EngineOptions::default())?;
        job.resumption = Some(resumption);
        self.train(job)
    }

    /// Warns of settings without effect: a finished run computes nothing.
    fn warn_of_no_effect(&self, asked: &Settings) {
        let counts = [Setting::Epochs, Setting::Patience, Setting::Threads];
        if let Some(setting) = asked.given().into_iter().find(|setting| !counts.contains(setting)) {
            self.warn(format!("`{setting}` has no effect on a finished run without more `epochs`"));
        }
    }

    /// The results in the folder of a finished run.
    fn finished(&self, path: &Path, summary: Summary) -> Result<TrainedRun> {
        if let Some(problem) = PastRun::read(path)?.problems.first() {
            let path = path.display();
            let way_out = "without summary.json it resumes from its checkpoint, or from its start";
            return Err(Error::OtherRun(format!(
                "the finished run in {path} is damaged: {problem}; {way_out}"
            )));
        }
        // A run that ended between its summary and the removal of its checkpoint still has the checkpoint.
        if let Ok(folder) = RunFolder::reopen(path) {
            folder.remove_checkpoint()?;
        }
        let run = TrainedRun::of_folder(path, summary)?;
        self.note(format!("the run in {} is finished, nothing is left to do", path.display()));
        Ok(run)
    }

    /// The recorder of a resumed run, and where it resumes. Everything is compared before anything is written.
    pub(super) fn resume_recorder(
        &self,
        resumption: Resumption,
        settings: &RunSettings,
        run: &RunRecord<'_>,
        opened: &OpenedEngine,
        (model, facts, digests): (TrainedModel, RunFacts, Digests),
    ) -> Result<(Recorder, Option<TrainingState>, usize)> {
        let identity = resumption::identity(&resumption.folder, digests)?;
        self.check_same_run(&resumption, run, &facts.engine, &identity, model.epochs_trained())?;
        let patience_from = resumption.patience_from();
        let (backend, samples) = (facts.engine.backend, facts.train_samples);
        let (mut state, clock) = match resumption.state(&settings.recipe, samples, backend) {
            Some((state, clock)) => (Some(state), clock),
            None => (None, RunClock::default()),
        };
        // Older lines lack it.
        let history = state.iter_mut().flat_map(|state| &mut state.history);
        history.for_each(|metrics| metrics.scored_on = facts.scored_on);
        if let Some(state) = &state {
            state.check(&settings.recipe)?;
            self.note_schedule(&resumption, settings, state.history.len());
        }
        reopen_finished(&resumption, &state, clock, &identity)?;
        let so_far = state.as_ref().map_or((0, 0), |state| (state.history.len(), state.so_far.steps));
        let AbsolutePaths { data, labels, test, from, edges } = AbsolutePaths::of(settings);
        resumption.folder.record_continuation(&Continuation {
            time: now(),
            epoch: so_far.0,
            step: so_far.1,
            tanner_version: env!("CARGO_PKG_VERSION").into(),
            backend,
            adapter: facts.engine.adapter.clone(),
            gpu_kernels: opened.kernels.clone(),
            data,
            labels,
            test,
            from,
            edges,
            epochs: settings.recipe.epochs,
            patience: settings.patience,
            patience_on: settings.patience_on,
            patience_from,
            optimizer: resumption.optimizer(),
        })?;
        let mut recorder = Recorder::new(resumption.folder, model, facts, identity);
        recorder.resume(state.as_ref(), clock)?;
        Ok((recorder, state, patience_from))
    }

    /// Reports the learning rate with which an extended run continues.
    fn note_schedule(&self, resumption: &Resumption, settings: &RunSettings, done: usize) {
        let recipe = &settings.recipe;
        if resumption.changes.extends() {
            let rate = recipe.schedule.learning_rate(recipe.learning_rate, done, recipe.epochs);
            // Only significant digits.
            let rate: f64 = format!("{rate:.3e}").parse().unwrap_or(rate);
            self.note(format!("{} over {} epochs: continues at {rate}", recipe.schedule, recipe.epochs));
        }
    }
}

/// Turns a finished run into an unfinished one. Whenever this is interrupted, the folder holds a finished run, or one that resumes
/// after its last epoch.
fn reopen_finished(
    resumption: &Resumption,
    state: &Option<TrainingState>,
    clock: RunClock,
    identity: &RunIdentity,
) -> Result<()> {
    let Some(state) = state.as_ref().filter(|_| resumption.finished.is_some()) else { return Ok(()) };
    resumption.folder.write_checkpoint(&Checkpoint {
        state: state.clone(),
        identity: identity.clone(),
        clock,
    })?;
    resumption.folder.remove_summary()
}

/// Whether more epochs are requested of a finished run.
fn is_extended(config: &serde_json::Value, summary: &Summary, asked: &Settings) -> Result<bool> {
    let planned = config["recipe"]["epochs"].as_u64().and_then(|epochs| usize::try_from(epochs).ok());
    let done = summary.epochs;
    let is_asked = asked.training.epochs.is_some() || asked.keeping.patience.is_some();
    let epochs = asked.training.epochs.or(planned).filter(|_| is_asked).unwrap_or(done);
    if epochs < done {
        let reason = format!("{epochs} is less than the {done} epochs of the run so far");
        return Err(Error::setting(Setting::Epochs, reason));
    }
    Ok(epochs > done)
}
