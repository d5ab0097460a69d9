//! Rows of text that arrive part by part: each part is a separate table, read as part of one file.

use csv::ByteRecord;

use super::super::cells::{CellRules, Decimal, Field};
use super::super::{Columns, Read, ReadOptions, Source, Table};
use super::blocks::{RecordEnds, count_lines};
use super::dialect::{self, First, Header};
use crate::{Error, Result, threads};

/// Rows of known columns, as they arrive.
///
/// The first part with a row decides the header and the delimiter.
#[derive(Clone, Debug)]
pub struct ArrivingRows {
    name: String,
    options: ReadOptions,
    /// The line that names the columns.
    header: Vec<u8>,
    /// Lines that have been read.
    lines: u64,
    is_known: bool,
    /// Whether a row of units follows the header, if that is decided.
    has_units: Option<bool>,
    /// How the first part writes numbers, which decides for all others.
    rules: Option<CellRules>,
}

impl ArrivingRows {
    /// Nothing has arrived yet; `name` is for messages.
    #[must_use]
    pub fn new(name: impl Into<String>, options: ReadOptions) -> Self {
        let name = name.into();
        Self { name, options, header: Vec::new(), lines: 0, is_known: false, has_units: None, rules: None }
    }

    /// Length and number of the first complete records, at most `most`, of bytes that begin with a record.
    #[must_use]
    pub fn whole_records(bytes: &[u8], most: usize) -> (usize, usize) {
        let mut ends = RecordEnds::default();
        let count = ends.scan_up_to(bytes, 0, most);
        (ends.last, count)
    }

    /// The rows of the next complete records; `None` if there is no row.
    ///
    /// # Errors
    /// [`Error::Table`] with the line and the reason.
    pub fn read(&mut self, records: &[u8], columns: &Columns<'_>) -> Result<Option<Table>> {
        threads::run(|| self.table(records, columns))
            .map_err(|reason| Error::table(self.name.clone(), &reason))
    }

    /// The same place, with the header and the delimiter that another one found there.
    pub(crate) fn decided_as(mut self, decided: &Self) -> Self {
        self.options.header = decided.options.header;
        self.options.delimiter = decided.options.delimiter;
        self.has_units = decided.has_units;
        self.rules.clone_from(&decided.rules);
        self
    }

    /// As [`ArrivingRows::read`], and goes on behind records that cannot be read.
    ///
    /// # Errors
    /// As [`ArrivingRows::read`].
    pub(crate) fn read_or_skip(&mut self, records: &[u8], columns: &Columns<'_>) -> Result<Option<Table>> {
        let behind = self.lines + count_lines(records);
        let read = self.read(records, columns);
        if read.is_err() {
            self.lines = behind;
        }
        read
    }

    /// The error of an input without rows.
    #[must_use]
    pub fn without_rows(&self) -> Error {
        let reason = if self.header.is_empty() { "the file is empty" } else { "a header, but no rows" };
        Error::table(self.name.clone(), reason)
    }

    /// Refuses a record that is longer than this limit in bytes.
    ///
    /// # Errors
    /// [`Error::Table`] with its line.
    pub fn check_record(&self, bytes: usize) -> Result<()> {
        let limit = self.options.limits.max_record_bytes;
        if bytes <= limit {
            return Ok(());
        }
        let reason = format!(
            "line {}: the record that starts here is longer than {limit} bytes; is a quote not closed?",
            self.lines + 1
        );
        Err(Error::table(self.name.clone(), &reason))
    }

    fn table(&mut self, mut records: &[u8], columns: &Columns<'_>) -> Read<Option<Table>> {
        if !self.is_known {
            records = self.know(records, columns)?;
        }
        let is_blank = is_blank(records);
        let mut table = None;
        if !is_blank {
            let above = count_lines(&self.header);
            self.options.lines_before = i64::try_from(self.lines).unwrap_or(i64::MAX) - above.cast_signed();
            let bytes = [&self.header, records].concat();
            let source = Source::from_bytes(self.name.clone(), bytes);
            self.options.rules.clone_from(&self.rules);
            table = Some(super::read(source, columns, &self.options)?);
        }
        if let Some(table) = &table {
            self.rules.clone_from(&table.rules);
        }
        self.lines += count_lines(records);
        Ok(table)
    }

    /// Detects the format; returns the remaining records, which are rows.
    fn know<'a>(&mut self, records: &'a [u8], columns: &Columns<'_>) -> Read<&'a [u8]> {
        if is_blank(records) || dialect::is_foreign(records) {
            return Ok(records);
        }
        let first = First::of(&self.name, records, columns, &self.options)?;
        let has_header = match self.options.header {
            Header::Auto if first.records.len() == 1 => {
                names_columns(&first.records[0], columns, &first.rules)
            }
            _ => first.guess.is_header,
        };
        self.lines += count_lines(&records[..first.skipped]);
        let records = &records[first.skipped..];
        // Rows to come may show what the decimals of this one do not.
        let is_row = !has_header || first.records.len() > 1;
        self.options.delimiter = Some(first.splitting.delimiter);
        self.options.header = if has_header { Header::Yes } else { Header::No };
        self.options.is_continued = true;
        self.is_known = true;
        if is_row && self.options.decimal == Decimal::Auto {
            self.rules = Some(first.rules);
        }
        if !has_header {
            return Ok(records);
        }
        let one = |records: &[u8]| match Self::whole_records(records, 1) {
            (_, 0) => records.len(),
            (rows, _) => rows,
        };
        let (header, mut rows) = records.split_at(one(records));
        self.header = header.to_vec();
        if !self.header.ends_with(b"\n") {
            self.header.push(b'\n');
        }
        self.lines += count_lines(&self.header);
        if *self.has_units.get_or_insert(first.has_units) {
            let units;
            (units, rows) = rows.split_at(one(rows));
            self.lines += count_lines(units);
        }
        Ok(rows)
    }
}

/// Whether there are only line ends, which are not rows.
fn is_blank(records: &[u8]) -> bool {
    records.iter().all(|byte| matches!(byte, b'\n' | b'\r' | b' ' | b'\t'))
}

/// Whether a single record names columns: it has a name that the model knows or, if the model has no names
/// and takes only numbers, a text in the place of one of those.
fn names_columns(record: &ByteRecord, columns: &Columns<'_>, rules: &CellRules) -> bool {
    if let Some(known) = columns.known_names() {
        return record.iter().any(|field| known.iter().any(|name| name.as_bytes() == field.trim_ascii()));
    }
    // The label, if it is there, may be a text in a row, too.
    let places = columns.places(record.len()).unwrap_or_else(|| (0..record.len()).collect());
    let mut fields = places.into_iter().filter_map(|place| record.get(place));
    columns.takes_numbers_alone() && fields.any(|field| rules.field(field, None) == Field::Text)
}

#[cfg(test)]
mod tests {
    use super::super::super::{FitOptions, LabelNeed, TableEncoding};
    use super::*;

    fn read(parts: &[&str]) -> Vec<Result<Option<usize>>> {
        let encoding = TableEncoding::of_columns(2);
        let columns = Columns::Of { encoding: &encoding, label: LabelNeed::Ignored };
        let mut rows = ArrivingRows::new("stdin", ReadOptions::default());
        let read = |part: &&str| Ok(rows.read(part.as_bytes(), &columns)?.map(|table| table.rows()));
        parts.iter().map(read).collect()
    }

    fn counts(parts: &[&str]) -> Vec<Option<usize>> {
        read(parts).into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn a_row_is_read_when_it_is_there_with_a_header_and_without() {
        assert_eq!(counts(&["1,2\n", "3,4\n5,6\n"]), [Some(1), Some(2)]);
        assert_eq!(counts(&["a,b\n", "1,2\n", "\n", "3,4\n"]), [None, Some(1), None, Some(1)]);
        assert_eq!(counts(&["\u{feff}a;b\n1;2\n", "3;4"]), [Some(1), Some(1)]);
    }

    #[test]
    fn a_row_with_its_class_is_no_header() {
        let text = "1,2,v\n3,4,u\n1,2,v\n3,4,u\n";
        let source = Source::from_bytes("t.csv", text.as_bytes().to_vec());
        let new = Columns::New { label: None, labelled: true, drop: &[], weights: None };
        let table = super::super::read(source, &new, &ReadOptions::default()).unwrap();
        let encoding = TableEncoding::fit(&table, None, FitOptions::default()).unwrap();
        let columns = Columns::Of { encoding: &encoding, label: LabelNeed::Ignored };
        for (first, is_row) in [("1,2,v\n", true), ("1,2\n", true), ("a,2,v\n", false), ("a,b,kind\n", false)]
        {
            let mut rows = ArrivingRows::new("stdin", ReadOptions::default());
            let mut count =
                |part: &str| rows.read(part.as_bytes(), &columns).unwrap().map(|table| table.rows());
            assert_eq!(count(first), is_row.then_some(1), "{first}");
            let later = if first == "1,2\n" { "5,6\n7,8\n" } else { "5,6,u\n7,8,v\n" };
            assert_eq!(count(later), Some(2), "{first}");
        }
    }

    #[test]
    fn an_error_names_the_line_of_the_whole_input() {
        for parts in
            [&["a,b\n1,2\n", "3,4\n5,6\n", "7,8\n9,x\n"][..], &["1,2\n3,4\n5,6\n7,8\n8,9\n", "1,x\n"]]
        {
            let message = read(parts).pop().unwrap().unwrap_err().to_string();
            assert!(message.starts_with("stdin: line 6, "), "{message}");
        }
    }

    #[test]
    fn records_end_at_line_ends_outside_quotes() {
        let bytes = b"a,\"b\nc\"\nd,e\nf";
        assert_eq!(
            [1, 2, 9].map(|most| ArrivingRows::whole_records(bytes, most)),
            [(8, 1), (12, 2), (12, 2)]
        );
        assert_eq!(ArrivingRows::whole_records(b"a,b", 9), (0, 0));
    }
}
