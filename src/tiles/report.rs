//! The content and the memory of the tiles of a layer, for reports.

use std::collections::BTreeMap;

use super::TiledLayer;
use crate::topology::Topology;

/// How full one tile is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileDensity {
    /// The block of the layer's outputs.
    pub output_block: usize,
    /// The block of the layer's inputs.
    pub input_block: usize,
    /// Number of edges in the tile.
    pub edges: usize,
    /// Number of edges the tile could hold.
    pub area: usize,
}

impl TileDensity {
    /// Share of the possible edges that exist, 0 to 1.
    pub fn density(&self) -> f64 {
        self.edges as f64 / self.area as f64
    }

    /// The tiles of a layer that have an edge, by output block, then input block.
    pub fn of(topology: &Topology) -> Vec<Self> {
        let (outputs, inputs) = (topology.outputs(), topology.inputs());
        let mut edges = BTreeMap::<(usize, usize), usize>::new();
        for (output, input) in topology.edge_ends() {
            *edges.entry((outputs.block_of(output), inputs.block_of(input))).or_default() += 1;
        }
        let tile = |((output_block, input_block), edges)| {
            let area = outputs.block(output_block).len() * inputs.block(input_block).len();
            Self { output_block, input_block, edges, area }
        };
        edges.into_iter().map(tile).collect()
    }
}

/// Bytes of the weights of one packed layer on a device, without optimiser state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerMemory {
    /// Values of edges, 4 bytes each.
    pub edge_bytes: usize,
    /// Values in dense tiles without an edge.
    pub padding_bytes: usize,
    /// Index lists of sparse tiles; places and masks of micro-blocks; tile headers.
    pub index_bytes: usize,
}

impl LayerMemory {
    /// All of it.
    pub fn total(&self) -> usize {
        self.edge_bytes + self.padding_bytes + self.index_bytes
    }
}

impl TiledLayer {
    /// The memory of the packed layer.
    pub fn memory(&self) -> LayerMemory {
        let lists = self.sparse();
        let blocks = self.listed();
        let words = blocks.row_start.len()
            + blocks.input.len()
            + blocks.column_start.len()
            + blocks.output.len()
            + blocks.block.len()
            + lists.row_start.len()
            + lists.input.len()
            + lists.column_start.len()
            + lists.output.len()
            + lists.value.len();
        LayerMemory {
            edge_bytes: 4 * self.edges(),
            padding_bytes: 4 * (self.slots() - self.edges()),
            index_bytes: 4 * words + size_of_val(self.micro_blocks()) + size_of_val(self.dense_tiles()),
        }
    }
}
