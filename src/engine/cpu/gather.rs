//! The minibatch: `x[feature][lane] = data[sample[lane]][feature]`; lanes without a sample get 0.
//!
//! Twin: `src/engine/reference/gather.rs`.

use super::row::Row;
use crate::dataset::Dataset;

/// Features that are moved for all lanes before the next ones, so that their rows stay in cache.
const BLOCK: usize = 64;

/// Fills one row for each feature with at most [`LANES`](super::row::LANES) samples.
pub fn gather(data: &Dataset, samples: &[u32], x: &mut [Row]) {
    for (block, rows) in x.chunks_mut(BLOCK).enumerate() {
        if samples.len() < rows[0].0.len() {
            rows.fill(Row::ZERO);
        }
        for (lane, sample) in samples.iter().enumerate() {
            let features = &data.sample(*sample as usize)[block * BLOCK..][..rows.len()];
            for (row, value) in rows.iter_mut().zip(features) {
                row.0[lane] = *value;
            }
        }
    }
}
