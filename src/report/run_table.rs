//! The table that runs are listed in.

use comfy_table::Table;

use super::table::{Column, table_of};
use crate::text::grouped;
use crate::training::{RunOverview, RunState};

/// A row for each run, in the order they come in; a dash where something is not known.
pub fn run_table(runs: &[RunOverview]) -> Table {
    let known = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let percent = |share: Option<f64>| known(share.map(|share| format!("{:.2}", 100.0 * share)));
    let importance = |run: &RunOverview| {
        let words: Vec<&str> = run.importance.iter().chain(&run.order).map(String::as_str).collect();
        Some(words.join(" ")).filter(|text| !text.is_empty())
    };
    let columns: [Column<&RunOverview>; 10] = [
        ("run", &|run| run.name.clone()),
        ("started", &|run| known(run.started.map(local_time))),
        ("arch", &|run| known(run.arch.clone())),
        ("importance", &|run| known(importance(run))),
        ("parameters", &|run| known(run.parameters.map(grouped))),
        ("epochs", &|run| epochs(run)),
        ("last, %", &|run| percent(run.accuracy)),
        ("best, %", &|run| percent(run.best_accuracy)),
        ("scored on", &|run| run.scored_on.to_string()),
        ("state", &|run| run.state.name().to_owned()),
    ];
    let mut table = table_of(runs, 4, &columns);
    for column in table.column_iter_mut().skip(columns.len() - 2) {
        column.set_cell_alignment(comfy_table::CellAlignment::Left);
    }
    table
}

/// Epochs done, and of how many where that is another number.
pub(super) fn epochs(run: &RunOverview) -> String {
    match run.epochs_planned {
        Some(planned) if planned != run.epochs || run.state != RunState::Finished => {
            format!("{} of {planned}", run.epochs)
        }
        _ => run.epochs.to_string(),
    }
}

/// A moment in seconds since 1970, by the clock on this machine's wall.
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
            accuracy: Some(0.871),
            best_accuracy: None,
            best_epoch: None,
            scored_on: ScoredOn::Validation,
            state: RunState::Stopped,
            problems: Vec::new(),
        };
        let text = run_table(&[run.clone()]).to_string();
        for part in ["first", "pca desc", "220,020", "3 of 30", "87.10", " - ", "validation", "stopped"] {
            assert!(text.contains(part), "no {part:?} in\n{text}");
        }
        (run.epochs, run.state) = (30, RunState::Finished);
        assert_eq!(epochs(&run), "30");
    }
}
