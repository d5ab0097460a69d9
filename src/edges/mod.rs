//! Graphs from files, written by other programs.
//!
//! Each layer is a matrix `[output][input]` in the form of `scipy.sparse.save_npz`, as the files of
//! [`export::csr`](crate::export::csr) are. Every stored entry is an edge, even if its value is 0: values
//! are not read. [`read`] takes
//!
//! * a folder of `layer1.npz`, `layer2.npz`, ..;
//! * an archive with the arrays of one matrix (`indptr`, `indices`, `shape`, `format`);
//! * an archive with those of several (`layer1.indptr`, `layer2.indptr`, ..), as in a run folder.
//!
//! Files are not trusted: nothing large is allocated before the bytes for it are known to exist and layers to fit each other.

mod matrix;

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::dataset::table::Source;
use crate::topology::Topology;
use crate::{Error, Result};

pub(crate) use crate::export::csr::graphs as to_npz;
use matrix::GraphMatrix;

/// Neurons on a side of a layer that are accepted with any number of edges.
const MANY_NEURONS: usize = 1 << 16;
/// More are accepted up to this number per edge.
const NEURONS_PER_EDGE: usize = 16;

/// Number of the inputs and of the outputs that a network must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndWidths {
    /// Features of a sample.
    pub features: usize,
    /// Classes.
    pub classes: usize,
}

/// Reads the graphs of all layers, from the inputs to the logits.
///
/// # Errors
/// [`Error::Io`] and [`Error::Table`] name the file, the problem and the remedy, also if layers do not fit each other
/// or the ends of the network.
pub fn read(paths: &[PathBuf], ends: Option<EndWidths>) -> Result<Vec<Topology>> {
    let mut matrices = Vec::new();
    for path in paths {
        if path.is_dir() {
            for file in layer_files(path)? {
                matrices.extend(matrices_of(&file)?);
            }
        } else {
            matrices.extend(matrices_of(path)?);
        }
    }
    joined(matrices, ends)
}

/// As [`read`], one archive.
///
/// # Errors
/// As [`read`].
pub fn read_archive(source: Source, ends: Option<EndWidths>) -> Result<Vec<Topology>> {
    joined(matrices_in(source)?, ends)
}

fn joined(matrices: Vec<GraphMatrix>, ends: Option<EndWidths>) -> Result<Vec<Topology>> {
    check_widths(&matrices, ends)?;
    check_emptiness(&matrices, ends.is_some())?;
    matrices.into_iter().map(GraphMatrix::into_topology).collect()
}

/// SHA-256 of graphs, independent of the files they came from.
pub(crate) fn digest<'a>(layers: impl IntoIterator<Item = &'a Topology>) -> String {
    let mut sha = Sha256::new();
    for layer in layers {
        for width in [layer.inputs().width(), layer.outputs().width(), layer.edges()] {
            sha.update((width as u64).to_le_bytes());
        }
        for index in layer.row_start().iter().chain(layer.edge_inputs()) {
            sha.update(index.to_le_bytes());
        }
    }
    crate::text::hex(sha.finalize())
}

/// The files of a folder written by `export --csr`.
fn layer_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let refuse = |reason: String| Error::table(folder.display().to_string(), &reason);
    let entries = std::fs::read_dir(folder).map_err(|error| Error::io(folder, error))?;
    // Only the spelling that `export --csr` writes.
    let number = |name: &str| {
        let digits = name.strip_prefix("layer")?.strip_suffix(".npz")?;
        digits.parse::<usize>().ok().filter(|number| number.to_string() == digits)
    };
    let mut numbers: Vec<usize> =
        entries.filter_map(|entry| number(entry.ok()?.file_name().to_str()?)).collect();
    numbers.sort_unstable();
    if numbers.is_empty() {
        return Err(refuse(
            "holds no layer1.npz: name the folder that `tanner export --csr` writes, or NPZ files".into(),
        ));
    }
    match (1..).zip(&numbers).find(|(expected, found)| expected != *found) {
        Some((expected, _)) => Err(refuse(format!(
            "there is no layer{expected}.npz, but a layer{}.npz",
            numbers[numbers.len() - 1]
        ))),
        None => Ok(numbers.iter().map(|number| folder.join(format!("layer{number}.npz"))).collect()),
    }
}

fn matrices_of(path: &Path) -> Result<Vec<GraphMatrix>> {
    matrices_in(Source::open(path)?)
}

fn matrices_in(source: Source) -> Result<Vec<GraphMatrix>> {
    let name = source.name().to_owned();
    GraphMatrix::all_of(source, &name).map_err(|reason| Error::table(name, &reason))
}

/// Refuses layers that do not fit each other, the features or the classes.
fn check_widths(matrices: &[GraphMatrix], ends: Option<EndWidths>) -> Result<()> {
    let sides = "rows are outputs, columns are inputs";
    for pair in matrices.windows(2) {
        let [below, above] = pair else { continue };
        if below.outputs != above.inputs {
            let reason = format!(
                "the layer has {} inputs, but {} outputs come from {} ({sides})",
                above.inputs, below.outputs, below.name
            );
            return Err(Error::table(above.name.clone(), &reason));
        }
    }
    let (Some(first), Some(last)) = (matrices.first(), matrices.last()) else {
        return Err(Error::Network("no graph was given, at least 1 is needed".into()));
    };
    let Some(EndWidths { features, classes }) = ends else { return Ok(()) };
    if first.inputs != features {
        let reason = format!(
            "the first layer has {} inputs, the data have {features} features ({sides})",
            first.inputs
        );
        return Err(Error::table(first.name.clone(), &reason));
    }
    if last.outputs != classes {
        let reason = format!(
            "the last layer has {} outputs, the data have {classes} classes: the layer of logits is one of the graphs, too",
            last.outputs
        );
        return Err(Error::table(last.name.clone(), &reason));
    }
    Ok(())
}

/// Refuses layers whose shape claims far more neurons than have edges, which costs nothing to write. The features of the data
/// are exempt.
fn check_emptiness(matrices: &[GraphMatrix], has_data: bool) -> Result<()> {
    for (index, matrix) in matrices.iter().enumerate() {
        let most = MANY_NEURONS.max(NEURONS_PER_EDGE * matrix.edge_count());
        let inputs = if index == 0 && has_data { 0 } else { matrix.inputs };
        if let Some(width) = [inputs, matrix.outputs].into_iter().find(|width| *width > most) {
            let edges = matrix.edge_count();
            let reason = format!("a side of {width} neurons with {edges} edges, the limit is {most} neurons");
            return Err(Error::table(matrix.name.clone(), &reason));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
