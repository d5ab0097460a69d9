//! The roles of the columns of an unknown table.

use super::super::advice::unquoted;
use super::super::guess::LabelChoice;
use super::super::{Read, shown};
use super::{ColumnKind, ColumnNames, ColumnPlan, ColumnRef, Role, USUAL_LABELS};
use crate::Setting;

/// The places of the labels: one column whose name may hold commas, or several with commas between them.
fn label_places(names: ColumnNames<'_>, label: &ColumnRef) -> Read<Vec<usize>> {
    let whole = names.find(Setting::Label, label);
    if whole.is_ok() || !label.0.contains(',') {
        return whole.map(|place| vec![place]);
    }
    // Quotes around a name protect its commas, as in CSV.
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(label.0.as_bytes());
    let mut record = ::csv::StringRecord::new();
    reader.read_record(&mut record).map_err(|error| format!("`label`: {error}"))?;
    let mut places: Vec<usize> = Vec::new();
    for name in &record {
        let place = names.find(Setting::Label, &ColumnRef(name.trim().to_owned()))?;
        if places.contains(&place) {
            return Err(format!(
                "`label`: column {} is named twice",
                shown(&names.name(place), names.is_named())
            ));
        }
        places.push(place);
    }
    Ok(places)
}

/// The plan of an unknown table.
pub(super) fn new_plan(
    names: ColumnNames<'_>,
    label: Option<&ColumnRef>,
    labelled: bool,
    (drop, weights): (&[ColumnRef], Option<&ColumnRef>),
    (skip, role): (&[usize], Role),
) -> Read<ColumnPlan> {
    let count = names.len();
    let mut skipped = vec![false; count];
    skip.iter().for_each(|place| skipped[*place] = true);
    let weights = weights.map(|column| names.find(Setting::Weights, column)).transpose()?;
    // The last column is taken for the label, unless it holds the weights.
    let last = || (0..count).rfind(|place| !skipped[*place] && Some(*place) != weights);
    let (mut labels, choice) = match (label, usual_label(names)) {
        _ if !labelled || count == 0 => (Vec::new(), LabelChoice::Named),
        (Some(column), _) => (label_places(names, column)?, LabelChoice::Named),
        (None, Some(place)) => (vec![place], LabelChoice::Usual),
        (None, None) => (last().into_iter().collect(), LabelChoice::guessed(names)),
    };
    if let Some(place) = weights {
        if labels.contains(&place) {
            let name = shown(&names.name(place), names.is_named());
            return Err(format!("`weights`: column {name} is the label: name another one with `label`"));
        }
        labels.push(place);
    }
    let mut roles = vec![Role::Skip; count];
    skip.iter().for_each(|place| roles[*place] = role);
    for column in &unquoted(drop.iter().map(|column| column.0.as_str())) {
        let column = &ColumnRef(column.clone());
        let place = names.find(Setting::Drop, column)?;
        if labels.contains(&place) {
            let is_weight = weights.is_some() && labels.last() == Some(&place);
            let what =
                if is_weight { "has the weights of rows, and is no feature anyway" } else { "is the label" };
            return Err(format!("`drop`: column {} {what}", shown(&names.name(place), names.is_named())));
        }
        skipped[place] = true;
        roles[place] = Role::Skip;
    }
    let mut features = Vec::new();
    for place in 0..count {
        if let Some(number) = labels.iter().position(|label| *label == place) {
            roles[place] = Role::Label(number);
        } else if !skipped[place] {
            roles[place] = Role::Feature(features.len());
            features.push((names.name(place), place, ColumnKind::Open));
        }
    }
    if features.is_empty() {
        return Err("no column is left for features; is the delimiter right? `delimiter` names it".into());
    }
    let labels = labels.into_iter().map(|place| (names.name(place), place)).collect();
    let units = vec![None; features.len()];
    Ok(ColumnPlan {
        roles,
        features,
        labels,
        has_weights: weights.is_some(),
        choice,
        named: names.is_named(),
        units,
        is_new: true,
    })
}

fn usual_label(names: ColumnNames<'_>) -> Option<usize> {
    let ColumnNames::Header(names) = names else { return None };
    let is = |usual: &&str| names.iter().position(|name| name.eq_ignore_ascii_case(usual));
    USUAL_LABELS.iter().find_map(is)
}
