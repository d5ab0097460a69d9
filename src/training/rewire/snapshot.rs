//! The data from which a rule chooses, and choices that rules share.

use std::sync::atomic::{AtomicBool, Ordering};

use rand::{Rng, RngExt};

use crate::dataset::Dataset;
use crate::engine::LossRule;
use crate::network::{Network, Parameters};
use crate::topology::{Grain, Link, Region, Topology};

/// The links of a layer to remove and to add, equally many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Moves {
    pub(super) dropped: Vec<Link>,
    pub(super) added: Vec<Link>,
}

/// Samples for gradients.
#[derive(Clone, Copy)]
pub(super) struct GradientBatch<'a> {
    pub(super) data: &'a Dataset,
    pub(super) samples: &'a [u32],
    pub(super) loss: LossRule,
    pub(super) label_smoothing: f64,
}

/// A network between two epochs, whose edges a rule may move.
pub(super) struct Snapshot<'a> {
    pub(super) network: &'a Network,
    pub(super) parameters: &'a Parameters,
    /// Where the edges of each layer may be.
    pub(super) regions: &'a [Region],
    /// Share of the links that are to move.
    pub(super) fraction: f64,
    pub(super) batch: GradientBatch<'a>,
    /// Once it is true, the choice is unused and ends early.
    pub(super) stop: &'a AtomicBool,
}

impl Snapshot<'_> {
    pub(super) fn layer(&self, index: usize) -> LayerSnapshot<'_> {
        LayerSnapshot {
            topology: &self.network.layers()[index].topology,
            weights: &self.parameters.layers[index].weights,
            region: &self.regions[index],
            fraction: self.fraction,
            stop: self.stop,
        }
    }

    /// All layers, from the inputs on.
    pub(super) fn layers(&self) -> impl Iterator<Item = LayerSnapshot<'_>> {
        (0..self.network.layers().len()).map(|index| self.layer(index))
    }
}

/// One layer of a [`Snapshot`].
#[derive(Clone, Copy)]
pub(super) struct LayerSnapshot<'a> {
    pub(super) topology: &'a Topology,
    /// `[edge]`.
    weights: &'a [f32],
    region: &'a Region,
    fraction: f64,
    stop: &'a AtomicBool,
}

impl LayerSnapshot<'_> {
    pub(super) fn grain(self) -> Grain {
        self.region.grain()
    }

    /// Number of links that are to move; there may be fewer free places.
    pub(super) fn count(self) -> usize {
        let group_size = self.grain().group_size();
        let links = self.topology.edges() / (group_size * group_size);
        if self.topology.edges() == self.topology.dense_edges() {
            return 0;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a number")]
        let count = (self.fraction * links as f64) as usize;
        count
    }

    /// The `count` links with the smallest sums of |weight|, in rising order; ties go to the first.
    pub(super) fn smallest(self, count: usize) -> Vec<Link> {
        let group_size = self.grain().group_size();
        let size = |output: u32, place: usize| {
            let rows = output as usize * group_size..(output as usize + 1) * group_size;
            let first = |row: usize| self.topology.row(row).start + place * group_size;
            let weights = rows.flat_map(|row| &self.weights[first(row)..first(row) + group_size]);
            weights.map(|weight| f64::from(weight.abs())).sum::<f64>()
        };
        let mut smallest = Largest::new(count);
        for output in 0..self.topology.groups(self.grain())[0] {
            for (place, input) in self.topology.joined(self.grain(), output).enumerate() {
                smallest.offer(-size(output, place), (output, input));
            }
        }
        smallest.links()
    }

    /// Visits every place within the region that has no link, with the logarithm of its weight in a draw. Visits nothing once a
    /// stop is requested.
    pub(super) fn free(self, output: u32, visit: impl FnMut(Link, f64)) {
        if self.stop.load(Ordering::Relaxed) {
            return;
        }
        self.region.free(output, self.topology.joined(self.grain(), output), visit);
    }

    /// Number of free places.
    pub(super) fn room(self) -> usize {
        let mut room = 0;
        (0..self.topology.groups(self.grain())[0]).for_each(|output| self.free(output, |_, _| room += 1));
        room
    }

    /// Draws `count` free places without replacement, with chances by their weights, among those that `may` be added.
    pub(super) fn drawn(self, count: usize, may: impl Fn(Link) -> bool, rng: &mut impl Rng) -> Vec<Link> {
        let is_even = self.region.is_even();
        let mut drawn = Largest::new(count);
        for output in 0..self.topology.groups(self.grain())[0] {
            self.free(output, |link, weight| {
                if may(link) {
                    let uniform: f64 = rng.random();
                    // Taking the largest keys with Gumbel noise draws by the weights. With equal weights any noise will do.
                    let key = if is_even { uniform } else { weight - (-uniform.ln()).ln() };
                    drawn.offer(key, link);
                }
            });
        }
        drawn.links()
    }
}

/// The `count` links with the largest keys, in little more memory than these take.
pub(super) struct Largest {
    count: usize,
    keys: Vec<(f64, Link)>,
    /// Links with smaller keys are not among the largest.
    least: f64,
}

impl Largest {
    pub(super) fn new(count: usize) -> Self {
        Self { count, keys: Vec::new(), least: f64::NEG_INFINITY }
    }

    /// Offers a link; each may be offered once.
    pub(super) fn offer(&mut self, key: f64, link: Link) {
        if self.count == 0 || key < self.least {
            return;
        }
        // Room for a quarter more, so that each link is compared only a few times.
        let most = self.count + self.count / 4 + 64;
        if self.keys.len() == most {
            self.cut();
        }
        if self.keys.len() == self.keys.capacity() {
            self.keys.reserve_exact((self.keys.len() + 16).min(most - self.keys.len()));
        }
        self.keys.push((key, link));
    }

    fn cut(&mut self) {
        if self.keys.len() > self.count {
            self.keys.select_nth_unstable_by(self.count - 1, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            self.keys.truncate(self.count);
            self.least = self.keys[self.count - 1].0;
        }
    }

    /// The links by falling key; ties go to the first link.
    pub(super) fn links(mut self) -> Vec<Link> {
        self.cut();
        self.keys.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        self.keys.into_iter().map(|(_, link)| link).collect()
    }
}
