//! A plot in the two formats that travel: PNG for screens, SVG for papers.

use std::path::Path;

use kuva::backend::svg::SvgBackend;
use kuva::render::figure::Figure;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use kuva::render::render::Scene;

use crate::files::atomic_write;
use crate::{Error, Result};

/// Pixels of the PNG for each unit of the drawing.
const SCALE: f32 = 2.0;

/// Bytes that drawing takes: fonts, pixels, and the picture that they become.
const MEMORY: f64 = 20.0 * 1024.0 * 1024.0;

/// Colours that stay apart for colour-blind readers, and in grey (Okabe and Ito).
pub(super) const BLUE: &str = "#0072B2";
/// See [`BLUE`].
pub(super) const VERMILION: &str = "#D55E00";
/// See [`BLUE`].
pub(super) const GREY: &str = "#6b6b6b";

/// Panels side by side under one title, each of this width and height.
pub(super) fn figure(
    title: impl Into<String>,
    [width, height]: [f64; 2],
    panels: Vec<(Vec<Plot>, Layout)>,
) -> Figure {
    let (plots, layouts): (Vec<_>, Vec<_>) = panels.into_iter().unzip();
    let figure = Figure::new(1, plots.len()).with_title(title).with_title_size(15);
    figure.with_cell_size(width, height).with_plots(plots).with_layouts(layouts)
}

/// One picture in two formats. The same data give the same bytes, on any machine.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// Bytes of a PNG file.
    pub png: Vec<u8>,
    /// Text of an SVG file.
    pub svg: String,
}

impl Drawing {
    /// Renders a figure.
    ///
    /// # Errors
    /// [`Error::Picture`] when it cannot be drawn.
    pub(super) fn of(figure: Figure) -> Result<Self> {
        let scene = figure.render();
        let png = png(&scene)?;
        let svg = SvgBackend::new().with_pretty(true).render_scene(&scene);
        Ok(Self { png, svg: renumbered(&svg) })
    }

    /// Writes `name.png` and `name.svg` into a folder.
    ///
    /// # Errors
    /// [`Error::Io`] with the path that cannot be written.
    pub fn write(&self, folder: impl AsRef<Path>, name: &str) -> Result<()> {
        let folder = folder.as_ref();
        atomic_write(folder.join(format!("{name}.png")), &self.png)?;
        atomic_write(folder.join(format!("{name}.svg")), self.svg.as_bytes())
    }
}

/// Renders a scene as a PNG file.
///
/// # Errors
/// [`Error::Picture`] when it cannot be drawn, [`Error::Memory`] when there is too little memory for it.
pub(super) fn png(scene: &Scene) -> Result<Vec<u8>> {
    crate::host::require("a picture", MEMORY)?;
    kuva::RasterBackend::new().with_scale(SCALE).render_scene(scene).map_err(Error::Picture)
}

/// What kuva calls the clipping paths of its plots, before their number.
const CLIP: &str = "kuva-clip-";

/// Numbers the clipping paths from 0 by their first appearance: kuva counts all
/// plots of the process, so that the same plot would get another number later.
fn renumbered(svg: &str) -> String {
    let mut parts = svg.split(CLIP);
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut seen: Vec<&str> = Vec::new();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        let place = seen.iter().position(|earlier| *earlier == number).unwrap_or_else(|| {
            seen.push(number);
            seen.len() - 1
        });
        text += &format!("{CLIP}{place}{rest}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_paths_are_numbered_by_their_first_appearance() {
        let svg = "a kuva-clip-17\" b kuva-clip-4\" c kuva-clip-17\" d";
        assert_eq!(renumbered(svg), "a kuva-clip-0\" b kuva-clip-1\" c kuva-clip-0\" d");
        assert_eq!(renumbered("none"), "none");
    }
}
