//! The description of one hidden layer of any kind.

use rand::Rng;

use super::Connectivity;
use crate::topology::{Coupled2d, RandomSparse, SoftBand, SpatiallyCoupled, Topology, fully_connected};
use crate::{Error, Result};

/// The request for the graph of one hidden layer.
pub(super) enum HiddenLayer {
    SpatiallyCoupled(SpatiallyCoupled),
    SoftBand(SoftBand),
    Coupled2d(Coupled2d),
    RandomSparse(RandomSparse),
    FullyConnected { inputs: usize, outputs: usize },
}

impl HiddenLayer {
    /// Takes the entries of the per-layer lists that belong to layer `index` of `layers`.
    pub(super) fn new(
        connectivity: &Connectivity,
        (index, layers): (usize, usize),
        (inputs, outputs): (usize, usize),
    ) -> Result<Self> {
        Ok(match connectivity {
            Connectivity::SpatiallyCoupled { blocks, receptive_fields, degrees } => {
                Self::SpatiallyCoupled(SpatiallyCoupled {
                    inputs,
                    outputs,
                    blocks: *entry("blocks", blocks, index, layers)?,
                    receptive_field: *entry("receptive fields", receptive_fields, index, layers)?,
                    degrees: entry("degree lists", degrees, index, layers)?.clone(),
                })
            }
            Connectivity::SoftBand { blocks, degrees, softness } => Self::SoftBand(SoftBand {
                inputs,
                outputs,
                blocks: *entry("blocks", blocks, index, layers)?,
                degrees: entry("degree lists", degrees, index, layers)?.clone(),
                softness: *softness,
            }),
            Connectivity::Coupled2d { picture, grids, fan_in, reach, falloff, grain, importance } => {
                let grid = |layer: usize| entry("grids", grids, layer, layers).copied();
                Self::Coupled2d(Coupled2d {
                    inputs: if index == 0 { *picture } else { grid(index - 1)? },
                    outputs: grid(index)?,
                    fan_in: *entry("fan-ins", fan_in, index, layers)?,
                    reach: *entry("reaches", reach, index, layers)?,
                    falloff: *falloff,
                    grain: *grain,
                    picture: [picture.rows, picture.columns],
                    importance: if index == 0 { importance.weights() } else { Vec::new() },
                })
            }
            Connectivity::RandomSparse { degrees } => {
                let degrees = entry("degree distributions", degrees, index, layers)?.clone();
                Self::RandomSparse(RandomSparse { inputs, outputs, degrees })
            }
            Connectivity::FullyConnected | Connectivity::Narrow { .. } => {
                Self::FullyConnected { inputs, outputs }
            }
        })
    }

    /// Draws the graph; with `reaches_all`, every output of a spatially-coupled one gets an input.
    pub(super) fn build(&self, reaches_all: bool, rng: &mut impl Rng) -> Result<Topology> {
        match self {
            Self::SpatiallyCoupled(request) if reaches_all => request.build_reaching_all(rng),
            Self::SpatiallyCoupled(request) => request.build(rng),
            Self::SoftBand(request) => request.build(rng),
            Self::Coupled2d(layer) => layer.build(rng),
            Self::RandomSparse(request) => request.build(rng),
            Self::FullyConnected { inputs, outputs } => fully_connected(*inputs, *outputs),
        }
    }

    /// The number of edges, if every draw has the same.
    pub(super) fn edges(&self) -> Result<usize> {
        match self {
            Self::SpatiallyCoupled(request) => request.edges(),
            Self::SoftBand(request) => request.edges(),
            Self::Coupled2d(layer) => layer.edges(),
            Self::RandomSparse(_) => Err(Error::Topology(
                "the edges of a random sparse layer are not counted before they are drawn".into(),
            )),
            Self::FullyConnected { inputs, outputs } => Ok(inputs.saturating_mul(*outputs)),
        }
    }
}

/// The entry of a per-layer list that belongs to one hidden layer.
fn entry<'a, T>(name: &str, list: &'a [T], index: usize, layers: usize) -> Result<&'a T> {
    match list {
        [one] => Ok(one),
        list if list.len() == layers => Ok(&list[index]),
        list => Err(Error::Topology(format!(
            "{} {name} for {layers} hidden layers: give one for each, or one for all",
            list.len(),
        ))),
    }
}
