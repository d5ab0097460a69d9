//! Initial weights, scaled by the true fans of each edge.

use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::{Layer, LayerParameters, Network, Parameters};
use crate::named::named;
use crate::random::{Purpose, generator};
use crate::{Error, Result, Setting};

named! {
    /// The fans that divide the variance of a weight.
    pub enum Scheme {
        /// Variance `2 / (fan_in + fan_out)` (Glorot and Bengio, 2010).
        Glorot = "glorot",
        /// Variance `2 / fan_in` (He et al., 2015).
        He = "he",
        /// Variance `1 / fan_in` (LeCun et al., 1998).
        Lecun = "lecun",
    }
}

/// How weights start: normal, mean 0, standard deviation `gain` times the scheme's; biases start at 0.
///
/// The fans are those of the graph, edge by edge: `fan_in` is the in-degree of
/// the edge's output, `fan_out` the out-degree of its input. With the fans of the
/// fully connected layer instead, a sparse sigmoid network does not train.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Initialisation {
    /// The scheme.
    pub scheme: Scheme,
    /// Factor on the standard deviation: 4 suits sigmoid, the root of 2 ReLU, 1 others.
    pub gain: f32,
}

impl Initialisation {
    /// Draws the initial parameters of a network; each layer has its own stream of the seed.
    ///
    /// # Errors
    /// Refuses a gain that is not positive and finite.
    pub fn draw(&self, network: &Network, seed: u64) -> Result<Parameters> {
        if !(self.gain > 0.0 && self.gain.is_finite()) {
            let reason = format!("{} is invalid, it must be above 0 and finite", self.gain);
            return Err(Error::setting(Setting::Gain, reason));
        }
        let layers = (0u32..).zip(network.layers());
        Ok(Parameters { layers: layers.map(|(index, layer)| self.draw_layer(layer, seed, index)).collect() })
    }

    fn draw_layer(&self, layer: &Layer, seed: u64, index: u32) -> LayerParameters {
        let topology = &layer.topology;
        let mut rng = generator(seed, Purpose::Initialisation(index));
        let mut draw = |(output, input)| {
            let (fan_in, fan_out) = (topology.in_degree(output) as f32, topology.out_degree(input) as f32);
            let variance = match self.scheme {
                Scheme::Glorot => 2.0 / (fan_in + fan_out),
                Scheme::He => 2.0 / fan_in,
                Scheme::Lecun => 1.0 / fan_in,
            };
            let normal: f32 = StandardNormal.sample(&mut rng);
            normal * (self.gain * variance.sqrt())
        };
        LayerParameters {
            weights: topology.edge_ends().map(&mut draw).collect(),
            biases: vec![0.0; topology.outputs().width()],
        }
    }
}
