//! The requested architecture, as stored in files.

use serde::{Deserialize, Serialize};

use super::PrunedRecord;
use crate::named::named;
use crate::network::{Activation, Architecture, Connectivity, Network};
use crate::topology::{Falloff, Grain, Grid};
use crate::{Error, Result};

named! {
    /// The kinds of architecture.
    pub enum Arch {
        /// Spatially coupled.
        Sc = "sc",
        /// Random sparse.
        Rsp = "rsp",
        /// Fully connected.
        Fc = "fc",
        /// Fully connected, of the width that a parameter budget allows.
        Narrow = "narrow",
        /// A band without a window: the nearer, the likelier an edge.
        Band = "band",
        /// Spatially coupled in two dimensions, along a picture.
        Sc2d = "sc2d",
        /// Graphs provided by the user of the library.
        Custom = "custom",
    } except Custom
}

impl Arch {
    /// All architectures that can be drawn.
    #[cfg(test)]
    pub(crate) fn drawable() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|arch| *arch != Self::Custom)
    }

    /// A description of the architecture.
    #[doc(hidden)]
    pub fn description(self) -> &'static str {
        match self {
            Self::Sc => "spatially coupled",
            Self::Rsp => "random sparse",
            Self::Fc | Self::Narrow => "fully connected",
            Self::Band => "soft band",
            Self::Sc2d => "spatially coupled in 2-D",
            Self::Custom => "custom graphs",
        }
    }
}

/// An [`Architecture`] as stored in files; lists that do not apply to the kind are skipped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchitectureRecord {
    /// The architecture of the hidden layers.
    pub arch: Arch,
    /// Number of input features of the network, after preprocessing.
    pub inputs: usize,
    /// Width of each hidden layer, as it is now.
    pub hidden: Vec<usize>,
    /// Number of logits.
    pub classes: usize,
    /// Number of blocks of each hidden layer, or one for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<usize>,
    /// Receptive field of each hidden layer, or one for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receptive_fields: Vec<usize>,
    /// Degrees of each hidden layer, or one list for all: `[layer][block]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degrees: Vec<Vec<usize>>,
    /// Degree distribution of each hidden layer, or one for all, as text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degree_distributions: Vec<String>,
    /// Maximum number of parameters that a narrow network might have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<usize>,
    /// Softness of a band in blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub softness: Option<f64>,
    /// Where the inputs of a network in two dimensions are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[doc(hidden)]
    pub picture: Option<Grid>,
    /// Where the neurons of each hidden layer are, or one grid for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[doc(hidden)]
    pub grids: Vec<Grid>,
    /// Fan-in of each hidden layer, or one for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[doc(hidden)]
    pub fan_in: Vec<f64>,
    /// Reach of each hidden layer in pixels, or one for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[doc(hidden)]
    pub reach: Vec<f64>,
    /// How weights of a draw fall with the distance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[doc(hidden)]
    pub falloff: Option<Falloff>,
    /// The unit of drawing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[doc(hidden)]
    pub grain: Option<Grain>,
    /// Power of the inputs' importance in the draw of the first layer; `None` for 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[doc(hidden)]
    pub importance_power: Option<f64>,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Probability with which dropout keeps a hidden unit in training.
    pub keep_probability: f32,
    /// Seed that the graphs were drawn with.
    pub seed: u64,
    /// How the network was pruned, if at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[doc(hidden)]
    pub pruned: Option<PrunedRecord>,
}

impl ArchitectureRecord {
    /// Refuses a network of another shape.
    ///
    /// # Errors
    /// [`Error::Network`] with what differs.
    pub(crate) fn check(&self, network: &Network) -> Result<()> {
        let widths: Vec<usize> =
            [self.inputs].iter().chain(&self.hidden).chain([&self.classes]).copied().collect();
        if widths != network.widths() {
            // A corrupt list may have millions of layers.
            let first = |widths: &[usize]| match widths.get(..8) {
                Some(first) => format!("{} layers ({first:?}, ..)", widths.len() - 1),
                None => format!("layers of {widths:?} neurons"),
            };
            return Err(Error::Network(format!(
                "{}, the architecture says {}",
                first(&network.widths()),
                first(&widths)
            )));
        }
        let hidden = network.layers().iter().take(self.hidden.len());
        for (number, layer) in (1..).zip(hidden) {
            if layer.activation != self.activation || layer.keep_probability != self.keep_probability {
                return Err(Error::Network(format!(
                    "layer {number} has activation {} and keep probability {}, the architecture says {} and {}",
                    layer.activation, layer.keep_probability, self.activation, self.keep_probability
                )));
            }
        }
        self.pruned.as_ref().map_or(Ok(()), |pruned| pruned.check(network))
    }

    /// The record of a network with provided graphs; `seed` is that of its initial weights.
    pub fn custom(network: &Network, activation: Activation, keep_probability: f32, seed: u64) -> Self {
        let widths = network.widths();
        let hidden = widths[1..widths.len() - 1].to_vec();
        let (inputs, classes) = (network.inputs(), network.classes());
        Self::plain(Arch::Custom, (inputs, hidden, classes), (activation, keep_probability), seed)
    }

    /// Without settings that apply only to some kinds.
    fn plain(
        arch: Arch,
        (inputs, hidden, classes): (usize, Vec<usize>, usize),
        (activation, keep_probability): (Activation, f32),
        seed: u64,
    ) -> Self {
        Self {
            arch,
            inputs,
            hidden,
            classes,
            blocks: Vec::new(),
            receptive_fields: Vec::new(),
            degrees: Vec::new(),
            degree_distributions: Vec::new(),
            budget: None,
            softness: None,
            picture: None,
            grids: Vec::new(),
            fan_in: Vec::new(),
            reach: Vec::new(),
            falloff: None,
            grain: None,
            importance_power: None,
            activation,
            keep_probability,
            seed,
            pruned: None,
        }
    }

    /// The record of an architecture whose graphs are drawn with `seed`.
    #[doc(hidden)]
    pub fn new(architecture: &Architecture, seed: u64) -> Self {
        let shape = (architecture.inputs, architecture.hidden.clone(), architecture.classes);
        let units = (architecture.activation, architecture.keep_probability);
        let mut record = Self::plain(Arch::Fc, shape, units, seed);
        match &architecture.connectivity {
            Connectivity::SpatiallyCoupled { blocks, receptive_fields, degrees } => {
                record.arch = Arch::Sc;
                record.blocks.clone_from(blocks);
                record.receptive_fields.clone_from(receptive_fields);
                record.degrees.clone_from(degrees);
            }
            Connectivity::RandomSparse { degrees } => {
                record.arch = Arch::Rsp;
                record.degree_distributions = degrees.iter().map(ToString::to_string).collect();
            }
            Connectivity::FullyConnected => {}
            Connectivity::Narrow { budget } => {
                record.arch = Arch::Narrow;
                record.budget = Some(*budget);
            }
            Connectivity::SoftBand { blocks, degrees, softness } => {
                record.arch = Arch::Band;
                record.blocks.clone_from(blocks);
                record.degrees.clone_from(degrees);
                record.softness = Some(*softness);
            }
            Connectivity::Coupled2d { picture, grids, fan_in, reach, falloff, grain, importance } => {
                record.arch = Arch::Sc2d;
                record.picture = Some(*picture);
                record.grids.clone_from(grids);
                record.fan_in.clone_from(fan_in);
                record.reach.clone_from(reach);
                (record.falloff, record.grain) = (Some(*falloff), Some(*grain));
                record.importance_power = Some(importance.power).filter(|power| *power > 0.0);
            }
        }
        record
    }
}
