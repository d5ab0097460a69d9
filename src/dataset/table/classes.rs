//! Turns the labels of a table into classes with names.

#[cfg(feature = "train")]
use super::texts::boolean;
use super::texts::{booleans, listed, number, sort};
use super::{Labels, Limits, Table, Texts, shown};
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
            let reason =
                format!("has more than {} different values, the most that classes may have", limits.classes);
            let are_numbers = labels.different_numbers().all(|number| !number.is_nan());
            let hint = if are_numbers { "is it a quantity? take `task` regression" } else { "merge classes" };
            return refuse(format!("{reason}: {hint}, or name another column with `label`"));
        }
        let mut names = spellings(labels.texts.list());
        sort(&mut names);
        names.dedup();
        match names.as_slice() {
            [] => Err(table.refused("no rows")),
            [only] => refuse(format!(
                "has only one class, {only:?}, at least 2 are needed: name another column with `label`, or add rows of another class"
            )),
            // Values that occur once are not classes but names, row numbers or quantities.
            many if many.len() * 2 > table.rows().max(4) => {
                let count = format!("has {} different values in {} rows", many.len(), table.rows());
                refuse(match labels.almost_numbers() {
                    Some(reason) => format!("{count}, {reason}; or name another column with `label`"),
                    None => format!(
                        "{count}, such as {:?}: a class needs at least 2 rows; write dates and other quantities as plain numbers to predict \
                         them, or name another column with `label`",
                        many[0]
                    ),
                })
            }
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
        labels.check_complete(table)?;
        let known = self.find(labels.texts.list());
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
        // Labels of an array of their own are in no place among the columns.
        let is_column =
            |labels: &&Labels| labels.position.is_some() && !table.named && !self.names.is_empty();
        let Some(labels) = table.labels().filter(is_column) else {
            return Ok(());
        };
        let texts = labels.texts.list();
        let Some(first) = texts.iter().find(|text| !text.trim().is_empty()) else { return Ok(()) };
        if self.find(texts).iter().any(Option::is_some) {
            return Ok(());
        }
        let names = listed(self.names.iter().cloned(), 10);
        Err(table.refused(format!(
            "without a header column {} is the label, as in training, but {first:?} is not a class of {names}: leave that column out, or give a header",
            labels.name
        )))
    }

    /// The classes of labels.
    fn find(&self, texts: &[String]) -> Vec<Option<u32>> {
        let known = Texts::fixed(&self.names);
        let are_numbers = self.names.iter().all(|name| plain(name).is_some());
        let by_number = |text: &String| known.find(&plain(text).filter(|_| are_numbers)?);
        texts.iter().map(|text| known.find(text).or_else(|| by_number(text))).collect()
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

/// The number of a label that is written like a number, and its one spelling: `1` of `1` and `1.0`. `01`, `1e2` and a number of more
/// digits than float64 holds are not such labels.
fn plain(text: &str) -> Option<String> {
    let value = number(text).filter(|value| value.is_finite())?;
    // Adding 0 makes 0 of -0.
    let spelling = (value + 0.0).to_string();
    let is_zero = value == 0.0 && matches!(text, "-0" | "-0.0");
    let has_zeros =
        |rest: &str| rest.strip_prefix('.').is_some_and(|zeros| zeros.bytes().all(|zero| zero == b'0'));
    let is_plain = text.strip_prefix(&spelling).is_some_and(|rest| rest.is_empty() || has_zeros(rest));
    (is_zero || is_plain).then_some(spelling)
}

/// The spelling of each label: of numbers and booleans that of the same label in any format, of others their own.
fn spellings(texts: &[String]) -> Vec<String> {
    let numbers: Option<Vec<String>> = texts.iter().map(|text| plain(text)).collect();
    numbers.or_else(|| booleans(texts)).unwrap_or_else(|| texts.to_vec())
}

/// Labels that are one class although they are spelled in several ways.
#[cfg(feature = "train")]
pub(crate) fn joined_spellings(labels: &Labels) -> Option<String> {
    let texts = labels.texts.list();
    let names = spellings(texts);
    let mut seen = std::collections::HashMap::new();
    for (text, name) in texts.iter().zip(&names) {
        if let Some(other) = seen.insert(name, text) {
            return Some(format!("the labels {other:?} and {text:?} are one class, {name:?}"));
        }
    }
    None
}

/// Labels that are several classes although they may be one, spelled in several ways.
#[cfg(feature = "train")]
pub(crate) fn separate_spellings(labels: &Labels) -> Option<String> {
    let texts = labels.texts.list();
    let warning = |one: &String, other: &String| {
        format!("the labels {one:?} and {other:?} are two classes; if they mean the same, spell them alike")
    };
    let mut seen = std::collections::HashMap::new();
    for text in texts.iter().filter(|text| number(text).is_some()) {
        // Whole numbers of more digits than float64 holds are compared as what they are.
        let long = text.parse::<i128>().ok().filter(|value| value.unsigned_abs() >= 1 << 53);
        let value = (long, number(text).filter(|_| long.is_none()).map(f64::to_bits));
        if let Some(other) = seen.insert(value, text) {
            return Some(warning(other, text));
        }
    }
    if booleans(texts).is_some() {
        return None;
    }
    let truth = |text: &String| boolean(text.as_bytes()).map(|value| value.to_string());
    let mut seen = std::collections::HashMap::new();
    for text in texts.iter().filter(|text| number(text).is_none()) {
        // A boolean may be written as 0 or 1, too.
        if let Some(number) = truth(text)
            && let Some(other) = texts.iter().find(|other| plain(other).as_ref() == Some(&number))
        {
            return Some(warning(other, text));
        }
        if let Some(other) = seen.insert(truth(text).unwrap_or_else(|| folded(text)), text) {
            return Some(warning(other, text));
        }
    }
    None
}

/// A text without regard to case, to blanks within and to a point at its end.
#[cfg(feature = "train")]
pub(super) fn folded(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let text = words.join(" ");
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}
