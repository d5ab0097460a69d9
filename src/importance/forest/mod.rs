//! A random forest, grown for one purpose: how much each feature decreases the Gini impurity.
//!
//! The importances are those of scikit-learn's `RandomForestClassifier` with its
//! default settings: bootstrap samples, `floor(sqrt(features))` features drawn at
//! each node, trees grown until their leaves are pure or cannot be split; the
//! decreases of each tree are scaled to a sum of 1, averaged over the trees and
//! scaled to a sum of 1 again (Breiman, Random Forests, 2001; Louppe,
//! Understanding Random Forests, 2014, chapter 6). No tree is kept.
//!
//! | file | |
//! |---|---|
//! | `table` | the features as one byte each, column by column: exact up to 256 distinct values |
//! | `tree` | grows one tree on one bootstrap sample |
//! | `split` | the best cut of one feature at one node, for classes |
//! | `variance` | the same for numbers, whose variance replaces the Gini impurity, summed over several targets |
//!
//! Each tree draws from a separate stream, and the trees' importances are added
//! in the order of the trees, so the result does not depend on the number of threads.

mod split;
mod table;
mod tree;
mod variance;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use self::table::{BinnedTable, read_from};
use self::variance::Numbers;
use crate::dataset::{Samples, Targets};
use crate::random::{Purpose, generator};
use crate::{Error, Result, threads};

/// Trees whose importances wait to be added; results do not depend on it.
const WAVE: usize = 64;

/// How a forest is grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForestOptions {
    /// Number of trees, at least 1. Rankings converge slowly: 500 is a good number.
    pub trees: usize,
    /// Seed of the bootstrap samples and of the features drawn at the nodes.
    pub seed: u64,
    /// Maximum number of rows to grow on, drawn without replacement; `None` for all.
    pub max_rows: Option<usize>,
}

impl ForestOptions {
    /// The default of `--trees`.
    pub const DEFAULT_TREES: usize = 500;
}

/// Mean decrease in Gini impurity of each feature: `[feature]`, not negative, with the sum 1.
///
/// `features` is `[sample][feature]`, row-major, with one label below `classes`
/// for each sample. A feature of at most 256 distinct values is used exactly,
/// another one in 256 bins that hold about as many samples each. All
/// importances are 0 if no tree found anything to split, as with one class.
///
/// `progress` receives, on any thread, the number of finished trees.
///
/// # Errors
/// [`Error::Importance`] for 0 trees, samples, features, classes or rows, for more
/// than 65,536 classes, when the lengths do not fit each other, for a label that is
/// not below `classes` and for a feature that is not a finite number.
pub fn gini_importance(
    features: &[f32],
    feature_count: usize,
    labels: &[u32],
    classes: usize,
    options: &ForestOptions,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Vec<f64>> {
    check_options(labels.len(), feature_count, classes, options)?;
    check_table(features, feature_count, labels, classes)?;
    check_memory(labels.len(), feature_count, options)?;
    let read = read_from(features, feature_count);
    Ok(threads::run(|| grow_forest(read, feature_count, labels, classes, options, progress)))
}

/// As [`gini_importance`], or of numbers the decrease in their variance, of samples that are read a part at a time: in addition to them,
/// a forest holds one byte for each value, and never all values as f32.
///
/// # Errors
/// [`Error::Importance`] for 0 trees or rows, and for more than 65,536 classes.
pub fn gini_importance_of(
    samples: &impl Samples,
    options: &ForestOptions,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Vec<f64>> {
    let (feature_count, targets) = (samples.feature_count(), samples.targets());
    check_options(samples.samples(), feature_count, targets.outputs(), options)?;
    check_memory(samples.samples(), feature_count, options)?;
    let read = |sample: usize, first: usize, out: &mut [f32]| samples.read(sample, first, out);
    Ok(threads::run(|| match targets {
        Targets::Classes { labels, count } => {
            grow_forest(read, feature_count, labels, *count, options, progress)
        }
        Targets::Numbers { .. } => {
            let rows = drawn_rows(samples.samples(), options);
            let numbers = Numbers::new(targets, &rows);
            let table = BinnedTable::new(read, feature_count, &rows);
            let grow = |rng| tree::variance_decrease(&table, &numbers, rng);
            grow_trees(grow, feature_count, options, progress)
        }
    }))
}

/// Grows all trees on the threads of the caller's pool; everything was validated, and `read` is that of [`BinnedTable::new`].
fn grow_forest(
    read: impl Fn(usize, usize, &mut [f32]) + Sync,
    feature_count: usize,
    labels: &[u32],
    classes: usize,
    options: &ForestOptions,
    progress: &(dyn Fn(usize) + Sync),
) -> Vec<f64> {
    let rows = drawn_rows(labels.len(), options);
    let table = BinnedTable::new(read, feature_count, &rows);
    let classes_of: Vec<u16> = rows.iter().map(|&row| narrow_class(labels[row as usize])).collect();
    let grow = |rng| tree::gini_decrease(&table, &classes_of, classes, rng);
    grow_trees(grow, feature_count, options, progress)
}

/// Adds the importances of all trees, in their order.
fn grow_trees(
    one: impl Fn(ChaCha8Rng) -> Vec<f64> + Sync,
    feature_count: usize,
    options: &ForestOptions,
    progress: &(dyn Fn(usize) + Sync),
) -> Vec<f64> {
    let done = AtomicUsize::new(0);
    let grow = |tree: usize| {
        let purpose = Purpose::Tree(u32::try_from(tree).unwrap_or(u32::MAX));
        let decrease = one(generator(options.seed, purpose));
        progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        decrease
    };
    let mut sums = vec![0.0; feature_count];
    for start in (0..options.trees).step_by(WAVE) {
        let wave: Vec<Vec<f64>> =
            (start..options.trees.min(start + WAVE)).into_par_iter().map(grow).collect();
        for decrease in &wave {
            sums.iter_mut().zip(decrease).for_each(|(sum, value)| *sum += value);
        }
    }
    scale_to_one(&mut sums);
    sums
}

/// Scales so that the sum is 1, unless it is 0.
fn scale_to_one(values: &mut [f64]) {
    let sum: f64 = values.iter().sum();
    if sum > 0.0 {
        values.iter_mut().for_each(|value| *value /= sum);
    }
}

/// The rows of the forest, in order.
fn drawn_rows(rows: usize, options: &ForestOptions) -> Vec<u32> {
    let index = |row| u32::try_from(row).expect("checked: the number of samples fits u32");
    match options.max_rows {
        Some(limit) if limit < rows => {
            let mut rng = generator(options.seed, Purpose::ForestRows);
            let mut drawn: Vec<u32> =
                rand::seq::index::sample(&mut rng, rows, limit).into_iter().map(index).collect();
            drawn.sort_unstable();
            drawn
        }
        _ => (0..rows).map(index).collect(),
    }
}

fn narrow_class(label: u32) -> u16 {
    u16::try_from(label).expect("checked: classes fit u16")
}

fn refuse(reason: &str) -> Result<()> {
    Err(Error::Importance(format!("random forest: {reason}")))
}

/// Refuses numbers that are out of range.
fn check_options(samples: usize, features: usize, classes: usize, options: &ForestOptions) -> Result<()> {
    let limits = [
        ("trees", options.trees, u32::MAX as usize),
        ("samples", samples, u32::MAX as usize),
        ("features", features, u32::MAX as usize),
        ("classes", classes, 1 << 16),
        ("rows", options.max_rows.unwrap_or(1), usize::MAX),
    ];
    match limits.iter().find(|(_, given, limit)| !(1..=*limit).contains(given)) {
        Some((what, given, limit)) => {
            refuse(&format!("{given} {what} are impossible, it must be 1 to {limit}"))
        }
        None => Ok(()),
    }
}

/// Refuses tables that do not fit the memory: a byte per value, and for each thread the rows of a tree and columns to sort.
fn check_memory(samples: usize, features: usize, options: &ForestOptions) -> Result<()> {
    let rows = options.max_rows.map_or(samples, |limit| limit.min(samples)) as f64;
    let threads = threads::run(rayon::current_num_threads) as f64;
    crate::host::require("the random forest", rows * (features as f64 + 100.0 * threads))
}

/// Refuses values and labels that contradict each other.
fn check_table(features: &[f32], feature_count: usize, labels: &[u32], classes: usize) -> Result<()> {
    if labels.len().checked_mul(feature_count) != Some(features.len()) {
        return refuse(&format!(
            "{} feature values do not fit {} labels with {feature_count} features each",
            features.len(),
            labels.len()
        ));
    }
    if let Some(sample) = labels.iter().position(|&label| label as usize >= classes) {
        let label = labels[sample];
        return refuse(&format!("sample {sample} has label {label}, it must be below {classes}"));
    }
    if let Some(index) = threads::run(|| features.par_iter().position_first(|value| !value.is_finite())) {
        let (sample, feature, value) = (index / feature_count, index % feature_count, features[index]);
        return refuse(&format!(
            "feature {feature} of sample {sample} is {value}, it must be a finite number"
        ));
    }
    Ok(())
}
