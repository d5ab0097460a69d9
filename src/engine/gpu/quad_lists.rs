//! The order of values on the device, and the lists of quads.
//!
//! Up to 4 consecutive neurons that one invocation owns, a quad, have one list. Entry `k` of it has a place for each of
//! them, for its edge number `k`: one vector of values and one of rows instead of 4 of each. Where a neuron has fewer
//! edges than another of its quad, its places are empty: their value is always 0.
//!
//! All values are in one buffer. First the micro-blocks, as in the layout; then the sparse ones, numbered by quads of
//! outputs, entry by entry. The biases follow, filled up to a whole vector, and a last vector of zeros that
//! empty places of the lists by input refer to.

use std::ops::Range;

use crate::engine::layout::{NetworkLayout, PackedValues};
use crate::tiles::{QUAD, index_of};
use crate::topology::Partition;
use crate::{Error, Result};

/// A place of an entry that no edge has.
const EMPTY: u32 = u32::MAX;

/// One entry of a quad's list, its edges as numbers; [`EMPTY`] without an edge.
type QuadEntry = [u32; QUAD];

/// The places of values and biases on the device.
#[derive(Debug)]
pub(super) struct ValueOrder {
    /// Number of values of micro-blocks, which come first.
    dense: usize,
    /// Place of each sparse value, then of each bias, in the order of [`NetworkLayout`].
    place: Vec<u32>,
    /// Number of entries of all lists of outputs.
    entries: usize,
    len: usize,
}

/// The lists of quads of one direction.
#[derive(Debug, Default)]
pub(super) struct QuadLists {
    /// First entry of each quad, then the number of entries.
    pub(super) start: Vec<u32>,
    entries: Vec<QuadEntry>,
}

/// The quads of a block of neurons.
pub(super) fn quads_of(block: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = block.end;
    block.step_by(QUAD).map(move |first| first..end.min(first + QUAD))
}

impl QuadLists {
    /// Adds the quads of a layer, given where the list of each neuron begins among the layer's; numbers grow by `first`.
    pub(super) fn add(&mut self, neurons: &Partition, starts: &[u32], first: u32) {
        for quad in neurons.blocks().flat_map(quads_of) {
            let length = |neuron: usize| starts[neuron + 1] - starts[neuron];
            self.start.push(index_of(self.entries.len()));
            let longest = quad.clone().map(length).max().unwrap_or(0);
            self.entries.extend((0..longest).map(|k| {
                let mut entry = [EMPTY; QUAD];
                for (place, neuron) in entry.iter_mut().zip(quad.clone()) {
                    if k < length(neuron) {
                        *place = first + starts[neuron] + k;
                    }
                }
                entry
            }));
        }
    }

    /// Ends the last list.
    pub(super) fn end(&mut self) {
        self.start.push(index_of(self.entries.len()));
    }

    /// The result of `of` for each edge of each entry; empty places get that of the entry's first edge, or `empty`.
    pub(super) fn each(&self, empty: Option<u32>, of: impl Fn(usize) -> u32) -> Vec<QuadEntry> {
        let entry = |entry: &QuadEntry| {
            let there = entry.iter().find(|edge| **edge != EMPTY).map_or(0, |edge| of(*edge as usize));
            entry.map(|edge| if edge == EMPTY { empty.unwrap_or(there) } else { of(edge as usize) })
        };
        self.entries.iter().map(entry).collect()
    }

    /// A bit for each place of each entry that has an edge.
    pub(super) fn masks(&self) -> Vec<u32> {
        let mask = |entry: &QuadEntry| (0..QUAD).map(|k| u32::from(entry[k] != EMPTY) << k).sum();
        self.entries.iter().map(mask).collect()
    }
}

impl ValueOrder {
    /// The order of the lists of outputs.
    pub(super) fn new(layout: &NetworkLayout, outputs: &QuadLists) -> Result<Self> {
        let (dense, entries) = (layout.dense_len(), outputs.entries.len());
        let first_bias = dense + QUAD * entries;
        let biases = layout.sparse_len() - layout.first_bias();
        let len = first_bias + QUAD * (biases.div_ceil(QUAD) + 1);
        if u32::try_from(len).is_err() {
            return Err(Error::Network(format!(
                "{len} values of weights are more than kernels can address: take a smaller network, or the CPU engine"
            )));
        }
        let mut place = vec![0; layout.sparse_len()];
        for (k, entry) in outputs.entries.iter().enumerate() {
            for (lane, edge) in entry.iter().enumerate().filter(|(_, edge)| **edge != EMPTY) {
                place[*edge as usize] = index_of(dense + QUAD * k + lane);
            }
        }
        for (bias, place) in place[layout.first_bias()..].iter_mut().enumerate() {
            *place = index_of(first_bias + bias);
        }
        Ok(Self { dense, place, entries, len })
    }

    /// Place of a value of the layout, the dense ones followed by the sparse ones.
    pub(super) fn place(&self, value: usize) -> u32 {
        value.checked_sub(self.dense).map_or_else(|| index_of(value), |sparse| self.place[sparse])
    }

    /// Places of all, empty ones included; a multiple of 4.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Number of the first entry's vector.
    pub(super) fn first_entry(&self) -> usize {
        self.dense / QUAD
    }

    /// Place of the first bias.
    pub(super) fn first_bias(&self) -> usize {
        self.dense + QUAD * self.entries
    }

    /// A place that is always 0.
    pub(super) fn zero(&self) -> u32 {
        index_of(self.len - QUAD)
    }

    /// Dense and sparse values of the layout in this order; `empty` if there is none.
    pub(super) fn ordered<T: Copy>(&self, dense: &[T], sparse: &[T], empty: T) -> Vec<T> {
        let mut ordered = Vec::with_capacity(self.len);
        ordered.extend_from_slice(dense);
        ordered.resize(self.len, empty);
        self.place.iter().zip(sparse).for_each(|(place, value)| ordered[*place as usize] = *value);
        ordered
    }

    /// The inverse of [`ValueOrder::ordered`].
    pub(super) fn unordered(&self, mut ordered: Vec<f32>) -> PackedValues {
        let sparse = self.place.iter().map(|place| ordered[*place as usize]).collect();
        ordered.truncate(self.dense);
        PackedValues { dense: ordered, sparse }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_a_quad_are_as_long_as_the_longest_and_lose_nothing() {
        // Blocks of 5 and 1 neurons: quads of 4, 1 and 1.
        let neurons = Partition::from_bounds(vec![0, 5, 6]).unwrap();
        let mut lists = QuadLists::default();
        lists.add(&neurons, &[0, 2, 2, 5, 6, 6, 8], 10);
        lists.end();
        assert_eq!(lists.start, [0, 3, 3, 5]);
        let twice = lists.each(Some(7), |edge| 2 * index_of(edge));
        let of_first = [[20, 7, 24, 30], [22, 7, 26, 7], [7, 7, 28, 7]];
        assert_eq!(twice, [&of_first[..], &[[32, 7, 7, 7], [34, 7, 7, 7]]].concat());
        assert_eq!(lists.each(None, index_of)[1], [11, 11, 13, 11]);
        assert_eq!(lists.masks(), [0b1101, 0b0101, 0b0100, 1, 1]);
    }
}
