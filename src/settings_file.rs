//! Settings in a file: one key for each flag of the command line.
//!
//! A TOML file has the flags' long names as keys, without the dashes before them:
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
//! Lists stand for what is joined by commas on the command line, lists of lists for what is joined by slashes.
//! What a key means is not known here.

use toml::Value;

use crate::error::one_line;

/// A settings file may have so many bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// What a file says of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The flag's long name: `batch-size`. Underscores are read as dashes.
    pub key: String,
    /// Its value.
    pub value: EntryValue,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryValue {
    /// `true` or `false`.
    Switch(bool),
    /// As it would be typed.
    Text(String),
}

/// Reads the text of a settings file, keys in the order of the alphabet.
///
/// # Errors
/// A line that says what is wrong, and in which line of the file: too large, no TOML, a table in place of a value.
pub fn parse(text: &str) -> Result<Vec<Entry>, String> {
    entries(text).map_err(|reason| one_line(&reason))
}

fn entries(text: &str) -> Result<Vec<Entry>, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("{} bytes, a settings file has {MAX_BYTES} at most", text.len()));
    }
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let before = error.span().map_or("", |span| text.get(..span.start).unwrap_or(""));
        let line = before.matches('\n').count() + 1;
        format!("line {line}: {}", error.message())
    })?;
    let entry = |(key, value): (String, Value)| {
        let value = match value {
            Value::Boolean(on) => EntryValue::Switch(on),
            Value::Array(list) if list.iter().any(Value::is_array) => {
                EntryValue::Text(joined(&key, &list, "/")?)
            }
            Value::Array(list) => EntryValue::Text(joined(&key, &list, ",")?),
            other => EntryValue::Text(scalar(&key, &other)?),
        };
        Ok(Entry { key: key.replace('_', "-"), value })
    };
    table.into_iter().map(entry).collect()
}

fn joined(key: &str, list: &[Value], separator: &str) -> Result<String, String> {
    let part = |value: &Value| match value {
        Value::Array(inner) if separator == "/" => joined(key, inner, ","),
        other => scalar(key, other),
    };
    Ok(list.iter().map(part).collect::<Result<Vec<_>, _>>()?.join(separator))
}

/// A number or a text as it would be typed.
fn scalar(key: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Array(_) => Err(format!("{key}: a list is no value of a setting here")),
        other => Err(format!("{key}: a {} is no value of a setting", other.type_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: &str, value: &str) -> Entry {
        Entry { key: key.into(), value: EntryValue::Text(value.into()) }
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let entries = parse(
            "lr = 1e-3\nhidden = [784, 400]\ndegrees = [[1, 2], [3]]\npca = true\narch = \"sc\"\nbatch_size = 64",
        );
        let expected = [
            text("arch", "sc"),
            text("batch-size", "64"),
            text("degrees", "1,2/3"),
            text("hidden", "784,400"),
            text("lr", "0.001"),
            Entry { key: "pca".into(), value: EntryValue::Switch(true) },
        ];
        assert_eq!(entries.unwrap(), expected);
        assert_eq!(parse("# nothing").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, part) in [
            ("lr = 1\nlr = 2", "line 2: "),
            ("a = \n", "line 1: "),
            ("[training]\nlr = 1", "training: a table is no value"),
            ("a = [[1, [2]]]", "a: a list is no value"),
            ("day = 2020-01-01", "day: a datetime is no value"),
            ("\"a\\nb\" = {}", "a b: a table is no value"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(part) && !message.contains('\n'), "{text:?}: {message}");
        }
        assert!(parse(&"#".repeat(MAX_BYTES + 1)).unwrap_err().contains("1048576 at most"));
    }
}
