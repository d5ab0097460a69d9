//! The connectivity picture: the weights of layers, drawn from the graphs.

mod frame;

use std::io::Cursor;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{GrayImage, ImageFormat, Pixel as _, Rgb, RgbImage};

use self::frame::{Frame, Placed};
use super::style::{self, GAP};
use crate::text::grouped;
use crate::topology::{Partition, Topology};
use crate::{Error, Result};

/// Layers up to this width are drawn with a pixel (or more) for each possible weight.
const MAX_EXACT: usize = 4096;
/// Wider layers are binned, so that their longer side has at most this many pixels.
const BINNED: usize = 2048;
/// Small layers are magnified by an integer factor, up to about this size.
const MAGNIFIED: usize = 512;

const NO_EDGE: Rgb<u8> = style::NO_EDGE.rgb();
const BOUNDARY: Rgb<u8> = style::BOUNDARY.rgb();
const EDGE: Rgb<u8> = style::EDGE.rgb();

/// Draws layers side by side, outputs downwards, inputs to the right, as a PNG file under a title.
///
/// A line below the title gives the widths of the layers and the number of weights. Axes count blocks, or neurons if
/// there is only one block. Block boundaries are faint lines in places without an edge. A layer wider than 4096
/// is binned: the denser a bin, the darker its pixel, and the densest is fully dark.
///
/// # Errors
/// [`Error::Picture`] when there is no layer or the picture cannot be encoded.
pub fn connectivity_picture(layers: &[&Topology], title: &str) -> Result<Vec<u8>> {
    if layers.is_empty() {
        return Err(Error::Picture("a connectivity picture of 0 layers".into()));
    }
    let widest = layers.iter().map(|layer| longer_side(layer)).max().unwrap_or(1);
    // One factor for all layers, so that widths can be compared.
    let raster = Raster::new(widest, MAX_EXACT, BINNED);
    let drawn: Vec<Canvas> = layers.iter().map(|layer| draw(layer, raster)).collect();
    let frame = Frame::new(drawn.iter().map(|layer| layer.width));
    let lines = [title.to_owned(), summary(layers)];
    let layers_width = drawn.iter().map(|layer| frame.side() + layer.width).sum::<usize>() + GAP;
    let width = layers_width.max(frame.least_width(&lines));
    let highest = drawn.iter().map(|layer| layer.height()).max().unwrap_or(0).max(frame.least_height());
    let height = frame.head() + highest + GAP;
    let too_large = |_| Error::Picture(format!("{width} x {height} pixels are too many"));
    let size = (u32::try_from(width).map_err(too_large)?, u32::try_from(height).map_err(too_large)?);
    let mut picture = RgbImage::from_pixel(size.0, size.1, style::PAPER.rgb());
    let (mut left, mut placed) = (0, Vec::new());
    for (canvas, layer) in drawn.iter().zip(layers) {
        left += frame.side();
        let pixels_each = raster.magnification as f64 / raster.bin as f64;
        placed.push(Placed { layer, left, height: canvas.height(), pixels_each });
        left += canvas.width;
    }
    frame.draw_head(&mut picture, &lines, &placed)?;
    for (canvas, placed) in drawn.iter().zip(&placed) {
        frame.draw_side(&mut picture, placed)?;
        for (y, row) in canvas.pixels.chunks(canvas.width).enumerate() {
            let start = 3 * ((y + frame.head()) * width + placed.left);
            let row: Vec<u8> = row.iter().flat_map(|pixel| pixel.0).collect();
            picture.as_flat_samples_mut().samples[start..start + row.len()].copy_from_slice(&row);
        }
    }
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|error| Error::Picture(error.to_string()))?;
    Ok(png.into_inner())
}

/// `784 → 784 → 10: 76,832 of 622,496 possible weights (12.3 %)`.
fn summary(layers: &[&Topology]) -> String {
    let outputs = layers.iter().map(|layer| layer.outputs().width());
    let widths: Vec<String> =
        layers.iter().take(1).map(|layer| layer.inputs().width()).chain(outputs).map(grouped).collect();
    let edges: usize = layers.iter().map(|layer| layer.edges()).sum();
    let all = layers.iter().fold(0usize, |all, layer| all.saturating_add(layer.dense_edges()));
    let share = 100.0 * edges as f64 / all as f64;
    format!("{}: {} of {} possible weights ({share:.1} %)", widths.join(" → "), grouped(edges), grouped(all))
}

/// Draws one layer in grey, without a margin, neither side longer than `most` pixels, as a PNG file.
///
/// The pixels of a random graph are unpredictable, so a PNG file without a filter is smallest.
pub(super) fn layer_picture(layer: &Topology, most: usize) -> Result<Vec<u8>> {
    let canvas = draw(layer, Raster::new(longer_side(layer), most, most));
    let (width, height) = (u32::try_from(canvas.width), u32::try_from(canvas.height()));
    let pixels = canvas.pixels.iter().map(|pixel| pixel.to_luma().0[0]).collect();
    let picture =
        width.ok().zip(height.ok()).and_then(|(width, height)| GrayImage::from_raw(width, height, pixels));
    let picture = picture.ok_or_else(|| Error::Picture("a layer of too many pixels".into()))?;
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::NoFilter);
    picture.write_with_encoder(encoder).map_err(|error| Error::Picture(error.to_string()))?;
    Ok(png)
}

fn longer_side(layer: &Topology) -> usize {
    layer.inputs().width().max(layer.outputs().width())
}

/// The scale from neurons to pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Raster {
    /// Pixels for each neuron; 1 if neurons are binned.
    magnification: usize,
    /// Neurons for each pixel; 1 if they are not binned.
    bin: usize,
}

impl Raster {
    /// Up to a width of `exact` each neuron has its pixels; wider layers are binned to that number.
    fn new(widest: usize, exact: usize, binned: usize) -> Self {
        if widest > exact {
            return Self { magnification: 1, bin: widest.div_ceil(binned) };
        }
        Self { magnification: (MAGNIFIED.min(binned) / widest).clamp(1, 16), bin: 1 }
    }

    /// First pixel of a neuron.
    fn pixel(self, neuron: usize) -> usize {
        neuron / self.bin * self.magnification
    }

    fn pixels(self, neurons: usize) -> usize {
        neurons.div_ceil(self.bin) * self.magnification
    }
}

struct Canvas {
    width: usize,
    pixels: Vec<Rgb<u8>>,
}

impl Canvas {
    fn height(&self) -> usize {
        self.pixels.len() / self.width
    }
}

fn draw(layer: &Topology, raster: Raster) -> Canvas {
    let (width, height) = (raster.pixels(layer.inputs().width()), raster.pixels(layer.outputs().width()));
    let mut canvas = Canvas { width, pixels: vec![NO_EDGE; width * height] };
    let starts = |partition: &Partition| -> Vec<usize> {
        partition.blocks().skip(1).map(|block| raster.pixel(block.start)).collect()
    };
    for row in starts(layer.outputs()) {
        canvas.pixels[row * width..(row + 1) * width].fill(BOUNDARY);
    }
    for column in starts(layer.inputs()) {
        canvas.pixels.iter_mut().skip(column).step_by(width).for_each(|pixel| *pixel = BOUNDARY);
    }
    if raster.bin > 1 {
        draw_densities(layer, raster, &mut canvas);
    } else {
        for (output, input) in layer.edge_ends() {
            let (top, left) = (raster.pixel(output), raster.pixel(input));
            for y in top..top + raster.magnification {
                canvas.pixels[y * width + left..][..raster.magnification].fill(EDGE);
            }
        }
    }
    canvas
}

fn draw_densities(layer: &Topology, raster: Raster, canvas: &mut Canvas) {
    let mut edges = vec![0u32; canvas.pixels.len()];
    for (output, input) in layer.edge_ends() {
        edges[raster.pixel(output) * canvas.width + raster.pixel(input)] += 1;
    }
    let densest = f64::from(edges.iter().copied().max().unwrap_or(1));
    for (pixel, edges) in canvas.pixels.iter_mut().zip(edges) {
        if edges > 0 {
            *pixel = blend(NO_EDGE, EDGE, f64::from(edges) / densest);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "between two bytes")]
pub(super) fn blend(from: Rgb<u8>, to: Rgb<u8>, share: f64) -> Rgb<u8> {
    let mix = |k: usize| (f64::from(from.0[k]) * (1.0 - share) + f64::from(to.0[k]) * share).round() as u8;
    Rgb([mix(0), mix(1), mix(2)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::fully_connected;

    /// The picture, and where its first layer begins.
    fn decoded(layers: &[&Topology]) -> (RgbImage, u32, u32) {
        let picture = image::load_from_memory(&connectivity_picture(layers, "t").unwrap()).unwrap().to_rgb8();
        let raster =
            Raster::new(layers.iter().map(|layer| longer_side(layer)).max().unwrap(), MAX_EXACT, BINNED);
        let frame = Frame::new(layers.iter().map(|layer| raster.pixels(layer.inputs().width())));
        let [left, top] = [frame.side(), frame.head()].map(|pixels| u32::try_from(pixels).unwrap());
        (picture, left, top)
    }

    #[test]
    fn pixels_are_the_edges() {
        // 600 neurons: one pixel each. Output 1 reads inputs 0 and 5, output 400 reads 599.
        let partition = || Partition::even(600, 2).unwrap();
        let mut targets = vec![Vec::new(); 600];
        targets[0].push(1);
        targets[5].push(1);
        targets[599].push(400);
        let layer = Topology::from_targets(partition(), partition(), &targets).unwrap();
        let (picture, left, top) = decoded(&[&layer]);
        assert_eq!(picture.dimensions(), (left + 600 + 16, top + 600 + 16));
        let at = |input: u32, output: u32| *picture.get_pixel(left + input, top + output);
        assert_eq!([at(0, 1), at(5, 1), at(599, 400)], [EDGE; 3]);
        assert_eq!(picture.pixels().filter(|pixel| **pixel == EDGE).count(), 3);
        assert_eq!([at(300, 7), at(7, 300)], [BOUNDARY; 2]);
        assert_eq!([at(1, 1), at(0, 0)], [NO_EDGE; 2]);
        assert_eq!(*picture.get_pixel(0, 0), style::PAPER.rgb());
    }

    #[test]
    fn small_layers_are_magnified_and_stand_side_by_side() {
        let (wide, narrow) = (fully_connected(100, 64).unwrap(), fully_connected(64, 10).unwrap());
        let (picture, left, top) = decoded(&[&wide, &narrow]);
        // A factor of 5.
        assert_eq!(picture.dimensions(), (left + 500 + left + 320 + 16, top + 320 + 16));
        let edges = picture.pixels().filter(|pixel| **pixel == EDGE).count();
        assert_eq!(edges, 25 * (100 * 64 + 64 * 10));
    }

    #[test]
    fn a_title_and_axes_stand_around_the_layers() {
        let layer = fully_connected(100, 64).unwrap();
        assert_eq!(summary(&[&layer, &layer]), "100 → 64 → 64: 12,800 of 12,800 possible weights (100.0 %)");
        let (picture, left, top) = decoded(&[&layer]);
        let written = |columns: std::ops::Range<u32>, rows: std::ops::Range<u32>| {
            let dark = |(x, y): (u32, u32)| picture.get_pixel(x, y).0.iter().all(|byte| *byte < 160);
            rows.flat_map(|y| columns.clone().map(move |x| (x, y))).filter(|place| dark(*place)).count()
        };
        assert!(written(0..picture.width(), 0..32) > 5, "title");
        assert!(written(left..left + 500, top - 20..top) > 50, "numbers of the inputs");
        assert!(written(left - 30..left, top..top + 320) > 50, "numbers of the outputs");
        assert!(written(0..left - 30, top..top + 320) > 50, "name of the outputs");
        // A layer with one output has the same margins.
        let (small, ..) = decoded(&[&fully_connected(600, 1).unwrap()]);
        assert!(small.height() > top + 70);
    }

    #[test]
    fn one_layer_keeps_to_its_size() {
        for ((inputs, outputs), expected) in
            [((100, 64), (500, 320)), ((784, 10), (784, 10)), ((2000, 3), (1000, 2))]
        {
            let png = layer_picture(&fully_connected(inputs, outputs).unwrap(), 1024).unwrap();
            let picture = image::load_from_memory(&png).unwrap().to_rgb8();
            assert_eq!(picture.dimensions(), expected, "{inputs} x {outputs}");
        }
    }

    #[test]
    fn wide_layers_are_binned_to_densities() {
        // 5000 inputs in bins of 3. Output 0 has the first 3000 of them, output 50 every third.
        let has = |input: usize| [(input < 3000).then_some(0), (input.is_multiple_of(3)).then_some(50)];
        let targets: Vec<Vec<u32>> =
            (0..5000).map(|input| has(input).into_iter().flatten().collect()).collect();
        let (inputs, outputs) = (Partition::whole(5000).unwrap(), Partition::whole(100).unwrap());
        let layer = Topology::from_targets(inputs, outputs, &targets).unwrap();
        let (picture, left, top) = decoded(&[&layer]);
        assert_eq!(picture.width(), left + 1667 + 16);
        let at = |input: u32, output: u32| *picture.get_pixel(left + input / 3, top + output / 3);
        assert_eq!([at(0, 0), at(2999, 2)], [EDGE; 2]);
        assert_eq!([at(0, 50), at(4999, 50)], [blend(NO_EDGE, EDGE, 1.0 / 3.0); 2]);
        assert_eq!([at(3000, 0), at(0, 99)], [NO_EDGE; 2]);
    }
}
