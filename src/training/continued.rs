//! `continued` in `config.json`: each time that the run was resumed, where, and what was changed.
//!
//! The file is the original one of the run, to the byte, with this list after its other keys. So the digest by which
//! checkpoints identify it stays the same, wherever the run is resumed. The last entry is in force:
//! [`in_force`] merges it over the other keys.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::PatienceOn;
use crate::engine::Backend;
use crate::named::named;

named! {
    /// What an optimiser keeps when its run is resumed.
    #[derive(Default)]
    pub enum OptimizerState {
        /// Its state: the run was interrupted.
        #[default]
        Kept = "kept",
        /// Nothing: the run was finished and is extended.
        Zero = "zero",
    }
}

/// One continuation of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Continuation {
    /// When, RFC 3339.
    pub time: String,
    /// Complete epochs so far.
    pub epoch: usize,
    /// Steps of the next one.
    pub step: usize,
    /// The version that resumes it.
    pub tanner_version: String,
    /// Kind of engine.
    pub backend: Backend,
    /// Processor or adapter.
    pub adapter: String,
    /// Kernels of a GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_kernels: Option<String>,
    /// Where its data are now.
    pub data: PathBuf,
    /// The file of their labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
    /// The file of its test set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
    /// The model that it started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// The files of its graphs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[doc(hidden)]
    pub edges: Vec<PathBuf>,
    /// Epochs in all.
    pub epochs: usize,
    /// Epochs without a better score after which it ends.
    pub patience: Option<usize>,
    /// What must improve.
    #[serde(default)]
    pub patience_on: PatienceOn,
    /// The epoch from which patience counts, unless a later one is the best.
    #[serde(default)]
    pub patience_from: usize,
    /// The optimiser state.
    #[serde(default)]
    pub optimizer: OptimizerState,
}

/// The beginning of the list in the text of the file, after the last of the other keys.
const BEGIN: &[u8] = b",\n  \"continued\": [";

/// The original text of the run, in two parts: the second is its last brace with the blanks around it.
fn begun(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.trim_ascii_end().strip_suffix(b"}").unwrap_or(text).trim_ascii_end().len();
    // Strings contain no line breaks, and nested keys are indented further.
    let place = text.windows(BEGIN.len()).position(|window| window == BEGIN);
    (&text[..place.unwrap_or(end)], &text[end..])
}

/// SHA-256 of the original text.
pub(super) fn digest(text: &[u8]) -> String {
    let (keys, brace) = begun(text);
    crate::text::hex(Sha256::new_with_prefix(keys).chain_update(brace).finalize())
}

/// The text with another entry.
///
/// # Errors
/// Why it cannot be serialised.
pub(super) fn with_entry(text: &[u8], entry: &Continuation) -> serde_json::Result<Vec<u8>> {
    let mut entries = entries(&serde_json::from_slice(text)?);
    entries.push(serde_json::to_value(entry)?);
    let list = serde_json::to_string_pretty(&entries)?.replace('\n', "\n  ");
    let (keys, brace) = begun(text);
    let longer = [keys, &BEGIN[..BEGIN.len() - 1], list.as_bytes(), brace].concat();
    serde_json::from_slice::<Value>(&longer)?;
    Ok(longer)
}

fn entries(config: &Value) -> Vec<Value> {
    config["continued"].as_array().cloned().unwrap_or_default()
}

/// The last entry of a resumed run.
pub(crate) fn last(config: &Value) -> Option<Continuation> {
    Continuation::deserialize(config["continued"].as_array()?.last()?).ok()
}

/// The settings of a run with what was changed on resuming.
#[must_use]
pub(crate) fn in_force(mut config: Value) -> Value {
    let Some(now) = last(&config) else { return config };
    let patience_on = (now.patience_on != PatienceOn::Score).then(|| now.patience_on.to_string());
    let changed = config["recipe"]["epochs"] != now.epochs;
    if let Some(settings) = config["settings"].as_object_mut() {
        if changed {
            settings.insert("epochs".into(), now.epochs.into());
        }
        for (key, value) in [
            ("patience", now.patience.map(Value::from)),
            ("patience-on", patience_on.clone().map(Value::from)),
        ] {
            match value {
                Some(value) => settings.insert(key.into(), value),
                None => settings.remove(key),
            };
        }
    }
    if config["recipe"].is_object() {
        config["recipe"]["epochs"] = now.epochs.into();
    }
    config["patience"] = now.patience.into();
    config["patience_on"] = patience_on.into();
    config["backend"] = now.backend.to_string().into();
    config["adapter"] = now.adapter.into();
    config["gpu_kernels"] = now.gpu_kernels.into();
    config
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(epoch: usize) -> Continuation {
        Continuation {
            time: "2026-11-27T03:19:50+00:00".into(),
            epoch,
            step: 2,
            tanner_version: "0.1.0".into(),
            backend: Backend::Cpu,
            adapter: "2 threads".into(),
            gpu_kernels: None,
            data: "/data".into(),
            labels: None,
            test: None,
            from: None,
            edges: Vec::new(),
            epochs: 60,
            patience: Some(4),
            patience_on: PatienceOn::Loss,
            patience_from: 30,
            optimizer: OptimizerState::Zero,
        }
    }

    #[test]
    fn entries_are_added_and_the_digest_stays() {
        let config = json!({"data": "a\n  \"continued\": [", "recipe": {"epochs": 30}, "patience": null,
            "settings": {"lr": 0.1}, "inner": {"continued": [1]}});
        let mut first = serde_json::to_vec_pretty(&config).unwrap();
        first.push(b'\n');
        assert_eq!(digest(&first), crate::text::hex(Sha256::digest(&first)));
        let mut text = first.clone();
        for epoch in [3, 9] {
            text = with_entry(&text, &entry(epoch)).unwrap();
            assert!(text.starts_with(&first[..first.len() - 3]) && text.ends_with(b"]\n}\n"));
            assert_eq!(digest(&text), digest(&first));
        }
        let read: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(read["continued"].as_array().unwrap().len(), 2);
        assert_eq!(last(&read), Some(entry(9)));
        let now = in_force(read.clone());
        assert_eq!((&now["recipe"]["epochs"], &now["settings"]["epochs"]), (&60.into(), &60.into()));
        assert_eq!((&now["patience"], &now["settings"]["patience-on"]), (&4.into(), &"loss".into()));
        assert_eq!((&now["backend"], &now["settings"]["lr"]), (&"cpu".into(), &0.1.into()));
        assert_eq!(in_force(config.clone()), config);
        // Another text has another digest, wherever it differs.
        let changed = String::from_utf8(text).unwrap().replace("0.1", "0.2");
        assert_ne!(digest(changed.as_bytes()), digest(&first));
        assert_ne!(digest(b"no config"), digest(b"no other"));
        // In any layout.
        let compact = config.to_string().into_bytes();
        let longer = with_entry(&with_entry(&compact, &entry(1)).unwrap(), &entry(2)).unwrap();
        assert_eq!(digest(&longer), crate::text::hex(Sha256::digest(&compact)));
        assert_eq!(last(&serde_json::from_slice(&longer).unwrap()), Some(entry(2)));
    }
}
