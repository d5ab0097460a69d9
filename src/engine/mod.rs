//! Engines, which run a network's training steps.
//!
//! Every engine implements [`Engine`], and all give the same results up to rounding. [`CpuEngine`] computes in float32 on all
//! cores. `GpuEngine` runs WGSL kernels on any device that wgpu supports. The reference
//! ([`EngineKind::Reference`](crate::EngineKind::Reference)) is a slow and simple float64 implementation, with which tests
//! compare the others. Engines are independent and share only the definition of a step: [`StepPlan`], [`Optimizer`],
//! [`Penalties`].
//!
//! [`SingleSample`] is a forward pass for one sample at a time.

mod checks;
#[doc(hidden)]
pub mod cpu;
#[cfg(feature = "gpu")]
#[doc(hidden)]
pub mod gpu;
#[doc(hidden)]
pub mod layout;
mod loss;
mod optimizer;
mod optimizer_options;
pub(crate) mod pace;
#[doc(hidden)]
pub mod packed_edges;
mod part;
#[doc(hidden)]
pub mod penalty;
#[doc(hidden)]
pub mod profile;
#[doc(hidden)]
pub mod reference;
mod state;
mod update_rule;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::named::named;
use crate::network::drop_connect::ConnectionMask;
use crate::network::{Network, Parameters};
use crate::topology::Topology;
use crate::{Error, Result, Setting};

pub(crate) use checks::{check_data, check_plan, check_targets};
pub use cpu::{CpuEngine, SingleSample};
#[cfg(feature = "gpu")]
pub use gpu::{AdapterChoice, GpuEngine, GpuOptions};
pub use optimizer::{Optimizer, OptimizerKind};
pub(crate) use part::check_gradients;
pub use penalty::Penalties;

#[doc(hidden)]
pub use self::{
    loss::{Errors, LossKind, LossRule},
    optimizer::MAX_STATES,
    optimizer_options::OptimizerOptions,
    part::{BatchPart, PartGradients},
    penalty::PenaltyRule,
    state::{EngineState, Values},
    update_rule::UpdateRule,
};

named! {
    /// The kinds of engine.
    pub enum Backend {
        /// Float64 on one core.
        Reference = "reference",
        /// Float32 on all cores.
        Cpu = "cpu",
        /// Float32 in WGSL kernels.
        Gpu = "gpu",
    }
}

/// The kind of an engine, and its device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// The kind of engine.
    pub backend: Backend,
    /// The processor or adapter, for people to read.
    pub adapter: String,
}

/// The settings that are the same in all steps of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineSettings {
    /// How gradients change the parameters.
    pub optimizer: Optimizer,
    /// The penalties on the weights, which are added to the loss.
    #[serde(flatten)]
    pub penalties: Penalties,
    /// How outputs are compared with targets.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "LossRule::is_of_classes")]
    pub loss: LossRule,
    /// Label smoothing E, in `[0, 1)` (Szegedy et al., 2016): training aims at `1 - E` for the label's class
    /// plus `E / classes` for every class. Evaluation ignores it.
    #[serde(default)]
    pub label_smoothing: f32,
    /// Probability with which a step drops a connection of a hidden layer, in `[0, 1)`; see
    /// [`drop_connect`](crate::network::drop_connect).
    #[serde(default)]
    pub drop_connect: f32,
    /// Samples in one batch; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Seed of the masks of dropout and DropConnect.
    pub seed: u64,
    /// Steps of the run before the optimiser's state was last zero: more than 0 in a finished run that was extended.
    #[doc(hidden)]
    #[serde(skip)]
    pub optimizer_start: u64,
}

impl EngineSettings {
    /// Settings without any regularisation.
    pub fn new(optimizer: Optimizer, batch_size: usize, seed: u64) -> Self {
        let penalties = Penalties::default();
        Self {
            optimizer,
            penalties,
            loss: LossRule::CROSS_ENTROPY,
            label_smoothing: 0.0,
            drop_connect: 0.0,
            batch_size,
            seed,
            optimizer_start: 0,
        }
    }

    /// The update rule of a step; Adam's corrections count steps since its means were zero.
    pub(crate) fn rule(&self, learning_rate: f64, step: u64) -> UpdateRule {
        self.optimizer.rule(learning_rate, step.saturating_sub(self.optimizer_start), self.penalties.l2)
    }

    /// The penalties whose gradients are added to that of the loss: without L2 if the optimiser decouples weight decay.
    pub(crate) fn coupled_penalties(&self) -> Penalties {
        let l2 = if self.optimizer.kind().decouples_decay() { 0.0 } else { self.penalties.l2 };
        Penalties { l2, ..self.penalties }
    }

    /// The connections that a step keeps; `None` without DropConnect.
    #[doc(hidden)]
    pub fn connection_mask(&self, step: u64) -> Option<ConnectionMask> {
        (self.drop_connect > 0.0).then(|| ConnectionMask::new(self.seed, step, self.drop_connect))
    }

    /// Refuses settings outside their range.
    ///
    /// # Errors
    /// Names the setting, the value and the limit.
    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |setting, reason| Err(Error::Setting { setting, reason });
        if self.batch_size == 0 || self.batch_size > MAX_BATCH {
            return refuse(
                Setting::BatchSize,
                format!("{} is invalid, it must be 1 to {MAX_BATCH}", self.batch_size),
            );
        }
        let shares =
            [(Setting::LabelSmoothing, self.label_smoothing), (Setting::Dropconnect, self.drop_connect)];
        if let Some((setting, share)) = shares.into_iter().find(|(_, share)| !(0.0..1.0).contains(share)) {
            return refuse(setting, format!("{share} is invalid, it must be at least 0 and below 1"));
        }
        self.loss.check()?;
        self.penalties.check()?;
        self.optimizer.check()
    }
}

/// Maximum batch size of engines.
#[doc(hidden)]
pub const MAX_BATCH: usize = 1 << 20;

/// Consecutive training steps: their samples and their learning rate.
#[derive(Clone, Copy, Debug)]
pub struct StepPlan<'a> {
    /// Indices of samples, to be cut into batches of `batch_size`; the last one may be smaller.
    pub samples: &'a [u32],
    /// Learning rate, the same for all these steps.
    pub learning_rate: f64,
    /// Number of steps that the run made before these. Dropout masks depend on it, and so does Adam's correction, which subtracts
    /// [`EngineSettings::optimizer_start`].
    pub first_step: u64,
}

/// The results of one training step, before its update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepOutcome {
    /// Mean loss over the batch, with smoothed labels if they are smoothed, without penalties; of classes the cross-entropy in nats.
    pub loss: f64,
    /// Samples whose greatest logit (the first of equals) was their label's; with several labels, those with no wrong one.
    pub correct: u32,
    /// Samples in the batch.
    pub samples: u32,
    /// Sums of the errors of regression; not the errors of other tasks.
    #[doc(hidden)]
    #[serde(default)]
    pub errors: Errors,
}

/// The results of a network on a data set, without dropout.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Mean loss over the samples, of classes the cross-entropy in nats; labels are never smoothed here.
    pub loss: f64,
    /// Samples whose greatest logit (the first of equals) was their label's; with several labels, those with no wrong one.
    pub correct: usize,
    /// Samples in the data set.
    pub samples: usize,
    /// Sums of the errors of regression; not the errors of other tasks.
    #[doc(hidden)]
    #[serde(default)]
    pub errors: Errors,
}

impl Evaluation {
    /// Share of correct samples, 0 to 1.
    #[doc(hidden)]
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples as f64
    }
}

/// Runs training steps and evaluations of one network.
///
/// An engine owns the parameters and the optimiser's state. On the same engine and device, the same calls give the same bits.
/// Data sets are shared, so that an engine can keep a copy on its device. When it gets another data set, it drops the copy of one
/// that is no longer used elsewhere.
pub trait Engine: Send {
    /// The kind and the device of this engine.
    fn info(&self) -> EngineInfo;

    /// The number of steps with which a call of [`Engine::train`] is efficient.
    fn steps_per_call(&self) -> usize;

    /// Runs one step for each batch of the plan and returns the outcome of each.
    ///
    /// # Errors
    /// When the data do not fit the network, or the device fails.
    fn train(&mut self, data: &Arc<Dataset>, plan: &StepPlan<'_>) -> Result<Vec<StepOutcome>>;

    /// As [`Engine::train`], but may stop early once `stop` is true. It then returns the outcomes of the complete steps, and
    /// later steps have changed nothing.
    ///
    /// # Errors
    /// As [`Engine::train`].
    #[doc(hidden)]
    fn train_unless(
        &mut self,
        data: &Arc<Dataset>,
        plan: &StepPlan<'_>,
        stop: &AtomicBool,
    ) -> Result<Vec<StepOutcome>> {
        let _ = stop;
        self.train(data, plan)
    }

    /// Runs the network over a data set, without dropout.
    ///
    /// # Errors
    /// As [`Engine::train`].
    fn evaluate(&mut self, data: &Arc<Dataset>) -> Result<Evaluation>;

    /// As [`Engine::evaluate`], but checks `stop` between batches and returns `None` once it is true.
    ///
    /// # Errors
    /// As [`Engine::train`].
    #[doc(hidden)]
    fn evaluate_unless(&mut self, data: &Arc<Dataset>, stop: &AtomicBool) -> Result<Option<Evaluation>> {
        let _ = stop;
        self.evaluate(data).map(Some)
    }

    /// The first half of a step: the gradient of a batch's mean loss, as far as it comes from a part of the batch. Nothing changes.
    ///
    /// The gradients of all parts add up to those of the batch. With the whole batch as one part, this and [`Engine::apply`] give
    /// the same bits as [`Engine::train`].
    ///
    /// # Errors
    /// As [`Engine::train`]; when the engine cannot do it.
    #[doc(hidden)]
    fn gradients(&mut self, data: &Arc<Dataset>, part: &BatchPart<'_>) -> Result<PartGradients> {
        let _ = (data, part);
        Err(Error::Network("this engine cannot compute gradients of part of a batch".into()))
    }

    /// The second half of a step: regularises the gradients of a whole batch, and updates the parameters. `step` is the
    /// number of steps that the run made before.
    ///
    /// # Errors
    /// When they do not fit the network, or the device fails; when the engine cannot do it.
    #[doc(hidden)]
    fn apply(&mut self, gradients: &Values, learning_rate: f64, step: u64) -> Result<()> {
        let _ = (gradients, learning_rate, step);
        Err(Error::Network("this engine cannot compute gradients of part of a batch".into()))
    }

    /// Copies the parameters out.
    ///
    /// # Errors
    /// When the device fails.
    fn parameters(&mut self) -> Result<Parameters>;

    /// Replaces the parameters and forgets the optimiser's state.
    ///
    /// # Errors
    /// When they do not fit the network, or the device fails.
    fn set_parameters(&mut self, parameters: &Parameters) -> Result<()>;

    /// Copies out the exact state that is carried from step to step.
    ///
    /// # Errors
    /// When the device fails.
    fn state(&mut self) -> Result<EngineState>;

    /// As [`Engine::state`], but the engine may give up its own copy. It then cannot train until a state is restored.
    ///
    /// # Errors
    /// When the device fails.
    #[doc(hidden)]
    fn take_state(&mut self) -> Result<EngineState> {
        self.state()
    }

    /// Restores a state that [`Engine::state`] of this engine, or of another one of its kind, returned. The following steps
    /// have the same bits as they would have had there.
    ///
    /// # Errors
    /// When it does not fit the network, the optimiser or the kind of engine, or the device fails.
    fn restore(&mut self, state: &EngineState) -> Result<()>;

    /// The network that it trains; `None` if the engine cannot [`rewire`](Engine::rewire).
    #[doc(hidden)]
    fn network(&self) -> Option<&Network> {
        None
    }

    /// Replaces the graphs of the layers, and restores a state that fits them.
    ///
    /// # Errors
    /// When a graph does not fit its layer; as [`Engine::restore`].
    #[doc(hidden)]
    fn rewire(&mut self, graphs: &[Arc<Topology>], state: EngineState) -> Result<()> {
        let _ = (graphs, state);
        Err(Error::Network("this engine cannot change its graphs".into()))
    }
}
