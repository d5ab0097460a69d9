//! Parsing one block of records.

use csv::{ByteRecord, ReaderBuilder};

use super::super::advice::typed;
use super::super::cells::{CellRules, Field, USUAL};
use super::super::columns::{ColumnKind, ColumnPlan, Role};
use super::super::odd_cells::OddCells;
use super::super::span::narrow;
use super::super::texts::{MAX_TEXT, trimmed};
use super::super::{Labels, Limits, MissingWords, Read, Span, Texts, UNSEEN, shown};
use super::blocks::{Block, count_lines};
use super::dialect::Splitting;
use super::quotes;

/// Where a record begins, or the empty lines before it.
#[derive(Clone, Copy)]
struct RecordPlace<'a> {
    /// The tidied bytes of its block, and the line of the first one.
    bytes: &'a [u8],
    first_line: u64,
    byte: u64,
    /// Where the next record begins.
    end: u64,
}

impl<'a> RecordPlace<'a> {
    /// The line in the file, counted from 1.
    fn line(self) -> u64 {
        let start = self.bytes.len() - self.rest().len();
        self.first_line + count_lines(&self.bytes[..start])
    }

    /// The bytes from its first character on.
    fn rest(self) -> &'a [u8] {
        let start = usize::try_from(self.byte).map_or(self.bytes.len(), |byte| byte.min(self.bytes.len()));
        let rest = &self.bytes[start..];
        &rest[rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()..]
    }

    /// The bytes of the record.
    fn record(self) -> &'a [u8] {
        let rest = self.rest();
        let behind = usize::try_from(self.end).map_or(0, |end| self.bytes.len().saturating_sub(end));
        &rest[..rest.len().saturating_sub(behind)]
    }
}

/// The work on every block.
pub(super) struct BlockParser<'a> {
    pub(super) splitting: Splitting,
    pub(super) rules: &'a CellRules,
    pub(super) plan: &'a ColumnPlan,
    pub(super) limits: &'a Limits,
    /// The names of the columns.
    pub(super) header: Option<&'a [String]>,
    /// The line of the first row.
    pub(super) first_line: u64,
}

/// The rows of a block.
pub(super) struct Piece {
    pub(super) rows: usize,
    /// `[row][feature]`; texts by their numbers in this piece.
    pub(super) cells: Vec<f32>,
    pub(super) columns: Vec<ColumnContent>,
    /// By their numbers in this piece.
    pub(super) labels: Vec<Labels>,
    /// Number of rows without any value, which are left out, and the line of the first.
    pub(super) empty: (usize, Option<u64>),
}

/// The content of a column of a block.
#[derive(Default)]
pub(super) struct ColumnContent {
    pub(super) texts: Option<Texts>,
    /// Line of the first missing value.
    pub(super) first_missing: Option<u64>,
    /// Line of the first text that a fixed list does not have.
    pub(super) first_unseen: Option<u64>,
    pub(super) span: Span,
    /// Words among numbers that mean a missing value.
    pub(super) words: MissingWords,
    /// Texts where numbers were expected.
    pub(super) odd: OddCells,
    pub(super) numbers: usize,
}

/// Whether a record is the header once more. Numbers may be both names and values.
fn repeats(record: &ByteRecord, names: &[String]) -> bool {
    let is_name = |(field, name): (&[u8], &String)| {
        field.trim_ascii() == name.as_bytes() || field.is_empty() && name.starts_with("column ")
    };
    record.iter().zip(names).all(is_name)
        && 2 * names.iter().filter(|name| name.parse::<f64>().is_err()).count() > names.len()
}

impl BlockParser<'_> {
    /// Parses the records of a block.
    pub(super) fn parse(&self, block: &Block) -> Read<Piece> {
        let bytes = self.splitting.tidied(&block.bytes);
        let mut reader = ReaderBuilder::new()
            .delimiter(self.splitting.delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(&*bytes);
        let mut piece = self.empty();
        let mut record = ByteRecord::new();
        loop {
            let more = reader.read_byte_record(&mut record).map_err(|error| error.to_string())?;
            if !more {
                return Ok(piece);
            }
            let start = record.position().map_or(0, csv::Position::byte);
            let end = reader.position();
            let lines = end.line() - record.position().map_or(end.line(), csv::Position::line);
            let place = RecordPlace { bytes: &bytes, first_line: block.line, byte: start, end: end.byte() };
            if lines > 1 {
                quotes::check(place.record(), self.splitting.delimiter, self.plan.roles.len(), place.line())?;
            }
            self.row(&record, place, &mut piece)?;
        }
    }

    fn empty(&self) -> Piece {
        let found = |(_, _, kind): &(String, usize, ColumnKind)| ColumnContent {
            texts: kind.texts(),
            ..ColumnContent::default()
        };
        Piece {
            rows: 0,
            cells: Vec::new(),
            columns: self.plan.features.iter().map(found).collect(),
            labels: self.plan.labels.iter().map(|_| Labels::new("", None, self.limits)).collect(),
            empty: (0, None),
        }
    }

    fn row(&self, record: &ByteRecord, place: RecordPlace<'_>, piece: &mut Piece) -> Read<()> {
        let roles = &self.plan.roles;
        if record.len() != roles.len() {
            // A line of blanks is as empty as one without; DOS ends a file with a character of its own.
            if record.len() == 1 && matches!(record[0].trim_ascii(), b"" | b"\x1a") {
                return Ok(());
            }
            return Err(self.wrong_length(record, place));
        }
        if self.header.is_some_and(|names| repeats(record, names)) {
            return Err(format!(
                "line {} repeats the header: remove it; of files that are put together, only the first keeps its header",
                place.line()
            ));
        }
        // Spreadsheets write such rows below the table. To predict, every row has an answer.
        let has_labels = !self.plan.labels.is_empty();
        if has_labels && record.len() > 1 && record.iter().all(|field| field.trim_ascii().is_empty()) {
            piece.empty.0 += 1;
            piece.empty.1.get_or_insert_with(|| place.line());
            return Ok(());
        }
        let start = piece.cells.len();
        // Features need not be in the order of the columns.
        piece.cells.resize(start + piece.columns.len(), 0.0);
        for (field, role) in record.iter().zip(roles) {
            match role {
                Role::Skip => {}
                Role::Empty if field.trim_ascii().is_empty() => {}
                Role::Empty => return Err(self.not_empty(field, place)),
                Role::Label(number) => match self.label(field, place, *number)? {
                    Some(label) => {
                        piece.labels[*number].push_number(label, || self.rules.label_number(label));
                    }
                    None => {
                        let word = String::from_utf8_lossy(field.trim_ascii());
                        piece.labels[*number].push_missing(|| format!("line {}", place.line()), &word);
                    }
                },
                Role::Feature(slot) => {
                    piece.cells[start + slot] = self.cell(field, place, *slot, &mut piece.columns[*slot])?;
                }
            }
        }
        piece.rows += 1;
        Ok(())
    }

    fn cell(
        &self,
        field: &[u8],
        place: RecordPlace<'_>,
        slot: usize,
        column: &mut ColumnContent,
    ) -> Read<f32> {
        if column.texts.is_some() {
            return self.category(field, place, slot, column);
        }
        let unit = self.plan.units[slot].as_ref();
        match self.rules.field(field, unit) {
            Field::Number(number) => {
                column.numbers += 1;
                column.span.add(number);
                Ok(self.plan.features[slot].2.cell(number))
            }
            Field::Missing => {
                column.first_missing.get_or_insert_with(|| place.line());
                Ok(f32::NAN)
            }
            Field::MissingWord => {
                column.first_missing.get_or_insert_with(|| place.line());
                column.words.add(&String::from_utf8_lossy(field.trim_ascii()), 1);
                Ok(f32::NAN)
            }
            Field::Infinite => {
                let word = String::from_utf8_lossy(trimmed(field));
                let remedy = if self.plan.is_new && word.len() < 40 {
                    format!("; if it means missing, add `missing` {} `impute` median", typed([USUAL, &*word]))
                } else {
                    String::new()
                };
                Err(self.wrong(field, place, slot, &format!("is not a number that float32 can hold{remedy}")))
            }
            Field::Text if matches!(self.plan.features[slot].2, ColumnKind::Open) => {
                column.odd.add(field, || place.line());
                Ok(f32::NAN)
            }
            Field::Text => match (self.plan.features[slot].2.boolean(field), unit) {
                (Some(value), None) => Ok(narrow(value)),
                (_, Some(unit)) => {
                    let what = format!("is not a number with {unit}, as this column held in training");
                    Err(self.wrong(field, place, slot, &what))
                }
                _ => Err(self.wrong(field, place, slot, "is not a number, as this column held in training")),
            },
        }
    }

    fn category(
        &self,
        field: &[u8],
        place: RecordPlace<'_>,
        slot: usize,
        column: &mut ColumnContent,
    ) -> Read<f32> {
        let is_verbatim = column.texts.as_ref().is_some_and(Texts::is_verbatim);
        let field = if is_verbatim { field.trim_ascii() } else { trimmed(field) };
        if !is_verbatim && self.rules.is_missing(field) {
            column.first_missing.get_or_insert_with(|| place.line());
            return Ok(f32::NAN);
        }
        let text = self.text(field, place, || self.column(slot))?;
        let cell = column.texts.as_mut().map_or(UNSEEN, |texts| texts.cell(text));
        if cell == UNSEEN {
            column.first_unseen.get_or_insert_with(|| place.line());
        }
        Ok(cell)
    }

    /// The label of a row; none if it is missing. That is reported with all other problems of a new table, and of rows that have
    /// weights once those of weight 0 are removed.
    fn label<'t>(&self, field: &'t [u8], place: RecordPlace<'_>, number: usize) -> Read<Option<&'t str>> {
        let field = trimmed(field);
        let column = || self.plan.label_name(number);
        if self.rules.is_missing(field) {
            if self.plan.is_weight(number) {
                return Err(self.plan.missing(number, &format!("line {}", place.line())));
            }
            if self.plan.is_new || self.plan.has_weights {
                return Ok(None);
            }
            let (line, column) = (place.line(), column());
            return Err(format!("line {line}: the label is missing in column {column}: remove such rows"));
        }
        if field.contains(&b'\n')
            && let Some(reason) = quotes::in_label(place.record(), self.splitting.delimiter, place.line())
        {
            return Err(reason);
        }
        self.text(field, place, column).map(Some)
    }

    /// The error of a record with too few or too many fields.
    fn wrong_length(&self, record: &ByteRecord, place: RecordPlace<'_>) -> String {
        let (line, there, expected) = (place.line(), record.len(), self.plan.roles.len());
        let hint = if place.rest().starts_with(b"#") {
            "; if it is a comment, remove it"
        } else if there == expected + 1
            && record.iter().next_back().is_some_and(|last| last.trim_ascii().is_empty())
        {
            "; rows that end with the delimiter need a header that does, too"
        } else if self.header.is_some() && there == expected + 1 && line == self.first_line {
            "; are rows named, but not their column? (in R, write.table(.., row.names = FALSE))"
        } else if there > expected && self.splitting.delimiter != super::delimiter::BLANKS {
            "; a text that holds the delimiter must be in quotes"
        } else {
            ""
        };
        format!("line {line}: {there} fields, expected {expected} as in the first line{hint}")
    }

    /// The error of a value in a column that seemed to be behind the last delimiter.
    fn not_empty(&self, field: &[u8], place: RecordPlace<'_>) -> String {
        let text: String = String::from_utf8_lossy(field.trim_ascii()).chars().take(40).collect();
        let line = place.line();
        format!(
            "line {line}: {text:?} in a column that has no name and is empty above: name it in the header, or leave it out with `drop`"
        )
    }

    fn text<'t>(
        &self,
        field: &'t [u8],
        place: RecordPlace<'_>,
        column: impl Fn() -> String,
    ) -> Read<&'t str> {
        if field.len() > MAX_TEXT {
            let (line, column, bytes) = (place.line(), column(), field.len());
            return Err(format!(
                "line {line}, column {column}: a text of {bytes} bytes, the limit is {MAX_TEXT}"
            ));
        }
        std::str::from_utf8(field).map_err(|_| {
            format!("line {}, column {}: not UTF-8; save the file as UTF-8", place.line(), column())
        })
    }

    fn column(&self, slot: usize) -> String {
        shown(&self.plan.features[slot].0, self.plan.named)
    }

    fn wrong(&self, field: &[u8], place: RecordPlace<'_>, slot: usize, what: &str) -> String {
        let text: String = String::from_utf8_lossy(field.trim_ascii()).chars().take(40).collect();
        format!("line {}, column {}: {text:?} {what}", place.line(), self.column(slot))
    }
}
