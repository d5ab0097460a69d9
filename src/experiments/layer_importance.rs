//! Whether the order of importance survives through the layers.
//!
//! "Spatially-Coupled Neural Network Architectures" claims that a network whose
//! inputs are ordered by importance keeps that order at every hidden layer. Each
//! block of each layer of neurons is measured in two ways: how much a random
//! forest on the layer's outputs uses it (mean decrease in Gini impurity), and how
//! much accuracy is lost when it is silenced. Spearman's rank correlation compares
//! the order of the blocks with both.

use std::sync::Arc;

use serde::Serialize;

use super::blocks::neuron_blocks;
use super::silence::silence;
use super::statistics::{spearman, spearman_chance};
use crate::Result;
use crate::dataset::Dataset;
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, EngineSettings};
use crate::importance::Order;
use crate::model::TrainedModel;
use crate::named::named;

/// One-sided p below which an order is significant.
pub const SIGNIFICANT: f64 = 0.05;

named! {
    /// What replaces a silenced neuron's output.
    pub enum Silence {
        /// Its mean over the training samples: only the neuron's information is lost.
        Mean = "mean",
        /// 0: the neuron's information is lost, and the next layer's weighted sums shift.
        Zero = "zero",
    }
}

/// The outputs of one layer of neurons over the training samples, for a random forest.
#[derive(Clone, Copy, Debug)]
pub struct LayerOutputs<'a> {
    /// The layer; 0 is the inputs.
    pub layer: usize,
    /// `[sample][neuron]`.
    pub values: &'a [f32],
    /// Neurons of the layer.
    pub neurons: usize,
    /// `[sample]`.
    pub labels: &'a [u32],
    /// Every label is below it.
    pub classes: usize,
}

/// Returns the importance of each neuron of a layer, `[neuron]`, by a random forest.
pub type Forest<'a> = dyn FnMut(&LayerOutputs<'_>) -> Result<Vec<f64>> + 'a;

/// What is measured, and how.
#[derive(Clone, Debug)]
pub struct LayerImportanceOptions {
    /// Even blocks in every layer instead of the network's own.
    pub blocks: Option<usize>,
    /// How blocks are silenced.
    pub silence: Silence,
    /// Settings of the engine that computes activations; nothing is trained.
    pub settings: EngineSettings,
    /// Its threads, all cores by default.
    pub threads: Option<usize>,
}

/// One block of one layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlockImportance {
    /// Counted from 0.
    pub block: usize,
    /// Neurons in it.
    pub neurons: usize,
    /// Sum of its neurons' mean decreases in Gini impurity; a layer's sum is 1.
    pub gini: Option<f64>,
    /// Share of the measured samples that were right before and are wrong with the
    /// block silenced, less the reverse; negative if silencing helped.
    pub accuracy_lost: f64,
    /// Increase of the mean cross-entropy by silencing, in nats.
    pub loss_added: f64,
}

/// Agreement of the order of the blocks with one measure of importance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Spearman's rank correlation; 1 if importance falls from block to block in that order.
    pub rho: f64,
    /// Probability of as great a correlation if every order is equally likely.
    pub chance: f64,
}

/// The blocks of one layer of neurons.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerImportance {
    /// 0 is the inputs.
    pub layer: usize,
    /// In order.
    pub blocks: Vec<BlockImportance>,
    /// Of the blocks' order with the random forest's importance; `None` if nothing varies.
    pub gini_agreement: Option<Agreement>,
    /// Of the blocks' order with the accuracy lost.
    pub silence_agreement: Option<Agreement>,
}

/// Measures every block of every layer of a model.
///
/// `train` and `measured` are preprocessed samples: means and the
/// forest come from `train`, accuracy from `measured`. Without a forest (`None`) that part is skipped.
///
/// # Errors
/// When data or blocks do not fit the network, an engine fails, or the forest does.
pub fn layer_importance(
    model: &TrainedModel,
    train: &Dataset,
    measured: &Arc<Dataset>,
    options: &LayerImportanceOptions,
    engine: &mut dyn Engine,
    mut forest: Option<&mut Forest<'_>>,
    progress: &mut dyn FnMut(&LayerImportance),
) -> Result<Vec<LayerImportance>> {
    let (network, parameters) = (model.network(), model.parameters());
    let cuts = neuron_blocks(network, options.blocks)?;
    let forward = CpuEngine::new(network, parameters, options.settings, options.threads)?;
    let means = match options.silence {
        Silence::Mean => Some(forward.mean_activations(train)?),
        Silence::Zero => None,
    };
    engine.set_parameters(parameters)?;
    let whole = engine.evaluate(measured)?;
    let mut layers = Vec::with_capacity(cuts.len());
    for (layer, cut) in cuts.iter().enumerate() {
        let gini = match &mut forest {
            Some(forest) => Some(forest(&LayerOutputs {
                layer,
                values: &forward.activations(train, layer)?,
                neurons: cut.width(),
                labels: train.labels(),
                classes: train.class_count(),
            })?),
            None => None,
        };
        let mut blocks = Vec::with_capacity(cut.len());
        for (block, neurons) in cut.blocks().enumerate() {
            let layer_means = means.as_ref().map(|means| &means[layer][..]);
            engine.set_parameters(&silence(network, parameters, layer, neurons.clone(), layer_means))?;
            let silenced = engine.evaluate(measured)?;
            blocks.push(BlockImportance {
                block,
                neurons: neurons.len(),
                gini: gini.as_ref().map(|gini| gini[neurons].iter().sum()),
                accuracy_lost: whole.accuracy() - silenced.accuracy(),
                loss_added: silenced.loss - whole.loss,
            });
        }
        let layer = judged(layer, blocks, model.preprocessing().order());
        progress(&layer);
        layers.push(layer);
    }
    engine.set_parameters(parameters)?;
    Ok(layers)
}

/// Adds the agreement of the order of the blocks with both measures.
fn judged(layer: usize, blocks: Vec<BlockImportance>, order: Order) -> LayerImportance {
    // The expected rank: the greater, the more important.
    let sign = if order == Order::Descending { -1.0 } else { 1.0 };
    let promised: Vec<f64> = blocks.iter().map(|block| sign * block.block as f64).collect();
    let agreement = |measure: &[f64]| {
        let rho = spearman(&promised, measure)?;
        Some(Agreement { rho, chance: spearman_chance(&promised, measure)? })
    };
    let gini: Option<Vec<f64>> = blocks.iter().map(|block| block.gini).collect();
    let lost: Vec<f64> = blocks.iter().map(|block| block.accuracy_lost).collect();
    LayerImportance {
        layer,
        gini_agreement: gini.and_then(|gini| agreement(&gini)),
        silence_agreement: agreement(&lost),
        blocks,
    }
}

/// Fewest blocks whose order can be significant: 1 of 4! orders.
const DECISIVE_BLOCKS: usize = 4;

/// One sentence: whether the measurements support that the order of importance survives.
///
/// A layer keeps the order by a measure if its correlation is positive and its p is
/// at most [`SIGNIFICANT`]; it contradicts the order if the correlation is not positive.
pub fn verdict(layers: &[LayerImportance]) -> String {
    let hidden = layers.iter().filter(|layer| layer.layer > 0);
    let agreements: Vec<(usize, &str, Option<Agreement>)> = hidden
        .flat_map(|layer| {
            let gini = layer.blocks.iter().all(|block| block.gini.is_some());
            let gini = gini.then_some((layer.layer, "random forest", layer.gini_agreement));
            gini.into_iter().chain([(layer.layer, "silencing", layer.silence_agreement)])
        })
        .collect();
    let keeps =
        |agreement: &Option<Agreement>| agreement.is_some_and(|a| a.rho > 0.0 && a.chance <= SIGNIFICANT);
    let kept = agreements.iter().filter(|(.., agreement)| keeps(agreement)).count();
    let against: Vec<String> = agreements
        .iter()
        .filter(|(.., agreement)| !keeps(agreement))
        .map(|(layer, by, _)| format!("hidden layer {layer} by {by}"))
        .collect();
    let all = agreements.len();
    let claim = "that the order of importance survives through the layers";
    if all == 0 {
        return "There is no hidden layer, so there is no order of importance.".into();
    }
    let most_blocks = layers.iter().filter(|layer| layer.layer > 0).map(|layer| layer.blocks.len()).max();
    if let Some(few) = most_blocks.filter(|blocks| *blocks < DECISIVE_BLOCKS) {
        return format!(
            "Whether it is true {claim} cannot be decided with {few} blocks a layer, \
             whose order is too often right by chance; take `blocks` {DECISIVE_BLOCKS} or more."
        );
    }
    if kept == all {
        return format!("This supports the claim {claim}: every hidden layer keeps it by every measure.");
    }
    let inverted = agreements.iter().all(|(.., a)| a.is_none_or(|a| a.rho <= 0.0));
    let what = match kept {
        0 if inverted => "contradicts",
        0 => "does not support",
        _ => "supports only in part",
    };
    format!(
        "This {what} the claim {claim}: {kept} of {all} measurements keep it, not {}.",
        against.join(", ")
    )
}

#[cfg(test)]
#[path = "layer_importance_tests.rs"]
mod tests;
