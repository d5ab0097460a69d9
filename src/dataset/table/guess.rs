//! Why a column is the label, and when a guess is refused.

use std::sync::Arc;

use serde::Serialize;

use super::columns::ColumnNames;
use super::texts::number;
use super::{Column, ColumnRef, Labels, Read, Table, shown};
use crate::text::shell_word;

/// A guessed label with more values than this is refused: it may well be a quantity or a name.
pub(super) const MAX_GUESSED: usize = 50;
/// From this many whole numbers on, the last column may be a feature behind classes in the first one.
const MANY_NUMBERS: usize = 6;
/// Characters of the names that a message lists.
const MAX_LISTED: usize = 180;

/// Why a column is the label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum LabelChoice {
    /// A setting names it, or the model knows it.
    #[default]
    Named,
    /// It has a usual name: label, class, target or y.
    Usual,
    /// It is the last column, and nothing else is known.
    Guessed(Arc<Guess>),
}

/// A label that was taken because it is the last column.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Guess {
    /// The names of all columns; none if they have no names.
    names: Vec<String>,
    columns: usize,
}

/// A [`LabelChoice`] in files, with what is not a column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LabelOrigin {
    Named,
    UsualName,
    LastColumn,
    /// Another file or array.
    Separate,
}

impl Guess {
    /// What to do: name the label, and which columns there are.
    fn advice(&self) -> String {
        if self.names.is_empty() {
            return format!(
                "name it with `label`: there are {} columns, 0 is the first and -1 the last",
                self.columns
            );
        }
        let mut listed = String::new();
        for (place, name) in self.names.iter().enumerate() {
            if place > 0 && listed.len() + name.len() > MAX_LISTED {
                listed += &format!(" and {} more", self.names.len() - place);
                break;
            }
            listed += if place > 0 { ", " } else { "" };
            listed += &format!("{name:?}");
        }
        format!("name it with `label`; the columns are {listed}")
    }

    /// Refuses the column, for a reason that follows its name.
    fn refuse(&self, column: &str, reason: &str) -> String {
        format!(
            "column {column} was taken for the label because it is the last one, but {reason}: {}",
            self.advice()
        )
    }
}

impl LabelChoice {
    /// A guess among these columns.
    pub(super) fn guessed(columns: ColumnNames<'_>) -> Self {
        let (names, columns) = match columns {
            ColumnNames::Header(names) => (names.to_vec(), names.len()),
            ColumnNames::Count(count) => (Vec::new(), count),
        };
        Self::Guessed(Arc::new(Guess { names, columns }))
    }

    /// The message about a missing label. Nobody should remove rows because of a wrong guess.
    pub(super) fn missing(&self, place: &str, column: &str) -> String {
        match self {
            Self::Guessed(guess) => guess.refuse(column, &format!("{place} has no value there")),
            Self::Named | Self::Usual => format!(
                "{place}: the label is missing in column {column}: remove such rows, or name another label with `label`"
            ),
        }
    }

    /// Adds to the reason why a cell is not a label that the column was guessed, if it was.
    pub(super) fn invalid(&self, reason: String, column: &str) -> String {
        match self {
            Self::Guessed(guess) => guess.refuse(column, &reason),
            Self::Named | Self::Usual => reason,
        }
    }
}

impl Labels {
    /// Refuses a guess that is probably wrong: a quantity, names, or a feature behind the classes.
    pub(crate) fn check_guess(&self, table: &Table) -> Read<()> {
        let texts = self.texts.list();
        let column = shown(&self.name, table.named);
        let is_fraction = |text: &&String| number(text).is_some_and(|value| value.fract() != 0.0);
        let fraction = texts.iter().find(is_fraction);
        if let (LabelChoice::Usual, Some(fraction), true) =
            (&self.choice, fraction, texts.len() > MAX_GUESSED)
        {
            return Err(format!(
                "column {column} was taken for the label because of its name, but it holds fractions such as {fraction:?} in \
                 {} different values, a quantity rather than classes: name the label with `label`",
                texts.len()
            ));
        }
        let LabelChoice::Guessed(guess) = &self.choice else { return Ok(()) };
        let refuse = |reason: String| {
            let mut message = guess.refuse(&column, &reason);
            if let Some(first) = classes_in_front(table) {
                let typed = shell_word(&first.name);
                message += &format!("; classes come first in many tables: perhaps `label` {typed}");
            }
            Err(message)
        };
        if let Some(fraction) = fraction {
            return refuse(format!("it holds fractions such as {fraction:?}"));
        }
        if texts.len() > MAX_GUESSED {
            let count = if self.texts.has_overflown() { "more than " } else { "" };
            let are_names = texts.iter().any(|text| number(text).is_none());
            let is_repeated = !self.texts.has_overflown() && 2 * texts.len() <= table.rows;
            return refuse(format!("it has {count}{} different values", texts.len())).map_err(|message| {
                if are_names && is_repeated {
                    format!("{message}; if it is the label, add `label` {}", shell_word(&self.name))
                } else {
                    message
                }
            });
        }
        let whole = texts.iter().all(|text| number(text).is_some());
        if whole && texts.len() >= MANY_NUMBERS && classes_in_front(table).is_some() {
            return refuse(format!("it may be a feature with {} different numbers", texts.len()));
        }
        Ok(())
    }
}

impl Labels {
    /// A doubt about a guess that is not refused: a few numbers behind a first column that may hold the classes.
    pub(crate) fn doubt(&self, table: &Table) -> Option<String> {
        let LabelChoice::Guessed(_) = &self.choice else { return None };
        let texts = self.texts.list();
        let first = classes_in_front(table)?;
        (texts.len() > 2 && texts.iter().all(|text| number(text).is_some())).then(|| {
            format!(
                "the label was guessed: the last column, {}; in many tables the first one holds the classes, here {}: if it does, give `label` {}",
                shown(&self.name, table.named),
                shown(&first.name, table.named),
                shell_word(&first.name)
            )
        })
    }

    /// Why this is the label.
    pub(crate) fn origin(&self) -> LabelOrigin {
        match (&self.choice, self.position) {
            (_, None) => LabelOrigin::Separate,
            (LabelChoice::Named, _) => LabelOrigin::Named,
            (LabelChoice::Usual, _) => LabelOrigin::UsualName,
            (LabelChoice::Guessed(_), _) => LabelOrigin::LastColumn,
        }
    }

    /// The last column before a guessed one that is not among these.
    pub(crate) fn column_before(&self, dropped: &[ColumnRef]) -> Option<ColumnRef> {
        let LabelChoice::Guessed(guess) = &self.choice else { return None };
        let (_, before) = guess.names.split_last()?;
        let is_free = |name: &&String| dropped.iter().all(|column| column.to_string() != **name);
        before.iter().rev().find(is_free)?.parse().ok()
    }
}

/// The first column, if it holds few texts, each in several rows.
fn classes_in_front(table: &Table) -> Option<&Column> {
    let first = table.columns.iter().find(|column| column.position == 0)?;
    let texts = first.texts.as_ref()?.list().len();
    ((2..=MAX_GUESSED).contains(&texts) && 3 * texts <= table.rows && first.first_missing.is_none())
        .then_some(first)
}
