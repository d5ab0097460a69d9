//! Where the edges of a model may move.

use super::{ArchitectureRecord, TrainedModel};
use crate::network::Layer;
use crate::topology::{Coupled2d, Grain, Grid, Region};

impl TrainedModel {
    /// Where the edges of each layer may be, as its architecture says: of a hidden layer in two dimensions within its reach,
    /// of others in the blocks that are joined.
    pub(crate) fn regions(&self) -> Vec<Region> {
        let layers = self.network().layers().iter().enumerate();
        let region = |(index, layer): (usize, &Layer)| {
            self.plane_of(index, layer)
                .map_or_else(|| Region::of(&layer.topology), |layer| Region::planar(&layer))
        };
        layers.map(region).collect()
    }

    /// Whether a hidden layer was drawn in two dimensions and its neurons have lost their places to pruning.
    pub(crate) fn has_lost_places(&self) -> bool {
        let mut layers = self.network().layers().iter().enumerate();
        layers.any(|(index, layer)| {
            self.record.planar(index).is_some() && self.plane_of(index, layer).is_none()
        })
    }

    /// A hidden layer as it was drawn in two dimensions, where all its neurons are still there.
    fn plane_of(&self, index: usize, layer: &Layer) -> Option<Coupled2d> {
        let sides = [layer.topology.inputs().width(), layer.topology.outputs().width()];
        let fits = |layer: &Coupled2d| [layer.inputs, layer.outputs].map(Grid::neurons) == sides;
        let mut plane = self.record.planar(index).filter(fits)?;
        // Pruning takes single weights out of micro-blocks.
        if layer.topology.grain() == Grain::Edges {
            plane.grain = Grain::Edges;
        }
        Some(plane)
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
