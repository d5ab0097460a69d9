//! Value types of settings: lists, switches, choices. Each has a text form, used in files.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::dataset::Holdout;
#[cfg(feature = "gpu")]
use crate::engine::gpu::Tuning;
use crate::named::{named, serde_as_text};
use crate::topology::DegreeDistribution;
use crate::{Error, Result, Setting};

named! {
    /// On or off.
    pub enum Switch {
        On = "on",
        Off = "off",
    }
}

named! {
    /// The requested engine.
    pub enum BackendChoice {
        /// A hardware GPU if there is one, otherwise the CPU.
        Auto = "auto",
        /// A GPU, including software adapters.
        Gpu = "gpu",
        /// All cores, or some of them.
        Cpu = "cpu",
        /// Float64 on one core.
        Reference = "reference",
    }
}

impl BackendChoice {
    /// Whether it has a use for a setting of engines.
    pub(super) fn has(self, setting: Setting) -> bool {
        match setting {
            Setting::Threads => matches!(self, Self::Auto | Self::Cpu),
            Setting::Adapter | Setting::GpuKernels => matches!(self, Self::Auto | Self::Gpu),
            _ => false,
        }
    }
}

/// Comma-separated numbers: `8,8,4`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List(pub Vec<usize>);

/// Lists separated by slashes: `98,130,98/98,49`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lists(pub Vec<Vec<usize>>);

/// Widths of layers; `none` for no layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widths(pub Vec<usize>);

/// Distributions of degrees separated by slashes, one for each layer or one for all.
#[derive(Clone, Debug, PartialEq)]
pub struct DegreeDistributions(pub Vec<DegreeDistribution>);

/// The test rows of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum TestRows {
    /// Another file.
    File(PathBuf),
    /// Some of its rows.
    Part(Holdout),
}

/// Where an event file for TensorBoard goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventsPlace {
    /// Apart from the metrics.
    RunFolder,
    /// A folder named after the run below this one, by which TensorBoard distinguishes runs.
    Below(PathBuf),
}

/// The separator of fields of a CSV file, an ASCII character; a blank means runs of blanks and tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiter(pub u8);

/// The kernels of a GPU engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KernelChoice {
    /// The best of a measurement, on any adapter.
    Auto,
    /// Defaults measured on one card, or for software adapters.
    Default,
    /// These.
    #[cfg(feature = "gpu")]
    Given(Tuning),
}

/// One text for each item, with a separator between them.
pub(super) fn joined<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    separator: &str,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(f, &self.0, ",")
    }
}

impl FromStr for List {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let item = |text: &str| {
            let refusal = |_| format!("{text:?} is not a whole number; write 8 or 8,8,4");
            text.parse().map_err(refusal)
        };
        text.split(',').map(str::trim).map(item).collect::<Result<_, _>>().map(Self)
    }
}

impl From<Vec<usize>> for List {
    fn from(items: Vec<usize>) -> Self {
        Self(items)
    }
}

impl fmt::Display for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists: Vec<_> = self.0.iter().map(|list| List(list.clone())).collect();
        joined(f, &lists, "/")
    }
}

impl FromStr for Lists {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split('/')
            .map(|part| part.parse::<List>().map(|list| list.0))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for Widths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("none") } else { joined(f, &self.0, ",") }
    }
}

impl FromStr for Widths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" { Ok(Self(Vec::new())) } else { text.parse::<List>().map(|list| Self(list.0)) }
    }
}

impl From<Vec<usize>> for Widths {
    fn from(widths: Vec<usize>) -> Self {
        Self(widths)
    }
}

impl fmt::Display for DegreeDistributions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(f, &self.0, "/")
    }
}

impl FromStr for DegreeDistributions {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        text.split('/').map(str::parse).collect::<Result<_>>().map(Self)
    }
}

impl fmt::Display for TestRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Part(holdout) => holdout.fmt(f),
        }
    }
}

impl FromStr for TestRows {
    type Err = Error;

    /// A number is rows, and fold-0-of-5 a fifth of them; anything else is a file.
    fn from_str(text: &str) -> Result<Self> {
        let is_part = text.parse::<f64>().is_ok() || matches!(text.parse(), Ok(Holdout::Fold { .. }));
        if is_part { text.parse().map(Self::Part) } else { Ok(Self::File(text.into())) }
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b'\t' => f.write_str("tab"),
            b' ' => f.write_str("blanks"),
            other => char::from(other).fmt(f),
        }
    }
}

impl FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.as_bytes() {
            _ if text == "tab" || text == "\\t" => Ok(Self(b'\t')),
            _ if text == "blanks" => Ok(Self(b' ')),
            [one] if one.is_ascii() && !b"\"\r\n.".contains(one) && !one.is_ascii_alphanumeric() => {
                Ok(Self(*one))
            }
            _ => Err(format!("{text:?} cannot separate fields: write , ; | tab or blanks")),
        }
    }
}

impl EventsPlace {
    /// The text for the run folder.
    pub(crate) const RUN_FOLDER: &str = "run-folder";
}

impl fmt::Display for EventsPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RunFolder => f.write_str(Self::RUN_FOLDER),
            Self::Below(folder) => folder.display().fmt(f),
        }
    }
}

impl FromStr for EventsPlace {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "" => Err(Error::setting(Setting::Tensorboard, "it must be a folder, or run-folder")),
            Self::RUN_FOLDER => Ok(Self::RunFolder),
            folder => Ok(Self::Below(folder.into())),
        }
    }
}

impl fmt::Display for KernelChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Default => f.write_str("default"),
            #[cfg(feature = "gpu")]
            Self::Given(tuning) => tuning.fmt(f),
        }
    }
}

impl FromStr for KernelChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "default" => Ok(Self::Default),
            #[cfg(feature = "gpu")]
            text if text.contains('=') => text.parse().map(Self::Given),
            text => Err(Error::setting(
                Setting::GpuKernels,
                format!(
                    "{text:?} is neither auto nor default nor what a run recorded, dense=0.3,forward=8,.."
                ),
            )),
        }
    }
}

serde_as_text!(Delimiter);
serde_as_text!(Lists);
serde_as_text!(Widths);
serde_as_text!(DegreeDistributions);
serde_as_text!(TestRows);
serde_as_text!(EventsPlace);
serde_as_text!(KernelChoice);
serde_as_text!(List);

/// Serialises a value as its text.
pub(super) mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, T: FromStr<Err = crate::Error>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
    }
}

/// Reads a value; the parser of the command line names the flag itself.
pub fn parsed<T: FromStr<Err = Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| match error {
        Error::Setting { reason, .. } => reason,
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_written() {
        let list = |text: &str| text.parse::<List>();
        assert_eq!(list("8").unwrap().0, [8]);
        assert_eq!(list("8, 8,4").unwrap().0, [8, 8, 4]);
        assert_eq!(list("8,8,4").unwrap().to_string(), "8,8,4");
        assert_eq!("1,2/3".parse::<Lists>().unwrap().0, [vec![1, 2], vec![3]]);
        assert_eq!("1,2/3".parse::<Lists>().unwrap().to_string(), "1,2/3");
        assert_eq!("none".parse::<Widths>().unwrap(), Widths(Vec::new()));
        assert_eq!(Widths(Vec::new()).to_string(), "none");
        for text in ["", "8,", "8,,4", "-1", "8.5", "eight", "99999999999999999999999"] {
            assert!(list(text).is_err(), "{text}");
            assert!(text.parse::<Lists>().is_err(), "{text}");
        }
    }
}
