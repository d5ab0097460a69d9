//! Pruning: a trained network made smaller, step by step, each step measured.
//!
//! A [`Pruning`] holds the current network, the data, and the curve of
//! [`PrunePoint`]s so far. [`BlockSearch`] removes lower blocks under a budget;
//! [`Pruning::remove_small_weights`] keeps what a [`WeightGoal`] marks;
//! [`Pruning::fine_tune`] trains the rest. Removed edges are really gone
//! ([`compact()`]): the network, its file and its training become smaller.
//!
//! The validation samples decide. The test set is only measured.

mod blocks;
mod compact;
mod curve;
mod magnitude;
mod session;

use std::cmp::Ordering;
use std::sync::Arc;

use crate::dataset::Dataset;
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, EngineSettings, Evaluation};
use crate::model::{PruneMethod, TrainedModel};
use crate::network::{Network, Parameters};
use crate::training::{self, EpochMetrics, Metric, Observer, Recipe, Scoring, TrainOptions};
use crate::{Error, Result, Setting};

pub use blocks::{BlockSearch, BlockSearchOptions, Until};
pub use compact::{Compacted, compact};
pub use curve::PrunePoint;
pub use magnitude::WeightGoal;
pub use session::{PruneMethodSettings, PruneSettings, PruneTarget, PrunedModel};

/// The preprocessed data of a pruning.
#[derive(Clone, Debug)]
pub struct PruneData {
    /// Training samples without the validation split: for mean activations and fine-tuning.
    pub rest: Arc<Dataset>,
    /// The samples by which steps are chosen.
    pub validation: Arc<Dataset>,
    /// Measured only, never used to choose.
    pub test: Arc<Dataset>,
}

/// Starts an engine for a pruned network.
pub type StartEngine<'a> =
    Box<dyn FnMut(&Network, &Parameters, EngineSettings) -> Result<Box<dyn Engine>> + 'a>;

/// A network that is being pruned.
pub struct Pruning<'a> {
    data: PruneData,
    /// How results become scores.
    scoring: Scoring,
    settings: EngineSettings,
    threads: Option<usize>,
    start: StartEngine<'a>,
    observe: Box<dyn FnMut(&PrunePoint) + 'a>,
    network: Network,
    parameters: Parameters,
    tuned_epochs: usize,
    curve: Vec<PrunePoint>,
}

impl<'a> Pruning<'a> {
    /// Takes a model and measures it. `observe` is called for every point of the curve.
    ///
    /// Mean activations are computed on `threads` threads of the CPU, all cores by default.
    ///
    /// # Errors
    /// When the data do not fit, or an engine fails.
    pub fn new(
        model: &TrainedModel,
        data: PruneData,
        settings: EngineSettings,
        threads: Option<usize>,
        start: StartEngine<'a>,
        observe: Box<dyn FnMut(&PrunePoint) + 'a>,
    ) -> Result<Self> {
        let (network, parameters) = (model.network().clone(), model.parameters().clone());
        let mut pruning = Self {
            data,
            scoring: model.scoring(),
            settings,
            threads,
            start,
            observe,
            network,
            parameters,
            tuned_epochs: 0,
            curve: Vec::new(),
        };
        pruning.take("unpruned".into(), pruning.network.clone(), pruning.parameters.clone())?;
        Ok(pruning)
    }

    /// The current network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Its parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Every network so far, the unpruned one first.
    pub fn curve(&self) -> &[PrunePoint] {
        &self.curve
    }

    /// Ends with the pruned model.
    ///
    /// # Errors
    /// [`Error::Network`] when nothing was removed.
    pub fn finish(
        self,
        model: &TrainedModel,
        method: PruneMethod,
    ) -> Result<(TrainedModel, Vec<PrunePoint>)> {
        let mut pruned = model.pruned(self.network, self.parameters.clone(), method)?;
        pruned.set_parameters(self.parameters, model.epochs_trained() + self.tuned_epochs)?;
        Ok((pruned, self.curve))
    }

    /// Removes the weights that a goal does not keep; `round` of `rounds` counts from 1.
    ///
    /// # Errors
    /// When nothing would be left of a layer, or an engine fails.
    pub fn remove_small_weights(&mut self, goal: &WeightGoal, round: usize, rounds: usize) -> Result<()> {
        let edges_at_start = self.curve[0].edges;
        let keep = goal.keep(&self.parameters, edges_at_start, round, rounds);
        let left = keep.iter().flatten().filter(|kept| **kept).count();
        let compacted = compact(&self.network, &self.parameters, keep)?;
        self.take(format!("{left} largest weights"), compacted.network, compacted.parameters)
    }

    /// Trains the network for the recipe's epochs and keeps the parameters, including the
    /// initial ones, that do best on the validation samples.
    ///
    /// # Errors
    /// When a setting is outside its range, training diverges, or an engine fails.
    pub fn fine_tune(&mut self, recipe: &Recipe, observer: &mut dyn Observer) -> Result<()> {
        let mut engine = (self.start)(&self.network, &self.parameters, recipe.engine_settings())?;
        let last = &self.curve[self.curve.len() - 1];
        let mut best = BestEpoch {
            epoch: 0,
            metric: last.metric,
            score: last.validation_accuracy,
            parameters: self.parameters.clone(),
        };
        let observers: &mut [&mut dyn Observer] = &mut [&mut best, observer];
        let options = TrainOptions { scoring: self.scoring, ..TrainOptions::default() };
        let (rest, validation) = (&self.data.rest, &self.data.validation);
        training::train_with(&mut *engine, recipe, rest, validation, observers, options)?;
        self.tuned_epochs += best.epoch;
        let step = format!("fine-tuned; epoch {} of {} is best", best.epoch, recipe.epochs);
        self.take(step, self.network.clone(), best.parameters)
    }

    /// Mean output of every neuron over the rest of the training set, layer 0 being the inputs.
    fn mean_activations(&self) -> Result<Vec<Vec<f64>>> {
        let engine = CpuEngine::new(&self.network, &self.parameters, self.settings, self.threads)?;
        engine.mean_activations(&self.data.rest)
    }

    fn start_engine(&mut self, network: &Network, parameters: &Parameters) -> Result<Box<dyn Engine>> {
        (self.start)(network, parameters, self.settings)
    }

    /// Scores on the validation split and on the test set.
    fn measure(&mut self, network: &Network, parameters: &Parameters) -> Result<[Evaluation; 2]> {
        let mut engine = self.start_engine(network, parameters)?;
        Ok([engine.evaluate(&self.data.validation)?, engine.evaluate(&self.data.test)?])
    }

    /// Measures this network and makes it the current one.
    fn take(&mut self, step: String, network: Network, parameters: Parameters) -> Result<()> {
        let measured = self.measure(&network, &parameters)?;
        self.take_measured(step, network, parameters, measured);
        Ok(())
    }

    fn take_measured(
        &mut self,
        step: String,
        network: Network,
        parameters: Parameters,
        measured: [Evaluation; 2],
    ) {
        let point = PrunePoint::new(step, &network, &measured, &self.scoring);
        (self.observe)(&point);
        self.curve.push(point);
        (self.network, self.parameters) = (network, parameters);
    }
}

/// The parameters that did best on the validation split; of equals the earliest.
struct BestEpoch {
    epoch: usize,
    metric: Metric,
    score: f64,
    parameters: Parameters,
}

impl Observer for BestEpoch {
    fn epoch_ended(&mut self, metrics: &EpochMetrics, parameters: &Parameters) -> Result<()> {
        // Here the trainer's second data set is the validation samples.
        if self.metric.compare(metrics.test_accuracy, self.score) == Ordering::Greater {
            (self.epoch, self.score) = (metrics.epoch, metrics.test_accuracy);
            self.parameters = parameters.clone();
        }
        Ok(())
    }
}

fn refuse<T>(setting: Setting, reason: impl Into<String>) -> Result<T> {
    Err(Error::Setting { setting, reason: reason.into() })
}
