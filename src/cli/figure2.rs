//! `tanner figure2`: how many edges of each input an L1 penalty leaves.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tanner::Error;
use tanner::experiments::Configuration;
use tanner::experiments::figure2::{FLAGS, edges_above, input_axis, to_csv};
use tanner::files::atomic_write;
use tanner::model::TrainedModel;
use tanner::report::{edges_by_input, grouped};

use super::batch::Batch;
use super::batch_args::Figure2Args;
use super::terminal;

/// Counts in the model given, or trains one for each seed and counts in them all.
pub(crate) fn run(args: &Figure2Args) -> anyhow::Result<()> {
    let out = &args.batch.out;
    if let Some(model) = &args.model {
        std::fs::create_dir_all(out).map_err(|error| Error::io(out, error)).context("--out")?;
        return draw(args, model, "figure2");
    }
    let configuration = Configuration { name: "figure2".into(), flags: FLAGS.into() };
    let batch = Batch::new(&args.batch);
    let configurations = [configuration];
    let unfinished = batch.run(&configurations)?;
    for entry in batch.collect(&configurations)? {
        for run in entry.runs {
            let name = format!("figure2-s{}", run.seed);
            let model = model_of(out, &name);
            draw(args, &model, &name)?;
        }
    }
    unfinished.told()
}

fn model_of(out: &Path, run: &str) -> PathBuf {
    out.join("runs").join(run).join("model.safetensors")
}

/// Writes `name.csv`, `name.png` and `name.svg`, and says what they show.
fn draw(args: &Figure2Args, model: &Path, name: &str) -> anyhow::Result<()> {
    let (out, threshold) = (&args.batch.out, args.threshold);
    let model = TrainedModel::load(model)?;
    let counts = edges_above(model.network(), model.parameters(), threshold)?;
    atomic_write(&out.join(format!("{name}.csv")), to_csv(&counts).as_bytes())?;
    let title = format!("Edges of the first layer with |w| > {threshold}");
    let drawing = edges_by_input(&counts, &title, input_axis(model.preprocessing()), "edges of an input")?;
    drawing.write(out, name)?;
    let total: usize = counts.iter().sum();
    let first: usize = counts.iter().take(50).sum();
    let last: usize = counts.iter().rev().take(400).sum();
    terminal::print(&format!(
        "{name}: {} edges with |w| > {threshold}, {} of them at the first 50 inputs, {} at the last 400; {}",
        grouped(total),
        grouped(first),
        grouped(last),
        out.join(format!("{name}.csv")).display()
    ))
}
