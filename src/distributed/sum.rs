//! Sums of arrays over all ranks: recursive halving, then doubling (Rabenseifner, "Optimization of Collective Reduction
//! Operations", ICCS 2004).

use std::ops::{AddAssign, Range};

use bytemuck::{Pod, cast_slice, cast_slice_mut};

use super::Link;
use crate::Result;

/// Replaces the values of every rank by their sums over all ranks; all must have as many.
///
/// With a power of two of ranks, each sends `2 (ranks - 1) / ranks` times the bytes of the values. Otherwise the ranks beyond the largest power of
/// two first add theirs to another rank's, and receive the result at the end.
///
/// # Errors
/// When a rank is gone.
pub fn sum<T: Pod + AddAssign>(link: &mut dyn Link, values: &mut [T]) -> Result<()> {
    let (rank, size) = (link.rank(), link.size());
    if size == 1 {
        return Ok(());
    }
    let even = even_part(size);
    if rank >= even {
        link.exchange(rank - even, cast_slice(values), &mut [])?;
        return link.exchange(rank - even, &[], cast_slice_mut(values));
    }
    let lender = Some(rank + even).filter(|lender| *lender < size);
    let mut room = vec![T::zeroed(); values.len()];
    if let Some(lender) = lender {
        link.exchange(lender, &[], cast_slice_mut(&mut room))?;
        add(values, &room);
    }
    // Halves the range whose sums this rank has, until each rank has its own.
    let (mut own, mut wholes) = (0..values.len(), Vec::new());
    let mut distance = even / 2;
    while distance > 0 {
        let partner = rank ^ distance;
        let [lower, upper] = halves(&own);
        let (keep, give) = if rank & distance == 0 { (lower, upper) } else { (upper, lower) };
        let room = &mut room[..keep.len()];
        link.exchange(partner, cast_slice(&values[give]), cast_slice_mut(room))?;
        add(&mut values[keep.clone()], room);
        wholes.push((partner, std::mem::replace(&mut own, keep)));
        distance /= 2;
    }
    // And back: each exchange doubles the range.
    for (partner, whole) in wholes.into_iter().rev() {
        let [lower, upper] = halves(&whole);
        let (first, second) = values[whole.clone()].split_at_mut(lower.len());
        let (mine, others) = if own == lower { (first, second) } else { (second, first) };
        debug_assert!(own == lower || own == upper, "one of both halves");
        link.exchange(partner, cast_slice(mine), cast_slice_mut(others))?;
        own = whole;
    }
    match lender {
        Some(lender) => link.exchange(lender, cast_slice(values), &mut []),
        None => Ok(()),
    }
}

/// Bytes that a rank sends for the sum of values of this many bytes, if each half is as large as the other.
pub fn bytes_of_sum(bytes: usize, rank: usize, size: usize) -> usize {
    let even = even_part(size);
    match rank {
        _ if size == 1 => 0,
        _ if rank >= even => bytes,
        _ if rank + even < size => 2 * (bytes - bytes / even) + bytes,
        _ => 2 * (bytes - bytes / even),
    }
}

/// The largest power of two that is not above the number of ranks.
fn even_part(size: usize) -> usize {
    1 << size.ilog2()
}

fn halves(range: &Range<usize>) -> [Range<usize>; 2] {
    let middle = range.start + range.len() / 2;
    [range.start..middle, middle..range.end]
}

fn add<T: Copy + AddAssign>(values: &mut [T], others: &[T]) {
    values.iter_mut().zip(others).for_each(|(value, other)| *value += *other);
}
