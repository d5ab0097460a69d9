//! Encodes a checkpoint as the bytes of its file.

use sha2::{Digest, Sha256};

use super::Checkpoint;
use super::format::{CheckpointMetadata, NAME, VERSION};
use crate::engine::Values;
use crate::model::{Tensor, container};
use crate::training::EpochMetrics;

fn tensor(values: &Values) -> Tensor<'_> {
    match values {
        Values::Single(values) => Tensor::list(values),
        Values::Double(values) => Tensor::doubles(values),
    }
}

impl Checkpoint {
    /// The bytes of the file; the same checkpoint always has the same bytes.
    ///
    /// # Errors
    /// Why they cannot be made.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let state = &self.state;
        let mut tensors = vec![
            ("parameters".to_owned(), tensor(&state.engine.parameters)),
            ("history".to_owned(), Tensor::text(lines(&state.history)?)),
        ];
        for (index, memory) in state.engine.optimizer.iter().enumerate() {
            tensors.push((format!("optimizer.{index}"), tensor(memory)));
        }
        for (index, graph) in state.graphs.iter().flatten().enumerate() {
            tensors.push((format!("graphs.{index}.row_start"), Tensor::indices(graph.row_start())));
            tensors.push((format!("graphs.{index}.input"), Tensor::indices(graph.input())));
        }
        let header = CheckpointMetadata {
            format: NAME.into(),
            version: VERSION,
            written_by: concat!("tanner ", env!("CARGO_PKG_VERSION")).into(),
            epochs: state.history.len(),
            so_far: state.so_far,
            optimizer_start: state.engine.optimizer_start,
            identity: self.identity.clone(),
            clock: self.clock,
            sha256: digest(tensors.iter().map(|(_, tensor)| tensor.bytes())),
        };
        let header = serde_json::to_string(&header).map_err(|error| error.to_string())?;
        container::to_bytes(tensors, header)
    }
}

/// The digest of lists of bytes: parameters, history, then optimiser state, then graphs.
pub(super) fn digest<'a>(lists: impl Iterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    lists.for_each(|list| hash.update(list));
    crate::text::hex(hash.finalize())
}

/// The lines of `metrics.jsonl`.
pub(in crate::training) fn lines(history: &[EpochMetrics]) -> Result<Vec<u8>, String> {
    let mut lines = Vec::new();
    for metrics in history {
        serde_json::to_writer(&mut lines, &metrics.named()).map_err(|error| error.to_string())?;
        lines.push(b'\n');
    }
    Ok(lines)
}
