//! The model file: a safetensors file that needs nothing beside it.
//!
//! `docs/model-format.md` describes it byte by byte, with all that a reader of its own must know.
//!
//! The metadata have one entry, `tanner`, a JSON object ([`Header`]) with the
//! name and version of the format, the layers' activations and keep
//! probabilities, the importance and the architecture. Tensors, little-endian,
//! for each layer `L` counted from 0:
//!
//! | tensor | type | shape | |
//! |---|---|---|---|
//! | `layers.L.input_blocks` | u32 | blocks + 1 | first input of each block, then the number of inputs |
//! | `layers.L.output_blocks` | u32 | blocks + 1 | the same for the outputs |
//! | `layers.L.row_start` | u32 | outputs + 1 | first edge of each output, then the number of edges |
//! | `layers.L.inputs` | u32 | edges | input neuron of each edge, increasing within an output |
//! | `layers.L.weights` | f32 | edges | one for each edge, in the same order |
//! | `layers.L.biases` | f32 | outputs | |
//!
//! A fully connected layer stores neither `row_start` nor `inputs`: its edges
//! follow from its widths. What is done to raw features has its tensors, too:
//!
//! | tensor | type | shape | with importance |
//! |---|---|---|---|
//! | `preprocessing.mean` | f32 | features | `pca` |
//! | `preprocessing.rotation` | f32 | components, features | `pca` |
//! | `preprocessing.explained_variance` | f32 | components | `pca` |
//! | `preprocessing.order` | u32 | features | `rf`, `random`, `variance`: the raw feature at each position |
//! | `preprocessing.importance` | f32 | features | the same: its importance |
//! | `preprocessing.feature_mean` | f32 | features | any, standardised |
//! | `preprocessing.feature_deviation` | f32 | features | any, standardised |
//!
//! An unchanged order of raw features stores its number in the header alone.
//!
//! Version 1 knew no `standardized` in the header, which is false there, and no
//! importance but `none` and `pca`; version 2 adds them. Version 3 adds the
//! optional object `data` ([`DataRecord`]): the names of classes (`class_names`, by
//! number of class) and of raw features (`feature_names`), `image_shape` where a raw
//! sample is a picture of `[rows, columns]`, `encoding` where samples come from a
//! table ([`TableEncoding`](crate::dataset::table::TableEncoding)), and `test`, the
//! rows of that table that were held out as its test set. Everything in it is
//! optional; what is there fits the number of raw features and of classes.

use serde::{Deserialize, Serialize};

use super::ArchitectureRecord;
use crate::dataset::{DataRecord, HeldOut};
use crate::importance::{Importance, Order};
use crate::network::Activation;

/// Name of the format.
pub const NAME: &str = "tanner-model";
/// Version that this program writes, and the highest that it reads.
pub const VERSION: u32 = 3;
/// Key of the header among the metadata. One key alone, because the
/// metadata are a hash map, whose order would change from write to write.
pub const METADATA_KEY: &str = "tanner";

/// Most bytes of the header of a file, the JSON object that all metadata and the list of tensors are in: 16 MiB.
pub const MAX_HEADER: usize = 16 << 20;

/// The JSON object in the metadata.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`NAME`].
    pub format: String,
    /// Version of the format.
    pub version: u32,
    /// The program that wrote the file, for people to read.
    pub written_by: String,
    /// The architecture that was asked for.
    pub architecture: ArchitectureRecord,
    /// Number of epochs after which the parameters were taken.
    pub epochs_trained: usize,
    /// The training samples that were held out, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<HeldOut>,
    /// How the importance of the features was found.
    pub importance: Importance,
    /// Which end of the order came first.
    pub order: Order,
    /// Whether raw features are standardised first.
    #[serde(default)]
    pub standardized: bool,
    /// Number of raw features of a sample.
    pub features: usize,
    /// The layers, from the inputs to the logits.
    pub layers: Vec<LayerHeader>,
    /// What is known of the data beside numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataRecord>,
}

/// What a layer has beside numbers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerHeader {
    /// What is applied to the weighted sums.
    pub activation: Activation,
    /// Probability with which dropout kept a unit in training.
    pub keep_probability: f32,
    /// Whether every edge is there, so that the file lists none.
    pub fully_connected: bool,
}
