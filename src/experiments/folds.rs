//! The results of a cross-validation: scores of each fold, their mean and deviation, and all predictions.

use serde::Serialize;

use super::MeanDeviation;
use crate::Result;
use crate::dataset::{TargetRecord, Targets, Task};
use crate::inference::{Predictions, TaskScores};
use crate::session::{CrossValidation, TestedFold};

/// A score of every fold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoldMeasure {
    /// Its name, as in `scores.json`.
    pub name: &'static str,
    /// Over the folds that have it; `None` if no fold has it.
    pub over_folds: Option<MeanDeviation>,
}

/// `folds.json`.
#[derive(Clone, Debug, Serialize)]
pub struct FoldsReport<'a> {
    /// What is predicted.
    #[serde(skip_serializing_if = "Task::is_classification")]
    pub task: Task,
    /// Requested number of folds.
    pub folds: usize,
    /// Seed of the split and of all runs.
    pub seed: u64,
    /// Number of rows tested.
    pub rows: usize,
    /// The names of the classes.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub classes: &'a [String],
    /// The names of the numbers or labels.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub targets: &'a [String],
    /// Means over the folds.
    pub measures: Vec<FoldMeasure>,
    /// Scores of all predictions together, each by the model that did not see the row.
    pub pooled: Option<TaskScores>,
    /// The folds.
    pub runs: Vec<FoldRun<'a>>,
}

/// A fold in `folds.json`.
#[derive(Clone, Debug, Serialize)]
pub struct FoldRun<'a> {
    /// Counted from 0.
    pub fold: usize,
    /// Number of rows that it was tested on.
    pub rows: usize,
    /// Number of rows that it was trained on.
    pub train_samples: usize,
    /// Number of epochs trained.
    pub epochs: usize,
    /// Its scores on its test rows.
    pub scores: &'a TaskScores,
}

impl<'a> FoldsReport<'a> {
    /// The report of the finished folds.
    ///
    /// # Errors
    /// When the predictions of the folds do not fit each other.
    pub fn new(found: &'a CrossValidation, folds: usize, seed: u64) -> Result<Self> {
        let tested = &found.folds;
        let over_folds = |name: &str| {
            let values = tested.iter().filter_map(|fold| fold.scores.measure(name));
            MeanDeviation::of(&values.collect::<Vec<_>>())
        };
        let names = tested.first().map_or_else(Vec::new, |fold| fold.scores.measures());
        let measures =
            names.into_iter().map(|(name, _)| FoldMeasure { name, over_folds: over_folds(name) }).collect();
        let run = |fold: &'a TestedFold| FoldRun {
            fold: fold.fold,
            rows: fold.rows.len(),
            train_samples: fold.summary.train_samples,
            epochs: fold.summary.epochs,
            scores: &fold.scores,
        };
        let task = tested.first().map_or_else(Task::default, |fold| fold.targets.task());
        let names: &[String] = tested.first().map_or(&[], |fold| &fold.names);
        let (classes, targets) = if task.is_classification() { (names, &[][..]) } else { (&[][..], names) };
        Ok(Self {
            task,
            folds,
            seed,
            rows: tested.iter().map(|fold| fold.rows.len()).sum(),
            classes,
            targets,
            measures,
            pooled: pooled(tested)?,
            runs: tested.iter().map(run).collect(),
        })
    }

    /// Mean and deviation of a score by its name.
    #[must_use]
    pub fn measure(&self, name: &str) -> Option<MeanDeviation> {
        self.measures.iter().find(|measure| measure.name == name)?.over_folds
    }

    /// The last line: means and deviations over the folds.
    #[must_use]
    pub fn in_words(&self) -> String {
        let shown = |name: &str, words: &str, form: fn(f64) -> String, unit: &str| {
            let MeanDeviation { mean, deviation, .. } = self.measure(name)?;
            // Without more decimals than the mean.
            let decimals = form(mean).split_once('.').map_or(0, |(_, decimals)| decimals.len());
            let factor = if unit == " %" { 100.0 } else { 1.0 };
            let deviation =
                deviation.map_or(String::new(), |deviation| format!(" ± {:.decimals$}", factor * deviation));
            Some(format!("{words} {}{deviation}{unit}", form(mean)))
        };
        let percent = |value: f64| format!("{:.2}", 100.0 * value);
        let four = crate::text::four_decimals;
        let digits = |value: f64| crate::text::digits(value, 4);
        let measures = match self.task {
            Task::Classification => [
                shown("accuracy", "accuracy", percent, " %"),
                shown("log_loss", "log-loss", four, ""),
                shown("roc_auc", "ROC AUC", four, ""),
            ],
            Task::Regression => [
                shown("rmse", "RMSE", digits, ""),
                shown("mae", "MAE", digits, ""),
                shown("r2", "R2", four, ""),
            ],
            Task::MultiLabel => [
                shown("subset_accuracy", "subset accuracy", percent, " %"),
                shown("macro_f1", "macro F1", percent, " %"),
                shown("macro_auc", "macro AUC", four, ""),
            ],
        };
        let measures: Vec<String> = measures.into_iter().flatten().collect();
        let of = if self.runs.len() == self.folds {
            format!("{} folds", self.folds)
        } else {
            format!("{} of {} folds", self.runs.len(), self.folds)
        };
        format!("{of}: {} (mean ± standard deviation)", measures.join(", "))
    }
}

/// The scores of all folds together.
fn pooled(folds: &[TestedFold]) -> Result<Option<TaskScores>> {
    let Some(first) = folds.first() else { return Ok(None) };
    let predictions = Predictions::joined(folds.iter().map(|fold| &fold.predictions))?;
    let targets = match &first.targets {
        Targets::Classes { count, .. } => Targets::Classes {
            labels: folds.iter().flat_map(|fold| fold.targets.labels()).copied().collect(),
            count: *count,
        },
        Targets::Numbers { task, count, .. } => Targets::Numbers {
            task: *task,
            values: folds.iter().flat_map(|fold| fold.targets.values()).copied().collect(),
            count: *count,
        },
    };
    // Every row was a training row of most folds.
    let records = if targets.task().is_classification() {
        Vec::new()
    } else {
        TargetRecord::of(&targets, None, first.names.iter().cloned())
    };
    TaskScores::new(&predictions, &targets, &records).map(Some)
}

/// The predictions of all folds as CSV, by rising row: row of the table (the first has number 1), fold, label, predicted class
/// and the probability of each class, as in the output of `predict`. Of numbers and labels, each with its prediction.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) of the encoder.
pub fn predictions_csv(found: &CrossValidation) -> Result<Vec<u8>> {
    let failed = |error: csv::Error| crate::Error::io("predictions.csv", std::io::Error::other(error));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut rows: Vec<(usize, &TestedFold, usize)> = Vec::new();
    for fold in &found.folds {
        rows.extend(fold.rows.iter().enumerate().map(|(place, row)| (*row, fold, place)));
    }
    rows.sort_unstable_by_key(|(row, ..)| *row);
    let header = ["row".to_owned(), "fold".to_owned()].into_iter();
    writer.write_record(header.chain(found.folds.first().map_or_else(Vec::new, headings))).map_err(failed)?;
    for (row, fold, place) in rows {
        let place_of_row = [(row + 1).to_string(), fold.fold.to_string()].into_iter();
        writer.write_record(place_of_row.chain(cells(fold, place))).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| crate::Error::io("predictions.csv", error.into_error()))
}

/// The columns behind row and fold.
fn headings(fold: &TestedFold) -> Vec<String> {
    let with = |before: &str| fold.names.iter().map(move |name| format!("{before}{name}")).collect();
    let parts: Vec<Vec<String>> = match fold.targets.task() {
        Task::Classification => vec![vec!["label".into(), "predicted".into()], with("probability ")],
        Task::Regression => vec![with(""), with("predicted ")],
        Task::MultiLabel => vec![with(""), with("predicted "), with("probability ")],
    };
    parts.concat()
}

/// The values of these columns for a row of a fold.
fn cells(fold: &TestedFold, place: usize) -> Vec<String> {
    fn texts<T: ToString>(values: &[T]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }
    let predictions = &fold.predictions;
    match &fold.targets {
        Targets::Classes { labels, .. } => {
            let name = |class: u32| fold.names.get(class as usize).map_or("?", String::as_str).to_owned();
            let own = vec![name(labels[place]), name(predictions.label(place))];
            [own, texts(predictions.of(place))].concat()
        }
        Targets::Numbers { task, values, count } => {
            let own = texts(&values[place * count..][..*count]);
            let probabilities = texts(predictions.of(place));
            if *task == Task::Regression {
                return [own, probabilities].concat();
            }
            let has = |logit: &f32| u8::from(*logit > 0.0).to_string();
            let labels = predictions.logits()[place * count..][..*count].iter().map(has).collect();
            [own, labels, probabilities].concat()
        }
    }
}
