//! `tanner compare`: named configurations over several seeds, pair by pair.

use anyhow::{Context as _, anyhow, bail};
use tanner::experiments::{Comparison, Entry};
use tanner::files::atomic_write;
use tanner::report::{Bar, BarGroup, bar_chart, comparison_table};
use tanner::session::{Configuration, Plan};

use super::batch::{self, Finished};
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
    let Finished { entries, unfinished, .. } =
        batch::run_sized(&args.batch, configurations.clone(), configurations, Some((baseline, sizes)))?;
    let comparison = Comparison { entries, baseline };
    let (out, table) = (&args.batch.out, comparison_table(&comparison));
    atomic_write(out.join("comparison.md"), table.markdown().as_bytes())?;
    atomic_write(out.join("comparison.json"), comparison.to_json()?.as_bytes())?;
    let groups: Vec<BarGroup> = comparison.entries.iter().filter_map(bar).collect();
    if !groups.is_empty() {
        let scored = comparison.scored_on().unwrap_or_default();
        let title = format!("{scored} accuracy of the last epoch, mean and standard deviation");
        bar_chart(&title, "accuracy (%)", &["accuracy"], &groups)?.write(out, "comparison")?;
    }
    if groups.is_empty() {
        // Without runs there is no table.
        unfinished.check()?;
    }
    terminal::print_table(&table)?;
    terminal::remark(&format!("{} (also .json, .png, .svg)", out.join("comparison.md").display()))?;
    Ok(unfinished.check()?)
}

fn bar(entry: &Entry) -> Option<BarGroup> {
    let accuracy = entry.accuracy()?;
    let deviation = 100.0 * accuracy.deviation.unwrap_or(0.0);
    let bar = Bar { value: 100.0 * accuracy.mean, deviation };
    Some(BarGroup { label: entry.configuration.name.clone(), bars: vec![bar] })
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
