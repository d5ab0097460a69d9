//! Cuts a text file into blocks of complete records.

use std::io::Read as _;

use super::super::{Read, Source, unreadable};
use super::delimiter::BLANKS;
use super::dialect::Splitting;

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
    splitting: Splitting,
    max_record_bytes: usize,
    ended: bool,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(
        source: &'a mut Source,
        line: u64,
        splitting: Splitting,
        max_record_bytes: usize,
    ) -> Self {
        Self { source, rest: Vec::new(), line, splitting, max_record_bytes, ended: false }
    }

    /// The next block; none at the end of the file.
    pub(super) fn next(&mut self) -> Read<Option<Block>> {
        let mut bytes = std::mem::take(&mut self.rest);
        let mut ends = RecordEnds::of(self.splitting);
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
    /// The format, if known.
    splitting: Option<Splitting>,
    in_quotes: bool,
    /// The position after the last closing quote.
    closed: usize,
    /// The position after the line end of the last complete record; 0 if there is none.
    pub(super) last: usize,
}

impl RecordEnds {
    fn of(splitting: Splitting) -> Self {
        Self { splitting: Some(splitting), ..Self::default() }
    }

    /// Scans the bytes starting at `from`.
    pub(super) fn scan(&mut self, bytes: &[u8], from: usize) {
        self.scan_up_to(bytes, from, usize::MAX);
    }

    /// As [`RecordEnds::scan`], up to the end of the record with this number; returns how many ended.
    pub(super) fn scan_up_to(&mut self, bytes: &[u8], from: usize, most: usize) -> usize {
        let mut ended = 0;
        for at in memchr::memchr2_iter(b'"', b'\n', &bytes[from..]) {
            let at = from + at;
            match bytes[at] {
                b'"' if self.in_quotes => {
                    self.in_quotes = false;
                    self.closed = at + 1;
                }
                // A doubled quote closes a text and opens it again.
                b'"' => self.in_quotes = self.closed == at && at > 0 || self.begins_field(&bytes[..at]),
                _ if !self.in_quotes => {
                    self.last = at + 1;
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

    /// Whether a field begins behind these bytes. Quotes elsewhere are part of a text, such as inches.
    fn begins_field(&self, before: &[u8]) -> bool {
        let mut before = before;
        if self.splitting.is_some_and(|splitting| splitting.blanks_before_quotes) {
            let blanks = before.iter().rev().take_while(|byte| **byte == b' ').count();
            before = &before[..before.len() - blanks];
        }
        before.last().is_none_or(|last| match (self.splitting, last) {
            (_, b'\n' | b'\r') => true,
            (Some(splitting), b' ' | b'\t') if splitting.delimiter == BLANKS => true,
            (Some(splitting), last) => *last == splitting.delimiter,
            (None, last) => b",;\t|".contains(last),
        })
    }
}

pub(super) fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
