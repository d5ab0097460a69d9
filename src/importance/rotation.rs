//! The rotation of samples onto principal components.

use rayon::prelude::*;

use super::Standardisation;
use crate::threads;

/// Rows that one thread multiplies at a time; results depend on it in their last bits.
pub(super) const BLOCK_ROWS: usize = 2048;

/// Bytes of the blocks of centred samples that the threads of the caller's pool work on.
#[cfg(feature = "train")]
pub(super) fn block_bytes(features: usize) -> f64 {
    (threads::run(rayon::current_num_threads) * BLOCK_ROWS * features * size_of::<f32>()) as f64
}

/// `(x - mean) rotation^T` for each sample: `[sample][feature]` in, `[sample][component]` out.
///
/// `x` is standardised first, if there is a standardisation. `rotation`
/// is `[component][feature]`; lengths must fit, which the callers have checked.
pub(super) fn rotate(
    samples: &[f32],
    standardisation: Option<&Standardisation>,
    mean: &[f32],
    rotation: &[f32],
    out: &mut [f32],
) {
    let features = mean.len();
    let components = rotation.len() / features;
    let room = || (Vec::new(), Vec::new());
    let rotate = |(standardised, centred): &mut (Vec<f32>, Vec<f32>), (out, block): (&mut [f32], &[f32])| {
        match standardisation {
            Some(fitted) => {
                fitted.apply_here(block, standardised);
                centre(centred, standardised, mean);
            }
            None => centre(centred, block, mean),
        }
        multiply(rotation, features, centred, out);
    };
    threads::run(|| {
        let blocks = samples.par_chunks(BLOCK_ROWS * features);
        out.par_chunks_mut(BLOCK_ROWS * components).zip(blocks).for_each_init(room, rotate);
    });
}

/// `out = centred rotation^T`: `[component][feature]`, `[sample][feature]`, `[sample][component]`.
#[cfg(feature = "train")]
fn multiply(rotation: &[f32], features: usize, centred: &[f32], out: &mut [f32]) {
    use faer::{Accum, MatMut, MatRef, Par};

    let (components, rows) = (rotation.len() / features, centred.len() / features);
    let rotation = MatRef::from_row_major_slice(rotation, components, features);
    let centred = MatRef::from_column_major_slice(centred, features, rows);
    let out = MatMut::from_column_major_slice_mut(out, components, rows);
    crate::host::touching_little(|| {
        faer::linalg::matmul::matmul(out, Accum::Replace, rotation, centred, 1.0, Par::Seq);
    });
}

#[cfg(not(feature = "train"))]
use multiply_plainly as multiply;

/// As `multiply`, without a matrix crate: slower, with different last bits.
#[cfg(any(test, not(feature = "train")))]
fn multiply_plainly(rotation: &[f32], features: usize, centred: &[f32], out: &mut [f32]) {
    let components = rotation.len() / features;
    for (sample, out) in centred.chunks_exact(features).zip(out.chunks_exact_mut(components)) {
        for (out, component) in out.iter_mut().zip(rotation.chunks_exact(features)) {
            *out = dot(component, sample);
        }
    }
}

/// The sum of products, in 16 parallel sums, which the compiler vectorises.
#[cfg(any(test, not(feature = "train")))]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut sums = [0.0_f32; 16];
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Replaces `centred` by the rows of `block` minus `mean`.
pub(super) fn centre(centred: &mut Vec<f32>, block: &[f32], mean: &[f32]) {
    centred.clear();
    centred.reserve_exact(block.len());
    for row in block.chunks_exact(mean.len()) {
        centred.extend(row.iter().zip(mean).map(|(value, mean)| value - mean));
    }
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;

    #[test]
    fn both_products_are_within_rounding_of_the_exact_one() {
        for (components, features, rows) in [(1, 1, 1), (3, 15, 2), (5, 16, 3), (40, 33, 7)] {
            let values = |count: usize, factor: usize| -> Vec<f32> {
                (0..count).map(|k| ((k * factor % 101) as f32) / 50.0 - 1.0).collect()
            };
            let (rotation, samples) = (values(components * features, 37), values(rows * features, 59));
            let mut outs = [vec![f32::NAN; rows * components], vec![f32::NAN; rows * components]];
            multiply(&rotation, features, &samples, &mut outs[0]);
            multiply_plainly(&rotation, features, &samples, &mut outs[1]);
            for (place, pair) in outs[0].iter().zip(&outs[1]).enumerate() {
                let (sample, component) = (place / components, place % components);
                let sample = &samples[sample * features..][..features];
                let products = rotation[component * features..][..features].iter().zip(sample);
                let products = products.map(|(a, b)| f64::from(*a) * f64::from(*b));
                let (exact, magnitude) =
                    products.fold((0.0, 0.0), |(sum, all): (f64, f64), p| (sum + p, all + p.abs()));
                let bound = (features as f64 + 2.0) * f64::from(f32::EPSILON) * magnitude;
                for got in [pair.0, pair.1] {
                    assert!((f64::from(*got) - exact).abs() <= bound, "{got} at {place}, expected {exact}");
                }
            }
        }
    }
}
