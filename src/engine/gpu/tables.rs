//! The index lists that kernels read, made once from a network's layout.
//!
//! Every index in them is below the size of the buffer it points into: that
//! follows from the invariants of the topology and its tiles, and
//! [`Tables::check`] verifies it before anything is uploaded, because the
//! kernels run without bounds checks.

use super::pairs;
use super::quad_lists::{self, QuadLists, ValueOrder};
use super::uniforms::{
    EntryPair, LayerUniform, ListedBlock, MicroBlockPair, QUAD_VECTORS, Quad, TILE_VECTORS, Tile,
};
use crate::engine::EngineSettings;
use crate::engine::layout::NetworkLayout;
use crate::engine::packed_edges::InputGroups;
use crate::network::Network;
use crate::network::drop_connect::NO_CONNECTION;
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
    /// Micro-blocks outside of tiles, by quad.
    pub(super) listed: Vec<ListedBlock>,
    pub(super) lists: QuadLists,
    /// Of each entry of the lists, where the rows of its edges' other ends begin, in `vec4`s.
    pub(super) entry_rows: Vec<[u32; 4]>,
}

/// All lists.
#[derive(Debug)]
pub(super) struct Tables {
    /// Owned: the outputs of layers 0, 1, ...
    pub(super) forward: Direction,
    /// Owned: the inputs of layers 1, 2, ...
    pub(super) backward: Direction,
    /// Place of the value of each edge of each entry of the inputs' lists.
    pub(super) entry_values: Vec<[u32; 4]>,
    /// All micro-blocks, in pairs of one output quad if possible.
    pub(super) micro_blocks: Vec<MicroBlockPair>,
    /// All entries of the outputs' lists, in pairs of one list if possible.
    pub(super) entries: Vec<EntryPair>,
    /// The places of values and biases.
    pub(super) order: ValueOrder,
    /// Of the group lasso; empty without it.
    pub(super) groups: InputGroups,
    /// The connection of each value, for DropConnect; empty without it.
    pub(super) connections: Vec<u32>,
}

impl Tables {
    pub(super) fn new(network: &Network, layout: &NetworkLayout, settings: &EngineSettings) -> Result<Self> {
        let stride = index_of(settings.batch_size.div_ceil(4));
        if u64::from(stride) * layout.rows() as u64 > u64::from(u32::MAX) {
            return Err(Error::Network(format!(
                "{} neurons of {} samples each are more than kernels can address: take a smaller batch",
                layout.rows(),
                settings.batch_size
            )));
        }
        let mut forward = Direction::default();
        let mut backward = Direction::default();
        for index in 0..layout.layers().len() {
            forward.add_outputs(network, layout, (index, stride));
            if index > 0 {
                backward.add_inputs(network, layout, (index, stride));
            }
        }
        forward.end();
        backward.end();
        let order = ValueOrder::new(layout, &forward.lists)?;
        let ends = EdgeEnds::new(layout);
        forward.entry_rows = forward.lists.each(None, |value| ends.values[value][1] * stride);
        backward.entry_rows = backward.lists.each(None, |entry| ends.by_input[entry][0] * stride);
        let value = |entry: usize| order.place(layout.dense_len() + ends.by_input[entry][1] as usize);
        let entry_values = backward.lists.each(Some(order.zero()), value);
        let (drop, group) = (settings.drop_connect > 0.0, settings.penalties.group_lasso > 0.0);
        let tables = Self {
            entries: pairs::entries(&forward, order.first_entry()),
            entry_values,
            micro_blocks: pairs::micro_blocks(layout),
            groups: if group { groups(network, layout, &order) } else { InputGroups::default() },
            connections: if drop { connections(network, layout, &order) } else { Vec::new() },
            forward,
            backward,
            order,
        };
        tables.check(layout, stride)?;
        tables.check_regularisation(network, settings)?;
        Ok(tables)
    }

    /// Refuses lists with an index beyond the buffer it points into.
    fn check(&self, layout: &NetworkLayout, stride: u32) -> Result<()> {
        let rows = index_of(layout.rows());
        let values = index_of(self.order.len());
        let blocks = u64::from(index_of(layout.dense_len() / 16));
        let row_fits = |row: &u32| row.is_multiple_of(stride) && row / stride < rows;
        let tile_fits = |tile: &Tile, places: u32| {
            let (quads, along) = (u64::from(places.max(1)) - 1, u64::from(tile.blocks.max(1)) - 1);
            let (steps, strides) = (u64::from(tile.quad_step), u64::from(tile.block_step));
            let last = u64::from(tile.first_block) + quads * steps + along * strides;
            // Only the last block may reach behind the far side's last row, and the kernel clamps it.
            let last_quad = u64::from(tile.row) + 4 * along;
            last < blocks && tile.last_row < rows && last_quad <= u64::from(tile.last_row)
        };
        let direction_fits = |direction: &Direction| {
            let quad_fits = |quad: &Quad| {
                let tiles = direction.tiles.get(quad.first_tile as usize..quad.end_tile as usize);
                let fits = |tiles: &[Tile]| tiles.iter().all(|tile| tile_fits(tile, quad.place + 1));
                let entries = direction.entry_rows.get(quad.first_entry as usize..quad.end_entry as usize);
                let listed = direction.listed.get(quad.first_block as usize..quad.end_block as usize);
                let lanes = (1..=4).contains(&quad.lanes) && quad.row + quad.lanes <= rows;
                lanes && tiles.is_some_and(fits) && listed.is_some() && entries.is_some()
            };
            let block_fits = |block: &ListedBlock| {
                block.at.is_multiple_of(stride)
                    && block.at / stride + 3 < rows
                    && block.slot.is_multiple_of(4)
                    && u64::from(block.slot / 4) < blocks
            };
            let layer_fits = |layer: &LayerUniform| {
                u64::from(layer.first_quad) + u64::from(layer.quads) <= direction.quads.len() as u64
            };
            direction.layers.iter().all(layer_fits)
                && direction.quads.iter().all(quad_fits)
                && direction.listed.iter().all(block_fits)
                && direction.entry_rows.iter().flatten().all(row_fits)
        };
        // Outputs have biases, and those of the last layer are logits.
        let features = layout.places().first().map_or(0, |first| first.output_row);
        let logits = layout.places().last().map_or(0, |last| last.output_row);
        let last = self.forward.layers.last().map_or(0, |layer| layer.first_quad as usize);
        let outputs_fit = self.forward.quads.iter().all(|quad| quad.row >= features)
            && self.forward.quads[last..].iter().all(|quad| quad.row >= logits);
        let lists = index_of(self.order.first_entry())..index_of(self.order.first_bias() / QUAD);
        let fits = direction_fits(&self.forward)
            && outputs_fit
            && direction_fits(&self.backward)
            && self.order.first_entry() * QUAD == layout.dense_len()
            && (self.order.first_entry() + self.forward.entry_rows.len()) * QUAD == self.order.first_bias()
            && self.entries.iter().all(|entry| {
                entry.output_row < rows
                    && entry.inputs.iter().chain(&entry.next_inputs).all(row_fits)
                    && entry.places.iter().all(|place| lists.contains(place))
            })
            && self.entry_values.len() == self.backward.entry_rows.len()
            && self.entry_values.iter().flatten().all(|value| *value < values)
            && self.micro_blocks.iter().all(|pair| {
                let fits = |place: &u32| place.is_multiple_of(4) && u64::from(*place / 4) < blocks;
                pair.output_row < rows
                    && pair.inputs.iter().all(|row| *row < rows)
                    && pair.places.iter().all(fits)
            });
        outside_unless(fits)
    }

    /// Refuses lists of groups or connections without an entry for every value that a kernel looks up.
    fn check_regularisation(&self, network: &Network, settings: &EngineSettings) -> Result<()> {
        let Self { groups, connections, .. } = self;
        let values = self.order.len();
        let groups_fit = groups.start.len() == network.inputs() + 1
            && groups.start.is_sorted()
            && groups.start.last().is_some_and(|end| *end as usize == groups.value.len())
            && groups.value.iter().all(|value| (*value as usize) < values);
        let connections_fit = connections.len() == values;
        outside_unless(
            (groups_fit || settings.penalties.group_lasso == 0.0)
                && (connections_fit || settings.drop_connect == 0.0),
        )
    }
}

/// A tile with only the rows of its far side.
fn far_rows(far: &Partition, first_row: u32, block: u32) -> Tile {
    let [row, end] = [0, 1].map(|k| first_row + far.bounds()[block as usize + k]);
    Tile { row, last_row: end - 1, ..Tile::default() }
}

fn outside_unless(fits: bool) -> Result<()> {
    if fits { Ok(()) } else { Err(Error::Network("the packed lists point outside the network".into())) }
}

/// Both ends of every sparse edge.
struct EdgeEnds {
    /// (row of the output, row of the input) of each sparse value.
    values: Vec<[u32; 2]>,
    /// (row of the output, sparse value) of each edge, by input.
    by_input: Vec<[u32; 2]>,
}

impl EdgeEnds {
    fn new(layout: &NetworkLayout) -> Self {
        let mut by_input = Vec::new();
        for (layer, place) in layout.layers().iter().zip(layout.places()).skip(1) {
            let edges = layer.sparse().output.iter().zip(&layer.sparse().value);
            by_input.extend(edges.map(|(output, value)| [output + place.output_row, value + place.sparse]));
        }
        Self { values: layout.sparse_rows(), by_input }
    }
}

/// The groups of the group lasso, by places on the device.
fn groups(network: &Network, layout: &NetworkLayout, order: &ValueOrder) -> InputGroups {
    let InputGroups { start, value } = layout.input_groups(network);
    InputGroups { start, value: value.into_iter().map(|value| order.place(value as usize)).collect() }
}

/// The connections of DropConnect, by places on the device.
fn connections(network: &Network, layout: &NetworkLayout, order: &ValueOrder) -> Vec<u32> {
    let connections = layout.connections(network);
    order.ordered(&connections.dense, &connections.sparse, NO_CONNECTION)
}

impl Direction {
    /// Adds the outputs of a layer.
    fn add_outputs(&mut self, network: &Network, layout: &NetworkLayout, (index, stride): (usize, u32)) {
        let (layer, place) = (&layout.layers()[index], layout.places()[index]);
        let tile = |tile: &DenseTile| Tile {
            first_block: place.micro_block + tile.first,
            quad_step: tile.input_quads,
            block_step: 1,
            blocks: tile.input_quads,
            ..far_rows(layer.inputs(), place.input_row, tile.input_block)
        };
        let tiles = |block: usize| layer.dense_tiles_into(block).iter().map(tile);
        self.lists.add(layer.outputs(), &layer.sparse().row_start, place.sparse);
        let activation = network.layers()[index].activation.code();
        let lists = layer.listed();
        let listed = lists.input.iter().zip(0..).map(|(input, block)| [block, *input]);
        let places = (place.micro_block, place.input_row, stride);
        let first_listed = self.add_listed(&lists.row_start, listed, places);
        self.add_layer((layer.outputs(), place.output_row), tiles, (activation, first_listed));
    }

    /// Adds the inputs of a layer other than the first.
    fn add_inputs(&mut self, network: &Network, layout: &NetworkLayout, (index, stride): (usize, u32)) {
        let (layer, place) = (&layout.layers()[index], layout.places()[index]);
        let tile = |tile: &DenseTile| Tile {
            first_block: place.micro_block + tile.first,
            quad_step: 1,
            block_step: tile.input_quads,
            blocks: tile.output_quads,
            ..far_rows(layer.outputs(), place.output_row, tile.output_block)
        };
        let tiles = |block: usize| layer.dense_tiles_out_of(block).map(tile);
        // Edges are numbered by input over all layers but the first.
        let first = place.sparse - layout.places()[1].sparse;
        self.lists.add(layer.inputs(), &layer.sparse().column_start, first);
        let activation = network.layers()[index - 1].activation.code();
        let lists = layer.listed();
        let listed = lists.block.iter().zip(&lists.output).map(|(block, output)| [*block, *output]);
        let places = (place.micro_block, place.output_row, stride);
        let first_listed = self.add_listed(&lists.column_start, listed, places);
        self.add_layer((layer.inputs(), place.input_row), tiles, (activation, first_listed));
    }

    /// Adds a layer's lists of (micro-block, quad on the far side); returns where the list of each quad begins, and the end.
    fn add_listed(
        &mut self,
        starts: &[u32],
        blocks: impl Iterator<Item = [u32; 2]>,
        (first_block, far_row, stride): (u32, u32, u32),
    ) -> Vec<u32> {
        let first = index_of(self.listed.len());
        let quad = index_of(QUAD);
        self.listed.extend(blocks.map(|[block, far]| ListedBlock {
            slot: quad * (first_block + block),
            at: (far_row + quad * far) * stride,
        }));
        starts.iter().map(|start| first + start).collect()
    }

    /// Adds one layer's owned neurons, given the tiles of each of their blocks; their lists exist already.
    fn add_layer<T: Iterator<Item = Tile>>(
        &mut self,
        (near, first_row): (&Partition, u32),
        tiles: impl Fn(usize) -> T,
        (activation, listed): (u32, Vec<u32>),
    ) {
        let first_quad = index_of(self.quads.len());
        for block in 0..near.len() {
            let first_tile = index_of(self.tiles.len());
            self.tiles.extend(tiles(block));
            let end_tile = index_of(self.tiles.len());
            for (place, neurons) in (0u32..).zip(quad_lists::quads_of(near.block(block))) {
                let number = self.quads.len() - first_quad as usize;
                let end = |place| listed.get(place).copied().unwrap_or_default();
                self.quads.push(Quad {
                    row: first_row + index_of(neurons.start),
                    lanes: index_of(neurons.len()),
                    place,
                    first_tile,
                    end_tile,
                    first_block: end(number),
                    end_block: end(number + 1),
                    first_entry: 0,
                    end_entry: 0,
                });
            }
        }
        let quads = index_of(self.quads.len()) - first_quad;
        self.layers.push(LayerUniform { first_quad, quads, activation, first_row });
    }

    /// Quads and tiles as kernels read them: all quads, then all tiles, in whole `vec4`s.
    pub(super) fn directory(&self) -> Vec<u32> {
        let first_tile = QUAD_VECTORS * index_of(self.quads.len());
        let tile = |number: u32| first_tile + TILE_VECTORS * number;
        let quads = self.quads.iter().map(|quad| Quad {
            first_tile: tile(quad.first_tile),
            end_tile: tile(quad.end_tile),
            ..*quad
        });
        let mut directory = Vec::new();
        quads.for_each(|quad| directory.extend(quad.words()));
        self.tiles.iter().for_each(|tile| directory.extend(tile.words()));
        directory
    }

    /// Ends the lists and gives each quad its own.
    fn end(&mut self) {
        self.lists.end();
        for (quad, ends) in self.quads.iter_mut().zip(self.lists.start.windows(2)) {
            (quad.first_entry, quad.end_entry) = (ends[0], ends[1]);
        }
    }
}
