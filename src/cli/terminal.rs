//! Stdout for results, stderr for everything else; neither being closed is a fault.

use std::io::{self, ErrorKind, Write};
use std::sync::LazyLock;

use env_logger::{Env, Target, WriteStyle};
use indicatif::MultiProgress;

/// Every progress bar, so that other lines can step around them.
pub(crate) static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Log levels where `RUST_LOG` says nothing; the graphics stack talks to its developers.
const LOG_LEVELS: &str = "warn,wgpu=error,wgpu_core=error,wgpu_hal=off,naga=error";

/// Prints a result to stdout. A reader that went away (`| head`) has seen enough.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(anyhow::anyhow!("stdout: {error}")),
        _ => Ok(()),
    }
}

/// Writes a line to stderr, above any progress bar. If nobody can read it, so be it.
pub(crate) fn note(text: &str) {
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
