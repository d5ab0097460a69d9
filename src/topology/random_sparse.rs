//! The random sparse (RSP) layer: out-degrees drawn from a distribution, targets drawn uniformly.

use rand::Rng;

use super::sampling::DistinctSampler;
use super::{DegreeDistribution, Partition, Topology};
use crate::Result;

/// The description of a random sparse layer.
#[derive(Clone, Debug, PartialEq)]
pub struct RandomSparse {
    /// Number of input neurons.
    pub inputs: usize,
    /// Number of output neurons.
    pub outputs: usize,
    /// The distribution of the out-degrees, drawn independently for each input neuron.
    pub degrees: DegreeDistribution,
}

impl RandomSparse {
    /// Draws one such layer.
    ///
    /// # Errors
    /// Refuses degrees that the layer cannot hold, and a draw without any edge.
    pub fn build(&self, rng: &mut impl Rng) -> Result<Topology> {
        let (inputs, outputs) = (Partition::whole(self.inputs)?, Partition::whole(self.outputs)?);
        let degrees = self.degrees.for_layer(self.outputs)?;
        let mut sampler = DistinctSampler::new(0..self.outputs);
        let targets: Vec<Vec<u32>> = (0..self.inputs)
            .map(|_| {
                let degree = degrees.draw(rng);
                sampler.draw(degree, rng).to_vec()
            })
            .collect();
        Topology::from_targets(inputs, outputs, &targets)
    }
}
