//! Where the edges of a model may move.

use super::{ArchitectureRecord, TrainedModel};
use crate::topology::{Coupled2d, Grid, Region};

impl TrainedModel {
    /// Where the edges of each layer may be, as its architecture says: of a hidden layer in two dimensions within its reach,
    /// of others in the blocks that are joined.
    pub(crate) fn regions(&self) -> Vec<Region> {
        let layers = self.network().layers().iter().enumerate();
        let region = |(index, layer): (usize, &crate::network::Layer)| {
            let sides = [layer.topology.inputs().width(), layer.topology.outputs().width()];
            let planar = self.record.planar(index);
            // Pruning may have taken neurons away.
            let fits = |layer: &Coupled2d| [layer.inputs, layer.outputs].map(Grid::neurons) == sides;
            planar.filter(fits).map_or_else(|| Region::of(&layer.topology), |layer| Region::planar(&layer))
        };
        layers.map(region).collect()
    }
}

impl ArchitectureRecord {
    /// A hidden layer in two dimensions, as it was drawn.
    fn planar(&self, index: usize) -> Option<Coupled2d> {
        fn entry<T: Copy>(list: &[T], index: usize) -> Option<T> {
            if let [one] = list { Some(*one) } else { list.get(index).copied() }
        }
        let picture = self.picture.filter(|_| index < self.hidden.len())?;
        Some(Coupled2d {
            inputs: if index == 0 { picture } else { entry(&self.grids, index - 1)? },
            outputs: entry(&self.grids, index)?,
            fan_in: entry(&self.fan_in, index)?,
            reach: entry(&self.reach, index)?,
            falloff: self.falloff?,
            grain: self.grain?,
            picture: [picture.rows, picture.columns],
            importance: Vec::new(),
        })
    }
}
