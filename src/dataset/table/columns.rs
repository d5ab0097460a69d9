//! The roles of a file's columns.

mod known;

use self::known::plan_of;
use super::advice::unquoted;
pub use super::column_names::ColumnRef;
pub(crate) use super::column_names::{ColumnNames, suggestion};
use super::encoding::TableEncoding;
use super::guess::LabelChoice;
use super::span::narrow;
use super::texts::boolean;
use super::{CellRules, Column, Labels, Limits, Read, Table, Texts, Unit, kept, shown};
use crate::Setting;

/// Usual names of a label column, ignoring case.
const USUAL_LABELS: [&str; 4] = ["label", "class", "target", "y"];

/// The columns to read from a file.
#[derive(Clone, Copy, Debug)]
pub enum Columns<'a> {
    /// An unknown table.
    New {
        /// The label; by default a column called label, class, target or y, else the last.
        label: Option<&'a ColumnRef>,
        /// Whether there is a label column; labels may be in a separate file.
        labelled: bool,
        /// Columns to skip.
        drop: &'a [ColumnRef],
    },
    /// A table with the columns that an encoding was fitted on.
    Of {
        /// The fitted encoding.
        encoding: &'a TableEncoding,
        /// Whether the label is needed.
        label: LabelNeed,
    },
    /// Only these columns, as texts.
    #[doc(hidden)]
    Kept(&'a [ColumnRef]),
}

/// Whether a table of known columns needs labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelNeed {
    /// The label column is required.
    Required,
    /// It is read if present.
    IfThere,
    /// It is skipped, if present.
    Ignored,
}

/// The role of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Not read.
    Skip,
    /// Nothing, behind the last delimiter of each line.
    Empty,
    Label,
    /// The feature with this number.
    Feature(usize),
}

/// The content of a feature's column, if known before it is read.
#[derive(Clone, Debug)]
pub(crate) enum ColumnKind {
    /// Numbers, or texts if any are found.
    Open,
    /// Numbers, from each of which the offset is subtracted.
    Numbers { offset: f64, booleans: bool },
    /// Texts of a list.
    Texts(Texts),
}

/// The role of each column of a file.
#[derive(Clone, Debug)]
pub(crate) struct ColumnPlan {
    /// By column of the file.
    pub(crate) roles: Vec<Role>,
    /// Name, place in the file, and kind of each feature.
    pub(crate) features: Vec<(String, usize, ColumnKind)>,
    /// Name and place of the label.
    pub(crate) label: Option<(String, usize)>,
    /// Why it is the label.
    pub(crate) choice: LabelChoice,
    pub(crate) named: bool,
    /// The unit of each feature that is a number.
    pub(crate) units: Vec<Option<Unit>>,
    /// Whether nothing is known of the columns.
    pub(crate) is_new: bool,
}

impl ColumnKind {
    /// The list of a column of texts.
    pub(crate) fn texts(&self) -> Option<Texts> {
        if let Self::Texts(texts) = self { Some(texts.clone()) } else { None }
    }

    /// What is subtracted from each number.
    pub(crate) fn offset(&self) -> f64 {
        if let Self::Numbers { offset, .. } = self { *offset } else { 0.0 }
    }

    /// The number that a word means in a column of booleans.
    pub(crate) fn boolean(&self, text: &[u8]) -> Option<f64> {
        if matches!(self, Self::Numbers { booleans: true, .. }) { boolean(text) } else { None }
    }

    /// The cell of a number.
    pub(crate) fn cell(&self, value: f64) -> f32 {
        narrow(value - self.offset())
    }
}

impl ColumnPlan {
    /// A table without rows.
    pub(crate) fn table(&self, name: String, limits: &Limits) -> Table {
        let column = |((name, position, kind), unit): (&(String, usize, ColumnKind), &Option<Unit>)| {
            let texts = kind.texts();
            // Numbers of a column that turned out to hold texts are texts, too.
            let unit = unit.clone().filter(|_| texts.is_none());
            Column { unit, offset: kind.offset(), ..Column::new(name.clone(), *position, texts) }
        };
        let labels = self.label.as_ref().map(|(name, place)| Labels {
            choice: self.choice.clone(),
            ..Labels::new(name, Some(*place), limits)
        });
        let columns = self.features.iter().zip(&self.units).map(column).collect();
        Table { labels, named: self.named, ..Table::new(name, columns, self.roles.len()) }
    }

    /// Sets the offsets that the numbers of an unknown table, read without any, turn out to need; whether there is one, so that
    /// the table must be read again.
    pub(crate) fn take_offsets(&mut self, table: &Table) -> bool {
        let mut is_any = false;
        for ((_, _, kind), column) in self.features.iter_mut().zip(&table.columns) {
            let is_fitted = matches!(kind, ColumnKind::Open);
            if let Some(offset) = column.span.offset().filter(|_| is_fitted && column.texts.is_none()) {
                *kind = ColumnKind::Numbers { offset, booleans: false };
                is_any = true;
            }
        }
        is_any
    }
}

impl Columns<'_> {
    /// Finds the columns.
    pub(crate) fn plan(&self, names: ColumnNames<'_>) -> Read<ColumnPlan> {
        self.plan_without(names, &[], Role::Skip)
    }

    /// As [`Self::plan`], but columns of an unknown table in these places have another role, unless one is named as the label.
    pub(crate) fn plan_without(
        &self,
        names: ColumnNames<'_>,
        skip: &[usize],
        role: Role,
    ) -> Read<ColumnPlan> {
        match *self {
            Self::New { label, labelled, drop } => {
                new_plan(names, label.filter(|_| labelled), labelled, drop, (skip, role))
            }
            Self::Of { encoding, label } => plan_of(names, encoding, label),
            Self::Kept(columns) => kept::plan(names, columns),
        }
    }

    /// Whether no column holds texts, as far as that is known.
    pub(crate) fn takes_numbers_alone(&self) -> bool {
        matches!(self, Self::Of { encoding, .. } if encoding.columns.iter().all(|column| column.categories.is_none()))
    }

    /// How the cells of the training table were read, if known.
    pub(crate) fn trained_rules(&self) -> Option<&CellRules> {
        if let Self::Of { encoding, .. } = self { encoding.cells.as_ref() } else { None }
    }

    /// The names that a header of this table would have, if known.
    pub(crate) fn known_names(&self) -> Option<Vec<&str>> {
        match self {
            Self::Of { encoding, .. } if encoding.named => {
                Some(encoding.columns.iter().map(|column| column.name.as_str()).collect())
            }
            _ => None,
        }
    }
}

fn new_plan(
    names: ColumnNames<'_>,
    label: Option<&ColumnRef>,
    labelled: bool,
    drop: &[ColumnRef],
    (skip, role): (&[usize], Role),
) -> Read<ColumnPlan> {
    let count = names.len();
    let mut skipped = vec![false; count];
    skip.iter().for_each(|place| skipped[*place] = true);
    let last = || (0..count).rfind(|place| !skipped[*place]);
    let (label, choice) = match (label, usual_label(names)) {
        _ if !labelled => (None, LabelChoice::Named),
        (Some(column), _) => (Some(names.find(Setting::Label, column)?), LabelChoice::Named),
        (None, Some(place)) => (Some(place), LabelChoice::Usual),
        (None, None) => (last(), LabelChoice::guessed(names)),
    };
    let mut roles = vec![Role::Skip; count];
    skip.iter().for_each(|place| roles[*place] = role);
    for column in &unquoted(drop.iter().map(|column| column.0.as_str())) {
        let column = &ColumnRef(column.clone());
        let place = names.find(Setting::Drop, column)?;
        if Some(place) == label {
            return Err(format!(
                "`drop`: column {} is the label",
                shown(&names.name(place), names.is_named())
            ));
        }
        skipped[place] = true;
        roles[place] = Role::Skip;
    }
    let mut features = Vec::new();
    for place in 0..count {
        if Some(place) == label {
            roles[place] = Role::Label;
        } else if !skipped[place] {
            roles[place] = Role::Feature(features.len());
            features.push((names.name(place), place, ColumnKind::Open));
        }
    }
    if features.is_empty() {
        return Err("no column is left for features; is the delimiter right? `delimiter` names it".into());
    }
    let label = label.map(|place| (names.name(place), place));
    let units = vec![None; features.len()];
    Ok(ColumnPlan { roles, features, label, choice, named: names.is_named(), units, is_new: true })
}

fn usual_label(names: ColumnNames<'_>) -> Option<usize> {
    let ColumnNames::Header(names) = names else { return None };
    let is = |usual: &&str| names.iter().position(|name| name.eq_ignore_ascii_case(usual));
    USUAL_LABELS.iter().find_map(is)
}

/// Refuses two columns of one name: a model finds columns by their names, and would take the first for both.
pub(crate) fn refuse_shared_names(names: &[String]) -> Read<()> {
    let mut seen = std::collections::HashMap::new();
    for (place, name) in names.iter().enumerate() {
        if let Some(earlier) = seen.insert(name, place) {
            return Err(format!("columns {earlier} and {place} are both called {name:?}: rename one"));
        }
    }
    Ok(())
}
