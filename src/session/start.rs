//! The start of a training run: a new network, given graphs, or a saved model.

use super::settings::{InputShape, RunSettings};
use super::{Session, graph_files, memory};
use crate::dataset::{DataRecord, Dataset, HeldOut};
use crate::edges::EndWidths;
use crate::importance::cache::{self, ScoreSource};
use crate::importance::{Importance, ImportanceSettings, NumberForm, Preprocessing};
use crate::model::{ArchitectureRecord, TrainedModel};
use crate::network::{Architecture, Connectivity, Network, Parameters};
use crate::text::grouped;
use crate::topology::{Topology, fully_connected};
use crate::{Error, Result};

/// A network with values, before its data are preprocessed.
pub(super) enum Start {
    /// Drawn from the seed, or with given graphs.
    New {
        network: Network,
        parameters: Parameters,
        record: Box<ArchitectureRecord>,
        /// Present if the graphs depend on it.
        preprocessing: Option<Box<Preprocessing>>,
    },
    /// Read from a file.
    Saved(Box<TrainedModel>),
}

impl Start {
    /// Draws the network of the settings, for data of this shape, with the importance of the inputs from `fit` if
    /// it is needed.
    pub(super) fn new(
        settings: &RunSettings,
        [train, test]: [&Dataset; 2],
        fit: impl FnOnce() -> Result<Preprocessing>,
    ) -> Result<(Self, Architecture)> {
        let seed = settings.recipe.seed;
        let (mut fitted, mut fit) = (None, Some(fit));
        if settings.importance.numbers == NumberForm::Piecewise {
            fitted = fit.take().map(|fit| fit()).transpose()?;
        }
        let shape: InputShape =
            fitted.as_ref().map_or_else(|| train.into(), |fitted| fitted.output_features().into());
        let mut architecture = settings.architecture.fit_to(shape, train.targets().outputs())?;
        check((&architecture).into(), settings, [train, test])?;
        if let Connectivity::Coupled2d { importance, .. } = &mut architecture.connectivity
            && importance.power > 0.0
            && let Some(fit) = fit
        {
            let preprocessing = fit()?;
            importance.of_input = preprocessing.position_importance();
            fitted = Some(preprocessing);
        }
        let network = architecture.build(seed).map_err(|error| settings.architecture.blame(error))?;
        let start = Self::with(network, ArchitectureRecord::new(&architecture, seed), fitted, settings)?;
        Ok((start, architecture))
    }

    /// Reads the graphs from the files of the settings, if any.
    pub(super) fn from_files(settings: &RunSettings, data: [&Dataset; 2]) -> Result<Option<Self>> {
        let ends = EndWidths { features: data[0].feature_count(), classes: data[0].targets().outputs() };
        let Some(network) = graph_files::network_from_files(&settings.architecture, Some(ends))? else {
            return Ok(None);
        };
        Self::brought(network, settings, data).map(Some)
    }

    /// Adds a layer of logits to given graphs.
    pub(super) fn over(topologies: &[Topology], settings: &RunSettings, data: [&Dataset; 2]) -> Result<Self> {
        let Some(last) = topologies.last() else {
            return Err(Error::Network("no topology was given, at least 1 is needed".into()));
        };
        let logits = fully_connected(last.outputs().width(), data[0].targets().outputs())?;
        let all = topologies.iter().cloned().chain([logits]).collect();
        Self::brought(graph_files::stacked(all, &settings.architecture)?, settings, data)
    }

    /// A network with given graphs.
    fn brought(network: Network, settings: &RunSettings, data: [&Dataset; 2]) -> Result<Self> {
        let (activation, keep_probability) =
            (settings.architecture.activation(), settings.architecture.keep_probability());
        check((&network).into(), settings, data)?;
        let record = ArchitectureRecord::custom(&network, activation, keep_probability, settings.recipe.seed);
        Self::with(network, record, None, settings)
    }

    fn with(
        network: Network,
        record: ArchitectureRecord,
        preprocessing: Option<Preprocessing>,
        settings: &RunSettings,
    ) -> Result<Self> {
        let parameters = settings.recipe.initialisation.draw(&network, settings.recipe.seed)?;
        let (record, preprocessing) = (Box::new(record), preprocessing.map(Box::new));
        Ok(Self::New { network, parameters, record, preprocessing })
    }

    /// Continues from a saved model.
    pub(super) fn saved(model: TrainedModel, settings: &RunSettings, data: [&Dataset; 2]) -> Result<Self> {
        check(model.network().into(), settings, data)?;
        Ok(Self::Saved(Box::new(model)))
    }

    pub(super) fn network(&self) -> &Network {
        match self {
            Self::New { network, .. } => network,
            Self::Saved(model) => model.network(),
        }
    }

    pub(super) fn parameters(&self) -> &Parameters {
        match self {
            Self::New { parameters, .. } => parameters,
            Self::Saved(model) => model.parameters(),
        }
    }
}

/// Warns of problems with a network of this size, before large allocations.
fn check(size: memory::Size, settings: &RunSettings, data: [&Dataset; 2]) -> Result<()> {
    let augmented = !settings.augmentation.is_none();
    memory::check_run(size, &settings.recipe.engine_settings(), data, augmented)?;
    if augmented { settings.augmentation.check(data[0]) } else { Ok(()) }
}

impl Session<'_> {
    /// Adds the preprocessing: a new network's is fitted on the training set, a saved model keeps its own.
    /// The model records which samples it does not see, out of all.
    pub(super) fn prepared(
        &self,
        start: Start,
        settings: &RunSettings,
        train: &Dataset,
        samples: usize,
        data: DataRecord,
    ) -> Result<TrainedModel> {
        let seed = settings.recipe.seed;
        let held_out = settings.validation.map(|holdout| HeldOut { holdout, seed, of: samples });
        match start {
            Start::New { network, parameters, record, preprocessing } => {
                let fit = || self.preprocessing(&settings.importance, train);
                let preprocessing = preprocessing.map_or_else(fit, |fitted| Ok(*fitted))?;
                let mut model = TrainedModel::new(network, parameters, preprocessing, *record)?;
                model.set_held_out(held_out)?;
                model.set_data(data)?;
                model.set_loss(settings.recipe.loss)?;
                Ok(model)
            }
            Start::Saved(mut model) => {
                // Samples seen in earlier training stay seen.
                let still = held_out.filter(|now| model.held_out() == Some(*now));
                model.set_held_out(still)?;
                model.set_loss(settings.recipe.loss)?;
                Ok(*model)
            }
        }
    }

    /// The preprocessing of this training set, from the cache if possible.
    pub(super) fn preprocessing(
        &self,
        settings: &ImportanceSettings,
        train: &Dataset,
    ) -> Result<Preprocessing> {
        self.fitted(settings, train.samples(), |progress| {
            cache::fit(settings, train, self.cache.as_deref(), progress)
        })
    }

    /// The scores of its features, `[feature]`.
    ///
    /// # Errors
    /// When this kind of importance has no scores.
    #[doc(hidden)]
    pub fn importance(
        &self,
        settings: &ImportanceSettings,
        train: &impl crate::dataset::Samples,
    ) -> Result<Vec<f64>> {
        self.fitted(settings, train.samples(), |progress| {
            cache::scores(settings, train, self.cache.as_deref(), progress)
        })
    }

    /// Runs a fit, reports its progress, and reports the source of its result.
    fn fitted<T>(
        &self,
        settings: &ImportanceSettings,
        samples: usize,
        fit: impl FnOnce(&(dyn Fn(usize) + Sync)) -> Result<(T, ScoreSource)>,
    ) -> Result<T> {
        if settings.importance != Importance::RandomForest {
            return Ok(fit(&|_| {})?.0);
        }
        let begin = std::time::Instant::now();
        self.reporter.forest(Some(0), settings.trees);
        let fitted = fit(&|grown| self.reporter.forest(Some(grown), settings.trees));
        self.reporter.forest(None, settings.trees);
        let (result, source) = fitted?;
        self.note(match source {
            ScoreSource::Cache => "importance read from cache".to_owned(),
            ScoreSource::Fitted => format!(
                "importance: random forest of {} trees on {} samples in {:.1} s",
                grouped(settings.trees),
                grouped(samples),
                begin.elapsed().as_secs_f64()
            ),
        });
        Ok(result)
    }
}
