//! The subcommands: each checks its flags, calls the library, and prints the result.

mod batch;
mod bench;
mod compare;
mod devices;
mod eval;
mod export;
mod figure1;
mod figure2;
mod folds;
mod importance;
mod inspect;
mod layer_importance;
mod listed_run;
mod predict;
mod prune;
mod report;
mod runs;
mod shell;
mod table1;
mod train;
mod tune;

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tanner::dataset::Dataset;
use tanner::experiments::{PermutationImportance, permutation_importance};
use tanner::inference::Predictor;
use tanner::model::TrainedModel;

use super::flags::{Command, PaperCommand, PermutationArgs};
use super::ui::terminal;

/// Runs a command.
pub(super) fn execute(process_start: Instant, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Train(args) => train::run(process_start, args),
        Command::Tune(args) => tune::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Prune(args) => prune::run(args),
        Command::Export(args) => export::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Importance(args) => importance::run(args),
        Command::Paper(PaperCommand::Table1(args)) => table1::run(args),
        Command::Paper(PaperCommand::Figure1(args)) => figure1::run(args),
        Command::Paper(PaperCommand::Figure2(args)) => figure2::run(args),
        Command::Paper(PaperCommand::LayerImportance(args)) => layer_importance::run(args),
        Command::Report(args) => report::run(args),
        Command::Runs(args) => runs::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Devices(args) => devices::run(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
    }
}

/// The model that `--model` names.
fn load_model(path: &Path) -> anyhow::Result<TrainedModel> {
    TrainedModel::load(path).context("--model")
}

/// Refuses a number of shuffles that is not between 1 and 10,000.
fn check_permutation(args: &PermutationArgs) -> anyhow::Result<()> {
    match args.permutation {
        Some(repeats) if !(1..=10_000).contains(&repeats) => {
            refuse("--permutation", format!("{repeats} is invalid, it must be 1 to 10000"))
        }
        _ => Ok(()),
    }
}

/// The importance of the columns, if requested, with a line from time to time.
fn permutation(
    predictor: &Predictor,
    samples: &Dataset,
    args: &PermutationArgs,
) -> anyhow::Result<Option<PermutationImportance>> {
    check_permutation(args)?;
    let Some(repeats) = args.permutation else { return Ok(None) };
    let said = Cell::new(Instant::now());
    let progress = |done: usize, all: usize| {
        if said.get().elapsed() > Duration::from_secs(5) && done < all {
            said.set(Instant::now());
            terminal::note(&format!("importance: {done} of {all} columns"));
        }
        true
    };
    let settings = (repeats, args.permutation_seed.unwrap_or(0));
    Ok(Some(permutation_importance(predictor, samples, settings, &progress)?))
}

/// Refuses the value of a flag.
fn refuse<T>(flag: &str, reason: impl std::fmt::Display) -> anyhow::Result<T> {
    bail!("{flag}: {reason}")
}

/// The command that resumes the run in a folder.
pub(super) fn resume_command(folder: &Path) -> String {
    format!("tanner train --resume {}", shell_words::quote(&folder.display().to_string()))
}
