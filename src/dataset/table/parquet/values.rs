//! The values of a column, from the file's types to cells and labels.

use std::borrow::Cow;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray, Int96};

use super::super::CellRules;
use super::super::cells::Field;
use super::super::columns::{ColumnPlan, Role};
use super::super::npy::half;
use super::super::span::narrow;
use super::super::texts::{MAX_TEXT, cell, label_number, trimmed};
use super::super::{Read, Span, Table, Texts, Unit};
use super::schema::Stored;

/// A column of a row group on its way into the table.
pub(super) struct Reader {
    pub(super) role: Role,
    reader: ColumnReader,
    pub(super) stored: Stored,
    optional: bool,
    pub(super) part: Part,
}

/// Values of a column.
pub(super) struct Part {
    is_label: bool,
    offset: f64,
    pub(super) texts: Option<Texts>,
    /// What stands before or behind numbers that are texts.
    unit: Option<Unit>,
    pub(super) cells: Vec<f32>,
    pub(super) labels: Vec<u32>,
    /// The labels as numbers; NaN if they are none.
    pub(super) label_numbers: Vec<f64>,
    /// Place of the first missing value.
    pub(super) missing: Option<usize>,
    /// Place of the first invalid value.
    pub(super) wrong: Option<usize>,
    pub(super) span: Span,
}

/// A value as it is stored.
enum Value<'a> {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f32),
    Double(f64),
    /// A whole number and how many of its digits are behind the point.
    Decimal(i128, i32),
    Text(&'a [u8]),
}

impl Value<'_> {
    fn number(&self) -> f64 {
        match *self {
            Self::Bool(value) => f64::from(u8::from(value)),
            Self::Signed(value) => value as f64,
            Self::Unsigned(value) => value as f64,
            Self::Float(value) => f64::from(value),
            Self::Double(value) => value,
            // Both are exact for up to 15 digits, and one division rounds once.
            Self::Decimal(digits, scale) => digits as f64 / 10f64.powi(scale),
            Self::Text(_) => f64::NAN,
        }
    }

    /// The text of a label or category, as it would be in a CSV file.
    fn text(&self) -> Read<Cow<'_, str>> {
        Ok(match *self {
            Self::Bool(value) => Cow::Borrowed(if value { "True" } else { "False" }),
            Self::Signed(value) => Cow::Owned(value.to_string()),
            Self::Unsigned(value) => Cow::Owned(value.to_string()),
            Self::Decimal(digits, 0) => Cow::Owned(digits.to_string()),
            Self::Float(value) => Cow::Owned(value.to_string()),
            Self::Double(_) | Self::Decimal(..) => Cow::Owned(self.number().to_string()),
            Self::Text(bytes) if bytes.len() > MAX_TEXT => {
                return Err(format!("a text longer than {MAX_TEXT} bytes"));
            }
            Self::Text(bytes) => {
                Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| "a text that is not UTF-8")?)
            }
        })
    }
}

impl Reader {
    pub(super) fn new(
        role: Role,
        reader: ColumnReader,
        (stored, optional): (Stored, bool),
        plan: &ColumnPlan,
        table: &Table,
    ) -> Self {
        let (texts, offset) = match role {
            Role::Feature(slot) => (table.columns[slot].texts.clone(), plan.features[slot].2.offset()),
            Role::Label(number) => (Some(table.labels[number].texts.clone()), 0.0),
            Role::Skip | Role::Empty => (None, 0.0),
        };
        let unit = if let Role::Feature(slot) = role { plan.units[slot].clone() } else { None };
        let part = Part {
            unit,
            is_label: matches!(role, Role::Label(_)),
            offset,
            texts,
            cells: Vec::new(),
            labels: Vec::new(),
            label_numbers: Vec::new(),
            missing: None,
            wrong: None,
            span: Span::default(),
        };
        Self { role, reader, stored, optional, part }
    }

    /// Reads exactly this many rows.
    pub(super) fn read(&mut self, rows: usize) -> Read<()> {
        let Self { reader, optional, part: sink, stored, .. } = self;
        let (optional, stored) = (*optional, *stored);
        sink.clear();
        match reader {
            ColumnReader::BoolColumnReader(reader) => {
                part(reader, rows, optional, |value| sink.take(value.map(Value::Bool)))
            }
            ColumnReader::Int32ColumnReader(reader) => part(reader, rows, optional, |value: Option<i32>| {
                sink.take(value.map(|value| match stored {
                    Stored::Unsigned => Value::Unsigned(value.cast_unsigned().into()),
                    Stored::Decimal(scale) => Value::Decimal(value.into(), scale),
                    _ => Value::Signed(value.into()),
                }))
            }),
            ColumnReader::Int64ColumnReader(reader) => part(reader, rows, optional, |value: Option<i64>| {
                sink.take(value.map(|value| match stored {
                    Stored::Unsigned => Value::Unsigned(value.cast_unsigned()),
                    Stored::Decimal(scale) => Value::Decimal(value.into(), scale),
                    _ => Value::Signed(value),
                }))
            }),
            ColumnReader::Int96ColumnReader(reader) => {
                part(reader, rows, optional, |value: Option<Int96>| {
                    sink.take(value.map(|value| Value::Signed(value.to_nanos())))
                })
            }
            ColumnReader::FloatColumnReader(reader) => {
                part(reader, rows, optional, |value| sink.take(value.map(Value::Float)))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                part(reader, rows, optional, |value| sink.take(value.map(Value::Double)))
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                part(reader, rows, optional, |value: Option<ByteArray>| {
                    sink.bytes(value.as_ref().map(ByteArray::data), stored)
                })
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                part(reader, rows, optional, |value: Option<FixedLenByteArray>| {
                    sink.bytes(value.as_ref().map(|value| value.data()), stored)
                })
            }
        }
    }
}

impl Part {
    fn clear(&mut self) {
        (self.missing, self.wrong, self.span) = (None, None, Span::default());
        self.cells.clear();
        self.labels.clear();
        self.label_numbers.clear();
    }

    pub(super) fn unit(&self) -> Option<&Unit> {
        self.unit.as_ref()
    }

    fn place(&self) -> usize {
        self.cells.len().max(self.labels.len())
    }

    fn bytes(&mut self, value: Option<&[u8]>, stored: Stored) -> Read<()> {
        let value = value.map(|bytes| match stored {
            Stored::Decimal(scale) => Ok(Value::Decimal(whole(bytes)?, scale)),
            Stored::Half => {
                Ok(Value::Double(half(bytes.iter().rev().fold(0, |bits, byte| bits << 8 | u32::from(*byte)))))
            }
            _ => Read::Ok(Value::Text(trimmed(bytes))),
        });
        let value = value.transpose()?;
        let is_verbatim = self.texts.as_ref().is_some_and(Texts::is_verbatim);
        let is_missing =
            |value: &Value<'_>| matches!(value, Value::Text(bytes) if CellRules::default().is_missing(bytes));
        self.take(value.filter(|value| is_verbatim || !is_missing(value)))
    }

    /// Takes the next value, `None` for a missing one.
    fn take(&mut self, value: Option<Value<'_>>) -> Read<()> {
        let place = self.place();
        let value = value.filter(|value| matches!(value, Value::Text(_)) || !value.number().is_nan());
        if value.is_none() {
            self.missing.get_or_insert(place);
        }
        if let Some(texts) = &mut self.texts {
            // A category or a label.
            let is_missing = value.is_none();
            let text = value.as_ref().map(Value::text).transpose()?;
            let number = text.as_deref().and_then(|text| texts.number(text));
            if self.is_label {
                self.labels.push(number.unwrap_or(u32::MAX));
                self.label_numbers.push(text.as_deref().map_or(f64::NAN, label_number));
            } else {
                self.cells.push(if is_missing { f32::NAN } else { cell(number) });
            }
            return Ok(());
        }
        let number = match value {
            Some(Value::Text(bytes)) => match CellRules::default().field(bytes, self.unit.as_ref()) {
                Field::Number(number) => Some(number),
                Field::Missing | Field::MissingWord => {
                    self.missing.get_or_insert(place);
                    None
                }
                // Reported as a wrong value.
                Field::Infinite | Field::Text => Some(f64::INFINITY),
            },
            value => value.map(|value| value.number()),
        };
        let Some(number) = number else {
            self.cells.push(f32::NAN);
            return Ok(());
        };
        let shifted = narrow(number - self.offset);
        if shifted.is_infinite() {
            self.wrong.get_or_insert(place);
        } else {
            self.span.add(number);
        }
        self.cells.push(shifted);
        Ok(())
    }
}

/// A whole number in two's complement, the highest byte first.
fn whole(bytes: &[u8]) -> Read<i128> {
    if bytes.is_empty() || bytes.len() > 16 {
        return Err(format!("a decimal number of {} bytes, the limit is 16", bytes.len()));
    }
    let sign = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
    Ok(bytes.iter().fold(sign, |number, byte| number << 8 | i128::from(*byte)))
}

/// Passes on this many values of a column, `None` for missing ones.
fn part<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    optional: bool,
    mut take: impl FnMut(Option<T::T>) -> Read<()>,
) -> Read<()> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let levels_wanted = optional.then_some(&mut levels);
    let (read, ..) =
        reader.read_records(rows, levels_wanted, None, &mut values).map_err(|error| error.to_string())?;
    if read != rows {
        return Err(format!("{read} rows, expected {rows}"));
    }
    let mut values = values.into_iter();
    if !optional {
        return values.try_for_each(|value| take(Some(value)));
    }
    // A flat column has one level, at which the value is present.
    levels.into_iter().try_for_each(|level| take(if level > 0 { values.next() } else { None }))
}
