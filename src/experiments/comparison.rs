//! Configurations, what their runs gave, and the tables of it.

use serde::{Deserialize, Serialize};

use super::{MeanDeviation, Paired};
use crate::report::{grouped, markdown};
use crate::training::{ScoredOn, Summary};

/// A named way to train: the flags of `tanner train`, without `--seed` and `--out`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// Names the configuration in tables and its runs on the disk.
    pub name: String,
    /// Flags, as a shell would take them.
    pub flags: String,
}

/// What one run gave, without any time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunScore {
    /// Seed of the run.
    pub seed: u64,
    /// Share of correct samples after the last epoch.
    pub accuracy: f64,
    /// The same after the best epoch, which is known only afterwards.
    pub best_accuracy: f64,
    /// Mean cross-entropy in nats after the last epoch.
    pub loss: f64,
    /// Number of weights and biases.
    pub parameters: usize,
    /// Number of epochs trained.
    pub epochs: usize,
    /// What was scored.
    pub scored_on: ScoredOn,
}

impl From<&Summary> for RunScore {
    fn from(summary: &Summary) -> Self {
        Self {
            seed: summary.seed,
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// What was run.
    #[serde(flatten)]
    pub configuration: Configuration,
    /// What each seed gave.
    pub runs: Vec<RunScore>,
}

impl Entry {
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

    /// Compares with another entry on the seeds that both have.
    #[must_use]
    pub fn paired_with(&self, other: &Self) -> Option<Paired> {
        let pairs = self.runs.iter().filter_map(|run| {
            let partner = other.runs.iter().find(|partner| partner.seed == run.seed)?;
            Some((run.accuracy, partner.accuracy))
        });
        Paired::of(&pairs.collect::<Vec<_>>())
    }
}

/// Several entries, one of which the others are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// All entries, in the order in which they were asked for.
    pub entries: Vec<Entry>,
    /// Index of the entry that the others are compared with.
    pub baseline: usize,
}

/// [`Comparison`] as its JSON file has it, with what follows from the runs.
#[derive(Serialize)]
struct EntryReport<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    accuracy: Option<MeanDeviation>,
    best_accuracy: Option<MeanDeviation>,
    minus_baseline: Option<Paired>,
}

#[derive(Serialize)]
struct ComparisonReport<'a> {
    baseline: &'a str,
    configurations: Vec<EntryReport<'a>>,
}

impl Comparison {
    /// One configuration a row: accuracy, parameters, and the paired difference from the baseline.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let header = [
            "configuration",
            "parameters",
            "seeds",
            "accuracy",
            "best epoch's",
            "minus baseline (points)",
            "p",
            "flags",
        ];
        let rows = self.entries.iter().enumerate().map(|(index, entry)| self.row(index, entry));
        markdown(&header, &rows.collect::<Vec<_>>())
    }

    fn row(&self, index: usize, entry: &Entry) -> Vec<String> {
        let paired = self.minus_baseline(index);
        vec![
            entry.configuration.name.clone(),
            entry.runs.first().map_or(String::new(), |run| grouped(run.parameters)),
            entry.runs.len().to_string(),
            percent(entry.accuracy()),
            percent(entry.best_accuracy()),
            match &paired {
                Some(paired) => points(&paired.difference),
                None if index == self.baseline => "baseline".into(),
                None => String::new(),
            },
            paired.and_then(|paired| paired.p).map_or(String::new(), |p| format!("{p:.3}")),
            format!("`{}`", entry.configuration.flags),
        ]
    }

    fn minus_baseline(&self, index: usize) -> Option<Paired> {
        let baseline = self.entries.get(self.baseline).filter(|_| index != self.baseline)?;
        self.entries[index].paired_with(baseline)
    }

    /// Everything, as the JSON file has it.
    ///
    /// # Errors
    /// Whatever the encoder says.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let reports = self.entries.iter().enumerate().map(|(index, entry)| EntryReport {
            entry,
            accuracy: entry.accuracy(),
            best_accuracy: entry.best_accuracy(),
            minus_baseline: self.minus_baseline(index),
        });
        let baseline = self.entries.get(self.baseline).map_or("", |entry| &entry.configuration.name);
        let report = ComparisonReport { baseline, configurations: reports.collect() };
        Ok(serde_json::to_string_pretty(&report)? + "\n")
    }
}

/// `88.43 ± 0.12 %`, or a dash.
pub(super) fn percent(accuracy: Option<MeanDeviation>) -> String {
    match accuracy {
        None => "–".into(),
        Some(MeanDeviation { mean, deviation: None, .. }) => format!("{:.2} %", 100.0 * mean),
        Some(MeanDeviation { mean, deviation: Some(deviation), .. }) => {
            format!("{:.2} ± {:.2} %", 100.0 * mean, 100.0 * deviation)
        }
    }
}

fn points(difference: &MeanDeviation) -> String {
    let mean = 100.0 * difference.mean;
    match difference.deviation {
        Some(deviation) => format!("{mean:+.2} ± {:.2}", 100.0 * deviation),
        None => format!("{mean:+.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, accuracies: &[f64]) -> Entry {
        let run = |(seed, accuracy): (u64, &f64)| RunScore {
            seed,
            accuracy: *accuracy,
            best_accuracy: accuracy + 0.01,
            loss: 0.5,
            parameters: 220_020,
            epochs: 30,
            scored_on: ScoredOn::Test,
        };
        Entry {
            configuration: Configuration { name: name.into(), flags: format!("--arch {name}") },
            runs: (0..).zip(accuracies).map(run).collect(),
        }
    }

    #[test]
    fn rows_say_mean_deviation_and_the_paired_difference() {
        let entries = vec![entry("sc", &[0.88, 0.89]), entry("rsp", &[0.85, 0.88]), entry("fc", &[])];
        let comparison = Comparison { entries, baseline: 0 };
        let table = comparison.to_markdown();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 5, "{table}");
        assert!(lines[2].contains("| 88.50 ± 0.71 % | 89.50 ± 0.71 % | baseline |"), "{table}");
        // Differences of -3 and -1 points.
        assert!(lines[3].contains("| 86.50 ± 2.12 % |") && lines[3].contains("| -2.00 ± 1.41 |"), "{table}");
        assert!(lines[4].contains("| 0 | – |"), "{table}");
        assert!(table.contains("220,020") && table.contains("`--arch rsp`"));
    }

    #[test]
    fn pairs_are_made_by_seed() {
        let (mut first, second) = (entry("a", &[0.5, 0.6, 0.7]), entry("b", &[0.4, 0.5]));
        first.runs.remove(0);
        let paired = first.paired_with(&second).unwrap();
        assert_eq!(paired.difference.count, 1);
        assert!((paired.difference.mean - 0.1).abs() <= 1e-12);
    }

    #[test]
    fn json_holds_runs_and_what_follows_from_them() {
        let comparison = Comparison { entries: vec![entry("sc", &[0.5]), entry("fc", &[0.25])], baseline: 1 };
        let json: serde_json::Value = serde_json::from_str(&comparison.to_json().unwrap()).unwrap();
        assert_eq!(json["baseline"], "fc");
        let first = &json["configurations"][0];
        assert_eq!(first["name"], "sc");
        assert_eq!(first["runs"][0]["accuracy"], 0.5);
        assert_eq!(first["minus_baseline"]["difference"]["mean"], 0.25);
        assert!(json["configurations"][1]["minus_baseline"].is_null());
    }
}
