//! The buffers of one network on one device, and the bind groups over them.

mod bind_groups;

use std::collections::HashMap;

use super::commands;
use super::device::Gpu;
use super::quad_lists::SparseOrder;
use super::share::Shares;
use super::tables::{Direction, Tables};
use super::uniforms::{LayerUniform, Metric, NetworkUniform, UNIFORM_STRIDE};
use crate::Result;
use crate::engine::EngineSettings;
use crate::engine::layout::{NetworkLayout, PackedValues};
use crate::network::Network;
use crate::tiles::{MICRO_BLOCK, index_of};

pub(super) use bind_groups::Weights;

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
    /// Sparse values, then biases, in the order of the layout.
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

/// Quads, tiles and lists of one direction.
struct DirectionBuffers {
    quads: wgpu::Buffer,
    tiles: wgpu::Buffer,
    listed: wgpu::Buffer,
    entry_rows: wgpu::Buffer,
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
    /// In the order of [`Tensor`], each with its number of values.
    tensors: Vec<(wgpu::Buffer, u64)>,
    forward: DirectionBuffers,
    backward: DirectionBuffers,
    /// All other index lists, by their names in shaders.
    lists: HashMap<&'static str, wgpu::Buffer>,
    pub(super) sample_index: wgpu::Buffer,
    metrics: wgpu::Buffer,
    /// Where sparse values stand.
    pub(super) order: SparseOrder,
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
        let constants = constants(network, layout, &tables, settings.batch_size);
        let mut layers = tables.forward.layers.clone();
        layers.extend(&tables.backward.layers);
        let steps_per_submit = (SAMPLES_PER_SUBMIT / settings.batch_size).clamp(1, STEPS_PER_SUBMIT);
        let layer_count = network.layers().len();
        let metric_columns = shares.logits.columns();
        let metric_groups = constants.stride.div_ceil(metric_columns) as usize;
        let metric_slots = (METRICS / metric_groups).clamp(steps_per_submit, METRIC_SLOTS);
        let tensors = tensors(layout, &tables.order, settings, &constants);
        let strided = |count: usize| count as u64 * u64::from(UNIFORM_STRIDE);
        let buffers = Self {
            constants,
            layer_count,
            steps_per_submit,
            step_uniform: gpu.uniform("steps", strided(steps_per_submit))?,
            dropout_uniform: gpu.uniform("dropout", strided(steps_per_submit * layer_count))?,
            network_uniform: gpu.uniform("the network", size_of::<NetworkUniform>() as u64)?,
            layer_uniform: gpu.uniform("layers", strided(layers.len()))?,
            tensors: tensors
                .into_iter()
                .map(|(name, count)| Ok((gpu.storage(name, 4 * count)?, count)))
                .collect::<Result<_>>()?,
            forward: DirectionBuffers::new(gpu, "forward", &tables.forward)?,
            backward: DirectionBuffers::new(gpu, "backward", &tables.backward)?,
            lists: lists(gpu, &tables)?,
            sample_index: gpu
                .storage("sample indices", 4 * (steps_per_submit * settings.batch_size) as u64)?,
            metrics: gpu.storage("metrics", (metric_slots * metric_groups * size_of::<Metric>()) as u64)?,
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

    /// Gives the memory on the device back; nothing may use the buffers any more.
    pub(super) fn free(&self) {
        let directions = [&self.forward, &self.backward].into_iter();
        let lists = directions.flat_map(|direction| {
            [&direction.quads, &direction.tiles, &direction.listed, &direction.entry_rows]
        });
        let tensors = self.tensors.iter().map(|(buffer, _)| buffer);
        lists.chain(tensors).chain(self.lists.values()).for_each(wgpu::Buffer::destroy);
    }

    /// The buffer of a tensor.
    pub(super) fn tensor(&self, tensor: Tensor) -> &wgpu::Buffer {
        &self.tensors[tensor as usize].0
    }

    /// Number of values of a tensor; 0 for one that the settings have no use for.
    pub(super) fn tensor_len(&self, tensor: Tensor) -> usize {
        usize::try_from(self.tensors[tensor as usize].1).expect("a buffer that exists fits usize")
    }

    /// Writes parameters and sets the optimiser's state to 0.
    pub(super) fn write_values(&self, gpu: &Gpu, values: &PackedValues) -> Result<()> {
        gpu.queue.write_buffer(self.tensor(Tensor::Dense), 0, bytemuck::cast_slice(&values.dense));
        let sparse = self.order.ordered(&values.sparse, 0.0);
        gpu.queue.write_buffer(self.tensor(Tensor::Sparse), 0, bytemuck::cast_slice(&sparse));
        let states = [Tensor::DenseState, Tensor::SparseState];
        commands::clear(gpu, &states.map(|state| self.tensor(state)))?;
        // A lost device shows only when one waits for it.
        gpu.wait(None)
    }

    /// Writes what the optimiser remembers, as much as it has.
    pub(super) fn write_memories(&self, gpu: &Gpu, memories: &[PackedValues]) -> Result<()> {
        for (index, memory) in (0u64..).zip(memories) {
            let sparse = self.order.ordered(&memory.sparse, 0.0);
            for (tensor, values) in [(Tensor::DenseState, &memory.dense), (Tensor::SparseState, &sparse)] {
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
        let (dense_len, sparse_len) = (layout.dense_len(), self.order.len());
        let dense: Vec<f32> = commands::read(gpu, self.tensor(Tensor::DenseState), count * dense_len)?;
        let sparse: Vec<f32> = commands::read(gpu, self.tensor(Tensor::SparseState), count * sparse_len)?;
        let memory = |index: usize| PackedValues {
            dense: dense[index * dense_len..][..dense_len].to_vec(),
            sparse: self.order.unordered(&sparse[index * sparse_len..][..sparse_len]),
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
        let sparse: Vec<f32> = commands::read(gpu, self.tensor(Tensor::Sparse), self.order.len())?;
        Ok(PackedValues {
            dense: commands::read(gpu, self.tensor(Tensor::Dense), layout.dense_len())?,
            sparse: self.order.unordered(&sparse),
        })
    }
}

impl DirectionBuffers {
    fn new(gpu: &Gpu, name: &str, direction: &Direction) -> Result<Self> {
        Ok(Self {
            quads: gpu.storage_of(&format!("{name} quads"), &direction.quads)?,
            tiles: gpu.storage_of(&format!("{name} tiles"), &direction.tiles)?,
            listed: gpu.storage_of(&format!("{name} micro-blocks of lists"), &direction.listed)?,
            entry_rows: gpu.storage_of(&format!("{name} rows of lists"), &direction.entry_rows)?,
        })
    }
}

/// The index lists that each stand in one buffer, by their names in shaders.
fn lists(gpu: &Gpu, tables: &Tables) -> Result<HashMap<&'static str, wgpu::Buffer>> {
    let (groups, connections) = (&tables.groups, &tables.connections);
    Ok(HashMap::from([
        ("entry_values", gpu.storage_of("sparse values by input", &tables.entry_values)?),
        ("micro_blocks", gpu.storage_of("micro-blocks", &tables.micro_blocks)?),
        ("entries", gpu.storage_of("ends of sparse edges", &tables.entries)?),
        ("group_start", gpu.storage_of("first weights of groups", &groups.start)?),
        ("group_values", gpu.storage_of("weights of groups", &groups.value)?),
        ("dense_connections", gpu.storage_of("numbers of dense edges", &connections.dense)?),
        ("sparse_connections", gpu.storage_of("numbers of sparse edges", &connections.sparse)?),
    ]))
}

fn constants(
    network: &Network,
    layout: &NetworkLayout,
    tables: &Tables,
    batch_size: usize,
) -> NetworkUniform {
    NetworkUniform {
        stride: index_of(batch_size.div_ceil(4)),
        rows: index_of(layout.rows()),
        features: index_of(network.inputs()),
        classes: index_of(network.classes()),
        logits_row: index_of(layout.rows() - network.classes()),
        micro_blocks: index_of(layout.dense_len() / MICRO_BLOCK),
        sparse_values: index_of(tables.order.len()),
        first_bias: index_of(tables.order.first_bias()),
        micro_block_pairs: index_of(tables.micro_blocks.len()),
        entry_pairs: index_of(tables.entries.len()),
    }
}

/// Name and number of values of each tensor, in the order of [`Tensor`]; 0 for those that the settings have no use for.
fn tensors(
    layout: &NetworkLayout,
    order: &SparseOrder,
    settings: &EngineSettings,
    constants: &NetworkUniform,
) -> [(&'static str, u64); 9] {
    let rows = 4 * u64::from(constants.stride) * u64::from(constants.rows);
    let states = settings.optimizer.state_count() as u64;
    let (dense, sparse) = (layout.dense_len() as u64, order.len() as u64);
    let where_used = |used: bool, count: u64| if used { count } else { 0 };
    let (groups, masks) = (settings.penalties.group_lasso > 0.0, settings.drop_connect > 0.0);
    [
        ("activations", rows),
        ("deltas", rows),
        ("dense values", dense),
        ("optimiser state of dense values", states * dense),
        ("sparse values", sparse),
        ("optimiser state of sparse values", states * sparse),
        ("factors of groups", where_used(groups, u64::from(constants.features))),
        ("masked dense values", where_used(masks, dense)),
        ("masked sparse values", where_used(masks, sparse)),
    ]
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
