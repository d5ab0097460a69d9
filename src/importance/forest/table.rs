//! The features as bins of one byte, column by column.

use rayon::prelude::*;

/// Number of bins of one byte.
pub(super) const BINS: usize = 256;
/// Columns that one thread gathers at a time: as many f32 as a cache line holds.
const GROUP: usize = 16;

/// A table of bin numbers that keeps the order of the values: a smaller value is
/// never in a higher bin, and equal values are in the same one.
pub(super) struct BinnedTable {
    /// `[feature][row]`.
    bins: Vec<u8>,
    rows: usize,
}

impl BinnedTable {
    /// Bins the given rows; `read` fills a slice with the values of a row from some feature on, all finite.
    ///
    /// Holds the values of only one group of columns at a time.
    pub(super) fn new(
        read: impl Fn(usize, usize, &mut [f32]) + Sync,
        feature_count: usize,
        rows: &[u32],
    ) -> Self {
        let mut bins = vec![0; feature_count * rows.len()];
        bins.par_chunks_mut(GROUP * rows.len()).enumerate().for_each(|(group, bins)| {
            let first = group * GROUP;
            let width = bins.len() / rows.len();
            let mut columns = vec![0; bins.len()];
            let mut values = [0.0; GROUP];
            for (position, &row) in rows.iter().enumerate() {
                let values = &mut values[..width];
                read(row as usize, first, values);
                for (column, &value) in values.iter().enumerate() {
                    columns[column * rows.len() + position] = ordered(value);
                }
            }
            let mut sorted = Vec::new();
            for (keys, bins) in columns.chunks_exact(rows.len()).zip(bins.chunks_exact_mut(rows.len())) {
                sorted.clear();
                sorted.extend_from_slice(keys);
                sorted.sort_unstable();
                let last = last_keys(&sorted);
                for (bin, key) in bins.iter_mut().zip(keys) {
                    let index = last.partition_point(|last| last < key);
                    *bin = u8::try_from(index).expect("there are at most 256 bins");
                }
            }
        });
        Self { bins, rows: rows.len() }
    }

    /// The bins of one feature, `[row]`.
    pub(super) fn column(&self, feature: usize) -> &[u8] {
        &self.bins[feature * self.rows..][..self.rows]
    }

    /// Number of features.
    pub(super) fn features(&self) -> usize {
        self.bins.len() / self.rows
    }
}

/// Reads from `[sample][feature]`, for [`BinnedTable::new`].
pub(super) fn read_from(features: &[f32], feature_count: usize) -> impl Fn(usize, usize, &mut [f32]) + Sync {
    move |row, first, out| out.copy_from_slice(&features[row * feature_count + first..][..out.len()])
}

/// A whole number with the order of finite values; both zeros map to the same one.
fn ordered(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// The largest key of each bin, increasing, for sorted keys.
///
/// Up to 256 distinct keys have a bin each. More are distributed greedily: a bin is
/// closed once it holds its share of the rest, so that one key that most rows
/// have (a pixel of 0, an inactive ReLU) does not use up the bins of the others.
fn last_keys(sorted: &[u32]) -> Vec<u32> {
    let runs = || sorted.chunk_by(|a, b| a == b);
    let exact: Vec<u32> = runs().take(BINS + 1).map(|run| run[0]).collect();
    if exact.len() <= BINS {
        return exact;
    }
    let mut last = Vec::with_capacity(BINS);
    let (mut left, mut held) = (sorted.len(), 0);
    for run in runs() {
        held += run.len();
        if held * (BINS - last.len()) >= left {
            last.push(run[0]);
            left -= held;
            held = 0;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[f32]) -> Vec<u8> {
        let rows: Vec<u32> = (0..u32::try_from(values.len()).unwrap()).collect();
        BinnedTable::new(read_from(values, 1), 1, &rows).column(0).to_vec()
    }

    #[test]
    fn few_values_have_a_bin_each_in_their_order() {
        assert_eq!(column(&[3.0, -1.0, 0.0, -0.0, 3.0, -2.5, 1e-40]), [4, 1, 2, 2, 4, 0, 3]);
        assert_eq!(column(&[7.5; 3]), [0; 3]);
        assert_eq!(column(&[f32::MAX, f32::MIN]), [1, 0]);
        let all: Vec<f32> = (0..=255_u8).map(f32::from).collect();
        assert_eq!(column(&all), (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn many_values_share_bins_of_about_the_same_size() {
        let values: Vec<f32> = (0..2560_u32).map(|k| (k * 997 % 2560) as f32).collect();
        let bins = column(&values);
        for (value, bin) in values.iter().zip(&bins) {
            assert_eq!((value / 10.0).floor(), f32::from(*bin), "value {value}");
        }
    }

    #[test]
    fn a_frequent_value_leaves_the_bins_to_the_others() {
        let values: Vec<f32> = (0..3000_u16).map(|k| f32::from(k.saturating_sub(2000))).collect();
        let bins = column(&values);
        assert!(bins[..2001].iter().all(|bin| *bin == 0));
        assert!(bins.is_sorted());
        let used = bins.chunk_by(|a, b| a == b).count();
        assert!(used > 250, "{used} bins for 1000 distinct values");
    }

    #[test]
    fn columns_and_chosen_rows_keep_their_places() {
        // 40 features are more than two groups of columns.
        let features: Vec<f32> = (0..40 * 3_u8).map(f32::from).collect();
        let table = BinnedTable::new(read_from(&features, 40), 40, &[2, 0]);
        assert_eq!(table.features(), 40);
        for feature in 0..40 {
            assert_eq!(table.column(feature), [1, 0]);
        }
    }
}
