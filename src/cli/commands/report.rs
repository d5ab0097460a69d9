//! `tanner report`: runs as one HTML page.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;
use tanner::dataset::{DataSplits, Dataset, Holdout};
use tanner::files::atomic_write;
use tanner::inference::Predictor;
use tanner::model::TrainedModel;
use tanner::report::{MAX_RUNS, Names, ReportedRun, ScoredRun, report_page, size};
use tanner::session::Settings;
use tanner::session::settings::{DataOptions, DataSettings, TestRows, check_threads};
use tanner::training::{PastRun, RunOverview, RunState};

use super::refuse;
use crate::cli::flags::ReportArgs;
use crate::cli::ui::{check_place, one_line, session, terminal};

/// How every page begins; only such a file is replaced.
const DOCTYPE: &[u8] = b"<!DOCTYPE html>";

/// Reads all runs and writes their page. A folder that cannot be shown does not keep the others from it.
///
/// # Errors
/// Before anything is read: too many runs, a page that cannot be written. At the end, with the page
/// written: when a folder holds no run or a damaged one.
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
    let reporter = Reporter { data: args.data.as_deref(), threads, last: RefCell::new(None) };
    let (mut runs, mut left_out) = (Vec::new(), Vec::new());
    for path in &args.runs {
        // `runs/*` has other folders, too.
        if args.runs.len() > 1 && path.is_dir() && !holds_run(path) {
            terminal::note(&format!("{}: no run, left out", path.display()));
            continue;
        }
        if path.is_file() && path.parent().is_some_and(holds_run) {
            let parent = path.parent().unwrap_or(path).display();
            bail!("{} is a file of the run {parent}: name the folder", path.display());
        }
        match PastRun::read(path) {
            Ok(run) => runs.push(reporter.reported(run)),
            Err(error) => {
                terminal::warn(&format!("{error}"));
                left_out.push(format!("Not shown: {error}"));
            }
        }
    }
    if runs.is_empty() {
        bail!("none of these holds a run, no page was written: `tanner runs` lists run folders");
    }
    let page = report_page(&runs, &left_out);
    atomic_write(&args.out, page.as_bytes()).context("--out")?;
    terminal::print(&format!("report {} ({})", args.out.display(), size(page.len() as u64)))?;
    let damaged = runs.iter().filter(|run| run.overview.state == RunState::Damaged).count();
    match (left_out.len(), damaged) {
        (0, 0) => Ok(()),
        (0, damaged) => {
            bail!("{damaged} of {} runs are damaged; the page shows what is left of them", runs.len())
        }
        (gone, 0) => bail!("{gone} of {} folders hold no run; the page shows the others", args.runs.len()),
        (gone, damaged) => {
            bail!(
                "of {} folders {gone} hold no run and {damaged} a damaged one; the page shows the rest",
                args.runs.len()
            )
        }
    }
}

/// Whether a folder has any file that a run leaves.
fn holds_run(folder: &Path) -> bool {
    ["config.json", "metrics.jsonl", "model.safetensors", "summary.json"]
        .iter()
        .any(|name| folder.join(name).exists())
}

/// Refuses a place that cannot be written to, and a file that is no page: it would be lost.
fn check_page(out: &Path) -> anyhow::Result<()> {
    check_place("--out", out)?;
    let Ok(file) = File::open(out) else { return Ok(()) };
    let mut start = Vec::new();
    // What cannot be read is told when it is written.
    let _ = file.take(DOCTYPE.len() as u64).read_to_end(&mut start);
    if !start.is_empty() && start != DOCTYPE {
        return refuse(
            "--out",
            format!("{} is there and no page of tanner: name another file", out.display()),
        );
    }
    Ok(())
}

/// Finds out what the page says of each run.
struct Reporter<'a> {
    /// Where the data are, where that was said.
    data: Option<&'a Path>,
    threads: Option<usize>,
    /// The data read last: runs that are compared mostly share them.
    last: RefCell<Option<(PathBuf, Rc<DataSplits>)>>,
}

impl Reporter<'_> {
    fn reported(&self, run: PastRun) -> ReportedRun {
        let overview = RunOverview::new(&run);
        for problem in &overview.problems {
            terminal::warn(&format!("{}: {problem}", run.path.display()));
        }
        let model = match run.model() {
            Some(model) => model.map_err(|error| error.to_string()),
            None => Err("there is no model.safetensors.".to_owned()),
        };
        let scored = match &model {
            Ok(model) => self.scored(&run, model).map_err(|error| one_line(&error)),
            Err(reason) => Err(reason.clone()),
        };
        if let Err(reason) = &scored {
            terminal::warn(&format!("{}: no confusion matrix: {reason}", run.path.display()));
        }
        ReportedRun { run, overview, model, scored }
    }

    /// Predicts the samples that the run was scored on, or would have been.
    fn scored(&self, run: &PastRun, model: &TrainedModel) -> anyhow::Result<ScoredRun> {
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
                "the data have {} samples to score on, the run had {recorded}: these are other data",
                samples.samples()
            );
        }
        let predictions = Predictor::new(model.clone(), self.threads)?.predict(samples.features())?;
        Ok(ScoredRun::new(&predictions, samples, train, names)?)
    }

    /// The data of a run, read unless they are those of the run before.
    fn splits(&self, run: &PastRun, model: &TrainedModel) -> anyhow::Result<Rc<DataSplits>> {
        let settings = self.data_settings(run)?;
        if let Some((before, splits)) = &*self.last.borrow()
            && *before == settings.path
        {
            return Ok(Rc::clone(splits));
        }
        // The memory of those before is free before these are read.
        self.last.replace(None);
        let splits = Rc::new(session().load_for(model, &settings)?);
        // A table becomes other samples for another model.
        if settings.format.is_none() {
            self.last.replace(Some((settings.path, Rc::clone(&splits))));
        }
        Ok(splits)
    }

    /// What the run read, and how; what its model keeps of that is left to the model.
    fn data_settings(&self, run: &PastRun) -> anyhow::Result<DataSettings> {
        let path = match self.data {
            Some(path) => path.to_owned(),
            None => {
                let Some(recorded) = setting::<PathBuf>(run, "/data") else {
                    bail!("where its data are is not known: say so by --data");
                };
                found(run, &recorded)?
            }
        };
        let recorded = run.config.as_ref().and_then(|config| Settings::from_config(config).ok());
        let DataOptions { labels, header, delimiter, test, .. } = recorded.unwrap_or_default().data;
        let labels = labels.map(|labels| found(run, &labels)).transpose()?;
        let test = match test {
            Some(TestRows::File(test)) => Some(TestRows::File(found(run, &test)?)),
            _ => None,
        };
        let data = Some(path);
        let options = DataOptions { data, labels, header, delimiter, test, ..DataOptions::default() };
        Ok(DataSettings::new(&options)?)
    }
}

/// A path that is relative to where a run was made, which is here or above its folder.
fn found(run: &PastRun, recorded: &Path) -> anyhow::Result<PathBuf> {
    let folder = run.path.canonicalize().unwrap_or_else(|_| run.path.clone());
    let places = std::iter::once(Path::new("")).chain(folder.ancestors().skip(1));
    let found = places.map(|place| place.join(recorded)).find(|path| path.exists());
    let reason = "is neither here nor in a folder above the run: say by --data where the data are";
    found.with_context(|| format!("its data {} {reason}", recorded.display()))
}

/// The training samples in the two parts that the run had, where it held some out.
fn held_out(run: &PastRun, train: &Dataset) -> anyhow::Result<Option<(Dataset, Dataset)>> {
    let Some(holdout) = setting::<Holdout>(run, "/validation") else { return Ok(None) };
    let seed = setting::<u64>(run, "/recipe/seed").context("the seed of its split is not known")?;
    let parts = match setting::<usize>(run, "/train_limit") {
        Some(limit) => train.clone().head(limit)?.holdout(holdout, seed)?,
        None => train.holdout(holdout, seed)?,
    };
    Ok(Some(parts))
}

/// A setting of the run, where it is there and what it should be.
fn setting<T: DeserializeOwned>(run: &PastRun, pointer: &str) -> Option<T> {
    serde_json::from_value(run.setting(pointer)?.clone()).ok()
}
