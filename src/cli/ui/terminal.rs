//! Stdout for results, stderr for everything else; closing either is not an error.

use std::ffi::OsString;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{LazyLock, OnceLock};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum as _;
use console::Term;
use env_logger::{Env, Target, WriteStyle};
use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;
use tanner::report::TextTable;

use super::canvas::NarrowTerm;
use super::with_dashes;

/// Every progress bar, so that other lines appear above them.
pub(crate) static BARS: LazyLock<MultiProgress> = LazyLock::new(|| {
    let usual = ProgressDrawTarget::stderr();
    MultiProgress::with_draw_target(if usual.is_hidden() {
        usual
    } else {
        ProgressDrawTarget::term_like_with_hz(Box::new(NarrowTerm(Term::stderr())), 20)
    })
});

/// Log levels without `RUST_LOG`; most messages of the graphics stack are for its developers.
const LOG_LEVELS: &str = "warn,wgpu=error,wgpu_core=error,wgpu_hal=off,naga=error";

/// What is shown besides results, and the format of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    /// Only results, warnings and errors.
    pub(crate) quiet: bool,
    /// Results as JSON.
    pub(crate) json: bool,
}

static OUTPUT: OnceLock<Output> = OnceLock::new();

/// Sets the output once, before anything is printed; the default is everything, as text.
pub(crate) fn set_output(output: Output) {
    // Set twice only in tests.
    let _ = OUTPUT.set(output);
}

/// Sets colours, also for clap's help and errors, which come before the command line is parsed.
pub(crate) fn set_colour(words: &[OsString]) {
    let mut choices = words.iter().enumerate().filter_map(|(index, word)| {
        let word = word.to_str()?;
        let value =
            if word == "--color" { words.get(index + 1)?.to_str()? } else { word.strip_prefix("--color=")? };
        clap::ColorChoice::from_str(value, false).ok()
    });
    match choices.next_back() {
        Some(clap::ColorChoice::Always) => ColorChoice::Always.write_global(),
        Some(clap::ColorChoice::Never) => ColorChoice::Never.write_global(),
        _ => {}
    }
}

fn output() -> Output {
    OUTPUT.get().copied().unwrap_or_default()
}

/// Whether bars may be drawn: stderr is a terminal, without `--quiet`.
pub(crate) fn shows_progress() -> bool {
    // Bars move on a separate thread; the library panics if it cannot start it.
    static CAN_MOVE: LazyLock<bool> = LazyLock::new(|| std::thread::Builder::new().spawn(|| {}).is_ok());
    io::stderr().is_terminal() && !output().quiet && *CAN_MOVE
}

/// Whether to print results as JSON.
pub(crate) fn wants_json() -> bool {
    output().json
}

/// Prints a result as one JSON document.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}

/// Columns of a terminal that does not report its width.
const USUAL_WIDTH: usize = 80;

/// Columns of a terminal.
pub(crate) fn width(terminal: &Term) -> usize {
    let known = terminal.size_checked().map(|(_, columns)| usize::from(columns));
    known.filter(|columns| *columns > 0).unwrap_or(USUAL_WIDTH)
}

/// Whether stdout is a terminal, not a pipe or a file.
pub(crate) fn is_read_by_people() -> bool {
    io::stdout().is_terminal()
}

/// Prints a table: fitted to a terminal for people, tab-separated for programs.
pub(crate) fn print_table(table: &TextTable) -> anyhow::Result<()> {
    if !is_read_by_people() {
        return print(&table.tsv());
    }
    let has_colour = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
    print(&table.fit(width(&Term::stdout()), has_colour))
}

/// Prints one more table, under a heading for people, after an empty line for programs.
pub(crate) fn print_next_table(heading: &str, table: &TextTable) -> anyhow::Result<()> {
    print("")?;
    if is_read_by_people() && !heading.is_empty() {
        print(heading)?;
    }
    print_table(table)
}

/// Prints a sentence about tables; to stderr if a program reads the tables.
pub(crate) fn remark(text: &str) -> anyhow::Result<()> {
    if is_read_by_people() {
        return print(text);
    }
    note(text.trim_start());
    Ok(())
}

/// Prints a result to stdout. A closed reader (`| head`) is not an error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(anyhow::anyhow!("stdout: {error}")),
        _ => Ok(()),
    }
}

/// Writes a line to stderr, above any progress bar, unless quiet.
pub(crate) fn note(text: &str) {
    if !output().quiet {
        line(&with_dashes(text));
    }
}

/// Writes a warning, even if quiet.
pub(crate) fn warn(text: &str) {
    line(&format!("{} {}", word("warning:", AnsiColor::Yellow), with_dashes(text)));
}

/// Writes why the program fails.
pub(crate) fn error(text: &str) {
    line(&format!("{} {text}", word("error:", AnsiColor::Red)));
}

/// A coloured word, on a terminal with colours.
fn word(text: &str, colour: AnsiColor) -> String {
    if AutoStream::choice(&io::stderr()) == ColorChoice::Never {
        return text.to_owned();
    }
    let style = Style::new().bold().fg_color(Some(colour.into()));
    format!("{style}{text}{style:#}")
}

/// Removes all bars and draws no more.
pub(crate) fn remove_bars() {
    let _ = BARS.clear();
    BARS.set_draw_target(ProgressDrawTarget::hidden());
}

/// Writes a line, even if quiet. Failures are ignored.
pub(crate) fn line(text: &str) {
    BARS.suspend(|| {
        let _ = writeln!(io::stderr(), "{text}");
    });
}

/// Diagnostics on stderr, by `RUST_LOG`.
pub(crate) fn start_logging() {
    let mut logger = env_logger::Builder::from_env(Env::default().default_filter_or(LOG_LEVELS));
    logger.target(Target::Pipe(Box::new(AroundBars))).write_style(WriteStyle::Never);
    logger.format(|line, record| match (record.level(), record.target()) {
        // A warning of the library looks like one of the program.
        (log::Level::Warn, target) if target.starts_with("tanner") => {
            let text = with_dashes(&record.args().to_string());
            writeln!(line, "{} {text}", word("warning:", AnsiColor::Yellow))
        }
        (level, target) => writeln!(line, "[{} {level} {target}] {}", line.timestamp(), record.args()),
    });
    // An error means that logging is already running.
    let _ = logger.try_init();
}

/// Stderr for log lines, printed around progress bars.
struct AroundBars;

impl Write for AroundBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
