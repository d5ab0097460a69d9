//! Where the time of a training step goes: the common interface of engines with clocks.
//!
//! A [`Stage`] is a part of a step, on any engine. A [`ProfiledEngine`]
//! runs steps with a clock around each stage, with the same bits as unprofiled ones.

use std::sync::Arc;

use serde::Serialize;

use super::layout::NetworkLayout;
use super::{Engine, EngineSettings, StepOutcome, StepPlan};
use crate::Result;
use crate::dataset::Dataset;

/// A part of a training step, of one layer if there is one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// DropConnect's mask over the dense values.
    MaskDense,
    /// DropConnect's mask over the sparse values.
    MaskSparse,
    /// [`Stage::MaskDense`] and [`Stage::MaskSparse`] in one.
    Mask,
    /// The batch into the rows of the inputs.
    Gather,
    /// The outputs of a layer: weighted sums, bias, activation, dropout.
    Forward(usize),
    /// Softmax and cross-entropy, with the deltas of the logits.
    Loss,
    /// [`Stage::Forward`] of the last layer and [`Stage::Loss`] in one.
    LogitsAndLoss,
    /// The deltas of a layer's inputs; layer 0 has none.
    BackwardInput(usize),
    /// The factors of the group lasso.
    GroupFactors,
    /// Gradients of all dense values, and their update.
    UpdateDense,
    /// Gradients of all sparse values and biases, and their update.
    UpdateSparse,
    /// [`Stage::UpdateDense`] and [`Stage::UpdateSparse`] in one.
    Update,
}

impl Stage {
    /// The stages of one training step, in order, if each runs separately.
    pub fn of_training_step(layers: usize, settings: &EngineSettings) -> Vec<Self> {
        let mut stages = Vec::new();
        if settings.drop_connect > 0.0 {
            stages.extend([Self::MaskDense, Self::MaskSparse]);
        }
        stages.push(Self::Gather);
        stages.extend((0..layers).map(Self::Forward));
        stages.push(Self::Loss);
        stages.extend((1..layers).rev().map(Self::BackwardInput));
        if settings.penalties.group_lasso > 0.0 {
            stages.push(Self::GroupFactors);
        }
        stages.extend([Self::UpdateDense, Self::UpdateSparse]);
        stages
    }

    /// What it does, without the layer.
    pub fn name(self) -> &'static str {
        match self {
            Self::MaskDense => "mask dense",
            Self::MaskSparse => "mask sparse",
            Self::Mask => "mask",
            Self::Gather => "gather",
            Self::Forward(_) => "forward",
            Self::Loss => "loss",
            Self::LogitsAndLoss => "logits + loss",
            Self::BackwardInput(_) => "backward_input",
            Self::GroupFactors => "group factors",
            Self::UpdateDense => "gradients + update, dense",
            Self::UpdateSparse => "gradients + update, sparse",
            Self::Update => "gradients + update",
        }
    }

    /// Its layer, counted from 0, if it belongs to one.
    pub fn layer(self) -> Option<usize> {
        match self {
            Self::Forward(layer) | Self::BackwardInput(layer) => Some(layer),
            _ => None,
        }
    }
}

/// One stage of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StageTime {
    /// The stage.
    pub stage: Stage,
    /// Microseconds, summed over the threads that worked on it.
    pub microseconds: f64,
}

/// One step that ran with a clock around each stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StepProfile {
    /// The outcome, as of [`Engine::train`].
    pub outcome: StepOutcome,
    /// Microseconds from the begin of the step to its end.
    pub wall_microseconds: f64,
    /// In the order of [`ProfiledEngine::stages`].
    pub stages: Vec<StageTime>,
}

/// The dispatch of one stage on a GPU: how much of it the stage can occupy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DispatchShape {
    /// What it computes.
    #[serde(skip)]
    pub stage: Stage,
    /// Entry point of its pipeline.
    pub pipeline: &'static str,
    /// Workgroups, over both dimensions.
    pub workgroups: u64,
    /// Invocations in each of them.
    pub invocations_per_workgroup: u32,
    /// Invocations with work; the others return at once.
    pub working_invocations: u64,
    /// Bytes of workgroup memory that each workgroup holds.
    pub workgroup_bytes: u32,
}

impl DispatchShape {
    /// Invocations that are started.
    pub fn invocations(&self) -> u64 {
        self.workgroups * u64::from(self.invocations_per_workgroup)
    }
}

/// An engine that can time the stages of a training step.
pub trait ProfiledEngine: Engine {
    /// How it packs the network, which determines the work of each stage.
    fn layout(&self) -> &NetworkLayout;

    /// Threads whose times are summed; 1 for a device that runs stages one after another.
    fn workers(&self) -> usize;

    /// The stages of a training step, in order.
    fn stages(&self, settings: &EngineSettings) -> Vec<Stage> {
        Stage::of_training_step(self.layout().layers().len(), settings)
    }

    /// The dispatches of a full batch, in order; empty if there are none.
    fn dispatches(&self) -> Vec<DispatchShape>;

    /// As [`Engine::train`], with a clock around each stage and the same bits; none on a device without clocks.
    ///
    /// # Errors
    /// As [`Engine::train`].
    fn profile(&mut self, data: &Arc<Dataset>, plan: &StepPlan<'_>) -> Result<Option<Vec<StepProfile>>>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Optimizer, Penalties};

    #[test]
    fn a_step_has_stages_of_its_layers_and_of_its_regularisation() {
        let plain = EngineSettings::new(Optimizer::Sgd, 1, 0);
        let stages = Stage::of_training_step(3, &plain);
        let lines: Vec<String> =
            stages.iter().map(|stage| format!("{} {:?}", stage.name(), stage.layer())).collect();
        let expected = [
            "gather None",
            "forward Some(0)",
            "forward Some(1)",
            "forward Some(2)",
            "loss None",
            "backward_input Some(2)",
            "backward_input Some(1)",
            "gradients + update, dense None",
            "gradients + update, sparse None",
        ];
        assert_eq!(lines, expected);
        let penalties = Penalties { group_lasso: 0.1, ..Penalties::default() };
        let all = EngineSettings { drop_connect: 0.5, penalties, ..plain };
        let added: Vec<Stage> =
            Stage::of_training_step(3, &all).into_iter().filter(|stage| !stages.contains(stage)).collect();
        assert_eq!(added, [Stage::MaskDense, Stage::MaskSparse, Stage::GroupFactors]);
    }
}
