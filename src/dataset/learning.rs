//! Fits the encoding of a table, and splits it into training and test set.

use super::split::marks;
use super::table::{Classes, FitOptions, Labels, Limits, Table, TableEncoding, shown};
use super::{
    DataRecord, DataSplits, Dataset, EncodedSamples, HeldOut, Holdout, TargetRecord, Targets, Task,
    fingerprint,
};
use crate::random::Purpose;
use crate::{Error, Result};

/// Why another table cannot be split as in training.
const OTHER_TABLE: &str = "which rows the model was trained and tested on is known only for its training table; name the rows to test \
                           on with `test` FILE";

impl DataRecord {
    /// As [`DataRecord::samples`] for exactly the training table: in the same two parts.
    ///
    /// # Errors
    /// As [`DataRecord::samples`], and when the table has another length.
    #[doc(hidden)]
    pub fn splits(&self, table: Table, test: HeldOut, limits: &Limits) -> Result<EncodedSamples<DataSplits>> {
        if table.rows() != test.of {
            let reason = format!("{} rows, {} were split in training", table.rows(), test.of);
            return Err(table.refused(format!("{reason}: {OTHER_TABLE}")));
        }
        let name = table.name.clone();
        let EncodedSamples { samples, unseen, far } = self.samples(table, limits)?;
        if !self.is_own(&samples) {
            let reason = "as many rows as the table that was split in training, but different ones or in another order";
            return Err(Error::table(name, &format!("{reason}: {OTHER_TABLE}")));
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
    let marks = marks(samples.targets(), test.holdout, test.seed, Purpose::TestSplit)?;
    let (train, test) = samples.into_parts(&marks);
    Ok(DataSplits { train, test })
}

/// Fits the encoding on a table of only training rows; returns samples, and the record for other tables.
///
/// # Errors
/// As for [`Classes::of`] and [`TableEncoding::fit`].
pub fn learn(mut table: Table, options: FitOptions, limits: &Limits) -> Result<(Dataset, DataRecord)> {
    table.scale_new_pixels();
    let known = Known::of(&table, options, limits)?;
    let record = known.record(&table, None, options)?;
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
    options: FitOptions,
    limits: &Limits,
) -> Result<(EncodedSamples<DataSplits>, DataRecord)> {
    table.scale_new_pixels();
    let known = Known::of(&table, options, limits)?;
    let marks = marks(&known.targets, holdout, seed, Purpose::TestSplit)?;
    let mut record = known.record(&table, Some(&marks), options)?;
    record.test = Some(HeldOut { holdout, seed, of: table.rows() });
    let EncodedSamples { samples, unseen, far } = record.samples(table, limits)?;
    record.table = Some(fingerprint(&samples));
    let (train, test) = samples.into_parts(&marks);
    Ok((EncodedSamples { samples: DataSplits { train, test }, unseen, far }, record))
}

/// The rows of a table that [`learn_and_split`] would hold out, counted from 0.
///
/// # Errors
/// As [`learn_and_split`].
pub(crate) fn held_out_rows(
    table: &Table,
    (holdout, seed): (Holdout, u64),
    options: FitOptions,
    limits: &Limits,
) -> Result<Vec<usize>> {
    let known = Known::of(table, options, limits)?;
    let marks = marks(&known.targets, holdout, seed, Purpose::TestSplit)?;
    Ok((0..marks.len()).filter(|row| marks[*row]).collect())
}

/// Name and number of rows of each class of a table; none if numbers or several labels are predicted.
///
/// # Errors
/// As [`learn`].
pub(crate) fn class_sizes(
    table: &Table,
    options: FitOptions,
    limits: &Limits,
) -> Result<Vec<(String, usize)>> {
    let known = Known::of(table, options, limits)?;
    let mut sizes: Vec<(String, usize)> = known.class_names.into_iter().map(|name| (name, 0)).collect();
    known.targets.labels().iter().for_each(|label| sizes[*label as usize].1 += 1);
    Ok(sizes)
}

/// What is to be learned from a table.
struct Known {
    class_names: Vec<String>,
    targets: Targets,
}

impl Known {
    /// An error about the labels mentions everything else that is wrong with the table, too.
    fn of(table: &Table, options: FitOptions, limits: &Limits) -> Result<Self> {
        let problems = || TableEncoding::problems(table, options);
        if table.labels.iter().any(Labels::is_incomplete) {
            return Err(problems().into_error(table));
        }
        Self::of_labels(table, options, limits).map_err(|error| problems().beside(error))
    }

    fn of_labels(table: &Table, options: FitOptions, limits: &Limits) -> Result<Self> {
        let task = options.task.map_or_else(|| table.suggested_task(), Ok)?;
        if task != Task::Classification {
            table.check_differences()?;
            return Ok(Self { class_names: Vec::new(), targets: table.numbers(task)? });
        }
        if table.labels.len() > 1 {
            let count = table.labels.len();
            return Err(table.refused(format!(
                "{count} label columns, but a class is in one: name one with `label`, or take `task` multilabel or regression"
            )));
        }
        let classes = Classes::of(table, limits)?;
        let targets = Targets::Classes { labels: classes.labels(table)?, count: classes.names.len() };
        Ok(Self { class_names: classes.names, targets })
    }

    /// Fits the record on the rows that are not marked.
    fn record(self, table: &Table, held_out: Option<&[bool]>, fit: FitOptions) -> Result<DataRecord> {
        let encoding = TableEncoding::fit(table, held_out, fit)?;
        let task = self.targets.task();
        let mut records = Vec::new();
        if task != Task::Classification {
            let training = self.targets.select(|row| held_out.is_none_or(|marks| !marks[row]));
            check_constant(table, [&self.targets, &training])?;
            records =
                TargetRecord::of(&training, None, table.labels.iter().map(|labels| labels.name.clone()));
        }
        Ok(DataRecord {
            task,
            targets: records,
            class_names: self.class_names,
            feature_names: if encoding.named { encoding.feature_names() } else { Vec::new() },
            image_shape: table.image_shape(),
            pixel_scale: table.pixel_scale,
            encoding: Some(encoding),
            ..DataRecord::default()
        })
    }
}

/// Refuses numbers to predict, of which one has only one value in the training rows, and labels of which all have; `[all, training]`.
fn check_constant(table: &Table, [all, training]: [&Targets; 2]) -> Result<()> {
    let constant = training.constant();
    let is_label = training.task() == Task::MultiLabel;
    let Some(first) = constant.first().filter(|_| !is_label || constant.len() == training.outputs()) else {
        return Ok(());
    };
    let columns = match constant.len() {
        1 => format!("label column {} has", shown(&table.labels[*first].name, table.named)),
        count => {
            format!("{count} label columns, such as {}, have", shown(&table.labels[*first].name, table.named))
        }
    };
    let remedy = if all.constant().contains(first) {
        ": name another column with `label`"
    } else {
        ": the rows with other values were drawn for the test; take another `seed`, fewer rows to test on (`test`), or another column (`label`)"
    };
    Err(table.refused(format!(
        "{columns} only one value in the training rows, so there is nothing to learn{remedy}"
    )))
}
