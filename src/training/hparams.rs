//! Data of TensorBoard's tab HPARAMS: the settings of a run, its metrics, and how it ended.
//!
//! The numbers of the fields are those of `plugin_data.proto` and `api.proto` in TensorBoard's `plugins/hparams`.

use serde_json::Value;

use super::event_file::SummaryValue;
use crate::protobuf::Message;

const PLUGIN: &str = "hparams";
/// Parts of `config.json` that do not affect what the run computes, or repeat it.
const NO_SETTINGS: [&str; 8] = [
    "tanner_version",
    "started_at",
    "command",
    "settings",
    "continued",
    "absolute_paths",
    "digests",
    "adapter",
];
/// Groups whose names are redundant.
const GROUPS: [&str; 3] = ["recipe", "architecture", "penalties"];

/// How a run ended, by its number in `api.proto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// After its last epoch, or early.
    Success = 1,
    /// By an error.
    Failure = 2,
    /// It was stopped and can be resumed.
    Running = 3,
}

/// The settings in a run's `config.json`, and the tags of the scalars by which runs are compared.
pub(super) fn start(config: &Value, metrics: &[&str]) -> Vec<(String, SummaryValue)> {
    let settings = flat_settings(config);
    let mut experiment = Message::default();
    let mut session = Message::default();
    for (name, value) in &settings {
        let (kind, typed) = typed(value);
        experiment.push_message(4, &Message::default().text(1, name).int(4, kind));
        session.push_message(1, &Message::default().text(1, name).message(2, &typed));
    }
    for tag in metrics {
        let name = Message::default().text(2, tag);
        experiment.push_message(5, &Message::default().message(1, &name));
    }
    let experiment = experiment.double(3, seconds());
    let session = session.double(5, seconds());
    vec![value("experiment", 2, &experiment), value("session_start_info", 3, &session)]
}

/// How the run ended.
pub(super) fn end(outcome: Outcome) -> (String, SummaryValue) {
    value("session_end_info", 4, &Message::default().int(1, outcome as u64).double(2, seconds()))
}

/// A summary value with `HParamsPluginData { field: message }`.
fn value(tag: &str, field: u32, message: &Message) -> (String, SummaryValue) {
    let content = Message::default().message(field, message).into_bytes();
    (format!("_hparams_/{tag}"), SummaryValue::Plugin(PLUGIN, content))
}

/// Seconds since 1970.
fn seconds() -> f64 {
    jiff::Timestamp::now().as_microsecond() as f64 / 1e6
}

/// `DataType`, and the same value as `google.protobuf.Value`.
fn typed(value: &Value) -> (u64, Message) {
    const STRING: u64 = 1;
    const BOOL: u64 = 2;
    const FLOAT64: u64 = 3;
    match value {
        Value::Bool(on) => (BOOL, Message::default().int(4, u64::from(*on))),
        Value::Number(number) => (FLOAT64, Message::default().double(2, number.as_f64().unwrap_or(f64::NAN))),
        Value::String(text) => (STRING, Message::default().text(3, text)),
        other => (STRING, Message::default().text(3, &other.to_string())),
    }
}

/// The settings in a `config.json`, by their names there; redundant groups are dropped:
/// `epochs`, `initialisation.gain`.
#[must_use]
pub fn flat_settings(config: &Value) -> Vec<(String, Value)> {
    let mut settings = Vec::new();
    flatten("", config, &mut settings);
    settings
}

/// The settings below a value, by their path without the names of groups; unset ones are skipped.
fn flatten(path: &str, value: &Value, settings: &mut Vec<(String, Value)>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            let fields =
                fields.iter().filter(|(key, _)| !path.is_empty() || !NO_SETTINGS.contains(&key.as_str()));
            for (key, value) in fields {
                let path = match path.rsplit('.').next().unwrap_or_default() {
                    "" => key.clone(),
                    group if GROUPS.contains(&group) => key.clone(),
                    _ => format!("{path}.{key}"),
                };
                flatten(&path, value, settings);
            }
        }
        // Graphs and samples are drawn from one seed.
        _ if settings.iter().any(|(name, _)| name == path) => {}
        value => settings.push((path.to_owned(), value.clone())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_are_flat_and_keep_their_kinds() {
        let config = json!({
            "started_at": "now", "command": ["tanner"], "order": "desc", "patience": null,
            "recipe": {"epochs": 3, "penalties": {"l2": 0.5}, "initialisation": {"gain": 4.0}},
            "architecture": {"hidden": [8, 4], "epochs": 3},
        });
        let mut settings = flat_settings(&config);
        settings.sort_by(|a, b| a.0.cmp(&b.0));
        let names: Vec<&str> = settings.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["epochs", "hidden", "initialisation.gain", "l2", "order"]);
        let kinds: Vec<u64> = settings.iter().map(|(_, value)| typed(value).0).collect();
        assert_eq!(kinds, [3, 1, 3, 3, 1]);
        // `Value { string_value: "[8,4]" }`.
        assert_eq!(typed(&settings[1].1).1.into_bytes(), b"\x1a\x05[8,4]");
    }

    #[test]
    fn a_run_that_ended_has_a_status() {
        let (tag, SummaryValue::Plugin(plugin, content)) = end(Outcome::Failure) else { panic!() };
        assert_eq!((tag.as_str(), plugin), ("_hparams_/session_end_info", "hparams"));
        // Field 4, eleven bytes: the status, then the time.
        assert_eq!(content[..5], [0x22, 11, 0x08, 2, 0x11]);
    }
}
