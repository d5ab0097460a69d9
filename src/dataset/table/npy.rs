//! One array of numpy: a short header of text, then numbers.
//!
//! The format is described in numpy's `numpy.lib.format`: the magic bytes
//! `\x93NUMPY`, a version, the length of the header, and the header, which is a
//! Python dictionary of type, order and shape.

mod element;
mod header;
mod lists;

use std::io::{BufReader, Seek as _};

use self::element::Element;
use self::header::{Header, Layout};

use super::columns::{ColumnKind, ColumnNames, ColumnPlan, Role};
use super::guess::LabelChoice;
use super::{Columns, Labels, Limits, Read, Source, Table, unreadable};
use crate::host;
use crate::{Error, Result};

const MAGIC: &[u8] = b"\x93NUMPY";
/// Bytes of the longest header; numpy's own limit is 10,000.
const MAX_HEADER: usize = 1 << 16;
/// Elements of a column that are read at a time.
const RUN: usize = 1 << 13;

#[cfg(feature = "parquet")]
pub(super) use element::half;

/// An array whose header was read, and whose numbers come next.
pub(crate) struct Array<R> {
    header: Header,
    reader: R,
}

/// Reads a table of numbers; one of its columns may be the label.
pub(super) fn read(mut source: Source, columns: &Columns<'_>, limits: &Limits) -> Read<Table> {
    let bytes = source.measure()?;
    let name = source.name().to_owned();
    let (table, _) = in_passes(|plan| {
        source.rewind().map_err(unreadable)?;
        let array = Array::open(BufReader::with_capacity(1 << 16, &mut source), bytes)?;
        array.table(name.clone(), columns, plan, limits)
    })?;
    Ok(table)
}

/// Reads once, and if numbers turn out to need offsets a second time with them.
pub(super) fn in_passes(
    mut read: impl FnMut(Option<&ColumnPlan>) -> Read<(Table, ColumnPlan)>,
) -> Read<(Table, ColumnPlan)> {
    let (table, mut plan) = read(None)?;
    if !plan.take_offsets(&table) {
        return Ok((table, plan));
    }
    drop(table);
    read(Some(&plan))
}

/// Reads labels from a separate file.
///
/// # Errors
/// [`Error::Table`] when it holds anything but numbers or texts of each row.
pub fn read_labels(mut source: Source, limits: &Limits) -> Result<Vec<Labels>> {
    let name = source.name().to_owned();
    let is_archive = super::Format::of_path(&name) == Some(super::Format::Npz);
    let labels = || {
        if is_archive {
            return super::npz::read_labels(source, limits);
        }
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
        let array = Self { header: Header::parse(&header)?, reader };
        let start = 8 + if start[6] == 1 { 2 } else { 4 } + length as u64;
        let promised = array.bytes().and_then(|data| data.checked_add(start));
        if promised != Some(bytes) {
            return Err(format!(
                "{bytes} bytes do not hold the shape {:?} that the header promises",
                array.header.shape
            ));
        }
        Ok(array)
    }

    fn bytes(&self) -> Option<u64> {
        let size = self.header.storage.element.bytes() as u64;
        self.header.shape.iter().try_fold(size, |bytes, length| bytes.checked_mul(*length as u64))
    }

    /// A table with a row for each entry of the first axis, and its plan, with the offsets of `like` if that is given.
    pub(super) fn table(
        mut self,
        name: String,
        columns: &Columns<'_>,
        like: Option<&ColumnPlan>,
        limits: &Limits,
    ) -> Read<(Table, ColumnPlan)> {
        let Layout { rows, width, image_shape } = self.header.layout()?;
        if self.header.storage.element.is_text() {
            return Err(
                "holds an array of texts, expected numbers; a table with texts can be saved as CSV".into()
            );
        }
        if rows == 0 || width == 0 {
            return Err("the array is empty".into());
        }
        limits.check_columns(width)?;
        let mut plan = columns.plan(ColumnNames::Count(width))?;
        for (feature, like) in plan.features.iter_mut().zip(like.into_iter().flat_map(|like| &like.features))
        {
            feature.2 = like.2.clone();
        }
        if let Some((column, ..)) =
            plan.features.iter().find(|(_, _, kind)| matches!(kind, ColumnKind::Texts(_)))
        {
            return Err(format!("column {column} held texts in training, an array has numbers alone"));
        }
        if image_shape.is_some() && matches!(plan.choice, LabelChoice::Guessed(_)) {
            return Err(format!(
                "holds pictures (shape {:?}) without labels: give a file of labels with `labels`, or both arrays in one file, \
                 numpy.savez(\"t.npz\", x=x, y=y)",
                self.header.shape
            ));
        }
        limits.check_values(rows as f64, plan.features.len() as f64)?;
        let mut table = plan.table(name, limits);
        // A picture with a missing column is not a picture.
        table.image_shape = image_shape.filter(|_| plan.features.len() == width);
        table.holds_bytes = self.header.storage.element == Element::Unsigned(1);
        let values = rows.checked_mul(plan.features.len()).ok_or("too many values")?;
        host::reserve(&mut table.cells, values, "the array").map_err(|error| error.to_string())?;
        if self.header.by_column {
            table.cells.resize(values, 0.0);
        }
        self.cells((rows, width), &plan, &mut table)?;
        expect_end(&mut self.reader)?;
        table.rows = rows;
        Ok((table, plan))
    }

    /// Reads all elements in the order of the file.
    fn cells(&mut self, (rows, width): (usize, usize), plan: &ColumnPlan, table: &mut Table) -> Read<()> {
        let size = self.header.storage.element.bytes();
        if !self.header.by_column {
            let mut bytes = vec![0; width * size];
            for row in 0..rows {
                read_exact(&mut self.reader, &mut bytes)?;
                table.cells.resize((row + 1) * plan.features.len(), 0.0);
                for (column, bytes) in bytes.chunks_exact(size).enumerate() {
                    self.element((row, column), bytes, plan, table)?;
                }
            }
            return Ok(());
        }
        let mut bytes = vec![0; rows.min(RUN) * size];
        for column in (0..width).map(|place| self.header.column_at(place)) {
            let mut row = 0;
            while row < rows {
                let part = &mut bytes[..(rows - row).min(RUN) * size];
                read_exact(&mut self.reader, part)?;
                for bytes in part.chunks_exact(size) {
                    self.element((row, column), bytes, plan, table)?;
                    row += 1;
                }
            }
        }
        Ok(())
    }

    fn element(
        &self,
        (row, column): (usize, usize),
        bytes: &[u8],
        plan: &ColumnPlan,
        table: &mut Table,
    ) -> Read<()> {
        let storage = self.header.storage;
        match plan.roles[column] {
            Role::Skip | Role::Empty => {}
            Role::Label(number) => {
                let text = storage.text(bytes).map_err(|reason| {
                    plan.choice.invalid(format!("row {}: {reason}", row + 1), &column.to_string())
                })?;
                table.labels[number].push(&text);
            }
            Role::Feature(slot) => {
                let value = storage.number(bytes);
                let number = plan.features[slot].2.cell(value);
                if number.is_infinite() {
                    return Err(format!(
                        "row {}, column {column}: {value:e} is not a number that float32 can hold",
                        row + 1
                    ));
                }
                let content = &mut table.columns[slot];
                if number.is_nan() {
                    content.first_missing.get_or_insert_with(|| format!("row {}", row + 1));
                } else {
                    content.span.add(value);
                }
                table.cells[row * plan.features.len() + slot] = number;
            }
        }
        Ok(())
    }

    /// One label for each row, or several: one of each column.
    pub(super) fn labels(mut self, name: &str, limits: &Limits) -> Read<Vec<Labels>> {
        let (shape, storage) = (&self.header.shape, self.header.storage);
        let (rows, columns) = match *shape.as_slice() {
            [rows] => (rows, 1),
            [rows, columns] if columns > 0 => (rows, columns),
            _ => {
                return Err(format!("labels of shape {shape:?}, expected [rows] or [rows, targets]"));
            }
        };
        limits.check_columns(columns)?;
        limits.check_values(rows as f64, columns as f64)?;
        let column = |number: usize| {
            let name = if columns == 1 { name.to_owned() } else { format!("{name}{number}") };
            Labels::new(&name, None, limits)
        };
        let mut all: Vec<Labels> = (0..columns).map(column).collect();
        for labels in &mut all {
            host::reserve(&mut labels.codes, rows, "the labels").map_err(|error| error.to_string())?;
        }
        let mut bytes = vec![0; storage.element.bytes()];
        let by_column = self.header.by_column;
        for place in 0..rows * columns {
            let (row, column) =
                if by_column { (place % rows, place / rows) } else { (place / columns, place % columns) };
            read_exact(&mut self.reader, &mut bytes)?;
            let text = storage.text(&bytes).map_err(|reason| format!("label {}: {reason}", row + 1))?;
            all[column].push(&text);
        }
        expect_end(&mut self.reader)?;
        Ok(all)
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
