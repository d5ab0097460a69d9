//! What follows from the task of the data: the loss, which settings apply, how much each sample counts.

use super::Session;
use super::data::Data;
use super::settings::RunSettings;
use crate::dataset::table::listed;
use crate::dataset::{DataRecord, DataSplits, Dataset, Task};
use crate::engine::LossRule;
use crate::model::TrainedModel;
use crate::training::{Metric, TargetScore};
use crate::{Error, Result, Setting};

impl Session<'_> {
    /// The samples of a run as its task needs them: settings that do not fit are refused, and the training samples have weights.
    pub(super) fn weighed(
        &self,
        settings: &mut RunSettings,
        data: Data,
        saved: Option<&TrainedModel>,
    ) -> Result<(DataSplits, DataRecord)> {
        let Data { splits, mut record, .. } = data;
        self.fit_to_task(settings, &record, saved)?;
        TargetScore::check(settings.target, Metric::of_task(record.task))?;
        let splits = weigh(settings, splits, &record)?;
        if saved.is_none() {
            // Held-out samples are training samples of the table, but not of the run.
            record.fit_targets(&splits.train, settings.recipe.loss.centre());
            self.warn_of_constant_labels(&splits.train, &record);
        }
        Ok((splits, record))
    }

    /// Fits the settings of a run to its task, and reports it.
    fn fit_to_task(
        &self,
        settings: &mut RunSettings,
        record: &DataRecord,
        saved: Option<&TrainedModel>,
    ) -> Result<()> {
        settings.fit_to_task(record.task, saved.map(TrainedModel::loss))?;
        if saved.is_none() && !record.task.is_classification() {
            self.note_task(settings, record);
        }
        Ok(())
    }

    /// Warns of labels that all training samples have, or none.
    fn warn_of_constant_labels(&self, train: &Dataset, record: &DataRecord) {
        if record.task != Task::MultiLabel {
            return;
        }
        let names: Vec<String> = train
            .targets()
            .constant()
            .into_iter()
            .filter_map(|target| record.targets.get(target).map(|target| format!("{:?}", target.name)))
            .collect();
        match names.as_slice() {
            [] => {}
            [one] => self.warn(format!(
                "label {one} is the same in all {} training samples, so that nothing else is learned of it",
                train.samples()
            )),
            many => self.warn(format!(
                "labels {} are the same in all {} training samples, so that nothing else is learned of them",
                listed(many.iter().cloned(), 5),
                train.samples()
            )),
        }
    }

    /// Reports a task that is not classification.
    fn note_task(&self, settings: &RunSettings, record: &DataRecord) {
        let names: Vec<String> =
            record.targets.iter().take(5).map(|target| format!("{:?}", target.name)).collect();
        let more = if record.targets.len() > names.len() { ", .." } else { "" };
        let chosen = if settings.data.options.task.is_some_and(|choice| choice.task().is_some()) {
            String::new()
        } else if record.task == Task::Regression && record.targets.len() == 1 {
            ": its values are numbers with fractions or of more than 50 kinds (`task` classification makes them classes)".into()
        } else if record.task == Task::MultiLabel {
            ": all values are 0 or 1 (`task` regression predicts them as numbers)".into()
        } else {
            String::new()
        };
        self.note(format!("task: {} of {}{more}{chosen}", record.task, names.join(", ")));
    }
}

impl RunSettings {
    /// Sets the loss of a run, by default that of a model to continue from, and refuses settings that its task has no use
    /// for; those of a preset are dropped.
    ///
    /// # Errors
    /// [`Error::Setting`] for a typed setting of another task.
    pub(super) fn fit_to_task(&mut self, task: Task, saved: Option<LossRule>) -> Result<()> {
        let cannot = |setting: Setting, why: &str| {
            Err(Error::setting(setting, format!("cannot be used with `task` {task}{why}")))
        };
        self.recipe.loss = match self.loss {
            Some(_) if task != Task::Regression => return cannot(Setting::Loss, ", only with regression"),
            Some(loss) => loss,
            None => saved.unwrap_or(LossRule::of_task(task)),
        };
        if task == Task::Classification {
            return Ok(());
        }
        if self.typed.training.label_smoothing.is_some_and(|smoothing| smoothing > 0.0) {
            return cannot(Setting::LabelSmoothing, ", whose targets are not classes");
        }
        if self.class_weight.is_some() {
            return cannot(Setting::ClassWeight, ", which has no classes: `weights` weighs rows");
        }
        // Neither used nor recorded, for a run that resumes takes what is recorded for typed.
        self.recipe.label_smoothing = 0.0;
        self.asked.training.label_smoothing = None;
        Ok(())
    }
}

/// Weighs the training samples by their class and by the table, so that the mean weight is 1; every sample counts alike in scores.
fn weigh(settings: &RunSettings, splits: DataSplits, record: &DataRecord) -> Result<DataSplits> {
    let DataSplits { train, test } = splits;
    let names = match record.class_names.as_slice() {
        [] => (0..train.class_count()).map(|class| class.to_string()).collect(),
        names => names.to_vec(),
    };
    let of_classes = settings.class_weight.as_ref().map(|weights| weights.of(&train, &names)).transpose()?;
    let train = train.with_mean_weight_1(of_classes.as_deref())?;
    Ok(DataSplits { train, test: test.with_weights(None)? })
}
