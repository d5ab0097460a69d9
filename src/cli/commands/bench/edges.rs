//! Networks of other programs, and `tanner bench --write-edges`: the measured network, for others to build.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Serialize;
use tanner::benchmark::BenchNetwork;
use tanner::files::atomic_write;
use tanner::model::Arch;
use tanner::network::Network;
use tanner::report::grouped;
use tanner::session::settings::{ArchitectureOptions, ArchitectureSettings};
use tanner::session::{check_network, network_from_files};

use crate::cli::flags::BenchArgs;
use crate::cli::ui::{check_place, terminal};

/// The edges of a network, layer by layer.
#[derive(Serialize)]
struct Edges<'a> {
    arch: String,
    seed: u64,
    /// Inputs, then outputs of each layer.
    widths: Vec<usize>,
    layers: Vec<LayerEdges<'a>>,
}

/// Compressed rows: output `o` has the inputs `input[row_start[o]..row_start[o + 1]]`.
#[derive(Serialize)]
struct LayerEdges<'a> {
    row_start: &'a [u32],
    input: &'a [u32],
}

/// Writes the edges of the requested network.
pub(super) fn run(args: &BenchArgs, path: &Path) -> anyhow::Result<()> {
    let [arch] = super::archs(args, &[Arch::Sc])[..] else {
        bail!("--write-edges: one file holds one network, give one --arch")
    };
    check_place("--write-edges", path)?;
    let network = match read(args)? {
        Some((_, network)) => network,
        None => {
            let network = BenchNetwork { arch, width: args.width, hidden_layers: args.layers };
            let architecture = network.architecture()?;
            check_network(&architecture, "a smaller `width` or fewer `layers`")?;
            architecture.build(args.seed).with_context(|| format!("--arch {arch}"))?
        }
    };
    atomic_write(path, &serde_json::to_vec(&edges(&network, arch.to_string(), args.seed))?)
        .context("--write-edges")?;
    let count: usize = network.layers().iter().map(|layer| layer.topology.edges()).sum();
    terminal::print(&format!("{} edges of {arch} in {}", grouped(count), path.display()))
}

/// The network of the files of `--edges`, if given.
pub(super) fn read(args: &BenchArgs) -> anyhow::Result<Option<(BenchNetwork, Network)>> {
    let options = ArchitectureOptions { edges: args.edges.clone(), ..ArchitectureOptions::default() };
    let network = network_from_files(&ArchitectureSettings::new(&options)?, None)?;
    Ok(network.map(|network| {
        let (width, hidden_layers) = (network.inputs(), network.layers().len() - 1);
        (BenchNetwork { arch: Arch::Custom, width, hidden_layers }, network)
    }))
}

fn edges(network: &Network, arch: String, seed: u64) -> Edges<'_> {
    let layers = network.layers().iter();
    let layers = layers.map(|layer| LayerEdges {
        row_start: layer.topology.row_start(),
        input: layer.topology.edge_inputs(),
    });
    Edges { arch, seed, widths: network.widths(), layers: layers.collect() }
}
