//! Draws of distinct neurons.

use std::ops::Range;

use rand::{Rng, RngExt};

/// Draws distinct neurons out of a range, by a partial Fisher-Yates shuffle.
pub(super) struct DistinctSampler {
    pool: Vec<u32>,
}

impl DistinctSampler {
    /// A sampler over a range of neurons that fits `u32`.
    pub(super) fn new(range: Range<usize>) -> Self {
        let neuron = |n| u32::try_from(n).expect("a partition's neurons fit u32");
        Self { pool: range.map(neuron).collect() }
    }

    /// Draws `count` distinct neurons, uniformly; `count` is at most the size of the range.
    pub(super) fn draw(&mut self, count: usize, rng: &mut impl Rng) -> &[u32] {
        for taken in 0..count {
            let pick = rng.random_range(taken..self.pool.len());
            self.pool.swap(taken, pick);
        }
        &self.pool[..count]
    }
}

/// The neurons of the `count` largest keys.
pub(super) fn largest(keys: &mut [(f64, u32)], count: usize) -> Vec<u32> {
    if (1..keys.len()).contains(&count) {
        // Of equal keys, which occur with a softness near 0, the first neuron wins.
        keys.select_nth_unstable_by(count - 1, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    }
    keys[..count].iter().map(|key| key.1).collect()
}
