//! What a user chooses: the kind of importance and the order, each with one spelling.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How the importance of the features is found.
///
/// Written as `none` and `pca`, in files as on the command line. The order of raw
/// features by their mean decrease in Gini impurity in a random forest has its
/// place here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Importance {
    /// Raw features in the order in which they come.
    None,
    /// Principal components in the order of the variance that they explain.
    Pca,
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

spelled!(Importance, "importance", None => "none", Pca => "pca");
spelled!(Order, "order", Descending => "desc", Ascending => "asc");
