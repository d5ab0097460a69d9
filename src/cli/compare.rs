//! `tanner compare`: named configurations over several seeds, pair by pair.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use serde::Deserialize;
use tanner::Error;
use tanner::experiments::{Comparison, Configuration, Entry};
use tanner::files::atomic_write;
use tanner::report::{Bar, BarGroup, bar_chart, comparison_table};

use super::batch::Batch;
use super::batch_args::CompareArgs;
use super::terminal;

/// A file of configurations.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    /// Flags that all configurations share, before their own.
    #[serde(default)]
    flags: String,
    configuration: Vec<Configuration>,
}

/// Runs what is missing, then writes table, JSON and chart.
pub(crate) fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let configurations = configurations(args)?;
    let baseline = match &args.baseline {
        None => 0,
        Some(name) => {
            let place = configurations.iter().position(|configuration| configuration.name == *name);
            place.with_context(|| format!("--baseline: no configuration is called {name:?}"))?
        }
    };
    let batch = Batch::new(&args.batch);
    let mut unfinished = batch.run(&configurations)?;
    let _lock = batch.lock_results();
    let comparison = Comparison { entries: batch.collect(&configurations, &mut unfinished)?, baseline };
    let (out, table) = (&args.batch.out, comparison_table(&comparison));
    atomic_write(out.join("comparison.md"), table.as_bytes())?;
    atomic_write(out.join("comparison.json"), comparison.to_json()?.as_bytes())?;
    let groups: Vec<BarGroup> = comparison.entries.iter().filter_map(bar).collect();
    if !groups.is_empty() {
        let scored = comparison.scored_on().unwrap_or_default();
        let title = format!("{scored} accuracy of the last epoch, mean and standard deviation");
        bar_chart(&title, "accuracy (%)", &["accuracy"], &groups)?.write(out, "comparison")?;
    }
    terminal::print(table.trim_end())?;
    terminal::print(&format!("{} (also .json, .png, .svg)", out.join("comparison.md").display()))?;
    unfinished.told()
}

fn bar(entry: &Entry) -> Option<BarGroup> {
    let accuracy = entry.accuracy()?;
    let deviation = 100.0 * accuracy.deviation.unwrap_or(0.0);
    let bar = Bar { value: 100.0 * accuracy.mean, deviation };
    Some(BarGroup { label: entry.configuration.name.clone(), bars: vec![bar] })
}

/// All configurations, of the file first; names are checked.
fn configurations(args: &CompareArgs) -> anyhow::Result<Vec<Configuration>> {
    let mut all = Vec::new();
    if let Some(path) = &args.file {
        all.extend(read(path)?);
    }
    for text in &args.run {
        let (name, flags) = text.split_once('=').with_context(|| {
            format!("--run: {text:?} has no name: write NAME=FLAGS, for example \"sc=--arch sc\"")
        })?;
        all.push(Configuration { name: name.into(), flags: flags.into() });
    }
    if all.is_empty() {
        bail!("nothing to compare: name a FILE of configurations, or give --run NAME=FLAGS");
    }
    for (index, configuration) in all.iter().enumerate() {
        check_name(&configuration.name)?;
        if all[..index].iter().any(|earlier| earlier.name == configuration.name) {
            bail!(
                "two configurations are called {:?}: every one needs a name of its own",
                configuration.name
            );
        }
    }
    Ok(all)
}

/// A name becomes part of a folder's name.
fn check_name(name: &str) -> anyhow::Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    if name.is_empty() || name.starts_with('.') || name.len() > 100 || !name.chars().all(fits) {
        bail!("{name:?} is no name for a configuration: take up to 100 letters, digits and - _ + .");
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<Configuration>> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
    let plan: Plan = toml::from_str(&text).map_err(|error| {
        let place = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        anyhow!("{}, line {place}: {}", path.display(), error.message())
    })?;
    let join = |own: Configuration| Configuration { flags: join(&plan.flags, &own.flags), ..own };
    Ok(plan.configuration.into_iter().map(join).collect())
}

fn join(common: &str, own: &str) -> String {
    format!("{common} {own}").trim().to_owned()
}
