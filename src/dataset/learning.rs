//! Fits the encoding of a table, and splits it into training and test set.

use super::split::stratified_marks;
use super::table::{Classes, FitOptions, Labels, Limits, Table, TableEncoding};
use super::{DataRecord, DataSplits, Dataset, EncodedSamples, HeldOut, Holdout, fingerprint};
use crate::random::Purpose;
use crate::{Error, Result};

impl DataRecord {
    /// As [`DataRecord::samples`] for exactly the training table: in the same two parts.
    ///
    /// # Errors
    /// As [`DataRecord::samples`], and when the table has another length.
    #[doc(hidden)]
    pub fn splits(&self, table: Table, test: HeldOut, limits: &Limits) -> Result<EncodedSamples<DataSplits>> {
        if table.rows() != test.of {
            return Err(table.refused(format!("{} rows, {} were split in training", table.rows(), test.of)));
        }
        let name = table.name.clone();
        let EncodedSamples { samples, unseen, far } = self.samples(table, limits)?;
        if !self.is_own(&samples) {
            let reason = "as many rows as the table that was split in training, but different ones or in another order";
            return Err(Error::Table { name, reason: reason.into() });
        }
        Ok(EncodedSamples { samples: split_rows(samples, test)?, unseen, far })
    }

    /// The samples of the training table in the same two parts; `None` for any other table.
    ///
    /// # Errors
    /// [`Error::Dataset`] when no such split is possible.
    pub(crate) fn split(&self, samples: &Dataset) -> Result<Option<DataSplits>> {
        match self.test.filter(|_| self.is_own(samples)) {
            Some(test) => split_rows(samples.clone(), test).map(Some),
            None => Ok(None),
        }
    }
}

fn split_rows(samples: Dataset, test: HeldOut) -> Result<DataSplits> {
    let marks = test_marks(samples.labels(), samples.class_count(), test.holdout, test.seed)?;
    let (train, test) = samples.into_parts(&marks);
    Ok(DataSplits { train, test })
}

/// Fits the encoding on a table of only training rows; returns samples, and the record for other tables.
///
/// # Errors
/// As for [`Classes::of`] and [`TableEncoding::fit`].
pub fn learn(mut table: Table, fit: FitOptions, limits: &Limits) -> Result<(Dataset, DataRecord)> {
    table.scale_new_pixels();
    let record = record(&table, &classes(&table, fit, limits)?, None, fit)?;
    Ok((record.samples(table, limits)?.samples, record))
}

/// Fits the encoding on a table and holds a part of its rows out as the test set, in proportion from each class.
///
/// The rows are drawn from the stream [`Purpose::TestSplit`] of the seed; everything that
/// is fitted is fitted on the others.
///
/// # Errors
/// As [`learn`], and when no such split is possible.
pub fn learn_and_split(
    mut table: Table,
    (holdout, seed): (Holdout, u64),
    fit: FitOptions,
    limits: &Limits,
) -> Result<(EncodedSamples<DataSplits>, DataRecord)> {
    table.scale_new_pixels();
    let classes = classes(&table, fit, limits)?;
    let labels = classes.labels(&table)?;
    let marks = test_marks(&labels, classes.names.len(), holdout, seed)?;
    let mut record = record(&table, &classes, Some(&marks), fit)?;
    record.test = Some(HeldOut { holdout, seed, of: table.rows() });
    let EncodedSamples { samples, unseen, far } = record.samples(table, limits)?;
    record.table = Some(fingerprint(&samples));
    let (train, test) = samples.into_parts(&marks);
    Ok((EncodedSamples { samples: DataSplits { train, test }, unseen, far }, record))
}

/// The rows of a table that [`learn_and_split`] would hold out, counted from 0.
///
/// # Errors
/// As [`Classes::of`], and when no such split is possible.
pub(crate) fn held_out_rows(
    table: &Table,
    (holdout, seed): (Holdout, u64),
    limits: &Limits,
) -> Result<Vec<usize>> {
    let classes = Classes::of(table, limits)?;
    let marks = test_marks(&classes.labels(table)?, classes.names.len(), holdout, seed)?;
    Ok((0..marks.len()).filter(|row| marks[*row]).collect())
}

/// Name and number of rows of each class of a table.
///
/// # Errors
/// As [`Classes::of`].
pub(crate) fn class_sizes(table: &Table, limits: &Limits) -> Result<Vec<(String, usize)>> {
    let classes = Classes::of(table, limits)?;
    let mut sizes: Vec<(String, usize)> = classes.names.iter().map(|name| (name.clone(), 0)).collect();
    classes.labels(table)?.into_iter().for_each(|label| sizes[label as usize].1 += 1);
    Ok(sizes)
}

/// The classes of a table. An error about them mentions everything else that is wrong with the table, too.
fn classes(table: &Table, fit: FitOptions, limits: &Limits) -> Result<Classes> {
    if table.labels().is_some_and(Labels::is_incomplete) {
        return Err(TableEncoding::problems(table, fit).into_error(table));
    }
    Classes::of(table, limits).map_err(|error| TableEncoding::problems(table, fit).beside(error))
}

fn test_marks(labels: &[u32], classes: usize, holdout: Holdout, seed: u64) -> Result<Vec<bool>> {
    stratified_marks(labels, classes, holdout, seed, Purpose::TestSplit)
}

fn record(
    table: &Table,
    classes: &Classes,
    held_out: Option<&[bool]>,
    fit: FitOptions,
) -> Result<DataRecord> {
    let encoding = TableEncoding::fit(table, held_out, fit)?;
    Ok(DataRecord {
        class_names: classes.names.clone(),
        feature_names: if encoding.named { encoding.feature_names() } else { Vec::new() },
        image_shape: table.image_shape(),
        pixel_scale: table.pixel_scale,
        encoding: Some(encoding),
        ..DataRecord::default()
    })
}
