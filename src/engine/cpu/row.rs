//! Activations and deltas in kernels: chunks of a batch, one row of lanes per neuron.

use crate::tiles::QUAD;
use bytemuck::{Pod, Zeroable};

/// Samples of a batch that are worked on together, one in each lane of a row.
pub const LANES: usize = 32;

/// One neuron's values for the samples of one chunk, on its own cache lines.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Row(pub [f32; LANES]);

impl Row {
    /// All lanes 0.
    pub const ZERO: Self = Self([0.0; LANES]);
}

/// All rows of the network for the samples of one chunk, and a few more, so that a
/// micro-block at the end of the last tile finds four.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Outputs of every neuron, `[row]`.
    pub activations: Vec<Row>,
    /// Gradients of the loss by every neuron's weighted sum, `[row]`.
    pub deltas: Vec<Row>,
}

impl Chunk {
    /// Buffers for a network of this many rows.
    pub fn new(rows: usize) -> Self {
        let rows = rows + QUAD - 1;
        Self { activations: vec![Row::ZERO; rows], deltas: vec![Row::ZERO; rows] }
    }
}
