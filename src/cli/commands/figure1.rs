//! `tanner paper figure1`: one layer drawn as in Figure 1 of the paper.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::bail;
use tanner::Error;
use tanner::files::atomic_write;
use tanner::model::Arch;
use tanner::network::Network;
use tanner::report::{TextCell, TextColumn, TextTable, check_lines, connectivity_picture, figure1};
use tanner::tiles::TileDensity;
use tanner::topology::Topology;

use super::inspect::{self, InspectedNetwork};
use crate::cli::flags::Figure1Args;
use crate::cli::ui::terminal;

/// Pictures with a line for each weight.
const LINES: [&str; 2] = ["figure1.svg", "figure1.png"];

/// Builds or reads a network and describes a layer, or draws it into `--out`: with dots, and with lines if it
/// is small enough.
pub(crate) fn run(args: &Figure1Args) -> anyhow::Result<()> {
    let InspectedNetwork { network, model, .. } = inspect::subject(&args.network)?;
    let arch = inspect::arch(&args.network, model.as_ref());
    let topology = layer(&network, args)?;
    let Some(out) = &args.out else {
        return describe(topology, &title(&network, arch, args.layer), args.block);
    };
    inspect::folder_for_pictures(out)?;
    let dots = out.join("figure1-dots.png");
    atomic_write(&dots, &connectivity_picture(&[topology], &title(&network, arch, args.layer))?)?;
    terminal::print(&format!("picture {}: a pixel for each possible weight", dots.display()))?;
    if let Err(Error::Picture(reason)) = check_lines(topology) {
        terminal::note(&format!("note: dots only, {reason}; --help has examples of small layers"));
        return remove_lines(out);
    }
    let drawn = figure1(topology, &title(&network, arch, args.layer), args.block)?;
    for (name, bytes) in LINES.into_iter().zip([drawn.svg.as_bytes(), &drawn.png]) {
        let path = out.join(name);
        atomic_write(&path, bytes)?;
        terminal::print(&format!("picture {}: a line for each weight", path.display()))?;
    }
    Ok(())
}

/// The layer in words: its blocks, their degrees, and what an output block sees.
fn describe(topology: &Topology, title: &str, block: Option<usize>) -> anyhow::Result<()> {
    terminal::remark(title)?;
    terminal::print_table(&block_rows(topology))?;
    let chosen = block.unwrap_or((topology.outputs().len() - 1) / 2);
    let seen: Vec<String> = TileDensity::of(topology)
        .iter()
        .filter(|tile| tile.output_block == chosen && tile.edges > 0)
        .map(|tile| tile.input_block.to_string())
        .collect();
    terminal::remark(&format!(
        "\nreceptive field of output block {chosen}: input blocks {}",
        seen.join(", ")
    ))?;
    terminal::note("--out DIR draws it");
    Ok(())
}

/// A row for each input block.
fn block_rows(topology: &Topology) -> TextTable {
    let columns = ["input block", "first neuron", "neurons", "edges", "least degree", "greatest degree"];
    let mut table = TextTable::new(columns.map(TextColumn::number));
    for (index, neurons) in topology.inputs().blocks().enumerate() {
        let degrees = || neurons.clone().map(|neuron| topology.out_degree(neuron));
        let (least, greatest) = (degrees().min().unwrap_or(0), degrees().max().unwrap_or(0));
        let counts = [index, neurons.start, neurons.len(), degrees().sum(), least, greatest];
        table.row(counts.map(TextCell::count));
    }
    table
}

/// Removes the pictures of another layer, which could be mistaken for this one.
fn remove_lines(out: &Path) -> anyhow::Result<()> {
    for path in LINES.map(|name| out.join(name)) {
        match fs::remove_file(&path) {
            Ok(()) => terminal::note(&format!("removed {}, which showed another layer", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(path, error).into()),
        }
    }
    Ok(())
}

/// The requested layer, if it and its block exist.
fn layer<'a>(network: &'a Network, args: &Figure1Args) -> anyhow::Result<&'a Topology> {
    let layers = network.layers();
    if !(1..=layers.len()).contains(&args.layer) {
        bail!("--layer: {} is invalid, it must be 1 to {}", args.layer, layers.len());
    }
    let topology = &layers[args.layer - 1].topology;
    let last = topology.outputs().len() - 1;
    match args.block {
        Some(block) if block > last => bail!("--block: {block} is invalid, it must be 0 to {last}"),
        _ => Ok(topology),
    }
}

/// The title of the drawing; the last layer is always fully connected.
fn title(network: &Network, arch: Arch, layer: usize) -> String {
    let (layers, topology) = (network.layers().len(), &network.layers()[layer - 1].topology);
    let kind = if layer == layers { Arch::Fc.description() } else { arch.description() };
    let blocks = match topology.inputs().len() {
        1 => String::new(),
        blocks => format!(", {blocks} blocks"),
    };
    format!("Layer {layer} of {layers}: {kind}{blocks}")
}
