//! A zip archive of numpy's arrays: features and labels, with or without a test set.

use std::io::BufReader;

use zip::ZipArchive;

use super::npy::Array;
use super::{Columns, LabelNeed, Labels, Limits, Read, Source, Table, Tables};
use crate::Error;

/// Maximum number of arrays of an archive.
const MAX_ARRAYS: usize = 1000;
/// Bytes that one byte of deflated data may expand to (1032 by zlib's documentation).
const MAX_DEFLATE: u64 = 1032;
/// Names of features and of labels, in any case.
const ALONE: [&[&str]; 2] =
    [&["x", "features", "data"], &["y", "labels", "label", "target", "targets", "classes"]];
const TRAIN: [&[&str]; 2] = [
    &["x_train", "train_x", "features_train", "train_features"],
    &["y_train", "train_y", "labels_train", "train_labels"],
];
const TEST: [&[&str]; 2] = [
    &["x_test", "test_x", "features_test", "test_features"],
    &["y_test", "test_y", "labels_test", "test_labels"],
];

/// Reads one pair of arrays, or one to train and one to test on.
pub(super) fn read(source: Source, columns: &Columns<'_>, limits: &Limits) -> Read<Tables> {
    let name = source.name().to_owned();
    let mut archive = Archive::new(source)?;
    let names = archive.names();
    let find = |wanted: &[&str]| {
        let is = |name: &&String| {
            let name = name.strip_suffix(".npy").unwrap_or(name);
            wanted.iter().any(|wanted| name.eq_ignore_ascii_case(wanted))
        };
        names.iter().find(is).cloned()
    };
    let (alone, train, test) = (ALONE.map(find), TRAIN.map(find), TEST.map(find));
    let mut get = |[features, labels]: &[Option<String>; 2]| {
        features
            .as_ref()
            .map(|features| pair(&mut archive, &name, (features, labels.as_deref()), columns, limits))
    };
    let (table, test) = match (get(&alone), get(&train), get(&test)) {
        (Some(table), None, test) | (None, Some(table), test) => (table?, test.transpose()?),
        (Some(_), Some(_), _) => return Err("holds both x and x_train".into()),
        (None, None, _) => {
            let names = names.join(", ");
            return Err(format!(
                "holds neither x nor x_train (with y or y_train), but {names}: rename the arrays"
            ));
        }
    };
    Ok(Tables { table, test })
}

/// The reader of one array in an archive.
type ArrayReader<'a> = BufReader<zip::read::ZipFile<'a, BufReader<Source>>>;

/// An archive of this many bytes.
pub(crate) struct Archive {
    zip: ZipArchive<BufReader<Source>>,
    bytes: u64,
}

fn pair(
    archive: &mut Archive,
    name: &str,
    (features, labels): (&str, Option<&str>),
    columns: &Columns<'_>,
    limits: &Limits,
) -> Read<Table> {
    let columns = match *columns {
        // If labels have a separate array, every column is a feature.
        Columns::New { drop, label, .. } if labels.is_some() => {
            if let Some(label) = label {
                return Err(format!(
                    "`label` {label}: the labels are the array {}",
                    labels.unwrap_or_default()
                ));
            }
            Columns::New { label: None, labelled: false, drop }
        }
        Columns::Of { encoding, .. } if labels.is_some() => {
            Columns::Of { encoding, label: LabelNeed::Ignored }
        }
        other => other,
    };
    let wants_labels = !matches!(columns, Columns::Of { label: LabelNeed::Ignored, .. }) || labels.is_some();
    let table =
        archive.open(features, |array| array.table(format!("{name}, {features}"), &columns, limits))?;
    let Some(labels) = labels.filter(|_| wants_labels) else { return Ok(table) };
    let read: Labels = archive.open(labels, |array| array.labels("y", limits))?;
    table.with_labels(read).map_err(|error| match error {
        // The caller adds the name of the archive.
        Error::Table { reason, .. } => format!("{features}: {reason}"),
        other => other.to_string(),
    })
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
