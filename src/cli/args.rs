//! What can be typed. What it means is in [`settings`](super::settings).
//!
//! A flag whose default depends on another, or that is refused beside another,
//! is an `Option`, and its help says the default in words.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use tanner::Error;
use tanner::importance::{Importance, Order};
use tanner::training::Schedule;

use super::experiment_args::{LayerImportanceArgs, PruneArgs};
use super::lists::{List, Lists, list, lists, widths};

/// Trains neural networks that are sparse before training starts
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
}

const AFTER_HELP: &str = "\
With no subcommand it trains. Results go to stdout, progress to stderr; RUST_LOG=info (or debug) shows more.

Examples:
  tanner --pca --order desc                            the paper's network on Fashion-MNIST
  tanner --arch rsp --degree-distribution poisson:53   random sparse, Poisson degrees
  tanner --arch fc --dropout 0.5 --epochs 3            fully connected, for comparison
  tanner eval --model runs/NAME/model.safetensors      score a saved model
  tanner prune --model runs/NAME/model.safetensors     remove what costs little accuracy
  tanner inspect --blocks 4 --degrees 196,98,49,20     look at a network, no training";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a network (the same as no subcommand)
    Train(Box<TrainArgs>),
    /// Score a saved model on the test set
    Eval(EvalArgs),
    /// Make a saved model smaller, by blocks or by the size of its weights
    Prune(Box<PruneArgs>),
    /// Measure whether the order of importance survives through a saved model's layers
    LayerImportance(Box<LayerImportanceArgs>),
    /// Describe a network and draw its connections, without training
    Inspect(Box<InspectArgs>),
    /// List the adapters and say which engine `auto` chooses
    Devices(DevicesArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Train on the first N training samples only [default: all]
    #[arg(long, value_name = "N", help_heading = "Data", allow_negative_numbers = true)]
    pub(crate) train_limit: Option<usize>,
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
    /// Folder of the run; one that holds a run already is refused
    /// [default: runs/<time>-<arch>-<importance>-<order>-s<seed>]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
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
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// Model file to describe, in place of an architecture
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
    /// Folder for connectivity.png
    #[arg(long, value_name = "DIR", help_heading = "Output", default_value = "runs/inspect")]
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
    /// Folder with the four IDX files of an MNIST-like set, plain or gzipped
    #[arg(long, value_name = "DIR", default_value = "data/fashion-mnist")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Importance")]
pub(crate) struct ImportanceArgs {
    /// Short for --importance pca
    #[arg(long, conflicts_with = "importance")]
    pub(crate) pca: bool,
    /// How the importance of the features is found, by which the inputs are ordered
    #[arg(long, value_name = "KIND", default_value = "pca", value_parser = importance_values())]
    pub(crate) importance: Importance,
    /// Most important input first (desc) or last (asc)
    #[arg(long, value_name = "ORDER", default_value = "desc", value_parser = order_values())]
    pub(crate) order: Order,
}

/// Reads a schedule; the parser's own message names the flag already.
fn schedule(text: &str) -> Result<Schedule, String> {
    text.parse().map_err(|error| match error {
        Error::Setting { reason, .. } => reason,
        other => other.to_string(),
    })
}

fn importance_values() -> impl TypedValueParser<Value = Importance> {
    PossibleValuesParser::new(["pca", "none"]).try_map(|name| name.parse::<Importance>())
}

fn order_values() -> impl TypedValueParser<Value = Order> {
    PossibleValuesParser::new(["desc", "asc"]).try_map(|name| name.parse::<Order>())
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Architecture")]
pub(crate) struct ArchitectureArgs {
    /// How hidden layers are joined: spatially coupled, random sparse or fully connected
    #[arg(long, value_enum, default_value_t = ArchArg::Sc)]
    pub(crate) arch: ArchArg,
    /// Widths of the hidden layers, or `none`
    #[arg(long, value_name = "N,N,..", value_parser = widths, default_value = "784,784,784,784,784")]
    pub(crate) hidden: List,
    /// sc: number of blocks, one or a list by layer [default: 8]
    #[arg(long, value_name = "N", value_parser = list)]
    pub(crate) blocks: Option<List>,
    /// sc: input blocks that an output block sees, one or a list by layer [default: 2]
    #[arg(long, value_name = "N", value_parser = list)]
    pub(crate) receptive_field: Option<List>,
    /// sc: out-degree of the neurons of each block; lists by layer stand between slashes
    /// [default: 98,130,98,49,20,10,10,10]
    #[arg(long, value_name = "N,N,..", value_parser = lists)]
    pub(crate) degrees: Option<Lists>,
    /// rsp: out-degree of every neuron [default: 53]
    #[arg(long, value_name = "N", conflicts_with = "degree_distribution", allow_negative_numbers = true)]
    pub(crate) degree: Option<usize>,
    /// rsp: distribution of the out-degrees, regular:53, uniform:10-90, poisson:53 or
    /// 20:0.5,86:0.5; distributions by layer stand between slashes [default: regular:53]
    #[arg(long, value_name = "TEXT")]
    pub(crate) degree_distribution: Option<String>,
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
    /// Variance of the initial weights, by the true fans of each edge
    #[arg(long, value_enum, default_value_t = InitArg::Glorot)]
    pub(crate) init: InitArg,
    /// Factor on their standard deviation [default: sigmoid 4, relu 1.414, tanh and identity 1]
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub(crate) gain: Option<f32>,
    /// Seed of graphs, weights, order of samples and dropout
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
    /// Threads of the CPU engine [default: all cores]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ArchArg {
    Sc,
    Rsp,
    Fc,
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
