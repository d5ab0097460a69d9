//! SET: the smallest weights are removed, and as many edges are added at random.
//!
//! Mocanu et al., "Scalable training of artificial neural networks with adaptive sparse connectivity inspired by network
//! science", Nature Communications 9, 2018. New edges start at 0, and none is added where one was just removed.

use rand_chacha::ChaCha8Rng;

use super::Rule;
use super::snapshot::{Moves, Snapshot};

pub(super) struct Set;

impl Rule for Set {
    fn moves(&self, snapshot: &Snapshot<'_>, rng: &mut ChaCha8Rng) -> Vec<Moves> {
        let of_layer = |layer: super::snapshot::LayerSnapshot<'_>| {
            let added = layer.drawn(layer.count(), |_| true, rng);
            Moves { dropped: layer.smallest(added.len()), added }
        };
        snapshot.layers().map(of_layer).collect()
    }
}
