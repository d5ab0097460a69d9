//! From what was asked for to samples, and what of the data travels with the model.

use std::path::Path;

use anyhow::{Context as _, bail};
use tanner::dataset::table::{
    Columns, LabelNeed, Limits, ReadOptions, Source, Table, TableEncoding, Tables, Unseen, read_labels,
};
use tanner::dataset::{
    DataRecord, DataSplits, Dataset, EncodedSamples, Holdout, learn, learn_and_split, load_idx_folder,
};
use tanner::model::TrainedModel;
use tanner::report::grouped;

use super::data_args::{DataSettings, TestRows, format};
use super::{memory, terminal};

/// Share of a table's rows that is its test set where nothing else is said.
const USUAL_TEST: Holdout = Holdout::Share(0.2);
/// Bytes for each value of a table: itself, the features as a network takes them, and a part for its test set.
const BYTES_PER_VALUE: f64 = 9.0;

/// Data as they were read, before anything is fitted or split.
#[derive(Clone)]
pub(super) enum Raw {
    Idx(DataSplits),
    Table(Box<Tables>),
}

/// Samples to train and to test on, and what travels with the model.
#[derive(Clone)]
pub(super) struct Data {
    pub(super) splits: DataSplits,
    pub(super) record: DataRecord,
}

impl Raw {
    /// Reads what was asked for.
    pub(super) fn read(settings: &DataSettings) -> anyhow::Result<Self> {
        if settings.format.is_none() {
            return Ok(Self::Idx(load_idx_folder(&settings.path).context("--data")?));
        }
        let columns = Columns::New {
            label: settings.table.label.as_ref(),
            labelled: settings.table.labels.is_none(),
            drop: &settings.table.drop,
        };
        let tables = read_tables(settings, &columns).context("--data")?;
        announce(&tables.table, settings);
        Ok(Self::Table(Box::new(tables)))
    }

    /// Whether the test set depends on the seed.
    pub(super) fn is_seeded(&self, settings: &DataSettings) -> bool {
        match self {
            Self::Idx(_) => false,
            Self::Table(tables) => {
                tables.test.is_none() && !matches!(settings.table.test, Some(TestRows::File(_)))
            }
        }
    }

    /// Fits what is to be fitted, and splits where there is one table.
    pub(super) fn split(self, settings: &DataSettings, seed: u64) -> anyhow::Result<Data> {
        let tables = match self {
            Self::Idx(splits) => {
                let record = DataRecord::of(&splits.train);
                return Ok(Data { splits, record });
            }
            Self::Table(tables) => *tables,
        };
        let limits = limits();
        let test = match (&settings.table.test, tables.test) {
            (Some(_), Some(_)) => bail!("--test: the file has a test set of its own"),
            (None, Some(test)) => Some(test),
            (Some(TestRows::File(path)), None) => {
                let (train, record) = learn(tables.table, settings.fit(), &limits).context("--data")?;
                let encoding = encoding(&record)?;
                let test = read_known(settings, path, encoding, LabelNeed::Required).context("--test")?;
                return tested(train, record, test.table);
            }
            (Some(TestRows::Part(_)) | None, None) => None,
        };
        if let Some(test) = test {
            let (train, record) = learn(tables.table, settings.fit(), &limits).context("--data")?;
            return tested(train, record, test);
        }
        let holdout = match settings.table.test {
            Some(TestRows::Part(holdout)) => holdout,
            _ => USUAL_TEST,
        };
        let learned = learn_and_split(tables.table, (holdout, seed), settings.fit(), &limits);
        let (EncodedSamples { samples: splits, unseen }, record) = learned.context("--data")?;
        tell_unseen(&unseen);
        Ok(Data { splits, record })
    }
}

/// The samples of a table to test on, beside those that were learned from another one.
fn tested(train: Dataset, record: DataRecord, test: Table) -> anyhow::Result<Data> {
    let EncodedSamples { samples: test, unseen } = record.samples(test, &limits()).context("--test")?;
    tell_unseen(&unseen);
    Ok(Data { splits: DataSplits { train, test }, record })
}

/// Reads and splits in one go.
pub(super) fn load(settings: &DataSettings, seed: u64) -> anyhow::Result<Data> {
    Raw::read(settings)?.split(settings, seed)
}

/// The data of a model that is there already, encoded and split as in its training.
pub(super) fn load_for(model: &TrainedModel, settings: &DataSettings) -> anyhow::Result<DataSplits> {
    if settings.format.is_none() {
        refuse_pictures(model)?;
        return load_idx_folder(&settings.path).context("--data");
    }
    let record = known(model, settings)?;
    let tables =
        read_known(settings, &settings.path, encoding(record)?, LabelNeed::Required).context("--data")?;
    let train = tables.table;
    let EncodedSamples { samples, unseen } = match (&settings.table.test, tables.test, record.test) {
        (Some(TestRows::File(path)), None, _) => {
            let test = read_known(settings, path, encoding(record)?, LabelNeed::Required).context("--test")?;
            return Ok(tested(record.samples(train, &limits())?.samples, record.clone(), test.table)?.splits);
        }
        (None, Some(test), _) => {
            return Ok(tested(record.samples(train, &limits())?.samples, record.clone(), test)?.splits);
        }
        (None, None, Some(split)) => record.splits(train, split, &limits()).context(
            "--data: what the model was trained and tested on is known for the table of its training alone; name \
             what to test on with --test FILE",
        )?,
        (None, None, None) => bail!("--test: name the file to test on, the model's training had one, too"),
        (Some(_), ..) => return refuse_part(),
    };
    tell_unseen(&unseen);
    Ok(samples)
}

/// The samples to score a model on: a test set of its own, else the rows held out in training, else all rows.
pub(super) fn load_test(model: &TrainedModel, settings: &DataSettings) -> anyhow::Result<Dataset> {
    if settings.format.is_none() {
        refuse_pictures(model)?;
        return Ok(load_idx_folder(&settings.path).context("--data")?.test);
    }
    let record = known(model, settings)?;
    let path = match &settings.table.test {
        None => &settings.path,
        Some(TestRows::File(path)) => path,
        Some(TestRows::Part(_)) => return refuse_part(),
    };
    let tables = read_known(settings, path, encoding(record)?, LabelNeed::Required).context("--data")?;
    let has_test = tables.test.is_some() || settings.table.test.is_some();
    let EncodedSamples { samples, unseen } =
        record.samples(tables.test.unwrap_or(tables.table), &limits())?;
    tell_unseen(&unseen);
    let split = if has_test { None } else { record.split(&samples)? };
    if let (Some(split), Some(made)) = (split, record.test) {
        let rows = grouped(split.test.samples());
        terminal::note(&format!(
            "scored on the {rows} rows that were held out in training (seed {})",
            made.seed
        ));
        return Ok(split.test);
    }
    let rows = grouped(samples.samples());
    if has_test || record.test.is_none() {
        terminal::note(&format!("scored on all {rows} rows"));
    } else {
        terminal::warn(&format!(
            "scored on all {rows} rows: this is not the table of the training, row for row, so which of them \
             training saw is not known"
        ));
    }
    Ok(samples)
}

/// A model of a table cannot be scored on pictures, of which the default data are.
fn refuse_pictures(model: &TrainedModel) -> anyhow::Result<()> {
    if model.data().encoding.is_some() {
        bail!("--data: the model was trained on a table: name that one, or another with its columns");
    }
    Ok(())
}

/// What the model knows of tables; flags that would say otherwise are refused.
fn known<'a>(model: &'a TrainedModel, settings: &DataSettings) -> anyhow::Result<&'a DataRecord> {
    let table = &settings.table;
    let decided = [
        ("--impute", table.impute.is_some()),
        ("--max-categories", table.max_categories.is_some()),
        ("--drop", !table.drop.is_empty()),
        ("--label", table.label.is_some()),
    ];
    if let Some((flag, _)) = decided.into_iter().find(|(_, given)| *given) {
        bail!("{flag}: the model has that of its training, which cannot be changed");
    }
    if model.data().encoding.is_none() {
        bail!(
            "--data: the model was not trained on a table, it knows nothing of columns: give it a folder of IDX files"
        );
    }
    Ok(model.data())
}

fn encoding(record: &DataRecord) -> anyhow::Result<&TableEncoding> {
    record.encoding.as_ref().context("the model knows nothing of tables")
}

fn refuse_part<T>() -> anyhow::Result<T> {
    bail!("--test: a model has the rows of its own training, name a FILE to test on others")
}

/// A table whose columns are known.
fn read_known(
    settings: &DataSettings,
    path: &Path,
    encoding: &TableEncoding,
    label: LabelNeed,
) -> anyhow::Result<Tables> {
    let label =
        if settings.table.labels.is_some() && path == settings.path { LabelNeed::Ignored } else { label };
    let Some(format) = format(path)? else { bail!("{} is a folder, expected a table", path.display()) };
    let own = DataSettings { path: path.to_owned(), format: Some(format), ..settings.clone() };
    read_tables(&own, &Columns::Of { encoding, label })
}

fn read_tables(settings: &DataSettings, columns: &Columns<'_>) -> anyhow::Result<Tables> {
    let Some(format) = settings.format else { bail!("{} is no table", settings.path.display()) };
    let delimiter = settings.table.delimiter.and_then(|one| u8::try_from(one).ok());
    let options = ReadOptions { header: settings.header(), delimiter, limits: limits() };
    let Tables { table, test } = Table::read(Source::open(&settings.path)?, format, columns, &options)?;
    let table = match &settings.table.labels {
        // A test file has its labels in a column.
        Some(path) if table.labels().is_none() => {
            table.with_labels(read_labels(Source::open(path)?, &options.limits).context("--labels")?)?
        }
        _ => table,
    };
    Ok(Tables { table, test })
}

/// As much as fits into memory.
pub(super) fn limits() -> Limits {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
    let memory = memory::available().map_or(u64::MAX, |bytes| bytes as u64);
    Limits { memory, bytes_per_value: BYTES_PER_VALUE, ..Limits::default() }
}

/// Says what the table was taken for.
fn announce(table: &Table, settings: &DataSettings) {
    let texts = match table.text_columns() {
        0 => String::new(),
        count => format!(", {count} of them texts"),
    };
    let header = match (settings.format, table.is_named()) {
        (Some(tanner::dataset::table::Format::Csv), true) => ", header",
        (Some(tanner::dataset::table::Format::Csv), false) => ", no header",
        _ => "",
    };
    let label = table.labels().map_or(String::new(), |labels| {
        let name = if table.is_named() { format!("{:?}", labels.name()) } else { labels.name().to_owned() };
        let whose = if settings.table.label.is_some() || settings.table.labels.is_some() {
            ""
        } else {
            " (--label names another)"
        };
        format!("; label {name}{whose}")
    });
    let (rows, width) = (grouped(table.rows()), grouped(table.width()));
    terminal::note(&format!("table: {rows} rows, {width} columns of features{texts}{header}{label}"));
}

/// Says once what became of texts that training did not see.
pub(super) fn tell_unseen(unseen: &[Unseen]) {
    if unseen.is_empty() {
        return;
    }
    let columns: Vec<String> =
        unseen.iter().map(|unseen| format!("{:?} in {} rows", unseen.column, grouped(unseen.rows))).collect();
    terminal::warn(&format!(
        "texts that the training rows do not have are of no category: {}",
        columns.join(", ")
    ));
}
