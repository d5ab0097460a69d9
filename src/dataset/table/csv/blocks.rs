//! Cuts a text file into blocks of complete records.

use std::io::Read as _;

use super::super::{Read, Source, unreadable};

/// Bytes read at a time.
const BLOCK: usize = 4 << 20;

/// Whole records.
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// Number of its first line in the file, counted from 1.
    pub(super) line: u64,
}

/// The blocks of a file, from its current position.
pub(super) struct Blocks<'a> {
    source: &'a mut Source,
    /// The beginning of the next record, already read.
    rest: Vec<u8>,
    line: u64,
    max_record_bytes: usize,
    ended: bool,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(source: &'a mut Source, line: u64, max_record_bytes: usize) -> Self {
        Self { source, rest: Vec::new(), line, max_record_bytes, ended: false }
    }

    /// The next block; none at the end of the file.
    pub(super) fn next(&mut self) -> Read<Option<Block>> {
        let mut bytes = std::mem::take(&mut self.rest);
        let mut ends = RecordEnds::default();
        let mut scanned = 0;
        while !self.ended {
            let before = bytes.len();
            bytes.reserve(BLOCK);
            self.source.by_ref().take(BLOCK as u64).read_to_end(&mut bytes).map_err(unreadable)?;
            self.ended = bytes.len() == before;
            ends.scan(&bytes, scanned);
            scanned = bytes.len();
            if self.ended {
                break;
            }
            if bytes.len() - ends.last > self.max_record_bytes {
                let line = self.line + count_lines(&bytes[..ends.last]);
                let limit = self.max_record_bytes;
                return Err(format!(
                    "line {line}: the record that starts here is longer than {limit} bytes; is a quote not closed?"
                ));
            }
            if ends.last > 0 {
                self.rest = bytes.split_off(ends.last);
                break;
            }
        }
        let line = self.line;
        self.line += count_lines(&bytes);
        Ok((!bytes.is_empty()).then_some(Block { bytes, line }))
    }
}

/// Where the last whole record ends.
#[derive(Default)]
pub(super) struct RecordEnds {
    in_quotes: bool,
    /// The position after the line end of the last complete record; 0 if there is none.
    pub(super) last: usize,
}

impl RecordEnds {
    /// Scans the bytes starting at `from`.
    pub(super) fn scan(&mut self, bytes: &[u8], from: usize) {
        self.scan_up_to(bytes, from, usize::MAX);
    }

    /// As [`RecordEnds::scan`], up to the end of the record with this number; returns how many ended.
    pub(super) fn scan_up_to(&mut self, bytes: &[u8], from: usize, most: usize) -> usize {
        let mut ended = 0;
        for at in memchr::memchr2_iter(b'"', b'\n', &bytes[from..]) {
            match bytes[from + at] {
                // A doubled quote within a quoted field toggles twice.
                b'"' => self.in_quotes = !self.in_quotes,
                _ if !self.in_quotes => {
                    self.last = from + at + 1;
                    ended += 1;
                    if ended == most {
                        break;
                    }
                }
                _ => {}
            }
        }
        ended
    }
}

pub(super) fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
