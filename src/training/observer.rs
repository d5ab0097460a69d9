//! What a run reports while it trains.

use super::{EpochMetrics, Metric, TrainingState};
use crate::Result;
use crate::network::{Network, Parameters};

/// Observes a run while it trains.
pub trait Observer {
    /// Some batches were trained.
    #[doc(hidden)]
    fn batches_trained(&mut self, progress: &Progress) {
        let _ = progress;
    }

    /// Edges have moved: parameters are of this network from now on.
    #[doc(hidden)]
    fn rewired(&mut self, network: &Network) {
        let _ = network;
    }

    /// An epoch ended with these metrics and these parameters.
    ///
    /// # Errors
    /// An error, for example of a full disk, ends the run.
    fn epoch_ended(&mut self, metrics: &EpochMetrics, parameters: &Parameters) -> Result<()> {
        let _ = (metrics, parameters);
        Ok(())
    }

    /// The run can be resumed from here; earlier epochs have been reported.
    ///
    /// # Errors
    /// As [`Observer::epoch_ended`].
    #[doc(hidden)]
    fn checkpoint(&mut self, state: &TrainingState) -> Result<()> {
        let _ = state;
        Ok(())
    }
}

/// How far the current epoch is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Counted from 1.
    pub epoch: usize,
    /// Samples trained in this epoch.
    pub samples: usize,
    /// Mean loss over them.
    pub loss: f64,
    /// Share of correct ones among them, or another metric.
    pub accuracy: f64,
    /// The metric.
    pub metric: Metric,
}
