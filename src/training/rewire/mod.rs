//! Rewiring: between epochs, some edges of the hidden layers are removed, and as many are added elsewhere.
//!
//! A [`Rewiring`] sets the rule, the share of edges that move, and when. A rule ([`Rule`]) chooses the [`Moves`] of every
//! layer from a [`Snapshot`]: the graphs, the weights, a batch of samples, and where edges may be
//! ([`Region`](crate::topology::Region)). [`rewire`] applies the rule, makes the new graphs and passes them to the engine.
//! Surviving edges keep their weights and optimiser state, and new ones start at 0. The number of edges of each layer stays
//! the same.
//!
//! Random numbers depend on the seed and the epoch, so a run that resumes before an epoch moves the same edges.

pub(super) mod degrees;
mod percolate;
mod rigl;
mod set;
mod snapshot;

use std::f64::consts::PI;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::Recipe;
use crate::dataset::Dataset;
use crate::engine::Engine;
use crate::named::named;
use crate::network::Network;
use crate::random::{Purpose, generator};
use crate::topology::{Edit, Edited, Region};
use crate::{Error, Result, Setting};

pub use degrees::{LayerDegrees, RewiringSummary};
use snapshot::{GradientBatch, Moves, Snapshot};

named! {
    /// The rules by which edges move.
    pub enum Rewire {
        /// No edge moves.
        Off = "off",
        /// The smallest weights are removed, and edges are added at random.
        Set = "set",
        /// The smallest weights are removed, and edges are added where the gradient of the loss is largest.
        Rigl = "rigl",
        /// As set, but edges of disconnected neurons are removed too, and none are added there.
        Percolate = "percolate",
    }
}

/// Maximum number of samples for a gradient, which bounds memory and time.
const MAX_SAMPLES: usize = 256;

impl Rewire {
    /// The implementation of the rule.
    fn rule(self) -> Option<&'static dyn Rule> {
        match self {
            Self::Off => None,
            Self::Set => Some(&set::Set),
            Self::Rigl => Some(&rigl::Rigl),
            Self::Percolate => Some(&percolate::Percolate),
        }
    }
}

/// A choice of the edges that move.
trait Rule {
    /// The moves of each layer, from the inputs on; `rng` is the only source of randomness.
    fn moves(&self, snapshot: &Snapshot<'_>, rng: &mut rand_chacha::ChaCha8Rng) -> Vec<Moves>;
}

/// How edges move in a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rewiring {
    /// The rule.
    pub rule: Rewire,
    /// Share of each layer's edges that move at the start, in `(0, 1]`.
    pub fraction: f64,
    /// Epochs between moves, at least 1.
    pub every: usize,
    /// Share of all epochs after which nothing moves, in `(0, 1]`.
    pub end: f64,
}

impl Rewiring {
    /// A rule with the fraction of SET and RigL, every epoch, for the first three quarters of the epochs.
    #[must_use]
    pub fn new(rule: Rewire) -> Self {
        Self { rule, fraction: 0.3, every: 1, end: 0.75 }
    }

    /// Refuses settings outside their range.
    pub(crate) fn check(&self) -> Result<()> {
        let is_share = |share: f64| share > 0.0 && share <= 1.0;
        for (setting, share) in [(Setting::RewireFraction, self.fraction), (Setting::RewireEnd, self.end)] {
            if !is_share(share) {
                let reason = format!("{share} is invalid, it must be above 0 and at most 1");
                return Err(Error::Setting { setting, reason });
            }
        }
        if self.every == 0 {
            return Err(Error::setting(Setting::RewireEvery, "0 is invalid, it must be at least 1"));
        }
        Ok(())
    }

    /// The share of the edges that move before an epoch (counted from 0); `None` if none move then.
    ///
    /// The fraction falls along half a cosine from the first epoch to the end (Evci et al., 2020, "Rigging the Lottery").
    pub(super) fn fraction_at(&self, epoch: usize, epochs: usize) -> Option<f64> {
        let end = self.end * epochs as f64;
        let is_due = epoch > 0 && epoch.is_multiple_of(self.every) && (epoch as f64) < end;
        is_due.then(|| self.fraction / 2.0 * (1.0 + (PI * epoch as f64 / end).cos()))
    }
}

/// Moves a share of an engine's edges before an epoch, and returns how many moved. `None` means that a stop was requested
/// and nothing has moved. `order` has the samples of the epoch in the order of its steps.
pub(super) fn rewire(
    engine: &mut dyn Engine,
    (rewiring, recipe): (&Rewiring, &Recipe),
    regions: &[Region],
    (epoch, fraction): (usize, f64),
    (data, order): (&Dataset, &[u32]),
    stop: &AtomicBool,
) -> Result<Option<usize>> {
    let Some(rule) = rewiring.rule.rule() else { return Ok(Some(0)) };
    let network = network_of(engine)?;
    let parameters = engine.parameters()?;
    let batch = GradientBatch {
        data,
        samples: &order[..order.len().min(recipe.batch_size).min(MAX_SAMPLES)],
        loss: recipe.loss,
        label_smoothing: f64::from(recipe.label_smoothing),
    };
    let snapshot = Snapshot { network: &network, parameters: &parameters, regions, fraction, batch, stop };
    // The recipe was checked: epochs fit u32.
    let stream = u32::try_from(epoch).unwrap_or(u32::MAX);
    let moves = rule.moves(&snapshot, &mut generator(recipe.seed, Purpose::Rewiring(stream)));
    drop(parameters);
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    if moves.iter().all(|moves| moves.added.is_empty()) {
        return Ok(Some(0));
    }
    // Layer by layer, and without the engine's copy, so that little is in memory twice.
    let mut state = engine.take_state()?;
    let (mut graphs, mut moved) = (Vec::new(), 0);
    for (index, (Moves { dropped, added }, region)) in moves.into_iter().zip(regions).enumerate() {
        let topology = &network.layers()[index].topology;
        if added.is_empty() {
            graphs.push(topology.clone());
            continue;
        }
        let grain = region.grain();
        moved += added.len() * grain.group_size() * grain.group_size();
        let Edited { topology, now } = topology.edit(Edit { grain, dropped, added })?;
        state = state.moved(&network, index, &now);
        graphs.push(Arc::new(topology));
    }
    drop(network);
    engine.rewire(&graphs, state)?;
    Ok(Some(moved))
}

/// The network of an engine whose graphs can change.
pub(super) fn network_of(engine: &dyn Engine) -> Result<Network> {
    let reason = "needs an engine that can change its graphs";
    engine.network().cloned().ok_or_else(|| Error::setting(Setting::Rewire, reason))
}

#[cfg(test)]
mod tests;
