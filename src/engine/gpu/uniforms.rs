//! The structs that kernels read; twins: `shaders/common/uniforms.wgsl` and
//! `tables.wgsl`, compared by a test.

use bytemuck::{NoUninit, Pod, Zeroable};

use crate::engine::{PenaltyRule, UpdateRule};
use crate::network::drop_connect::ConnectionMask;

/// Distance between the parts of a buffer that a dynamic offset chooses from.
pub const UNIFORM_STRIDE: u32 = 256;

/// Constants of a network and a batch size.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct NetworkUniform {
    /// `vec4`s in one row of activations or deltas.
    pub stride: u32,
    /// Neurons of the whole network.
    pub rows: u32,
    /// Input neurons.
    pub features: u32,
    /// Logits.
    pub classes: u32,
    /// Row of the first logit.
    pub logits_row: u32,
    /// `vec4`s of micro-blocks, entries of lists, biases and zeros.
    pub values: u32,
    /// `vec4` of the first entry.
    pub first_entry: u32,
    /// Place of the first bias among all values.
    pub first_bias: u32,
    /// Pairs of micro-blocks.
    pub micro_block_pairs: u32,
    /// Pairs of entries of the lists of outputs.
    pub entry_pairs: u32,
    /// Words of each sample in the lists of labels: its label, or its targets, then its weight.
    pub label_words: u32,
}

/// Values that change from step to step.
#[derive(Clone, Copy, Debug, PartialEq, NoUninit, Zeroable)]
#[repr(C)]
pub struct StepUniform {
    /// Samples of the batch.
    pub samples: u32,
    /// `vec4`s that hold them.
    pub columns: u32,
    /// Place of the batch's first sample in the index list.
    pub first_sample: u32,
    /// Where to write loss and correct samples.
    pub metrics_slot: u32,
    /// 0 in evaluation.
    pub training: u32,
    /// Share of the targets that is spread evenly over all classes; 0 in evaluation.
    pub label_smoothing: f32,
    /// Which loss.
    pub loss: u32,
    /// The error from which Huber's loss is linear.
    pub loss_delta: f32,
    /// How parameters change.
    pub rule: UpdateRule,
    /// The penalties in their gradients.
    pub penalties: PenaltyRule,
    /// Which connections are kept.
    pub connections: ConnectionsUniform,
}

/// DropConnect of all connections in one step.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct ConnectionsUniform {
    /// Key of seed and step.
    pub key: [u32; 2],
    /// A connection is kept if its hash is below; `u32::MAX` keeps all.
    pub threshold: u32,
    /// Factor of kept weights.
    pub scale: f32,
}

impl ConnectionsUniform {
    pub(super) fn new(mask: Option<ConnectionMask>) -> Self {
        mask.map_or(Self { key: [0; 2], threshold: u32::MAX, scale: 1.0 }, |mask| Self {
            key: mask.key.0,
            threshold: mask.threshold,
            scale: mask.scale,
        })
    }
}

/// The neurons that a forward or backward_input dispatch writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LayerUniform {
    /// First quad in the direction's list.
    pub first_quad: u32,
    /// Number of quads.
    pub quads: u32,
    /// Activation of these neurons.
    pub activation: u32,
    /// Row of the first of them.
    pub first_row: u32,
}

/// Dropout of one layer's outputs in one step.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct DropoutUniform {
    /// Key of seed, step and layer.
    pub key: [u32; 2],
    /// A unit is kept if its hash is below; `u32::MAX` keeps all.
    pub threshold: u32,
    /// Kept values are divided by it.
    pub keep_probability: f32,
}

/// The workgroups of a kernel in one dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct PartUniform {
    /// Number of the first.
    pub first_group: u32,
    /// Nothing.
    pub reserved: [u32; 3],
}

/// Up to 4 consecutive neurons that one invocation owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Quad {
    /// First neuron.
    pub row: u32,
    /// Number of neurons, 1 to 4.
    pub lanes: u32,
    /// Number of the quad in its block.
    pub place: u32,
    /// First dense tile of its block; in kernels where it begins in the directory, in `vec4`s.
    pub first_tile: u32,
    /// End of the dense tiles of its block.
    pub end_tile: u32,
    /// First micro-block of its list of those outside of tiles.
    pub first_block: u32,
    /// End of that list.
    pub end_block: u32,
    /// First entry of its list of sparse edges.
    pub first_entry: u32,
    /// End of its list.
    pub end_entry: u32,
}

/// A dense tile as seen from the owned neurons: block `k` of the quad
/// in place `q` is micro-block `first_block + q * quad_step + k * block_step`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Tile {
    /// First micro-block.
    pub first_block: u32,
    /// From one quad to the next.
    pub quad_step: u32,
    /// From one block of a quad to the next.
    pub block_step: u32,
    /// Number of blocks along the far side.
    pub blocks: u32,
    /// First neuron of the far side.
    pub row: u32,
    /// Last neuron of the far side.
    pub last_row: u32,
}

/// `vec4`s that a quad has in the directory. Twin: `shaders/common/tables.wgsl`.
pub const QUAD_VECTORS: u32 = 3;
/// `vec4`s that a tile has in the directory. Twin: `shaders/common/tables.wgsl`.
pub const TILE_VECTORS: u32 = 2;

impl Quad {
    /// The words in the directory.
    pub(super) fn words(&self) -> [u32; 4 * QUAD_VECTORS as usize] {
        whole_vectors(self)
    }
}

impl Tile {
    /// The words in the directory.
    pub(super) fn words(&self) -> [u32; 4 * TILE_VECTORS as usize] {
        whole_vectors(self)
    }
}

/// The words of a struct of the directory, filled up with 0.
fn whole_vectors<const WORDS: usize>(of: &impl NoUninit) -> [u32; WORDS] {
    let mut words = [0; WORDS];
    let there: &[u32] = bytemuck::cast_slice(std::slice::from_ref(of));
    words[..there.len()].copy_from_slice(there);
    words
}

/// A micro-block of a quad's list, with all 16 weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct ListedBlock {
    /// Where its values begin, in `vec4`s.
    pub slot: u32,
    /// Where its first row on the far side begins, in `vec4`s.
    pub at: u32,
}

/// Two micro-blocks of one output quad, or one twice: where their neurons are, and which of their values are edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct MicroBlockPair {
    /// Row of their first output.
    pub output_row: u32,
    /// One bit for each value of the first, then of the second; none of a second that is the first.
    pub masks: u32,
    /// Row of the first input of each.
    pub inputs: [u32; 2],
    /// `vec4` of the first values of each: kernels visit micro-blocks in another order than that of storage.
    pub places: [u32; 2],
    /// Nothing.
    pub reserved: [u32; 2],
}

/// Two entries of an output quad's list, or one twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct EntryPair {
    /// Where the rows of the first one's inputs begin, in `vec4`s; in empty places any of them.
    pub inputs: [u32; 4],
    /// The same of the second.
    pub next_inputs: [u32; 4],
    /// Row of the quad's first output.
    pub output_row: u32,
    /// One bit for each place of the first that has an edge, then of the second; none of a second that is the first.
    pub masks: u32,
    /// `vec4` of the values of each.
    pub places: [u32; 2],
}

/// The metrics of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Metric {
    /// Loss, summed over the batch.
    pub loss: f32,
    /// Samples whose greatest logit was their label's; with several labels, those with no wrong one.
    pub correct: u32,
    /// Squared errors of regression, summed over the batch.
    pub squared: f32,
    /// Absolute errors of regression, likewise.
    pub absolute: f32,
}
