//! The spatially-coupled layer: a band of random left-regular blocks.
//!
//! Inputs and outputs are cut into the same number of blocks, `B`. Output block
//! `i` is connected to the `r` input blocks `i..i + r` (cut off at the last one), so
//! input block `j` feeds the output blocks `max(0, j + 1 - r)..=j`: information
//! moves towards block 0, the important end. Each input neuron of block `j` has
//! exactly `d_j` edges in all, shared as evenly as possible over the output
//! blocks it feeds, and picks its targets inside each uniformly, without
//! replacement ("Spatially-Coupled Neural Network Architectures", section 2.1).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;

use rand::Rng;

use super::sampling::DistinctSampler;
use super::{Partition, Topology};
use crate::{Error, Result};

/// The description of a spatially-coupled layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpatiallyCoupled {
    /// Number of input neurons.
    pub inputs: usize,
    /// Number of output neurons.
    pub outputs: usize,
    /// Number of blocks, `B`, on each side. Widths that it does not divide are cut as evenly as possible.
    pub blocks: usize,
    /// Number of input blocks that one output block sees, `r`: 1 to `B`.
    pub receptive_field: usize,
    /// Total out-degree of a neuron of each input block: `[B]`, or one number for all blocks.
    pub degrees: Vec<usize>,
}

impl SpatiallyCoupled {
    /// Draws one such layer.
    ///
    /// # Errors
    /// Refuses impossible graphs, naming the block and the limit.
    pub fn build(&self, rng: &mut impl Rng) -> Result<Topology> {
        let (shape, targets) = self.targets(rng)?;
        Topology::from_targets(shape.inputs, shape.outputs, &targets)
    }

    /// As [`SpatiallyCoupled::build`]; then edges are moved within the blocks of outputs, so that no output is
    /// without inputs if its block has enough edges.
    ///
    /// # Errors
    /// As [`SpatiallyCoupled::build`].
    pub(crate) fn build_reaching_all(&self, rng: &mut impl Rng) -> Result<Topology> {
        let (shape, mut targets) = self.targets(rng)?;
        reach_all(&shape.outputs, &mut targets);
        Topology::from_targets(shape.inputs, shape.outputs, &targets)
    }

    /// The outputs of each input.
    fn targets(&self, rng: &mut impl Rng) -> Result<(Shape, Vec<Vec<u32>>)> {
        let shape = self.check()?;
        let mut samplers: Vec<_> = shape.outputs.blocks().map(DistinctSampler::new).collect();
        let mut targets = Vec::with_capacity(self.inputs);
        for (block, neurons) in shape.inputs.blocks().enumerate() {
            let fed = self.output_blocks(block);
            let shares = &shape.shares[block];
            for _ in neurons {
                let mut drawn = Vec::with_capacity(self.degree(block));
                for (sampler, share) in samplers[fed.clone()].iter_mut().zip(shares) {
                    drawn.extend_from_slice(sampler.draw(*share, rng));
                }
                targets.push(drawn);
            }
        }
        Ok((shape, targets))
    }

    /// The number of edges, the same for every draw.
    ///
    /// # Errors
    /// As [`SpatiallyCoupled::build`].
    #[doc(hidden)]
    pub fn edges(&self) -> Result<usize> {
        let shape = self.check()?;
        let blocks = shape.inputs.blocks().enumerate();
        Ok(blocks.map(|(block, neurons)| neurons.len() * self.degree(block)).sum())
    }

    /// The output blocks that an input block feeds.
    pub(crate) fn output_blocks(&self, input_block: usize) -> RangeInclusive<usize> {
        (input_block + 1).saturating_sub(self.receptive_field)..=input_block
    }

    /// Total out-degree of a neuron of an input block.
    fn degree(&self, input_block: usize) -> usize {
        if self.degrees.len() == 1 { self.degrees[0] } else { self.degrees[input_block] }
    }

    /// The partitions and the shares of each block's degree, or why they are impossible.
    fn check(&self) -> Result<Shape> {
        let inputs = Partition::even(self.inputs, self.blocks).map_err(|e| e.on_side("inputs"))?;
        let outputs = Partition::even(self.outputs, self.blocks).map_err(|e| e.on_side("outputs"))?;
        if self.receptive_field == 0 || self.receptive_field > self.blocks {
            return Err(Error::Topology(format!(
                "a receptive field of {} blocks is invalid, it must be 1 to {} (the number of blocks)",
                self.receptive_field, self.blocks
            )));
        }
        if self.degrees.len() != 1 && self.degrees.len() != self.blocks {
            return Err(Error::Topology(format!(
                "{} degrees for {} blocks: give one for each block, or one for all",
                self.degrees.len(),
                self.blocks
            )));
        }
        let shares = (0..self.blocks).map(|block| self.shares(block, &outputs)).collect::<Result<_>>()?;
        Ok(Shape { inputs, outputs, shares })
    }

    /// How a block's degree is shared over the output blocks it feeds: as evenly
    /// as their sizes allow, the first ones getting the extra edge.
    fn shares(&self, input_block: usize, outputs: &Partition) -> Result<Vec<usize>> {
        let sizes: Vec<usize> =
            self.output_blocks(input_block).map(|block| outputs.block(block).len()).collect();
        let (degree, limit) = (self.degree(input_block), sizes.iter().sum::<usize>());
        if degree > limit {
            return Err(Error::Topology(format!(
                "block {input_block}: a degree of {degree} is impossible, its {} output blocks hold {limit} neurons",
                sizes.len()
            )));
        }
        let level = fill_level(degree, &sizes);
        let mut shares: Vec<usize> = sizes.iter().map(|size| level.min(*size)).collect();
        let mut left = degree - shares.iter().sum::<usize>();
        for (share, size) in shares.iter_mut().zip(&sizes) {
            if left > 0 && *share < *size {
                *share += 1;
                left -= 1;
            }
        }
        Ok(shares)
    }
}

/// Moves edges within each block of outputs so that as many of its outputs as can be have an input.
///
/// An output without inputs gets the last edge of the output of its block that has the most; the inputs keep their
/// degrees. `targets` are the outputs of each input.
fn reach_all(outputs: &Partition, targets: &mut [Vec<u32>]) {
    // Of each output: its edges by their input and their place among the input's targets.
    let mut edges: Vec<Vec<(usize, usize)>> = vec![Vec::new(); outputs.width()];
    for (input, drawn) in targets.iter().enumerate() {
        for (place, target) in drawn.iter().enumerate() {
            edges[*target as usize].push((input, place));
        }
    }
    for block in outputs.blocks() {
        // Of outputs with equally many edges, the first comes first.
        let mut donors: BinaryHeap<_> =
            block.clone().map(|output| (edges[output].len(), Reverse(output))).collect();
        for output in block.filter(|output| edges[*output].is_empty()).collect::<Vec<_>>() {
            let Some((count @ 2.., Reverse(donor))) = donors.pop() else { break };
            donors.push((count - 1, Reverse(donor)));
            let Some((input, place)) = edges[donor].pop() else { break };
            targets[input][place] = u32::try_from(output).expect("a partition's neurons fit u32");
        }
    }
}

/// A checked request.
struct Shape {
    inputs: Partition,
    outputs: Partition,
    /// `[input block][output block it feeds]`.
    shares: Vec<Vec<usize>>,
}

/// The greatest level to which vessels of these sizes can all be filled with
/// `amount`, where a full vessel holds its size.
fn fill_level(amount: usize, sizes: &[usize]) -> usize {
    let filled = |level: usize| sizes.iter().map(|size| level.min(*size)).sum::<usize>();
    let tallest = sizes.iter().copied().max().unwrap_or(0);
    (0..=tallest).take_while(|level| filled(*level) <= amount).last().unwrap_or(0)
}
