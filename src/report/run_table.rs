//! The table of runs.

use super::table::{CellOf, Mark, TextCell, TextColumn, TextTable, table_of};
use crate::training::{RunOverview, RunState};

/// A row for each run, in the given order, with a dash for unknown values. The best score on the same samples is green.
pub fn run_table(runs: &[RunOverview]) -> TextTable {
    let rivals = |run: &RunOverview| {
        let key = (run.data.clone(), run.scored_on, run.metric);
        runs.iter()
            .filter(move |other| (&other.data, other.scored_on, other.metric) == (&key.0, key.1, key.2))
    };
    let is_best = |run: &RunOverview| {
        let goodness = |run: &RunOverview| run.accuracy.map(|score| run.metric.goodness(score));
        let best = rivals(run).filter_map(goodness).fold(f64::NEG_INFINITY, f64::max);
        rivals(run).count() > 1 && goodness(run).is_some_and(|score| score >= best)
    };
    let text = |text: Option<&String>| TextCell::known(text.cloned(), TextCell::text);
    let score = |run: &RunOverview, score: Option<f64>| {
        TextCell::known(score, |score| match run.metric.is_share() {
            true => TextCell::percent(score),
            false => format!("{} {}", run.metric.title(), run.metric.shown(score)).into(),
        })
    };
    let last = |run: &RunOverview| {
        score(run, run.accuracy).mark(if is_best(run) { Mark::Good } else { Mark::Plain })
    };
    let importance = |run: &RunOverview| {
        let words: Vec<&str> = run.importance.iter().chain(&run.order).map(String::as_str).collect();
        let shown = Some(words.join(" ")).filter(|text| !text.is_empty());
        TextCell::known(shown, |shown| TextCell::split(shown, [&run.importance, &run.order].map(known)))
    };
    let planned = |run: &RunOverview| run.epochs_planned.map_or(String::new(), |planned| planned.to_string());
    let columns: [CellOf<&RunOverview>; 12] = [
        (TextColumn::text("run").least(24).cut_at(5).cut_start(), &|run| run.name.as_str().into()),
        (TextColumn::text("data").rank(3).least(6).cut_at(4), &|run| text(run.data.as_ref())),
        (TextColumn::text("state").rank(1), &|run| state(run.state)),
        (TextColumn::number("epochs").plain(&["epochs", "epochs_planned"]).rank(1), &|run| {
            TextCell::split(epochs(run), [run.epochs.to_string(), planned(run)])
        }),
        (TextColumn::number("score %"), &|run| last(run)),
        (TextColumn::number("best %").rank(5), &|run| score(run, run.best_accuracy)),
        (TextColumn::text("scored on").rank(8), &|run| run.scored_on.to_string().into()),
        (TextColumn::number("parameters").rank(5), &|run| TextCell::known(run.parameters, TextCell::count)),
        (TextColumn::text("arch").rank(7), &|run| text(run.arch.as_ref())),
        (TextColumn::text("importance").plain(&["importance", "order"]).rank(9), &|run| importance(run)),
        (TextColumn::text("started").rank(6), &|run| {
            TextCell::known(run.started.map(local_time), TextCell::text)
        }),
        (TextColumn::text("differs by").rank(2).least(14).cut_at(4), &|run| differences(run).as_str().into()),
    ];
    table_of(runs, &columns)
}

/// The settings in which a run differs from the others: `lr=0.01 seed=3`.
fn differences(run: &RunOverview) -> String {
    run.differs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

fn known(text: &Option<String>) -> String {
    text.clone().unwrap_or_default()
}

fn state(state: RunState) -> TextCell {
    let mark = match state {
        RunState::Finished => Mark::Plain,
        RunState::Running => Mark::Good,
        RunState::Stopped => Mark::Attention,
        RunState::Damaged => Mark::Bad,
    };
    TextCell::text(state.name()).mark(mark)
}

/// Epochs done, and the total if it differs.
pub(super) fn epochs(run: &RunOverview) -> String {
    match run.epochs_planned {
        Some(planned) if planned != run.epochs || run.state != RunState::Finished => {
            format!("{} of {planned}", run.epochs)
        }
        _ => run.epochs.to_string(),
    }
}

/// A time in seconds since 1970, as local time.
pub(super) fn local_time(seconds: i64) -> String {
    let zone = jiff::tz::TimeZone::system();
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => "-".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::ScoredOn;

    #[test]
    fn a_row_has_what_is_known() {
        let mut run = RunOverview {
            name: "first".into(),
            path: "runs/first".into(),
            started: None,
            data: Some("wine".into()),
            arch: Some("sc".into()),
            importance: Some("pca".into()),
            order: Some("desc".into()),
            parameters: Some(220_020),
            epochs: 3,
            epochs_planned: Some(30),
            metric: crate::training::Metric::Accuracy,
            accuracy: Some(0.871),
            best_accuracy: None,
            best_epoch: None,
            scored_on: ScoredOn::Validation,
            state: RunState::Stopped,
            differs: [("lr", "0.5"), ("seed", "2")].map(|(name, value)| (name.into(), value.into())).into(),
            problems: Vec::new(),
        };
        let text = run_table(&[run.clone()]).to_string();
        for part in [
            "first",
            "pca desc",
            "220,020",
            "3 of 30",
            "87.10",
            "  -  ",
            "validation",
            "stopped",
            "lr=0.5 seed=2",
        ] {
            assert!(text.contains(part), "no {part:?} in\n{text}");
        }
        (run.epochs, run.state) = (30, RunState::Finished);
        assert_eq!(epochs(&run), "30");
    }
}
