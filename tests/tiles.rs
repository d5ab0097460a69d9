//! Packing into tiles preserves exactly the edges, and reports its cost.

mod common;

use common::{edge_layers, random_parameters, small_network};
use proptest::prelude::*;
use tanner::engine::layout::NetworkLayout;
use tanner::network::{Activation, Architecture};
use tanner::random::{Purpose, generator};
use tanner::tiles::{MICRO_BLOCK, TileDensity, TilePolicy, TiledLayer};
use tanner::topology::{SpatiallyCoupled, Topology};

const POLICIES: [TilePolicy; 3] =
    [TilePolicy::ALL_DENSE, TilePolicy::ALL_SPARSE, TilePolicy::dense_from(0.5).listing_blocks()];

/// All invariants of a packed layer.
fn check(topology: &Topology, policy: TilePolicy) {
    let layer = TiledLayer::pack(topology, policy);
    assert_eq!(&read_back(&layer), topology);
    let numbered: Vec<f32> = (1..=topology.edges()).map(|edge| edge as f32).collect();
    let slots = layer.pack_values(&numbered);
    assert_eq!(layer.unpack_values(&slots), numbered);
    let padding = slots.iter().filter(|value| **value == 0.0).count();
    assert_eq!(padding, layer.slots() - topology.edges(), "padding is 0, every edge has a slot of its own");
    let bits: u32 = layer.micro_blocks().iter().map(|block| block.mask.count_ones()).sum();
    assert_eq!(
        bits as usize + layer.sparse().input.len(),
        topology.edges(),
        "one bit or list entry for each edge"
    );
    if !layer.listed().input.is_empty() {
        assert!(padding == 0 && layer.dense_tiles().is_empty() && layer.sparse().input.is_empty());
    }
    let memory = layer.memory();
    assert_eq!(memory.edge_bytes, 4 * topology.edges());
    assert_eq!(memory.padding_bytes, 4 * padding);
    check_lists_by_input(&layer);
}

/// The graph of the tiles.
fn read_back(layer: &TiledLayer) -> Topology {
    let mut targets = vec![Vec::new(); layer.inputs().width()];
    for block in layer.micro_blocks() {
        for lane in (0..16u32).filter(|lane| block.mask >> lane & 1 == 1) {
            targets[(block.input + lane / 4) as usize].push(block.output + lane % 4);
        }
    }
    let lists = layer.sparse();
    for (output, bounds) in (0u32..).zip(lists.row_start.windows(2)) {
        for value in bounds[0]..bounds[1] {
            targets[lists.input[value as usize] as usize].push(output);
        }
    }
    Topology::from_targets(layer.inputs().clone(), layer.outputs().clone(), &targets).unwrap()
}

/// The lists by input are the transpose of those by output.
fn check_lists_by_input(layer: &TiledLayer) {
    let lists = layer.sparse();
    let bounds = |start: &[u32], k: usize| start[k] as usize..start[k + 1] as usize;
    let mut by_output: Vec<(u32, u32, u32)> = (0u32..)
        .zip(0..layer.outputs().width())
        .flat_map(|(o, row)| bounds(&lists.row_start, row).map(move |v| (o, v)))
        .map(|(o, v)| (lists.input[v], o, u32::try_from(v).unwrap()))
        .collect();
    by_output.sort_unstable();
    let by_input: Vec<(u32, u32, u32)> = (0u32..)
        .zip(0..layer.inputs().width())
        .flat_map(|(i, column)| bounds(&lists.column_start, column).map(move |entry| (i, entry)))
        .map(|(i, entry)| (i, lists.output[entry], lists.value[entry]))
        .collect();
    assert_eq!(by_input, by_output);
}

#[test]
fn edge_shapes_survive_packing() {
    for (name, topology) in edge_layers() {
        for policy in POLICIES {
            println!("{name}, {policy:?}");
            check(&topology, policy);
        }
    }
}

proptest! {
    #[test]
    fn random_layers_survive_packing(
        inputs in 1usize..50, outputs in 1usize..50, blocks in 1usize..6, degree in 1usize..20, seed: u64, dense_from in 0.0..1.1,
    ) {
        let blocks = blocks.min(inputs).min(outputs);
        let degree = degree.min(outputs / blocks);
        let request = SpatiallyCoupled { inputs, outputs, blocks, receptive_field: blocks.min(2), degrees: vec![degree.max(1)] };
        let topology = request.build(&mut generator(seed, Purpose::Topology(0))).unwrap();
        check(&topology, TilePolicy::dense_from(dense_from));
    }
}

#[test]
fn lists_are_for_layers_of_whole_micro_blocks() {
    for (name, topology) in edge_layers() {
        let policy = TilePolicy::ALL_SPARSE;
        assert!(TiledLayer::pack(&topology, policy).listed().input.is_empty(), "{name}");
        let layer = TiledLayer::pack(&topology, policy.listing_blocks());
        let lists = layer.listed();
        assert_eq!(!lists.input.is_empty(), name.starts_with("micro-blocks"), "{name}");
        // By input, every block appears once, with its ends.
        let mut blocks: Vec<u32> = lists.block.clone();
        blocks.sort_unstable();
        assert!(blocks.into_iter().map(|block| block as usize).eq(0..lists.input.len()), "{name}");
        for (quad, bounds) in lists.column_start.windows(2).enumerate() {
            let entries = bounds[0] as usize..bounds[1] as usize;
            let outputs = &lists.output[entries.clone()];
            assert!(outputs.is_sorted_by(|a, b| a < b), "{name}");
            for (block, output) in lists.block[entries].iter().zip(outputs) {
                let block = layer.micro_blocks()[*block as usize];
                assert_eq!((block.input as usize, block.output), (4 * quad, 4 * output), "{name}");
            }
        }
    }
}

#[test]
fn policies_choose_by_density() {
    let network = Architecture::paper(784, 10).build(0).unwrap();
    let topology = &network.layers()[0].topology;
    let tiles = TileDensity::of(topology);
    assert_eq!(tiles.len(), 15, "8 tiles on the diagonal and 7 beside it");
    assert_eq!(tiles.iter().map(|tile| tile.edges).sum::<usize>(), 41_650);
    assert_eq!(tiles[0].density(), 1.0, "block 0 to block 0 is full");
    let dense = |from| TiledLayer::pack(topology, TilePolicy::dense_from(from)).dense_tiles().len();
    // Densities: 1; 65/98 twice; 1/2 twice; 25/98, 24/98; 10/98 twice; 5/98 six times.
    assert_eq!(
        [dense(0.0), dense(0.1), dense(0.25), dense(0.4), dense(0.6), dense(1.0)],
        [15, 9, 6, 5, 3, 1]
    );
    assert_eq!(dense(2.0), 0);
    let sparse = TiledLayer::pack(topology, TilePolicy::ALL_SPARSE).memory();
    assert_eq!((sparse.edge_bytes, sparse.padding_bytes), (4 * 41_650, 0));
    assert_eq!(sparse.index_bytes, 4 * (785 + 41_650 + 785 + 2 * 41_650));
}

#[test]
fn the_layout_finds_every_parameter() {
    let network = small_network(Activation::Sigmoid, 1.0);
    for policy in POLICIES {
        let layout = NetworkLayout::new(&network, policy);
        let parameters = random_parameters(&network, 1);
        let packed = layout.pack(&parameters);
        assert_eq!(layout.unpack(&packed), parameters);
        assert_eq!((packed.dense.len(), packed.sparse.len()), (layout.dense_len(), layout.sparse_len()));
        let (blocks, rows) = (layout.micro_block_rows(), layout.sparse_rows());
        assert_eq!((blocks.len() * MICRO_BLOCK, rows.len()), (layout.dense_len(), layout.sparse_len()));
        let mut found = 0;
        for ((layer, given), place) in network.layers().iter().zip(&parameters.layers).zip(layout.places()) {
            for ((output, input), weight) in layer.topology.edge_ends().zip(&given.weights) {
                let ends = [place.output_row as usize + output, place.input_row as usize + input];
                assert_eq!(
                    value_at(&packed.dense, &packed.sparse, &blocks, &rows, layout.first_bias(), ends),
                    *weight
                );
                found += 1;
            }
        }
        assert_eq!(found, network.parameter_count() - rows.len() + layout.first_bias());
    }
}

/// The value of the edge between two rows by the row tables.
fn value_at(
    dense: &[f32],
    sparse: &[f32],
    blocks: &[[u32; 3]],
    rows: &[[u32; 2]],
    biases: usize,
    ends: [usize; 2],
) -> f32 {
    for (place, pair) in rows[..biases].iter().enumerate() {
        if pair.map(|row| row as usize) == ends {
            return sparse[place];
        }
    }
    for (index, block) in blocks.iter().enumerate() {
        for lane in (0..MICRO_BLOCK).filter(|lane| block[2] >> lane & 1 == 1) {
            if [block[0] as usize + lane % 4, block[1] as usize + lane / 4] == ends {
                return dense[index * MICRO_BLOCK + lane];
            }
        }
    }
    panic!("no value for the edge between rows {ends:?}");
}
