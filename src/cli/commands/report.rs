//! `tanner report`: runs as one HTML page.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;
use tanner::Setting;
use tanner::dataset::{DataSplits, Dataset, Holdout, Task};
use tanner::files::atomic_write;
use tanner::inference::{Predictor, TaskScores};
use tanner::model::TrainedModel;
use tanner::report::{MAX_RUNS, Names, NumbersRun, ReportedRun, ScoredRun, report_page, size};
use tanner::session::Settings;
use tanner::session::settings::{DataOptions, DataSettings, TestRows, check_threads};
use tanner::training::{PastRun, RunOverview, RunState, find_file};

use super::refuse;
use crate::cli::flags::{PermutationArgs, ReportArgs};
use crate::cli::ui::{check_place, one_line, session, signals, terminal};

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

/// Predictions of a run's samples, scored.
enum Predicted {
    Classes(Box<ScoredRun>),
    Numbers(Box<NumbersRun>),
}

/// Collects the content of the page for each run.
struct PageBuilder<'a> {
    /// Where the data are, if given.
    data: Option<&'a Path>,
    permutation: PermutationArgs,
    threads: Option<usize>,
    /// The last data read: compared runs mostly share them.
    last: RefCell<Option<(PathBuf, Rc<DataSplits>)>>,
    /// Whether to suppress warnings.
    is_quiet: bool,
}

impl PageBuilder<'_> {
    fn note(&self, text: &str) {
        if !self.is_quiet {
            terminal::note(text);
        }
    }

    fn warn(&self, text: &str) {
        if !self.is_quiet {
            terminal::warn(text);
        }
    }

    fn reported(&self, run: PastRun) -> ReportedRun {
        let overview = RunOverview::new(&run);
        for problem in &overview.problems {
            self.warn(&format!("{}: {problem}", run.path.display()));
        }
        let model = match run.model() {
            Some(model) => model.map_err(|error| error.to_string()),
            None => Err("there is no model.safetensors.".to_owned()),
        };
        let predicted = match &model {
            Ok(model) => self.predicted(&run, model).map_err(|error| one_line(&error)),
            Err(reason) => Err(reason.clone()),
        };
        let has_classes = model.as_ref().map_or(true, |model| model.data().task == Task::Classification);
        let (scored, numbers) = match predicted {
            Ok(Predicted::Classes(scored)) => (Ok(*scored), None),
            Ok(Predicted::Numbers(numbers)) => (Err("the run predicts no classes".into()), Some(*numbers)),
            Err(reason) => {
                let what = if has_classes { "confusion matrix" } else { "scores of samples" };
                self.warn(&format!("{}: no {what}: {reason}", run.path.display()));
                (Err(reason), None)
            }
        };
        ReportedRun { run, overview, model, scored, numbers }
    }

    /// Predicts the samples that the run was, or would have been, scored on.
    fn predicted(&self, run: &PastRun, model: &TrainedModel) -> anyhow::Result<Predicted> {
        let splits = self.splits(run, model)?;
        let record = model.data();
        let names = Names { classes: record.class_names.clone(), features: record.feature_names.clone() };
        let held_out = held_out(run, &splits.train)?;
        let (train, samples) = match &held_out {
            Some((rest, held_out)) => (rest, held_out),
            None => (&splits.train, &splits.test),
        };
        let recorded = setting::<usize>(run, "/test_samples");
        if let Some(recorded) = recorded.filter(|recorded| *recorded != samples.samples()) {
            bail!(
                "the data have {} samples to score on, the run had {recorded}: these are different data",
                samples.samples()
            );
        }
        let predictor = Predictor::new(model.clone(), self.threads)?;
        let predictions = predictor.predict(samples.features())?;
        let permutation = || super::permutation(&predictor, samples, &self.permutation);
        if record.task != Task::Classification {
            let scores = TaskScores::new(&predictions, samples.targets(), &record.targets)?;
            return Ok(Predicted::Numbers(Box::new(NumbersRun { scores, permutation: permutation()? })));
        }
        let mut scored = ScoredRun::new(&predictions, samples, train, names)?;
        scored.permutation = permutation()?;
        Ok(Predicted::Classes(Box::new(scored)))
    }

    /// The data of a run, read unless they are those of the previous run.
    fn splits(&self, run: &PastRun, model: &TrainedModel) -> anyhow::Result<Rc<DataSplits>> {
        let settings = self.data_settings(run)?;
        if let Some((before, splits)) = &*self.last.borrow()
            && *before == settings.path
        {
            return Ok(Rc::clone(splits));
        }
        // Frees the previous data before reading these.
        self.last.replace(None);
        let splits = Rc::new(session().load_for(model, &settings)?);
        // Another model encodes a table differently.
        if settings.format.is_none() {
            self.last.replace(Some((settings.path, Rc::clone(&splits))));
        }
        Ok(splits)
    }

    /// What the run read, and how, except for what its model keeps.
    fn data_settings(&self, run: &PastRun) -> anyhow::Result<DataSettings> {
        let path = match self.data {
            Some(path) => path.to_owned(),
            None => {
                let Some(recorded) = setting::<PathBuf>(run, "/data") else {
                    bail!("the place of its data is unknown: give --data");
                };
                found(run, Setting::Data, &recorded)?
            }
        };
        let recorded = run.config.as_ref().and_then(|config| Settings::from_config(config).ok());
        let DataOptions { labels, header, delimiter, test, .. } = recorded.unwrap_or_default().data;
        let labels = labels.map(|labels| found(run, Setting::Labels, &labels)).transpose()?;
        let test = match test {
            Some(TestRows::File(test)) => Some(TestRows::File(found(run, Setting::Test, &test)?)),
            _ => None,
        };
        let data = Some(path);
        let options = DataOptions { data, labels, header, delimiter, test, ..DataOptions::default() };
        Ok(DataSettings::new(&options)?)
    }
}

/// Where a file of a run is now.
fn found(run: &PastRun, setting: Setting, recorded: &Path) -> anyhow::Result<PathBuf> {
    let config = run.config.as_ref().unwrap_or(&serde_json::Value::Null);
    Ok(find_file(&run.path, config, setting, recorded)?)
}

/// The training samples, split as in the run, if it held some out.
fn held_out(run: &PastRun, train: &Dataset) -> anyhow::Result<Option<(Dataset, Dataset)>> {
    let Some(holdout) = setting::<Holdout>(run, "/validation") else { return Ok(None) };
    let seed = setting::<u64>(run, "/recipe/seed").context("the seed of its split is unknown")?;
    let parts = match setting::<usize>(run, "/train_limit") {
        Some(limit) => train.clone().head(limit)?.holdout(holdout, seed)?,
        None => train.holdout(holdout, seed)?,
    };
    Ok(Some(parts))
}

/// A setting of the run, if present and valid.
fn setting<T: DeserializeOwned>(run: &PastRun, pointer: &str) -> Option<T> {
    serde_json::from_value(run.setting(pointer)?.clone()).ok()
}
