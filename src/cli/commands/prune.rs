//! `tanner prune`: a smaller model, with a curve of the cost.

use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;
use tanner::dataset::HeldOut;
use tanner::experiments::layer_importance::Silence;
use tanner::experiments::prune::{
    BlockSearchOptions, PruneMethodSettings, PrunePoint, PruneSettings, Until, WeightGoal,
};
use tanner::model::{PruneMethod, TrainedModel};
use tanner::report::{grouped, pruning_csv, pruning_curve, pruning_table};
use tanner::session::settings::DataSettings;

use super::refuse;
use crate::cli::flags::{InputsArg, MethodArg, PruneArgs, PruningArgs};
use crate::cli::ui::{Results, session, signals, terminal};

/// The files of the folder.
const FILES: [&str; 5] = ["model.safetensors", "pruning.json", "pruning.csv", "pruning.png", "pruning.svg"];
/// Default loss of validation accuracy, in percentage points.
const USUAL_DROP: f64 = 0.5;

/// Upper limit of rounds.
const MAX_ROUNDS: usize = 10_000;

/// `pruning.json`.
#[derive(Serialize)]
struct PruningFile<'a> {
    model: &'a Path,
    method: PruneMethod,
    split: HeldOut,
    validation_unseen_by_model: bool,
    parameters_before: usize,
    parameters: usize,
    fully_connected_parameters: usize,
    curve: &'a [PrunePoint],
}

/// Prunes, measures and writes.
pub(crate) fn run(args: &PruneArgs) -> anyhow::Result<()> {
    let (method, rounds, fine_tune) = (method(&args.pruning)?, args.pruning.rounds, args.fine_tune);
    if !(1..=MAX_ROUNDS).contains(&rounds) {
        return refuse("--rounds", format!("{rounds} is invalid, it must be 1 to {MAX_ROUNDS}"));
    }
    if u32::try_from(fine_tune).is_err() {
        return refuse("--fine-tune", format!("{fine_tune} is invalid, it must be 0 to {}", u32::MAX));
    }
    let settings = PruneSettings {
        method,
        data: DataSettings::new(&args.trained.data)?,
        split: args.trained.split,
        rounds,
        fine_tune,
        learning_rate: args.lr,
        batch_size: args.batch_size,
        l2: args.l2,
        engine: args.engine.resolve()?,
    };
    let model = super::load_model(&args.trained.model)?;
    // Checked before data are read; the search itself starts later.
    method.check(&model)?;
    let results = Results::claim(args.out.as_deref(), &format!("prune-{}", method.name()), &FILES)?;
    signals::listen("; nothing is saved, repeat the command to start again");
    let pruned = session().prune(&model, &settings)?;
    let (before, after) = (model.network().parameter_count(), pruned.model.network().parameter_count());
    let report = PruningFile {
        model: &args.trained.model,
        method: method.name(),
        split: pruned.split,
        validation_unseen_by_model: pruned.unseen,
        parameters_before: before,
        parameters: after,
        fully_connected_parameters: model.dense_parameter_count(),
        curve: &pruned.curve,
    };
    write(&results, &pruned.model, &report)?;
    if let Some(failure) = pruned.failure {
        let kept = format!("the network before that is in {}", results.path().display());
        return Err(failure).context(kept);
    }
    print(&results, &report)
}

/// Checks the flags that belong to a method.
fn method(args: &PruningArgs) -> anyhow::Result<PruneMethodSettings> {
    let owners = [
        ("--max-drop", args.max_drop.is_some(), MethodArg::Blocks),
        ("--target", args.target.is_some(), MethodArg::Blocks),
        ("--blocks", args.blocks.is_some(), MethodArg::Blocks),
        ("--inputs", args.inputs == InputsArg::Prune, MethodArg::Blocks),
        ("--compensate", args.compensate.is_some(), MethodArg::Blocks),
        ("--sparsity", args.sparsity.is_some(), MethodArg::Magnitude),
        ("--threshold", args.threshold.is_some(), MethodArg::Magnitude),
    ];
    if let Some((flag, ..)) = owners.iter().find(|(_, given, owner)| *given && *owner != args.method) {
        let reason = match (args.method, *flag) {
            (MethodArg::Magnitude, "--target") => {
                "works only with --method blocks; --method magnitude takes the share to remove, --sparsity 0.3 to leave 70 %"
            }
            (MethodArg::Magnitude, "--max-drop") => {
                "works only with --method blocks; --method magnitude takes --sparsity SHARE or --threshold T"
            }
            (MethodArg::Magnitude, _) => "works only with --method blocks",
            (MethodArg::Blocks, "--sparsity") => {
                "works only with --method magnitude; --method blocks takes what to leave, --target 70% to remove 30 %"
            }
            (MethodArg::Blocks, _) => {
                "works only with --method magnitude; --method blocks takes --target or --max-drop"
            }
        };
        return refuse(flag, reason);
    }
    if args.method == MethodArg::Blocks {
        let drop = args.max_drop.unwrap_or(USUAL_DROP);
        if !(0.0..=100.0).contains(&drop) {
            return refuse("--max-drop", format!("{drop} is invalid, it must be 0 to 100 points"));
        }
        let options = BlockSearchOptions {
            blocks: args.blocks,
            inputs: args.inputs == InputsArg::Prune,
            compensate: args.compensate != Some(Silence::Zero),
            until: Until::Drop(drop / 100.0),
        };
        return Ok(PruneMethodSettings::Blocks(options, args.target));
    }
    let goal = match (args.sparsity, args.threshold) {
        (Some(share), None) => WeightGoal::Sparsity(share),
        (None, Some(limit)) => WeightGoal::Threshold(limit),
        _ => {
            return refuse(
                "--sparsity",
                "--method magnitude needs the share to remove (--sparsity 0.3), or --threshold",
            );
        }
    };
    goal.check()?;
    Ok(PruneMethodSettings::Weights(goal))
}

fn write(results: &Results, pruned: &TrainedModel, report: &PruningFile<'_>) -> anyhow::Result<()> {
    let [model, json, csv, png, svg] = FILES;
    results.make()?;
    pruned.save(results.path().join(model))?;
    results.write_json(json, report)?;
    results.write(csv, pruning_csv(report.curve).as_bytes())?;
    let drawing = pruning_curve(report.curve, &format!("pruning by {}", report.method))?;
    results.write(png, &drawing.png)?;
    results.write(svg, drawing.svg.as_bytes())
}

fn print(results: &Results, report: &PruningFile<'_>) -> anyhow::Result<()> {
    terminal::print_table(&pruning_table(report.curve))?;
    let (Some(first), Some(last)) = (report.curve.first(), report.curve.last()) else { return Ok(()) };
    let fewer = |all: usize| 100.0 * (1.0 - report.parameters as f64 / all as f64);
    terminal::remark(&format!(
        "parameters {} of {}: {:.2} % fewer, {:.2} % fewer than fully connected ({})",
        grouped(report.parameters),
        grouped(report.parameters_before),
        fewer(report.parameters_before),
        fewer(report.fully_connected_parameters),
        grouped(report.fully_connected_parameters),
    ))?;
    let (name, shown) = (first.metric.title(), |score| first.metric.shown(score));
    terminal::remark(&format!(
        "validation {name} {} (unpruned {}), test {name} {} (unpruned {})",
        shown(last.validation_accuracy),
        shown(first.validation_accuracy),
        shown(last.test_accuracy),
        shown(first.test_accuracy),
    ))?;
    terminal::remark(&format!("results {}", results.path().display()))
}
