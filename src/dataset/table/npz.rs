//! A zip archive of numpy's arrays: features and labels, with or without a test set.

mod members;

use std::io::BufReader;

use zip::ZipArchive;

use self::members::{Choice, Pair};
use super::columns::ColumnPlan;
use super::npy::{Array, in_passes};
use super::{Columns, LabelNeed, Labels, Limits, Read, Source, Table, Tables};
use crate::Error;

/// Maximum number of arrays of an archive.
const MAX_ARRAYS: usize = 1000;
/// Bytes that one byte of deflated data may expand to (1032 by zlib's documentation).
const MAX_DEFLATE: u64 = 1032;
/// Reads one pair of arrays, or one to train and one to test on.
pub(super) fn read(source: Source, columns: &Columns<'_>, limits: &Limits) -> Read<Tables> {
    let name = source.name().to_owned();
    let mut archive = Archive::new(source)?;
    let choice = Choice::new(&mut archive, columns)?;
    let columns = match *columns {
        Columns::New { label, labelled, weights, .. } => {
            Columns::New { label, labelled, drop: &choice.drop, weights }
        }
        known => known,
    };
    let mut get = |pair: &Pair, like: Option<&ColumnPlan>| {
        let member = |place: usize| choice.members[place].file.as_str();
        let names = (member(pair.features), pair.labels.map(member));
        read_pair(&mut archive, &name, names, &columns, like, limits)
    };
    let (table, plan) = get(&choice.table, None)?;
    let test = choice.test.as_ref().map(|pair| get(pair, Some(&plan))).transpose()?;
    if let (Some((test, _)), Some(pair)) = (&test, &choice.test) {
        let (trained, tested) = (table.labels.len(), test.labels.len());
        if tested != trained {
            let called = |pair: &Pair| choice.members[pair.labels.unwrap_or(pair.features)].name.as_str();
            return Err(format!(
                "labels to test on, {}, have {tested} columns, but those to train on, {}, have {trained}: save as many",
                called(pair),
                called(&choice.table)
            ));
        }
    }
    Ok(Tables { table, test: test.map(|(table, _)| table), notes: choice.notes })
}

/// Reads labels from an archive with a single array, or with one of a usual name.
pub(super) fn read_labels(source: Source, limits: &Limits) -> Read<Vec<Labels>> {
    let mut archive = Archive::new(source)?;
    let file = members::labels(&mut archive)?;
    archive.open(&file, |array| array.labels("label", limits))
}

/// The reader of one array in an archive.
type ArrayReader<'a> = BufReader<zip::read::ZipFile<'a, BufReader<Source>>>;

/// An archive of this many bytes.
pub(crate) struct Archive {
    zip: ZipArchive<BufReader<Source>>,
    bytes: u64,
}

fn read_pair(
    archive: &mut Archive,
    name: &str,
    (features, labels): (&str, Option<&str>),
    columns: &Columns<'_>,
    like: Option<&ColumnPlan>,
    limits: &Limits,
) -> Read<(Table, ColumnPlan)> {
    if let (Columns::New { weights: Some(_), .. }, Some(labels)) = (columns, labels) {
        return Err(format!(
            "`weights` needs an array with a column of weights and the labels, but those are the array {labels}: put features, labels and \
             weights into one array, or save a table"
        ));
    }
    let columns = match *columns {
        // If labels have a separate array, every column is a feature.
        Columns::New { drop, weights, .. } if labels.is_some() => {
            Columns::New { label: None, labelled: false, drop, weights }
        }
        Columns::Of { encoding, .. } if labels.is_some() => {
            Columns::Of { encoding, label: LabelNeed::Ignored }
        }
        other => other,
    };
    let mut read = |plan: Option<&ColumnPlan>| {
        archive.open(features, |array| {
            array.table(format!("{name}, {features}"), &columns, plan.or(like), limits)
        })
    };
    // The second table of an archive takes the offsets of the first.
    let (table, plan) = if like.is_some() { read(like)? } else { in_passes(read)? };
    let Some(labels) = labels else { return Ok((table, plan)) };
    let read: Vec<Labels> = archive.open(labels, |array| array.labels("y", limits))?;
    let table = table.with_labels(read).map_err(|error| match error {
        // The caller adds the name of the archive.
        Error::Table { reason, .. } => format!("{features}: {reason}"),
        other => other.to_string(),
    })?;
    Ok((table, plan))
}

impl Archive {
    /// Reads which arrays there are.
    pub(crate) fn new(mut source: Source) -> Read<Self> {
        let bytes = source.measure()?;
        let zip = ZipArchive::new(BufReader::new(source))
            .map_err(|error: zip::result::ZipError| format!("not an NPZ archive: {error}"))?;
        if zip.len() > MAX_ARRAYS {
            return Err(format!("{} arrays, the limit is {MAX_ARRAYS}", zip.len()));
        }
        Ok(Self { zip, bytes })
    }

    /// The names of the files in it.
    pub(crate) fn names(&self) -> Vec<String> {
        self.zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect()
    }

    /// Reads one array.
    pub(crate) fn open<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Array<ArrayReader<'_>>) -> Read<T>,
    ) -> Read<T> {
        let named = |reason: String| format!("{name}: {reason}");
        let file = self.zip.by_name(name).map_err(|error| named(error.to_string()))?;
        // Both sizes are the archive's claims, which may be wrong.
        let (bytes, compressed) = (file.size(), file.compressed_size().min(self.bytes));
        if bytes / MAX_DEFLATE > compressed {
            return Err(named(format!("{bytes} bytes cannot come from {compressed} compressed ones")));
        }
        Array::open(BufReader::with_capacity(1 << 16, file), bytes).and_then(read).map_err(named)
    }
}
