//! Flags of benchmarks.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tanner::engine::OptimizerKind;
use tanner::model::Arch;
use tanner::network::Activation;
use tanner::session::settings::{EdgeFiles, EngineOptions, List};

const AFTER_BENCH_HELP: &str = "\
Networks are the paper's, at any width: as many inputs as neurons in each hidden layer, blocks of 98, 10 classes.
Before timing an engine, a few of its steps are compared with the float64 reference.

Examples:
  tanner bench --arch sc,fc --batch 128,1024                  microseconds per training step
  tanner bench --arch sc2d,narrow --parameters 220020         networks of the same size
  tanner bench --inference --arch sc,fc                       one sample on one thread, and 1024 on all
  tanner bench --scale --out results/scale                    time and memory from width 784 to 65,536
  tanner bench --scale --arch sc,fc --widths 784,1568,3136    compared with the fully connected network
  tanner bench --profile --batch 128 --threads 1              microseconds per stage of a step
  tanner bench --chart ours.json,theirs.json                  ratios and a chart of several files";

#[derive(Debug, Args)]
#[command(next_help_heading = "Network", after_long_help = AFTER_BENCH_HELP)]
pub(crate) struct BenchArgs {
    /// Networks to measure: sc, sc2d, rsp, fc, narrow, band
    ///
    /// fc has dropout 0.5. [default: sc,rsp,fc,narrow; --scale, --profile: sc]
    #[arg(long, value_enum, value_name = "ARCH,..", value_delimiter = ',')]
    pub(crate) arch: Vec<Arch>,
    /// Inputs, and neurons of each hidden layer
    #[arg(long, value_name = "N", default_value_t = 784, allow_negative_numbers = true)]
    pub(crate) width: usize,
    /// Hidden layers
    #[arg(long, value_name = "N", default_value_t = 5, allow_negative_numbers = true)]
    pub(crate) layers: usize,
    /// Maximum weights and biases of each network [default: the usual]
    ///
    /// Chooses degrees, fan-ins or widths, as in training.
    #[arg(long, value_name = "N", conflicts_with_all = ["edges", "scale"], allow_negative_numbers = true)]
    pub(crate) parameters: Option<usize>,
    /// Activation of the hidden layers
    #[arg(long, value_enum, value_name = "KIND", conflicts_with_all = ["edges", "scale"], default_value_t = Activation::Sigmoid)]
    pub(crate) activation: Activation,
    /// Measure a network with graphs from NPZ files [default: --arch]
    ///
    /// As in training: a folder of `export --csr`, or scipy.sparse.save_npz files in the order of the layers.
    #[arg(long, value_name = "FILE,..", conflicts_with_all = ["arch", "width", "layers", "scale"])]
    pub(crate) edges: Option<EdgeFiles>,
    /// Seed of graphs, weights and dropout
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) seed: u64,
    /// Samples in a batch
    ///
    /// [default: 128,1024,4096; --inference: 1,1024; --scale: 32]
    #[arg(long, value_name = "N,..", help_heading = "Measurement")]
    pub(crate) batch: Option<List>,
    /// How gradients change the parameters
    #[arg(long, value_enum, help_heading = "Measurement", default_value_t = OptimizerKind::Momentum)]
    pub(crate) optimizer: OptimizerKind,
    /// Seconds of each measurement
    ///
    /// After a warm-up. Times at least 5 calls, however long they take.
    #[arg(
        long,
        value_name = "S",
        help_heading = "Measurement",
        default_value_t = 2.0,
        allow_negative_numbers = true
    )]
    pub(crate) seconds: f64,
    /// Time forward passes [default: training steps]
    ///
    /// A single sample runs on one CPU thread.
    #[arg(long, help_heading = "Measurement", conflicts_with_all = ["scale", "optimizer"])]
    pub(crate) inference: bool,
    /// Show where the time of a step goes [default: whole steps]
    ///
    /// For each stage: its time, its computations, the bytes it moves, and its work on a GPU.
    #[arg(long, help_heading = "Measurement", conflicts_with_all = ["scale", "inference", "write_edges", "chart"])]
    pub(crate) profile: bool,
    /// Compare with the reference: first, only or skip
    ///
    /// first: before timing each engine; only: without timing; skip: not at all.
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Measurement", default_value_t = CheckArg::First)]
    pub(crate) check: CheckArg,
    /// Measure several widths, and growth [default: only --width]
    ///
    /// Measures training steps, each width in a separate process, and how time and memory grow.
    #[arg(long, help_heading = "Scale", conflicts_with_all = ["width", "check"])]
    pub(crate) scale: bool,
    /// Widths to measure
    ///
    /// [default: 784,1568,3136,6272,12544,25088,50176,65536]
    #[arg(long, value_name = "N,..", help_heading = "Scale", requires = "scale")]
    pub(crate) widths: Option<List>,
    #[command(flatten)]
    pub(crate) engine: EngineOptions,
    /// Print each measurement as a line of JSON [default: a table]
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// Folder for results
    ///
    /// A folder that holds results is refused. [default: none; --scale, --chart: runs/<time>-bench]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
    /// Write the edges of the one network as JSON [default: measure]
    ///
    /// Lets other programs build the same network.
    #[arg(long, value_name = "FILE", help_heading = "Output", conflicts_with_all = ["scale", "inference", "json", "out", "batch", "optimizer", "seconds", "check", "EngineOptions"])]
    pub(crate) write_edges: Option<PathBuf>,
    /// Compare measurements from files [default: measure]
    ///
    /// Measures nothing. Makes a table of ratios and a chart from files, which other programs may have written.
    #[arg(long, value_name = "FILE,..", help_heading = "Output", value_delimiter = ',', conflicts_with_all = [
        "scale", "inference", "json", "edges", "write_edges", "arch", "width", "layers", "seed", "batch", "optimizer", "seconds",
        "check", "EngineOptions",
    ])]
    pub(crate) chart: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckArg {
    First,
    Only,
    Skip,
}
