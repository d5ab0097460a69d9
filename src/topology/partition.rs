//! The cut of one layer of neurons into consecutive blocks.

use std::ops::Range;

use crate::{Error, Result};

/// Consecutive, non-empty blocks that cover the neurons `0..width` of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// First neuron of each block, then the width: `[blocks + 1]`, strictly increasing from 0.
    bounds: Vec<u32>,
}

impl Partition {
    /// Cuts `width` neurons into `blocks` blocks whose sizes differ by at most
    /// one; the first `width % blocks` blocks have the extra neuron.
    ///
    /// # Errors
    /// Refuses no blocks, more blocks than neurons, and widths beyond `u32`.
    pub fn even(width: usize, blocks: usize) -> Result<Self> {
        if blocks == 0 || blocks > width {
            return Err(Error::Topology(format!(
                "cannot cut {width} neurons into {blocks} blocks: the number of blocks must be 1 to {width}"
            )));
        }
        check_width(width)?;
        let (size, extra) = (width / blocks, width % blocks);
        Self::from_bounds((0..=blocks).map(|block| block * size + block.min(extra)))
    }

    /// One block of all `width` neurons.
    ///
    /// # Errors
    /// Refuses a width of 0 and widths beyond `u32`.
    pub fn whole(width: usize) -> Result<Self> {
        if width == 0 {
            return Err(Error::Topology("a layer needs at least 1 neuron, got 0".into()));
        }
        Self::from_bounds([0, width])
    }

    /// Takes the first neuron of each block, followed by the width.
    ///
    /// # Errors
    /// Refuses bounds that do not start at 0 or do not strictly increase, and widths beyond `u32`.
    pub fn from_bounds(bounds: impl IntoIterator<Item = usize>) -> Result<Self> {
        let bounds: Vec<usize> = bounds.into_iter().collect();
        let refuse = |found: String| {
            let rule = "block bounds must start at 0 and strictly increase";
            Err(Error::Topology(format!("{rule}, got {found}")))
        };
        if bounds.len() < 2 || bounds[0] != 0 {
            return refuse(format!("{} of them, the first {:?}", bounds.len(), bounds.first()));
        }
        if let Some(pair) = bounds.windows(2).find(|pair| pair[0] >= pair[1]) {
            return refuse(format!("{} then {}", pair[0], pair[1]));
        }
        check_width(bounds[bounds.len() - 1])?;
        let narrow = |bound| u32::try_from(bound).expect("no bound is above the width, which was checked");
        let bounds = bounds.into_iter().map(narrow).collect();
        Ok(Self { bounds })
    }

    /// Number of blocks.
    #[expect(clippy::len_without_is_empty, reason = "a partition is never empty")]
    #[doc(hidden)]
    pub fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    /// Number of neurons.
    pub fn width(&self) -> usize {
        self.bounds[self.len()] as usize
    }
}

#[doc(hidden)]
impl Partition {
    /// The neurons of one block.
    pub fn block(&self, block: usize) -> Range<usize> {
        self.bounds[block] as usize..self.bounds[block + 1] as usize
    }

    /// The blocks in order.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = Range<usize>> {
        (0..self.len()).map(|block| self.block(block))
    }

    /// The block that a neuron is in.
    pub fn block_of(&self, neuron: usize) -> usize {
        self.bounds.partition_point(|bound| *bound as usize <= neuron) - 1
    }

    /// First neuron of each block, then the width: `[blocks + 1]`.
    pub(crate) fn bounds(&self) -> &[u32] {
        &self.bounds
    }
}

/// Maximum number of neurons of a layer: they are numbered by `u32`, and some buffers hold a few values for each.
pub(crate) const MAX_WIDTH: usize = (u32::MAX / 4) as usize;

fn check_width(width: usize) -> Result<()> {
    if width > MAX_WIDTH {
        return Err(Error::Topology(format!(
            "a layer of {width} neurons is too wide, the limit is {MAX_WIDTH}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uneven_widths_differ_by_at_most_one() {
        let partition = Partition::even(10, 4).unwrap();
        let sizes: Vec<_> = partition.blocks().map(|block| block.len()).collect();
        assert_eq!(sizes, [3, 3, 2, 2]);
        assert_eq!(
            (0..10).map(|n| partition.block_of(n)).collect::<Vec<_>>(),
            [0, 0, 0, 1, 1, 1, 2, 2, 3, 3]
        );
        assert_eq!(partition.width(), 10);
    }

    #[test]
    fn impossible_cuts_are_refused() {
        for (width, blocks) in [(0, 0), (0, 1), (3, 0), (3, 4), (usize::MAX, 2)] {
            assert!(Partition::even(width, blocks).is_err(), "{width} in {blocks}");
        }
        assert!(Partition::whole(0).is_err());
        for bounds in [vec![], vec![0], vec![1, 2], vec![0, 2, 2], vec![0, 3, 2]] {
            assert!(Partition::from_bounds(bounds.clone()).is_err(), "{bounds:?}");
        }
    }
}
