//! What can be typed. What it means is the library's: [`Settings`] of a run are flags and keys of files at once.

mod batch;
mod bench;
mod experiments;
mod export;
mod predict;
mod rank;
mod report;
mod shell;

use std::path::PathBuf;

use clap::{Args, ColorChoice, Parser, Subcommand};
use tanner::session::Settings;
use tanner::session::settings::{ArchitectureOptions, DataOptions, EngineOptions};

pub(crate) use batch::{BatchArgs, CompareArgs, Figure2Args, Table1Args};
pub(crate) use bench::{BenchArgs, CheckArg};
pub(crate) use experiments::{
    InputsArg, LayerImportanceArgs, MeasuredArg, MethodArg, PruneArgs, PruningArgs,
};
pub(crate) use export::ExportArgs;
pub(crate) use predict::{InputFormat, PredictArgs};
pub(crate) use rank::RankArgs;
pub(crate) use report::{Condition, Relation, ReportArgs, RunListArgs, SortArg};
pub(crate) use shell::{CompletionsArgs, ManArgs};

/// Trains neural networks that are sparse before training starts
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110, after_help = AFTER_HELP, args_override_self = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Report no progress: results, warnings and errors only
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Print results as JSON, where the command has results to print
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Colours: auto (on a terminal, NO_COLOR and CLICOLOR_FORCE respected), always or never
    #[arg(long, value_name = "WHEN", global = true, help_heading = "Output", default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
}

const AFTER_HELP: &str = "\
With no subcommand it trains. Results go to stdout, progress to stderr; RUST_LOG=info (or debug) shows more; NO_COLOR is respected.
Exit codes: 0 done, 1 failed (one line on stderr says why), 2 the command line was not understood,
128 + N stopped by signal N (130 Ctrl-C, 143 SIGTERM).
What random forests and --gpu-kernels auto find is kept in the folder TANNER_CACHE, by default in that of the user's caches; empty for none.

Examples:
  tanner --pca --order desc                            the paper's network on Fashion-MNIST
  tanner --rf                                          inputs ordered by a random forest
  tanner --arch rsp --degree-distribution poisson:53   random sparse, Poisson degrees
  tanner --arch fc --dropout 0.5 --epochs 3            fully connected, for comparison
  tanner --arch narrow                                 fully connected, no more parameters than the paper's
  tanner train --resume runs/NAME                      go on with a run that was interrupted
  tanner eval --model runs/NAME/model.safetensors      score a saved model
  tanner --data mine.csv --preset small                a table of one's own, a fifth of its rows to test on
  tanner predict --model runs/NAME/model.safetensors new.csv
  tanner report runs/NAME                              a page of curves, mistakes and pictures
  tanner table1 --recipe paper --out results/table1    the paper's table, resumable
  tanner prune --model runs/NAME/model.safetensors     remove what costs little accuracy
  tanner export --model runs/NAME/model.safetensors --onnx model.onnx   for other runtimes
  tanner bench --arch sc,fc --batch 128,1024           microseconds a training step
  tanner inspect --blocks 4 --degrees 196,98,49,20     look at a network, no training
  tanner figure1 --inputs 32 --hidden 32 --blocks 4 --degrees 4,5,3,2   draw a small one";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a network (the same as no subcommand)
    Train(Box<TrainArgs>),
    /// Score a saved model on the test set
    Eval(EvalArgs),
    /// Predict the classes of new samples with a saved model
    Predict(PredictArgs),
    /// Make a saved model smaller, by blocks or by the size of its weights
    Prune(Box<PruneArgs>),
    /// Measure whether the order of importance survives through a saved model's layers
    LayerImportance(Box<LayerImportanceArgs>),
    /// Write a saved model in the formats of other programs: ONNX, or matrices for scipy
    Export(ExportArgs),
    /// Describe a network and draw its connections, without training
    Inspect(Box<InspectArgs>),
    /// Fill the paper's Table 1: 12 cells over several seeds; goes on after an interruption
    Table1(Table1Args),
    /// Train with an L1 penalty and count the edges that each input keeps (the paper's Figure 2)
    Figure2(Figure2Args),
    /// Run named configurations over several seeds and compare them pair by pair
    Compare(CompareArgs),
    /// Rank the features of a training set, without training
    Importance(RankArgs),
    /// Draw one layer as Figure 1 of the paper: blocks, neurons, a line for each weight
    Figure1(Box<Figure1Args>),
    /// Make one HTML page of runs: curves, mistakes, networks, settings
    Report(ReportArgs),
    /// List run folders as a sorted table
    Runs(RunListArgs),
    /// Time training steps and inference, and how they grow with the width
    Bench(Box<BenchArgs>),
    /// List the adapters and say which engine `auto` chooses
    Devices(DevicesArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each subcommand
    Man(ManArgs),
}

impl Command {
    /// Whether results can be printed as JSON.
    pub(crate) fn gives_json(&self) -> bool {
        matches!(
            self,
            Self::Train(_)
                | Self::Eval(_)
                | Self::Predict(_)
                | Self::Inspect(_)
                | Self::Devices(_)
                | Self::Runs(_)
                | Self::Bench(_)
        )
    }
}

/// Ids of the flags of `train` that may stand beside `--resume`: where files are now, how long the run goes on and on
/// which engine.
pub(crate) const BESIDE_RESUME: [&str; 15] = [
    "resume",
    "data",
    "labels",
    "test",
    "from",
    "epochs",
    "patience",
    "patience_on",
    "backend",
    "adapter",
    "gpu_kernels",
    "threads",
    "quiet",
    "json",
    "color",
];

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Settings from a TOML file, a key for each flag (batch-size = 64), or those of a run, from its config.json;
    /// flags that are typed win [default: none]
    #[arg(long, value_name = "FILE", help_heading = "Settings")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Go on with the run in this folder, from its last checkpoint and with its recorded settings, to the same bits
    /// as if it had never been interrupted. Beside it, --data, --test, --labels and --from say where files are now;
    /// --epochs and --patience let it train longer, a finished run, too; --backend, --adapter and --gpu-kernels compute
    /// it on another engine, to other last digits; --threads is free [default: a new run]
    #[arg(long, value_name = "DIR", help_heading = "Runs")]
    pub(crate) resume: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// Model file of a run; its preprocessing is part of it
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataOptions,
    #[command(flatten)]
    pub(crate) engine: EngineOptions,
    /// Folder for confusion.png, confusion.svg and scores.json [default: none is written]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

/// A network without its data: one that was saved, or one to be built.
#[derive(Debug, Args)]
pub(crate) struct NetworkArgs {
    /// Model file to look at, in place of an architecture
    #[arg(long, value_name = "FILE", help_heading = "Data", conflicts_with_all = ["ArchitectureOptions", "inputs", "classes", "seed"])]
    pub(crate) model: Option<PathBuf>,
    /// Number of input features
    #[arg(long, value_name = "N", help_heading = "Data", default_value_t = 784)]
    pub(crate) inputs: usize,
    /// Number of classes
    #[arg(long, value_name = "N", help_heading = "Data", default_value_t = 10)]
    pub(crate) classes: usize,
    #[command(flatten)]
    pub(crate) architecture: ArchitectureOptions,
    /// Seed that the graphs are drawn with
    #[arg(
        long,
        value_name = "N",
        help_heading = "Architecture",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// Folder for connectivity.png
    #[arg(long, value_name = "DIR", help_heading = "Output", default_value = "runs/inspect")]
    pub(crate) out: PathBuf,
}

const AFTER_FIGURE1_HELP: &str = "\
Lines are for small layers: at most 2,000 weights and 128 neurons on a side. figure1-dots.png has a layer of any size.

Examples:
  tanner figure1 --inputs 32 --hidden 32 --blocks 4 --degrees 4,5,3,2
  tanner figure1 --inputs 40 --hidden 40,40 --blocks 5 --degrees 5,6,5,4,3 --receptive-field 3 --layer 2 --block 1
  tanner figure1 --arch band --inputs 32 --hidden 32 --blocks 4 --degrees 4,5,3,2 --softness 0.5";

#[derive(Debug, Args)]
#[command(after_help = AFTER_FIGURE1_HELP)]
pub(crate) struct Figure1Args {
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// Layer to draw, counted from 1
    #[arg(
        long,
        value_name = "N",
        help_heading = "Output",
        default_value_t = 1,
        allow_negative_numbers = true
    )]
    pub(crate) layer: usize,
    /// Output block whose receptive field is shown, counted from 0 [default: the middle one]
    #[arg(long, value_name = "N", help_heading = "Output", allow_negative_numbers = true)]
    pub(crate) block: Option<usize>,
    /// Folder for figure1.svg, figure1.png and figure1-dots.png
    #[arg(long, value_name = "DIR", help_heading = "Output", default_value = "runs/figure1")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    /// For scripts: print nothing, fail unless there is a usable adapter
    #[arg(long)]
    pub(crate) check: bool,
}
