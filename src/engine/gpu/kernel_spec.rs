//! The host's description of a kernel.

use super::amounts::{Amount, PlannedDispatch};
use super::buffers::Buffer;
use super::kernels::{Layers, When};
use super::shaders::KernelKind;
use super::share::{Share, Shares, WorkgroupLimits};
use super::workgroups::most_lane_bits;
use crate::engine::profile::Stage;
use crate::engine::{LossKind, MAX_STATES, OptimizerKind};
use crate::network::Activation;
use crate::tiles::index_of;

/// A storage buffer that a kernel binds in group 1, under its number among the kernel's bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Which one.
    pub buffer: Buffer,
    /// Name in the shader.
    pub name: &'static str,
    /// Whether the kernel may write it.
    pub writable: bool,
}

/// A kernel: a file under `shaders/` with one entry point of the same name, and the host's description of it.
#[derive(Clone, Copy, Debug)]
pub struct KernelSpec {
    /// Which one.
    pub kind: KernelKind,
    /// Name of the file, without `.wgsl`, and of its entry point.
    pub name: &'static str,
    /// The source for separate sums, and for shared sums.
    pub(super) texts: (&'static str, &'static str),
    /// Its storage buffers.
    pub bindings: &'static [Binding],
    /// Selects this kernel's share; `None` if there are no sums to share.
    pub share: Option<fn(&Shares) -> Share>,
    /// Invocations of a workgroup with this share.
    pub(super) workgroup: fn(Share) -> u32,
    /// Bytes of workgroup memory with this share.
    pub(super) workgroup_bytes: fn(Share) -> u32,
    /// The steps in which it runs.
    pub(super) when: When,
    /// The layers for which it runs.
    pub(super) layers: Layers,
    /// Its amount of work.
    pub(super) amount: fn(&PlannedDispatch<'_>) -> Amount,
    /// Its stage of a step, by its layer.
    pub(super) stage: fn(usize) -> Stage,
}

impl KernelSpec {
    /// The possible shares.
    pub fn shares(&self) -> &'static [Share] {
        if self.share.is_some() { &Share::ALL } else { &Share::ALL[..1] }
    }

    /// Its share among those of all kernels.
    pub fn share_of(&self, shares: &Shares) -> Share {
        self.share.map_or(Share::ONE, |of| of(shares))
    }

    /// Invocations of a workgroup. Twin: `WORKGROUP` in the shaders.
    pub fn workgroup(&self, share: Share) -> u32 {
        (self.workgroup)(share)
    }

    /// Bytes of workgroup memory.
    pub fn workgroup_bytes(&self, share: Share) -> u32 {
        (self.workgroup_bytes)(share)
    }

    /// Items of a workgroup. Twin: `ITEMS` in `shaders/common/sharing.wgsl`.
    pub fn items(&self, share: Share) -> u32 {
        self.workgroup(share) / share.get()
    }

    /// For a kernel that sums for quads of neurons: the columns of 4 samples side by side in a workgroup, as a power of
    /// two, where rows have this many. Twin: `bits` in `shaders/common/weighted_sums.wgsl`.
    pub fn lane_bits(&self, share: Share, columns: u32) -> u32 {
        most_lane_bits(self.items(share)).min(u32::BITS - (columns.max(1) - 1).leading_zeros())
    }

    /// The whole text for one share.
    pub fn source(&self, share: Share) -> String {
        let text = if share.get() == 1 { self.texts.0 } else { self.texts.1 };
        let constants: String =
            self.constants(share).map(|(name, value)| format!("const {name}: u32 = {value}u;\n")).collect();
        format!("{constants}\n{text}")
    }

    /// The source's constants from the host: sizes, and the codes of enums.
    fn constants(&self, share: Share) -> impl Iterator<Item = (String, u32)> {
        let numbers = [
            ("WORKGROUP", self.workgroup(share)),
            ("SHARE", share.get()),
            ("MOST_LANE_BITS", most_lane_bits(self.items(share))),
            ("STATES", index_of(MAX_STATES)),
        ];
        let optimizers = OptimizerKind::ALL.map(|kind| (kind.name(), kind as u32));
        let activations = Activation::ALL.map(|activation| (activation.name(), activation.code()));
        let losses = LossKind::ALL.map(|kind| (kind.name(), kind as u32));
        let all = numbers.into_iter().chain(optimizers).chain(activations).chain(losses);
        all.map(|(name, value)| (name.to_uppercase().replace('-', "_"), value))
    }

    /// Whether a workgroup with this share fits.
    pub(super) fn fits(&self, share: Share, limits: WorkgroupLimits) -> bool {
        self.workgroup_bytes(share) <= limits.bytes && self.workgroup(share) <= limits.invocations
    }
}
