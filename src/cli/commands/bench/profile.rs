//! `tanner bench --profile`: where the time of a training step goes.

use anyhow::bail;
use tanner::benchmark::{Machine, Profile, StageProfile, profile_training, time_training};
use tanner::engine::EngineSettings;
use tanner::model::Arch;
use tanner::report::{dispatch_table, profile_sentence, stage_table};
use tanner::session::OpenedEngine;

use super::{BenchPlan, ReadyNetwork};
use crate::cli::flags::{BenchArgs, CheckArg};
use crate::cli::ui::{Results, session, terminal};

/// File of a folder of results.
const FILE: &str = "profile.json";

/// Profiles every batch of every requested network.
pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    if args.check == CheckArg::Only {
        bail!("--check: only has nothing to profile, take first or skip");
    }
    let plan = BenchPlan::new(args)?;
    let results = args.out.as_deref().map(|out| Results::claim(Some(out), "bench", &[FILE])).transpose()?;
    let mut profiles = Vec::new();
    let measure = |subject: &ReadyNetwork, batch: usize| {
        profile(&plan, subject, plan.settings(&subject.bench_network, batch))
    };
    let skipped = plan.for_each(&super::archs(args, &[Arch::Sc]), measure, |profile| {
        print(args, &profile)?;
        profiles.push(profile);
        // At once, so that an interruption does not lose it.
        results.as_ref().map_or(Ok(()), |results| results.write_json(FILE, &profiles))
    })?;
    skipped.check()
}

/// One batch size of one network: checked, timed as a whole, then stage by stage.
fn profile(
    plan: &BenchPlan<'_>,
    subject: &ReadyNetwork,
    settings: EngineSettings,
) -> anyhow::Result<Profile> {
    let ReadyNetwork { bench_network, network, start, .. } = subject;
    let (batch, seconds) = (settings.batch_size, plan.args.seconds);
    let session = session();
    let opened = session.profiled_engine(&plan.engine, network, start, settings)?;
    session.announce_kernels(&opened);
    let OpenedEngine { mut engine, kernels, .. } = opened;
    subject.yardstick.as_ref().map(|yardstick| yardstick.check(&mut *engine)).transpose()?;
    let step = time_training(&mut *engine, network, batch, seconds)?.spread;
    let times = profile_training(&mut *engine, network, batch, seconds)?;
    if times.is_none() {
        terminal::note(
            "this device has no timestamps: what its stages have to do is known, not how long they take",
        );
    }
    let info = engine.info();
    Ok(Profile {
        version: env!("CARGO_PKG_VERSION").into(),
        arch: bench_network.arch.to_string(),
        width: bench_network.width,
        hidden_layers: bench_network.hidden_layers,
        batch,
        optimizer: settings.optimizer.to_string(),
        backend: info.backend.to_string(),
        device: info.adapter,
        gpu_kernels: kernels,
        workers: engine.workers(),
        edges: network.layers().iter().map(|layer| layer.topology.edges()).sum(),
        step,
        stages: StageProfile::of_step(&*engine, &settings, times.as_ref()),
        profiled_step: times.map(|times| times.step),
        machine: Machine::this(),
    })
}

fn print(args: &BenchArgs, profile: &Profile) -> anyhow::Result<()> {
    if args.json {
        return terminal::print(&serde_json::to_string(profile)?);
    }
    terminal::remark(&profile_sentence(profile))?;
    terminal::print_table(&stage_table(profile))?;
    if let Some(dispatches) = dispatch_table(profile) {
        let count = profile.stages.len();
        terminal::print_next_table(&format!("{count} dispatches a step, one after the other"), &dispatches)?;
    }
    Ok(())
}
