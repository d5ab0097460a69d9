//! A plot in the two formats that travel: PNG for screens, SVG for papers.

use std::path::Path;

use kuva::backend::svg::SvgBackend;
use kuva::render::figure::Figure;

use crate::files::atomic_write;
use crate::{Error, Result};

/// Pixels of the PNG for each unit of the drawing.
const SCALE: f32 = 2.0;

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
        let png =
            kuva::RasterBackend::new().with_scale(SCALE).render_scene(&scene).map_err(Error::Picture)?;
        Ok(Self { png, svg: SvgBackend::new().with_pretty(true).render_scene(&scene) })
    }

    /// Writes `name.png` and `name.svg` into a folder.
    ///
    /// # Errors
    /// [`Error::Io`] with the path that cannot be written.
    pub fn write(&self, folder: &Path, name: &str) -> Result<()> {
        atomic_write(&folder.join(format!("{name}.png")), &self.png)?;
        atomic_write(&folder.join(format!("{name}.svg")), self.svg.as_bytes())
    }
}
