//! What can be typed about data, and what it means.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, ValueEnum};
use serde::{Serialize, Serializer};
use tanner::dataset::Holdout;
use tanner::dataset::table::{ColumnRef, FitOptions, Format, Header, Impute};
use tanner::{Error, Result};

use super::settings::refuse;

/// How a table is read and encoded.
#[derive(Clone, Debug, Default, PartialEq, Args, Serialize)]
#[command(next_help_heading = "Data")]
pub(crate) struct TableArgs {
    /// Table: column of the label, by its name, or by its place counted from 0, where -1 is the last
    /// [default: a column called label, class, target or y, else the last one]
    #[arg(long, value_name = "NAME|INDEX", allow_negative_numbers = true)]
    pub(crate) label: Option<ColumnRef>,
    /// NPY: a second file with one label for each row [default: labels are a column]
    #[arg(long, value_name = "FILE", conflicts_with = "label")]
    pub(crate) labels: Option<PathBuf>,
    /// CSV: whether the first row names the columns; auto looks whether it differs from those below [default: auto]
    #[arg(long, value_name = "WHETHER", value_enum)]
    pub(crate) header: Option<HeaderArg>,
    /// CSV: what stands between fields, one character or `tab` [default: the one of , ; and tab that fits]
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    pub(crate) delimiter: Option<char>,
    /// Table: columns to leave out, by names or places as for --label [default: none]
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',', allow_negative_numbers = true)]
    pub(crate) drop: Vec<ColumnRef>,
    /// Table: most categories of a column of texts, each of which becomes a feature [default: 64]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) max_categories: Option<usize>,
    /// Table: fill missing values (empty, NA, N/A, NaN, null, ?) by mean or median of the training rows or by zero;
    /// a missing text is of no category [default: refuse them]
    #[arg(long, value_name = "HOW", value_parser = impute)]
    pub(crate) impute: Option<Impute>,
    /// Table: what is tested on, a file with the same columns, or a share or number of rows, of each class its
    /// proportion, drawn from --seed [default: 0.2, or what an NPZ file has as x_test]
    #[arg(long, value_name = "FILE|SHARE", value_parser = test_rows)]
    pub(crate) test: Option<TestRows>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HeaderArg {
    Auto,
    Yes,
    No,
}

/// What is tested on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TestRows {
    File(PathBuf),
    Part(Holdout),
}

impl Serialize for TestRows {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl TestRows {
    /// As it is typed.
    fn text(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Part(holdout) => holdout.to_string(),
        }
    }
}

fn reason(error: Error) -> String {
    match error {
        Error::Setting { reason, .. } => reason,
        other => other.to_string(),
    }
}

fn impute(text: &str) -> std::result::Result<Impute, String> {
    Impute::from_str(text).map_err(reason)
}

/// A number is rows, anything else a file.
fn test_rows(text: &str) -> std::result::Result<TestRows, String> {
    if text.parse::<f64>().is_err() {
        return Ok(TestRows::File(text.into()));
    }
    Holdout::from_str(text).map(TestRows::Part).map_err(reason)
}

pub(super) fn delimiter(text: &str) -> std::result::Result<char, String> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        _ if text == "tab" || text == "\\t" => Ok('\t'),
        (Some(one), None) if one.is_ascii() && !"\"\r\n.".contains(one) && !one.is_alphanumeric() => Ok(one),
        _ => Err(format!("{text:?} cannot part fields: write , ; | or tab")),
    }
}

impl TableArgs {
    /// The same, as words of a command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        words.extend(self.label.as_ref().map(|column| format!("--label={column}")));
        words.extend(self.labels.as_ref().map(|path| format!("--labels={}", path.display())));
        let header = self.header.and_then(|header| header.to_possible_value());
        words.extend(header.map(|value| format!("--header={}", value.get_name())));
        words
            .extend(self.delimiter.map(|one| {
                if one == '\t' { "--delimiter=tab".into() } else { format!("--delimiter={one}") }
            }));
        words.extend(self.drop.iter().map(|column| format!("--drop={column}")));
        words.extend(self.max_categories.map(|count| format!("--max-categories={count}")));
        words.extend(self.impute.map(|impute| format!("--impute={impute}")));
        words.extend(self.test.as_ref().map(|test| format!("--test={}", test.text())));
        words
    }

    /// The first flag that was typed.
    pub(crate) fn first_flag(&self) -> Option<String> {
        let word = self.words().into_iter().next()?;
        Some(word.split('=').next().unwrap_or_default().to_owned())
    }
}

/// Data as they were asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DataSettings {
    pub(crate) path: PathBuf,
    /// The format of a table; none for a folder of IDX files.
    pub(crate) format: Option<Format>,
    pub(crate) table: TableArgs,
}

impl DataSettings {
    /// Checks all that can be checked without reading.
    pub(crate) fn new(path: &Path, table: &TableArgs) -> Result<Self> {
        let format = format(path)?;
        if format.is_none()
            && let Some(flag) = table.first_flag()
        {
            let reason = format!("{flag} belongs to tables, {} is no table file", path.display());
            return refuse("--data", reason);
        }
        if table.max_categories == Some(0) {
            return refuse(
                "--max-categories",
                "0 is impossible, it must be at least 1; --drop leaves columns out",
            );
        }
        let belongs = |given: bool, flag, formats: &[Format], whose: &str| match format {
            Some(format) if given && !formats.contains(&format) => {
                refuse(flag, format!("has no meaning with {}, it belongs to {whose}", path.display()))
            }
            _ => Ok(()),
        };
        belongs(table.labels.is_some(), "--labels", &[Format::Npy], "NPY files")?;
        belongs(table.header.is_some(), "--header", &[Format::Csv], "CSV files")?;
        belongs(table.delimiter.is_some(), "--delimiter", &[Format::Csv], "CSV files")?;
        Ok(Self { path: path.to_owned(), format, table: table.clone() })
    }

    /// How an encoding is fitted.
    pub(crate) fn fit(&self) -> FitOptions {
        let usual = FitOptions::default();
        let max_categories = self.table.max_categories.unwrap_or(usual.max_categories);
        FitOptions { impute: self.table.impute, max_categories }
    }

    /// Whether the first row is a header.
    pub(crate) fn header(&self) -> Header {
        header(self.table.header)
    }
}

/// Whether the first row is a header, as it was typed.
pub(super) fn header(typed: Option<HeaderArg>) -> Header {
    match typed {
        None | Some(HeaderArg::Auto) => Header::Auto,
        Some(HeaderArg::Yes) => Header::Yes,
        Some(HeaderArg::No) => Header::No,
    }
}

/// The format of a file by its name; a folder, or what is not there and not called like a table, has none.
pub(crate) fn format(path: &Path) -> Result<Option<Format>> {
    let named = Format::of_path(path);
    if path.is_dir() || (named.is_none() && !path.exists()) {
        return Ok(None);
    }
    match named {
        Some(format) => Ok(Some(format)),
        None => refuse(
            "--data",
            format!(
                "{} is neither a folder of IDX files nor called .csv, .tsv, .txt, .npy, .npz or .parquet",
                path.display()
            ),
        ),
    }
}
