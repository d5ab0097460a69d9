//! One result, as stored in files.

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

/// One measurement of one program; other programs write the same fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The program: `tanner`, `pytorch`, ...
    pub program: String,
    /// Its version.
    pub version: String,
    /// Its mode, if it has more than one: `eager`, `cuda graph`.
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
    /// The processor or adapter, with threads and vector instructions if known.
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
    /// Microseconds per step.
    #[serde(flatten)]
    pub spread: Spread,
    /// Seconds for building graphs, initial weights and engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_seconds: Option<f64>,
    /// Peak resident memory of the process at the end of the measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_resident_bytes: Option<u64>,
    /// The comparison with the reference engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckReport>,
    /// Where it ran.
    #[serde(default)]
    pub machine: Machine,
}

impl Measurement {
    /// Program, mode and device: the row of a table.
    #[must_use]
    pub fn subject(&self) -> String {
        let words = [&self.program, &self.variant, &self.arch, &self.backend];
        let words: Vec<&str> =
            words.iter().map(|word| word.as_str()).filter(|word| !word.is_empty()).collect();
        words.join(" ")
    }

    /// Samples per second, at the median.
    #[must_use]
    pub fn samples_per_second(&self) -> f64 {
        self.batch as f64 * 1e6 / self.spread.median_us
    }

    /// Whether two are rounds of the same measurement: they differ only in the measured values.
    fn same_as(&self, other: &Self) -> bool {
        let key = |m: &Self| (m.mode, m.subject(), m.batch, m.device.clone(), m.circumstances());
        key(self) == key(other)
    }

    /// What may distinguish two measurements of the same subject, besides batch and device, in words.
    #[must_use]
    pub fn circumstances(&self) -> [String; 6] {
        let Machine { os, processor_kind, processor, logical_cores } = &self.machine;
        [
            format!("width {}", self.width),
            format!("{} layers", self.hidden_layers),
            format!("{} weights", self.edges),
            self.optimizer.clone(),
            format!("version {}", self.version),
            format!("{os} {processor_kind} {processor}, {logical_cores} cores"),
        ]
    }

    /// Says why this is not a valid measurement.
    fn check(&self) -> Result<(), String> {
        let texts = [
            &self.program,
            &self.version,
            &self.variant,
            &self.arch,
            &self.optimizer,
            &self.backend,
            &self.device,
            &self.machine.os,
            &self.machine.processor_kind,
            &self.machine.processor,
        ];
        if let Some(text) = texts.iter().find(|text| text.contains(char::is_control)) {
            return Err(format!("{text:?} has control characters"));
        }
        let counts = [("batch", self.batch), ("steps_per_call", self.steps_per_call)];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(format!("{name} is 0, it must be at least 1"));
        }
        self.spread.check()
    }
}

/// Reads measurements, a list or one object per line.
///
/// # Errors
/// [`Error::Io`], or [`Error::Data`] with the place of an invalid measurement, or for a file without any.
pub fn read_measurements(path: impl AsRef<Path>) -> Result<Vec<Measurement>> {
    let path = path.as_ref();
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
    let refuse = |offset: usize, reason: String| Error::Data {
        path: path.to_owned(),
        offset: offset as u64,
        reason: format!("no measurement: {reason}"),
    };
    let mut found = Vec::new();
    if text.trim_start().starts_with('[') {
        found = serde_json::from_str(&text).map_err(|error| refuse(0, error.to_string()))?;
        for (number, measurement) in (1..).zip(&found) {
            Measurement::check(measurement)
                .map_err(|reason| refuse(0, format!("entry {number} of the list: {reason}")))?;
        }
    } else {
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            if !line.trim().is_empty() {
                let measurement: Measurement =
                    serde_json::from_str(line).map_err(|error| refuse(offset, error.to_string()))?;
                measurement.check().map_err(|reason| refuse(offset, reason))?;
                found.push(measurement);
            }
            offset += line.len();
        }
    }
    if found.is_empty() {
        return Err(refuse(0, "the file holds none".into()));
    }
    Ok(found)
}

/// Combines rounds of the same measurement, in the order of their first appearance.
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
mod tests {
    use super::*;

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
    fn impossible_measurements_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let refused = |text: String| {
            std::fs::write(&path, text).unwrap();
            read_measurements(&path).unwrap_err().to_string()
        };
        let with = |change: fn(&mut Measurement)| {
            let mut measurement = Measurement::example("tanner", "sc", 784);
            change(&mut measurement);
            serde_json::to_string(&measurement).unwrap()
        };
        for (text, part) in [
            (with(|m| m.spread.fastest_us = -5.0), "fastest_us is -5, it must be above 0"),
            (with(|m| m.spread.fastest_us = 0.0), "fastest_us is 0, "),
            (with(|m| m.spread.slowest_us = 1e308), "slowest_us is "),
            (with(|m| m.spread.upper_quartile_us = 25.0), "upper_quartile_us is 25, less than median_us, 30"),
            (with(|m| m.spread.calls = 0), "calls is 0"),
            (with(|m| m.batch = 0), "batch is 0, it must be at least 1"),
            (with(|m| m.program = "\u{1b}[31mred".into()), "has control characters"),
            (with(|m| m.machine.processor = "a\nb".into()), "has control characters"),
            (format!("[{}, {}]", with(|_| {}), with(|m| m.batch = 0)), "entry 2 of the list: batch is 0"),
            (String::new(), "the file holds none"),
            ("[]".into(), "the file holds none"),
        ] {
            let message = refused(text);
            assert!(message.contains(part) && message.contains("file, byte 0: "), "{message}");
            assert!(!message.contains(char::is_control), "{message}");
        }
    }

    #[test]
    fn different_measurements_are_not_combined() {
        let ours = Measurement::example("tanner", "sc", 784);
        let mut others = vec![ours.clone(); 6];
        others[0].optimizer = "Adam".into();
        others[1].version = "2".into();
        others[2].machine.processor = "another".into();
        others[3].edges += 1;
        others[4].device = "2 threads".into();
        others[5].width += 1;
        for other in others {
            assert_eq!(rounds_joined(&[ours.clone(), other.clone()]), [ours.clone(), other]);
        }
    }

    #[test]
    fn rounds_of_one_measurement_are_combined_and_others_stay_separate() {
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
