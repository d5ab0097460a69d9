//! The error type of the library: what failed, where, which value, which limit.

use std::path::PathBuf;

use crate::named::named;

/// Maximum number of characters of a reason why a file is refused.
const MAX_REASON: usize = 1600;
/// The beginning of errors of memory.
pub(crate) const OUT_OF_MEMORY: &str = "out of memory: ";

named! {
    /// A setting, by its name in settings files; on the command line, with two dashes before it.
    #[non_exhaustive]
    pub enum Setting {
        Data = "data",
        Label = "label",
        Labels = "labels",
        Task = "task",
        Weights = "weights",
        ClassWeight = "class-weight",
        Header = "header",
        Delimiter = "delimiter",
        Decimal = "decimal",
        Missing = "missing",
        Drop = "drop",
        Keep = "keep",
        MaxCategories = "max-categories",
        Impute = "impute",
        Picture = "picture",
        Test = "test",
        TrainLimit = "train-limit",
        Validation = "validation",
        From = "from",
        Pca = "pca",
        Rf = "rf",
        Importance = "importance",
        Order = "order",
        Trees = "trees",
        Standardize = "standardize",
        Numbers = "numbers",
        Bins = "bins",
        Arch = "arch",
        Hidden = "hidden",
        Blocks = "blocks",
        ReceptiveField = "receptive-field",
        Degrees = "degrees",
        Density = "density",
        Degree = "degree",
        DegreeDistribution = "degree-distribution",
        Budget = "budget",
        Softness = "softness",
        Parameters = "parameters",
        Edges = "edges",
        Grid = "grid",
        FanIn = "fan-in",
        Reach = "reach",
        Falloff = "falloff",
        Grain = "grain",
        ImportancePower = "importance-power",
        Activation = "activation",
        Dropout = "dropout",
        Epochs = "epochs",
        BatchSize = "batch-size",
        Batch = "batch",
        Optimizer = "optimizer",
        Lr = "lr",
        Momentum = "momentum",
        AdamBeta1 = "adam-beta1",
        AdamBeta2 = "adam-beta2",
        AdamEpsilon = "adam-epsilon",
        Schedule = "schedule",
        L2 = "l2",
        L1 = "l1",
        L1Input = "l1-input",
        GroupLasso = "group-lasso",
        LHalf = "l-half",
        WeightElimination = "weight-elimination",
        Dropconnect = "dropconnect",
        Loss = "loss",
        LabelSmoothing = "label-smoothing",
        Init = "init",
        Gain = "gain",
        Augment = "augment",
        Seed = "seed",
        Rewire = "rewire",
        RewireFraction = "rewire-fraction",
        RewireEvery = "rewire-every",
        RewireEnd = "rewire-end",
        Backend = "backend",
        Adapter = "adapter",
        GpuKernels = "gpu-kernels",
        Threads = "threads",
        Resume = "resume",
        CheckpointEvery = "checkpoint-every",
        Patience = "patience",
        PatienceOn = "patience-on",
        Out = "out",
        Tensorboard = "tensorboard",
        Config = "config",
        Preset = "preset",
        Model = "model",
        Inputs = "inputs",
        Classes = "classes",
        Width = "width",
        Layers = "layers",
        Seconds = "seconds",
        MaxDrop = "max-drop",
        Average = "average",
        Target = "target",
        Folds = "folds",
        Trials = "trials",
        TimeBudget = "time-budget",
        Space = "space",
        Sparsity = "sparsity",
        Threshold = "threshold",
    }
}

/// Everything that can go wrong in this library.
///
/// Messages name settings in backquotes. Each message is one line that names the operation, the given value,
/// the limit, and the remedy if there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read, created, written or renamed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A data file violates its format.
    #[error("{}, byte {offset}: {reason}", path.display())]
    Data {
        /// The data file.
        path: PathBuf,
        /// Offset of the violation in the decompressed content.
        offset: u64,
        /// What was found and what was expected.
        reason: String,
    },
    /// A table or a graph cannot be read or used.
    #[error("{name}: {reason}")]
    Table {
        /// The file, or the name of the table or graph.
        name: String,
        /// Where in it, what was found, what was expected, what to do.
        reason: String,
    },
    /// Features, labels or class count do not fit together.
    #[error("data set: {0}")]
    Dataset(String),
    /// The importance of the features could not be computed or applied.
    #[error("feature importance: {0}")]
    Importance(String),
    /// No bipartite graph can have the requested properties.
    #[error("topology: {0}")]
    Topology(String),
    /// Layers that do not fit together, or parameters that do not fit a network.
    #[error("network: {0}")]
    Network(String),
    /// A setting outside its range, or one that does not fit the others.
    #[error("{setting}: {reason}")]
    Setting {
        /// Which one.
        setting: Setting,
        /// The value, the limit, what to do.
        reason: String,
    },
    /// An operation that a setting requested failed.
    #[error("{setting}: {source}")]
    For {
        /// The setting that requested it.
        setting: Setting,
        /// What failed.
        source: Box<Self>,
    },
    /// A settings file, or the settings in a run folder, that cannot be used.
    #[error("{}: {reason}", path.display())]
    SettingsFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// A run that cannot be resumed, or not to the same bits.
    #[error("{0}")]
    OtherRun(String),
    /// A run that has started and failed; its folder keeps all complete epochs.
    #[error("training stopped after {epochs} epoch{}: {source}", if *epochs == 1 { "" } else { "s" })]
    Training {
        /// The run folder, if the run has one.
        folder: Option<PathBuf>,
        /// The epoch whose model is in the folder, 0 for none; without a folder, the number of complete epochs.
        epochs: usize,
        /// Why it failed.
        source: Box<Self>,
    },
    /// Runs that cannot be combined, or some of which are missing.
    #[error("{0}")]
    Plan(String),
    /// More memory is needed than available.
    #[error("{0}")]
    Memory(String),
    /// An unknown name of a choice.
    #[error("{given:?} is not one of {}", known.join(", "))]
    UnknownName {
        /// The text.
        given: String,
        /// The known names.
        known: Vec<&'static str>,
    },
    /// A model file that cannot be used.
    #[error("{}: not a usable model file: {reason}", path.display())]
    Model {
        /// The model file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint file from which no run can be resumed.
    #[error("{}: not a usable checkpoint: {reason}", path.display())]
    Checkpoint {
        /// The checkpoint file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A model that another program's format cannot hold.
    #[error("export: {0}")]
    Export(String),
    /// No adapter was found, or none that fits.
    #[error("GPU: {0}")]
    NoAdapter(String),
    /// The device was lost, ran out of memory, or refused a command.
    #[error("GPU {adapter}: {reason}")]
    Device {
        /// Name of the adapter.
        adapter: String,
        /// What happened.
        reason: String,
    },
    /// Training produced a loss that is not a finite number.
    #[error("training diverged: {0}")]
    Diverged(String),
    /// An engine's results differ from the reference's.
    #[error("{0}")]
    WrongResult(String),
    /// A picture could not be drawn or encoded.
    #[error("picture: {0}")]
    Picture(String),
}

#[doc(hidden)]
impl Error {
    /// Wraps an operating-system error with the path it happened at.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        let path = path.into();
        if source.kind() == std::io::ErrorKind::OutOfMemory {
            return Self::Memory(format!("{OUT_OF_MEMORY}{} does not fit into free memory", path.display()));
        }
        Self::Io { path, source }
    }

    /// Refuses the value of a setting.
    pub fn setting(setting: Setting, reason: impl Into<String>) -> Self {
        Self::Setting { setting, reason: reason.into() }
    }

    /// Adds the setting that requested the failed operation, unless the error already names one.
    #[must_use]
    pub(crate) fn asked_by(self, setting: Setting) -> Self {
        match self {
            named @ (Self::Setting { .. } | Self::For { .. }) => named,
            source => Self::For { setting, source: Box::new(source) },
        }
    }

    /// An error about a table, in one line whatever its name and its reason quote: an array in an archive can have any name.
    pub(crate) fn table(name: String, reason: &str) -> Self {
        // The table is not at fault.
        if reason.starts_with(OUT_OF_MEMORY) {
            return Self::Memory(reason.to_owned());
        }
        Self::Table { name: one_line(&name), reason: one_line(reason) }
    }

    /// Adds the side of a layer on which a topology is impossible.
    pub(crate) fn on_side(self, side: &str) -> Self {
        match self {
            Self::Topology(reason) => Self::Topology(format!("{side}: {reason}")),
            other => other,
        }
    }
}

/// Adds the setting that requested the failed operation.
pub(crate) trait AskedBy {
    /// As [`Error::asked_by`].
    fn asked_by(self, setting: Setting) -> Self;
}

impl<T> AskedBy for Result<T> {
    fn asked_by(self, setting: Setting) -> Self {
        self.map_err(|error| error.asked_by(setting))
    }
}

/// Result with this library's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file is refused, in one line. Some reasons quote the file, which may contain anything, so line breaks and other
/// control characters become blanks, and long texts are cut.
pub(crate) fn one_line(reason: &str) -> String {
    let mut line: String =
        reason.chars().take(MAX_REASON).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if reason.chars().nth(MAX_REASON).is_some() {
        line.push('…');
    }
    line
}
