//! Labelled samples in memory, and their readers.
//!
//! A [`Dataset`] is validated once, in its constructor, and is consistent from
//! then on: its users need not check lengths, labels or NaN again.
//! [`DataSplits`] is the pair that training works on. [`load_idx_folder`] reads
//! the pair from the four IDX files that MNIST and its relatives come in. Tables
//! (CSV, NPY, NPZ, Parquet) are read, split and encoded by
//! [`Session::load`](crate::session::Session::load). [`Augmentation`] moves and
//! mirrors pictures. What is known of the data besides the numbers is kept as a
//! [`DataRecord`].

#[cfg(feature = "train")]
mod augment;
mod fingerprint;
mod holdout;
#[cfg(feature = "train")]
#[doc(hidden)]
pub mod idx;
#[cfg(feature = "train")]
mod idx_folder;
#[cfg(feature = "train")]
mod idx_names;
#[cfg(feature = "train")]
mod learning;
#[cfg(feature = "train")]
mod memory;
mod pictures;
mod record;
mod samples;
#[cfg(feature = "train")]
mod split;
#[cfg(feature = "train")]
mod spread;
#[doc(hidden)]
pub mod table;
mod targets;
mod views;
mod weights;

use rayon::prelude::*;
#[cfg(feature = "train")]
use sha2::{Digest, Sha256};

use crate::{Error, Result, threads};

pub use holdout::{HeldOut, Holdout};
#[cfg(feature = "train")]
pub use idx_folder::load_idx_folder;
#[cfg(feature = "train")]
pub(crate) use learning::{class_sizes, held_out_rows};
pub use record::DataRecord;
#[cfg(feature = "train")]
pub(crate) use samples::update_digest;
#[cfg(feature = "train")]
pub(crate) use targets::Centre;
pub use views::Augmentation;
pub(crate) use views::View;

#[doc(hidden)]
pub use self::{
    fingerprint::fingerprint,
    pictures::Pictures,
    record::EncodedSamples,
    samples::Samples,
    targets::{TargetRecord, Targets, Task},
};
#[cfg(feature = "train")]
#[doc(hidden)]
pub use self::{
    idx_folder::load_idx_training,
    learning::{learn, learn_and_split},
    memory::KnownTargets,
};

/// Features are checked for NaN and infinities in pieces of this many values.
const CHECK_CHUNK: usize = 1 << 16;

/// Samples with their labels.
///
/// Invariants, established by [`Dataset::new`]: at least one sample, one feature
/// and two classes; `features.len() == samples * feature_count`; one label for
/// each sample, each below `class_count`; every feature finite. Instead of classes
/// there may be numbers to predict, finite ones or, of several labels, 0 and 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// `[sample][feature]`, row-major.
    features: Vec<f32>,
    feature_count: usize,
    targets: Targets,
    /// `[sample]`, how much each counts in the loss; `None` if all count alike.
    weights: Option<Vec<f32>>,
    /// Rows and columns, when a sample is a picture.
    image_shape: Option<[usize; 2]>,
    /// What pixels of bytes were divided by.
    pixel_scale: Option<f32>,
}

/// The samples to train on and the samples to test on, with the same features and classes.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSplits {
    /// Everything that is fitted (importance, standardising, weights) is fitted on these.
    pub train: Dataset,
    /// Only used to measure.
    pub test: Dataset,
}

impl Dataset {
    /// Takes `features` as `[sample][feature]`, row-major, with one label for each sample.
    ///
    /// # Errors
    /// [`Error::Dataset`] when one of the invariants listed on the type does not hold.
    pub fn new(
        features: Vec<f32>,
        feature_count: usize,
        labels: Vec<u32>,
        class_count: usize,
    ) -> Result<Self> {
        Self::with_targets(features, feature_count, Targets::Classes { labels, count: class_count })
    }

    /// As [`Dataset::new`], with any kind of targets.
    ///
    /// # Errors
    /// [`Error::Dataset`] when one of the invariants listed on the type does not hold.
    #[doc(hidden)]
    pub fn with_targets(features: Vec<f32>, feature_count: usize, targets: Targets) -> Result<Self> {
        targets.check(features.len(), feature_count)?;
        if let Some(index) = first_not_finite(&features) {
            let (sample, feature) = (index / feature_count, index % feature_count);
            let value = features[index];
            return Err(Error::Dataset(format!(
                "feature {feature} of sample {sample} is {value}, but every feature must be a finite number"
            )));
        }
        Ok(Self { features, feature_count, targets, weights: None, image_shape: None, pixel_scale: None })
    }

    /// Declares that each sample is a picture of `[rows, columns]` pixels, row by row.
    ///
    /// # Errors
    /// [`Error::Dataset`] when rows x columns is not the feature count.
    pub fn with_image_shape(mut self, shape: [usize; 2]) -> Result<Self> {
        let [rows, columns] = shape;
        if rows.checked_mul(columns) != Some(self.feature_count) {
            return Err(Error::Dataset(format!(
                "pictures of {rows} x {columns} pixels do not have {} features",
                self.feature_count
            )));
        }
        self.image_shape = Some(shape);
        Ok(self)
    }

    /// The same samples with other features, `[sample][feature]`, as from preprocessing.
    ///
    /// The image shape is dropped: a rotated or permuted sample is no longer a picture.
    ///
    /// # Errors
    /// [`Error::Dataset`] when the new features break an invariant listed on the type.
    #[doc(hidden)]
    pub fn with_features(self, features: Vec<f32>, feature_count: usize) -> Result<Self> {
        let weights = self.weights;
        Ok(Self { weights, ..Self::with_targets(features, feature_count, self.targets)? })
    }

    /// The same samples with other targets, as many as before.
    ///
    /// # Errors
    /// [`Error::Dataset`] when the targets do not fit.
    pub(crate) fn replace_targets(self, targets: Targets) -> Result<Self> {
        targets.check(self.features.len(), self.feature_count)?;
        Ok(Self { targets, ..self })
    }

    /// The first `count` samples; the class count stays what it was.
    ///
    /// # Errors
    /// [`Error::Dataset`] when `count` is 0 or above the number of samples.
    #[doc(hidden)]
    pub fn head(mut self, count: usize) -> Result<Self> {
        check_head(count, self.samples())?;
        self.retain(|sample| sample < count);
        Ok(self)
    }

    /// Keeps the samples for which `keep` is true, at least one, in order.
    fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        retain_rows(&mut self.features, self.feature_count, &keep);
        self.targets.retain(&keep);
        if let Some(weights) = &mut self.weights {
            retain_rows(weights, 1, keep);
        }
    }

    #[cfg(feature = "train")]
    /// SHA-256 of all features, labels or targets, and weights, in hexadecimal digits.
    #[must_use]
    pub(crate) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update((self.feature_count as u64).to_le_bytes());
        update_digest(self, &mut hash);
        for weight in self.weights.iter().flatten() {
            hash.update(weight.to_le_bytes());
        }
        crate::text::hex(hash.finalize())
    }

    /// Number of samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.features.len() / self.feature_count
    }

    /// Number of features of each sample.
    #[must_use]
    pub fn feature_count(&self) -> usize {
        self.feature_count
    }

    /// Number of classes; every label is below it. 0 if numbers are predicted.
    #[must_use]
    pub fn class_count(&self) -> usize {
        match &self.targets {
            Targets::Classes { count, .. } => *count,
            Targets::Numbers { .. } => 0,
        }
    }

    /// What each sample is to be predicted as.
    #[must_use]
    #[doc(hidden)]
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The numbers to predict for one sample, `[target]`; empty for classes.
    ///
    /// # Panics
    /// When `index` is not below [`Dataset::samples`].
    #[must_use]
    #[doc(hidden)]
    pub fn target(&self, index: usize) -> &[f32] {
        match &self.targets {
            Targets::Classes { .. } => &[],
            Targets::Numbers { values, count, .. } => &values[index * count..][..*count],
        }
    }

    /// All features, `[sample][feature]`, row-major.
    #[must_use]
    pub fn features(&self) -> &[f32] {
        &self.features
    }

    /// All labels, `[sample]`; empty if numbers are predicted.
    #[must_use]
    pub fn labels(&self) -> &[u32] {
        self.targets.labels()
    }

    /// Rows and columns when each sample is a picture.
    #[must_use]
    #[doc(hidden)]
    pub fn image_shape(&self) -> Option<[usize; 2]> {
        self.image_shape
    }

    /// The features of one sample.
    ///
    /// # Panics
    /// When `index` is not below [`Dataset::samples`].
    #[must_use]
    #[doc(hidden)]
    pub fn sample(&self, index: usize) -> &[f32] {
        &self.features[index * self.feature_count..][..self.feature_count]
    }
}

/// Keeps the rows of `width` values for which `keep` is true, in order and in place.
fn retain_rows<T: Copy>(values: &mut Vec<T>, width: usize, keep: impl Fn(usize) -> bool) {
    let mut kept = 0;
    for row in (0..values.len() / width.max(1)).filter(|row| keep(*row)) {
        if row != kept {
            values.copy_within(row * width..(row + 1) * width, kept * width);
        }
        kept += 1;
    }
    values.truncate(kept * width);
    values.shrink_to_fit();
}

/// Refuses a set whose number of values, labels and counts contradict each other.
fn check_labels(values: usize, feature_count: usize, labels: &[u32], class_count: usize) -> Result<()> {
    let fail = |reason: String| Err(Error::Dataset(reason));
    if labels.is_empty() {
        return fail("0 samples, at least 1 is needed".to_owned());
    }
    if feature_count == 0 {
        return fail("0 features, at least 1 is needed".to_owned());
    }
    if class_count < 2 {
        return fail(format!("{class_count} classes, at least 2 are needed"));
    }
    if labels.len().checked_mul(feature_count) != Some(values) {
        return fail(format!(
            "{values} feature values do not fit {} labels with {feature_count} features each",
            labels.len()
        ));
    }
    match labels.iter().position(|&label| label as usize >= class_count) {
        None => Ok(()),
        Some(sample) => fail(format!(
            "sample {sample} has label {}, but labels must be below the class count {class_count}",
            labels[sample]
        )),
    }
}

/// The number of pixels of a picture of `[rows, columns]`.
fn check_picture_size([rows, columns]: [usize; 2]) -> Result<usize> {
    rows.checked_mul(columns)
        .ok_or_else(|| Error::Dataset(format!("pictures of {rows} x {columns} pixels are too large")))
}

/// Refuses to take the first `count` of a number of samples.
fn check_head(count: usize, samples: usize) -> Result<()> {
    if (1..=samples).contains(&count) {
        return Ok(());
    }
    Err(Error::Dataset(format!(
        "the first {count} samples were requested, but the number must be between 1 and {samples}"
    )))
}

/// Index of the first NaN or infinity.
fn first_not_finite(values: &[f32]) -> Option<usize> {
    // Without an early exit inside a chunk the compiler can vectorise the check.
    let all_finite = |chunk: &[f32]| chunk.iter().fold(true, |ok, value| ok & value.is_finite());
    let chunks = values.par_chunks(CHECK_CHUNK);
    let chunk = threads::run(|| chunks.position_first(|chunk| !all_finite(chunk)))?;
    let start = chunk * CHECK_CHUNK;
    values[start..].iter().position(|value| !value.is_finite()).map(|offset| start + offset)
}
