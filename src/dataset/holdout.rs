//! The held-out part of a data set.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::named::serde_as_text;
use crate::{Error, Result, Setting};

/// How many samples are held out: a number of them, or a share of all.
///
/// Written as `10000`, `0.1` or `fold-0-of-5`, both in files and on the command line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Holdout {
    /// Number of samples, at least 1.
    Count(usize),
    /// Share of the samples, above 0 and below 1.
    Share(f64),
    /// One of several parts of equal size, of which every sample is in exactly one.
    Fold {
        /// Counted from 0, below `folds`.
        fold: usize,
        /// Number of parts, at least 2.
        folds: usize,
    },
}

impl Holdout {
    /// How many of `samples` samples that is; a share is rounded to the nearest whole number.
    ///
    /// # Errors
    /// [`Error::Dataset`] unless at least one sample is held out and at least one is left.
    pub(crate) fn count_of(self, samples: usize) -> Result<usize> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "casts saturate, NaN becomes 0, and the result is checked"
        )]
        let count = match self {
            Self::Count(count) => count,
            Self::Share(share) => (share * samples as f64).round() as usize,
            Self::Fold { folds, .. } if folds > samples => 0,
            // The first parts have one sample more.
            Self::Fold { fold, folds } => samples.saturating_sub(fold).div_ceil(folds),
        };
        if count == 0 || count >= samples {
            return Err(Error::Dataset(format!(
                "holding out {self} of {samples} samples is impossible, at least 1 must be held out and at least 1 left: take another number or share (`test`, `validation`), or more rows"
            )));
        }
        Ok(count)
    }
}

impl fmt::Display for Holdout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Share(share) => write!(f, "{share}"),
            Self::Fold { fold, folds } => write!(f, "fold-{fold}-of-{folds}"),
        }
    }
}

impl FromStr for Holdout {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |what: &str| {
            let reason =
                format!("{text:?} {what}: write a number of samples (10000) or a share below 1 (0.1)");
            Err(Error::Setting { setting: Setting::Validation, reason })
        };
        if let Some((fold, folds)) = text.strip_prefix("fold-").and_then(|rest| rest.split_once("-of-")) {
            return match (fold.parse(), folds.parse()) {
                (Ok(fold), Ok(folds)) if folds >= 2 && fold < folds => Ok(Self::Fold { fold, folds }),
                _ => refuse("is not a fold (fold-0-of-5 to fold-4-of-5)"),
            };
        }
        match (text.parse::<usize>(), text.parse::<f64>()) {
            (Ok(0), _) => refuse("holds nothing out"),
            (Ok(count), _) => Ok(Self::Count(count)),
            (_, Ok(share)) if share > 0.0 && share < 1.0 => Ok(Self::Share(share)),
            (_, Ok(_)) => refuse("is not a share above 0 and below 1"),
            _ => refuse("is not valid"),
        }
    }
}

serde_as_text!(Holdout);

/// A split: enough to repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOut {
    /// The request.
    pub holdout: Holdout,
    /// Seed that the samples were drawn with.
    pub seed: u64,
    /// Number of samples that were split.
    pub of: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_invalid_text_is_refused() {
        let fold = Holdout::Fold { fold: 4, folds: 5 };
        for (text, holdout) in
            [("10000", Holdout::Count(10_000)), ("0.1", Holdout::Share(0.1)), ("fold-4-of-5", fold)]
        {
            assert_eq!(text.parse::<Holdout>().unwrap(), holdout);
            assert_eq!(holdout.to_string(), text);
        }
        for text in [
            "",
            "0",
            "0.0",
            "1.0",
            "1.5",
            "-1",
            "-0.1",
            "nan",
            "inf",
            "ten",
            "fold-5-of-5",
            "fold-0-of-1",
            "fold-x-of-2",
            "fold--1-of-2",
            "fold-1",
        ] {
            let message = text.parse::<Holdout>().unwrap_err().to_string();
            assert!(message.starts_with("validation: "), "{message}");
        }
    }
}
