//! One array of numpy: a short header of text, then numbers.
//!
//! The format is described in numpy's `numpy.lib.format`: the magic bytes
//! `\x93NUMPY`, a version, the length of the header, and the header, which is a
//! Python dictionary of type, order and shape.

mod lists;

use std::io::BufReader;

use super::columns::{ColumnKind, ColumnNames, ColumnPlan, Role};
use super::texts::MAX_TEXT;
use super::{Columns, Labels, Limits, Read, Source, Table, unreadable};
use crate::host;
use crate::{Error, Result};

const MAGIC: &[u8] = b"\x93NUMPY";
/// Bytes of the longest header; numpy's own limit is 10,000.
const MAX_HEADER: usize = 1 << 16;

/// The type of an array's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Bool,
    Signed(usize),
    Unsigned(usize),
    Float(usize),
    /// Characters of four bytes.
    Text(usize),
    /// Bytes of text.
    Ascii(usize),
}

/// An array whose header was read, and whose numbers come next.
pub(crate) struct Array<R> {
    element: Element,
    big_endian: bool,
    shape: Vec<usize>,
    reader: R,
}

/// Reads a table of numbers; one of its columns may be the label.
pub(super) fn read(mut source: Source, columns: &Columns<'_>, limits: &Limits) -> Read<Table> {
    let bytes = source.measure()?;
    let name = source.name().to_owned();
    let array = Array::open(BufReader::with_capacity(1 << 16, source), bytes)?;
    array.table(name, columns, limits)
}

/// Reads labels from a separate file.
///
/// # Errors
/// [`Error::Table`] when it holds anything but one number or text for each row.
pub fn read_labels(mut source: Source, limits: &Limits) -> Result<Labels> {
    let name = source.name().to_owned();
    let mut labels = || {
        let bytes = source.measure()?;
        Array::open(BufReader::new(&mut source), bytes)?.labels("label", limits)
    };
    labels().map_err(|reason| Error::table(name, &reason))
}

impl<R: std::io::Read> Array<R> {
    /// Reads the header of an array of this many bytes in all.
    pub(super) fn open(mut reader: R, bytes: u64) -> Read<Self> {
        let mut start = [0; 8];
        read_exact(&mut reader, &mut start)?;
        if &start[..6] != MAGIC {
            return Err("not an NPY array".into());
        }
        let (mut short, mut long) = ([0; 2], [0; 4]);
        let length = if start[6] == 1 {
            read_exact(&mut reader, &mut short)?;
            usize::from(u16::from_le_bytes(short))
        } else {
            read_exact(&mut reader, &mut long)?;
            usize::try_from(u32::from_le_bytes(long)).unwrap_or(usize::MAX)
        };
        if !(1..=3).contains(&start[6]) || length > MAX_HEADER {
            return Err(format!("an NPY array of version {} with a header of {length} bytes", start[6]));
        }
        let mut header = vec![0; length];
        read_exact(&mut reader, &mut header)?;
        let header = String::from_utf8(header).map_err(|_| "the NPY header is not text")?;
        let (element, big_endian, shape) = parse_header(&header)?;
        let array = Self { element, big_endian, shape, reader };
        let start = 8 + if start[6] == 1 { 2 } else { 4 } + length as u64;
        let promised = array.bytes().and_then(|data| data.checked_add(start));
        if promised != Some(bytes) {
            return Err(format!(
                "{bytes} bytes do not hold the shape {:?} that the header promises",
                array.shape
            ));
        }
        Ok(array)
    }

    fn bytes(&self) -> Option<u64> {
        let size = self.element.bytes() as u64;
        self.shape.iter().try_fold(size, |bytes, length| bytes.checked_mul(*length as u64))
    }

    /// A table with a row for each entry of the first axis.
    pub(super) fn table(mut self, name: String, columns: &Columns<'_>, limits: &Limits) -> Read<Table> {
        let (rows, width, image_shape) = match *self.shape.as_slice() {
            [rows, width] => (rows, width, None),
            [rows, height, width] => {
                (rows, height.checked_mul(width).ok_or("pictures that are too large")?, Some([height, width]))
            }
            _ => {
                return Err(format!(
                    "holds an array of shape {:?}, expected [rows, columns] or [pictures, rows, columns]",
                    self.shape
                ));
            }
        };
        if matches!(self.element, Element::Text(_) | Element::Ascii(_)) {
            return Err("holds an array of texts, expected numbers".into());
        }
        if rows == 0 || width == 0 {
            return Err("the array is empty".into());
        }
        limits.check_columns(width)?;
        let plan = columns.plan(ColumnNames::Count(width))?;
        if let Some((column, ..)) =
            plan.features.iter().find(|(_, _, kind)| matches!(kind, ColumnKind::Texts(_)))
        {
            return Err(format!("column {column} held texts in training, an array has numbers alone"));
        }
        limits.check_values(rows as f64, plan.features.len() as f64)?;
        let mut table = plan.table(name, limits);
        // A picture with a missing column is not a picture.
        table.image_shape = image_shape.filter(|_| plan.features.len() == width);
        let values = rows.checked_mul(plan.features.len()).ok_or("too many values")?;
        host::reserve(&mut table.cells, values, "the array").map_err(|error| error.to_string())?;
        let mut bytes = vec![0; width * self.element.bytes()];
        for row in 0..rows {
            read_exact(&mut self.reader, &mut bytes)?;
            self.row(row, &bytes, &plan, &mut table)?;
        }
        expect_end(&mut self.reader)?;
        table.rows = rows;
        Ok(table)
    }

    fn row(&self, row: usize, bytes: &[u8], plan: &ColumnPlan, table: &mut Table) -> Read<()> {
        let start = table.cells.len();
        table.cells.resize(start + plan.features.len(), 0.0);
        let elements = bytes.chunks_exact(self.element.bytes());
        for ((column, bytes), role) in elements.enumerate().zip(&plan.roles) {
            match role {
                Role::Skip => {}
                Role::Label => {
                    let text = self.text(bytes).map_err(|reason| {
                        plan.choice.invalid(format!("row {}: {reason}", row + 1), &column.to_string())
                    })?;
                    if let Some(labels) = &mut table.labels {
                        labels.push(&text);
                    }
                }
                Role::Feature(slot) => {
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "checked: what becomes infinite is refused"
                    )]
                    let number = self.number(bytes) as f32;
                    if number.is_nan() {
                        let place = || format!("row {}", row + 1);
                        table.columns[*slot].first_missing.get_or_insert_with(place);
                    } else if number.is_infinite() {
                        let value = self.number(bytes);
                        return Err(format!(
                            "row {}, column {column}: {value:e} is not a number that float32 can hold",
                            row + 1
                        ));
                    }
                    table.cells[start + slot] = number;
                }
            }
        }
        Ok(())
    }

    /// One label for each row.
    pub(super) fn labels(mut self, name: &str, limits: &Limits) -> Read<Labels> {
        let rows = match *self.shape.as_slice() {
            [rows] | [rows, 1] => rows,
            _ => return Err(format!("labels of shape {:?}, expected [rows]", self.shape)),
        };
        limits.check_values(rows as f64, 1.0)?;
        let mut labels = Labels::new(name, None, limits);
        host::reserve(&mut labels.codes, rows, "the labels").map_err(|error| error.to_string())?;
        let mut bytes = vec![0; self.element.bytes()];
        for row in 0..rows {
            read_exact(&mut self.reader, &mut bytes)?;
            let text = self.text(&bytes).map_err(|reason| format!("label {}: {reason}", row + 1))?;
            labels.push(&text);
        }
        expect_end(&mut self.reader)?;
        Ok(labels)
    }

    /// The value of an element, at most eight bytes in the order of the array.
    fn unsigned(&self, bytes: &[u8]) -> u64 {
        let join = |value, byte: &u8| value << 8 | u64::from(*byte);
        if self.big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "elements of four bytes")]
    fn word(&self, bytes: &[u8]) -> u32 {
        self.unsigned(bytes) as u32
    }

    fn signed(&self, bytes: &[u8]) -> i64 {
        // Moves the sign to the highest bit; shifting back extends it.
        let unused = u64::BITS as usize - 8 * bytes.len();
        (self.unsigned(bytes) << unused).cast_signed() >> unused
    }

    fn number(&self, bytes: &[u8]) -> f64 {
        match self.element {
            Element::Bool => f64::from(u8::from(bytes[0] != 0)),
            Element::Signed(_) => self.signed(bytes) as f64,
            Element::Unsigned(_) => self.unsigned(bytes) as f64,
            Element::Float(4) => f64::from(f32::from_bits(self.word(bytes))),
            Element::Float(_) => f64::from_bits(self.unsigned(bytes)),
            // Refused before numbers are read.
            Element::Text(_) | Element::Ascii(_) => f64::NAN,
        }
    }

    /// An element as the text of a label.
    fn text(&self, bytes: &[u8]) -> Read<String> {
        match self.element {
            Element::Bool => Ok(u8::from(bytes[0] != 0).to_string()),
            Element::Signed(_) => Ok(self.signed(bytes).to_string()),
            Element::Unsigned(_) => Ok(self.unsigned(bytes).to_string()),
            Element::Float(_) => {
                let number = self.number(bytes);
                if number.is_finite() {
                    Ok(number.to_string())
                } else {
                    Err(format!("{number} is not a label"))
                }
            }
            Element::Text(_) => {
                let codes = bytes.chunks_exact(4).map(|bytes| self.word(bytes));
                let text: Option<String> = codes.take_while(|code| *code != 0).map(char::from_u32).collect();
                text.ok_or_else(|| "an invalid character".into())
            }
            Element::Ascii(_) => {
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                String::from_utf8(bytes[..end].to_vec()).map_err(|_| "not text".into())
            }
        }
    }
}

impl Element {
    /// Of a numpy type string without its order of bytes.
    fn parse(kind: &str) -> Option<Self> {
        let size = |digits: &str| digits.parse::<usize>().ok();
        let (kind, digits) = kind.split_at_checked(1)?;
        match (kind, size(digits)?) {
            ("b", 1) => Some(Self::Bool),
            ("i", size @ (1 | 2 | 4 | 8)) => Some(Self::Signed(size)),
            ("u", size @ (1 | 2 | 4 | 8)) => Some(Self::Unsigned(size)),
            ("f", size @ (4 | 8)) => Some(Self::Float(size)),
            ("U", size @ 1..=MAX_TEXT) => Some(Self::Text(size)),
            ("S", size @ 1..=MAX_TEXT) => Some(Self::Ascii(size)),
            _ => None,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Signed(size) | Self::Unsigned(size) | Self::Float(size) | Self::Ascii(size) => size,
            Self::Text(size) => 4 * size,
        }
    }
}

fn read_exact(reader: &mut impl std::io::Read, into: &mut [u8]) -> Read<()> {
    reader.read_exact(into).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "truncated".into(),
        _ => unreadable(error),
    })
}

/// Reads to the end, where an archive compares checksums.
fn expect_end(reader: &mut impl std::io::Read) -> Read<()> {
    match reader.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err("more bytes than the header promises".into()),
        Err(error) => Err(format!("damaged: {error}")),
    }
}

/// Type, order of bytes and shape.
fn parse_header(header: &str) -> Read<(Element, bool, Vec<usize>)> {
    let after = |key: &str| {
        let found = [format!("'{key}'"), format!("\"{key}\"")].iter().find_map(|key| header.split_once(key));
        let value = found.and_then(|(_, rest)| rest.trim_start().strip_prefix(':'));
        value.map(str::trim_start).ok_or_else(|| format!("the NPY header has no {key}"))
    };
    let descr = after("descr")?;
    let quoted = descr.strip_prefix(['\'', '"']).and_then(|rest| rest.split(['\'', '"']).next());
    let descr = quoted.ok_or("an array of records, expected plain numbers")?;
    let (order, kind) = match descr.split_at_checked(1) {
        Some((order @ ("<" | ">" | "|" | "="), kind)) => (order, kind),
        _ => ("<", descr),
    };
    let element = Element::parse(kind).ok_or_else(|| {
        format!(
            "holds elements of type {descr:?}; save them as a bool, an integer of 8 to 64 bits, float32 or float64"
        )
    })?;
    if after("fortran_order")?.starts_with("True") {
        return Err("stored column by column (Fortran order); save numpy.ascontiguousarray(x)".into());
    }
    let shape = after("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let (shape, _) = shape.ok_or("the NPY header has no shape")?;
    let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
    let shape = lengths.map(str::parse).collect::<std::result::Result<Vec<usize>, _>>();
    let shape = shape.map_err(|_| "the NPY header has no shape of whole numbers")?;
    Ok((element, order == ">", shape))
}
