//! `tanner prune`: a smaller model, with the curve of what that cost.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde::Serialize;
use tanner::Result;
use tanner::dataset::{DataSplits, HeldOut};
use tanner::engine::Penalties;
use tanner::experiments::prune::{
    BlockSearch, BlockSearchOptions, PruneData, PrunePoint, Pruning, Until, WeightGoal, curve_csv,
};
use tanner::model::{PruneMethod, TrainedModel};
use tanner::network::Parameters;
use tanner::report::{grouped, pruning_curve, pruning_table};
use tanner::training::{EpochMetrics, Observer, Recipe};

use super::experiment_args::{ConstantArg, InputsArg, MethodArg, PruneArgs, Target};
use super::gpu_kernels::Use;
use super::results::Results;
use super::settings::{EngineRequest, refuse, usual_l2};
use super::{backend, data, split, terminal, train};

/// What the folder gets.
const FILES: [&str; 5] = ["model.safetensors", "pruning.json", "pruning.csv", "pruning.png", "pruning.svg"];
/// Percentage points of validation accuracy that may be lost where nothing else is said.
const USUAL_DROP: f64 = 0.5;

/// More rounds than anybody waits for.
const MAX_ROUNDS: usize = 10_000;

/// `pruning.json`.
#[derive(Serialize)]
struct Report<'a> {
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
    let request = EngineRequest::new(&args.engine)?;
    let method = Method::new(args)?;
    if !(1..=MAX_ROUNDS).contains(&args.rounds) {
        let reason = format!("{} is impossible, it must be 1 to {MAX_ROUNDS}", args.rounds);
        return refuse("--rounds", reason);
    }
    if u32::try_from(args.fine_tune).is_err() {
        let reason = format!("{} is impossible, it must be 0 to {}", args.fine_tune, u32::MAX);
        return refuse("--fine-tune", reason);
    }
    let data_settings = args.trained.data.settings()?;
    let model = TrainedModel::load(&args.trained.model)?;
    if let Method::Blocks(options, _) = &method {
        // Told before data are read; the search itself starts later.
        BlockSearch::new(model.network(), *options)?;
    }
    let name = format!("prune-{}", method.name());
    let results = Results::claim(args.out.as_deref(), &name, &FILES)?;
    train::use_threads(request.threads());
    let DataSplits { train, test } = data::load_for(&model, &data_settings)?;
    let split = split::split(train, &args.trained.split, &model)?;
    let recipe = recipe(args, &model, split.made.seed)?;
    split.announce();
    let (made, unseen) = (split.made, split.unseen);
    let data = PruneData {
        rest: Arc::new(model.prepare(split.rest)?),
        validation: Arc::new(model.prepare(split.validation)?),
        test: Arc::new(model.prepare(test)?),
    };
    let settings = recipe.engine_settings();
    backend::start(&request, model.network(), model.parameters(), settings, Use::Passes)?.announce();
    let start = Box::new(|network: &_, parameters: &_, settings| {
        Ok(backend::start(&request, network, parameters, settings, Use::Passes)?.engine)
    });
    let threads = args.engine.threads;
    let mut pruning =
        Pruning::new(&model, data, recipe.engine_settings(), threads, start, Box::new(note_point))?;
    let outcome = method.apply(args, &recipe, &mut pruning);
    if pruning.curve().iter().all(|point| point.edges == pruning.curve()[0].edges) {
        outcome?;
        bail!("nothing could be removed within the limits given, so there is no pruned model to write");
    }
    let (mut pruned, curve) = pruning.finish(&model, method.name())?;
    // Fine-tuning on another split may have seen what training had not.
    pruned.set_held_out(Some(made).filter(|_| unseen))?;
    let (before, after) = (model.network().parameter_count(), pruned.network().parameter_count());
    let report = Report {
        model: &args.trained.model,
        method: method.name(),
        split: made,
        validation_unseen_by_model: unseen,
        parameters_before: before,
        parameters: after,
        fully_connected_parameters: model.dense_parameter_count(),
        curve: &curve,
    };
    write(&results, &pruned, &report)?;
    outcome.with_context(|| format!("the network before that is in {}", results.path().display()))?;
    print(&results, &report)
}

/// What is done in each round.
#[derive(Debug)]
enum Method {
    Blocks(BlockSearchOptions, Option<Target>),
    Weights(WeightGoal),
}

impl Method {
    /// Checks the flags that belong to a method.
    fn new(args: &PruneArgs) -> anyhow::Result<Self> {
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
            return refuse(flag, "has no meaning with this --method, it belongs to the other one");
        }
        if args.method == MethodArg::Blocks {
            let drop = args.max_drop.unwrap_or(USUAL_DROP);
            if !(0.0..=100.0).contains(&drop) {
                return refuse("--max-drop", format!("{drop} is impossible, it must be 0 to 100 points"));
            }
            let options = BlockSearchOptions {
                blocks: args.blocks,
                inputs: args.inputs == InputsArg::Prune,
                compensate: args.compensate.unwrap_or(ConstantArg::Mean) == ConstantArg::Mean,
                until: Until::Drop(drop / 100.0),
            };
            return Ok(Self::Blocks(options, args.target));
        }
        let goal = match (args.sparsity, args.threshold) {
            (Some(share), None) => WeightGoal::Sparsity(share),
            (None, Some(limit)) => WeightGoal::Threshold(limit),
            _ => return refuse("--sparsity", "--method magnitude needs it, or --threshold"),
        };
        goal.check()?;
        Ok(Self::Weights(goal))
    }

    fn name(&self) -> PruneMethod {
        match self {
            Self::Blocks(..) => PruneMethod::Blocks,
            Self::Weights(_) => PruneMethod::Magnitude,
        }
    }

    /// All rounds of pruning and fine-tuning, or those up to one after which nothing would change.
    fn apply(&self, args: &PruneArgs, recipe: &Recipe, pruning: &mut Pruning<'_>) -> Result<()> {
        let mut search = match self {
            Self::Blocks(options, target) => {
                let until = target.map_or(options.until, |target| {
                    Until::Parameters(target.parameters(pruning.network().parameter_count()))
                });
                Some(BlockSearch::new(pruning.network(), BlockSearchOptions { until, ..*options })?)
            }
            Self::Weights(_) => None,
        };
        for round in 1..=args.rounds {
            let before = pruning.network().parameter_count();
            match (self, &mut search) {
                (Self::Weights(goal), _) => pruning.remove_small_weights(goal, round, args.rounds)?,
                (_, Some(search)) => search.run(pruning)?,
                (_, None) => {}
            }
            if args.fine_tune > 0 {
                let seed = recipe.seed.wrapping_add(round as u64 - 1);
                pruning.fine_tune(
                    &Recipe { seed, ..recipe.clone() },
                    &mut TuningReport { epochs: args.fine_tune },
                )?;
            } else if !self.is_by_rounds() && pruning.network().parameter_count() == before {
                break;
            }
        }
        Ok(())
    }

    /// Whether what a round removes depends on its number.
    fn is_by_rounds(&self) -> bool {
        matches!(self, Self::Weights(WeightGoal::Sparsity(_)))
    }
}

impl Target {
    /// The number of parameters, at least 1, for a model that has `all`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a number")]
    fn parameters(self, all: usize) -> usize {
        match self {
            Self::Parameters(count) => count,
            Self::Percent(percent) => ((all as f64 * percent / 100.0) as usize).max(1),
        }
    }
}

/// How what is left is trained.
fn recipe(args: &PruneArgs, model: &TrainedModel, seed: u64) -> Result<Recipe> {
    let l2 = args.l2.unwrap_or(usual_l2(model.record().arch));
    // What the smallest weights leave has more to learn again than what lower blocks leave.
    let usual_rate = match args.method {
        MethodArg::Blocks => 0.02,
        MethodArg::Magnitude => 0.1,
    };
    let recipe = Recipe {
        epochs: args.fine_tune.max(1),
        batch_size: args.batch_size,
        learning_rate: args.lr.unwrap_or(usual_rate),
        penalties: Penalties::l2(l2),
        seed,
        ..Recipe::default()
    };
    recipe.check()?;
    Ok(recipe)
}

/// A line for each network on the way.
fn note_point(point: &PrunePoint) {
    terminal::note(&format!(
        "{}: {} parameters, validation {:.2} %",
        point.step,
        grouped(point.parameters),
        100.0 * point.validation_accuracy
    ));
}

/// A line for each epoch of fine-tuning; what the trainer calls its test set is the validation split here.
struct TuningReport {
    epochs: usize,
}

impl Observer for TuningReport {
    fn epoch_ended(&mut self, metrics: &EpochMetrics, _: &Parameters) -> Result<()> {
        terminal::note(&format!(
            "fine-tuning epoch {}/{}: train loss {:.4}, validation {:.2} %, {:.2} s",
            metrics.epoch,
            self.epochs,
            metrics.train_loss,
            100.0 * metrics.test_accuracy,
            metrics.seconds
        ));
        Ok(())
    }
}

fn write(results: &Results, pruned: &TrainedModel, report: &Report<'_>) -> anyhow::Result<()> {
    let [model, json, csv, png, svg] = FILES;
    results.make()?;
    pruned.save(results.path().join(model))?;
    results.write_json(json, report)?;
    results.write(csv, curve_csv(report.curve).as_bytes())?;
    let drawing = pruning_curve(report.curve, &format!("pruning by {}", report.method))?;
    results.write(png, &drawing.png)?;
    results.write(svg, drawing.svg.as_bytes())
}

fn print(results: &Results, report: &Report<'_>) -> anyhow::Result<()> {
    terminal::print(&pruning_table(report.curve).to_string())?;
    let (Some(first), Some(last)) = (report.curve.first(), report.curve.last()) else { return Ok(()) };
    let fewer = |all: usize| 100.0 * (1.0 - report.parameters as f64 / all as f64);
    terminal::print(&format!(
        "parameters {} of {}: {:.2} % fewer, {:.2} % fewer than fully connected ({})",
        grouped(report.parameters),
        grouped(report.parameters_before),
        fewer(report.parameters_before),
        fewer(report.fully_connected_parameters),
        grouped(report.fully_connected_parameters),
    ))?;
    terminal::print(&format!(
        "validation accuracy {:.2} % (unpruned {:.2} %), test accuracy {:.2} % (unpruned {:.2} %)",
        100.0 * last.validation_accuracy,
        100.0 * first.validation_accuracy,
        100.0 * last.test_accuracy,
        100.0 * first.test_accuracy,
    ))?;
    terminal::print(&format!("results {}", results.path().display()))
}
