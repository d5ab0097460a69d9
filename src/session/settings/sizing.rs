//! Networks with a given number of parameters, by adjusting the free number of an architecture.

use super::architecture::{ArchitectureSettings, InputShape};
use super::planar::Planar;
use crate::model::Arch;
use crate::network::{Architecture, Connectivity};
use crate::text::grouped;
use crate::topology::DegreeDistribution;
use crate::{Error, Result, Setting};

/// Bisection steps in the search for a size: beyond the precision of a float64.
const HALVINGS: usize = 64;
/// Maximum number of neurons that a place gets.
const MOST_MAPS: usize = 64;
/// Standard deviations by which a random number of edges may vary.
const DEVIATIONS: f64 = 4.0;

impl ArchitectureSettings {
    /// The architecture whose network has the most weights and biases within a number: for coupled kinds by their
    /// degrees or fan-ins, for a random sparse one by the mean degree over all draws, for a fully connected one by the widths.
    ///
    /// # Errors
    /// [`Error::Setting`] for an impossible number, with the possible range.
    pub(super) fn sized(&self, shape: InputShape, classes: usize, wanted: usize) -> Result<Architecture> {
        match self.arch {
            Arch::Rsp => self.sized_random_sparse(shape, classes, wanted),
            Arch::Fc | Arch::Narrow => {
                let plain = self.at(shape, classes, None)?;
                if plain.hidden.is_empty() {
                    let reason = "must not be none with `parameters`, which finds the widths";
                    return Err(Error::setting(Setting::Hidden, reason));
                }
                let fitted = plain.narrowed_finely_to(wanted).map_err(|error| match error {
                    Error::Network(reason) => Error::setting(Setting::Parameters, reason),
                    other => other,
                })?;
                if self.arch == Arch::Narrow {
                    return Ok(fitted);
                }
                let connectivity = Connectivity::FullyConnected;
                Ok(Architecture { connectivity, ..fitted })
            }
            Arch::Sc2d => self.with_maps(shape, classes, wanted)?.sized_by_scale(shape, classes, wanted),
            _ => self.sized_by_scale(shape, classes, wanted),
        }
    }

    /// Small pictures get more neurons per place, so that fan-ins stay within twice the default.
    fn with_maps(&self, shape: InputShape, classes: usize, wanted: usize) -> Result<Self> {
        if !self.planar.as_ref().is_some_and(Planar::is_free) {
            return Ok(self.clone());
        }
        for maps in 1..MOST_MAPS {
            let with_maps = self.with(maps);
            if with_maps.at(shape, classes, Some(2.0))?.parameter_count()? >= wanted {
                return Ok(with_maps);
            }
        }
        Ok(self.with(MOST_MAPS))
    }

    /// With this number of neurons per place.
    fn with(&self, maps: usize) -> Self {
        let mut with_maps = self.clone();
        if let Some(planar) = &mut with_maps.planar {
            planar.maps = maps;
        }
        with_maps
    }

    fn sized_by_scale(&self, shape: InputShape, classes: usize, wanted: usize) -> Result<Architecture> {
        let at = |scale| {
            let architecture = self.at(shape, classes, Some(scale))?;
            Ok((architecture.parameter_count()?, architecture))
        };
        largest(at, self.scales(), wanted)
    }

    /// The approximate minimum and maximum of weights and biases of such a network.
    ///
    /// # Errors
    /// Networks that cannot be built at any size.
    pub(crate) fn size_limits(&self, shape: InputShape, classes: usize) -> Result<[usize; 2]> {
        let plain = || self.at(shape, classes, None);
        match self.arch {
            Arch::Rsp => Ok(random_sparse_limits(&plain()?, classes)),
            Arch::Fc | Arch::Narrow => Ok([plain()?.narrowest_count(), usize::MAX]),
            _ => {
                let is_free = self.planar.as_ref().is_some_and(Planar::is_free);
                let widest = if is_free { self.with(MOST_MAPS) } else { self.clone() };
                let [least, greatest] = self.scales();
                let count =
                    |settings: &Self, scale| settings.at(shape, classes, Some(scale))?.parameter_count();
                Ok([count(self, least)?, count(&widest, greatest)?])
            }
        }
    }

    /// The minimum and maximum scale of a search: of the density, or of the default fan-ins.
    fn scales(&self) -> [f64; 2] {
        if self.arch == Arch::Sc2d { [1e-3, 1e5] } else { [1e-6, 1.0] }
    }

    /// Out-degrees are drawn from two neighbouring numbers, whose mean is the requested one.
    fn sized_random_sparse(&self, shape: InputShape, classes: usize, wanted: usize) -> Result<Architecture> {
        let plain = self.at(shape, classes, None)?;
        let (inputs, fixed) = random_sparse_parts(&plain, classes);
        let least = plain.hidden.iter().copied().min().unwrap_or(0);
        let limits = random_sparse_limits(&plain, classes);
        let mean = (wanted as f64 - fixed as f64) / inputs.max(1) as f64;
        if inputs == 0 || !(mean >= 1.0 && mean <= least as f64) {
            return Err(impossible(wanted, limits));
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most a width")]
        let degree = mean.floor() as usize;
        // By chance, more neurons than their share may draw the higher degree: the margin for that.
        let share = mean - mean.floor();
        let room = DEVIATIONS * (share * (1.0 - share) / inputs as f64).sqrt();
        let share = ((share - room).max(0.0) * 1e4).floor() / 1e4;
        let degrees = match share {
            0.0 => DegreeDistribution::Regular(degree),
            share => DegreeDistribution::Explicit(vec![(degree, 1.0 - share), (degree + 1, share)]),
        };
        Ok(Architecture { connectivity: Connectivity::RandomSparse { degrees: vec![degrees] }, ..plain })
    }
}

/// The largest candidate within a number of parameters, which grows with the scale.
fn largest(
    at: impl Fn(f64) -> Result<(usize, Architecture)>,
    [least, greatest]: [f64; 2],
    wanted: usize,
) -> Result<Architecture> {
    let (mut low, mut high) = (at(least)?, at(greatest)?);
    if wanted < low.0 || (wanted as f64) > 1.01 * high.0 as f64 {
        return Err(impossible(wanted, [low.0, high.0]));
    }
    if high.0 <= wanted {
        return Ok(high.1);
    }
    // Geometric bisection, because densities span orders of magnitude.
    let (mut below, mut above) = (least.ln(), greatest.ln());
    for _ in 0..HALVINGS {
        let middle = (below + above) / 2.0;
        let found = at(middle.exp())?;
        if found.0 <= wanted { (below, low) = (middle, found) } else { (above, high) = (middle, found) }
    }
    between(low.1, &high.1, wanted)
}

/// A network whose block degrees lie between those of two others, with as many of the higher degrees as the number allows.
fn between(mut low: Architecture, high: &Architecture, wanted: usize) -> Result<Architecture> {
    let layers = low.hidden.len();
    let Some(higher) = degrees_by_layer(&mut high.clone(), layers).cloned() else { return Ok(low) };
    for (layer, higher) in higher.iter().enumerate() {
        for (block, higher) in higher.iter().enumerate() {
            loop {
                let mut more = low.clone();
                let degree = degrees_by_layer(&mut more, layers).and_then(|all| all[layer].get_mut(block));
                let Some(degree) = degree.filter(|degree| **degree < *higher) else { break };
                *degree += 1;
                if more.parameter_count()? > wanted {
                    break;
                }
                low = more;
            }
        }
    }
    Ok(low)
}

/// The degrees of a network with blocks, a list for each layer.
fn degrees_by_layer(architecture: &mut Architecture, layers: usize) -> Option<&mut Vec<Vec<usize>>> {
    let (Connectivity::SpatiallyCoupled { degrees, .. } | Connectivity::SoftBand { degrees, .. }) =
        &mut architecture.connectivity
    else {
        return None;
    };
    if let [one] = &degrees[..] {
        *degrees = vec![one.clone(); layers];
    }
    Some(degrees)
}

/// Neurons whose out-degrees are drawn, and the parameters that no degree changes.
fn random_sparse_parts(plain: &Architecture, classes: usize) -> (usize, usize) {
    let widths: Vec<usize> = [plain.inputs].into_iter().chain(plain.hidden.iter().copied()).collect();
    let inputs = widths[..widths.len() - 1].iter().sum();
    (inputs, plain.hidden.iter().sum::<usize>() + (widths[widths.len() - 1] + 1) * classes)
}

fn random_sparse_limits(plain: &Architecture, classes: usize) -> [usize; 2] {
    let (inputs, fixed) = random_sparse_parts(plain, classes);
    let least = plain.hidden.iter().copied().min().unwrap_or(0);
    [fixed + inputs, fixed + inputs * least]
}

fn impossible(wanted: usize, [least, most]: [usize; 2]) -> Error {
    let [wanted, least, most] = [wanted, least, most].map(grouped);
    let reason = format!(
        "{wanted} is out of range: these layers can have {least} to {most}; other layers (`hidden`, sc2d: `grid`) \
         have other limits"
    );
    Error::setting(Setting::Parameters, reason)
}
