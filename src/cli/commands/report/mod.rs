//! `tanner report`: runs as one HTML page.

mod page_builder;

use std::cell::RefCell;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tanner::files::atomic_write;
use tanner::report::{MAX_RUNS, ReportedRun, report_page, size};
use tanner::session::settings::check_threads;
use tanner::training::{PastRun, RunState};

use self::page_builder::PageBuilder;
use super::refuse;
use crate::cli::flags::ReportArgs;
use crate::cli::ui::{check_place, signals, terminal};

/// The beginning of every page; only such a file is replaced.
const DOCTYPE: &[u8] = b"<!DOCTYPE html>";

/// Seconds between two checks of runs in progress; writing a page takes at most a tenth of the time.
const REFRESH_SECONDS: u64 = 3;
/// Exit code of a command that Ctrl-C stopped.
const CTRL_C: u8 = 130;

/// Reads all runs and writes their page, repeatedly with `--watch`. A folder that cannot be shown does not prevent
/// the others from being shown.
///
/// # Errors
/// Before anything is read: too many runs, a page that cannot be written. At the end, with the page
/// written: when a folder holds no run or a damaged one, or `--data` does not match.
pub(crate) fn run(args: &ReportArgs) -> anyhow::Result<()> {
    if args.runs.len() > MAX_RUNS {
        let count = args.runs.len();
        bail!(
            "{count} runs are too many for one page, the limit is {MAX_RUNS}: choose some (`tanner runs` lists them)"
        );
    }
    let threads = check_threads(args.threads)?;
    check_page(&args.out)?;
    let _entered = tanner::threads::enter(threads)?;
    super::check_permutation(&args.permutation)?;
    let reporter = PageBuilder {
        data: args.data.as_deref(),
        permutation: args.permutation,
        threads,
        last: RefCell::new(None),
        is_quiet: false,
    };
    // Before the first page is written: Ctrl-C ends watching at any time.
    let _keeping = args.watch.then(|| {
        signals::listen("");
        signals::keeping()
    });
    let page = Page::write(args, &reporter, args.watch)?;
    let replaced = if page.is_replacing { ", in place of an earlier page" } else { "" };
    terminal::print(&format!("report {} ({}{replaced})", args.out.display(), size(page.bytes)))?;
    if args.open {
        open_in_browser(&args.out);
    }
    if args.watch { watch(args, reporter, page)?.check() } else { page.check() }
}

/// Rewrites the page whenever one of its runs has made progress, and once more after the last run ends or Ctrl-C stops
/// watching.
fn watch(args: &ReportArgs, mut reporter: PageBuilder<'_>, mut page: Page) -> anyhow::Result<Page> {
    if page.is_live {
        terminal::note("the page is rewritten while a run trains; Ctrl-C stops");
    }
    let stop = signals::stop();
    let is_asked = || stop.asked().load(Ordering::Relaxed);
    // The first pass has reported all problems.
    reporter.is_quiet = true;
    while page.is_live {
        let until = Instant::now() + page.took.mul_f64(10.0).max(Duration::from_secs(REFRESH_SECONDS));
        while !is_asked() && (Instant::now() < until || progress(&args.runs) == page.progress) {
            std::thread::sleep(Duration::from_millis(if Instant::now() < until { 100 } else { 500 }));
        }
        let is_over = is_asked();
        page = Page::write(args, &reporter, !is_over)?;
        if is_over {
            let ended = stop.interrupted(format!("; {} shows what was there", args.out.display()));
            // Ctrl-C ends watching as intended; any other signal interrupts it.
            if ended.code != CTRL_C {
                bail!(ended);
            }
            terminal::note(&ended.to_string());
            break;
        }
    }
    Ok(page)
}

/// The progress of each run: its epochs and its state.
fn progress(runs: &[PathBuf]) -> Vec<(usize, Option<RunState>)> {
    let of = |path: &PathBuf| {
        let run = PastRun::read(path).ok();
        (run.as_ref().map_or(0, |run| run.history.len()), run.map(|run| run.state()))
    };
    runs.iter().map(of).collect()
}

/// A page of reports that was written.
struct Page {
    bytes: u64,
    /// Whether there was a page before.
    is_replacing: bool,
    took: Duration,
    /// The progress of the runs at that time.
    progress: Vec<(usize, Option<RunState>)>,
    /// Whether one of its runs is still training, so that a browser reloads the page.
    is_live: bool,
    asked: usize,
    shown: usize,
    damaged: usize,
    /// Runs that do not match the named data.
    misfits: usize,
    /// What they lack.
    lacking: &'static str,
}

impl Page {
    /// Reads the runs and replaces the page.
    fn write(args: &ReportArgs, reporter: &PageBuilder<'_>, may_be_live: bool) -> anyhow::Result<Self> {
        let (start, progress) = (Instant::now(), progress(&args.runs));
        let (mut runs, mut skipped) = (Vec::new(), Vec::new());
        let mut asked = args.runs.len();
        for path in &args.runs {
            // `runs/*` has other folders, too.
            if args.runs.len() > 1 && path.is_dir() && !PastRun::is_in(path) {
                reporter.note(&format!("{}: not a run, skipped", path.display()));
                asked -= 1;
                continue;
            }
            if path.is_file() && path.parent().is_some_and(PastRun::is_in) {
                let parent = path.parent().unwrap_or(path).display();
                bail!("{} is a file of the run {parent}: name the folder", path.display());
            }
            match PastRun::read(path) {
                Ok(run) => runs.push(reporter.reported(run)),
                Err(error) => {
                    reporter.warn(&error.to_string());
                    skipped.push(format!("Not shown: {error}"));
                }
            }
        }
        if runs.is_empty() {
            bail!("none of these holds a run, no page was written: `tanner runs` lists run folders");
        }
        let of_state = |state| runs.iter().filter(|run| run.overview.state == state).count();
        let is_live = may_be_live && of_state(RunState::Running) > 0;
        let page = report_page(&runs, &skipped, is_live.then_some(REFRESH_SECONDS));
        let is_replacing = args.out.exists();
        atomic_write(&args.out, page.as_bytes()).context("--out")?;
        let (shown, damaged) = (runs.len(), of_state(RunState::Damaged));
        let is_misfit =
            |run: &&ReportedRun| run.model.is_ok() && run.scored.is_err() && run.numbers.is_none();
        let misfits: Vec<_> = runs.iter().filter(|run| args.data.is_some() && is_misfit(run)).collect();
        let have_classes = misfits.iter().all(|run| run.overview.metric.is_accuracy());
        let lacking = if have_classes { "confusion matrix" } else { "scores of samples" };
        let misfits = misfits.len();
        let (bytes, took) = (page.len() as u64, start.elapsed());
        Ok(Self { bytes, is_replacing, took, progress, is_live, asked, shown, damaged, misfits, lacking })
    }

    /// An error if something is missing on the page.
    fn check(&self) -> anyhow::Result<()> {
        let Self { asked, shown, damaged, misfits, lacking, .. } = self;
        let mut missing = Vec::new();
        if shown < asked {
            missing.push(format!("{} of {asked} folders hold no run", asked - shown));
        }
        if *damaged > 0 {
            missing.push(format!("{damaged} of {shown} runs are damaged"));
        }
        if *misfits > 0 {
            let which =
                if *shown == 1 { "the run has".into() } else { format!("{misfits} of {shown} runs have") };
            missing.push(format!("{which} no {lacking}, for the reasons above"));
        }
        if missing.is_empty() { Ok(()) } else { bail!("{}; the page shows the rest", missing.join(", ")) }
    }
}

/// After this long without a failure, the browser has started.
const LAUNCH: Duration = Duration::from_secs(2);

/// Shows the page in a browser, if there is one.
fn open_in_browser(page: &Path) {
    if open::that_detached_with_timeout(page, LAUNCH).is_err() {
        let how = if cfg!(target_os = "linux") { "xdg-open" } else { "the system" };
        terminal::warn(&format!("{how} found no browser: open {} yourself", page.display()));
    }
}

/// Refuses an unwritable path, and an existing file that is not a page.
fn check_page(out: &Path) -> anyhow::Result<()> {
    check_place("--out", out)?;
    let Ok(file) = File::open(out) else { return Ok(()) };
    let mut start = Vec::new();
    // A read error shows up again when writing.
    let _ = file.take(DOCTYPE.len() as u64).read_to_end(&mut start);
    if !start.is_empty() && start != DOCTYPE {
        return refuse(
            "--out",
            format!("{} exists and is not a page made by tanner: name another file", out.display()),
        );
    }
    Ok(())
}
