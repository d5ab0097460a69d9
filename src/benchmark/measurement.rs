//! One result, in the form that files keep.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{CheckReport, Machine, Spread};
use crate::{Error, Result};

/// What was timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// A training step: forward, backward, update.
    Training,
    /// A forward pass.
    Inference,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Training => "training",
            Self::Inference => "inference",
        })
    }
}

/// One measurement of one program; other programs than this one write the same fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Who computed: `tanner`, `pytorch`, ...
    pub program: String,
    /// Its version.
    pub version: String,
    /// How it computed, where it has more than one way: `eager`, `cuda graph`.
    #[serde(default)]
    pub variant: String,
    /// What was timed.
    pub mode: Mode,
    /// The network: `sc`, `rsp`, `fc`, `narrow`, `band`.
    pub arch: String,
    /// Number of inputs.
    pub width: usize,
    /// Number of hidden layers.
    pub hidden_layers: usize,
    /// Samples in a batch.
    pub batch: usize,
    /// How gradients change the parameters; empty for inference.
    #[serde(default)]
    pub optimizer: String,
    /// `cpu` or `gpu` (or `reference`).
    pub backend: String,
    /// The processor or adapter, with threads and vector instructions where they are known.
    pub device: String,
    /// Density of dense tiles and shares of sums on a GPU, as `--gpu-kernels` takes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_kernels: Option<String>,
    /// Weights of the network, biases not counted.
    pub edges: usize,
    /// Bytes that the weights take on the engine, with padding and index, without optimiser state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_bytes: Option<u64>,
    /// Steps that one timed call ran.
    pub steps_per_call: usize,
    /// Microseconds a step.
    #[serde(flatten)]
    pub spread: Spread,
    /// Seconds that graphs, first weights and engine took to make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_seconds: Option<f64>,
    /// Most memory that the process had held by the end of the measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_resident_bytes: Option<u64>,
    /// How near it came to the reference engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckReport>,
    /// Where it ran.
    #[serde(default)]
    pub machine: Machine,
}

impl Measurement {
    /// Who computed, how and on what: the row of a table.
    #[must_use]
    pub fn subject(&self) -> String {
        let words = [&self.program, &self.variant, &self.arch, &self.backend];
        let words: Vec<&str> =
            words.iter().map(|word| word.as_str()).filter(|word| !word.is_empty()).collect();
        words.join(" ")
    }

    /// Samples a second, at the median.
    #[must_use]
    pub fn samples_per_second(&self) -> f64 {
        self.batch as f64 * 1e6 / self.spread.median_us
    }

    /// Whether two are rounds of the same measurement.
    fn same_as(&self, other: &Self) -> bool {
        let key = |m: &Self| (m.mode, m.subject(), m.width, m.hidden_layers, m.batch, m.device.clone());
        key(self) == key(other)
    }
}

/// Reads measurements, a list or one object a line.
///
/// # Errors
/// [`Error::Io`], or [`Error::Data`] with the place of what is no measurement.
pub fn read_measurements(path: &Path) -> Result<Vec<Measurement>> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
    let refuse = |offset: usize, error: serde_json::Error| Error::Data {
        path: path.to_owned(),
        offset: offset as u64,
        reason: format!("no measurement: {error}"),
    };
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(&text).map_err(|error| refuse(0, error));
    }
    let (mut found, mut offset) = (Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        if !line.trim().is_empty() {
            found.push(serde_json::from_str(line).map_err(|error| refuse(offset, error))?);
        }
        offset += line.len();
    }
    Ok(found)
}

/// Rounds of the same measurement as one, in the order in which each came first.
#[must_use]
pub fn rounds_joined(measurements: &[Measurement]) -> Vec<Measurement> {
    let mut groups: Vec<Vec<&Measurement>> = Vec::new();
    for measurement in measurements {
        match groups.iter_mut().find(|group| group[0].same_as(measurement)) {
            Some(group) => group.push(measurement),
            None => groups.push(vec![measurement]),
        }
    }
    let join = |group: &Vec<&Measurement>| {
        let rounds: Vec<Spread> = group.iter().map(|round| round.spread).collect();
        Spread::of_rounds(&rounds).map(|spread| Measurement { spread, ..group[0].clone() })
    };
    groups.iter().filter_map(join).collect()
}

#[cfg(test)]
impl Measurement {
    /// A measurement of 10 to 50 microseconds, for tests.
    pub(crate) fn example(program: &str, arch: &str, width: usize) -> Self {
        Self {
            program: program.into(),
            version: "1".into(),
            variant: String::new(),
            mode: Mode::Training,
            arch: arch.into(),
            width,
            hidden_layers: 5,
            batch: 128,
            optimizer: "SGD".into(),
            backend: "cpu".into(),
            device: "1 thread".into(),
            gpu_kernels: None,
            edges: 53 * width,
            weight_bytes: None,
            steps_per_call: 1,
            spread: Spread {
                calls: 5,
                median_us: 30.0,
                fastest_us: 10.0,
                lower_quartile_us: 20.0,
                upper_quartile_us: 40.0,
                slowest_us: 50.0,
            },
            build_seconds: None,
            peak_resident_bytes: None,
            check: None,
            machine: Machine::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_lines_are_read_and_mistakes_are_placed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let both =
            vec![Measurement::example("tanner", "sc", 784), Measurement::example("pytorch", "fc", 784)];
        std::fs::write(&path, serde_json::to_string_pretty(&both).unwrap()).unwrap();
        assert_eq!(read_measurements(&path).unwrap(), both);
        let line = |m: &Measurement| serde_json::to_string(m).unwrap() + "\n";
        let lines = format!("{}\n{}", line(&both[0]), line(&both[1]));
        std::fs::write(&path, &lines).unwrap();
        assert_eq!(read_measurements(&path).unwrap(), both);
        std::fs::write(&path, format!("{}{{}}\n", line(&both[0]))).unwrap();
        let message = read_measurements(&path).unwrap_err().to_string();
        let offset = line(&both[0]).len();
        assert!(message.contains(&format!("byte {offset}: no measurement: missing field")), "{message}");
        assert!(read_measurements(folder.path()).is_err());
    }

    #[test]
    fn rounds_of_one_thing_are_joined_and_others_stay_apart() {
        let ours = Measurement::example("tanner", "sc", 784);
        let mut slow = ours.clone();
        slow.spread.median_us = 50.0;
        let mut large = ours.clone();
        large.batch = 1024;
        let joined = rounds_joined(&[ours.clone(), large.clone(), slow]);
        assert_eq!(joined.len(), 2);
        assert_eq!((joined[0].spread.median_us, joined[0].spread.calls), (40.0, 10));
        assert_eq!(joined[1], large);
    }
}
