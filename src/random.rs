//! Random numbers: one portable generator (ChaCha8), one independent stream for each purpose.
//!
//! A run has one seed. Every purpose has its own stream, so
//! that, say, another number of epochs changes no graph and no initial weight.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The purpose of random numbers; each has its own stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The graph of the layer with this index.
    Topology(u32),
    /// The initial weights of the layer with this index.
    Initialisation(u32),
    /// The order of the training samples in the epoch with this index.
    Permutation(u32),
    /// Which samples are held out for validation.
    Split,
    /// Which samples of a table are its test set.
    TestSplit,
    /// The augmentation of the training pictures in the epoch with this index.
    Augmentation(u32),
    /// The bootstrap sample and the candidate features of the tree with this index.
    Tree(u32),
    /// The rows that a random forest is grown on, if not all.
    ForestRows,
    /// The random order of features.
    FeatureOrder,
    /// The edges that move before the epoch with this index.
    Rewiring(u32),
    /// How the values of the column with this index are shuffled.
    ColumnShuffle(u32),
    /// The settings of the candidate with this index in a search.
    Candidate(u32),
}

/// The generator for one purpose under one seed.
pub fn generator(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let (kind, index) = match purpose {
        Purpose::Topology(layer) => (1, layer),
        Purpose::Initialisation(layer) => (2, layer),
        Purpose::Permutation(epoch) => (3, epoch),
        Purpose::Split => (4, 0),
        Purpose::TestSplit => (5, 0),
        Purpose::Augmentation(epoch) => (16, epoch),
        Purpose::Tree(tree) => (20, tree),
        Purpose::ForestRows => (21, 0),
        Purpose::FeatureOrder => (22, 0),
        Purpose::Rewiring(epoch) => (23, epoch),
        Purpose::ColumnShuffle(column) => (24, column),
        Purpose::Candidate(index) => (25, index),
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((kind << 32) | u64::from(index));
    rng
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, purpose| generator(seed, purpose).next_u64();
        let purposes = [
            Purpose::Topology(0),
            Purpose::Topology(1),
            Purpose::Initialisation(0),
            Purpose::Initialisation(1),
            Purpose::Permutation(0),
            Purpose::Permutation(1),
            Purpose::Split,
            Purpose::TestSplit,
            Purpose::Augmentation(0),
            Purpose::Augmentation(1),
            Purpose::Tree(0),
            Purpose::Tree(1),
            Purpose::ForestRows,
            Purpose::FeatureOrder,
            Purpose::Rewiring(0),
            Purpose::Rewiring(1),
            Purpose::ColumnShuffle(0),
            Purpose::ColumnShuffle(1),
            Purpose::Candidate(0),
            Purpose::Candidate(1),
        ];
        let mut seen = std::collections::HashSet::new();
        for seed in [0, 1, u64::MAX] {
            for purpose in purposes {
                assert_eq!(draw(seed, purpose), draw(seed, purpose));
                assert!(seen.insert(draw(seed, purpose)), "{seed} {purpose:?} repeats another stream");
            }
        }
    }

    /// The numbers of a seed must never change: old runs could not be repeated.
    #[test]
    fn the_generator_is_pinned() {
        let mut rng = generator(0, Purpose::Topology(0));
        let drawn = [rng.next_u32(), rng.next_u32(), rng.next_u32()];
        assert_eq!(drawn, [1_853_115_135, 810_048_221, 1_037_298_982]);
    }
}
