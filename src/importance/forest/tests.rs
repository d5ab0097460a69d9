//! Compares the forest with hand-made tables and with a slow search over the values.

use rand::RngExt;

use super::split::{BootstrapSample, COUNT_FROM, Cut, CutFinder, real, squares};
use super::table::{BinnedTable, read_from};
use super::*;
use crate::threads::Threads;

const QUIET: &(dyn Fn(usize) + Sync) = &|_| {};

fn options(trees: usize) -> ForestOptions {
    ForestOptions { trees, seed: 1, max_rows: None }
}

fn importance(features: &[f32], feature_count: usize, labels: &[u32], trees: usize) -> Vec<f64> {
    let classes = labels.iter().max().map_or(1, |&label| label as usize + 1);
    gini_importance(features, feature_count, labels, classes, &options(trees), QUIET).unwrap()
}

/// Each row once, in the order of the rows.
fn every_row(labels: &[u32]) -> Vec<BootstrapSample> {
    (0..)
        .zip(labels)
        .map(|(row, &label)| BootstrapSample { row, class: narrow_class(label), weight: 1 })
        .collect()
}

pub(super) fn table(features: &[f32], feature_count: usize) -> BinnedTable {
    let rows: Vec<u32> = (0..u32::try_from(features.len() / feature_count).unwrap()).collect();
    BinnedTable::new(read_from(features, feature_count), feature_count, &rows)
}

fn totals(samples: &[BootstrapSample], classes: usize) -> Vec<u32> {
    let mut totals = vec![0; classes];
    samples.iter().for_each(|sample| totals[usize::from(sample.class)] += u32::from(sample.weight));
    totals
}

#[test]
fn the_gain_of_a_hand_made_table_is_exact() {
    // Weights 2, 1, 1, 2 at values 0, 1, 2, 3; classes 0, 0, 1, 1, and 0 at value 3 once more.
    let table = table(&[0.0, 1.0, 2.0, 3.0, 3.0], 1);
    let sample = |row, class, weight| BootstrapSample { row, class, weight };
    let samples = [sample(0, 0, 2), sample(1, 0, 1), sample(2, 1, 1), sample(3, 1, 2), sample(4, 0, 1)];
    let totals = totals(&samples, 2);
    assert_eq!(totals, [4, 3]);
    // Cuts after value 0: 2^2/2 + (2^2 + 3^2)/5; after 1: 3^2/3 + (1 + 3^2)/4; after 2: (3^2 + 1)/4 + (1 + 2^2)/3.
    let cut = CutFinder::new(2).best_cut(table.column(0), &samples, &totals).unwrap();
    assert_eq!(cut, Cut { last_left: 1, score: 3.0 + 2.5 });
    // Weighted Gini before 7 - 25/7, after 7 - 5.5.
    let decrease = grow_all(&table, &samples, 2);
    let first_split = 5.5 - 25.0 / 7.0;
    // Then the right side {1: weight 1 at 2, weight 2 at 3; 0: weight 1 at 3} is split after 2, once.
    let second_split = (1.0 + 5.0 / 3.0) - 10.0 / 4.0;
    let error = (decrease[0] - (first_split + second_split)).abs();
    assert!(error <= 1e-14, "{decrease:?}");
}

/// A tree that tries every feature at every node.
fn grow_all(table: &BinnedTable, samples: &[BootstrapSample], classes: usize) -> Vec<f64> {
    let mut rng = generator(0, Purpose::Tree(0));
    tree::grow(table, samples.to_vec(), classes, table.features(), &mut rng)
}

#[test]
fn the_one_informative_feature_gets_it_all() {
    // Features 0 and 2 are constant, feature 1 is the class.
    let features: Vec<f32> = (0..60_u8).flat_map(|k| [0.5, f32::from(k % 3), -1.0]).collect();
    let labels: Vec<u32> = (0..60).map(|k| k % 3).collect();
    assert_eq!(importance(&features, 3, &labels, 20), [0.0, 1.0, 0.0]);
}

#[test]
fn among_noise_the_informative_feature_leads() {
    let mut rng = generator(3, Purpose::FeatureOrder);
    let labels: Vec<u32> = (0..300).map(|k| k % 2).collect();
    let features: Vec<f32> = labels
        .iter()
        .flat_map(|&label| {
            let mut row: Vec<f32> = (0..9).map(|_| rng.random()).collect();
            row[4] += label as f32;
            row
        })
        .collect();
    let found = importance(&features, 9, &labels, 50);
    for (feature, score) in found.iter().enumerate() {
        assert!(feature == 4 || found[4] > 5.0 * score, "{found:?}");
        assert!(*score > 0.0, "noise splits small nodes: {found:?}");
    }
    assert!((found.iter().sum::<f64>() - 1.0).abs() <= 1e-12);
}

#[test]
fn duplicates_of_a_feature_share_its_importance() {
    let features: Vec<f32> = (0..80_u8).flat_map(|k| [f32::from(k / 20), f32::from(k / 20)]).collect();
    let labels: Vec<u32> = (0..80).map(|k| k / 20 % 2).collect();
    let found = importance(&features, 2, &labels, 400);
    assert!((found[0] + found[1] - 1.0).abs() <= 1e-12);
    // Which of the two is drawn is a fair coin at each of at least 400 nodes.
    assert!((found[0] - 0.5).abs() <= 0.1, "{found:?}");
}

#[test]
fn nothing_to_split_gives_zeros() {
    assert_eq!(importance(&[1.0, 2.0, 3.0, 4.0], 1, &[0; 4], 5), [0.0]);
    assert_eq!(importance(&[7.0; 8], 2, &[0, 1, 0, 1], 5), [0.0, 0.0]);
    assert_eq!(importance(&[1.0, 2.0], 2, &[0], 5), [0.0, 0.0]);
}

#[test]
fn two_samples_are_enough() {
    // A tree that draws one of the two twice finds nothing to split; among 50 trees some draw both.
    assert_eq!(importance(&[0.0, 5.0, 1.0, 5.0], 2, &[0, 1], 50), [1.0, 0.0]);
}

#[test]
fn features_whose_cuts_gain_nothing_are_split_all_the_same() {
    // Exclusive or: no first cut of a balanced node decreases anything, both second cuts do.
    let samples: Vec<BootstrapSample> = every_row(&[0, 1, 1, 0]);
    let decrease = grow_all(&table(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], 2), &samples, 2);
    assert!((decrease.iter().sum::<f64>() - 2.0).abs() <= 1e-14, "{decrease:?}");
}

#[test]
fn of_equal_cuts_the_lowest_is_taken() {
    // Symmetric: the cuts after 0 and after 2 have the same score.
    let samples = every_row(&[0, 1, 1, 0]);
    let table = table(&[0.0, 1.0, 2.0, 3.0], 1);
    let cut = CutFinder::new(2).best_cut(table.column(0), &samples, &[2, 2]).unwrap();
    assert_eq!(cut.last_left, 0);
}

/// A random table of few distinct values, with drawn labels and weights.
pub(super) fn random_table(
    seed: u64,
    rows: usize,
    features: usize,
    values: u32,
    classes: u32,
) -> (Vec<f32>, Vec<BootstrapSample>) {
    let mut rng = generator(seed, Purpose::FeatureOrder);
    let values = (0..rows * features).map(|_| rng.random_range(0..values) as f32 - 1.5).collect();
    let mut sample = |row| BootstrapSample {
        row,
        class: narrow_class(rng.random_range(0..classes)),
        weight: rng.random_range(1..4),
    };
    (values, (0..u32::try_from(rows).unwrap()).map(&mut sample).collect())
}

#[test]
fn counting_and_sorting_give_the_same_cut() {
    for seed in 0..40 {
        let rows = [2, 3, 17, 96, COUNT_FROM - 1][usize::try_from(seed).unwrap() % 5];
        for values in [1, 2, 5, 200] {
            let (features, samples) = random_table(seed, rows, 1, values, 4);
            let (table, totals) = (table(&features, 1), totals(&samples, 4));
            let mut finder = CutFinder::new(4);
            let sorted = finder.best_cut_counting_from(COUNT_FROM, table.column(0), &samples, &totals);
            let counted = finder.best_cut_counting_from(0, table.column(0), &samples, &totals);
            assert_eq!(sorted, counted, "{rows} rows of {values} values, seed {seed}");
            // Counting leaves the finder clean.
            let again = finder.best_cut_counting_from(0, table.column(0), &samples, &totals);
            assert_eq!(counted, again);
        }
    }
}

#[test]
fn the_cut_is_the_best_of_all_thresholds() {
    for seed in 0..20 {
        for rows in [5, 60, 400] {
            let (features, samples) = random_table(seed, rows, 1, 30, 3);
            let table = table(&features, 1);
            let cut = CutFinder::new(3).best_cut(table.column(0), &samples, &totals(&samples, 3)).unwrap();
            let before = real(squares(&totals(&samples, 3)));
            let weight: f64 = samples.iter().map(|sample| f64::from(sample.weight)).sum();
            let gain = cut.score - before / weight;
            let expected = slow_best_threshold(&features, 1, 0, &samples, 3).unwrap();
            assert!((gain - expected).abs() <= 1e-9, "{rows} rows, seed {seed}: {gain}, not {expected}");
        }
    }
}

/// Weighted Gini impurity from its definition: `W (1 - sum_k p_k^2)`.
pub(super) fn slow_impurity<'a>(samples: impl Iterator<Item = &'a BootstrapSample>, classes: usize) -> f64 {
    let mut weights = vec![0.0; classes];
    samples.for_each(|sample| weights[usize::from(sample.class)] += f64::from(sample.weight));
    let total: f64 = weights.iter().sum();
    if total == 0.0 { 0.0 } else { total * (1.0 - weights.iter().map(|w| (w / total).powi(2)).sum::<f64>()) }
}

/// The largest decrease in impurity by any threshold of a feature, by trying all of them.
pub(super) fn slow_best_threshold(
    features: &[f32],
    feature_count: usize,
    feature: usize,
    samples: &[BootstrapSample],
    classes: usize,
) -> Option<f64> {
    let value = |sample: &BootstrapSample| features[sample.row as usize * feature_count + feature];
    let decrease = |threshold: f32| {
        let (left, right): (Vec<BootstrapSample>, Vec<BootstrapSample>) =
            samples.iter().partition(|sample| value(sample) <= threshold);
        let after = slow_impurity(left.iter(), classes) + slow_impurity(right.iter(), classes);
        (!right.is_empty()).then(|| slow_impurity(samples.iter(), classes) - after)
    };
    samples.iter().map(value).filter_map(decrease).reduce(f64::max)
}

#[test]
fn real_values_beyond_256_are_binned_and_still_found() {
    let mut rng = generator(5, Purpose::FeatureOrder);
    let features: Vec<f32> = (0..2000 * 4).map(|_| rng.random::<f32>() * 2.0 - 1.0).collect();
    let labels: Vec<u32> = features.chunks(4).map(|row| u32::from(row[2] > 0.3)).collect();
    let found = importance(&features, 4, &labels, 30);
    assert!((0..4).all(|feature| feature == 2 || found[2] > 5.0 * found[feature]), "{found:?}");
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (features, samples) = random_table(8, 500, 12, 40, 3);
    let labels: Vec<u32> = samples.iter().map(|sample| u32::from(sample.class)).collect();
    let run = |threads| {
        let pool = Threads::new(Some(threads)).unwrap();
        // More trees than wait at a time.
        pool.install(|| importance(&features, 12, &labels, WAVE + 7))
    };
    let one = run(1);
    for threads in [2, 5] {
        assert!(one.iter().zip(run(threads)).all(|(a, b)| a.to_bits() == b.to_bits()), "{threads} threads");
    }
}

#[test]
fn seed_and_rows_determine_the_draw() {
    let (features, samples) = random_table(8, 200, 6, 40, 3);
    let labels: Vec<u32> = samples.iter().map(|sample| u32::from(sample.class)).collect();
    let grown = |trees, seed, max_rows| {
        let options = ForestOptions { trees, seed, max_rows };
        gini_importance(&features, 6, &labels, 3, &options, QUIET).unwrap()
    };
    // The second tree is another one.
    assert_ne!(grown(1, 1, None), grown(2, 1, None));
    let run = |seed, max_rows| grown(5, seed, max_rows);
    assert_eq!(run(1, None), run(1, Some(200)));
    assert_eq!(run(1, Some(50)), run(1, Some(50)));
    assert_ne!(run(1, None), run(1, Some(50)));
    assert_ne!(run(1, None), run(2, None));
    let rows = drawn_rows(200, &ForestOptions { trees: 1, seed: 4, max_rows: Some(50) });
    assert!(rows.len() == 50 && rows.is_sorted_by(|a, b| a < b) && rows[49] < 200);
}

#[test]
fn progress_counts_every_tree() {
    let seen = std::sync::Mutex::new(Vec::new());
    let tell = |done| seen.lock().unwrap().push(done);
    gini_importance(&[0.0, 1.0], 1, &[0, 1], 2, &options(70), &tell).unwrap();
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    assert_eq!(seen, (1..=70).collect::<Vec<_>>());
}

#[test]
fn impossible_forests_are_refused() {
    let refused = |features: &[f32], count, labels: &[u32], classes, options: ForestOptions, part: &str| {
        let error = gini_importance(features, count, labels, classes, &options, QUIET).unwrap_err();
        assert!(matches!(error, Error::Importance(_)));
        let message = error.to_string();
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    };
    let two = [0.0, 1.0];
    refused(&two, 1, &[0, 1], 2, options(0), "0 trees");
    refused(&[], 1, &[], 2, options(1), "0 samples");
    refused(&two, 0, &[0, 1], 2, options(1), "0 features");
    refused(&two, 1, &[0, 1], 0, options(1), "0 classes");
    refused(&two, 1, &[0, 1], 65_537, options(1), "65537 classes");
    refused(&two, 1, &[0, 1], 2, ForestOptions { max_rows: Some(0), ..options(1) }, "0 rows");
    refused(&two, 1, &[0, 1, 1], 2, options(1), "2 feature values do not fit 3 labels");
    refused(&two, 1, &[0, 2], 2, options(1), "sample 1 has label 2");
    refused(&[0.0, 1.0, f32::NAN, 2.0], 2, &[0, 1], 2, options(1), "feature 0 of sample 1 is NaN");
    refused(&[0.0, f32::INFINITY], 1, &[0, 1], 2, options(1), "feature 0 of sample 1 is inf");
}
