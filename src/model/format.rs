#![doc = include_str!("../../docs/model-format.md")]

use serde::{Deserialize, Serialize};

use super::ArchitectureRecord;
use crate::dataset::{DataRecord, HeldOut};
use crate::engine::LossRule;
use crate::importance::{Importance, NumberForm, Order};
use crate::network::Activation;

/// Name of the format.
pub const NAME: &str = "tanner-model";
/// Version that this program writes, and the highest that it reads.
pub const VERSION: u32 = 4;
/// Key of the header in the metadata. There is only one key, because the
/// metadata are a hash map, whose order would change from write to write.
pub const METADATA_KEY: &str = "tanner";

/// Maximum number of bytes of the header of a file, the JSON object that all metadata and the list of tensors are in: 16 MiB.
pub const MAX_HEADER: usize = 16 << 20;

/// The JSON object in the metadata.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelMetadata {
    /// [`NAME`].
    pub format: String,
    /// Version of the format.
    pub version: u32,
    /// The program that wrote the file, for people to read.
    pub written_by: String,
    /// The requested architecture.
    pub architecture: ArchitectureRecord,
    /// Number of epochs after which the parameters were taken.
    pub epochs_trained: usize,
    /// The training samples that were held out, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<HeldOut>,
    /// The kind of importance.
    pub importance: Importance,
    /// The direction of the order.
    pub order: Order,
    /// Whether raw features are standardised first.
    #[serde(default)]
    pub standardized: bool,
    /// How numbers are encoded, before they are standardised.
    #[serde(default = "plain", skip_serializing_if = "is_plain")]
    pub numbers: NumberForm,
    /// Number of raw features of a sample.
    pub features: usize,
    /// The layers, from the inputs to the logits.
    pub layers: Vec<LayerHeader>,
    /// What is known of the data besides the numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataRecord>,
    /// The loss of training, unless it is the cross-entropy of classes.
    #[serde(default, skip_serializing_if = "LossRule::is_of_classes")]
    pub loss: LossRule,
}

fn plain() -> NumberForm {
    NumberForm::Plain
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_plain(numbers: &NumberForm) -> bool {
    *numbers == NumberForm::Plain
}

/// A layer without its numbers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerHeader {
    /// The function applied to the weighted sums.
    pub activation: Activation,
    /// Probability with which dropout kept a unit in training.
    pub keep_probability: f32,
    /// Whether every edge exists, so that the file lists none.
    pub fully_connected: bool,
}
