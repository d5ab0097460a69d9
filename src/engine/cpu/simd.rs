//! Vector instructions, chosen at run time.

use std::sync::atomic::{AtomicBool, Ordering};

use pulp::{Arch, Simd, WithSimd};

use super::row::{LANES, Row};

/// A row as vectors: `P` parts of `W` vectors each. The sums of 4 rows' parts fit the vector registers together.
pub(super) type Parts<V, const W: usize, const P: usize> = [[V; W]; P];

/// A kernel written once for all vector widths: a [`Row`] is [`Parts`] of `S::f32s`.
pub(super) trait Kernel {
    type Output;

    /// The body; must be `#[inline(always)]`, so that it is compiled for `S`.
    fn run<S: Simd, const W: usize, const P: usize>(self, simd: S) -> Self::Output;
}

/// How a long kernel runs: with which vector instructions, and its stop flag.
#[derive(Clone, Copy, Debug)]
pub struct KernelRun<'a> {
    pub(super) arch: Arch,
    /// Ends the kernel early once true; its output is then invalid.
    pub(super) stop: &'a AtomicBool,
}

/// A flag that is never set.
pub(super) static NEVER: AtomicBool = AtomicBool::new(false);

impl From<Arch> for KernelRun<'_> {
    fn from(arch: Arch) -> Self {
        Self { arch, stop: &NEVER }
    }
}

impl KernelRun<'_> {
    #[inline(always)]
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
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
