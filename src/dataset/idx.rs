//! Reader for IDX, the format of MNIST and similar data sets.
//!
//! Content: two zero bytes, a type code, the number of dimensions, one
//! big-endian u32 for each dimension, then the values, the last dimension
//! running fastest. Images are `[image][row][column]` and labels `[image]`, both
//! of unsigned bytes. A file may be compressed with gzip, which is recognised by
//! its first two bytes and not by its name.
//!
//! Nothing is trusted before it is checked: memory grows with the bytes that
//! actually exist, never with the claims of a header, and decompression stops
//! at the announced end. Every violation is an [`Error::Data`] whose
//! offset counts bytes of the decompressed content.
//!
//! Source of the format: <http://yann.lecun.com/exdb/mnist/>.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::{Error, Result, host};

/// Maximum number of bytes of values in one file: 1 GiB, which is 4 GiB as f32.
pub const MAX_VALUES: u64 = 1 << 30;

/// Bytes that are read before checking whether the rest fits into memory.
const PIECE: u64 = 2 << 20;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const UNSIGNED_BYTE: u8 = 0x08;
const MAGIC_BYTES: usize = 4;
const IMAGE_DIMENSIONS: usize = 3;
const LABEL_DIMENSIONS: usize = 1;

/// Content of one image file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxImages {
    /// Number of images, at least 1.
    pub count: usize,
    /// Rows of each image, at least 1.
    pub rows: usize,
    /// Columns of each image, at least 1.
    pub columns: usize,
    /// `[image][row][column]`.
    pub pixels: Vec<u8>,
}

/// Reads an image file: unsigned bytes in three dimensions.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read, [`Error::Data`] when its content is not a
/// complete image file of at most [`MAX_VALUES`] pixels and nothing else.
pub fn read_images(path: impl AsRef<Path>) -> Result<IdxImages> {
    let path = path.as_ref();
    let ([count, rows, columns], pixels) = read_values::<IMAGE_DIMENSIONS>(Content::open(path)?)?;
    Ok(IdxImages { count, rows, columns, pixels })
}

/// As [`read_images`], from the bytes of a file, which is called `name` in messages.
///
/// # Errors
/// [`Error::Data`] as for [`read_images`].
pub fn images_from_bytes(name: impl AsRef<Path>, bytes: &[u8]) -> Result<IdxImages> {
    let name = name.as_ref();
    let ([count, rows, columns], pixels) = read_values::<IMAGE_DIMENSIONS>(Content::new(name, bytes)?)?;
    Ok(IdxImages { count, rows, columns, pixels })
}

/// Reads a label file: unsigned bytes in one dimension, `[image]`.
///
/// # Errors
/// As for [`read_images`].
pub fn read_labels(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    let path = path.as_ref();
    read_values::<LABEL_DIMENSIONS>(Content::open(path)?).map(|(_, labels)| labels)
}

/// As [`read_labels`], from the bytes of a file, which is called `name` in messages.
///
/// # Errors
/// [`Error::Data`] as for [`read_labels`].
pub fn labels_from_bytes(name: impl AsRef<Path>, bytes: &[u8]) -> Result<Vec<u8>> {
    let name = name.as_ref();
    read_values::<LABEL_DIMENSIONS>(Content::new(name, bytes)?).map(|(_, labels)| labels)
}

/// A violation at `offset` of the decompressed content.
pub(super) fn violation(path: &Path, offset: u64, reason: String) -> Error {
    Error::Data { path: path.to_owned(), offset, reason }
}

/// Dimensions and values of a file that must have `D` dimensions of unsigned bytes.
fn read_values<const D: usize>(mut content: Content<'_>) -> Result<([usize; D], Vec<u8>)> {
    content.read_magic(D)?;
    let (dimensions, values) = content.read_dimensions::<D>()?;
    let header = content.offset;
    let data = content.read(values)?;
    if (data.len() as u64) < values {
        return Err(content.ended(&format!("{} ({values} values behind the header)", header + values)));
    }
    content.expect_end(values)?;
    Ok((dimensions, data))
}

/// The decompressed content of a file, read from front to back.
struct Content<'a> {
    path: &'a Path,
    reader: Box<dyn Read + 'a>,
    compressed: bool,
    /// Bytes read so far.
    offset: u64,
}

impl<'a> Content<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io(path, error))?;
        Self::new(path, BufReader::with_capacity(1 << 18, file))
    }

    fn new(path: &'a Path, mut file: impl BufRead + 'a) -> Result<Self> {
        let start = file.fill_buf().map_err(|error| Error::io(path, error))?;
        let compressed = start.starts_with(&GZIP_MAGIC);
        let reader: Box<dyn Read + 'a> =
            if compressed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        Ok(Self { path, reader, compressed, offset: 0 })
    }

    /// The next `count` bytes, or fewer if the content ends before.
    fn read(&mut self, count: u64) -> Result<Vec<u8>> {
        let name = self.path.display().to_string();
        let mut bytes = Vec::new();
        let outcome = loop {
            // Repeatedly, because another file may be read at the same time.
            let rest = count - bytes.len() as u64;
            host::require(&name, rest as f64)?;
            let mut piece = self.reader.by_ref().take(rest.min(PIECE));
            match host::handling_failure(|| piece.read_to_end(&mut bytes)) {
                Ok(read) if read as u64 == PIECE => {}
                ended => break ended,
            }
        };
        self.offset += bytes.len() as u64;
        let missing = count - bytes.len() as u64;
        outcome.map_err(|error| match error.kind() {
            io::ErrorKind::OutOfMemory => host::refused(&name, count as f64),
            _ => self.read_error(error, &format!("{missing} more bytes")),
        })?;
        Ok(bytes)
    }

    /// Nothing may follow the values, neither in the content nor in the gzip stream around it.
    fn expect_end(&mut self, values: u64) -> Result<()> {
        let end = self.offset;
        let mut byte = Vec::new();
        let outcome = self.reader.by_ref().take(1).read_to_end(&mut byte);
        outcome.map_err(|error| self.read_error(error, "its end"))?;
        if byte.is_empty() {
            return Ok(());
        }
        let reason = format!("more bytes follow, expected the end after {values} values of 1 byte each");
        Err(violation(self.path, end, reason))
    }

    fn read_error(&self, error: io::Error, expected: &str) -> Error {
        // The decoder reports damage as an error without a system call.
        if !self.compressed || error.raw_os_error().is_some() {
            return Error::io(self.path, error);
        }
        let reason = format!(
            "the gzip stream is damaged, cut off or followed by other bytes here ({error}), expected {expected}"
        );
        violation(self.path, self.offset, reason)
    }

    fn ended(&self, expected: &str) -> Error {
        let offset = self.offset;
        violation(self.path, offset, format!("the content ends after {offset} bytes, expected {expected}"))
    }

    fn read_magic(&mut self, expected: usize) -> Result<()> {
        let bytes = self.read(MAGIC_BYTES as u64)?;
        let &[zero_0, zero_1, type_code, dimensions] = bytes.as_slice() else {
            return Err(self.ended("the 4 bytes of an IDX magic number"));
        };
        if (zero_0, zero_1) != (0, 0) {
            let reason = format!(
                "bytes {zero_0:#04x} {zero_1:#04x}, expected the two zero bytes that IDX starts with"
            );
            return Err(violation(self.path, if zero_0 == 0 { 1 } else { 0 }, reason));
        }
        if type_code != UNSIGNED_BYTE {
            let reason =
                format!("IDX type code {type_code:#04x}, expected {UNSIGNED_BYTE:#04x} (unsigned byte)");
            return Err(violation(self.path, 2, reason));
        }
        if usize::from(dimensions) != expected {
            let holds = |dimensions| match dimensions {
                IMAGE_DIMENSIONS => " (an image file)",
                LABEL_DIMENSIONS => " (a label file)",
                _ => "",
            };
            let (is, should) = (holds(usize::from(dimensions)), holds(expected));
            let reason = format!("number of dimensions is {dimensions}{is}, expected {expected}{should}");
            return Err(violation(self.path, 3, reason));
        }
        Ok(())
    }

    /// The dimensions, and the number of values that they announce.
    fn read_dimensions<const D: usize>(&mut self) -> Result<([usize; D], u64)> {
        let start = self.offset;
        let bytes = self.read(4 * D as u64)?;
        if bytes.len() < 4 * D {
            return Err(self.ended(&format!("{D} dimensions of 4 bytes each behind the magic number")));
        }
        let mut dimensions = [0; D];
        let mut values = 1_u64;
        let fields = bytes.as_chunks::<4>().0;
        for ((dimension, field), offset) in dimensions.iter_mut().zip(fields).zip((start..).step_by(4)) {
            let found = u32::from_be_bytes(*field);
            if found == 0 {
                return Err(violation(self.path, offset, "dimension 0, expected at least 1".to_owned()));
            }
            // Saturating: u64::MAX is above the limit as well.
            values = values.saturating_mul(u64::from(found));
            if values > MAX_VALUES {
                let reason = format!(
                    "dimension {found} brings the announced content to {values} bytes, expected at most {MAX_VALUES}"
                );
                return Err(violation(self.path, offset, reason));
            }
            *dimension = found as usize;
        }
        Ok((dimensions, values))
    }
}
