//! The frame of a connectivity picture: titles, and axes that count blocks or neurons.

use image::RgbImage;
use kuva::render::render::{Primitive, Scene, TextAnchor};

use crate::report::style::{FONT, GAP, HEADING, INK, PAPER, SOFT, TEXT, TITLE, text_width};
use crate::text::grouped;
use crate::topology::{Partition, Topology};
use crate::{Error, Result};

/// Space above and to the left of a layer, in text units.
const HEAD: f64 = 124.0;
const SIDE: f64 = 66.0;
/// The minimum height of all layers together, because the name of their axis is vertical.
const LEAST: f64 = 124.0;
/// The distance from a layer to its numbers, and to the name of the axis.
const NUMBERS: f64 = 6.0;
const NAME: f64 = 24.0;

/// The size of text in pixels. It grows with the picture, because large pictures are usually shown reduced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    scale: f32,
}

impl Frame {
    /// For layers of these widths side by side.
    pub(super) fn new(widths: impl Iterator<Item = usize>) -> Self {
        let whole: usize = widths.map(|width| width + GAP).sum();
        Self { scale: (whole as f32 / 1400.0).clamp(1.0, 4.0) }
    }

    fn scale(self) -> f64 {
        f64::from(self.scale)
    }

    #[expect(clippy::cast_possible_truncation, reason = "some hundred pixels")]
    fn pixels(self, units: f64) -> usize {
        (units * self.scale()).ceil() as usize
    }

    pub(super) fn head(self) -> usize {
        self.pixels(HEAD)
    }

    pub(super) fn side(self) -> usize {
        self.pixels(SIDE)
    }

    pub(super) fn least_height(self) -> usize {
        self.pixels(LEAST)
    }

    /// The minimum width of a picture, which its title needs.
    pub(super) fn least_width(self, lines: &[String; 2]) -> usize {
        let width = text_width(&lines[0], TITLE).max(text_width(&lines[1], TEXT));
        self.pixels(width) + 2 * GAP
    }

    /// Draws the strip above the layers: a title of two lines, and the name and the input axis of each layer.
    pub(super) fn draw_head(
        self,
        picture: &mut RgbImage,
        lines: &[String; 2],
        layers: &[Placed<'_>],
    ) -> Result<()> {
        let mut scene = self.scene(f64::from(picture.width()), self.head() as f64);
        let left = GAP as f64 / self.scale();
        scene.add(text([left, 26.0], &lines[0], TITLE, TextAnchor::Start));
        scene.add(text([left, 45.0], &lines[1], TEXT, TextAnchor::Start));
        for (number, placed) in (1..).zip(layers) {
            let start = placed.left as f64 / self.scale();
            let (inputs, name) = self.axis(placed.layer.inputs(), "inputs", placed);
            let below = HEAD - NUMBERS;
            let heading = format!("layer {number}");
            // The title names the layer of a picture of one layer.
            if layers.len() > 1 {
                scene.add(text([start, below - NAME - 14.0], &heading, HEADING, TextAnchor::Start));
            }
            scene.add(text([start, below - NAME + 4.0], &name, TEXT, TextAnchor::Start));
            for (at, number) in inputs {
                scene.add(text([start + at, below], &number, TEXT, TextAnchor::Middle));
            }
        }
        self.put(picture, &scene, [0, 0])
    }

    /// Draws the strip to the left of a layer: its output axis, downwards.
    pub(super) fn draw_side(self, picture: &mut RgbImage, placed: &Placed<'_>) -> Result<()> {
        let height = picture.height() as usize - self.head();
        let mut scene = self.scene(self.side() as f64, height as f64);
        let (outputs, name) = self.axis(placed.layer.outputs(), "outputs", placed);
        let right = SIDE - NUMBERS;
        for (at, number) in outputs {
            // The first number must not extend above the layer.
            scene.add(text([right, f64::max(at + 4.0, 10.0)], &number, TEXT, TextAnchor::End));
        }
        self.put(picture, &scene, [self.head(), placed.left - self.side()])?;
        // Vertical text would be blurred, so it is drawn horizontally and rotated.
        let length = text_width(&name, TEXT);
        let mut level = self.scene(length * self.scale(), 18.0 * self.scale());
        level.add(text([length / 2.0, 13.0], &name, TEXT, TextAnchor::Middle));
        let upwards = image::imageops::rotate270(&self.raster(&level)?);
        // Not above the top of the layer.
        let above = f64::max(placed.height as f64 / self.scale() - length, 0.0) / 2.0;
        let left = placed.left - self.side() + self.pixels(8.0);
        image::imageops::replace(picture, &upwards, left as i64, (self.head() + self.pixels(above)) as i64);
        Ok(())
    }

    /// The numbers of an axis with their positions, and what they count.
    fn axis(self, side: &Partition, name: &str, placed: &Placed<'_>) -> (Vec<(f64, String)>, String) {
        let blocks: Vec<_> = side.blocks().collect();
        let unit = |neuron: f64| neuron * placed.pixels_each / self.scale();
        // A number needs its own width and a margin, a line its height.
        let room = text_width(&grouped(side.width()), TEXT).max(f64::from(TEXT)) + 12.0;
        if blocks.len() > 1 {
            let size = unit(side.width() as f64) / blocks.len() as f64;
            let every = round_step(room / size);
            let middles = blocks.iter().enumerate().step_by(every);
            let middle = |(number, block): (usize, &std::ops::Range<usize>)| {
                (unit(f64::midpoint(block.start as f64, block.end as f64)), number.to_string())
            };
            return (middles.map(middle).collect(), format!("{name} by block"));
        }
        let every = round_step(room / unit(1.0));
        let numbers = (0..side.width()).step_by(every);
        (
            numbers.map(|neuron| (unit(neuron as f64 + 0.5), grouped(neuron))).collect(),
            format!("{name} by number"),
        )
    }

    fn scene(self, width: f64, height: f64) -> Scene {
        let mut scene = Scene::new(width / self.scale(), height / self.scale());
        scene.font_family = Some(FONT.to_owned());
        scene.background_color = Some(PAPER.light.into());
        scene
    }

    /// Copies a strip into the picture.
    fn put(self, picture: &mut RgbImage, scene: &Scene, [top, left]: [usize; 2]) -> Result<()> {
        image::imageops::replace(picture, &self.raster(scene)?, left as i64, top as i64);
        Ok(())
    }

    fn raster(self, scene: &Scene) -> Result<RgbImage> {
        let drawn = kuva::RasterBackend::new().with_scale(self.scale).render_scene(scene);
        let drawn = image::load_from_memory(&drawn.map_err(Error::Picture)?);
        Ok(drawn.map_err(|error| Error::Picture(error.to_string()))?.to_rgb8())
    }
}

/// A layer, and the position of its pixels.
pub(super) struct Placed<'a> {
    pub(super) layer: &'a Topology,
    pub(super) left: usize,
    pub(super) height: usize,
    /// Pixels for each neuron.
    pub(super) pixels_each: f64,
}

/// The first of 1, 2, 5, 10, 20 .. that is not less.
fn round_step(least: f64) -> usize {
    let mut steps = (0..18).flat_map(|power| [1, 2, 5].map(|step| step * 10usize.pow(power)));
    steps.find(|step| *step as f64 >= least).unwrap_or(usize::MAX)
}

fn text([x, y]: [f64; 2], content: &str, size: u32, anchor: TextAnchor) -> Primitive {
    let color = if size == TEXT { SOFT } else { INK };
    let content = content.to_owned();
    Primitive::Text { x, y, content, size, anchor, rotate: None, bold: false, color: Some(color.color()) }
}
