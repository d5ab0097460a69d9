//! The soft band: the spatially-coupled layer without its window.
//!
//! Each input neuron of block `j` has `d_j` edges, as in the spatially-coupled
//! layer, so both have the same number of weights in the same places of the
//! input. But every output is reachable: the nearer an output, the likelier an
//! edge. With neuron `k` of `n` at `(k + 1/2) / n`, an output at the
//! distance `D`, counted in blocks, has the weight `exp(-D / softness)`, and an
//! input draws its outputs one after another by these weights, without
//! replacement. A small softness leaves the nearest outputs, a large one a
//! random sparse layer.
//!
//! The draw is the Gumbel top-k trick: the `d` largest of `ln weight + G`, with
//! `G = -ln(-ln U)`, are a draw without replacement (Kool, van Hoof and Welling,
//! "Stochastic Beams and Where to Find Them", 2019; the same as the keys of
//! Efraimidis and Spirakis, 2006). Every input considers every output, so time
//! grows with the product of the widths; memory grows with the edges.

use rand::{Rng, RngExt};

use super::sampling::largest;
use super::{Partition, Topology};
use crate::{Error, Result};

/// The description of a soft band.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftBand {
    /// Number of input neurons.
    pub inputs: usize,
    /// Number of output neurons.
    pub outputs: usize,
    /// Number of blocks on each side, cut as those of [`SpatiallyCoupled`](super::SpatiallyCoupled).
    pub blocks: usize,
    /// Out-degree of a neuron of each input block: `[blocks]`, or one number for all blocks.
    pub degrees: Vec<usize>,
    /// Distance in blocks over which the weight of an edge falls by the factor e; above 0.
    pub softness: f64,
}

impl SoftBand {
    /// Draws one such layer.
    ///
    /// # Errors
    /// Refuses impossible graphs, naming the block and the limit, and a
    /// softness that is not above 0 and finite.
    pub fn build(&self, rng: &mut impl Rng) -> Result<Topology> {
        let (inputs, outputs) = self.check()?;
        let mut keys = Vec::with_capacity(self.outputs);
        let mut targets = Vec::with_capacity(self.inputs);
        for (block, neurons) in inputs.blocks().enumerate() {
            let degree = self.degree(block);
            for input in neurons {
                self.draw_keys(input, &mut keys, rng);
                targets.push(largest(&mut keys, degree));
            }
        }
        Topology::from_targets(inputs, outputs, &targets)
    }

    /// The number of edges, the same for every draw.
    ///
    /// # Errors
    /// As [`SoftBand::build`].
    #[doc(hidden)]
    pub fn edges(&self) -> Result<usize> {
        let (inputs, _) = self.check()?;
        let blocks = inputs.blocks().enumerate();
        Ok(blocks.map(|(block, neurons)| neurons.len() * self.degree(block)).sum())
    }

    /// Out-degree of a neuron of an input block.
    fn degree(&self, input_block: usize) -> usize {
        if self.degrees.len() == 1 { self.degrees[0] } else { self.degrees[input_block] }
    }

    /// Logarithm of the weight with which an input prefers an output.
    fn log_weight(&self, input: usize, output: usize) -> f64 {
        let place = |neuron: usize, width: usize| (neuron as f64 + 0.5) / width as f64;
        let distance = (place(input, self.inputs) - place(output, self.outputs)).abs() * self.blocks as f64;
        -distance / self.softness
    }

    /// One key for each output, as (key, output).
    fn draw_keys(&self, input: usize, keys: &mut Vec<(f64, u32)>, rng: &mut impl Rng) {
        keys.clear();
        let outputs = (0u32..).zip(0..self.outputs);
        keys.extend(outputs.map(|(number, output)| {
            // U is in [0, 1): the logarithm of 0 results in a key that comes last, as it should.
            let gumbel = -(-rng.random::<f64>().ln()).ln();
            (self.log_weight(input, output) + gumbel, number)
        }));
    }

    /// The partitions, or why they are impossible.
    fn check(&self) -> Result<(Partition, Partition)> {
        let refuse = |reason: String| Err(Error::Topology(reason));
        let inputs = Partition::even(self.inputs, self.blocks).map_err(|e| e.on_side("inputs"))?;
        let outputs = Partition::even(self.outputs, self.blocks).map_err(|e| e.on_side("outputs"))?;
        if self.degrees.len() != 1 && self.degrees.len() != self.blocks {
            return refuse(format!(
                "{} degrees for {} blocks: give one for each block, or one for all",
                self.degrees.len(),
                self.blocks
            ));
        }
        if let Some(block) = self.degrees.iter().position(|degree| *degree > self.outputs) {
            return refuse(format!(
                "block {block}: a degree of {} is impossible, the layer has {} outputs",
                self.degrees[block], self.outputs
            ));
        }
        if !(self.softness > 0.0 && self.softness.is_finite()) {
            return refuse(format!(
                "a softness of {} blocks is invalid, it must be above 0 and finite",
                self.softness
            ));
        }
        Ok((inputs, outputs))
    }
}
