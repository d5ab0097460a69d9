//! Flags of `tanner importance`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use tanner::importance::{Importance, ImportanceSettings};
use tanner::session::settings::{DataOptions, ImportanceOptions};

#[derive(Debug, Args)]
pub(crate) struct RankArgs {
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// Rank by the first N training samples only [default: all]
    #[arg(long, value_name = "N", help_heading = "Data", allow_negative_numbers = true)]
    pub(crate) train_limit: Option<usize>,
    /// Short for --importance rf
    #[arg(long, help_heading = "Importance", conflicts_with = "importance")]
    pub(crate) rf: bool,
    /// How features are ranked: rf, variance or random
    ///
    /// rf: decrease in Gini impurity in a random forest; variance: of each feature; random: at random.
    #[arg(
        long,
        value_name = "KIND",
        help_heading = "Importance",
        default_value = "rf",
        value_parser = kinds()
    )]
    pub(crate) importance: Importance,
    /// rf: number of trees [default: 500]
    ///
    /// More trees make the order more stable, and take longer.
    #[arg(long, value_name = "N", help_heading = "Importance", allow_negative_numbers = true)]
    pub(crate) trees: Option<usize>,
    /// Seed of the forest and of random orders
    #[arg(
        long,
        value_name = "N",
        help_heading = "Importance",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub(crate) seed: u64,
    /// Number of threads [default: all cores]
    #[arg(long, value_name = "N", help_heading = "Importance", allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// CSV file for the ranking [default: CSV to stdout]
    ///
    /// For pictures, also draws a heat map next to it, as PNG.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

fn kinds() -> impl TypedValueParser<Value = Importance> {
    PossibleValuesParser::new(["rf", "variance", "random"]).try_map(|name| name.parse::<Importance>())
}

impl RankArgs {
    /// Validates the flags; `--rf` is the default.
    pub(crate) fn settings(&self) -> tanner::Result<ImportanceSettings> {
        let (importance, trees) = (Some(self.importance), self.trees);
        ImportanceOptions { importance, trees, ..ImportanceOptions::default() }.resolve(self.seed)
    }
}
