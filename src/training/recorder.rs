//! The observer that writes a run folder.

use std::time::Instant;

use super::rewire::degrees;
use super::{
    Checkpoint, Ending, EpochMetrics, Majority, Observer, PatienceOn, RewiringSummary, RunClock, RunFolder,
    RunIdentity, ScoredOn, Scoring, Summary, TrainingState, best_epoch, edges_moved, is_better, now,
};
use crate::engine::EngineInfo;
use crate::model::TrainedModel;
use crate::network::{Network, Parameters};
use crate::{Error, Result, Setting};

/// The part of a summary that was not measured.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// When the process started; the total time and the time to the target count from here, in addition to the
    /// times of the processes before.
    pub process_start: Instant,
    /// Which engine trains.
    pub engine: EngineInfo,
    /// Seed of the run.
    pub seed: u64,
    /// The samples that the run is scored on after each epoch.
    pub scored_on: ScoredOn,
    /// How results become the score.
    pub scoring: Scoring,
    /// The target score.
    pub target: Option<f64>,
    /// Number of training samples.
    pub train_samples: usize,
    /// Number of test samples.
    pub test_samples: usize,
    /// The most frequent class of the test samples, if known.
    #[doc(hidden)]
    pub majority: Option<Majority>,
}

/// The place of the best epoch's parameters.
#[derive(Debug)]
enum Best {
    /// In their file, or not yet anywhere.
    Written,
    /// In the model: the last epoch is the best.
    Last,
    /// Here, with the number of epochs: for the next time that models are written.
    Earlier(Box<(Network, Parameters)>, usize),
}

/// Writes metrics after every epoch; models after the first one, with each checkpoint that is due and at the end; and
/// the summary.
#[derive(Debug)]
pub struct Recorder {
    /// The folder, and the identity of its checkpoints; `None` if nothing is written.
    kept: Option<(RunFolder, RunIdentity)>,
    model: TrainedModel,
    /// The network of the next epoch's parameters, if edges have moved before it.
    rewired: Option<Network>,
    /// Degrees before the first step.
    degrees: Vec<Vec<f64>>,
    facts: RunFacts,
    history: Vec<EpochMetrics>,
    /// Whether the model is in its file, or untrained.
    is_written: bool,
    best: Best,
    /// Whether this process has written the best model.
    has_written_best: bool,
    seconds_to_target: Option<f64>,
    /// Seconds of earlier processes of this run.
    seconds_before: f64,
    /// Epochs that the model was trained before this run.
    epochs_before: usize,
}

impl Recorder {
    /// Takes the folder, the model before the run's first step, whose parameters it replaces epoch by
    /// epoch, and the identity of checkpoints.
    pub fn new(folder: RunFolder, model: TrainedModel, facts: RunFacts, identity: RunIdentity) -> Self {
        Self { kept: Some((folder, identity)), ..Self::in_memory(model, facts) }
    }

    /// Writes nothing: the model and the epochs are for the caller.
    pub fn in_memory(model: TrainedModel, facts: RunFacts) -> Self {
        let epochs_before = model.epochs_trained();
        Self {
            kept: None,
            degrees: degrees::of_network(model.network()),
            model,
            rewired: None,
            facts,
            history: Vec::new(),
            is_written: true,
            best: Best::Written,
            has_written_best: false,
            seconds_to_target: None,
            seconds_before: 0.0,
            epochs_before,
        }
    }

    /// Resumes from a checkpoint of the same run, or from the start; truncates the metrics to its epochs.
    ///
    /// # Errors
    /// [`Error::Io`] when the metrics cannot be written.
    pub fn resume(&mut self, state: Option<&TrainingState>, clock: RunClock) -> Result<()> {
        let history = state.map_or(&[][..], |state| &state.history);
        if let Some((folder, _)) = &mut self.kept {
            folder.replace_metrics(history)?;
        }
        self.history = history.to_vec();
        self.seconds_before = clock.seconds;
        // Older checkpoints time a target that was not requested.
        self.seconds_to_target = clock.seconds_to_target.filter(|_| self.facts.target.is_some());
        let Some(state) = state else { return Ok(()) };
        let network = state.network(self.model.network())?;
        if let (true, Some(last)) = (state.so_far.is_untouched(), history.last()) {
            let parameters = state.engine.rounded(&network)?;
            self.model.set_network(network, parameters, self.epochs_before + last.epoch)?;
            self.is_written = false;
        } else if state.graphs.is_some() {
            self.rewired = Some(network);
        }
        Ok(())
    }

    /// The epochs so far.
    pub fn history(&self) -> &[EpochMetrics] {
        &self.history
    }

    /// The model, with the parameters of the last epoch of this process.
    pub fn model(&self) -> &TrainedModel {
        &self.model
    }

    /// The run folder, if there is one.
    pub fn folder(&self) -> Option<&RunFolder> {
        self.kept.as_ref().map(|(folder, _)| folder)
    }

    /// The model of the best epoch, if that is not the last one and only known here, because nothing is written.
    ///
    /// # Errors
    /// When its parameters do not fit.
    pub fn earlier_best(&self) -> Result<Option<TrainedModel>> {
        let Best::Earlier(best, epochs) = &self.best else { return Ok(None) };
        let mut model = self.model.clone();
        model.set_network(best.0.clone(), best.1.clone(), *epochs)?;
        Ok(Some(model))
    }

    /// The model of the last epoch, and all epochs.
    pub fn into_parts(self) -> (TrainedModel, Vec<EpochMetrics>) {
        (self.model, self.history)
    }

    /// Writes the summary and returns it; a run that has one needs no checkpoint.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written, [`Error::Setting`] when no epoch has ended.
    pub fn finish(&mut self, ending: Ending) -> Result<Summary> {
        self.write_all()?;
        let summary = self.summary(ending)?;
        if let Some((folder, _)) = &self.kept {
            folder.write_summary(&summary)?;
            folder.remove_checkpoint()?;
        }
        Ok(summary)
    }

    /// Writes and synchronises metrics and models.
    ///
    /// # Errors
    /// [`Error::Io`] when they cannot be written.
    pub fn write_all(&mut self) -> Result<()> {
        let Some((folder, _)) = &self.kept else { return Ok(()) };
        folder.sync_metrics()?;
        self.write_models()
    }

    fn write_models(&mut self) -> Result<()> {
        let Some((folder, _)) = &self.kept else { return Ok(()) };
        if let Best::Earlier(best, epochs) = &self.best {
            let (network, parameters) = (self.model.network().clone(), self.model.parameters().clone());
            let last = self.model.epochs_trained();
            self.model.set_network(best.0.clone(), best.1.clone(), *epochs)?;
            let written = folder.write_best(&self.model);
            self.model.set_network(network, parameters, last)?;
            written?;
            (self.best, self.has_written_best) = (Best::Written, true);
        }
        if !self.is_written {
            folder.write_model(&self.model)?;
            self.is_written = true;
        }
        if matches!(self.best, Best::Last) {
            folder.keep_as_best()?;
            (self.best, self.has_written_best) = (Best::Written, true);
        }
        Ok(())
    }

    /// The epoch whose model is actually in the folder.
    #[must_use]
    pub fn epoch_in_folder(&self) -> Option<usize> {
        let (folder, _) = self.kept.as_ref()?;
        let model = TrainedModel::load(folder.model_path()).ok()?;
        model.epochs_trained().checked_sub(self.epochs_before)
    }

    /// The epoch in `best.safetensors`, if it is not the best one: of a run whose best epoch was before it was resumed
    /// with another rule, another engine or fewer epochs.
    #[must_use]
    pub fn other_best(&self) -> Option<usize> {
        let (folder, _) = self.kept.as_ref().filter(|_| !self.has_written_best)?;
        let there = folder.best().ok()?.epochs_trained().checked_sub(self.epochs_before)?;
        best_epoch(&self.history).is_some_and(|best| best.epoch != there).then_some(there)
    }

    /// Wall time over all processes.
    fn seconds(&self) -> f64 {
        self.seconds_before + self.facts.process_start.elapsed().as_secs_f64()
    }

    /// The moved edges, in a run that rewires.
    fn rewiring(&self) -> Option<RewiringSummary> {
        edges_moved(&self.history)
            .map(|moved| RewiringSummary::new(moved, &self.degrees, self.model.network()))
    }

    fn summary(&self, ending: Ending) -> Result<Summary> {
        let (Some(last), Some(best)) = (self.history.last(), best_epoch(&self.history)) else {
            return Err(Error::setting(
                Setting::Epochs,
                "no epoch is complete, there is nothing to summarise",
            ));
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
            metric: self.facts.scoring.metric,
            epochs: self.history.len(),
            stopped_early: ending == Ending::OutOfPatience,
            parameters: network.parameter_count(),
            dense_parameters: self.model.dense_parameter_count(),
            edges_per_layer: network.layers().iter().map(|layer| layer.topology.edges()).collect(),
            rewiring: self.rewiring(),
            seconds_total: self.seconds(),
            seconds_training: self.history.iter().map(|epoch| epoch.seconds).sum(),
            seconds_steps: self.history.iter().map(|epoch| epoch.seconds_steps).sum(),
            target: self.facts.target,
            seconds_to_target: self.seconds_to_target,
            backend: self.facts.engine.backend,
            adapter: self.facts.engine.adapter.clone(),
            arch: self.model.record().arch,
            importance: preprocessing.importance(),
            order: preprocessing.order(),
            seed: self.facts.seed,
            train_samples: self.facts.train_samples,
            test_samples: self.facts.test_samples,
            majority: self.facts.majority.clone(),
            finished_at: now(),
            tanner_version: env!("CARGO_PKG_VERSION").into(),
        })
    }
}

impl Observer for Recorder {
    fn rewired(&mut self, network: &Network) {
        self.rewired = Some(network.clone());
    }

    fn epoch_ended(&mut self, metrics: &EpochMetrics, parameters: &Parameters) -> Result<()> {
        let has_reached = |target| metrics.metric.reaches(metrics.test_accuracy, target);
        let is_reached = self.facts.target.is_some_and(has_reached);
        if self.seconds_to_target.is_none() && is_reached {
            self.seconds_to_target = Some(self.seconds());
        }
        let best = best_epoch(&self.history);
        let is_best = best.is_none_or(|best| is_better(metrics, best, PatienceOn::Score));
        if is_best {
            self.best = Best::Last;
        } else if matches!(self.best, Best::Last) {
            let best = Box::new((self.model.network().clone(), self.model.parameters().clone()));
            self.best = Best::Earlier(best, self.model.epochs_trained());
        }
        let network = self.rewired.take().unwrap_or_else(|| self.model.network().clone());
        self.model.set_network(network, parameters.clone(), self.epochs_before + metrics.epoch)?;
        self.is_written = false;
        self.history.push(metrics.clone());
        // After the first epoch there is a model, so a missing folder is noticed.
        if self.folder().is_some_and(|folder| !folder.model_path().exists()) {
            self.write_models()?;
        }
        self.kept.as_mut().map_or(Ok(()), |(folder, _)| folder.append_metrics(metrics))
    }

    fn checkpoint(&mut self, state: &TrainingState) -> Result<()> {
        self.write_all()?;
        let clock = RunClock { seconds: self.seconds(), seconds_to_target: self.seconds_to_target };
        let Some((folder, identity)) = &self.kept else { return Ok(()) };
        folder.write_checkpoint(&Checkpoint { state: state.clone(), identity: identity.clone(), clock })
    }
}
