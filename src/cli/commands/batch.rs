//! Code shared by the experiments with many runs.

use std::fs::File;

use anyhow::{anyhow, bail};
use tanner::experiments::Entry;
use tanner::session::{Batch, Configuration, MatchParameters, Unfinished};

use crate::cli::flags::BatchArgs;
use crate::cli::out_of_memory;
use crate::cli::ui::{session, signals};
use crate::cli::usage::settings_from_flags;

/// How to resume a command that a signal stopped.
const RESUME: &str = "; repeat the command to resume";

/// The result of a batch.
pub(super) struct FinishedBatch {
    /// An entry for each configuration.
    pub(super) entries: Vec<Entry>,
    pub(super) unfinished: Unfinished,
    /// Keeps other processes from writing results meanwhile.
    _lock: Option<File>,
}

/// Runs the missing runs of some configurations, unless `--report-only`, and collects the finished runs of others.
pub(super) fn run(
    args: &BatchArgs,
    run: Vec<Configuration>,
    collect: Vec<Configuration>,
) -> anyhow::Result<FinishedBatch> {
    run_sized(args, run, collect, None)
}

/// As [`run`], with networks of equal size if requested, for the baseline at a position.
pub(super) fn run_sized(
    args: &BatchArgs,
    run: Vec<Configuration>,
    collect: Vec<Configuration>,
    sizes: Option<(usize, MatchParameters)>,
) -> anyhow::Result<FinishedBatch> {
    signals::listen(RESUME);
    out_of_memory::set_hint(RESUME, None);
    let session = session();
    let batch = Batch::new(&session, args.shared(), &args.out)?;
    let with = settings_from_flags(&args.with).map_err(|reason| anyhow!("--with: {reason}"))?;
    let under = |configuration: Configuration| {
        let settings = with.clone().or(configuration.settings);
        Configuration::new(configuration.name, settings)
    };
    let mut run: Vec<Configuration> = run.into_iter().map(under).collect::<Result<_, _>>()?;
    let mut collect: Vec<Configuration> = collect.into_iter().map(under).collect::<Result<_, _>>()?;
    if let Some((baseline, sizes)) = sizes {
        run = batch.with_sizes(run, baseline, sizes)?;
        collect.clone_from(&run);
    }
    let mut unfinished = Unfinished::default();
    if !args.report_only {
        unfinished = batch.run(&run, args.seeds()?)?;
        if unfinished.is_stopped {
            bail!(signals::stop().interrupted(RESUME));
        }
    }
    let lock = batch.lock_results();
    let summaries = batch.collect(&collect, &mut unfinished)?;
    let entry = |(configuration, summaries): (Configuration, _)| Entry::new(configuration, summaries);
    let entries = collect.into_iter().zip(summaries.iter().map(Vec::as_slice)).map(entry).collect();
    Ok(FinishedBatch { entries, unfinished, _lock: lock })
}
