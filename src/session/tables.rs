//! Reads tables as a run or a model needs them.

use std::borrow::Cow;
use std::path::Path;

use super::crossing::record_of;
use super::settings::{DataSettings, TaskChoice};
use crate::dataset::table::{
    Classes, Columns, Ignored, LabelNeed, Limits, Source, Table, TableEncoding, Tables, read_labels,
};
use crate::dataset::{DataRecord, Task};
use crate::error::AskedBy as _;
use crate::host;
use crate::model::TrainedModel;
use crate::{Error, Result, Setting};

/// Bytes for each value of a table: the value, the preprocessed feature, and a part for the test set.
const BYTES_PER_VALUE: f64 = 9.0;

/// Refuses settings of tables that would go unnoticed with a folder.
pub(super) fn refuse_for_pictures(settings: &DataSettings) -> Result<()> {
    let task = settings.options.task.and_then(TaskChoice::task).filter(|task| *task != Task::Classification);
    match (task, &settings.options.weights) {
        (Some(task), _) => {
            let reason = format!("{task} needs a table or arrays: a folder of IDX files has classes");
            Err(Error::setting(Setting::Task, reason))
        }
        (None, Some(_)) => Err(Error::setting(Setting::Weights, "needs a table, of which it names a column")),
        (None, None) => Ok(()),
    }
}

/// How a model reads tables: without an encoding, it takes the columns in order.
pub(super) fn encoding_of(model: &TrainedModel) -> Cow<'_, TableEncoding> {
    match &model.data().encoding {
        Some(encoding) => Cow::Borrowed(encoding),
        None => Cow::Owned(TableEncoding::of_columns(model.preprocessing().input_features())),
    }
}

/// The classes whose names a model knows.
pub(super) fn classes_of(model: &TrainedModel) -> Classes {
    Classes { names: model.data().class_names.clone() }
}

/// The model's encoding of tables; contradicting settings are refused.
pub(super) fn known<'a>(model: &'a TrainedModel, settings: &DataSettings) -> Result<Cow<'a, DataRecord>> {
    let decided = [
        Setting::Task,
        Setting::Weights,
        Setting::Impute,
        Setting::MaxCategories,
        Setting::Drop,
        Setting::Label,
        Setting::Picture,
        Setting::Missing,
    ];
    if let Some(setting) = settings.options.given().find(|setting| decided.contains(setting)) {
        return Err(Error::setting(setting, "the model has that of its training, which cannot be changed"));
    }
    let record = record_of(model);
    if record.encoding.is_none() {
        let reason =
            "the model was not trained on a table and knows no columns: give it a folder of IDX files";
        return Err(Error::setting(Setting::Data, reason));
    }
    Ok(record)
}

pub(super) fn encoding(record: &DataRecord) -> Result<&TableEncoding> {
    record.encoding.as_ref().ok_or_else(|| Error::Dataset("the model has no encoding of tables".into()))
}

pub(super) fn refuse_part() -> Error {
    Error::setting(Setting::Test, "a model is scored on its own test rows; name a FILE to score other rows")
}

/// A table with known columns.
pub(super) fn read_known(settings: &DataSettings, path: &Path, encoding: &TableEncoding) -> Result<Tables> {
    let has_labels_elsewhere = settings.options.labels.is_some() && path == settings.path;
    let label = if has_labels_elsewhere { LabelNeed::Ignored } else { LabelNeed::Required };
    let format = super::settings::format(path)?;
    let own = DataSettings { path: path.to_owned(), format, ..settings.clone() };
    read_tables(&own, &Columns::Of { encoding, label })
}

pub(super) fn read_tables(settings: &DataSettings, columns: &Columns<'_>) -> Result<Tables> {
    let Some(format) = settings.format else {
        if !settings.path.exists() {
            return Err(Error::Dataset(format!("there is no file {}", settings.path.display())));
        }
        let reason = format!("{} is a folder, expected a table", settings.path.display());
        return Err(Error::Dataset(reason));
    };
    let options = settings.reading(limits());
    let Tables { table, test, notes } =
        Table::read(Source::open(&settings.path)?, format, columns, &options)?;
    let table = match &settings.options.labels {
        // A test file has its labels in a column.
        Some(path) if table.labels().is_none() => {
            table.with_labels(read_labels(Source::open(path)?, &options.limits).asked_by(Setting::Labels)?)?
        }
        _ => table,
    };
    Ok(Tables { table, test, notes })
}

/// Limited by the memory.
pub(super) fn limits() -> Limits {
    #[expect(clippy::cast_possible_truncation, reason = "casts saturate")]
    let memory = host::available().map_or(u64::MAX, |available| available.bytes as u64);
    Limits { memory, bytes_per_value: BYTES_PER_VALUE, ..Limits::default() }
}

/// An unknown table. If its last column is taken for the label and turns out to number the rows, the column before it is
/// the label; the second value then names that last column.
pub(super) fn read_new(settings: &DataSettings) -> Result<(Tables, Option<Ignored>)> {
    let options = &settings.options;
    let drop = options.drop.as_deref().unwrap_or_default();
    let columns = |label, drop| Columns::New {
        label,
        labelled: options.labels.is_none(),
        drop,
        weights: options.weights.as_ref(),
    };
    let tables = read_tables(settings, &columns(options.label.as_ref(), drop))?;
    let labels = tables.table.labels().filter(|_| tables.table.index_is_label());
    let Some((before, labels)) = labels.and_then(|labels| Some((labels.column_before(drop)?, labels))) else {
        return Ok((tables, None));
    };
    let (choice, index) = (labels.choice.clone(), labels.name.clone());
    // Only one table is in memory at a time.
    std::mem::drop(tables);
    let drop = [drop, &[index.parse()?]].concat();
    let mut tables = read_tables(settings, &columns(Some(&before), &drop))?;
    if let Some(labels) = tables.table.labels.first_mut() {
        labels.choice = choice;
    }
    Ok((tables, Some(Ignored { column: index, reason: "it has no name and numbers the rows" })))
}
