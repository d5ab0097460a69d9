//! Tables in Apache Parquet files, by the `parquet` crate's reader of columns.
//!
//! Only flat tables of booleans, integers, floating-point numbers and UTF-8 texts
//! are read; dates and times are the numbers that they are stored as.

mod ends;
mod pages;
mod shared;

use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType};
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;
use rayon::prelude::*;

use self::ends::NonEmptyReads;
use self::pages::Pages;
use self::shared::Shared;
use super::columns::{ColumnKind, ColumnNames, ColumnPlan, Role, refuse_shared_names};
use super::source::Content;
use super::texts::{MAX_TEXT, cell, is_missing};
use super::{Columns, Limits, Read, Source, Table, Texts, shown};
use crate::host;

/// Rows that are read at a time.
const PART: usize = 1 << 14;
/// Values for which memory is reserved by the file's claim alone.
const MAX_PROMISED: usize = 1 << 24;

/// Reads all row groups.
pub(super) fn read(source: Source, columns: &Columns<'_>, limits: &Limits) -> Read<Table> {
    let name = source.name().to_owned();
    // The crate panics on some maliciously damaged files.
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match source.content {
        Content::File(file) => read_from(Shared::new(file).map_err(text)?, name, columns, limits),
        Content::Bytes(bytes) => read_from(Bytes::from(bytes.into_inner()), name, columns, limits),
    }));
    read.unwrap_or_else(|_| Err("a damaged Parquet file".into()))
}

fn read_from<R: ChunkReader + 'static>(
    from: R,
    name: String,
    columns: &Columns<'_>,
    limits: &Limits,
) -> Read<Table> {
    let file = SerializedFileReader::new(NonEmptyReads(from)).map_err(text)?;
    let metadata = file.metadata().file_metadata();
    let schema = metadata.schema_descr();
    limits.check_columns(schema.num_columns())?;
    let names: Vec<String> = schema.columns().iter().map(|column| column.path().string()).collect();
    refuse_shared_names(&names)?;
    let mut plan = columns.plan(ColumnNames::Header(&names))?;
    let rows = usize::try_from(metadata.num_rows()).map_err(|_| "a number of rows below 0")?;
    limits.check_values(rows as f64, plan.features.len() as f64)?;
    for (column, role) in schema.columns().iter().zip(&plan.roles).filter(|(_, role)| **role != Role::Skip) {
        let is_text = check(column).map_err(|reason| format!("column {:?}: {reason}", column.name()))?;
        if let Role::Feature(slot) = role {
            fit_kind(&mut plan.features[*slot].2, is_text, limits)
                .map_err(|reason| format!("column {:?}: {reason}", column.name()))?;
        }
    }
    let mut table = plan.table(name, limits);
    let values = rows.checked_mul(plan.features.len()).ok_or("too many values")?;
    host::reserve(&mut table.cells, values.min(MAX_PROMISED), "the table").map_err(text)?;
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group).map_err(text)?;
        let promised =
            usize::try_from(group.metadata().num_rows()).map_err(|_| "a number of rows below 0")?;
        if promised > rows - table.rows {
            return Err(format!("more rows than the {rows} that the file promises"));
        }
        let mut readers = Vec::new();
        for (place, role) in plan.roles.iter().enumerate().filter(|(_, role)| **role != Role::Skip) {
            let pages = Pages { inner: group.get_column_page_reader(place).map_err(text)?, rows: promised };
            let column = schema.column(place);
            let reader = get_column_reader(column.clone(), Box::new(pages));
            readers.push(Reader::new(*role, reader, &column, &table));
        }
        read_group(&mut readers, promised, &plan, &mut table)?;
    }
    if table.rows == 0 {
        return Err("no rows of data".into());
    }
    table.cells.shrink_to_fit();
    Ok(table)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Texts or numbers, as far as the schema's type and training agree.
fn fit_kind(kind: &mut ColumnKind, is_text: bool, limits: &Limits) -> Read<()> {
    match (&kind, is_text) {
        (ColumnKind::Open, true) => *kind = ColumnKind::Texts(Texts::up_to(limits.texts)),
        (ColumnKind::Open, false) => *kind = ColumnKind::Numbers,
        (ColumnKind::Numbers, true) => return Err("holds texts, in training it held numbers".into()),
        _ => {}
    }
    Ok(())
}

/// Refuses nested columns; distinguishes texts from numbers.
fn check(column: &ColumnDescriptor) -> Read<bool> {
    if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
        return Err("lists and structures are not columns of a table".into());
    }
    let is_decimal = column.converted_type() == ConvertedType::DECIMAL
        || matches!(column.logical_type_ref(), Some(LogicalType::Decimal { .. }));
    match column.physical_type() {
        _ if is_decimal => Err("decimal numbers are not read; store them as double".into()),
        Type::BOOLEAN | Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE => Ok(false),
        Type::BYTE_ARRAY => Ok(true),
        other => Err(format!("the type {other} is not read; store numbers as double, texts as UTF-8")),
    }
}

/// A column of a row group on its way into the table.
struct Reader {
    role: Role,
    reader: ColumnReader,
    optional: bool,
    unsigned: bool,
    part: Part,
}

/// Values of a column.
struct Part {
    is_label: bool,
    texts: Option<Texts>,
    cells: Vec<f32>,
    labels: Vec<u32>,
    /// Place of the first missing value.
    missing: Option<usize>,
    /// Place of the first invalid value.
    wrong: Option<usize>,
}

impl Reader {
    fn new(role: Role, reader: ColumnReader, column: &ColumnDescriptor, table: &Table) -> Self {
        let unsigned = matches!(
            column.converted_type(),
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64
        );
        let texts = match role {
            Role::Feature(slot) => table.columns[slot].texts.clone(),
            Role::Label => table.labels.as_ref().map(|labels| labels.texts.clone()),
            Role::Skip => None,
        };
        Self {
            role,
            reader,
            optional: column.max_def_level() > 0,
            unsigned,
            part: Part::new(role == Role::Label, texts),
        }
    }

    /// Reads exactly this many rows.
    fn read(&mut self, rows: usize) -> Read<()> {
        let Self { reader, optional, unsigned, part: sink, .. } = self;
        let (optional, unsigned) = (*optional, *unsigned);
        sink.clear();
        match reader {
            ColumnReader::BoolColumnReader(reader) => {
                part(reader, rows, optional, |value| sink.number(value.map(|v: bool| f64::from(u8::from(v)))))
            }
            ColumnReader::Int32ColumnReader(reader) => part(reader, rows, optional, |value: Option<i32>| {
                sink.number(value.map(|v| if unsigned { f64::from(v.cast_unsigned()) } else { f64::from(v) }))
            }),
            ColumnReader::Int64ColumnReader(reader) => part(reader, rows, optional, |value: Option<i64>| {
                sink.number(value.map(|v| if unsigned { v.cast_unsigned() as f64 } else { v as f64 }))
            }),
            ColumnReader::FloatColumnReader(reader) => {
                part(reader, rows, optional, |value: Option<f32>| sink.number(value.map(f64::from)))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                part(reader, rows, optional, |value| sink.number(value))
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                part(reader, rows, optional, |value| sink.text(value))
            }
            _ => Err("a type that is not read".into()),
        }
    }
}

impl Part {
    fn new(is_label: bool, texts: Option<Texts>) -> Self {
        Self { is_label, texts, cells: Vec::new(), labels: Vec::new(), missing: None, wrong: None }
    }

    fn clear(&mut self) {
        (self.missing, self.wrong) = (None, None);
        self.cells.clear();
        self.labels.clear();
    }

    fn place(&self) -> usize {
        self.cells.len().max(self.labels.len())
    }

    fn number(&mut self, value: Option<f64>) -> Read<()> {
        let value = value.filter(|value| !value.is_nan());
        match (&mut self.texts, value) {
            // A category or a label.
            (Some(_), Some(value)) => return self.text_of(Some(&value.to_string())),
            (Some(_), None) => return self.text_of(None),
            _ => {}
        }
        let place = self.place();
        if value.is_none() {
            self.missing.get_or_insert(place);
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked: what becomes infinite is refused")]
        let number = value.map_or(f32::NAN, |value| value as f32);
        if number.is_infinite() {
            self.wrong.get_or_insert(place);
        }
        self.cells.push(number);
        Ok(())
    }

    fn text(&mut self, value: Option<ByteArray>) -> Read<()> {
        let bytes = value.as_ref().map(|value| value.data().trim_ascii());
        let is_verbatim = self.texts.as_ref().is_some_and(Texts::is_verbatim);
        let bytes = bytes.filter(|bytes| is_verbatim || !is_missing(bytes));
        if bytes.is_some_and(|bytes| bytes.len() > MAX_TEXT) {
            return Err(format!("a text longer than {MAX_TEXT} bytes"));
        }
        let text = bytes.map(std::str::from_utf8).transpose().map_err(|_| "a text that is not UTF-8")?;
        self.text_of(text)
    }

    fn text_of(&mut self, text: Option<&str>) -> Read<()> {
        let place = self.place();
        if text.is_none() {
            self.missing.get_or_insert(place);
        }
        let number = text.and_then(|text| self.texts.as_mut()?.number(text));
        if self.is_label {
            self.labels.push(number.unwrap_or(u32::MAX));
        } else {
            self.cells.push(if text.is_none() { f32::NAN } else { cell(number) });
        }
        Ok(())
    }
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
    let (read, ..) = reader.read_records(rows, levels_wanted, None, &mut values).map_err(text)?;
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

fn read_group(readers: &mut [Reader], rows: usize, plan: &ColumnPlan, table: &mut Table) -> Read<()> {
    let width = plan.features.len();
    let mut left = rows;
    while left > 0 {
        let part = left.min(PART);
        readers.par_iter_mut().try_for_each(|reader| {
            reader.read(part).map_err(|reason| format!("column {}: {reason}", name(reader.role, plan)))
        })?;
        let start = table.cells.len();
        table.cells.resize(start + part * width, 0.0);
        for reader in readers.iter() {
            check_part(reader, plan, table)?;
        }
        let cells = &mut table.cells[start..];
        let columns: Vec<(usize, &[f32])> = readers.iter().filter_map(column_part).collect();
        cells.par_chunks_mut(width).enumerate().with_min_len(256).for_each(|(row, cells)| {
            for (slot, column) in &columns {
                cells[*slot] = column[row];
            }
        });
        if let (Some(labels), Some(reader)) =
            (&mut table.labels, readers.iter().find(|reader| reader.role == Role::Label))
        {
            labels.codes.extend_from_slice(&reader.part.labels);
        }
        table.rows += part;
        left -= part;
    }
    // Texts of this group are known in the next one.
    for reader in readers {
        match (reader.role, reader.part.texts.take()) {
            (Role::Feature(slot), texts) => table.columns[slot].texts = texts,
            (Role::Label, Some(texts)) => {
                if let Some(labels) = &mut table.labels {
                    labels.texts = texts;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn column_part(reader: &Reader) -> Option<(usize, &[f32])> {
    if let Role::Feature(slot) = reader.role { Some((slot, reader.part.cells.as_slice())) } else { None }
}

fn name(role: Role, plan: &ColumnPlan) -> String {
    match role {
        Role::Feature(slot) => shown(&plan.features[slot].0, true),
        _ => plan.label.as_ref().map_or(String::new(), |(name, _)| shown(name, true)),
    }
}

/// Records missing values, refuses invalid ones; the part starts at the table's next row.
fn check_part(reader: &Reader, plan: &ColumnPlan, table: &mut Table) -> Read<()> {
    let row = |place: usize| format!("row {}", table.rows + place + 1);
    let name = name(reader.role, plan);
    if let Some(place) = reader.part.wrong {
        return Err(format!("{}, column {name}: not a number that float32 can hold", row(place)));
    }
    match (reader.role, reader.part.missing.map(row)) {
        (Role::Label, Some(row)) => Err(plan.choice.missing(&row, &name)),
        (Role::Feature(slot), Some(row)) => {
            table.columns[slot].first_missing.get_or_insert(row);
            Ok(())
        }
        _ => Ok(()),
    }
}
