//! Removing lower blocks of neurons, layer by layer, under a budget.
//!
//! A spatially-coupled network keeps its information in its first blocks, so each
//! step removes the last remaining block of one layer. The search is greedy: of
//! all layers it removes the block that costs the least validation accuracy per
//! parameter removed (source of the idea: "Spatially-Coupled Neural Network
//! Architectures", closing section; the search is specific to this program).

use std::cmp::Ordering;

use super::{Compacted, Pruning, compact, refuse};
use crate::engine::Evaluation;
use crate::experiments::blocks::{layer_name, neuron_blocks};
use crate::experiments::silence::silence;
use crate::network::Network;
use crate::{Result, Setting};

/// When the search ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Until {
    /// No block can be removed without the validation accuracy falling by more
    /// than this share (0.005 is half a percentage point) below the unpruned network's.
    Drop(f64),
    /// The network has at most this many parameters, whatever the accuracy.
    Parameters(usize),
}

/// How blocks are removed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockSearchOptions {
    /// Even blocks in every layer instead of the network's own.
    pub blocks: Option<usize>,
    /// Whether to remove edges of input blocks, too; the inputs themselves stay.
    pub inputs: bool,
    /// Whether a removed neuron's mean output over the training samples moves into
    /// the biases that it fed, so that these weighted sums keep their means.
    pub compensate: bool,
    /// When to end.
    pub until: Until,
}

/// A search that can continue after fine-tuning.
#[derive(Debug)]
pub struct BlockSearch {
    options: BlockSearchOptions,
    /// The initial block number of each remaining neuron: `[layer][neuron]`, layer 0 the inputs.
    block_of: Vec<Vec<usize>>,
}

/// A candidate block, and the effect of removing it.
struct Candidate {
    layer: usize,
    block: usize,
    left: Compacted,
    /// Parameters removed.
    removed: usize,
    /// Of the validation samples, by the network with these weights set to 0.
    evaluation: Evaluation,
    /// Correct samples lost, or RMSE added.
    lost: f64,
}

impl BlockSearch {
    /// Numbers the blocks of a network.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when the network cannot be cut into such blocks or the goal
    /// is outside its range.
    pub fn new(network: &Network, options: BlockSearchOptions) -> Result<Self> {
        match options.until {
            Until::Drop(share) if !(0.0..=1.0).contains(&share) => {
                let points = 100.0 * share;
                return refuse(Setting::MaxDrop, format!("{points} is invalid, it must be 0 to 100 points"));
            }
            Until::Parameters(0) => {
                return refuse(Setting::Target, "0 parameters are invalid, it must be at least 1");
            }
            _ => {}
        }
        let cuts = neuron_blocks(network, options.blocks)?;
        let numbers = cuts.iter().map(|cut| (0..cut.width()).map(|neuron| cut.block_of(neuron)).collect());
        Ok(Self { options, block_of: numbers.collect() })
    }

    /// Removes blocks until the goal is reached.
    ///
    /// # Errors
    /// When a number of parameters cannot be reached, or an engine fails.
    pub fn run(&mut self, pruning: &mut Pruning<'_>) -> Result<()> {
        loop {
            let parameters = pruning.network.parameter_count();
            if matches!(self.options.until, Until::Parameters(target) if parameters <= target) {
                return Ok(());
            }
            if self.remove_one(pruning)? {
                continue;
            }
            return match self.options.until {
                Until::Drop(_) => Ok(()),
                Until::Parameters(target) => refuse(
                    Setting::Target,
                    format!(
                        "{target} parameters cannot be reached, one block in each layer has {parameters}"
                    ),
                ),
            };
        }
    }

    /// Removes the cheapest block that the goal allows, if there is one.
    fn remove_one(&mut self, pruning: &mut Pruning<'_>) -> Result<bool> {
        let mut candidates = self.candidates(pruning)?;
        candidates.sort_by(Candidate::cost_order);
        for candidate in candidates {
            if !self.allows(pruning, &candidate.evaluation) {
                continue;
            }
            let Compacted { network, parameters, kept } = candidate.left;
            let measured: [Evaluation; 2] = pruning.measure(&network, &parameters)?;
            // Rounding may flip a sample; the budget applies to the network that is kept.
            if !self.allows(pruning, &measured[0]) {
                continue;
            }
            for (numbers, kept) in self.block_of[1..].iter_mut().zip(&kept) {
                *numbers = kept.iter().map(|neuron| numbers[*neuron]).collect();
            }
            let step = format!("{} block {}", layer_name(candidate.layer), candidate.block);
            pruning.take_measured(step, network, parameters, measured);
            return Ok(true);
        }
        Ok(false)
    }

    /// Whether the goal allows a network with this many correct validation samples.
    fn allows(&self, pruning: &Pruning<'_>, evaluation: &Evaluation) -> bool {
        match self.options.until {
            Until::Parameters(_) => true,
            Until::Drop(share) if !pruning.scoring.metric.is_share() => {
                pruning.scoring.of(evaluation) <= pruning.curve[0].validation_accuracy * (1.0 + share)
            }
            Until::Drop(share) => {
                let budget = share * pruning.data.validation.samples() as f64;
                evaluation.correct as f64 >= pruning.curve[0].validation_correct as f64 - budget
            }
        }
    }

    /// Tries the last block of each layer: its weights set to 0 on one engine.
    fn candidates(&self, pruning: &mut Pruning<'_>) -> Result<Vec<Candidate>> {
        let means = if self.options.compensate { Some(pruning.mean_activations()?) } else { None };
        let (network, parameters) = (pruning.network.clone(), pruning.parameters.clone());
        let mut engine = pruning.start_engine(&network, &parameters)?;
        let mut candidates = Vec::new();
        let first = usize::from(!self.options.inputs);
        for layer in first..network.layers().len() {
            let Some((block, neurons)) = self.last_block(&network, layer) else { continue };
            let layer_means = means.as_ref().map(|means| &means[layer][..]);
            let silenced = silence(&network, &parameters, layer, neurons.iter().copied(), layer_means);
            let keep = all_but_edges_of(&network, layer, &neurons);
            // A layer that would vanish is not a candidate.
            let Ok(left) = compact(&network, &silenced, keep) else { continue };
            engine.set_parameters(&silenced)?;
            let evaluation = engine.evaluate(&pruning.data.validation)?;
            let last = &pruning.curve[pruning.curve.len() - 1];
            let lost = if pruning.scoring.metric.is_share() {
                last.validation_correct.saturating_sub(evaluation.correct) as f64
            } else {
                (pruning.scoring.of(&evaluation) - last.validation_accuracy).max(0.0)
            };
            let removed = network.parameter_count() - left.network.parameter_count();
            candidates.push(Candidate { layer, block, left, removed, evaluation, lost });
        }
        Ok(candidates)
    }

    /// Number and neurons of the last block that still feeds the next layer, unless it is the only one.
    fn last_block(&self, network: &Network, layer: usize) -> Option<(usize, Vec<usize>)> {
        let topology = &network.layers()[layer].topology;
        let blocks = &self.block_of[layer];
        let feeding: Vec<usize> =
            (0..blocks.len()).filter(|neuron| topology.out_degree(*neuron) > 0).collect();
        let last = feeding.iter().map(|neuron| blocks[*neuron]).max()?;
        let (inside, others): (Vec<_>, Vec<_>) =
            feeding.into_iter().partition(|neuron| blocks[*neuron] == last);
        (!others.is_empty()).then_some((last, inside))
    }
}

impl Candidate {
    /// By lost samples per removed parameter. Without a loss the cost is 0,
    /// however large the gain; of equals, the larger block comes first, then the lower layer.
    fn cost_order(&self, other: &Self) -> Ordering {
        // Of whole numbers, products are exact up to 2^53.
        let (a, b) = (self.lost * other.removed as f64, other.lost * self.removed as f64);
        a.total_cmp(&b).then(other.removed.cmp(&self.removed)).then(self.layer.cmp(&other.layer))
    }
}

/// Marks every edge except those of these neurons.
fn all_but_edges_of(network: &Network, layer: usize, neurons: &[usize]) -> Vec<Vec<bool>> {
    let mut keep: Vec<Vec<bool>> =
        network.layers().iter().map(|layer| vec![true; layer.topology.edges()]).collect();
    for neuron in neurons {
        for (_, edge) in network.layers()[layer].topology.column(*neuron) {
            keep[layer][edge] = false;
        }
    }
    keep
}
