//! The command `tanner`: trains, evaluates and inspects sparse networks.

mod cli;

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    // Taken first, because the time to an accuracy counts from the start of the process.
    let process_start = Instant::now();
    cli::run(process_start, std::env::args_os())
}
