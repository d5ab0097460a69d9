//! A model's most certain mistakes.

use maud::{Markup, html};

use super::markup::{data_url, missing, short};
use super::{Difference, Example, Names, Sample, ScoredRun};
use crate::report::grouped;

/// The mistakes, or a sentence if there are none.
pub(super) fn figure(id: &str, scored: &ScoredRun) -> Markup {
    let wrong = scored.scores.samples - scored.scores.correct;
    html! {
        figure.wide id={ (id) "-examples" } {
            h3 { "Most certain mistakes" }
            @if scored.examples.is_empty() { p.note { "There are no mistakes." } }
            div class={ "examples" @if has_pictures(scored) { " pictures" } } {
                @for example in &scored.examples { (one(example, &scored.names)) }
            }
            @if !scored.examples.is_empty() {
                figcaption {
                    (scored.examples.len()) " of " (grouped(wrong)) " misclassified samples, by the probability of the wrong class. A sample's number is its place among the samples that the run was scored on, counted from 0."
                    @if !has_pictures(scored) {
                        " The features are those farthest from the mean of the sample's own class, in standard deviations."
                    }
                }
            }
        }
    }
}

fn has_pictures(scored: &ScoredRun) -> bool {
    matches!(scored.examples.first(), Some(Example { shown: Sample::Picture(_), .. }))
}

fn one(example: &Example, names: &Names) -> Markup {
    let (label, predicted) = (names.class(example.label), names.class(example.predicted));
    let sure = format!("{:.1} %", 100.0 * example.probability);
    html! {
        div.example {
            @match &example.shown {
                Sample::Picture(png) => {
                    img src=(data_url(png)) alt={ "Sample " (example.sample) ": " (label) ", classified as " (predicted) };
                }
                Sample::Table(differences) if differences.is_empty() => (missing("Its class has no training samples.")),
                Sample::Table(differences) => (table(example.sample, differences, names)),
            }
            p { span.truth { (label) } " → " span.said { (predicted) } span.sure { (sure) } }
        }
    }
}

fn table(sample: usize, differences: &[Difference], names: &Names) -> Markup {
    html! {
        table {
            caption { "Sample " (sample) }
            thead { tr {
                th scope="col" { "Feature" }
                @for name in ["Value", "Mean", "Apart"] { th.number scope="col" { (name) } }
            } }
            tbody { @for difference in differences { tr {
                th scope="row" { (names.feature(difference.feature)) }
                td.number { (short(f64::from(difference.value))) }
                td.number { (short(difference.mean)) }
                td.number { (format!("{:+.1} σ", difference.deviations)) }
            } } }
        }
    }
}
