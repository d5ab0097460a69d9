//! Where the edges of a model may move.

use super::{ArchitectureRecord, TrainedModel};
use crate::network::{Architecture, Connectivity, InputImportance, Layer};
use crate::topology::{Coupled2d, Grain, Grid, Region};

impl TrainedModel {
    /// Where the edges of each layer may be, by its architecture: in two dimensions within the reach,
    /// otherwise in connected blocks.
    pub(crate) fn regions(&self) -> Vec<Region> {
        let region = |(drawn, layer): (Option<Coupled2d>, &Layer)| {
            let in_place = drawn.and_then(|drawn| as_it_is(drawn, layer));
            in_place.map_or_else(|| Region::of(&layer.topology), |planar| Region::planar(&planar))
        };
        self.drawn_in_2d().into_iter().zip(self.network().layers()).map(region).collect()
    }

    /// Whether a hidden layer was drawn in two dimensions and its neurons have lost their places to pruning.
    pub(crate) fn has_lost_places(&self) -> bool {
        let mut layers = self.drawn_in_2d().into_iter().zip(self.network().layers());
        layers.any(|(drawn, layer)| drawn.is_some_and(|drawn| as_it_is(drawn, layer).is_none()))
    }

    /// Each layer as it was drawn in two dimensions; `None` for other kinds.
    fn drawn_in_2d(&self) -> Vec<Option<Coupled2d>> {
        let drawn = self.record.drawn_in_2d(self.preprocessing.position_importance());
        let layer = |index| drawn.as_ref()?.planar_layer(index);
        (0..self.network().layers().len()).map(layer).collect()
    }
}

/// A hidden layer as it was drawn in two dimensions, if all its neurons still exist.
fn as_it_is(mut drawn: Coupled2d, layer: &Layer) -> Option<Coupled2d> {
    let sides = [layer.topology.inputs().width(), layer.topology.outputs().width()];
    // Pruning removes single weights from micro-blocks.
    if layer.topology.grain() == Grain::Edges {
        drawn.grain = Grain::Edges;
    }
    ([drawn.inputs, drawn.outputs].map(Grid::neurons) == sides).then_some(drawn)
}

impl ArchitectureRecord {
    /// The parameters of hidden layers in two dimensions, with the importance of each input; `None` for other kinds.
    fn drawn_in_2d(&self, of_input: Vec<f64>) -> Option<Architecture> {
        let power = self.importance_power.unwrap_or(0.0);
        let connectivity = Connectivity::Coupled2d {
            picture: self.picture?,
            grids: self.grids.clone(),
            fan_in: self.fan_in.clone(),
            reach: self.reach.clone(),
            falloff: self.falloff?,
            grain: self.grain?,
            importance: InputImportance { power, of_input },
        };
        Some(Architecture {
            inputs: self.inputs,
            hidden: self.hidden.clone(),
            classes: self.classes,
            connectivity,
            activation: self.activation,
            keep_probability: self.keep_probability,
            reaches_all: false,
        })
    }
}
