//! Checks of data and plans, before any kernel runs.

use super::{LossRule, StepPlan};
use crate::dataset::{Dataset, Task};
use crate::network::Network;
use crate::{Error, Result, Setting};

/// Refuses data that do not fit a network, before any kernel runs.
///
/// # Errors
/// Names the width, the number of classes or the sample that does not fit.
pub(crate) fn check_data(network: &Network, data: &Dataset) -> Result<()> {
    if data.feature_count() != network.inputs() {
        return Err(Error::Dataset(format!(
            "samples of {} features do not fit a network of {} inputs",
            data.feature_count(),
            network.inputs()
        )));
    }
    let (targets, logits) = (data.targets(), network.classes());
    match targets.task() {
        Task::Classification if data.class_count() > logits => Err(Error::Dataset(format!(
            "{} classes do not fit a network of {logits} logits",
            data.class_count()
        ))),
        Task::Regression | Task::MultiLabel if targets.outputs() != logits => Err(Error::Dataset(format!(
            "{} targets do not fit a network of {logits} outputs",
            targets.outputs()
        ))),
        _ => Ok(()),
    }
}

/// As [`check_data`]; also refuses targets of another task than the loss compares outputs with.
///
/// # Errors
/// As [`check_data`].
pub(crate) fn check_targets(network: &Network, data: &Dataset, loss: LossRule) -> Result<()> {
    check_data(network, data)?;
    let (task, expected) = (data.targets().task(), loss.task());
    if task == expected {
        return Ok(());
    }
    Err(Error::Dataset(format!("the loss {loss} is one of {expected}, the data are of {task}")))
}

/// As [`check_targets`]; also refuses a plan with missing samples, or a learning rate that is not finite.
///
/// # Errors
/// As [`check_targets`]; names the first sample beyond the data set.
pub(crate) fn check_plan(
    network: &Network,
    data: &Dataset,
    loss: LossRule,
    plan: &StepPlan<'_>,
) -> Result<()> {
    check_targets(network, data, loss)?;
    if let Some(missing) = plan.samples.iter().find(|sample| **sample as usize >= data.samples()) {
        return Err(Error::Dataset(format!(
            "sample {missing} is not there, the data set has {}",
            data.samples()
        )));
    }
    if !plan.learning_rate.is_finite() {
        let reason = format!("{} is invalid, it must be a finite number", plan.learning_rate);
        return Err(Error::setting(Setting::Lr, reason));
    }
    Ok(())
}
