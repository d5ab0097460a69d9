//! The best cut for numbers: where their variance falls most.
//!
//! Among the cuts of a node it is where `sum_t (L_t^2 / L + R_t^2 / R)` is largest, L_t and R_t being the weighted sums of
//! target t on both sides and L and R the weights (scikit-learn's proxy for the mean squared error). For a target of 0 and 1
//! the variance is half the Gini impurity.

use super::split::{BootstrapSample, COUNT_FROM, Cut, better};
use super::table::BINS;
use super::tree::Criterion;
use crate::dataset::{Targets, Task};

/// The numbers that a forest is grown on.
pub(super) struct Numbers {
    /// `[row][target]`, with the mean 0; of regression also the variance 1, so that several targets count alike.
    values: Vec<f64>,
    targets: usize,
}

impl Numbers {
    /// Takes the values of these rows.
    pub(super) fn new(targets: &Targets, rows: &[u32]) -> Self {
        let count = targets.outputs();
        let mut values = Vec::with_capacity(rows.len() * count);
        for row in rows {
            values.extend(targets.values()[*row as usize * count..][..count].iter().map(|v| f64::from(*v)));
        }
        for target in 0..count {
            let samples = rows.len() as f64;
            let of = |values: &[f64]| values.iter().skip(target).step_by(count).copied().collect::<Vec<_>>();
            let mean = of(&values).iter().sum::<f64>() / samples;
            let variance = of(&values).iter().map(|value| (value - mean).powi(2)).sum::<f64>() / samples;
            let is_scaled = targets.task() == Task::Regression && variance > 0.0;
            let divisor = if is_scaled { variance.sqrt() } else { 1.0 };
            values
                .iter_mut()
                .skip(target)
                .step_by(count)
                .for_each(|value| *value = (*value - mean) / divisor);
        }
        Self { values, targets: count }
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.values.len() / self.targets
    }

    fn of(&self, row: u32) -> &[f64] {
        &self.values[row as usize * self.targets..][..self.targets]
    }
}

/// The variance of numbers as the impurity of nodes; holds the working memory.
pub(super) struct Variance<'a> {
    numbers: &'a Numbers,
    /// `[target]`, weighted sums in the node.
    totals: Vec<f64>,
    weight: f64,
    /// `[bin][target]`, weighted sums, then `[bin]`, weights; all 0 between two calls.
    sums: Vec<f64>,
    weights: Vec<f64>,
    /// `bin << 8 | sample of the node`.
    keys: Vec<u16>,
    left: Vec<f64>,
}

impl<'a> Variance<'a> {
    pub(super) fn new(numbers: &'a Numbers) -> Self {
        let targets = numbers.targets;
        Self {
            numbers,
            totals: vec![0.0; targets],
            weight: 0.0,
            sums: vec![0.0; BINS * targets],
            weights: vec![0.0; BINS],
            keys: Vec::new(),
            left: vec![0.0; targets],
        }
    }

    fn add_to_left(&mut self, row: u32, weight: f64) {
        self.left.iter_mut().zip(self.numbers.of(row)).for_each(|(sum, value)| *sum += weight * value);
    }

    /// The score of the cut with this weight on the left.
    fn score(&self, left_weight: f64) -> f64 {
        let right_weight = self.weight - left_weight;
        let sides = self.left.iter().zip(&self.totals);
        sides.map(|(left, all)| left * left / left_weight + (all - left).powi(2) / right_weight).sum()
    }

    /// Walks through few samples in the order of their bins.
    fn cut_sorted(&mut self, column: &[u8], samples: &[BootstrapSample]) -> Option<Cut> {
        let bin_of = |sample: &BootstrapSample| u16::from(column[sample.row as usize]);
        let mut keys = std::mem::take(&mut self.keys);
        keys.clear();
        keys.extend((0_u16..).zip(samples).map(|(index, sample)| bin_of(sample) << 8 | index));
        keys.sort_unstable();
        let (mut best, mut weight, mut bin) = (None, 0.0, keys[0] >> 8);
        for key in &keys {
            if key >> 8 != bin {
                best = better(best, bin, self.score(weight));
                bin = key >> 8;
            }
            let sample = samples[usize::from(key & 0xff)];
            weight += f64::from(sample.weight);
            self.add_to_left(sample.row, f64::from(sample.weight));
        }
        self.keys = keys;
        best
    }

    /// Walks through a histogram of the samples, and leaves it empty.
    fn cut_counted(&mut self, column: &[u8], samples: &[BootstrapSample], last: u8) -> Option<Cut> {
        let targets = self.numbers.targets;
        for sample in samples {
            let (bin, weight) = (usize::from(column[sample.row as usize]), f64::from(sample.weight));
            self.weights[bin] += weight;
            let sums = self.sums[bin * targets..][..targets].iter_mut();
            sums.zip(self.numbers.of(sample.row)).for_each(|(sum, value)| *sum += weight * value);
        }
        let (mut best, mut weight) = (None, 0.0);
        for bin in 0..=last {
            let place = usize::from(bin);
            let here = std::mem::take(&mut self.weights[place]);
            if here == 0.0 {
                continue;
            }
            weight += here;
            let sums = self.sums[place * targets..][..targets].iter_mut();
            sums.zip(&mut self.left).for_each(|(sum, left)| *left += std::mem::take(sum));
            if bin < last {
                best = better(best, u16::from(bin), self.score(weight));
            }
        }
        best
    }
}

impl Criterion for Variance<'_> {
    fn open(&mut self, samples: &[BootstrapSample]) -> Option<f64> {
        let first = self.numbers.of(samples.first()?.row);
        if samples.iter().all(|sample| self.numbers.of(sample.row) == first) {
            return None;
        }
        self.totals.fill(0.0);
        self.weight = 0.0;
        for sample in samples {
            let weight = f64::from(sample.weight);
            self.weight += weight;
            let sums = self.totals.iter_mut().zip(self.numbers.of(sample.row));
            sums.for_each(|(sum, value)| *sum += weight * value);
        }
        Some(self.totals.iter().map(|sum| sum * sum / self.weight).sum())
    }

    fn best_cut(&mut self, column: &[u8], samples: &[BootstrapSample]) -> Option<Cut> {
        let bins = || samples.iter().map(|sample| column[sample.row as usize]);
        let (low, high) = bins().fold((u8::MAX, 0), |(low, high), bin| (low.min(bin), high.max(bin)));
        if low >= high {
            return None;
        }
        self.left.fill(0.0);
        if samples.len() < COUNT_FROM {
            self.cut_sorted(column, samples)
        } else {
            self.cut_counted(column, samples, high)
        }
    }
}
