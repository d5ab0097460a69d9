//! Finds the columns that a model was trained on.

use super::super::encoding::{ColumnEncoding, TableEncoding};
use super::super::guess::LabelChoice;
use super::super::{Read, Texts, shown};
use super::{ColumnKind, ColumnNames, ColumnPlan, LabelNeed, Role, suggestion};

/// The plan of a table with the columns that an encoding was fitted on.
pub(super) fn plan_of(names: ColumnNames<'_>, encoding: &TableEncoding, need: LabelNeed) -> Read<ColumnPlan> {
    let (features, label) = match names {
        ColumnNames::Header(header) if encoding.named => places_by_name(header, encoding)?,
        _ => places_by_position(names.len(), encoding)?,
    };
    let mut plan = ColumnPlan {
        roles: vec![Role::Skip; names.len()],
        features: Vec::new(),
        label: None,
        choice: LabelChoice::Named,
        named: names.is_named(),
        units: encoding.columns.iter().map(|column| column.unit.clone()).collect(),
        is_new: false,
    };
    for (slot, (place, column)) in features.into_iter().zip(&encoding.columns).enumerate() {
        plan.roles[place] = Role::Feature(slot);
        let kind = match &column.categories {
            Some(list) => ColumnKind::Texts(Texts::fixed(list)),
            None => ColumnKind::Numbers {
                offset: column.offset.unwrap_or(0.0),
                booleans: column.holds_booleans(),
            },
        };
        plan.features.push((names.name(place), place, kind));
    }
    match (need, label) {
        (LabelNeed::Ignored, _) | (LabelNeed::IfThere, None) => {}
        (LabelNeed::Required, None) => {
            let wanted = encoding.label.as_ref().map_or("label", |label| label.name.as_str());
            return Err(format!(
                "the label column {} is missing",
                shown(wanted, encoding.named && names.is_named())
            ));
        }
        (_, Some(place)) => {
            plan.roles[place] = Role::Label;
            plan.label = Some((names.name(place), place));
        }
    }
    Ok(plan)
}

/// Place of each feature, and of the label if present.
type Places = (Vec<usize>, Option<usize>);

fn places_by_name(header: &[String], encoding: &TableEncoding) -> Read<Places> {
    let find = |name: &String| header.iter().position(|there| there == name);
    let place = |column: &ColumnEncoding| {
        find(&column.name).ok_or_else(|| {
            let hint = suggestion(&column.name, header.iter().map(String::as_str));
            format!("column {:?} of the training data is missing; {hint}", column.name)
        })
    };
    let places = encoding.columns.iter().map(place).collect::<Read<_>>()?;
    Ok((places, encoding.label.as_ref().and_then(|label| find(&label.name))))
}

/// Without names, columns must be in the places of training; only the label may be missing.
fn places_by_position(count: usize, encoding: &TableEncoding) -> Read<Places> {
    let trained = encoding.file_columns;
    let label = encoding.label.as_ref().and_then(|label| label.position);
    if count == trained {
        return Ok((encoding.columns.iter().map(|column| column.position).collect(), label));
    }
    match label {
        Some(label) if count + 1 == trained => {
            let shifted = |position: usize| if position > label { position - 1 } else { position };
            Ok((encoding.columns.iter().map(|column| shifted(column.position)).collect(), None))
        }
        _ => {
            let without = label.map_or(String::new(), |_| format!(", or {} without the label", trained - 1));
            Err(format!("{count} columns, the training data had {trained}{without}"))
        }
    }
}
