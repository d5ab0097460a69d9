//! Configurations and the results of their runs.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::{MeanDeviation, Paired};
use crate::session::Configuration;
use crate::training::{Metric, ScoredOn, Summary};

/// The result of one run, without times.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunScore {
    /// Seed of the run.
    pub seed: u64,
    /// The metric; unless it is the accuracy of classes, it replaces the accuracy in the fields of that name.
    #[serde(skip_serializing_if = "Metric::is_accuracy")]
    pub metric: Metric,
    /// Share of correct samples after the last epoch.
    pub accuracy: f64,
    /// The same after the best epoch.
    pub best_accuracy: f64,
    /// Mean cross-entropy in nats after the last epoch.
    pub loss: f64,
    /// Number of weights and biases.
    pub parameters: usize,
    /// Number of epochs trained.
    pub epochs: usize,
    /// The scored samples.
    pub scored_on: ScoredOn,
}

impl From<&Summary> for RunScore {
    fn from(summary: &Summary) -> Self {
        Self {
            seed: summary.seed,
            metric: summary.metric,
            accuracy: summary.test_accuracy,
            best_accuracy: summary.best_test_accuracy,
            loss: summary.test_loss,
            parameters: summary.parameters,
            epochs: summary.epochs,
            scored_on: summary.scored_on,
        }
    }
}

/// A configuration with its finished runs, by rising seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The configuration.
    pub configuration: Configuration,
    /// The result of each seed.
    pub runs: Vec<RunScore>,
}

impl Serialize for Entry {
    /// The settings as flags; after the runs, their statistics.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("name", &self.configuration.name)?;
        fields.serialize_entry("flags", &self.configuration.flags())?;
        fields.serialize_entry("runs", &self.runs)?;
        let metric = self.metric();
        fields.serialize_entry(metric.name(), &self.accuracy())?;
        fields.serialize_entry(&format!("best_{metric}"), &self.best_accuracy())?;
        fields.end()
    }
}

impl Entry {
    /// The finished runs of a configuration.
    #[must_use]
    pub fn new(configuration: Configuration, summaries: &[Summary]) -> Self {
        Self { configuration, runs: summaries.iter().map(RunScore::from).collect() }
    }

    /// Last-epoch accuracy over the seeds; `None` without a finished run.
    #[must_use]
    pub fn accuracy(&self) -> Option<MeanDeviation> {
        MeanDeviation::of(&self.runs.iter().map(|run| run.accuracy).collect::<Vec<_>>())
    }

    /// Best-epoch accuracy over the seeds.
    #[must_use]
    pub fn best_accuracy(&self) -> Option<MeanDeviation> {
        MeanDeviation::of(&self.runs.iter().map(|run| run.best_accuracy).collect::<Vec<_>>())
    }

    /// The metric of its runs.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.runs.first().map_or(Metric::Accuracy, |run| run.metric)
    }

    /// The samples on which accuracies were measured; `None` without a finished run.
    #[must_use]
    pub fn scored_on(&self) -> Option<ScoredOn> {
        self.runs.first().map(|run| run.scored_on)
    }

    /// Compares with another entry on the seeds that both have.
    #[must_use]
    pub fn paired_with(&self, other: &Self) -> Option<Paired> {
        let pairs = self.runs.iter().filter_map(|run| {
            let partner = other.runs.iter().find(|partner| partner.seed == run.seed)?;
            (run.metric == partner.metric).then_some((run.accuracy, partner.accuracy))
        });
        Paired::of(&pairs.collect::<Vec<_>>())
    }
}

/// Several entries, one of which is the baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// All entries, in the requested order.
    pub entries: Vec<Entry>,
    /// Index of the baseline.
    pub baseline: usize,
}

/// An entry in the JSON file of a [`Comparison`].
#[derive(Serialize)]
struct EntryReport<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    minus_baseline: Option<Paired>,
}

#[derive(Serialize)]
struct ComparisonReport<'a> {
    baseline: &'a str,
    configurations: Vec<EntryReport<'a>>,
}

impl Comparison {
    /// The samples on which accuracies were measured; `None` without a finished run.
    #[must_use]
    pub fn scored_on(&self) -> Option<ScoredOn> {
        self.entries.iter().find_map(Entry::scored_on)
    }

    /// The metric of the runs; that of the baseline if they differ.
    #[must_use]
    pub fn metric(&self) -> Metric {
        let with_runs = |entry: &&Entry| !entry.runs.is_empty();
        let baseline = self.entries.get(self.baseline).filter(with_runs);
        baseline.or(self.entries.iter().find(with_runs)).map_or(Metric::Accuracy, Entry::metric)
    }

    /// The paired difference of one entry from the baseline; `None` for the baseline
    /// itself, and without common seeds.
    #[must_use]
    pub fn minus_baseline(&self, index: usize) -> Option<Paired> {
        let baseline = self.entries.get(self.baseline).filter(|_| index != self.baseline)?;
        self.entries[index].paired_with(baseline)
    }

    /// The content of the JSON file.
    ///
    /// # Errors
    /// Those of the encoder.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let reports = self
            .entries
            .iter()
            .enumerate()
            .map(|(index, entry)| EntryReport { entry, minus_baseline: self.minus_baseline(index) });
        let baseline = self.entries.get(self.baseline).map_or("", |entry| &entry.configuration.name);
        let report = ComparisonReport { baseline, configurations: reports.collect() };
        Ok(serde_json::to_string_pretty(&report)? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Entry {
        /// An entry for tests: seeds from 0, the best epoch a point above the last.
        pub(crate) fn example(name: &str, accuracies: &[f64]) -> Self {
            let run = |(seed, accuracy): (u64, &f64)| RunScore {
                seed,
                metric: Metric::Accuracy,
                accuracy: *accuracy,
                best_accuracy: accuracy + 0.01,
                loss: 0.5,
                parameters: 220_020,
                epochs: 30,
                scored_on: ScoredOn::Test,
            };
            Self {
                configuration: Configuration {
                    name: name.into(),
                    settings: crate::session::Settings::default()
                        .arch(name.parse::<crate::model::Arch>().unwrap_or(crate::model::Arch::Sc)),
                },
                runs: (0..).zip(accuracies).map(run).collect(),
            }
        }
    }

    #[test]
    fn pairs_are_made_by_seed() {
        let (mut first, second) = (Entry::example("a", &[0.5, 0.6, 0.7]), Entry::example("b", &[0.4, 0.5]));
        first.runs.remove(0);
        let paired = first.paired_with(&second).unwrap();
        assert_eq!(paired.difference.count, 1);
        assert!((paired.difference.mean - 0.1).abs() <= 1e-12);
    }

    #[test]
    fn json_has_runs_and_derived_numbers() {
        let comparison = Comparison {
            entries: vec![Entry::example("sc", &[0.5]), Entry::example("fc", &[0.25])],
            baseline: 1,
        };
        let json: serde_json::Value = serde_json::from_str(&comparison.to_json().unwrap()).unwrap();
        assert_eq!(json["baseline"], "fc");
        let first = &json["configurations"][0];
        assert_eq!(first["name"], "sc");
        assert_eq!(first["runs"][0]["accuracy"], 0.5);
        assert_eq!(first["minus_baseline"]["difference"]["mean"], 0.25);
        assert!(json["configurations"][1]["minus_baseline"].is_null());
    }
}
