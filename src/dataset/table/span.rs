//! The range of a column's numbers, and the offset that keeps their differences in float32.

/// Numbers that are more than this many times further from 0 than from each other get an offset: without one, float32 would
/// round differences of a 16,000th of their range.
const FAR: f64 = 1024.0;
/// Above this size, float32 holds only every second whole number.
const WHOLE: f64 = (1u32 << 24) as f64;

/// What is known of the numbers of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    low: f64,
    high: f64,
    /// Whether float32 holds each of them.
    is_exact: bool,
}

impl Default for Span {
    fn default() -> Self {
        Self { low: f64::INFINITY, high: f64::NEG_INFINITY, is_exact: true }
    }
}

impl Span {
    /// Takes another number; it is not NaN.
    pub(crate) fn add(&mut self, value: f64) {
        self.low = self.low.min(value);
        self.high = self.high.max(value);
        self.is_exact &= f64::from(narrow(value)) == value;
    }

    /// Takes the numbers of another part of the column.
    #[cfg(feature = "train")]
    pub(crate) fn merge(&mut self, other: &Self) {
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
        self.is_exact &= other.is_exact;
    }

    /// Takes the range of these cells, to which the offset was not added; they are some of those that it was made of.
    #[cfg(feature = "train")]
    pub(crate) fn restrict(&mut self, cells: impl Iterator<Item = f32>, offset: f64) {
        let range = cells.fold(None, |range: Option<[f32; 2]>, cell| {
            let [low, high] = range.unwrap_or([cell, cell]);
            Some([low.min(cell), high.max(cell)])
        });
        let Some([low, high]) = range else {
            (self.low, self.high) = (f64::INFINITY, f64::NEG_INFINITY);
            return;
        };
        // As it was probably written: cells have fewer digits.
        let number = |cell: f32| cell.to_string().parse().unwrap_or(f64::from(cell)) + offset;
        for (end, cell) in [(&mut self.low, low), (&mut self.high, high)] {
            if narrow(*end - offset) != cell {
                *end = number(cell);
            }
        }
    }

    /// Takes every number divided by this.
    pub(crate) fn divide(&mut self, by: f64) {
        self.low /= by;
        self.high /= by;
    }

    /// Whether float32 holds each number.
    #[cfg(feature = "train")]
    pub(crate) fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// The smallest and the largest number, if there is any.
    pub(crate) fn range(&self) -> Option<[f64; 2]> {
        (self.low <= self.high).then_some([self.low, self.high])
    }

    /// The middle of the numbers, if float32 would lose their differences without subtracting it.
    #[cfg(feature = "train")]
    pub(crate) fn offset(&self) -> Option<f64> {
        let [low, high] = self.range()?;
        let (size, width) = (low.abs().max(high.abs()), high - low);
        let middle = low + 0.5 * width;
        let is_far = !self.is_exact && width > 0.0 && size > FAR * width;
        is_far.then_some(if size >= WHOLE { middle.round() } else { middle })
    }
}

/// Rounds to float32.
#[expect(clippy::cast_possible_truncation, reason = "rounding is the purpose")]
pub(crate) fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;

    fn span(values: &[f64]) -> Span {
        let mut span = Span::default();
        values.iter().for_each(|value| span.add(*value));
        span
    }

    #[test]
    fn only_numbers_that_float32_would_confuse_get_an_offset() {
        for ordinary in [
            &[][..],
            &[0.1],
            &[0.1, 0.1],
            // Years, codes and other whole numbers that float32 holds.
            &[2019.0, 2020.0],
            &[16_777_215.0, 16_777_216.0],
            // Densities of wine, pressures, prices.
            &[0.990_07, 1.003_69],
            &[980.1, 1040.7],
            &[0.1, 1e9],
            &[0.0, 1.7e12 + 1.0],
        ] {
            assert_eq!(span(ordinary).offset(), None, "{ordinary:?}");
        }
        assert_eq!(span(&[1.7e12 + 1.0, 1.7e12 + 5.0]).offset(), Some(1.7e12 + 3.0));
        assert_eq!(span(&[-1.7e12 - 1.0, -1.7e12 - 4.0]).offset(), Some(-1.7e12 - 3.0));
        assert_eq!(
            span(&[1e5 + 0.25, 1e5 + 0.1]).offset(),
            Some(1e5 + 0.1 + 0.5 * ((1e5 + 0.25) - (1e5 + 0.1)))
        );
    }

    #[test]
    fn a_part_of_the_numbers_has_its_own_range() {
        let whole = span(&[0.1, 0.3, 1e30]);
        let mut part = whole;
        part.restrict([0.1, 0.3].into_iter(), 0.0);
        assert_eq!(part.range(), Some([0.1, 0.3]));
        part.restrict([1.0, 2.0].into_iter(), 1.7e12);
        assert_eq!(part.range(), Some([1.7e12 + 1.0, 1.7e12 + 2.0]));
        part.restrict(std::iter::empty(), 0.0);
        assert_eq!(part.range(), None);
    }

    #[test]
    fn parts_of_a_column_are_merged() {
        let mut merged = span(&[1.0, 0.1]);
        merged.merge(&span(&[7.0]));
        merged.merge(&Span::default());
        assert_eq!(merged, span(&[7.0, 0.1]));
        assert_eq!(merged.range(), Some([0.1, 7.0]));
        assert_eq!(Span::default().range(), None);
    }
}
