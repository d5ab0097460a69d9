//! Predicts the samples of runs for their page.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;
use tanner::Setting;
use tanner::dataset::{DataSplits, Dataset, Holdout, Task};
use tanner::inference::{Predictor, TaskScores};
use tanner::model::TrainedModel;
use tanner::report::{Names, NumbersRun, ReportedRun, ScoredRun};
use tanner::session::Settings;
use tanner::session::settings::{DataOptions, DataSettings, TestRows};
use tanner::training::{PastRun, RunOverview, find_file};

use crate::cli::commands::permutation;
use crate::cli::flags::PermutationArgs;
use crate::cli::ui::{one_line, session, terminal};

/// Predictions of a run's samples, scored.
enum Predicted {
    Classes(Box<ScoredRun>),
    Numbers(Box<NumbersRun>),
}

/// Collects the content of the page for each run.
pub(super) struct PageBuilder<'a> {
    /// Where the data are, if given.
    pub(super) data: Option<&'a Path>,
    pub(super) permutation: PermutationArgs,
    pub(super) threads: Option<usize>,
    /// The last data read: compared runs mostly share them.
    pub(super) last: RefCell<Option<(PathBuf, Rc<DataSplits>)>>,
    /// Whether to suppress warnings.
    pub(super) is_quiet: bool,
}

impl PageBuilder<'_> {
    pub(super) fn note(&self, text: &str) {
        if !self.is_quiet {
            terminal::note(text);
        }
    }

    pub(super) fn warn(&self, text: &str) {
        if !self.is_quiet {
            terminal::warn(text);
        }
    }

    pub(super) fn reported(&self, run: PastRun) -> ReportedRun {
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
        let importance = || permutation(&predictor, samples, &self.permutation);
        if record.task != Task::Classification {
            let scores = TaskScores::new(&predictions, samples.targets(), &record.targets)?;
            return Ok(Predicted::Numbers(Box::new(NumbersRun { scores, permutation: importance()? })));
        }
        let mut scored = ScoredRun::new(&predictions, samples, train, names)?;
        scored.permutation = importance()?;
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
