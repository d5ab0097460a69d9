//! Schedules: the learning rate of each epoch.

use std::fmt;
use std::str::FromStr;

use crate::named::serde_as_text;
use crate::{Error, Result, Setting};

/// How the learning rate changes over the epochs of a run.
///
/// As text: `constant`, `cosine`, or `step:10:0.1` (every 10 epochs, times 0.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// The same in every epoch.
    Constant,
    /// `lr * (1 + cos(pi * epoch / epochs)) / 2`, epochs counted from 0: half a
    /// cosine down to nearly 0 (Loshchilov and Hutter, 2017, without restarts).
    Cosine,
    /// Multiplied by `factor` after every `every` epochs.
    Step {
        /// Number of epochs between two changes, at least 1.
        every: usize,
        /// The factor of the rate, above 0.
        factor: f64,
    },
}

impl Schedule {
    /// The learning rate of one epoch, counted from 0, in a run of `epochs`.
    pub(crate) fn learning_rate(&self, start: f64, epoch: usize, epochs: usize) -> f64 {
        match *self {
            Self::Constant => start,
            Self::Cosine => start * (1.0 + (std::f64::consts::PI * epoch as f64 / epochs as f64).cos()) / 2.0,
            Self::Step { every, factor } => {
                start * factor.powi(i32::try_from(epoch / every.max(1)).unwrap_or(i32::MAX))
            }
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant => f.write_str("constant"),
            Self::Cosine => f.write_str("cosine"),
            Self::Step { every, factor } => write!(f, "step:{every}:{factor}"),
        }
    }
}

impl FromStr for Schedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |what| Error::Setting { setting: Setting::Schedule, reason: format!("{text:?} {what}") };
        let wrong = || refuse("is not valid: write constant, cosine or step:EPOCHS:FACTOR (step:10:0.1)");
        match text.split(':').collect::<Vec<_>>()[..] {
            ["constant"] => Ok(Self::Constant),
            ["cosine"] => Ok(Self::Cosine),
            ["step", every, factor] => {
                let every = every.parse().map_err(|_| wrong())?;
                let factor: f64 = factor.parse().map_err(|_| wrong())?;
                if every == 0 || !(factor > 0.0 && factor.is_finite()) {
                    return Err(refuse("is invalid, it needs at least 1 epoch and a finite factor above 0"));
                }
                Ok(Self::Step { every, factor })
            }
            _ => Err(wrong()),
        }
    }
}

serde_as_text!(Schedule);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_stays() {
        assert_eq!(Schedule::Constant.learning_rate(0.1, 29, 30), 0.1);
    }

    #[test]
    fn cosine_starts_at_the_rate_halves_in_the_middle_and_ends_near_0() {
        let rate = |epoch| Schedule::Cosine.learning_rate(0.1, epoch, 30);
        assert_eq!(rate(0), 0.1);
        assert!((rate(15) - 0.05).abs() < 1e-12, "{}", rate(15));
        // (1 + cos(pi * 10 / 30)) / 2 = 3 / 4.
        assert!((rate(10) - 0.075).abs() < 1e-12, "{}", rate(10));
        assert!(rate(29) > 0.0 && rate(29) < 0.0003, "{}", rate(29));
        assert!((1..30).all(|epoch| rate(epoch) < rate(epoch - 1)));
        assert_eq!(Schedule::Cosine.learning_rate(0.1, 0, 1), 0.1);
    }

    #[test]
    fn steps_fall_after_every_so_many_epochs() {
        let schedule = Schedule::Step { every: 10, factor: 0.5 };
        let rates = [0, 9, 10, 19, 20].map(|epoch| schedule.learning_rate(1.0, epoch, 30));
        assert_eq!(rates, [1.0, 1.0, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn text_round_trips_and_invalid_text_is_refused() {
        for text in ["constant", "cosine", "step:10:0.1", "step:1:2"] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        for text in ["", "Cosine", "step", "step:10", "step:0:0.1", "step:1:nan", "step:1:-1", "step:1:0:2"] {
            let message = text.parse::<Schedule>().unwrap_err().to_string();
            assert!(message.starts_with("schedule: "), "{message}");
        }
    }
}
