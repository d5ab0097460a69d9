//! The WGSL sources, and what each kernel binds.
//!
//! Sources are plain files under `shaders/`; what they share is joined in front
//! of them as text. [`SHADERS`] is the one list from which the engine makes its
//! bind group layouts and pipelines, and against which a test holds the parsed sources.

/// Invocations in a workgroup of every kernel but the softmax; twin: `shaders/common/dispatch.wgsl`.
pub const WORKGROUP: u32 = 64;
/// Invocations in the softmax's one workgroup; twin: `shaders/softmax_cross_entropy.wgsl`.
pub const SOFTMAX_WORKGROUP: u32 = 256;
/// Bytes of workgroup memory of the softmax: a loss and a count for each invocation.
pub const SOFTMAX_WORKGROUP_BYTES: u32 = 8 * SOFTMAX_WORKGROUP;
/// Workgroups in one row of a dispatch; more are folded into a second dimension; twin: `shaders/common/dispatch.wgsl`.
pub const FOLD: u32 = 65_535;
/// Most storage buffers that one entry point binds.
pub const STORAGE_BUFFERS: u32 = 8;

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
    /// Invocations in a workgroup.
    pub workgroup: u32,
    /// Bytes of workgroup memory.
    pub workgroup_bytes: u32,
    /// Its storage buffers.
    pub bindings: &'static [Binding],
}

/// One file under `shaders/` with the shared pieces in front.
#[derive(Clone, Copy, Debug)]
pub struct Shader {
    /// Name of the file, without `.wgsl`.
    pub stem: &'static str,
    /// The whole text.
    pub source: &'static str,
    /// Its entry points.
    pub entry_points: &'static [EntryPoint],
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

/// Uniforms of group 0, the same for every kernel: (binding, name, whether a dynamic offset chooses the part).
pub const UNIFORMS: [(u32, &str, bool); 4] =
    [(0, "network", false), (1, "step", true), (2, "layer", true), (3, "dropout", true)];

/// Writes the samples of a batch into the rows of the inputs.
pub const GATHER: Shader = Shader {
    stem: "gather",
    source: joined!("common/uniforms", "common/dispatch", "gather"),
    entry_points: &[EntryPoint {
        name: "gather",
        workgroup: WORKGROUP,
        workgroup_bytes: 0,
        bindings: &[write(0, "activations"), read(1, "data"), read(2, "sample_index")],
    }],
};

/// Masks all weights where connections are dropped.
pub const DROP_CONNECT: Shader = Shader {
    stem: "drop_connect",
    source: joined!(
        "common/uniforms",
        "common/dispatch",
        "common/dropout",
        "common/connections",
        "drop_connect"
    ),
    entry_points: &[
        EntryPoint {
            name: "drop_connect_dense",
            workgroup: WORKGROUP,
            workgroup_bytes: 0,
            bindings: &[write(0, "masked_dense"), read(1, "dense"), read(2, "dense_connections")],
        },
        EntryPoint {
            name: "drop_connect_sparse",
            workgroup: WORKGROUP,
            workgroup_bytes: 0,
            bindings: &[write(3, "masked_sparse"), read(4, "sparse"), read(5, "sparse_connections")],
        },
    ],
};

/// Computes one layer's outputs.
pub const FORWARD: Shader = Shader {
    stem: "forward",
    source: joined!(
        "common/uniforms",
        "common/dispatch",
        "common/tables",
        "common/activation",
        "common/dropout",
        "forward"
    ),
    entry_points: &[EntryPoint {
        name: "forward",
        workgroup: WORKGROUP,
        workgroup_bytes: 0,
        bindings: &[
            write(0, "activations"),
            read(1, "dense"),
            read(2, "sparse"),
            read(3, "quads"),
            read(4, "tiles"),
            read(5, "row_start"),
            read(6, "sparse_input"),
        ],
    }],
};

/// Computes loss, correct samples and the deltas of the logits.
pub const SOFTMAX_CROSS_ENTROPY: Shader = Shader {
    stem: "softmax_cross_entropy",
    source: joined!("common/uniforms", "softmax_cross_entropy"),
    entry_points: &[EntryPoint {
        name: "softmax_cross_entropy",
        workgroup: SOFTMAX_WORKGROUP,
        workgroup_bytes: SOFTMAX_WORKGROUP_BYTES,
        bindings: &[
            read(0, "activations"),
            write(1, "deltas"),
            read(2, "labels"),
            read(3, "sample_index"),
            write(4, "metrics"),
        ],
    }],
};

/// Computes the deltas of one layer's inputs.
pub const BACKWARD_INPUT: Shader = Shader {
    stem: "backward_input",
    source: joined!(
        "common/uniforms",
        "common/dispatch",
        "common/tables",
        "common/activation",
        "common/dropout",
        "backward_input"
    ),
    entry_points: &[EntryPoint {
        name: "backward_input",
        workgroup: WORKGROUP,
        workgroup_bytes: 0,
        bindings: &[
            write(0, "deltas"),
            read(1, "activations"),
            read(2, "dense"),
            read(3, "sparse"),
            read(4, "quads"),
            read(5, "tiles"),
            read(6, "column_start"),
            read(7, "entries"),
        ],
    }],
};

/// Computes the factors of the group lasso.
pub const GROUP_NORM: Shader = Shader {
    stem: "group_norm",
    source: joined!("common/uniforms", "common/dispatch", "group_norm"),
    entry_points: &[EntryPoint {
        name: "group_norm",
        workgroup: WORKGROUP,
        workgroup_bytes: 0,
        bindings: &[
            write(0, "group_factors"),
            read(1, "dense"),
            read(2, "sparse"),
            read(3, "group_start"),
            read(4, "group_values"),
        ],
    }],
};

/// Computes the gradient of every parameter of the network and updates it.
pub const BACKWARD_WEIGHT: Shader = Shader {
    stem: "backward_weight",
    source: joined!(
        "common/uniforms",
        "common/dispatch",
        "common/dropout",
        "common/connections",
        "common/penalty",
        "common/update",
        "backward_weight"
    ),
    entry_points: &[
        EntryPoint {
            name: "backward_weight_dense",
            workgroup: WORKGROUP,
            workgroup_bytes: 0,
            bindings: &[
                read(0, "activations"),
                read(1, "deltas"),
                write(2, "dense"),
                write(3, "dense_first"),
                write(4, "dense_second"),
                read(5, "micro_blocks"),
                read(10, "group_factors"),
                read(11, "dense_connections"),
            ],
        },
        EntryPoint {
            name: "backward_weight_sparse",
            workgroup: WORKGROUP,
            workgroup_bytes: 0,
            bindings: &[
                read(0, "activations"),
                read(1, "deltas"),
                write(6, "sparse"),
                write(7, "sparse_first"),
                write(8, "sparse_second"),
                read(9, "sparse_ends"),
                read(10, "group_factors"),
                read(12, "sparse_connections"),
            ],
        },
    ],
};

/// All shaders, in the order of a training step.
pub const SHADERS: [Shader; 7] =
    [GATHER, DROP_CONNECT, FORWARD, SOFTMAX_CROSS_ENTROPY, BACKWARD_INPUT, GROUP_NORM, BACKWARD_WEIGHT];
