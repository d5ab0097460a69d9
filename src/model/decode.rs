//! Decodes the bytes of a model file as untrusted input.

use std::sync::Arc;

use safetensors::Dtype;

use super::TrainedModel;
use super::container::{Container, Read};
use super::format::{LayerHeader, ModelMetadata, NAME, VERSION};
use crate::error::one_line;
use crate::importance::{
    Importance, NumberEncoding, NumberForm, Order, Preprocessing, Standardisation, Transform,
};
use crate::network::{Layer, LayerParameters, Network, Parameters};
use crate::topology::{Partition, Topology};

/// Inputs of a sparse first layer that a file of any size may have.
const FREE_INPUTS: usize = 1 << 16;
/// Inputs of a sparse first layer for each byte of a larger file.
const INPUTS_PER_BYTE: usize = 4;
/// Maximum number of epochs: numbers up to here are exact in every JSON reader.
const MAX_EPOCHS: usize = 1 << 53;

impl TrainedModel {
    /// Reads the bytes of a model file; the reason of a refusal is one line of bounded length.
    pub(super) fn decode(bytes: &[u8]) -> Read<Self> {
        Self::decode_parts(bytes).map_err(|reason| one_line(&reason))
    }

    fn decode_parts(bytes: &[u8]) -> Read<Self> {
        let mut file = Container::new(bytes)?;
        let header: ModelMetadata = file.header(NAME, check_version)?;
        let (mut layers, mut values) = (Vec::<Layer>::new(), Vec::new());
        for (index, layer) in header.layers.iter().enumerate() {
            let below = layers.last().map(|below| below.topology.outputs().width());
            let limit =
                below.map_or_else(|| InputLimit::AtMost(most_inputs(bytes.len())), InputLimit::Exactly);
            let (layer, parameters) = read_layer(&mut file, index, layer, limit)
                .map_err(|reason| format!("layers.{index}: {reason}"))?;
            layers.push(layer);
            values.push(parameters);
        }
        let preprocessing = read_preprocessing(&mut file, &header)?;
        file.expect_all_read()?;
        let network = Network::new(layers).map_err(text)?;
        let parameters = Parameters { layers: values };
        let mut model = Self::new(network, parameters, preprocessing, header.architecture).map_err(text)?;
        if header.epochs_trained > MAX_EPOCHS {
            return Err(format!("{} epochs of training, the limit is {MAX_EPOCHS}", header.epochs_trained));
        }
        model.epochs_trained = header.epochs_trained;
        model.set_held_out(header.held_out).map_err(text)?;
        model.set_data(header.data.unwrap_or_default()).map_err(|error| format!("data: {error}"))?;
        model.set_loss(header.loss).map_err(text)?;
        Ok(model)
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// How many inputs a layer may have: their number determines the size of lists, regardless of edges.
#[derive(Clone, Copy)]
enum InputLimit {
    /// As many as the layer below has outputs, each of which has a bias in the file.
    Exactly(usize),
    /// The first layer has as many as the header says, bounded by the size of the file.
    AtMost(usize),
}

/// Maximum number of inputs of a sparse first layer in a file of this many bytes.
pub(super) fn most_inputs(file_bytes: usize) -> usize {
    FREE_INPUTS.max(file_bytes.saturating_mul(INPUTS_PER_BYTE))
}

fn check_version(version: u32) -> Read<()> {
    match version {
        0 => Err(format!("format version 0, there are versions 1 to {VERSION}")),
        1..=VERSION => Ok(()),
        _ => Err(format!(
            "format version {version}, this program reads up to version {VERSION}: use a newer one"
        )),
    }
}

fn indices(file: &mut Container<'_>, name: &str) -> Read<Vec<u32>> {
    let bytes = file.typed(name, Dtype::U32, None)?;
    Ok(bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
}

fn floats(file: &mut Container<'_>, name: &str, shape: Option<&[usize]>) -> Read<Vec<f32>> {
    let bytes = file.typed(name, Dtype::F32, shape)?;
    Ok(bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

fn read_layer(
    file: &mut Container<'_>,
    index: usize,
    header: &LayerHeader,
    limit: InputLimit,
) -> Read<(Layer, LayerParameters)> {
    let name = |part: &str| format!("layers.{index}.{part}");
    let mut blocks = |part: &str| {
        let bounds = indices(file, &name(part))?;
        Partition::from_bounds(bounds.into_iter().map(|bound| bound as usize)).map_err(text)
    };
    let (inputs, outputs) = (blocks("input_blocks")?, blocks("output_blocks")?);
    check_inputs(inputs.width(), header.fully_connected, limit)?;
    let weights = floats(file, &name("weights"), None)?;
    let biases = floats(file, &name("biases"), Some(&[outputs.width()]))?;
    let topology = if header.fully_connected {
        // Compared before lists are allocated, so that a false width costs no memory.
        if inputs.width().checked_mul(outputs.width()) != Some(weights.len()) {
            return Err(format!(
                "{} weights do not connect {} inputs to {} outputs fully",
                weights.len(),
                inputs.width(),
                outputs.width()
            ));
        }
        Topology::full(inputs, outputs)
    } else {
        let row_start = indices(file, &name("row_start"))?;
        Topology::from_rows(inputs, outputs, row_start, indices(file, &name("inputs"))?)
    };
    let topology = Arc::new(topology.map_err(text)?);
    let layer = Layer { topology, activation: header.activation, keep_probability: header.keep_probability };
    Ok((layer, LayerParameters { weights, biases }))
}

/// Refuses a number of inputs that is not backed by the file.
fn check_inputs(inputs: usize, fully_connected: bool, limit: InputLimit) -> Read<()> {
    match limit {
        InputLimit::Exactly(below) if inputs != below => {
            Err(format!("{inputs} inputs, the layer below has {below} outputs"))
        }
        // A fully connected layer has a weight for each of them.
        InputLimit::AtMost(most) if inputs > most && !fully_connected => Err(format!(
            "{inputs} inputs are too many for so few edges, the limit in a file of this size is {most}"
        )),
        _ => Ok(()),
    }
}

fn read_preprocessing(file: &mut Container<'_>, header: &ModelMetadata) -> Read<Preprocessing> {
    let numbers = match header.numbers {
        NumberForm::Plain => None,
        form => Some(read_numbers(file, form, header.features)?),
    };
    // Features behind the encoding of numbers.
    let features = numbers.as_ref().map_or(header.features, NumberEncoding::outputs);
    let transform = match header.importance {
        Importance::None if header.order != Order::Place => Transform::Identity { features },
        Importance::Pca => {
            let mean = floats(file, "preprocessing.mean", Some(&[features]))?;
            let explained_variance = floats(file, "preprocessing.explained_variance", None)?;
            let shape = [explained_variance.len(), mean.len()];
            let rotation = floats(file, "preprocessing.rotation", Some(&shape))?;
            Transform::Rotation { mean, rotation, explained_variance }
        }
        Importance::None | Importance::RandomForest | Importance::Random | Importance::Variance => {
            let importance = floats(file, "preprocessing.importance", Some(&[features]))?;
            Transform::Permutation { order: indices(file, "preprocessing.order")?, importance }
        }
    };
    let standardisation =
        header.standardized.then(|| read_standardisation(file, header.version, features)).transpose()?;
    let rest = Preprocessing::from_parts(header.importance, header.order, standardisation, transform);
    match numbers {
        Some(encoding) => rest.and_then(|rest| rest.with_numbers(encoding)),
        None => rest,
    }
    .map_err(text)
}

fn read_numbers(file: &mut Container<'_>, form: NumberForm, features: usize) -> Read<NumberEncoding> {
    let source = indices(file, "preprocessing.number_source")?;
    let mut list = |name| floats(file, name, Some(&[source.len()]));
    let parts = [
        list("preprocessing.number_offset")?,
        list("preprocessing.number_width")?,
        list("preprocessing.number_low")?,
        list("preprocessing.number_high")?,
    ];
    let encoding = NumberEncoding::from_parts(form, source, parts).map_err(text)?;
    if encoding.features() != features {
        return Err(format!("numbers of {} features, the header says {features}", encoding.features()));
    }
    Ok(encoding)
}

fn read_standardisation(file: &mut Container<'_>, version: u32, features: usize) -> Read<Standardisation> {
    let mut list = |name| floats(file, name, Some(&[features]));
    let mean = list("preprocessing.feature_mean")?;
    let standardisation = if version < 4 {
        Standardisation::from_deviations(mean, &list("preprocessing.feature_deviation")?)
    } else {
        Standardisation::from_parts(mean, list("preprocessing.feature_divisor")?)
    };
    standardisation.map_err(text)
}
