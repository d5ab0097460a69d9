//! The layer that is spatially coupled in two dimensions: neurons have places, and edges are short.
//!
//! Inputs and outputs lie on a [`Grid`] each, and both grids cover the same picture. Every output has `fan_in` distinct
//! inputs; if that is not a whole number, some outputs have one more than others, evenly spread. It draws them one after another without replacement, with weights that fall with the distance `d`, counted
//! in pixels of the picture: `exp(-d^2 / (2 reach^2))`, but at least [`FLOOR`], or equal within a square window.
//! An input's importance multiplies its weight.
//!
//! With grain [`MicroBlocks`](Grain::MicroBlocks) the same is drawn between patches of 2 x 2 neurons, and two patches
//! that are connected have all 16 edges. Such a layer consists of whole micro-blocks of 4 x 4 weights: it is
//! stored without padding, has one index for 16 weights, and dense arithmetic.
//!
//! The draw is the Gumbel top-k trick, as in the [`SoftBand`](super::SoftBand).

use rand::{Rng, RngExt};

use super::sampling::largest;
use super::{Falloff, Grain, Grid, Link, Partition, Topology};
use crate::{Error, Result};

/// The range of a Gaussian, in multiples of its reach.
pub(super) const SIGMAS: f64 = 3.0;
/// The minimum weight of an input at any distance.
pub(crate) const FLOOR: f64 = 1e-12;

/// The description of a layer in two dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct Coupled2d {
    /// Where the input neurons are.
    pub inputs: Grid,
    /// Where the output neurons are.
    pub outputs: Grid,
    /// Mean number of inputs of each output.
    pub fan_in: f64,
    /// How far an output sees, in pixels; above 0.
    pub reach: f64,
    /// How weights fall with the distance.
    pub falloff: Falloff,
    /// The unit of drawing.
    pub grain: Grain,
    /// Rows and columns of the picture, the unit of the reach.
    pub picture: [usize; 2],
    /// The factor of each input neuron's weight, above 0: `[input]`, or empty if all are equal.
    pub importance: Vec<f64>,
}

/// Default fan-in of the first and the last layer.
const FAN_IN: [f64; 2] = [40.0, 144.0];
/// Default reach of the first and the last layer, as a share of the shorter side of the picture.
const REACH: [f64; 2] = [1.5 / 28.0, 5.0 / 28.0];

/// How many times wider a window is on each side than the reach of a Gaussian.
const WINDOW: f64 = 2.0;

/// A value for each layer, which grows by the same factor from layer to layer.
fn grown([first, last]: [f64; 2], layers: usize) -> impl Iterator<Item = f64> {
    let steps = layers.saturating_sub(1).max(1) as f64;
    (0..layers).map(move |layer| first * (last / first).powf(layer as f64 / steps))
}

/// The default fan-in of each layer, given the grids of all inputs and outputs in order.
pub(crate) fn usual_fan_in(grids: &[Grid], grain: Grain) -> Vec<f64> {
    let group_size = grain.group_size() as f64;
    let of_layer = |(inputs, fan_in): (&Grid, f64)| {
        let multiple = (fan_in / group_size).round() * group_size;
        // At most as many inputs as there are.
        multiple.min((inputs.neurons() as f64 / group_size).floor() * group_size).max(group_size)
    };
    grids.iter().zip(grown(FAN_IN, grids.len() - 1)).map(of_layer).collect()
}

/// The default reach of each layer, at least as far as its fan-in needs, given the picture and the grids of all
/// layers in order, and a fan-in for each layer or one for all.
pub(crate) fn usual_reach(grids: &[Grid], fan_in: &[f64], falloff: Falloff, grain: Grain) -> Vec<f64> {
    let Some(picture) = grids.first() else { return Vec::new() };
    let wide = if falloff == Falloff::Window { WINDOW } else { 1.0 };
    let side = picture.rows.min(picture.columns) as f64;
    let of_layer = |((index, pair), share): ((usize, &[Grid]), f64)| {
        let layer = Coupled2d {
            inputs: pair[0],
            outputs: pair[1],
            fan_in: *fan_in.get(index).unwrap_or(&fan_in[0]),
            reach: 0.0,
            falloff,
            grain,
            picture: [picture.rows, picture.columns],
            importance: Vec::new(),
        };
        // Rounded to two digits.
        let usual = (100.0 * wide * share * side).round() / 100.0;
        usual.max(0.5).max((100.0 * layer.least_reach()).ceil() / 100.0)
    };
    grids.windows(2).enumerate().zip(grown(REACH, grids.len() - 1)).map(of_layer).collect()
}

impl Coupled2d {
    /// Draws one such layer.
    ///
    /// # Errors
    /// Refuses impossible graphs, naming the value and the limit.
    pub fn build(&self, rng: &mut impl Rng) -> Result<Topology> {
        let (inputs, outputs) = self.check()?;
        let group_size = self.grain.group_size();
        let (from, to) = (self.inputs.middles(group_size), self.outputs.middles(group_size));
        let importance = self.log_importance(group_size);
        let mut keys = Vec::with_capacity(from.len());
        let mut row_start = vec![0];
        let (joined, width) = (self.joined_groups(), self.grain.width());
        let mut edges = Vec::with_capacity(joined * group_size * group_size);
        let groups = to.len();
        for (number, place) in to.into_iter().enumerate() {
            // Evenly spread, as in Bresenham's algorithm.
            let count = (number + 1) * joined / groups - number * joined / groups;
            keys.clear();
            for ((number, at), importance) in (0u32..).zip(&from).zip(&importance) {
                let Some(weight) = self.log_weight(*at, place) else { continue };
                // U is in [0, 1): the logarithm of 0 results in a key that comes last, as it should.
                let gumbel = -(-rng.random::<f64>().ln()).ln();
                keys.push((weight + importance + gumbel, number));
            }
            if keys.len() < count {
                return Err(self.too_few_inputs(keys.len() * group_size));
            }
            let mut drawn = largest(&mut keys, count);
            drawn.sort_unstable();
            for _ in 0..group_size {
                let members = |group: &u32| group * width..(group + 1) * width;
                edges.extend(drawn.iter().flat_map(members));
                row_start.push(u32::try_from(edges.len()).map_err(|_| self.too_many())?);
            }
        }
        Topology::from_rows(inputs, outputs, row_start, edges)
    }

    /// The number of edges, the same for every draw.
    ///
    /// # Errors
    /// As [`Coupled2d::build`], except for windows that are too small.
    #[doc(hidden)]
    pub fn edges(&self) -> Result<usize> {
        self.check()?;
        let group_size = self.grain.group_size();
        Ok(self.joined_groups().saturating_mul(group_size * group_size))
    }

    /// Number of connected pairs of an input group and an output group.
    fn joined_groups(&self) -> usize {
        let group_size = self.grain.group_size();
        let groups = (self.outputs.neurons() / group_size) as f64;
        #[expect(clippy::cast_possible_truncation, reason = "checked: at most all pairs")]
        let joined = (self.fan_in / group_size as f64 * groups).round() as usize;
        joined
    }

    /// Logarithm of the weight of an input at one place for an output at another; `None` if it cannot be drawn.
    fn log_weight(&self, input: [f64; 2], output: [f64; 2]) -> Option<f64> {
        let away = [0, 1].map(|side| (input[side] - output[side]) * self.picture[side] as f64);
        match self.falloff {
            Falloff::Gauss => {
                let squared = away[0] * away[0] + away[1] * away[1];
                Some((-squared / (2.0 * self.reach * self.reach)).max(FLOOR.ln()))
            }
            // Places of grids of different sizes are off by rounding.
            Falloff::Window => away.iter().all(|away| away.abs() <= self.reach + 1e-9).then_some(0.0),
        }
    }

    /// As [`Coupled2d::log_weight`], but also `None` beyond `reaches` times the reach of a Gaussian.
    pub(super) fn log_weight_within(&self, input: [f64; 2], output: [f64; 2], reaches: f64) -> Option<f64> {
        let is_near = |weight: &f64| self.falloff == Falloff::Window || *weight >= -reaches * reaches / 2.0;
        self.log_weight(input, output).filter(is_near)
    }

    /// The minimum reach with which every output finds as many inputs as it draws: within its window, or within 3 times the reach of
    /// a Gaussian for an output in the middle.
    fn least_reach(&self) -> f64 {
        let group_size = self.grain.group_size();
        let to = self.outputs.middles(group_size);
        let from_middle =
            |place: &[f64; 2]| place.iter().map(|share| (share - 0.5).abs()).fold(0.0, f64::max);
        let by_middle = |a: &&[f64; 2], b: &&[f64; 2]| from_middle(a).total_cmp(&from_middle(b));
        let (place, times) = match self.falloff {
            Falloff::Gauss => (to.iter().min_by(by_middle), SIGMAS),
            Falloff::Window => (to.iter().max_by(by_middle), 1.0),
        };
        let Some(place) = place else { return 0.0 };
        let away = |at: &[f64; 2]| {
            let [down, across] =
                [0, 1].map(|side| ((at[side] - place[side]) * self.picture[side] as f64).abs());
            if self.falloff == Falloff::Gauss { down.hypot(across) } else { down.max(across) }
        };
        let mut distances: Vec<f64> = self.inputs.middles(group_size).iter().map(away).collect();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most a number of inputs"
        )]
        let drawn = (self.fan_in / group_size as f64).ceil() as usize;
        if distances.is_empty() {
            return 0.0;
        }
        let last = drawn.clamp(1, distances.len()) - 1;
        *distances.select_nth_unstable_by(last, f64::total_cmp).1 / times
    }

    /// The share of the edges beyond the range of a Gaussian; 0 for a window, and for a nearly full layer.
    pub(crate) fn far_share(&self, topology: &Topology) -> f64 {
        // A layer with most edges also has long ones.
        if topology.density() > 0.5 {
            return 0.0;
        }
        let group_size = self.grain.group_size();
        let (from, to) = (self.inputs.middles(group_size), self.outputs.middles(group_size));
        let is_far = |(output, input): &Link| {
            self.log_weight_within(from[*input as usize], to[*output as usize], SIGMAS).is_none()
        };
        let links = topology.links(self.grain);
        links.filter(is_far).count() as f64 * (group_size * group_size) as f64
            / topology.edges().max(1) as f64
    }

    /// Logarithm of the mean importance of each group of inputs.
    pub(super) fn log_importance(&self, group_size: usize) -> Vec<f64> {
        if self.importance.is_empty() {
            return vec![0.0; self.inputs.neurons() / group_size];
        }
        self.importance
            .chunks(group_size)
            .map(|group| (group.iter().sum::<f64>() / group_size as f64).ln())
            .collect()
    }

    fn too_few_inputs(&self, seen: usize) -> Error {
        Error::Topology(format!(
            "a fan-in of {} is impossible with a reach of {}: an output at the edge of the picture sees {seen} inputs in its window, \
             a reach of {:.2} shows it enough",
            self.fan_in,
            self.reach,
            (100.0 * self.least_reach()).ceil() / 100.0
        ))
    }

    fn too_many(&self) -> Error {
        Error::Topology(format!("a fan-in of {} makes too many edges", self.fan_in))
    }

    /// The partitions, or why they are impossible.
    fn check(&self) -> Result<(Partition, Partition)> {
        let refuse = |reason: String| Err(Error::Topology(reason));
        let Self { inputs, outputs, fan_in, reach, grain, .. } = self;
        let group_size = grain.group_size();
        for (side, grid) in [("inputs", inputs), ("outputs", outputs)] {
            if group_size > 1 && !grid.has_patches() {
                return refuse(format!(
                    "a grain of {grain} needs even sides, the grid of the {side} is {grid}: take a grain of 1"
                ));
            }
        }
        if !(*fan_in >= group_size as f64 && *fan_in <= inputs.neurons() as f64) {
            let limit = inputs.neurons();
            let with = if group_size > 1 { format!(" with a grain of {grain}") } else { String::new() };
            return refuse(format!(
                "a fan-in of {fan_in} is invalid, it must be {group_size} to {limit}, the number of inputs{with}"
            ));
        }
        if !(*reach > 0.0 && reach.is_finite()) {
            return refuse(format!("a reach of {reach} pixels is invalid, it must be above 0 and finite"));
        }
        if !self.importance.is_empty() && self.importance.len() != inputs.neurons() {
            let given = self.importance.len();
            return refuse(format!("{given} importances for {} inputs", inputs.neurons()));
        }
        if let Some(wrong) = self.importance.iter().find(|value| !(**value > 0.0 && value.is_finite())) {
            return refuse(format!("an importance of {wrong} is invalid, it must be above 0 and finite"));
        }
        Ok((
            Partition::whole(inputs.neurons()).map_err(|e| e.on_side("inputs"))?,
            Partition::whole(outputs.neurons()).map_err(|e| e.on_side("outputs"))?,
        ))
    }
}

#[cfg(test)]
#[path = "coupled_2d_tests.rs"]
mod tests;
