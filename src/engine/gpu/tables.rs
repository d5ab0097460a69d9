//! The index lists that kernels read, made once from a network's layout.
//!
//! Every index in them is below the size of the buffer it points into: that
//! follows from the invariants of the topology and its tiles, and
//! [`Tables::check`] proves it again before anything is uploaded, because the
//! kernels run without bounds checks.

use std::ops::Range;

use super::uniforms::{LayerUniform, MicroBlockEnds, Quad, Tile};
use crate::engine::EngineSettings;
use crate::engine::layout::NetworkLayout;
use crate::engine::packed_edges::{InputGroups, PackedConnections};
use crate::network::Network;
use crate::tiles::{DenseTile, QUAD, index_of};
use crate::topology::Partition;
use crate::{Error, Result};

/// Quads and tiles as one direction (forward or backward) needs them.
#[derive(Debug, Default)]
pub(super) struct Direction {
    pub(super) quads: Vec<Quad>,
    pub(super) tiles: Vec<Tile>,
    /// One for each dispatch, in the order of the layers.
    pub(super) layers: Vec<LayerUniform>,
    /// First list entry of each neuron behind the network's inputs, then their number.
    pub(super) start: Vec<u32>,
}

/// All lists.
#[derive(Debug)]
pub(super) struct Tables {
    /// Owned: the outputs of layers 0, 1, ...
    pub(super) forward: Direction,
    /// Row of the input of each sparse value.
    pub(super) sparse_input: Vec<u32>,
    /// Owned: the inputs of layers 1, 2, ...
    pub(super) backward: Direction,
    /// (row of the output, sparse value) by input.
    pub(super) entries: Vec<[u32; 2]>,
    pub(super) micro_blocks: Vec<MicroBlockEnds>,
    /// (row of the output, row of the input) of each sparse value.
    pub(super) sparse_ends: Vec<[u32; 2]>,
    /// Of the group lasso; empty without it.
    pub(super) groups: InputGroups,
    /// Of DropConnect; empty without it.
    pub(super) connections: PackedConnections,
}

impl Tables {
    pub(super) fn new(network: &Network, layout: &NetworkLayout, settings: &EngineSettings) -> Result<Self> {
        let (groups, drops) = (settings.penalties.group_lasso > 0.0, settings.drop_connect > 0.0);
        let mut tables = Self {
            forward: Direction::default(),
            sparse_input: Vec::new(),
            backward: Direction::default(),
            entries: Vec::new(),
            micro_blocks: Vec::new(),
            sparse_ends: layout.sparse_rows(),
            groups: if groups { layout.input_groups(network) } else { InputGroups::default() },
            connections: if drops { layout.connections(network) } else { PackedConnections::default() },
        };
        let micro_blocks = layout.micro_block_rows().into_iter();
        tables.micro_blocks = micro_blocks
            .map(|[output_row, input_row, mask]| MicroBlockEnds { output_row, input_row, mask })
            .collect();
        for index in 0..layout.layers().len() {
            tables.add_forward(network, layout, index);
            if index > 0 {
                tables.add_backward(network, layout, index);
            }
        }
        tables.forward.start.push(index_of(tables.sparse_input.len()));
        tables.backward.start.push(index_of(tables.entries.len()));
        tables.check(layout)?;
        tables.check_regularisation(network, layout, settings)?;
        Ok(tables)
    }

    fn add_forward(&mut self, network: &Network, layout: &NetworkLayout, index: usize) {
        let (layer, place) = (&layout.layers()[index], layout.places()[index]);
        let near = (layer.outputs(), place.output_row);
        let tile = |tile: &DenseTile| Tile {
            first_block: place.micro_block + tile.first,
            quad_step: tile.input_quads,
            block_step: 1,
            blocks: tile.input_quads,
            ..far_rows(layer.inputs(), place.input_row, tile.input_block)
        };
        let tiles = |block: usize| layer.dense_tiles_into(block).iter().map(tile);
        self.forward.add_layer(near, tiles, network.layers()[index].activation.code());
        let lists = layer.sparse();
        let starts = &lists.row_start[..layer.outputs().width()];
        self.forward.start.extend(starts.iter().map(|start| start + place.sparse));
        self.sparse_input.extend(lists.input.iter().map(|input| input + place.input_row));
    }

    fn add_backward(&mut self, network: &Network, layout: &NetworkLayout, index: usize) {
        let (layer, place) = (&layout.layers()[index], layout.places()[index]);
        let near = (layer.inputs(), place.input_row);
        let tile = |tile: &DenseTile| Tile {
            first_block: place.micro_block + tile.first,
            quad_step: 1,
            block_step: tile.input_quads,
            blocks: tile.output_quads,
            ..far_rows(layer.outputs(), place.output_row, tile.output_block)
        };
        let tiles = |block: usize| layer.dense_tiles_out_of(block).map(tile);
        self.backward.add_layer(near, tiles, network.layers()[index - 1].activation.code());
        let lists = layer.sparse();
        let first = index_of(self.entries.len());
        let starts = &lists.column_start[..layer.inputs().width()];
        self.backward.start.extend(starts.iter().map(|start| start + first));
        let entries = lists.output.iter().zip(&lists.value);
        self.entries.extend(entries.map(|(output, value)| [output + place.output_row, value + place.sparse]));
    }

    /// Refuses lists with an index beyond the buffer it points into.
    fn check(&self, layout: &NetworkLayout) -> Result<()> {
        let rows = index_of(layout.rows());
        let values = index_of(layout.sparse_len());
        let blocks = u64::from(index_of(layout.dense_len() / 16));
        let tile_fits = |tile: &Tile, places: u32| {
            let (quads, along) = (u64::from(places.max(1)) - 1, u64::from(tile.blocks.max(1)) - 1);
            let (steps, strides) = (u64::from(tile.quad_step), u64::from(tile.block_step));
            let last = u64::from(tile.first_block) + quads * steps + along * strides;
            // Only the last block may reach behind the far side's last row, and the kernel clamps it.
            let last_quad = u64::from(tile.row) + 4 * along;
            last < blocks && tile.last_row < rows && last_quad <= u64::from(tile.last_row)
        };
        let direction_fits = |direction: &Direction, lists: usize| {
            let quad_fits = |quad: &Quad| {
                let tiles = direction.tiles.get(quad.first_tile as usize..quad.end_tile as usize);
                let fits = |tiles: &[Tile]| tiles.iter().all(|tile| tile_fits(tile, quad.place + 1));
                quad.lanes >= 1 && quad.row + quad.lanes <= rows && tiles.is_some_and(fits)
            };
            direction.quads.iter().all(quad_fits)
                && direction.start.is_sorted()
                && direction.start.last().is_some_and(|end| *end as usize == lists)
        };
        let fits = direction_fits(&self.forward, self.sparse_input.len())
            && direction_fits(&self.backward, self.entries.len())
            && self.sparse_input.iter().all(|row| *row < rows)
            && self.entries.iter().all(|[row, value]| *row < rows && *value < values)
            && self.sparse_ends.len() == values as usize
            && self.sparse_ends.iter().all(|[output, input]| *output < rows && *input < rows)
            && self.micro_blocks.iter().all(|block| block.output_row < rows && block.input_row < rows);
        outside_unless(fits)
    }

    /// Refuses lists of groups or connections that are not there for every value that a kernel looks up.
    fn check_regularisation(
        &self,
        network: &Network,
        layout: &NetworkLayout,
        settings: &EngineSettings,
    ) -> Result<()> {
        let Self { groups, connections, .. } = self;
        let values = layout.dense_len() + layout.sparse_len();
        let groups_fit = groups.start.len() == network.inputs() + 1
            && groups.start.is_sorted()
            && groups.start.last().is_some_and(|end| *end as usize == groups.value.len())
            && groups.value.iter().all(|value| (*value as usize) < values);
        let connections_fit =
            connections.dense.len() == layout.dense_len() && connections.sparse.len() == layout.sparse_len();
        outside_unless(
            (groups_fit || settings.penalties.group_lasso == 0.0)
                && (connections_fit || settings.drop_connect == 0.0),
        )
    }
}

/// A tile with the rows of its far side alone.
fn far_rows(far: &Partition, first_row: u32, block: u32) -> Tile {
    let [row, end] = [0, 1].map(|k| first_row + far.bounds()[block as usize + k]);
    Tile { row, last_row: end - 1, ..Tile::default() }
}

fn outside_unless(fits: bool) -> Result<()> {
    if fits { Ok(()) } else { Err(Error::Network("the packed lists point outside the network".into())) }
}

impl Direction {
    /// Adds one layer's owned neurons, given the tiles of each of their blocks.
    fn add_layer<T: Iterator<Item = Tile>>(
        &mut self,
        (near, first_row): (&Partition, u32),
        tiles: impl Fn(usize) -> T,
        activation: u32,
    ) {
        let first_quad = index_of(self.quads.len());
        for (block, neurons) in near.blocks().enumerate() {
            let first_tile = index_of(self.tiles.len());
            self.tiles.extend(tiles(block));
            self.add_block(neurons, first_row, first_tile);
        }
        let quads = index_of(self.quads.len()) - first_quad;
        self.layers.push(LayerUniform { first_quad, quads, activation, first_row });
    }

    fn add_block(&mut self, neurons: Range<usize>, first_row: u32, first_tile: u32) {
        let end_tile = index_of(self.tiles.len());
        for (place, neuron) in (0u32..).zip(neurons.clone().step_by(QUAD)) {
            let lanes = index_of(QUAD.min(neurons.end - neuron));
            let row = first_row + index_of(neuron);
            self.quads.push(Quad { row, lanes, place, first_tile, end_tile });
        }
    }
}
