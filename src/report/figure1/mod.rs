//! Figure 1 of the paper, for any layer: neurons in blocks, a line for every weight, and the receptive field of one
//! output block in colour.
//!
//! Both files come from one description of the drawing, so SVG and PNG show the same. A layer with more than
//! [`MAX_LINES`] weights is refused, because its lines would be unreadable;
//! [`connectivity_picture`](super::connectivity_picture) shows it with a pixel for each weight.

mod columns;
mod drawing;

use std::io::Cursor;

use image::ImageFormat;
use kuva::backend::svg::SvgBackend;
use kuva::render::render::Scene;

use self::drawing::PlacedLayer;
use super::Drawing;
use crate::text::grouped;
use crate::topology::Topology;
use crate::{Error, Result};

/// Maximum number of weights drawn as lines.
pub const MAX_LINES: usize = 2000;
/// Maximum number of neurons of one side drawn as circles.
pub const MAX_CIRCLES: usize = 128;

/// Pixels of the PNG for each drawing unit, in both directions.
const SCALE: u32 = 2;
/// The picture is drawn larger by this factor and averaged, because thick lines are not antialiased.
const FINER: u32 = 2;

/// Draws one layer. `name` is its name; `chosen` is the output block whose receptive field is shown (default: the middle
/// one, and none if there is only one block). Text in the SVG file uses the reader's fonts.
///
/// # Errors
/// [`Error::Picture`] when the layer has more than [`MAX_LINES`] weights or
/// [`MAX_CIRCLES`] neurons on a side, when there is no block `chosen`, or the
/// drawing fails.
pub fn figure1(layer: &Topology, name: &str, chosen: Option<usize>) -> Result<Drawing> {
    check_lines(layer)?;
    let blocks = layer.outputs().len();
    if let Some(block) = chosen.filter(|block| *block >= blocks) {
        return Err(Error::Picture(format!(
            "output block {block} is not there, the last one is {}",
            blocks - 1
        )));
    }
    let chosen = chosen.or((blocks > 1).then_some((blocks - 1) / 2));
    let scene = PlacedLayer::new(layer, chosen).scene(name);
    Ok(Drawing { svg: SvgBackend::new().with_pretty(true).render_scene(&scene), png: smooth_png(&scene)? })
}

fn smooth_png(scene: &Scene) -> Result<Vec<u8>> {
    let failed = |error: image::ImageError| Error::Picture(error.to_string());
    let large = kuva::RasterBackend::new().with_scale((SCALE * FINER) as f32);
    let large = large.render_scene(scene).map_err(Error::Picture)?;
    let large = image::load_from_memory(&large).map_err(failed)?.to_rgb8();
    let picture = image::imageops::thumbnail(&large, large.width() / FINER, large.height() / FINER);
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(failed)?;
    Ok(png.into_inner())
}

/// Refuses a layer that is too large to be drawn with a line for each weight.
///
/// # Errors
/// [`Error::Picture`] when it has more than [`MAX_LINES`] weights or [`MAX_CIRCLES`] neurons on a side.
pub fn check_lines(layer: &Topology) -> Result<()> {
    let (edges, widest) = (layer.edges(), layer.inputs().width().max(layer.outputs().width()));
    if edges > MAX_LINES {
        return Err(Error::Picture(format!(
            "{} weights are too many to draw as lines, the limit is {}",
            grouped(edges),
            grouped(MAX_LINES)
        )));
    }
    if widest > MAX_CIRCLES {
        return Err(Error::Picture(format!(
            "{} neurons are too many to draw as circles, the limit is {MAX_CIRCLES} on a side",
            grouped(widest)
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
