//! Encodes a model as the bytes of its file.

use sha2::{Digest, Sha256};

use super::TrainedModel;
use super::container;
use super::decode::most_inputs;
use super::format::{LayerHeader, ModelMetadata, NAME, VERSION};
use super::tensor::Tensor;
use crate::importance::{NumberEncoding, NumberForm, Transform};

/// Refuses models beyond the limits of a reader.
fn check_readable(model: &TrainedModel, bytes: &[u8]) -> Result<(), String> {
    let first = &model.network().layers()[0].topology;
    let (inputs, most) = (first.inputs().width(), most_inputs(bytes.len()));
    if inputs > most && !first.is_fully_connected() {
        return Err(format!(
            "{inputs} inputs with {} edges are too sparse for a file, which would take {most} at most: \
             leave out inputs that no edge uses",
            first.edges()
        ));
    }
    Ok(())
}

impl TrainedModel {
    /// SHA-256 of all tensors of the model file: the same for all versions of this program.
    #[must_use]
    #[doc(hidden)]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (name, tensor) in self.layer_tensors().into_iter().chain(self.preprocessing_tensors()) {
            hash.update(name.as_bytes());
            hash.update((tensor.bytes().len() as u64).to_le_bytes());
            hash.update(tensor.bytes());
        }
        crate::text::hex(hash.finalize())
    }

    /// The bytes of the model file; the same model always has the same bytes.
    ///
    /// Refuses to write what no reader would accept.
    pub(super) fn encode(&self) -> Result<Vec<u8>, String> {
        let mut tensors = self.layer_tensors();
        tensors.extend(self.preprocessing_tensors());
        let bytes = container::to_bytes(tensors, self.header_json()?)?;
        check_readable(self, &bytes)?;
        Ok(bytes)
    }

    /// The JSON object in the metadata of the model file.
    ///
    /// # Errors
    /// Why it cannot be written.
    #[doc(hidden)]
    pub fn header_json(&self) -> Result<String, String> {
        serde_json::to_string(&self.header()).map_err(|error| error.to_string())
    }

    fn header(&self) -> ModelMetadata {
        let layers = self.network().layers().iter().map(|layer| LayerHeader {
            activation: layer.activation,
            keep_probability: layer.keep_probability,
            fully_connected: layer.topology.is_fully_connected(),
        });
        ModelMetadata {
            format: NAME.into(),
            version: VERSION,
            written_by: concat!("tanner ", env!("CARGO_PKG_VERSION")).into(),
            architecture: self.record().clone(),
            epochs_trained: self.epochs_trained(),
            held_out: self.held_out(),
            importance: self.preprocessing().importance(),
            order: self.preprocessing().order(),
            standardized: self.preprocessing().standardisation().is_some(),
            numbers: self.preprocessing().numbers().map_or(NumberForm::Plain, NumberEncoding::form),
            features: self.preprocessing().input_features(),
            layers: layers.collect(),
            data: Some(self.data().clone()).filter(|data| !data.is_empty()),
            loss: self.loss(),
        }
    }

    /// The tensors `preprocessing.*`.
    pub(crate) fn preprocessing_tensors(&self) -> Vec<(String, Tensor<'_>)> {
        let mut tensors = Vec::new();
        let mut add = |name: &str, tensor| tensors.push((format!("preprocessing.{name}"), tensor));
        if let Some(encoding) = self.preprocessing().numbers() {
            add("number_source", Tensor::indices(encoding.source()));
            let names = ["number_offset", "number_width", "number_low", "number_high"];
            names.into_iter().zip(encoding.parts()).for_each(|(name, part)| add(name, Tensor::list(part)));
        }
        if let Some(standardisation) = self.preprocessing().standardisation() {
            add("feature_mean", Tensor::list(standardisation.mean()));
            add("feature_divisor", Tensor::list(standardisation.divisor()));
        }
        match self.preprocessing().transform() {
            Transform::Identity { .. } => {}
            Transform::Rotation { mean, rotation, explained_variance } => {
                let shape = vec![explained_variance.len(), mean.len()];
                add("mean", Tensor::list(mean));
                add("rotation", Tensor::floats(rotation, shape));
                add("explained_variance", Tensor::list(explained_variance));
            }
            Transform::Permutation { order, importance } => {
                add("order", Tensor::indices(order));
                add("importance", Tensor::list(importance));
            }
        }
        tensors
    }

    fn layer_tensors(&self) -> Vec<(String, Tensor<'_>)> {
        let mut tensors = Vec::new();
        let layers = self.network().layers().iter().zip(&self.parameters().layers);
        for (index, (layer, values)) in layers.enumerate() {
            let topology = &layer.topology;
            let mut add = |name: &str, tensor| tensors.push((format!("layers.{index}.{name}"), tensor));
            add("input_blocks", Tensor::indices(topology.inputs().bounds()));
            add("output_blocks", Tensor::indices(topology.outputs().bounds()));
            if !topology.is_fully_connected() {
                add("row_start", Tensor::indices(topology.row_start()));
                add("inputs", Tensor::indices(topology.edge_inputs()));
            }
            add("weights", Tensor::list(&values.weights));
            add("biases", Tensor::list(&values.biases));
        }
        tensors
    }
}
