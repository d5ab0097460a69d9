//! The unit of pixels: files have them from 0 to 255 or from 0 to 1, a model takes those from 0 to 1.

use super::Table;
use crate::Result;

/// The greatest pixel of one byte.
pub(crate) const BYTE: f32 = 255.0;
/// Pictures of other types than bytes are in its unit if a pixel is brighter than half of it.
const BRIGHT: f64 = 128.0;

/// The unit of the pixels of a table, or of the rows that have arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PixelUnit {
    /// Every pixel is 0 or 1.
    #[default]
    Unknown,
    /// From 0 to 1.
    One,
    /// From 0 to the scale.
    Scale,
}

impl Table {
    /// Divides the pixels of a new table of pictures by 255 if they are bytes, or from 0 to 255. The table then knows its scale, as do
    /// pictures from 0 to 1.
    #[cfg(feature = "train")]
    pub(crate) fn scale_new_pixels(&mut self) {
        if self.image_shape.is_none() || self.columns.iter().any(|column| column.offset != 0.0) {
            return;
        }
        let ranges = self.columns.iter().filter_map(|column| column.span.range());
        let range = ranges.reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])]);
        let least = if self.holds_bytes { 1.0 } else { BRIGHT };
        let is_fraction = |cell: &f32| *cell > 0.0 && *cell < 1.0;
        match range {
            Some([low, high]) if low >= 0.0 && high > least && high <= f64::from(BYTE) => self.divide(BYTE),
            // In the unit already; pictures of zeros and ones may be in any.
            Some([low, high])
                if low >= 0.0 && high <= 1.0 && !self.holds_bytes && self.cells.iter().any(is_fraction) => {}
            _ => return,
        }
        self.pixel_scale = Some(BYTE);
    }

    /// Divides pixels by the scale of a model, unless they are from 0 to 1. Earlier rows of the same input decide for pixels that
    /// are 0 or 1 alone.
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table) when pixels are above the scale, or in another unit than those of earlier rows.
    pub(crate) fn scale_pixels(&mut self, scale: f32, earlier: &mut PixelUnit) -> Result<()> {
        if self.pixel_scale.is_some() {
            return Ok(());
        }
        let high = self.cells.iter().copied().fold(0.0, f32::max);
        if high > scale {
            return Err(self.refused(format!(
                "pixels up to {high}, but the model takes pixels from 0 to 1 or from 0 to {scale}"
            )));
        }
        let is_fraction = |cell: &f32| *cell > 0.0 && *cell < 1.0;
        let own = match () {
            () if self.holds_bytes || high > 1.0 => PixelUnit::Scale,
            () if self.cells.iter().any(is_fraction) => PixelUnit::One,
            () => PixelUnit::Unknown,
        };
        match (*earlier, own) {
            (PixelUnit::One, PixelUnit::Scale) => {
                return Err(self.refused(format!(
                    "pixels up to {high} behind rows with pixels from 0 to 1: give all in one unit"
                )));
            }
            (PixelUnit::Unknown, own) => *earlier = own,
            _ => {}
        }
        if *earlier == PixelUnit::Scale {
            self.divide(scale);
        }
        self.pixel_scale = Some(scale);
        Ok(())
    }

    fn divide(&mut self, scale: f32) {
        self.cells.iter_mut().for_each(|cell| *cell /= scale);
        self.columns.iter_mut().for_each(|column| column.span.divide(f64::from(scale)));
    }
}
