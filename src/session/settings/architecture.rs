//! What is asked of the network, before it is known how wide its data are.

use super::groups::ArchitectureOptions;
use super::planar::Planar;
use crate::dataset::Dataset;
use crate::model::Arch;
use crate::network::{Activation, Architecture, Connectivity};
use crate::topology::{DegreeDistribution, Grid, paper_degrees, paper_density};
use crate::{Error, Result, Setting, paper};

/// An architecture that does not know yet how wide its data are.
#[derive(Clone, Debug)]
pub struct ArchitectureSettings {
    /// How hidden layers are joined.
    pub arch: Arch,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    connectivity: Connectivity,
    /// How degrees follow from the widths, where none were given.
    profile: Option<Profile>,
    /// A network in two dimensions, whose connectivity follows from its picture.
    planar: Option<Planar>,
    /// The number of weights and biases that was asked for.
    parameters: Option<usize>,
    activation: Activation,
    keep_probability: f32,
    /// What was given of the settings that belong to some architectures alone.
    given: Vec<Setting>,
}

/// Architectures that have blocks; a narrow network without a budget takes that of a spatially-coupled one.
const BANDED: &[Arch] = &[Arch::Sc, Arch::Band, Arch::Narrow];
/// Those with a window.
const COUPLED: &[Arch] = &[Arch::Sc, Arch::Narrow];
/// Settings that belong to some architectures alone, and to which.
const OWNERS: [(Setting, &[Arch]); 13] = [
    (Setting::Grid, &[Arch::Sc2d]),
    (Setting::FanIn, &[Arch::Sc2d]),
    (Setting::Reach, &[Arch::Sc2d]),
    (Setting::Falloff, &[Arch::Sc2d]),
    (Setting::Grain, &[Arch::Sc2d]),
    (Setting::Blocks, BANDED),
    (Setting::ReceptiveField, COUPLED),
    (Setting::Degrees, BANDED),
    (Setting::Density, BANDED),
    (Setting::Degree, &[Arch::Rsp]),
    (Setting::DegreeDistribution, &[Arch::Rsp]),
    (Setting::Budget, &[Arch::Narrow]),
    (Setting::Softness, &[Arch::Band]),
];

/// The word by which a reason speaks of a setting; what is said of degrees may mention blocks, too.
const WORDS: [(Setting, &str); 10] = [
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
    /// Checks what was given.
    ///
    /// # Errors
    /// [`Error::Setting`] for values outside their range and for settings of other architectures.
    pub fn new(options: &ArchitectureOptions) -> Result<Self> {
        let arch = options.arch.unwrap_or(Arch::Sc);
        refuse_strangers(options, arch)?;
        let hidden =
            options.hidden.as_ref().map_or_else(|| paper::HIDDEN.to_vec(), |widths| widths.0.clone());
        if hidden.contains(&0) {
            return Err(Error::setting(Setting::Hidden, "a width of 0 is impossible, it must be at least 1"));
        }
        let dropout = options.dropout.unwrap_or(0.0);
        // Written so that NaN is refused.
        let keep_probability = 1.0 - dropout;
        if !(dropout >= 0.0 && keep_probability > 0.0) {
            let reason = format!("{dropout} is impossible, it must be at least 0 and below 1");
            return Err(Error::setting(Setting::Dropout, reason));
        }
        let connectivity = match (arch, options.budget) {
            (Arch::Sc, _) | (Arch::Narrow, None) => spatially_coupled(options)?,
            (Arch::Narrow, Some(budget)) => Connectivity::Narrow { budget },
            (Arch::Rsp, _) => Connectivity::RandomSparse { degrees: degree_distributions(options) },
            (Arch::Fc, _) => Connectivity::FullyConnected,
            (Arch::Band, _) => soft_band(options)?,
            // Until the picture is known.
            (Arch::Sc2d, _) => Connectivity::FullyConnected,
            (Arch::Custom, _) => {
                return Err(Error::setting(
                    Setting::Arch,
                    "graphs of one's own cannot be drawn, hand them over",
                ));
            }
        };
        if arch == Arch::Narrow && hidden.is_empty() {
            let reason = "none is impossible with `arch` narrow, which finds a width";
            return Err(Error::setting(Setting::Hidden, reason));
        }
        let profile = Profile::new(options, &connectivity)?;
        let activation = options.activation.unwrap_or(Activation::Sigmoid);
        let given = options.given().filter(|setting| Self::is_of_one_kind(*setting)).collect();
        let planar = (arch == Arch::Sc2d).then(|| Planar::new(options)).transpose()?;
        let parameters = options.parameters;
        Ok(Self {
            arch,
            hidden,
            connectivity,
            profile,
            planar,
            parameters,
            activation,
            keep_probability,
            given,
        })
    }

    /// Those of a network that is there already.
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

    /// The density that was asked for, where one was.
    #[must_use]
    pub fn density(&self) -> Option<f64> {
        self.profile
            .as_ref()
            .filter(|profile| profile.is_asked && self.arch != Arch::Narrow)
            .map(|profile| profile.density)
    }

    /// The architecture for data of this shape; the width of a narrow network is found here.
    ///
    /// # Errors
    /// What no graph can satisfy, and a network in two dimensions for data that are no pictures.
    pub fn fit_to(&self, shape: impl Into<InputShape>, classes: usize) -> Result<Architecture> {
        let shape = shape.into();
        match self.parameters {
            Some(wanted) => self.sized(shape, classes, wanted),
            None => self.at(shape, classes, None),
        }
    }

    /// The architecture, at a density or with that many times the usual fan-ins where a scale is given.
    pub(super) fn at(&self, shape: InputShape, classes: usize, scale: Option<f64>) -> Result<Architecture> {
        let InputShape { features: inputs, picture } = shape;
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
            let profile = Profile { density: scale.unwrap_or(profile.density), ..profile.clone() };
            profile.fill(&mut connectivity, inputs, &self.hidden);
            // The paper's own network is drawn as the paper draws it.
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
        // One of a given size takes no other network's.
        if self.arch != Arch::Narrow || self.parameters.is_some() {
            return Ok(architecture);
        }
        let budget = match architecture.connectivity {
            Connectivity::Narrow { budget } => budget,
            _ => architecture.parameter_count().map_err(|error| match self.blame(error) {
                Error::Setting { setting, reason } if setting != Setting::Arch => {
                    Error::setting(setting, format!("the sc network to match: {reason}"))
                }
                error => {
                    Error::setting(Setting::Arch, format!("narrow: the sc network it is to match: {error}"))
                }
            })?,
        };
        architecture.narrowed_to(budget).map_err(|error| self.blame(error))
    }

    /// Says which setting asked for a network that cannot be: the given one of which the reason speaks, else `arch`.
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
            None => error.asked_by(Setting::Arch),
        }
    }

    /// Whether a setting belongs to some architectures alone.
    pub(super) fn is_of_one_kind(setting: Setting) -> bool {
        OWNERS.iter().any(|(owned, _)| *owned == setting)
    }
}

/// The features of a sample, and the picture that they are, where they are one.
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

/// Refuses settings of other architectures.
fn refuse_strangers(options: &ArchitectureOptions, arch: Arch) -> Result<()> {
    let given: Vec<Setting> = options.given().collect();
    if arch == Arch::Sc2d && options.hidden.is_some() {
        let reason = "has no meaning with `arch` sc2d, whose layers `grid` gives";
        return Err(Error::setting(Setting::Hidden, reason));
    }
    for (setting, owners) in OWNERS.into_iter().filter(|(setting, _)| given.contains(setting)) {
        if !owners.contains(&arch) {
            let names: Vec<&str> = owners.iter().map(|owner| owner.name()).collect();
            let owners = names.join(" and ");
            let reason = format!("has no meaning with `arch` {arch}, it belongs to `arch` {owners}");
            return Err(Error::setting(setting, reason));
        }
        if arch == Arch::Narrow && options.budget.is_some() && setting != Setting::Budget {
            return Err(Error::setting(
                setting,
                "has no meaning with `budget`, which it would be the default of",
            ));
        }
    }
    Ok(())
}

fn spatially_coupled(options: &ArchitectureOptions) -> Result<Connectivity> {
    let (blocks, degrees) = blocks_and_degrees(options)?;
    // Fewer blocks than the paper's window has cannot be seen.
    let usual = || one_for_all(blocks.iter().map(|count| paper::RECEPTIVE_FIELD.min(*count)).collect());
    let receptive_fields = options.receptive_field.as_ref().map_or_else(usual, |list| list.0.clone());
    Ok(Connectivity::SpatiallyCoupled { blocks, receptive_fields, degrees })
}

fn soft_band(options: &ArchitectureOptions) -> Result<Connectivity> {
    let (blocks, degrees) = blocks_and_degrees(options)?;
    let softness = options.softness.unwrap_or(paper::SOFTNESS);
    if !(softness > 0.0 && softness.is_finite()) {
        let reason = format!("{softness} is impossible, it must be above 0 and finite");
        return Err(Error::setting(Setting::Softness, reason));
    }
    Ok(Connectivity::SoftBand { blocks, degrees, softness })
}

/// Number of blocks of each layer, and `[layer][block]` degrees; empty where a [`Profile`] fills them in.
fn blocks_and_degrees(options: &ArchitectureOptions) -> Result<(Vec<usize>, Vec<Vec<usize>>)> {
    let blocks = options.blocks.as_ref().map_or(vec![paper::DEGREES.len()], |list| list.0.clone());
    if blocks.contains(&0) {
        return Err(Error::setting(Setting::Blocks, "0 is impossible, it must be at least 1"));
    }
    Ok((blocks, options.degrees.as_ref().map_or(Vec::new(), |lists| lists.0.clone())))
}

fn degree_distributions(options: &ArchitectureOptions) -> Vec<DegreeDistribution> {
    match &options.degree_distribution {
        Some(distributions) => distributions.0.clone(),
        None => vec![DegreeDistribution::Regular(options.degree.unwrap_or(paper::DEGREE))],
    }
}

/// Degrees like the paper's, for layers of any width.
#[derive(Clone, Debug, PartialEq)]
struct Profile {
    /// Blocks of each layer; as many as the paper's, or as its narrower side has neurons, where none were given.
    blocks: Option<Vec<usize>>,
    /// Mean share of the weights that exist.
    density: f64,
    /// Whether somebody asked for it.
    is_asked: bool,
}

impl Profile {
    /// Whether degrees follow from the widths, and how.
    fn new(options: &ArchitectureOptions, connectivity: &Connectivity) -> Result<Option<Self>> {
        let has_degrees =
            matches!(connectivity, Connectivity::SpatiallyCoupled { .. } | Connectivity::SoftBand { .. });
        if !has_degrees || options.degrees.is_some() {
            return Ok(None);
        }
        let density = options.density.unwrap_or_else(paper_density);
        if !(density > 0.0 && density <= 1.0) {
            let reason = format!("{density} is impossible, it must be above 0 and at most 1");
            return Err(Error::setting(Setting::Density, reason));
        }
        Ok(Some(Self {
            blocks: options.blocks.as_ref().map(|list| list.0.clone()),
            density,
            is_asked: options.density.is_some(),
        }))
    }

    /// Writes blocks and degrees for layers of these widths: one list where they are the same for all.
    fn fill(&self, connectivity: &mut Connectivity, inputs: usize, hidden: &[usize]) {
        let (blocks, mut fields, degrees) = match connectivity {
            Connectivity::SpatiallyCoupled { blocks, receptive_fields, degrees } => {
                (blocks, Some(receptive_fields), degrees)
            }
            Connectivity::SoftBand { blocks, degrees, .. } => (blocks, None, degrees),
            _ => return,
        };
        let of_layer = |list: &[usize], layer: usize| list.get(layer).or(list.first()).copied();
        let (mut all_blocks, mut all_fields, mut all_degrees) = (Vec::new(), Vec::new(), Vec::new());
        for (layer, (width, outputs)) in [inputs].iter().chain(hidden).zip(hidden).enumerate() {
            let given = self.blocks.as_deref().and_then(|list| of_layer(list, layer));
            let count = given.unwrap_or(paper::DEGREES.len().min(*width).min(*outputs));
            let field = fields.as_ref().and_then(|list| of_layer(list, layer));
            // More blocks than neurons are refused where the network is built.
            all_degrees.push(paper_degrees((*width, *outputs), count.min(*outputs), field, self.density));
            all_fields.extend(field.map(|field| field.min(count)));
            all_blocks.push(count);
        }
        // Given lists, of a wrong length perhaps, are refused where the network is built.
        if self.blocks.is_none() {
            *blocks = one_for_all(all_blocks);
            if let Some(fields) = fields.as_mut().filter(|fields| fits(fields, hidden.len())) {
                **fields = one_for_all(all_fields);
            }
        }
        *degrees = one_for_all(all_degrees);
    }
}

/// Whether a list of receptive fields could be one of so many layers of as many blocks as the paper's.
fn fits(fields: &[usize], layers: usize) -> bool {
    let length_fits = fields.len() == 1 || fields.len() == layers;
    length_fits && fields.iter().all(|field| (1..=paper::DEGREES.len()).contains(field))
}

/// A list by layer, or its one entry where all are the same.
fn one_for_all<T: PartialEq>(mut list: Vec<T>) -> Vec<T> {
    if list.iter().all(|entry| *entry == list[0]) {
        list.truncate(1);
    }
    list
}
