//! The checkpoint file: a safetensors file next to the `config.json` of its run.
//!
//! The metadata have one entry, `tanner`, a JSON object ([`CheckpointMetadata`]) with the name and version of the format, the
//! position and the sums of the unfinished epoch, the digests of what the run began with, and the seconds it
//! has taken. Floating-point numbers have enough digits to restore their bits. Tensors,
//! little-endian:
//!
//! | tensor | type | shape | |
//! |---|---|---|---|
//! | `parameters` | f32, of the reference engine f64 | parameters | layer by layer its weights, then its biases, in canonical order |
//! | `optimizer.0`, `optimizer.1`, ... | the same | parameters | the optimiser's state, in the order in which its rule counts it: momentum or mean, then mean square; none with SGD |
//! | `graphs.0.row_start`, `graphs.0.input`, `graphs.1.row_start`, ... | u32 | outputs + 1, edges | of a run that rewires: the edges of each layer, canonical |
//! | `history` | u8 | bytes | the lines of `metrics.jsonl` for the whole epochs, each with its line feed |
//!
//! The graphs of other runs and the preprocessing are not here: they follow from the settings in `config.json`, and
//! `identity.start` shows whether they are the same. The random generator is not here either: the seed and
//! the position determine it ([`super`]). The kernels of a GPU are in `config.json`, as `gpu_kernels`.
//!
//! A reader trusts nothing: sizes are compared with the length of the file before they are used, so
//! that it allocates no more than a few times the length of the file; numbers must be finite (Adam's mean
//! squares may be infinite), counts possible, epochs without gaps.

use serde::{Deserialize, Serialize};

use super::{EpochSoFar, RunClock, RunIdentity};

/// Name of the format.
pub const NAME: &str = "tanner-checkpoint";
/// Version that this program writes, and the only one that it reads: checkpoints are short-lived.
pub const VERSION: u32 = 1;

/// The JSON object in the metadata.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointMetadata {
    /// [`NAME`].
    pub format: String,
    /// Version of the format.
    pub version: u32,
    /// The program that wrote the file, for people to read.
    pub written_by: String,
    /// Number of whole epochs, the lines of `history`.
    pub epochs: usize,
    /// The unfinished epoch.
    pub so_far: EpochSoFar,
    /// Steps of the run when the optimiser's state was zero; written if above 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub optimizer_start: u64,
    /// Which run it is.
    pub identity: RunIdentity,
    /// How long it has taken.
    pub clock: RunClock,
    /// SHA-256 of the tensors, one after another, as hexadecimal digits: a flipped bit would be trained on.
    pub sha256: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
