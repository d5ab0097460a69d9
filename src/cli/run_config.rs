//! `config.json`: what a run was asked for.

use std::path::Path;

use serde::Serialize;
use tanner::dataset::{Augmentation, Holdout};
use tanner::engine::Backend;
use tanner::engine::gpu::Tuning;
use tanner::importance::ImportanceSettings;
use tanner::model::ArchitectureRecord;
use tanner::training::{Recipe, RunFolder};

use super::data_args::TableArgs;
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
    /// What a GPU engine was made with; given again by `--gpu-kernels`, it gives the same bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gpu_kernels: Option<String>,
}

/// Adapter and kernels that the run in this folder had on a GPU, if its settings can be read.
pub(super) fn recorded_kernels(folder: &Path) -> Option<(String, Tuning)> {
    let config = RunFolder::config(folder)?;
    let tuning = config["gpu_kernels"].as_str()?.parse().ok()?;
    Some((config["adapter"].as_str()?.to_owned(), tuning))
}

/// The part of `config.json` that decides what a run computes, on any engine.
///
/// What was not asked for is written, too, as `null`: two runs are the same only
/// where nothing differs.
#[derive(Serialize)]
pub(super) struct RunRecord<'a> {
    data: &'a Path,
    /// How a table was read and encoded; none for pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<&'a TableArgs>,
    /// Digests of training and test set, where runs are compared with each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_sha256: Option<&'a str>,
    train_samples: usize,
    test_samples: usize,
    train_limit: Option<usize>,
    validation: Option<Holdout>,
    #[serde(flatten)]
    importance: &'a ImportanceSettings,
    from: Option<&'a Path>,
    architecture: &'a ArchitectureRecord,
    recipe: &'a Recipe,
    augmentation: Augmentation,
    patience: Option<usize>,
}

impl<'a> RunRecord<'a> {
    pub(super) fn new(
        settings: &'a TrainSettings,
        architecture: &'a ArchitectureRecord,
        samples: Samples,
        data_sha256: Option<&'a str>,
    ) -> Self {
        Self {
            data: &settings.data.path,
            table: settings.data.format.is_some().then_some(&settings.data.table),
            data_sha256,
            train_samples: samples.train,
            test_samples: samples.test,
            train_limit: settings.train_limit,
            validation: settings.validation,
            importance: &settings.importance,
            from: settings.from.as_deref(),
            architecture,
            recipe: &settings.recipe,
            augmentation: settings.augmentation,
            patience: settings.patience,
        }
    }
}
