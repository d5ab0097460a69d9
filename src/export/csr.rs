//! A model as files that numpy and scipy read: each layer a matrix in compressed sparse rows.
//!
//! | file | what it holds |
//! |---|---|
//! | `layer<L>.npz` | weights of layer L, counted from 0, `[output][input]`, for `scipy.sparse.load_npz` |
//! | `biases.npz` | `layer<L>`: biases `[output]`, for `numpy.load` |
//! | `preprocessing.npz` | what is done to raw features: the tensors `preprocessing.*` of the model file, by the names behind the point |
//! | `model.json` | the JSON header of the model file: activations, kind of preprocessing, architecture |

use super::npz::Npz;
use crate::importance::{Preprocessing, Transform};
use crate::model::TrainedModel;
use crate::network::{Layer, LayerParameters};
use crate::{Error, Result};

/// The names of the files that [`files`] gives for a network of so many layers.
#[doc(hidden)]
pub fn file_names(layers: usize) -> Vec<String> {
    let others = ["biases.npz", "preprocessing.npz", "model.json"].map(str::to_owned);
    (0..layers).map(layer_file).chain(others).collect()
}

/// Gives each file of a model, its name and its bytes, to `write`.
///
/// # Errors
/// [`Error::Export`] when a file is too large for a zip archive, and what `write` fails with.
pub fn files<E: From<Error>>(
    model: &TrainedModel,
    mut write: impl FnMut(&str, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let layers = model.network().layers().iter().zip(&model.parameters().layers);
    let mut biases = Npz::new();
    for (index, (layer, values)) in layers.enumerate() {
        write(&layer_file(index), &matrix(layer, values)?)?;
        biases.floats(&format!("layer{index}"), &[values.biases.len()], &values.biases)?;
    }
    write("biases.npz", &biases.finish()?)?;
    write("preprocessing.npz", &preprocessing(model.preprocessing())?)?;
    write("model.json", model.header_json().map_err(Error::Export)?.as_bytes())
}

fn layer_file(index: usize) -> String {
    format!("layer{index}.npz")
}

/// One layer, by the names that `scipy.sparse.save_npz` uses.
fn matrix(layer: &Layer, values: &LayerParameters) -> Result<Vec<u8>> {
    let topology = &layer.topology;
    let mut npz = Npz::new();
    npz.indices("indices", topology.edge_inputs())?;
    npz.indices("indptr", topology.row_start())?;
    npz.text("format", "csr")?;
    npz.sizes("shape", &[topology.outputs().width(), topology.inputs().width()])?;
    npz.floats("data", &[values.weights.len()], &values.weights)?;
    npz.finish()
}

fn preprocessing(preprocessing: &Preprocessing) -> Result<Vec<u8>> {
    let mut npz = Npz::new();
    if let Some(standardisation) = preprocessing.standardisation() {
        let shape = [standardisation.features()];
        npz.floats("feature_mean", &shape, standardisation.mean())?;
        npz.floats("feature_deviation", &shape, standardisation.deviation())?;
    }
    match preprocessing.transform() {
        Transform::Identity { .. } => {}
        Transform::Rotation { mean, rotation, explained_variance } => {
            npz.floats("mean", &[mean.len()], mean)?;
            npz.floats("rotation", &[explained_variance.len(), mean.len()], rotation)?;
            npz.floats("explained_variance", &[explained_variance.len()], explained_variance)?;
        }
        Transform::Permutation { order, importance } => {
            npz.indices("order", order)?;
            npz.floats("importance", &[importance.len()], importance)?;
        }
    }
    npz.finish()
}
