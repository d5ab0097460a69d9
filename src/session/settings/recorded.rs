//! Settings of runs whose `config.json` has only resolved settings: versions up to 0.1.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::planar::{Grids, Numbers};
use super::task_choice::TaskChoice;
use super::values::{DegreeDistributions, Delimiter, Switch};
use super::{DataOptions, Settings, TestRows};
use crate::dataset::table::{ColumnRef, Decimal, Header, Impute};
use crate::dataset::{Augmentation, Holdout};
use crate::importance::{ImportanceSettings, NumberForm};
use crate::model::{Arch, ArchitectureRecord};
use crate::topology::Grid;
use crate::training::{PatienceOn, Recipe, Rewiring};

/// The keys of such a file from which settings follow.
#[derive(Deserialize)]
struct RecordedSettings {
    data: PathBuf,
    #[serde(default)]
    table: TableRecord,
    train_limit: Option<usize>,
    validation: Option<Holdout>,
    #[serde(flatten)]
    importance: ImportanceSettings,
    from: Option<PathBuf>,
    architecture: ArchitectureRecord,
    recipe: Recipe,
    #[serde(default)]
    augmentation: Augmentation,
    #[serde(default)]
    patience: Option<usize>,
    #[serde(default)]
    patience_on: Option<PatienceOn>,
}

/// How a table was read, as in files: keys with underscores, lists as lists.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TableRecord {
    label: Option<ColumnRef>,
    labels: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<ColumnRef>,
    header: Option<Header>,
    delimiter: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decimal: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<Vec<String>>,
    drop: Vec<ColumnRef>,
    max_categories: Option<usize>,
    impute: Option<Impute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<Grid>,
    test: Option<TestRows>,
}

impl From<&DataOptions> for TableRecord {
    fn from(options: &DataOptions) -> Self {
        Self {
            label: options.label.clone(),
            labels: options.labels.clone(),
            task: options.task,
            weights: options.weights.clone(),
            header: options.header,
            delimiter: options.delimiter.map(|Delimiter(one)| char::from(one)),
            decimal: options.decimal,
            missing: options.missing.clone(),
            drop: options.drop.clone().unwrap_or_default(),
            max_categories: options.max_categories,
            impute: options.impute,
            picture: options.picture,
            test: options.test.clone(),
        }
    }
}

impl TableRecord {
    /// Whether the test rows are in a separate file.
    pub(crate) fn has_test_file(&self) -> bool {
        matches!(self.test, Some(TestRows::File(_)))
    }

    fn options(self) -> Result<DataOptions, String> {
        Ok(DataOptions {
            data: None,
            label: self.label,
            labels: self.labels,
            task: self.task,
            weights: self.weights,
            header: self.header,
            delimiter: self.delimiter.map(|one| one.to_string().parse()).transpose()?,
            decimal: self.decimal,
            missing: self.missing,
            drop: Some(self.drop).filter(|drop| !drop.is_empty()),
            max_categories: self.max_categories,
            impute: self.impute,
            picture: self.picture,
            test: self.test,
        })
    }
}

/// The settings that repeat the run; defaults stay unset.
pub(super) fn settings(config: &Value) -> Result<Settings, String> {
    let recorded = RecordedSettings::deserialize(config)
        .map_err(|error| format!("not the config.json of a run: {error}"))?;
    let RecordedSettings { importance, architecture, recipe, augmentation, .. } = recorded;
    let mut settings = Settings { data: recorded.table.options()?, ..Settings::default() };
    settings.data.data = Some(recorded.data);
    settings.samples.train_limit = recorded.train_limit;
    settings.samples.validation = recorded.validation;
    settings.samples.from = recorded.from;
    settings.keeping.patience = recorded.patience;
    settings.keeping.patience_on = recorded.patience_on;
    set_training(&mut settings, &recipe, &architecture);
    settings.training.augment = Some(augmentation).filter(|augmentation| !augmentation.is_none());
    if settings.samples.from.is_some() {
        return Ok(settings);
    }
    let usual = ImportanceSettings::new(importance.importance);
    settings.importance.importance = Some(importance.importance);
    settings.importance.order = Some(importance.order);
    settings.importance.numbers = Some(importance.numbers).filter(|form| *form != NumberForm::Plain);
    settings.importance.bins = importance.bins;
    settings.importance.trees = Some(importance.trees).filter(|trees| *trees != usual.trees);
    settings.importance.standardize = (importance.standardize != usual.standardize)
        .then_some(if importance.standardize { Switch::On } else { Switch::Off });
    set_architecture(&mut settings, &architecture)?;
    Ok(settings)
}

fn set_training(settings: &mut Settings, recipe: &Recipe, architecture: &ArchitectureRecord) {
    let other = |value: f32, usual: f32| Some(value).filter(|value| *value != usual);
    let (training, kind) = (&mut settings.training, recipe.optimizer.kind());
    training.epochs = Some(recipe.epochs);
    training.batch_size = Some(recipe.batch_size);
    training.optimizer = Some(kind);
    training.lr = Some(recipe.learning_rate).filter(|rate| *rate != kind.usual_learning_rate());
    let options = recipe.optimizer.options();
    training.momentum = options.momentum;
    (training.adam_beta1, training.adam_beta2) = (options.beta1, options.beta2);
    training.adam_epsilon = options.epsilon;
    training.schedule = Some(recipe.schedule);
    let penalties = &recipe.penalties;
    training.l2 = other(penalties.l2, super::usual_l2(architecture.arch));
    training.l1 = other(penalties.l1, 0.0);
    training.l1_input = penalties.l1_input;
    training.l_half = other(penalties.l_half, 0.0);
    training.weight_elimination = other(penalties.weight_elimination, 0.0);
    training.group_lasso = other(penalties.group_lasso, 0.0);
    training.dropconnect = other(recipe.drop_connect, 0.0);
    training.label_smoothing = other(recipe.label_smoothing, 0.0);
    if let Some(rewiring) = recipe.rewire {
        let Rewiring { rule, fraction, every, end } = rewiring;
        training.rewire = Some(rule);
        training.rewire_fraction = Some(fraction);
        training.rewire_every = Some(every);
        training.rewire_end = Some(end);
    }
    training.seed = Some(recipe.seed);
    if settings.samples.from.is_none() {
        training.init = Some(recipe.initialisation.scheme);
        training.gain = other(recipe.initialisation.gain, architecture.activation.usual_gain());
    }
}

fn set_architecture(settings: &mut Settings, record: &ArchitectureRecord) -> Result<(), String> {
    let options = &mut settings.architecture;
    options.arch = Some(record.arch);
    options.hidden = (record.arch != Arch::Sc2d).then(|| record.hidden.clone().into());
    options.activation = Some(record.activation);
    options.dropout = Some(1.0 - record.keep_probability).filter(|dropout| *dropout > 0.0);
    let list = |list: &Vec<usize>| (!list.is_empty()).then(|| list.clone().into());
    options.blocks = list(&record.blocks);
    options.receptive_field = list(&record.receptive_fields);
    options.degrees = (!record.degrees.is_empty()).then(|| super::Lists(record.degrees.clone()));
    let distributions: Result<Vec<_>, _> =
        record.degree_distributions.iter().map(|text| text.parse()).collect();
    let distributions = distributions.map_err(|error: crate::Error| error.to_string())?;
    options.degree_distribution = (!distributions.is_empty()).then_some(DegreeDistributions(distributions));
    (options.budget, options.softness) = (record.budget, record.softness);
    options.grid = (!record.grids.is_empty()).then(|| Grids(record.grids.clone()));
    options.fan_in = (!record.fan_in.is_empty()).then(|| Numbers(record.fan_in.clone()));
    options.reach = (!record.reach.is_empty()).then(|| Numbers(record.reach.clone()));
    (options.falloff, options.grain) = (record.falloff, record.grain);
    options.importance_power = record.importance_power;
    Ok(())
}
