//! Small pieces that several parts of the page need.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

pub(super) use crate::report::table::percent;

/// Says what is not there, where it would have been.
pub(super) fn missing(reason: impl AsRef<str>) -> Markup {
    html! { p.missing role="note" { (reason.as_ref()) } }
}

/// A PNG file as an address that holds it.
pub(super) fn data_url(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(png))
}

/// A number in few digits, small and large ones alike.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if (1e-3..1e4).contains(&size) => {
            let text = format!("{value:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => format!("{value:.1e}"),
    }
}

/// One tile: what, how much, and what to compare it with.
pub(super) fn tile(name: &str, value: &str, beside: &str) -> Markup {
    html! {
        div.tile {
            dt { (name) }
            dd { strong { (value) } @if !beside.is_empty() { span { (beside) } } }
        }
    }
}

/// Seconds as a person says them.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() || s < 0.0 => "?".into(),
        s if s < 100.0 => format!("{s:.1} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// A length in a drawing.
pub(super) fn unit(length: f64) -> String {
    format!("{length:.2}")
}

/// The start of a text that is longer than `most` characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
