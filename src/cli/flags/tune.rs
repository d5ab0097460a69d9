//! Flags of `tanner tune`.

use std::path::PathBuf;

use clap::Args;

use super::{Command, TrainArgs};

const AFTER_HELP: &str = "\
Every flag of training holds for all candidates, and alone for the default that they are compared with. The maximum size of narrow, \
--budget in training, is --narrow-budget here. Candidates are judged by training rows that are held out (--validation, a fifth without \
it) or by --folds, never by test rows.

Candidates are random (--seed). Of each nine, all train for a ninth of the epochs, the best three for a third, the best one for all. \
Repeat the command to resume after an interruption. With --trials the result depends on the seeds only, with --budget also on the \
machine.

Examples:
  tanner tune flowers.csv --budget 10m
  tanner tune flowers.csv --arch fc --trials 54 --folds 5 --out runs/tuned
  tanner flowers.csv --config runs/tuned/best.toml";

#[derive(Debug, Args)]
#[command(next_help_heading = "Search", after_long_help = AFTER_HELP)]
// The search has a budget of its own.
#[command(mut_arg("budget", |arg| arg.long("narrow-budget")))]
#[command(mut_arg("folds", |arg| arg.help(FOLDS).long_help(FOLDS_LONG)))]
#[command(mut_arg("out", |arg| arg.help(OUT).long_help(OUT)))]
#[command(mut_arg("resume", |arg| arg.hide(true)))]
// The short help is one screen.
#[command(mut_arg("from", |arg| arg.hide_short_help(true)))]
#[command(mut_arg("tensorboard", |arg| arg.hide_short_help(true)))]
#[command(mut_arg("target", |arg| arg.hide_short_help(true)))]
#[command(mut_arg("patience", |arg| arg.hide_short_help(true)))]
#[command(mut_arg("patience_on", |arg| arg.hide_short_help(true)))]
#[command(mut_arg("pca", |arg| arg.hide_short_help(true)))]
#[command(mut_arg("rf", |arg| arg.hide_short_help(true)))]
#[command(mut_arg("order", |arg| arg.hide_short_help(true)))]
pub(crate) struct TuneArgs {
    /// Time for all trainings: 90s, 10m or 2h [default: none]
    ///
    /// A resumed search goes on with what is left of it. Without this and --trials, 27 candidates are tried.
    #[arg(long = "budget", value_name = "TIME", value_parser = seconds, allow_hyphen_values = true)]
    pub(crate) time_budget: Option<f64>,
    /// Number of candidates [default: 27, or as time allows]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) trials: Option<usize>,
    /// TOML file of what to search [default: by --arch]
    ///
    /// For each setting a list of values (batch-size = [16, 64]) or a range (lr = { low = 1e-4, high = 1e-2, log = true }). Settings that
    /// are not in it stay as they are. A search writes its own as space.toml, which can be edited.
    #[arg(long, value_name = "FILE")]
    pub(crate) space: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
}

impl Command {
    /// The flags of a run, which may name a file of settings, for commands that take them.
    pub(crate) fn settings_of_run(&mut self) -> Option<&mut TrainArgs> {
        match self {
            Self::Train(args) => Some(args),
            Self::Tune(args) => Some(&mut args.train),
            _ => None,
        }
    }
}

const OUT: &str = "Folder of the search [default: a new one in runs/]";
const FOLDS: &str = "Judge by K folds of the training rows [default: one part]";
const FOLDS_LONG: &str = "Judge by K folds of the training rows [default: one part]\n\nEach candidate then trains K times, \
which takes K times as long and depends less on chance.";

/// Reads a time in seconds.
fn seconds(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is not a time: write 90s, 10m or 2h");
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?);
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    if number <= 0.0 {
        return Err(format!("{text:?} is invalid, it must be above 0: write 90s, 10m or 2h"));
    }
    let factor = match unit {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    // Not `<= 0`, which NaN would pass.
    if number > 0.0 && (number * factor).is_finite() { Ok(number * factor) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(
            ["90s", "10m", "1.5h", "2 min"].map(|text| seconds(text).unwrap()),
            [90.0, 600.0, 5400.0, 120.0]
        );
        for text in ["", "10", "m", "0s", "-1m", "1d", "1e400h", "ten m", "nans"] {
            assert!(seconds(text).unwrap_err().contains("write 90s, 10m or 2h"), "{text}");
        }
    }
}
