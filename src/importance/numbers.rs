//! Numbers as inputs: unchanged, scaled, or cut into pieces as well.

use rayon::prelude::*;

#[cfg(feature = "train")]
use super::moments::narrow;
use crate::named::named;
use crate::threads;
use crate::{Error, Result};

named! {
    /// How numbers become inputs of the network. A feature of zeros and ones only, such as a category, is never changed.
    #[doc(hidden)]
    pub enum NumberForm {
        /// Unchanged.
        Plain = "plain",
        /// Minus the mean, divided by the deviation.
        Scaled = "scaled",
        /// Scaled, and cut into pieces at quantiles of the training set: one more input for each piece.
        Piecewise = "piecewise",
    }
}

#[cfg(feature = "train")]
impl NumberForm {
    /// Training rows for each piece, unless a number of pieces is set.
    const ROWS_PER_BIN: usize = 200;
    /// Maximum number of pieces, unless another is set.
    const USUAL_BINS: usize = 16;
    /// Maximum number of pieces of all numbers together, unless another number is set.
    const PIECES: usize = 1000;
    /// Maximum number of pieces that can be set.
    pub(crate) const MAX_BINS: usize = 1024;

    /// Default number of pieces for this many training samples and numbers; 1 is no piece at all.
    pub(crate) fn usual_bins(samples: usize, numbers: usize) -> usize {
        (samples / Self::ROWS_PER_BIN).min(Self::PIECES / numbers.max(1)).clamp(1, Self::USUAL_BINS)
    }
}

/// Samples per task of a thread; results do not depend on it.
const BLOCK_ROWS: usize = 256;

/// `y[j] = (x[source[j]] - offset[j]) / width[j]`, not below `low[j]` and not above `high[j]`.
///
/// A number gives one unbounded input and, if it is cut, one bounded input for each piece, the piecewise linear encoding
/// of Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep Learning" (2022), with the mean of each
/// input subtracted.
#[derive(Debug, Clone, PartialEq)]
#[doc(hidden)]
pub struct NumberEncoding {
    form: NumberForm,
    /// Each list is `[output]`; sources rise, and no feature is missing.
    source: Vec<u32>,
    offset: Vec<f32>,
    width: Vec<f32>,
    low: Vec<f32>,
    high: Vec<f32>,
}

/// An input of the network: `[offset, width, low, high]`.
type Output = [f32; 4];

/// A feature that is passed on.
const UNCHANGED: Output = [0.0, 1.0, f32::MIN, f32::MAX];

impl NumberEncoding {
    /// Fits to at least one finite sample, `[sample][feature]`; `None` for [`NumberForm::Plain`].
    #[cfg(feature = "train")]
    pub(crate) fn fit(
        form: NumberForm,
        bins: Option<usize>,
        samples: &[f32],
        features: usize,
    ) -> Option<Self> {
        let column = |feature| samples.iter().skip(feature).step_by(features).copied();
        let is_number = |feature| !column(feature).all(|value| value == 0.0 || value == 1.0);
        let is_number: Vec<bool> = threads::run(|| (0..features).into_par_iter().map(is_number).collect());
        let bins = match (form, bins) {
            (NumberForm::Plain, _) => return None,
            (NumberForm::Scaled, _) => 1,
            (NumberForm::Piecewise, Some(bins)) => bins,
            (NumberForm::Piecewise, None) => {
                let numbers = is_number.iter().filter(|is_number| **is_number).count();
                NumberForm::usual_bins(samples.len() / features, numbers)
            }
        };
        let fit = |feature: usize| {
            if !is_number[feature] {
                return vec![UNCHANGED];
            }
            let mut column: Vec<f32> = column(feature).collect();
            column.sort_unstable_by(f32::total_cmp);
            outputs_of(&column, bins)
        };
        let outputs: Vec<Vec<Output>> = threads::run(|| (0..features).into_par_iter().map(fit).collect());
        let numbered = (0_u32..).zip(outputs);
        let (source, outputs): (Vec<u32>, Vec<Output>) = numbered
            .flat_map(|(feature, outputs)| outputs.into_iter().map(move |output| (feature, output)))
            .unzip();
        let part = |place: usize| outputs.iter().map(|output| output[place]).collect();
        Some(Self { form, source, offset: part(0), width: part(1), low: part(2), high: part(3) })
    }

    /// Restores the parts of a model file, all `[output]`: the sources, then offsets, widths, lower and upper bounds.
    ///
    /// # Errors
    /// [`Error::Importance`] when lengths differ, a number is not finite, a width not positive, a bound below its
    /// partner, or when the sources do not rise or skip one of the features.
    pub fn from_parts(form: NumberForm, source: Vec<u32>, parts: [Vec<f32>; 4]) -> Result<Self> {
        let fail = |reason: String| Err(Error::Importance(format!("numbers: {reason}")));
        let [offset, width, low, high] = parts;
        if form == NumberForm::Plain || source.first() != Some(&0) {
            return fail("no input for the first feature".to_owned());
        }
        if let Some(pair) =
            source.windows(2).find(|pair| pair[1] != pair[0] && Some(pair[1]) != pair[0].checked_add(1))
        {
            return fail(format!("feature {} follows feature {}", pair[1], pair[0]));
        }
        for part in [&offset, &width, &low, &high] {
            if part.len() != source.len() {
                return fail(format!("{} sources and {} values", source.len(), part.len()));
            }
            if !part.iter().all(|value| value.is_finite()) {
                return fail("a number is not finite".to_owned());
            }
        }
        if let Some(wrong) = width.iter().find(|width| **width <= 0.0) {
            return fail(format!("the width {wrong} is invalid, it must be above 0"));
        }
        if let Some((low, high)) = low.iter().zip(&high).find(|(low, high)| low > high) {
            return fail(format!("the lower bound {low} is above the upper bound {high}"));
        }
        Ok(Self { form, source, offset, width, low, high })
    }

    /// How numbers are encoded.
    #[must_use]
    pub fn form(&self) -> NumberForm {
        self.form
    }

    /// Features of a sample before the encoding.
    #[must_use]
    pub fn features(&self) -> usize {
        self.source.last().map_or(0, |last| *last as usize + 1)
    }

    /// Features of a sample after it.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.source.len()
    }

    /// `[output]`, the feature that each output is made of.
    #[must_use]
    pub fn source(&self) -> &[u32] {
        &self.source
    }

    /// `[output]`: offsets, widths, lower and upper bounds.
    #[must_use]
    pub fn parts(&self) -> [&[f32]; 4] {
        [&self.offset, &self.width, &self.low, &self.high]
    }

    /// `[sample][feature]` in, `[sample][output]` out, for the same number of samples.
    pub(super) fn apply(&self, samples: &[f32], out: &mut [f32]) {
        let (features, outputs) = (self.features(), self.outputs());
        let apply = |(out, samples): (&mut [f32], &[f32])| {
            for (out, row) in out.chunks_exact_mut(outputs).zip(samples.chunks_exact(features)) {
                self.apply_row(row, out);
            }
        };
        let blocks = samples.par_chunks(BLOCK_ROWS * features);
        threads::run(|| out.par_chunks_mut(BLOCK_ROWS * outputs).zip(blocks).for_each(apply));
    }

    fn apply_row(&self, row: &[f32], out: &mut [f32]) {
        for (out, &source) in out.iter_mut().zip(&self.source) {
            *out = row[source as usize];
        }
        // Separate from gathering, so that these loops can be vectorised.
        for ((out, offset), width) in out.iter_mut().zip(&self.offset).zip(&self.width) {
            *out = (*out - offset) / width;
        }
        for ((out, low), high) in out.iter_mut().zip(&self.low).zip(&self.high) {
            *out = out.max(*low).min(*high);
        }
    }
}

/// The outputs of a feature with these values, in rising order.
#[cfg(feature = "train")]
fn outputs_of(values: &[f32], bins: usize) -> Vec<Output> {
    let mut outputs = vec![scaled(values)];
    let mut edges: Vec<f32> = (0..=bins).map(|edge| narrow(quantile(values, edge, bins))).collect();
    edges.dedup_by(|next, last| !(*next - *last >= f32::MIN_POSITIVE));
    // A single piece would repeat the scaled number.
    if edges.len() > 2 {
        outputs.extend(edges.windows(2).map(|ends| piece(values, [ends[0], ends[1]].map(f64::from))));
    }
    outputs
}

/// The number minus its mean, by its deviation.
#[cfg(feature = "train")]
fn scaled(values: &[f32]) -> Output {
    let mean = mean_of(values, |value| value);
    let deviation = narrow(mean_of(values, |value| (value - mean).powi(2)).sqrt());
    let width = if deviation < f32::MIN_POSITIVE { 1.0 } else { deviation };
    [narrow(mean), width, f32::MIN, f32::MAX]
}

/// 0 below a piece, 1 above it, linear between its ends, minus the mean.
#[cfg(feature = "train")]
fn piece(values: &[f32], [begin, end]: [f64; 2]) -> Output {
    let width = end - begin;
    let mean = mean_of(values, |value| ((value - begin) / width).clamp(0.0, 1.0));
    // Twice the largest f32 is no f32.
    let divisor = narrow(width.min(f64::from(f32::MAX)));
    [narrow(begin + mean * width), divisor, narrow(-mean), narrow(1.0 - mean)]
}

/// The value below which `part` of `parts` of the sorted values are, between neighbours in proportion.
#[cfg(feature = "train")]
fn quantile(sorted: &[f32], part: usize, parts: usize) -> f64 {
    let scaled = part * (sorted.len() - 1);
    let (below, rest) = (scaled / parts, (scaled % parts) as f64 / parts as f64);
    let value = |place: usize| f64::from(sorted[place.min(sorted.len() - 1)]);
    value(below) + rest * (value(below + 1) - value(below))
}

#[cfg(feature = "train")]
fn mean_of(values: &[f32], term: impl Fn(f64) -> f64) -> f64 {
    values.iter().map(|value| term(f64::from(*value))).sum::<f64>() / values.len() as f64
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;

    fn encoded(
        numbers: NumberForm,
        bins: usize,
        samples: &[f32],
        features: usize,
    ) -> (NumberEncoding, Vec<f32>) {
        let fitted = NumberEncoding::fit(numbers, Some(bins), samples, features).unwrap();
        let mut out = vec![f32::NAN; samples.len() / features * fitted.outputs()];
        fitted.apply(samples, &mut out);
        (fitted, out)
    }

    #[test]
    fn zeros_and_ones_are_unchanged_and_numbers_have_mean_0_and_deviation_1() {
        // A category, a number, a constant.
        let samples = [0.0, 10.0, 7.0, 1.0, 30.0, 7.0, 1.0, 50.0, 7.0];
        let (fitted, out) = encoded(NumberForm::Scaled, 16, &samples, 3);
        assert_eq!((fitted.features(), fitted.outputs()), (3, 3));
        // Deviation: the root of 800/3.
        let end = narrow(20.0 / (800.0_f64 / 3.0).sqrt());
        let expected = [0.0, -end, 0.0, 1.0, 0.0, 0.0, 1.0, end, 0.0];
        for (got, expected) in out.iter().zip(expected) {
            assert!((got - expected).abs() <= 1e-6, "{got}, not {expected}");
        }
    }

    #[test]
    fn pieces_rise_one_after_the_other_around_their_means() {
        // Quantiles of 0, 1, .., 8 in 4 pieces: 0, 2, 4, 6, 8.
        let samples: Vec<f32> = (0..9_u8).map(f32::from).collect();
        let (fitted, out) = encoded(NumberForm::Piecewise, 4, &samples, 1);
        assert_eq!(fitted.outputs(), 5);
        for (sample, row) in samples.iter().zip(out.chunks(5)) {
            for (place, got) in row[1..].iter().enumerate() {
                let height = |value: f64| ((value - 2.0 * place as f64) / 2.0).clamp(0.0, 1.0);
                let mean = samples.iter().map(|value| height(f64::from(*value))).sum::<f64>() / 9.0;
                let expected = height(f64::from(*sample)) - mean;
                assert!((f64::from(*got) - expected).abs() < 1e-6, "{got} for {sample}, expected {expected}");
            }
        }
        // Outside of the training set only the scaled number goes on.
        let mut outside = [f32::NAN; 10];
        fitted.apply(&[8.0, 1e6], &mut outside);
        for (end, beyond) in outside[1..5].iter().zip(&outside[6..]) {
            assert!((end - beyond).abs() < 1e-6, "{outside:?}");
        }
        assert!(outside[5] > 1e5);
    }

    #[test]
    fn equal_quantiles_make_one_piece_less_and_few_values_none() {
        // Seven zeros of ten: edges 0, 0, 0, 2.25 (interpolated) and 9.
        let skewed = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 6.0, 9.0];
        assert_eq!(encoded(NumberForm::Piecewise, 4, &skewed, 1).0.outputs(), 3);
        assert_eq!(encoded(NumberForm::Piecewise, 1, &skewed, 1).0.outputs(), 1);
        let constant = [3.0; 4];
        assert_eq!(encoded(NumberForm::Piecewise, 8, &constant, 1).0.outputs(), 1);
        assert!(NumberEncoding::fit(NumberForm::Plain, None, &constant, 1).is_none());
    }

    #[test]
    fn extreme_numbers_stay_finite() {
        let samples = [f32::MIN, -1.0, 0.0, 1e-45, 2e-45, f32::MIN_POSITIVE, 1.0, f32::MAX];
        let (_, out) = encoded(NumberForm::Piecewise, 8, &samples, 1);
        assert!(out.iter().all(|value| value.is_finite()), "{out:?}");
    }

    #[test]
    fn parts_that_no_fit_makes_are_refused() {
        let lists = || [vec![0.0; 3], vec![1.0; 3], vec![-1.0; 3], vec![1.0; 3]];
        let with = |place: usize, list: Vec<f32>| {
            let mut all = lists();
            all[place] = list;
            NumberEncoding::from_parts(NumberForm::Scaled, vec![0, 0, 1], all).unwrap_err().to_string()
        };
        NumberEncoding::from_parts(NumberForm::Scaled, vec![0, 0, 1], lists()).unwrap();
        for source in [vec![], vec![1, 1, 2], vec![0, 2, 2], vec![0, 1, 0]] {
            NumberEncoding::from_parts(NumberForm::Scaled, source, lists()).unwrap_err();
        }
        NumberEncoding::from_parts(NumberForm::Plain, vec![0, 0, 1], lists()).unwrap_err();
        assert!(with(0, vec![0.0; 2]).contains("3 sources and 2 values"));
        assert!(with(0, vec![0.0, f32::NAN, 0.0]).contains("not finite"));
        assert!(with(1, vec![1.0, 0.0, 1.0]).contains("width 0"));
        assert!(with(2, vec![2.0; 3]).contains("bound 2 is above"));
    }
}
