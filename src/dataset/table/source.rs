//! Where the bytes of a table come from.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use super::unreadable;
use crate::named::named;
use crate::{Error, Result};

named! {
    /// The formats of tables.
    pub enum Format {
        /// Text: fields between commas, semicolons or tabs.
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
    /// The format by the file's name.
    #[must_use]
    pub fn of_path(path: impl AsRef<Path>) -> Option<Self> {
        let path = path.as_ref();
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "csv" | "tsv" | "tab" | "txt" | "data" => Some(Self::Csv),
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
    Bytes(Cursor<Vec<u8>>),
}

impl Source {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| Error::io(path, error))?;
        if file.metadata().is_ok_and(|about| about.is_dir()) {
            let reason = io::Error::other("is a folder, expected a table");
            return Err(Error::io(path, reason));
        }
        Ok(Self { name: path.display().to_string(), content: Content::File(file) })
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

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.content {
            Content::File(file) => file.read(into),
            Content::Bytes(bytes) => bytes.read(into),
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.content {
            Content::File(file) => file.seek(to),
            Content::Bytes(bytes) => bytes.seek(to),
        }
    }
}
