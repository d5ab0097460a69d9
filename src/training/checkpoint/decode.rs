//! Decodes the bytes of a checkpoint file as untrusted input.

use safetensors::Dtype;

use super::encode::digest;
use super::format::{CheckpointMetadata, NAME, VERSION};
use super::{Checkpoint, TrainingState};
use crate::engine::{EngineState, Values};
use crate::error::one_line;
use crate::model::container::{Container, Read};
use crate::topology::GraphRows;
use crate::training::EpochMetrics;

impl Checkpoint {
    /// Reads the bytes of an untrusted checkpoint file; never allocates more than 1 MiB plus 32 bytes for each
    /// byte given.
    ///
    /// # Errors
    /// Says in one line why they are not a usable checkpoint.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        Self::decode(bytes).map_err(|reason| one_line(&reason))
    }

    fn decode(bytes: &[u8]) -> Read<Self> {
        let mut file = Container::new(bytes)?;
        let header: CheckpointMetadata = file.header(NAME, check_version)?;
        let mut lists = Vec::new();
        let parameters = read_values(&mut file, "parameters", &mut lists)?;
        let history = file.typed("history", Dtype::U8, None)?;
        lists.push(history);
        let mut optimizer = Vec::new();
        loop {
            let name = format!("optimizer.{}", optimizer.len());
            if !file.contains(&name) {
                break;
            }
            optimizer.push(read_values(&mut file, &name, &mut lists)?);
        }
        let graphs = read_graphs(&mut file, &mut lists)?;
        file.expect_all_read()?;
        let history = read_history(history)?;
        if history.len() != header.epochs {
            return Err(format!("metrics of {} epochs, expected {}", history.len(), header.epochs));
        }
        let is_whole = digest(lists.into_iter()) == header.sha256;
        let engine = EngineState { parameters, optimizer, optimizer_start: header.optimizer_start };
        let state = TrainingState { history, so_far: header.so_far, engine, graphs };
        state.check_itself().map_err(|error| error.to_string())?;
        let seconds = [Some(header.clock.seconds), header.clock.seconds_to_target];
        if !seconds.iter().flatten().all(|seconds| seconds.is_finite() && *seconds >= 0.0) {
            return Err("header: impossible seconds".into());
        }
        // Last, so that everything else is checked regardless of the digest.
        if !is_whole {
            return Err("damaged: its values have changed".into());
        }
        Ok(Self { state, identity: header.identity, clock: header.clock })
    }
}

fn check_version(version: u32) -> Read<()> {
    if version != VERSION {
        return Err(format!(
            "format version {version}, this program reads version {VERSION}: resume with the program that wrote it"
        ));
    }
    Ok(())
}

/// Reads a list of numbers, and adds its bytes to `lists`.
fn read_values<'a>(file: &mut Container<'a>, name: &str, lists: &mut Vec<&'a [u8]>) -> Read<Values> {
    let (dtype, bytes) = file.tensor(name, None)?;
    lists.push(bytes);
    match dtype {
        Dtype::F32 => {
            Ok(Values::Single(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()))
        }
        Dtype::F64 => {
            Ok(Values::Double(bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()))
        }
        other => Err(format!("tensor {name} holds {other}, expected F32 or F64")),
    }
}

/// Reads the edges of each layer, if present.
fn read_graphs<'a>(file: &mut Container<'a>, lists: &mut Vec<&'a [u8]>) -> Read<Option<Vec<GraphRows>>> {
    let mut graphs = Vec::new();
    loop {
        let name = |part| format!("graphs.{}.{part}", graphs.len());
        if !file.contains(&name("row_start")) {
            break;
        }
        let mut read = |name: String| -> Read<Vec<u32>> {
            let bytes = file.typed(&name, Dtype::U32, None)?;
            lists.push(bytes);
            Ok(bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
        };
        let (row_start, input) = (read(name("row_start"))?, read(name("input"))?);
        graphs.push(GraphRows::Read { row_start, input });
    }
    Ok((!graphs.is_empty()).then_some(graphs))
}

/// The complete epochs; a line takes more bytes than its decoded form.
fn read_history(bytes: &[u8]) -> Read<Vec<EpochMetrics>> {
    let Some(lines) = bytes.strip_suffix(b"\n") else {
        return if bytes.is_empty() { Ok(Vec::new()) } else { Err("half a line of metrics".into()) };
    };
    let parse = |(line, text): (usize, &[u8])| {
        serde_json::from_slice(text).map_err(|error| format!("metrics, line {line}: {error}"))
    };
    (1..).zip(lines.split(|byte| *byte == b'\n')).map(parse).collect()
}
