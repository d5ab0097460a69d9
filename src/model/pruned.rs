//! The record of pruning in files.

use serde::{Deserialize, Serialize};

use crate::named::named;
use crate::network::Network;
use crate::topology::MAX_WIDTH;
use crate::{Error, Result};

named! {
    /// How a network was pruned.
    pub enum PruneMethod {
        /// Lower blocks of neurons were removed.
        Blocks = "blocks",
        /// The smallest weights were removed.
        Magnitude = "magnitude",
    }
}

/// Records that a network was pruned, and its original size.
///
/// The widths in an [`ArchitectureRecord`](super::ArchitectureRecord) are always those
/// of the network itself; blocks and degrees are those that its graphs were drawn with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrunedRecord {
    /// Methods, in the order in which they were used.
    pub methods: Vec<PruneMethod>,
    /// Width of each hidden layer before the first pruning.
    pub hidden_before: Vec<usize>,
    /// Number of weights of each layer before the first pruning, the logits last.
    pub edges_before: Vec<usize>,
}

impl PrunedRecord {
    /// The record of pruning `network`, which `earlier` prunings may have made smaller before.
    pub fn new(network: &Network, earlier: Option<&Self>, method: PruneMethod) -> Self {
        let mut record = earlier.cloned().unwrap_or_else(|| {
            let widths = network.widths();
            Self {
                methods: Vec::new(),
                hidden_before: widths[1..widths.len() - 1].to_vec(),
                edges_before: network.layers().iter().map(|layer| layer.topology.edges()).collect(),
            }
        });
        record.methods.push(method);
        record
    }

    /// Number of weights before the first pruning.
    pub fn all_edges_before(&self) -> usize {
        self.edges_before.iter().fold(0, |sum, edges| sum.saturating_add(*edges))
    }

    /// Refuses a network that is not a proper part of the recorded one.
    pub(super) fn check(&self, network: &Network) -> Result<()> {
        let refuse = |reason: String| Err(Error::Network(format!("pruned: {reason}")));
        if self.methods.is_empty() {
            return refuse("no method is named".into());
        }
        let widths = network.widths();
        let hidden = &widths[1..widths.len() - 1];
        if self.hidden_before.len() != hidden.len() || self.edges_before.len() != network.layers().len() {
            return refuse(format!(
                "{} hidden widths and {} numbers of edges before do not fit a network of {} layers",
                self.hidden_before.len(),
                self.edges_before.len(),
                network.layers().len()
            ));
        }
        if let Some(wide) = self.hidden_before.iter().find(|width| **width > MAX_WIDTH) {
            return refuse(format!("a hidden layer of {wide} neurons before, the limit is {MAX_WIDTH}"));
        }
        let grown = hidden.iter().zip(&self.hidden_before).position(|(now, before)| now > before);
        if let Some(layer) = grown {
            let (now, before) = (hidden[layer], self.hidden_before[layer]);
            return refuse(format!("hidden layer {} has {now} neurons, {before} before", layer + 1));
        }
        let ends = [widths[0]].into_iter().chain(self.hidden_before.iter().copied());
        let ends: Vec<usize> = ends.chain([network.classes()]).collect();
        for (index, (layer, before)) in network.layers().iter().zip(&self.edges_before).enumerate() {
            let (now, most) = (layer.topology.edges(), ends[index].checked_mul(ends[index + 1]));
            if now > *before || most.is_none_or(|most| *before > most) {
                return refuse(format!(
                    "layer {} has {now} edges, {before} before, which is invalid",
                    index + 1
                ));
            }
        }
        let now: usize = network.layers().iter().map(|layer| layer.topology.edges()).sum();
        if now >= self.all_edges_before() {
            return refuse(format!("{now} edges are left of {now}, so none was removed"));
        }
        Ok(())
    }
}
