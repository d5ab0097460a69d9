//! How inputs are encoded, standardised and ordered.

#![allow(rustdoc::invalid_html_tags, reason = "help texts have words like <time>")]

use super::Settings;
use super::group::group;
use super::values::Switch;
use crate::importance::{Importance, ImportanceSettings, NumberForm, Order};
use crate::{Error, Result, Setting};

group! {
    /// How inputs are standardised and ordered.
    "Importance" pub struct ImportanceOptions in importance {
        /// Short for --importance pca
        #[arg(num_args = 0, default_missing_value = "true", conflicts_with_all = ["rf", "importance"])]
        pca: (bool) => Pca,
        /// Short for --importance rf
        #[arg(num_args = 0, default_missing_value = "true", conflicts_with = "importance")]
        rf: (bool) => Rf,
        /// How inputs are ordered: pca, rf, variance.. [default: pca]
        ///
        /// pca: variance of principal components; rf: decrease in Gini impurity in a random forest; variance: of each feature;
        /// random: at random; none: unchanged.
        #[arg(value_name = "KIND", value_enum)]
        importance: (Importance) => Importance,
        /// Most important input first (desc) or last (asc) [default: desc]
        #[arg(value_name = "ORDER", value_enum)]
        order: (Order) => Order,
        /// rf: number of trees [default: 500]
        ///
        /// More trees make the order more stable, and take longer.
        #[arg(value_name = "N", allow_negative_numbers = true)]
        trees: (usize) => Trees,
        /// Standardise each raw feature first
        ///
        /// Subtract its mean and divide by its standard deviation, both of the training set. Raw pixels are never negative, so
        /// their means are not 0. Principal components have the mean 0, and their scale shows their importance.
        /// [default: on for rf, variance and random, otherwise off]
        #[arg(value_name = "ON", value_enum, num_args = 0..=1, default_missing_value = "on")]
        standardize: (Switch) => Standardize,
        /// Numbers as they are, scaled or piecewise [default: plain]
        ///
        /// plain: unchanged. scaled: minus the mean, divided by the deviation. piecewise: scaled, and cut at quantiles into pieces,
        /// each of which is an input. Features of zeros and ones only, such as categories, are unchanged.
        #[arg(value_name = "FORM", value_enum)]
        numbers: (NumberForm) => Numbers,
        /// piecewise: pieces of a number [default: by rows]
        ///
        /// At most; equal quantiles make fewer. [default: one for 200 training rows, up to 16, and at most about 1,000 in all]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        bins: (usize) => Bins,
    }
}

impl ImportanceOptions {
    /// Validates the settings; the run's seed also applies to forests and random order.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that do not fit together.
    #[doc(hidden)]
    pub fn resolve(&self, seed: u64) -> Result<ImportanceSettings> {
        let importance = self.importance.unwrap_or(Importance::Pca);
        let order = self.order.unwrap_or(Order::Descending);
        if importance == Importance::None && order == Order::Ascending {
            return Err(Error::setting(Setting::Order, "asc cannot be used with `importance` none"));
        }
        if importance == Importance::Pca && order == Order::Place {
            return Err(Error::setting(
                Setting::Order,
                "place cannot be used with `importance` pca, whose components are not pixels",
            ));
        }
        let usual = ImportanceSettings::new(importance);
        let trees = match self.trees {
            None => usual.trees,
            Some(_) if importance != Importance::RandomForest => {
                let reason = format!("cannot be used with `importance` {importance}, only with rf");
                return Err(Error::setting(Setting::Trees, reason));
            }
            Some(count) if count == 0 || u32::try_from(count).is_err() => {
                let reason = format!("{count} is invalid, it must be 1 to {}", u32::MAX);
                return Err(Error::setting(Setting::Trees, reason));
            }
            Some(count) => count,
        };
        let standardize = self.standardize.map_or(usual.standardize, |switch| switch == Switch::On);
        let numbers = self.numbers.unwrap_or(NumberForm::Plain);
        let bins = match self.bins {
            Some(_) if numbers != NumberForm::Piecewise => {
                return Err(Error::setting(Setting::Bins, "needs `numbers` piecewise"));
            }
            Some(count) if !(2..=NumberForm::MAX_BINS).contains(&count) => {
                let reason = format!("{count} is invalid, it must be 2 to {}", NumberForm::MAX_BINS);
                return Err(Error::setting(Setting::Bins, reason));
            }
            bins => bins,
        };
        Ok(ImportanceSettings { order, standardize, trees, seed, numbers, bins, ..usual })
    }
}
