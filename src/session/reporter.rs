//! The reporter of a session.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::model::TrainedModel;
use crate::training::{EpochMetrics, Metric, Observer, RunFolder, ScoredOn};

/// Receives the messages of a session. Texts name settings in backquotes.
pub trait Reporter: Sync {
    /// A line on what is happening.
    fn note(&self, text: &str) {
        let _ = text;
    }

    /// A warning.
    fn warn(&self, text: &str) {
        log::warn!("{text}");
    }

    /// Something failed while everything else continues; the label says what.
    #[doc(hidden)]
    fn failed(&self, label: &str, error: &Error) {
        log::error!("{label}{error}");
    }

    /// This many trees of a random forest are grown; `None` at its end.
    #[doc(hidden)]
    fn forest(&self, grown: Option<usize>, trees: usize) {
        let _ = (grown, trees);
    }

    /// An observer of a run that is about to begin.
    #[doc(hidden)]
    fn watch<'a>(&'a self, run: &RunPreview<'_>) -> Option<Box<dyn Observer + 'a>> {
        let _ = run;
        None
    }

    /// Pictures of a network that is about to be trained, each a PNG file with its name.
    #[doc(hidden)]
    fn pictures(&self, model: &TrainedModel) -> Vec<(&'static str, Vec<u8>)> {
        let _ = model;
        Vec::new()
    }

    /// A run has ended in any way, after at least one epoch; its summary is written next.
    #[doc(hidden)]
    fn run_ended(&self, run: &FinishedRun<'_>) {
        let _ = run;
    }
}

/// What is known of a run before its first step.
#[derive(Clone, Copy, Debug)]
pub struct RunPreview<'a> {
    /// Epochs in all.
    pub epochs: usize,
    /// Training samples.
    pub samples: usize,
    /// The metric of scores.
    pub metric: Metric,
    /// The samples it is scored on.
    pub scored_on: ScoredOn,
    /// Epochs before an interruption.
    pub history: &'a [EpochMetrics],
    /// Its folder, if it has one.
    pub folder: Option<&'a Path>,
    /// Whether it is part of a batch.
    pub is_one_of_many: bool,
}

/// A run that has ended.
#[derive(Clone, Copy, Debug)]
pub struct FinishedRun<'a> {
    /// Its folder.
    pub folder: &'a RunFolder,
    /// Its epochs.
    pub history: &'a [EpochMetrics],
    /// A short description.
    pub title: &'a str,
}

/// Says nothing; warnings go to the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Reporter for Silent {}

/// Passes on everything but notes and repeated warnings, for runs of a batch.
pub(super) struct OneOfMany<'a> {
    pub(super) reporter: &'a dyn Reporter,
    /// Warnings of the batch so far.
    pub(super) warned: &'a Mutex<BTreeSet<String>>,
    /// Whether it is a trial of a search: without warnings, and without a picture of its epochs.
    pub(super) is_trial: bool,
}

impl Reporter for OneOfMany<'_> {
    fn warn(&self, text: &str) {
        let is_new = self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned());
        if is_new && !self.is_trial {
            self.reporter.warn(text);
        }
    }

    fn failed(&self, label: &str, error: &Error) {
        self.reporter.failed(label, error);
    }

    fn forest(&self, grown: Option<usize>, trees: usize) {
        self.reporter.forest(grown, trees);
    }

    fn watch<'a>(&'a self, run: &RunPreview<'_>) -> Option<Box<dyn Observer + 'a>> {
        self.reporter.watch(run)
    }

    fn pictures(&self, model: &TrainedModel) -> Vec<(&'static str, Vec<u8>)> {
        self.reporter.pictures(model)
    }

    fn run_ended(&self, run: &FinishedRun<'_>) {
        if !self.is_trial {
            self.reporter.run_ended(run);
        }
    }
}
