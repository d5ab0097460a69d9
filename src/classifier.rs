//! From samples to a trained model in one call.
//!
//! A [`Classifier`] is a thin wrapper of a [`Session`]: its setters fill in [`Settings`], and
//! [`Classifier::fit`] runs them on samples in memory. The same settings train the same model as the command line, to
//! the bit. For more control, use a session.

mod engine_kind;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::dataset::{Augmentation, DataRecord, DataSplits, Dataset, Holdout};
use crate::engine::{OptimizerKind, Penalties};
use crate::importance::{Importance, Order};
use crate::model::Arch;
use crate::network::{Activation, Parameters, Scheme};
use crate::session::settings::{DegreeDistributions, EdgeFiles, List, Lists, Switch};
use crate::session::{
    Data, DataOptions, Preset, Reporter, Session, Settings, Silent, TrainedRun, TrainingJob, USUAL_TEST,
};
use crate::topology::{DegreeDistribution, Topology};
use crate::training::{CheckpointEvery, EpochMetrics, Observer, Schedule};
use crate::{Error, Result, Setting};

pub use engine_kind::EngineKind;

/// What to train, and how.
///
/// Setters may be called in any order; none undoes another. Settings that are not set have defaults. Settings that do
/// not fit together are refused by [`Classifier::fit`].
///
/// ```
/// use std::ops::ControlFlow;
///
/// use tanner::prelude::*;
///
/// # fn main() -> tanner::Result<()> {
/// // 60 samples of 4 features in 3 classes, which their first feature determines.
/// let features = (0..60 * 4).map(|k| if k % 4 == 0 { (k / 4 % 3) as f32 } else { 0.1 }).collect();
/// let data = Dataset::new(features, 4, (0..60).map(|sample| sample % 3).collect(), 3)?;
///
/// let run = Classifier::new()
///     .hidden([16, 16])
///     .density(0.3)
///     .activation(Activation::Relu)
///     .epochs(30)
///     .batch_size(10)
///     .fit(&data, Some(&data), |epoch| {
///         println!("epoch {}: {:.3}", epoch.epoch, epoch.test_accuracy);
///         ControlFlow::Continue(())
///     })?;
/// assert_eq!(run.history.last().map(|epoch| epoch.test_accuracy), Some(1.0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Classifier {
    settings: Settings,
    /// Defaults, under the settings.
    usual: Settings,
    topologies: Option<Vec<Topology>>,
    class_names: Vec<String>,
    feature_names: Vec<String>,
}

impl Default for Classifier {
    fn default() -> Self {
        Self::new()
    }
}

/// Setters, each of one setting.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($value:ident: $Type:ty) => $setting:ident = $set:expr;)+) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $value: $Type) -> Self {
                self.settings = self.settings.$setting($set);
                self
            }
        )+
    };
}

impl Classifier {
    /// Two spatially-coupled layers of 128 neurons, 20 % of the weights; everything else as on the command line.
    #[must_use]
    pub fn new() -> Self {
        let usual = Settings::default().hidden(vec![128; 2]).density(0.2);
        Self { usual, ..Self::with(Settings::default()) }
    }

    /// These settings, as on the command line; settings of data are ignored.
    #[must_use]
    pub fn with(mut settings: Settings) -> Self {
        settings.unify_importance();
        settings.data = DataOptions::default();
        let (usual, names) = (Settings::default(), Vec::new());
        Self { settings, usual, topologies: None, class_names: names.clone(), feature_names: names }
    }

    /// The settings of a preset; setters override it.
    #[must_use]
    pub fn preset(preset: Preset) -> Self {
        Self::with(Settings::default().preset(preset))
    }

    setters! {
        /// The architecture of the hidden layers. [`Classifier::fit`] refuses settings of other architectures.
        arch(arch: Arch) => arch = arch;
        /// Widths of the hidden layers, starting at the inputs; empty for a linear classifier.
        hidden(widths: impl Into<Vec<usize>>) => hidden = widths.into();
        /// Number of blocks of each layer, or one for all.
        blocks(blocks: impl Into<Vec<usize>>) => blocks = List(blocks.into());
        /// Input blocks that an output block sees, of each layer or one for all.
        receptive_fields(blocks: impl Into<Vec<usize>>) => receptive_field = List(blocks.into());
        /// Distribution of the out-degrees of random sparse layers, of each or one for all.
        degree_distributions(of_layers: Vec<DegreeDistribution>) => degree_distribution = DegreeDistributions(of_layers);
        /// Files of the graphs of all layers, the logits last, instead of drawn ones; see [`crate::edges`].
        #[doc(hidden)]
        edges(files: Vec<PathBuf>) => edges = EdgeFiles(files);
        /// Activation of the hidden layers; the gain of the initial weights follows it unless it is set.
        activation(activation: Activation) => activation = activation;
        /// Probability with which training drops a hidden unit, at least 0 and below 1.
        dropout(probability: f32) => dropout = probability;
        /// Probability with which a step drops a connection of a hidden layer, at least 0 and below 1.
        drop_connect(probability: f32) => dropconnect = probability;
        /// The importance by which features are ordered.
        importance(importance: Importance) => importance = importance;
        /// The direction of that order.
        order(order: Order) => order = order;
        /// Whether each raw feature is standardised first.
        standardize(on: bool) => standardize = if on { Switch::On } else { Switch::Off };
        /// Number of trees of a random forest.
        trees(trees: usize) => trees = trees;
        /// Passes over the training set.
        epochs(epochs: usize) => epochs = epochs;
        /// Samples in one batch.
        batch_size(samples: usize) => batch_size = samples;
        /// How gradients change the parameters; see also [`Classifier::momentum`].
        optimizer(kind: OptimizerKind) => optimizer = kind;
        /// Learning rate at the start; by default that of the optimiser.
        learning_rate(rate: f64) => lr = rate;
        /// Share of the last step that momentum and Nesterov momentum keep.
        momentum(share: f32) => momentum = share;
        /// How the learning rate changes over the epochs.
        schedule(schedule: Schedule) => schedule = schedule;
        /// Share of every label that is spread evenly over all classes, in `[0, 1)`.
        label_smoothing(share: f32) => label_smoothing = share;
        /// The fans that determine the variance of the initial weights.
        initialisation(scheme: Scheme) => init = scheme;
        /// Factor on the deviation of the initial weights.
        gain(factor: f32) => gain = factor;
        /// Random changes of training pictures, different in every epoch.
        augmentation(augmentation: Augmentation) => augment = augmentation;
        /// Seed of graphs, weights, order of samples, dropout and augmentation.
        seed(seed: u64) => seed = seed;
        /// Samples held out of the training set, on which every epoch is scored instead of a test set.
        validation(holdout: Holdout) => validation = holdout;
        /// Epochs without a better score after which training ends; needs [`Classifier::validation`].
        patience(epochs: usize) => patience = epochs;
        /// Saves settings, metrics, models and checkpoints in a folder, as the command line does.
        run_folder(folder: impl Into<PathBuf>) => out = folder;
        /// How often to save a checkpoint in the run folder.
        checkpoint_every(every: CheckpointEvery) => checkpoint_every = every;
    }

    /// Share of the weights that exist, above 0 and at most 1, in layers with degrees in proportion to the paper's; in
    /// place of [`Classifier::degrees`].
    #[must_use]
    pub fn density(mut self, density: f64) -> Self {
        self.settings.architecture.degrees = None;
        self.settings = self.settings.density(density);
        self
    }

    /// Out-degrees of the neurons of each block, `[layer][block]`, one list or number for all; instead of
    /// [`Classifier::density`].
    #[must_use]
    pub fn degrees(mut self, degrees: Vec<Vec<usize>>) -> Self {
        self.settings.architecture.density = None;
        self.settings = self.settings.degrees(Lists(degrees));
        self
    }

    /// Strengths of the penalties.
    #[must_use]
    pub fn penalties(mut self, penalties: Penalties) -> Self {
        let Penalties { l2, l1, l1_input, l_half, weight_elimination, group_lasso } = penalties;
        let training = &mut self.settings.training;
        (training.l2, training.l1, training.l1_input) = (Some(l2), Some(l1), l1_input);
        (training.l_half, training.weight_elimination) = (Some(l_half), Some(weight_elimination));
        training.group_lasso = Some(group_lasso);
        self
    }

    /// The graphs of the hidden layers, starting at the inputs, instead of drawn ones; see [`Topology::from_edges`]. A fully
    /// connected layer of logits is added.
    #[must_use]
    pub fn topologies(mut self, topologies: Vec<Topology>) -> Self {
        self.topologies = Some(topologies);
        self
    }

    /// The name of each class, saved in the model.
    #[must_use]
    pub fn class_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.class_names = names.into_iter().map(Into::into).collect();
        self
    }

    /// The name of each raw feature, saved in the model.
    #[must_use]
    pub fn feature_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.feature_names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Which engine trains.
    #[must_use]
    pub fn engine(mut self, engine: EngineKind) -> Self {
        engine.set(&mut self.settings.engine);
        self
    }

    /// All settings.
    #[must_use]
    #[doc(hidden)]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Trains, scores every epoch on the test set, and passes each epoch to a callback, which may stop the run. The model
    /// trained until then is returned. Without a test set, a fifth of the samples is held out for it.
    ///
    /// # Errors
    /// Settings that are out of range or do not fit the data; errors of training.
    pub fn fit(
        &self,
        train: &Dataset,
        test: Option<&Dataset>,
        on_epoch: impl FnMut(&EpochMetrics) -> ControlFlow<()>,
    ) -> Result<TrainedRun> {
        self.fit_reporting(train, test, on_epoch, &Silent)
    }

    /// Resumes the stopped or interrupted run in [`Classifier::run_folder`], to the same bits as without the
    /// interruption, with the same settings, names and samples. Of a finished run it returns the results.
    ///
    /// # Errors
    /// [`Error::OtherRun`] when there is no run that can be resumed, or not to the same bits; as [`Classifier::fit`].
    pub fn resume(
        &self,
        train: &Dataset,
        test: Option<&Dataset>,
        on_epoch: impl FnMut(&EpochMetrics) -> ControlFlow<()>,
    ) -> Result<TrainedRun> {
        if self.settings.output.out.is_none() {
            return Err(Error::setting(Setting::Out, "is missing: name the run folder to resume"));
        }
        self.run(train, test, on_epoch, &Silent, |session, job| session.resume_job(job))
    }

    /// As [`Classifier::fit`], with a reporter.
    #[doc(hidden)]
    pub fn fit_reporting(
        &self,
        train: &Dataset,
        test: Option<&Dataset>,
        on_epoch: impl FnMut(&EpochMetrics) -> ControlFlow<()>,
        reporter: &dyn Reporter,
    ) -> Result<TrainedRun> {
        self.run(train, test, on_epoch, reporter, |session, job| session.train(job))
    }

    /// The settings over the defaults.
    fn asked(&self) -> Settings {
        let mut settings = self.settings.clone();
        // The defaults are for this architecture: naming it changes nothing else.
        if settings.preset.preset.is_none() && settings.architecture.arch == Some(Arch::Sc) {
            settings.architecture.arch = None;
        }
        settings.over(self.usual.clone())
    }

    /// Makes the job of a run and runs it in a session.
    fn run(
        &self,
        train: &Dataset,
        test: Option<&Dataset>,
        on_epoch: impl FnMut(&EpochMetrics) -> ControlFlow<()>,
        reporter: &dyn Reporter,
        go: impl FnOnce(&Session<'_>, TrainingJob<'_>) -> Result<TrainedRun>,
    ) -> Result<TrainedRun> {
        let settings = self.asked().resolve()?;
        let splits = match test {
            Some(test) => DataSplits { train: train.clone(), test: test.clone() },
            // Such a run is scored on held-out training samples and never uses the test set: any sample will do.
            None if settings.validation.is_some() => {
                DataSplits { train: train.clone(), test: train.clone().head(1)? }
            }
            None => {
                let (rest, held_out) = train.holdout(USUAL_TEST, settings.recipe.seed)?;
                DataSplits { train: rest, test: held_out }
            }
        };
        if splits.test.feature_count() != train.feature_count()
            || splits.test.class_count() > train.class_count()
        {
            return Err(Error::Dataset(format!(
                "a test set of {} features and {} classes does not fit a training set of {} and {}",
                splits.test.feature_count(),
                splits.test.class_count(),
                train.feature_count(),
                train.class_count()
            )));
        }
        let mut record = DataRecord::of(&splits.train);
        record.class_names.clone_from(&self.class_names);
        record.feature_names.clone_from(&self.feature_names);
        let stop = AtomicBool::new(false);
        let mut callback = Callback { on_epoch, stop: &stop };
        let job = TrainingJob::new(settings)
            .on(Data { splits, record, warnings: Vec::new() })
            .observed_by(&mut callback);
        let job = self.topologies.iter().fold(job.kept_in_memory(), |job, topologies| job.over(topologies));
        go(&Session::new(reporter).stop(&stop), job)
    }
}

/// A function as an observer.
struct Callback<'a, F> {
    on_epoch: F,
    stop: &'a AtomicBool,
}

impl<F: FnMut(&EpochMetrics) -> ControlFlow<()>> Observer for Callback<'_, F> {
    fn epoch_ended(&mut self, metrics: &EpochMetrics, _: &Parameters) -> Result<()> {
        if (self.on_epoch)(metrics).is_break() {
            self.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
