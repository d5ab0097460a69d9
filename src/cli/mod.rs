//! The command line: what was typed, what it means, and the subcommands.
//!
//! [`args`] is what can be typed, [`settings`] what it means once all of it is
//! checked. Results go to stdout, all else to stderr ([`terminal`]). Whatever
//! goes wrong ends in one line that starts with `error:`, and exit code 1; a
//! command line that cannot be understood, likewise, in exit code 2. A command
//! that was told to stop ([`signals`]) ends in 130 (Ctrl-C) or 143 (SIGTERM).

mod args;
mod backend;
mod batch;
mod batch_args;
mod batch_check;
mod bench;
mod bench_args;
mod bench_chart;
mod bench_edges;
mod bench_profile;
mod bench_scale;
mod cache_folder;
mod compare;
mod data;
mod data_args;
mod degrees;
mod devices;
mod eval;
mod experiment_args;
mod export;
mod export_args;
mod figure1;
mod figure2;
mod gpu_kernels;
mod headless;
mod importance;
mod importance_args;
mod importance_fit;
mod inspect;
mod layer_importance;
mod layers;
mod left_out;
mod lists;
mod live_view;
mod memory;
mod opening;
mod predict;
mod presets;
mod progress;
mod prune;
mod regularisation;
mod report;
mod report_args;
mod results;
mod resume;
mod run_config;
mod run_list;
mod runs_args;
mod settings;
mod shell;
mod shrunk;
mod signals;
mod split;
mod start;
mod starved;
mod table1;
mod terminal;
mod train;
mod unfinished;
mod usage;

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::anyhow;
use args::Command;
use signals::Interrupted;
use usage::Understood;

/// Runs one command line.
pub(crate) fn run(process_start: Instant, words: impl IntoIterator<Item = OsString>) -> ExitCode {
    headless::without_device_selection();
    let words: Vec<OsString> = words.into_iter().collect();
    let Understood { command, words, output } = match usage::understand(&words) {
        Ok(understood) => understood,
        Err(answer) => return answer.give(),
    };
    terminal::set_output(output);
    terminal::start_logging();
    // What a panic has to say goes into the one line below, its place into the log.
    panic::set_hook(Box::new(|panic| log::debug!("{panic}")));
    match caught(|| execute(process_start, &command, &words)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            terminal::line(&one_line(&error));
            ExitCode::from(error.downcast_ref().map_or(1, |interrupted: &Interrupted| interrupted.code))
        }
        Err(error) => {
            terminal::error(&one_line(&error));
            ExitCode::FAILURE
        }
    }
}

fn execute(process_start: Instant, command: &Command, words: &[OsString]) -> anyhow::Result<()> {
    match command {
        Command::Train(args) => train::run(process_start, args, words),
        Command::Eval(args) => eval::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Prune(args) => prune::run(args),
        Command::LayerImportance(args) => layer_importance::run(args),
        Command::Export(args) => export::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Table1(args) => table1::run(args),
        Command::Figure2(args) => figure2::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Importance(args) => importance::run(args),
        Command::Figure1(args) => figure1::run(args),
        Command::Report(args) => report::run(args),
        Command::Runs(args) => run_list::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Devices(args) => devices::run(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
    }
}

/// Runs a command so that a panic, which is always a fault of this program or of
/// a driver, ends like every other error: in one line.
fn caught(command: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    panic::catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let what = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        Err(anyhow!("a fault of tanner itself, please report it: {what} (RUST_LOG=debug says where)"))
    })
}

/// An error and its causes in one line, without what a cause's message repeats, and without a backtrace.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if line.ends_with(&cause) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(&cause);
    }
    line.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn a_panic_ends_as_an_error() {
        let error = caught(|| panic!("index {} is\nout of range", 3)).unwrap_err();
        assert!(one_line(&error).ends_with("index 3 is out of range (RUST_LOG=debug says where)"));
        assert!(caught(|| Ok(())).is_ok());
    }

    #[test]
    fn an_error_is_one_line_and_says_nothing_twice() {
        let missing = std::io::Error::new(std::io::ErrorKind::NotFound, "no such\nfile");
        let error: tanner::Result<()> = Err(tanner::Error::io("model", missing));
        let error = error.context("training stopped").unwrap_err();
        assert_eq!(one_line(&error), "training stopped: model: no such file");
    }
}
