//! The roles of a file's columns.

mod known;
mod unknown;

use self::known::plan_of;
use self::unknown::new_plan;
pub use super::column_names::ColumnRef;
pub(crate) use super::column_names::{ColumnNames, suggestion};
use super::encoding::TableEncoding;
use super::guess::LabelChoice;
use super::span::narrow;
use super::texts::boolean;
use super::{CellRules, Column, Labels, Limits, Read, Table, Texts, Unit, kept, shown};

/// Usual names of a label column, ignoring case.
const USUAL_LABELS: [&str; 4] = ["label", "class", "target", "y"];

/// The columns to read from a file.
#[derive(Clone, Copy, Debug)]
pub enum Columns<'a> {
    /// An unknown table.
    New {
        /// The label, or several with commas between them; by default a column called label, class, target or y, else the last.
        label: Option<&'a ColumnRef>,
        /// Whether there is a label column; labels may be in a separate file.
        labelled: bool,
        /// Columns to skip.
        drop: &'a [ColumnRef],
        /// The column with the weight of each row, if any.
        weights: Option<&'a ColumnRef>,
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
    /// The label with this number; the last one may be the weight of the row.
    Label(usize),
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
    /// Name and place of each label, and behind them of the weight, if there is one.
    pub(crate) labels: Vec<(String, usize)>,
    pub(crate) has_weights: bool,
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
        let label = |(name, place): &(String, usize)| Labels {
            choice: self.choice.clone(),
            ..Labels::new(name, Some(*place), limits)
        };
        let labels = self.labels.iter().map(label).collect();
        let columns = self.features.iter().zip(&self.units).map(column).collect();
        let has_weights = self.has_weights;
        Table { labels, has_weights, named: self.named, ..Table::new(name, columns, self.roles.len()) }
    }

    /// The name of the column of a label.
    pub(crate) fn label_name(&self, number: usize) -> String {
        self.labels.get(number).map_or(String::new(), |(name, _)| shown(name, self.named))
    }

    /// Whether a label is the weight of its row.
    pub(crate) fn is_weight(&self, number: usize) -> bool {
        self.has_weights && number + 1 == self.labels.len()
    }

    /// The message about a label without a value, or a weight.
    pub(crate) fn missing(&self, number: usize, place: &str) -> String {
        let column = self.label_name(number);
        if self.is_weight(number) {
            return format!(
                "{place}: the weight is missing in column {column}: write 0 to leave the row out (`weights`)"
            );
        }
        self.choice.missing(place, &column)
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
            Self::New { label, labelled, drop, weights } => {
                new_plan(names, label.filter(|_| labelled), labelled, (drop, weights), (skip, role))
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

    /// The places of all features of a model in a file of this many columns without their names; `None` if they do not fit.
    pub(crate) fn places(&self, count: usize) -> Option<Vec<usize>> {
        let Self::Of { encoding, .. } = self else { return None };
        known::places_by_position(count, encoding).ok().map(|places| places.features)
    }

    /// Of the places of all features of a model, those of numbers.
    pub(crate) fn of_numbers(&self, places: &[usize]) -> Vec<usize> {
        let Self::Of { encoding, .. } = self else { return Vec::new() };
        let with_columns = places.iter().zip(&encoding.columns);
        with_columns.filter(|(_, column)| column.categories.is_none()).map(|(place, _)| *place).collect()
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
