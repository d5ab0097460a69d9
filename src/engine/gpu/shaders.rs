//! All kernels: one row of [`KERNELS`], a [`KernelSpec`], for each.
//!
//! Sources are plain files under `shaders/`. Shared code is prepended
//! as text, and before it the numbers that the host
//! chooses, with a constant for each optimiser and each activation: [`KernelSpec::source`]. From the rows the engine
//! makes its bind group layouts and pipelines, the steps that it dispatches, what it tunes and what it profiles; a test
//! compares the parsed sources with them.

use super::amounts;
use super::buffers::Buffer;
pub use super::kernel_spec::{Binding, KernelSpec};
use super::kernels::{Kernel, Layers, When};
use super::share::{Share, Shares, WorkgroupLimits};
use super::uniforms::{DropoutUniform, LayerUniform, NetworkUniform, PartUniform, StepUniform};
use super::workgroups::{
    BYTES_OF_GATHER, BYTES_OF_LOGITS, BYTES_OF_QUADS, BYTES_OF_SEPARABLE_LOSS, BYTES_OF_WEIGHTS, NO_BYTES,
    workgroup_of_logits, workgroup_of_quads, workgroup_of_weights,
};
pub use super::workgroups::{GATHERED, LOGITS};
use crate::engine::LossRule;
use crate::engine::profile::Stage;

/// Workgroups in one row of a dispatch; more are folded into a second dimension; twin: `shaders/common/dispatch.wgsl`.
pub const FOLD: u32 = 65_535;
/// Maximum number of storage buffers that one kernel binds: every adapter has at least as many.
pub const STORAGE_BUFFERS: u32 = 8;

/// Which kernel a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KernelKind {
    /// Masks the weights of dropped connections.
    DropConnect,
    /// Writes the batch into the rows of the inputs, and its labels.
    Gather,
    /// Computes the outputs of a layer; in steps, of hidden layers.
    Forward,
    /// Computes the outputs of the last layer, loss, correct samples and deltas of the logits.
    SoftmaxCrossEntropy,
    /// The same with a loss that compares outputs with targets one by one.
    SeparableLoss,
    /// Computes the deltas of the inputs of a layer, which may not be layer 0.
    BackwardInput,
    /// Computes the factor of each group of the group lasso.
    GroupNorm,
    /// Computes the gradient of every parameter of the network and updates it.
    BackwardWeight,
}

impl KernelKind {
    /// Its row.
    pub fn spec(self) -> &'static KernelSpec {
        &KERNELS[self as usize]
    }

    /// The kernel of a layer; the number matters only for kernels per layer.
    pub fn of(self, layer: usize) -> Kernel {
        Kernel { kind: self, layer }
    }
}

impl Shares {
    /// The same, each reduced until its kernel fits a workgroup.
    pub(super) fn reduced_to(mut self, limits: WorkgroupLimits) -> Self {
        for (share, spec) in self.as_array_mut().into_iter().zip(sharing_kernels()) {
            let fits = |smaller: &Share| *smaller <= *share && spec.fits(*smaller, limits);
            *share = spec.shares().iter().copied().rfind(fits).unwrap_or(Share::ONE);
        }
        self
    }
}

/// The kernels whose sums can be shared, in the order of [`Shares`].
pub(super) fn sharing_kernels() -> impl Iterator<Item = &'static KernelSpec> {
    // The two loss kernels have one share, and softmax needs more memory.
    KERNELS.iter().filter(|spec| spec.share.is_some() && spec.kind != KernelKind::SeparableLoss)
}

const fn read(buffer: Buffer, name: &'static str) -> Binding {
    Binding { buffer, name, writable: false }
}

const fn write(buffer: Buffer, name: &'static str) -> Binding {
    Binding { buffer, name, writable: true }
}

/// Joins files under `shaders/`.
macro_rules! joined {
    ($($file:literal),+) => {
        concat!($(include_str!(concat!("../../../shaders/", $file, ".wgsl")), "\n"),+)
    };
}

/// Joins files under `shaders/` for a kernel without sums to share.
macro_rules! joined_alone {
    ($($file:literal),+) => {{
        const TEXT: &str = joined!("common/uniforms", "common/dispatch", $($file),+);
        (TEXT, TEXT)
    }};
}

/// Joins files under `shaders/`, once for separate and once for shared sums, which differ in one piece.
macro_rules! joined_for_shares {
    ($($file:literal),+) => {
        (
            joined!("common/uniforms", "common/dispatch", "common/sharing", "common/sums_alone", $($file),+),
            joined!("common/uniforms", "common/dispatch", "common/sharing", "common/sums_shared", $($file),+),
        )
    };
}

/// As `joined_for_shares`, behind the sums of quads of neurons.
macro_rules! joined_with_weighted_sums {
    ($($file:literal),+) => {
        joined_for_shares!("common/tables", "common/activation", "common/dropout", "common/weighted_sums", $($file),+)
    };
}

/// Uniforms of group 0, the same for every kernel: (binding, name, whether a dynamic offset chooses the part, bytes).
pub const UNIFORMS: [(u32, &str, bool, u64); 5] = [
    (0, "network", false, size_of::<NetworkUniform>() as u64),
    (1, "step", true, size_of::<StepUniform>() as u64),
    (2, "layer", true, size_of::<LayerUniform>() as u64),
    (3, "dropout", true, size_of::<DropoutUniform>() as u64),
    (4, "part", true, size_of::<PartUniform>() as u64),
];

/// All kernels, in the order of a training step and of [`KernelKind`].
pub static KERNELS: [KernelSpec; 8] = [
    KernelSpec {
        kind: KernelKind::DropConnect,
        name: "drop_connect",
        texts: joined_alone!("common/dropout", "common/connections", "drop_connect"),
        bindings: &[
            write(Buffer::Masked, "masked"),
            read(Buffer::Values, "values"),
            read(Buffer::Connections, "connections"),
        ],
        share: None,
        workgroup: |_| 64,
        workgroup_bytes: NO_BYTES,
        when: When::TrainingWith(|settings| settings.drop_connect > 0.0),
        layers: Layers::None,
        amount: amounts::of_values,
        stage: |_| Stage::Mask,
    },
    KernelSpec {
        kind: KernelKind::Gather,
        name: "gather",
        texts: joined_alone!("gather"),
        bindings: &[
            write(Buffer::Activations, "activations"),
            read(Buffer::Features, "data"),
            read(Buffer::SampleIndex, "sample_index"),
            read(Buffer::Labels, "labels"),
            write(Buffer::BatchLabels, "batch_labels"),
        ],
        share: None,
        workgroup: |_| GATHERED[0] * GATHERED[1],
        workgroup_bytes: BYTES_OF_GATHER,
        when: When::Always,
        layers: Layers::None,
        amount: amounts::of_samples,
        stage: |_| Stage::Gather,
    },
    KernelSpec {
        kind: KernelKind::Forward,
        name: "forward",
        texts: joined_with_weighted_sums!("common/outputs", "forward"),
        bindings: &[
            write(Buffer::Activations, "activations"),
            read(Buffer::Weights, "values"),
            read(Buffer::ForwardDirectory, "directory"),
            read(Buffer::ForwardRows, "entry_rows"),
            read(Buffer::ForwardListed, "listed_blocks"),
        ],
        share: Some(|shares| shares.forward),
        workgroup: workgroup_of_quads,
        workgroup_bytes: BYTES_OF_QUADS,
        when: When::Always,
        layers: Layers::HiddenOutputs,
        amount: amounts::of_quads,
        stage: Stage::Forward,
    },
    KernelSpec {
        kind: KernelKind::SoftmaxCrossEntropy,
        name: "softmax_cross_entropy",
        texts: joined_with_weighted_sums!("common/outputs", "common/logits", "softmax_cross_entropy"),
        bindings: &[
            write(Buffer::Activations, "activations"),
            read(Buffer::Weights, "values"),
            read(Buffer::ForwardDirectory, "directory"),
            read(Buffer::ForwardRows, "entry_rows"),
            read(Buffer::ForwardListed, "listed_blocks"),
            write(Buffer::Deltas, "deltas"),
            read(Buffer::BatchLabels, "batch_labels"),
            write(Buffer::Metrics, "metrics"),
        ],
        share: Some(|shares| shares.logits),
        workgroup: workgroup_of_logits,
        workgroup_bytes: BYTES_OF_LOGITS,
        when: When::WithLoss(LossRule::is_of_classes),
        layers: Layers::Logits,
        amount: amounts::of_logits,
        stage: |_| Stage::LogitsAndLoss,
    },
    KernelSpec {
        kind: KernelKind::SeparableLoss,
        name: "separable_loss",
        texts: joined_with_weighted_sums!("common/outputs", "common/logits", "separable_loss"),
        bindings: &[
            write(Buffer::Activations, "activations"),
            read(Buffer::Weights, "values"),
            read(Buffer::ForwardDirectory, "directory"),
            read(Buffer::ForwardRows, "entry_rows"),
            read(Buffer::ForwardListed, "listed_blocks"),
            write(Buffer::Deltas, "deltas"),
            read(Buffer::BatchLabels, "batch_labels"),
            write(Buffer::Metrics, "metrics"),
        ],
        share: Some(|shares| shares.logits),
        workgroup: workgroup_of_logits,
        workgroup_bytes: BYTES_OF_SEPARABLE_LOSS,
        when: When::WithLoss(|loss| !loss.is_of_classes()),
        layers: Layers::Logits,
        amount: amounts::of_logits,
        stage: |_| Stage::LogitsAndLoss,
    },
    KernelSpec {
        kind: KernelKind::BackwardInput,
        name: "backward_input",
        texts: joined_with_weighted_sums!("backward_input"),
        bindings: &[
            write(Buffer::Deltas, "deltas"),
            read(Buffer::Activations, "activations"),
            read(Buffer::Weights, "values"),
            read(Buffer::BackwardDirectory, "directory"),
            read(Buffer::BackwardRows, "entry_rows"),
            read(Buffer::BackwardValues, "entry_values"),
            read(Buffer::BackwardListed, "listed_blocks"),
            read(Buffer::Weights, "single_values"),
        ],
        share: Some(|shares| shares.backward_input),
        workgroup: workgroup_of_quads,
        workgroup_bytes: BYTES_OF_QUADS,
        when: When::Training,
        layers: Layers::Inputs,
        amount: amounts::of_quads,
        stage: Stage::BackwardInput,
    },
    KernelSpec {
        kind: KernelKind::GroupNorm,
        name: "group_norm",
        texts: joined_alone!("group_norm"),
        bindings: &[
            write(Buffer::GroupFactors, "group_factors"),
            read(Buffer::Values, "values"),
            read(Buffer::GroupStart, "group_start"),
            read(Buffer::GroupValues, "group_values"),
        ],
        share: None,
        workgroup: |_| 64,
        workgroup_bytes: NO_BYTES,
        when: When::TrainingWith(|settings| settings.penalties.group_lasso > 0.0),
        layers: Layers::None,
        amount: amounts::of_groups,
        stage: |_| Stage::GroupFactors,
    },
    KernelSpec {
        kind: KernelKind::BackwardWeight,
        name: "backward_weight",
        texts: joined_for_shares!(
            "common/dropout",
            "common/connections",
            "common/penalty",
            "common/update",
            "backward_weight"
        ),
        bindings: &[
            read(Buffer::Activations, "activations"),
            read(Buffer::Deltas, "deltas"),
            write(Buffer::Values, "values"),
            write(Buffer::State, "state"),
            read(Buffer::MicroBlocks, "micro_blocks"),
            read(Buffer::Entries, "entries"),
            read(Buffer::GroupFactors, "group_factors"),
            read(Buffer::Connections, "connections"),
        ],
        share: Some(|shares| shares.backward_weight),
        workgroup: workgroup_of_weights,
        workgroup_bytes: BYTES_OF_WEIGHTS,
        when: When::Training,
        layers: Layers::None,
        amount: amounts::of_parameters,
        stage: |_| Stage::Update,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_kinds_and_of_shares() {
        for (number, spec) in KERNELS.iter().enumerate() {
            assert_eq!((spec.kind as usize, spec.kind.spec().name), (number, spec.name));
        }
        for number in 0..sharing_kernels().count() {
            let mut shares = Shares::ALONE;
            *shares.as_array_mut()[number] = Share::ALL[3];
            let found: Vec<_> = sharing_kernels().map(|spec| spec.share_of(&shares).get()).collect();
            assert_eq!(found.iter().position(|share| *share == 8), Some(number));
            assert_eq!(found.iter().sum::<u32>(), 8 + 3);
        }
        let mut shares = Shares::ALONE;
        assert_eq!(sharing_kernels().count(), shares.as_array_mut().len());
    }
}
