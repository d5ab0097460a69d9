//! A sheet of receptive fields: a row for each layer, a picture for each of some of its neurons.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

use super::{OnPicture, hidden};
use crate::network::Network;
use crate::report::connectivity::blend;
use crate::report::style::{EDGE, GAP, NO_EDGE, PAPER, SECOND};
use crate::topology::Topology;
use crate::{Error, Result};

/// The neurons of each layer that are shown: rows and columns of places on the picture.
const SHOWN: [usize; 2] = [2, 4];
/// Pixels of the sheet for the longer side of a picture. Small pictures are magnified, large ones binned.
const SIDES: [usize; 2] = [112, 512];
/// The colour that marks the neuron's place.
const PLACE: Rgb<u8> = SECOND.rgb();

impl OnPicture {
    /// Draws, for 8 neurons of each hidden layer, how many paths lead from each pixel to the neuron, as a PNG file. Each
    /// layer is a row, the first at the top. Darker means more paths, on a logarithmic scale for each neuron. The place of
    /// the neuron is marked, if it has one.
    ///
    /// # Errors
    /// [`Error::Picture`] when the sheet cannot be encoded, [`Error::Memory`] when it is too large.
    pub fn sheet(&self, network: &Network) -> Result<Vec<u8>> {
        let layers = hidden(network);
        let shown = SHOWN[0] * SHOWN[1];
        let panel = Panel::of(self);
        let width = GAP + shown * (panel.width + GAP);
        let height = GAP + layers.len() * (panel.height + GAP);
        crate::host::require("a picture", 8.0 * (width * height) as f64)?;
        let too_large = |_| Error::Picture(format!("{width} x {height} pixels are too many"));
        let size = (u32::try_from(width).map_err(too_large)?, u32::try_from(height).map_err(too_large)?);
        let mut sheet = RgbImage::from_pixel(size.0, size.1, PAPER.rgb());
        for (row, layer) in layers.iter().enumerate() {
            for (column, neuron) in self.chosen(row, layer).into_iter().enumerate() {
                let corner = [GAP + row * (panel.height + GAP), GAP + column * (panel.width + GAP)];
                let paths = self.paths(&layers[..=row], neuron);
                panel.draw(&mut sheet, corner, &panel.binned(self, &paths));
                if let Some(grid) = self.grids[row] {
                    panel.mark(&mut sheet, corner, self.places(grid)[neuron]);
                }
            }
        }
        let mut png = Cursor::new(Vec::new());
        sheet.write_to(&mut png, ImageFormat::Png).map_err(|error| Error::Picture(error.to_string()))?;
        Ok(png.into_inner())
    }

    /// Neurons of a layer, evenly over the picture if they have places.
    fn chosen(&self, row: usize, layer: &Topology) -> Vec<usize> {
        let (width, shown) = (layer.outputs().width(), SHOWN[0] * SHOWN[1]);
        let count = shown.min(width);
        let Some(grid) = self.grids[row].filter(|_| width > shown) else {
            return (0..count).map(|number| (2 * number + 1) * width / (2 * count)).collect();
        };
        let places = self.places(grid);
        let middle = |number: usize, of: usize, side: usize| (number as f64 + 0.5) / of as f64 * side as f64;
        let nearest = |number: usize| {
            let row = middle(number / SHOWN[1], SHOWN[0], self.rows);
            let column = middle(number % SHOWN[1], SHOWN[1], self.columns);
            let distance = |neuron: &usize| (places[*neuron][0] - row).hypot(places[*neuron][1] - column);
            (0..width).min_by(|one, other| distance(one).total_cmp(&distance(other))).unwrap_or(0)
        };
        (0..shown).map(nearest).collect()
    }

    /// The number of paths from each pixel to an output of the last of these layers: `[pixel]`.
    pub(super) fn paths(&self, layers: &[&Topology], neuron: usize) -> Vec<f64> {
        let mut counts: Vec<f64> = Vec::new();
        for layer in layers.iter().rev() {
            if counts.is_empty() {
                counts = vec![0.0; layer.outputs().width()];
                counts[neuron] = 1.0;
            }
            let mut below = vec![0.0; layer.inputs().width()];
            for (output, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
                layer.edge_inputs()[layer.row(output)]
                    .iter()
                    .for_each(|input| below[*input as usize] += count);
            }
            counts = below;
        }
        let mut paths = vec![0.0; self.rows * self.columns];
        self.pixels.iter().zip(&counts).for_each(|(pixel, count)| paths[*pixel] += count);
        paths
    }
}

/// The scale from the picture to a panel of the sheet.
#[derive(Clone, Copy, Debug)]
struct Panel {
    /// Pixels of the sheet for each bin.
    magnification: usize,
    /// Pixels of the picture along a side of a bin.
    bin: usize,
    /// Bins in a row.
    columns: usize,
    width: usize,
    height: usize,
}

impl Panel {
    fn of(picture: &OnPicture) -> Self {
        let [usual, most] = SIDES;
        let longest = picture.rows.max(picture.columns);
        let (magnification, bin) = ((usual / longest).max(1), longest.div_ceil(most));
        let [rows, columns] = [picture.rows, picture.columns].map(|side| side.div_ceil(bin));
        let (width, height) = (columns * magnification, rows * magnification);
        Self { magnification, bin, columns, width, height }
    }

    /// Values from 0 (no path) to 1 (the most paths): `[bin]`.
    fn binned(self, picture: &OnPicture, paths: &[f64]) -> Vec<f64> {
        let mut bins = vec![0.0f64; self.columns * (self.height / self.magnification)];
        for (pixel, count) in paths.iter().enumerate() {
            let (row, column) = (pixel / picture.columns / self.bin, pixel % picture.columns / self.bin);
            bins[row * self.columns + column] += count;
        }
        // In very deep networks the number of paths overflows.
        let size = |count: f64| count.min(f64::MAX).ln_1p();
        let most = size(bins.iter().copied().fold(0.0, f64::max));
        bins.into_iter().map(|count| if count > 0.0 { size(count) / most } else { 0.0 }).collect()
    }

    fn draw(self, sheet: &mut RgbImage, [top, left]: [usize; 2], shares: &[f64]) {
        for y in 0..self.height {
            for x in 0..self.width {
                let share = shares[y / self.magnification * self.columns + x / self.magnification];
                put(sheet, [top + y, left + x], blend(NO_EDGE.rgb(), EDGE.rgb(), share));
            }
        }
    }

    /// Outlines the place of a neuron.
    fn mark(self, sheet: &mut RgbImage, [top, left]: [usize; 2], [row, column]: [f64; 2]) {
        #[expect(clippy::cast_possible_truncation, reason = "casts saturate, and places are on the picture")]
        let first = |at: f64| (at as usize / self.bin) * self.magnification;
        let (y, x) = (top + first(row), left + first(column));
        for step in 0..self.magnification {
            let end = self.magnification - 1;
            for [down, right] in [[0, step], [end, step], [step, 0], [step, end]] {
                put(sheet, [y + down, x + right], PLACE);
            }
        }
    }
}

fn put(sheet: &mut RgbImage, [y, x]: [usize; 2], colour: Rgb<u8>) {
    let at = 3 * (y * sheet.width() as usize + x);
    sheet.as_flat_samples_mut().samples[at..at + 3].copy_from_slice(&colour.0);
}
