//! Tables in Apache Parquet files, by the `parquet` crate's reader of columns.
//!
//! Only flat tables of booleans, integers, floating-point and decimal numbers and UTF-8 texts are read; dates and times are the
//! numbers that they are stored as. The parts of a folder are read one after another, as one table.

mod delta;
mod ends;
mod pages;
mod schema;
mod shared;
mod values;

use bytes::Bytes;
use parquet::column::reader::get_column_reader;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use rayon::prelude::*;

use self::ends::NonEmptyReads;
use self::pages::Pages;
use self::schema::Stored;
use self::shared::Shared;
use self::values::Reader;
use super::cells::Field;
use super::columns::{ColumnKind, ColumnNames, ColumnPlan, Role, refuse_shared_names};
use super::odd_cells::FEW;
use super::source::Content;
use super::texts::listed;
use super::{CellRules, Columns, Limits, Read, Source, Table, Tables, Texts, Unit, shown};
use crate::host;

/// Rows that are read at a time.
const PART: usize = 1 << 14;
/// Values for which memory is reserved by the file's claim alone.
const MAX_PROMISED: usize = 1 << 24;

/// Reads all row groups.
pub(super) fn read(source: Source, columns: &Columns<'_>, limits: &Limits) -> Read<Tables> {
    let name = source.name().to_owned();
    // The crate panics on some maliciously damaged files.
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match source.content {
        Content::File(file) => {
            read_from(vec![(String::new(), Shared::new(file).map_err(text)?)], name, columns, limits)
        }
        Content::Folder(parts) => {
            let open = |(name, file)| Ok((format!("{name}: "), Shared::new(file).map_err(text)?));
            read_from(parts.into_iter().map(open).collect::<Read<_>>()?, name, columns, limits)
        }
        Content::Bytes(bytes) => {
            read_from(vec![(String::new(), Bytes::from(bytes.into_inner()))], name, columns, limits)
        }
    }));
    read.unwrap_or_else(|_| Err("a damaged Parquet file".into()))
}

/// A file of a table and what precedes messages about it.
struct Part<R: ChunkReader> {
    prefix: String,
    file: SerializedFileReader<NonEmptyReads<R>>,
}

/// A table of one file or several, and how its columns are read.
struct Reading<'a, R: ChunkReader> {
    name: String,
    parts: Vec<Part<R>>,
    rows: usize,
    /// By column of the file; skipped columns are plain.
    stored: Vec<Stored>,
    limits: &'a Limits,
}

fn read_from<R: ChunkReader + 'static>(
    files: Vec<(String, R)>,
    name: String,
    columns: &Columns<'_>,
    limits: &Limits,
) -> Read<Tables> {
    let open = |(prefix, file): (String, R)| match SerializedFileReader::new(NonEmptyReads(file)) {
        Ok(file) => Ok(Part { prefix, file }),
        Err(error) => Err(format!("{prefix}{error}")),
    };
    let parts: Vec<Part<R>> = files.into_iter().map(open).collect::<Read<_>>()?;
    let first = parts.first().ok_or("no parts")?.file.metadata().file_metadata();
    let schema = first.schema_descr();
    limits.check_columns(schema.num_columns())?;
    let names = schema::names(schema);
    refuse_shared_names(&names)?;
    let mut rows = 0usize;
    for Part { prefix, file } in &parts {
        let about = file.metadata().file_metadata();
        schema::check_same(schema, about.schema_descr()).map_err(|reason| format!("{prefix}{reason}"))?;
        let more = usize::try_from(about.num_rows()).map_err(|_| "a number of rows below 0")?;
        rows = rows.checked_add(more).ok_or("too many rows")?;
        file.metadata().row_groups().iter().try_for_each(schema::check_compression)?;
    }
    let index = schema::index_columns(first, &names);
    let (dropped, nested) = schema::dropped(schema, columns);
    let columns = match *columns {
        Columns::New { label, labelled, weights, .. } => {
            Columns::New { label, labelled, drop: &dropped, weights }
        }
        known => known,
    };
    let mut plan =
        columns.plan_without(ColumnNames::Header(&names), &[&index[..], &nested].concat(), Role::Skip)?;
    limits.check_values(rows as f64, plan.features.len() as f64)?;
    let mut stored = vec![Stored::Plain; names.len()];
    for (place, role) in plan.roles.iter().enumerate().filter(|(_, role)| **role != Role::Skip) {
        stored[place] = schema::stored(&schema.column(place))?;
        if let Role::Feature(slot) = role {
            fit_kind(&mut plan.features[*slot].2, stored[place] == Stored::Text, limits);
        }
    }
    let skipped = index.into_iter().filter(|place| plan.roles[*place] == Role::Skip);
    let skipped: Vec<String> = skipped.map(|place| format!("{:?}", names[place])).collect();
    let is_new = matches!(columns, Columns::New { .. });
    let mut notes = if skipped.is_empty() || !is_new {
        Vec::new()
    } else {
        vec![format!("the index of a pandas data frame is not a feature: {}", listed(skipped, 4))]
    };
    let reading = Reading { name, parts, rows, stored, limits };
    let mut table = reading.pass(&plan)?;
    let numbers = if is_new { numbers_as_texts(&mut plan, &table) } else { Vec::new() };
    if !numbers.is_empty() {
        notes.push(format!("texts that are numbers are read as numbers: {}", listed(numbers, 4)));
        drop(table);
        table = reading.pass(&plan)?;
    }
    if plan.take_offsets(&table) {
        drop(table);
        table = reading.pass(&plan)?;
    }
    Ok(Tables { table, test: None, notes })
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The columns of a new table whose texts are numbers, more of them than codes have, or have a unit; the plan then reads them as such.
fn numbers_as_texts(plan: &mut ColumnPlan, table: &Table) -> Vec<String> {
    let is_number = |text: &String| {
        let is_code = text.len() > 1 && text.starts_with('0') && text.as_bytes()[1].is_ascii_digit();
        !is_code && is_number_of(text, None)
    };
    let mut found = Vec::new();
    let features = plan.features.iter_mut().zip(&mut plan.units);
    for (((name, _, kind), unit), column) in features.zip(&table.columns) {
        let texts = column.texts.as_ref().map_or(&[][..], Texts::list);
        if texts.len() > FEW && texts.iter().all(is_number) {
            *kind = ColumnKind::Open;
            found.push(format!("{name:?}"));
        } else if let Some(common) = common_unit(texts) {
            *kind = ColumnKind::Open;
            found.push(format!("{name:?} (without {common})"));
            *unit = Some(common);
        }
    }
    found
}

/// The unit that several texts have, all of them numbers.
fn common_unit(texts: &[String]) -> Option<Unit> {
    let (_, unit) = texts.iter().find_map(|text| Unit::split(text))?;
    (texts.len() > 1 && texts.iter().all(|text| is_number_of(text, Some(&unit)))).then_some(unit)
}

/// Whether a text is a number with this unit, or a word for a missing one.
fn is_number_of(text: &str, unit: Option<&Unit>) -> bool {
    let field = CellRules::default().field(text.as_bytes(), unit);
    matches!(field, Field::Number(_) | Field::MissingWord)
}

/// Texts or numbers by the schema's type, unless training decided it.
fn fit_kind(kind: &mut ColumnKind, is_text: bool, limits: &Limits) {
    if let (ColumnKind::Open, true) = (&kind, is_text) {
        *kind = ColumnKind::Texts(Texts::up_to(limits.texts));
    }
}

impl<R: ChunkReader + 'static> Reading<'_, R> {
    /// Reads all rows.
    fn pass(&self, plan: &ColumnPlan) -> Read<Table> {
        let mut table = plan.table(self.name.clone(), self.limits);
        let values = self.rows.checked_mul(plan.features.len()).ok_or("too many values")?;
        host::reserve(&mut table.cells, values.min(MAX_PROMISED), "the table").map_err(text)?;
        for Part { prefix, file } in &self.parts {
            self.groups(file, plan, &mut table).map_err(|reason| format!("{prefix}{reason}"))?;
        }
        if table.rows == 0 {
            return Err("no rows of data".into());
        }
        table.cells.shrink_to_fit();
        Ok(table)
    }

    /// Adds the rows of one file.
    fn groups(
        &self,
        file: &SerializedFileReader<NonEmptyReads<R>>,
        plan: &ColumnPlan,
        table: &mut Table,
    ) -> Read<()> {
        let schema = file.metadata().file_metadata().schema_descr();
        for group in 0..file.num_row_groups() {
            let group = file.get_row_group(group).map_err(text)?;
            let promised =
                usize::try_from(group.metadata().num_rows()).map_err(|_| "a number of rows below 0")?;
            if promised > self.rows - table.rows {
                return Err(format!("more rows than the {} that are promised", self.rows));
            }
            let mut readers = Vec::new();
            for (place, role) in plan.roles.iter().enumerate().filter(|(_, role)| **role != Role::Skip) {
                let column = schema.column(place);
                let optional = column.max_def_level() > 0;
                let inner = group.get_column_page_reader(place).map_err(text)?;
                let pages = Pages { inner, rows: promised, optional };
                let reader = get_column_reader(column, Box::new(pages));
                readers.push(Reader::new(*role, reader, (self.stored[place], optional), plan, table));
            }
            read_group(&mut readers, promised, plan, table)?;
        }
        Ok(())
    }
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
        for reader in readers.iter() {
            if let Role::Label(number) = reader.role {
                for (code, value) in reader.part.labels.iter().zip(&reader.part.label_numbers) {
                    table.labels[number].push_code(*code, || *value);
                }
            }
        }
        table.rows += part;
        left -= part;
    }
    // Texts of this group are known in the next one.
    for reader in readers {
        match (reader.role, reader.part.texts.take()) {
            (Role::Feature(slot), texts) => table.columns[slot].texts = texts,
            (Role::Label(number), Some(texts)) => table.labels[number].texts = texts,
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
        Role::Label(number) => plan.label_name(number),
        Role::Skip | Role::Empty => String::new(),
    }
}

/// Records missing values, refuses invalid ones; the part starts at the table's next row.
fn check_part(reader: &Reader, plan: &ColumnPlan, table: &mut Table) -> Read<()> {
    let row = |place: usize| format!("row {}", table.rows + place + 1);
    let name = name(reader.role, plan);
    if let Role::Feature(slot) = reader.role {
        table.columns[slot].span.merge(&reader.part.span);
    }
    if let Some(place) = reader.part.wrong {
        let what = match (reader.stored, reader.part.unit()) {
            (Stored::Text, Some(unit)) => {
                format!("not a number with the unit {unit}, like those of the column")
            }
            (Stored::Text, None) => {
                "a text, but the column holds numbers (in training, or in other rows)".to_owned()
            }
            _ => "not a number that float32 can hold".to_owned(),
        };
        return Err(format!("{}, column {name}: {what}", row(place)));
    }
    match (reader.role, reader.part.missing.map(row)) {
        (Role::Label(number), Some(row)) => Err(plan.missing(number, &row)),
        (Role::Feature(slot), Some(row)) => {
            table.columns[slot].first_missing.get_or_insert(row);
            Ok(())
        }
        _ => Ok(()),
    }
}
