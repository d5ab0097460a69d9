//! Loads data as requested, and records what the model keeps of them.

use std::path::Path;

use super::Session;
use super::crossing::pictures_for;
use super::facts::Origin;
use super::settings::{DataSettings, TestRows};
use super::tables::{
    classes_of, encoding, encoding_of, known, limits, read_known, read_new, refuse_for_pictures, refuse_part,
};
use super::warnings::unseen_lines;
use crate::dataset::table::{
    Columns, Format, LabelNeed, ReadOptions, Source, Table, Tables, joined_spellings,
};
use crate::dataset::{
    DataRecord, DataSplits, Dataset, EncodedSamples, Holdout, learn, learn_and_split, load_idx_folder,
};
use crate::error::AskedBy as _;
use crate::model::TrainedModel;
use crate::text::grouped;
use crate::{Error, Result, Setting};

/// Default share of the samples for the test set.
pub(crate) const USUAL_TEST: Holdout = Holdout::Share(0.2);

/// Raw data, before anything is fitted or split.
#[derive(Clone)]
pub enum RawData {
    /// Pictures, already split.
    Idx(Box<DataSplits>),
    /// Tables.
    Table(Box<Tables>, Box<Origin>),
}

/// Training and test samples, and their record for the model.
#[derive(Clone, Debug)]
pub struct Data {
    /// The samples.
    pub splits: DataSplits,
    /// What is known of them besides their numbers.
    pub record: DataRecord,
    /// About their rows, to be said after what they are.
    #[doc(hidden)]
    pub warnings: Vec<String>,
}

impl RawData {
    /// Whether the test set depends on the seed.
    #[must_use]
    pub(crate) fn is_seeded(&self, settings: &DataSettings) -> bool {
        match self {
            Self::Idx(_) => false,
            Self::Table(tables, _) => tables.test.is_none() && settings.test_file().is_none(),
        }
    }

    /// How the files were read.
    pub(super) fn origin(&self) -> Origin {
        match self {
            Self::Idx(_) => Origin::default(),
            Self::Table(_, origin) => (**origin).clone(),
        }
    }
}

impl Session<'_> {
    /// Reads the requested data.
    ///
    /// # Errors
    /// Errors of a file, with the setting that names it.
    pub(crate) fn read(&self, settings: &DataSettings) -> Result<RawData> {
        if settings.format.is_none() {
            refuse_for_pictures(settings)?;
            let splits = load_idx_folder(&settings.path).asked_by(Setting::Data)?;
            return Ok(RawData::Idx(Box::new(splits)));
        }
        let options = &settings.options;
        let (mut tables, index) = read_new(settings).asked_by(Setting::Data)?;
        if let Some(picture) = options.picture {
            for table in [Some(&mut tables.table), tables.test.as_mut()].into_iter().flatten() {
                table.set_picture(picture)?;
            }
        }
        tables.notes.iter().for_each(|note| self.note(note));
        // Before the classes are counted, which may be too few.
        if let Some(line) =
            tables.table.labels().filter(|labels| !labels.are_quantities()).and_then(joined_spellings)
        {
            self.warn(line);
        }
        let origin = Origin::of(&mut tables.table, settings).ignoring(index);
        Ok(RawData::Table(Box::new(tables), Box::new(origin)))
    }

    /// Fits the encoding, and splits if there is one table.
    ///
    /// # Errors
    /// As [`Session::read`].
    pub(crate) fn split_data(&self, raw: RawData, settings: &DataSettings, seed: u64) -> Result<Data> {
        let Tables { table, test, .. } = match raw {
            RawData::Idx(splits) => {
                let record = DataRecord::of(&splits.train);
                return Ok(Data { splits: *splits, record, warnings: Vec::new() });
            }
            RawData::Table(tables, _) => *tables,
        };
        let limits = limits();
        let holdout = match (&settings.options.test, test) {
            (Some(_), Some(_)) => {
                return Err(Error::setting(Setting::Test, "the file has its own test set"));
            }
            (None, Some(test)) => {
                let (train, record) = learn(table, settings.fit(), &limits).asked_by(Setting::Data)?;
                return tested(train, record, test);
            }
            (Some(TestRows::File(path)), None) => {
                let (train, record) = learn(table, settings.fit(), &limits).asked_by(Setting::Data)?;
                let test = read_known(settings, path, encoding(&record)?).asked_by(Setting::Test)?;
                return tested(train, record, test.table);
            }
            (Some(TestRows::Part(holdout)), None) => *holdout,
            (None, None) => USUAL_TEST,
        };
        let learned = learn_and_split(table, (holdout, seed), settings.fit(), &limits);
        let (encoded, record) = learned.asked_by(Setting::Data)?;
        let (splits, warnings) = with_warnings(encoded);
        Ok(Data { splits, record, warnings })
    }

    /// Reads the requested data, fits the encoding on the training rows, and splits if there is one table. Reports what it found.
    ///
    /// # Errors
    /// Errors of a file, with the setting that names it.
    pub fn load(&self, settings: &DataSettings, seed: u64) -> Result<Data> {
        let raw = self.read(settings)?;
        let origin = raw.origin();
        let data = self.split_data(raw, settings, seed)?;
        self.report_loaded(&origin, &data);
        Ok(data)
    }
}

#[doc(hidden)]
impl Session<'_> {
    /// The data for an existing model, encoded and split as in its training.
    ///
    /// # Errors
    /// As [`Session::load`]; settings that contradict the model.
    pub fn load_for(&self, model: &TrainedModel, settings: &DataSettings) -> Result<DataSplits> {
        if settings.format.is_none() {
            return pictures_for(model, settings);
        }
        let record = &*known(model, settings)?;
        let known = |path: &Path| read_known(settings, path, encoding(record)?);
        let Tables { table: train, test, .. } = known(&settings.path).asked_by(Setting::Data)?;
        let test = match (&settings.options.test, test) {
            (Some(TestRows::File(path)), None) => Some(known(path).asked_by(Setting::Test)?.table),
            (None, test) => test,
            (Some(_), _) => return Err(refuse_part()),
        };
        if let Some(test) = test {
            let data = tested(record.samples(train, &limits())?.samples, record.clone(), test)?;
            data.warnings.into_iter().for_each(|line| self.warn(line));
            return Ok(data.splits);
        }
        let Some(split) = record.test else {
            let reason = "name the file to test on, the model's training had one, too";
            return Err(Error::setting(Setting::Test, reason));
        };
        let splits = record.splits(train, split, &limits()).asked_by(Setting::Data)?;
        Ok(self.samples(splits))
    }

    /// The samples to score a model on: a separate test set, otherwise the rows held out in training, otherwise all rows.
    ///
    /// # Errors
    /// As [`Session::load_for`].
    pub fn load_test(&self, model: &TrainedModel, settings: &DataSettings) -> Result<Dataset> {
        if settings.format.is_none() {
            return Ok(pictures_for(model, settings)?.test);
        }
        let record = &*known(model, settings)?;
        let path = match &settings.options.test {
            None => &settings.path,
            Some(TestRows::File(path)) => path,
            Some(TestRows::Part(_)) => return Err(refuse_part()),
        };
        let tables = read_known(settings, path, encoding(record)?).asked_by(Setting::Data)?;
        let has_test = tables.test.is_some() || settings.options.test.is_some();
        let samples = self.samples(record.samples(tables.test.unwrap_or(tables.table), &limits())?);
        let split = if has_test { None } else { record.split(&samples)? };
        if let (Some(split), Some(made)) = (split, record.test) {
            let rows = grouped(split.test.samples());
            self.note(format!(
                "scored on the {rows} rows that were held out in training (seed {})",
                made.seed
            ));
            return Ok(split.test);
        }
        let rows = grouped(samples.samples());
        if has_test || record.test.is_none() {
            self.note(format!("scored on all {rows} rows"));
        } else {
            self.warn(format!(
                "scored on all {rows} rows: this is not the training table, row for row, so \
                 training may have seen some of them"
            ));
        }
        Ok(samples)
    }

    /// The features of rows of a table, `[row][feature]`, for a model.
    ///
    /// For a model without an encoding, the columns are the features, in order.
    ///
    /// # Errors
    /// Errors of the table, or if it does not fit the model.
    pub fn features_for(
        &self,
        model: &TrainedModel,
        source: Source,
        format: Format,
        options: ReadOptions,
    ) -> Result<Vec<f32>> {
        let encoding = encoding_of(model);
        let options = ReadOptions { limits: limits(), ..options };
        // A missing text label is not an error here.
        let label = if format == Format::Csv { LabelNeed::Ignored } else { LabelNeed::IfThere };
        let columns = Columns::Of { encoding: &encoding, label };
        let table = Table::read(source, format, &columns, &options)?.table;
        classes_of(model).check_place(&table)?;
        model.data().check_pictures(table.image_shape())?;
        Ok(self.samples(model.data().features(table, &encoding, &options.limits)?))
    }

    /// The samples of a table, after warning of unseen texts.
    pub(super) fn samples<T>(&self, encoded: EncodedSamples<T>) -> T {
        let (samples, warnings) = with_warnings(encoded);
        warnings.into_iter().for_each(|line| self.warn(line));
        samples
    }
}

/// The samples of a table, and warnings of unseen texts and far numbers.
pub(super) fn with_warnings<T>(encoded: EncodedSamples<T>) -> (T, Vec<String>) {
    (encoded.samples, unseen_lines(&encoded.unseen).into_iter().chain(encoded.far).collect())
}

/// The samples of a table to test on, encoded like the training table.
fn tested(train: Dataset, record: DataRecord, test: Table) -> Result<Data> {
    let (test, warnings) = with_warnings(record.samples(test, &limits()).asked_by(Setting::Test)?);
    Ok(Data { splits: DataSplits { train, test }, record, warnings })
}
