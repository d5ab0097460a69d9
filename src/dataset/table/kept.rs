//! Columns that are passed through a prediction unchanged, as texts.

use super::advice::unquoted;
use super::columns::{ColumnKind, ColumnNames, ColumnPlan, ColumnRef, Role};
use super::guess::LabelChoice;
use super::{Read, Table, Texts};
use crate::Setting;

/// Columns of a table as texts, in the requested order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptColumns {
    /// By column.
    pub names: Vec<String>,
    /// `[row][column]`; a missing value of Parquet is an empty text.
    pub rows: Vec<Vec<String>>,
}

/// Reads only these columns.
pub(super) fn plan(names: ColumnNames<'_>, columns: &[ColumnRef]) -> Read<ColumnPlan> {
    // A list was split at its commas, also those within quotes.
    let names_of = columns.iter().map(ColumnRef::to_string).collect::<Vec<_>>();
    let columns: Vec<ColumnRef> = unquoted(names_of.iter().map(String::as_str))
        .iter()
        .map(|name| name.parse::<ColumnRef>().map_err(|error| error.to_string()))
        .collect::<Read<_>>()?;
    let mut plan = ColumnPlan {
        roles: vec![Role::Skip; names.len()],
        features: Vec::new(),
        labels: Vec::new(),
        has_weights: false,
        choice: LabelChoice::Named,
        named: names.is_named(),
        units: vec![None; columns.len()],
        is_new: false,
    };
    for (slot, column) in columns.iter().enumerate() {
        let place = names.find(Setting::Keep, column)?;
        if plan.roles[place] != Role::Skip {
            return Err(format!("`{}`: {column} is named twice", Setting::Keep));
        }
        plan.roles[place] = Role::Feature(slot);
        plan.features.push((names.name(place), place, ColumnKind::Texts(Texts::verbatim())));
    }
    Ok(plan)
}

impl Table {
    /// The columns of a table that was read with [`Columns::Kept`](super::Columns::Kept).
    pub(crate) fn into_kept(self) -> KeptColumns {
        let named = self.named;
        let name = |column: &super::Column| {
            if named { column.name.clone() } else { format!("column {}", column.name) }
        };
        let names = self.columns.iter().map(name).collect();
        let text = |(cell, column): (&f32, &super::Column)| {
            let texts = column.texts.as_ref().map_or(&[][..], Texts::list);
            super::encoding::code(*cell).and_then(|code| texts.get(code)).cloned().unwrap_or_default()
        };
        let row = |cells: &[f32]| cells.iter().zip(&self.columns).map(text).collect();
        KeptColumns { names, rows: self.cells.chunks(self.columns.len().max(1)).map(row).collect() }
    }
}
