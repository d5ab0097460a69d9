//! `tanner bench --scale`: how time and memory grow with the width.
//!
//! Each width is measured by a separate process, so that the memory it held
//! is known, and checked by another process, because the reference engine also needs memory.

use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, anyhow, bail};
use tanner::benchmark::{Growth, Measurement};
use tanner::model::Arch;
use tanner::report::{duration, growth_chart, growth_csv, growth_table, law_sentence};
use tanner::session::settings::flags_of;

use crate::cli::flags::BenchArgs;
use crate::cli::ui::{Results, Skipped, terminal};

/// From the paper's width, doubling up to 65,536.
const WIDTHS: [usize; 8] = [784, 1568, 3136, 6272, 12_544, 25_088, 50_176, 65_536];
/// Samples in a batch; small, so that weights dominate.
const BATCH: usize = 32;
/// The files of a folder of results.
const FILES: [&str; 4] = ["scale.json", "scale.csv", "scale.svg", "scale.png"];

/// Measures all widths of all requested networks.
pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    super::check_seconds(args.seconds)?;
    args.engine.resolve()?;
    let batch = match args.batch.as_ref().map_or(&[BATCH][..], |list| &list.0) {
        [batch] => *batch,
        _ => bail!("--batch: one size is measured with --scale, give one"),
    };
    let results = Results::claim(args.out.as_deref(), "bench", &FILES)?;
    let widths = args.widths.as_ref().map_or(WIDTHS.to_vec(), |list| list.0.clone());
    let archs = super::archs(args, &[Arch::Sc]);
    let (mut growth, mut skipped) = (Vec::new(), Skipped::of(archs.len() * widths.len()));
    for arch in archs {
        let mut points = Vec::new();
        let before = growth.len();
        for width in &widths {
            let name = format!("{arch}, width {width}");
            let Some(point) = skipped.or_reported(&name, measure(args, arch, *width, batch))? else {
                continue;
            };
            terminal::note(&format!("{name}: {} a step", duration(point.spread.median_us)));
            points.push(point);
            growth.truncate(before);
            growth.push(Growth::of(arch.name(), points.clone()));
            // All numbers so far, after each width, so that an interruption does not lose them.
            results.write_json(FILES[0], &growth)?;
            results.write(FILES[1], growth_csv(&growth).as_bytes())?;
        }
    }
    if !growth.is_empty() {
        growth_chart(&growth)?.write(results.path(), "scale")?;
        print(args, &results, &growth)?;
    }
    skipped.check()
}

/// Prints what was measured.
fn print(args: &BenchArgs, results: &Results, growth: &[Growth]) -> anyhow::Result<()> {
    if args.json {
        for point in growth.iter().flat_map(|one| &one.points) {
            terminal::print(&serde_json::to_string(point)?)?;
        }
        return Ok(());
    }
    terminal::print_table(&growth_table(growth))?;
    for one in growth {
        terminal::remark(&law_sentence(one))?;
    }
    terminal::remark(&format!("results {}: {}", results.path().display(), FILES.join(", ")))
}

/// Checks one width, then times it.
fn measure(args: &BenchArgs, arch: Arch, width: usize, batch: usize) -> anyhow::Result<Measurement> {
    child(args, arch, width, batch, "only")?;
    let output = child(args, arch, width, batch, "skip")?;
    serde_json::from_slice(&output.stdout).context("a measurement's process did not print one")
}

/// Runs this program for one width, and waits for it.
fn child(args: &BenchArgs, arch: Arch, width: usize, batch: usize, check: &str) -> anyhow::Result<Output> {
    let program = std::env::current_exe().context("the path of this program")?;
    let mut command = Command::new(program);
    command.args(["bench", "--json", "--check", check, "--arch", arch.name()]);
    command.arg(format!("--optimizer={}", args.optimizer));
    command.args([format!("--width={width}"), format!("--layers={}", args.layers)]);
    command.args([format!("--batch={batch}"), format!("--seconds={}", args.seconds)]);
    command.arg(format!("--seed={}", args.seed)).args(flags_of(&args.engine));
    let output = command.stdin(Stdio::null()).output().context("a process for the measurement")?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = said.lines().rev().find_map(|line| line.strip_prefix("error: "));
    Err(reason
        .map_or_else(|| anyhow!("its process ended with {}", output.status), |reason| anyhow!("{reason}")))
}
