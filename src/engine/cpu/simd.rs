//! Which vector instructions a kernel is compiled for, chosen at run time.

use pulp::{Arch, Simd, WithSimd};

use super::row::{LANES, Row};
use crate::tiles::QUAD;

/// A row as vectors: `P` parts of `W` vectors each. The sums of 4 rows' parts fit the vector registers together.
pub(super) type Parts<V, const W: usize, const P: usize> = [[V; W]; P];

/// A kernel written once for all vector widths: a [`Row`] is [`Parts`] of `S::f32s`.
pub(super) trait Kernel {
    type Output;

    /// The body; must be `#[inline(always)]`, so that it is compiled for `S`.
    fn run<S: Simd, const W: usize, const P: usize>(self, simd: S) -> Self::Output;
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
            16 => self.0.run::<S, 2, { LANES / 32 }>(simd),
            8 => self.0.run::<S, 2, { LANES / 16 }>(simd),
            4 => self.0.run::<S, 4, { LANES / 16 }>(simd),
            1 => self.0.run::<S, 8, { LANES / 8 }>(simd),
            other => unreachable!("no vector unit has {other} float32 lanes"),
        }
    }
}

/// Rows as vectors.
#[inline(always)]
pub(super) fn vectors<S: Simd, const W: usize, const P: usize>(rows: &[Row]) -> &[Parts<S::f32s, W, P>] {
    bytemuck::cast_slice(rows)
}

/// Rows as vectors, to write.
#[inline(always)]
pub(super) fn vectors_mut<S: Simd, const W: usize, const P: usize>(
    rows: &mut [Row],
) -> &mut [Parts<S::f32s, W, P>] {
    bytemuck::cast_slice_mut(rows)
}

/// `sums[j] += weight(j) * x` for 4 sums.
#[inline(always)]
pub(super) fn add_scaled<S: Simd, const W: usize>(
    simd: S,
    sums: &mut [[S::f32s; W]; QUAD],
    weight: impl Fn(usize) -> f32,
    x: &[S::f32s; W],
) {
    for (j, sum) in sums.iter_mut().enumerate() {
        let weight = simd.splat_f32s(weight(j));
        for (sum, x) in sum.iter_mut().zip(x) {
            *sum = simd.mul_add_e_f32s(weight, *x, *sum);
        }
    }
}

/// `sum += weight(k) * rows[places[k]]` over a list, every other entry into a second sum, so that
/// two chains of additions run side by side.
#[inline(always)]
pub(super) fn add_listed<S: Simd, const W: usize, const P: usize>(
    simd: S,
    sum: &mut Parts<S::f32s, W, P>,
    places: &[u32],
    weight: impl Fn(usize) -> f32,
    rows: &[Parts<S::f32s, W, P>],
) {
    let add = |sum: &mut Parts<S::f32s, W, P>, k: usize, place: u32| {
        let (weight, row) = (simd.splat_f32s(weight(k)), &rows[place as usize]);
        for part in 0..P {
            for w in 0..W {
                sum[part][w] = simd.mul_add_e_f32s(weight, row[part][w], sum[part][w]);
            }
        }
    };
    let mut sums = [*sum, [[simd.splat_f32s(0.0); W]; P]];
    let (pairs, rest) = places.as_chunks::<2>();
    for (k, pair) in pairs.iter().enumerate() {
        add(&mut sums[0], 2 * k, pair[0]);
        add(&mut sums[1], 2 * k + 1, pair[1]);
    }
    if let [last] = rest {
        add(&mut sums[0], places.len() - 1, *last);
    }
    for part in 0..P {
        for w in 0..W {
            sum[part][w] = simd.add_f32s(sums[0][part][w], sums[1][part][w]);
        }
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
