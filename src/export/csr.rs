//! A model as files that numpy and scipy read: each layer a matrix in compressed sparse rows.
//!
//! | file | content |
//! |---|---|
//! | `layer<L>.npz` | weights of layer L, counted from 1, `[output][input]`, for `scipy.sparse.load_npz` |
//! | `biases.npz` | `layer<L>`: biases `[output]`, for `numpy.load` |
//! | `preprocessing.npz` | the preprocessing: the tensors `preprocessing.*` of the model file, named by the part after the dot |
//! | `model.json` | the JSON header of the model file: activations, kind of preprocessing, architecture |

use super::npz::Npz;
use crate::model::{Tensor, TrainedModel};
use crate::network::{Layer, LayerParameters};
use crate::topology::Topology;
use crate::{Error, Result};

/// The names of the files of [`files`] for a network of this many layers.
#[doc(hidden)]
pub fn file_names(layers: usize) -> Vec<String> {
    let others = ["biases.npz", "preprocessing.npz", "model.json"].map(str::to_owned);
    (0..layers).map(layer_file).chain(others).collect()
}

/// Passes each file of a model, its name and its bytes, to `write`.
///
/// # Errors
/// [`Error::Export`] when a file is too large for a zip archive; errors of `write`.
pub fn files<E: From<Error>>(
    model: &TrainedModel,
    mut write: impl FnMut(&str, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let layers = model.network().layers().iter().zip(&model.parameters().layers);
    let mut biases = Npz::new();
    for (number, (layer, values)) in (1..).zip(layers) {
        write(&layer_file(number), &matrix(layer, values)?)?;
        biases.tensor(&format!("layer{number}"), &Tensor::list(&values.biases))?;
    }
    write("biases.npz", &biases.finish()?)?;
    write("preprocessing.npz", &preprocessing(model)?)?;
    write("model.json", model.header_json().map_err(Error::Export)?.as_bytes())
}

fn layer_file(number: usize) -> String {
    format!("layer{number}.npz")
}

/// One layer, by the names that `scipy.sparse.save_npz` uses.
fn matrix(layer: &Layer, values: &LayerParameters) -> Result<Vec<u8>> {
    let mut npz = Npz::new();
    graph(&mut npz, "", &layer.topology)?;
    npz.tensor("data", &Tensor::list(&values.weights))?;
    npz.finish()
}

/// A matrix without its values.
fn graph(npz: &mut Npz, prefix: &str, topology: &Topology) -> Result<()> {
    npz.tensor(&format!("{prefix}indices"), &Tensor::indices(topology.edge_inputs()))?;
    npz.tensor(&format!("{prefix}indptr"), &Tensor::indices(topology.row_start()))?;
    npz.text(&format!("{prefix}format"), "csr")?;
    npz.sizes(&format!("{prefix}shape"), &[topology.outputs().width(), topology.inputs().width()])
}

fn preprocessing(model: &TrainedModel) -> Result<Vec<u8>> {
    let mut npz = Npz::new();
    for (name, tensor) in model.preprocessing_tensors() {
        npz.tensor(name.trim_start_matches("preprocessing."), &tensor)?;
    }
    npz.finish()
}

/// Only the graphs of layers, in one archive: `layer<L>.indptr` and so on by scipy's names, L counted from 1.
///
/// # Errors
/// [`Error::Export`] when the archive is too large.
pub(crate) fn graphs<'a>(layers: impl IntoIterator<Item = &'a Topology>) -> Result<Vec<u8>> {
    let mut npz = Npz::new();
    for (number, topology) in (1..).zip(layers) {
        graph(&mut npz, &format!("layer{number}."), topology)?;
    }
    npz.finish()
}
