//! How to train: all choices before the first step.

use serde::{Deserialize, Serialize};

use super::{Rewiring, Schedule};
use crate::engine::{EngineSettings, LossRule, Optimizer, Penalties};
use crate::network::{Initialisation, Scheme};
use crate::paper;
use crate::{Error, Result, Setting};

/// The settings of a training run, apart from network and data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Passes over the training set.
    pub epochs: usize,
    /// Samples in one batch; the last of an epoch may be smaller.
    pub batch_size: usize,
    /// Learning rate at the start.
    pub learning_rate: f64,
    /// How it changes from epoch to epoch.
    pub schedule: Schedule,
    /// How gradients change the parameters.
    pub optimizer: Optimizer,
    /// Penalties on the weights.
    #[serde(flatten)]
    pub penalties: Penalties,
    /// How outputs are compared with targets; it decides what a run learns to predict.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "LossRule::is_of_classes")]
    pub loss: LossRule,
    /// Share of the targets that training spreads evenly over all classes, in `[0, 1)`.
    #[serde(default)]
    pub label_smoothing: f32,
    /// Probability with which a step drops a connection of a hidden layer, in `[0, 1)`.
    #[serde(default)]
    pub drop_connect: f32,
    /// How edges move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[doc(hidden)]
    pub rewire: Option<Rewiring>,
    /// How weights start.
    pub initialisation: Initialisation,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for Recipe {
    /// A good recipe for the paper's sigmoid network: SGD with momentum 0.9 at
    /// a rate of 0.1 that falls along a cosine over 30 epochs, batches of 128,
    /// Glorot's variance with gain 4, the paper's L2 of 5e-5.
    fn default() -> Self {
        Self {
            epochs: 30,
            batch_size: 128,
            learning_rate: 0.1,
            schedule: Schedule::Cosine,
            optimizer: Optimizer::Momentum { momentum: 0.9, nesterov: false },
            penalties: Penalties::l2(paper::L2),
            loss: LossRule::CROSS_ENTROPY,
            label_smoothing: 0.0,
            drop_connect: 0.0,
            rewire: None,
            initialisation: Initialisation { scheme: Scheme::Glorot, gain: 4.0 },
            seed: 0,
        }
    }
}

impl Recipe {
    /// Likely causes of divergence, the likeliest first: penalties so strong that a step overshoots, then the rate.
    pub(super) fn suspects(&self) -> String {
        let Penalties { l2, l1, l1_input, l_half, weight_elimination, group_lasso } = self.penalties;
        // Such a step takes a weight of 1 beyond -1.
        let overshoots = |strength: f32| 2.0 * self.learning_rate * f64::from(strength) >= 1.0;
        let penalties = [
            (l2, "`l2`"),
            (l1, "`l1`"),
            (l1_input.unwrap_or(0.0), "`l1-input`"),
            (l_half, "`l-half`"),
            (weight_elimination, "`weight-elimination`"),
            (group_lasso, "`group-lasso`"),
        ];
        let strong =
            penalties.into_iter().filter(|(strength, _)| overshoots(*strength)).map(|(_, name)| name);
        let names: Vec<&str> = strong.chain(["`lr`", "`gain`"]).collect();
        let (last, others) = names.split_last().unwrap_or((&"`lr`", &[]));
        format!("a lower {} or {last} may help", others.join(", "))
    }

    /// Refuses settings outside their range.
    ///
    /// # Errors
    /// [`Error::Setting`] with the flag, the value and the limit.
    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |setting, reason| Err(Error::Setting { setting, reason });
        if self.epochs == 0 || u32::try_from(self.epochs).is_err() {
            return refuse(
                Setting::Epochs,
                format!("{} is invalid, it must be 1 to {}", self.epochs, u32::MAX),
            );
        }
        // Engines compute in float32, in which a larger rate would be infinite.
        let rate = self.learning_rate;
        if !(rate > 0.0 && rate <= f64::from(f32::MAX)) {
            let limit = f32::MAX;
            return refuse(
                Setting::Lr,
                format!("{rate:?} is invalid, it must be above 0 and at most {limit:?}"),
            );
        }
        let gain = self.initialisation.gain;
        if !(gain > 0.0 && gain.is_finite()) {
            return refuse(Setting::Gain, format!("{gain} is invalid, it must be above 0 and finite"));
        }
        self.rewire.as_ref().map_or(Ok(()), Rewiring::check)?;
        self.engine_settings().check()
    }

    /// The settings of engines.
    pub fn engine_settings(&self) -> EngineSettings {
        EngineSettings {
            optimizer: self.optimizer,
            penalties: self.penalties,
            loss: self.loss,
            label_smoothing: self.label_smoothing,
            drop_connect: self.drop_connect,
            batch_size: self.batch_size,
            seed: self.seed,
            optimizer_start: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Rewire;

    fn refused(change: impl FnOnce(&mut Recipe)) -> Setting {
        let mut recipe = Recipe::default();
        change(&mut recipe);
        match recipe.check().unwrap_err() {
            Error::Setting { setting, .. } => setting,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn every_setting_outside_its_range_is_refused_by_its_name() {
        Recipe::default().check().unwrap();
        let set = Rewiring::new(Rewire::Set);
        let refusals = [
            (refused(|r| r.epochs = 0), Setting::Epochs),
            (refused(|r| r.batch_size = 0), Setting::BatchSize),
            (refused(|r| r.learning_rate = f64::NAN), Setting::Lr),
            (refused(|r| r.learning_rate = -0.1), Setting::Lr),
            (refused(|r| r.learning_rate = 0.0), Setting::Lr),
            (refused(|r| r.learning_rate = 1e300), Setting::Lr),
            (refused(|r| r.penalties.l2 = f32::NAN), Setting::L2),
            (refused(|r| r.penalties.l2 = -1.0), Setting::L2),
            (refused(|r| r.penalties.l1 = -1.0), Setting::L1),
            (refused(|r| r.penalties.l1_input = Some(f32::INFINITY)), Setting::L1Input),
            (refused(|r| r.penalties.l_half = f32::NAN), Setting::LHalf),
            (refused(|r| r.penalties.weight_elimination = -0.5), Setting::WeightElimination),
            (refused(|r| r.penalties.group_lasso = f32::NEG_INFINITY), Setting::GroupLasso),
            (refused(|r| r.drop_connect = 1.0), Setting::Dropconnect),
            (refused(|r| r.drop_connect = f32::NAN), Setting::Dropconnect),
            (refused(|r| r.label_smoothing = 1.0), Setting::LabelSmoothing),
            (refused(|r| r.label_smoothing = f32::NAN), Setting::LabelSmoothing),
            (refused(|r| r.label_smoothing = -0.1), Setting::LabelSmoothing),
            (refused(|r| r.rewire = Some(Rewiring { fraction: 0.0, ..set })), Setting::RewireFraction),
            (refused(|r| r.rewire = Some(Rewiring { fraction: f64::NAN, ..set })), Setting::RewireFraction),
            (refused(|r| r.rewire = Some(Rewiring { end: 1.1, ..set })), Setting::RewireEnd),
            (refused(|r| r.rewire = Some(Rewiring { every: 0, ..set })), Setting::RewireEvery),
            (refused(|r| r.initialisation.gain = f32::INFINITY), Setting::Gain),
            (
                refused(|r| r.optimizer = Optimizer::Momentum { momentum: 1.0, nesterov: false }),
                Setting::Momentum,
            ),
        ];
        for (refused, setting) in refusals {
            assert_eq!(refused, setting);
        }
    }

    #[test]
    fn a_recipe_survives_json() {
        let penalties = Penalties { l1: 1e-5, l1_input: Some(1e-4), ..Penalties::l2(0.3) };
        let schedule = Schedule::Step { every: 3, factor: 0.3 };
        let rewire = Some(Rewiring { every: 2, ..Rewiring::new(Rewire::Rigl) });
        let recipe = Recipe {
            schedule,
            penalties,
            label_smoothing: 0.1,
            drop_connect: 0.2,
            rewire,
            ..Recipe::default()
        };
        let json = serde_json::to_string(&recipe).unwrap();
        assert_eq!(serde_json::from_str::<Recipe>(&json).unwrap(), recipe);
    }

    /// Recipes from before there was any regularisation but L2.
    #[test]
    fn an_older_recipe_is_read() {
        let json = r#"{"epochs":30,"batch_size":128,"learning_rate":0.1,"schedule":"cosine",
            "optimizer":{"name":"momentum","momentum":0.9,"nesterov":false},"l2":0.00005,
            "initialisation":{"scheme":"glorot","gain":4.0},"seed":0}"#;
        assert_eq!(serde_json::from_str::<Recipe>(json).unwrap(), Recipe::default());
    }

    #[test]
    fn a_run_that_diverges_suspects_strong_penalties_first() {
        let mut recipe = Recipe::default();
        assert_eq!(recipe.suspects(), "a lower `lr` or `gain` may help");
        recipe.penalties.l2 = 1e30;
        assert_eq!(recipe.suspects(), "a lower `l2`, `lr` or `gain` may help");
    }
}
