//! A plot in two formats: PNG for screens, SVG for papers.

use std::path::Path;

use kuva::backend::svg::SvgBackend;
use kuva::render::figure::Figure;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use kuva::render::render::{PathData, Primitive, Scene, TextAnchor};
use kuva::render::theme::Theme;

use super::style::{
    CURVE, DOT, FONT, HAIR, HEADING, INK, LABEL, LINE, PAPER, SOFT, TEXT, TITLE, Tone, text_width,
};
use crate::files::atomic_write;
use crate::{Error, Result};

/// Pixels of the PNG for each drawing unit.
const SCALE: f32 = 2.0;

/// Memory in bytes that drawing takes: fonts, pixels and the encoded picture.
const MEMORY: f64 = 20.0 * 1024.0 * 1024.0;

/// An entry of the legend: the meaning of a line or a marker.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) color: Tone,
    pub(super) sign: Sign,
}

/// How it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Line,
    Dashes,
    Dot,
    Square,
    Diamond,
}

impl Key {
    pub(super) fn new(name: impl Into<String>, color: Tone, sign: Sign) -> Self {
        Self { name: name.into(), color, sign }
    }
}

/// Height of a line of the legend, and its margin below.
const ROW: f64 = 20.0;
const BELOW: f64 = 10.0;
/// The distance between two keys, and the width of a symbol with the space after it.
const APART: f64 = 26.0;
const SIGN: f64 = 28.0;
/// The distance from the middle of a diamond to its tips.
const DIAMOND: f64 = 1.3 * DOT;

/// Panels side by side under one title, each of this width and height. The legend is below all panels, where it
/// covers no data.
pub(super) fn figure(
    title: impl Into<String>,
    [width, height]: [f64; 2],
    panels: Vec<(Vec<Plot>, Layout)>,
    keys: &[Key],
) -> Scene {
    let (plots, layouts): (Vec<_>, Vec<_>) = panels.into_iter().unzip();
    let layouts = layouts.into_iter().map(styled).collect();
    let figure = Figure::new(1, plots.len()).with_title(title).with_title_size(TITLE);
    let mut scene = figure.with_cell_size(width, height).with_plots(plots).with_layouts(layouts).render();
    add_legend(&mut scene, keys);
    scene
}

/// The sizes, widths and colours that all charts share.
fn styled(layout: Layout) -> Layout {
    let theme = Theme {
        background: PAPER.light.into(),
        axis_color: SOFT.light.into(),
        tick_color: SOFT.light.into(),
        text_color: INK.light.into(),
        grid_color: LINE.light.into(),
        colorbar_border: SOFT.light.into(),
        ..Theme::light()
    };
    let layout = layout.with_theme(theme).with_title_size(HEADING).with_label_size(LABEL);
    let layout = layout.with_tick_size(TEXT).with_body_size(TEXT).with_font_family(FONT);
    layout.with_axis_line_width(HAIR).with_tick_width(HAIR).with_grid_line_width(HAIR)
}

/// The keys, in as many lines as they need, below everything else.
fn add_legend(scene: &mut Scene, keys: &[Key]) {
    let width = |key: &Key| SIGN + text_width(&key.name, TEXT);
    let mut rows: Vec<(f64, Vec<&Key>)> = Vec::new();
    for key in keys {
        match rows.last_mut() {
            Some((used, row)) if *used + APART + width(key) < scene.width - 2.0 * APART => {
                *used += APART + width(key);
                row.push(key);
            }
            _ => rows.push((width(key), vec![key])),
        }
    }
    for (used, row) in rows {
        let (mut x, y) = ((scene.width - used) / 2.0, scene.height + ROW / 2.0);
        for key in row {
            add_sign(scene, key, x, y);
            scene.add(Primitive::Text {
                x: x + SIGN,
                y: y + 4.0,
                content: key.name.clone(),
                size: TEXT,
                anchor: TextAnchor::Start,
                rotate: None,
                bold: false,
                color: Some(INK.color()),
            });
            x += width(key) + APART;
        }
        scene.height += ROW;
    }
    if !keys.is_empty() {
        scene.height += BELOW;
    }
}

fn add_sign(scene: &mut Scene, key: &Key, x: f64, y: f64) {
    let (middle, fill) = (x + SIGN / 2.0 - 4.0, key.color.color());
    scene.add(match key.sign {
        Sign::Line | Sign::Dashes => Primitive::Line {
            x1: x,
            y1: y,
            x2: x + SIGN - 8.0,
            y2: y,
            stroke: fill,
            stroke_width: CURVE,
            stroke_dasharray: (key.sign == Sign::Dashes).then(|| "6 4".to_owned()),
        },
        Sign::Dot => Primitive::Circle {
            cx: middle,
            cy: y,
            r: DOT,
            fill,
            fill_opacity: None,
            stroke: None,
            stroke_width: None,
        },
        Sign::Square => Primitive::Rect {
            x: middle - DOT,
            y: y - DOT,
            width: 2.0 * DOT,
            height: 2.0 * DOT,
            fill,
            stroke: None,
            stroke_width: None,
            opacity: None,
        },
        Sign::Diamond => Primitive::Path(Box::new(PathData {
            d: format!("M{middle} {}l{r} {r}l-{r} {r}l-{r} -{r}Z", y - DIAMOND, r = DIAMOND),
            fill: Some(fill.clone()),
            stroke: fill,
            stroke_width: 0.0,
            opacity: None,
            stroke_dasharray: None,
        })),
    });
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
    /// Renders a scene.
    ///
    /// # Errors
    /// [`Error::Picture`] when it cannot be drawn.
    pub(super) fn of(scene: &Scene) -> Result<Self> {
        let png = png(scene)?;
        let svg = SvgBackend::new().with_pretty(true).render_scene(scene);
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

/// The prefix of the names of kuva's clipping paths; a number follows it.
const CLIP: &str = "kuva-clip-";

/// Numbers the clipping paths from 0 by their first appearance. kuva counts all plots of the process, so the same plot
/// would otherwise get another number later.
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
    fn a_legend_stands_below_everything_and_within_the_picture() {
        let mut scene = Scene::new(300.0, 200.0);
        let keys = ["one", "another of some length", "a third"].map(|name| Key::new(name, PAPER, Sign::Dot));
        add_legend(&mut scene, &keys);
        let texts: Vec<(f64, f64, f64)> = scene
            .elements
            .iter()
            .filter_map(|element| match element {
                Primitive::Text { x, y, content, .. } => Some((*x, *y, text_width(content, TEXT))),
                _ => None,
            })
            .collect();
        assert_eq!(texts.len(), 3);
        for (x, y, width) in &texts {
            assert!(*y - f64::from(TEXT) > 200.0 - 1.0 && *y < scene.height, "{texts:?}");
            assert!(*x > 0.0 && x + width < 300.0, "{texts:?}");
        }
        // The last one does not fit into the first line.
        assert!(texts[2].1 > texts[0].1, "{texts:?}");
    }

    #[test]
    fn clipping_paths_are_numbered_by_their_first_appearance() {
        let svg = "a kuva-clip-17\" b kuva-clip-4\" c kuva-clip-17\" d";
        assert_eq!(renumbered(svg), "a kuva-clip-0\" b kuva-clip-1\" c kuva-clip-0\" d");
        assert_eq!(renumbered("none"), "none");
    }
}
