//! A run in a list: the facts that lists are filtered by, and what tells it from the others.

use std::collections::BTreeMap;

use anyhow::bail;
use serde_json::Value;
use tanner::Setting;
use tanner::session::Settings;
use tanner::training::{PastRun, RunOverview, flat_settings};

use crate::cli::flags::{Condition, Relation};

/// Names of settings in `config.json` whose flags are called otherwise.
const FLAGS: [(&str, &str); 10] = [
    ("learning-rate", "lr"),
    ("receptive-fields", "receptive-field"),
    ("degree-distributions", "degree-distribution"),
    ("drop-connect", "dropconnect"),
    ("optimizer.name", "optimizer"),
    ("optimizer.momentum", "momentum"),
    ("optimizer.beta1", "adam-beta1"),
    ("optimizer.beta2", "adam-beta2"),
    ("initialisation.scheme", "init"),
    ("initialisation.gain", "gain"),
];

/// Settings that say where a run is and how it is computed, not what it computes.
const PLACES: [Setting; 7] = [
    Setting::Data,
    Setting::Out,
    Setting::Tensorboard,
    Setting::Threads,
    Setting::CheckpointEvery,
    Setting::GpuKernels,
    Setting::Adapter,
];

/// A run, and what is known of it by name.
pub(super) struct ListedRun {
    pub(super) overview: RunOverview,
    /// Facts by the names of flags and of the keys of the list as JSON.
    facts: BTreeMap<String, String>,
    /// What was asked for.
    asked: BTreeMap<String, String>,
}

impl ListedRun {
    pub(super) fn new(run: &PastRun) -> Self {
        let overview = RunOverview::new(run);
        let mut facts = BTreeMap::new();
        let mut asked = BTreeMap::new();
        if let Some(config) = &run.config {
            for (name, value) in flat_settings(config) {
                facts.insert(flag_of(&name), text(&value));
            }
            if let Ok(settings) = Settings::from_config(config) {
                asked = texts(&serde_json::to_value(&settings).unwrap_or_default());
                asked.retain(|name, _| !PLACES.iter().any(|place| place.name() == name));
            }
        }
        facts.extend(asked.clone());
        facts.extend(texts(&as_json(&overview)));
        if let Some(summary) = &run.summary {
            for (name, value) in texts(&serde_json::to_value(summary).unwrap_or_default()) {
                facts.entry(name).or_insert(value);
            }
        }
        Self { overview, facts, asked }
    }

    /// Whether a condition holds; not where its fact is not known.
    fn passes(&self, condition: &Condition) -> bool {
        let Condition { key, relation, value } = condition;
        let Some(fact) = self.facts.get(&key.replace('_', "-")) else { return false };
        let numbers = || Some((number(fact)?, number(value)?));
        let is_equal = || match numbers() {
            Some((fact, value)) => fact == value,
            None => fact.eq_ignore_ascii_case(&value.replace(' ', "")) || fact.eq_ignore_ascii_case(value),
        };
        match relation {
            Relation::Equal => is_equal(),
            Relation::Unequal => !is_equal(),
            Relation::Less { or_equal } => {
                numbers().is_some_and(|(fact, value)| fact < value || (*or_equal && fact == value))
            }
            Relation::Greater { or_equal } => {
                numbers().is_some_and(|(fact, value)| fact > value || (*or_equal && fact == value))
            }
        }
    }
}

/// A run in the list as JSON: `score` and `best_score` are also there by their old names, `accuracy` and `best_accuracy`.
pub(super) fn as_json(run: &RunOverview) -> Value {
    let mut json = serde_json::to_value(run).unwrap_or_default();
    for (name, old) in [("score", "accuracy"), ("best_score", "best_accuracy")] {
        json[name] = json[old].clone();
    }
    json
}

/// Keeps the runs for which all conditions hold.
///
/// # Errors
/// When a key is neither known of any run nor a setting, or a size is compared with what is no number.
pub(super) fn filter(runs: &mut Vec<ListedRun>, conditions: &[Condition]) -> anyhow::Result<()> {
    for condition in conditions {
        let Condition { key, relation, value } = condition;
        let name = key.replace('_', "-");
        let is_known = runs.is_empty() || runs.iter().any(|run| run.facts.contains_key(&name));
        if !is_known && name.parse::<Setting>().is_err() {
            let mut known: Vec<&String> = runs.iter().flat_map(|run| run.facts.keys()).collect();
            known.sort_unstable();
            known.dedup();
            let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
            bail!("--where: no run has a {key:?}; there are {}", known.join(", "));
        }
        if !matches!(relation, Relation::Equal | Relation::Unequal) && number(value).is_none() {
            bail!("--where: {key} is compared with {value:?}, which is not a number");
        }
    }
    runs.retain(|run| conditions.iter().all(|condition| run.passes(condition)));
    Ok(())
}

/// Notes for each run in what it was asked for otherwise than most.
pub(super) fn tell_apart(runs: &mut [ListedRun]) {
    let mut names: Vec<String> = runs.iter().flat_map(|run| run.asked.keys().cloned()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        // Whoever did not ask has the default, which is a fact, too.
        let values: Vec<Option<String>> = runs.iter().map(|run| run.facts.get(&name).cloned()).collect();
        let count = |value: &Option<String>| values.iter().filter(|other| *other == value).count();
        for (run, value) in runs.iter_mut().zip(&values) {
            if 2 * count(value) <= values.len() {
                run.overview.differs.extend(value.clone().map(|value| (name.clone(), value)));
            }
        }
    }
}

/// The fields of an object that are known, as text; underscores become dashes.
fn texts(object: &Value) -> BTreeMap<String, String> {
    let fields = object.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    fields.map(|(name, value)| (name.replace('_', "-"), text(value))).collect()
}

/// A value as people type it: lists without brackets, lists in lists between slashes.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().map(text).collect();
            texts.join(if items.iter().any(Value::is_array) { "/" } else { "," })
        }
        other => other.to_string(),
    }
}

/// A number, or a share in per cent.
fn number(text: &str) -> Option<f64> {
    match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok().map(|percent| percent / 100.0),
        None => text.parse().ok(),
    }
}

fn flag_of(name: &str) -> String {
    let name = name.replace('_', "-");
    let name = name.strip_prefix("table.").unwrap_or(&name);
    let flag = FLAGS.iter().find(|(recorded, _)| *recorded == name).map(|(_, flag)| *flag);
    flag.unwrap_or(name).to_owned()
}
