//! The results of a cross-validation: scores of each fold, their mean and deviation, and all predictions.

use serde::Serialize;

use super::MeanDeviation;
use crate::Result;
use crate::inference::{Predictions, Scores};
use crate::session::{CrossValidation, TestedFold};

/// A score of every fold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoldMeasure {
    /// Its name, as in `scores.json`.
    pub name: &'static str,
    /// Over the folds that have it; `None` if no fold has it.
    pub over_folds: Option<MeanDeviation>,
}

/// The names of scores, and how to find them.
type Measure = (&'static str, fn(&Scores) -> Option<f64>);

/// The scores that are averaged; the first one is the most important.
const MEASURES: [Measure; 6] = [
    ("accuracy", |scores| Some(scores.accuracy)),
    ("log_loss", |scores| Some(scores.log_loss)),
    ("macro_f1", |scores| Some(scores.macro_f1)),
    ("roc_auc", |scores| scores.roc_auc),
    ("average_precision", |scores| scores.average_precision),
    ("brier", |scores| Some(scores.brier)),
];

/// `folds.json`.
#[derive(Clone, Debug, Serialize)]
pub struct FoldsReport<'a> {
    /// Requested number of folds.
    pub folds: usize,
    /// Seed of the split and of all runs.
    pub seed: u64,
    /// Number of rows tested.
    pub rows: usize,
    /// The names of the classes.
    pub classes: &'a [String],
    /// Means over the folds.
    pub measures: Vec<FoldMeasure>,
    /// Scores of all predictions together, each by the model that did not see the row.
    pub pooled: Option<Scores>,
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
    pub scores: &'a Scores,
}

impl<'a> FoldsReport<'a> {
    /// The report of the finished folds.
    ///
    /// # Errors
    /// When the predictions of the folds do not fit each other.
    pub fn new(found: &'a CrossValidation, folds: usize, seed: u64) -> Result<Self> {
        let tested = &found.folds;
        let over_folds = |measure: fn(&Scores) -> Option<f64>| {
            MeanDeviation::of(&tested.iter().filter_map(|fold| measure(&fold.scores)).collect::<Vec<_>>())
        };
        let measures =
            MEASURES.map(|(name, measure)| FoldMeasure { name, over_folds: over_folds(measure) }).to_vec();
        let run = |fold: &'a TestedFold| FoldRun {
            fold: fold.fold,
            rows: fold.rows.len(),
            train_samples: fold.summary.train_samples,
            epochs: fold.summary.epochs,
            scores: &fold.scores,
        };
        Ok(Self {
            folds,
            seed,
            rows: tested.iter().map(|fold| fold.rows.len()).sum(),
            classes: tested.first().map_or(&[], |fold| &fold.class_names),
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
        let shown = |name: &str, words: &str, factor: f64, digits: usize, unit: &str| {
            let MeanDeviation { mean, deviation, .. } = self.measure(name)?;
            let deviation =
                deviation.map_or(String::new(), |deviation| format!(" ± {:.digits$}", factor * deviation));
            Some(format!("{words} {:.digits$}{deviation}{unit}", factor * mean))
        };
        let measures = [
            shown("accuracy", "accuracy", 100.0, 2, " %"),
            shown("log_loss", "log-loss", 1.0, 4, ""),
            shown("roc_auc", "ROC AUC", 1.0, 4, ""),
        ];
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
fn pooled(folds: &[TestedFold]) -> Result<Option<Scores>> {
    let Some(first) = folds.first() else { return Ok(None) };
    let logits = folds.iter().flat_map(|fold| fold.predictions.logits()).copied().collect();
    let labels: Vec<u32> = folds.iter().flat_map(|fold| &fold.labels).copied().collect();
    Scores::new(&Predictions::new(logits, first.predictions.classes())?, &labels).map(Some)
}

/// The predictions of all folds as CSV, by rising row: row of the table (the first has number 1), fold, label, predicted class
/// and the probability of each class, as in the output of `predict`.
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
    let names = found.folds.first().map_or(&[][..], |fold| &fold.class_names);
    let header = ["row", "fold", "label", "predicted"].map(String::from).into_iter();
    let probabilities = names.iter().map(|name| format!("probability {name}"));
    writer.write_record(header.chain(probabilities)).map_err(failed)?;
    for (row, fold, place) in rows {
        let name = |class: u32| fold.class_names.get(class as usize).map_or("?", String::as_str);
        let texts = [
            (row + 1).to_string(),
            fold.fold.to_string(),
            name(fold.labels[place]).to_owned(),
            name(fold.predictions.label(place)).to_owned(),
        ];
        let probabilities = fold.predictions.of(place).iter().map(ToString::to_string);
        writer.write_record(texts.into_iter().chain(probabilities)).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| crate::Error::io("predictions.csv", error.into_error()))
}
