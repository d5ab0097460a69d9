//! `tanner compare`: named configurations over several seeds, pair by pair.

use anyhow::{Context as _, anyhow, bail};
use tanner::experiments::{Comparison, Entry};
use tanner::files::atomic_write;
use tanner::report::{Dot, DotRow, comparison_table, interval_chart};
use tanner::session::{Configuration, Plan};

use super::batch::{self, FinishedBatch};
use crate::cli::flags::CompareArgs;
use crate::cli::ui::terminal;
use crate::cli::usage::settings_from_flags;

/// Runs what is missing, then writes table, JSON and chart.
pub(crate) fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let Plan { configurations, match_parameters } = plan(args)?;
    let sizes = args.match_parameters.or(match_parameters).unwrap_or_default();
    let baseline = match &args.baseline {
        None => 0,
        Some(name) => {
            let place = configurations.iter().position(|configuration| configuration.name == *name);
            place.with_context(|| format!("--baseline: no configuration is called {name:?}"))?
        }
    };
    let FinishedBatch { entries, unfinished, .. } =
        batch::run_sized(&args.batch, configurations.clone(), configurations, Some((baseline, sizes)))?;
    let comparison = Comparison { entries, baseline };
    let (out, table) = (&args.batch.out, comparison_table(&comparison));
    atomic_write(out.join("comparison.md"), table.markdown().as_bytes())?;
    atomic_write(out.join("comparison.json"), comparison.to_json()?.as_bytes())?;
    let rows: Vec<DotRow> = comparison.entries.iter().map(row).collect();
    if let Some(scored) = comparison.scored_on() {
        let metric = comparison.metric();
        let (name, unit) = (metric.title(), if metric.is_share() { " (%)" } else { "" });
        let title = format!("{scored} {name} of the last epoch");
        let axis = format!("{name}{unit}, {}", over_seeds(&comparison.entries));
        interval_chart(&title, &axis, &[name], &rows)?.write(out, "comparison")?;
    } else {
        // Of nothing there is no table.
        unfinished.check()?;
    }
    terminal::print_table(&table)?;
    terminal::remark(&format!("{} (also .json, .png, .svg)", out.join("comparison.md").display()))?;
    Ok(unfinished.check()?)
}

fn row(entry: &Entry) -> DotRow {
    DotRow { label: entry.configuration.name.clone(), dots: vec![dot(entry)] }
}

/// Mean and standard deviation, of shares in per cent, where there is a finished run.
pub(super) fn dot(entry: &Entry) -> Option<Dot> {
    let accuracy = entry.accuracy()?;
    let factor = if entry.metric().is_share() { 100.0 } else { 1.0 };
    let deviation = accuracy.deviation.map(|deviation| factor * deviation);
    Some(Dot { value: factor * accuracy.mean, deviation })
}

/// What dots and their intervals are.
pub(super) fn over_seeds<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> String {
    let counts = entries.into_iter().map(|entry| entry.runs.len()).filter(|count| *count > 0);
    let (least, most) = counts.fold((usize::MAX, 0), |(low, high), count| (low.min(count), high.max(count)));
    match most {
        0 => "no run has ended".into(),
        1 => "one seed".into(),
        _ if least == most => format!("mean ± standard deviation over {most} seeds"),
        _ => format!("mean ± standard deviation over {least} to {most} seeds"),
    }
}

/// All configurations, of the file first.
fn plan(args: &CompareArgs) -> anyhow::Result<Plan> {
    let mut plan = match &args.file {
        Some(path) => Plan::read(path, &settings_from_flags)?,
        None => Plan::default(),
    };
    for text in &args.run {
        let (name, flags) = text.split_once('=').with_context(|| {
            format!("--run: {text:?} has no name: write NAME=FLAGS, for example \"sc=--arch sc\"")
        })?;
        let settings = settings_from_flags(flags).map_err(|reason| anyhow!("{name}: {reason}"))?;
        plan.add(Configuration::new(name, settings)?)?;
    }
    if plan.configurations.is_empty() {
        bail!("nothing to compare: name a FILE of configurations, or give --run NAME=FLAGS");
    }
    Ok(plan)
}
