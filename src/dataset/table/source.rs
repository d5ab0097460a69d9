//! Where the bytes of a table come from.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::magic::GZIP;
use super::unreadable;
use crate::error::OUT_OF_MEMORY;
use crate::named::named;
use crate::{Error, Result};

named! {
    /// The formats of tables.
    pub enum Format {
        /// Text: fields between commas, other characters or blanks, plain or gzipped.
        Csv = "csv",
        /// One array of numpy.
        Npy = "npy",
        /// A zip archive of arrays of numpy.
        Npz = "npz",
        /// Apache Parquet.
        Parquet = "parquet",
    }
}

impl Format {
    /// The format by the file's name; a folder with Parquet files is a table of several parts.
    #[must_use]
    pub fn of_path(path: impl AsRef<Path>) -> Option<Self> {
        let path = path.as_ref();
        if path.is_dir() {
            return parts(path).is_ok_and(|parts| !parts.is_empty()).then_some(Self::Parquet);
        }
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            // Only text tables are decompressed.
            "gz" => Self::of_path(path.with_extension("")).filter(|format| *format == Self::Csv),
            "csv" | "tsv" | "tab" | "txt" | "data" | "dat" | "psv" | "ssv" | "asc" | "test" | "train" => {
                Some(Self::Csv)
            }
            "npy" => Some(Self::Npy),
            "npz" => Some(Self::Npz),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// Named bytes: a file, or bytes in memory.
#[derive(Debug)]
pub struct Source {
    name: String,
    pub(super) content: Content,
}

/// Where the bytes are.
#[derive(Debug)]
pub(crate) enum Content {
    File(File),
    /// The parts of a Parquet table, with their paths.
    #[cfg_attr(not(feature = "parquet"), allow(dead_code, reason = "a build without Parquet reads no parts"))]
    Folder(Vec<(String, File)>),
    Bytes(Cursor<Vec<u8>>),
}

impl Source {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut file = File::open(path).map_err(|error| Error::io(path, error))?;
        let about = file.metadata().map_err(|error| Error::io(path, error))?;
        if about.is_dir() {
            return Self::of_parts(path);
        }
        let name = path.display().to_string();
        if about.is_file() {
            return Ok(Self { name, content: Content::File(file) });
        }
        // A pipe is read only once.
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| Error::io(path, error))?;
        Ok(Self::from_bytes(name, bytes))
    }

    /// Decompresses gzip into memory, if it is that.
    pub(super) fn decompress(&mut self, memory: u64) -> super::Read<()> {
        let mut first = Vec::new();
        self.by_ref().take(GZIP.len() as u64).read_to_end(&mut first).map_err(unreadable)?;
        self.rewind().map_err(unreadable)?;
        if first != GZIP {
            return Ok(());
        }
        let mut bytes = Vec::new();
        let most = memory.saturating_add(1);
        MultiGzDecoder::new(io::BufReader::new(&mut *self))
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("the gzip stream is damaged or cut off: {error}"))?;
        if bytes.len() as u64 == most {
            return Err(format!(
                "{OUT_OF_MEMORY}the decompressed table does not fit: decompress it to a file first"
            ));
        }
        self.content = Content::Bytes(Cursor::new(bytes));
        Ok(())
    }

    /// Opens the Parquet files of a folder.
    fn of_parts(folder: &Path) -> Result<Self> {
        let paths = parts(folder).map_err(|error| Error::io(folder, error))?;
        if paths.is_empty() {
            let reason = io::Error::other("is a folder, expected a table");
            return Err(Error::io(folder, reason));
        }
        let open = |path: PathBuf| match File::open(&path) {
            Ok(file) => Ok((path.display().to_string(), file)),
            Err(error) => Err(Error::io(path, error)),
        };
        let parts = paths.into_iter().map(open).collect::<Result<_>>()?;
        Ok(Self { name: folder.display().to_string(), content: Content::Folder(parts) })
    }

    /// Bytes in memory, with a name for messages.
    #[must_use]
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), content: Content::Bytes(Cursor::new(bytes)) }
    }

    /// The path, or the name of the bytes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of bytes; afterwards the position is 0.
    pub(crate) fn measure(&mut self) -> super::Read<u64> {
        let bytes = self.seek(SeekFrom::End(0)).map_err(unreadable)?;
        self.rewind().map_err(unreadable)?;
        Ok(bytes)
    }
}

fn is_folder() -> io::Error {
    io::Error::other("is a folder of Parquet files, which have no other format")
}

/// The Parquet files of a folder, `part-2` before `part-10`; hidden ones and those that Spark adds begin with `.` or `_`.
fn parts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut parts = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let name =
            path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_ascii_lowercase());
        let is_part = (name.ends_with(".parquet") || name.ends_with(".pq")) && !name.starts_with(['.', '_']);
        if is_part && path.is_file() {
            parts.push((by_number(&name), path));
        }
    }
    parts.sort();
    Ok(parts.into_iter().map(|(_, path)| path).collect())
}

/// A key that sorts numbers in names by their value: digits are preceded by their count.
fn by_number(name: &str) -> String {
    let mut key = String::new();
    let mut rest = name;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, digits) = rest.split_at(start);
        let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
        let number = digits[..end].trim_start_matches('0');
        key += &format!("{before}{:05}{number}", number.len());
        rest = &digits[end..];
    }
    key + rest
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.content {
            Content::File(file) => file.read(into),
            Content::Folder(_) => Err(is_folder()),
            Content::Bytes(bytes) => bytes.read(into),
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.content {
            Content::File(file) => file.seek(to),
            Content::Folder(_) => Err(is_folder()),
            Content::Bytes(bytes) => bytes.seek(to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_in_the_order_of_their_numbers() {
        let mut names = ["part-10.parquet", "part-2.parquet", "part-00001.parquet", "part-0.parquet", "a"];
        names.sort_by_key(|name| by_number(name));
        assert_eq!(names, ["a", "part-0.parquet", "part-00001.parquet", "part-2.parquet", "part-10.parquet"]);
    }
}
