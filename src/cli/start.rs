//! What a training run starts from: a new network, or a saved model.

use tanner::dataset::{DataRecord, Dataset, HeldOut};
use tanner::model::{ArchitectureRecord, TrainedModel};
use tanner::network::{Network, Parameters};

use super::memory::{self, Size};
use super::run_config::Samples;
use super::settings::TrainSettings;
use super::{importance_fit, train};

/// A network with values, before its data are prepared.
pub(super) enum Start {
    /// Drawn from the seed.
    New { network: Network, parameters: Parameters, record: Box<ArchitectureRecord> },
    /// Read from a file.
    Saved(Box<TrainedModel>),
}

impl Start {
    /// Draws the network that the settings ask for, for data of this shape.
    pub(super) fn new(settings: &TrainSettings, train: &Dataset, test: &Dataset) -> anyhow::Result<Self> {
        let recipe = &settings.recipe;
        let architecture = settings.architecture.fit_to(train.feature_count(), train.class_count())?;
        check((&architecture).into(), settings, train, test)?;
        let network = train::build(&architecture, settings.architecture.arch, recipe.seed)?;
        let parameters = recipe.initialisation.draw(&network, recipe.seed)?;
        let record = Box::new(ArchitectureRecord::new(&architecture, recipe.seed));
        Ok(Self::New { network, parameters, record })
    }

    /// Goes on from a saved model.
    pub(super) fn saved(
        model: TrainedModel,
        settings: &TrainSettings,
        train: &Dataset,
        test: &Dataset,
    ) -> anyhow::Result<Self> {
        check(model.network().into(), settings, train, test)?;
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

    /// Adds the preprocessing: a new network's is fitted on the training set, a saved model keeps its own.
    /// The model notes which samples it will not have seen.
    pub(super) fn into_model(
        self,
        settings: &TrainSettings,
        train: &Dataset,
        samples: Samples,
        data: DataRecord,
    ) -> anyhow::Result<TrainedModel> {
        let of = samples.train + samples.test;
        let seed = settings.recipe.seed;
        let held_out = settings.validation.map(|holdout| HeldOut { holdout, seed, of });
        match self {
            Self::New { network, parameters, record } => {
                let preprocessing = importance_fit::preprocessing(&settings.importance, train)?;
                let mut model = TrainedModel::new(network, parameters, preprocessing, *record)?;
                model.set_held_out(held_out)?;
                model.set_data(data)?;
                Ok(model)
            }
            Self::Saved(mut model) => {
                // Whatever it saw before it has seen.
                let still = held_out.filter(|now| model.held_out() == Some(*now));
                model.set_held_out(still)?;
                Ok(*model)
            }
        }
    }
}

/// Says what speaks against a run of a network of this size before anything large is made.
fn check(size: Size, settings: &TrainSettings, train: &Dataset, test: &Dataset) -> anyhow::Result<()> {
    let engine_settings = settings.recipe.engine_settings();
    memory::check(size, &engine_settings, &[train, test])?;
    if settings.augmentation.is_none() {
        return Ok(());
    }
    settings.augmentation.check(train)?;
    memory::check_augmented(size, &engine_settings, train)
}
