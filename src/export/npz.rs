//! Numpy's archive of named arrays: a zip file with one `.npy` file for each.
//!
//! The same arrays always give the same bytes: no times are kept. The form of an array is
//! [version 1.0](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::{Error, Result};

/// An array is aligned to so many bytes.
const ALIGNMENT: usize = 64;

/// An archive that is being written, in memory.
pub(super) struct Npz {
    archive: ZipWriter<Cursor<Vec<u8>>>,
}

impl Npz {
    pub(super) fn new() -> Self {
        Self { archive: ZipWriter::new(Cursor::new(Vec::new())) }
    }

    /// Adds float32 numbers of a shape, row-major.
    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<()> {
        self.array(name, "<f4", shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// Adds a list of int32 numbers. None may be above 2^31 - 1, which no index of a layer is.
    pub(super) fn indices(&mut self, name: &str, values: &[u32]) -> Result<()> {
        self.array(
            name,
            "<i4",
            &[values.len()],
            values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        )
    }

    /// Adds a list of int64 numbers.
    pub(super) fn sizes(&mut self, name: &str, values: &[usize]) -> Result<()> {
        let bytes = values.iter().flat_map(|value| (*value as u64).to_le_bytes()).collect();
        self.array(name, "<i8", &[values.len()], bytes)
    }

    /// Adds a text, as an array of no dimensions that holds its bytes.
    pub(super) fn text(&mut self, name: &str, text: &str) -> Result<()> {
        self.array(name, &format!("|S{}", text.len()), &[], text.as_bytes().to_vec())
    }

    fn array(&mut self, name: &str, kind: &str, shape: &[usize], data: Vec<u8>) -> Result<()> {
        let header = header(kind, shape);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .large_file(u32::try_from(header.len() + data.len()).is_err());
        self.archive.start_file(format!("{name}.npy"), options).map_err(failed)?;
        let written = self.archive.write_all(&header).and_then(|()| self.archive.write_all(&data));
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

/// What stands before the numbers of an array.
fn header(kind: &str, shape: &[usize]) -> Vec<u8> {
    // As Python writes a tuple: `()`, `(3,)`, `(3, 4)`.
    let sides: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let fields =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}{comma}), }}", sides.join(", "));
    let start = b"\x93NUMPY\x01\x00";
    // Two bytes of length before it, a line break behind it.
    let length = (start.len() + 2 + fields.len() + 1).next_multiple_of(ALIGNMENT) - start.len() - 2;
    let width = length - 1;
    let text = format!("{fields:<width$}\n");
    let length = u16::try_from(length).expect("a few numbers make a short text");
    [&start[..], &length.to_le_bytes(), text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_aligned_and_say_the_shape() {
        for (shape, text) in
            [(&[][..], "'shape': (), "), (&[3], "'shape': (3,), "), (&[3, 4], "'shape': (3, 4), ")]
        {
            let bytes = header("<f4", shape);
            assert_eq!((bytes.len() % ALIGNMENT, bytes[bytes.len() - 1]), (0, b'\n'));
            assert_eq!(usize::from(bytes[8]) + 10, bytes.len());
            assert!(String::from_utf8_lossy(&bytes).contains(text), "{shape:?}");
        }
    }

    #[test]
    fn the_same_arrays_give_the_same_bytes() {
        let bytes = || {
            let mut npz = Npz::new();
            npz.floats("a", &[2, 1], &[1.0, 2.0]).unwrap();
            npz.text("b", "csr").unwrap();
            npz.finish().unwrap()
        };
        assert_eq!(bytes(), bytes());
        assert!(bytes().starts_with(b"PK"));
    }
}
