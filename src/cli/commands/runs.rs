//! `tanner runs`: the run folders below a folder, as a sorted table.

use std::cmp::Reverse;
use std::path::Path;

use anyhow::Context as _;
use tanner::report::run_table;
use tanner::training::{PastRun, RunOverview};

use super::listed_run::{self, ListedRun};
use super::refuse;
use crate::cli::flags::{RunListArgs, SortArg};
use crate::cli::ui::terminal;

/// Where runs are by default.
const RUNS: &str = "runs";

/// Reads, sorts and prints.
pub(crate) fn run(args: &RunListArgs) -> anyhow::Result<()> {
    if args.limit == Some(0) {
        return refuse("--limit", "0 is invalid, it must be at least 1");
    }
    if args.folder == Path::new(RUNS) && !args.folder.exists() {
        terminal::note("there are no runs yet: training makes a folder for each in runs/");
        return if terminal::wants_json() { terminal::print("[]") } else { Ok(()) };
    }
    let listed: anyhow::Result<Vec<ListedRun>> =
        runs_of(&args.folder).context("DIR")?.iter().map(ListedRun::new).collect();
    let mut listed = listed?;
    let all = listed.len();
    let hints = listed_run::filter(&mut listed, &args.conditions)?;
    listed_run::note_differences(&mut listed);
    let mut runs: Vec<RunOverview> = listed.into_iter().map(|run| run.overview).collect();
    sort(&mut runs, args.sort);
    let matching = runs.len();
    runs.truncate(args.limit.unwrap_or(matching));
    if terminal::wants_json() {
        return terminal::print_json(&runs);
    }
    if runs.is_empty() {
        let none = match all {
            0 => format!("{} holds no run folders", args.folder.display()),
            all if hints.is_empty() => format!("none of the {all} runs meets all conditions"),
            _ => hints.join("; "),
        };
        terminal::note(&none);
        return Ok(());
    }
    terminal::print_table(&run_table(&runs))?;
    for run in &runs {
        for problem in &run.problems {
            terminal::warn(&format!("{}: {problem}", run.path.display()));
        }
    }
    if runs.len() < matching {
        terminal::note(&format!("{} of {matching} runs; --limit says how many", runs.len()));
    }
    Ok(())
}

/// The runs below a folder; the folder may also be a run itself, or that of a batch.
fn runs_of(folder: &Path) -> anyhow::Result<Vec<PastRun>> {
    let below = PastRun::all_below(folder)?;
    if !below.is_empty() {
        return Ok(below);
    }
    match PastRun::read(folder) {
        Ok(run) => Ok(vec![run]),
        Err(_) if folder.join(RUNS).is_dir() => Ok(PastRun::all_below(folder.join(RUNS))?),
        Err(_) => Ok(below),
    }
}

/// Sorts by the requested key, then by name; unknown values come last.
fn sort(runs: &mut [RunOverview], by: SortArg) {
    runs.sort_by(|a, b| a.name.cmp(&b.name));
    match by {
        SortArg::Name => {}
        SortArg::Time => runs.sort_by_key(|run| Reverse(run.started)),
        SortArg::Parameters => runs.sort_by_key(|run| run.parameters.unwrap_or(usize::MAX)),
        SortArg::Score => runs.sort_by(|a, b| {
            let goodness = |run: &RunOverview| run.accuracy.map(|score| run.metric.goodness(score));
            let score = |run: &RunOverview| goodness(run).unwrap_or(f64::NEG_INFINITY);
            score(b).total_cmp(&score(a))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tanner::training::{RunState, ScoredOn};

    fn run(
        name: &str,
        started: Option<i64>,
        parameters: Option<usize>,
        accuracy: Option<f64>,
    ) -> RunOverview {
        RunOverview {
            name: name.into(),
            path: name.into(),
            started,
            data: None,
            arch: None,
            importance: None,
            order: None,
            parameters,
            epochs: 0,
            epochs_planned: None,
            metric: tanner::training::Metric::Accuracy,
            accuracy,
            best_accuracy: None,
            best_epoch: None,
            scored_on: ScoredOn::Test,
            state: RunState::Stopped,
            differs: Default::default(),
            problems: Vec::new(),
        }
    }

    #[test]
    fn unknown_values_come_last() {
        let mut runs = [
            run("c", None, Some(9), Some(0.5)),
            run("a", Some(1), None, Some(0.9)),
            run("b", Some(2), Some(5), None),
            run("d", Some(2), Some(5), Some(0.5)),
        ];
        for (by, order) in [
            (SortArg::Name, "abcd"),
            (SortArg::Time, "bdac"),
            (SortArg::Parameters, "bdca"),
            (SortArg::Score, "acdb"),
        ] {
            sort(&mut runs, by);
            let names: String = runs.iter().map(|run| run.name.as_str()).collect();
            assert_eq!(names, order, "{by:?}");
        }
    }
}
