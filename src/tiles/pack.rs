//! Packing: from a topology to tiles.

use std::collections::HashMap;

use super::{
    BlockLists, DenseTile, MICRO_BLOCK, MicroBlock, QUAD, SparseLists, TileDensity, TilePolicy, TiledLayer,
    index_of,
};
use crate::topology::{Grain, Topology};

/// An empty place.
const UNPLACED: u32 = u32::MAX;

impl TiledLayer {
    /// Packs a layer's edges into tiles, dense ones by the policy.
    pub fn pack(topology: &Topology, policy: TilePolicy) -> Self {
        let listed =
            if policy.lists_blocks { lists_of(topology).unwrap_or_default() } else { BlockLists::default() };
        let (dense, micro_blocks) = if listed.input.is_empty() {
            lay_out_dense(topology, policy)
        } else {
            (Vec::new(), micro_blocks(&listed))
        };
        let mut dense_by_input: Vec<u32> = (0..index_of(dense.len())).collect();
        dense_by_input.sort_by_key(|place| dense[*place as usize].input_block);
        let mut layer = Self {
            inputs: topology.inputs().clone(),
            outputs: topology.outputs().clone(),
            dense,
            dense_by_input,
            micro_blocks,
            listed,
            sparse: SparseLists::default(),
            slot: vec![UNPLACED; topology.edges()],
        };
        layer.place_listed_edges(topology);
        layer.place_dense_edges(topology);
        layer.place_sparse_edges(topology);
        layer
    }

    /// Gives each edge of a list of micro-blocks its slot.
    fn place_listed_edges(&mut self, topology: &Topology) {
        for (quad, bounds) in self.listed.row_start.windows(2).enumerate() {
            for lane in 0..QUAD {
                // Four edges for each of the quad's micro-blocks.
                let edges = topology.row(quad * QUAD + lane);
                let slots = (bounds[0]..bounds[1]).flat_map(|block| {
                    (0..QUAD).map(move |k| index_of(block as usize * MICRO_BLOCK + QUAD * k + lane))
                });
                self.slot[edges].iter_mut().zip(slots).for_each(|(place, slot)| *place = slot);
            }
        }
    }

    /// Gives each edge in a dense tile its slot and its mask bit.
    fn place_dense_edges(&mut self, topology: &Topology) {
        let tiles: HashMap<(u32, u32), DenseTile> =
            self.dense.iter().map(|tile| ((tile.output_block, tile.input_block), *tile)).collect();
        for (edge, (output, input)) in topology.edge_ends().enumerate() {
            let (output_block, input_block) = (self.outputs.block_of(output), self.inputs.block_of(input));
            let Some(tile) = tiles.get(&(index_of(output_block), index_of(input_block))) else { continue };
            let row = output - self.outputs.block(output_block).start;
            let column = input - self.inputs.block(input_block).start;
            let block = tile.first as usize + row / QUAD * tile.input_quads as usize + column / QUAD;
            let lane = column % QUAD * QUAD + row % QUAD;
            self.micro_blocks[block].mask |= 1 << lane;
            self.slot[edge] = index_of(block * MICRO_BLOCK + lane);
        }
    }

    /// Gives the remaining edges, in canonical order, a slot after the dense ones.
    fn place_sparse_edges(&mut self, topology: &Topology) {
        let first_slot = index_of(self.dense_slots());
        let lists = &mut self.sparse;
        lists.row_start.push(0);
        for output in 0..self.outputs.width() {
            for edge in topology.row(output) {
                if self.slot[edge] == UNPLACED {
                    self.slot[edge] = first_slot + index_of(lists.input.len());
                    lists.input.push(topology.edge_inputs()[edge]);
                }
            }
            lists.row_start.push(index_of(lists.input.len()));
        }
        lists.column_start.push(0);
        for input in 0..self.inputs.width() {
            for (output, edge) in topology.column(input) {
                if self.slot[edge] >= first_slot {
                    lists.output.push(index_of(output));
                    lists.value.push(self.slot[edge] - first_slot);
                }
            }
            lists.column_start.push(index_of(lists.output.len()));
        }
    }
}

/// The lists of a layer of whole micro-blocks that is not fully connected; its blocks must consist of whole quads, too.
fn lists_of(topology: &Topology) -> Option<BlockLists> {
    if topology.grain() != Grain::MicroBlocks {
        return None;
    }
    let mut lists = BlockLists { row_start: vec![0], ..BlockLists::default() };
    for output in 0..topology.groups(Grain::MicroBlocks)[0] {
        lists.input.extend(topology.joined(Grain::MicroBlocks, output));
        lists.row_start.push(index_of(lists.input.len()));
    }
    let mut columns = vec![Vec::new(); topology.inputs().width() / QUAD];
    for (output, bounds) in lists.row_start.windows(2).enumerate() {
        for block in bounds[0]..bounds[1] {
            columns[lists.input[block as usize] as usize].push((index_of(output), block));
        }
    }
    lists.column_start.push(0);
    for column in columns {
        lists.output.extend(column.iter().map(|entry| entry.0));
        lists.block.extend(column.iter().map(|entry| entry.1));
        lists.column_start.push(index_of(lists.block.len()));
    }
    Some(lists)
}

/// All micro-blocks of the lists, with full masks.
fn micro_blocks(lists: &BlockLists) -> Vec<MicroBlock> {
    let of_quad = |(quad, bounds): (usize, &[u32])| {
        let output = index_of(quad * QUAD);
        let inputs = &lists.input[bounds[0] as usize..bounds[1] as usize];
        inputs.iter().map(move |input| MicroBlock { output, input: input * 4, mask: u16::MAX })
    };
    lists.row_start.windows(2).enumerate().flat_map(of_quad).collect()
}

/// The dense tiles and their micro-blocks, with empty masks.
fn lay_out_dense(topology: &Topology, policy: TilePolicy) -> (Vec<DenseTile>, Vec<MicroBlock>) {
    let (mut dense, mut micro_blocks) = (Vec::new(), Vec::new());
    for tile in TileDensity::of(topology) {
        if tile.density() < policy.dense_from {
            continue;
        }
        let outputs = topology.outputs().block(tile.output_block);
        let inputs = topology.inputs().block(tile.input_block);
        dense.push(DenseTile {
            output_block: index_of(tile.output_block),
            input_block: index_of(tile.input_block),
            first: index_of(micro_blocks.len()),
            output_quads: index_of(outputs.len().div_ceil(QUAD)),
            input_quads: index_of(inputs.len().div_ceil(QUAD)),
        });
        for output in outputs.step_by(QUAD) {
            for input in inputs.clone().step_by(QUAD) {
                micro_blocks.push(MicroBlock { output: index_of(output), input: index_of(input), mask: 0 });
            }
        }
    }
    (dense, micro_blocks)
}
