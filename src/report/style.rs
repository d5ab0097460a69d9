//! The style of all pictures and of the report page: colours, text sizes, line widths, spacing.
//!
//! Charts and pixel pictures use the light colours, with their own background. The page gets everything here as
//! CSS variables from [`css`], and `style.css` has no other colours.

use std::fmt::Write as _;

use image::Rgb;
use kuva::render::color::Color;

/// A colour on a light background, and its counterpart on a dark one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tone {
    pub(super) light: &'static str,
    pub(super) dark: &'static str,
}

const fn tone(light: &'static str, dark: &'static str) -> Tone {
    Tone { light, dark }
}

impl Tone {
    /// The light colour, for pixels.
    pub(super) const fn rgb(self) -> Rgb<u8> {
        Rgb(numbers(self.light))
    }

    /// The light colour, for a drawing.
    pub(super) const fn color(self) -> Color {
        let [r, g, b] = numbers(self.light);
        Color::Rgb(r, g, b)
    }
}

/// Categories, in order of use. Tests check that colour-blind readers can distinguish them from each other and from the
/// background. The first three are Okabe and Ito's.
pub(super) const PALETTE: [Tone; 8] = [
    tone("#0072b2", "#56b4e9"),
    tone("#d55e00", "#ca3703"),
    tone("#009e73", "#7dfaf9"),
    tone("#ac75fc", "#fe6b96"),
    tone("#492211", "#dab211"),
    tone("#2d1399", "#6567ef"),
    tone("#69415d", "#96567d"),
    tone("#a23b08", "#fcec58"),
];
pub(super) const FIRST: Tone = PALETTE[0];
pub(super) const SECOND: Tone = PALETTE[1];

/// Background of a picture or a card, and of the page around cards.
pub(super) const PAPER: Tone = tone("#ffffff", "#1a2029");
pub(super) const PAGE: Tone = tone("#f6f7f9", "#11151b");
/// Main and secondary text.
pub(super) const INK: Tone = tone("#1b2330", "#e6eaf0");
pub(super) const SOFT: Tone = tone("#5a6675", "#9aa6b5");
/// Frames, axes and grid lines.
pub(super) const LINE: Tone = tone("#dfe3e9", "#2c3542");
pub(super) const GRID: Tone = tone("#e8ebf0", "#262e39");
/// Pixels without and with a weight, and block boundaries.
pub(super) const NO_EDGE: Tone = tone("#f4f6f8", "#1f2630");
pub(super) const EDGE: Tone = tone("#103870", "#82b4ff");
pub(super) const BOUNDARY: Tone = tone("#ced6de", "#3a4656");
/// The dark end of a scale of shades; black numbers are readable on it.
pub(super) const FULL: Tone = tone("#56b4e9", "#56b4e9");
/// Points whose trend a line shows.
pub(super) const FAINT: Tone = tone("#9cc9e4", "#2f5f80");

/// The page's other colours, by their names in `style.css`.
const TONES: [(&str, Tone); 16] = [
    ("page", PAGE),
    ("card", PAPER),
    ("ink", INK),
    ("soft", SOFT),
    ("line", LINE),
    ("grid", GRID),
    ("good", FIRST),
    ("bad", tone("#c8451b", "#ef7a4d")),
    ("on-heat", tone("#ffffff", "#0d1117")),
    ("accent", tone("#1f5fbf", "#82b4ff")),
    ("warn-ink", tone("#7a4a00", "#f3cf8d")),
    ("warn-card", tone("#fff5e0", "#2e2515")),
    ("warn-line", tone("#efcf94", "#5d4a22")),
    ("fine", tone("#14713d", "#8fdcae")),
    ("fine-card", tone("#e2f4e8", "#173324")),
    ("black", tone("#000000", "#000000")),
];

/// Text sizes in charts: the title, the title of a panel, axis labels and tick labels.
pub(super) const TITLE: u32 = 16;
pub(super) const HEADING: u32 = 14;
pub(super) const LABEL: u32 = 13;
pub(super) const TEXT: u32 = 12;
/// Line widths: main curve, secondary curve, axes and grids.
pub(super) const CURVE: f64 = 2.0;
pub(super) const THIN: f64 = 1.5;
pub(super) const HAIR: f64 = 1.0;
/// Radius of a marker, and of one marker among many.
pub(super) const DOT: f64 = 4.0;
pub(super) const SMALL_DOT: f64 = 2.0;
/// The distance between two panels and around them.
pub(super) const GAP: usize = 16;
pub(super) const FONT: &str = "DejaVu Sans, Verdana, Helvetica, sans-serif";

/// The approximate width of a text.
pub(super) fn text_width(text: &str, size: u32) -> f64 {
    0.6 * f64::from(size) * text.chars().count() as f64
}

/// The CSS variables of the page, for light and dark mode.
pub(super) fn css() -> String {
    let list = |pick: fn(Tone) -> &'static str| {
        let of_palette = (0..).zip(PALETTE).map(|(number, tone)| (format!("c{number}"), tone));
        let all = TONES.map(|(name, tone)| (name.to_owned(), tone)).into_iter().chain(of_palette);
        all.fold(String::new(), |mut text, (name, tone)| {
            let _ = write!(text, " --{name}: {};", pick(tone));
            text
        })
    };
    format!(
        ":root {{ color-scheme: light dark; --text: {TEXT}px; --curve: {CURVE}; --thin: {THIN}; --hair: {HAIR};{} }}\n\
         @media (prefers-color-scheme: dark) {{ :root {{{} }} }}\n",
        list(|tone| tone.light),
        list(|tone| tone.dark)
    )
}

/// `#rrggbb`.
const fn numbers(hex: &str) -> [u8; 3] {
    const fn digit(byte: u8) -> u8 {
        match byte {
            b'0'..=b'9' => byte - b'0',
            _ => byte - b'a' + 10,
        }
    }
    let hex = hex.as_bytes();
    assert!(hex.len() == 7 && hex[0] == b'#', "a colour is written as #rrggbb");
    [
        16 * digit(hex[1]) + digit(hex[2]),
        16 * digit(hex[3]) + digit(hex[4]),
        16 * digit(hex[5]) + digit(hex[6]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Colour vision as matrices on linear light (Machado, Oliveira and Fernandes, 2009): normal, without
    /// red, without green, without blue receptors.
    const SIGHTS: [[[f64; 3]; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
    ];

    fn linear(hex: &str) -> [f64; 3] {
        numbers(hex).map(|byte| {
            let share = f64::from(byte) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn times(matrix: &[[f64; 3]; 3], [a, b, c]: [f64; 3]) -> [f64; 3] {
        matrix.map(|[x, y, z]| x * a + y * b + z * c)
    }

    /// Oklab (Ottosson, 2020), whose distances match human perception.
    fn oklab(light: [f64; 3]) -> [f64; 3] {
        let cones = [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ];
        let opponents = [
            [0.2104542553, 0.793617785, -0.0040720468],
            [1.9779984951, -2.428592205, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.808675766],
        ];
        times(&opponents, times(&cones, light).map(f64::cbrt))
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let luminance = |hex| {
            let [r, g, b] = linear(hex);
            0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        };
        let (one, other) = (luminance(one), luminance(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn categories_stay_apart_for_all_readers_on_both_backgrounds() {
        for pick in [|tone: Tone| tone.light, |tone: Tone| tone.dark] {
            for (number, tone) in PALETTE.into_iter().enumerate() {
                let color = pick(tone);
                assert!(contrast(color, pick(PAPER)) >= 3.0, "{color} on {}", pick(PAPER));
                for other in &PALETTE[..number] {
                    for sight in &SIGHTS {
                        let seen = |hex| oklab(times(sight, linear(hex)).map(|share| share.clamp(0.0, 1.0)));
                        let (one, two) = (seen(color), seen(pick(*other)));
                        let apart: f64 = one.iter().zip(two).map(|(a, b)| (a - b).powi(2)).sum();
                        assert!(apart.sqrt() >= 0.08, "{color} and {}: {}", pick(*other), apart.sqrt());
                    }
                }
            }
            for text in [INK, SOFT] {
                assert!(contrast(pick(text), pick(PAPER)) >= 4.5 && contrast(pick(text), pick(PAGE)) >= 4.5);
            }
        }
    }

    #[test]
    fn the_page_has_these_colours_and_no_others() {
        let style = include_str!("page/style.css");
        let is_color = |word: &str| word.len() >= 3 && word.chars().take(3).all(|c| c.is_ascii_hexdigit());
        let others: Vec<&str> = style.split('#').skip(1).filter(|rest| is_color(rest)).collect();
        assert_eq!(others, [""; 0]);
        let css = css();
        for used in style.split("var(--").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            // Variables that each element sets itself.
            if ["share", "heat"].contains(&used) {
                continue;
            }
            let here = format!("--{used}: ");
            assert!(css.contains(&here) || style.contains(&here), "--{used} is not defined");
        }
        assert!(css.contains("--c7: #a23b08;") && css.contains("--c7: #fcec58;"));
    }
}
