//! Flags of experiments with many runs.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use tanner::experiments::table1::TableRecipe;
use tanner::session::settings::{DataOptions, EngineOptions};
use tanner::session::{MatchParameters, Settings};

/// Flags of commands that write many runs into one folder.
#[derive(Debug, Args)]
#[command(next_help_heading = "Runs")]
pub(crate) struct BatchArgs {
    /// Seeds 0 to N - 1
    #[arg(long, value_name = "N", default_value_t = 3, allow_negative_numbers = true)]
    pub(crate) seeds: u64,
    /// Flags of `train` for every run
    ///
    /// They override its own: --with "--epochs 2".
    #[arg(long, value_name = "FLAGS", default_value = "", allow_hyphen_values = true)]
    pub(crate) with: String,
    /// Only summarise finished runs [default: run what is missing]
    #[arg(long, conflicts_with_all = ["seeds", "EngineOptions"])]
    pub(crate) report_only: bool,
    /// Folder for runs and results
    ///
    /// Finished runs in this folder are not repeated.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataOptions,
    #[command(flatten)]
    pub(crate) engine: EngineOptions,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Runs")]
pub(crate) struct Table1Args {
    /// How cells are trained: paper or tanner
    ///
    /// paper: the paper's recipe, with common choices for what it does not specify (shows its collapse); tanner: the best
    /// recipe found for each construction.
    #[arg(long, value_enum, default_value_t = TableRecipe::Tanner)]
    pub(crate) recipe: TableRecipe,
    /// Cells to fill [default: all 12]
    ///
    /// By parts of their names: pca-desc-sc, rf, asc-fc.
    #[arg(long, value_name = "CELL,..", value_delimiter = ',', conflicts_with = "report_only")]
    pub(crate) cells: Vec<String>,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Figure")]
pub(crate) struct Figure2Args {
    /// Count weights above this in absolute value
    #[arg(long, value_name = "W", default_value_t = tanner::experiments::figure2::THRESHOLD, allow_negative_numbers = true)]
    pub(crate) threshold: f32,
    /// Count in this model file, without training [default: train one]
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["seeds", "with", "report_only", "data", "EngineOptions"]
    )]
    pub(crate) model: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Runs")]
pub(crate) struct CompareArgs {
    /// TOML file of configurations
    ///
    /// Settings for all, then one [[configuration]] with its `name` and settings for each.
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// A configuration: --run "sc=--arch sc"
    ///
    /// As many as you like. [default: those of FILE]
    #[arg(long, value_name = "NAME=FLAGS", allow_hyphen_values = true)]
    pub(crate) run: Vec<String>,
    /// Configuration to compare with [default: the first]
    #[arg(long, value_name = "NAME")]
    pub(crate) baseline: Option<String>,
    /// Size of all networks: baseline, off or N [default: baseline]
    ///
    /// baseline: configurations whose size differs by more than 2 % get as many weights and biases as the baseline, by other
    /// degrees, fan-ins or widths. off: each keeps its size, with a warning. N: a size for all. A FILE may set
    /// match-parameters itself.
    #[arg(long, value_name = "SIZE")]
    pub(crate) match_parameters: Option<MatchParameters>,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
}

impl BatchArgs {
    /// The number of seeds, at least 1.
    pub(crate) fn seeds(&self) -> anyhow::Result<u64> {
        if self.seeds == 0 || self.seeds > MAX_SEEDS {
            bail!("--seeds: {} is invalid, it must be 1 to {MAX_SEEDS}", self.seeds);
        }
        Ok(self.seeds)
    }

    /// What all runs share.
    pub(crate) fn shared(&self) -> Settings {
        Settings { data: self.data.clone(), engine: self.engine.clone(), ..Settings::default() }
    }
}

/// More seeds than anybody waits for.
const MAX_SEEDS: u64 = 10_000;
