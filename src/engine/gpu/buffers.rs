//! The buffers of one network on one device, and the bind groups over them.

use std::num::NonZeroU64;

use super::commands;
use super::data::DataBuffers;
use super::device::Gpu;
use super::kernels::{Kernel, Kernels};
use super::shaders::UNIFORMS;
use super::share::Shares;
use super::tables::{Direction, Tables};
use super::uniforms::{DropoutUniform, LayerUniform, Metric, NetworkUniform, StepUniform, UNIFORM_STRIDE};
use crate::Result;
use crate::engine::EngineSettings;
use crate::engine::layout::{NetworkLayout, PackedValues};
use crate::network::Network;
use crate::tiles::{MICRO_BLOCK, index_of};

/// Most steps whose outcome stays on the device before it is read back.
const METRIC_SLOTS: usize = 1024;
/// Most metrics on the device, one for each workgroup of each step, where they are enough for one submit.
const METRICS: usize = 1 << 20;
/// Most steps of one submit.
const STEPS_PER_SUBMIT: usize = 32;
/// Most samples of one submit with more than one step; bounds the index list.
const SAMPLES_PER_SUBMIT: usize = 1 << 20;

/// A buffer that tests fill and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tensor {
    /// `[neuron][sample]`, rows padded to [`super::Probe::row_len`].
    Activations,
    /// As activations.
    Deltas,
    /// `[micro-block][input of 4][output of 4]`.
    Dense,
    /// The optimiser's state of the dense values, `[state][micro-block][input of 4][output of 4]`.
    DenseState,
    /// Sparse values, then biases.
    Sparse,
    /// The optimiser's state of the sparse values, `[state][sparse value]`.
    SparseState,
    /// Factor of each input of the network under a group lasso.
    GroupFactors,
    /// Dense values under DropConnect's mask.
    MaskedDense,
    /// Sparse values under DropConnect's mask.
    MaskedSparse,
}

/// Which values forward and backward_input work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weights {
    /// The parameters as they are.
    Plain,
    /// Under DropConnect's mask.
    Masked,
}

/// Quads, tiles and lists of one direction.
struct DirectionBuffers {
    quads: wgpu::Buffer,
    tiles: wgpu::Buffer,
    start: wgpu::Buffer,
}

/// All buffers but those of the data.
pub(super) struct NetworkBuffers {
    pub(super) constants: NetworkUniform,
    /// What forward writes, for each layer, then what backward_input writes, for each layer but the first.
    pub(super) layers: Vec<LayerUniform>,
    pub(super) layer_count: usize,
    pub(super) steps_per_submit: usize,
    pub(super) step_uniform: wgpu::Buffer,
    pub(super) dropout_uniform: wgpu::Buffer,
    network_uniform: wgpu::Buffer,
    layer_uniform: wgpu::Buffer,
    tensors: [wgpu::Buffer; 9],
    forward: DirectionBuffers,
    sparse_input: wgpu::Buffer,
    backward: DirectionBuffers,
    entries: wgpu::Buffer,
    micro_blocks: wgpu::Buffer,
    sparse_ends: wgpu::Buffer,
    group_start: wgpu::Buffer,
    group_values: wgpu::Buffer,
    dense_connections: wgpu::Buffer,
    sparse_connections: wgpu::Buffer,
    pub(super) sample_index: wgpu::Buffer,
    metrics: wgpu::Buffer,
    /// Columns of 4 samples that one metric is of.
    metric_columns: u32,
    /// Metrics of one step.
    metric_groups: usize,
    /// Steps that the metrics have room for.
    pub(super) metric_slots: usize,
}

/// What one step saw, over all workgroups.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// Cross-entropy, summed over the batch.
    pub(super) loss: f64,
    /// Samples whose greatest logit was their label's.
    pub(super) correct: u32,
}

impl NetworkBuffers {
    /// Makes all buffers; values and states are 0.
    pub(super) fn new(
        gpu: &Gpu,
        network: &Network,
        layout: &NetworkLayout,
        settings: &EngineSettings,
        shares: &Shares,
    ) -> Result<Self> {
        let tables = Tables::new(network, layout, settings)?;
        let constants = constants(network, layout, settings.batch_size);
        let mut layers = tables.forward.layers.clone();
        layers.extend(&tables.backward.layers);
        let steps_per_submit = (SAMPLES_PER_SUBMIT / settings.batch_size).clamp(1, STEPS_PER_SUBMIT);
        let layer_count = network.layers().len();
        let metric_columns = shares.logits.columns();
        let metric_groups = constants.stride.div_ceil(metric_columns) as usize;
        let metric_slots = (METRICS / metric_groups).clamp(steps_per_submit, METRIC_SLOTS);
        let strided = |count: usize| count as u64 * u64::from(UNIFORM_STRIDE);
        let buffers = Self {
            constants,
            layer_count,
            steps_per_submit,
            step_uniform: gpu.uniform("steps", strided(steps_per_submit))?,
            dropout_uniform: gpu.uniform("dropout", strided(steps_per_submit * layer_count))?,
            network_uniform: gpu.uniform("the network", size_of::<NetworkUniform>() as u64)?,
            layer_uniform: gpu.uniform("layers", strided(layers.len()))?,
            tensors: tensors(gpu, layout, settings, &constants)?,
            forward: DirectionBuffers::new(gpu, "forward", &tables.forward)?,
            sparse_input: gpu.storage_of("sparse inputs", &tables.sparse_input)?,
            backward: DirectionBuffers::new(gpu, "backward", &tables.backward)?,
            entries: gpu.storage_of("sparse entries by input", &tables.entries)?,
            micro_blocks: gpu.storage_of("micro-blocks", &tables.micro_blocks)?,
            sparse_ends: gpu.storage_of("ends of sparse edges", &tables.sparse_ends)?,
            group_start: gpu.storage_of("first weights of groups", &tables.groups.start)?,
            group_values: gpu.storage_of("weights of groups", &tables.groups.value)?,
            dense_connections: gpu.storage_of("numbers of dense edges", &tables.connections.dense)?,
            sparse_connections: gpu.storage_of("numbers of sparse edges", &tables.connections.sparse)?,
            sample_index: gpu
                .storage("sample indices", 4 * (steps_per_submit * settings.batch_size) as u64)?,
            metrics: gpu.storage("metrics", (metric_slots * metric_groups * size_of::<Metric>()) as u64)?,
            metric_columns,
            metric_groups,
            metric_slots,
            layers,
        };
        gpu.queue.write_buffer(&buffers.network_uniform, 0, bytemuck::bytes_of(&constants));
        gpu.queue.write_buffer(&buffers.layer_uniform, 0, &strided_bytes(&buffers.layers));
        gpu.check()?;
        Ok(buffers)
    }

    /// The buffer of a tensor.
    pub(super) fn tensor(&self, tensor: Tensor) -> &wgpu::Buffer {
        &self.tensors[tensor as usize]
    }

    /// Writes parameters and sets the optimiser's state to 0.
    pub(super) fn write_values(&self, gpu: &Gpu, values: &PackedValues) -> Result<()> {
        gpu.queue.write_buffer(self.tensor(Tensor::Dense), 0, bytemuck::cast_slice(&values.dense));
        gpu.queue.write_buffer(self.tensor(Tensor::Sparse), 0, bytemuck::cast_slice(&values.sparse));
        let states = [Tensor::DenseState, Tensor::SparseState];
        commands::clear(gpu, &states.map(|state| self.tensor(state)))?;
        // A lost device shows only when one waits for it.
        gpu.wait(None)
    }

    /// Writes what the optimiser remembers, as much as it has.
    pub(super) fn write_memories(&self, gpu: &Gpu, memories: &[PackedValues]) -> Result<()> {
        for (index, memory) in (0u64..).zip(memories) {
            for (tensor, values) in
                [(Tensor::DenseState, &memory.dense), (Tensor::SparseState, &memory.sparse)]
            {
                let offset = index * size_of_val(values.as_slice()) as u64;
                gpu.queue.write_buffer(self.tensor(tensor), offset, bytemuck::cast_slice(values));
            }
        }
        // What is written goes to the device with the next submit.
        gpu.queue.submit([]);
        gpu.check()?;
        gpu.wait(None)
    }

    /// Reads back what the optimiser remembers, so many values of each parameter.
    pub(super) fn read_memories(
        &self,
        gpu: &Gpu,
        layout: &NetworkLayout,
        count: usize,
    ) -> Result<Vec<PackedValues>> {
        let (dense_len, sparse_len) = (layout.dense_len(), layout.sparse_len());
        let dense: Vec<f32> = commands::read(gpu, self.tensor(Tensor::DenseState), count * dense_len)?;
        let sparse: Vec<f32> = commands::read(gpu, self.tensor(Tensor::SparseState), count * sparse_len)?;
        let memory = |index: usize| PackedValues {
            dense: dense[index * dense_len..][..dense_len].to_vec(),
            sparse: sparse[index * sparse_len..][..sparse_len].to_vec(),
        };
        Ok((0..count).map(memory).collect())
    }

    /// What steps over so many samples each saw, whose metrics stand in the slots from the first on.
    ///
    /// The metrics of a step are added up in the order of its workgroups.
    pub(super) fn read_metrics(&self, gpu: &Gpu, samples: &[usize]) -> Result<Vec<Seen>> {
        let count = samples.len() * self.metric_groups;
        let metrics: Vec<Metric> = commands::read(gpu, &self.metrics, count)?;
        let steps = samples.iter().zip(metrics.chunks(self.metric_groups));
        let seen = steps.map(|(samples, metrics)| {
            let groups = samples.div_ceil(4).div_ceil(self.metric_columns as usize);
            metrics[..groups].iter().fold(Seen::default(), |seen, metric| Seen {
                loss: seen.loss + f64::from(metric.loss),
                correct: seen.correct + metric.correct,
            })
        });
        Ok(seen.collect())
    }

    /// Reads parameters back.
    pub(super) fn read_values(&self, gpu: &Gpu, layout: &NetworkLayout) -> Result<PackedValues> {
        Ok(PackedValues {
            dense: commands::read(gpu, self.tensor(Tensor::Dense), layout.dense_len())?,
            sparse: commands::read(gpu, self.tensor(Tensor::Sparse), layout.sparse_len())?,
        })
    }

    /// The bind group of all uniforms.
    pub(super) fn bind_uniforms(&self, gpu: &Gpu, kernels: &Kernels) -> Result<wgpu::BindGroup> {
        let parts = [
            (&self.network_uniform, size_of::<NetworkUniform>()),
            (&self.step_uniform, size_of::<StepUniform>()),
            (&self.layer_uniform, size_of::<LayerUniform>()),
            (&self.dropout_uniform, size_of::<DropoutUniform>()),
        ];
        let entries: Vec<_> = UNIFORMS
            .iter()
            .zip(parts)
            .map(|((binding, ..), (buffer, size))| wgpu::BindGroupEntry {
                binding: *binding,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer,
                    offset: 0,
                    size: NonZeroU64::new(size as u64),
                }),
            })
            .collect();
        gpu.create("the bind group of uniforms", |device| {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("uniforms"),
                layout: &kernels.uniforms,
                entries: &entries,
            })
        })
    }

    /// The bind group of one kernel's storage buffers; gather and softmax also read the data.
    pub(super) fn bind(
        &self,
        gpu: &Gpu,
        kernels: &Kernels,
        kernel: Kernel,
        weights: Weights,
        data: Option<&DataBuffers>,
    ) -> Result<wgpu::BindGroup> {
        let pipeline = &kernels.all[kernel.entry()];
        let mut entries = Vec::new();
        for binding in pipeline.entry.bindings {
            let buffer = match (weights, binding.name) {
                (Weights::Masked, "dense") => Some(self.tensor(Tensor::MaskedDense)),
                (Weights::Masked, "sparse") => Some(self.tensor(Tensor::MaskedSparse)),
                (_, name) => self.named(kernel, name, data),
            };
            let buffer = buffer.ok_or_else(|| gpu.error(format!("no buffer is called {}", binding.name)))?;
            entries.push(wgpu::BindGroupEntry {
                binding: binding.binding,
                resource: buffer.as_entire_binding(),
            });
        }
        gpu.create(pipeline.entry.name, |device| {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(pipeline.entry.name),
                layout: &pipeline.layout,
                entries: &entries,
            })
        })
    }

    /// The buffer that a kernel calls by this name.
    fn named<'a>(
        &'a self,
        kernel: Kernel,
        name: &str,
        data: Option<&'a DataBuffers>,
    ) -> Option<&'a wgpu::Buffer> {
        let direction =
            if matches!(kernel, Kernel::BackwardInput(_)) { &self.backward } else { &self.forward };
        Some(match name {
            "activations" => self.tensor(Tensor::Activations),
            "deltas" => self.tensor(Tensor::Deltas),
            "dense" => self.tensor(Tensor::Dense),
            "dense_state" => self.tensor(Tensor::DenseState),
            "sparse" => self.tensor(Tensor::Sparse),
            "sparse_state" => self.tensor(Tensor::SparseState),
            "quads" => &direction.quads,
            "tiles" => &direction.tiles,
            "row_start" | "column_start" => &direction.start,
            "sparse_input" => &self.sparse_input,
            "entries" => &self.entries,
            "micro_blocks" => &self.micro_blocks,
            "sparse_ends" => &self.sparse_ends,
            "group_factors" => self.tensor(Tensor::GroupFactors),
            "group_start" => &self.group_start,
            "group_values" => &self.group_values,
            "masked_dense" => self.tensor(Tensor::MaskedDense),
            "masked_sparse" => self.tensor(Tensor::MaskedSparse),
            "dense_connections" => &self.dense_connections,
            "sparse_connections" => &self.sparse_connections,
            "sample_index" => &self.sample_index,
            "metrics" => &self.metrics,
            "data" => &data?.features,
            "labels" => &data?.labels,
            _ => return None,
        })
    }
}

impl DirectionBuffers {
    fn new(gpu: &Gpu, name: &str, direction: &Direction) -> Result<Self> {
        Ok(Self {
            quads: gpu.storage_of(&format!("{name} quads"), &direction.quads)?,
            tiles: gpu.storage_of(&format!("{name} tiles"), &direction.tiles)?,
            start: gpu.storage_of(&format!("{name} list starts"), &direction.start)?,
        })
    }
}

fn constants(network: &Network, layout: &NetworkLayout, batch_size: usize) -> NetworkUniform {
    NetworkUniform {
        stride: index_of(batch_size.div_ceil(4)),
        rows: index_of(layout.rows()),
        features: index_of(network.inputs()),
        classes: index_of(network.classes()),
        logits_row: index_of(layout.rows() - network.classes()),
        micro_blocks: index_of(layout.dense_len() / MICRO_BLOCK),
        sparse_values: index_of(layout.sparse_len()),
        first_bias: index_of(layout.first_bias()),
    }
}

/// The buffers in the order of [`Tensor`]; those that the settings have no use for stay tiny.
fn tensors(
    gpu: &Gpu,
    layout: &NetworkLayout,
    settings: &EngineSettings,
    constants: &NetworkUniform,
) -> Result<[wgpu::Buffer; 9]> {
    let rows = 16 * u64::from(constants.stride) * u64::from(constants.rows);
    let states = settings.optimizer.state_count() as u64;
    let (dense, sparse) = (4 * layout.dense_len() as u64, 4 * layout.sparse_len() as u64);
    let groups = if settings.penalties.group_lasso > 0.0 { 4 * u64::from(constants.features) } else { 0 };
    let masked = |bytes: u64| if settings.drop_connect > 0.0 { bytes } else { 0 };
    Ok([
        gpu.storage("activations", rows)?,
        gpu.storage("deltas", rows)?,
        gpu.storage("dense values", dense)?,
        gpu.storage("optimiser state of dense values", states * dense)?,
        gpu.storage("sparse values", sparse)?,
        gpu.storage("optimiser state of sparse values", states * sparse)?,
        gpu.storage("factors of groups", groups)?,
        gpu.storage("masked dense values", masked(dense))?,
        gpu.storage("masked sparse values", masked(sparse))?,
    ])
}

/// Uniforms at the distances that dynamic offsets need.
pub(super) fn strided_bytes<T: bytemuck::NoUninit>(values: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, value) in values.iter().enumerate() {
        bytes.resize(index * UNIFORM_STRIDE as usize, 0);
        bytes.extend_from_slice(bytemuck::bytes_of(value));
    }
    bytes
}
