//! Rows of text for a model, as they arrive.

use std::borrow::Cow;

use super::Session;
use super::tables::{classes_of, encoding_of, limits};
use crate::dataset::DataRecord;
use crate::dataset::table::{
    ArrivingRows, Classes, ColumnRef, Columns, Format, KeptColumns, LabelNeed, Limits, PixelUnit,
    ReadOptions, Source, Span, Table, TableEncoding, Unseen,
};
use crate::model::TrainedModel;
use crate::text::grouped;
use crate::{Error, Result};

/// Rows that are checked for labels.
const FIRST_ROWS: usize = 100;

/// Problems that one message lists.
const PROBLEMS: usize = 10;

/// Encodes rows that arrive in parts.
#[derive(Debug)]
pub struct ArrivingFeatures<'a> {
    data: &'a DataRecord,
    encoding: Cow<'a, TableEncoding>,
    limits: Limits,
    rows: ArrivingRows,
    classes: Classes,
    is_checked: bool,
    /// Columns that are passed through.
    keep: Vec<ColumnRef>,
    kept: KeptColumns,
    /// Whether no part was encoded so far.
    is_first: bool,
    /// The unit of pixels, as far as rows have shown it.
    pixels: PixelUnit,
    /// Rows of all parts.
    encoded_rows: usize,
    /// The numbers of each column, over all parts.
    spans: Vec<Span>,
    /// By column, over all parts.
    unseen: Vec<Unseen>,
}

#[doc(hidden)]
impl ArrivingFeatures<'_> {
    /// The features of the next complete records, `[row][feature]`; `None` if there is no row.
    ///
    /// # Errors
    /// As [`Session::features_for`].
    pub fn next(&mut self, records: &[u8]) -> Result<Option<Vec<f32>>> {
        self.check_place_of_label(records)?;
        let columns = Columns::Of { encoding: &self.encoding, label: LabelNeed::Ignored };
        let before = self.rows.clone();
        let read = self.rows.read(records, &columns).and_then(|table| {
            let encode = |mut table: Table| {
                self.data.scale_pixels(&mut table, &mut self.pixels)?;
                let columns = table.columns.iter();
                self.encoded_rows += table.rows;
                self.spans.resize(table.columns.len(), Span::default());
                self.spans.iter_mut().zip(columns).for_each(|(span, column)| span.merge(&column.span));
                self.encoding.encode(&mut table, &self.limits)
            };
            table.map(encode).transpose()
        });
        let Some(encoded) = read.map_err(|error| self.all_problems(before.clone(), records, error))? else {
            return Ok(None);
        };
        if !self.keep.is_empty() {
            let kept = before.decided_as(&self.rows).read(records, &Columns::Kept(&self.keep))?;
            self.kept = kept.map(Table::into_kept).unwrap_or_default();
        }
        let has_known = |unseen: &Unseen| !encoded.unseen.iter().any(|new| new.column == unseen.column);
        self.unseen.iter_mut().filter(|unseen| has_known(unseen)).for_each(|unseen| unseen.is_all = false);
        for new in encoded.unseen {
            match self.unseen.iter_mut().find(|unseen| unseen.column == new.column) {
                Some(unseen) => unseen.extend(new),
                None => self.unseen.push(Unseen { is_all: new.is_all && self.is_first, ..new }),
            }
        }
        self.is_first = false;
        Ok(Some(encoded.features))
    }

    /// The problems of all these records in one error, up to a limit, if `first` is the problem of one of several.
    fn all_problems(&self, before: ArrivingRows, mut records: &[u8], first: Error) -> Error {
        let Error::Table { name, reason } = &first else { return first };
        // Not a row, but the whole input is wrong.
        if !reason.starts_with("line ") {
            return first;
        }
        let columns = Columns::Of { encoding: &self.encoding, label: LabelNeed::Ignored };
        let mut rows = before.decided_as(&self.rows);
        let mut problems = Vec::new();
        while !records.is_empty() {
            let (record, rest) = match ArrivingRows::whole_records(records, 1) {
                (_, 0) => (records, &[][..]),
                (length, _) => records.split_at(length),
            };
            records = rest;
            let read = rows.read_or_skip(record, &columns);
            let encoded = read.and_then(|table| {
                table.map(|mut table| self.encoding.encode(&mut table, &self.limits)).transpose()
            });
            if let Err(Error::Table { reason, .. }) = encoded {
                problems.push(reason);
            }
        }
        let (count, is_one_kind) = (problems.len(), problems.iter().all(|problem| *problem == problems[0]));
        if count < 2 || is_one_kind {
            return first;
        }
        problems.truncate(PROBLEMS);
        let more = count - problems.len();
        let more = if more > 0 { format!("; and {} more rows", grouped(more)) } else { String::new() };
        let reason = format!("{} rows cannot be read: {}{more}", grouped(count), problems.join("; "));
        Error::Table { name: name.clone(), reason }
    }

    /// The kept columns of the last records.
    #[must_use]
    pub fn kept(&self) -> &KeptColumns {
        &self.kept
    }

    /// Checks with the first rows whether the label, if any, is in the same place as in training.
    fn check_place_of_label(&mut self, records: &[u8]) -> Result<()> {
        if self.is_checked {
            return Ok(());
        }
        let (first, _) = ArrivingRows::whole_records(records, FIRST_ROWS);
        let columns = Columns::Of { encoding: &self.encoding, label: LabelNeed::IfThere };
        // Rows without a label, and invalid ones, are handled where they are read.
        if let Ok(Some(table)) = self.rows.clone().read(&records[..first], &columns) {
            self.classes.check_place(&table)?;
            self.is_checked = true;
        }
        Ok(())
    }

    /// The error of an input without rows.
    #[must_use]
    pub fn without_rows(&self) -> Error {
        self.rows.without_rows()
    }

    /// Refuses a record that is longer than this limit in bytes.
    ///
    /// # Errors
    /// [`Error::Table`] with its line.
    pub fn check_record(&self, bytes: usize) -> Result<()> {
        self.rows.check_record(bytes)
    }
}

#[doc(hidden)]
impl Session<'_> {
    /// As [`Session::features_for`], for rows of text that arrive in parts.
    #[must_use]
    pub fn arriving_features<'a>(
        &self,
        model: &'a TrainedModel,
        name: &str,
        options: ReadOptions,
        keep: &[ColumnRef],
    ) -> ArrivingFeatures<'a> {
        let options = ReadOptions { limits: limits(), ..options };
        let (encoding, limits) = (encoding_of(model), options.limits);
        ArrivingFeatures {
            data: model.data(),
            encoding,
            limits,
            rows: ArrivingRows::new(name, options),
            classes: classes_of(model),
            is_checked: false,
            keep: keep.to_vec(),
            kept: KeptColumns::default(),
            is_first: true,
            pixels: PixelUnit::default(),
            encoded_rows: 0,
            spans: Vec::new(),
            unseen: Vec::new(),
        }
    }

    /// Warns once, at the end, of texts that training did not see.
    pub fn end_of_features(&self, arriving: &ArrivingFeatures<'_>) {
        self.warn_of_unseen(&arriving.unseen);
        let far = arriving.encoding.far_columns(&arriving.spans, arriving.encoded_rows);
        far.into_iter().for_each(|line| self.warn(line));
    }

    /// Columns of a whole table that are passed through.
    ///
    /// # Errors
    /// Errors of the table, and of a column that it does not have.
    pub fn kept(&self, source: Source, format: Format, keep: &[ColumnRef]) -> Result<KeptColumns> {
        let options = ReadOptions { limits: limits(), ..ReadOptions::default() };
        Ok(Table::read(source, format, &Columns::Kept(keep), &options)?.table.into_kept())
    }
}
