//! Labelled pictures of one byte a pixel, as IDX files hold them.

use rayon::prelude::*;

use super::table::BYTE;
use super::{Dataset, Samples, Targets, check_head, check_picture_size};
use crate::{Result, threads};

/// Labelled pictures of one byte a pixel: the [`Dataset`] of the same pictures in a quarter of its memory.
///
/// A pixel from 0 to 255 is a feature from 0 to 1. The invariants are those of
/// [`Dataset`], and hold from [`Pictures::new`] on.
#[derive(Debug, Clone, PartialEq)]
pub struct Pictures {
    /// `[picture][row][column]`.
    pixels: Vec<u8>,
    /// Rows and columns.
    shape: [usize; 2],
    /// The class of each.
    targets: Targets,
}

impl Pictures {
    /// Takes `pixels` as `[picture][row][column]` of pictures of `[rows, columns]`, with one label for each.
    ///
    /// # Errors
    /// [`Error::Dataset`](crate::Error::Dataset) as [`Dataset::new`].
    pub fn new(pixels: Vec<u8>, shape: [usize; 2], labels: Vec<u32>, class_count: usize) -> Result<Self> {
        let size = check_picture_size(shape)?;
        let targets = Targets::Classes { labels, count: class_count };
        targets.check(pixels.len(), size)?;
        Ok(Self { pixels, shape, targets })
    }

    /// Rows and columns of each picture.
    #[must_use]
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// The first `count` pictures; the class count stays what it was.
    ///
    /// # Errors
    /// [`Error::Dataset`](crate::Error::Dataset) when `count` is 0 or above the number of pictures.
    pub fn head(mut self, count: usize) -> Result<Self> {
        check_head(count, self.samples())?;
        self.pixels.truncate(count * self.feature_count());
        self.pixels.shrink_to_fit();
        self.targets.retain(|sample| sample < count);
        Ok(self)
    }
}

impl Samples for Pictures {
    fn feature_count(&self) -> usize {
        self.shape[0] * self.shape[1]
    }

    fn targets(&self) -> &Targets {
        &self.targets
    }

    fn read(&self, sample: usize, first: usize, out: &mut [f32]) {
        let pixels = &self.pixels[sample * self.feature_count()..][..self.feature_count()];
        let pixels = &pixels[first..first + out.len()];
        out.iter_mut().zip(pixels).for_each(|(feature, pixel)| *feature = scaled(*pixel));
    }
}

impl From<Pictures> for Dataset {
    fn from(pictures: Pictures) -> Self {
        let feature_count = pictures.feature_count();
        let Pictures { pixels, shape, targets } = pictures;
        let features = threads::run(|| pixels.par_iter().map(|pixel| scaled(*pixel)).collect());
        // The invariants are the same, and no scaled byte is infinite.
        Self {
            features,
            feature_count,
            targets,
            weights: None,
            image_shape: Some(shape),
            pixel_scale: Some(BYTE),
        }
    }
}

/// The feature of a pixel: 0 to 1.
fn scaled(pixel: u8) -> f32 {
    f32::from(pixel) / 255.0
}
