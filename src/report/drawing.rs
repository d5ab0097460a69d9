//! One drawing in two formats, and the colours of all.

use kuva::render::figure::Figure;

use crate::{Error, Result};

/// Pixels for each unit of a drawing.
const SCALE: f32 = 2.0;

/// Colours that stay apart for colour-blind readers, and in grey (Okabe and Ito).
pub(super) const BLUE: &str = "#0072B2";
/// See [`BLUE`].
pub(super) const VERMILION: &str = "#D55E00";
/// See [`BLUE`].
pub(super) const GREY: &str = "#6b6b6b";

/// A drawing as files keep it.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// The bytes of a PNG file.
    pub png: Vec<u8>,
    /// The text of an SVG file.
    pub svg: String,
}

impl Drawing {
    /// Renders a figure.
    pub(super) fn of(figure: Figure) -> Result<Self> {
        let scene = figure.render();
        let png =
            kuva::RasterBackend::new().with_scale(SCALE).render_scene(&scene).map_err(Error::Picture)?;
        Ok(Self { png, svg: kuva::backend::svg::SvgBackend::new().render_scene(&scene) })
    }
}
