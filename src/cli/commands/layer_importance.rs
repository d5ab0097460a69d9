//! `tanner paper layer-importance`: whether the order of importance survives through the layers.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;
use tanner::dataset::{DataSplits, HeldOut};
use tanner::experiments::blocks::{layer_name, neuron_blocks};
use tanner::experiments::layer_importance::{
    Forest, LayerImportance, LayerImportanceOptions, LayerOutputs, Silence, layer_importance, verdict,
};
use tanner::importance::forest::{ForestOptions, gini_importance};
use tanner::report::{agreement_table, block_csv, block_table, layer_importance_picture};
use tanner::session::EnginePurpose;
use tanner::session::settings::DataSettings;
use tanner::threads;
use tanner::training::Recipe;

use super::refuse;
use crate::cli::flags::{LayerImportanceArgs, MeasuredArg};
use crate::cli::ui::{Results, session, terminal, with_dashes};

/// The files of the folder.
const FILES: [&str; 4] =
    ["layer_importance.json", "layer_importance.csv", "layer_importance.png", "layer_importance.svg"];

/// `layer_importance.json`.
#[derive(Serialize)]
struct LayerImportanceFile<'a> {
    model: &'a Path,
    measured_on: &'static str,
    /// Present if measured on validation samples.
    split: Option<HeldOut>,
    trees: usize,
    forest_samples: usize,
    forest_seed: u64,
    silence: Silence,
    layers: &'a [LayerImportance],
    verdict: &'a str,
}

/// Measures, prints, and writes into `--out`.
pub(crate) fn run(args: &LayerImportanceArgs) -> anyhow::Result<()> {
    let request = args.engine.resolve()?;
    if args.forest_samples == 0 {
        let reason = "0 is invalid, it must be at least 1; --trees 0 leaves the forest out";
        return refuse("--forest-samples", reason);
    }
    if args.on == MeasuredArg::Test && args.trained.split.validation.is_some() {
        return refuse("--validation", "cannot be used with --on test, only with --on validation");
    }
    let data_settings = DataSettings::new(&args.trained.data)?;
    let model = super::load_model(&args.trained.model)?;
    // Checked before data are read.
    neuron_blocks(model.network(), args.blocks)?;
    let out = args.out.as_deref();
    let results = out.map(|out| Results::claim(Some(out), "layer-importance", &FILES)).transpose()?;
    let _entered = threads::enter(args.engine.threads)?;
    let session = session();
    let DataSplits { mut train, mut test } = session.load_for(&model, &data_settings)?;
    let mut made = None;
    if args.on == MeasuredArg::Validation {
        let split = session.split(train, &args.trained.split, &model)?;
        made = Some(split.made);
        (train, test) = (split.rest, split.validation);
    } else if let Some(limit) = args.trained.split.train_limit {
        train = train.head(limit).context("--train-limit")?;
    }
    let (train, measured) = (model.prepare(train)?, Arc::new(model.prepare(test)?));
    let settings = Recipe::default().engine_settings();
    let options = LayerImportanceOptions {
        blocks: args.blocks,
        silence: args.silence,
        settings,
        threads: args.engine.threads,
    };
    let forest = ForestOptions {
        trees: args.trees,
        seed: made.map_or(args.trained.split.seed.unwrap_or(0), |split| split.seed),
        max_rows: Some(args.forest_samples),
    };
    let mut opened =
        session.engine(&request, model.network(), model.parameters(), settings, EnginePurpose::Passes)?;
    session.announce(&opened);
    let mut note = |layer: &LayerImportance| terminal::note(&format!("measured {}", layer_name(layer.layer)));
    let mut grow = |outputs: &LayerOutputs<'_>| {
        let LayerOutputs { values, neurons, labels, classes, .. } = *outputs;
        gini_importance(values, neurons, labels, classes, &forest, &|_| {})
    };
    let grow: Option<&mut Forest<'_>> = if forest.trees > 0 { Some(&mut grow) } else { None };
    let layers = layer_importance(&model, &train, &measured, &options, &mut *opened.engine, grow, &mut note)?;
    let verdict = verdict(&layers);
    let measured_on = if made.is_some() { "validation" } else { "test" };
    let report = LayerImportanceFile {
        model: &args.trained.model,
        measured_on,
        split: made,
        trees: forest.trees,
        forest_samples: args.forest_samples.min(train.samples()),
        forest_seed: forest.seed,
        silence: args.silence,
        layers: &layers,
        verdict: &verdict,
    };
    results.as_ref().map_or(Ok(()), |results| write(results, &report))?;
    terminal::print_table(&block_table(&layers))?;
    let heading = "Spearman's rank correlation of the order of the blocks with both measures (1: importance falls as \
                   the inputs' order says), and its chance if every order is equally likely";
    terminal::print_next_table(heading, &agreement_table(&layers))?;
    terminal::remark(&with_dashes(&verdict))?;
    results.map_or(Ok(()), |results| terminal::remark(&format!("results {}", results.path().display())))
}

fn write(results: &Results, report: &LayerImportanceFile<'_>) -> anyhow::Result<()> {
    let [json, csv, png, svg] = FILES;
    results.write_json(json, report)?;
    results.write(csv, block_csv(report.layers).as_bytes())?;
    let title = format!("importance of blocks, measured on the {} samples", report.measured_on);
    let drawing = layer_importance_picture(report.layers, &title)?;
    results.write(png, &drawing.png)?;
    results.write(svg, drawing.svg.as_bytes())
}
