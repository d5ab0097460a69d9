//! The observer that keeps a run folder up to date.

use std::time::Instant;

use super::{EpochMetrics, Observer, RunFolder, ScoredOn, Summary, TARGET_ACCURACY};
use crate::engine::EngineInfo;
use crate::model::TrainedModel;
use crate::network::Parameters;
use crate::{Error, Result};

/// What a summary says beside what was measured.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// When the process started; the total time and the time to the target count from here.
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

/// Writes metrics and model after every epoch, and the summary at the end.
#[derive(Debug)]
pub struct Recorder {
    folder: RunFolder,
    model: TrainedModel,
    facts: RunFacts,
    history: Vec<EpochMetrics>,
    seconds_to_target: Option<f64>,
    /// Epochs that the model was trained before this run.
    epochs_before: usize,
}

impl Recorder {
    /// Takes the folder and the model, whose parameters it replaces epoch by epoch.
    pub fn new(folder: RunFolder, model: TrainedModel, facts: RunFacts) -> Self {
        let epochs_before = model.epochs_trained();
        Self { folder, model, facts, history: Vec::new(), seconds_to_target: None, epochs_before }
    }

    /// The epochs so far.
    pub fn history(&self) -> &[EpochMetrics] {
        &self.history
    }

    /// The run folder.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Writes the summary and returns it.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written, [`Error::Setting`] when no epoch has ended.
    pub fn finish(&self) -> Result<Summary> {
        let summary = self.summary()?;
        self.folder.write_summary(&summary)?;
        Ok(summary)
    }

    fn summary(&self) -> Result<Summary> {
        // Of equal epochs the first is the best: it is the last in the order of the fold.
        let best =
            self.history.iter().rev().reduce(|best, earlier| {
                if earlier.test_accuracy >= best.test_accuracy { earlier } else { best }
            });
        let (Some(last), Some(best)) = (self.history.last(), best) else {
            let reason = "no epoch has ended, there is nothing to sum up".into();
            return Err(Error::Setting { setting: "--epochs", reason });
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
            parameters: network.parameter_count(),
            dense_parameters: self.model.dense_parameter_count(),
            edges_per_layer: network.layers().iter().map(|layer| layer.topology.edges()).collect(),
            seconds_total: self.facts.process_start.elapsed().as_secs_f64(),
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
            self.seconds_to_target = Some(self.facts.process_start.elapsed().as_secs_f64());
        }
        // The model first: a line of metrics promises that the model of its epoch was kept.
        self.model.set_parameters(parameters.clone(), self.epochs_before + metrics.epoch)?;
        self.folder.write_model(&self.model)?;
        // From here on this epoch's model is the one that is kept, whatever becomes of its metrics.
        self.history.push(metrics.clone());
        self.folder.append_metrics(metrics)
    }
}
