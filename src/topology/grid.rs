//! Neurons with places on a picture.

use std::fmt;
use std::str::FromStr;

use crate::named::named;
use crate::{Error, Result};

/// Rows and columns of places, and the number of neurons at each place.
///
/// Neurons are numbered patch by patch, 2 x 2 places each, so that the four neurons of a patch follow each other: patches
/// in reading order, within a patch the maps one after another, within a map its four places in reading order. A grid
/// with an odd side has no patches: its places are in reading order, and the maps of a place follow each other.
///
/// As text: `28x28`, with several maps `14x14x4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grid {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// Neurons per place.
    pub maps: usize,
}

named! {
    /// How the weight of an input falls with its distance.
    pub enum Falloff {
        /// As a Gaussian, whose standard deviation is the reach.
        Gauss = "gauss",
        /// Uniform within a square window that extends by the reach on each side; no edges beyond it.
        Window = "window",
    }
}

named! {
    /// The unit of drawing.
    pub enum Grain {
        /// Single edges.
        Edges = "1",
        /// Whole micro-blocks, 4 outputs by 4 inputs.
        MicroBlocks = "4",
    }
}

impl Grain {
    /// Neurons on each side of a unit.
    pub(crate) fn width(self) -> u32 {
        match self {
            Self::Edges => 1,
            Self::MicroBlocks => 4,
        }
    }

    /// The same number, as `usize`.
    pub(crate) fn group_size(self) -> usize {
        self.width() as usize
    }
}

/// Maximum number of neurons of a grid. Far fewer fill the memory of most machines.
const MOST_NEURONS: usize = 100_000_000;

/// Side of a patch.
const SIDE: usize = 2;

/// The place of a neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) map: usize,
}

#[doc(hidden)]
impl Grid {
    /// Number of neurons.
    pub fn neurons(self) -> usize {
        self.rows.saturating_mul(self.columns).saturating_mul(self.maps)
    }

    /// A grid of this many neurons with one map, as nearly square as possible.
    pub fn squarest(neurons: usize) -> Self {
        let rows = (1..=neurons.isqrt()).rev().find(|rows| neurons.is_multiple_of(*rows)).unwrap_or(1);
        Self { rows, columns: neurons / rows, maps: 1 }
    }

    /// Whether both sides are even.
    pub fn has_patches(self) -> bool {
        self.rows.is_multiple_of(SIDE) && self.columns.is_multiple_of(SIDE)
    }

    /// The pixel of a picture, `[map][row][column]`, of each neuron: `[neuron]`.
    pub fn pixels(self) -> Vec<usize> {
        let pixel = |place: Place| (place.map * self.rows + place.row) * self.columns + place.column;
        (0..self.neurons()).map(|neuron| pixel(self.place(neuron))).collect()
    }
}

impl Grid {
    /// The place of a neuron.
    pub(crate) fn place(self, neuron: usize) -> Place {
        let side = if self.has_patches() { SIDE } else { 1 };
        let (patch, lane) = (neuron / (side * side * self.maps), neuron % (side * side * self.maps));
        let (map, within) = (lane / (side * side), lane % (side * side));
        let columns = self.columns / side;
        Place {
            row: patch / columns * side + within / side,
            column: patch % columns * side + within % side,
            map,
        }
    }

    /// The middle of each group of this many consecutive neurons, from the upper left corner, as shares of the sides: `[group]`.
    pub(crate) fn middles(self, group_size: usize) -> Vec<[f64; 2]> {
        let middle = |first: usize| {
            let places = (first..first + group_size).map(|neuron| self.place(neuron));
            let sums =
                places.fold([0.0; 2], |sum, place| [sum[0] + place.row as f64, sum[1] + place.column as f64]);
            let share = |sum: f64, side: usize| (sum / group_size as f64 + 0.5) / side as f64;
            [share(sums[0], self.rows), share(sums[1], self.columns)]
        };
        (0..self.neurons()).step_by(group_size).map(middle).collect()
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, columns, maps } = self;
        match maps {
            1 => write!(f, "{rows}x{columns}"),
            maps => write!(f, "{rows}x{columns}x{maps}"),
        }
    }
}

impl FromStr for Grid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            Error::Topology(format!(
                "{text:?} is not a grid: write ROWSxCOLUMNS or ROWSxCOLUMNSxMAPS, such as 28x28 or 14x14x4"
            ))
        };
        let numbers: Option<Vec<usize>> = text
            .split(['x', 'X'])
            .map(|part| part.trim().parse().ok().filter(|number| *number > 0))
            .collect();
        let grid = match numbers.as_deref() {
            Some([rows, columns]) => Self { rows: *rows, columns: *columns, maps: 1 },
            Some([rows, columns, maps]) => Self { rows: *rows, columns: *columns, maps: *maps },
            _ => return Err(refuse()),
        };
        if grid.neurons() > MOST_NEURONS {
            return Err(Error::Topology(format!(
                "a grid of {text} has too many neurons, the limit is {MOST_NEURONS}: take fewer rows, columns or maps"
            )));
        }
        Ok(grid)
    }
}

crate::named::serde_as_text!(Grid);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_its_neurons_and_patches_follow_each_other() {
        for text in ["4x6", "4x6x3", "3x4x2", "1x5", "28x28"] {
            let grid: Grid = text.parse().unwrap();
            assert_eq!(grid.to_string(), text);
            let mut pixels = grid.pixels();
            if grid.has_patches() {
                for quad in (0..grid.neurons()).step_by(4) {
                    let places: Vec<Place> = (quad..quad + 4).map(|neuron| grid.place(neuron)).collect();
                    let [first, .., last] = &places[..] else { unreachable!() };
                    assert_eq!(
                        (first.row + 1, first.column + 1, first.map),
                        (last.row, last.column, last.map)
                    );
                    assert!(first.row.is_multiple_of(2) && first.column.is_multiple_of(2), "{text}");
                }
            }
            pixels.sort_unstable();
            assert!(pixels.into_iter().eq(0..grid.neurons()), "{text}");
        }
        assert_eq!("2x4".parse::<Grid>().unwrap().pixels(), [0, 1, 4, 5, 2, 3, 6, 7]);
    }

    #[test]
    fn middles_are_where_patches_are() {
        let grid: Grid = "4x4".parse().unwrap();
        assert_eq!(grid.middles(4), [[0.25, 0.25], [0.25, 0.75], [0.75, 0.25], [0.75, 0.75]]);
        assert_eq!(grid.middles(1)[..2], [[0.125, 0.125], [0.125, 0.375]]);
    }

    #[test]
    fn invalid_grids_are_refused() {
        let huge =
            ["18446744073709551615x2", "70000x70000", "4294967296x4294967296", "10001x10000", "2x2x99999999"];
        for text in huge {
            let message = text.parse::<Grid>().unwrap_err().to_string();
            assert!(message.contains(text) && message.contains("the limit is 100000000"), "{message}");
        }
        assert!("10000x10000".parse::<Grid>().is_ok());
        for text in ["", "28", "0x3", "3x0", "3x3x0", "3x3x3x3", "axb", "-1x3", "99999999999999999999x1"] {
            assert!(text.parse::<Grid>().is_err(), "{text}");
        }
    }
}
