//! The outer form of a model file, safetensors, read without trusting it.
//!
//! Eight bytes with the length of a header, the header, a JSON object, then the
//! bytes of the tensors. This is stricter than other readers of that format: the
//! header is bounded, no name comes twice, no field is unknown, and the tensors
//! follow each other without a gap or an overlap to the end of the file. Nothing is
//! allocated but the entries of a header that is really there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use safetensors::Dtype;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::format::{MAX_HEADER, METADATA_KEY};

/// Bytes of the number with which a file starts: the length of its header.
pub(super) const LENGTH_BYTES: usize = 8;

/// A file taken apart; the tensors stay in its bytes.
#[derive(Debug)]
pub(super) struct Container<'a> {
    /// Our entry in the metadata, where there is one.
    pub(super) metadata: Option<String>,
    tensors: BTreeMap<String, Tensor>,
    /// What follows the header.
    data: &'a [u8],
}

/// What the header says of a tensor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tensor {
    /// Type of the values.
    pub(super) dtype: Dtype,
    /// Length of each dimension.
    pub(super) shape: Vec<usize>,
    /// First byte and the one behind the last, counted from the end of the header.
    data_offsets: [usize; 2],
}

impl<'a> Container<'a> {
    /// Takes a file apart.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, String> {
        let (length, rest) = bytes
            .split_first_chunk::<LENGTH_BYTES>()
            .ok_or_else(|| format!("truncated: {} bytes, {LENGTH_BYTES} are the least", bytes.len()))?;
        let length = header_length(*length)?;
        let (header, data) = rest.split_at_checked(length).ok_or_else(|| {
            format!("truncated, or no safetensors file: a header of {length} bytes does not fit")
        })?;
        let header: Header =
            serde_json::from_slice(header).map_err(|error| format!("no safetensors file: {error}"))?;
        check_offsets(&header.tensors, data.len())?;
        Ok(Self { metadata: header.metadata, tensors: header.tensors, data })
    }

    /// Number of tensors.
    pub(super) fn len(&self) -> usize {
        self.tensors.len()
    }

    /// A tensor and its bytes.
    pub(super) fn tensor(&self, name: &str) -> Option<(&Tensor, &'a [u8])> {
        let tensor = self.tensors.get(name)?;
        let [start, end] = tensor.data_offsets;
        Some((tensor, &self.data[start..end]))
    }
}

/// The length of the header, from the first bytes of a file.
pub(super) fn header_length(bytes: [u8; LENGTH_BYTES]) -> Result<usize, String> {
    let length = u64::from_le_bytes(bytes);
    usize::try_from(length).ok().filter(|length| (2..=MAX_HEADER).contains(length)).ok_or_else(|| {
        format!("no safetensors file: its header would have {length} bytes, 2 to {MAX_HEADER} are possible")
    })
}

/// Refuses tensors that do not cover `length` bytes, each byte once.
fn check_offsets(tensors: &BTreeMap<String, Tensor>, length: usize) -> Result<(), String> {
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
    tensors: BTreeMap<String, Tensor>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the tensors of a file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header::default();
        let mut metadata_seen = false;
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                if std::mem::replace(&mut metadata_seen, true) {
                    return Err(A::Error::custom("the metadata come twice"));
                }
                header.metadata = map.next_value::<Metadata>()?.ours;
                continue;
            }
            match header.tensors.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(map.next_value()?);
                }
                Entry::Occupied(place) => {
                    return Err(A::Error::custom(format!("tensor {} comes twice", place.key())));
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
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetadataVisitor)
    }
}

struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
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
