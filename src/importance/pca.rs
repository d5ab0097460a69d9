//! Principal component analysis: the covariance, its eigenvectors, the rotation onto them.
//!
//! `C = 1/n sum_s (x_s - mean)(x_s - mean)^T`, eigenvectors of C by falling
//! eigenvalue (Jolliffe, Principal Component Analysis, 2002, chapter 1).
//!
//! Work is cut into blocks of a fixed number of rows, each is multiplied by one
//! thread in f32, and the block results are added in f64 in the order of the
//! blocks. So the bits do not depend on the number of threads.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::moments::{column_means, narrow};
use super::rotation::{BLOCK_ROWS, block_bytes, centre};
use super::{Order, Transform};
use crate::{Error, Result, host, threads};

/// The covariance of this many features takes 2 GiB in f64.
const MAX_FEATURES: usize = 16_384;
/// Maximum number of f32 in block results that wait to be added; results do not depend on it.
const WAITING_NUMBERS: usize = 1 << 27;

/// Fits mean, components and variances of `[sample][feature]`.
pub(super) fn fit(train: &[f32], features: usize, order: Order) -> Result<Transform> {
    let samples = train.len() / features;
    if samples < 2 {
        return Err(Error::Importance(format!(
            "PCA of {samples} sample, at least 2 are needed (or no importance)"
        )));
    }
    if features > MAX_FEATURES {
        return Err(Error::Importance(format!(
            "PCA of {features} features, at most {MAX_FEATURES} are possible; use importance `none`"
        )));
    }
    // Two matrices in f64 and the memory of the decomposition, and one product for each block.
    let matrix = (features * features) as f64;
    let products = samples.div_ceil(BLOCK_ROWS).min(wave(features)) as f64;
    host::require_products(
        &format!("the covariance of {features} features"),
        matrix * (4.0 * 8.0 + 4.0 * products) + block_bytes(features),
    )?;
    let mean: Vec<f32> = column_means(train, features).into_iter().map(narrow).collect();
    let covariance = threads::run(|| covariance(train, &mean));
    // Only the lower triangle is filled.
    let finite = (0..features).all(|c| (c..features).all(|row| covariance[(row, c)].is_finite()));
    if !finite {
        return Err(Error::Importance(
            "PCA: the covariance overflows f32, scale the features down first".to_owned(),
        ));
    }
    let (variances, axes) = eigenvectors(&covariance)?;
    // Stable, so that equal variances keep the order of the decomposition.
    let mut ranking: Vec<usize> = (0..features).collect();
    ranking.sort_by(|&a, &b| variances[b].total_cmp(&variances[a]));
    // Centred samples span at most samples - 1 directions; the rest is rounding.
    let rank = features.min(samples - 1);
    let mut explained_variance: Vec<f64> = ranking.iter().map(|&axis| variances[axis].max(0.0)).collect();
    explained_variance[rank..].fill(0.0);
    if order == Order::Ascending {
        ranking.reverse();
        explained_variance.reverse();
    }
    let mut rotation = Vec::with_capacity(features * features);
    for &axis in &ranking {
        let loadings = axes.col_as_slice(axis);
        let sign = sign_of_largest(loadings);
        rotation.extend(loadings.iter().map(|&loading| narrow(sign * loading)));
    }
    let explained_variance = explained_variance.into_iter().map(narrow).collect();
    Ok(Transform::Rotation { mean, rotation, explained_variance })
}

/// Blocks whose products wait to be added.
fn wave(features: usize) -> usize {
    (WAITING_NUMBERS / (features * features)).clamp(1, 64)
}

/// Lower triangle of the covariance around `mean`; above the diagonal it is 0.
fn covariance(samples: &[f32], mean: &[f32]) -> Mat<f64> {
    let features = mean.len();
    let rows = samples.len() / features;
    let blocks: Vec<&[f32]> = samples.chunks(BLOCK_ROWS * features).collect();
    let wave = wave(features);
    let mut sums = vec![0.0_f64; features * features];
    for blocks in blocks.chunks(wave) {
        let products: Vec<Vec<f32>> =
            blocks.par_iter().map_init(Vec::new, |centred, block| gram(centred, block, mean)).collect();
        sums.par_chunks_mut(features).enumerate().for_each(|(column, sums)| {
            for product in &products {
                let product = &product[column * features..][..features];
                sums.iter_mut().zip(product).for_each(|(sum, &value)| *sum += f64::from(value));
            }
        });
    }
    #[expect(clippy::cast_precision_loss, reason = "sample counts are far below 2^52")]
    let count = rows as f64;
    Mat::from_fn(features, features, |row, column| sums[column * features + row] / count)
}

/// Lower triangle of `X^T X` for the centred rows of one block, column-major.
fn gram(centred: &mut Vec<f32>, block: &[f32], mean: &[f32]) -> Vec<f32> {
    centre(centred, block, mean);
    let features = mean.len();
    let rows = MatRef::from_row_major_slice(centred.as_slice(), block.len() / features, features);
    let mut product = vec![0.0; features * features];
    host::touching_little(|| {
        triangular::matmul(
            MatMut::from_column_major_slice_mut(&mut product, features, features),
            BlockStructure::TriangularLower,
            Accum::Replace,
            rows.transpose(),
            BlockStructure::Rectangular,
            rows,
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
    });
    product
}

/// Eigenvalues of the matrix with this lower triangle, and the eigenvectors as columns.
fn eigenvectors(matrix: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>)> {
    let size = matrix.nrows();
    let mut values = Diag::<f64>::zeros(size);
    let mut vectors = Mat::<f64>::zeros(size, size);
    let scratch =
        self_adjoint_evd_scratch::<f64>(size, ComputeEigenvectors::Yes, Par::Seq, Default::default());
    let mut memory = MemBuffer::new(scratch);
    host::touching_little(|| {
        self_adjoint_evd(
            matrix.as_ref(),
            values.as_mut(),
            Some(vectors.as_mut()),
            Par::Seq,
            MemStack::new(&mut memory),
            Default::default(),
        )
    })
    .map_err(|error| {
        Error::Importance(format!("PCA: no eigenvectors of the covariance found ({error:?})"))
    })?;
    Ok((values.column_vector().iter().copied().collect(), vectors))
}

/// 1, or -1 when the loading of the largest magnitude (the first of equals) is negative.
fn sign_of_largest(loadings: &[f64]) -> f64 {
    let largest = loadings.iter().fold(
        0.0_f64,
        |best, &loading| {
            if loading.abs() > best.abs() { loading } else { best }
        },
    );
    if largest < 0.0 { -1.0 } else { 1.0 }
}
