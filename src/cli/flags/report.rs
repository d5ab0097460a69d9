//! What can be typed to look at runs, in a list and as a page.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

const AFTER_REPORT_HELP: &str = "\
The page needs nothing beside it: no network, no other file. It holds at most 16 runs, and of each at most 24 misclassified
examples, 12 layers, 40 classes of a confusion matrix and 400 points of a curve; pictures have at most 1024 pixels on a side.

Examples:
  tanner report runs/NAME                              one run, into report.html
  tanner report runs/* --out all.html                  several runs, one beside the other";

#[derive(Debug, Args)]
#[command(after_long_help = AFTER_REPORT_HELP)]
pub(crate) struct ReportArgs {
    /// Run folders, finished or not
    #[arg(value_name = "DIR", required = true, help_heading = "Data")]
    pub(crate) runs: Vec<PathBuf>,
    /// Page to write; one that is there is replaced
    #[arg(long, value_name = "FILE", help_heading = "Output", default_value = "report.html")]
    pub(crate) out: PathBuf,
    /// Where the data are [default: where each run says]
    ///
    /// A run's relative path is looked for from here and from the folders above the run.
    #[arg(long, value_name = "PATH", help_heading = "Data")]
    pub(crate) data: Option<PathBuf>,
    /// Threads of the CPU [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Engine", allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct RunListArgs {
    /// Folder whose run folders are listed
    #[arg(value_name = "DIR", help_heading = "Data", default_value = "runs")]
    pub(crate) folder: PathBuf,
    /// What comes first: time, accuracy, parameters or name
    ///
    /// The latest, the most accurate (after the last epoch), the smallest, or by name.
    #[arg(long, value_enum, help_heading = "Output", default_value_t = SortArg::Time)]
    pub(crate) sort: SortArg,
    /// List the first N runs only [default: all]
    #[arg(long, value_name = "N", help_heading = "Output", allow_negative_numbers = true)]
    pub(crate) limit: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortArg {
    Time,
    Accuracy,
    Parameters,
    Name,
}
