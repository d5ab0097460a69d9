//! A model's results on the samples that its run was scored on, and its worst mistakes.

use std::cmp::Reverse;
use std::io::Cursor;

use image::imageops::FilterType;
use image::{GrayImage, ImageFormat};

use super::MAX_EXAMPLES;
use super::markup::cut;
use crate::dataset::Dataset;
use crate::experiments::PermutationImportance;
use crate::inference::{Predictions, Scores};
use crate::{Error, Result};

/// Maximum side of a picture of an example in pixels.
const MAX_SIDE: u32 = 64;
/// Maximum number of characters of a name.
const MAX_NAME: usize = 48;
/// A test set of a table with fewer samples gets fewer examples: each is a table of its own.
const SMALL: usize = 200;
const EXAMPLES_OF_SMALL: usize = 6;
/// Number of features shown for an example that is not a picture.
const TOLD_FEATURES: usize = 5;

/// The names of classes and features.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Names {
    /// The name of each class; a class without one is shown by its number.
    pub classes: Vec<String>,
    /// The name of each raw feature, likewise.
    pub features: Vec<String>,
}

impl Names {
    /// The name of a class, cut if very long.
    #[must_use]
    pub fn class(&self, class: usize) -> String {
        self.classes.get(class).map_or_else(|| class.to_string(), |name| cut(name, MAX_NAME))
    }

    /// The name of a feature, likewise.
    #[must_use]
    pub fn feature(&self, feature: usize) -> String {
        self.features.get(feature).map_or_else(|| format!("feature {feature}"), |name| cut(name, MAX_NAME))
    }
}

/// Scores of a run's model, and its most certain mistakes.
#[derive(Clone, Debug)]
pub struct ScoredRun {
    /// The names of classes and features.
    pub names: Names,
    /// Its scores and confusion matrix.
    pub scores: Scores,
    /// At most [`MAX_EXAMPLES`] mistakes, the most certain first.
    pub examples: Vec<Example>,
    /// The importance of the columns, if requested.
    #[doc(hidden)]
    pub permutation: Option<PermutationImportance>,
}

/// A misclassified sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Its number among the samples.
    pub sample: usize,
    /// Its true class.
    pub label: usize,
    /// The predicted class.
    pub predicted: usize,
    /// The probability of the predicted class.
    pub probability: f32,
    /// The sample itself.
    pub shown: Sample,
}

/// How a sample is shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// A PNG file.
    Picture(Vec<u8>),
    /// The features that are unusual for its class, the most unusual first.
    Table(Vec<Difference>),
}

/// A feature of a sample, compared with other samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its number.
    pub feature: usize,
    /// Its value in this sample.
    pub value: f32,
    /// Its mean over the training samples of this sample's class.
    pub mean: f64,
    /// The difference of the two, in standard deviations of the feature over all training samples.
    pub deviations: f64,
}

impl ScoredRun {
    /// Compares predictions with the labels of the same raw samples. `train` defines what is usual.
    ///
    /// # Errors
    /// [`Error::Dataset`] when predictions and samples do not fit each other, [`Error::Picture`] when an example cannot be
    /// encoded.
    pub fn new(predictions: &Predictions, samples: &Dataset, train: &Dataset, names: Names) -> Result<Self> {
        if train.feature_count() != samples.feature_count() {
            let (trained, scored) = (train.feature_count(), samples.feature_count());
            return Err(Error::Dataset(format!(
                "training samples of {trained} features, others of {scored}"
            )));
        }
        let scores = Scores::new(predictions, samples.labels())?;
        let labels = samples.labels().iter().map(|label| *label as usize);
        let mut mistakes: Vec<_> = labels
            .enumerate()
            .map(|(sample, label)| (sample, label, predictions.label(sample) as usize))
            .filter(|(_, label, predicted)| label != predicted)
            .map(|(sample, label, predicted)| (sample, label, predicted, predictions.of(sample)[predicted]))
            .collect();
        // Probabilities are not negative, so their bits have their order.
        mistakes.sort_by_key(|(sample, _, _, probability)| (Reverse(probability.to_bits()), *sample));
        let is_small = samples.image_shape().is_none() && samples.samples() < SMALL;
        mistakes.truncate(if is_small { EXAMPLES_OF_SMALL } else { MAX_EXAMPLES });
        let usual = Usual::of(train, mistakes.iter().map(|mistake| mistake.1));
        let grey = Grey::of(samples);
        let example = |(sample, label, predicted, probability)| {
            let features = samples.sample(sample);
            let shown = match samples.image_shape() {
                Some(shape) => Sample::Picture(grey.picture(features, shape)?),
                None => Sample::Table(usual.differences(features, label)),
            };
            Ok(Example { sample, label, predicted, probability, shown })
        };
        let examples = mistakes.into_iter().map(example).collect::<Result<_>>()?;
        Ok(Self { names, scores, examples, permutation: None })
    }
}

/// The range of the values of all pictures.
struct Grey {
    low: f32,
    high: f32,
}

impl Grey {
    fn of(samples: &Dataset) -> Self {
        let values = samples.features().iter().copied();
        let (low, high) =
            values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        Self { low, high }
    }

    fn picture(&self, features: &[f32], [rows, columns]: [usize; 2]) -> Result<Vec<u8>> {
        let failed =
            |reason: String| Error::Picture(format!("an example of {rows} x {columns} pixels: {reason}"));
        let range = (self.high - self.low).max(f32::MIN_POSITIVE);
        #[expect(clippy::cast_possible_truncation, reason = "0 to 255, and casts saturate")]
        let pixels =
            features.iter().map(|value| (255.0 * (value - self.low) / range).round() as u8).collect();
        let side = |pixels: usize| u32::try_from(pixels).map_err(|error| failed(error.to_string()));
        let picture = GrayImage::from_raw(side(columns)?, side(rows)?, pixels);
        let mut picture = picture.ok_or_else(|| failed("they are not as many".into()))?;
        let (width, height) = picture.dimensions();
        let longer = width.max(height);
        if longer > MAX_SIDE {
            let shorten = |side: u32| (side * MAX_SIDE / longer).max(1);
            picture =
                image::imageops::resize(&picture, shorten(width), shorten(height), FilterType::Triangle);
        }
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, ImageFormat::Png).map_err(|error| failed(error.to_string()))?;
        Ok(png.into_inner())
    }
}

/// Class means of the training samples, and deviations over all classes.
struct Usual {
    /// Means of the features of each requested class; empty for the others.
    means: Vec<Vec<f64>>,
    deviations: Vec<f64>,
}

impl Usual {
    /// Nothing is computed for pictures, or if no class is requested.
    fn of(train: &Dataset, classes: impl Iterator<Item = usize>) -> Self {
        let mut means = vec![Vec::new(); train.class_count()];
        let (features, samples) = (train.feature_count(), train.samples() as f64);
        let mut asked = false;
        for class in classes.filter(|class| *class < train.class_count()) {
            means[class] = vec![0.0; features];
            asked = true;
        }
        let mut deviations = vec![0.0; features];
        if !asked || train.image_shape().is_some() {
            return Self { means, deviations };
        }
        let mut counts = vec![0.0; train.class_count()];
        let mut overall = vec![0.0; features];
        for (sample, label) in train.labels().iter().enumerate() {
            counts[*label as usize] += 1.0;
            for (feature, value) in train.sample(sample).iter().enumerate() {
                overall[feature] += f64::from(*value) / samples;
                if let Some(mean) = means[*label as usize].get_mut(feature) {
                    *mean += f64::from(*value);
                }
            }
        }
        for (means, count) in means.iter_mut().zip(counts) {
            means.iter_mut().for_each(|mean| *mean /= f64::max(count, 1.0));
        }
        for values in train.features().chunks(features) {
            for ((variance, value), mean) in deviations.iter_mut().zip(values).zip(&overall) {
                *variance += (f64::from(*value) - mean).powi(2) / samples;
            }
        }
        deviations.iter_mut().for_each(|variance| *variance = variance.sqrt());
        Self { means, deviations }
    }

    /// The features of a sample that are farthest from the mean of its class.
    fn differences(&self, sample: &[f32], class: usize) -> Vec<Difference> {
        let Some(means) = self.means.get(class).filter(|means| means.len() == sample.len()) else {
            return Vec::new();
        };
        let difference = |(feature, value): (usize, &f32)| {
            let (mean, deviation) = (means[feature], self.deviations[feature]);
            let apart = f64::from(*value) - mean;
            // A constant feature is not informative, whatever deviation rounding leaves.
            let deviations = if deviation > 1e-12 * mean.abs() { apart / deviation } else { 0.0 };
            Difference { feature, value: *value, mean, deviations }
        };
        let mut all: Vec<Difference> = sample.iter().enumerate().map(difference).collect();
        all.sort_by(|a, b| b.deviations.abs().total_cmp(&a.deviations.abs()));
        all.truncate(TOLD_FEATURES);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sample `i` is of class `i % 2`; the first feature determines the class, the third is constant.
    fn data(samples: usize) -> Dataset {
        let features = (0..samples).flat_map(|i| [(i % 2) as f32, i as f32, 0.3]).collect();
        let labels = (0..samples).map(|i| u32::from(i % 2 == 1)).collect();
        Dataset::new(features, 3, labels, 2).unwrap()
    }

    #[test]
    fn the_surest_mistakes_come_first_and_are_few() {
        // Samples 1 and 3 are classified as class 0, sample 3 with more certainty; the others are right.
        let logits = vec![1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 9.0, 0.0];
        let predictions = Predictions::new(logits, 2).unwrap();
        let train = data(10);
        let scored = ScoredRun::new(&predictions, &data(4), &train, Names::default()).unwrap();
        let order: Vec<usize> = scored.examples.iter().map(|example| example.sample).collect();
        assert_eq!((order, scored.scores.correct), (vec![3, 1], 2));
        let Sample::Table(differences) = &scored.examples[0].shown else { panic!("a table was expected") };
        // Feature 1 has mean (1 + 3 + 5 + 7 + 9) / 5 = 5 in class 1 and variance 8.25 over all.
        let first = &differences[0];
        assert_eq!((first.feature, first.value, first.mean), (1, 3.0, 5.0));
        assert!(!((first.deviations + 2.0 / 8.25f64.sqrt()).abs() > 1e-9), "{first:?}");
        assert_eq!((differences.len(), differences[1].deviations), (3, 0.0));
        for (samples, examples) in [(100, EXAMPLES_OF_SMALL), (SMALL, MAX_EXAMPLES)] {
            let many = Predictions::new([1.0, 0.0].repeat(samples), 2).unwrap();
            let scored = ScoredRun::new(&many, &data(samples), &train, Names::default()).unwrap();
            assert_eq!(scored.examples.len(), examples);
        }
    }

    #[test]
    fn pictures_are_scaled_to_the_whole_set_and_large_ones_shrunk() {
        let data = |rows: usize, columns: usize| {
            let features = (0..rows * columns * 2).map(|i| (i % 7) as f32 - 3.0).collect();
            let data = Dataset::new(features, rows * columns, vec![0, 1], 2).unwrap();
            data.with_image_shape([rows, columns]).unwrap()
        };
        let predictions = Predictions::new(vec![0.0, 1.0, 0.0, 1.0], 2).unwrap();
        for ((rows, columns), size) in [((4, 3), (3, 4)), ((200, 100), (32, 64))] {
            let data = data(rows, columns);
            let scored = ScoredRun::new(&predictions, &data, &data, Names::default()).unwrap();
            let [Example { shown: Sample::Picture(png), .. }] = &scored.examples[..] else {
                panic!("one picture")
            };
            let picture = image::load_from_memory(png).unwrap().to_luma8();
            assert_eq!(picture.dimensions(), size);
            // -3 is black, 3 white, 0 in the middle.
            if rows == 4 {
                assert_eq!([0, 3, 6].map(|i| picture.as_raw()[i]), [0, 128, 255]);
            }
        }
    }
}
