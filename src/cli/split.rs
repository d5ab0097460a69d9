//! The training samples that an experiment fits on, and those it measures on.

use anyhow::Context as _;
use tanner::dataset::{Dataset, HeldOut, Holdout};
use tanner::model::TrainedModel;
use tanner::report::grouped;

use super::experiment_args::SplitArgs;
use super::terminal;

/// Held out where neither the command line nor the model says how much.
const USUAL: Holdout = Holdout::Count(10_000);

/// A training set in two parts.
pub(crate) struct Split {
    /// What is fitted on.
    pub(crate) rest: Dataset,
    /// What is chosen by.
    pub(crate) validation: Dataset,
    /// How they were split.
    pub(crate) made: HeldOut,
    /// Whether the model was trained without the validation part.
    pub(crate) unseen: bool,
}

/// Splits as the flags say, or as the model was trained.
pub(crate) fn split(mut train: Dataset, args: &SplitArgs, model: &TrainedModel) -> anyhow::Result<Split> {
    let own = model.held_out();
    let limit = args.train_limit.or(own.map(|own| own.of).filter(|of| *of < train.samples()));
    if let Some(limit) = limit {
        train = train.head(limit).context("--train-limit")?;
    }
    let made = HeldOut {
        holdout: args.validation.or(own.map(|own| own.holdout)).unwrap_or(USUAL),
        seed: args.seed.or(own.map(|own| own.seed)).unwrap_or(0),
        of: train.samples(),
    };
    let (rest, validation) = train.holdout(made.holdout, made.seed).context("--validation")?;
    Ok(Split { rest, validation, made, unseen: own == Some(made) })
}

impl Split {
    /// Says what is measured on, and warns where the model has seen it.
    pub(crate) fn announce(&self) {
        terminal::note(&format!(
            "split: {} training samples held out for validation (seed {}), {} left",
            grouped(self.validation.samples()),
            self.made.seed,
            grouped(self.rest.samples())
        ));
        if !self.unseen {
            terminal::warn(
                "the model is not known to have been trained without these validation samples, so its \
                 accuracy on them may flatter it and what is lost may look different on new samples; \
                 train with --validation for a clean split",
            );
        }
    }
}
