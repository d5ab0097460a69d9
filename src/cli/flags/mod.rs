//! The flags of the command line. [`Settings`] of a run are both flags and keys of files.

mod batch;
mod bench;
mod experiments;
mod export;
mod predict;
mod rank;
mod report;
mod shell;
mod tune;

use std::path::PathBuf;

use clap::{Args, ColorChoice, Parser, Subcommand};
use tanner::Setting;
use tanner::dataset::Augmentation;
use tanner::session::Settings;
use tanner::session::settings::{ArchitectureOptions, DataOptions, EngineOptions};
use tanner::topology::Grid;

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
pub(crate) use tune::TuneArgs;

/// Trains neural networks that are sparse before training starts
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110, after_long_help = AFTER_HELP, args_override_self = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Print results, warnings and errors only
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Print results as JSON
    ///
    /// With train, tune, eval, predict, inspect, devices, runs and bench.
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Colours: auto, always or never
    ///
    /// auto means on a terminal; NO_COLOR and CLICOLOR_FORCE are respected.
    #[arg(long, value_name = "WHEN", global = true, help_heading = "Output", default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
}

const AFTER_HELP: &str = "\
Without a command, tanner trains. Results go to stdout, progress to stderr; RUST_LOG=info (or debug) shows more. In a pipe, \
tables are tab-separated.
Exit codes: 0 done, 1 failed (one line on stderr gives the reason), 2 invalid command line or settings file,
128 + N stopped by signal N (130 Ctrl-C, 143 SIGTERM).
TANNER_CACHE names the folder for results of random forests and of --gpu-kernels auto (default: in the user's cache folder; empty: none).

Examples:
  tanner --pca --order desc                            the paper's network on Fashion-MNIST
  tanner --rf                                          inputs ordered by a random forest
  tanner --arch rsp --degree-distribution poisson:53   random sparse, Poisson degrees
  tanner --arch fc --dropout 0.5 --epochs 3            fully connected, for comparison
  tanner --arch narrow                                 fully connected, no more parameters than the paper's
  tanner train --resume runs/NAME                      resume a run that was interrupted
  tanner eval --model runs/NAME/model.safetensors      score a saved model
  tanner mine.csv                                      your own table, with a fifth of its rows to test on
  tanner predict --model runs/NAME/model.safetensors new.csv
  tanner report runs/NAME                              a page of curves, mistakes and pictures
  tanner paper table1 --recipe paper --out results/table1   the paper's table, resumable
  tanner prune --model runs/NAME/model.safetensors     remove weights at little cost in accuracy
  tanner export --model runs/NAME/model.safetensors --onnx model.onnx   for other runtimes
  tanner bench --arch sc,fc --batch 128,1024           microseconds per training step
  tanner inspect --blocks 4 --degrees 196,98,49,20     look at a network without training
  tanner paper figure1 --inputs 32 --hidden 32 --blocks 4 --degrees 4,5,3,2 --out DIR   draw a small layer";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a network (the default)
    Train(Box<TrainArgs>),
    /// Score a saved model on the test set
    Eval(EvalArgs),
    /// Predict the classes of new samples with a saved model
    Predict(PredictArgs),
    /// Make a saved model smaller
    ///
    /// Removes blocks of neurons, or the smallest weights.
    Prune(Box<PruneArgs>),
    /// Write a saved model as ONNX, or as matrices for scipy
    Export(ExportArgs),
    /// Describe a network, without training
    Inspect(Box<InspectArgs>),
    /// Search for better settings
    ///
    /// Random search with successive halving, on held-out training rows.
    Tune(Box<TuneArgs>),
    /// Compare named configurations over several seeds
    Compare(CompareArgs),
    /// Rank the features of a training set, without training
    Importance(RankArgs),
    /// Repeat the paper's table and figures
    #[command(subcommand)]
    Paper(PaperCommand),
    /// Make an HTML page about runs: curves, mistakes, networks
    Report(ReportArgs),
    /// List run folders as a sorted table
    Runs(RunListArgs),
    /// Time training steps and inference
    Bench(Box<BenchArgs>),
    /// List the adapters, and what `auto` chooses
    Devices(DevicesArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command
    Man(ManArgs),
}

/// The paper's table and figures.
#[derive(Debug, Subcommand)]
pub(crate) enum PaperCommand {
    /// Fill Table 1: 12 cells over several seeds
    ///
    /// Repeat the command to resume after an interruption.
    Table1(Box<Table1Args>),
    /// Show one layer as in Figure 1: blocks, degrees, weights
    Figure1(Box<Figure1Args>),
    /// Count the edges that each input keeps, as in Figure 2
    ///
    /// Trains with an L1 penalty, unless a model is given.
    Figure2(Box<Figure2Args>),
    /// Does the order of importance survive through the layers?
    LayerImportance(Box<LayerImportanceArgs>),
}

impl PaperCommand {
    /// The names, which used to be commands.
    pub(crate) const NAMES: [&str; 4] = ["table1", "figure1", "figure2", "layer-importance"];
}

impl Command {
    /// The commands that can print their results as JSON.
    pub(crate) const WITH_JSON: [&str; 8] =
        ["train", "tune", "eval", "predict", "inspect", "devices", "runs", "bench"];
}

/// Ids of the flags of `train` that are allowed with `--resume`: where files are now, how long to train, and on
/// which engine.
pub(crate) const ALLOWED_WITH_RESUME: [&str; 16] = [
    "resume",
    "data",
    "labels",
    "test",
    "from",
    "edges",
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
    /// Your data: a file or folder, the same as --data
    ///
    /// A table (.csv, .tsv, .npy, .npz, .parquet) or a folder of IDX files. If a file has the name of a command, write
    /// ./NAME.
    #[arg(value_name = "DATA", help_heading = "Data", conflicts_with = "data")]
    pub(crate) file: Option<PathBuf>,
    /// Settings from a TOML file, or from a run [default: none]
    ///
    /// The keys are flags (batch-size = 64). A run's config.json or folder works, too. Typed flags override the file.
    #[arg(long, value_name = "FILE", help_heading = "Settings")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Settings that come from the file.
    #[arg(skip)]
    pub(crate) of_file: Vec<Setting>,
    /// Resume the run in this folder [default: a new run]
    ///
    /// Starts from its last checkpoint with its recorded settings. The result has the same bits as without an interruption.
    /// --data, --test, --labels, --from and --edges give new places of its files. --epochs and --patience train longer, even a
    /// finished run. --backend, --adapter and --gpu-kernels change the engine, and with it the last digits. --threads changes
    /// nothing in the results.
    #[arg(long, value_name = "DIR", help_heading = "Runs")]
    pub(crate) resume: Option<PathBuf>,
    /// Table: K runs, each tested on a K-th of the rows
    ///
    /// Cross-validation: the rows are split into K parts, in proportion from each class (numbers at random) and by --seed. Each run trains on all parts
    /// but one and is tested on that one, so every row is tested once. --out gets the runs (fold-0, ..), folds.json, and
    /// predictions.csv. Repeat the command with the same --out to resume. [default: one run, tested as --test says]
    #[arg(long, value_name = "K", help_heading = "Runs", allow_negative_numbers = true)]
    pub(crate) folds: Option<usize>,
}

impl TrainArgs {
    /// Whether its settings are all that it asks for.
    pub(crate) fn is_one_new_run(&self) -> bool {
        self.resume.is_none() && self.folds.is_none()
    }
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// Model file of a run, or the run's folder
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub(crate) model: PathBuf,
    /// Pictures: average over views of each [default: none]
    ///
    /// Averages the logarithms of the probabilities over shift=N (unchanged, and shifted by up to N pixels along a side),
    /// flip (each also mirrored), or shift=N,flip. The time grows with the number of views.
    #[arg(long, help_heading = "Data", value_name = "VIEWS", value_parser = tanner::session::settings::parsed::<Augmentation>)]
    pub(crate) average: Option<Augmentation>,
    /// Data to score on: a file or folder, the same as --data
    #[arg(value_name = "DATA", help_heading = "Data", conflicts_with = "data")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) permutation: PermutationArgs,
    #[command(flatten)]
    pub(crate) data: DataOptions,
    #[command(flatten)]
    pub(crate) engine: EngineOptions,
    /// Folder for scores and confusion matrix [default: none]
    ///
    /// Writes confusion.png, confusion.svg and scores.json.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

/// Whether to measure the importance of columns, and how.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Measurement")]
pub(crate) struct PermutationArgs {
    /// Permutation importance of columns [default: none]
    ///
    /// Measures how much accuracy is lost and log-loss added, or RMSE and MAE added, if the values of one column are shuffled among the samples:
    /// mean and standard deviation over N shuffles, 5 without =N. The categories of a column move together. Of pictures and arrays,
    /// each pixel or feature is a column, which takes long.
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "5",
        allow_negative_numbers = true)]
    pub(crate) permutation: Option<usize>,
    /// Seed of the shuffles [default: 0]
    #[arg(long, value_name = "N", requires = "permutation", allow_negative_numbers = true)]
    pub(crate) permutation_seed: Option<u64>,
}

/// A network without data: a saved one, or one to build.
#[derive(Debug, Args)]
pub(crate) struct NetworkArgs {
    /// Model file to look at, instead of an architecture
    #[arg(long, value_name = "FILE", help_heading = "Data", conflicts_with_all = ["ArchitectureOptions", "inputs", "picture", "classes", "seed"])]
    pub(crate) model: Option<PathBuf>,
    /// Number of input features
    #[arg(long, value_name = "N", help_heading = "Data", default_value_t = 784, conflicts_with = "edges")]
    pub(crate) inputs: usize,
    /// Inputs are a picture of this size [default: as nearly square as --inputs allow]
    #[arg(long, value_name = "RxC", help_heading = "Data", conflicts_with_all = ["inputs", "edges"])]
    pub(crate) picture: Option<Grid>,
    /// Number of classes
    #[arg(long, value_name = "N", help_heading = "Data", default_value_t = 10, conflicts_with = "edges")]
    pub(crate) classes: usize,
    #[command(flatten)]
    pub(crate) architecture: ArchitectureOptions,
    /// Seed that the graphs are drawn with
    #[arg(
        long,
        value_name = "N",
        help_heading = "Architecture",
        default_value_t = 0,
        conflicts_with = "edges",
        allow_negative_numbers = true
    )]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// Folder for pictures [default: nothing is drawn]
    ///
    /// Writes connectivity.png and, if the inputs are pixels (a model on pictures without PCA, or sc2d), receptive_fields.png:
    /// for 8 neurons of each layer, the number of paths from each pixel to the neuron.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

const AFTER_FIGURE1_HELP: &str = "\
Lines are drawn for small layers: at most 2,000 weights and 128 neurons on a side. figure1-dots.png shows layers of any size.

Examples:
  tanner paper figure1 --inputs 32 --hidden 32 --blocks 4 --degrees 4,5,3,2
  tanner paper figure1 --inputs 40 --hidden 40,40 --blocks 5 --degrees 5,6,5,4,3 --receptive-field 3 --layer 2 --block 1
  tanner paper figure1 --arch band --inputs 32 --hidden 32 --blocks 4 --degrees 4,5,3,2 --softness 0.5";

#[derive(Debug, Args)]
#[command(after_long_help = AFTER_FIGURE1_HELP)]
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
    /// Output block whose inputs are shown [default: the middle]
    ///
    /// Its receptive field; blocks count from 0.
    #[arg(long, value_name = "N", help_heading = "Output", allow_negative_numbers = true)]
    pub(crate) block: Option<usize>,
    /// Folder for the pictures [default: nothing is drawn]
    ///
    /// figure1.svg and figure1.png have a line for each weight, figure1-dots.png has a pixel.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    /// For scripts: print nothing, fail without a usable adapter
    #[arg(long, conflicts_with = "test")]
    pub(crate) check: bool,
    /// Compare a few steps on every usable adapter with the reference
    ///
    /// Training does this automatically before it first uses an adapter.
    #[arg(long)]
    pub(crate) test: bool,
}
