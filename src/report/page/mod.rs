//! The report page: one or several runs as one HTML file that needs nothing beside it.
//!
//! [`report_page`] takes [`ReportedRun`]s, each with whatever could be found of it, and gives the text
//! of the page: style, script, drawings and pictures are all inside. What is missing is said in its
//! place. Every text that comes from outside goes through maud, which escapes it; the size of the page
//! is bounded by the constants here, whatever the runs hold.

mod classes;
mod curves;
mod examples;
mod importance;
mod layers;
mod markup;
mod overview;
mod provenance;
mod rewiring;
mod scored;
#[cfg(test)]
mod tests;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use scored::{Difference, Example, Names, Sample, ScoredRun};

use super::style::css;
use crate::model::TrainedModel;
use crate::training::{PastRun, RunOverview, RunState};
use markup::{chip, missing, percent};

/// Most runs on one page.
pub const MAX_RUNS: usize = 16;
/// With more runs than this, only one of them is open at a time.
const MAX_OPEN: usize = 6;
/// Most misclassified examples of a run.
pub const MAX_EXAMPLES: usize = 24;
/// Most layers of a run whose weights are shown.
const MAX_LAYERS: usize = 12;
/// Most classes in a confusion matrix.
const MAX_CLASSES: usize = 40;
/// Most points of a curve.
const MAX_POINTS: usize = 400;
/// Most pixels of a side of a connectivity picture.
const MAX_PIXELS: usize = 1024;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A run with all that was found out for the page.
#[derive(Debug)]
pub struct ReportedRun {
    /// What its folder holds.
    pub run: PastRun,
    /// The facts about it.
    pub overview: RunOverview,
    /// Its model, or why there is none.
    pub model: Result<TrainedModel, String>,
    /// How its model does on the samples it was scored on, or why that is not known.
    pub scored: Result<ScoredRun, String>,
}

/// Writes the page; `skipped` says of each folder that is not shown why, and `refresh` after how many seconds a
/// browser reads the page again.
///
/// Runs behind the first [`MAX_RUNS`] are skipped.
#[must_use]
pub fn report_page(runs: &[ReportedRun], skipped: &[String], refresh: Option<u64>) -> String {
    let runs = &runs[..runs.len().min(MAX_RUNS)];
    let title = match runs {
        [one] => one.overview.name.clone(),
        several => format!("{} runs", several.len()),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "tanner " (env!("CARGO_PKG_VERSION")) };
                @if let Some(seconds) = refresh { meta http-equiv="refresh" content=(seconds); }
                // An icon of its own, so that no browser asks for one.
                link rel="icon" href="data:,";
                title { (title) " – Tanner report" }
                style { (PreEscaped(css())) (PreEscaped(STYLE)) }
            }
            body {
                header.top {
                    p.kicker { "Tanner report" }
                    h1 { (title) }
                    @if (2..=MAX_OPEN).contains(&runs.len()) { (jump_list(runs)) }
                }
                main {
                    @for reason in skipped { (missing(reason)) }
                    @if runs.len() > 1 { (overview::section(runs)) }
                    @if let [one] = runs { (head(one)) }
                    (curves::section(runs))
                    @for (index, run) in runs.iter().enumerate() { (section(index, run, runs.len())) }
                }
                footer {
                    "Made by tanner " (env!("CARGO_PKG_VERSION")) ". Curves have at most " (MAX_POINTS)
                    " points, matrices " (MAX_CLASSES) " classes, runs " (MAX_EXAMPLES) " examples and "
                    (MAX_LAYERS) " layers."
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn jump_list(runs: &[ReportedRun]) -> Markup {
    html! {
        nav aria-label="Runs" {
            @for (index, run) in runs.iter().enumerate() {
                a href={ "#run-" (index + 1) } { (chip(index)) (run.overview.name) }
            }
        }
    }
}

/// What is known of a run at a glance, and what is wrong with it.
fn head(reported: &ReportedRun) -> Markup {
    let (run, overview) = (&reported.run, &reported.overview);
    html! {
        p.state {
            span class={ "badge " (overview.state.name()) } { (overview.state.name()) }
            " " span.path { (run.path.display()) }
        }
        @match overview.state {
            RunState::Running => (missing("The run is still going on. What follows is what it has so far.")),
            RunState::Stopped => (missing("The run was interrupted. What follows is what it has left.")),
            RunState::Finished | RunState::Damaged => {}
        }
        @for problem in &overview.problems { (missing(problem)) }
        (overview::tiles(reported))
    }
}

/// One of all runs. Of many, each is folded away under its name and opens where it is asked for.
fn section(index: usize, reported: &ReportedRun, all: usize) -> Markup {
    let id = format!("run-{}", index + 1);
    let name = html! { (chip(index)) (reported.overview.name) };
    let accuracy = reported.overview.accuracy.map(percent);
    html! {
        section.run id=(id) {
            @if all > MAX_OPEN {
                details name="runs" {
                    summary { h2 { (name) } " " span.note { (accuracy.unwrap_or_default()) } }
                    (head(reported))
                    (parts(&id, reported))
                }
            } @else {
                @if all > 1 {
                    h2 { (name) }
                    (head(reported))
                }
                (parts(&id, reported))
            }
        }
    }
}

fn parts(id: &str, reported: &ReportedRun) -> Markup {
    html! {
        @match &reported.scored {
            Ok(scored) => {
                (agreement(reported, scored))
                (classes::figures(id, scored))
                (examples::figure(id, scored))
            }
            Err(reason) => (missing(format!("No confusion matrix, classes and examples: {reason}"))),
        }
        @match &reported.model {
            Ok(model) => {
                (importance::figure(id, model, reported.scored.as_ref().ok()))
                (layers::figures(id, model))
            }
            Err(reason) => (missing(format!("No connectivity and weights: {reason}"))),
        }
        (rewiring::figure(id, &reported.run))
        (provenance::parts(id, reported))
    }
}

/// Says on what the predictions of this page were made, and whether they are those of the run.
fn agreement(reported: &ReportedRun, scored: &ScoredRun) -> Markup {
    let now = scored.scores.accuracy;
    let samples = scored.scores.samples;
    let recorded = reported.overview.accuracy;
    // Engines sum in different orders: a sample in a thousand may tip over.
    let agrees = recorded.is_none_or(|then| (then - now).abs() <= 1e-3 + 1.5 / samples as f64);
    let made = format!(
        "Predictions of the last epoch's model on {} {} samples, made on the CPU for this page: accuracy {}.",
        super::grouped(samples),
        reported.overview.scored_on,
        percent(now)
    );
    let other = "The run recorded another accuracy: these are not the samples that it was scored on, or not its model.";
    html! {
        p.note { (made) }
        @if !agrees { (missing(format!("{other} It was {}.", percent(recorded.unwrap_or(f64::NAN))))) }
    }
}
