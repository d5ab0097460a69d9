//! Labelled samples that are read a part at a time, in any storage.

#[cfg(feature = "train")]
use sha2::{Digest, Sha256};

use super::{CHECK_CHUNK, Dataset, Targets};

/// Labelled samples whose features can be read as f32, a part of a row at a time.
///
/// Code that needs no more than that (scores of features, a digest) takes any of
/// these, so that a set which was never entirely converted to f32 serves as well
/// as a [`Dataset`], with the same invariants.
pub trait Samples: Sync {
    /// Number of features of each sample, at least 1.
    fn feature_count(&self) -> usize;

    /// What each sample is to be predicted as; at least one sample.
    fn targets(&self) -> &Targets;

    /// Writes the features `first..first + out.len()` of one sample.
    ///
    /// # Panics
    /// When there is no such sample or feature.
    fn read(&self, sample: usize, first: usize, out: &mut [f32]);

    /// Number of samples.
    fn samples(&self) -> usize {
        self.targets().samples()
    }
}

impl Samples for Dataset {
    fn feature_count(&self) -> usize {
        self.feature_count
    }

    fn targets(&self) -> &Targets {
        &self.targets
    }

    fn read(&self, sample: usize, first: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.sample(sample)[first..first + out.len()]);
    }
}

#[cfg(feature = "train")]
/// Adds features `[sample][feature]` and labels or targets, as little-endian bytes, to a hash.
pub(crate) fn update_digest(samples: &impl Samples, hash: &mut Sha256) {
    let mut row = vec![0.0; samples.feature_count()];
    let mut bytes = Vec::new();
    for sample in 0..samples.samples() {
        samples.read(sample, 0, &mut row);
        bytes.extend(row.iter().flat_map(|value| value.to_le_bytes()));
        if bytes.len() >= CHECK_CHUNK {
            hash.update(&bytes);
            bytes.clear();
        }
    }
    hash.update(&bytes);
    for part in samples.targets().labels().chunks(CHECK_CHUNK) {
        let bytes: Vec<u8> = part.iter().flat_map(|label| label.to_le_bytes()).collect();
        hash.update(&bytes);
    }
    for part in samples.targets().values().chunks(CHECK_CHUNK) {
        let bytes: Vec<u8> = part.iter().flat_map(|value| value.to_le_bytes()).collect();
        hash.update(&bytes);
    }
}
