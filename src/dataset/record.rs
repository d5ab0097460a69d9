//! What is known of the data besides the numbers, in a form that the model keeps.

use serde::{Deserialize, Serialize};
#[cfg(feature = "train")]
use sha2::{Digest as _, Sha256};

#[cfg(feature = "train")]
use super::Centre;
use super::table::{BYTE, Classes, Limits, PixelUnit, Span, Table, TableEncoding, Unseen};
use super::{Dataset, HeldOut, TargetRecord, Targets, Task, fingerprint};
#[cfg(feature = "train")]
use crate::text::hex;
use crate::{Error, Result};

/// Bytes of the longest name.
const MAX_NAME: usize = 4096;
/// Digits of a [`fingerprint`].
const FINGERPRINT_DIGITS: usize = 16;

/// Names of classes and features, and how raw data become samples; empty if nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecord {
    /// What a network learns to predict from these data.
    #[serde(default, skip_serializing_if = "Task::is_classification")]
    #[doc(hidden)]
    pub task: Task,
    /// The numbers that are predicted, unless it is a class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[doc(hidden)]
    pub targets: Vec<TargetRecord>,
    /// The name of each class, by its number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// The name of each raw feature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feature_names: Vec<String>,
    /// Rows and columns of pixels, when each raw sample is a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_shape: Option<[usize; 2]>,
    /// What pixels of files are divided by, so that they are from 0 to 1; `None` if pixels are taken as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixel_scale: Option<f32>,
    /// How a table becomes raw features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[doc(hidden)]
    pub encoding: Option<TableEncoding>,
    /// The rows of the training table that became the test set, if it was split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<HeldOut>,
    /// The fingerprint of that table's samples, in the order of its rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

/// A table that became samples.
#[derive(Clone, Debug)]
pub struct EncodedSamples<T> {
    /// The samples.
    pub samples: T,
    /// Columns with texts that training did not see.
    pub unseen: Vec<Unseen>,
    /// About numbers far from those of training.
    pub far: Option<String>,
}

impl<T> EncodedSamples<T> {
    /// The same of other samples.
    pub(super) fn try_map<U>(self, make: impl FnOnce(T) -> Result<U>) -> Result<EncodedSamples<U>> {
        Ok(EncodedSamples { samples: make(self.samples)?, unseen: self.unseen, far: self.far })
    }
}

impl DataRecord {
    /// What is known of samples that come without a table.
    #[must_use]
    pub(crate) fn of(dataset: &Dataset) -> Self {
        let targets = dataset.targets();
        let names = (0..targets.outputs()).map(|target| target.to_string());
        let records = if targets.task() == Task::Classification {
            Vec::new()
        } else {
            TargetRecord::of(targets, dataset.weights(), names)
        };
        Self {
            task: targets.task(),
            targets: records,
            image_shape: dataset.image_shape,
            pixel_scale: dataset.pixel_scale,
            ..Self::default()
        }
    }

    /// Gives the pixels of a table the scale of training.
    ///
    /// # Errors
    /// [`Error::Table`] as for [`Table::scale_pixels`].
    pub(crate) fn scale_pixels(&self, table: &mut Table, earlier: &mut PixelUnit) -> Result<()> {
        self.pixel_scale.map_or(Ok(()), |scale| table.scale_pixels(scale, earlier))
    }

    /// What the bytes of an IDX file are divided by: 255, unless the model was trained on columns up to 255 as they were.
    #[doc(hidden)]
    #[must_use]
    pub fn byte_divisor(&self) -> f32 {
        let columns = self.encoding.as_ref().map_or(&[][..], |encoding| &encoding.columns);
        let is_raw = columns.iter().any(|column| column.range.is_some_and(|range| range[1] > 1.0));
        if self.pixel_scale.is_none() && is_raw { 1.0 } else { BYTE }
    }

    /// 16 hexadecimal digits that depend on the names of classes and features; `None` if there are no names.
    #[cfg(feature = "train")]
    fn digest_of_names(&self) -> Option<String> {
        let targets: Vec<String> = self.targets.iter().map(|target| target.name.clone()).collect();
        if self.class_names.is_empty() && self.feature_names.is_empty() {
            return None;
        }
        // Names may contain anything, so each is preceded by its length.
        let mut digest = Sha256::new();
        let targets = Some(&targets).filter(|targets| !targets.is_empty());
        for names in [&self.class_names, &self.feature_names].into_iter().chain(targets) {
            digest.update((names.len() as u64).to_le_bytes());
            for name in names {
                digest.update((name.len() as u64).to_le_bytes());
                digest.update(name);
            }
        }
        Some(hex(digest.finalize()).chars().take(FINGERPRINT_DIGITS).collect())
    }

    /// The digest of some content, and behind it that of the names, if there are any.
    #[cfg(feature = "train")]
    pub(crate) fn with_names(&self, content: String) -> String {
        match self.digest_of_names() {
            Some(names) => content + "-" + &names,
            None => content,
        }
    }

    /// Whether nothing is known.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses a record that does not match this number of raw features and classes.
    ///
    /// # Errors
    /// [`Error::Dataset`] with the mismatch.
    pub(crate) fn check(&self, features: usize, classes: usize) -> Result<()> {
        let fail = |reason: String| Err(Error::Dataset(reason));
        self.check_targets(classes)?;
        let distinct: std::collections::HashSet<&String> = self.class_names.iter().collect();
        if !self.class_names.is_empty() && (self.class_names.len() != classes || distinct.len() != classes) {
            return fail(format!("{} different names for {classes} classes", distinct.len()));
        }
        if !self.feature_names.is_empty() && self.feature_names.len() != features {
            return fail(format!("{} names for {features} features", self.feature_names.len()));
        }
        if self.class_names.iter().chain(&self.feature_names).any(|name| name.len() > 2 * MAX_NAME) {
            return fail(format!("a name is longer than {} bytes", 2 * MAX_NAME));
        }
        if let Some([rows, columns]) = self.image_shape
            && rows.checked_mul(columns) != Some(features)
        {
            return fail(format!("pictures of {rows} x {columns} pixels do not have {features} features"));
        }
        if let Some(scale) = self.pixel_scale
            && (self.image_shape.is_none() || !scale.is_finite() || scale <= 0.0)
        {
            return fail(format!("a scale of pixels of {scale}, or one without pictures"));
        }
        if let Some(encoding) = &self.encoding {
            encoding.check()?;
            if encoding.width() != features {
                return fail(format!("an encoding of {} features, expected {features}", encoding.width()));
            }
            if encoding.named && self.feature_names != encoding.feature_names() {
                return fail("the names of features are not those of the encoding".into());
            }
        }
        if self.table.as_ref().is_some_and(|table| table.len() != FINGERPRINT_DIGITS) {
            return Err(Error::Dataset("the fingerprint of the training table has another length".into()));
        }
        self.test.map_or(Ok(()), |test| test.holdout.count_of(test.of).map(drop))
    }

    /// Refuses targets that do not match this number of outputs.
    fn check_targets(&self, outputs: usize) -> Result<()> {
        let fail = |reason: String| Err(Error::Dataset(reason));
        if self.task == Task::Classification {
            return if self.targets.is_empty() { Ok(()) } else { fail("classes have no targets".into()) };
        }
        if self.targets.len() != outputs || !self.class_names.is_empty() {
            return fail(format!("{} targets for {outputs} outputs", self.targets.len()));
        }
        self.targets.iter().try_for_each(|target| target.check(self.task))
    }

    /// Fits centres and deviations of regression to these training samples.
    #[cfg(feature = "train")]
    pub(crate) fn fit_targets(&mut self, train: &Dataset, centre: Centre) {
        let names: Vec<String> = self.targets.iter().map(|target| target.name.clone()).collect();
        self.targets = TargetRecord::fitted(train.targets(), train.weights(), names, centre);
    }

    /// The same samples with targets as the network predicts them: those of regression in deviations from their centre.
    pub(crate) fn scaled(&self, samples: Dataset) -> Result<Dataset> {
        let Targets::Numbers { task: Task::Regression, values, count } = samples.targets() else {
            return Ok(samples);
        };
        if *count != self.targets.len() {
            return Err(Error::Dataset(format!(
                "{count} targets, the model predicts {}",
                self.targets.len()
            )));
        }
        let scaled = |(value, target): (&f32, &TargetRecord)| target.scaled(*value);
        let values = values.iter().zip(self.targets.iter().cycle()).map(scaled).collect();
        let targets = Targets::Numbers { task: Task::Regression, values, count: *count };
        samples.replace_targets(targets)
    }

    /// Refuses pictures of another shape than those of the training; what has no shape fits any.
    ///
    /// # Errors
    /// [`Error::Dataset`] with both shapes.
    #[doc(hidden)]
    pub fn check_pictures(&self, shape: Option<[usize; 2]>) -> Result<()> {
        match (shape, self.image_shape) {
            (Some([rows, columns]), Some(trained)) if [rows, columns] != trained => {
                Err(Error::Dataset(format!(
                    "pictures of {rows} x {columns} pixels, the model was trained on {} x {}",
                    trained[0], trained[1]
                )))
            }
            _ => Ok(()),
        }
    }

    /// Samples of a table that was read with [`Columns::Of`](super::table::Columns::Of) the encoding.
    ///
    /// # Errors
    /// [`Error::Table`] when there is no encoding, a label is not a known class, or as
    /// for [`TableEncoding::encode`].
    #[doc(hidden)]
    pub fn samples(&self, table: Table, limits: &Limits) -> Result<EncodedSamples<Dataset>> {
        let Some(encoding) = &self.encoding else {
            return Err(table.refused("the model does not know how to encode a table"));
        };
        self.check_pictures(table.image_shape())?;
        let targets = match self.task {
            Task::Classification => Targets::Classes {
                labels: Classes { names: self.class_names.clone() }.labels(&table)?,
                count: self.class_names.len(),
            },
            task => table.numbers(task)?,
        };
        let weights = table.weights();
        self.features(table, encoding, limits)?.try_map(|features| {
            let data = Dataset::with_targets(features, encoding.width(), targets)?.with_weights(weights)?;
            self.of_shape(data)
        })
    }

    /// Samples that are pictures, if those of the training are.
    pub(super) fn of_shape(&self, samples: Dataset) -> Result<Dataset> {
        match self.image_shape {
            Some(shape) => samples.with_image_shape(shape),
            None => Ok(samples),
        }
    }

    /// The features of a table with the columns of an encoding, `[row][feature]`.
    ///
    /// # Errors
    /// As for [`TableEncoding::encode`].
    #[doc(hidden)]
    pub fn features(
        &self,
        mut table: Table,
        encoding: &TableEncoding,
        limits: &Limits,
    ) -> Result<EncodedSamples<Vec<f32>>> {
        self.scale_pixels(&mut table, &mut PixelUnit::default())?;
        let spans: Vec<Span> = table.columns.iter().map(|column| column.span).collect();
        let encoded = encoding.encode(&mut table, limits)?;
        let far = encoding.far_columns(&spans, table.rows);
        Ok(EncodedSamples { samples: encoded.features, unseen: encoded.unseen, far })
    }

    /// Whether these are the samples of exactly the training table, in its order.
    #[must_use]
    pub(crate) fn is_own(&self, samples: &Dataset) -> bool {
        let is_as_long = self.test.is_some_and(|test| test.of == samples.samples());
        is_as_long && self.table.as_ref().is_none_or(|table| *table == fingerprint(samples))
    }
}
