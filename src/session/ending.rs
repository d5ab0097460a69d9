//! Ends a run, whether completed, stopped or failed.

use super::Session;
use super::job::TrainedRun;
use super::places::importance_name;
use super::reporter::FinishedRun;
use super::settings::RunSettings;
use super::verdict::OneAnswer;
use crate::dataset::Dataset;
use crate::text::epochs;
use crate::training::{Ending, PatienceOn, Recorder, Trained};
use crate::{Error, Result};

impl Session<'_> {
    /// Writes the remaining files, and judges the network by the samples that it is scored on, or by one answer for all of the
    /// training samples.
    pub(super) fn finish(
        &self,
        settings: &RunSettings,
        mut recorder: Recorder,
        trained: Result<Trained>,
        (test, alone): (Option<&Dataset>, Option<OneAnswer>),
    ) -> Result<TrainedRun> {
        let folder = recorder.folder().map(|folder| folder.path().to_owned());
        let done = trained.and_then(|trained| {
            recorder.write_all()?;
            let stopped = matches!(trained.ending, Ending::Stopped { .. });
            if !stopped {
                self.draw(settings, &recorder);
            }
            let summary = if stopped { None } else { Some(recorder.finish(trained.ending)?) };
            Ok((trained.ending, summary))
        });
        let (ending, summary) = done.map_err(|source| self.failed(settings, &mut recorder, source))?;
        if ending == Ending::OutOfPatience {
            let what = match settings.patience_on {
                PatienceOn::Score => {
                    format!("better {} {}", settings.scored_on(), recorder.model().scoring().metric.title())
                }
                PatienceOn::Loss => format!("lower {} loss", settings.scored_on()),
            };
            let place = if folder.is_some() { ", the best model is in best.safetensors" } else { "" };
            let patience = epochs(settings.patience.unwrap_or_default());
            self.note(format!("stopped early: no {what} in {patience}{place}"));
        }
        let mut tip = None;
        if summary.is_some() {
            self.warn_of_unmoved_edges(settings, recorder.history());
            tip = test.and_then(|test| self.warn_of_verdict(settings, &recorder, test));
            alone.into_iter().for_each(|one| self.warn_of_training(settings, &recorder, one));
        }
        if let Some(there) = recorder.other_best().filter(|_| summary.is_some()) {
            self.warn(format!(
                "best.safetensors has the model of epoch {there}, which is no longer the best"
            ));
        }
        if let Some(folder) = folder.as_ref().filter(|_| summary.is_some())
            && !folder.join("best.safetensors").exists()
        {
            self.warn("best.safetensors is missing, and no epoch since was better");
        }
        let best = recorder.earlier_best()?;
        let (model, history) = recorder.into_parts();
        Ok(TrainedRun {
            model,
            best,
            history,
            ending,
            summary,
            epochs_planned: settings.recipe.epochs,
            folder,
            tip,
        })
    }

    /// Saves what there is of a failed run, and records which epoch's model that is.
    fn failed(&self, settings: &RunSettings, recorder: &mut Recorder, source: Error) -> Error {
        // The cause of the failure may prevent writing, too: only existing files count.
        let _ = recorder.write_all();
        self.draw(settings, recorder);
        let folder = recorder.folder().map(|folder| folder.path().to_owned());
        let ended = recorder.history().len();
        let epochs = if folder.is_some() { recorder.epoch_in_folder().unwrap_or(0) } else { ended };
        Error::Training { folder, epochs, source: Box::new(source) }
    }

    /// Draws the learning curve, if there is one and a folder for it.
    fn draw(&self, settings: &RunSettings, recorder: &Recorder) {
        let Some(folder) = recorder.folder().filter(|folder| folder.path().is_dir()) else { return };
        if recorder.history().is_empty() {
            return;
        }
        let (importance, seed) = (importance_name(settings, " "), settings.recipe.seed);
        let title = format!("{}, importance {importance}, seed {seed}", settings.architecture.arch);
        self.reporter.run_ended(&FinishedRun { folder, history: recorder.history(), title: &title });
    }
}
