//! Markup that several parts of the page share.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

use crate::report::style::PALETTE;
pub(super) use crate::report::table::percent;
use crate::training::{Metric, times};

/// A note in place of something that is missing.
pub(super) fn missing(reason: impl AsRef<str>) -> Markup {
    html! { p.missing role="note" { (reason.as_ref()) } }
}

/// A score, in per cent if it is a share.
pub(super) fn shown(metric: Metric, score: f64) -> String {
    if metric.is_share() { percent(score) } else { metric.shown(score) }
}

/// A PNG file as a data URL.
pub(super) fn data_url(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(png))
}

/// The colour of a run. After the last colour they repeat, with another kind of line.
pub(super) fn look(run: usize) -> String {
    let again = if run < PALETTE.len() { "" } else { " again" };
    format!("s{}{again}", run % PALETTE.len())
}

/// A dot in the colour of a run.
pub(super) fn chip(run: usize) -> Markup {
    html! { span class={ "chip " (look(run)) } {} }
}

/// Two radio buttons that choose the scale. The style reads their state, so they need no script.
pub(super) fn scale_switch(id: &str) -> Markup {
    html! {
        fieldset.scale {
            legend { "Scale" }
            @for (value, name) in [("linear", "linear"), ("log", "logarithmic")] {
                label {
                    input type="radio" name={ (id) "-scale" } value=(value) checked[value == "linear"];
                    " " (name)
                }
            }
        }
    }
}

/// A time for people, with a machine-readable attribute; any other text unchanged.
pub(super) fn moment(text: &str) -> Markup {
    let seconds = times::seconds(text);
    match seconds.and_then(|seconds| Some((times::rfc3339(seconds)?, times::readable(seconds)?))) {
        Some((machine, people)) => html! { time datetime=(machine) { (people) } },
        None => html! { (text) },
    }
}

/// A number in a few significant digits, whatever its size.
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

/// One tile: its name, its value, and a note.
pub(super) fn tile(name: &str, value: &str, note: &str) -> Markup {
    html! {
        div.tile {
            dt { (name) }
            dd { strong { (value) } @if !note.is_empty() { span { (note) } } }
        }
    }
}

/// A duration for people.
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

/// A text, cut to `most` characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_for_people_and_programs() {
        assert_eq!(
            moment("2026-11-28T08:40:12+01:00[Europe/Berlin]").into_string(),
            "<time datetime=\"2026-11-28T07:40:12+00:00\">28 Nov 2026, 07:40 UTC</time>"
        );
        assert_eq!(moment("<yesterday>").into_string(), "&lt;yesterday&gt;");
    }

    #[test]
    fn runs_behind_the_last_colour_look_otherwise() {
        let looks: std::collections::BTreeSet<String> = (0..super::super::MAX_RUNS).map(look).collect();
        assert_eq!(looks.len(), super::super::MAX_RUNS);
    }
}
