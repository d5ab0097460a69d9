//! The report page: one or several runs as one self-contained HTML file.
//!
//! [`report_page`] takes [`ReportedRun`]s, each with the parts of it that could be read, and returns the text
//! of the page. Style, script, drawings and pictures are inside. A note replaces each missing part.
//! maud escapes all external text. The constants here bound the size of the page, whatever the runs contain.

mod classes;
mod curves;
mod examples;
mod importance;
mod layers;
mod markup;
mod numbers;
mod overview;
mod permutation;
mod provenance;
mod rewiring;
mod scored;
#[cfg(test)]
mod tests;

use maud::{DOCTYPE, Markup, PreEscaped, html};

#[doc(hidden)]
pub use numbers::NumbersRun;
pub use scored::{Difference, Example, Names, Sample, ScoredRun};

use super::style::css;
use crate::model::TrainedModel;
use crate::training::{PastRun, RunOverview, RunState};
use markup::{chip, missing, percent};

/// Maximum number of runs on one page.
pub const MAX_RUNS: usize = 16;
/// With more runs than this, only one of them is open at a time.
const MAX_OPEN: usize = 6;
/// Maximum number of misclassified examples of a run.
pub const MAX_EXAMPLES: usize = 24;
/// Maximum number of layers of a run whose weights are shown.
const MAX_LAYERS: usize = 12;
/// Maximum number of classes in a confusion matrix.
const MAX_CLASSES: usize = 40;
/// Maximum number of points of a curve.
const MAX_POINTS: usize = 400;
/// Maximum side of a connectivity picture in pixels.
const MAX_PIXELS: usize = 1024;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A run, with everything that the page shows of it.
#[derive(Debug)]
pub struct ReportedRun {
    /// The content of its folder.
    pub run: PastRun,
    /// Its facts.
    pub overview: RunOverview,
    /// Its model, or why there is none.
    pub model: Result<TrainedModel, String>,
    /// The results of its model on the samples it was scored on, or why they are unknown.
    pub scored: Result<ScoredRun, String>,
    /// The same of a run that predicts numbers or several labels; `scored` is then of no use.
    #[doc(hidden)]
    pub numbers: Option<NumbersRun>,
}

/// Writes the page. `skipped` has a reason for each folder that is not shown. With `refresh`, a browser reloads the page
/// after that many seconds.
///
/// Only the first [`MAX_RUNS`] runs are shown.
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
                // With an icon in the page, no browser requests one.
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
                    "Made by Tanner " (env!("CARGO_PKG_VERSION")) ". Limits: " (MAX_POINTS) " points per curve, " (MAX_CLASSES)
                    " classes per matrix, " (MAX_EXAMPLES) " examples and " (MAX_LAYERS) " layers per run."
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

/// The overview of a run, and its problems.
fn head(reported: &ReportedRun) -> Markup {
    let (run, overview) = (&reported.run, &reported.overview);
    html! {
        p.state {
            span class={ "badge " (overview.state.name()) } { (overview.state.name()) }
            " " span.path { (run.path.display()) }
        }
        @match overview.state {
            RunState::Running => (missing("The run is still training. This page shows its state so far.")),
            RunState::Stopped => (missing("The run was interrupted. This page shows its last state.")),
            RunState::Finished | RunState::Damaged => {}
        }
        @for problem in &overview.problems { (missing(problem)) }
        (overview::tiles(reported))
    }
}

/// One of the runs. If there are many, each is collapsed under its name.
fn section(index: usize, reported: &ReportedRun, all: usize) -> Markup {
    let id = format!("run-{}", index + 1);
    let name = html! { (chip(index)) (reported.overview.name) };
    let metric = reported.overview.metric;
    let accuracy = reported.overview.accuracy.map(|score| markup::shown(metric, score));
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
        @if let Some(numbers) = &reported.numbers {
            (numbers::figures(id, reported, numbers))
        } @else { @match &reported.scored {
            Ok(scored) => {
                (agreement(reported, scored))
                (classes::figures(id, scored))
                (examples::figure(id, scored))
                @if let Some(importance) = &scored.permutation { (permutation::figure(id, importance)) }
            }
            Err(reason) if reported.overview.metric.is_accuracy() => {
                (missing(format!("No confusion matrix, classes and examples: {reason}")))
            }
            Err(reason) => (missing(format!("No scores of samples: {reason}"))),
        } }
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

/// States on which samples the page's predictions were made, and whether they agree with the run's.
fn agreement(reported: &ReportedRun, scored: &ScoredRun) -> Markup {
    let now = scored.scores.accuracy;
    let samples = scored.scores.samples;
    let recorded = reported.overview.accuracy;
    // Engines sum in different orders: the class of a sample in a thousand may change.
    let agrees = recorded.is_none_or(|then| (then - now).abs() <= 1e-3 + 1.5 / samples as f64);
    let made = format!(
        "Predictions of the last epoch's model on {} {} samples, made on the CPU for this page: accuracy {}.",
        super::grouped(samples),
        reported.overview.scored_on,
        percent(now)
    );
    let other = "The run recorded another accuracy: these are not the samples that it was scored on, or this is not its model.";
    html! {
        p.note { (made) }
        @if !agrees { (missing(format!("{other} It was {}.", percent(recorded.unwrap_or(f64::NAN))))) }
    }
}
