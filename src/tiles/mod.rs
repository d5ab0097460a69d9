//! Packs the edges of a layer into tiles, the units that kernels work on.
//!
//! A tile is the part of a layer between one input block and one output block.
//! A tile above a density is stored **dense**: cut into [`MicroBlock`]s of 4 x 4
//! values with a 16-bit mask each, read without any index. All other tiles are
//! stored **sparse**: only their edges, with index lists by output and by input
//! ([`SparseLists`]). A layer of whole micro-blocks, in any places, can be stored as a **list** of them
//! ([`BlockLists`]): without padding, and with one index for 16 values. A [`TiledLayer`] says for every canonical edge of the
//! [`Topology`](crate::topology::Topology) in which *slot* its value is, so that values can be packed
//! and unpacked; a slot is a place in the layer's dense values followed by its
//! sparse values.

mod pack;
mod report;

use crate::topology::Partition;

pub use report::{LayerMemory, TileDensity};

/// Side of a [`MicroBlock`].
pub const QUAD: usize = 4;
/// Number of slots of a [`MicroBlock`].
pub const MICRO_BLOCK: usize = QUAD * QUAD;

/// A place or number of places in a network's lists, for kernels.
///
/// Edges stay below 2^31, and only tiles with an edge are stored dense, so this holds except for absurdly
/// padded layers.
pub(crate) fn index_of(place: usize) -> u32 {
    u32::try_from(place).expect("a network's lists stay below 2^32 entries")
}

/// When a tile is stored dense.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TilePolicy {
    /// Tiles of at least this density are stored dense; above 1, none is.
    pub dense_from: f64,
    /// Whether a layer of whole micro-blocks that is not fully connected is stored as a list of them.
    pub lists_blocks: bool,
}

impl TilePolicy {
    /// Every tile that has an edge is stored dense.
    pub const ALL_DENSE: Self = Self::dense_from(0.0);
    /// Every tile is stored sparse.
    pub const ALL_SPARSE: Self = Self::dense_from(2.0);

    /// Tiles of at least this density are stored dense, all others sparse.
    pub const fn dense_from(density: f64) -> Self {
        Self { dense_from: density, lists_blocks: false }
    }

    /// The same, but layers of whole micro-blocks are stored as lists of them.
    pub const fn listing_blocks(self) -> Self {
        Self { lists_blocks: true, ..self }
    }
}

/// 4 consecutive outputs x 4 consecutive inputs of a dense tile.
///
/// The value between input `input + k` and output `output + j` is in slot
/// `16 * m + 4 * k + j` of micro-block `m`. A micro-block at the edge of its tile
/// has lanes beyond the tile; their mask bits are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MicroBlock {
    /// First output neuron.
    pub output: u32,
    /// First input neuron.
    pub input: u32,
    /// Bit `4 * k + j` is set if the edge between `input + k` and `output + j` exists.
    pub mask: u16,
}

/// A tile stored as a grid of micro-blocks, `[output quad][input quad]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseTile {
    /// The block of the layer's outputs.
    pub output_block: u32,
    /// The block of the layer's inputs.
    pub input_block: u32,
    /// Its first micro-block, in the layer's list.
    pub first: u32,
    /// Number of micro-blocks down the outputs.
    pub output_quads: u32,
    /// Number of micro-blocks along the inputs.
    pub input_quads: u32,
}

/// The edges of all sparse tiles of a layer, by output and by input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SparseLists {
    /// First sparse value of each output, then their number: `[outputs + 1]`.
    pub row_start: Vec<u32>,
    /// Input neuron of each sparse value, increasing within an output: `[values]`.
    pub input: Vec<u32>,
    /// First entry of each input, then the number of entries: `[inputs + 1]`.
    pub column_start: Vec<u32>,
    /// Output neuron of each entry by input: `[values]`.
    pub output: Vec<u32>,
    /// Place among the sparse values of each entry by input: `[values]`.
    pub value: Vec<u32>,
}

/// The micro-blocks of a layer of whole ones, by quad of outputs and by quad of inputs; empty for any other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockLists {
    /// First micro-block of each output quad, then their number: `[output quads + 1]`.
    pub row_start: Vec<u32>,
    /// Input quad of each micro-block, increasing within an output quad: `[micro-blocks]`.
    pub input: Vec<u32>,
    /// First entry of each input quad, then the number of entries: `[input quads + 1]`.
    pub column_start: Vec<u32>,
    /// Output quad of each entry by input: `[micro-blocks]`.
    pub output: Vec<u32>,
    /// Micro-block of each entry by input: `[micro-blocks]`.
    pub block: Vec<u32>,
}

/// One layer, packed. Immutable, like the [`Topology`](crate::topology::Topology) it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TiledLayer {
    inputs: Partition,
    outputs: Partition,
    /// By output block, then input block.
    dense: Vec<DenseTile>,
    /// Places in `dense`, by input block, then output block.
    dense_by_input: Vec<u32>,
    micro_blocks: Vec<MicroBlock>,
    listed: BlockLists,
    sparse: SparseLists,
    /// Slot of each canonical edge: `[edges]`.
    slot: Vec<u32>,
}

impl TiledLayer {
    /// The inputs and their blocks.
    pub fn inputs(&self) -> &Partition {
        &self.inputs
    }

    /// The outputs and their blocks.
    pub fn outputs(&self) -> &Partition {
        &self.outputs
    }

    /// The dense tiles, by output block, then input block.
    pub fn dense_tiles(&self) -> &[DenseTile] {
        &self.dense
    }

    /// The dense tiles of one output block, by input block.
    pub fn dense_tiles_into(&self, output_block: usize) -> &[DenseTile] {
        let from = |block: usize| self.dense.partition_point(|tile| (tile.output_block as usize) < block);
        &self.dense[from(output_block)..from(output_block + 1)]
    }

    /// The dense tiles of one input block, by output block.
    pub fn dense_tiles_out_of(&self, input_block: usize) -> impl Iterator<Item = &DenseTile> + Clone {
        let tile = |place: &u32| &self.dense[*place as usize];
        let from = |block: usize| {
            self.dense_by_input.partition_point(|place| (tile(place).input_block as usize) < block)
        };
        self.dense_by_input[from(input_block)..from(input_block + 1)].iter().map(tile)
    }

    /// The micro-blocks of all dense tiles, or those of the lists.
    pub fn micro_blocks(&self) -> &[MicroBlock] {
        &self.micro_blocks
    }

    /// Whether the layer is stored as lists of micro-blocks.
    pub fn is_listed(&self) -> bool {
        !self.listed.input.is_empty()
    }

    /// The lists of micro-blocks.
    pub fn listed(&self) -> &BlockLists {
        &self.listed
    }

    /// The lists of all sparse tiles.
    pub fn sparse(&self) -> &SparseLists {
        &self.sparse
    }

    /// Number of edges, dense and sparse.
    pub fn edges(&self) -> usize {
        self.slot.len()
    }

    /// Number of stored dense values, padding included.
    pub fn dense_slots(&self) -> usize {
        self.micro_blocks.len() * MICRO_BLOCK
    }

    /// Number of stored values, padding included.
    pub fn slots(&self) -> usize {
        self.dense_slots() + self.sparse.input.len()
    }

    /// Slot of each canonical edge: `[edges]`.
    pub fn slot_of_edge(&self) -> &[u32] {
        &self.slot
    }

    /// Moves values from canonical order to slots; padding is 0.
    ///
    /// # Panics
    /// If there is not one value for each edge.
    pub fn pack_values(&self, canonical: &[f32]) -> Vec<f32> {
        assert_eq!(canonical.len(), self.edges(), "one value for each edge");
        let mut slots = vec![0.0; self.slots()];
        for (slot, value) in self.slot.iter().zip(canonical) {
            slots[*slot as usize] = *value;
        }
        slots
    }

    /// Moves values from slots back to canonical order.
    ///
    /// # Panics
    /// If there is not one value for each slot.
    pub fn unpack_values(&self, slots: &[f32]) -> Vec<f32> {
        assert_eq!(slots.len(), self.slots(), "one value for each slot");
        self.slot.iter().map(|slot| slots[*slot as usize]).collect()
    }
}
