//! DropConnect masks, the same on every engine.
//!
//! DropConnect (Wan, Zeiler, Zhang, LeCun and Fergus, "Regularization of Neural
//! Networks using DropConnect", ICML 2013) drops connections where dropout drops
//! units. Here the whole batch shares one mask per step; the paper draws one
//! for each sample. The cost of masks then grows with the edges, not the edges
//! times the batch. Biases and the layer of logits are never dropped, and kept
//! weights are divided by the keep probability, so that evaluation needs no scaling.
//!
//! Whether a connection is kept is a pure function of the run's seed, the step,
//! and the connection number, which follows from its two neurons ([`connection_numbers`]), by the hash of [`dropout`](super::dropout) with a
//! key that no layer's dropout has; twin: `shaders/common/connections.wgsl`.

use super::Network;
use super::dropout::{DropoutKey, keep_threshold};

/// The number of values that are never dropped: biases, logits' weights, padding.
pub const NO_CONNECTION: u32 = u32::MAX;

/// Which connections one step keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConnectionMask {
    /// Key of seed and step.
    pub key: DropoutKey,
    /// A connection is kept if its hash is below; `u32::MAX` keeps all.
    pub threshold: u32,
    /// Factor of kept weights: 1 / keep probability.
    pub scale: f32,
}

impl ConnectionMask {
    /// The mask of one step of a run that drops connections with a probability in `[0, 1)`.
    pub fn new(seed: u64, step: u64, drop_probability: f32) -> Self {
        let keep = 1.0 - drop_probability;
        // No network has a layer of this index, so no layer's dropout has this key.
        let key = DropoutKey::new(seed, step, u32::MAX);
        Self { key, threshold: keep_threshold(keep), scale: 1.0 / keep }
    }

    /// The factor of a weight and of its gradient: 0, or 1 / keep probability; 1 for [`NO_CONNECTION`].
    #[inline(always)]
    pub fn factor(self, connection: u32) -> f32 {
        let factor = if self.key.keeps(connection, 0, self.threshold) { self.scale } else { 0.0 };
        if connection == NO_CONNECTION { 1.0 } else { factor }
    }
}

/// The connection number of each edge of a layer, in canonical order; [`NO_CONNECTION`] for those of the logits,
/// which are never dropped.
///
/// The number depends only on the two neurons: pairs are counted by layer, then output, then input,
/// whether there is an edge or not. So a connection keeps its random values when other edges of its layer move. Counting
/// wraps to 0 before [`NO_CONNECTION`]: beyond 2^32 pairs, two connections may share random values.
pub fn connection_numbers(network: &Network, layer: usize) -> impl Iterator<Item = u32> {
    let (below, rest) = network.layers().split_at(layer);
    let first: usize = below.iter().map(|layer| layer.topology.dense_edges()).fold(0, usize::wrapping_add);
    let (topology, is_hidden) = (&rest[0].topology, rest.len() > 1);
    let inputs = topology.inputs().width();
    topology.edge_ends().map(move |(output, input)| {
        if is_hidden { wrapped(first.wrapping_add(output * inputs + input)) } else { NO_CONNECTION }
    })
}

/// A place as a number below [`NO_CONNECTION`].
fn wrapped(place: usize) -> u32 {
    u32::try_from(place % NO_CONNECTION as usize).expect("below a u32")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_dropped_connections_is_the_probability() {
        for drop in [0.1f32, 0.5, 0.9] {
            let mask = ConnectionMask::new(1, 2, drop);
            let dropped = (0..100_000u32).filter(|edge| mask.factor(*edge) == 0.0).count() as f64;
            // 5 standard deviations of independent draws.
            let (mean, drop) = (1e5 * f64::from(drop), f64::from(drop));
            assert!(
                (dropped - mean).abs() < 5.0 * (mean * (1.0 - drop)).sqrt(),
                "{dropped} dropped at {drop}"
            );
        }
    }

    #[test]
    fn the_mean_of_the_factors_over_steps_is_one() {
        for drop in [0.2f32, 0.75] {
            let steps = 20_000;
            for edge in [0, 1, 12_345] {
                let factors =
                    (0..steps).map(|step| f64::from(ConnectionMask::new(7, step, drop).factor(edge)));
                let mean = factors.sum::<f64>() / steps as f64;
                let deviation = (f64::from(drop) / (1.0 - f64::from(drop)) / steps as f64).sqrt();
                assert!((mean - 1.0).abs() < 5.0 * deviation, "{mean} at {drop}");
            }
        }
    }

    #[test]
    fn seeds_and_steps_differ_from_each_other_and_from_dropout() {
        let kept = |mask: ConnectionMask| (0..64).map(|edge| mask.factor(edge) > 0.0).collect::<Vec<bool>>();
        let first = kept(ConnectionMask::new(0, 0, 0.5));
        let units = |layer| {
            let key = DropoutKey::new(0, 0, layer);
            (0..64).map(|unit| key.keeps(unit, 0, keep_threshold(0.5))).collect()
        };
        let others =
            [kept(ConnectionMask::new(1, 0, 0.5)), kept(ConnectionMask::new(0, 1, 0.5)), units(0), units(1)];
        for other in others {
            let equal = first.iter().zip(&other).filter(|(a, b)| a == b).count();
            assert!((12..52).contains(&equal), "{equal} of 64 equal");
        }
        assert_eq!(first, kept(ConnectionMask::new(0, 0, 0.5)));
    }

    #[test]
    fn numbers_begin_again_before_the_one_that_is_none() {
        let last = NO_CONNECTION as usize - 1;
        assert_eq!([0, last, last + 1, last + 2].map(wrapped), [0, NO_CONNECTION - 1, 0, 1]);
    }

    #[test]
    fn only_connections_are_dropped() {
        assert!((0..1000).all(|step| ConnectionMask::new(0, step, 0.99).factor(NO_CONNECTION) == 1.0));
        assert!((0..1000).all(|edge| ConnectionMask::new(0, 0, 0.0).factor(edge) == 1.0));
    }
}
