//! Architectures: the description of a network before any graph is drawn.

use std::sync::Arc;

#[cfg(feature = "train")]
use super::hidden_layer::HiddenLayer;
use super::{Activation, InputImportance, Layer, Network};
#[cfg(feature = "train")]
use crate::paper;
#[cfg(feature = "train")]
use crate::random::{Purpose, generator};
#[cfg(feature = "train")]
use crate::topology::Coupled2d;
use crate::topology::{DegreeDistribution, Falloff, Grain, Grid, Topology, fully_connected};
use crate::{Error, Result};

/// The architecture of the hidden layers. Lists have one entry for each hidden layer, or one for all.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Connectivity {
    /// Spatially coupled, see [`SpatiallyCoupled`](crate::topology::SpatiallyCoupled).
    SpatiallyCoupled {
        /// Number of blocks of each layer.
        blocks: Vec<usize>,
        /// Receptive field of each layer.
        receptive_fields: Vec<usize>,
        /// Degrees of each layer: `[layer][block]`.
        degrees: Vec<Vec<usize>>,
    },
    /// Random sparse, see [`RandomSparse`](crate::topology::RandomSparse).
    RandomSparse {
        /// Degree distribution of each layer.
        degrees: Vec<DegreeDistribution>,
    },
    /// Fully connected.
    FullyConnected,
    /// Fully connected layers of one width, the largest within a budget of parameters.
    Narrow {
        /// Maximum number of weights and biases that the network may have.
        budget: usize,
    },
    /// A band without a window, see [`SoftBand`](crate::topology::SoftBand).
    SoftBand {
        /// Number of blocks of each layer.
        blocks: Vec<usize>,
        /// Degrees of each layer: `[layer][block]`.
        degrees: Vec<Vec<usize>>,
        /// Distance in blocks over which the weight of an edge falls by the factor e.
        softness: f64,
    },
    /// Spatially coupled in two dimensions, see [`Coupled2d`](crate::topology::Coupled2d).
    Coupled2d {
        /// Where the inputs are.
        picture: Grid,
        /// Where the neurons of each hidden layer are.
        grids: Vec<Grid>,
        /// Mean number of inputs of each neuron, by layer.
        fan_in: Vec<f64>,
        /// How far a neuron of each layer sees, in pixels of the picture.
        reach: Vec<f64>,
        /// How weights fall with the distance.
        falloff: Falloff,
        /// The unit of drawing.
        grain: Grain,
        /// How the importance of inputs affects the draw of the first layer.
        importance: InputImportance,
    },
}

/// Hidden layers of one connectivity, then a fully connected layer of logits.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// Number of input features.
    pub inputs: usize,
    /// Width of each hidden layer; may be empty.
    pub hidden: Vec<usize>,
    /// Number of logits.
    pub classes: usize,
    /// The architecture of the hidden layers.
    pub connectivity: Connectivity,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Probability with which dropout keeps a hidden unit in training, in `(0, 1]`.
    pub keep_probability: f32,
    /// Whether to move edges of spatially-coupled layers so that every neuron has inputs.
    pub reaches_all: bool,
}

#[cfg(feature = "train")]
impl Architecture {
    /// The network of the paper for data of this shape: 5 hidden layers of 784,
    /// 8 blocks, receptive field 2, degrees 98, 130, 98, 49, 20, 10, 10, 10, sigmoid.
    pub fn paper(inputs: usize, classes: usize) -> Self {
        Self {
            inputs,
            hidden: paper::HIDDEN.to_vec(),
            classes,
            connectivity: Connectivity::SpatiallyCoupled {
                blocks: vec![paper::DEGREES.len()],
                receptive_fields: vec![paper::RECEPTIVE_FIELD],
                degrees: vec![paper::DEGREES.to_vec()],
            },
            activation: Activation::Sigmoid,
            keep_probability: 1.0,
            reaches_all: false,
        }
    }

    /// Draws the graphs; each layer has its own stream of the seed.
    ///
    /// # Errors
    /// Refuses impossible graphs, naming the layer, the block and the limit.
    pub fn build(&self, seed: u64) -> Result<Network> {
        self.check_budget()?;
        if let Connectivity::Coupled2d { importance, .. } = &self.connectivity {
            importance.check()?;
        }
        let mut layers = Vec::with_capacity(self.hidden.len() + 1);
        let mut width = self.inputs;
        for (index, outputs) in self.hidden.iter().enumerate() {
            let topology = self.build_hidden(index, width, *outputs, seed).map_err(|e| in_layer(index, e))?;
            layers.push(Layer {
                topology: Arc::new(topology),
                activation: self.activation,
                keep_probability: self.keep_probability,
            });
            width = *outputs;
        }
        let logits = fully_connected(width, self.classes).map_err(|e| in_layer(self.hidden.len(), e))?;
        layers.push(Layer {
            topology: Arc::new(logits),
            activation: Activation::Identity,
            keep_probability: 1.0,
        });
        Network::new(layers)
    }

    /// The share of the edges of each hidden layer in two dimensions that are longer than the range of a Gaussian: `[layer]`; empty
    /// for other kinds.
    pub(crate) fn far_shares(&self, network: &Network) -> Vec<f64> {
        let shares = network.layers().iter().enumerate();
        let share =
            |(index, layer): (usize, &Layer)| Some(self.planar_layer(index)?.far_share(&layer.topology));
        shares.filter_map(share).collect()
    }

    /// Hidden layer `index` in two dimensions, as it is drawn; `None` for other kinds.
    pub(crate) fn planar_layer(&self, index: usize) -> Option<Coupled2d> {
        let outputs = *self.hidden.get(index)?;
        let inputs = if index == 0 { self.inputs } else { self.hidden[index - 1] };
        match self.hidden_layer(index, inputs, outputs) {
            Ok(HiddenLayer::Coupled2d(layer)) => Some(layer),
            _ => None,
        }
    }

    fn build_hidden(&self, index: usize, inputs: usize, outputs: usize, seed: u64) -> Result<Topology> {
        let stream =
            u32::try_from(index).map_err(|_| Error::Network(format!("{index} layers are too many")))?;
        let mut rng = generator(seed, Purpose::Topology(stream));
        self.hidden_layer(index, inputs, outputs)?.build(self.reaches_all, &mut rng)
    }

    fn hidden_layer(&self, index: usize, inputs: usize, outputs: usize) -> Result<HiddenLayer> {
        HiddenLayer::new(&self.connectivity, (index, self.hidden.len()), (inputs, outputs))
    }

    /// As [`Architecture::parameter_count`], for random sparse layers the mean over all draws.
    ///
    /// # Errors
    /// Refuses impossible graphs.
    pub(crate) fn usual_parameter_count(&self) -> Result<usize> {
        let Connectivity::RandomSparse { degrees } = &self.connectivity else {
            return self.parameter_count();
        };
        let (mut total, mut width) = (0.0, self.inputs);
        for (index, outputs) in self.hidden.iter().enumerate() {
            let mean = degrees.get(index).or(degrees.first()).map_or(0.0, DegreeDistribution::mean);
            total += width as f64 * mean + *outputs as f64;
            width = *outputs;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a number of parameters")]
        let total = (total + ((width + 1) * self.classes) as f64).round() as usize;
        Ok(total)
    }

    /// Number of weights and biases, before any graph is drawn.
    ///
    /// # Errors
    /// Refuses impossible graphs, and random sparse layers, whose number of edges is not known in advance.
    pub(crate) fn parameter_count(&self) -> Result<usize> {
        let (mut total, mut width) = (0usize, self.inputs);
        for (index, outputs) in self.hidden.iter().enumerate() {
            let layer = self.hidden_layer(index, width, *outputs).map_err(|e| in_layer(index, e))?;
            let edges = layer.edges().map_err(|e| in_layer(index, e))?;
            total = total.saturating_add(edges).saturating_add(*outputs);
            width = *outputs;
        }
        Ok(total.saturating_add(width.saturating_add(1).saturating_mul(self.classes)))
    }
}

#[cfg(feature = "train")]
fn in_layer(index: usize, error: Error) -> Error {
    match error {
        Error::Topology(reason) => Error::Topology(format!("layer {}: {reason}", index + 1)),
        other => other,
    }
}
