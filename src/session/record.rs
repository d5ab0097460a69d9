//! `config.json`: the settings of a run, and what follows from them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::facts::DataFacts;
use super::settings::{EdgeFiles, KernelChoice, Preset, RunSettings, Settings, TableRecord, as_in_files};
use crate::dataset::{Augmentation, Holdout};
use crate::engine::Backend;
use crate::importance::ImportanceSettings;
use crate::model::ArchitectureRecord;
use crate::training::{PatienceOn, Recipe, RunFolder, RunIdentity, absolute};

/// How many samples there are.
#[derive(Clone, Copy)]
pub(super) struct SampleCounts {
    /// To train on.
    pub(super) train: usize,
    /// To score on.
    pub(super) test: usize,
}

/// `config.json`.
#[derive(Serialize)]
pub(super) struct RunConfig<'a> {
    #[serde(flatten)]
    pub(super) run: RunRecord<'a>,
    pub(super) tanner_version: &'static str,
    pub(super) started_at: String,
    /// Absolute places of the files that the settings name.
    pub(super) absolute_paths: AbsolutePaths,
    /// What the run began with, compared before it is resumed.
    pub(super) digests: Digests,
    /// The command line that repeats the run.
    pub(super) command: Vec<String>,
    /// What was found in the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data_facts: Option<&'a DataFacts>,
    pub(super) backend: Backend,
    pub(super) adapter: &'a str,
    /// The kernels of a GPU engine; with the same kernels, a run has the same bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gpu_kernels: Option<&'a str>,
    /// The preset whose settings are among those below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) preset: Option<Preset>,
    /// The settings; everything above follows from them and the data.
    pub(super) settings: &'a Settings,
}

/// The absolute paths of a run's files.
#[derive(Serialize)]
pub(super) struct AbsolutePaths {
    pub(super) data: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<PathBuf>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) edges: Vec<PathBuf>,
}

impl AbsolutePaths {
    pub(super) fn of(settings: &RunSettings) -> Self {
        let full = |path: &Path| if settings.data.is_in_memory() { path.to_owned() } else { absolute(path) };
        let edges = settings.architecture.edges();
        Self {
            data: full(&settings.data.path),
            labels: settings.data.options.labels.as_deref().map(full),
            test: settings.data.test_file().map(full),
            from: settings.from.as_deref().map(full),
            edges: edges
                .map_or_else(Vec::new, |EdgeFiles(paths)| paths.iter().map(|path| absolute(path)).collect()),
        }
    }
}

/// As in the [`RunIdentity`] of checkpoints, which finished runs do not have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Digests {
    /// Of the model before its first step.
    pub(super) start: String,
    /// Of the samples that it trains and scores on.
    pub(super) data: String,
}

impl From<&RunIdentity> for Digests {
    fn from(identity: &RunIdentity) -> Self {
        Self { start: identity.start.clone(), data: identity.data.clone() }
    }
}

/// Adapter and kernels that the run in this folder had on a GPU, if its settings can be read.
pub(super) fn recorded_kernels(folder: &Path) -> Option<(String, KernelChoice)> {
    let config = RunFolder::config(folder)?;
    let kernels = config["gpu_kernels"].as_str()?.parse().ok()?;
    Some((config["adapter"].as_str()?.to_owned(), kernels))
}

/// The part of `config.json` that decides what a run computes, on any engine.
///
/// Unset values are written as `null`: two runs are the same only if nothing differs.
#[derive(Serialize)]
pub(super) struct RunRecord<'a> {
    data: &'a Path,
    /// How a table was read and encoded; `None` for pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<TableRecord>,
    /// Digests of training and test set, for runs of a batch.
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
    /// Digest of graphs that came from files.
    #[serde(skip_serializing_if = "Option::is_none")]
    edges_sha256: Option<String>,
    recipe: &'a Recipe,
    augmentation: Augmentation,
    patience: Option<usize>,
    /// `None` for the score.
    patience_on: Option<PatienceOn>,
}

impl<'a> RunRecord<'a> {
    pub(super) fn new(
        settings: &'a RunSettings,
        architecture: &'a ArchitectureRecord,
        samples: SampleCounts,
        data_sha256: Option<&'a str>,
    ) -> Self {
        Self {
            data: &settings.data.path,
            table: settings.data.format.is_some().then(|| TableRecord::from(&settings.data.options)),
            data_sha256,
            train_samples: samples.train,
            test_samples: samples.test,
            train_limit: settings.train_limit,
            validation: settings.validation,
            importance: &settings.importance,
            from: settings.from.as_deref(),
            architecture,
            edges_sha256: None,
            recipe: &settings.recipe,
            augmentation: settings.augmentation,
            patience: settings.patience,
            patience_on: Some(settings.patience_on).filter(|on| *on != PatienceOn::Score),
        }
    }

    /// With the digest of graphs that came from files.
    pub(super) fn with_edges(self, edges_sha256: Option<String>) -> Self {
        Self { edges_sha256, ..self }
    }

    /// The first setting that differs in a recorded run, such as `recipe.epochs`, regardless of the places of files: their
    /// content has digests.
    pub(super) fn difference_from(&self, config: &Value) -> serde_json::Result<Option<String>> {
        let mut expected = as_in_files(self)?;
        let has_test_file = self.table.as_ref().is_some_and(TableRecord::has_test_file);
        for (pointer, is_place) in
            [("/data", true), ("/from", true), ("/table/labels", true), ("/table/test", has_test_file)]
        {
            if let (Some(mine), Some(there)) = (expected.pointer_mut(pointer), config.pointer(pointer))
                && is_place
                && mine.is_string()
                && there.is_string()
            {
                *mine = there.clone();
            }
        }
        Ok(first_difference(&expected, &with_defaults(config.clone())?))
    }
}

/// Settings unknown to an older version get their default, which was in effect then.
fn with_defaults(mut config: Value) -> serde_json::Result<Value> {
    if let Ok(recipe) = Recipe::deserialize(&config["recipe"]) {
        config["recipe"] = as_in_files(&recipe)?;
    }
    if let Ok(architecture) = ArchitectureRecord::deserialize(&config["architecture"]) {
        config["architecture"] = as_in_files(&architecture)?;
    }
    Ok(config)
}

/// The first setting that differs between `expected` and `found`.
fn first_difference(expected: &Value, found: &Value) -> Option<String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => expected.iter().find_map(|(key, value)| {
            let below = first_difference(value, found.get(key).unwrap_or(&Value::Null))?;
            Some(if below.is_empty() { key.clone() } else { format!("{key}.{below}") })
        }),
        (expected, found) => (expected != found).then(String::new),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_named_and_extra_keys_are_ignored() {
        let expected = json!({"recipe": {"epochs": 3, "l2": 0.5}, "order": "desc"});
        assert_eq!(first_difference(&expected, &expected), None);
        let longer = json!({"recipe": {"epochs": 3, "l2": 0.5}, "order": "desc", "adapter": "x"});
        assert_eq!(first_difference(&expected, &longer), None);
        let other = json!({"recipe": {"epochs": 4, "l2": 0.5}, "order": "desc"});
        assert_eq!(first_difference(&expected, &other).unwrap(), "recipe.epochs");
        let without = json!({"recipe": {"epochs": 3, "l2": 0.5}});
        assert_eq!(first_difference(&expected, &without).unwrap(), "order");
    }

    #[test]
    fn settings_of_an_older_version_read_as_their_defaults() {
        let recipe = as_in_files(&Recipe::default()).unwrap();
        let mut older = recipe.clone();
        older.as_object_mut().unwrap().remove("label_smoothing").unwrap();
        let read = with_defaults(json!({"recipe": older, "order": "desc"})).unwrap();
        assert_eq!(read, json!({"recipe": recipe, "order": "desc"}));
    }
}
