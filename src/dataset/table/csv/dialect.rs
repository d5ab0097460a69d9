//! The format of a text file: its delimiter, its decimals, its header, and what its columns hold.

use std::borrow::Cow;
use std::io::Read as _;

use csv::{ByteRecord, ReaderBuilder};

use super::super::cells::CellRules;
use super::super::columns::refuse_shared_names;
use super::super::texts::trimmed;
use super::super::{Columns, Read, ReadOptions, Source, unreadable};
use super::above;
use super::blocks::{RecordEnds, count_lines};
use super::content::{Content, contents};
use super::decimals::{KnownNumbers, rules_of};
use super::delimiter::{Knowledge, delimiter, usual_length};
use super::header::{HeaderGuess, guess};
use super::preamble::{self, Preamble};
use super::quotes;
use super::squeeze::{has_blanks_before_quotes, tidied};
use super::strange;
use crate::named::named;

/// Bytes at the beginning of a file that are examined.
const SAMPLE: u64 = 4 << 20;
/// Records that are examined.
const RECORDS: usize = 1000;
/// The byte order mark that some programs put before UTF-8.
pub(super) const MARK: &[u8] = b"\xEF\xBB\xBF";

named! {
    /// Whether the first row of a file names its columns.
    #[derive(Default)]
    pub enum Header {
        /// It does if it looks so: texts above numbers, numbers such as 0, 1, 2 or years above other numbers, or texts
        /// that do not occur in the rows below and are written otherwise.
        #[default]
        Auto = "auto",
        /// It does.
        Yes = "yes",
        /// It is data.
        No = "no",
    }
}

/// How the bytes of a file are split into fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Splitting {
    pub(super) delimiter: u8,
    /// Whether blanks stand between delimiters and quotes.
    pub(super) blanks_before_quotes: bool,
}

impl Splitting {
    /// The bytes without blanks that are no part of fields.
    pub(super) fn tidied(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        tidied(bytes, self.delimiter, self.blanks_before_quotes)
    }
}

/// How a file is to be read.
#[derive(Debug)]
pub(super) struct Dialect {
    pub(super) splitting: Splitting,
    pub(super) rules: CellRules,
    /// The names of the columns.
    pub(super) header: Option<Vec<String>>,
    pub(super) is_header_sure: bool,
    pub(super) columns: usize,
    /// Byte at which data start, and its line, counted from 1.
    pub(super) start: u64,
    pub(super) line: u64,
    pub(super) bytes_per_row: f64,
    /// What the first rows hold, by column.
    pub(super) contents: Vec<Content>,
    /// What was skipped around the header.
    pub(super) notes: Vec<String>,
}

/// How the first records of a file are split and read.
pub(super) struct First {
    pub(super) splitting: Splitting,
    pub(super) rules: CellRules,
    /// Bytes before the first record.
    pub(super) skipped: usize,
    pub(super) records: Vec<ByteRecord>,
    pub(super) guess: HeaderGuess,
    /// Whether the record below the header holds units.
    pub(super) has_units: bool,
    /// What was skipped above and below the header.
    pub(super) notes: Vec<String>,
}

impl First {
    /// Examines the text at the beginning of a file.
    pub(super) fn of(name: &str, text: &[u8], columns: &Columns<'_>, options: &ReadOptions) -> Read<Self> {
        let known = columns.known_names();
        let trained = columns.trained_rules();
        let missing = options.missing.clone().or_else(|| trained.and_then(|rules| rules.missing.clone()));
        let own = CellRules { missing, ..CellRules::default() };
        let knowledge = Knowledge { name, columns: known.as_deref(), rules: &own, decimal: options.decimal };
        let delimiter = |text: &[u8]| options.delimiter.unwrap_or_else(|| delimiter(text, knowledge));
        let is_data = |text: &[u8]| {
            let delimiter = delimiter(text);
            let records = records(&tidied(text, delimiter, false), delimiter).unwrap_or_default();
            let guess =
                |(first, others): (&ByteRecord, &[ByteRecord])| guess(first, others, known.as_deref(), &own);
            !records.split_first().is_some_and(|records| guess(records).is_header)
        };
        let is_start = !options.is_continued;
        let preamble =
            if is_start { preamble::skip(text, options.delimiter, is_data) } else { Preamble::default() };
        let body = &text[preamble.bytes..];
        let delimiter = options.delimiter.or(preamble.delimiter).unwrap_or_else(|| delimiter(body));
        let splitting =
            Splitting { delimiter, blanks_before_quotes: has_blanks_before_quotes(body, delimiter) };
        let tidy = splitting.tidied(body);
        let mut records = records(&tidy, delimiter)?;
        let found = || {
            let known = KnownNumbers::find(columns, &records);
            rules_of(&records, delimiter, known.as_ref(), &own, options.decimal)
        };
        let rules = options.rules.clone().unwrap_or_else(found);
        let guess = |records: &[ByteRecord]| match (options.header, records.split_first()) {
            (Header::Yes, _) => HeaderGuess { is_header: true, is_sure: true },
            (Header::Auto, Some((first, others))) => guess(first, others, known.as_deref(), &rules),
            (Header::No, _) | (_, None) => HeaderGuess { is_header: false, is_sure: true },
        };
        let is_header = |records: &[ByteRecord]| guess(records).is_header;
        let titles = if is_start { above::titles(&records, &rules, is_header) } else { 0 };
        let mut skipped = preamble.bytes;
        let above: Vec<ByteRecord> = records.drain(..titles).collect();
        if let (false, Some(first)) = (above.is_empty(), records.first()) {
            skipped += untidied(body, &tidy, record_start(&tidy, first));
            records = self::records(&splitting.tidied(&text[skipped..]), delimiter)?;
        }
        if records.is_empty() {
            return Err("the file is empty".into());
        }
        let guess = guess(&records);
        let has_units = is_start && guess.is_header && above::holds_units(&records[1..], &rules);
        let comments = match preamble.comments {
            0 => None,
            1 => Some("skipped: 1 line that begins with #".to_owned()),
            many => Some(format!("skipped: {many} lines that begin with #")),
        };
        let units = has_units.then(|| &records[1]);
        let notes = comments.into_iter().chain(above::note(&above, units)).collect();
        Ok(Self { splitting, rules, skipped, records, guess, has_units, notes })
    }
}

impl Dialect {
    pub(super) fn detect(
        source: &mut Source,
        bytes: u64,
        columns: &Columns<'_>,
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
        let mut text = sample.as_slice();
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
        let first = First::of(source.name(), text, columns, options)?;
        let (records, splitting) = (&first.records, first.splitting);
        let count = records[0].len();
        if let Some(reason) = strange::is(records, text) {
            return Err(reason);
        }
        let usual = usual_length(records);
        if count == 1 && usual > 1 {
            let line = 1 + count_lines(&text[..first.skipped]);
            return Err(format!(
                "line {line}: 1 field, most lines have {usual}: remove what precedes the table"
            ));
        }
        options.limits.check_columns(count)?;
        let body = &text[first.skipped..];
        let tidy = splitting.tidied(body);
        let lines_above = 1 + count_lines(&text[..first.skipped]);
        quotes::check_first(&tidy, splitting.delimiter, lines_above)?;
        let header = first.guess.is_header.then(|| names(&records[0], lines_above)).transpose()?;
        let data = &records[usize::from(header.is_some()) + usize::from(first.has_units)..];
        let Some(row) = data.first() else { return Err(without_rows(&records[0], options)) };
        let start = record_start(&tidy, row);
        let is_whole = records.len() < RECORDS;
        let sampled = if is_whole { tidy.len() } else { data.last().map_or(start, offset) };
        let (start, sampled) = (untidied(body, &tidy, start), untidied(body, &tidy, sampled));
        let rows = if is_whole { data.len() } else { data.len() - 1 };
        let bytes_per_row = (sampled - start) as f64 / rows.max(1) as f64;
        let line = lines_above + count_lines(&body[..start]);
        Ok(Self {
            contents: contents(data, header.as_deref(), count, &first.rules, line),
            splitting,
            rules: first.rules,
            header,
            is_header_sure: first.guess.is_sure,
            columns: count,
            start: (first.skipped + start) as u64,
            line: line.saturating_add_signed(options.lines_before),
            bytes_per_row: bytes_per_row.max(1.0),
            notes: first.notes,
        })
    }
}

/// Why a file of one line cannot be read.
fn without_rows(only: &ByteRecord, options: &ReadOptions) -> String {
    let names: Vec<_> = only.iter().take(4).map(String::from_utf8_lossy).collect();
    let hint = match options.header {
        Header::Auto => "; if this line holds data, say `header` no",
        _ => "",
    };
    format!("a header, but no rows: the only line names the columns ({}{hint})", names.join(", "))
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

/// Where the first line of a record starts: the second byte of a two-byte line end counts as part of the next record.
fn record_start(tidy: &[u8], record: &ByteRecord) -> usize {
    let start = offset(record);
    start + usize::from(start > 0 && tidy[start] == b'\n')
}

/// The position in the body of a line of the tidied text that begins at `at`.
fn untidied(body: &[u8], tidy: &[u8], at: usize) -> usize {
    if tidy.len() == body.len() {
        return at;
    }
    match memchr::memchr2_iter(b'\n', b'\r', &tidy[..at]).count() {
        0 => 0,
        ends => memchr::memchr2_iter(b'\n', b'\r', body).nth(ends - 1).map_or(body.len(), |end| end + 1),
    }
}

pub(super) fn records(text: &[u8], delimiter: u8) -> Read<Vec<ByteRecord>> {
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text);
    let is_empty = |record: &ByteRecord| record.len() == 1 && record[0].trim_ascii().is_empty();
    let records = reader.byte_records().filter(|record| !record.as_ref().is_ok_and(is_empty));
    let records: Result<Vec<_>, _> = records.take(RECORDS).collect();
    records.map_err(|error| error.to_string())
}

/// The names of the columns; one may be empty, as some programs do above row numbers.
fn names(header: &ByteRecord, line: u64) -> Read<Vec<String>> {
    let mut names = Vec::with_capacity(header.len());
    for (place, field) in header.iter().enumerate() {
        let field = trimmed(field);
        let text = std::str::from_utf8(field)
            .map_err(|_| format!("line {line}, column {place}: not UTF-8; save the file as UTF-8"))?;
        if text.len() > 1024 {
            let bytes = text.len();
            return Err(format!("line {line}, column {place}: a name of {bytes} bytes, the limit is 1024"));
        }
        names.push(if text.is_empty() { format!("column {place}") } else { text.to_owned() });
    }
    refuse_shared_names(&names)
        .map_err(|reason| format!("line {line}: {reason}; if the first line holds data, say `header` no"))?;
    Ok(names)
}
