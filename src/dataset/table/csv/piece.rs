//! Parsing one block of records.

use csv::{ByteRecord, ReaderBuilder};

use super::super::columns::{ColumnKind, ColumnPlan, Role};
use super::super::span::narrow;
use super::super::texts::{Field, MAX_TEXT, is_missing};
use super::super::{Labels, Limits, Read, Span, Texts, UNSEEN, shown};
use super::blocks::{Block, count_lines};

/// Where a record begins, or the empty lines before it.
#[derive(Clone, Copy)]
struct RecordPlace<'a> {
    block: &'a Block,
    byte: u64,
}

impl RecordPlace<'_> {
    /// The line in the file, counted from 1.
    fn line(self) -> u64 {
        let bytes = &self.block.bytes;
        let start = usize::try_from(self.byte).map_or(bytes.len(), |byte| byte.min(bytes.len()));
        let empty = bytes[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.block.line + count_lines(&bytes[..start + empty])
    }
}

/// The work on every block.
pub(super) struct BlockParser<'a> {
    pub(super) delimiter: u8,
    pub(super) plan: &'a ColumnPlan,
    pub(super) limits: &'a Limits,
}

/// The rows of a block.
pub(super) struct Piece {
    pub(super) rows: usize,
    /// `[row][feature]`; texts by their numbers in this piece.
    pub(super) cells: Vec<f32>,
    pub(super) columns: Vec<ColumnContent>,
    /// By their numbers in this piece.
    pub(super) labels: Labels,
}

/// The content of a column of a block.
#[derive(Default)]
pub(super) struct ColumnContent {
    pub(super) texts: Option<Texts>,
    /// Line of the first missing value.
    pub(super) first_missing: Option<u64>,
    /// Line of the first text that a fixed list does not have.
    pub(super) first_unseen: Option<u64>,
    /// Whether there is a text where numbers were expected.
    pub(super) turned: bool,
    pub(super) span: Span,
}

impl BlockParser<'_> {
    /// Parses the records of a block.
    pub(super) fn parse(&self, block: &Block) -> Read<Piece> {
        let mut reader = ReaderBuilder::new()
            .delimiter(self.delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(block.bytes.as_slice());
        let mut piece = self.empty();
        let mut record = ByteRecord::new();
        loop {
            let more = reader.read_byte_record(&mut record).map_err(|error| error.to_string())?;
            if !more {
                return Ok(piece);
            }
            let byte = record.position().map_or(0, csv::Position::byte);
            self.row(&record, RecordPlace { block, byte }, &mut piece)?;
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
            labels: Labels::new("", None, self.limits),
        }
    }

    fn row(&self, record: &ByteRecord, place: RecordPlace<'_>, piece: &mut Piece) -> Read<()> {
        let roles = &self.plan.roles;
        if record.len() != roles.len() {
            let (there, expected) = (record.len(), roles.len());
            return Err(format!(
                "line {}: {there} fields, expected {expected} as in the first line",
                place.line()
            ));
        }
        let start = piece.cells.len();
        // Features need not be in the order of the columns.
        piece.cells.resize(start + piece.columns.len(), 0.0);
        for (field, role) in record.iter().zip(roles) {
            match role {
                Role::Skip => {}
                Role::Label => piece.labels.push(self.label(field, place)?),
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
        match Field::of(field) {
            Field::Number(number) => {
                column.span.add(number);
                Ok(self.plan.features[slot].2.cell(number))
            }
            Field::Missing => {
                column.first_missing.get_or_insert_with(|| place.line());
                Ok(f32::NAN)
            }
            Field::Infinite => Err(self.wrong(field, place, slot, "is not a number that float32 can hold")),
            Field::Text if matches!(self.plan.features[slot].2, ColumnKind::Open) => {
                column.turned = true;
                Ok(UNSEEN)
            }
            Field::Text => match self.plan.features[slot].2.boolean(field) {
                Some(value) => Ok(narrow(value)),
                None => {
                    Err(self.wrong(field, place, slot, "is not a number, as this column held in training"))
                }
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
        let field = field.trim_ascii();
        let is_verbatim = column.texts.as_ref().is_some_and(Texts::is_verbatim);
        if is_missing(field) && !is_verbatim {
            column.first_missing.get_or_insert_with(|| place.line());
            return Ok(f32::NAN);
        }
        let text = self.text(field, place, &self.column(slot))?;
        let cell = column.texts.as_mut().map_or(UNSEEN, |texts| texts.cell(text));
        if cell == UNSEEN {
            column.first_unseen.get_or_insert_with(|| place.line());
        }
        Ok(cell)
    }

    fn label<'t>(&self, field: &'t [u8], place: RecordPlace<'_>) -> Read<&'t str> {
        let field = field.trim_ascii();
        let name = self.plan.label.as_ref().map_or("", |(name, _)| name);
        let column = shown(name, self.plan.named);
        if is_missing(field) {
            return Err(self.plan.choice.missing(&format!("line {}", place.line()), &column));
        }
        self.text(field, place, &column)
    }

    fn text<'t>(&self, field: &'t [u8], place: RecordPlace<'_>, column: &str) -> Read<&'t str> {
        if field.len() > MAX_TEXT {
            let (line, bytes) = (place.line(), field.len());
            return Err(format!(
                "line {line}, column {column}: a text of {bytes} bytes, the limit is {MAX_TEXT}"
            ));
        }
        std::str::from_utf8(field)
            .map_err(|_| format!("line {}, column {column}: not UTF-8; save the file as UTF-8", place.line()))
    }

    fn column(&self, slot: usize) -> String {
        shown(&self.plan.features[slot].0, self.plan.named)
    }

    fn wrong(&self, field: &[u8], place: RecordPlace<'_>, slot: usize, what: &str) -> String {
        let text: String = String::from_utf8_lossy(field.trim_ascii()).chars().take(40).collect();
        format!("line {}, column {}: {text:?} {what}", place.line(), self.column(slot))
    }
}
