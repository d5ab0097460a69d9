//! The settings of a network in two dimensions, before its picture is known.

use std::fmt;
use std::str::FromStr;

use super::groups::ArchitectureOptions;
use super::importance_options::ImportanceOptions;
use super::values::{Switch, joined};
use crate::importance::{Importance, Order};
use crate::model::Arch;
use crate::named::serde_as_text;
use crate::network::{Connectivity, InputImportance};
use crate::topology::{Falloff, Grain, Grid, usual_fan_in, usual_reach};
use crate::{Error, Result, Setting};

/// Comma-separated grids, one for each layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grids(pub Vec<Grid>);

/// Comma-separated numbers with fractions: `1.5,2.5,5`.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers(pub Vec<f64>);

impl fmt::Display for Grids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(f, &self.0, ",")
    }
}

impl FromStr for Grids {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        text.split(',').map(str::trim).map(str::parse).collect::<Result<_>>().map(Self)
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(f, &self.0, ",")
    }
}

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let item = |text: &str| match text.parse::<f64>() {
            Err(_) => Err(format!("{text:?} is not a number; write 2.5 or 1.5,2.5,5")),
            Ok(number) if number.abs() > LARGEST => Err(format!("{text} is invalid, the limit is {LARGEST}")),
            Ok(number) => Ok(number),
        };
        text.split(',').map(str::trim).map(item).collect::<Result<_, _>>().map(Self)
    }
}

serde_as_text!(Grids);
serde_as_text!(Numbers);

/// No fan-in or reach is larger: grids have fewer neurons.
const LARGEST: f64 = 1e9;
/// Default number of hidden layers.
const LAYERS: usize = 3;
/// With higher powers, only the most important inputs would be drawn.
const MAX_POWER: f64 = 8.0;

/// A connectivity in two dimensions for any picture.
#[derive(Clone, Debug)]
pub(super) struct Planar {
    grids: Option<Vec<Grid>>,
    fan_in: Option<Vec<f64>>,
    reach: Option<Vec<f64>>,
    falloff: Falloff,
    grain: Option<Grain>,
    importance_power: f64,
    /// Neurons per place of default grids.
    pub(super) maps: usize,
}

impl Planar {
    /// Validates the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for lists of different lengths, and a power outside its range.
    pub(super) fn new(options: &ArchitectureOptions) -> Result<Self> {
        let planar = Self {
            grids: options.grid.as_ref().map(|grids| grids.0.clone()),
            fan_in: options.fan_in.as_ref().map(|list| list.0.clone()),
            reach: options.reach.as_ref().map(|list| list.0.clone()),
            falloff: options.falloff.unwrap_or(Falloff::Gauss),
            grain: options.grain,
            importance_power: options.importance_power.unwrap_or(0.0),
            maps: 1,
        };
        let power = planar.importance_power;
        if !(0.0..=MAX_POWER).contains(&power) {
            let reason = format!("{power} is invalid, it must be 0 to {MAX_POWER}");
            return Err(Error::setting(Setting::ImportancePower, reason));
        }
        let layers = planar.layers();
        for (setting, given) in [
            (Setting::FanIn, planar.fan_in.as_ref().map(Vec::len)),
            (Setting::Reach, planar.reach.as_ref().map(Vec::len)),
        ] {
            if let Some(given) = given.filter(|given| *given != 1 && *given != layers) {
                let reason =
                    format!("{given} values for {layers} hidden layers: give one for each, or one for all");
                return Err(Error::setting(setting, reason));
            }
        }
        Ok(planar)
    }

    /// Whether grids follow from the picture.
    pub(super) fn is_free(&self) -> bool {
        self.grids.is_none()
    }

    /// Number of hidden layers.
    fn layers(&self) -> usize {
        let lists = [self.fan_in.as_ref().map(Vec::len), self.reach.as_ref().map(Vec::len)];
        let longest = lists.into_iter().flatten().filter(|count| *count > 1).max();
        self.grids.as_ref().map(Vec::len).or(longest).unwrap_or(LAYERS)
    }

    /// The network over a picture: widths of its hidden layers, and their connectivity.
    ///
    /// With a scale, fan-ins are the default ones times the scale, limited by the number of inputs.
    pub(super) fn fit_to(&self, picture: Grid, scale: Option<f64>) -> (Vec<usize>, Connectivity) {
        let layers = self.layers();
        let grids = self.grids.clone().unwrap_or_else(|| vec![Grid { maps: self.maps, ..picture }; layers]);
        let has_patches = picture.has_patches() && grids.iter().all(|grid| grid.has_patches());
        let grain = self.grain.unwrap_or(if has_patches { Grain::MicroBlocks } else { Grain::Edges });
        let all: Vec<Grid> = [picture].into_iter().chain(grids.iter().copied()).collect();
        let mut fan_in = self.fan_in.clone().unwrap_or_else(|| usual_fan_in(&all, grain));
        if let Some(scale) = scale {
            let scaled = |(fan_in, inputs): (&mut f64, &Grid)| {
                let least = (grain.group_size().min(inputs.neurons())) as f64;
                *fan_in = (scale * *fan_in).clamp(least, inputs.neurons() as f64);
            };
            fan_in.iter_mut().zip(&all).for_each(scaled);
        }
        let reach = self.reach.clone().unwrap_or_else(|| usual_reach(&all, &fan_in, self.falloff, grain));
        let connectivity = Connectivity::Coupled2d {
            picture,
            fan_in,
            reach,
            falloff: self.falloff,
            grain,
            grids: grids.clone(),
            importance: InputImportance { power: self.importance_power, of_input: Vec::new() },
        };
        (grids.into_iter().map(Grid::neurons).collect(), connectivity)
    }
}

impl ImportanceOptions {
    /// With the defaults of an architecture: networks in two dimensions, and graphs from files, need features in their places.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that move them.
    pub(super) fn fitting(mut self, arch: Arch, power: f64) -> Result<Self> {
        if power > 0.0 && !self.importance.is_some_and(Importance::scores_features) {
            return Err(Error::setting(
                Setting::ImportancePower,
                "needs `importance` rf, variance or random",
            ));
        }
        if arch == Arch::Custom {
            // Graphs from files refer to features by their places.
            self.importance = self.importance.or(Some(Importance::None));
        }
        if arch != Arch::Sc2d {
            return Ok(self);
        }
        if self.importance == Some(Importance::Pca) {
            let reason = "pca cannot be used with `arch` sc2d, which needs pixels: take none, variance or rf";
            return Err(Error::setting(Setting::Importance, reason));
        }
        if let Some(order) = self.order.filter(|order| *order != Order::Place) {
            return Err(Error::setting(
                Setting::Order,
                format!("{order} cannot be used with `arch` sc2d, where pixels keep their places"),
            ));
        }
        self.importance = self.importance.or(Some(Importance::None));
        self.order = Some(Order::Place);
        self.standardize = self.standardize.or(Some(Switch::On));
        Ok(self)
    }
}
