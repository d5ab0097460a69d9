//! Cross-validation: runs of the same settings, each tested on another part of a table's rows.
//!
//! A fold is a run whose `test` is `fold-I-of-K`, in `OUT/fold-I`. So everything that is fitted (encoding, standardising,
//! order of the features, weights) is fitted without its test rows, and its folder can be resumed, scored and reported like
//! any other.

use std::path::Path;

use super::{Batch, FolderContent, PlannedRun, to_be_removed};
use crate::dataset::{Holdout, Targets, class_sizes, held_out_rows};
use crate::error::AskedBy as _;
use crate::inference::{Predictions, Predictor, TaskScores};
use crate::model::TrainedModel;
use crate::session::data::RawData;
use crate::session::settings::{DataSettings, Settings, TestRows};
use crate::session::tables::limits;
use crate::session::{Session, Unfinished};
use crate::text::grouped;
use crate::training::Summary;
use crate::{Error, Result, Setting};

/// The finished runs of a cross-validation.
#[derive(Debug)]
pub struct CrossValidation {
    /// By number of the fold; those that are missing are in `unfinished`.
    pub folds: Vec<TestedFold>,
    /// The runs that are not finished.
    pub unfinished: Unfinished,
}

/// A fold, tested on the rows that its run did not see.
#[derive(Debug)]
pub struct TestedFold {
    /// Counted from 0.
    pub fold: usize,
    /// The summary of its run.
    pub summary: Summary,
    /// The rows of the table that it is tested on, counted from 0.
    pub rows: Vec<usize>,
    /// What they are to be predicted as.
    pub targets: Targets,
    /// The names of the classes, numbers or labels.
    pub names: Vec<String>,
    /// Predictions of these rows by the model of the last epoch.
    pub predictions: Predictions,
    /// Their scores.
    pub scores: TaskScores,
}

impl Session<'_> {
    /// Trains `folds` runs into `out`, each tested on another part of the table's rows, in proportion from each class (numbers at
    /// random). Every row is tested once. Finished runs are not repeated, interrupted ones resume.
    ///
    /// # Errors
    /// [`Error::Setting`] for data with test rows of their own, too few rows, and settings that contradict;
    /// as [`Batch::run`].
    #[doc(hidden)]
    pub fn cross_validate(&self, settings: &Settings, folds: usize, out: &Path) -> Result<CrossValidation> {
        check(settings, folds)?;
        let mut shared =
            Settings { data: settings.data.clone(), engine: settings.engine.clone(), ..Settings::default() };
        // What is reported of the data is that of the first fold.
        shared.data.test = Some(TestRows::Part(Holdout::Fold { fold: 0, folds }));
        let batch = Batch::directly_in(self, shared, out)?;
        batch.check_rows(folds)?;
        let plan = |fold: usize| batch.planned_fold(settings, Holdout::Fold { fold, folds });
        let queue = (0..folds).map(plan).collect::<Result<Vec<_>>>()?;
        let mut unfinished = batch.run_all(&queue)?;
        let mut tested = Vec::new();
        if !unfinished.is_stopped {
            for (fold, run) in queue.iter().enumerate() {
                tested.extend(batch.tested(fold, run, &mut unfinished)?);
            }
        }
        Ok(CrossValidation { folds: tested, unfinished })
    }
}

/// Refuses settings that have no place in a cross-validation.
fn check(settings: &Settings, folds: usize) -> Result<()> {
    if folds < 2 {
        return Err(Error::setting(Setting::Folds, format!("{folds} is invalid, it must be at least 2")));
    }
    let refused = [
        (settings.data.test.is_some(), Setting::Test, "every row is tested once, so none are set aside"),
        (
            settings.samples.from.is_some(),
            Setting::From,
            "the saved model has seen rows that would be tested",
        ),
    ];
    if let Some((_, setting, why)) = refused.into_iter().find(|(given, ..)| *given) {
        return Err(Error::setting(setting, format!("cannot be used with `{}`: {why}", Setting::Folds)));
    }
    let data = DataSettings::new(&settings.data)?;
    if data.format.is_none() { Err(own_test_set(&data.path)) } else { Ok(()) }
}

fn own_test_set(path: &Path) -> Error {
    let path = path.display();
    let reason = format!("{path} has its own test set, only a table without one is split into folds");
    Error::setting(Setting::Folds, reason)
}

impl Batch<'_> {
    /// Refuses data that cannot be split into this number of folds, and warns of classes with fewer rows than folds.
    fn check_rows(&self, folds: usize) -> Result<()> {
        let refuse = |reason: String| Err(Error::setting(Setting::Folds, reason));
        let place = self.data.path.display();
        let check = |raw: &RawData| match raw {
            RawData::Table(tables, _) if tables.test.is_none() => match tables.table.rows() {
                rows if folds > rows => refuse(format!(
                    "{folds} is invalid, {place} has {} rows: it must be 2 to {rows}",
                    grouped(rows)
                )),
                _ => Ok(()),
            },
            _ => Err(own_test_set(&self.data.path)),
        };
        let RawData::Table(tables, _) = self.raw_after(check)? else { return Ok(()) };
        let sizes = class_sizes(&tables.table, self.data.fit(), &limits()).asked_by(Setting::Data)?;
        let few: Vec<&(String, usize)> = sizes.iter().filter(|(_, size)| *size < folds).collect();
        let Some((name, size)) = few.first().copied() else { return Ok(()) };
        let others = match few.len() {
            1 => String::new(),
            more => format!(", and {} other classes have too few", more - 1),
        };
        let rows = if *size == 1 { "row" } else { "rows" };
        self.session.warn(format!(
            "class {name:?} has {size} {rows} for {folds} folds{others}: some folds test none of them; use at most \
             {size} folds, or merge such classes"
        ));
        Ok(())
    }

    fn planned_fold(&self, settings: &Settings, holdout: Holdout) -> Result<PlannedRun> {
        let Holdout::Fold { fold, .. } = holdout else {
            return Err(Error::setting(Setting::Folds, format!("{holdout} is not a fold")));
        };
        let mut settings = settings.clone();
        settings.data.test = Some(TestRows::Part(holdout));
        self.planned(format!("fold-{fold}"), settings)
    }

    /// Predicts the test rows of a fold; `None` if its run is not finished.
    fn tested(
        &self,
        fold: usize,
        run: &PlannedRun,
        unfinished: &mut Unfinished,
    ) -> Result<Option<TestedFold>> {
        let summary = match self.found(run)? {
            FolderContent::Finished(summary) => *summary,
            FolderContent::Unfinished => return Ok(None),
            FolderContent::Damaged(error) => {
                let error = to_be_removed(run, error);
                unfinished.fail(self.session.reporter, &run.name, &run.name, &error);
                return Ok(None);
            }
        };
        unfinished.finished(&run.name);
        let RawData::Table(tables, _) = self.raw()? else { return Ok(None) };
        let Some(TestRows::Part(holdout)) = run.settings.data.options.test else { return Ok(None) };
        let seed = run.settings.recipe.seed;
        let rows = held_out_rows(&tables.table, (holdout, seed), self.data.fit(), &limits())?;
        let test = self.data(run)?.splits.test;
        let model = TrainedModel::load(run.folder.join("model.safetensors"))?;
        let predictor = Predictor::new(model, run.settings.engine.threads())?;
        let predictions = predictor.predict(test.features())?;
        let model = predictor.model();
        let (names, targets) = (model.output_names(), test.targets().clone());
        let scores = TaskScores::new(&predictions, &targets, &model.data().targets)?;
        Ok(Some(TestedFold { fold, summary, rows, targets, names, predictions, scores }))
    }
}
