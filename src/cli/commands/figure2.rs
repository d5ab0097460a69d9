//! `tanner paper figure2`: how many edges of each input an L1 penalty leaves.

use std::path::Path;

use anyhow::Context as _;
use tanner::Error;
use tanner::experiments::figure2::{configuration, edges_above, input_axis, to_csv};
use tanner::files::atomic_write;
use tanner::report::{edges_by_input, grouped};

use super::batch::{self, FinishedBatch};
use crate::cli::flags::Figure2Args;
use crate::cli::ui::{one_line, terminal};

/// Number of inputs at either end of the order whose edges are reported.
const FIRST: usize = 50;
const LAST: usize = 400;

/// Counts in the given model, or trains one for each seed and counts in all of them.
pub(crate) fn run(args: &Figure2Args) -> anyhow::Result<()> {
    let out = &args.batch.out;
    if let Some(model) = &args.model {
        std::fs::create_dir_all(out).map_err(|error| Error::io(out, error)).context("--out")?;
        return draw(args, model, "figure2");
    }
    let configurations = vec![configuration()];
    let FinishedBatch { entries, mut unfinished, .. } =
        batch::run(&args.batch, configurations.clone(), configurations)?;
    for entry in entries {
        for run in entry.runs {
            let name = format!("figure2-s{}", run.seed);
            let model = out.join("runs").join(&name).join("model.safetensors");
            if let Err(error) = draw(args, &model, &name)
                && unfinished.add_failed(&name)
            {
                terminal::line(&format!("{name}: {}", one_line(&error)));
            }
        }
    }
    Ok(unfinished.check()?)
}

/// Writes `name.csv`, `name.png` and `name.svg`, and says what they show.
fn draw(args: &Figure2Args, model: &Path, name: &str) -> anyhow::Result<()> {
    let (out, threshold) = (&args.batch.out, args.threshold);
    let model = super::load_model(model)?;
    let counts = edges_above(model.network(), model.parameters(), threshold)?;
    atomic_write(out.join(format!("{name}.csv")), to_csv(&counts).as_bytes())?;
    let title = format!("Edges of the first layer with |w| > {threshold}");
    let drawing = edges_by_input(&counts, &title, input_axis(model.preprocessing()), "edges of an input")?;
    drawing.write(out, name)?;
    let total: usize = counts.iter().sum();
    let csv = out.join(format!("{name}.csv"));
    let parts = ends(&counts).unwrap_or_default();
    terminal::print(&format!(
        "{name}: {} edges with |w| > {threshold}{parts}; {}",
        grouped(total),
        csv.display()
    ))
}

/// The number of edges at both ends of the order, if there are enough inputs.
fn ends(counts: &[usize]) -> Option<String> {
    let (first, last) = (counts.get(..FIRST)?, counts.get(FIRST..)?);
    let last = &last[last.len().checked_sub(LAST)?..];
    let sum = |counts: &[usize]| grouped(counts.iter().sum());
    Some(format!(", {} of them at the first {FIRST} inputs, {} at the last {LAST}", sum(first), sum(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_reported_where_they_do_not_overlap() {
        let counts: Vec<usize> = (0..450).collect();
        let text = ends(&counts).unwrap();
        assert_eq!(text, ", 1,225 of them at the first 50 inputs, 99,800 at the last 400");
        assert_eq!(ends(&counts[1..]), None);
        assert_eq!(ends(&counts[..15]), None);
    }
}
