//! Turns the labels of a table into classes with names.

use super::texts::{listed, number, sort};
use super::{Labels, Limits, Table, shown};
use crate::{Error, Result};

/// The names of classes, sorted: by value if all are numbers, otherwise as texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    /// By number of class.
    pub(crate) names: Vec<String>,
}

impl Classes {
    /// The classes of a training table.
    ///
    /// # Errors
    /// [`Error::Table`] when there are no labels, only one class, or more classes than
    /// a label can have.
    pub fn of(table: &Table, limits: &Limits) -> Result<Self> {
        let Some(labels) = table.labels() else {
            return Err(table.refused("there are no labels: name their column with `label`"));
        };
        #[cfg(feature = "train")]
        labels.check_guess(table).map_err(|reason| table.refused(reason))?;
        let column = shown(&labels.name, table.named);
        let refuse = |reason: String| Err(table.refused(format!("label column {column} {reason}")));
        if labels.texts.has_overflown() {
            let reason = format!("has more than {} different values: name another one", limits.classes);
            return refuse(format!("{reason} with `label`, or is it a quantity, not a class?"));
        }
        let numeric = are_numbers(labels.texts.list());
        let mut names: Vec<String> =
            labels.texts.list().iter().map(|text| canonical(text, numeric)).collect();
        sort(&mut names);
        names.dedup();
        match names.as_slice() {
            [] => Err(table.refused("no rows")),
            [only] => refuse(format!(
                "has only one class, {only:?}, at least 2 are needed: name another column with `label`, or add rows of another class"
            )),
            // Values that occur once are not classes but names, row numbers or quantities.
            many if many.len() * 2 > table.rows().max(4) => refuse(format!(
                "has {} different values in {} rows, such as {:?}: a class needs at least 2 rows; name another \
                 column with `label`",
                many.len(),
                table.rows(),
                many[0]
            )),
            _ => Ok(Self { names }),
        }
    }

    /// The class of each row, `[row]`.
    ///
    /// # Errors
    /// [`Error::Table`] naming the first row with a missing or unknown label.
    pub fn labels(&self, table: &Table) -> Result<Vec<u32>> {
        let Some(labels) = table.labels() else {
            return Err(table.refused("there are no labels"));
        };
        let numeric = are_numbers(&self.names);
        let class = |text: &String| {
            let name = canonical(text, numeric && number(text).is_some());
            let place = self.names.iter().position(|known| *known == name);
            place.and_then(|place| u32::try_from(place).ok())
        };
        let known: Vec<Option<u32>> = labels.texts.list().iter().map(class).collect();
        let of = |code: &u32| known.get(*code as usize).copied().flatten();
        let classes: Option<Vec<u32>> = labels.codes.iter().map(of).collect();
        classes.ok_or_else(|| self.unknown(table, labels, &known))
    }

    /// Refuses a table without column names in which the value in the place of the label is never a class: it is
    /// then another column, and those before it may be shifted, too.
    ///
    /// # Errors
    /// [`Error::Table`] with the value found there.
    pub(crate) fn check_place(&self, table: &Table) -> Result<()> {
        let Some(labels) = table.labels().filter(|_| !table.named && !self.names.is_empty()) else {
            return Ok(());
        };
        let numeric = are_numbers(&self.names);
        let is_known =
            |text: &String| self.names.contains(&canonical(text, numeric && number(text).is_some()));
        let texts = labels.texts.list();
        let Some(first) = texts.iter().find(|text| !text.trim().is_empty()) else { return Ok(()) };
        if texts.iter().any(is_known) {
            return Ok(());
        }
        let names = listed(self.names.iter().cloned(), 10);
        Err(table.refused(format!(
            "without a header column {} is the label, as in training, but {first:?} is not a class of {names}: leave that column out, or give a header",
            labels.name
        )))
    }

    fn unknown(&self, table: &Table, labels: &Labels, known: &[Option<u32>]) -> Error {
        let is_unknown = |code: &u32| known.get(*code as usize).copied().flatten().is_none();
        let row = labels.codes.iter().position(is_unknown).unwrap_or(0);
        let text = labels.codes.get(row).and_then(|code| labels.texts.list().get(*code as usize));
        let text = text.map_or("?", String::as_str);
        let names = listed(self.names.iter().cloned(), 10);
        table.refused(format!(
            "row {}: label {text:?} is not a class of the training data, which has {names}",
            row + 1
        ))
    }
}

/// Whether labels are numbers, which may be written in several ways.
fn are_numbers(texts: &[String]) -> bool {
    texts.iter().all(|text| number(text).is_some_and(f64::is_finite))
}

/// The one spelling of a label: of `1`, `1.0` and `01` the first.
fn canonical(text: &str, numeric: bool) -> String {
    match number(text) {
        // Adding 0 makes 0 of -0.
        Some(value) if numeric => (value + 0.0).to_string(),
        _ => text.to_owned(),
    }
}
