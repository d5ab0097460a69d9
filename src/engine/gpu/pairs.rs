//! The work of backward_weight: micro-blocks and entries of lists in pairs, in an order whose neighbours share
//! rows.

use super::tables::Direction;
use super::uniforms::{EntryPair, MicroBlockPair, Quad};
use crate::engine::layout::NetworkLayout;
use crate::tiles::{QUAD, index_of};

/// Pairs of micro-blocks, in each tile by strips of 4 quads of outputs, along the inputs: so 16 pairs in a row read 48 rows,
/// where 16 along the inputs alone would read 132.
pub(super) fn micro_blocks(layout: &NetworkLayout) -> Vec<MicroBlockPair> {
    let rows = layout.micro_block_rows();
    let pair = |[one, other]: [u32; 2]| {
        let [output_row, input_row, mask] = rows[one as usize];
        let [_, next_input_row, next_mask] = rows[other as usize];
        let next_mask = if other == one { 0 } else { next_mask };
        let (masks, places) = (mask | next_mask << 16, [one, other].map(|number| index_of(QUAD) * number));
        MicroBlockPair { output_row, inputs: [input_row, next_input_row], masks, places, reserved: [0; 2] }
    };
    let mut pairs = Vec::new();
    for (layer, place) in layout.layers().iter().zip(layout.places()) {
        for tile in layer.dense_tiles() {
            for strip in (0..tile.output_quads).step_by(QUAD) {
                for input in (0..tile.input_quads).step_by(2) {
                    let outputs = strip..tile.output_quads.min(strip + index_of(QUAD));
                    let next = tile.input_quads.min(input + 2) - 1;
                    let number =
                        |output, input| place.micro_block + tile.first + output * tile.input_quads + input;
                    pairs.extend(outputs.map(|output| pair([number(output, input), number(output, next)])));
                }
            }
        }
        for bounds in layer.listed().row_start.windows(2) {
            let end = place.micro_block + bounds[1];
            let firsts = (place.micro_block + bounds[0]..end).step_by(2);
            pairs.extend(firsts.map(|first| pair([first, (first + 1).min(end - 1)])));
        }
    }
    pairs
}

/// Pairs of entries of the outputs' lists, given the place of the first entry.
pub(super) fn entries(forward: &Direction, first_entry: usize) -> Vec<EntryPair> {
    let (rows, masks) = (&forward.entry_rows, forward.lists.masks());
    let pair = |(output_row, one, other): (u32, u32, u32)| EntryPair {
        inputs: rows[one as usize],
        next_inputs: rows[other as usize],
        output_row,
        masks: masks[one as usize] | if other == one { 0 } else { masks[other as usize] << 4 },
        places: [one, other].map(|entry| index_of(first_entry) + entry),
    };
    // As with micro-blocks, by strips of 4 quads: entries of the same number have inputs of about the same place.
    let strips =
        forward.quads.chunk_by(|one, next| next.place > one.place).flat_map(|block| block.chunks(QUAD));
    let of_strip = |strip: &[Quad]| {
        let longest = strip.iter().map(|quad| quad.end_entry - quad.first_entry).max().unwrap_or(0);
        let mut entries = Vec::new();
        for k in (0..longest).step_by(2) {
            for quad in strip.iter().filter(|quad| quad.first_entry + k < quad.end_entry) {
                let (first, last) = (quad.first_entry + k, quad.end_entry - 1);
                entries.push((quad.row, first, last.min(first + 1)));
            }
        }
        entries
    };
    strips.flat_map(of_strip).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::gpu::tables::Tables;
    use crate::engine::{EngineSettings, Optimizer};
    use crate::network::{Activation, Architecture, Layer, Network};
    use crate::tiles::TilePolicy;
    use crate::topology::{Partition, Topology, fully_connected};

    /// Checks that each micro-block and each edge of a network is in one pair.
    fn check(network: &Network, policy: TilePolicy) {
        let layout = NetworkLayout::new(network, policy);
        let settings = EngineSettings::new(Optimizer::Sgd, 8, 0);
        let tables = Tables::new(network, &layout, &settings).unwrap();
        let places = |pair: &MicroBlockPair| {
            let [one, other] = pair.places;
            [Some(one), (other != one).then_some(other)].into_iter().flatten()
        };
        let mut blocks: Vec<u32> = tables.micro_blocks.iter().flat_map(places).collect();
        blocks.sort_unstable();
        assert!(blocks.into_iter().eq((0..index_of(layout.dense_len() / QUAD)).step_by(QUAD)), "{policy:?}");
        let sparse: u32 = tables.entries.iter().map(|pair| pair.masks.count_ones()).sum();
        assert_eq!(sparse as usize, layout.first_bias(), "{policy:?}");
        let dense: u32 = tables.micro_blocks.iter().map(|pair| pair.masks.count_ones()).sum();
        let edges: usize = network.layers().iter().map(|layer| layer.topology.edges()).sum();
        assert_eq!((dense + sparse) as usize, edges, "{policy:?}");
    }

    #[test]
    fn every_micro_block_and_every_edge_has_one_pair() {
        let network = Architecture::paper(784, 10).build(0).unwrap();
        let policies = [TilePolicy::dense_from(0.3), TilePolicy::ALL_SPARSE, TilePolicy::ALL_DENSE];
        policies.into_iter().for_each(|policy| check(&network, policy));
        // Three micro-blocks in the first quad of outputs, one in the second.
        let [inputs, outputs] = [16, 8].map(|width| Partition::whole(width).unwrap());
        let targets: Vec<Vec<u32>> = (0..16)
            .map(|input| {
                if input < 4 {
                    (0..8).collect()
                } else if input < 12 {
                    (0..4).collect()
                } else {
                    Vec::new()
                }
            })
            .collect();
        let listed = Arc::new(Topology::from_targets(inputs, outputs, &targets).unwrap());
        let layer = |topology| Layer { topology, activation: Activation::Identity, keep_probability: 1.0 };
        let last = layer(Arc::new(fully_connected(8, 3).unwrap()));
        let network = Network::new(vec![layer(listed), last]).unwrap();
        check(&network, TilePolicy::ALL_SPARSE.listing_blocks());
        let layout = NetworkLayout::new(&network, TilePolicy::ALL_SPARSE.listing_blocks());
        assert!(layout.layers()[0].is_listed());
    }
}
