//! The networks that are measured: the paper's, at any width.

use crate::engine::Penalties;
use crate::model::Arch;
use crate::network::{Architecture, Connectivity, InputImportance};
use crate::paper::{DEGREE, DEGREES, OUTPUTS, RECEPTIVE_FIELD, SOFTNESS};
use crate::topology::{DegreeDistribution, Falloff, Grain, Grid, MAX_WIDTH, usual_fan_in, usual_reach};
use crate::training::Recipe;
use crate::{Error, Result, Setting};

/// Neurons of a block of the paper's network: 784 in 8 blocks.
const BLOCK: usize = OUTPUTS / DEGREES.len();
/// Hidden neurons, more than any machine has memory for.
const MAX_NEURONS: usize = u32::MAX as usize;
/// Hidden layers, more than any useful measurement.
const MAX_LAYERS: usize = 10_000;
/// Logits of every measured network.
#[doc(hidden)]
pub const CLASSES: usize = 10;

/// As many inputs as neurons in each hidden layer, then 10 logits.
///
/// Blocks keep the paper's size of 98 neurons (or a little less, where it does
/// not divide the width), so their number grows with the width, and the block at
/// a relative depth has the degree of the paper's block there. So the edges per
/// neuron stay the same, and width 784 with 5 hidden layers is the paper's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BenchNetwork {
    /// The architecture of the hidden layers.
    pub arch: Arch,
    /// Inputs, and neurons of each hidden layer (narrow: of the network whose number of parameters it has).
    pub width: usize,
    /// Number of hidden layers.
    pub hidden_layers: usize,
}

impl BenchNetwork {
    /// The architecture; the fully connected one has dropout 0.5, as the paper's.
    ///
    /// # Errors
    /// Those of [`BenchNetwork::check`].
    pub fn architecture(&self) -> Result<Architecture> {
        self.check()?;
        let joined = |connectivity| Architecture {
            inputs: self.width,
            hidden: vec![self.width; self.hidden_layers],
            connectivity,
            ..Architecture::paper(self.width, CLASSES)
        };
        Ok(match self.arch {
            Arch::Sc => joined(self.spatially_coupled()),
            Arch::Narrow => {
                let coupled = joined(self.spatially_coupled());
                coupled.narrowed_to(coupled.parameter_count()?)?
            }
            Arch::Rsp => {
                let degrees = vec![DegreeDistribution::Regular(DEGREE.min(self.width))];
                joined(Connectivity::RandomSparse { degrees })
            }
            Arch::Fc => Architecture { keep_probability: 0.5, ..joined(Connectivity::FullyConnected) },
            Arch::Custom => {
                let reason = "custom graphs cannot be drawn, so they are not timed";
                return Err(Error::setting(Setting::Arch, reason));
            }
            Arch::Sc2d => {
                let grid = Grid::squarest(self.width);
                let grain = if grid.has_patches() { Grain::MicroBlocks } else { Grain::Edges };
                let grids = vec![grid; self.hidden_layers + 1];
                let fan_in = usual_fan_in(&grids, grain);
                joined(Connectivity::Coupled2d {
                    picture: grid,
                    grids: vec![grid],
                    reach: usual_reach(&grids, &fan_in, Falloff::Gauss, grain),
                    fan_in,
                    falloff: Falloff::Gauss,
                    grain,
                    importance: InputImportance::default(),
                })
            }
            Arch::Band => {
                let (blocks, degrees) = self.blocks_and_degrees();
                joined(Connectivity::SoftBand {
                    blocks: vec![blocks],
                    degrees: vec![degrees],
                    softness: SOFTNESS,
                })
            }
        })
    }

    /// Refuses impossible sizes before anything of that size is built.
    ///
    /// # Errors
    /// [`Error::Setting`] for a width or a number of layers of 0, for a wider layer than graphs have, and for too
    /// many hidden neurons.
    pub fn check(&self) -> Result<()> {
        let Self { width, hidden_layers: layers, .. } = *self;
        for (setting, value) in [(Setting::Width, width), (Setting::Layers, layers)] {
            if value == 0 {
                return Err(Error::setting(setting, "0 is invalid, it must be at least 1"));
            }
        }
        if width > MAX_WIDTH {
            let reason = format!("{width} is invalid, it must be 1 to {MAX_WIDTH}");
            return Err(Error::setting(Setting::Width, reason));
        }
        let most = (MAX_NEURONS / width).min(MAX_LAYERS);
        if layers > most {
            let reason = format!("{layers} is invalid, it must be 1 to {most} at width {width}");
            return Err(Error::setting(Setting::Layers, reason));
        }
        Ok(())
    }

    /// The penalties of its training; the paper has none on the fully connected network.
    #[must_use]
    pub fn penalties(&self) -> Penalties {
        if self.arch == Arch::Fc { Penalties::default() } else { Recipe::default().penalties }
    }

    fn spatially_coupled(&self) -> Connectivity {
        let (blocks, degrees) = self.blocks_and_degrees();
        Connectivity::SpatiallyCoupled {
            blocks: vec![blocks],
            receptive_fields: vec![RECEPTIVE_FIELD.min(blocks)],
            degrees: vec![degrees],
        }
    }

    /// Number of blocks, and the out-degree of each.
    fn blocks_and_degrees(&self) -> (usize, Vec<usize>) {
        let blocks = self.width.div_ceil(BLOCK);
        let size = self.width / blocks;
        // The first block feeds only itself; narrow blocks may hold fewer neurons than the paper's degree.
        let limit = |block: usize| size * RECEPTIVE_FIELD.min(block + 1);
        let first = size + usize::from(!self.width.is_multiple_of(blocks));
        let degree = |block: usize| {
            let degree = DEGREES[block * DEGREES.len() / blocks];
            degree.min(if block == 0 { first } else { limit(block) })
        };
        (blocks, (0..blocks).map(degree).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coupled(width: usize) -> BenchNetwork {
        BenchNetwork { arch: Arch::Sc, width, hidden_layers: 5 }
    }

    #[test]
    fn at_784_it_is_the_papers_network() {
        assert_eq!(coupled(784).architecture().unwrap(), Architecture::paper(784, 10));
    }

    #[test]
    fn edges_grow_as_the_width() {
        let hidden_edges = |width: usize| {
            let architecture = coupled(width).architecture().unwrap();
            architecture.parameter_count().unwrap() - 5 * width - 10 * (width + 1)
        };
        for doubling in 0..7 {
            assert_eq!(hidden_edges(784 << doubling), (5 * 41_650) << doubling);
        }
        // 98 does not divide it: 669 blocks of 97 or 98.
        let per_neuron = hidden_edges(65_536) as f64 / (5.0 * 65_536.0);
        assert!((per_neuron - 53.125).abs() < 0.2, "{per_neuron}");
    }

    #[test]
    fn every_architecture_is_built_at_odd_widths() {
        for arch in Arch::drawable() {
            for width in [1, 2, 97, 98, 99, 150, 196, 250] {
                let network = BenchNetwork { arch, width, hidden_layers: 2 };
                let built = network.architecture().and_then(|architecture| architecture.build(0));
                let built = built.unwrap_or_else(|error| panic!("{arch} {width}: {error}"));
                assert_eq!((built.inputs(), built.classes(), built.layers().len()), (width, 10, 3));
            }
        }
        let refused = BenchNetwork { width: 0, ..coupled(1) }.architecture().unwrap_err().to_string();
        assert!(refused.starts_with("width: 0 "), "{refused}");
        assert!(BenchNetwork { hidden_layers: 0, ..coupled(98) }.architecture().is_err());
    }

    #[test]
    fn impossible_graphs_are_refused_before_construction() {
        for arch in Arch::drawable() {
            for (width, hidden_layers, part) in [
                (usize::MAX, 5, "width: 18446744073709551615 is invalid"),
                (MAX_WIDTH + 1, 1, "width: "),
                (MAX_WIDTH, 5, "layers: 5 is invalid, it must be 1 to 4 at width"),
                (
                    98,
                    usize::MAX,
                    "layers: 18446744073709551615 is invalid, it must be 1 to 10000 at width 98",
                ),
            ] {
                let refusal = BenchNetwork { arch, width, hidden_layers }.architecture().unwrap_err();
                assert!(refusal.to_string().starts_with(part), "{arch}: {refusal}");
            }
        }
    }
}
