//! What can be typed for predictions.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use tanner::dataset::Augmentation;
use tanner::dataset::table::{Format, Header};
use tanner::session::settings::Delimiter;

const AFTER_HELP: &str = "\
Columns are found by their names where the model knows them; a label column may be there or not. A model that was trained on \
pictures takes their pixels as 0 to 1 in a table, row by row, or an IDX file of images. CSV is answered as it arrives, \
whether from a file or a pipe, in memory that does not grow with it.

Examples:
  tanner predict --model runs/NAME/model.safetensors new.csv --out predicted.csv
  cat new.csv | tanner predict --model runs/NAME/model.safetensors | cut -d, -f1
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
    #[arg(value_name = "INPUT")]
    pub(crate) input: Option<PathBuf>,
    /// Format of the input [default: as its name ends, CSV from stdin]
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    pub(crate) format: Option<InputFormat>,
    /// CSV: whether the first row names the columns [default: auto]
    #[arg(long, value_name = "WHETHER", value_enum)]
    pub(crate) header: Option<Header>,
    /// CSV: what stands between fields, one character or `tab`
    ///
    /// [default: the one of , ; and tab that fits]
    #[arg(long, value_name = "CHAR")]
    pub(crate) delimiter: Option<Delimiter>,
    /// Pictures: average over views of each [default: none]
    ///
    /// shift=N (as it is, and moved by up to N pixels along a side), flip (each mirrored, too), or shift=N,flip: the mean
    /// logarithms of the probabilities. It takes as many times as long as there are views.
    #[arg(long, value_name = "VIEWS", value_parser = tanner::session::settings::parsed::<Augmentation>)]
    pub(crate) average: Option<Augmentation>,
    /// File for the predictions [default: CSV to stdout]
    ///
    /// .csv for labels and probabilities, .npy for probabilities alone.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
    /// Send each line of the answer on its way alone [default: those of all rows that have arrived]
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
