//! Tables as text: fields between delimiters or runs of blanks, quoted where needed.
//!
//! A file is read once, in blocks of complete records that are parsed in
//! parallel directly into float32 numbers. Only a column that looks like numbers at
//! first and holds a text later, or whose numbers need an offset, requires a second pass.

mod above;
mod arriving;
mod blocks;
mod content;
mod decimals;
mod delimiter;
mod dialect;
mod header;
mod piece;
mod preamble;
mod quotes;
mod squeeze;
mod strange;

use std::io::{Seek, SeekFrom};

use rayon::prelude::*;

use self::blocks::Blocks;
use self::content::Content;
use self::dialect::Dialect;
use self::piece::{BlockParser, Piece};
use super::columns::{ColumnKind, ColumnNames, ColumnPlan, Role};
use super::{Column, Columns, Read, ReadOptions, Source, Table, Texts, unreadable};

use crate::host;

pub use arriving::ArrivingRows;
pub use dialect::Header;

/// Reads a table of text.
pub(super) fn read(mut source: Source, columns: &Columns<'_>, options: &ReadOptions) -> Read<Table> {
    source.decompress(options.limits.memory)?;
    let bytes = source.measure()?;
    let dialect = Dialect::detect(&mut source, bytes, columns, options)?;
    let names = dialect.header.as_deref().map_or(ColumnNames::Count(dialect.columns), ColumnNames::Header);
    let is_empty = |place: &usize| dialect.contents[*place] == Content::Empty;
    let empty: Vec<usize> = (0..dialect.columns).filter(is_empty).collect();
    let mut plan = columns.plan_without(names, &empty, Role::Empty)?;
    // A value takes at least one byte, its delimiter: this bounds the memory that a file can claim.
    let bytes = bytes.saturating_sub(dialect.start) as f64;
    let rows = (bytes / dialect.bytes_per_row).min(bytes / plan.features.len() as f64);
    options.limits.check_values(rows, plan.features.len() as f64)?;
    for (slot, (_, place, kind)) in plan.features.iter_mut().enumerate() {
        if !matches!(kind, ColumnKind::Open) {
            continue;
        }
        let content = &dialect.contents[*place];
        match content {
            Content::Numbers(unit) => plan.units[slot].clone_from(unit),
            Content::Texts | Content::Mixed(_) => {
                *kind = ColumnKind::Texts(Texts::up_to(options.limits.texts));
            }
            Content::Empty => {}
        }
        log::debug!("feature {slot} of column {place} holds {content:?}");
    }
    let reading = Reading { dialect, options, rows };
    // The first pass finds every column with texts and every offset, so there is no third one.
    loop {
        let (table, turned) = reading.pass(&mut source, &plan)?;
        for slot in &turned {
            plan.features[*slot].2 = ColumnKind::Texts(Texts::up_to(options.limits.texts));
        }
        if !plan.take_offsets(&table) && turned.is_empty() {
            return Ok(table);
        }
    }
}

/// Everything that one pass over a file depends on, except the columns.
struct Reading<'a> {
    dialect: Dialect,
    options: &'a ReadOptions,
    /// About this many.
    rows: f64,
}

impl Reading<'_> {
    /// Reads all rows; the second value lists columns of numbers that hold texts.
    fn pass(&self, source: &mut Source, plan: &ColumnPlan) -> Read<(Table, Vec<usize>)> {
        source.seek(SeekFrom::Start(self.dialect.start)).map_err(unreadable)?;
        let name = source.name().to_owned();
        let Dialect { line, splitting, rules, .. } = &self.dialect;
        let limits = &self.options.limits;
        let mut blocks = Blocks::new(source, *line, *splitting, limits.max_record_bytes);
        let header = self.dialect.header.as_deref();
        let job = BlockParser { splitting: *splitting, rules, plan, limits, header, first_line: *line };
        let mut rows = Rows::new(name, plan, self)?;
        loop {
            let mut batch = Vec::new();
            for _ in 0..rayon::current_num_threads() {
                batch.extend(blocks.next()?);
            }
            if batch.is_empty() {
                return rows.finish();
            }
            let pieces: Vec<Read<Piece>> = batch.par_iter().map(|block| job.parse(block)).collect();
            for piece in pieces {
                rows.append(piece?, self)?;
            }
        }
    }
}

/// A table that grows piece by piece.
struct Rows {
    table: Table,
    /// Numbers of each column.
    numbers: Vec<usize>,
    /// Whether each column may turn out to hold texts.
    is_open: Vec<bool>,
    /// Number of rows without any value, and the line of the first.
    empty: (usize, Option<u64>),
}

impl Rows {
    fn new(name: String, plan: &ColumnPlan, reading: &Reading<'_>) -> Read<Self> {
        let limits = &reading.options.limits;
        let mut table = plan.table(name, limits);
        let dialect = &reading.dialect;
        table.rules = Some(dialect.rules.clone());
        let empty = plan.roles.iter().enumerate().filter(|(_, role)| **role == Role::Empty);
        table.left_out = empty.map(|(place, _)| format!("column {place}")).collect();
        table.is_header_sure = dialect.is_header_sure;
        table.skipped.clone_from(&dialect.notes);
        for column in &mut table.columns {
            if let Content::Mixed(units) = &dialect.contents[column.position] {
                column.mixed_units = Some(units.clone());
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "casts saturate")]
        let values = (reading.rows * plan.features.len() as f64) as usize;
        // Unused pages cost nothing.
        host::reserve(&mut table.cells, values, "the table").map_err(|error| error.to_string())?;
        let is_open = plan.features.iter().map(|(.., kind)| matches!(kind, ColumnKind::Open)).collect();
        Ok(Self { table, numbers: vec![0; plan.features.len()], is_open, empty: (0, None) })
    }

    fn append(&mut self, mut piece: Piece, reading: &Reading<'_>) -> Read<()> {
        let table = &mut self.table;
        let width = table.columns.len();
        for (slot, (column, found)) in table.columns.iter_mut().zip(&piece.columns).enumerate() {
            if column.first_missing.is_none() {
                column.first_missing = found.first_missing.map(|line| format!("line {line}"));
            }
            if column.first_unseen.is_none() {
                column.first_unseen = found.first_unseen.map(|line| format!("line {line}"));
            }
            column.span.merge(&found.span);
            column.words.append(&found.words);
            if found.odd.rows > 0 {
                column.odd.get_or_insert_default().append(&found.odd);
            }
            self.numbers[slot] += found.numbers;
            if let (Some(texts), Some(new)) = (&mut column.texts, &found.texts) {
                renumber(&mut piece.cells, slot, width, &texts.take(new));
            }
        }
        for (labels, new) in table.labels.iter_mut().zip(&piece.labels) {
            labels.append(new);
        }
        table.rows += piece.rows;
        self.empty = (self.empty.0 + piece.empty.0, self.empty.1.or(piece.empty.1));
        reading.options.limits.check_values(table.rows as f64, width as f64)?;
        host::grow(&mut table.cells, piece.cells.len(), "the table").map_err(|error| error.to_string())?;
        table.cells.extend_from_slice(&piece.cells);
        Ok(())
    }

    fn finish(self) -> Read<(Table, Vec<usize>)> {
        let Self { mut table, numbers, is_open, empty } = self;
        if let (count, Some(line)) = empty {
            let rows = if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
            table.skipped.push(format!("skipped: {rows} without any value, the first in line {line}"));
        }
        if table.rows == 0 {
            return Err("no rows of data".into());
        }
        table.cells.shrink_to_fit();
        let width = table.columns.len();
        let turned = |(slot, column): (usize, &Column)| {
            let numbers = numbers[slot];
            let cells =
                || table.cells.iter().skip(slot).step_by(width).copied().filter(|cell| !cell.is_nan());
            let is_turned = match &column.odd {
                Some(odd) => odd.make_texts(numbers, content::different(cells().map(f64::from))),
                // Only words that mean a missing value among numbers.
                None => numbers == 0 && !column.words.is_empty(),
            };
            (is_turned && column.texts.is_none() && is_open[slot]).then_some(slot)
        };
        let turned = table.columns.iter().enumerate().filter_map(turned).collect();
        Ok((table, turned))
    }
}

/// Renumbers the texts of one column as in the table.
fn renumber(cells: &mut [f32], slot: usize, width: usize, numbers: &[Option<u32>]) {
    for cell in cells.iter_mut().skip(slot).step_by(width) {
        if let Some(code) = super::encoding::code(*cell) {
            *cell = super::texts::cell(numbers.get(code).copied().flatten());
        }
    }
}
