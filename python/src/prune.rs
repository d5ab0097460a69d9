//! Pruning on samples in memory.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::{Map, Value};
use tanner::dataset::{DataSplits, Dataset, Holdout};
use tanner::experiments::prune::{
    BlockSearchOptions, PruneMethodSettings, PruneSettings, PruneTarget, PrunedModel, Until, WeightGoal,
};
use tanner::model::TrainedModel;
use tanner::network::Network;
use tanner::session::settings::DataSettings;
use tanner::session::{DataOptions, EngineRequest, Session, SplitSettings};

use crate::model::Warnings;

/// Blocks of a layer of a network without blocks.
const USUAL_BLOCKS: usize = 8;

/// How a model is pruned, as Python asked.
pub(crate) struct PruneRequest(Map<String, Value>);

impl PruneRequest {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// `ValueError` when it is none.
    pub(crate) fn read(text: &str) -> PyResult<Self> {
        serde_json::from_str(text).map(Self).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key).and_then(Value::as_f64)
    }

    fn whole(&self, key: &str) -> Option<usize> {
        self.0.get(key).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok())
    }

    /// The settings of the library.
    fn settings(&self, network: &Network) -> tanner::Result<PruneSettings> {
        let method = match (self.number("sparsity"), self.number("threshold")) {
            #[expect(clippy::cast_possible_truncation, reason = "weights are float32")]
            (_, Some(limit)) => PruneMethodSettings::Weights(WeightGoal::Threshold(limit as f32)),
            (Some(share), _) => PruneMethodSettings::Weights(WeightGoal::Sparsity(share)),
            (None, None) => {
                let until = Until::Drop(self.number("max_drop").unwrap_or(0.5) / 100.0);
                let options = BlockSearchOptions {
                    blocks: self.whole("blocks").or_else(|| usual_blocks(network)),
                    inputs: false,
                    compensate: true,
                    until,
                };
                let target = self.number("target").map(|share| PruneTarget::Percent(100.0 * share));
                PruneMethodSettings::Blocks(options, target)
            }
        };
        let validation = self.0.get("validation").map(ToString::to_string);
        let validation: Option<Holdout> = validation.map(|text| text.parse()).transpose()?;
        let seed = self.0.get("seed").and_then(Value::as_u64);
        Ok(PruneSettings {
            method,
            // The samples are in memory, and these settings are not used.
            data: DataSettings::new(&DataOptions::default())?,
            split: SplitSettings { validation, train_limit: None, seed },
            rounds: self.whole("rounds").unwrap_or(1),
            fine_tune: self.whole("fine_tune").unwrap_or(0),
            learning_rate: self.number("lr"),
            batch_size: self.whole("batch_size").unwrap_or(128),
            l2: None,
            engine: EngineRequest::Cpu { threads: self.whole("threads") },
        })
    }
}

/// The number of blocks to cut the layers of a network into that has none of its own.
fn usual_blocks(network: &Network) -> Option<usize> {
    let layers = network.layers().iter().map(|layer| layer.topology.inputs());
    let widest = layers.clone().map(|layer| layer.width()).max()?;
    layers.clone().all(|layer| layer.len() == 1).then_some(widest.min(USUAL_BLOCKS))
}

/// Prunes.
///
/// # Errors
/// Those of the library.
pub(crate) fn prune(
    model: &TrainedModel,
    request: &PruneRequest,
    train: Dataset,
    test: Dataset,
) -> tanner::Result<PrunedModel> {
    let settings = request.settings(model.network())?;
    settings.method.check(model)?;
    Session::new(&Warnings::default()).prune_on(model, &settings, DataSplits { train, test })
}
