//! The WGSL sources, and what each kernel binds.
//!
//! Sources are plain files under `shaders/`; what they have in common is joined in
//! front of them as text, and in front of all that stand the numbers that the host
//! chooses, with a constant for each optimiser and each activation: [`Shader::source`]. [`SHADERS`] is the one list from which the engine makes its
//! bind group layouts and pipelines, and against which a test holds the parsed sources.

use super::share::{Share, Shares, WorkgroupRoom};
use super::workgroups::{
    BYTES_OF_LOGITS, BYTES_OF_QUADS, BYTES_OF_WEIGHTS, NO_BYTES, most_lane_bits, workgroup_of_logits,
    workgroup_of_quads, workgroup_of_weights,
};
pub use super::workgroups::{GATHERED, LOGITS};
use crate::engine::{MAX_STATES, OptimizerKind};
use crate::network::Activation;
use crate::tiles::index_of;

/// Workgroups in one row of a dispatch; more are folded into a second dimension; twin: `shaders/common/dispatch.wgsl`.
pub const FOLD: u32 = 65_535;
/// Most storage buffers that one entry point binds.
pub const STORAGE_BUFFERS: u32 = 11;

/// A storage buffer that a kernel binds in group 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Number in the group.
    pub binding: u32,
    /// Name in the shader.
    pub name: &'static str,
    /// Whether the kernel may write it.
    pub writable: bool,
}

/// One entry point.
#[derive(Clone, Copy, Debug)]
pub struct EntryPoint {
    /// Name in the shader.
    pub name: &'static str,
    /// Bytes of workgroup memory.
    pub workgroup_bytes: fn(Share) -> u32,
    /// Its storage buffers.
    pub bindings: &'static [Binding],
}

/// One file under `shaders/` with the common pieces in front.
#[derive(Clone, Copy, Debug)]
pub struct Shader {
    /// Name of the file, without `.wgsl`.
    pub stem: &'static str,
    /// Which of the shares is this shader's; none for a shader whose kernels have no sums to share.
    pub share: Option<fn(&Shares) -> Share>,
    /// Invocations of a workgroup with this share.
    workgroup: fn(Share) -> u32,
    /// The text where each invocation has sums of its own, and where invocations share sums.
    texts: (&'static str, &'static str),
    /// Its entry points.
    pub entry_points: &'static [EntryPoint],
}

impl Shader {
    /// The shares that it can be made for.
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

    /// Items of a workgroup. Twin: `ITEMS` in `shaders/common/sharing.wgsl`.
    pub fn items(&self, share: Share) -> u32 {
        self.workgroup(share) / share.get()
    }

    /// Of a shader that sums for quads of neurons, the columns of 4 samples that a workgroup has side by side, as a power of
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

    /// What the text takes from the host: sizes, and a constant for each kind of what it chooses between by a number.
    fn constants(&self, share: Share) -> impl Iterator<Item = (String, u32)> {
        let numbers = [
            ("WORKGROUP", self.workgroup(share)),
            ("SHARE", share.get()),
            ("MOST_LANE_BITS", most_lane_bits(self.items(share))),
            ("STATES", index_of(MAX_STATES)),
        ];
        let optimizers = OptimizerKind::ALL.map(|kind| (kind.name(), kind as u32));
        let activations = Activation::ALL.map(|activation| (activation.name(), activation.code()));
        let all = numbers.into_iter().chain(optimizers).chain(activations);
        all.map(|(name, value)| (name.to_uppercase(), value))
    }
}

impl Shares {
    /// The same, each made smaller until its kernel has room in a workgroup.
    pub(super) fn shrunk_to(mut self, room: WorkgroupRoom) -> Self {
        let shaders = [FORWARD, SOFTMAX_CROSS_ENTROPY, BACKWARD_INPUT, BACKWARD_WEIGHT];
        for (share, shader) in self.as_array_mut().into_iter().zip(shaders) {
            let fits = |share: &Share| {
                let bytes = shader.entry_points.iter().map(|entry| (entry.workgroup_bytes)(*share)).max();
                bytes.unwrap_or(0) <= room.bytes && shader.workgroup(*share) <= room.invocations
            };
            let fitting = shader.shares().iter().copied().rfind(|smaller| smaller <= share && fits(smaller));
            *share = fitting.unwrap_or(Share::ONE);
        }
        self
    }
}

const fn read(binding: u32, name: &'static str) -> Binding {
    Binding { binding, name, writable: false }
}

const fn write(binding: u32, name: &'static str) -> Binding {
    Binding { binding, name, writable: true }
}

/// Joins files under `shaders/`.
macro_rules! joined {
    ($($file:literal),+) => {
        concat!($(include_str!(concat!("../../../shaders/", $file, ".wgsl")), "\n"),+)
    };
}

/// Joins files under `shaders/`, once for sums alone and once for shared ones: the piece that adds them up differs.
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

/// Kernels without sums to share.
const fn plain(stem: &'static str, text: &'static str, entry_points: &'static [EntryPoint]) -> Shader {
    Shader { stem, share: None, workgroup: |_| 64, texts: (text, text), entry_points }
}

/// Uniforms of group 0, the same for every kernel: (binding, name, whether a dynamic offset chooses the part).
pub const UNIFORMS: [(u32, &str, bool); 4] =
    [(0, "network", false), (1, "step", true), (2, "layer", true), (3, "dropout", true)];

/// Writes the samples of a batch into the rows of the inputs.
pub const GATHER: Shader = Shader {
    workgroup: |_| GATHERED[0] * GATHERED[1],
    ..plain(
        "gather",
        joined!("common/uniforms", "common/dispatch", "gather"),
        &[EntryPoint {
            name: "gather",
            workgroup_bytes: |_| 16 * GATHERED[0] * (GATHERED[1] + 1),
            bindings: &[write(0, "activations"), read(1, "data"), read(2, "sample_index")],
        }],
    )
};

/// Masks all weights where connections are dropped.
pub const DROP_CONNECT: Shader = plain(
    "drop_connect",
    joined!("common/uniforms", "common/dispatch", "common/dropout", "common/connections", "drop_connect"),
    &[
        EntryPoint {
            name: "drop_connect_dense",
            workgroup_bytes: NO_BYTES,
            bindings: &[write(0, "masked_dense"), read(1, "dense"), read(2, "dense_connections")],
        },
        EntryPoint {
            name: "drop_connect_sparse",
            workgroup_bytes: NO_BYTES,
            bindings: &[write(3, "masked_sparse"), read(4, "sparse"), read(5, "sparse_connections")],
        },
    ],
);

/// Computes one layer's outputs.
pub const FORWARD: Shader = Shader {
    stem: "forward",
    workgroup: workgroup_of_quads,
    share: Some(|shares| shares.forward),
    texts: joined_with_weighted_sums!("common/outputs", "forward"),
    entry_points: &[EntryPoint {
        name: "forward",
        workgroup_bytes: BYTES_OF_QUADS,
        bindings: &[
            write(0, "activations"),
            read(1, "dense"),
            read(2, "sparse"),
            read(3, "quads"),
            read(4, "tiles"),
            read(5, "entry_rows"),
            read(6, "listed_blocks"),
        ],
    }],
};

/// Computes the last layer's outputs, loss, correct samples and the deltas of the logits.
pub const SOFTMAX_CROSS_ENTROPY: Shader = Shader {
    stem: "softmax_cross_entropy",
    workgroup: workgroup_of_logits,
    share: Some(|shares| shares.logits),
    texts: joined_with_weighted_sums!("common/outputs", "softmax_cross_entropy"),
    entry_points: &[EntryPoint {
        name: "softmax_cross_entropy",
        workgroup_bytes: BYTES_OF_LOGITS,
        bindings: &[
            write(0, "activations"),
            read(1, "dense"),
            read(2, "sparse"),
            read(3, "quads"),
            read(4, "tiles"),
            read(5, "entry_rows"),
            read(6, "listed_blocks"),
            write(7, "deltas"),
            read(8, "labels"),
            read(9, "sample_index"),
            write(10, "metrics"),
        ],
    }],
};

/// Computes the deltas of one layer's inputs.
pub const BACKWARD_INPUT: Shader = Shader {
    stem: "backward_input",
    workgroup: workgroup_of_quads,
    share: Some(|shares| shares.backward_input),
    texts: joined_with_weighted_sums!("backward_input"),
    entry_points: &[EntryPoint {
        name: "backward_input",
        workgroup_bytes: BYTES_OF_QUADS,
        bindings: &[
            write(0, "deltas"),
            read(1, "activations"),
            read(2, "dense"),
            read(3, "sparse"),
            read(4, "quads"),
            read(5, "tiles"),
            read(6, "entry_rows"),
            read(7, "entry_values"),
            read(8, "listed_blocks"),
        ],
    }],
};

/// Computes the factors of the group lasso.
pub const GROUP_NORM: Shader = plain(
    "group_norm",
    joined!("common/uniforms", "common/dispatch", "group_norm"),
    &[EntryPoint {
        name: "group_norm",
        workgroup_bytes: NO_BYTES,
        bindings: &[
            write(0, "group_factors"),
            read(1, "dense"),
            read(2, "sparse"),
            read(3, "group_start"),
            read(4, "group_values"),
        ],
    }],
);

/// Computes the gradient of every parameter of the network and updates it.
pub const BACKWARD_WEIGHT: Shader = Shader {
    stem: "backward_weight",
    workgroup: workgroup_of_weights,
    share: Some(|shares| shares.backward_weight),
    texts: joined_for_shares!(
        "common/dropout",
        "common/connections",
        "common/penalty",
        "common/update",
        "backward_weight"
    ),
    entry_points: &[EntryPoint {
        name: "backward_weight",
        workgroup_bytes: BYTES_OF_WEIGHTS,
        bindings: &[
            read(0, "activations"),
            read(1, "deltas"),
            write(2, "dense"),
            write(3, "dense_state"),
            read(4, "micro_blocks"),
            write(5, "sparse"),
            write(6, "sparse_state"),
            read(7, "entries"),
            read(8, "group_factors"),
            read(9, "dense_connections"),
            read(10, "sparse_connections"),
        ],
    }],
};

/// All shaders, in the order of a training step.
pub const SHADERS: [Shader; 7] =
    [GATHER, DROP_CONNECT, FORWARD, SOFTMAX_CROSS_ENTROPY, BACKWARD_INPUT, GROUP_NORM, BACKWARD_WEIGHT];
