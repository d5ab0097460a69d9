//! What can be typed. What it means is in [`settings`](super::settings).
//!
//! A flag whose default depends on another, or that is refused beside another,
//! is an `Option`, and its help says the default in words.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tanner::Error;
use tanner::dataset::{Augmentation, Holdout};
use tanner::model::Arch;
use tanner::training::Schedule;

use super::batch_args::{CompareArgs, Figure2Args, Table1Args};
use super::bench_args::BenchArgs;
use super::data_args::{DataSettings, TableArgs};

use super::experiment_args::{LayerImportanceArgs, PruneArgs};
use super::export_args::ExportArgs;
use super::gpu_kernels::KernelsArg;
use super::importance_args::{ImportanceArgs, RankArgs};
use super::lists::{List, Lists, list, lists, widths};
use super::predict::PredictArgs;
use super::presets::Preset;
use super::regularisation::RegularisationArgs;
use super::report_args::{ReportArgs, RunListArgs, WatchArgs};
use super::runs_args::RunsArgs;
use super::shell::{CompletionsArgs, ManArgs};

/// Trains neural networks that are sparse before training starts
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110, after_help = AFTER_HELP, args_override_self = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Tell no progress: results, warnings and errors only
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Print results as JSON, where the command has results to print
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
}

const AFTER_HELP: &str = "\
With no subcommand it trains. Results go to stdout, progress to stderr; RUST_LOG=info (or debug) shows more; NO_COLOR is heeded.
Exit codes: 0 done, 1 failed (one line on stderr says why), 2 the command line was not understood,
130 or 143 stopped by Ctrl-C or SIGTERM.
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

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Settings from a TOML file, a key for each flag (batch-size = 64), or those of a run, from its config.json;
    /// flags that are typed win [default: none]
    #[arg(long, value_name = "FILE", help_heading = "Settings")]
    pub(crate) config: Option<PathBuf>,
    /// Settings under a name, over which files and typed flags win [default: none]
    #[arg(long, value_enum, value_name = "NAME", help_heading = "Settings")]
    pub(crate) preset: Option<Preset>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Train on the first N training samples only [default: all]
    #[arg(long, value_name = "N", help_heading = "Data", allow_negative_numbers = true)]
    pub(crate) train_limit: Option<usize>,
    /// Hold samples out of the training set, so many (10000) or a share (0.1), and score on
    /// them; the test set is not looked at [default: score on the test set]
    #[arg(long, value_name = "N|SHARE", help_heading = "Data", value_parser = holdout)]
    pub(crate) validation: Option<Holdout>,
    /// Go on from a saved model: its preprocessing, network and values; the optimiser starts anew
    /// [default: a new network]
    #[arg(long, value_name = "FILE", help_heading = "Data", conflicts_with_all = ["ImportanceArgs", "ArchitectureArgs", "init", "gain"])]
    pub(crate) from: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) importance: ImportanceArgs,
    #[command(flatten)]
    pub(crate) architecture: ArchitectureArgs,
    #[command(flatten)]
    pub(crate) training: TrainingArgs,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    #[command(flatten)]
    pub(crate) runs: RunsArgs,
    /// Folder of the run; one that holds a run already is refused
    /// [default: runs/<time>-<arch>-<importance>-<order>-s<seed>]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) watch: WatchArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// Model file of a run; its preprocessing is part of it
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Folder for confusion.png, confusion.svg and scores.json [default: none is written]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

/// A network without its data: one that was saved, or one to be built.
#[derive(Debug, Args)]
pub(crate) struct NetworkArgs {
    /// Model file to look at, in place of an architecture
    #[arg(long, value_name = "FILE", help_heading = "Data", conflicts_with_all = ["ArchitectureArgs", "inputs", "classes", "seed"])]
    pub(crate) model: Option<PathBuf>,
    /// Number of input features
    #[arg(long, value_name = "N", help_heading = "Data", default_value_t = 784)]
    pub(crate) inputs: usize,
    /// Number of classes
    #[arg(long, value_name = "N", help_heading = "Data", default_value_t = 10)]
    pub(crate) classes: usize,
    #[command(flatten)]
    pub(crate) architecture: ArchitectureArgs,
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

#[derive(Debug, Args)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataArgs {
    /// Folder with the four IDX files of an MNIST-like set, plain or gzipped; or a table: .csv, .tsv, .npy, .npz,
    /// .parquet
    #[arg(long, value_name = "PATH", default_value = "data/fashion-mnist")]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) table: TableArgs,
}

impl DataArgs {
    /// Checks what was typed.
    pub(crate) fn settings(&self) -> tanner::Result<DataSettings> {
        DataSettings::new(&self.data, &self.table)
    }

    /// The same, as words of a command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = vec![format!("--data={}", self.data.display())];
        words.extend(self.table.words());
        words
    }
}

/// What is wrong with a setting; the parser's own message names the flag already.
fn reason(error: Error) -> String {
    match error {
        Error::Setting { reason, .. } => reason,
        other => other.to_string(),
    }
}

fn kernels(text: &str) -> Result<KernelsArg, String> {
    text.parse().map_err(reason)
}

fn schedule(text: &str) -> Result<Schedule, String> {
    text.parse().map_err(reason)
}

fn holdout(text: &str) -> Result<Holdout, String> {
    text.parse().map_err(reason)
}

fn augmentation(text: &str) -> Result<Augmentation, String> {
    text.parse().map_err(reason)
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Architecture")]
pub(crate) struct ArchitectureArgs {
    /// How hidden layers are joined: sc spatially coupled, rsp random sparse, fc fully connected,
    /// narrow fully connected with as few parameters as sc, band as sc but without a window
    #[arg(long, value_enum, default_value_t = ArchArg::Sc)]
    pub(crate) arch: ArchArg,
    /// Widths of the hidden layers, or `none`; narrow keeps their number and finds the width itself
    #[arg(long, value_name = "N,N,..", value_parser = widths, default_value = "784,784,784,784,784")]
    pub(crate) hidden: List,
    /// sc, band: number of blocks, one or a list by layer [default: 8, fewer where a layer has fewer neurons]
    #[arg(long, value_name = "N", value_parser = list)]
    pub(crate) blocks: Option<List>,
    /// sc: input blocks that an output block sees, one or a list by layer [default: 2]
    #[arg(long, value_name = "N", value_parser = list)]
    pub(crate) receptive_field: Option<List>,
    /// sc, band: out-degree of the neurons of each block, one number for all blocks; lists by layer stand between slashes
    /// [default: for 784 neurons and 8 blocks 98,130,98,49,20,10,10,10, for others in proportion]
    #[arg(long, value_name = "N,N,..", value_parser = lists)]
    pub(crate) degrees: Option<Lists>,
    /// sc, band: share of the weights that exist, in place of --degrees, whose default is scaled to it as far as
    /// the receptive field allows [default: 0.068]
    #[arg(long, value_name = "SHARE", conflicts_with = "degrees", allow_negative_numbers = true)]
    pub(crate) density: Option<f64>,
    /// rsp: out-degree of every neuron [default: 53]
    #[arg(long, value_name = "N", conflicts_with = "degree_distribution", allow_negative_numbers = true)]
    pub(crate) degree: Option<usize>,
    /// rsp: distribution of the out-degrees, regular:53, uniform:10-90, poisson:53 or
    /// 20:0.5,86:0.5; distributions by layer stand between slashes [default: regular:53]
    #[arg(long, value_name = "TEXT")]
    pub(crate) degree_distribution: Option<String>,
    /// narrow: most weights and biases of the network [default: as many as the sc network of these flags has]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) budget: Option<usize>,
    /// band: blocks over which the probability of an edge falls by the factor e [default: 1]
    #[arg(long, value_name = "BLOCKS", allow_negative_numbers = true)]
    pub(crate) softness: Option<f64>,
    /// Activation of the hidden layers
    #[arg(long, value_enum, default_value_t = ActivationArg::Sigmoid)]
    pub(crate) activation: ActivationArg,
    /// Probability with which training drops a hidden unit
    #[arg(long, value_name = "P", default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) dropout: f32,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub(crate) struct TrainingArgs {
    /// Passes over the training set
    #[arg(long, value_name = "N", default_value_t = 30, allow_negative_numbers = true)]
    pub(crate) epochs: usize,
    /// Samples in one batch
    #[arg(long, value_name = "N", default_value_t = 128, allow_negative_numbers = true)]
    pub(crate) batch_size: usize,
    /// How gradients change the parameters
    #[arg(long, value_enum, default_value_t = OptimizerArg::Momentum)]
    pub(crate) optimizer: OptimizerArg,
    /// Learning rate at the start [default: 0.1, adam: 0.001]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) lr: Option<f64>,
    /// momentum, nesterov: share of the last step that is kept [default: 0.9]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub(crate) momentum: Option<f32>,
    /// Learning rate over the epochs: constant, cosine (down to 0) or step:EPOCHS:FACTOR
    #[arg(long, value_name = "TEXT", default_value_t = Schedule::Cosine, value_parser = schedule)]
    pub(crate) schedule: Schedule,
    /// Weight decay L, the penalty being L * sum(w^2) [default: 5e-5, fc: 0]
    #[arg(long, value_name = "L", allow_negative_numbers = true)]
    pub(crate) l2: Option<f32>,
    #[command(flatten)]
    pub(crate) regularisation: RegularisationArgs,
    /// Variance of the initial weights, by the true fans of each edge
    #[arg(long, value_enum, default_value_t = InitArg::Glorot)]
    pub(crate) init: InitArg,
    /// Factor on their standard deviation [default: sigmoid 4, relu 1.414, tanh and identity 1]
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub(crate) gain: Option<f32>,
    /// Move each training picture by chance, another way every epoch: shift=N (up to N pixels in both
    /// directions, filled up with 0), flip (left to right, every second one), shift=N,flip, or none
    #[arg(long, value_name = "TEXT", default_value_t = Augmentation::default(), value_parser = augmentation)]
    pub(crate) augment: Augmentation,
    /// Seed of graphs, weights, order of samples, dropout and augmentation
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Engine")]
pub(crate) struct EngineArgs {
    /// auto: a hardware GPU if there is one, else the CPU; gpu: software adapters, too
    #[arg(long, value_enum, default_value_t = BackendArg::Auto)]
    pub(crate) backend: BackendArg,
    /// Take the GPU whose name contains this, see `tanner devices` [default: the best]
    #[arg(long, value_name = "TEXT")]
    pub(crate) adapter: Option<String>,
    /// Which tiles a GPU stores dense and how many invocations share a sum: auto (what a short measurement finds
    /// best, kept in the cache), default (without one), or what a run recorded, dense=0.3,forward=8,..; results differ in
    /// their last digits [default: auto for training on hardware GPUs, else default]
    #[arg(long, value_name = "KERNELS", value_parser = kernels)]
    pub(crate) gpu_kernels: Option<KernelsArg>,
    /// Threads of the CPU engine [default: all cores]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ArchArg {
    Sc,
    Rsp,
    Fc,
    Narrow,
    Band,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ActivationArg {
    Sigmoid,
    Relu,
    Tanh,
    Identity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptimizerArg {
    Sgd,
    Momentum,
    Nesterov,
    Adam,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InitArg {
    Glorot,
    He,
    Lecun,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BackendArg {
    Auto,
    Gpu,
    Cpu,
    Reference,
}

impl From<ArchArg> for Arch {
    fn from(typed: ArchArg) -> Self {
        match typed {
            ArchArg::Sc => Self::Sc,
            ArchArg::Rsp => Self::Rsp,
            ArchArg::Fc => Self::Fc,
            ArchArg::Narrow => Self::Narrow,
            ArchArg::Band => Self::Band,
        }
    }
}

impl EngineArgs {
    /// The same, as words of a command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let backend = self.backend.to_possible_value();
        let mut words = Vec::new();
        words.extend(backend.map(|value| format!("--backend={}", value.get_name())));
        words.extend(self.adapter.as_ref().map(|text| format!("--adapter={text}")));
        words.extend(self.gpu_kernels.map(|kernels| format!("--gpu-kernels={kernels}")));
        words.extend(self.threads.map(|count| format!("--threads={count}")));
        words
    }
}
