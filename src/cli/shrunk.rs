//! A word of warning for features that standardising makes smaller than others.
//!
//! A feature is divided by its deviation + 0.001, so that pixels which hardly ever change do not become noise. That
//! suits numbers from 0 to 1; a column of a table that varies by thousandths is all but lost.

use tanner::model::TrainedModel;

use super::terminal;

/// Below this deviation, a tenth and more of a feature's size is lost.
const SMALL: f32 = 0.01;
/// Names of features that are told.
const TOLD: usize = 5;

/// Names the features of a table that are shrunk, in one line on stderr, if there are any.
pub(super) fn warn(model: &TrainedModel) {
    let names = &model.data().feature_names;
    let Some(standardisation) = model.preprocessing().standardisation() else { return };
    let shrunk: Vec<&str> = names
        .iter()
        .zip(standardisation.deviation())
        .filter(|(_, deviation)| **deviation > 0.0 && **deviation < SMALL)
        .map(|(name, _)| name.as_str())
        .collect();
    if shrunk.is_empty() {
        return;
    }
    let more = if shrunk.len() > TOLD { format!(" and {} more", shrunk.len() - TOLD) } else { String::new() };
    terminal::warn(&format!(
        "columns that vary by less than {SMALL} lose weight when they are standardised, as 0.001 is added to their \
         deviation: {}{more}; give them in a smaller unit",
        shrunk[..shrunk.len().min(TOLD)].join(", ")
    ));
}
