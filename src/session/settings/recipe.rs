//! The recipe of a run, from its settings.

use super::TrainingOptions;
use super::architecture::ArchitectureSettings;
use crate::dataset::Task;
use crate::engine::{LossRule, Optimizer, OptimizerKind, OptimizerOptions, Penalties};
use crate::model::Arch;
use crate::network::{Initialisation, Scheme};
use crate::training::{Recipe, Rewire, Rewiring};
use crate::{Error, Result, Setting, paper};

/// Fills in the defaults, some of which follow from the architecture.
///
/// # Errors
/// [`Error::Setting`] for a value outside its range, and for settings that do not fit together.
pub(super) fn recipe(options: &TrainingOptions, architecture: &ArchitectureSettings) -> Result<Recipe> {
    let kind = options.optimizer.unwrap_or(OptimizerKind::Momentum);
    let optimizer = Optimizer::from_options(
        kind,
        &OptimizerOptions {
            momentum: options.momentum,
            beta1: options.adam_beta1,
            beta2: options.adam_beta2,
            epsilon: options.adam_epsilon,
        },
    )?;
    let usual = Recipe::default();
    let recipe = Recipe {
        epochs: options.epochs.unwrap_or(usual.epochs),
        batch_size: options.batch_size.unwrap_or(usual.batch_size),
        learning_rate: options.lr.unwrap_or(kind.usual_learning_rate()),
        schedule: options.schedule.unwrap_or(usual.schedule),
        optimizer,
        penalties: Penalties {
            l2: options.l2.unwrap_or(usual_l2(architecture.arch)),
            l1: options.l1.unwrap_or(0.0),
            l1_input: options.l1_input,
            l_half: options.l_half.unwrap_or(0.0),
            weight_elimination: options.weight_elimination.unwrap_or(0.0),
            group_lasso: options.group_lasso.unwrap_or(0.0),
        },
        loss: usual.loss,
        label_smoothing: options.label_smoothing.unwrap_or(0.0),
        drop_connect: options.dropconnect.unwrap_or(0.0),
        rewire: rewiring(options, architecture.arch)?,
        initialisation: Initialisation {
            scheme: options.init.unwrap_or(Scheme::Glorot),
            gain: options.gain.unwrap_or(architecture.activation().usual_gain()),
        },
        seed: options.seed.unwrap_or(0),
    };
    recipe.check()?;
    Ok(recipe)
}

/// How edges move, if requested.
fn rewiring(options: &TrainingOptions, arch: Arch) -> Result<Option<Rewiring>> {
    let TrainingOptions { rewire, rewire_fraction, rewire_every, rewire_end, .. } = options;
    let rule = rewire.filter(|rule| *rule != Rewire::Off);
    let usual = Rewiring::new(rule.unwrap_or(Rewire::Set));
    let rewiring = Rewiring {
        rule: usual.rule,
        fraction: rewire_fraction.unwrap_or(usual.fraction),
        every: rewire_every.unwrap_or(usual.every),
        end: rewire_end.unwrap_or(usual.end),
    };
    rewiring.check()?;
    let Some(rule) = rule else {
        let given = [
            (Setting::RewireFraction, rewire_fraction.is_some()),
            (Setting::RewireEvery, rewire_every.is_some()),
            (Setting::RewireEnd, rewire_end.is_some()),
        ];
        let strange = given.into_iter().find(|(_, is_given)| *is_given);
        let reason = if rewire.is_some() { "cannot be used with `rewire` off" } else { "needs `rewire`" };
        return strange.map_or(Ok(None), |(setting, _)| Err(Error::setting(setting, reason)));
    };
    if matches!(arch, Arch::Fc | Arch::Narrow) {
        let reason = format!("{rule} cannot be used with `arch` {arch}, whose layers have every edge");
        return Err(Error::setting(Setting::Rewire, reason));
    }
    Ok(Some(rewiring))
}

/// Default weight decay: the paper has none on the fully connected network.
pub(crate) fn usual_l2(arch: Arch) -> f32 {
    if arch == Arch::Fc { 0.0 } else { paper::L2 }
}

/// A loss that a task does not decide.
pub(super) fn regression_loss(loss: Option<LossRule>) -> Result<Option<LossRule>> {
    match loss.filter(|loss| loss.task() != Task::Regression) {
        None => Ok(loss),
        Some(other) => Err(Error::setting(
            Setting::Loss,
            format!(
                "{other} follows from `task` {}; choose squared, absolute or huber for regression",
                other.task()
            ),
        )),
    }
}
