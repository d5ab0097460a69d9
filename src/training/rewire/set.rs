//! SET: the smallest weights go, and as many edges come by chance.
//!
//! Mocanu et al., "Scalable training of artificial neural networks with adaptive sparse connectivity inspired by network
//! science", Nature Communications 9, 2018. New edges begin at 0, and none comes where one has just gone.

use rand_chacha::ChaCha8Rng;

use super::Rule;
use super::subject::{Moves, Subject};

pub(super) struct Set;

impl Rule for Set {
    fn moves(&self, subject: &Subject<'_>, rng: &mut ChaCha8Rng) -> Vec<Moves> {
        let of_layer = |layer: super::subject::Layer<'_>| {
            let added = layer.drawn(layer.count(), |_| true, rng);
            Moves { dropped: layer.smallest(added.len()), added }
        };
        subject.layers().map(of_layer).collect()
    }
}
