//! From batches to dispatches: the uniforms of each step, and what runs in it.

use super::buffers::{NetworkBuffers, Weights, strided_bytes};
use super::commands::{Dispatch, folded};
use super::data::Data;
use super::device::Gpu;
use super::kernels::{Kernel, Kernels, Pipeline};
use super::shaders::GATHERED;
use super::uniforms::{ConnectionsUniform, DropoutUniform, StepUniform, UNIFORM_STRIDE};
use crate::engine::EngineSettings;
use crate::network::Network;
use crate::network::dropout::{DropoutKey, keep_threshold};
use crate::tiles::index_of;
use crate::{Error, Result};

/// What steps are for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Changes parameters; the first of the steps has this number.
    Training { learning_rate: f64, first_step: u64 },
    /// Only looks.
    Evaluation,
}

impl Purpose {
    /// The same for steps that come later by `steps`.
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
        purpose: Purpose,
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
                ..bytemuck::Zeroable::zeroed()
            };
            steps.push(match purpose.after(number) {
                Purpose::Training { learning_rate, first_step } => StepUniform {
                    training: 1,
                    label_smoothing: settings.label_smoothing,
                    rule: settings.rule(learning_rate, first_step),
                    penalties: settings.penalties.rule(),
                    connections: ConnectionsUniform::new(settings.connection_mask(first_step)),
                    ..place
                },
                Purpose::Evaluation => place,
            });
            dropouts.extend(dropout_of(network, settings.seed, purpose.after(number)));
        }
        Self { steps, dropouts }
    }

    /// Sends the uniforms.
    pub(super) fn upload(&self, gpu: &Gpu, buffers: &NetworkBuffers) -> Result<()> {
        gpu.queue.write_buffer(&buffers.step_uniform, 0, &strided_bytes(&self.steps));
        gpu.queue.write_buffer(&buffers.dropout_uniform, 0, &strided_bytes(&self.dropouts));
        gpu.check()
    }
}

/// Dropout of each layer in one step.
fn dropout_of(network: &Network, seed: u64, purpose: Purpose) -> impl Iterator<Item = DropoutUniform> {
    (0u32..).zip(network.layers()).map(move |(layer, of)| match purpose {
        Purpose::Training { first_step, .. } => DropoutUniform {
            key: DropoutKey::new(seed, first_step, layer).0,
            threshold: keep_threshold(of.keep_probability),
            keep_probability: of.keep_probability,
        },
        Purpose::Evaluation => DropoutUniform { key: [0; 2], threshold: u32::MAX, keep_probability: 1.0 },
    })
}

/// Pipelines and bind groups, ready to be dispatched.
pub(super) struct Bindings {
    uniforms: wgpu::BindGroup,
    /// In the order of [`Kernel::entry`]; none for those that read the data.
    storage: Vec<Option<wgpu::BindGroup>>,
    /// Of forward and backward_input, with masked weights; none where no connection is dropped.
    masked: Option<[wgpu::BindGroup; 2]>,
}

impl Bindings {
    pub(super) fn new(
        gpu: &Gpu,
        buffers: &NetworkBuffers,
        kernels: &Kernels,
        settings: &EngineSettings,
    ) -> Result<Self> {
        let bind = |kernel| match kernel {
            Kernel::Gather | Kernel::SoftmaxCrossEntropy => Ok(None),
            kernel => buffers.bind(gpu, kernels, kernel, Weights::Plain, None).map(Some),
        };
        let storage = Kernel::ONE_OF_EACH.into_iter().map(bind).collect::<Result<_>>()?;
        let masked = |kernel| buffers.bind(gpu, kernels, kernel, Weights::Masked, None);
        let masked = (settings.drop_connect > 0.0)
            .then(|| Ok::<_, Error>([masked(Kernel::Forward(0))?, masked(Kernel::BackwardInput(1))?]))
            .transpose()?;
        Ok(Self { uniforms: buffers.bind_uniforms(gpu, kernels)?, storage, masked })
    }

    /// The storage buffers of a kernel; none while there is no data to read.
    fn storage<'a>(&'a self, data: &'a Data, kernel: Kernel, training: bool) -> Option<&'a wgpu::BindGroup> {
        let masked = self.masked.as_ref().filter(|_| training);
        match (masked, kernel) {
            (Some([forward, _]), Kernel::Forward(_)) => Some(forward),
            (Some([_, backward]), Kernel::BackwardInput(_)) => Some(backward),
            (Some(_), kernel) => self.plain(kernel).or_else(|| data.bindings(kernel, Weights::Masked)),
            (None, kernel) => self.plain(kernel).or_else(|| data.bindings(kernel, Weights::Plain)),
        }
    }

    fn plain(&self, kernel: Kernel) -> Option<&wgpu::BindGroup> {
        self.storage[kernel.entry()].as_ref()
    }

    /// One kernel of the step at `place` of its submit; none while there is no data to read.
    pub(super) fn dispatch<'a>(
        &'a self,
        buffers: &NetworkBuffers,
        kernels: &'a Kernels,
        data: &'a Data,
        kernel: Kernel,
        (place, step): (usize, &StepUniform),
    ) -> Option<Dispatch<'a>> {
        let pipeline = &kernels.all[kernel.entry()];
        let (layer, of) = owned(buffers, kernel);
        let groups = amount(buffers, (kernel, pipeline), step.columns).groups;
        let offset = |part: usize| index_of(part) * UNIFORM_STRIDE;
        Some(Dispatch {
            pipeline: &pipeline.pipeline,
            uniforms: &self.uniforms,
            offsets: [offset(place), offset(layer), offset(place * buffers.layer_count + of)],
            bindings: self.storage(data, kernel, step.training != 0)?,
            workgroups: folded(groups),
        })
    }
}

/// Of the neurons that a kernel owns: their place among the layer uniforms, the layer they are outputs of.
fn owned(buffers: &NetworkBuffers, kernel: Kernel) -> (usize, usize) {
    match kernel {
        Kernel::Forward(layer) => (layer, layer),
        Kernel::SoftmaxCrossEntropy => (buffers.layer_count - 1, buffers.layer_count - 1),
        Kernel::BackwardInput(layer) => (buffers.layer_count + layer - 1, layer - 1),
        _ => (0, 0),
    }
}

/// How much a kernel has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amount {
    /// Workgroups that it needs.
    pub(super) groups: u64,
    /// Invocations that have something to do.
    pub(super) working: u64,
}

/// What a kernel has to do for a batch of this many columns of 4 samples.
pub(super) fn amount(
    buffers: &NetworkBuffers,
    (kernel, pipeline): (Kernel, &Pipeline),
    columns: u32,
) -> Amount {
    let constants = &buffers.constants;
    let Pipeline { shader, share, .. } = *pipeline;
    let lane_bits = shader.lane_bits(share, constants.stride);
    let quads = u64::from(buffers.layers[owned(buffers, kernel).0].quads);
    let columns = u64::from(columns);
    let features = u64::from(constants.features);
    let pairs = [constants.micro_block_pairs, constants.entry_pairs].map(u64::from);
    let biases = u64::from(constants.rows - constants.features).div_ceil(4);
    let groups_of = |items: u64| items.div_ceil(u64::from(shader.items(share)));
    let working = |items: u64| u64::from(share.get()) * items;
    let each = |items: u64| Amount { groups: groups_of(items), working: working(items) };
    match kernel {
        Kernel::Gather => {
            let [wide, high] = GATHERED.map(u64::from);
            let groups = features.div_ceil(wide) * columns.div_ceil(high);
            Amount { groups, working: features * columns }
        }
        Kernel::Forward(_) | Kernel::BackwardInput(_) => {
            let groups = columns.div_ceil(1 << lane_bits) * groups_of(quads << lane_bits);
            Amount { groups, working: working(quads * columns) }
        }
        Kernel::SoftmaxCrossEntropy => {
            let groups = columns.div_ceil(u64::from(share.columns()));
            Amount { groups, working: working(quads * columns) }
        }
        Kernel::DropConnectDense => each(4 * u64::from(constants.micro_blocks)),
        Kernel::DropConnectSparse => each(u64::from(constants.sparse_values)),
        Kernel::GroupNorm => each(features),
        // A workgroup has items of one kind only.
        Kernel::BackwardWeight => {
            let items = [pairs[0], pairs[1], biases];
            Amount { groups: items.map(groups_of).iter().sum(), working: working(items.iter().sum()) }
        }
    }
}
