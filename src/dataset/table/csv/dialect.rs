//! The format of a text file: its delimiter, its header, and which columns hold texts.

use std::io::Read as _;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use super::super::columns::refuse_shared_names;
use super::super::texts::Field;
use super::super::{Read, ReadOptions, Source, unreadable};
use super::blocks::{RecordEnds, count_lines};
use crate::named::named;

/// Bytes at the beginning of a file that are examined.
const SAMPLE: u64 = 4 << 20;
/// Records that are examined.
const RECORDS: usize = 1000;
/// Possible delimiters.
const DELIMITERS: [u8; 3] = *b",;\t";
/// The byte order mark that some programs put before UTF-8.
pub(super) const MARK: &[u8] = b"\xEF\xBB\xBF";

named! {
    /// Whether the first row of a file names its columns.
    #[derive(Default)]
    pub enum Header {
        /// It does if it looks so: texts above numbers, or texts that do not occur in the rows below.
        #[default]
        Auto = "auto",
        /// It does.
        Yes = "yes",
        /// It is data.
        No = "no",
    }
}

/// How a file is to be read.
#[derive(Debug)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    /// The names of the columns.
    pub(super) header: Option<Vec<String>>,
    pub(super) columns: usize,
    /// Byte at which data start, and its line, counted from 1.
    pub(super) start: u64,
    pub(super) line: u64,
    pub(super) bytes_per_row: f64,
    /// Columns in which the first rows have a text.
    pub(super) holds_text: Vec<bool>,
}

impl Dialect {
    pub(super) fn detect(
        source: &mut Source,
        bytes: u64,
        known: Option<&[&str]>,
        options: &ReadOptions,
    ) -> Read<Self> {
        let mut sample = Vec::new();
        source.by_ref().take(SAMPLE).read_to_end(&mut sample).map_err(unreadable)?;
        if is_utf_16(&sample) {
            return Err("UTF-16 text; save the file as UTF-8".into());
        }
        if sample.contains(&0) {
            return Err("not text (it holds a byte 0)".into());
        }
        let skipped = if sample.starts_with(MARK) { MARK.len() } else { 0 };
        let mut text = &sample[skipped..];
        if (sample.len() as u64) < bytes {
            let mut ends = RecordEnds::default();
            ends.scan(text, 0);
            text = &text[..ends.last];
            if text.is_empty() {
                return Err(format!(
                    "line 1: longer than {SAMPLE} bytes; is this a table, are its quotes closed?"
                ));
            }
        }
        let delimiter = options.delimiter.unwrap_or_else(|| delimiter(source.name(), text));
        let records = records(text, delimiter)?;
        let Some(first) = records.first() else { return Err("the file is empty".into()) };
        let columns = first.len();
        options.limits.check_columns(columns)?;
        let named = match options.header {
            Header::Yes => true,
            Header::No => false,
            Header::Auto => is_header(first, &records[1..], known),
        };
        let header = named.then(|| names(first)).transpose()?;
        let data = if named { &records[1..] } else { &records[..] };
        let Some(start) = data.first().map(offset) else { return Err("a header, but no rows".into()) };
        // The second byte of a two-byte line end counts as part of the next record.
        let start = start + usize::from(start > 0 && text[start] == b'\n');
        let sampled = if records.len() < RECORDS { text.len() } else { data.last().map_or(start, offset) };
        let rows = if records.len() < RECORDS { data.len() } else { data.len() - 1 };
        let bytes_per_row = (sampled - start) as f64 / rows.max(1) as f64;
        Ok(Self {
            delimiter,
            header,
            columns,
            start: (skipped + start) as u64,
            line: (1 + count_lines(&text[..start])).saturating_add_signed(options.lines_before),
            bytes_per_row: bytes_per_row.max(1.0),
            holds_text: (0..columns)
                .map(|column| data.iter().any(|record| is_text(record, column)))
                .collect(),
        })
    }
}

fn is_utf_16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF")
}

/// Whether bytes are not readable text.
pub(super) fn is_foreign(bytes: &[u8]) -> bool {
    is_utf_16(bytes) || bytes.contains(&0)
}

/// Where a record starts in the sample.
fn offset(record: &ByteRecord) -> usize {
    record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0))
}

pub(super) fn records(text: &[u8], delimiter: u8) -> Read<Vec<ByteRecord>> {
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text);
    let records: Result<Vec<_>, _> = reader.byte_records().take(RECORDS).collect();
    records.map_err(|error| error.to_string())
}

/// By the file's name, otherwise the one that splits most records like the first one, and those into most fields.
pub(super) fn delimiter(name: &str, text: &[u8]) -> u8 {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    if extension.is_some_and(|extension| ["tsv", "tab"].iter().any(|tab| extension.eq_ignore_ascii_case(tab)))
    {
        return b'\t';
    }
    let fits = |delimiter: &u8| {
        let records = records(text, *delimiter).unwrap_or_default();
        let count = records.first().map_or(0, ByteRecord::len);
        let alike = records.iter().filter(|record| record.len() == count).count();
        if count > 1 { (alike, count) } else { (0, 0) }
    };
    // The first of equals.
    DELIMITERS.into_iter().rev().max_by_key(fits).unwrap_or(b',')
}

pub(super) fn is_text(record: &ByteRecord, column: usize) -> bool {
    record.get(column).is_some_and(|field| matches!(Field::of(field), Field::Text))
}

fn is_number(record: &ByteRecord, column: usize) -> bool {
    record.get(column).is_some_and(|field| matches!(Field::of(field), Field::Number(_)))
}

/// Whether the first record names the columns of the others.
pub(super) fn is_header(first: &ByteRecord, others: &[ByteRecord], known: Option<&[&str]>) -> bool {
    let fields = || first.iter().map(<[u8]>::trim_ascii);
    if let Some(known) = known {
        let there: std::collections::HashSet<&[u8]> = fields().collect();
        if known.iter().all(|name| there.contains(name.as_bytes())) {
            return true;
        }
    }
    let above_numbers = |column: usize| {
        is_text(first, column)
            && others.iter().any(|record| is_number(record, column))
            && !others.iter().any(|record| is_text(record, column))
    };
    if (0..first.len()).any(above_numbers) {
        return true;
    }
    // Only texts: names differ from each other and from everything below them.
    let mut seen = std::collections::HashSet::new();
    let distinct = fields().all(|field| seen.insert(field));
    let repeated = |column: usize| {
        let name = first.get(column).map(<[u8]>::trim_ascii);
        others.iter().any(|record| record.get(column).map(<[u8]>::trim_ascii) == name)
    };
    let all_text = (0..first.len()).all(|column| is_text(first, column));
    all_text && distinct && !others.is_empty() && !(0..first.len()).any(repeated)
}

/// The names of the columns; one may be empty, as some programs do above row numbers.
fn names(header: &ByteRecord) -> Read<Vec<String>> {
    let mut names = Vec::with_capacity(header.len());
    for (place, field) in header.iter().enumerate() {
        let field = field.trim_ascii();
        let text = std::str::from_utf8(field)
            .map_err(|_| format!("line 1, column {place}: not UTF-8; save the file as UTF-8"))?;
        if text.len() > 1024 {
            return Err(format!("line 1, column {place}: a name of {} bytes, the limit is 1024", text.len()));
        }
        names.push(if text.is_empty() { format!("column {place}") } else { text.to_owned() });
    }
    refuse_shared_names(&names)
        .map_err(|reason| format!("line 1: {reason}; if the first line holds data, say `header` no"))?;
    Ok(names)
}
