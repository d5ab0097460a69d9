//! Where the edges of a layer may be, so that a graph keeps its structure while edges move.

use super::coupled_2d::SIGMAS;
use super::{Coupled2d, Falloff, Grain, Link, Topology};

/// The places where a layer may have a link, each with its weight in a draw.
///
/// For a layer in two dimensions, these follow the law by which it was drawn: a Gaussian up to 3 times the reach, or the
/// window, and the importance of the inputs if that was used. For any other layer, they are the initially connected blocks of inputs and outputs, with equal weights: a
/// layer of one block may have edges everywhere.
#[derive(Clone, Debug)]
pub struct Region {
    grain: Grain,
    law: Law,
}

#[derive(Clone, Debug)]
enum Law {
    /// Ranges of input groups for each output group of a block, increasing: `[output block]`; and the first output group
    /// of each block, then their number.
    Blocks { joined: Vec<Vec<[u32; 2]>>, bounds: Vec<u32> },
    /// The layer as it is drawn, the middles of output groups and of input groups, and the logarithm of the factor of each input
    /// group's weight.
    Plane { layer: Box<Coupled2d>, outputs: Vec<[f64; 2]>, inputs: Vec<[f64; 2]>, importance: Vec<f64> },
}

impl Region {
    /// The blocks that a graph connects.
    #[must_use]
    pub fn of(topology: &Topology) -> Self {
        let (grain, sides) = (topology.grain(), [topology.outputs(), topology.inputs()]);
        let [bounds, inputs] =
            sides.map(|side| side.bounds().iter().map(|bound| bound / grain.width()).collect::<Vec<u32>>());
        let mut is_joined = vec![vec![false; inputs.len() - 1]; bounds.len() - 1];
        let [outputs_of, inputs_of] = sides;
        for (output, input) in topology.edge_ends() {
            is_joined[outputs_of.block_of(output)][inputs_of.block_of(input)] = true;
        }
        let ranges = |blocks: Vec<bool>| {
            let joined = inputs.windows(2).zip(blocks).filter(|(_, is_joined)| *is_joined);
            joined.map(|(pair, _)| [pair[0], pair[1]]).collect()
        };
        let joined = is_joined.into_iter().map(ranges).collect();
        Self { grain, law: Law::Blocks { joined, bounds } }
    }

    /// The region of a layer in two dimensions.
    #[must_use]
    pub fn planar(layer: &Coupled2d) -> Self {
        let group_size = layer.grain.group_size();
        let law = Law::Plane {
            outputs: layer.outputs.middles(group_size),
            inputs: layer.inputs.middles(group_size),
            importance: layer.log_importance(group_size),
            layer: Box::new(layer.clone()),
        };
        Self { grain: layer.grain, law }
    }

    /// The unit that moves.
    #[must_use]
    pub fn grain(&self) -> Grain {
        self.grain
    }

    /// Whether all places have the same weight.
    #[must_use]
    pub fn is_even(&self) -> bool {
        match &self.law {
            Law::Blocks { .. } => true,
            Law::Plane { layer, .. } => layer.falloff == Falloff::Window && layer.importance.is_empty(),
        }
    }

    /// The input groups to which an output group may be connected and is not, increasing, with the logarithms of their
    /// weights; `taken` are the connected ones.
    pub fn free(&self, output: u32, taken: impl Iterator<Item = u32>, mut visit: impl FnMut(Link, f64)) {
        let mut taken = taken.peekable();
        let mut look = |input: u32, weight: f64| {
            while taken.next_if(|taken| *taken < input).is_some() {}
            if taken.peek() != Some(&input) {
                visit((output, input), weight);
            }
        };
        match &self.law {
            Law::Blocks { joined, bounds } => {
                let block = bounds.partition_point(|bound| *bound <= output) - 1;
                joined[block].iter().flat_map(|[first, end]| *first..*end).for_each(|input| look(input, 0.0));
            }
            Law::Plane { layer, outputs, inputs, importance } => {
                let place = outputs[output as usize];
                for ((input, at), importance) in (0u32..).zip(inputs).zip(importance) {
                    if let Some(weight) = layer.log_weight_within(*at, place, SIGMAS) {
                        look(input, weight + importance);
                    }
                }
            }
        }
    }
}
