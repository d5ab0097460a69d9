//! The paper's degrees for layers of other widths, numbers of blocks and densities.

use crate::paper::{DEGREES, OUTPUTS};

/// Share of the weights of the paper's hidden layers that exist: 6.8 %.
#[must_use]
pub fn paper_density() -> f64 {
    share_of(0.0, 1.0)
}

/// Out-degrees `[block]` of a spatially-coupled layer with the profile of the paper's: its curve of degrees over
/// the position among the inputs, cut into other blocks and scaled to a density.
///
/// Each degree is at least 1 and at most what the outputs of its window hold, so a density that the window does not
/// allow is not reached. For 784 outputs, 8 blocks and [`paper_density`] these are the paper's 98, 130, 98,
/// 49, 20, 10, 10, 10. `receptive_field` is as in [`SpatiallyCoupled`](super::SpatiallyCoupled), `None` where there
/// is no window.
#[must_use]
pub fn paper_degrees(
    outputs: usize,
    blocks: usize,
    receptive_field: Option<usize>,
    density: f64,
) -> Vec<usize> {
    let scale = density / paper_density() * outputs as f64;
    let degree = |block: usize| {
        let share = share_of(block as f64 / blocks as f64, (block + 1) as f64 / blocks as f64);
        // Outputs are cut evenly, so a block holds at least this many.
        let fed = receptive_field.map_or(blocks, |field| field.min(block + 1));
        let limit = outputs / blocks * fed;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "casts saturate, and the result is limited"
        )]
        let degree = (share * scale).round() as usize;
        degree.clamp(1, limit.max(1))
    };
    (0..blocks).map(degree).collect()
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
        assert_eq!(paper_degrees(784, 8, Some(2), paper_density()), DEGREES);
        assert_eq!(paper_degrees(1568, 8, Some(2), paper_density()), DEGREES.map(|degree| 2 * degree));
        assert_eq!(paper_degrees(784, 4, Some(2), paper_density()), [114, 74, 15, 10]);
        assert_eq!(paper_degrees(784, 8, None, 2.0 * paper_density()), DEGREES.map(|degree| 2 * degree));
    }

    /// Whatever the widths, the degrees can be built, and no neuron is left out.
    #[test]
    fn every_layer_can_be_built() {
        for outputs in 1..70 {
            for blocks in 1..=outputs.min(9) {
                for density in [1e-9, 0.07, 0.3, 1.0] {
                    let inputs = blocks + outputs % 5;
                    let receptive_field = 1 + outputs % blocks.min(3);
                    let degrees = paper_degrees(outputs, blocks, Some(receptive_field), density);
                    let layer = SpatiallyCoupled { inputs, outputs, blocks, receptive_field, degrees };
                    let topology = layer.build(&mut generator(0, Purpose::Topology(0))).unwrap();
                    assert!(topology.edges() >= inputs, "{layer:?}");
                }
            }
        }
    }

    #[test]
    fn the_density_is_reached_where_the_window_allows_it() {
        let mean = |degrees: Vec<usize>| degrees.iter().sum::<usize>() as f64 / degrees.len() as f64;
        for density in [0.02, 0.03, 0.05] {
            let got = mean(paper_degrees(1000, 10, Some(4), density)) / 1000.0;
            assert!((got - density).abs() < 0.03 * density, "{got} {density}");
        }
    }
}
