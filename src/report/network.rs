//! Tables that describe a network.

use comfy_table::Table;

use super::table::{percent, size, table};
use crate::network::Network;
use crate::text::grouped;
use crate::tiles::{TileDensity, TilePolicy, TiledLayer};
use crate::topology::Topology;

/// A row for each layer, and one for all: blocks, degrees, edges, tiles and bytes.
///
/// Bytes are those of the layer's weights when it is packed under the policy.
pub fn layer_table(network: &Network, policy: TilePolicy) -> Table {
    let header = [
        "layer",
        "inputs x outputs",
        "blocks",
        "out-degrees by block",
        "edges",
        "density",
        "tiles",
        "edge bytes",
        "padding",
        "index",
    ];
    let mut table = table(&header, 1);
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
        let mut row = vec![
            format!("{} {}", index + 1, layer.activation),
            format!("{} x {}", topology.inputs().width(), topology.outputs().width()),
            blocks(topology),
            degrees(topology),
            grouped(topology.edges()),
            percent(topology.density()),
            format!("{dense_tiles} dense, {} sparse", tiles - dense_tiles),
        ];
        row.extend(parts.map(|part| size(part as u64)));
        table.add_row(row);
    }
    let mut total = vec!["all".to_owned(), String::new(), String::new(), String::new()];
    total.extend([grouped(edges), percent(edges as f64 / dense as f64), String::new()]);
    total.extend(bytes.map(|part| size(part as u64)));
    table.add_row(total);
    table
}

/// The densities of a layer's tiles in per cent, output blocks downwards, input
/// blocks to the right; `None` where there is only one tile.
pub fn tile_grid(topology: &Topology) -> Option<Table> {
    let (inputs, outputs) = (topology.inputs().len(), topology.outputs().len());
    if inputs * outputs == 1 {
        return None;
    }
    let header: Vec<String> = (0..inputs).map(|block| format!("in {block}")).collect();
    let header: Vec<&str> = std::iter::once("density, %").chain(header.iter().map(String::as_str)).collect();
    let mut grid = table(&header, 1);
    let tiles = TileDensity::of(topology);
    for output_block in 0..outputs {
        let mut row = vec![".".to_owned(); inputs];
        for tile in tiles.iter().filter(|tile| tile.output_block == output_block) {
            row[tile.input_block] = format!("{:.1}", 100.0 * tile.density());
        }
        grid.add_row(std::iter::once(format!("out {output_block}")).chain(row));
    }
    Some(grid)
}

fn blocks(topology: &Topology) -> String {
    match (topology.inputs().len(), topology.outputs().len()) {
        (inputs, outputs) if inputs == outputs => inputs.to_string(),
        (inputs, outputs) => format!("{inputs} x {outputs}"),
    }
}

/// The out-degree of each input block, or its range where neurons differ.
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
        let text = layer_table(&network, TilePolicy { dense_from: 0.6 }).to_string();
        for part in ["98,130,98,49,20,10,10,10", "41,650", "6.78 %", "216,090", "784 x 10", "1 identity"] {
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
