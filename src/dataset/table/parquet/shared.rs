//! A file from which several columns are read at the same time.
//!
//! The crate clones a file for each of its readers, and clones share one position: readers on several threads
//! would disturb each other. Here each reader has its own position, and seeks and reads atomically.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use crate::host;

/// The file and its length in bytes.
pub(super) struct Shared {
    file: Arc<Mutex<File>>,
    length: u64,
}

impl Shared {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file: Arc::new(Mutex::new(file)), length })
    }

    fn at(&self, position: u64) -> Position {
        Position { file: Arc::clone(&self.file), position }
    }
}

impl Length for Shared {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Shared {
    type T = BufReader<Position>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(self.at(start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = Vec::new();
        if length as u64 <= self.length {
            host::reserve(&mut bytes, length, "a page")
                .map_err(|error| ParquetError::External(error.into()))?;
        }
        let read = self.at(start).take(length as u64).read_to_end(&mut bytes)?;
        if read != length {
            return Err(ParquetError::EOF(format!("{read} bytes at {start}, expected {length}")));
        }
        Ok(bytes.into())
    }
}

/// A place in the file.
pub(super) struct Position {
    file: Arc<Mutex<File>>,
    position: u64,
}

impl Read for Position {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // A panic elsewhere leaves no state that matters here.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.position))?;
        let count = file.read(into)?;
        self.position += count as u64;
        Ok(count)
    }
}
