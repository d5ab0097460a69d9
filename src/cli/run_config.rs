//! `config.json`: what a run was asked for.

use std::path::Path;

use serde::Serialize;
use tanner::dataset::{Augmentation, Holdout};
use tanner::engine::Backend;
use tanner::importance::ImportanceSettings;
use tanner::model::ArchitectureRecord;
use tanner::training::Recipe;

use super::settings::TrainSettings;

/// How many samples there are.
#[derive(Clone, Copy)]
pub(super) struct Samples {
    /// To train on.
    pub(super) train: usize,
    /// To score on.
    pub(super) test: usize,
}

/// `config.json`: every setting of a run, as it came out of flags and defaults.
#[derive(Serialize)]
pub(super) struct RunConfig<'a> {
    #[serde(flatten)]
    pub(super) run: RunRecord<'a>,
    pub(super) tanner_version: &'static str,
    pub(super) started_at: String,
    pub(super) command: Vec<String>,
    pub(super) backend: Backend,
    pub(super) adapter: &'a str,
}

/// The part of `config.json` that decides what a run computes, on any engine.
#[derive(Serialize)]
pub(super) struct RunRecord<'a> {
    data: &'a Path,
    train_samples: usize,
    test_samples: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    train_limit: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<Holdout>,
    #[serde(flatten)]
    importance: &'a ImportanceSettings,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a Path>,
    architecture: &'a ArchitectureRecord,
    recipe: &'a Recipe,
    #[serde(skip_serializing_if = "Augmentation::is_none")]
    augmentation: Augmentation,
}

impl<'a> RunRecord<'a> {
    pub(super) fn new(
        settings: &'a TrainSettings,
        architecture: &'a ArchitectureRecord,
        samples: Samples,
    ) -> Self {
        Self {
            data: &settings.data,
            train_samples: samples.train,
            test_samples: samples.test,
            train_limit: settings.train_limit,
            validation: settings.validation,
            importance: &settings.importance,
            from: settings.from.as_deref(),
            architecture,
            recipe: &settings.recipe,
            augmentation: settings.augmentation,
        }
    }
}
