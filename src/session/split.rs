//! The training samples of an experiment on a trained model, split for fitting and measuring.

use super::Session;
use crate::Result;
use crate::Setting;
use crate::dataset::{Dataset, HeldOut, Holdout};
use crate::error::AskedBy as _;
use crate::model::TrainedModel;
use crate::text::grouped;

/// Held out if neither the settings nor the model say how much.
const USUAL: Holdout = Holdout::Count(10_000);
/// The same for small training sets.
const USUAL_OF_FEW: Holdout = Holdout::Share(0.2);

/// How training samples are split for an experiment on a trained model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "cli", derive(clap::Args), command(next_help_heading = "Data"))]
pub struct SplitSettings {
    /// Training samples held out to choose by
    ///
    /// A number, or a share below 1.
    /// [default: those that the model was trained without, otherwise 10000, or a fifth of at most 20000]
    #[cfg_attr(feature = "cli", arg(long, value_name = "N|SHARE", value_parser = super::settings::parsed::<Holdout>))]
    pub validation: Option<Holdout>,
    /// Use the first N training samples only
    ///
    /// Like the model's training.
    /// [default: as many as the model's own split had, otherwise all]
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", allow_negative_numbers = true))]
    pub train_limit: Option<usize>,
    /// Seed of the split and of fine-tuning
    ///
    /// [default: that of the model's own split, otherwise 0]
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", allow_negative_numbers = true))]
    pub seed: Option<u64>,
}

/// A training set in two parts.
#[derive(Clone, Debug)]
pub struct Split {
    /// For fitting.
    pub rest: Dataset,
    /// For choosing.
    pub validation: Dataset,
    /// How they were split.
    pub made: HeldOut,
    /// Whether the model was trained without the validation part.
    pub unseen: bool,
}

impl Session<'_> {
    /// Splits by the settings, or as in the model's training; reports the split, and warns if the model has seen all samples.
    ///
    /// # Errors
    /// When there are too few samples.
    #[doc(hidden)]
    pub fn split(&self, mut train: Dataset, settings: &SplitSettings, model: &TrainedModel) -> Result<Split> {
        let own = model.held_out();
        let limit = settings.train_limit.or(own.map(|own| own.of).filter(|of| *of < train.samples()));
        if let Some(limit) = limit {
            train = train.head(limit).asked_by(Setting::TrainLimit)?;
        }
        let usual = if train.samples() > 20_000 { USUAL } else { USUAL_OF_FEW };
        let made = HeldOut {
            holdout: settings.validation.or(own.map(|own| own.holdout)).unwrap_or(usual),
            seed: settings.seed.or(own.map(|own| own.seed)).unwrap_or(0),
            of: train.samples(),
        };
        let (rest, validation) = train.holdout(made.holdout, made.seed).asked_by(Setting::Validation)?;
        let split = Split { rest, validation, made, unseen: own == Some(made) };
        self.note(format!(
            "split: {} training samples held out for validation (seed {}), {} left",
            grouped(split.validation.samples()),
            split.made.seed,
            grouped(split.rest.samples())
        ));
        if !split.unseen {
            self.warn(
                "the model may have been trained on these validation samples, so its \
                 accuracy on them may be too high, and the loss of accuracy may differ on new samples; \
                 train with `validation` for a clean split",
            );
        }
        Ok(split)
    }
}
