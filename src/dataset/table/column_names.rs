//! The names of columns, and columns named by a setting.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Read;
use super::advice::{typed, without_quotes};
use super::texts::listed;
use crate::text::nearest;
use crate::{Error, Setting};

/// A column by its name or by its place; an existing name wins.
///
/// Places count from 0; those below 0 from the end, where -1 is the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnRef(pub(super) String);

impl FromStr for ColumnRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The names of a file's columns.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ColumnNames<'a> {
    Header(&'a [String]),
    /// Only their number is known.
    Count(usize),
}

impl ColumnNames<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Header(names) => names.len(),
            Self::Count(count) => *count,
        }
    }

    pub(super) fn is_named(&self) -> bool {
        matches!(self, Self::Header(_))
    }

    /// The name of a column; without a header its place.
    pub(super) fn name(&self, place: usize) -> String {
        match self {
            Self::Header(names) => names[place].clone(),
            Self::Count(_) => place.to_string(),
        }
    }

    /// The place of a column named by a flag.
    pub(super) fn find(&self, setting: Setting, column: &ColumnRef) -> Read<usize> {
        if let Self::Header(names) = self {
            let is = |name: &str| names.iter().position(|there| there == name);
            if let Some(place) =
                is(&column.0).or_else(|| is(&without_quotes(&column.0))).or_else(|| is(column.0.trim()))
            {
                return Ok(place);
            }
        }
        let count = self.len();
        if let Ok(index) = column.0.parse::<i64>() {
            let place = if index < 0 { i64::try_from(count).unwrap_or(i64::MAX) + index } else { index };
            let place = usize::try_from(place).ok().filter(|place| *place < count);
            return place.ok_or_else(|| {
                format!(
                    "`{setting}`: no column {index}, the {count} columns are 0 to {} or -{count} to -1",
                    count - 1
                )
            });
        }
        let reason = match self {
            Self::Header(names) => {
                let has_comma = |name: &&String| name.contains(',') && name.starts_with(&column.0);
                match names.iter().find(has_comma).filter(|_| setting == Setting::Drop) {
                    Some(name) => format!("write a name with a comma in quotes: `drop` {}", typed([name])),
                    None => suggestion(&column.0, names.iter().map(String::as_str)),
                }
            }
            Self::Count(_) => {
                "the table has no header, so name its place: 0 is the first, -1 the last".into()
            }
        };
        Err(format!("`{setting}`: no column is called {:?}; {reason}", column.0))
    }
}

/// The name that was probably meant, otherwise the existing names.
pub(crate) fn suggestion<'a>(typed: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(typed, names.clone()) {
        Some(name) => format!("did you mean {name:?}?"),
        None => format!("there are {}", listed(names.map(|name| format!("{name:?}")), 8)),
    }
}
