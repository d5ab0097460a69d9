//! Dropout masks, the same on every engine.
//!
//! Whether a unit is kept is a pure function of the run's seed, the step, the
//! layer, the unit and the sample's place in its batch, computed with only 32-bit
//! integers. The hash is pcg4d (Jarzynski and Olano, "Hash Functions for
//! GPU Rendering", JCGT 9(3), 2020); `shaders/common/dropout.wgsl` is its twin.

/// The key of (seed, step, layer), two words, and the place in the batch of the first sample at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropoutKey(pub [u32; 2], u32);

impl DropoutKey {
    /// The key of one layer in one step of a run.
    pub fn new(seed: u64, step: u64, layer: u32) -> Self {
        let [a, b, ..] =
            pcg4d([low(seed), low(seed >> 32), low(step), low(step >> 32) ^ layer.rotate_left(16)]);
        Self([a, b], 0)
    }

    /// The same for a part of the batch that begins at this place.
    #[must_use]
    pub fn from_column(self, first: u32) -> Self {
        Self(self.0, first)
    }

    /// Whether the unit is kept for the sample at `column` of the batch or the part.
    #[inline]
    pub fn keeps(self, unit: u32, column: u32, threshold: u32) -> bool {
        threshold == u32::MAX || pcg4d([unit, self.1 + column, self.0[0], self.0[1]])[3] < threshold
    }
}

/// The bound below which a hash means "keep"; `u32::MAX` always keeps.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "in 0..=u32::MAX; casts saturate"
)]
pub fn keep_threshold(keep_probability: f32) -> u32 {
    if keep_probability >= 1.0 { u32::MAX } else { (f64::from(keep_probability) * 4_294_967_296.0) as u32 }
}

#[expect(clippy::cast_possible_truncation, reason = "only the low word is needed")]
fn low(word: u64) -> u32 {
    word as u32
}

/// Hashes four words into four.
#[inline]
pub fn pcg4d(v: [u32; 4]) -> [u32; 4] {
    let [mut x, mut y, mut z, mut w] = v.map(|word| word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    for round in 0..2 {
        x = x.wrapping_add(y.wrapping_mul(w));
        y = y.wrapping_add(z.wrapping_mul(x));
        z = z.wrapping_add(x.wrapping_mul(y));
        w = w.wrapping_add(y.wrapping_mul(z));
        if round == 0 {
            [x, y, z, w] = [x, y, z, w].map(|word| word ^ (word >> 16));
        }
    }
    [x, y, z, w]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_kept_units_is_the_probability() {
        for keep in [0.1f32, 0.5, 0.85] {
            let (key, threshold) = (DropoutKey::new(1, 2, 3), keep_threshold(keep));
            let kept = (0..1000u32).flat_map(|unit| (0..100).map(move |column| (unit, column)));
            let kept = kept.filter(|(unit, column)| key.keeps(*unit, *column, threshold)).count();
            // 5 standard deviations of 100,000 independent draws.
            let bound = 5.0 * (f64::from(keep) * (1.0 - f64::from(keep)) * 100_000.0).sqrt();
            assert!((kept as f64 - f64::from(keep) * 100_000.0).abs() < bound, "{kept} kept at {keep}");
        }
    }

    #[test]
    fn units_columns_steps_and_layers_differ() {
        let threshold = keep_threshold(0.5);
        let mask = |seed, step, layer, units: u32, columns: u32| -> Vec<bool> {
            let key = DropoutKey::new(seed, step, layer);
            (0..units).flat_map(|u| (0..columns).map(move |c| key.keeps(u, c, threshold))).collect()
        };
        let first = mask(0, 0, 0, 64, 1);
        for other in [mask(1, 0, 0, 64, 1), mask(0, 1, 0, 64, 1), mask(0, 0, 1, 64, 1), mask(0, 0, 0, 1, 64)]
        {
            let equal = first.iter().zip(&other).filter(|(a, b)| a == b).count();
            assert!((12..52).contains(&equal), "{equal} of 64 equal");
        }
        assert_eq!(first, mask(0, 0, 0, 64, 1));
    }

    #[test]
    fn keeping_everything_drops_nothing() {
        let key = DropoutKey::new(0, 0, 0);
        assert!((0..10_000).all(|unit| key.keeps(unit, 0, keep_threshold(1.0))));
    }
}
