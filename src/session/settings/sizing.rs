//! Networks of a given number of parameters: the one number that an architecture leaves free is found.

use super::architecture::{ArchitectureSettings, InputShape};
use super::planar::Planar;
use crate::model::Arch;
use crate::network::{Architecture, Connectivity};
use crate::topology::DegreeDistribution;
use crate::{Error, Result, Setting};

/// Halvings of the range that a size is sought in: beyond the precision of a float64.
const HALVINGS: usize = 64;
/// Most neurons that a place gets.
const MOST_MAPS: usize = 64;

impl ArchitectureSettings {
    /// The architecture whose network has the most weights and biases within a number: of the coupled kinds by their
    /// degrees or fan-ins, of a random sparse one by the mean degree over all draws, of a fully connected one by the widths.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number that the architecture cannot have, with those that it can.
    pub(super) fn sized(&self, shape: InputShape, classes: usize, wanted: usize) -> Result<Architecture> {
        match self.arch {
            Arch::Rsp => self.sized_random_sparse(shape, classes, wanted),
            Arch::Fc | Arch::Narrow => {
                let plain = self.at(shape, classes, None)?;
                let fitted = plain.narrowed_finely_to(wanted)?;
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

    /// Small pictures get as many neurons on a place as keep fan-ins within twice the usual ones.
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

    /// With this number of neurons on a place.
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

    /// The least and the greatest scale that a search looks at: of the density, or of the usual fan-ins.
    fn scales(&self) -> [f64; 2] {
        if self.arch == Arch::Sc2d { [1e-3, 1e5] } else { [1e-6, 1.0] }
    }

    /// Out-degrees are drawn of two neighbouring numbers, so that their mean is what is wanted.
    fn sized_random_sparse(&self, shape: InputShape, classes: usize, wanted: usize) -> Result<Architecture> {
        let plain = self.at(shape, classes, None)?;
        let widths: Vec<usize> = [plain.inputs].into_iter().chain(plain.hidden.iter().copied()).collect();
        let inputs: usize = widths[..widths.len() - 1].iter().sum();
        let least = plain.hidden.iter().copied().min().unwrap_or(0);
        let fixed = plain.hidden.iter().sum::<usize>() + (widths[widths.len() - 1] + 1) * classes;
        let mean = (wanted as f64 - fixed as f64) / inputs.max(1) as f64;
        if inputs == 0 || !(mean >= 1.0 && mean <= least as f64) {
            return Err(impossible(wanted, fixed + inputs, fixed + inputs * least));
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most a width")]
        let degree = mean.floor() as usize;
        let share = ((mean - mean.floor()) * 1e4).round() / 1e4;
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
    let (mut low, high) = (at(least)?, at(greatest)?);
    if wanted < low.0 || (wanted as f64) > 1.01 * high.0 as f64 {
        return Err(impossible(wanted, low.0, high.0));
    }
    if high.0 <= wanted {
        return Ok(high.1);
    }
    // By factors: a density may be anything.
    let (mut below, mut above) = (least.ln(), greatest.ln());
    for _ in 0..HALVINGS {
        let middle = (below + above) / 2.0;
        let found = at(middle.exp())?;
        if found.0 <= wanted { (below, low) = (middle, found) } else { above = middle }
    }
    Ok(low.1)
}

fn impossible(wanted: usize, least: usize, most: usize) -> Error {
    let reason = format!("{wanted} are impossible with these layers, they can have {least} to {most}");
    Error::setting(Setting::Parameters, reason)
}
