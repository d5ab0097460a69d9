//! How many invocations share one sum, in each kernel that sums.
//!
//! A share is part of the text that a pipeline is made of. Sums are added up in
//! another order under another share: results differ in their last bits, and so
//! the shares of a run are data, to be recorded and given again.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result, Setting};

/// Invocations that share one sum, a power of two up to 32, and how many sums each of them has a share of: one, or the same
/// neuron's for two columns of 4 samples. Twins: `SHARE` and `SPAN` in `shaders/common/sharing.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share {
    invocations: u32,
    span: u32,
}

impl Share {
    /// Each invocation has sums of its own.
    pub const ONE: Self = Self::single(1);
    /// Every share of one sum, rising.
    pub const SINGLE: [Self; 6] =
        [Self::ONE, Self::single(2), Self::single(4), Self::single(8), Self::single(16), Self::single(32)];
    /// Every share, rising.
    pub const ALL: [Self; 10] = [
        Self::ONE,
        Self::double(1),
        Self::single(2),
        Self::double(2),
        Self::single(4),
        Self::double(4),
        Self::single(8),
        Self::double(8),
        Self::single(16),
        Self::single(32),
    ];

    const fn single(invocations: u32) -> Self {
        Self { invocations, span: 1 }
    }

    const fn double(invocations: u32) -> Self {
        Self { invocations, span: 2 }
    }

    /// The same for kernels whose invocations own one column.
    #[must_use]
    pub const fn of_one_column(self) -> Self {
        Self::single(self.invocations)
    }

    /// The share of so many invocations.
    ///
    /// # Errors
    /// [`Error::Setting`] when it is none of [`Share::ALL`].
    pub fn new(invocations: u32) -> Result<Self> {
        Self::SINGLE.into_iter().find(|share| share.invocations == invocations).ok_or_else(|| {
            let limit = "it must be 1, 2, 4, 8, 16 or 32";
            Error::setting(Setting::GpuKernels, format!("a share of {invocations} is impossible, {limit}"))
        })
    }

    /// Number of invocations.
    pub const fn get(self) -> u32 {
        self.invocations
    }

    /// Columns of 4 samples that an invocation owns.
    pub const fn span(self) -> u32 {
        self.span
    }

    /// Columns of 4 samples whose logits one workgroup makes. Twin: `COLUMNS` in `shaders/softmax_cross_entropy.wgsl`.
    pub const fn columns(self) -> u32 {
        64 / self.invocations
    }

    /// The largest share up to `most`.
    fn at_most(most: u64) -> Self {
        Self::SINGLE.into_iter().rfind(|share| u64::from(share.invocations) <= most).unwrap_or(Self::ONE)
    }

    /// The smallest share, up to `most`, with which `items` make at least `wanted` invocations.
    fn reaching(wanted: u64, items: u64, most: Self) -> Self {
        let enough = |share: &Self| *share == most || u64::from(share.invocations) * items >= wanted;
        Self::SINGLE.into_iter().find(enough).unwrap_or(most)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.span {
            1 => write!(f, "{}", self.invocations),
            span => write!(f, "{}x{span}", self.invocations),
        }
    }
}

impl FromStr for Share {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|share| share.to_string() == text);
        found.ok_or_else(|| {
            let limit = "it must be 1, 2, 4, 8, 16 or 32, or 1x2, 2x2, 4x2 or 8x2 for two columns each";
            Error::setting(Setting::GpuKernels, format!("{text:?} is no share, {limit}"))
        })
    }
}

/// The share of each kernel that sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shares {
    /// Of forward, in hidden layers.
    pub forward: Share,
    /// Of softmax_cross_entropy: of the logits' sums and, up to 16, of each column's classes.
    pub logits: Share,
    /// Of backward_input.
    pub backward_input: Share,
    /// Of backward_weight.
    pub backward_weight: Share,
}

/// What an adapter has for one workgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WorkgroupRoom {
    /// Bytes of memory.
    pub(super) bytes: u32,
    /// Invocations along x.
    pub(super) invocations: u32,
}

/// What decides the default shares: how many sums there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SumCounts {
    /// Quads of neurons in a hidden layer, the mean.
    pub(super) quads: u64,
    /// Columns of 4 samples in a full batch.
    pub(super) columns: u64,
}

impl Shares {
    /// No sum is shared: what software adapters get, whose lanes have no latency to hide and whose barriers are dear.
    pub const ALONE: Self = Self {
        forward: Share::ONE,
        logits: Share::ONE,
        backward_input: Share::ONE,
        backward_weight: Share::ONE,
    };

    /// The same share in every kernel, as far as each can have it.
    pub const fn alike(share: Share) -> Self {
        let single = share.of_one_column();
        Self { forward: share, logits: single, backward_input: share, backward_weight: single }
    }

    /// Invocations that a dispatch should have at least. Not measured: an eighth of what an H100 has room for, 248
    /// for each of its 132 multiprocessors, about 8 warps that wait for memory in turns.
    const WANTED: u64 = 32_768;

    /// All of them, in the order of a step.
    pub(super) fn as_array_mut(&mut self) -> [&mut Share; 4] {
        [&mut self.forward, &mut self.logits, &mut self.backward_input, &mut self.backward_weight]
    }

    /// As [`Shares::as_array_mut`].
    pub(super) const fn as_array(&self) -> [Share; 4] {
        [self.forward, self.logits, self.backward_input, self.backward_weight]
    }

    /// The default of a hardware adapter, by reasoning alone.
    ///
    /// In forward and backward_input the smallest share that makes enough invocations, but no more than 8: a quad
    /// of the paper's network has some 16 micro-blocks and 49 sparse edges, and more sharers would do little else than
    /// add up their shares. In backward_weight 8, so that neighbours read a whole cache line of a row, unless the
    /// batch has fewer columns. The logits have few sums of many terms: up to 32.
    pub(super) fn of_hardware(counts: SumCounts) -> Self {
        let SumCounts { quads, columns } = counts;
        let hidden = Share::reaching(Self::WANTED, quads * columns, Share::at_most(8));
        Self {
            forward: hidden,
            logits: Share::reaching(Self::WANTED, columns, Share::at_most(32)),
            backward_input: hidden,
            backward_weight: Share::at_most(columns.min(8)),
        }
    }
}
