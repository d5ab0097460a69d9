//! The paper's degrees for layers of other widths, numbers of blocks and densities.

use crate::paper::{DEGREES, OUTPUTS};

/// Share of the weights of the paper's hidden layers that exist: 6.8 %.
#[must_use]
pub(crate) fn paper_density() -> f64 {
    share_of(0.0, 1.0)
}

/// Out-degrees `[block]` of a layer with the paper's profile: its curve of degrees over the position among the
/// inputs, cut into other blocks and scaled to a density.
///
/// An input has at least enough edges for each output block that it feeds to get as many as it has outputs, and at most
/// as many as the outputs of these blocks. If this limit reduces a degree, the others compensate as far as
/// theirs allow; minimum degrees may exceed the density. For 784 outputs,
/// 8 blocks and [`paper_density`] these are the paper's 98, 130, 98, 49, 20, 10, 10, 10. `receptive_field` is as in
/// [`SpatiallyCoupled`](super::SpatiallyCoupled), `None` if there is no window.
#[must_use]
pub(crate) fn paper_degrees(
    (inputs, outputs): (usize, usize),
    blocks: usize,
    receptive_field: Option<usize>,
    density: f64,
) -> Vec<usize> {
    let profile = DegreeProfile { inputs, outputs, blocks, receptive_field };
    let scale = density / paper_density() * outputs as f64;
    let degrees = profile.scaled(scale);
    let wanted = density * outputs as f64 * blocks as f64;
    let misses = |degrees: &[usize]| (degrees.iter().sum::<usize>() as f64 - wanted).abs();
    if profile.is_below_limits(scale) {
        return degrees;
    }
    // The sum grows with the scale, so bisection finds the scale nearest to the requested density.
    let (mut low, mut high) = (scale, scale.max((outputs * OUTPUTS) as f64));
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        let sum: usize = profile.scaled(middle).iter().sum();
        if (sum as f64) < wanted { low = middle } else { high = middle }
    }
    let (less, more) = (profile.scaled(low), profile.scaled(high));
    if misses(&less) < misses(&more) { less } else { more }
}

/// A layer whose degrees follow the paper's.
struct DegreeProfile {
    inputs: usize,
    outputs: usize,
    blocks: usize,
    receptive_field: Option<usize>,
}

impl DegreeProfile {
    /// The degree of a block before it is rounded.
    fn degree(&self, block: usize, scale: f64) -> f64 {
        let place = |block: usize| block as f64 / self.blocks as f64;
        share_of(place(block), place(block + 1)) * scale
    }

    /// Minimum and maximum degree of a block; blocks differ by at most one neuron.
    fn bounds(&self, block: usize) -> (usize, usize) {
        let Some(field) = self.receptive_field else { return (1, self.outputs) };
        let fed = field.min(block + 1);
        let limit = (self.outputs / self.blocks * fed).max(1);
        // The edges that one of these inputs needs for the output block that sees the fewest of them.
        let seen = field.min(self.blocks - block) * (self.inputs / self.blocks);
        let share = self.outputs.div_ceil(self.blocks).div_ceil(seen.max(1));
        ((fed * share).min(limit), limit)
    }

    fn scaled(&self, scale: f64) -> Vec<usize> {
        let degree = |block| {
            let (least, limit) = self.bounds(block);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "casts saturate, and the result is limited"
            )]
            let degree = self.degree(block, scale).round() as usize;
            degree.clamp(least, limit)
        };
        (0..self.blocks).map(degree).collect()
    }

    /// Whether no degree is limited by its window.
    fn is_below_limits(&self, scale: f64) -> bool {
        (0..self.blocks).all(|block| self.degree(block, scale).round() <= self.bounds(block).1 as f64)
    }
}

/// Mean of the paper's degrees, as shares of its outputs, over the inputs from `start` to `end` (0 to 1).
fn share_of(start: f64, end: f64) -> f64 {
    let step = 1.0 / DEGREES.len() as f64;
    let part = |(block, degree): (usize, &usize)| {
        let (first, last) = (block as f64 * step, (block + 1) as f64 * step);
        let overlap = (end.min(last) - start.max(first)).max(0.0);
        overlap * *degree as f64
    };
    let sum: f64 = DEGREES.iter().enumerate().map(part).sum();
    sum / (end - start) / OUTPUTS as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};
    use crate::topology::SpatiallyCoupled;

    #[test]
    fn the_papers_layer_has_the_papers_degrees() {
        assert_eq!(paper_degrees((784, 784), 8, Some(2), paper_density()), DEGREES);
        assert_eq!(
            paper_degrees((1568, 1568), 8, Some(2), paper_density()),
            DEGREES.map(|degree| 2 * degree)
        );
        assert_eq!(paper_degrees((784, 784), 4, Some(2), paper_density()), [114, 74, 15, 10]);
        assert_eq!(
            paper_degrees((784, 784), 8, None, 2.0 * paper_density()),
            DEGREES.map(|degree| 2 * degree)
        );
    }

    /// For all widths, the degrees can be built, and no neuron is skipped.
    #[test]
    fn every_layer_can_be_built() {
        for outputs in 1..70 {
            for blocks in 1..=outputs.min(9) {
                for density in [1e-9, 0.07, 0.3, 1.0] {
                    let inputs = blocks + outputs % 5;
                    let receptive_field = 1 + outputs % blocks.min(3);
                    let degrees = paper_degrees((inputs, outputs), blocks, Some(receptive_field), density);
                    let layer = SpatiallyCoupled { inputs, outputs, blocks, receptive_field, degrees };
                    let topology = layer.build(&mut generator(0, Purpose::Topology(0))).unwrap();
                    assert!(topology.edges() >= inputs, "{layer:?}");
                }
            }
        }
    }

    /// 0.9 of a layer with a window of 2 of 8 blocks is more than the window holds: 15 of its 64 tiles.
    #[test]
    fn the_density_is_reached_where_the_window_allows_it() {
        let mean = |degrees: &[usize]| degrees.iter().sum::<usize>() as f64 / degrees.len() as f64;
        for density in [0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3] {
            let got = mean(&paper_degrees((1000, 1000), 10, Some(4), density)) / 1000.0;
            assert!((got - density).abs() < 0.03 * density, "{got} {density}");
        }
        assert_eq!(mean(&paper_degrees((784, 784), 8, Some(2), 0.9)) / 784.0, 15.0 / 64.0);
        let got = mean(&paper_degrees((784, 784), 8, Some(2), 0.2)) / 784.0;
        assert!((got - 0.2).abs() < 0.001, "{got}");
    }

    #[test]
    fn every_output_block_gets_edges_from_all_inputs_that_it_sees() {
        for outputs in 8..100 {
            for (block, degree) in
                paper_degrees((outputs, outputs), 8, Some(2), paper_density()).into_iter().enumerate()
            {
                assert!(degree >= 2.min(block + 1), "{outputs}: block {block} has a degree of {degree}");
            }
        }
    }
}
