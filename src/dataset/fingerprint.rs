//! A fast fingerprint, to detect changed data.

use rayon::prelude::*;

use super::Dataset;
use crate::threads;

/// Values per task; part of the definition of the fingerprint.
const PIECE: usize = 1 << 16;
/// An odd number without pattern (2^64 over the golden ratio), as in Fibonacci hashing.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// 16 hexadecimal digits that differ, except with a probability of 1 in 2^64, if shapes, features, labels, targets,
/// weights or their order differ.
///
/// It finds accidents, such as a changed file; it is not a defence against forgery, for which there is
/// `Dataset::digest`, an order of magnitude slower.
#[must_use]
pub fn fingerprint(data: &Dataset) -> String {
    let features = data.features().par_chunks(PIECE).map(|piece| lanes(piece, |v| v.to_bits().into()));
    let labels = data.labels().par_chunks(PIECE).map(|piece| lanes(piece, u64::from));
    let numbers = [data.targets().values(), data.weights().unwrap_or_default()];
    let numbers = numbers.par_iter().flat_map(|values| values.par_chunks(PIECE));
    let numbers = numbers.map(|piece| lanes(piece, |v| v.to_bits().into()));
    let pieces: Vec<u64> = threads::run(|| features.chain(labels).chain(numbers).collect());
    let shape = [data.samples(), data.feature_count(), data.targets().outputs()];
    let all = shape.into_iter().map(|size| size as u64).chain(pieces);
    format!("{:016x}", all.fold(FACTOR, join))
}

/// One step of the hash: every bit of both numbers reaches the upper half of a product, which is folded back.
fn join(hash: u64, value: u64) -> u64 {
    let product = u128::from(hash ^ value ^ FACTOR) * u128::from(FACTOR.rotate_left(23) | 1);
    let (low, high) = (product & u128::from(u64::MAX), product >> 64);
    u64::try_from(low ^ high).unwrap_or(0).wrapping_add(hash.rotate_left(29))
}

/// Eight independent parallel hashes, each of two values at a time, combined at the end.
fn lanes<T: Copy>(values: &[T], bits: impl Fn(T) -> u64) -> u64 {
    let (whole, rest) = values.as_chunks::<16>();
    let mut hashes = [FACTOR; 8];
    for chunk in whole {
        for (lane, hash) in hashes.iter_mut().enumerate() {
            let pair = (bits(chunk[lane]) << 32) | bits(chunk[lane + 8]);
            // Multiplication by an odd number and rotation lose nothing.
            *hash = (*hash ^ pair).wrapping_mul(FACTOR).rotate_left(31);
        }
    }
    let rest = rest.iter().map(|value| bits(*value));
    rest.chain(hashes).fold(values.len() as u64, join)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threads::Threads;

    fn data(change: impl FnOnce(&mut Vec<f32>, &mut Vec<u32>)) -> String {
        let mut features: Vec<f32> = (0u16..30_000).map(|k| f32::from(k % 251)).collect();
        let mut labels: Vec<u32> = (0..10_000).map(|k| k % 10).collect();
        change(&mut features, &mut labels);
        fingerprint(&Dataset::new(features, 3, labels, 10).unwrap())
    }

    #[test]
    fn every_change_shows() {
        let plain = data(|_, _| {});
        assert_eq!((plain.len(), &plain), (16, &data(|_, _| {})));
        let all = [
            plain,
            data(|features, _| features[29_999] += 1.0),
            data(|features, _| features[0] = -0.0),
            data(|features, _| features.swap(8, 17)),
            data(|features, _| features.swap(8, 16)),
            data(|features, _| features.rotate_left(3)),
            data(|_, labels| labels[9_999] = 0),
            data(|_, labels| labels.swap(0, 1)),
            data(|features, labels| {
                features.truncate(29_997);
                labels.truncate(9_999);
            }),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len(), "{all:?}");
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let on = |threads| {
            let pool = Threads::new(Some(threads)).unwrap();
            pool.install(|| data(|features, _| features[77] = 3.5))
        };
        assert_eq!(on(1), on(3));
    }
}
