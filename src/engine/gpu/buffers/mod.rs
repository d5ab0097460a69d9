//! The buffers of one network on one device, and the bind groups over them.

mod bind_groups;
mod seen;

use std::borrow::Cow;
use std::collections::HashMap;

use super::commands;
use super::device::Gpu;
use super::quad_lists::ValueOrder;
use super::share::Shares;
use super::tables::{Direction, Tables};
use super::uniforms::{LayerUniform, Metric, NetworkUniform, PartUniform, UNIFORM_STRIDE};
use crate::Result;
use crate::engine::EngineSettings;
use crate::engine::layout::{NetworkLayout, PackedValues};
use crate::network::Network;
use crate::tiles::{QUAD, index_of};

pub(super) use bind_groups::Weights;
pub(super) use seen::Seen;

/// Maximum number of steps whose outcome stays on the device before it is read back.
const METRIC_SLOTS: usize = 1024;
/// Maximum number of metrics on the device, one for each workgroup of each step, if enough for one submit.
const METRICS: usize = 1 << 20;
/// Maximum number of steps of one submit.
const STEPS_PER_SUBMIT: usize = 32;
/// Maximum number of parts into which the workgroups of a dispatch can be cut.
pub(super) const PARTS: usize = 256;
/// Maximum number of samples of one submit with more than one step; bounds the index list.
const SAMPLES_PER_SUBMIT: usize = 1 << 20;

/// A storage buffer that kernels bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Buffer {
    /// `[neuron][sample]`, rows padded to [`super::Probe::row_len`].
    Activations,
    /// As activations.
    Deltas,
    /// All parameters: micro-blocks, sparse edges by entries, biases.
    Values,
    /// Optimiser state: `[state][value]`.
    State,
    /// Values under DropConnect's mask.
    Masked,
    /// Masked values in steps that drop connections, otherwise the values.
    Weights,
    /// Factor of each input of the network under a group lasso.
    GroupFactors,
    /// Quads and tiles of outputs.
    ForwardDirectory,
    /// Rows of the inputs of entries.
    ForwardRows,
    /// Micro-blocks outside of tiles, by output.
    ForwardListed,
    /// Quads and tiles of inputs.
    BackwardDirectory,
    /// Rows of the outputs of entries.
    BackwardRows,
    /// Places of the values of entries by input.
    BackwardValues,
    /// Micro-blocks outside of tiles, by input.
    BackwardListed,
    /// Pairs of micro-blocks.
    MicroBlocks,
    /// Pairs of entries.
    Entries,
    /// First weight of each group of the group lasso.
    GroupStart,
    /// Places of the weights of groups.
    GroupValues,
    /// Number of the connection that each value is.
    Connections,
    /// The samples of a submit, by number in the data set.
    SampleIndex,
    /// Labels of a batch.
    BatchLabels,
    /// Metrics of the workgroups of steps.
    Metrics,
    /// Features of the data set.
    Features,
    /// Labels of the data set.
    Labels,
}

impl Buffer {
    /// A description for people.
    fn what(self) -> &'static str {
        match self {
            Self::Activations => "activations",
            Self::Deltas => "deltas",
            Self::Values | Self::Weights => "values",
            Self::State => "optimiser state",
            Self::Masked => "masked values",
            Self::GroupFactors => "factors of groups",
            Self::ForwardDirectory => "forward quads and tiles",
            Self::ForwardRows => "forward rows of lists",
            Self::ForwardListed => "forward micro-blocks of lists",
            Self::BackwardDirectory => "backward quads and tiles",
            Self::BackwardRows => "backward rows of lists",
            Self::BackwardValues => "sparse values by input",
            Self::BackwardListed => "backward micro-blocks of lists",
            Self::MicroBlocks => "micro-blocks",
            Self::Entries => "ends of sparse edges",
            Self::GroupStart => "first weights of groups",
            Self::GroupValues => "weights of groups",
            Self::Connections => "numbers of connections",
            Self::SampleIndex => "sample indices",
            Self::BatchLabels => "labels of a batch",
            Self::Metrics => "metrics",
            Self::Features => "features",
            Self::Labels => "labels",
        }
    }
}

/// All buffers but those of the data.
pub(super) struct NetworkBuffers {
    pub(super) constants: NetworkUniform,
    /// The neurons that forward writes, for each layer, then those of backward_input, for each layer but the first.
    pub(super) layers: Vec<LayerUniform>,
    pub(super) layer_count: usize,
    pub(super) steps_per_submit: usize,
    pub(super) step_uniform: wgpu::Buffer,
    pub(super) dropout_uniform: wgpu::Buffer,
    network_uniform: wgpu::Buffer,
    layer_uniform: wgpu::Buffer,
    part_uniform: wgpu::Buffer,
    /// All storage buffers but [`Buffer::Weights`], which is one of two, and those of the data.
    storage: HashMap<Buffer, wgpu::Buffer>,
    /// The places of values.
    pub(super) order: ValueOrder,
    /// Columns of 4 samples per metric.
    metric_columns: u32,
    /// Metrics of one step.
    metric_groups: usize,
    /// Number of steps that fit the metrics.
    pub(super) metric_slots: usize,
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
        let constants = constants(network, layout, &tables, settings);
        let mut layers = tables.forward.layers.clone();
        layers.extend(&tables.backward.layers);
        let steps_per_submit = (SAMPLES_PER_SUBMIT / settings.batch_size).clamp(1, STEPS_PER_SUBMIT);
        let layer_count = network.layers().len();
        let metric_columns = shares.logits.columns();
        let metric_groups = constants.stride.div_ceil(metric_columns) as usize;
        let metric_slots = (METRICS / metric_groups).clamp(steps_per_submit, METRIC_SLOTS);
        let mut storage = lists(gpu, &tables)?;
        let samples = (steps_per_submit * settings.batch_size) as u64;
        let metrics = (metric_slots * metric_groups * size_of::<Metric>()) as u64;
        let labels = 16 * u64::from(constants.stride) * u64::from(constants.label_words);
        let others =
            [(Buffer::SampleIndex, 4 * samples), (Buffer::Metrics, metrics), (Buffer::BatchLabels, labels)];
        let tensors = tensors(settings, &constants).map(|(buffer, values)| (buffer, 4 * values));
        for (buffer, bytes) in tensors.into_iter().chain(others) {
            storage.insert(buffer, gpu.storage(buffer.what(), bytes)?);
        }
        let strided = |count: usize| count as u64 * u64::from(UNIFORM_STRIDE);
        let buffers = Self {
            constants,
            layer_count,
            steps_per_submit,
            step_uniform: gpu.uniform("steps", strided(steps_per_submit))?,
            dropout_uniform: gpu.uniform("dropout", strided(steps_per_submit * layer_count))?,
            network_uniform: gpu.uniform("the network", size_of::<NetworkUniform>() as u64)?,
            layer_uniform: gpu.uniform("layers", strided(layers.len()))?,
            part_uniform: gpu.uniform("parts", strided(PARTS))?,
            storage,
            order: tables.order,
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

    /// Fills the table of parts, given the workgroups of each.
    pub(super) fn write_parts(&self, gpu: &Gpu, unit: u64) -> Result<()> {
        let part = |number: u64| PartUniform {
            // Parts after the last workgroup are never dispatched.
            first_group: u32::try_from(number * unit).unwrap_or(u32::MAX),
            reserved: [0; 3],
        };
        let parts: Vec<_> = (0..PARTS as u64).map(part).collect();
        gpu.queue.write_buffer(&self.part_uniform, 0, &strided_bytes(&parts));
        gpu.check()
    }

    /// Frees the memory on the device; nothing may use the buffers afterwards.
    pub(super) fn free(&self) {
        self.storage.values().for_each(wgpu::Buffer::destroy);
    }

    /// A storage buffer of the network: not [`Buffer::Weights`], and none of the data's.
    pub(super) fn of(&self, buffer: Buffer) -> &wgpu::Buffer {
        &self.storage[&buffer]
    }

    /// Writes parameters and sets the optimiser's state to 0.
    pub(super) fn write_values(&self, gpu: &Gpu, values: &PackedValues) -> Result<()> {
        let ordered = self.order.ordered(&values.dense, &values.sparse, 0.0);
        gpu.queue.write_buffer(self.of(Buffer::Values), 0, bytemuck::cast_slice(&ordered));
        commands::clear(gpu, &[self.of(Buffer::State)])?;
        // A lost device is noticed only by waiting for it.
        gpu.wait(None)
    }

    /// Writes the optimiser state, as much as there is.
    pub(super) fn write_memories(&self, gpu: &Gpu, memories: &[PackedValues]) -> Result<()> {
        for (index, memory) in (0u64..).zip(memories) {
            let ordered = self.order.ordered(&memory.dense, &memory.sparse, 0.0);
            let offset = index * size_of_val(ordered.as_slice()) as u64;
            gpu.queue.write_buffer(self.of(Buffer::State), offset, bytemuck::cast_slice(&ordered));
        }
        // Writes are sent to the device with the next submit.
        gpu.queue.submit([]);
        gpu.check()?;
        gpu.wait(None)
    }

    /// Reads back the optimiser state, this many values per parameter.
    pub(super) fn read_memories(&self, gpu: &Gpu, count: usize) -> Result<Vec<PackedValues>> {
        let len = self.order.len();
        let state: Vec<f32> = commands::read(gpu, self.of(Buffer::State), count * len)?;
        Ok(state.chunks(len).map(|memory| self.order.unordered(memory.to_vec())).collect())
    }

    /// The outcomes of steps over this many samples each, from the first metrics slots.
    ///
    /// The metrics of a step are added up in the order of its workgroups.
    pub(super) fn read_metrics(&self, gpu: &Gpu, samples: &[usize]) -> Result<Vec<Seen>> {
        let count = samples.len() * self.metric_groups;
        let metrics: Vec<Metric> = commands::read(gpu, self.of(Buffer::Metrics), count)?;
        let steps = samples.iter().zip(metrics.chunks(self.metric_groups));
        let seen = steps.map(|(samples, metrics)| {
            let groups = samples.div_ceil(4).div_ceil(self.metric_columns as usize);
            metrics[..groups].iter().fold(Seen::default(), Seen::plus)
        });
        Ok(seen.collect())
    }

    /// Reads parameters back.
    pub(super) fn read_values(&self, gpu: &Gpu) -> Result<PackedValues> {
        let values = commands::read(gpu, self.of(Buffer::Values), self.order.len())?;
        Ok(self.order.unordered(values))
    }
}

/// The index lists.
fn lists(gpu: &Gpu, tables: &Tables) -> Result<HashMap<Buffer, wgpu::Buffer>> {
    fn bytes<T: bytemuck::NoUninit>(list: &[T]) -> Cow<'_, [u8]> {
        Cow::Borrowed(bytemuck::cast_slice(list))
    }
    let (groups, forward, backward) = (&tables.groups, &tables.forward, &tables.backward);
    let directory = |of: &Direction| Cow::Owned(bytemuck::cast_slice(&of.directory()).to_vec());
    let lists = [
        (Buffer::ForwardDirectory, directory(forward)),
        (Buffer::ForwardRows, bytes(&forward.entry_rows)),
        (Buffer::ForwardListed, bytes(&forward.listed)),
        (Buffer::BackwardDirectory, directory(backward)),
        (Buffer::BackwardRows, bytes(&backward.entry_rows)),
        (Buffer::BackwardValues, bytes(&tables.entry_values)),
        (Buffer::BackwardListed, bytes(&backward.listed)),
        (Buffer::MicroBlocks, bytes(&tables.micro_blocks)),
        (Buffer::Entries, bytes(&tables.entries)),
        (Buffer::GroupStart, bytes(&groups.start)),
        (Buffer::GroupValues, bytes(&groups.value)),
        (Buffer::Connections, bytes(&tables.connections)),
    ];
    lists.into_iter().map(|(buffer, list)| Ok((buffer, gpu.storage_of(buffer.what(), &list[..])?))).collect()
}

fn constants(
    network: &Network,
    layout: &NetworkLayout,
    tables: &Tables,
    settings: &EngineSettings,
) -> NetworkUniform {
    NetworkUniform {
        stride: index_of(settings.batch_size.div_ceil(4)),
        rows: index_of(layout.rows()),
        features: index_of(network.inputs()),
        classes: index_of(network.classes()),
        logits_row: index_of(layout.rows() - network.classes()),
        values: index_of(tables.order.len() / QUAD),
        first_entry: index_of(tables.order.first_entry()),
        first_bias: index_of(tables.order.first_bias()),
        micro_block_pairs: index_of(tables.micro_blocks.len()),
        entry_pairs: index_of(tables.entries.len()),
        label_words: 1 + if settings.loss.is_of_classes() { 1 } else { index_of(network.classes()) },
    }
}

/// Number of values of each buffer of numbers; 0 for unused ones.
fn tensors(settings: &EngineSettings, constants: &NetworkUniform) -> [(Buffer, u64); 6] {
    let rows = 4 * u64::from(constants.stride) * u64::from(constants.rows);
    let values = 4 * u64::from(constants.values);
    let where_used = |used: bool, count: u64| if used { count } else { 0 };
    let (groups, masks) = (settings.penalties.group_lasso > 0.0, settings.drop_connect > 0.0);
    [
        (Buffer::Activations, rows),
        (Buffer::Deltas, rows),
        (Buffer::Values, values),
        (Buffer::State, settings.optimizer.state_count() as u64 * values),
        (Buffer::Masked, where_used(masks, values)),
        (Buffer::GroupFactors, where_used(groups, u64::from(constants.features))),
    ]
}

/// Number of values of a buffer of numbers; 0 of any other.
pub(super) fn len_of(settings: &EngineSettings, constants: &NetworkUniform, buffer: Buffer) -> usize {
    let found = tensors(settings, constants).into_iter().find(|(one, _)| *one == buffer);
    found.map_or(0, |(_, len)| usize::try_from(len).expect("a buffer that exists fits usize"))
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
