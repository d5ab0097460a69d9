//! Augmentation: pictures moved and mirrored at random, differently in every epoch.
//!
//! A move is drawn for each sample and epoch, in the order of the samples, from a
//! separate stream, so it depends on neither the number of threads nor the
//! engine nor earlier epochs. It is applied to raw pixels, before anything
//! that treats features one by one or mixes them.

use rand::{Rng, RngExt};
use rayon::prelude::*;

use super::Dataset;
use super::views::{Augmentation, Move, refuse};
use crate::random::{Purpose, generator};
use crate::{Error, Result, threads};

/// Samples that one thread moves at a time.
const PART: usize = 256;

impl Augmentation {
    /// Whether pictures are unchanged.
    #[must_use]
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses data that cannot be augmented.
    ///
    /// # Errors
    /// [`Error::Setting`] when samples are not pictures, or too small for the shift.
    pub(crate) fn check(&self, data: &Dataset) -> Result<()> {
        if self.is_none() {
            return Ok(());
        }
        let Some([rows, columns]) = data.image_shape() else {
            return refuse(format!(
                "samples of {} features that are not known to be pictures cannot be moved or mirrored",
                data.feature_count()
            ));
        };
        if self.shift >= rows.min(columns) {
            return refuse(format!(
                "a shift of {} is invalid, it must be below the shorter side of {rows} x {columns} pixels (`augment` none leaves them as they \
                 are)",
                self.shift
            ));
        }
        Ok(())
    }

    /// The samples of the epoch with this index, counted from 0.
    ///
    /// Labels, shape and number of samples stay. The same seed and epoch result in the same bits.
    ///
    /// # Errors
    /// As [`Augmentation::check`].
    #[doc(hidden)]
    pub fn apply(&self, data: &Dataset, seed: u64, epoch: usize) -> Result<Dataset> {
        self.check(data)?;
        let Some([_, columns]) = data.image_shape() else { return Ok(data.clone()) };
        let moves = self.draw(data.samples(), seed, epoch)?;
        let pixels = data.feature_count();
        let mut features = vec![0.0; data.features().len()];
        let parts = features.par_chunks_mut(PART * pixels).zip(data.features().par_chunks(PART * pixels));
        let apply = |((to, from), moves): ((&mut [f32], &[f32]), &[Move])| {
            for ((to, from), step) in to.chunks_mut(pixels).zip(from.chunks(pixels)).zip(moves) {
                step.apply(from, to, columns);
            }
        };
        threads::run(|| parts.zip(moves.par_chunks(PART)).for_each(apply));
        // Finite numbers stay finite, so the invariants still hold.
        let (targets, weights) = (data.targets.clone(), data.weights.clone());
        Ok(Dataset { features, targets, weights, ..*data })
    }

    /// The moves of all samples in one epoch.
    fn draw(&self, samples: usize, seed: u64, epoch: usize) -> Result<Vec<Move>> {
        let stream = u32::try_from(epoch)
            .map_err(|_| Error::Dataset(format!("epoch {epoch} is too late, the limit is {}", u32::MAX)))?;
        let mut rng = generator(seed, Purpose::Augmentation(stream));
        Ok((0..samples).map(|_| self.draw_one(&mut rng)).collect())
    }

    /// Always the same number of draws, so that shifts do not depend on flips.
    fn draw_one(&self, rng: &mut impl Rng) -> Move {
        let reach = i32::try_from(self.shift).unwrap_or(i32::MAX);
        let mut pixels = || rng.random_range(-reach..=reach) as isize;
        let (right, down) = (pixels(), pixels());
        Move { flip: rng.random::<bool>() && self.flip, right, down }
    }
}

#[cfg(test)]
#[path = "augment_tests.rs"]
mod tests;
