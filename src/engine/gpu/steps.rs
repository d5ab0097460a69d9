//! Turns batches into dispatches: the uniforms and kernels of each step.

use super::amounts::{Amount, PlannedDispatch};
use super::buffers::{Buffer, NetworkBuffers, PARTS, Weights, strided_bytes};
use super::commands::Dispatch;
use super::data::Data;
use super::device::Gpu;
use super::kernels::{Kernel, Kernels};
use super::shaders::{KERNELS, KernelKind, KernelSpec};
use super::uniforms::{ConnectionsUniform, DropoutUniform, StepUniform, UNIFORM_STRIDE};
use crate::Result;
use crate::engine::EngineSettings;
use crate::network::Network;
use crate::network::dropout::{DropoutKey, keep_threshold};
use crate::tiles::index_of;

/// The purpose of steps.
#[derive(Clone, Copy, Debug)]
pub(super) enum StepPurpose {
    /// Changes parameters; the first of the steps has this number.
    Training { learning_rate: f64, first_step: u64 },
    /// Changes nothing.
    Evaluation,
}

impl StepPurpose {
    /// The same after this many steps.
    pub(super) fn after(self, steps: u64) -> Self {
        match self {
            Self::Training { learning_rate, first_step } => {
                Self::Training { learning_rate, first_step: first_step + steps }
            }
            Self::Evaluation => Self::Evaluation,
        }
    }
}

/// The uniforms of one submit's steps.
pub(super) struct Steps {
    pub(super) steps: Vec<StepUniform>,
    /// `[step][layer]`.
    dropouts: Vec<DropoutUniform>,
}

impl Steps {
    /// Cuts `samples` places of the index list into batches; outcomes go to the slots from `first_slot`.
    pub(super) fn new(
        network: &Network,
        settings: &EngineSettings,
        samples: usize,
        purpose: StepPurpose,
        first_slot: usize,
    ) -> Self {
        let (mut steps, mut dropouts) = (Vec::new(), Vec::new());
        for (number, first) in (0u64..).zip((0..samples).step_by(settings.batch_size)) {
            let batch = settings.batch_size.min(samples - first);
            let place = StepUniform {
                samples: index_of(batch),
                columns: index_of(batch.div_ceil(4)),
                first_sample: index_of(first),
                metrics_slot: index_of(first_slot + steps.len()),
                loss: settings.loss.kind as u32,
                loss_delta: settings.loss.delta,
                ..bytemuck::Zeroable::zeroed()
            };
            steps.push(match purpose.after(number) {
                StepPurpose::Training { learning_rate, first_step } => StepUniform {
                    training: 1,
                    label_smoothing: settings.label_smoothing,
                    rule: settings.rule(learning_rate, first_step),
                    penalties: settings.penalties.rule(),
                    connections: ConnectionsUniform::new(settings.connection_mask(first_step)),
                    ..place
                },
                StepPurpose::Evaluation => place,
            });
            dropouts.extend(dropout_of(network, settings.seed, purpose.after(number)));
        }
        Self { steps, dropouts }
    }

    /// Uploads the uniforms.
    pub(super) fn upload(&self, gpu: &Gpu, buffers: &NetworkBuffers) -> Result<()> {
        gpu.queue.write_buffer(&buffers.step_uniform, 0, &strided_bytes(&self.steps));
        gpu.queue.write_buffer(&buffers.dropout_uniform, 0, &strided_bytes(&self.dropouts));
        gpu.check()
    }
}

/// Dropout of each layer in one step.
fn dropout_of(network: &Network, seed: u64, purpose: StepPurpose) -> impl Iterator<Item = DropoutUniform> {
    (0u32..).zip(network.layers()).map(move |(layer, of)| match purpose {
        StepPurpose::Training { first_step, .. } => DropoutUniform {
            key: DropoutKey::new(seed, first_step, layer).0,
            threshold: keep_threshold(of.keep_probability),
            keep_probability: of.keep_probability,
        },
        StepPurpose::Evaluation => DropoutUniform { key: [0; 2], threshold: u32::MAX, keep_probability: 1.0 },
    })
}

/// Bind groups, ready to be dispatched.
pub(super) struct Bindings {
    uniforms: wgpu::BindGroup,
    /// Workgroups from one entry of the table of parts to the next.
    pub(super) unit: u64,
    /// In the order of [`KERNELS`]; `None` for the one that reads the data.
    plain: Vec<Option<wgpu::BindGroup>>,
    /// The same with masked weights, of kernels that read weights; empty if no connection is dropped.
    masked: Vec<Option<wgpu::BindGroup>>,
}

impl Bindings {
    pub(super) fn new(
        gpu: &Gpu,
        buffers: &NetworkBuffers,
        kernels: &Kernels,
        settings: &EngineSettings,
    ) -> Result<Self> {
        let binds = |spec: &KernelSpec, buffer| spec.bindings.iter().any(|binding| binding.buffer == buffer);
        let bind = |spec: &KernelSpec, weights| buffers.bind(gpu, kernels.of(spec.kind), weights, None);
        let drops = settings.drop_connect > 0.0;
        let (mut plain, mut masked) = (Vec::new(), Vec::new());
        for spec in &KERNELS {
            if !spec.when.is_for(settings.loss) {
                plain.push(None);
                masked.push(None);
                continue;
            }
            let reads_data = binds(spec, Buffer::Features);
            let has_masks = drops && binds(spec, Buffer::Weights);
            plain.push((!reads_data).then(|| bind(spec, Weights::Plain)).transpose()?);
            masked.push(has_masks.then(|| bind(spec, Weights::Masked)).transpose()?);
        }
        let unit = unit(buffers, kernels, settings);
        buffers.write_parts(gpu, unit)?;
        Ok(Self { uniforms: buffers.bind_uniforms(gpu, kernels)?, unit, plain, masked })
    }

    /// The storage buffers of a kernel; `None` while it has no data to read.
    fn storage<'a>(
        &'a self,
        data: &'a Data,
        kind: KernelKind,
        training: bool,
    ) -> Option<&'a wgpu::BindGroup> {
        let masked = self.masked[kind as usize].as_ref().filter(|_| training);
        masked.or(self.plain[kind as usize].as_ref()).or_else(|| data.gather())
    }

    /// One kernel of the step at `place` of its submit; `None` while it has no data to read.
    pub(super) fn dispatch<'a>(
        &'a self,
        buffers: &NetworkBuffers,
        kernels: &'a Kernels,
        data: &'a Data,
        kernel: Kernel,
        (place, step): (usize, &StepUniform),
    ) -> Option<Dispatch<'a>> {
        let pipeline = kernels.of(kernel.kind);
        let (layer, of) = pipeline.spec.layers.written(kernel.layer, buffers.layer_count);
        let offset = |part: usize| index_of(part) * UNIFORM_STRIDE;
        Some(Dispatch {
            pipeline: &pipeline.pipeline,
            uniforms: &self.uniforms,
            offsets: [offset(place), offset(layer), offset(place * buffers.layer_count + of)],
            bindings: self.storage(data, kernel.kind, step.training != 0)?,
            groups: amount(buffers, kernels, kernel, step.columns).groups,
            part: 0,
        })
    }
}

/// Workgroups of a part: the fewest with which the table of parts covers the largest dispatch of a step.
fn unit(buffers: &NetworkBuffers, kernels: &Kernels, settings: &EngineSettings) -> u64 {
    let of_step = Kernel::training_step(buffers.layer_count, settings).into_iter();
    let groups = of_step.map(|kernel| amount(buffers, kernels, kernel, buffers.constants.stride).groups);
    groups.max().unwrap_or(1).div_ceil(PARTS as u64).max(1)
}

/// The amount of work of a kernel for a batch of this many columns of 4 samples.
pub(super) fn amount(buffers: &NetworkBuffers, kernels: &Kernels, kernel: Kernel, columns: u32) -> Amount {
    let pipeline = kernels.of(kernel.kind);
    let (layer, _) = pipeline.spec.layers.written(kernel.layer, buffers.layer_count);
    let quads = buffers.layers[layer].quads;
    (pipeline.spec.amount)(&PlannedDispatch { pipeline, network: &buffers.constants, quads, columns })
}
