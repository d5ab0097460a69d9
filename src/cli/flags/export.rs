//! Flags of `tanner export`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use tanner::export::onnx::Form;

/// A model and the files to export.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output", group = ArgGroup::new("formats").args(["onnx", "csr"]).required(true).multiple(true))]
pub(crate) struct ExportArgs {
    /// Model file of a run, or the run's folder
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub(crate) model: PathBuf,
    /// File to write for ONNX
    ///
    /// Opset 13, IR version 7: `features` in, `label` and `probabilities` out. An existing file is refused.
    #[arg(long, value_name = "FILE")]
    pub(crate) onnx: Option<PathBuf>,
    /// How ONNX stores the weights of sparse layers
    #[arg(long, value_name = "FORM", value_enum, default_value_t = FormArg::Auto, requires = "onnx")]
    pub(crate) form: FormArg,
    /// Folder for scipy
    ///
    /// Writes layer<L>.npz (compressed sparse rows), biases.npz, preprocessing.npz and model.json. A folder that holds any of
    /// these is refused.
    #[arg(long, value_name = "DIR")]
    pub(crate) csr: Option<PathBuf>,
}

/// The spellings of [`Form`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormArg {
    /// The smaller of dense and scatter for each layer
    Auto,
    /// All weights, zeros where there is no edge: the fastest to load
    Dense,
    /// The edges, expanded to dense weights at load time: small, and as fast as dense
    Scatter,
    /// The edges, gathered for each sample: small and slow, for layers too wide to be dense in memory
    Gather,
}

impl From<FormArg> for Form {
    fn from(form: FormArg) -> Self {
        match form {
            FormArg::Auto => Self::Auto,
            FormArg::Dense => Self::Dense,
            FormArg::Scatter => Self::Scatter,
            FormArg::Gather => Self::Gather,
        }
    }
}
