//! What the schema and the metadata of a file say about its columns.

use parquet::basic::{Compression, ConvertedType, LogicalType, Type};
use parquet::file::metadata::{FileMetaData, RowGroupMetaData};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};
use serde_json::Value;

use super::super::columns::ColumnRef;
use super::super::texts::trimmed;
use super::super::{Columns, Read};
use crate::text::shell_word;

/// How the values of a column are stored, beyond their physical type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    Plain,
    Unsigned,
    /// Whole numbers with this many digits behind the point.
    Decimal(i32),
    /// Float16 numbers of two bytes.
    Half,
    Text,
}

/// Digits of the longest decimal numbers, which fit 16 bytes.
const MAX_DIGITS: i32 = 38;

/// The names of the columns without blanks around them; those of lists and structures by the user's name of the whole.
pub(super) fn names(schema: &SchemaDescriptor) -> Vec<String> {
    let name = |column: &ColumnDescriptor| match column.path().parts() {
        [name] => without_blanks(name),
        // Unlike any other column's.
        _ => column.path().string(),
    };
    schema.columns().iter().map(|column| name(column)).collect()
}

fn without_blanks(name: &str) -> String {
    String::from_utf8_lossy(trimmed(name.as_bytes())).into_owned()
}

/// Of the columns to leave out those that are flat, and the places of all parts of those that are not.
pub(super) fn dropped(schema: &SchemaDescriptor, columns: &Columns<'_>) -> (Vec<ColumnRef>, Vec<usize>) {
    let Columns::New { drop, .. } = columns else { return Default::default() };
    let parts_of = |name: &ColumnRef| {
        let name = name.to_string();
        let is_part = move |place: &usize| {
            let path = schema.column(*place);
            path.path().parts().len() > 1 && without_blanks(&path.path().parts()[0]) == name
        };
        (0..schema.num_columns()).filter(is_part)
    };
    let flat = drop.iter().filter(|name| parts_of(name).next().is_none()).cloned().collect();
    (flat, drop.iter().flat_map(parts_of).collect())
}

/// Refuses columns that are not numbers or texts.
pub(super) fn stored(column: &ColumnDescriptor) -> Read<Stored> {
    let name = column.path().parts().first().map_or("", String::as_str);
    let refuse = |reason: String| {
        Err(format!("column {name:?} {reason}; leave it out with `drop` {}", shell_word(name)))
    };
    if column.max_rep_level() > 0 {
        return refuse("holds lists: give each of their places a column of its own".into());
    }
    if column.path().parts().len() > 1 {
        let part = column.path().parts().last().map_or("", String::as_str);
        return refuse(format!(
            "holds structures: give each of their fields, such as {part:?}, a column of its own"
        ));
    }
    let logical = column.logical_type_ref();
    let scale = match logical {
        Some(LogicalType::Decimal(decimal)) => Some(decimal.scale),
        _ => (column.converted_type() == ConvertedType::DECIMAL).then(|| column.type_scale()),
    };
    if let Some(scale) = scale {
        return match column.type_precision() <= MAX_DIGITS {
            true if (0..=MAX_DIGITS).contains(&scale) => Ok(Stored::Decimal(scale)),
            _ => refuse(format!(
                "holds decimal numbers of more than {MAX_DIGITS} digits: store them as double"
            )),
        };
    }
    match column.physical_type() {
        Type::INT32 | Type::INT64 => Ok(match column.converted_type() {
            ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64 => Stored::Unsigned,
            _ => Stored::Plain,
        }),
        Type::BOOLEAN | Type::INT96 | Type::FLOAT | Type::DOUBLE => Ok(Stored::Plain),
        Type::BYTE_ARRAY => Ok(Stored::Text),
        Type::FIXED_LEN_BYTE_ARRAY
            if matches!(logical, Some(LogicalType::Float16)) && column.type_length() == 2 =>
        {
            Ok(Stored::Half)
        }
        Type::FIXED_LEN_BYTE_ARRAY => refuse(format!(
            "holds {} bytes a cell: store numbers as double, texts as UTF-8",
            column.type_length()
        )),
    }
}

/// Refuses compressions that this program does not have, in the words of those who write files.
pub(super) fn check_compression(group: &RowGroupMetaData) -> Read<()> {
    let is_brotli = |compression| matches!(compression, Compression::BROTLI(_));
    if group.columns().iter().any(|column| is_brotli(column.compression())) {
        return Err("compressed with brotli, which is not read: write it with zstd or snappy, such as \
                    df.to_parquet(\"t.parquet\", compression=\"zstd\")"
            .into());
    }
    Ok(())
}

/// The places of the columns that hold the index of a pandas data frame.
pub(super) fn index_columns(metadata: &FileMetaData, names: &[String]) -> Vec<usize> {
    let entries = metadata.key_value_metadata().map_or(&[][..], Vec::as_slice);
    let pandas = entries.iter().find(|entry| entry.key == "pandas").and_then(|entry| entry.value.as_deref());
    let pandas: Value = pandas.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let listed = pandas.get("index_columns").and_then(Value::as_array).cloned().unwrap_or_default();
    // A program that keeps the column, but not the metadata, also keeps the name that pandas gave it.
    let is_unnamed = |name: &str| {
        let number = name.strip_prefix("__index_level_").and_then(|rest| rest.strip_suffix("__"));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_index = |name: &String| {
        is_unnamed(name)
            || listed.iter().any(|index| index.as_str().map(without_blanks).as_ref() == Some(name))
    };
    let places = names.iter().enumerate().filter(|(_, name)| is_index(name));
    places.map(|(place, _)| place).collect()
}

/// Refuses a part whose columns differ from those of the first.
pub(super) fn check_same(first: &SchemaDescriptor, part: &SchemaDescriptor) -> Read<()> {
    let about = |column: &ColumnDescriptor| {
        (column.path().string(), column.physical_type(), stored(column).ok(), column.max_rep_level())
    };
    let shown = |(name, kind, ..): (String, Type, Option<Stored>, i16)| format!("{name:?} ({kind})");
    let (first, part) = (first.columns(), part.columns());
    if first.len() != part.len() {
        return Err(format!("{} columns, the first part has {}", part.len(), first.len()));
    }
    for (place, (first, part)) in first.iter().zip(part).enumerate() {
        let (first, part) = (about(first), about(part));
        if first != part {
            return Err(format!("column {place} is {}, in the first part {}", shown(part), shown(first)));
        }
    }
    Ok(())
}
