//! From the bytes of a checkpoint file to a checkpoint, believing nothing.

use safetensors::{Dtype, SafeTensors};

use super::encode::digest;
use super::format::{Header, METADATA_KEY, NAME, Preamble, VERSION};
use super::{Checkpoint, TrainingState};
use crate::engine::{EngineState, Values};
use crate::error::one_line;
use crate::training::EpochMetrics;

/// Reading gives up with a reason, to which the caller adds the path.
type Read<T> = Result<T, String>;

impl Checkpoint {
    /// Reads the bytes of a checkpoint file, whoever wrote them; never allocates more than 1 MiB and 32 bytes for each
    /// byte given.
    ///
    /// # Errors
    /// Says in one line why they are no checkpoint that a run can go on from.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        Self::decode(bytes).map_err(|reason| one_line(&reason))
    }

    fn decode(bytes: &[u8]) -> Read<Self> {
        let header = read_header(bytes)?;
        let file = SafeTensors::deserialize(bytes).map_err(|error| format!("damaged: {error}"))?;
        let parameters = read_values(&file, "parameters")?;
        let names = (0..).map(|index: usize| format!("optimizer.{index}"));
        let names = names.take_while(|name| file.tensor(name).is_ok());
        let optimizer = names.map(|name| read_values(&file, &name)).collect::<Read<Vec<_>>>()?;
        if file.len() != 2 + optimizer.len() {
            return Err(format!("{} tensors, expected {}", file.len(), 2 + optimizer.len()));
        }
        let history = read_history(&file)?;
        if history.len() != header.epochs {
            return Err(format!("metrics of {} epochs, expected {}", history.len(), header.epochs));
        }
        let memories = (0..optimizer.len()).map(|index| format!("optimizer.{index}"));
        let names = ["parameters".to_owned(), "history".to_owned()].into_iter().chain(memories);
        let lists = names.map(|name| Ok(list(&file, &name)?.1)).collect::<Read<Vec<_>>>()?;
        let is_whole = digest(lists.into_iter()) == header.sha256;
        let engine = EngineState { parameters, optimizer };
        let state = TrainingState { history, so_far: header.so_far, engine };
        state.check_itself().map_err(|error| error.to_string())?;
        let seconds = [Some(header.clock.seconds), header.clock.seconds_to_target];
        if !seconds.iter().flatten().all(|seconds| seconds.is_finite() && *seconds >= 0.0) {
            return Err("header: seconds that nobody can have measured".into());
        }
        // Last, so that all else is checked whatever the digest says.
        if !is_whole {
            return Err("damaged: its values are not those that were written".into());
        }
        Ok(Self { state, identity: header.identity, clock: header.clock })
    }
}

/// The JSON object in the metadata, once format and version are known to be ours.
fn read_header(bytes: &[u8]) -> Read<Header> {
    let container = |error| format!("truncated, or no safetensors file: {error}");
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(container)?;
    let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(METADATA_KEY));
    let json = entry.ok_or("a safetensors file, but not one that tanner wrote")?;
    let wrong = |error: serde_json::Error| format!("header: {error}");
    let preamble: Preamble = serde_json::from_str(json).map_err(wrong)?;
    if preamble.format != NAME {
        return Err(format!("format {:?}, expected {NAME:?}", preamble.format));
    }
    if preamble.version != VERSION {
        return Err(format!(
            "format version {}, this program reads version {VERSION}: go on with the program that wrote it",
            preamble.version
        ));
    }
    serde_json::from_str(json).map_err(wrong)
}

/// The bytes of a list.
fn list<'a>(file: &SafeTensors<'a>, name: &str) -> Read<(Dtype, &'a [u8])> {
    let tensor = file.tensor(name).map_err(|_| format!("tensor {name} is missing"))?;
    if tensor.shape().len() != 1 {
        return Err(format!("tensor {name} has the shape {:?}, expected a list", tensor.shape()));
    }
    Ok((tensor.dtype(), tensor.data()))
}

fn read_values(file: &SafeTensors<'_>, name: &str) -> Read<Values> {
    match list(file, name)? {
        (Dtype::F32, bytes) => {
            Ok(Values::Single(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()))
        }
        (Dtype::F64, bytes) => {
            Ok(Values::Double(bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()))
        }
        (other, _) => Err(format!("tensor {name} holds {other}, expected F32 or F64")),
    }
}

/// The whole epochs; a line takes more bytes than what is made of it.
fn read_history(file: &SafeTensors<'_>) -> Read<Vec<EpochMetrics>> {
    let (dtype, bytes) = list(file, "history")?;
    if dtype != Dtype::U8 {
        return Err(format!("tensor history holds {dtype}, expected U8"));
    }
    let Some(lines) = bytes.strip_suffix(b"\n") else {
        return if bytes.is_empty() { Ok(Vec::new()) } else { Err("half a line of metrics".into()) };
    };
    let parse = |(line, text): (usize, &[u8])| {
        serde_json::from_slice(text).map_err(|error| format!("metrics, line {line}: {error}"))
    };
    (1..).zip(lines.split(|byte| *byte == b'\n')).map(parse).collect()
}
