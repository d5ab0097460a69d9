//! Scores of predictions.

use serde::{Deserialize, Serialize};

use super::Predictions;
use super::metrics::{ThresholdTable, average_precision, brier, roc_auc};
use crate::{Error, Result};

/// Number of bins of equal width for the calibration error.
const CALIBRATION_BINS: usize = 15;

/// The scores of one class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Share of correct ones among the samples predicted as this class; 0 if there are none.
    pub precision: f64,
    /// Share of correct ones among the samples of this class; 0 if there are none.
    pub recall: f64,
    /// Harmonic mean of the two; 0 if both are 0.
    pub f1: f64,
    /// Number of samples of this class.
    pub support: usize,
    /// Area under the receiver operating characteristic of its probability, this class against the rest; `None` if no
    /// sample, or every sample, is of this class.
    #[serde(default)]
    pub roc_auc: Option<f64>,
    /// Average precision of its probability, likewise.
    #[serde(default)]
    pub average_precision: Option<f64>,
}

/// Predictions compared with labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Number of samples.
    pub samples: usize,
    /// Number of samples whose predicted class is their label's.
    pub correct: usize,
    /// Share of them.
    pub accuracy: f64,
    /// Mean cross-entropy in nats.
    pub log_loss: f64,
    /// Expected calibration error (Guo et al., 2017): the difference between confidence and accuracy, in
    /// 15 bins of the confidence, weighted by their samples. 0 is best, 1 worst.
    pub calibration_error: f64,
    /// Mean of the classes' F1, over the classes that have samples: of a class without any, nothing is known.
    pub macro_f1: f64,
    /// Area under the receiver operating characteristic: for two classes that of the second one, for more the mean over the
    /// classes that have it; `None` if no class has it.
    #[serde(default)]
    pub roc_auc: Option<f64>,
    /// Average precision (area under precision and recall), likewise.
    #[serde(default)]
    pub average_precision: Option<f64>,
    /// Classes whose AUC is missing in these means, because no sample, or every sample, is of that class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes_without_auc: Vec<usize>,
    /// Brier score, 0 is best: for two classes the mean of `(p - y)^2` of the second class, at most 1; for more the mean of
    /// the sum over all classes, at most 2.
    #[serde(default)]
    pub brier: f64,
    /// Two classes: how precision and recall of the second one depend on the probability from which it is predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[doc(hidden)]
    pub thresholds: Option<ThresholdTable>,
    /// Number of samples by class, `[label][predicted]`.
    pub confusion: Vec<Vec<usize>>,
    /// `[class]`.
    pub per_class: Vec<ClassScores>,
}

impl Scores {
    /// Compares predictions with the labels of the same samples.
    ///
    /// # Errors
    /// [`Error::Dataset`] when there is not one label for each sample, or a label is invalid.
    pub fn new(predictions: &Predictions, labels: &[u32]) -> Result<Self> {
        check(predictions, labels)?;
        let classes = predictions.classes();
        let mut confusion = vec![vec![0; classes]; classes];
        let mut bins = [Bin::default(); CALIBRATION_BINS];
        let mut log_loss = 0.0;
        for (sample, label) in labels.iter().map(|label| *label as usize).enumerate() {
            let predicted = predictions.label(sample) as usize;
            confusion[label][predicted] += 1;
            log_loss += predictions.cross_entropy(sample, label);
            let confidence = f64::from(predictions.of(sample)[predicted]);
            Bin::of(&mut bins, confidence).add(confidence, predicted == label);
        }
        let mut per_class: Vec<ClassScores> =
            (0..classes).map(|class| ClassScores::of(&confusion, class)).collect();
        let mut thresholds = None;
        for (class, own) in per_class.iter_mut().enumerate() {
            let column: Vec<f32> = (0..labels.len()).map(|sample| predictions.of(sample)[class]).collect();
            let is_of_class = |sample: usize| labels[sample] as usize == class;
            own.roc_auc = roc_auc(&column, is_of_class, None);
            own.average_precision = average_precision(&column, is_of_class, None);
            if (class, classes) == (1, 2) {
                thresholds = ThresholdTable::new(&column, is_of_class, None);
            }
        }
        let correct = (0..classes).map(|class| confusion[class][class]).sum();
        let samples = labels.len();
        let occurring = || per_class.iter().filter(|class| class.support > 0);
        let f1_sum: f64 = occurring().map(|class| class.f1).sum();
        let macro_f1 = f1_sum / occurring().count() as f64;
        Ok(Self {
            samples,
            correct,
            accuracy: correct as f64 / samples as f64,
            log_loss: log_loss / samples as f64,
            calibration_error: bins.iter().map(Bin::gap).sum::<f64>() / samples as f64,
            macro_f1,
            roc_auc: over_classes(&per_class, |class| class.roc_auc),
            average_precision: over_classes(&per_class, |class| class.average_precision),
            classes_without_auc: (0..classes).filter(|class| per_class[*class].roc_auc.is_none()).collect(),
            brier: brier(predictions.probabilities(), labels, classes, None),
            thresholds,
            confusion,
            per_class,
        })
    }
}

#[doc(hidden)]
impl Scores {
    /// The class that most samples have, the first of equals, and its share of them: the accuracy of always answering it.
    #[must_use]
    pub fn majority(&self) -> (usize, f64) {
        let classes = self.per_class.iter().enumerate().rev();
        let (class, scores) = classes.max_by_key(|(_, class)| class.support).unzip();
        (class.unwrap_or(0), share(scores.map_or(0, |class: &ClassScores| class.support), self.samples))
    }

    /// The classes without samples, which count for no mean.
    #[must_use]
    pub fn classes_without_samples(&self) -> Vec<usize> {
        (0..self.per_class.len()).filter(|class| self.per_class[*class].support == 0).collect()
    }
}

/// Of two classes the value of the second, of more the mean of those that have one.
fn over_classes(per_class: &[ClassScores], value: impl Fn(&ClassScores) -> Option<f64>) -> Option<f64> {
    if let [_, second] = per_class {
        return value(second);
    }
    let values: Vec<f64> = per_class.iter().filter_map(value).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn check(predictions: &Predictions, labels: &[u32]) -> Result<()> {
    if labels.len() != predictions.samples() {
        let (given, samples) = (labels.len(), predictions.samples());
        return Err(Error::Dataset(format!(
            "{given} labels do not fit the predictions of {samples} samples"
        )));
    }
    let classes = predictions.classes();
    match labels.iter().position(|label| *label as usize >= classes) {
        None => Ok(()),
        Some(sample) => Err(Error::Dataset(format!(
            "sample {sample} has label {}, but the model knows {classes} classes",
            labels[sample]
        ))),
    }
}

impl ClassScores {
    fn of(confusion: &[Vec<usize>], class: usize) -> Self {
        let right = confusion[class][class];
        let support: usize = confusion[class].iter().sum();
        let called: usize = confusion.iter().map(|row| row[class]).sum();
        Self {
            precision: share(right, called),
            recall: share(right, support),
            // 2 P R / (P + R), written so that it needs no division by 0.
            f1: share(2 * right, called + support),
            support,
            roc_auc: None,
            average_precision: None,
        }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Samples of about the same confidence.
#[derive(Clone, Copy, Default)]
struct Bin {
    confidence: f64,
    correct: f64,
}

impl Bin {
    /// The bin of a confidence in `(0, 1]`; each has its upper end.
    fn of(bins: &mut [Self; CALIBRATION_BINS], confidence: f64) -> &mut Self {
        let upper = |bin: usize| (bin + 1) as f64 / CALIBRATION_BINS as f64;
        let bin = (0..CALIBRATION_BINS - 1).find(|bin| confidence <= upper(*bin));
        &mut bins[bin.unwrap_or(CALIBRATION_BINS - 1)]
    }

    fn add(&mut self, confidence: f64, correct: bool) {
        self.confidence += confidence;
        self.correct += f64::from(u8::from(correct));
    }

    /// `|accuracy - confidence|`, times the number of samples.
    fn gap(&self) -> f64 {
        (self.correct - self.confidence).abs()
    }
}
