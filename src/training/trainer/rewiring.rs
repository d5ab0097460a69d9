//! Rewiring in the training loop: when edges move, and which observers are notified.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{ActiveRun, permutation};
use crate::Result;
use crate::dataset::Dataset;
use crate::topology::{GraphRows, Region};
use crate::training::rewire::{network_of, rewire};
use crate::training::{EpochSoFar, TrainingState};

/// A stop flag that is never set.
static NEVER: AtomicBool = AtomicBool::new(false);

impl ActiveRun<'_, '_> {
    /// Records where edges may be, before any has moved.
    pub(super) fn record_regions(&mut self) -> Result<()> {
        if self.recipe.rewire.is_none() {
            return Ok(());
        }
        let network = network_of(self.engine)?;
        if self.options.regions.len() != network.layers().len() {
            self.options.regions = network.layers().iter().map(|layer| Region::of(&layer.topology)).collect();
        }
        Ok(())
    }

    /// Restores the engine from a state, including its graphs.
    pub(super) fn restore(&mut self, state: &TrainingState) -> Result<()> {
        match &state.graphs {
            None => self.engine.restore(&state.engine),
            Some(_) => {
                let network = state.network(&network_of(self.engine)?)?;
                let graphs: Vec<_> = network.layers().iter().map(|layer| layer.topology.clone()).collect();
                self.engine.rewire(&graphs, state.engine.clone())
            }
        }
    }

    /// Moves edges before the first step of an epoch if they are due, and records how many. `false` means that a stop was
    /// requested and nothing has moved.
    pub(super) fn rewire(&mut self, data: &Arc<Dataset>, so_far: &mut EpochSoFar) -> Result<bool> {
        let Some(rewiring) = &self.recipe.rewire else { return Ok(true) };
        if so_far.edges_moved.is_some() {
            return Ok(true);
        }
        let epoch = self.history.len();
        let mut moved = 0;
        if let Some(fraction) = rewiring.fraction_at(epoch, self.recipe.epochs) {
            let order = permutation(data.samples(), self.recipe.seed, epoch)?;
            let (regions, place) = (&self.options.regions, (epoch, fraction));
            let stop = self.options.stop.unwrap_or(&NEVER);
            let done = rewire(self.engine, (rewiring, self.recipe), regions, place, (data, &order), stop)?;
            let Some(count) = done else { return Ok(false) };
            moved = count;
        }
        so_far.edges_moved = Some(moved);
        if moved > 0 {
            let network = network_of(self.engine)?;
            self.observers.iter_mut().for_each(|observer| observer.rewired(&network));
        }
        Ok(true)
    }

    /// The current graphs, if edges may have moved.
    pub(super) fn graphs(&self) -> Result<Option<Vec<GraphRows>>> {
        if self.recipe.rewire.is_none() {
            return Ok(None);
        }
        let network = network_of(self.engine)?;
        Ok(Some(network.layers().iter().map(|layer| GraphRows::Of(layer.topology.clone())).collect()))
    }
}
