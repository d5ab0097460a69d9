//! The settings of the network, independent of the width of the data.

use super::edge_files::EdgeFiles;
use super::groups::ArchitectureOptions;
use super::owners;
use super::planar::Planar;
use super::profile::{DegreeDefaults, one_for_all};
use crate::dataset::Dataset;
use crate::model::Arch;
use crate::network::{Activation, Architecture, Connectivity};
use crate::topology::{DegreeDistribution, Grid};
use crate::{Error, Result, Setting, paper};

/// An architecture for data of any width.
#[derive(Clone, Debug)]
pub struct ArchitectureSettings {
    /// How hidden layers are joined.
    pub arch: Arch,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    connectivity: Connectivity,
    /// Default degrees, if none were given.
    profile: Option<DegreeDefaults>,
    /// A network in two dimensions, whose connectivity follows from its picture.
    pub(super) planar: Option<Planar>,
    /// The requested number of weights and biases.
    pub(in crate::session) parameters: Option<usize>,
    /// Files with the graphs of the layers.
    edges: Option<EdgeFiles>,
    activation: Activation,
    keep_probability: f32,
    /// The given settings that apply only to some architectures.
    given: Vec<Setting>,
}

/// The words in reasons that identify a setting; reasons about degrees may mention blocks, too.
const WORDS: [(Setting, &str); 11] = [
    (Setting::ImportancePower, "importance"),
    (Setting::FanIn, "fan-in"),
    (Setting::Reach, "reach"),
    (Setting::Grain, "grain"),
    (Setting::Grid, "grid"),
    (Setting::ReceptiveField, "receptive field"),
    (Setting::Degrees, "degree"),
    (Setting::Degree, "degree"),
    (Setting::DegreeDistribution, "degree"),
    (Setting::Budget, "budget"),
    (Setting::Blocks, "blocks"),
];

impl ArchitectureSettings {
    /// Validates the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for values outside their range and for settings of other architectures.
    pub fn new(options: &ArchitectureOptions) -> Result<Self> {
        options.check_edges()?;
        let edges = options.edges.clone();
        let arch = if edges.is_some() { Arch::Custom } else { options.arch.unwrap_or(Arch::Sc) };
        owners::refuse_unrelated_flags(options, arch)?;
        let usual = || if edges.is_some() { Vec::new() } else { paper::HIDDEN.to_vec() };
        let hidden = options.hidden.as_ref().map_or_else(usual, |widths| widths.0.clone());
        if hidden.contains(&0) {
            return Err(Error::setting(Setting::Hidden, "a width of 0 is invalid, it must be at least 1"));
        }
        let dropout = options.dropout.unwrap_or(0.0);
        // Written so that NaN is refused.
        let keep_probability = 1.0 - dropout;
        if !(dropout >= 0.0 && keep_probability > 0.0) {
            let reason = format!("{dropout} is invalid, it must be at least 0 and below 1");
            return Err(Error::setting(Setting::Dropout, reason));
        }
        let connectivity = match (arch, options.budget) {
            (Arch::Sc, _) | (Arch::Narrow, None) => spatially_coupled(options)?,
            (Arch::Narrow, Some(budget)) => Connectivity::Narrow { budget },
            (Arch::Rsp, _) => Connectivity::RandomSparse { degrees: degree_distributions(options) },
            (Arch::Fc, _) => Connectivity::FullyConnected,
            (Arch::Band, _) => soft_band(options)?,
            // A placeholder until the picture is known.
            (Arch::Sc2d, _) => Connectivity::FullyConnected,
            // A placeholder until the files are read.
            (Arch::Custom, _) if edges.is_some() => Connectivity::FullyConnected,
            (Arch::Custom, _) => {
                return Err(Error::setting(Setting::Arch, "custom graphs cannot be drawn, pass them in"));
            }
        };
        if arch == Arch::Narrow && hidden.is_empty() {
            let reason = "must not be none with `arch` narrow, which finds a width";
            return Err(Error::setting(Setting::Hidden, reason));
        }
        let profile = DegreeDefaults::new(options, &connectivity)?;
        let activation = options.activation.unwrap_or(Activation::Sigmoid);
        let given = options.given().filter(|setting| owners::is_specific(*setting)).collect();
        let planar = (arch == Arch::Sc2d).then(|| Planar::new(options)).transpose()?;
        let parameters = options.parameters;
        Ok(Self {
            arch,
            hidden,
            connectivity,
            profile,
            planar,
            parameters,
            edges,
            activation,
            keep_probability,
            given,
        })
    }

    /// Files with the graphs of the layers, if any.
    pub(crate) fn edges(&self) -> Option<&EdgeFiles> {
        self.edges.as_ref()
    }

    /// For an existing network.
    pub(crate) fn of_arch(&mut self, arch: Arch) {
        self.arch = arch;
    }

    /// The activation of the hidden layers.
    #[must_use]
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// Probability with which dropout keeps a hidden unit.
    #[must_use]
    pub fn keep_probability(&self) -> f32 {
        self.keep_probability
    }

    /// The requested density, if any.
    #[must_use]
    pub fn density(&self) -> Option<f64> {
        self.profile
            .as_ref()
            .filter(|profile| profile.is_requested && self.arch != Arch::Narrow)
            .map(|profile| profile.density)
    }

    /// The architecture for data of this shape; this determines the width of a narrow network.
    ///
    /// # Errors
    /// For impossible graphs, and for a network in two dimensions if data are not pictures.
    pub fn fit_to(&self, shape: impl Into<InputShape>, classes: usize) -> Result<Architecture> {
        let shape = shape.into();
        match self.parameters {
            Some(wanted) => self.sized(shape, classes, wanted),
            None => self.at(shape, classes, None),
        }
    }

    /// The architecture; with a scale, at that density or with fan-ins scaled by it.
    pub(super) fn at(&self, shape: InputShape, classes: usize, scale: Option<f64>) -> Result<Architecture> {
        let InputShape { features: inputs, picture } = shape;
        if self.edges.is_some() {
            return Err(Error::setting(Setting::Edges, "graphs from files cannot be drawn or sized"));
        }
        let mut connectivity = self.connectivity.clone();
        let mut hidden = self.hidden.clone();
        if let Some(planar) = &self.planar {
            let Some([rows, columns]) = picture else {
                let reason =
                    "sc2d needs pictures: name the shape of a table's rows with `picture`, such as 28x28";
                return Err(Error::setting(Setting::Arch, reason));
            };
            let picture = Grid { rows, columns, maps: inputs / (rows * columns).max(1) };
            (hidden, connectivity) = planar.fit_to(picture, scale);
        }
        let mut reaches_all = false;
        if let Some(profile) = &self.profile {
            let profile = DegreeDefaults { density: scale.unwrap_or(profile.density), ..profile.clone() };
            profile.fill(&mut connectivity, inputs, &self.hidden);
            // The paper's network is drawn as in the paper.
            reaches_all = self.hidden.iter().any(|width| *width != paper::OUTPUTS)
                || !has_papers_degrees(&connectivity);
        }
        let architecture = Architecture {
            inputs,
            hidden,
            classes,
            connectivity,
            activation: self.activation,
            keep_probability: self.keep_probability,
            reaches_all,
        };
        // A network of given size does not copy another one's.
        if self.arch != Arch::Narrow || self.parameters.is_some() {
            return Ok(architecture);
        }
        let budget = match architecture.connectivity {
            Connectivity::Narrow { budget } => budget,
            _ => architecture.parameter_count().map_err(|error| match self.blame(error) {
                Error::Setting { setting, reason } if setting != Setting::Arch => {
                    Error::setting(setting, format!("the sc network to match: {reason}"))
                }
                Error::Setting { reason, .. } => {
                    Error::setting(Setting::Arch, format!("narrow: the sc network to match: {reason}"))
                }
                other => other,
            })?,
        };
        architecture.narrowed_to(budget).map_err(|error| self.blame(error))
    }

    /// Adds the setting that requested an impossible network: the given one that the reason mentions, otherwise `arch`.
    #[doc(hidden)]
    #[must_use]
    pub fn blame(&self, error: Error) -> Error {
        let (Error::Topology(reason) | Error::Network(reason)) = &error else {
            return error.asked_by(Setting::Arch);
        };
        let is_to_blame =
            |(setting, word): &&(Setting, &str)| self.given.contains(setting) && reason.contains(word);
        match WORDS.iter().find(is_to_blame) {
            Some((setting, _)) => Error::setting(*setting, reason.clone()),
            None => Error::setting(Setting::Arch, reason.clone()),
        }
    }
}

/// The number of features, and the picture that they form, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputShape {
    /// Number of features.
    pub features: usize,
    /// Rows and columns.
    pub picture: Option<[usize; 2]>,
}

impl From<usize> for InputShape {
    fn from(features: usize) -> Self {
        Self { features, picture: None }
    }
}

impl From<&Dataset> for InputShape {
    fn from(data: &Dataset) -> Self {
        Self { features: data.feature_count(), picture: data.image_shape() }
    }
}

fn has_papers_degrees(connectivity: &Connectivity) -> bool {
    matches!(connectivity, Connectivity::SpatiallyCoupled { degrees, .. } if degrees[..] == [paper::DEGREES.to_vec()])
}

fn spatially_coupled(options: &ArchitectureOptions) -> Result<Connectivity> {
    let (blocks, degrees) = blocks_and_degrees(options)?;
    // The window cannot exceed the number of blocks.
    let usual = || one_for_all(blocks.iter().map(|count| paper::RECEPTIVE_FIELD.min(*count)).collect());
    let receptive_fields = options.receptive_field.as_ref().map_or_else(usual, |list| list.0.clone());
    Ok(Connectivity::SpatiallyCoupled { blocks, receptive_fields, degrees })
}

fn soft_band(options: &ArchitectureOptions) -> Result<Connectivity> {
    let (blocks, degrees) = blocks_and_degrees(options)?;
    let softness = options.softness.unwrap_or(paper::SOFTNESS);
    if !(softness > 0.0 && softness.is_finite()) {
        let reason = format!("{softness} is invalid, it must be above 0 and finite");
        return Err(Error::setting(Setting::Softness, reason));
    }
    Ok(Connectivity::SoftBand { blocks, degrees, softness })
}

/// Number of blocks of each layer, and `[layer][block]` degrees; empty if a [`DegreeDefaults`] fills them in.
fn blocks_and_degrees(options: &ArchitectureOptions) -> Result<(Vec<usize>, Vec<Vec<usize>>)> {
    let blocks = options.blocks.as_ref().map_or(vec![paper::DEGREES.len()], |list| list.0.clone());
    if blocks.contains(&0) {
        return Err(Error::setting(Setting::Blocks, "0 is invalid, it must be at least 1"));
    }
    Ok((blocks, options.degrees.as_ref().map_or(Vec::new(), |lists| lists.0.clone())))
}

fn degree_distributions(options: &ArchitectureOptions) -> Vec<DegreeDistribution> {
    match &options.degree_distribution {
        Some(distributions) => distributions.0.clone(),
        None => vec![DegreeDistribution::Regular(options.degree.unwrap_or(paper::DEGREE))],
    }
}
