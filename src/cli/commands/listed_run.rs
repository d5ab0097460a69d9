//! A run in a list: its facts, by which lists are filtered, and its differences from the others.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::bail;
use serde_json::Value;
use tanner::Setting;
use tanner::session::Settings;
use tanner::session::settings::as_in_files;
use tanner::training::{PastRun, RunOverview, RunState, data_name, flat_settings};

use crate::cli::flags::{Condition, Relation};

/// The text for a missing value.
const NONE: &str = "none";
/// Maximum number of suggested values.
const MOST_NAMED: usize = 8;

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

/// Settings of places and engines, which do not change what a run computes.
const PLACES: [Setting; 7] = [
    Setting::Data,
    Setting::Out,
    Setting::Tensorboard,
    Setting::Threads,
    Setting::CheckpointEvery,
    Setting::GpuKernels,
    Setting::Adapter,
];

/// A run, and its facts by name.
pub(super) struct ListedRun {
    pub(super) overview: RunOverview,
    /// Facts by the names of flags and of the keys of the list as JSON.
    facts: BTreeMap<String, String>,
    /// Its settings; unknown for a damaged run.
    asked: Option<BTreeMap<String, String>>,
}

/// Facts that are shares, by their names.
const SHARES: [&str; 6] =
    ["score", "best-score", "accuracy", "best-accuracy", "test-accuracy", "best-test-accuracy"];

impl ListedRun {
    pub(super) fn new(run: &PastRun) -> anyhow::Result<Self> {
        let overview = RunOverview::new(run);
        let mut facts = BTreeMap::new();
        let mut asked = None;
        if let Some(summary) = &run.summary {
            facts.extend(texts(&as_in_files(summary)?));
        }
        facts.extend(texts(&as_in_files(&overview)?));
        facts.insert("epochs-done".into(), overview.epochs.to_string());
        if let Some(config) = &run.config {
            for (name, value) in flat_settings(config) {
                facts.insert(flag_of(&name), text(&value));
            }
            let kept = facts.get("keep-probability").and_then(|kept| kept.parse::<f32>().ok());
            facts.extend(kept.map(|kept| ("dropout".into(), (1.0 - kept).to_string())));
            if let Ok(settings) = Settings::from_config(config)
                && overview.state != RunState::Damaged
            {
                let mut texts = texts(&as_in_files(&settings)?);
                texts.retain(|name, _| !PLACES.iter().any(|place| place.name() == name));
                facts.extend(texts.clone());
                asked = Some(texts);
            }
        }
        facts.extend(overview.data.clone().map(|data| ("data".into(), data)));
        if let Some(started) = facts.get("started-at").cloned() {
            facts.insert("started".into(), started);
        }
        Ok(Self { overview, facts, asked })
    }

    /// The fact of this name; `none` for a setting without a value.
    fn fact(&self, name: &str) -> &str {
        self.facts.get(name).map_or(NONE, String::as_str)
    }

    /// Whether a condition holds.
    fn passes(&self, condition: &Condition) -> bool {
        let Condition { relation, value, .. } = condition;
        let (name, fact) = (condition.name(), self.fact(&condition.name()));
        let order = match (number(fact), number(value)) {
            (Some(fact), Some(value)) => fact.partial_cmp(&value),
            // Times of RFC 3339, and days, are in order as texts.
            _ if is_date(fact) && is_date(value) && !fact.starts_with(value) => {
                Some(fact.cmp(value.as_str()))
            }
            _ => None,
        };
        let is_equal = match order {
            Some(order) => order == Ordering::Equal,
            None if name == "data" => fact == data_name(Path::new(value)),
            // A day has many moments.
            None if is_date(value) => fact.starts_with(value),
            None => fact.eq_ignore_ascii_case(value) || fact.eq_ignore_ascii_case(&value.replace(' ', "")),
        };
        match relation {
            Relation::Equal => is_equal,
            Relation::Unequal => !is_equal,
            Relation::Less { or_equal } => {
                order == Some(Ordering::Less) || (*or_equal && order == Some(Ordering::Equal))
            }
            Relation::Greater { or_equal } => {
                order == Some(Ordering::Greater) || (*or_equal && order == Some(Ordering::Equal))
            }
        }
    }
}

/// Whether a text begins as a date does: `2026-11-27`.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
        && bytes[5].is_ascii_digit()
}

/// Keeps the runs that meet all conditions. For a condition that no run meets, it lists the existing values.
///
/// # Errors
/// When a key is neither a fact of any run nor a setting, or a value is impossible.
pub(super) fn filter(runs: &mut Vec<ListedRun>, conditions: &[Condition]) -> anyhow::Result<Vec<String>> {
    let mut hints = Vec::new();
    for condition in conditions {
        check(condition, runs)?;
        if !runs.iter().any(|run| run.passes(condition)) {
            let name = condition.name();
            let there: BTreeSet<&str> = runs.iter().map(|run| run.fact(&name)).collect();
            let there: Vec<&str> = there.into_iter().take(MOST_NAMED).collect();
            hints.push(format!("no run has {condition}; {} there: {}", condition.key, there.join(", ")));
        }
    }
    runs.retain(|run| conditions.iter().all(|condition| run.passes(condition)));
    Ok(hints)
}

/// Refuses a condition that can never hold.
fn check(condition: &Condition, runs: &[ListedRun]) -> anyhow::Result<()> {
    let Condition { key, relation, value } = condition;
    let name = condition.name();
    let is_known = runs.is_empty() || runs.iter().any(|run| run.facts.contains_key(&name));
    match name.as_str() {
        "pca" | "rf" => bail!("--where: {key} is short for an importance: write importance={name}"),
        "preset" => {
            bail!("--where: the preset of a run is not recorded, only its settings")
        }
        _ => {}
    }
    if !is_known && !is_setting_of_runs(&name) {
        bail!(
            "--where: no run has a {key:?}; name a flag of training, or a key of `tanner runs --json`: data, state, score, .."
        );
    }
    if name == "started" || name == "started-at" {
        check_moment(key, value)?;
    }
    let value_number = number(value).filter(|number| !number.is_nan());
    if !matches!(relation, Relation::Equal | Relation::Unequal) && value_number.is_none() && !is_date(value) {
        bail!("--where: {key} is compared with {value:?}, which is neither a number nor a date");
    }
    if SHARES.contains(&&*name) && value_number.is_some_and(|number| number > 1.0) {
        bail!("--where: {key} is a share from 0 to 1, not {value}: write 0.9 or 90%");
    }
    if name == "state" && value.parse::<RunState>().is_err() {
        let states = RunState::ALL.map(RunState::name).join(", ");
        bail!("--where: a run is never {value:?}; its state is one of {states}");
    }
    Ok(())
}

/// Whether a name is that of a setting that runs record.
fn is_setting_of_runs(name: &str) -> bool {
    name.parse::<Setting>().is_ok_and(Settings::has)
}

/// Refuses values that begin like a date but are not one.
fn check_moment(key: &str, value: &str) -> anyhow::Result<()> {
    let day = value.get(..10).unwrap_or(value);
    let whole = if day.len() == 7 { format!("{day}-01") } else { day.to_owned() };
    match whole.parse::<jiff::civil::Date>() {
        Ok(_) => Ok(()),
        Err(_) => bail!(
            "--where: {key} is compared with {value:?}, which is not a date: write 2026-11-27, with a time 2026-11-27T08:30"
        ),
    }
}

/// Records in which settings each run differs from most others.
pub(super) fn note_differences(runs: &mut [ListedRun]) {
    let mut runs: Vec<&mut ListedRun> = runs.iter_mut().filter(|run| run.asked.is_some()).collect();
    let mut names: Vec<String> =
        runs.iter().flat_map(|run| &run.asked).flat_map(BTreeMap::keys).cloned().collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        // An unset setting has its default.
        let values: Vec<String> = runs.iter().map(|run| run.fact(&name).to_owned()).collect();
        let is_same =
            |one: &str, other: &str| one == other || number(one).is_some_and(|n| Some(n) == number(other));
        let count = |value: &str| values.iter().filter(|other| is_same(value, other)).count();
        for (run, value) in runs.iter_mut().zip(&values) {
            if 2 * count(value) <= values.len() {
                run.overview.differs.insert(name.clone(), value.clone());
            }
        }
    }
}

/// The non-null fields of an object, as text; underscores become dashes.
fn texts(object: &Value) -> BTreeMap<String, String> {
    let fields = object.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    fields.map(|(name, value)| (name.replace('_', "-"), text(value))).collect()
}

/// A value as typed on the command line: lists without brackets, nested lists separated by slashes.
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

/// A number, or a percentage as a share.
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
