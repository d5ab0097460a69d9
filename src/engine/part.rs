//! A step in two halves: gradients of parts of a batch, which may be on several machines, and the update by their sum.

use super::{EngineSettings, Errors, Values, check_targets};
use crate::dataset::Dataset;
use crate::network::Network;
use crate::{Error, Result};

/// A part of the batch of one step.
#[derive(Clone, Copy, Debug)]
pub struct BatchPart<'a> {
    /// Indices of its samples, in their order in the batch; none if other engines have all of them.
    pub samples: &'a [u32],
    /// Place in the batch of the first one. Dropout masks depend on it.
    pub first: usize,
    /// Samples of the whole batch, by which the loss is divided.
    pub batch: usize,
    /// Number of steps that the run made before.
    pub step: u64,
}

/// What a part of a batch adds to the step: to the gradients, and to the outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct PartGradients {
    /// The gradient of the batch's mean loss by each weight and bias, as far as it comes from these samples: without penalties, and
    /// by the weights as they are after connections were dropped.
    pub values: Values,
    /// Loss summed over the samples.
    pub loss: f64,
    /// Samples that were right.
    pub correct: u32,
    /// Sums of the errors of regression.
    pub errors: Errors,
}

impl BatchPart<'_> {
    /// Refuses a part that does not fit its batch, the data, or the settings.
    ///
    /// # Errors
    /// Names what does not fit.
    pub(crate) fn check(&self, network: &Network, data: &Dataset, settings: &EngineSettings) -> Result<()> {
        check_targets(network, data, settings.loss)?;
        let refuse = |reason: String| Err(Error::Dataset(format!("part of a batch: {reason}")));
        if let Some(missing) = self.samples.iter().find(|sample| **sample as usize >= data.samples()) {
            return refuse(format!("sample {missing} is not there, the data set has {}", data.samples()));
        }
        let end = self.first.checked_add(self.samples.len());
        if self.batch == 0 || end.is_none_or(|end| end > self.batch) {
            let (count, first, batch) = (self.samples.len(), self.first, self.batch);
            return refuse(format!("{count} samples from place {first} on, the batch has {batch}"));
        }
        if self.batch > settings.batch_size {
            let (batch, most) = (self.batch, settings.batch_size);
            return refuse(format!("the batch has {batch} samples, the settings allow {most}"));
        }
        Ok(())
    }
}

/// Refuses gradients that are not one finite number for each parameter, in the precision of the engine, and a learning rate that
/// is not finite.
///
/// # Errors
/// Names what does not fit.
pub(crate) fn check_gradients(
    network: &Network,
    gradients: &Values,
    learning_rate: f64,
    single: bool,
) -> Result<()> {
    let refuse = |reason: String| Err(Error::Network(format!("gradients: {reason}")));
    let (count, expected) = (gradients.len(), network.parameter_count());
    if count != expected {
        return refuse(format!("{count} values do not fit a network of {expected} parameters"));
    }
    if matches!(gradients, Values::Single(_)) != single {
        return refuse("they are not in the numbers of the engine".into());
    }
    if !learning_rate.is_finite() {
        return refuse(format!("a learning rate of {learning_rate}, it must be finite"));
    }
    Ok(())
}
