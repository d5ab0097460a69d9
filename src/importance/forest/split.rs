//! The best cut of one feature at one node.
//!
//! A cut sends the samples of the lowest bins to the left. Among the cuts of a
//! node the largest decrease in impurity is where `sum_k L_k^2 / L + sum_k R_k^2 / R`
//! is largest, L_k and R_k being the weights of class k on both sides
//! (scikit-learn's proxy for Gini). The sums are whole numbers, so the order in
//! which samples of one bin are counted does not matter: counting bins
//! (many samples) and sorting (few) find the same cut, bit for bit.

use super::table::BINS;

/// With at least this many samples, bins are counted; otherwise samples are sorted.
pub(super) const COUNT_FROM: usize = 256;

/// A training sample in the bootstrap sample of a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct BootstrapSample {
    pub(super) row: u32,
    pub(super) class: u16,
    /// How often it was drawn.
    pub(super) weight: u16,
}

/// A way to cut one feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    /// Samples with bins up to this one go left.
    pub(super) last_left: u8,
    /// `sum_k L_k^2 / L + sum_k R_k^2 / R`.
    pub(super) score: f64,
}

/// Finds cuts; holds the working memory.
pub(super) struct CutFinder {
    classes: usize,
    /// `[bin][class]`, weights; all 0 between two calls.
    histogram: Vec<u32>,
    /// `[bin]`, whether it has any sample; all false between two calls.
    present: [bool; BINS],
    /// `[sample of the node]`.
    bins: Vec<u8>,
    /// `bin << 8 | sample of the node`.
    keys: Vec<u16>,
    /// `[class]`, weights on the two sides of the cut.
    left: Vec<u32>,
    right: Vec<u32>,
}

/// Weights and sums of squared class weights on the two sides of a cut.
struct Sides {
    left: u64,
    right: u64,
    left_squares: u64,
    right_squares: u64,
}

impl Sides {
    /// The score of the cut, exact to the last bit up to 300,000 samples or so.
    fn score(&self) -> f64 {
        let [left, right] = [real(self.left), real(self.right)];
        (real(self.left_squares) * right + real(self.right_squares) * left) / (left * right)
    }
}

#[expect(clippy::cast_precision_loss, reason = "weights of up to 2^26 samples have exact squares")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}

/// Sum of the squared class weights.
pub(super) fn squares(totals: &[u32]) -> u64 {
    totals.iter().map(|&weight| u64::from(weight) * u64::from(weight)).sum()
}

impl CutFinder {
    pub(super) fn new(classes: usize) -> Self {
        Self {
            classes,
            histogram: vec![0; BINS * classes],
            present: [false; BINS],
            bins: Vec::new(),
            keys: Vec::new(),
            left: vec![0; classes],
            right: vec![0; classes],
        }
    }

    /// The best cut of the samples by a feature, the lowest of equals; `None` when the feature is constant.
    ///
    /// `column` is `[row]`, `totals` the weight of each class in the node.
    pub(super) fn best_cut(
        &mut self,
        column: &[u8],
        samples: &[BootstrapSample],
        totals: &[u32],
    ) -> Option<Cut> {
        self.best_cut_counting_from(COUNT_FROM, column, samples, totals)
    }

    /// The same with another limit, of at most [`COUNT_FROM`].
    pub(super) fn best_cut_counting_from(
        &mut self,
        limit: usize,
        column: &[u8],
        samples: &[BootstrapSample],
        totals: &[u32],
    ) -> Option<Cut> {
        self.bins.clear();
        self.bins.extend(samples.iter().map(|sample| column[sample.row as usize]));
        let (mut low, mut high) = (u8::MAX, 0);
        for &bin in &self.bins {
            low = low.min(bin);
            high = high.max(bin);
        }
        if low >= high {
            return None;
        }
        self.left.fill(0);
        self.right.copy_from_slice(totals);
        let sides = Sides {
            left: 0,
            right: totals.iter().map(|&weight| u64::from(weight)).sum(),
            left_squares: 0,
            right_squares: squares(totals),
        };
        if samples.len() < limit.min(COUNT_FROM) {
            self.cut_sorted(samples, sides)
        } else {
            self.cut_counted(samples, sides, low, high)
        }
    }

    /// Walks through the samples in the order of their bins.
    fn cut_sorted(&mut self, samples: &[BootstrapSample], mut sides: Sides) -> Option<Cut> {
        self.keys.clear();
        self.keys.extend((0_u16..).zip(&self.bins).map(|(index, &bin)| u16::from(bin) << 8 | index));
        self.keys.sort_unstable();
        let mut best: Option<Cut> = None;
        let mut bin = self.keys[0] >> 8;
        for &key in &self.keys {
            if key >> 8 != bin {
                best = better(best, bin, sides.score());
                bin = key >> 8;
            }
            let sample = samples[usize::from(key & 0xff)];
            let class = usize::from(sample.class);
            move_left(&mut sides, &mut self.left[class], &mut self.right[class], u32::from(sample.weight));
        }
        best
    }

    /// Walks through a histogram of the samples, and leaves it empty.
    fn cut_counted(
        &mut self,
        samples: &[BootstrapSample],
        mut sides: Sides,
        low: u8,
        high: u8,
    ) -> Option<Cut> {
        for (sample, &bin) in samples.iter().zip(&self.bins) {
            self.present[usize::from(bin)] = true;
            self.histogram[usize::from(bin) * self.classes + usize::from(sample.class)] +=
                u32::from(sample.weight);
        }
        let mut best: Option<Cut> = None;
        for bin in low..=high {
            if !std::mem::take(&mut self.present[usize::from(bin)]) {
                continue;
            }
            let weights = &mut self.histogram[usize::from(bin) * self.classes..][..self.classes];
            for ((weight, left), right) in weights.iter_mut().zip(&mut self.left).zip(&mut self.right) {
                move_left(&mut sides, left, right, *weight);
                *weight = 0;
            }
            if bin < high {
                best = better(best, u16::from(bin), sides.score());
            }
        }
        best
    }
}

/// Moves weight of one class from the right side to the left.
#[inline]
fn move_left(sides: &mut Sides, left: &mut u32, right: &mut u32, weight: u32) {
    let moved = u64::from(weight);
    // (L + w)^2 = L^2 + w (2 L + w), (R - w)^2 = R^2 - w (2 R - w).
    sides.left_squares += moved * (2 * u64::from(*left) + moved);
    sides.right_squares -= moved * (2 * u64::from(*right) - moved);
    sides.left += moved;
    sides.right -= moved;
    *left += weight;
    *right -= weight;
}

pub(super) fn better(best: Option<Cut>, bin: u16, score: f64) -> Option<Cut> {
    match best {
        Some(cut) if score <= cut.score => best,
        _ => Some(Cut { last_left: u8::try_from(bin).expect("a bin fits a byte"), score }),
    }
}
