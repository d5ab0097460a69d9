//! Prunes a saved model, round by round, with its data, split and engine.

use std::sync::Arc;

use super::{BlockSearch, BlockSearchOptions, PruneData, PrunePoint, Pruning, Until, WeightGoal};
use crate::dataset::{DataSplits, HeldOut};
use crate::engine::Penalties;
use crate::model::{PruneMethod, TrainedModel};
use crate::network::Parameters;
use crate::session::settings::{DataSettings, check_threads, usual_l2};
use crate::session::{EnginePurpose, EngineRequest, Session, Split, SplitSettings};
use crate::text::grouped;
use crate::training::{EpochMetrics, Metric, Observer, Recipe};
use crate::{Error, Result};

/// What to remove.
#[derive(Clone, Copy, Debug)]
pub enum PruneMethodSettings {
    /// The last blocks of neurons, layer by layer; to a given size, or by a loss of accuracy.
    Blocks(BlockSearchOptions, Option<PruneTarget>),
    /// The smallest weights of all layers.
    Weights(WeightGoal),
}

/// A size to prune down to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PruneTarget {
    /// A number of parameters.
    Parameters(usize),
    /// Per cent of the model's parameters.
    Percent(f64),
}

/// How a model is pruned.
#[derive(Clone, Debug)]
pub struct PruneSettings {
    /// What to remove.
    pub method: PruneMethodSettings,
    /// The data of its training.
    pub data: DataSettings,
    /// How they are split.
    pub split: SplitSettings,
    /// Number of rounds of pruning and fine-tuning.
    pub rounds: usize,
    /// Epochs of training after each pruning.
    pub fine_tune: usize,
    /// The initial learning rate; by default 0.02 after blocks, 0.1 after weights.
    pub learning_rate: Option<f64>,
    /// Samples in one batch.
    pub batch_size: usize,
    /// The L2 penalty; by default that of the architecture.
    pub l2: Option<f32>,
    /// The engine.
    pub engine: EngineRequest,
}

/// A pruned model.
#[derive(Debug)]
pub struct PrunedModel {
    /// The smaller model.
    pub model: TrainedModel,
    /// Every intermediate network.
    pub curve: Vec<PrunePoint>,
    /// How the samples were split.
    pub split: HeldOut,
    /// Whether the model was trained without the validation samples.
    pub unseen: bool,
    /// The failure that ended pruning early, if any; the model is the one before it.
    pub failure: Option<Error>,
}

#[doc(hidden)]
impl PruneMethodSettings {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> PruneMethod {
        match self {
            Self::Blocks(..) => PruneMethod::Blocks,
            Self::Weights(_) => PruneMethod::Magnitude,
        }
    }

    /// Refuses settings that do not fit the model.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check(&self, model: &TrainedModel) -> Result<()> {
        match self {
            Self::Blocks(options, _) => BlockSearch::new(model.network(), *options).map(drop),
            Self::Weights(goal) => goal.check(),
        }
    }

    /// Whether the removal of a round depends on its number.
    fn is_by_rounds(&self) -> bool {
        matches!(self, Self::Weights(WeightGoal::Sparsity(_)))
    }
}

impl PruneTarget {
    /// The number of parameters, at least 1, for a model that has `all`.
    #[expect(clippy::cast_possible_truncation, reason = "a share of a number")]
    fn parameters(self, all: usize) -> usize {
        match self {
            Self::Parameters(count) => count,
            Self::Percent(percent) => ((all as f64 * percent / 100.0) as usize).max(1),
        }
    }
}

impl PruneSettings {
    /// The recipe of fine-tuning.
    fn recipe(&self, model: &TrainedModel, seed: u64) -> Result<Recipe> {
        // After removing the smallest weights there is more to relearn than after removing lower blocks.
        let usual_rate = match self.method {
            PruneMethodSettings::Blocks(..) => 0.02,
            PruneMethodSettings::Weights(_) => 0.1,
        };
        let recipe = Recipe {
            epochs: self.fine_tune.max(1),
            batch_size: self.batch_size,
            learning_rate: self.learning_rate.unwrap_or(usual_rate),
            loss: model.loss(),
            penalties: Penalties::l2(self.l2.unwrap_or(usual_l2(model.record().arch))),
            seed,
            ..Recipe::default()
        };
        recipe.check()?;
        Ok(recipe)
    }
}

impl Session<'_> {
    /// Prunes a model as long as the settings say, or until nothing changes.
    ///
    /// # Errors
    /// Settings that do not fit the model; data that cannot be read; [`Error::Plan`] when nothing could be removed.
    pub fn prune(&self, model: &TrainedModel, settings: &PruneSettings) -> Result<PrunedModel> {
        let _entered = crate::threads::enter(check_threads(settings.engine.threads())?)?;
        self.prune_on(model, settings, self.load_for(model, &settings.data)?)
    }

    /// As [`Session::prune`], with these samples in place of those that the settings name.
    ///
    /// # Errors
    /// As [`Session::prune`].
    #[doc(hidden)]
    pub fn prune_on(
        &self,
        model: &TrainedModel,
        settings: &PruneSettings,
        data: DataSplits,
    ) -> Result<PrunedModel> {
        let threads = check_threads(settings.engine.threads())?;
        let _entered = crate::threads::enter(threads)?;
        let DataSplits { train, test } = data;
        let Split { rest, validation, made, unseen } = self.split(train, &settings.split, model)?;
        let recipe = settings.recipe(model, made.seed)?;
        let data = PruneData {
            rest: Arc::new(model.prepare(rest)?),
            validation: Arc::new(model.prepare(validation)?),
            test: Arc::new(model.prepare(test)?),
        };
        let engine = |network: &_, parameters: &_, engine_settings| {
            self.engine(&settings.engine, network, parameters, engine_settings, EnginePurpose::Passes)
        };
        self.announce(&engine(model.network(), model.parameters(), recipe.engine_settings())?);
        let start = Box::new(|network: &_, parameters: &_, settings| {
            Ok(engine(network, parameters, settings)?.engine)
        });
        let note = |point: &PrunePoint| {
            let score = shown(point.metric, point.validation_accuracy);
            self.note(format!(
                "{}: {} parameters, validation {score}",
                point.step,
                grouped(point.parameters)
            ));
        };
        let mut pruning =
            Pruning::new(model, data, recipe.engine_settings(), threads, start, Box::new(note))?;
        let failure = self.rounds(settings, &recipe, &mut pruning).err();
        if pruning.curve().iter().all(|point| point.edges == pruning.curve()[0].edges) {
            let nothing =
                "nothing could be removed within the given limits, so there is no pruned model to write";
            return Err(failure.unwrap_or_else(|| Error::Plan(nothing.into())));
        }
        let (mut pruned, curve) = pruning.finish(model, settings.method.name())?;
        // Fine-tuning on another split may have used samples that training had not.
        pruned.set_held_out(Some(made).filter(|_| unseen))?;
        Ok(PrunedModel { model: pruned, curve, split: made, unseen, failure })
    }

    /// All rounds of pruning and fine-tuning.
    fn rounds(&self, settings: &PruneSettings, recipe: &Recipe, pruning: &mut Pruning<'_>) -> Result<()> {
        let method = &settings.method;
        let mut search = match method {
            PruneMethodSettings::Blocks(options, target) => {
                let until = target.map_or(options.until, |target| {
                    Until::Parameters(target.parameters(pruning.network().parameter_count()))
                });
                Some(BlockSearch::new(pruning.network(), BlockSearchOptions { until, ..*options })?)
            }
            PruneMethodSettings::Weights(_) => None,
        };
        for round in 1..=settings.rounds {
            let before = pruning.network().parameter_count();
            match (method, &mut search) {
                (PruneMethodSettings::Weights(goal), _) => {
                    pruning.remove_small_weights(goal, round, settings.rounds)?;
                }
                (_, Some(search)) => search.run(pruning)?,
                (_, None) => {}
            }
            if settings.fine_tune > 0 {
                let seed = recipe.seed.wrapping_add(round as u64 - 1);
                let metric = pruning.scoring.metric;
                let mut report = TuningReport { session: self, epochs: settings.fine_tune, metric };
                pruning.fine_tune(&Recipe { seed, ..recipe.clone() }, &mut report)?;
            } else if !method.is_by_rounds() && pruning.network().parameter_count() == before {
                break;
            }
        }
        Ok(())
    }
}

/// Prints a line for each epoch of fine-tuning; the trainer's test set is the validation samples here.
struct TuningReport<'a> {
    session: &'a Session<'a>,
    epochs: usize,
    metric: Metric,
}

/// A score for people, with the name of an error.
fn shown(metric: Metric, score: f64) -> String {
    let shown = metric.shown(score);
    if metric.is_share() { shown } else { format!("{} {shown}", metric.title()) }
}

impl Observer for TuningReport<'_> {
    fn epoch_ended(&mut self, metrics: &EpochMetrics, _: &Parameters) -> Result<()> {
        self.session.note(format!(
            "fine-tuning epoch {}/{}: train loss {:.4}, validation {}, {:.2} s",
            metrics.epoch,
            self.epochs,
            metrics.train_loss,
            shown(self.metric, metrics.test_accuracy),
            metrics.seconds
        ));
        Ok(())
    }
}
