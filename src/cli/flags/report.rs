//! Flags of `tanner runs` and `tanner report`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::PermutationArgs;

const AFTER_REPORT_HELP: &str = "\
The page needs neither the network nor other files. It holds at most 16 runs, and for each at most 24 misclassified examples, \
12 layers, 40 classes of a confusion matrix and 400 points of a curve. Pictures have at most 1024 pixels on a side.

Examples:
  tanner report runs/NAME                              one run, into report.html
  tanner report runs/* --out all.html                  several runs side by side
  tanner report runs/NAME --watch --open               watch it train";

#[derive(Debug, Args)]
#[command(after_long_help = AFTER_REPORT_HELP)]
pub(crate) struct ReportArgs {
    /// Run folders, finished or not
    #[arg(value_name = "DIR", required = true, help_heading = "Data")]
    pub(crate) runs: Vec<PathBuf>,
    /// Page to write, replacing an existing one
    #[arg(long, value_name = "FILE", help_heading = "Output", default_value = "report.html")]
    pub(crate) out: PathBuf,
    /// Show the page in a browser
    #[arg(long, help_heading = "Output")]
    pub(crate) open: bool,
    /// Rewrite the page while one of its runs trains
    ///
    /// Whenever an epoch has ended. A browser reads it again, too. It ends with the last run, or by Ctrl-C.
    #[arg(long, help_heading = "Output")]
    pub(crate) watch: bool,
    /// Where the data are [default: as each run recorded]
    ///
    /// A run's relative path is resolved from the current folder and from the folders above the run.
    #[arg(long, value_name = "PATH", help_heading = "Data")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) permutation: PermutationArgs,
    /// Threads of the CPU [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Engine", allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct RunListArgs {
    /// Folder with the run folders to list
    #[arg(value_name = "DIR", help_heading = "Data", default_value = "runs")]
    pub(crate) folder: PathBuf,
    /// List only runs with this property: data=wine, score>0.9
    ///
    /// With =, !=, <, <=, > or >=. If several are given, all must hold. The key is a flag of training (lr=0.01), or a key of
    /// --json (state=running). [default: all runs]
    #[arg(long = "where", value_name = "KEY=VALUE", help_heading = "Output")]
    pub(crate) conditions: Vec<Condition>,
    /// Sort by time, score, parameters or name
    ///
    /// First come the latest, the highest score (after the last epoch), the smallest, or the first name.
    #[arg(long, value_enum, help_heading = "Output", default_value_t = SortArg::Time)]
    pub(crate) sort: SortArg,
    /// List the first N runs only [default: all]
    #[arg(long, value_name = "N", help_heading = "Output", allow_negative_numbers = true)]
    pub(crate) limit: Option<usize>,
}

/// A condition on runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) key: String,
    pub(crate) relation: Relation,
    pub(crate) value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    Unequal,
    /// Less, or with `or_equal` also equal.
    Less {
        or_equal: bool,
    },
    /// The same, for greater.
    Greater {
        or_equal: bool,
    },
}

impl Condition {
    /// The key, spelt like a flag.
    pub(crate) fn name(&self) -> String {
        self.key.replace('_', "-")
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relation = match self.relation {
            Relation::Equal => "=",
            Relation::Unequal => "!=",
            Relation::Less { or_equal: false } => "<",
            Relation::Less { or_equal: true } => "<=",
            Relation::Greater { or_equal: false } => ">",
            Relation::Greater { or_equal: true } => ">=",
        };
        write!(f, "{}{relation}{}", self.key, self.value)
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a condition: write data=wine, state!=finished or score>0.9");
        let at = text.find(['=', '!', '<', '>']).ok_or_else(wrong)?;
        let (key, rest) = text.split_at(at);
        let relations = [
            ("!=", Relation::Unequal),
            ("<=", Relation::Less { or_equal: true }),
            (">=", Relation::Greater { or_equal: true }),
            ("=", Relation::Equal),
            ("<", Relation::Less { or_equal: false }),
            (">", Relation::Greater { or_equal: false }),
        ];
        let found =
            relations.into_iter().find_map(|(sign, relation)| Some((relation, rest.strip_prefix(sign)?)));
        let (relation, value) = found.ok_or_else(wrong)?;
        let [key, value] = [key, value].map(|part| part.trim().trim_start_matches("--").to_owned());
        if key.is_empty() || value.is_empty() || value.starts_with(['=', '<', '>']) {
            return Err(wrong());
        }
        Ok(Self { key, relation, value })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortArg {
    Time,
    #[value(alias = "accuracy")]
    Score,
    Parameters,
    Name,
}
