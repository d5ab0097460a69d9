//! Networks over graphs from files.

use std::path::PathBuf;
use std::sync::Arc;

use super::Session;
use super::resumption::Resumption;
use super::settings::{ArchitectureSettings, EdgeFiles};
use crate::edges::{self, EndWidths};
use crate::error::AskedBy as _;
use crate::network::{Activation, Layer, Network};
use crate::text::grouped;
use crate::topology::Topology;
use crate::training::{RunFolder, find_file_of, last_continuation};
use crate::{Error, Result, Setting};

/// The network over graphs from files, if the settings name any.
///
/// # Errors
/// Errors of a file, or what does not fit, with the name of the setting.
pub fn network_from_files(
    settings: &ArchitectureSettings,
    ends: Option<EndWidths>,
) -> Result<Option<Network>> {
    let Some(EdgeFiles(paths)) = settings.edges() else { return Ok(None) };
    let topologies = edges::read(paths, ends).asked_by(Setting::Edges)?;
    stacked(topologies, settings).asked_by(Setting::Edges).map(Some)
}

/// A network over the graphs of all its layers, the last of which computes the logits.
pub(super) fn stacked(topologies: Vec<Topology>, settings: &ArchitectureSettings) -> Result<Network> {
    let last = topologies.len().saturating_sub(1);
    let layer = |(index, topology)| {
        let (activation, keep_probability) = match index == last {
            true => (Activation::Identity, 1.0),
            false => (settings.activation(), settings.keep_probability()),
        };
        Layer { topology: Arc::new(topology), activation, keep_probability }
    };
    Network::new(topologies.into_iter().enumerate().map(layer).collect())
}

/// The graphs of a network.
pub(super) fn graphs(network: &Network) -> impl Iterator<Item = &Topology> {
    network.layers().iter().map(|layer| &*layer.topology)
}

/// The digest of a network's graphs, if they came from files.
pub(super) fn digest(settings: &ArchitectureSettings, network: &Network) -> Option<String> {
    settings.edges().map(|_| edges::digest(graphs(network)))
}

/// Saves graphs that came from files in the folder of the run.
pub(super) fn keep(folder: &RunFolder, settings: &ArchitectureSettings, network: &Network) -> Result<()> {
    match settings.edges() {
        Some(_) => folder.write_edges(&edges::to_npz(graphs(network))?),
        None => Ok(()),
    }
}

#[doc(hidden)]
impl Session<'_> {
    /// Warns of neurons without inputs in graphs from files.
    pub fn warn_of_unreached_neurons(&self, network: &Network) {
        let unreached = |(number, topology): (usize, &Topology)| {
            let width = topology.outputs().width();
            let count = (0..width).filter(|output| topology.in_degree(*output) == 0).count();
            (count > 0).then(|| format!("layer {number} has {} of {}", grouped(count), grouped(width)))
        };
        let layers: Vec<String> = (1..).zip(graphs(network)).filter_map(unreached).collect();
        if !layers.is_empty() {
            self.warn(format!("neurons without inputs, which stay constant: {}", layers.join("; ")));
        }
    }
}

impl Resumption {
    /// Where the graphs of the run are: the files that it last used, otherwise the copy in its folder.
    pub(super) fn edges_now(
        &self,
        recorded: Option<EdgeFiles>,
        asked: Option<EdgeFiles>,
    ) -> Result<Option<EdgeFiles>> {
        let recorded = match (recorded, asked) {
            (None, Some(_)) => {
                let reason = "cannot be changed: the run has no graphs from files";
                return Err(Error::setting(Setting::Edges, reason));
            }
            (Some(_), Some(asked)) => return Ok(Some(asked)),
            (None, None) => return Ok(None),
            (Some(recorded), None) => recorded,
        };
        let last = last_continuation(&self.config).map(|last| last.edges).unwrap_or_default();
        if !last.is_empty() && last.iter().all(|path| path.exists()) {
            return Ok(Some(EdgeFiles(last)));
        }
        let find = |(index, path): (usize, &PathBuf)| {
            find_file_of(self.folder.path(), &self.config, (Setting::Edges, index), path)
        };
        let found: Result<Vec<PathBuf>> = recorded.0.iter().enumerate().map(find).collect();
        let copy = self.folder.edges_path();
        match found {
            Err(_) if copy.exists() => Ok(Some(copy.into())),
            found => Ok(Some(EdgeFiles(found?))),
        }
    }

    /// Adds the place of the copy to an error of graph files.
    pub(super) fn with_copy(resumption: Option<&Self>, error: Error) -> Error {
        match (resumption.map(|resumption| resumption.folder.edges_path()), error) {
            (Some(copy), Error::For { setting: Setting::Edges, source })
                if copy.exists() && !source.to_string().contains(&*copy.to_string_lossy()) =>
            {
                let reason = format!("{source}; {} has the graphs of the run", copy.display());
                Error::setting(Setting::Edges, reason)
            }
            (_, error) => error,
        }
    }

    /// Refuses graphs other than those that the run began with.
    pub(super) fn check_edges(&self, settings: &ArchitectureSettings, network: &Network) -> Result<()> {
        let (Some(now), Some(then)) = (digest(settings, network), self.config["edges_sha256"].as_str())
        else {
            return Ok(());
        };
        if now == then {
            return Ok(());
        }
        let files = settings.edges().map_or_else(String::new, ToString::to_string);
        let copy = self.folder.edges_path();
        let reason = format!(
            "{files} has other graphs than the run started with (SHA-256 {}.., recorded {}..): {} has those",
            &now[..12],
            then.get(..12).unwrap_or(then),
            copy.display()
        );
        Err(Error::setting(Setting::Edges, reason))
    }
}
