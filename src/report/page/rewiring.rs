//! The number of edges that moved, and the degrees before and after.

use maud::{Markup, html};

use crate::report::grouped;
use crate::report::rewiring::listed;
use crate::training::{PastRun, RewiringSummary, edges_moved};

/// The table of a run that rewires; empty for any other.
pub(super) fn figure(id: &str, run: &PastRun) -> Markup {
    let Some(moved) = edges_moved(&run.history) else { return html! {} };
    let rewiring = run.summary.as_ref().and_then(|summary| summary.rewiring.as_ref());
    html! {
        figure.wide id={ (id) "-rewiring" } {
            h3 { "Edges that moved" }
            @if let Some(rewiring) = rewiring { div.scroll { (degrees(rewiring)) } }
            figcaption { (grouped(moved)) " edges moved in all epochs together."
                @if rewiring.is_some() { " Degrees are means over a block of inputs; a layer of one block is cut into eight." } }
        }
    }
}

fn degrees(rewiring: &RewiringSummary) -> Markup {
    html! {
        table {
            caption { "Out-degrees by block of inputs" }
            thead { tr { th scope="col" { "Layer" } th scope="col" { "At the start" } th scope="col" { "At the end" } } }
            tbody { @for layer in &rewiring.layers {
                tr {
                    th scope="row" { (layer.layer) }
                    td { (listed(&layer.start)) }
                    td { (listed(&layer.end)) }
                }
            } }
        }
    }
}
