//! Rewiring: between two epochs some edges of the hidden layers go, and as many come elsewhere.
//!
//! A [`Rewiring`] says by which rule, how many and when. A rule ([`Rule`]) chooses the [`Moves`] of every layer from what
//! there is ([`Subject`]): the graphs, the weights, a batch of samples, and where edges may be
//! ([`Region`](crate::topology::Region)). [`rewire`] has it choose, makes the new graphs and gives them to the engine: edges
//! that stay keep their weight and the optimiser's memory of it, new ones begin at 0. The number of edges of each layer
//! stays the same.
//!
//! Chance comes from the seed and the epoch, so a run that goes on before an epoch moves the same edges.

pub(super) mod degrees;
mod percolate;
mod rigl;
mod set;
mod subject;

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
use subject::{Batch, Moves, Subject};

named! {
    /// The rules by which edges move.
    pub enum Rewire {
        /// None does.
        Off = "off",
        /// The smallest weights go, others come by chance.
        Set = "set",
        /// The smallest weights go, others come where the gradient of the loss is largest.
        Rigl = "rigl",
        /// As set; what leads nowhere goes, too, and nothing comes there.
        Percolate = "percolate",
    }
}

/// Most samples that a gradient is computed of, so that a large batch takes neither memory nor time.
const MAX_SAMPLES: usize = 256;

impl Rewire {
    /// The rule that chooses.
    fn rule(self) -> Option<&'static dyn Rule> {
        match self {
            Self::Off => None,
            Self::Set => Some(&set::Set),
            Self::Rigl => Some(&rigl::Rigl),
            Self::Percolate => Some(&percolate::Percolate),
        }
    }
}

/// What chooses which edges move.
trait Rule {
    /// The moves of each layer, from the inputs on; chance comes from `rng` alone.
    fn moves(&self, subject: &Subject<'_>, rng: &mut rand_chacha::ChaCha8Rng) -> Vec<Moves>;
}

/// How edges move in a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rewiring {
    /// By which rule.
    pub rule: Rewire,
    /// Share of each layer's edges that move at the start, in `(0, 1]`.
    pub fraction: f64,
    /// Epochs from one time to the next, at least 1.
    pub every: usize,
    /// Share of all epochs after which nothing moves, in `(0, 1]`.
    pub end: f64,
}

impl Rewiring {
    /// A rule with the fraction of SET and RigL, once an epoch, until three quarters of the epochs are over.
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

    /// The share of the edges that move before an epoch, counted from 0; none where it is not time.
    ///
    /// The fraction falls along half a cosine from the first epoch to the end (Evci et al., 2020, "Rigging the Lottery").
    pub(super) fn fraction_at(&self, epoch: usize, epochs: usize) -> Option<f64> {
        let end = self.end * epochs as f64;
        let is_due = epoch > 0 && epoch.is_multiple_of(self.every) && (epoch as f64) < end;
        is_due.then(|| self.fraction / 2.0 * (1.0 + (PI * epoch as f64 / end).cos()))
    }
}

/// Moves a share of an engine's edges before an epoch, and says how many moved; `None` where it was told to stop before, and
/// nothing has. `order` are the samples of the epoch in the order of its steps.
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
    let batch = Batch {
        data,
        samples: &order[..order.len().min(recipe.batch_size).min(MAX_SAMPLES)],
        label_smoothing: f64::from(recipe.label_smoothing),
    };
    let subject = Subject { network: &network, parameters: &parameters, regions, fraction, batch, stop };
    // The recipe was checked: epochs fit u32.
    let stream = u32::try_from(epoch).unwrap_or(u32::MAX);
    let moves = rule.moves(&subject, &mut generator(recipe.seed, Purpose::Rewiring(stream)));
    drop(parameters);
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    if moves.iter().all(|moves| moves.added.is_empty()) {
        return Ok(Some(0));
    }
    // One layer after the other, and the engine's own copy is gone: little is in memory twice.
    let mut state = engine.take_state()?;
    let (mut graphs, mut moved) = (Vec::new(), 0);
    for (index, (Moves { dropped, added }, region)) in moves.into_iter().zip(regions).enumerate() {
        let topology = &network.layers()[index].topology;
        if added.is_empty() {
            graphs.push(topology.clone());
            continue;
        }
        let grain = region.grain();
        moved += added.len() * grain.together() * grain.together();
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
    let reason = "asks for an engine that can change its graphs";
    engine.network().cloned().ok_or_else(|| Error::setting(Setting::Rewire, reason))
}

#[cfg(test)]
mod tests;
