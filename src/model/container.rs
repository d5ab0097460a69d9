//! The container of model files and checkpoints, safetensors, read as untrusted input.
//!
//! Eight bytes with the length of a header, the header, a JSON object, then the
//! bytes of the tensors. This is stricter than other readers of that format: the
//! header is bounded, names are unique, all fields are known, and the tensors
//! follow each other without gaps or overlaps to the end of the file. Nothing is
//! allocated but the entries of a complete header.
//!
//! The metadata have one entry, [`METADATA_KEY`], a JSON object that starts with the
//! name and the version of the format.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use safetensors::Dtype;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::format::{MAX_HEADER, METADATA_KEY};
use super::tensor::Tensor;
use crate::{Error, Result};

/// Reading fails with a reason, to which the caller adds the path.
pub(crate) type Read<T> = std::result::Result<T, String>;

/// Bytes of the number with which a file starts: the length of its header.
const LENGTH_BYTES: usize = 8;

/// A parsed file; the tensors stay in its bytes.
#[derive(Debug)]
pub(crate) struct Container<'a> {
    /// Our entry in the metadata, if there is one.
    metadata: Option<String>,
    tensors: BTreeMap<String, TensorInfo>,
    /// What follows the header.
    data: &'a [u8],
    /// Number of tensors that were read.
    read: usize,
}

/// The header's entry of a tensor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TensorInfo {
    dtype: Dtype,
    /// Length of each dimension.
    shape: Vec<usize>,
    /// First byte and end, counted from the end of the header.
    data_offsets: [usize; 2],
}

/// The part that is read first, to decide whether the rest can be read.
#[derive(Deserialize)]
struct Preamble {
    format: String,
    version: u32,
}

/// Bytes by which files of other kinds are recognised.
const SNIFFED: u64 = 4096;

/// The bytes of a file, unless its first bytes show another kind, which may be huge or an endless device.
///
/// # Errors
/// [`Error::Io`] when it cannot be read; `refuse` makes the error of another kind.
pub(crate) fn read_file(path: &Path, refuse: impl Fn(String) -> Error) -> Result<Vec<u8>> {
    let failed = |error| Error::io(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.by_ref().take(LENGTH_BYTES as u64).read_to_end(&mut bytes).map_err(failed)?;
    let length = bytes.first_chunk().map_or(Ok(0), |length| header_length(*length));
    if let Err(reason) = length {
        file.take(SNIFFED).read_to_end(&mut bytes).map_err(failed)?;
        return Err(refuse(super::foreign::in_place_of_a_model(&bytes).unwrap_or(reason)));
    }
    // The bytes, the model, and its packed form.
    #[cfg(feature = "train")]
    crate::host::require(&path.display().to_string(), 3.0 * file.metadata().map_err(failed)?.len() as f64)?;
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

#[cfg(feature = "train")]
/// The bytes of a file with these tensors, which the writer sorts by type and name, and the header as our metadata.
pub(crate) fn to_bytes(tensors: Vec<(String, Tensor<'_>)>, header: String) -> Read<Vec<u8>> {
    let metadata = HashMap::from([(METADATA_KEY.to_owned(), header)]);
    let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(|error| error.to_string())?;
    // Refuses to write what no reader would accept.
    bytes.first_chunk().map_or(Ok(0), |length| header_length(*length))?;
    Ok(bytes)
}

impl<'a> Container<'a> {
    /// Parses a file.
    pub(crate) fn new(bytes: &'a [u8]) -> Read<Self> {
        let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>().ok_or_else(|| {
            format!(
                "truncated, or not a safetensors file: {} bytes, at least {LENGTH_BYTES} are needed",
                bytes.len()
            )
        })?;
        let length = header_length(*length)
            .map_err(|reason| super::foreign::in_place_of_a_model(bytes).unwrap_or(reason))?;
        let (header, data) = rest.split_at_checked(length).ok_or_else(|| {
            format!("truncated, or not a safetensors file: a header of {length} bytes does not fit")
        })?;
        let header: Header =
            serde_json::from_slice(header).map_err(|error| format!("not a safetensors file: {error}"))?;
        check_offsets(&header.tensors, data.len())?;
        Ok(Self { metadata: header.metadata, tensors: header.tensors, data, read: 0 })
    }

    /// The JSON object in the metadata, once the format is `name` and `check` accepts its version.
    pub(crate) fn header<H: DeserializeOwned>(
        &self,
        name: &str,
        check: impl FnOnce(u32) -> Read<()>,
    ) -> Read<H> {
        let json = self.metadata.as_deref().ok_or("a safetensors file, but not one that tanner wrote")?;
        let wrong = |error: serde_json::Error| format!("header: {error}");
        let preamble: Preamble = serde_json::from_str(json).map_err(wrong)?;
        if preamble.format != name {
            return Err(format!("format {:?}, expected {name:?}", preamble.format));
        }
        check(preamble.version)?;
        serde_json::from_str(json).map_err(wrong)
    }

    /// Whether there is such a tensor.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Type and bytes of a tensor of this shape, or of one dimension if no shape is given.
    pub(crate) fn tensor(&mut self, name: &str, shape: Option<&[usize]>) -> Read<(Dtype, &'a [u8])> {
        let tensor = self.tensors.get(name).ok_or_else(|| format!("tensor {name} is missing"))?;
        let expected = match shape {
            Some(shape) if tensor.shape != shape => format!("{shape:?}"),
            None if tensor.shape.len() != 1 => "a list".into(),
            _ => {
                self.read += 1;
                let [start, end] = tensor.data_offsets;
                return Ok((tensor.dtype, &self.data[start..end]));
            }
        };
        Err(format!("tensor {name} has the shape {:?}, expected {expected}", tensor.shape))
    }

    /// As [`Self::tensor`], refusing other types.
    pub(crate) fn typed(&mut self, name: &str, dtype: Dtype, shape: Option<&[usize]>) -> Read<&'a [u8]> {
        match self.tensor(name, shape)? {
            (found, bytes) if found == dtype => Ok(bytes),
            (found, _) => Err(format!("tensor {name} holds {found}, expected {dtype}")),
        }
    }

    /// Refuses tensors that were not read: the file holds unknown data.
    pub(crate) fn expect_all_read(&self) -> Read<()> {
        if self.read == self.tensors.len() {
            return Ok(());
        }
        Err(format!("{} tensors, expected {}", self.tensors.len(), self.read))
    }
}

/// The length of the header, from the first bytes of a file.
fn header_length(bytes: [u8; LENGTH_BYTES]) -> Read<usize> {
    let length = u64::from_le_bytes(bytes);
    usize::try_from(length).ok().filter(|length| (2..=MAX_HEADER).contains(length)).ok_or_else(|| {
        format!(
            "not a safetensors file: its header would have {length} bytes, 2 to {MAX_HEADER} are possible"
        )
    })
}

/// Refuses tensors that do not cover `length` bytes, each byte once.
fn check_offsets(tensors: &BTreeMap<String, TensorInfo>, length: usize) -> Read<()> {
    let mut in_order: Vec<_> = tensors.iter().collect();
    in_order.sort_by_key(|(_, tensor)| tensor.data_offsets);
    let mut expected = 0;
    for (name, tensor) in in_order {
        let [start, end] = tensor.data_offsets;
        if start != expected || end < start {
            return Err(format!(
                "damaged: tensor {name} has the bytes {start} to {end}, the ones before end at {expected}"
            ));
        }
        let values = tensor.shape.iter().try_fold(1usize, |product, side| product.checked_mul(*side));
        let bits = values.and_then(|values| values.checked_mul(tensor.dtype.bitsize()));
        if bits.is_none_or(|bits| bits % 8 != 0 || bits / 8 != end - start) {
            return Err(format!(
                "damaged: tensor {name} has {} bytes, which its shape and type do not fill",
                end - start
            ));
        }
        expected = end;
    }
    if expected != length {
        return Err(format!("truncated or too long: {length} bytes of tensors, the header says {expected}"));
    }
    Ok(())
}

/// The JSON object at the head of a file.
#[derive(Debug, Default)]
struct Header {
    metadata: Option<String>,
    tensors: BTreeMap<String, TensorInfo>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the tensors of a file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Header, A::Error> {
        let mut header = Header::default();
        let mut metadata_seen = false;
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                if std::mem::replace(&mut metadata_seen, true) {
                    return Err(A::Error::custom("the metadata appear twice"));
                }
                header.metadata = map.next_value::<Metadata>()?.ours;
                continue;
            }
            match header.tensors.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(map.next_value()?);
                }
                Entry::Occupied(place) => {
                    return Err(A::Error::custom(format!("tensor {} appears twice", place.key())));
                }
            }
        }
        Ok(header)
    }
}

/// The metadata, of which only our own entry is kept.
struct Metadata {
    ours: Option<String>,
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(MetadataVisitor)
    }
}

struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Metadata, A::Error> {
        let mut ours = None;
        while let Some(key) = map.next_key::<String>()? {
            if key != METADATA_KEY {
                map.next_value::<IgnoredAny>()?;
            } else if ours.replace(map.next_value()?).is_some() {
                return Err(A::Error::custom(format!("the metadata hold {METADATA_KEY} twice")));
            }
        }
        Ok(Metadata { ours })
    }
}
