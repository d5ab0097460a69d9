//! One tree, grown depth first on a bootstrap sample; only its importances are kept.

use std::ops::Range;

use rand::{Rng, RngExt};

use super::scale_to_one;
use super::split::{BootstrapSample, Cut, CutFinder, real, squares};
use super::table::BinnedTable;
use super::variance::{Numbers, Variance};

/// Decrease in Gini impurity by each feature, `[feature]`, with the sum 1, or all 0 for a tree of one leaf.
///
/// `class_of` is `[row]`.
pub(super) fn gini_decrease(
    table: &BinnedTable,
    class_of: &[u16],
    classes: usize,
    mut rng: impl Rng,
) -> Vec<f64> {
    let samples = bootstrap(class_of, &mut rng);
    let mut decrease = grow(table, samples, classes, features_at_a_node(table.features()), &mut rng);
    scale_to_one(&mut decrease);
    decrease
}

/// As [`gini_decrease`], the decrease in the variance of numbers, summed over the targets.
pub(super) fn variance_decrease(table: &BinnedTable, numbers: &Numbers, mut rng: impl Rng) -> Vec<f64> {
    let samples = bootstrap(&vec![0; numbers.rows()], &mut rng);
    let tried = features_at_a_node(table.features());
    let mut decrease = Tree::with(table, samples, Variance::new(numbers), tried).grow(&mut rng);
    scale_to_one(&mut decrease);
    decrease
}

/// A bootstrap sample: as many draws with replacement as rows; each row once, with its count.
fn bootstrap(class_of: &[u16], rng: &mut impl Rng) -> Vec<BootstrapSample> {
    let rows = u32::try_from(class_of.len()).expect("checked: the number of samples fits u32");
    let mut weights = vec![0_u16; class_of.len()];
    for _ in 0..rows {
        let weight = &mut weights[rng.random_range(0..rows) as usize];
        *weight = weight.saturating_add(1);
    }
    let samples = (0..rows).zip(class_of).zip(weights);
    let drawn = samples.filter(|(_, weight)| *weight > 0);
    drawn.map(|((row, &class), weight)| BootstrapSample { row, class, weight }).collect()
}

/// `floor(sqrt(features))`.
fn features_at_a_node(features: usize) -> usize {
    features.isqrt()
}

/// Weighted decreases of the impurity, not yet scaled: `[feature]`.
///
/// `tried` is the number of features drawn at each node.
pub(super) fn grow(
    table: &BinnedTable,
    samples: Vec<BootstrapSample>,
    classes: usize,
    tried: usize,
    rng: &mut impl Rng,
) -> Vec<f64> {
    Tree::new(table, samples, classes, tried).grow(rng)
}

/// What the samples of a node should have in common.
pub(super) trait Criterion {
    /// Sums up the samples of a node and returns its score, of which a cut's is an improvement; `None` if it is pure.
    fn open(&mut self, samples: &[BootstrapSample]) -> Option<f64>;

    /// The best cut of the node that was opened last by a feature `[row]`, the lowest of equals; `None` when the feature is
    /// constant.
    fn best_cut(&mut self, column: &[u8], samples: &[BootstrapSample]) -> Option<Cut>;
}

/// The Gini impurity of classes.
struct Gini {
    finder: CutFinder,
    /// `[class]`, weights in the node.
    totals: Vec<u32>,
}

impl Criterion for Gini {
    fn open(&mut self, samples: &[BootstrapSample]) -> Option<f64> {
        self.totals.fill(0);
        for sample in samples {
            self.totals[usize::from(sample.class)] += u32::from(sample.weight);
        }
        if self.totals.iter().filter(|weight| **weight > 0).count() < 2 {
            return None;
        }
        let weight: u64 = self.totals.iter().map(|&weight| u64::from(weight)).sum();
        Some(real(squares(&self.totals)) / real(weight))
    }

    fn best_cut(&mut self, column: &[u8], samples: &[BootstrapSample]) -> Option<Cut> {
        self.finder.best_cut(column, samples, &self.totals)
    }
}

/// A node's best cut over the features drawn there.
#[derive(Clone, Copy, Debug)]
struct Split {
    feature: usize,
    last_left: u8,
    /// Decrease of the impurity times the weight of the node.
    decrease: f64,
}

/// The working memory of a growing tree.
struct Tree<'a, C> {
    table: &'a BinnedTable,
    /// A node is a range of these; each split reorders its range.
    samples: Vec<BootstrapSample>,
    aside: Vec<BootstrapSample>,
    /// All features, reordered by draws.
    pool: Vec<u32>,
    criterion: C,
    tried: usize,
}

impl<'a> Tree<'a, Gini> {
    fn new(table: &'a BinnedTable, samples: Vec<BootstrapSample>, classes: usize, tried: usize) -> Self {
        let criterion = Gini { finder: CutFinder::new(classes), totals: vec![0; classes] };
        Self::with(table, samples, criterion, tried)
    }
}

impl<'a, C: Criterion> Tree<'a, C> {
    fn with(table: &'a BinnedTable, samples: Vec<BootstrapSample>, criterion: C, tried: usize) -> Self {
        let features = u32::try_from(table.features()).expect("checked: the number of features fits u32");
        Self {
            table,
            aside: Vec::with_capacity(samples.len()),
            samples,
            pool: (0..features).collect(),
            criterion,
            tried,
        }
    }

    /// Weighted decreases of the impurity, not yet scaled: `[feature]`.
    fn grow(mut self, rng: &mut impl Rng) -> Vec<f64> {
        let mut decrease = vec![0.0; self.table.features()];
        let root = 0..self.samples.len();
        let mut open = vec![root];
        while let Some(node) = open.pop() {
            if let Some(split) = self.best_split(&node, rng) {
                decrease[split.feature] += split.decrease;
                let middle = self.partition(&node, &split);
                open.push(middle..node.end);
                open.push(node.start..middle);
            }
        }
        decrease
    }

    /// The best split of a node; `None` for a leaf: it is pure, or its samples are all alike.
    ///
    /// Features are drawn without replacement. A feature that is constant in the
    /// node counts as tried, but drawing continues until one was not.
    fn best_split(&mut self, node: &Range<usize>, rng: &mut impl Rng) -> Option<Split> {
        let samples = &self.samples[node.clone()];
        let before = self.criterion.open(samples)?;
        let features = u32::try_from(self.pool.len()).expect("the pool holds u32");
        let mut best: Option<(usize, Cut)> = None;
        for drawn in 0..features {
            if drawn as usize >= self.tried && best.is_some() {
                break;
            }
            self.pool.swap(drawn as usize, rng.random_range(drawn..features) as usize);
            let feature = self.pool[drawn as usize] as usize;
            let cut = self.criterion.best_cut(self.table.column(feature), samples);
            best = match (best, cut) {
                (Some((_, best_cut)), Some(cut)) if cut.score <= best_cut.score => best,
                (_, Some(cut)) => Some((feature, cut)),
                (_, None) => best,
            };
        }
        // Rounding may leave a decrease of nothing a little below 0.
        best.map(|(feature, cut)| Split {
            feature,
            last_left: cut.last_left,
            decrease: (cut.score - before).max(0.0),
        })
    }

    /// Moves a node's left samples before its right ones, stably; returns the first right one.
    fn partition(&mut self, node: &Range<usize>, split: &Split) -> usize {
        let column = self.table.column(split.feature);
        self.aside.clear();
        let mut middle = node.start;
        for index in node.clone() {
            let sample = self.samples[index];
            if column[sample.row as usize] <= split.last_left {
                self.samples[middle] = sample;
                middle += 1;
            } else {
                self.aside.push(sample);
            }
        }
        self.samples[middle..node.end].copy_from_slice(&self.aside);
        middle
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{random_table, slow_best_threshold, slow_impurity, table};
    use super::*;
    use crate::random::{Purpose, generator};

    /// Grows complete trees that try all features, and checks every node by brute force.
    #[test]
    fn every_node_is_split_where_impurity_falls_most() {
        for (seed, values) in [(0, 3), (1, 12), (2, 250), (3, 250)] {
            let (features, samples) = random_table(seed, 300, 5, values, 4);
            let table = table(&features, 5);
            let mut rng = generator(seed, Purpose::Tree(0));
            let mut tree = Tree::new(&table, samples, 4, 5);
            let root = 0..tree.samples.len();
            let mut open = vec![root];
            while let Some(node) = open.pop() {
                let before = tree.samples[node.clone()].to_vec();
                let slow = |feature| slow_best_threshold(&features, 5, feature, &before, 4);
                let best = (0..5).filter_map(slow).reduce(f64::max);
                let impurity = slow_impurity(before.iter(), 4);
                let Some(split) = tree.best_split(&node, &mut rng) else {
                    assert!(impurity == 0.0 || best.is_none(), "{node:?} could be split");
                    continue;
                };
                let error = (split.decrease - best.unwrap()).abs();
                assert!(error <= 1e-9, "{node:?}: {split:?}, not {best:?}");
                let middle = tree.partition(&node, &split);
                let (left, right) = (&tree.samples[node.start..middle], &tree.samples[middle..node.end]);
                let after = slow_impurity(left.iter(), 4) + slow_impurity(right.iter(), 4);
                let error = (impurity - after - split.decrease).abs();
                assert!(error <= 1e-9, "{node:?}: from {impurity} to {after} by {split:?}");
                let rows = |samples: &[BootstrapSample]| samples.iter().map(|s| s.row).collect::<Vec<_>>();
                assert!(left.is_sorted_by_key(|s| s.row) && right.is_sorted_by_key(|s| s.row));
                let mut all = [rows(left), rows(right)].concat();
                all.sort_unstable();
                assert_eq!(all, rows(&before));
                open.extend([node.start..middle, middle..node.end]);
            }
        }
    }

    #[test]
    fn a_bootstrap_sample_draws_as_often_as_there_are_rows() {
        let classes: Vec<u16> = (0..1000).map(|row| row % 7).collect();
        let samples = bootstrap(&classes, &mut generator(0, Purpose::Tree(0)));
        assert_eq!(samples.iter().map(|sample| u32::from(sample.weight)).sum::<u32>(), 1000);
        assert!(samples.iter().all(|sample| u32::from(sample.class) == sample.row % 7));
        // 1 - 1/e of the rows are in it, with a deviation of 0.010 or so.
        let share = samples.len() as f64 / 1000.0;
        assert!((share - 0.632).abs() <= 0.05, "{share}");
    }
}
