//! How large workgroups are, and how much memory they need.

use super::share::Share;

/// Maximum number of columns that a workgroup has side by side, as a power of two: 32 fill a warp with one row and one weight.
pub(super) const fn most_lane_bits(items: u32) -> u32 {
    if items > 32 { 5 } else { items.ilog2() }
}

/// Workgroups of forward and backward_input: without sharing, 8 quads of 32 columns, so that reads of
/// their common rows come from the cache; otherwise at least 8 columns, the 128 bytes of a cache line. Measured
/// compared with 64, 128 and 256 on a GPU: docs/performance.md.
pub(super) const fn workgroup_of_quads(share: Share) -> u32 {
    if share.get() == 1 || share.get() == 32 { 256 } else { 128 }
}

/// Workgroups of the loss kernels: at least as many items as columns.
pub(super) const fn workgroup_of_logits(share: Share) -> u32 {
    if share.get() > 8 { 8 * share.get() } else { 64 }
}

/// Workgroups of backward_weight: as many items as fit, which share rows in the cache;
/// small if few share a sum: batches are then small, and too few workgroups are the problem, not too many rows.
pub(super) const fn workgroup_of_weights(share: Share) -> u32 {
    if share.get() <= 4 { 64 } else { 256 }
}

/// Bytes through which the shares of a workgroup are added up. Twin: `shaders/common/sums_shared.wgsl`.
const fn sum_bytes(share: Share, workgroup: u32) -> u32 {
    if share.get() == 1 { 0 } else { 64 * (workgroup + 1) }
}

pub(super) const NO_BYTES: fn(Share) -> u32 = |_| 0;
pub(super) const BYTES_OF_QUADS: fn(Share) -> u32 = |share| sum_bytes(share, workgroup_of_quads(share));
pub(super) const BYTES_OF_WEIGHTS: fn(Share) -> u32 = |share| sum_bytes(share, workgroup_of_weights(share));
pub(super) const BYTES_OF_GATHER: fn(Share) -> u32 = |_| 16 * GATHERED[0] * (GATHERED[1] + 1);
/// The softmax also has its logits, 5 `vec4`s for each slice of each column, and a loss and a count for each column.
pub(super) const BYTES_OF_LOGITS: fn(Share) -> u32 = |share| {
    let slices = if share.get() < 16 { share.get() } else { 16 };
    let sums = sum_bytes(share, workgroup_of_logits(share));
    sums + 16 * LOGITS + share.columns() * (80 * slices + 8)
};

/// The other losses have their outputs, 4 `vec4`s for each slice of each column, and 4 sums for each column.
pub(super) const BYTES_OF_SEPARABLE_LOSS: fn(Share) -> u32 = |share| {
    let slices = if share.get() < 16 { share.get() } else { 16 };
    let sums = sum_bytes(share, workgroup_of_logits(share));
    sums + 16 * LOGITS + share.columns() * (64 * slices + 16)
};

/// Logits that a workgroup of the loss kernels keeps, in `vec4`s. Twin: `LOGITS` in `shaders/common/logits.wgsl`.
pub const LOGITS: u32 = 128;
/// Features and columns of a workgroup of gather. Twins: `FEATURES` and `COLUMNS` in its shader.
pub const GATHERED: [u32; 2] = [32, 8];
