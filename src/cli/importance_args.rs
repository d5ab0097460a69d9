//! What can be typed about importance, and what it means.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use tanner::importance::{Importance, ImportanceSettings, Order};
use tanner::{Error, Result};

use super::args::DataArgs;

const TREES_HELP: &str = "rf: number of trees; more give a steadier order, and take longer [default: 500]";

#[derive(Debug, Args)]
#[command(next_help_heading = "Importance")]
pub(crate) struct ImportanceArgs {
    /// Short for --importance pca
    #[arg(long, conflicts_with_all = ["rf", "importance"])]
    pub(crate) pca: bool,
    /// Short for --importance rf
    #[arg(long, conflicts_with = "importance")]
    pub(crate) rf: bool,
    /// By what the inputs are ordered: variance of principal components, decrease in Gini impurity
    /// in a random forest, variance, chance, or nothing [default: pca]
    #[arg(long, value_name = "KIND", value_parser = kinds(["pca", "rf", "variance", "random", "none"]))]
    pub(crate) importance: Option<Importance>,
    /// Most important input first (desc) or last (asc)
    #[arg(long, value_name = "ORDER", default_value = "desc", value_parser = orders())]
    pub(crate) order: Order,
    #[arg(long, value_name = "N", help = TREES_HELP, allow_negative_numbers = true)]
    pub(crate) trees: Option<usize>,
    /// Standardise each raw feature first: minus its mean, by its deviation + 0.001, both of the training
    /// set. Raw pixels are never negative, so their means are not 0; components of a PCA have the mean 0, and
    /// their scale tells their importance [default: on for rf, variance and random, else off]
    #[arg(long, value_name = "ON", value_enum, num_args = 0..=1, default_missing_value = "on")]
    pub(crate) standardize: Option<Switch>,
}

#[derive(Debug, Args)]
pub(crate) struct RankArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Rank by the first N training samples only [default: all]
    #[arg(long, value_name = "N", help_heading = "Data", allow_negative_numbers = true)]
    pub(crate) train_limit: Option<usize>,
    /// Short for --importance rf
    #[arg(long, help_heading = "Importance", conflicts_with = "importance")]
    pub(crate) rf: bool,
    /// By what the features are ranked: decrease in Gini impurity in a random forest, variance, or chance
    #[arg(
        long,
        value_name = "KIND",
        help_heading = "Importance",
        default_value = "rf",
        value_parser = kinds(["rf", "variance", "random"])
    )]
    pub(crate) importance: Importance,
    #[arg(long, value_name = "N", help_heading = "Importance", help = TREES_HELP, allow_negative_numbers = true)]
    pub(crate) trees: Option<usize>,
    /// Seed of the forest and of chance
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
    /// CSV file for the ranking; of pictures, a heat map goes beside it, as PNG [default: CSV to stdout]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

fn kinds<const COUNT: usize>(names: [&'static str; COUNT]) -> impl TypedValueParser<Value = Importance> {
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Importance>())
}

fn orders() -> impl TypedValueParser<Value = Order> {
    PossibleValuesParser::new(["desc", "asc"]).try_map(|name| name.parse::<Order>())
}

impl ImportanceArgs {
    /// Checks what was typed; the run's seed is that of forests and of chance, too.
    pub(crate) fn settings(&self, seed: u64) -> Result<ImportanceSettings> {
        let importance = match self.importance {
            _ if self.rf => Importance::RandomForest,
            Some(importance) => importance,
            None => Importance::Pca,
        };
        if importance == Importance::None && self.order == Order::Ascending {
            return Err(Error::Setting {
                setting: "--order",
                reason: "asc has no meaning with --importance none".into(),
            });
        }
        let usual = ImportanceSettings::new(importance);
        Ok(ImportanceSettings {
            order: self.order,
            standardize: self.standardize.map_or(usual.standardize, |switch| switch == Switch::On),
            trees: trees(self.trees, importance)?,
            seed,
            ..usual
        })
    }
}

impl RankArgs {
    /// Checks what was typed.
    pub(crate) fn settings(&self) -> Result<ImportanceSettings> {
        // `--rf` says what is the default already.
        let usual = ImportanceSettings::new(self.importance);
        Ok(ImportanceSettings { trees: trees(self.trees, self.importance)?, seed: self.seed, ..usual })
    }
}

fn trees(typed: Option<usize>, importance: Importance) -> Result<usize> {
    let refuse = |reason: String| Err(Error::Setting { setting: "--trees", reason });
    match typed {
        None => Ok(ImportanceSettings::new(importance).trees),
        Some(_) if importance != Importance::RandomForest => {
            refuse(format!("has no meaning with --importance {importance}, it belongs to rf"))
        }
        Some(count) if count == 0 || u32::try_from(count).is_err() => {
            refuse(format!("{count} is impossible, it must be 1 to {}", u32::MAX))
        }
        Some(count) => Ok(count),
    }
}
