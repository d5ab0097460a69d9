//! `tanner bench --chart`: measurements of several programs, side by side.

use tanner::benchmark::{read_measurements, rounds_joined};
use tanner::report::{ratio_table, step_time_chart};

use crate::cli::flags::BenchArgs;
use crate::cli::ui::{Results, terminal};

/// The files: all measurements, with rounds of the same one combined, and the chart.
const FILES: [&str; 3] = ["bench.json", "bench.svg", "bench.png"];

/// Reads the files, prints ratios, draws the chart.
pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let results = Results::claim(args.out.as_deref(), "bench", &FILES)?;
    let mut measured = Vec::new();
    for path in &args.chart {
        measured.extend(read_measurements(path)?);
    }
    let joined = rounds_joined(&measured);
    let chart = step_time_chart(&joined)?;
    for (index, (heading, table)) in ratio_table(&joined).iter().enumerate() {
        if index == 0 {
            terminal::remark(heading)?;
            terminal::print_table(table)?;
        } else {
            terminal::print_next_table(heading, table)?;
        }
    }
    results.write_json(FILES[0], &joined)?;
    chart.write(results.path(), "bench")?;
    terminal::remark(&format!("results {}: {}", results.path().display(), FILES.join(", ")))
}
