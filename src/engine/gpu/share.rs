//! How many invocations share one sum, in each kernel that sums.
//!
//! A share is part of a pipeline's source. Sums are added up in
//! another order with another share: results differ in their last bits, and so
//! the shares of a run are recorded, so that it can be repeated.

use std::fmt;

use crate::{Error, Result, Setting};

/// Invocations that share one sum: a power of two up to 32. Twin: `SHARE` in `shaders/common/sharing.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u32);

impl Share {
    /// No sharing: each invocation has its own sums.
    pub const ONE: Self = Self(1);
    /// Every share, rising.
    pub const ALL: [Self; 6] = [Self(1), Self(2), Self(4), Self(8), Self(16), Self(32)];

    /// The share of this many invocations.
    ///
    /// # Errors
    /// [`Error::Setting`] when it is not one of [`Share::ALL`].
    pub fn new(invocations: u32) -> Result<Self> {
        Self::ALL.into_iter().find(|share| share.0 == invocations).ok_or_else(|| {
            let limit = "it must be 1, 2, 4, 8, 16 or 32";
            Error::setting(Setting::GpuKernels, format!("a share of {invocations} is invalid, {limit}"))
        })
    }

    /// Number of invocations.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Columns of 4 samples whose logits one workgroup makes. Twin: `COLUMNS` in `shaders/common/logits.wgsl`.
    pub const fn columns(self) -> u32 {
        64 / self.0
    }

    /// The largest share up to `most`.
    fn at_most(most: u64) -> Self {
        Self::ALL.into_iter().rfind(|share| u64::from(share.0) <= most).unwrap_or(Self::ONE)
    }

    /// The smallest share, up to `most`, with which `items` make at least `wanted` invocations.
    fn reaching(wanted: u64, items: u64, most: Self) -> Self {
        let enough = |share: &Self| *share == most || u64::from(share.0) * items >= wanted;
        Self::ALL.into_iter().find(enough).unwrap_or(most)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The share of each kernel that sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shares {
    /// Of forward, in hidden layers.
    pub forward: Share,
    /// Of the loss kernels: of the logits' sums and, up to 16, of each column's classes.
    pub logits: Share,
    /// Of backward_input.
    pub backward_input: Share,
    /// Of backward_weight.
    pub backward_weight: Share,
}

/// The limits of one workgroup on an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WorkgroupLimits {
    /// Bytes of memory.
    pub(super) bytes: u32,
    /// Invocations along x.
    pub(super) invocations: u32,
}

/// The numbers of sums, which determine the default shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SumCounts {
    /// Quads of neurons in a hidden layer, the mean.
    pub(super) quads: u64,
    /// Columns of 4 samples in a full batch.
    pub(super) columns: u64,
}

impl Shares {
    /// No sum is shared: for software adapters, whose lanes have no latency to hide and whose barriers are expensive.
    pub const ALONE: Self = Self::alike(Share::ONE);

    /// The same share in every kernel.
    pub const fn alike(share: Share) -> Self {
        Self { forward: share, logits: share, backward_input: share, backward_weight: share }
    }

    /// Minimum invocations of a dispatch of forward or backward_input: on an H100, 496 for each of its 132
    /// multiprocessors. Measured at batches of 128, 1,024 and 4,096: docs/performance.md.
    const WANTED: u64 = 65_536;

    /// All of them, in the order of a step.
    pub(super) fn as_array_mut(&mut self) -> [&mut Share; 4] {
        [&mut self.forward, &mut self.logits, &mut self.backward_input, &mut self.backward_weight]
    }

    /// The default of a hardware adapter, from measurements on one.
    ///
    /// In forward and backward_input the smallest share that makes enough invocations, but no more than 8: a quad
    /// of the paper's network has some 16 micro-blocks and 13 entries, and more sharers would mostly
    /// add up their sums. In backward_weight 8, so that neighbours read a whole cache line of a row, unless that leaves each
    /// fewer than 8 columns. The logits have few sums of many terms: up to 32.
    pub(super) fn of_hardware(counts: SumCounts) -> Self {
        let SumCounts { quads, columns } = counts;
        let hidden = Share::reaching(Self::WANTED, quads * columns, Share::at_most(8));
        Self {
            forward: hidden,
            logits: Share::reaching(Self::WANTED, columns, Share::at_most(32)),
            backward_input: hidden,
            backward_weight: Share::at_most((columns / 8).clamp(1, 8)),
        }
    }
}
