//! Elementary functions without branches or calls, so that the compiler turns a loop over lanes into vectors.
//!
//! Polynomials of Cephes (Moshier, `expf` and `tanhf`); relative error below
//! 2e-7 for exp, 4e-7 for the others. NaN stays NaN.

use crate::network::Activation;

/// `a * b + c`: rounded once if the processor does that in one instruction (`FUSED`), otherwise twice.
#[inline(always)]
pub(super) fn mul_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// `exp(x)`, with x limited to -87.3 ..= 88.
#[inline(always)]
pub fn exp<const FUSED: bool>(x: f32) -> f32 {
    /// 1.5 * 2^23: adding it rounds to a whole number, held in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.3, 88.0);
    let shifted = mul_add::<FUSED>(x, std::f32::consts::LOG2_E, ROUND);
    let whole = shifted - ROUND;
    let r = mul_add::<FUSED>(whole, -0.693_359_4, x);
    let r = mul_add::<FUSED>(whole, 2.121_944_4e-4, r);
    let p = mul_add::<FUSED>(1.987_569_1e-4, r, 1.398_2e-3);
    let p = mul_add::<FUSED>(p, r, 8.333_452e-3);
    let p = mul_add::<FUSED>(p, r, 4.166_579_6e-2);
    let p = mul_add::<FUSED>(p, r, 1.666_666_5e-1);
    let p = mul_add::<FUSED>(p, r, 5e-1);
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    (mul_add::<FUSED>(p * r, r, r) + 1.0) * power
}

/// `1 / (1 + exp(-x))`.
#[inline(always)]
pub fn sigmoid<const FUSED: bool>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<FUSED>(-x))
}

/// `tanh(x)`.
#[inline(always)]
pub fn tanh<const FUSED: bool>(x: f32) -> f32 {
    let square = x * x;
    let p = mul_add::<FUSED>(-5.704_988_5e-3, square, 2.063_909e-2);
    let p = mul_add::<FUSED>(p, square, -5.373_971_5e-2);
    let p = mul_add::<FUSED>(p, square, 1.333_144_2e-1);
    let p = mul_add::<FUSED>(p, square, -3.333_328e-1);
    let near = mul_add::<FUSED>(p * square, x, x);
    let far = 1.0 - 2.0 / (exp::<FUSED>(2.0 * x.abs()) + 1.0);
    if x.abs() < 0.625 { near } else { far.copysign(x) }
}

/// The activation function, on each of some weighted sums, in place.
#[inline(always)]
pub(super) fn activate<const FUSED: bool>(activation: Activation, sums: &mut [f32]) {
    let sums = sums.iter_mut();
    match activation {
        Activation::Identity => {}
        Activation::Sigmoid => sums.for_each(|z| *z = sigmoid::<FUSED>(*z)),
        // Written so that NaN stays NaN.
        Activation::Relu => sums.for_each(|z| *z = if *z < 0.0 { 0.0 } else { *z }),
        Activation::Tanh => sums.for_each(|z| *z = tanh::<FUSED>(*z)),
    }
}

#[cfg(test)]
mod tests {
    fn worst(f: fn(f32) -> f32, exact: fn(f64) -> f64, from: f32, to: f32) -> f64 {
        let steps = 200_000;
        let at = |k: i32| from + (to - from) * k as f32 / steps as f32;
        let error = |x: f32| ((f64::from(f(x)) - exact(f64::from(x))) / exact(f64::from(x))).abs();
        (0..=steps).map(at).filter(|x| *x != 0.0).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn errors_are_as_small_as_documented() {
        check_errors::<false>();
        check_errors::<true>();
    }

    fn check_errors<const FUSED: bool>() {
        assert!(worst(super::exp::<FUSED>, f64::exp, -87.0, 87.9) < 2e-7);
        assert!(worst(super::sigmoid::<FUSED>, |x| 1.0 / (1.0 + (-x).exp()), -80.0, 80.0) < 4e-7);
        assert!(worst(super::tanh::<FUSED>, f64::tanh, -20.0, 20.0) < 4e-7);
        assert!(worst(super::tanh::<FUSED>, f64::tanh, -1e-3, 1e-3) < 4e-7);
    }

    #[test]
    fn extremes_saturate_and_nan_stays() {
        check_extremes::<false>();
        check_extremes::<true>();
    }

    fn check_extremes<const FUSED: bool>() {
        for (x, sigmoid) in [(f32::INFINITY, 1.0), (1e30, 1.0), (f32::NEG_INFINITY, 0.0)] {
            assert!((super::sigmoid::<FUSED>(x) - sigmoid).abs() < 1e-37, "{x}");
            assert!((super::tanh::<FUSED>(x) - x.signum()).abs() < 1e-37, "{x}");
        }
        for f in [super::exp::<FUSED>, super::sigmoid::<FUSED>, super::tanh::<FUSED>] {
            assert!(f(f32::NAN).is_nan());
        }
        assert_eq!(super::tanh::<FUSED>(0.0), 0.0);
    }
}
