//! The observer that keeps a run folder up to date.

use std::time::Instant;

use super::{
    Checkpoint, Ending, EpochMetrics, Observer, RunClock, RunFolder, RunIdentity, ScoredOn, Summary,
    TARGET_ACCURACY, TrainingState, best_epoch,
};
use crate::engine::EngineInfo;
use crate::model::TrainedModel;
use crate::network::Parameters;
use crate::{Error, Result, Setting};

/// What a summary says beside what was measured.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// When the process started; the total time and the time to the target count from here, and on from the
    /// times of the processes before.
    pub process_start: Instant,
    /// Which engine trains.
    pub engine: EngineInfo,
    /// Seed of the run.
    pub seed: u64,
    /// What the run is scored on after each epoch.
    pub scored_on: ScoredOn,
    /// Number of training samples.
    pub train_samples: usize,
    /// Number of test samples.
    pub test_samples: usize,
}

/// Writes metrics and model after every epoch, a checkpoint when it is due, and the summary at the end.
#[derive(Debug)]
pub struct Recorder {
    /// The folder, and what checkpoints in it are known by; none where nothing is written.
    kept: Option<(RunFolder, RunIdentity)>,
    model: TrainedModel,
    facts: RunFacts,
    history: Vec<EpochMetrics>,
    seconds_to_target: Option<f64>,
    /// Of the processes that were at this run before.
    seconds_before: f64,
    /// Epochs that the model was trained before this run.
    epochs_before: usize,
}

impl Recorder {
    /// Takes the folder, the model as it is before the run's first step, whose parameters it replaces epoch by
    /// epoch, and what checkpoints are to be known by.
    pub fn new(folder: RunFolder, model: TrainedModel, facts: RunFacts, identity: RunIdentity) -> Self {
        Self { kept: Some((folder, identity)), ..Self::in_memory(model, facts) }
    }

    /// Writes nothing: the model and the epochs are for the caller.
    pub fn in_memory(model: TrainedModel, facts: RunFacts) -> Self {
        let epochs_before = model.epochs_trained();
        Self {
            kept: None,
            model,
            facts,
            history: Vec::new(),
            seconds_to_target: None,
            seconds_before: 0.0,
            epochs_before,
        }
    }

    /// Goes on from a checkpoint of the same run; cuts the metrics back to its epochs.
    ///
    /// # Errors
    /// [`Error::Io`] when the metrics cannot be written.
    pub fn resume(&mut self, history: &[EpochMetrics], clock: RunClock) -> Result<()> {
        if let Some((folder, _)) = &mut self.kept {
            folder.replace_metrics(history)?;
        }
        self.history = history.to_vec();
        (self.seconds_before, self.seconds_to_target) = (clock.seconds, clock.seconds_to_target);
        Ok(())
    }

    /// The epochs so far.
    pub fn history(&self) -> &[EpochMetrics] {
        &self.history
    }

    /// The model, with the parameters of the last epoch that this process has made.
    pub fn model(&self) -> &TrainedModel {
        &self.model
    }

    /// The run folder, where there is one.
    pub fn folder(&self) -> Option<&RunFolder> {
        self.kept.as_ref().map(|(folder, _)| folder)
    }

    /// The model of the last epoch, and all epochs.
    pub fn into_parts(self) -> (TrainedModel, Vec<EpochMetrics>) {
        (self.model, self.history)
    }

    /// Writes the summary and returns it.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written, [`Error::Setting`] when no epoch has ended.
    pub fn finish(&self, ending: Ending) -> Result<Summary> {
        let summary = self.summary(ending)?;
        if let Some((folder, _)) = &self.kept {
            folder.write_summary(&summary)?;
        }
        Ok(summary)
    }

    /// Wall time over all processes.
    fn seconds(&self) -> f64 {
        self.seconds_before + self.facts.process_start.elapsed().as_secs_f64()
    }

    fn summary(&self, ending: Ending) -> Result<Summary> {
        let (Some(last), Some(best)) = (self.history.last(), best_epoch(&self.history)) else {
            return Err(Error::setting(Setting::Epochs, "no epoch has ended, there is nothing to sum up"));
        };
        let (network, preprocessing) = (self.model.network(), self.model.preprocessing());
        Ok(Summary {
            scored_on: self.facts.scored_on,
            test_accuracy: last.test_accuracy,
            best_test_accuracy: best.test_accuracy,
            best_epoch: best.epoch,
            test_loss: last.test_loss,
            train_loss: last.train_loss,
            train_accuracy: last.train_accuracy,
            epochs: self.history.len(),
            stopped_early: ending == Ending::OutOfPatience,
            parameters: network.parameter_count(),
            dense_parameters: self.model.dense_parameter_count(),
            edges_per_layer: network.layers().iter().map(|layer| layer.topology.edges()).collect(),
            seconds_total: self.seconds(),
            seconds_training: self.history.iter().map(|epoch| epoch.seconds).sum(),
            seconds_steps: self.history.iter().map(|epoch| epoch.seconds_steps).sum(),
            seconds_to_8718: self.seconds_to_target,
            backend: self.facts.engine.backend,
            adapter: self.facts.engine.adapter.clone(),
            arch: self.model.record().arch,
            importance: preprocessing.importance(),
            order: preprocessing.order(),
            seed: self.facts.seed,
            train_samples: self.facts.train_samples,
            test_samples: self.facts.test_samples,
            finished_at: jiff::Zoned::now().to_string(),
            tanner_version: env!("CARGO_PKG_VERSION").into(),
        })
    }
}

impl Observer for Recorder {
    fn epoch_ended(&mut self, metrics: &EpochMetrics, parameters: &Parameters) -> Result<()> {
        if self.seconds_to_target.is_none() && metrics.test_accuracy >= TARGET_ACCURACY {
            self.seconds_to_target = Some(self.seconds());
        }
        // The model first: a line of metrics promises that the model of its epoch was kept.
        self.model.set_parameters(parameters.clone(), self.epochs_before + metrics.epoch)?;
        let is_best = best_epoch(&self.history).is_none_or(|best| metrics.test_accuracy > best.test_accuracy);
        if let Some((folder, _)) = &self.kept {
            folder.write_model(&self.model)?;
            if is_best {
                folder.keep_as_best()?;
            }
        }
        // From here on this epoch's model is the one that is kept, whatever becomes of its metrics.
        self.history.push(metrics.clone());
        self.kept.as_mut().map_or(Ok(()), |(folder, _)| folder.append_metrics(metrics))
    }

    fn checkpoint(&mut self, state: &TrainingState) -> Result<()> {
        let clock = RunClock { seconds: self.seconds(), seconds_to_target: self.seconds_to_target };
        let Some((folder, identity)) = &self.kept else { return Ok(()) };
        folder.write_checkpoint(&Checkpoint { state: state.clone(), identity: identity.clone(), clock })
    }
}
