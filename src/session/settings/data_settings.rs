//! Which data a run uses, checked as far as that is possible without reading them.

use std::path::{Path, PathBuf};

use super::format::format;
use super::groups::DataOptions;
use super::task_choice::TaskChoice;
use super::values::TestRows;
use crate::dataset::table::{FitOptions, Format, Limits, ReadOptions, unquoted};
use crate::{Error, Result, Setting};

/// The requested data.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSettings {
    /// A folder of IDX files, or a table.
    pub path: PathBuf,
    /// The format of a table; `None` for a folder.
    #[doc(hidden)]
    pub format: Option<Format>,
    /// How a table is read and encoded.
    pub options: DataOptions,
}

/// Replaces the path of samples that did not come from files.
const IN_MEMORY: &str = "<samples in memory>";

impl DataSettings {
    /// The record of samples that did not come from files.
    pub(crate) fn in_memory() -> Self {
        let path = PathBuf::from(IN_MEMORY);
        let options = DataOptions { data: Some(path.clone()), ..DataOptions::default() };
        Self { path, format: None, options }
    }

    /// Whether the data are a folder of pictures.
    pub(crate) fn is_folder(&self) -> bool {
        self.format.is_none() && !self.is_in_memory()
    }

    /// Whether the samples did not come from files.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.path.as_os_str() == IN_MEMORY
    }

    /// Checks all that can be checked without reading.
    ///
    /// # Errors
    /// [`Error::Setting`] for a file that is not a table, and for settings of other kinds of data.
    #[doc(hidden)]
    pub fn new(options: &DataOptions) -> Result<Self> {
        let path = options.data.clone().unwrap_or_else(|| PathBuf::from("data/fashion-mnist"));
        let format = format(&path)?;
        let strange = options.given().find(|setting| *setting != Setting::Data);
        if let (None, Some(setting)) = (format, strange) {
            let reason = format!("`{setting}` belongs to tables, {} is not a table file", path.display());
            return Err(Error::setting(Setting::Data, reason));
        }
        if options.max_categories == Some(0) {
            let reason = "0 is invalid, it must be at least 1; `drop` leaves columns out";
            return Err(Error::setting(Setting::MaxCategories, reason));
        }
        let of_one_format = [
            (
                options.labels.is_some() && format != Some(Format::Npz),
                Setting::Labels,
                Format::Npy,
                "NPY and NPZ files",
            ),
            (options.header.is_some(), Setting::Header, Format::Csv, "CSV files"),
            (options.delimiter.is_some(), Setting::Delimiter, Format::Csv, "CSV files"),
            (options.decimal.is_some(), Setting::Decimal, Format::Csv, "CSV files"),
            (options.missing.is_some(), Setting::Missing, Format::Csv, "CSV files"),
        ];
        let strange = of_one_format.iter().find(|(given, _, owner, _)| *given && format != Some(*owner));
        if let Some((_, setting, _, owner)) = strange {
            let reason = format!("cannot be used with {}, only with {owner}", path.display());
            return Err(Error::setting(*setting, reason));
        }
        let mut options = options.clone();
        // Of an archive, labels may be an array, not a file.
        let is_name = |labels: &&PathBuf| !labels.exists() && labels.extension().is_none();
        let array = options.labels.as_ref().filter(|labels| format == Some(Format::Npz) && is_name(labels));
        if let Some(name) = array.and_then(|labels| labels.to_str()) {
            options.label = Some(name.parse()?);
            options.labels = None;
        }
        Ok(Self { path, format, options })
    }

    /// How a table is read.
    pub(crate) fn reading(&self, limits: Limits) -> ReadOptions {
        let words = |list: &Vec<String>| {
            let words = unquoted(list.iter().map(String::as_str)).into_iter();
            words.map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
        };
        ReadOptions {
            header: self.options.header.unwrap_or_default(),
            delimiter: self.options.delimiter.map(|delimiter| delimiter.0),
            decimal: self.options.decimal.unwrap_or_default(),
            missing: self.options.missing.as_ref().map(words),
            limits,
            ..ReadOptions::default()
        }
    }

    /// How an encoding is fitted.
    #[must_use]
    pub(crate) fn fit(&self) -> FitOptions {
        let usual = FitOptions::default();
        let max_categories = self.options.max_categories.unwrap_or(usual.max_categories);
        let task = self.options.task.and_then(TaskChoice::task);
        FitOptions { impute: self.options.impute, max_categories, task }
    }

    /// A file of test rows, if one is named.
    #[must_use]
    pub(crate) fn test_file(&self) -> Option<&Path> {
        if let Some(TestRows::File(path)) = &self.options.test { Some(path) } else { None }
    }
}
