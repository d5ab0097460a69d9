//! Finds the columns that a model was trained on.

use super::super::encoding::{ColumnEncoding, TableEncoding};
use super::super::guess::LabelChoice;
use super::super::{Read, Texts, shown};
use super::{ColumnKind, ColumnNames, ColumnPlan, LabelNeed, Role, suggestion};

/// The plan of a table with the columns that an encoding was fitted on.
pub(super) fn plan_of(names: ColumnNames<'_>, encoding: &TableEncoding, need: LabelNeed) -> Read<ColumnPlan> {
    let places = match names {
        ColumnNames::Header(header) if encoding.named => places_by_name(header, encoding)?,
        _ => places_by_position(names.len(), encoding)?,
    };
    let mut plan = ColumnPlan {
        roles: vec![Role::Skip; names.len()],
        features: Vec::new(),
        labels: Vec::new(),
        has_weights: false,
        choice: LabelChoice::Named,
        named: names.is_named(),
        units: encoding.columns.iter().map(|column| column.unit.clone()).collect(),
        is_new: false,
    };
    for (slot, (place, column)) in places.features.into_iter().zip(&encoding.columns).enumerate() {
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
    if need == LabelNeed::Ignored {
        return Ok(plan);
    }
    let wanted = encoding.labels();
    let missing = wanted.clone().zip(&places.labels).find(|(_, place)| place.is_none());
    match (need, missing) {
        // Without any label, the message names the usual one.
        (LabelNeed::Required, _) if places.labels.is_empty() => {
            Err("the label column label is missing".into())
        }
        (LabelNeed::Required, Some((label, _))) => Err(format!(
            "the label column {} is missing",
            shown(&label.name, encoding.named && names.is_named())
        )),
        (_, Some(_)) => Ok(plan),
        (_, None) => {
            plan.has_weights = places.weights.is_some();
            let all = places.labels.into_iter().flatten().chain(places.weights);
            for (number, place) in all.enumerate() {
                plan.roles[place] = Role::Label(number);
                plan.labels.push((names.name(place), place));
            }
            Ok(plan)
        }
    }
}

/// Where the columns of an encoding are in a file.
pub(super) struct Places {
    pub(super) features: Vec<usize>,
    /// Of each label, if present.
    labels: Vec<Option<usize>>,
    /// Of the weight, if there is one and it is present.
    weights: Option<usize>,
}

fn places_by_name(header: &[String], encoding: &TableEncoding) -> Read<Places> {
    let find = |name: &String| header.iter().position(|there| there == name);
    let place = |column: &ColumnEncoding| {
        find(&column.name).ok_or_else(|| {
            let hint = suggestion(&column.name, header.iter().map(String::as_str));
            format!("column {:?} of the training data is missing; {hint}", column.name)
        })
    };
    Ok(Places {
        features: encoding.columns.iter().map(place).collect::<Read<_>>()?,
        labels: encoding.labels().map(|label| find(&label.name)).collect(),
        weights: encoding.weights.as_ref().and_then(|column| find(&column.name)),
    })
}

/// Without names, columns must be in the places of training; only labels and weights may be missing.
pub(super) fn places_by_position(count: usize, encoding: &TableEncoding) -> Read<Places> {
    let trained = encoding.file_columns;
    let labels: Vec<usize> = encoding.labels().filter_map(|label| label.position).collect();
    let weights = encoding.weights.as_ref().and_then(|column| column.position);
    let positions = encoding.columns.iter().map(|column| column.position);
    if count == trained {
        let labels = encoding.labels().map(|label| label.position).collect();
        return Ok(Places { features: positions.collect(), labels, weights });
    }
    let absent: Vec<usize> = labels.iter().copied().chain(weights).collect();
    let missing = [&labels[..], &absent]
        .into_iter()
        .find(|missing| !missing.is_empty() && count + missing.len() == trained);
    let Some(missing) = missing else {
        let without = match (absent.len(), weights) {
            (0, _) => String::new(),
            (1, None) => format!(", or {} without the label", trained - 1),
            (several, None) => format!(", or {} without the labels", trained - several),
            (several, Some(_)) => format!(", or {} without labels and weights", trained - several),
        };
        return Err(format!("{count} columns, the training data had {trained}{without}"));
    };
    let shifted = |position: usize| position - missing.iter().filter(|place| **place < position).count();
    let still_there = weights.filter(|place| !missing.contains(place)).map(shifted);
    Ok(Places {
        features: positions.map(shifted).collect(),
        labels: vec![None; labels.len()],
        weights: still_there,
    })
}
