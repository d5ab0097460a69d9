//! Whether a finished run is the one that is asked for.

use std::path::Path;

use anyhow::bail;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tanner::dataset::DataSplits;
use tanner::model::ArchitectureRecord;
use tanner::training::Recipe;

use super::run_config::{RunRecord, Samples};
use super::settings::TrainSettings;

/// What runs are compared by: all of the data but themselves.
#[derive(Clone, Debug)]
pub(super) struct DataShape {
    train_samples: usize,
    test_samples: usize,
    features: usize,
    classes: usize,
    /// Of training and test set.
    pub(super) digest: String,
}

impl DataShape {
    pub(super) fn of(DataSplits { train, test }: &DataSplits) -> Self {
        Self {
            train_samples: train.samples(),
            test_samples: test.samples(),
            features: train.feature_count(),
            classes: train.class_count(),
            digest: format!("{}-{}", train.digest(), test.digest()),
        }
    }
}

/// Refuses a finished run that had other settings or other data.
///
/// # Errors
/// Names the folder and the first setting that differs.
pub(super) fn check_same(
    settings: &TrainSettings,
    data: &DataShape,
    folder: &Path,
    config: &Value,
) -> anyhow::Result<()> {
    let limited = settings.train_limit.unwrap_or(usize::MAX).min(data.train_samples);
    let held_out = settings.validation.map(|holdout| holdout.count_of(limited)).transpose()?;
    let samples =
        Samples { train: limited - held_out.unwrap_or(0), test: held_out.unwrap_or(data.test_samples) };
    let architecture = settings.architecture.fit_to(data.features, data.classes)?;
    let record = ArchitectureRecord::new(&architecture, settings.recipe.seed);
    let expected = as_in_files(&RunRecord::new(settings, &record, samples, Some(&data.digest)))?;
    if let Some(key) = first_difference(&expected, &read_anew(config.clone())?) {
        bail!(
            "{} holds a finished run with another {key}: name another --out, or remove that folder",
            folder.display()
        );
    }
    Ok(())
}

/// A value as a file has it: by way of text, float32 numbers look different.
pub(super) fn as_in_files(value: &impl Serialize) -> serde_json::Result<Value> {
    serde_json::from_str(&serde_json::to_string(value)?)
}

/// Settings that an older version did not know get the value that they had then: their default.
pub(super) fn read_anew(mut config: Value) -> serde_json::Result<Value> {
    if let Ok(recipe) = Recipe::deserialize(&config["recipe"]) {
        config["recipe"] = as_in_files(&recipe)?;
    }
    if let Ok(architecture) = ArchitectureRecord::deserialize(&config["architecture"]) {
        config["architecture"] = as_in_files(&architecture)?;
    }
    Ok(config)
}

/// The first setting of `expected` that `found` has otherwise, as `recipe.epochs`.
pub(super) fn first_difference(expected: &Value, found: &Value) -> Option<String> {
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
    fn the_first_difference_is_named_and_what_is_only_found_is_ignored() {
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
        let read = read_anew(json!({"recipe": older, "order": "desc"})).unwrap();
        assert_eq!(read, json!({"recipe": recipe, "order": "desc"}));
    }
}
