//! Tables: CSV, NPY, NPZ and Parquet, from bytes to labelled samples.
//!
//! A reader turns a [`Source`] into a [`Table`]: features as float32 numbers
//! `[row][column]`, texts as the number of their category, and labels.
//! A [`TableEncoding`], fitted on training rows, turns that table, and any later
//! one with the same columns, into the features of samples. [`Columns`] says
//! which column is the label, and which columns are skipped.
//!
//! # What hostile input can do
//! Every reader works on bytes and refuses broken input. A reader makes
//! nothing large before it has compared what the input promises with
//! [`Limits`], and with what this many bytes can hold: a table of text takes at
//! most 4 bytes for each byte of its file, an array 4 (in an archive 4 x 1032), and
//! in addition 1 KiB for each column and a few blocks of text, at most
//! [`Limits::max_record_bytes`] and 4 MiB for each thread. Parquet repeats values in
//! few bytes, so there only [`Limits::memory`] is the bound, and the pages that the
//! crate unpacks, one of each column at a time, each of which may promise 2 GiB.

mod advice;
mod cells;
mod classes;
mod column;
#[cfg(feature = "train")]
mod column_names;
#[cfg(feature = "train")]
mod columns;
#[cfg(feature = "train")]
mod csv;
#[cfg(feature = "train")]
mod doubts;
mod encoding;
mod fit;
#[cfg(feature = "train")]
mod guess;
#[cfg(feature = "train")]
mod kept;
mod label_place;
mod labels;
#[cfg(feature = "train")]
mod left_out;
mod limits;
#[cfg(feature = "train")]
mod magic;
#[cfg(feature = "train")]
mod memory;
#[cfg(feature = "train")]
mod memory_texts;
#[cfg(feature = "train")]
mod notes;
#[cfg(feature = "train")]
mod npy;
#[cfg(feature = "train")]
mod npz;
mod odd_cells;
#[cfg(feature = "parquet")]
mod parquet;
mod pixels;
mod problems;
mod ranges;
mod rows;
#[cfg(feature = "train")]
mod source;
mod span;
#[cfg(feature = "train")]
mod suspects;
mod texts;
mod units;
mod values;
mod words;

#[cfg(feature = "train")]
use crate::topology::Grid;
use crate::{Error, Result, Setting, threads};

#[cfg(feature = "train")]
pub(crate) use advice::{list_item, unquoted};
#[doc(hidden)]
pub use cells::{CellRules, Decimal};
pub use classes::Classes;
#[cfg(feature = "train")]
pub(crate) use classes::{joined_spellings, separate_spellings};
pub(crate) use column::Column;
#[cfg(feature = "train")]
pub use columns::{ColumnRef, Columns, LabelNeed};
#[cfg(feature = "train")]
#[doc(hidden)]
pub use csv::ArrivingRows;
#[cfg(feature = "train")]
pub use csv::Header;
pub use encoding::{ColumnEncoding, Encoded, TableEncoding, Unseen};
pub use fit::{FitOptions, Impute};
#[cfg(feature = "train")]
pub(crate) use guess::{LabelChoice, LabelOrigin};
#[cfg(feature = "train")]
#[doc(hidden)]
pub use kept::KeptColumns;
pub use label_place::LabelPlace;
pub use labels::Labels;
pub use limits::Limits;
#[cfg(feature = "train")]
#[doc(hidden)]
pub use magic::decompressed;
#[cfg(feature = "train")]
#[doc(hidden)]
pub use memory::{Array, MemoryCells, MemoryColumn};
#[cfg(feature = "train")]
pub use npy::read_labels;
#[cfg(feature = "train")]
pub(crate) use npz::Archive;
pub(crate) use odd_cells::OddCells;
pub(crate) use pixels::{BYTE, PixelUnit};
pub(crate) use problems::Problems;
#[cfg(feature = "train")]
pub use source::{Format, Source};
pub(crate) use span::Span;
#[cfg(feature = "train")]
pub(crate) use suspects::{Ignored, Suspicion};
pub(crate) use texts::{Texts, listed};
#[doc(hidden)]
pub use units::Unit;
pub(crate) use words::MissingWords;

/// Reading fails with a reason, to which the caller adds the name of the table.
pub(crate) type Read<T> = std::result::Result<T, String>;

#[cfg(all(feature = "train", not(feature = "parquet")))]
const WITHOUT_PARQUET: &str =
    "this build reads no Parquet: build with `--features parquet`, or turn the table into CSV";

/// The cell of an unknown text; a missing one is NaN.
pub(crate) const UNSEEN: f32 = -1.0;

#[cfg(feature = "train")]
/// How the bytes of a table are read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// CSV: whether the first row names the columns.
    pub header: Header,
    /// CSV: the separator of fields, if known.
    pub delimiter: Option<u8>,
    /// The limits.
    pub limits: Limits,
    /// CSV: the character before decimals.
    #[doc(hidden)]
    pub decimal: Decimal,
    /// CSV: the words that mean a missing value, in place of the usual ones.
    #[doc(hidden)]
    pub missing: Option<Vec<String>>,
    /// CSV: how cells are read, if that is decided.
    #[doc(hidden)]
    pub rules: Option<CellRules>,
    /// CSV: lines before the bytes that are given, for messages.
    #[doc(hidden)]
    pub lines_before: i64,
    /// CSV: whether the bytes continue others, so that no comments precede them.
    #[doc(hidden)]
    pub is_continued: bool,
}

/// Columns of values, not yet of samples.
///
/// Invariants: `cells.len() == rows * columns.len()`; a cell of a column of
/// numbers is finite or, if missing, NaN; a cell of a column of texts is
/// the number of its text or NaN; a label of each kind for each row, and a weight, if there are any.
#[derive(Clone, Debug)]
pub struct Table {
    /// The name of the table in messages.
    pub(crate) name: String,
    pub(crate) rows: usize,
    /// The columns of features.
    pub(crate) columns: Vec<Column>,
    /// `[row][column]`.
    pub(crate) cells: Vec<f32>,
    /// One column of labels, or several.
    pub(crate) labels: Vec<Labels>,
    /// While the table is read: whether the last of the labels is the weight of each row.
    pub(crate) has_weights: bool,
    /// The weight of each row, above 0.
    pub(crate) weights: Option<Labels>,
    /// Whether the columns have names; others are called by their place.
    pub(crate) named: bool,
    /// Number of columns in the file, with label and whatever was skipped.
    pub(crate) file_columns: usize,
    /// Rows and columns of each sample, when it is a picture.
    pub(crate) image_shape: Option<[usize; 2]>,
    /// Whether the numbers were stored as bytes from 0 to 255.
    pub(crate) holds_bytes: bool,
    /// The scale of pixels that are in the unit of a model, from 0 to 1.
    pub(crate) pixel_scale: Option<f32>,
    /// How the cells of a text table were read.
    pub(crate) rules: Option<CellRules>,
    /// Columns that have neither a name nor values, behind the last delimiter of each line.
    pub(crate) left_out: Vec<String>,
    /// Lines around the header that are no data.
    pub(crate) skipped: Vec<String>,
    /// Whether it is certain that the first row names the columns, or that it does not.
    pub(crate) is_header_sure: bool,
}

/// The content of a file: a table, and a second one if the file has its own test set.
#[derive(Clone, Debug)]
pub struct Tables {
    /// All rows, or those to train on.
    pub table: Table,
    /// Rows to test on.
    pub test: Option<Table>,
    /// What the user should know of how the file was read.
    pub notes: Vec<String>,
}

impl Table {
    /// A table without rows and labels, whose columns have no names.
    fn new(name: String, columns: Vec<Column>, file_columns: usize) -> Self {
        Self {
            name,
            rows: 0,
            columns,
            cells: Vec::new(),
            labels: Vec::new(),
            has_weights: false,
            weights: None,
            named: false,
            file_columns,
            image_shape: None,
            holds_bytes: false,
            pixel_scale: None,
            rules: None,
            left_out: Vec::new(),
            skipped: Vec::new(),
            is_header_sure: true,
        }
    }

    #[cfg(feature = "train")]
    /// Reads a table.
    ///
    /// # Errors
    /// [`Error::Table`] with the place and the reason when the bytes are not such a
    /// table, when a column is missing, or when a limit is exceeded;
    /// [`Error::Io`] when reading fails.
    pub fn read(
        source: Source,
        format: Format,
        columns: &Columns<'_>,
        options: &ReadOptions,
    ) -> Result<Tables> {
        let name = source.name().to_owned();
        let apart = |Tables { table, test, notes }: Tables| {
            let test = test.map(Self::with_weights_apart).transpose()?;
            Ok(Tables { table: table.with_weights_apart()?, test, notes })
        };
        let one = |read: Read<Self>| Ok(Tables { table: read?, test: None, notes: Vec::new() });
        let read = threads::run(|| match format {
            Format::Csv => one(csv::read(source, columns, options)),
            Format::Npy => one(npy::read(source, columns, &options.limits)),
            Format::Npz => npz::read(source, columns, &options.limits),
            #[cfg(feature = "parquet")]
            Format::Parquet => parquet::read(source, columns, &options.limits),
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => Err(WITHOUT_PARQUET.into()),
        });
        read.and_then(apart).map_err(|reason| Error::table(name, &reason))
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns of features.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Number of columns of texts.
    #[must_use]
    pub fn text_columns(&self) -> usize {
        self.columns.iter().filter(|column| column.texts.is_some()).count()
    }

    /// Whether the columns have names.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// The labels, if the table has any; the first of several.
    #[must_use]
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.first()
    }

    /// Number of label columns.
    #[must_use]
    pub fn labels_count(&self) -> usize {
        self.labels.len()
    }

    /// Records that rows are pictures of this size.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is not one number for each pixel.
    #[cfg(feature = "train")]
    pub(crate) fn set_picture(&mut self, picture: Grid) -> Result<()> {
        if picture.maps != 1 || picture.neurons() != self.width() || self.text_columns() > 0 {
            let reason = match (picture.maps, self.text_columns()) {
                (1, 0) => format!(
                    "{picture} are {} pixels, the table has {} columns of features",
                    picture.neurons(),
                    self.width()
                ),
                (1, texts) => format!("{texts} of the table's columns are texts, pixels are numbers"),
                _ => format!("{picture} has three sides, a picture has two: ROWSxCOLUMNS"),
            };
            return Err(Error::setting(Setting::Picture, reason));
        }
        if let Some([rows, columns]) = self.image_shape.filter(|own| *own != [picture.rows, picture.columns])
        {
            let reason = format!("the file's own pictures have {rows} x {columns} pixels, not {picture}");
            return Err(Error::setting(Setting::Picture, reason));
        }
        self.image_shape = Some([picture.rows, picture.columns]);
        Ok(())
    }

    /// Rows and columns of pixels, when each row is a picture.
    #[must_use]
    pub fn image_shape(&self) -> Option<[usize; 2]> {
        self.image_shape
    }

    /// An error about this table.
    pub(crate) fn refused(&self, reason: impl Into<String>) -> Error {
        Error::table(self.name.clone(), &reason.into())
    }
}

fn unreadable(error: std::io::Error) -> String {
    format!("cannot be read: {error}")
}

/// `"age"`, or `3` for a column without a name.
pub(crate) fn shown(name: &str, named: bool) -> String {
    if named { format!("{name:?}") } else { name.to_owned() }
}
