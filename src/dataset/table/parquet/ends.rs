//! A file that reports reading beyond its end as an error.
//!
//! The crate skips what a damaged page header announces, byte by byte, without noticing the end of the file: a list
//! of 2^31 entries keeps it busy for hours. Intact files are never read beyond their end.

use std::io::{self, ErrorKind, Read};

use bytes::Bytes;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};

/// Like the inner reader, but reading nothing is an error.
pub(super) struct NonEmptyReads<R>(pub(super) R);

impl<R: Length> Length for NonEmptyReads<R> {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl<R: ChunkReader> ChunkReader for NonEmptyReads<R> {
    type T = NonEmptyReads<R::T>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        self.0.get_read(start).map(NonEmptyReads)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.0.get_bytes(start, length)
    }
}

impl<R: Read> Read for NonEmptyReads<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 if !into.is_empty() => Err(ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}
