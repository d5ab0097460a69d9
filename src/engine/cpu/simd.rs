//! Which vector instructions a kernel is compiled for, chosen at run time.

use pulp::{Arch, Simd, WithSimd};

use super::row::{LANES, Row};

/// A kernel written once for all vector widths: a [`Row`] is `V` vectors of `S`.
pub(super) trait Kernel {
    type Output;

    /// The body; must be `#[inline(always)]`, so that it is compiled for `S`.
    fn run<S: Simd, const V: usize>(self, simd: S) -> Self::Output;
}

/// Runs a kernel with the vector instructions of `arch`.
pub(super) fn dispatch<K: Kernel>(arch: Arch, kernel: K) -> K::Output {
    arch.dispatch(Widths(kernel))
}

struct Widths<K>(K);

impl<K: Kernel> WithSimd for Widths<K> {
    type Output = K::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> K::Output {
        match S::F32_LANES {
            16 => self.0.run::<S, { LANES / 16 }>(simd),
            8 => self.0.run::<S, { LANES / 8 }>(simd),
            4 => self.0.run::<S, { LANES / 4 }>(simd),
            1 => self.0.run::<S, LANES>(simd),
            other => unreachable!("no vector unit has {other} float32 lanes"),
        }
    }
}

/// Rows of this many vectors whose sums fit the vector registers together: 4 or 2, which divide a quad.
#[inline(always)]
pub(super) const fn rows_together(vectors: usize) -> usize {
    if vectors <= 2 { 4 } else { 2 }
}

/// Rows as vectors.
#[inline(always)]
pub(super) fn vectors<S: Simd, const V: usize>(rows: &[Row]) -> &[[S::f32s; V]] {
    bytemuck::cast_slice(rows)
}

/// Rows as vectors, to write.
#[inline(always)]
pub(super) fn vectors_mut<S: Simd, const V: usize>(rows: &mut [Row]) -> &mut [[S::f32s; V]] {
    bytemuck::cast_slice_mut(rows)
}

/// `sum += factor * x`.
#[inline(always)]
pub(super) fn add_scaled<S: Simd, const V: usize>(
    simd: S,
    sum: &mut [S::f32s; V],
    factor: f32,
    x: &[S::f32s; V],
) {
    let factor = simd.splat_f32s(factor);
    for v in 0..V {
        sum[v] = simd.mul_add_e_f32s(factor, x[v], sum[v]);
    }
}

/// The kinds of vector instructions this processor has, the best one last.
pub fn available() -> Vec<Arch> {
    let mut kinds = vec![Arch::Scalar];
    #[cfg(target_arch = "x86_64")]
    kinds.extend(pulp::x86::V3::try_new().map(Arch::V3));
    #[cfg(target_arch = "x86_64")]
    kinds.extend(pulp::x86::V4::try_new().map(Arch::V4));
    #[cfg(not(target_arch = "x86_64"))]
    kinds.push(Arch::new());
    kinds
}

/// A name of the vector instructions, for people to read.
pub(super) fn name(arch: Arch) -> &'static str {
    match arch {
        Arch::Scalar => "baseline instructions",
        #[cfg(target_arch = "x86_64")]
        Arch::V3(_) => "AVX2",
        #[cfg(target_arch = "x86_64")]
        Arch::V4(_) => "AVX-512",
        _ => "vector instructions",
    }
}
