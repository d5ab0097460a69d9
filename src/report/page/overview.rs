//! The table of all runs, with the settings in which they differ, and the tiles of one run.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::Value;

use super::ReportedRun;
use super::markup::{chip, cut, percent, seconds, shown, tile};
use crate::report::run_table::epochs;
use crate::report::{grouped, size};

/// Maximum number of settings with a column; the others are in each run's list.
const MAX_COLUMNS: usize = 8;

/// Maximum number of settings of a run, and maximum characters of one.
const MAX_SETTINGS: usize = 200;
const MAX_VALUE: usize = 500;

/// Facts that differ between any two runs without meaning, or already have a column.
const SKIPPED: [&str; 5] = ["command", "started_at", "data_sha256", "recipe.epochs", "architecture.seed"];
/// The order of the settings: architecture and data first, then training; all others follow.
const RELEVANCE: [&[&str]; 2] = [
    &[
        "architecture.arch",
        "data",
        "importance",
        "order",
        "architecture.hidden",
        "architecture.budget",
        "architecture.blocks",
        "architecture.",
        "train_samples",
        "train_limit",
        "validation",
        "standardize",
        "trees",
    ],
    &[
        "recipe.optimizer.name",
        "recipe.learning_rate",
        "recipe.schedule",
        "recipe.epochs",
        "recipe.batch_size",
        "recipe.",
        "augmentation",
        "patience",
    ],
];
/// Prefixes of paths that are not settings, or that follow from one.
const SKIPPED_GROUPS: [&str; 5] = ["settings.", "data_facts.", "absolute_paths.", "digests.", "continued"];

/// The table of all runs, with the best accuracy marked.
pub(super) fn section(runs: &[ReportedRun]) -> Markup {
    let settings: Vec<_> = runs.iter().map(|run| flattened(run.run.config.as_ref())).collect();
    let differing = differing(&settings);
    let shown = &differing[..differing.len().min(MAX_COLUMNS)];
    html! {
        section {
            h2 { "Runs" }
            figure.wide #runs {
                div.scroll {
                    table {
                        caption { "Results, and the settings in which the runs differ" }
                        thead { tr {
                            th scope="col" { "Run" }
                            @for name in ["Last", "Best", "Epochs", "Parameters", "Model file", "Time"] {
                                th.number scope="col" { (name) }
                            }
                            @for (name, _) in shown { th scope="col" { (heading(name)) } }
                            th scope="col" { "State" }
                        } }
                        tbody { @for (index, run) in runs.iter().enumerate() {
                            (row(index, run, is_best(run, runs), shown.iter().map(|(_, values)| values[index].as_str())))
                        } }
                    }
                }
                @if differing.len() > shown.len() {
                    figcaption { "More settings differ (" (differing.len() - shown.len()) "). They are in the list of each run." }
                }
            }
        }
    }
}

/// Whether no run with the same metric has a better score.
fn is_best(run: &ReportedRun, runs: &[ReportedRun]) -> bool {
    let metric = run.overview.metric;
    let rivals = runs.iter().filter(|rival| rival.overview.metric == metric);
    let goodness = |run: &ReportedRun| run.overview.accuracy.map(|score| metric.goodness(score));
    let best = rivals.filter_map(goodness).reduce(f64::max);
    best.is_some() && goodness(run) == best
}

fn row<'a>(
    index: usize,
    reported: &ReportedRun,
    is_best: bool,
    settings: impl Iterator<Item = &'a str>,
) -> Markup {
    let overview = &reported.overview;
    let known = |text: Option<String>| text.unwrap_or_else(|| "–".into());
    html! {
        tr {
            th scope="row" {
                a href={ "#run-" (index + 1) } { (chip(index)) (overview.name) }
            }
            td.number class=[is_best.then_some("best")] { (known(overview.accuracy.map(|score| shown(overview.metric, score)))) }
            td.number { (known(overview.best_accuracy.map(|score| shown(overview.metric, score)))) }
            td.number { (epochs(overview)) }
            td.number { (known(overview.parameters.map(grouped))) }
            td.number { (known(model_bytes(reported).map(size))) }
            td.number { (known(total_seconds(reported).map(seconds))) }
            @for value in settings { td title=(value) { (value) } }
            td { span class={ "badge " (overview.state.name()) } { (overview.state.name()) } }
        }
    }
}

/// The last informative part of a setting's path.
fn heading(path: &str) -> String {
    let part = path.rsplit('.').find(|part| *part != "name").unwrap_or(path);
    part.replace('_', " ")
}

fn model_bytes(reported: &ReportedRun) -> Option<u64> {
    let file = reported.run.files.iter().find(|file| file.name == "model.safetensors");
    file.map(|file| file.bytes)
}

/// The whole time of a finished run, otherwise the time of its epochs.
fn total_seconds(reported: &ReportedRun) -> Option<f64> {
    let run = &reported.run;
    let of_epochs = run.history.iter().map(|epoch| epoch.seconds).reduce(|sum, more| sum + more);
    run.summary.as_ref().map(|summary| summary.seconds_total).or(of_epochs)
}

/// The most important numbers of one run.
pub(super) fn tiles(reported: &ReportedRun) -> Markup {
    let (run, overview) = (&reported.run, &reported.overview);
    let (on, metric) = (overview.scored_on, overview.metric);
    let fewer = run.summary.as_ref().and_then(|summary| {
        let share = 1.0 - summary.parameters as f64 / summary.dense_parameters as f64;
        (share > 0.0).then(|| format!("{} fewer than fully connected", percent(share)))
    });
    let best = overview.best_accuracy.zip(overview.best_epoch);
    html! {
        dl.tiles {
            @if let Some(accuracy) = overview.accuracy {
                (tile(&format!("{on} {}", metric.title()), &shown(metric, accuracy), &format!("after epoch {}{}", epochs(overview), always(reported))))
            }
            @if let Some((accuracy, epoch)) = best {
                (tile("best", &shown(metric, accuracy), &format!("after epoch {epoch}")))
            }
            @if let Some(last) = run.history.last() {
                (tile(&format!("{on} loss"), &format!("{:.4}", last.test_loss), &format!("training {:.4}", last.train_loss)))
            }
            @if let Some(parameters) = overview.parameters {
                (tile("parameters", &grouped(parameters), &fewer.unwrap_or_default()))
            }
            @if let Ok(scored) = &reported.scored {
                (tile("calibration error", &format!("{:.4}", scored.scores.calibration_error), "0 is best"))
            }
            @if let Some(numbers) = &reported.numbers { (super::numbers::tiles(numbers)) }
            @if let Some((target, summary)) = run.summary.as_ref().and_then(|s| Some((s.target?, s))) {
                (tile("target", &shown(metric, target), &reached(summary.seconds_to_target)))
            }
            @if let Some(total) = total_seconds(reported) {
                (tile("time", &seconds(total), &adapter(run.setting("/adapter"))))
            }
        }
    }
}

/// The accuracy of always answering the most frequent class, if known.
fn always(reported: &ReportedRun) -> String {
    let Ok(scored) = &reported.scored else { return String::new() };
    let (class, share) = scored.scores.majority();
    format!("; always {}: {}", scored.names.class(class), percent(share))
}

fn reached(after: Option<f64>) -> String {
    after.map_or_else(|| "not reached".to_owned(), |after| format!("reached after {}", seconds(after)))
}

fn adapter(recorded: Option<&Value>) -> String {
    recorded.and_then(Value::as_str).map(|name| format!("on {name}")).unwrap_or_default()
}

/// Every setting as its path, such as `recipe.epochs`, and its text; a list of plain values is one setting.
pub(super) fn flattened(config: Option<&Value>) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    if let Some(config) = config {
        flatten(config, String::new(), &mut settings);
    }
    settings
}

fn flatten(value: &Value, path: String, settings: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(field, below, settings);
            }
        }
        _ if settings.len() >= MAX_SETTINGS => {}
        Value::String(text) => drop(settings.insert(path, cut(text, MAX_VALUE))),
        Value::Null => drop(settings.insert(path, "–".into())),
        other => drop(settings.insert(path, cut(&listed(other), MAX_VALUE))),
    }
}

/// A value for people: lists without brackets, equal neighbours counted, nested lists separated by slashes.
fn listed(value: &Value) -> String {
    let Value::Array(values) = value else {
        return value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    };
    let is_nested = values.iter().any(Value::is_array);
    let texts: Vec<String> = values.iter().map(listed).collect();
    let runs = texts.chunk_by(PartialEq::eq).map(|same| match same {
        [text, _, _, ..] if !is_nested => format!("{} × {text}", same.len()),
        _ => same.join(if is_nested { " / " } else { ", " }),
    });
    runs.collect::<Vec<_>>().join(if is_nested { " / " } else { ", " })
}

/// The settings that differ between runs, with each run's value.
fn differing(settings: &[BTreeMap<String, String>]) -> Vec<(String, Vec<String>)> {
    let mut names: Vec<&String> = settings.iter().flat_map(BTreeMap::keys).collect();
    names.sort_unstable();
    names.dedup();
    let values = |name: &String| -> Vec<String> {
        settings.iter().map(|run| run.get(name).cloned().unwrap_or_else(|| "–".into())).collect()
    };
    let is_skipped =
        |name: &str| SKIPPED.contains(&name) || SKIPPED_GROUPS.iter().any(|group| name.starts_with(group));
    let facts = names.into_iter().filter(|name| !is_skipped(name));
    let facts = facts.map(|name| (name.clone(), values(name)));
    // A run with unknown settings does not differ.
    let differ = |values: &[String]| {
        let known = values.iter().zip(settings).filter(|(_, run)| !run.is_empty());
        let mut known = known.map(|(value, _)| value);
        let first = known.next();
        known.any(|value| Some(value) != first)
    };
    let mut differing: Vec<_> = facts.filter(|(_, values)| differ(values)).collect();
    // A setting that only some runs have follows from another one, so it comes last in its group.
    differing.sort_by_cached_key(|(name, values)| {
        let (group, place) = relevance(name);
        (group, values.iter().any(|value| value == "–"), place)
    });
    differing
}

/// The group of a setting, and its position there, by its name or by the start of its path.
fn relevance(name: &str) -> (usize, usize) {
    let place = |group: &[&str]| {
        let own = group.iter().position(|known| *known == name);
        own.or_else(|| group.iter().position(|known| known.ends_with('.') && name.starts_with(known)))
    };
    let found = RELEVANCE.iter().enumerate().find_map(|(number, group)| Some((number, place(group)?)));
    found.unwrap_or((RELEVANCE.len(), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_that_differ_are_listed() {
        let config = |rate: f64| serde_json::json!({"recipe": {"lr": rate, "l2": null}, "hidden": [4, 4], "command": [rate], "settings": {"lr": rate}});
        let settings = [0.1, 0.2].map(|rate| flattened(Some(&config(rate))));
        assert_eq!(settings[0]["hidden"], "4, 4");
        assert_eq!(
            ["recipe.optimizer.name", "recipe.learning_rate", "name"].map(heading),
            ["optimizer", "learning rate", "name"]
        );
        let list = |value: Value| flattened(Some(&serde_json::json!({"list": value})))["list"].clone();
        assert_eq!(list(serde_json::json!([784, 784, 784, 10])), "3 × 784, 10");
        assert_eq!(list(serde_json::json!([[98, 130], [4, 4, 4]])), "98, 130 / 3 × 4");
        assert_eq!(list(serde_json::json!(["regular:53"])), "regular:53");
        assert_eq!(
            differing(&settings),
            [("recipe.lr".to_owned(), vec!["0.1".to_owned(), "0.2".to_owned()])]
        );
        let of = |config: Value| flattened(Some(&config));
        let only_one =
            [of(serde_json::json!({"b": 1, "c": 1})), of(serde_json::json!({"b": 1, "a": 2, "c": 2}))];
        let names = |settings: &[BTreeMap<String, String>]| {
            differing(settings).into_iter().map(|(name, _)| name).collect::<Vec<String>>()
        };
        assert_eq!(names(&only_one), ["c", "a"]);
        let all = |value: u32| {
            of(serde_json::json!({"adapter": value, "data": value, "order": value, "seed": value,
                "architecture": {"activation": value, "arch": value, "hidden": value},
                "recipe": {"l2": value, "batch_size": value, "optimizer": {"name": value, "beta1": value}}}))
        };
        let relevant = [
            "architecture.arch",
            "data",
            "order",
            "architecture.hidden",
            "architecture.activation",
            "recipe.optimizer.name",
            "recipe.batch_size",
            "recipe.l2",
            "recipe.optimizer.beta1",
            "adapter",
            "seed",
        ];
        assert_eq!(names(&[all(1), all(2)]), relevant);
        assert!(differing(&[flattened(None), settings[0].clone()]).is_empty());
    }
}
