//! Flags of `tanner predict`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use tanner::dataset::Augmentation;
use tanner::dataset::table::{ColumnRef, Decimal, Format, Header};
use tanner::session::settings::Delimiter;

const AFTER_HELP: &str = "\
Columns are found by name if the model knows their names; a label column is ignored. A model trained on pictures takes an IDX \
file of images, or a table of pixels from 0 to 1, row by row. CSV rows are answered as they arrive, from a file or a pipe, and \
memory does not grow with their number.

Examples:
  tanner predict --model runs/NAME/model.safetensors new.csv --out predicted.csv
  cat new.csv | tanner predict --model runs/NAME/model.safetensors | cut -d, -f1
  tanner predict --model runs/NAME new.csv --keep id --label-only
  tanner predict --model m.safetensors x.npy --out probabilities.npy";

#[derive(Debug, Args)]
#[command(next_help_heading = "Data", after_long_help = AFTER_HELP)]
pub(crate) struct PredictArgs {
    /// Model file of a run, or the run's folder
    #[arg(long, value_name = "FILE")]
    pub(crate) model: PathBuf,
    /// Table of samples, IDX file, or - for stdin [default: -]
    ///
    /// CSV, NPY, NPZ, Parquet, or an IDX file of images.
    #[arg(value_name = "INPUT", conflicts_with = "data")]
    pub(crate) input: Option<PathBuf>,
    /// The same as INPUT [default: -]
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<PathBuf>,
    /// Format of the input [default: by its name, CSV from stdin]
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    pub(crate) format: Option<InputFormat>,
    /// CSV: whether the first row names the columns [default: auto]
    #[arg(long, value_name = "WHETHER", value_enum)]
    pub(crate) header: Option<Header>,
    /// CSV: separator of fields, one character or `tab`
    ///
    /// `blanks` are runs of blanks and tabs. [default: whichever of , ; | tab and blanks makes most columns numbers]
    #[arg(long, value_name = "CHAR")]
    pub(crate) delimiter: Option<Delimiter>,
    /// CSV: character before decimals: . or , [default: auto]
    #[arg(long, value_name = "CHAR", value_enum)]
    pub(crate) decimal: Option<Decimal>,
    /// Pictures: average over views of each [default: none]
    ///
    /// Averages the logarithms of the probabilities over shift=N (unchanged, and shifted by up to N pixels along a side),
    /// flip (each also mirrored), or shift=N,flip. The time grows with the number of views.
    #[arg(long, value_name = "VIEWS", value_parser = tanner::session::settings::parsed::<Augmentation>)]
    pub(crate) average: Option<Augmentation>,
    /// File for the predictions [default: CSV to stdout]
    ///
    /// .csv for labels and probabilities, .npy for probabilities only. Replaces earlier predictions, but no other file.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
    /// Write these columns of the input first [default: none]
    ///
    /// By name or place, as for --drop: identifiers, for example. A name with a comma is quoted as in CSV. The model need not know them. Only for CSV and Parquet. A kept
    /// column called label is written as `input label`.
    #[arg(
        long,
        value_name = "COLUMN,..",
        value_delimiter = ',',
        allow_negative_numbers = true,
        help_heading = "Output"
    )]
    pub(crate) keep: Vec<ColumnRef>,
    /// Write the probability of each class, too [default: yes]
    #[arg(long, help_heading = "Output", conflicts_with = "label_only")]
    pub(crate) proba: bool,
    /// Write labels without probabilities [default: both]
    #[arg(long, help_heading = "Output")]
    pub(crate) label_only: bool,
    /// Write each line separately [default: all rows that have arrived]
    #[arg(long, help_heading = "Output")]
    pub(crate) stream: bool,
    /// Number of threads [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Engine", allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputFormat {
    Table(Format),
    /// Images in an IDX file.
    Idx,
}

fn formats() -> impl TypedValueParser<Value = InputFormat> {
    let names = Format::ALL.into_iter().map(Format::name).chain(["idx"]);
    PossibleValuesParser::new(names).map(|name| name.parse().map_or(InputFormat::Idx, InputFormat::Table))
}
