//! What a user chooses: the kind of importance and the order, each with one spelling.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How the importance of the features is found.
///
/// Written as `none`, `pca`, `rf`, `random` and `variance`, in files as on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Importance {
    /// Raw features in the order in which they come.
    None,
    /// Principal components in the order of the variance that they explain.
    Pca,
    /// Raw features in the order of their mean decrease in Gini impurity in a random forest.
    #[serde(rename = "rf")]
    RandomForest,
    /// Raw features in an order drawn by chance, a control.
    Random,
    /// Raw features in the order of their variance, a control.
    Variance,
}

impl Importance {
    /// Whether it orders raw features, as opposed to components of them, by a score of each.
    #[must_use]
    pub fn scores_features(self) -> bool {
        matches!(self, Self::RandomForest | Self::Random | Self::Variance)
    }

    /// Whether features are standardised where nothing else is said.
    ///
    /// Pixels that pass unrotated keep their large means, which push sigmoids to
    /// one side; principal components have mean 0 and carry their scale on purpose.
    #[must_use]
    pub fn standardizes(self) -> bool {
        self.scores_features()
    }
}

/// Which end of the order comes first. Written as `desc` and `asc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Most important first.
    #[serde(rename = "desc")]
    Descending,
    /// Least important first: exactly the reverse of [`Order::Descending`].
    #[serde(rename = "asc")]
    Ascending,
}

/// Gives an enum its one spelling in text: `as_str`, `Display` and `FromStr` from one table.
macro_rules! spelled {
    ($type:ident, $what:literal, $($variant:ident => $text:literal),+) => {
        impl $type {
            /// The spelling in files and on the command line.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(Error::Importance(format!(
                        "{} `{text}` is unknown, expected one of: {}", $what, [$($text),+].join(", ")
                    ))),
                }
            }
        }
    };
}

spelled!(Importance, "importance", None => "none", Pca => "pca", RandomForest => "rf", Random => "random",
    Variance => "variance");
spelled!(Order, "order", Descending => "desc", Ascending => "asc");
