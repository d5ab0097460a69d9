//! Numpy's archive of named arrays: a zip file with one `.npy` file for each.
//!
//! The same arrays always result in the same bytes: no times are stored. The format of an array is
//! [version 1.0](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).

use std::io::{Cursor, Write};

use safetensors::{Dtype, View};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::model::Tensor;
use crate::npy::header;
use crate::{Error, Result};

/// An archive under construction, in memory.
pub(super) struct Npz {
    archive: ZipWriter<Cursor<Vec<u8>>>,
}

impl Npz {
    pub(super) fn new() -> Self {
        Self { archive: ZipWriter::new(Cursor::new(Vec::new())) }
    }

    /// Adds float32 numbers or indices, none of which may be above 2^31 - 1: they become int32.
    pub(super) fn tensor(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        let kind = if tensor.dtype() == Dtype::U32 { "<i4" } else { "<f4" };
        self.array(name, kind, tensor.shape(), tensor.bytes())
    }

    /// Adds a list of int64 numbers.
    pub(super) fn sizes(&mut self, name: &str, values: &[usize]) -> Result<()> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| (*value as u64).to_le_bytes()).collect();
        self.array(name, "<i8", &[values.len()], &bytes)
    }

    /// Adds a text, as an array of no dimensions that holds its bytes.
    pub(super) fn text(&mut self, name: &str, text: &str) -> Result<()> {
        self.array(name, &format!("|S{}", text.len()), &[], text.as_bytes())
    }

    fn array(&mut self, name: &str, kind: &str, shape: &[usize], data: &[u8]) -> Result<()> {
        let header = header(kind, shape);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .large_file(u32::try_from(header.len() + data.len()).is_err());
        self.archive.start_file(format!("{name}.npy"), options).map_err(failed)?;
        let written = self.archive.write_all(&header).and_then(|()| self.archive.write_all(data));
        written.map_err(|error| failed(error.into()))
    }

    /// The bytes of the archive.
    pub(super) fn finish(self) -> Result<Vec<u8>> {
        Ok(self.archive.finish().map_err(failed)?.into_inner())
    }
}

fn failed(error: zip::result::ZipError) -> Error {
    Error::Export(format!("npz: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_arrays_give_the_same_bytes() {
        let bytes = || {
            let mut npz = Npz::new();
            npz.tensor("a", &Tensor::floats(&[1.0, 2.0], vec![2, 1])).unwrap();
            npz.text("b", "csr").unwrap();
            npz.finish().unwrap()
        };
        assert_eq!(bytes(), bytes());
        assert!(bytes().starts_with(b"PK"));
    }
}
