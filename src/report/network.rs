//! Tables that describe a network.

use super::table::{TextCell, TextColumn, TextTable};
use crate::network::Network;
use crate::tiles::{TileDensity, TilePolicy, TiledLayer};
use crate::topology::Topology;

/// A row for each layer, and one for all: blocks, degrees, edges, tiles and bytes.
///
/// The bytes are those of the layer's weights, packed by the policy.
pub fn layer_table(network: &Network, policy: TilePolicy) -> TextTable {
    let bytes = |name: &str, plain: &str| TextColumn::number(name).plain(&[plain]);
    let mut table = TextTable::new([
        TextColumn::text("layer").plain(&["layer", "activation"]),
        TextColumn::text("inputs x outputs").plain(&["inputs", "outputs"]),
        TextColumn::text("blocks").plain(&["input_blocks", "output_blocks"]).rank(5),
        TextColumn::text("out-degrees by block").rank(1).least(12),
        TextColumn::number("edges"),
        TextColumn::number("density %"),
        TextColumn::text("tiles").plain(&["dense_tiles", "sparse_tiles"]).rank(2),
        bytes("edge bytes", "edge_bytes").rank(3),
        bytes("padding", "padding_bytes").rank(6),
        bytes("index", "index_bytes").rank(7),
    ]);
    let (mut edges, mut dense, mut bytes) = (0, 0, [0; 3]);
    for (index, layer) in network.layers().iter().enumerate() {
        let topology = &layer.topology;
        let packed = TiledLayer::pack(topology, policy);
        let memory = packed.memory();
        let parts = [memory.edge_bytes, memory.padding_bytes, memory.index_bytes];
        (edges, dense) = (edges + topology.edges(), dense + topology.dense_edges());
        bytes = [bytes[0] + parts[0], bytes[1] + parts[1], bytes[2] + parts[2]];
        let tiles = TileDensity::of(topology).len();
        let dense_tiles = packed.dense_tiles().len();
        let sparse_tiles = tiles - dense_tiles;
        let (inputs, outputs) = (topology.inputs(), topology.outputs());
        let number = (index + 1).to_string();
        let cells = [
            TextCell::split(
                format!("{number} {}", layer.activation),
                [number.clone(), layer.activation.to_string()],
            ),
            TextCell::split(
                format!("{} x {}", inputs.width(), outputs.width()),
                [inputs.width(), outputs.width()],
            ),
            TextCell::split(blocks(topology), [inputs.len(), outputs.len()]),
            degrees(topology).into(),
            TextCell::count(topology.edges()),
            TextCell::percent(topology.density()),
            TextCell::split(
                format!("{dense_tiles} dense, {sparse_tiles} sparse"),
                [dense_tiles, sparse_tiles],
            ),
        ];
        table.row(cells.into_iter().chain(parts.map(|part| TextCell::bytes(part as u64))));
    }
    let (none, share) = (TextCell::default, TextCell::percent(edges as f64 / dense as f64));
    let total = ["all".into(), none(), none(), none(), TextCell::count(edges), share, none()];
    table.total(total.into_iter().chain(bytes.map(|part| TextCell::bytes(part as u64))));
    table
}

/// The densities of a layer's tiles in per cent, output blocks downwards, input
/// blocks to the right; `None` if there is only one tile.
pub fn tile_grid(topology: &Topology) -> Option<TextTable> {
    let (inputs, outputs) = (topology.inputs().len(), topology.outputs().len());
    if inputs * outputs == 1 {
        return None;
    }
    let columns = (0..inputs).map(|block| TextColumn::number(format!("in {block}")));
    let mut grid = TextTable::new(std::iter::once(TextColumn::text("density %")).chain(columns));
    let tiles = TileDensity::of(topology);
    for output_block in 0..outputs {
        let mut row = vec![TextCell::split(".", ["0"]); inputs];
        for tile in tiles.iter().filter(|tile| tile.output_block == output_block) {
            row[tile.input_block] = format!("{:.1}", 100.0 * tile.density()).into();
        }
        grid.row(std::iter::once(format!("out {output_block}").into()).chain(row));
    }
    Some(grid)
}

fn blocks(topology: &Topology) -> String {
    match (topology.inputs().len(), topology.outputs().len()) {
        (inputs, outputs) if inputs == outputs => inputs.to_string(),
        (inputs, outputs) => format!("{inputs} x {outputs}"),
    }
}

/// The out-degree of each input block, or its range if neurons differ.
fn degrees(topology: &Topology) -> String {
    let of_block = |neurons: std::ops::Range<usize>| {
        let degrees = neurons.map(|neuron| topology.out_degree(neuron));
        match (degrees.clone().min(), degrees.max()) {
            (Some(low), Some(high)) if low < high => format!("{low}-{high}"),
            (low, _) => low.unwrap_or(0).to_string(),
        }
    };
    topology.inputs().blocks().map(of_block).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Architecture;

    #[test]
    fn the_table_of_the_papers_network_has_its_numbers() {
        let network = Architecture::paper(784, 10).build(0).unwrap();
        let text = layer_table(&network, TilePolicy::dense_from(0.6)).to_string();
        for part in ["98,130,98,49,20,10,10,10", "41,650", "6.78", "216,090", "784 x 10", "1 identity"] {
            let expected = part != "1 identity";
            assert_eq!(text.contains(part), expected, "{part}\n{text}");
        }
    }

    #[test]
    fn the_grid_shows_the_band() {
        let network = Architecture::paper(784, 10).build(0).unwrap();
        let text = tile_grid(&network.layers()[0].topology).unwrap().to_string();
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        let row = |name: &str| rows.iter().find(|row| row.starts_with(&["out", name])).unwrap()[2..].to_vec();
        // Block 1 shares 130 edges over two blocks of 98: 65 / 98.
        assert_eq!(row("0"), ["100.0", "66.3", ".", ".", ".", ".", ".", "."]);
        assert_eq!(row("7"), [".", ".", ".", ".", ".", ".", ".", "5.1"]);
        assert!(tile_grid(&network.layers()[5].topology).is_none());
    }
}
