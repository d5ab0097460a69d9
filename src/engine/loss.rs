//! The functions that compare outputs with targets.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "train")]
use crate::dataset::Centre;
use crate::dataset::Task;
use crate::named::{named, serde_as_text};
use crate::{Error, Result, Setting};

named! {
    /// The kinds of loss. `z` is an output, `t` its target, `e = z - t`.
    pub enum LossKind {
        /// Of classes: softmax, then `-ln p(label)`.
        CrossEntropy = "cross-entropy",
        /// `e^2 / 2`.
        Squared = "squared",
        /// `|e|`.
        Absolute = "absolute",
        /// `e^2 / 2` up to an error of `d`, beyond it `d (|e| - d / 2)` (Huber, 1964).
        Huber = "huber",
        /// Of labels that are 0 or 1: `ln(1 + exp(z)) - t z`.
        BinaryCrossEntropy = "binary-cross-entropy",
    }
}

/// A loss with its parameter. That of a sample with several targets is the mean over them.
///
/// As text: `squared`, `absolute`, `huber` or `huber:1.5`, and the names of the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossRule {
    /// Which loss.
    pub kind: LossKind,
    /// The error from which Huber's loss is linear, in deviations of the target; 1 for other losses.
    pub delta: f32,
}

impl LossRule {
    /// The cross-entropy of classes.
    pub const CROSS_ENTROPY: Self = Self::of(LossKind::CrossEntropy);

    /// A loss with the default parameter.
    #[must_use]
    pub const fn of(kind: LossKind) -> Self {
        Self { kind, delta: 1.0 }
    }

    /// The loss of a task; of regression the default.
    #[must_use]
    pub const fn of_task(task: Task) -> Self {
        Self::of(match task {
            Task::Classification => LossKind::CrossEntropy,
            Task::Regression => LossKind::Squared,
            Task::MultiLabel => LossKind::BinaryCrossEntropy,
        })
    }

    /// Whether it compares with classes.
    #[must_use]
    pub fn is_of_classes(&self) -> bool {
        self.kind == LossKind::CrossEntropy
    }

    /// The task whose targets it compares outputs with.
    #[must_use]
    pub const fn task(self) -> Task {
        match self.kind {
            LossKind::CrossEntropy => Task::Classification,
            LossKind::Squared | LossKind::Absolute | LossKind::Huber => Task::Regression,
            LossKind::BinaryCrossEntropy => Task::MultiLabel,
        }
    }

    /// What targets are counted from: with losses that outliers hardly change, neither do outliers change their unit.
    #[cfg(feature = "train")]
    pub(crate) const fn centre(self) -> Centre {
        match self.kind {
            LossKind::Absolute | LossKind::Huber => Centre::Median,
            LossKind::CrossEntropy | LossKind::Squared | LossKind::BinaryCrossEntropy => Centre::Mean,
        }
    }

    /// Refuses a parameter outside its range.
    ///
    /// # Errors
    /// [`Error::Setting`] with the value.
    pub(crate) fn check(self) -> Result<()> {
        if self.delta.is_finite() && self.delta > 0.0 {
            return Ok(());
        }
        let reason = format!("huber:{} is invalid, the error after : must be above 0", self.delta);
        Err(Error::setting(Setting::Loss, reason))
    }
}

impl Default for LossRule {
    fn default() -> Self {
        Self::CROSS_ENTROPY
    }
}

impl fmt::Display for LossRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::of(self.kind) {
            self.kind.fmt(f)
        } else {
            write!(f, "{}:{}", self.kind, self.delta)
        }
    }
}

impl FromStr for LossRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (kind, delta) = text.split_once(':').map_or((text, None), |(kind, delta)| (kind, Some(delta)));
        let refuse = || {
            let reason =
                format!("{text:?} is not a loss of regression: write squared, absolute, huber or huber:1.5");
            Error::setting(Setting::Loss, reason)
        };
        let kind: LossKind = kind.parse().map_err(|_| refuse())?;
        let rule = match delta {
            None => Self::of(kind),
            Some(delta) if kind == LossKind::Huber => {
                Self { kind, delta: delta.parse().map_err(|_| refuse())? }
            }
            Some(_) => return Err(refuse()),
        };
        rule.check()?;
        Ok(rule)
    }
}

serde_as_text!(LossRule);

/// Sums of the errors of regression over samples, each the mean over its targets, in the units of the targets that
/// the engine got: deviations.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Errors {
    /// Of `e^2`.
    pub squared: f64,
    /// Of `|e|`.
    pub absolute: f64,
}

impl Errors {
    /// Whether there are none, as with other tasks.
    #[must_use]
    pub fn are_0(&self) -> bool {
        *self == Self::default()
    }
}

impl std::ops::Add for Errors {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { squared: self.squared + other.squared, absolute: self.absolute + other.absolute }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_invalid_text_is_refused() {
        for kind in LossKind::ALL {
            let rule = LossRule::of(kind);
            assert_eq!(rule.to_string().parse::<LossRule>().unwrap(), rule);
        }
        let rule: LossRule = "huber:1.5".parse().unwrap();
        assert_eq!((rule.to_string().as_str(), rule.delta), ("huber:1.5", 1.5));
        for text in ["", "huber:", "huber:0", "huber:-1", "huber:nan", "huber:inf", "squared:2", "mse"] {
            let message = text.parse::<LossRule>().unwrap_err().to_string();
            assert!(message.starts_with("loss: ") && message.contains("huber:"), "{message}");
        }
        for task in Task::ALL {
            assert_eq!(LossRule::of_task(task).task(), task);
        }
    }
}
