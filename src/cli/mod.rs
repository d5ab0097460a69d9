//! The command line: it parses into [`Settings`](tanner::Settings), calls a session, and prints.
//!
//! [`flags`] defines the flags, [`usage`] interprets a command line, [`commands`] has the subcommands, [`ui`] the output for
//! people. Results go to stdout, everything else to stderr. Every failure ends in one line that starts with `error:`, and
//! exit code 1, or 2 for an invalid command line. A command that a signal stopped ends
//! in 128 plus the signal's number: 130 after Ctrl-C, 143 after SIGTERM.

mod commands;
mod flags;
#[cfg(test)]
mod flags_page;
mod help;
mod mistakes;
mod out_of_memory;
mod ui;
mod usage;

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::anyhow;
use ui::signals::Interrupted;
use ui::{headless, one_line, signals, terminal};
use usage::Understood;

/// Runs one command line.
pub(crate) fn run(process_start: Instant, words: impl IntoIterator<Item = OsString>) -> ExitCode {
    out_of_memory::prepare();
    headless::without_device_selection();
    signals::prepare();
    let words: Vec<OsString> = words.into_iter().collect();
    terminal::set_colour(&words);
    let Understood { command, output } = match usage::understand(&words) {
        Ok(understood) => understood,
        Err(answer) => return answer.give(),
    };
    terminal::set_output(output);
    terminal::start_logging();
    // The message of a panic goes into the line below, its place into the log.
    panic::set_hook(Box::new(|panic| log::debug!("{panic}")));
    match caught(|| commands::execute(process_start, &command)) {
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

/// Runs a command so that a panic, always a fault of this program or of
/// a driver, ends like every other error: in one line.
fn caught(command: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    panic::catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let what = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        Err(anyhow!("a fault of tanner itself, please report it: {what} (RUST_LOG=debug says where)"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_as_an_error() {
        let error = caught(|| panic!("index {} is\nout of range", 3)).unwrap_err();
        assert!(one_line(&error).ends_with("index 3 is out of range (RUST_LOG=debug says where)"));
        assert!(caught(|| Ok(())).is_ok());
    }
}
