//! Stdout for results, stderr for everything else; neither being closed is a fault.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{LazyLock, OnceLock};

use env_logger::{Env, Target, WriteStyle};
use indicatif::MultiProgress;
use serde::Serialize;

use super::with_dashes;

/// Every progress bar, so that other lines can step around them.
pub(crate) static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Log levels where `RUST_LOG` says nothing; the graphics stack talks to its developers.
const LOG_LEVELS: &str = "warn,wgpu=error,wgpu_core=error,wgpu_hal=off,naga=error";

/// What is shown beside results, and in which form results are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    /// Only results, warnings and errors.
    pub(crate) quiet: bool,
    /// Results as JSON.
    pub(crate) json: bool,
}

static OUTPUT: OnceLock<Output> = OnceLock::new();

/// Says once, before anything is printed, what is shown; without it, everything is, as text.
pub(crate) fn set_output(output: Output) {
    // Set twice in tests alone.
    let _ = OUTPUT.set(output);
}

fn output() -> Output {
    OUTPUT.get().copied().unwrap_or_default()
}

/// Whether bars may be drawn: stderr is a terminal, and nobody asked for quiet.
pub(crate) fn shows_progress() -> bool {
    // Bars move on a thread of their own; a library that cannot start it panics.
    static CAN_MOVE: LazyLock<bool> = LazyLock::new(|| std::thread::Builder::new().spawn(|| {}).is_ok());
    io::stderr().is_terminal() && !output().quiet && *CAN_MOVE
}

/// Whether results are wanted as JSON.
pub(crate) fn wants_json() -> bool {
    output().json
}

/// Prints a result as one JSON document.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}

/// Prints a result to stdout. A reader that went away (`| head`) has seen enough.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(anyhow::anyhow!("stdout: {error}")),
        _ => Ok(()),
    }
}

/// Writes a line to stderr, above any progress bar, unless asked to be quiet.
pub(crate) fn note(text: &str) {
    if !output().quiet {
        line(&with_dashes(text));
    }
}

/// Writes a warning, asked to be quiet or not.
pub(crate) fn warn(text: &str) {
    line(&format!("warning: {}", with_dashes(text)));
}

/// Writes why the program fails.
pub(crate) fn error(text: &str) {
    line(&format!("error: {text}"));
}

/// Writes a line, asked to be quiet or not. If nobody can read it, so be it.
pub(crate) fn line(text: &str) {
    BARS.suspend(|| {
        let _ = writeln!(io::stderr(), "{text}");
    });
}

/// Diagnostics on stderr, by `RUST_LOG`.
pub(crate) fn start_logging() {
    let mut logger = env_logger::Builder::from_env(Env::default().default_filter_or(LOG_LEVELS));
    logger.target(Target::Pipe(Box::new(AroundBars))).write_style(WriteStyle::Never);
    // An error means that logging runs already.
    let _ = logger.try_init();
}

/// Stderr for log lines, which must not tear a progress bar.
struct AroundBars;

impl Write for AroundBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
