//! The trainings of a search: a table.

use super::table::{Mark, TextCell, TextColumn, TextTable};
use crate::experiments::search::Trial;
use crate::training::Metric;

/// A row for each of the first `most` trainings: the most epochs first, then the best score, then the lowest loss.
#[must_use]
pub fn trials_table(trials: &[Trial], most: usize) -> TextTable {
    let metric = trials.first().map_or_else(Metric::default, |trial| trial.score.metric);
    let score = if metric.is_share() {
        TextColumn::number(format!("{} %", metric.title())).plain(&[&format!("{metric}_percent")])
    } else {
        TextColumn::number(metric.title()).plain(&[metric.name()])
    };
    let mut table = TextTable::new([
        TextColumn::number("candidate"),
        TextColumn::number("epochs"),
        score,
        TextColumn::number("loss").rank(1),
        TextColumn::number("parameters").rank(2),
        TextColumn::number("seconds").rank(3),
        TextColumn::text("settings").least(20).rank(1),
    ]);
    let mut sorted: Vec<&Trial> = trials.iter().collect();
    let loss = |trial: &Trial| trial.loss.unwrap_or(f64::INFINITY);
    sorted.sort_by(|one, other| {
        (other.epochs.cmp(&one.epochs))
            .then(other.score.goodness().total_cmp(&one.score.goodness()))
            .then(loss(one).total_cmp(&loss(other)))
    });
    for trial in sorted.into_iter().take(most) {
        let candidate = match trial.candidate {
            0 => TextCell::split("default", [0]),
            number => TextCell::split(number.to_string(), [number]),
        };
        let settings = match &trial.failure {
            Some(failure) => TextCell::text(format!("failed: {failure}")).mark(Mark::Bad),
            None => trial.settings.to_flags().join(" ").into(),
        };
        table.row([
            candidate,
            trial.epochs.to_string().into(),
            TextCell::known(trial.score.value, |score| {
                if metric.is_share() { TextCell::percent(score) } else { metric.shown(score).into() }
            }),
            TextCell::known(trial.loss, |loss| format!("{loss:.4}").into()),
            TextCell::known(trial.parameters, TextCell::count),
            format!("{:.1}", trial.seconds).into(),
            settings,
        ]);
    }
    table
}
