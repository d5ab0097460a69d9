//! The trained model as a whole: everything that is needed to use a network on raw features.
//!
//! A [`TrainedModel`] combines a network and its parameters with the preprocessing
//! that was fitted on the training set and a record of the requested
//! architecture. It is a separate module because the network does not depend on the
//! importance of features. [`TrainedModel::save`] and [`TrainedModel::load`] store
//! it in a file, whose format `docs/model-format.md` describes byte by byte.

pub(crate) mod container;
mod decode;
#[cfg(feature = "train")]
mod encode;
mod foreign;
#[doc(hidden)]
pub mod format;
mod pruned;
mod record;
#[cfg(feature = "train")]
mod regions;
mod tensor;

use std::path::{Path, PathBuf};

use crate::dataset::{DataRecord, Dataset, HeldOut};
use crate::engine::LossRule;
#[cfg(feature = "train")]
use crate::files::atomic_write;
use crate::importance::Preprocessing;
use crate::network::{Network, Parameters};
use crate::{Error, Result};

#[doc(hidden)]
pub use pruned::{PruneMethod, PrunedRecord};
pub use record::{Arch, ArchitectureRecord};
#[cfg(feature = "train")]
pub(crate) use tensor::Tensor;

/// The model in a run folder.
const MODEL_FILE: &str = "model.safetensors";

/// The path of a model in memory, for messages.
const IN_MEMORY: &str = "(in memory)";

/// A network with its parameters, its preprocessing, and how it was made.
///
/// Invariants, checked by the constructor: the parameters fit the network and are
/// finite; the network takes the features of the preprocessing and has the
/// shape of the record.
#[derive(Clone, Debug)]
pub struct TrainedModel {
    network: Network,
    parameters: Parameters,
    preprocessing: Preprocessing,
    record: ArchitectureRecord,
    epochs_trained: usize,
    held_out: Option<HeldOut>,
    data: DataRecord,
    loss: LossRule,
}

impl TrainedModel {
    /// Combines the parts.
    ///
    /// # Errors
    /// [`Error::Network`] when they do not fit each other or a parameter is not finite.
    pub fn new(
        network: Network,
        parameters: Parameters,
        preprocessing: Preprocessing,
        record: ArchitectureRecord,
    ) -> Result<Self> {
        check_parameters(&network, &parameters)?;
        if preprocessing.output_features() != network.inputs() {
            return Err(Error::Network(format!(
                "a preprocessing with {} output features does not fit a network of {} inputs",
                preprocessing.output_features(),
                network.inputs()
            )));
        }
        record.check(&network)?;
        let data = DataRecord::default();
        let loss = LossRule::CROSS_ENTROPY;
        Ok(Self { network, parameters, preprocessing, record, epochs_trained: 0, held_out: None, data, loss })
    }

    /// Replaces the parameters by those after this many epochs of training.
    ///
    /// # Errors
    /// [`Error::Network`] when they do not fit the network or one is not finite; the old ones stay.
    #[doc(hidden)]
    pub fn set_parameters(&mut self, parameters: Parameters, epochs_trained: usize) -> Result<()> {
        self.set_network(self.network.clone(), parameters, epochs_trained)
    }

    /// As [`TrainedModel::set_parameters`], over other graphs between the same neurons.
    ///
    /// # Errors
    /// As [`TrainedModel::set_parameters`]; if a layer differs in more than its graph.
    pub(crate) fn set_network(
        &mut self,
        network: Network,
        parameters: Parameters,
        epochs_trained: usize,
    ) -> Result<()> {
        check_parameters(&network, &parameters)?;
        self.record.check(&network)?;
        (self.network, self.parameters, self.epochs_trained) = (network, parameters, epochs_trained);
        Ok(())
    }

    /// Number of weights and biases of the fully connected network of the widths that this one had before any pruning.
    #[must_use]
    #[doc(hidden)]
    pub fn dense_parameter_count(&self) -> usize {
        let record = &self.record;
        let hidden = record.pruned.as_ref().map_or(&record.hidden, |pruned| &pruned.hidden_before);
        let widths: Vec<usize> = [&[record.inputs][..], hidden, &[record.classes]].concat();
        let counts = widths.windows(2).map(|pair| pair[0].saturating_add(1).saturating_mul(pair[1]));
        counts.fold(0, usize::saturating_add)
    }

    /// Records which training samples the model has never seen.
    ///
    /// # Errors
    /// [`Error::Dataset`] when no such split is possible.
    pub(crate) fn set_held_out(&mut self, held_out: Option<HeldOut>) -> Result<()> {
        held_out.map(|split| split.holdout.count_of(split.of)).transpose()?;
        self.held_out = held_out;
        Ok(())
    }

    /// The training samples that the model has never seen, if any were held out.
    pub(crate) fn held_out(&self) -> Option<HeldOut> {
        self.held_out
    }

    /// Records what is known of the data besides the numbers.
    ///
    /// # Errors
    /// [`Error::Dataset`] when it does not match the model's features and classes.
    #[doc(hidden)]
    pub fn set_data(&mut self, data: DataRecord) -> Result<()> {
        data.check(self.preprocessing.input_features(), self.record.classes)?;
        if self.loss.task() != data.task {
            self.loss = LossRule::of_task(data.task);
        }
        self.data = data;
        Ok(())
    }

    /// Records the loss that it is trained with.
    ///
    /// # Errors
    /// [`Error::Dataset`] when it is the loss of another task.
    pub(crate) fn set_loss(&mut self, loss: LossRule) -> Result<()> {
        loss.check()?;
        if loss.task() != self.data.task {
            let (of, task) = (loss.task(), self.data.task);
            return Err(Error::Dataset(format!(
                "the loss {loss} is one of {of}, the model is one of {task}"
            )));
        }
        self.loss = loss;
        Ok(())
    }

    /// The loss that it was trained with.
    #[doc(hidden)]
    #[must_use]
    pub fn loss(&self) -> LossRule {
        self.loss
    }

    /// How the results of an engine become the score of this model: errors of a single target in its units, those of several
    /// in deviations.
    #[cfg(feature = "train")]
    pub(crate) fn scoring(&self) -> crate::training::Scoring {
        let scale = if let [only] = self.data.targets.as_slice() { only.deviation } else { 1.0 };
        crate::training::Scoring { metric: crate::training::Metric::of_task(self.data.task), scale }
    }

    /// The name of each output: of classes, or of the targets.
    #[doc(hidden)]
    #[must_use]
    pub fn output_names(&self) -> Vec<String> {
        if self.data.targets.is_empty() {
            return self.class_names();
        }
        self.data.targets.iter().map(|target| target.name.clone()).collect()
    }

    /// What is known of the data besides the numbers: names of classes and features, how a table is encoded.
    #[doc(hidden)]
    pub fn data(&self) -> &DataRecord {
        &self.data
    }

    /// The name of each class; numbers if the training data had no names.
    pub fn class_names(&self) -> Vec<String> {
        if self.data.class_names.is_empty() {
            (0..self.network.classes()).map(|class| class.to_string()).collect()
        } else {
            self.data.class_names.clone()
        }
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Weights and biases.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Number of epochs after which the parameters were taken.
    #[doc(hidden)]
    pub fn epochs_trained(&self) -> usize {
        self.epochs_trained
    }

    /// The preprocessing.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// The requested architecture.
    #[doc(hidden)]
    pub fn record(&self) -> &ArchitectureRecord {
        &self.record
    }

    /// Preprocesses raw samples for the network.
    ///
    /// # Errors
    /// When the samples have another number of features, or more classes than the network has logits.
    #[doc(hidden)]
    pub fn prepare(&self, raw: Dataset) -> Result<Dataset> {
        let prepared = self.preprocessing.apply_dataset(self.data.scaled(raw)?)?;
        crate::engine::check_data(&self.network, &prepared)?;
        Ok(prepared)
    }

    /// The same model with the pruned network.
    ///
    /// # Errors
    /// [`Error::Network`] when the parts do not fit each other or nothing was removed.
    pub(crate) fn pruned(
        &self,
        network: Network,
        parameters: Parameters,
        method: PruneMethod,
    ) -> Result<Self> {
        let mut record = self.record.clone();
        let widths = network.widths();
        record.hidden = widths[1..widths.len() - 1].to_vec();
        record.pruned = Some(PrunedRecord::new(&self.network, self.record.pruned.as_ref(), method));
        let mut model = Self::new(network, parameters, self.preprocessing.clone(), record)?;
        (model.epochs_trained, model.held_out) = (self.epochs_trained, self.held_out);
        (model.data, model.loss) = (self.data.clone(), self.loss);
        Ok(model)
    }

    #[cfg(feature = "train")]
    /// Writes the model file atomically.
    ///
    /// The same model always has the same bytes.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.encode().map_err(|reason| Error::Model { path: path.into(), reason })?;
        atomic_write(path, &bytes)
    }

    #[cfg(feature = "train")]
    /// The bytes of the model file, as [`Self::save`] writes them.
    ///
    /// # Errors
    /// [`Error::Model`] when the model is beyond the limits of [the format](mod@format).
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.encode().map_err(|reason| Error::Model { path: IN_MEMORY.into(), reason })
    }

    /// Reads a model file, checking every part of it.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read, [`Error::Model`] when it is
    /// truncated, of another kind, from a newer program, or inconsistent.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = &model_file(path.as_ref())?;
        let refuse = |reason| Error::Model { path: path.clone(), reason };
        let bytes = container::read_file(path, refuse)?;
        Self::decode(&bytes).map_err(refuse)
    }

    /// Reads the bytes of a model file, checking every part of them; suitable for fuzzing.
    ///
    /// For any bytes, this returns a model that satisfies all invariants or an
    /// error of one line, and never allocates more than 1 MiB plus 64 bytes per byte.
    ///
    /// # Errors
    /// [`Error::Model`] as [`Self::load`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::decode(bytes).map_err(|reason| Error::Model { path: IN_MEMORY.into(), reason })
    }
}

/// The file itself, or the model in a run folder.
fn model_file(path: &Path) -> Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let model = path.join(MODEL_FILE);
    match model.metadata() {
        Ok(file) if file.is_file() => return Ok(model),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Err(Error::io(path, error));
        }
        _ => {}
    }
    let reason = format!("a folder without {MODEL_FILE}: name a model file, or the folder of a run");
    Err(Error::Model { path: path.to_owned(), reason })
}

fn check_parameters(network: &Network, parameters: &Parameters) -> Result<()> {
    parameters.check(network)?;
    if !parameters.all_finite() {
        return Err(Error::Network("a weight or bias is not a finite number".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
