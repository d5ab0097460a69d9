//! `tanner inspect`: a network described and drawn, without training.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;
use tanner::Error;
use tanner::engine::cpu::DENSE_FROM;
use tanner::engine::gpu::GpuOptions;
use tanner::files::atomic_write;
use tanner::model::{Arch, TrainedModel};
use tanner::network::{Layer, Network};
use tanner::report::{
    OnPicture, TextTable, connectivity_picture, grouped, layer_table, rewiring_table, size, tile_grid,
};
use tanner::session::settings::{ArchitectureSettings, InputShape};
use tanner::session::{check_network, network_from_files};
use tanner::tiles::{TilePolicy, TiledLayer};
use tanner::topology::Grid;
use tanner::topology::Topology;
use tanner::training::{RewiringSummary, RunFolder};

use super::refuse;
use crate::cli::flags::{InspectArgs, NetworkArgs};
use crate::cli::ui::{session, terminal};

/// Tiles as the CPU engine packs them; the table shows these.
pub(super) const CPU_TILES: TilePolicy = TilePolicy::dense_from(DENSE_FROM).listing_blocks();

/// Builds or reads a network, prints its tables, and draws it into `--out`.
pub(crate) fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let InspectedNetwork { network, model, on_picture } = subject(&args.network)?;
    let arch = arch(&args.network, model.as_ref());
    if args.network.architecture.edges.is_none() {
        session().warn_of_constant_neurons(&network);
    }
    let on_picture = on_picture.as_ref();
    let pictures = args.out.as_deref().map(|folder| draw(&network, arch, on_picture, folder)).transpose()?;
    let pictures = pictures.unwrap_or_default();
    let rewiring = rewiring(&args.network);
    if terminal::wants_json() {
        let mut described = described(&network, model.as_ref(), on_picture, &pictures);
        described["rewiring"] = json!(rewiring);
        return terminal::print_json(&described);
    }
    print(&network, model.as_ref(), on_picture)?;
    rewiring.as_ref().map_or(Ok(()), print_rewiring)?;
    pictures.iter().try_for_each(|path| terminal::remark(&format!("picture {}", path.display())))
}

/// A network, its model, and the places of its inputs, as far as known.
pub(super) struct InspectedNetwork {
    pub(super) network: Network,
    pub(super) model: Option<TrainedModel>,
    on_picture: Option<OnPicture>,
}

/// What the network is built as.
pub(super) fn arch(args: &NetworkArgs, model: Option<&TrainedModel>) -> Arch {
    match model {
        Some(model) => model.record().arch,
        None if args.architecture.edges.is_some() => Arch::Custom,
        None => args.architecture.arch.unwrap_or(Arch::Sc),
    }
}

/// Makes the folder, unless something else is there.
pub(super) fn folder_for_pictures(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() && !folder.is_dir() {
        return refuse("--out", format!("{} is not a folder: name another one", folder.display()));
    }
    fs::create_dir_all(folder).map_err(|error| Error::io(folder, error)).context("--out")
}

/// Draws the connections, and what neurons see of a picture; the paths.
fn draw(
    network: &Network,
    arch: Arch,
    on_picture: Option<&OnPicture>,
    folder: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    folder_for_pictures(folder)?;
    let connections = connectivity_picture(&pictured(network), arch.description())?;
    let mut pictures = vec![(folder.join("connectivity.png"), connections)];
    if let Some(on_picture) = on_picture {
        pictures.push((folder.join("receptive_fields.png"), on_picture.sheet(network)?));
    }
    let write = |(path, png): (PathBuf, Vec<u8>)| {
        atomic_write(&path, &png).context("--out")?;
        Ok(path)
    };
    pictures.into_iter().map(write).collect()
}

/// Tables and totals.
fn print(
    network: &Network,
    model: Option<&TrainedModel>,
    on_picture: Option<&OnPicture>,
) -> anyhow::Result<()> {
    terminal::print_table(&layer_table(network, CPU_TILES))?;
    print_grids(network)?;
    if let Some(on_picture) = on_picture {
        terminal::print_next_table("receptive fields in pixels", &on_picture.table(network))?;
    }
    print_totals(network, dense_parameters(network, model))?;
    if let Some(model) = model {
        terminal::remark(&preprocessing_line(model))?;
        pruned_line(model).map_or(Ok(()), |line| terminal::remark(&line))?;
    }
    Ok(())
}

/// The rewiring of a finished run, if its folder was named.
fn rewiring(args: &NetworkArgs) -> Option<RewiringSummary> {
    RunFolder::finished(args.model.as_ref()?).ok()??.1.rewiring
}

fn print_rewiring(rewiring: &RewiringSummary) -> anyhow::Result<()> {
    let heading = format!("{} edges moved in training", grouped(rewiring.edges_moved));
    terminal::print_next_table(&heading, &rewiring_table(rewiring))
}

/// Parameters of the fully connected network of the widths before any pruning.
fn dense_parameters(network: &Network, model: Option<&TrainedModel>) -> usize {
    model.map_or(network.dense_parameter_count(), TrainedModel::dense_parameter_count)
}

/// The same for programs.
fn described(
    network: &Network,
    model: Option<&TrainedModel>,
    on_picture: Option<&OnPicture>,
    pictures: &[PathBuf],
) -> serde_json::Value {
    let layer = |layer: &Layer| {
        json!({
            "activation": layer.activation,
            "inputs": layer.topology.inputs().width(),
            "outputs": layer.topology.outputs().width(),
            "edges": layer.topology.edges(),
            "density": layer.topology.density(),
        })
    };
    json!({
        "parameters": network.parameter_count(),
        "dense_parameters": dense_parameters(network, model),
        "layers": network.layers().iter().map(layer).collect::<Vec<_>>(),
        "architecture": model.map(TrainedModel::record),
        "importance": model.map(|model| model.preprocessing().importance()),
        "task": model.map(|model| model.data().task),
        "classes": model.filter(|model| model.data().task.is_classification()).map(TrainedModel::class_names),
        "targets": model.map(|model| model.data().targets.iter().map(|target| &target.name).collect::<Vec<_>>()),
        "epochs_trained": model.map(TrainedModel::epochs_trained),
        "receptive_fields": on_picture.map(|on_picture| on_picture.fields(network)),
        "picture": pictures.first(),
        "receptive_fields_picture": pictures.get(1),
    })
}

/// The saved network with its model, or the one that the flags describe.
pub(super) fn subject(args: &NetworkArgs) -> anyhow::Result<InspectedNetwork> {
    if let Some(path) = &args.model {
        let model = super::load_model(path)?;
        let (network, on_picture) = (model.network().clone(), OnPicture::of_model(&model));
        return Ok(InspectedNetwork { network, model: Some(model), on_picture });
    }
    for (flag, value) in [("--inputs", args.inputs), ("--classes", args.classes)] {
        if value == 0 {
            return refuse(flag, "0 is invalid, it must be at least 1");
        }
    }
    let settings = ArchitectureSettings::new(&args.architecture)?;
    if let Some(network) = network_from_files(&settings, None)? {
        session().warn_of_unreached_neurons(&network);
        return Ok(InspectedNetwork { network, model: None, on_picture: None });
    }
    let picture = args.picture.unwrap_or_else(|| Grid::squarest(args.inputs));
    let shape = InputShape { features: picture.neurons(), picture: Some([picture.rows, picture.columns]) };
    let architecture = settings.fit_to(shape, args.classes)?;
    check_network(
        &architecture,
        "fewer `inputs` or `classes`, smaller layers (`hidden`, `grid`) or fewer edges",
    )?;
    let network = architecture.build(args.seed).map_err(|error| settings.blame(error))?;
    session().warn_of_size(&settings, &network);
    session().warn_of_far_edges(&architecture, &network);
    let on_picture = OnPicture::of_architecture(&architecture, &network);
    Ok(InspectedNetwork { network, model: None, on_picture })
}

/// The hidden layers, or the only one.
fn pictured(network: &Network) -> Vec<&Topology> {
    let layers = network.layers();
    let hidden = &layers[..(layers.len() - 1).max(1)];
    hidden.iter().map(|layer| &*layer.topology).collect()
}

/// The tile densities of each layer with more than one tile, equal ones once.
fn print_grids(network: &Network) -> anyhow::Result<()> {
    let mut grids: Vec<(Vec<String>, TextTable)> = Vec::new();
    for (index, layer) in network.layers().iter().enumerate() {
        let Some(grid) = tile_grid(&layer.topology) else { continue };
        let name = (index + 1).to_string();
        match grids.last_mut() {
            Some((names, last)) if *last == grid => names.push(name),
            _ => grids.push((vec![name], grid)),
        }
    }
    for (names, grid) in grids {
        let layers = if names.len() == 1 { "layer" } else { "layers" };
        terminal::print_next_table(&format!("tiles of {layers} {}", names.join(", ")), &grid)?;
    }
    Ok(())
}

/// Parameters compared with the dense network, and the memory of the weights on each engine.
fn print_totals(network: &Network, dense: usize) -> anyhow::Result<()> {
    let parameters = network.parameter_count();
    terminal::remark(&format!(
        "\nparameters {}, fully connected {}: {:.2} % fewer",
        grouped(parameters),
        grouped(dense),
        100.0 * (1.0 - parameters as f64 / dense as f64),
    ))?;
    let engines = [("CPU", CPU_TILES), ("GPU", GpuOptions::default().tiles.listing_blocks())];
    let takes = engines.map(|(engine, policy)| {
        let bytes = weight_bytes(network, policy);
        format!("{} on the {engine} (tiles dense from {})", size(bytes), policy.dense_from)
    });
    terminal::remark(&format!("weights with padding and index: {}", takes.join(", ")))
}

/// Bytes of all weights as a policy packs them, with padding and index.
pub(super) fn weight_bytes(network: &Network, policy: TilePolicy) -> u64 {
    let layers = network.layers().iter();
    layers.map(|layer| TiledLayer::pack(&layer.topology, policy).memory().total() as u64).sum()
}

/// What pruning removed, if anything.
fn pruned_line(model: &TrainedModel) -> Option<String> {
    let pruned = model.record().pruned.as_ref()?;
    let words = |items: Vec<String>| items.join(", ");
    let edges: usize = model.network().layers().iter().map(|layer| layer.topology.edges()).sum();
    Some(format!(
        "pruned by {}: {} of {} weights are left, hidden layers had {} neurons",
        words(pruned.methods.iter().map(ToString::to_string).collect()),
        grouped(edges),
        grouped(pruned.all_edges_before()),
        words(pruned.hidden_before.iter().map(ToString::to_string).collect()),
    ))
}

/// The numbers of the preprocessing.
fn preprocessing_line(model: &TrainedModel) -> String {
    let preprocessing = model.preprocessing();
    format!(
        "preprocessing {} {}{}{}: {} more numbers in the model file",
        preprocessing.importance(),
        preprocessing.order(),
        preprocessing.numbers().map_or_else(String::new, |encoding| {
            let (inputs, features) = (grouped(encoding.outputs()), grouped(encoding.features()));
            format!(", numbers {}: {inputs} inputs of {features} features", encoding.form())
        }),
        if preprocessing.standardisation().is_some() { ", standardised" } else { "" },
        grouped(preprocessing.number_count())
    )
}
