//! The one error type of the library: what failed, where, which value, which limit.

use std::path::PathBuf;

/// Most characters of a reason why a file is refused.
const MAX_REASON: usize = 400;

/// Everything that can go wrong in this library.
///
/// Each message is one line that names the operation, the value that was given,
/// the limit, and, where there is one, the way out.
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
    /// A data file does not hold what its format promises.
    #[error("{}, byte {offset}: {reason}", path.display())]
    Data {
        /// The data file.
        path: PathBuf,
        /// Offset of the violation in the decompressed content.
        offset: u64,
        /// What was found, what was expected.
        reason: String,
    },
    /// A table cannot be read, or not be used as it is.
    #[error("{name}: {reason}")]
    Table {
        /// The file, or what the table is called.
        name: String,
        /// Where in the table, what was found, what was expected, what to do.
        reason: String,
    },
    /// Features, labels or class count do not fit together.
    #[error("data set: {0}")]
    Dataset(String),
    /// The importance of the features could not be computed or applied.
    #[error("feature importance: {0}")]
    Importance(String),
    /// A layer was asked for that no bipartite graph can satisfy.
    #[error("topology: {0}")]
    Topology(String),
    /// Layers that do not fit together, or parameters that do not fit a network.
    #[error("network: {0}")]
    Network(String),
    /// A training setting outside its range.
    #[error("{setting}: {reason}")]
    Setting {
        /// The setting as the user knows it, for example `--batch-size`.
        setting: &'static str,
        /// The value, the limit, what to do.
        reason: String,
    },
    /// A model file that cannot be read as one.
    #[error("{}: not a usable model file: {reason}", path.display())]
    Model {
        /// The model file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint file that no run can go on from.
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
    /// An engine's results are not those of the reference engine.
    #[error("{0}")]
    WrongResult(String),
    /// A picture could not be drawn or encoded.
    #[error("picture: {0}")]
    Picture(String),
}

impl Error {
    /// Wraps an operating-system error with the path it happened at.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    /// An error about a table, in one line whatever its reason quotes.
    pub(crate) fn table(name: String, reason: &str) -> Self {
        Self::Table { name, reason: one_line(reason) }
    }

    /// Says on which side of a layer a topology is impossible.
    pub(crate) fn on_side(self, side: &str) -> Self {
        match self {
            Self::Topology(reason) => Self::Topology(format!("{side}: {reason}")),
            other => other,
        }
    }
}

/// Result with this library's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file is refused, in one line: some reasons quote the file, which may say anything, so line breaks and other
/// control characters become blanks, and what is too long is cut.
pub(crate) fn one_line(reason: &str) -> String {
    let mut line: String =
        reason.chars().take(MAX_REASON).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if reason.chars().nth(MAX_REASON).is_some() {
        line.push('…');
    }
    line
}
