//! Networks: layers over topologies, their parameters and initialisation.
//!
//! A [`Network`] defines the computation, and [`Parameters`] its values. The
//! values of a layer are in the canonical order of its
//! [`Topology`], on every engine.

mod activation;
mod architecture;
#[doc(hidden)]
pub mod drop_connect;
#[doc(hidden)]
pub mod dropout;
#[cfg(feature = "train")]
mod hidden_layer;
#[cfg(feature = "train")]
mod initialisation;
mod input_importance;
#[cfg(feature = "train")]
mod narrow;

use std::sync::Arc;

use crate::topology::Topology;
use crate::{Error, Result};

pub use activation::Activation;
pub use architecture::{Architecture, Connectivity};
#[cfg(feature = "train")]
pub use initialisation::{Initialisation, Scheme};
#[doc(hidden)]
pub use input_importance::InputImportance;

/// One layer: `y = dropout(activation(W x + b))`, W with the edges of the topology.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Which weights exist.
    pub topology: Arc<Topology>,
    /// The function applied to the weighted sums.
    pub activation: Activation,
    /// Probability with which dropout keeps a unit in training, in `(0, 1]`; 1 disables dropout.
    pub keep_probability: f32,
}

/// A feed-forward classifier: layers of matching widths, the last one computing logits.
#[derive(Clone, Debug)]
pub struct Network {
    layers: Vec<Layer>,
}

impl Network {
    /// Combines layers into a network.
    ///
    /// # Errors
    /// Refuses an empty list, widths that do not match, keep probabilities outside
    /// `(0, 1]`, no output, and a last layer with an activation or dropout.
    pub fn new(layers: Vec<Layer>) -> Result<Self> {
        let Some(last) = layers.last() else {
            return Err(Error::Network("a network needs at least 1 layer".into()));
        };
        if last.activation != Activation::Identity || last.keep_probability != 1.0 {
            return Err(Error::Network(
                "the last layer computes logits: it has no activation and no dropout".into(),
            ));
        }
        if last.topology.outputs().width() < 1 {
            return Err(Error::Network("a network needs at least 1 output, got 0".into()));
        }
        for (below, pair) in (1..).zip(layers.windows(2)) {
            let (outputs, inputs) = (pair[0].topology.outputs().width(), pair[1].topology.inputs().width());
            if outputs != inputs {
                return Err(Error::Network(format!(
                    "layer {below} has {outputs} outputs, layer {} has {inputs} inputs",
                    below + 1
                )));
            }
        }
        for (index, layer) in (1..).zip(&layers) {
            let keep = layer.keep_probability;
            if !(keep > 0.0 && keep <= 1.0) {
                return Err(Error::Network(format!(
                    "layer {index}: a keep probability of {keep} is invalid, it must be above 0 and at most 1"
                )));
            }
        }
        Ok(Self { layers })
    }

    /// The layers, from the inputs to the logits.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Widths of all rows of neurons: inputs, each layer's outputs: `[layers + 1]`.
    pub fn widths(&self) -> Vec<usize> {
        let outputs = self.layers.iter().map(|layer| layer.topology.outputs().width());
        std::iter::once(self.inputs()).chain(outputs).collect()
    }

    /// Number of weights and biases.
    pub fn parameter_count(&self) -> usize {
        self.layers.iter().map(|layer| layer.topology.edges() + layer.topology.outputs().width()).sum()
    }
}

#[doc(hidden)]
impl Network {
    /// The same layers over other graphs between the same neurons.
    ///
    /// # Errors
    /// [`Error::Network`] for another number of layers or of neurons.
    pub fn over(&self, topologies: &[Arc<Topology>]) -> Result<Self> {
        if topologies.len() != self.layers.len() {
            let (graphs, layers) = (topologies.len(), self.layers.len());
            return Err(Error::Network(format!("{graphs} graphs do not fit a network of {layers} layers")));
        }
        let sides = |topology: &Topology| (topology.inputs().width(), topology.outputs().width());
        let fits = |(layer, topology): (&Layer, &Arc<Topology>)| sides(&layer.topology) == sides(topology);
        let layers = self.layers.iter().zip(topologies);
        if let Some(layer) = layers.clone().position(|pair| !fits(pair)) {
            return Err(Error::Network(format!(
                "a graph between other numbers of neurons than layer {} has",
                layer + 1
            )));
        }
        let layer = |(layer, topology): (&Layer, &Arc<Topology>)| Layer {
            topology: topology.clone(),
            ..layer.clone()
        };
        Self::new(layers.map(layer).collect())
    }

    /// Number of input neurons.
    pub fn inputs(&self) -> usize {
        self.layers[0].topology.inputs().width()
    }

    /// Number of logits.
    pub fn classes(&self) -> usize {
        self.layers[self.layers.len() - 1].topology.outputs().width()
    }

    /// Number of weights and biases of the fully connected network of the same widths.
    pub fn dense_parameter_count(&self) -> usize {
        self.layers.iter().map(|layer| layer.topology.dense_edges() + layer.topology.outputs().width()).sum()
    }
}

/// Weights and biases of one layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerParameters {
    /// One value for each edge, in canonical order.
    pub weights: Vec<f32>,
    /// One value for each output.
    pub biases: Vec<f32>,
}

/// Weights and biases of a network, layer by layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    /// `[layers]`.
    pub layers: Vec<LayerParameters>,
}

#[doc(hidden)]
impl Parameters {
    /// Checks that there is one value for each edge and each output of a network.
    ///
    /// # Errors
    /// Names the first layer that does not fit.
    pub fn check(&self, network: &Network) -> Result<()> {
        if self.layers.len() != network.layers.len() {
            return Err(Error::Network(format!(
                "parameters of {} layers do not fit a network of {}",
                self.layers.len(),
                network.layers.len()
            )));
        }
        for (index, (values, layer)) in (1..).zip(self.layers.iter().zip(&network.layers)) {
            let (edges, outputs) = (layer.topology.edges(), layer.topology.outputs().width());
            if values.weights.len() != edges || values.biases.len() != outputs {
                return Err(Error::Network(format!(
                    "layer {index}: {} weights and {} biases do not fit {edges} edges and {outputs} outputs",
                    values.weights.len(),
                    values.biases.len()
                )));
            }
        }
        Ok(())
    }

    /// Whether every value is a finite number.
    pub fn all_finite(&self) -> bool {
        self.layers
            .iter()
            .all(|layer| layer.weights.iter().chain(&layer.biases).all(|value| value.is_finite()))
    }
}
