//! Settings from files: TOML, with flags as keys, or the `config.json` of a run.
//!
//! ```toml
//! pca = true
//! arch = "sc"
//! hidden = [784, 400]
//! blocks = [8, 4]
//! degrees = [[98, 130, 98, 49, 20, 10, 10, 10], [60, 40, 20, 10]]
//! lr = 0.05
//! ```
//!
//! A list corresponds to commas on the command line, a list of lists to slashes.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{Settings, recorded};
use crate::error::one_line;
use crate::text::nearest;
use crate::training::in_force;
use crate::{Error, Result, Setting};

/// Maximum number of bytes of a settings file.
pub(super) const MAX_BYTES: u64 = 1 << 20;

impl Settings {
    /// Reads a settings file: the `config.json` of a run if its name ends in .json, otherwise TOML.
    ///
    /// # Errors
    /// [`Error::SettingsFile`] with the problem and its place.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let of_run = path.join("config.json");
        let path = if path.is_dir() { of_run.as_path() } else { path };
        let refuse =
            |reason: String| Error::SettingsFile { path: path.to_owned(), reason: one_line(&reason) };
        let length = fs::metadata(path).map_err(|error| Error::io(path, error))?.len();
        if length > MAX_BYTES {
            return Err(refuse(format!("{length} bytes, a settings file has {MAX_BYTES} at most")));
        }
        let text = fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
        if path.extension().is_some_and(|extension| extension == "json") {
            let Unique(config) = serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))?;
            let mut settings = Self::from_config(&in_force(config)).map_err(refuse)?;
            // The folder of that run is not reused.
            settings.remove(Setting::Out);
            Ok(settings)
        } else {
            Self::from_toml(&text).map_err(refuse)
        }
    }

    /// Reads the text of a settings file in TOML.
    ///
    /// # Errors
    /// A line that describes the problem, with its line or key.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        Self::from_table(toml_table(text)?).map_err(|reason| {
            let key = reason.split(':').next().unwrap_or_default();
            match text.lines().position(|line| is_line_of(line, key)) {
                Some(line) => format!("line {}: {reason}", line + 1),
                None => reason,
            }
        })
    }

    /// Reads the keys of a table in TOML.
    pub(crate) fn from_table(table: toml::Table) -> Result<Self, String> {
        let json = serde_json::to_value(table).map_err(|error| error.to_string())?;
        match json {
            Value::Object(keys) => Self::from_keys(keys),
            other => Err(format!("{other} is not a table")),
        }
    }

    /// The settings of a run, from its `config.json`.
    ///
    /// # Errors
    /// A line that describes the problem.
    #[doc(hidden)]
    pub fn from_config(config: &Value) -> Result<Self, String> {
        match &config["settings"] {
            Value::Object(keys) => Self::from_keys(keys.clone()),
            // Files of versions that recorded only the resolved settings.
            _ => recorded::settings(config),
        }
    }

    fn from_keys(keys: Map<String, Value>) -> Result<Self, String> {
        let mut settings = Self::default();
        for (key, value) in keys {
            let key = key.replace('_', "-");
            if !Self::all().any(|setting| setting.name() == key) {
                return Err(format!("{key:?} is not a setting{}", suggestion(&key)));
            }
            let one = from_key(&key, &value)?;
            if one.given().iter().any(|setting| settings.given().contains(setting)) {
                return Err(format!("{key} appears twice, with `-` and with `_`"));
            }
            settings.fill_from(one);
        }
        settings.check_either().map_err(|error| error.to_string())?;
        Ok(settings)
    }
}

/// Parses a table; errors name the line.
pub(crate) fn toml_table(text: &str) -> Result<toml::Table, String> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().map_or("", |span| text.get(..span.start).unwrap_or(""));
        let reason = match error.message() {
            message if message.contains("i128") => "a whole number that is larger than any setting allows",
            message => message,
        };
        format!("line {}: {reason}", before.matches('\n').count() + 1)
    })
}

/// One setting, from its value or from the value as typed.
fn from_key(key: &str, value: &Value) -> Result<Settings, String> {
    let read = |value: Value| {
        let one = Map::from_iter([(key.to_owned(), value)]);
        serde_json::from_value::<Settings>(Value::Object(one))
            .map_err(|error| named_once(key, &error.to_string()))
    };
    match value {
        Value::Object(_) => return Err(format!("{key}: a table is not a value of a setting")),
        // TOML's nan and inf become null in JSON.
        Value::Null => return Err(format!("{key}: nan, inf or nothing is not a value of a setting")),
        _ => {}
    }
    read(value.clone()).or_else(|_| {
        // Values of a switch; a setting that takes any text would accept them as text.
        let text = Value::String("neither on nor off".into());
        if value.is_boolean() && [text.clone(), Value::Array(vec![text])].map(read).iter().any(Result::is_ok)
        {
            return Err(format!("{key}: true or false is not a value of it"));
        }
        let number_reason = number_reason(key, value, &|value| read(value).is_ok());
        let typed = as_typed(key, value)?;
        let number = serde_json::from_str(&typed).ok().map(Value::Number);
        let list = Value::Array(typed.split(',').map(|item| Value::String(item.to_owned())).collect());
        let mut others = [Some(list), number].into_iter().flatten().map(read);
        let text = read(Value::String(typed));
        let read = text.or_else(|reason| others.find_map(Result::ok).ok_or(reason));
        read.map_err(|reason| number_reason.map_or(reason, |why| format!("{key}: {why}")))
    })
}

/// A reason after the key, unless the reason already begins with it.
fn named_once(key: &str, reason: &str) -> String {
    // Custom graphs cannot be named in text.
    let reason = if key == "arch" { reason.replace(", custom", "") } else { reason.to_owned() };
    if reason.starts_with(&format!("{key}: ")) { reason } else { format!("{key}: {reason}") }
}

/// Why a numeric setting refuses a value; `None` for other settings.
fn number_reason(key: &str, value: &Value, takes: &dyn Fn(Value) -> bool) -> Option<String> {
    let number = |number: f64| Value::from(number);
    if takes(Value::Bool(true)) {
        return Some(format!("{value} is invalid, it must be true or false"));
    }
    if takes(number(0.5)) && takes(number(0.25)) {
        return Some(format!("{value} is not a number: write one such as 0.1 or 1e-3"));
    }
    if !takes(Value::from(1)) || takes(Value::from("neither")) {
        return None;
    }
    Some(match value.as_f64() {
        Some(number) if number < 0.0 => {
            let least = if key == "seed" { 0 } else { 1 };
            format!("{value} is invalid, it must be a whole number, at least {least}")
        }
        Some(_) => format!("{value} is not a whole number, or too large: write digits only, such as 10"),
        None => format!("{value} is not a whole number: write digits only, such as 10"),
    })
}

/// Whether a line of TOML gives this key its value.
fn is_line_of(line: &str, key: &str) -> bool {
    line.split_once('=').is_some_and(|(name, _)| name.trim().trim_matches('"').replace('_', "-") == key)
}

/// A JSON value without duplicate keys, of which serde would keep only the last.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut keys = Map::new();
        while let Some((key, Unique(value))) = entries.next_entry::<String, Unique>()? {
            if keys.contains_key(&key) {
                return Err(A::Error::custom(format!("{key:?} appears twice")));
            }
            keys.insert(key, value);
        }
        Ok(keys.into())
    }
}

/// A value as typed on the command line.
fn as_typed(key: &str, value: &Value) -> Result<String, String> {
    let joined = |list: &[Value], separator| -> Result<String, String> {
        let items: Result<Vec<_>, _> = list.iter().map(|item| as_typed(key, item)).collect();
        Ok(items?.join(separator))
    };
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(on) => Ok(if *on { "on" } else { "off" }.to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Array(list) if list.iter().any(Value::is_array) => {
            let deeper = |item: &Value| item.as_array().is_some_and(|list| list.iter().any(Value::is_array));
            if list.iter().any(deeper) {
                return Err(format!("{key}: a list of lists of lists is not a value of a setting"));
            }
            joined(list, "/")
        }
        Value::Array(list) => joined(list, ","),
        other => Err(format!("{key}: {other} is not a value of a setting")),
    }
}

/// Flags that are not settings.
const FLAGS_ONLY: [&str; 6] = ["color", "config", "folds", "json", "quiet", "resume"];

/// The nearest name of a setting, if any is similar.
fn suggestion(name: &str) -> String {
    if FLAGS_ONLY.contains(&name) {
        return format!(", only a flag: type --{name}");
    }
    match nearest(name, Settings::all().map(Setting::name)) {
        Some(known) => format!("; did you mean {known:?}?"),
        None => "; keys are the flags of `tanner train --help` without the dashes".into(),
    }
}
