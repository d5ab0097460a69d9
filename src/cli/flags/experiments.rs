//! Flags of experiments on trained models.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tanner::experiments::layer_importance::Silence;
use tanner::experiments::prune::PruneTarget;
use tanner::session::SplitSettings;
use tanner::session::settings::{DataOptions, EngineOptions};

#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    #[command(flatten)]
    pub(crate) trained: TrainedArgs,
    #[command(flatten)]
    pub(crate) pruning: PruningArgs,
    /// Epochs of training after each pruning
    ///
    /// Keeps the epoch that is best on the validation samples.
    #[arg(
        long,
        value_name = "EPOCHS",
        help_heading = "Fine-tuning",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub(crate) fine_tune: usize,
    /// Learning rate [default: blocks 0.02, magnitude 0.1]
    ///
    /// At the start; it falls along a cosine. SGD with momentum 0.9.
    #[arg(long, value_name = "RATE", help_heading = "Fine-tuning", allow_negative_numbers = true)]
    pub(crate) lr: Option<f64>,
    /// Samples in one batch
    #[arg(
        long,
        value_name = "N",
        help_heading = "Fine-tuning",
        default_value_t = 128,
        allow_negative_numbers = true
    )]
    pub(crate) batch_size: usize,
    /// Weight decay, L * sum(w^2) [default: 5e-5, fc: 0]
    #[arg(long, value_name = "L", help_heading = "Fine-tuning", allow_negative_numbers = true)]
    pub(crate) l2: Option<f32>,
    #[command(flatten)]
    pub(crate) engine: EngineOptions,
    /// Folder of the pruned model and its curve
    ///
    /// A folder that holds these is refused. [default: runs/<time>-prune-<method>]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

/// What to remove, and how often.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pruning")]
pub(crate) struct PruningArgs {
    /// What to remove: blocks or magnitude
    ///
    /// blocks: the last blocks of neurons, layer by layer; magnitude: the smallest weights of all layers.
    #[arg(long, value_enum, default_value_t = MethodArg::Blocks)]
    pub(crate) method: MethodArg,
    /// blocks: points of accuracy that may be lost [default: 0.5]
    ///
    /// Percentage points of validation accuracy, compared with the unpruned model, before fine-tuning. Of numbers, how many per cent
    /// the RMSE may rise.
    #[arg(long, value_name = "POINTS", conflicts_with = "target", allow_negative_numbers = true)]
    pub(crate) max_drop: Option<f64>,
    /// blocks: parameters or share to keep [default: by --max-drop]
    ///
    /// A number of parameters, or a share of the model's (20%), whatever the loss of accuracy.
    #[arg(long, value_name = "N|P%", value_parser = target, allow_hyphen_values = true)]
    pub(crate) target: Option<PruneTarget>,
    /// blocks: cut every layer into N even blocks
    ///
    /// A layer with fewer neurons has one block for each. [default: the model's own blocks]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) blocks: Option<usize>,
    /// blocks: whether to prune weights of input blocks, too
    ///
    /// The inputs themselves stay.
    #[arg(long, value_enum, value_name = "WHETHER", default_value_t = InputsArg::Keep)]
    pub(crate) inputs: InputsArg,
    /// blocks: what replaces a removed neuron [default: mean]
    ///
    /// mean: its mean output over the training samples, added to the biases that it fed, which keeps the means of the weighted
    /// sums; zero: nothing.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) compensate: Option<Silence>,
    /// magnitude: share of the weights to remove
    ///
    /// Such as 0.5 or 50%. [default: by --threshold]
    #[arg(long, value_name = "SHARE", conflicts_with = "threshold", value_parser = share, allow_hyphen_values = true)]
    pub(crate) sparsity: Option<f64>,
    /// magnitude: remove every weight with |w| below T
    ///
    /// [default: by --sparsity]
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(crate) threshold: Option<f32>,
    /// How often to prune and fine-tune
    ///
    /// Ends early when nothing changes any more.
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    pub(crate) rounds: usize,
}

#[derive(Debug, Args)]
pub(crate) struct LayerImportanceArgs {
    #[command(flatten)]
    pub(crate) trained: TrainedArgs,
    /// Samples on which to measure the loss of accuracy
    #[arg(long, value_enum, value_name = "SAMPLES", help_heading = "Measurement", default_value_t = MeasuredArg::Test)]
    pub(crate) on: MeasuredArg,
    /// Output of a silenced neuron: mean or zero
    ///
    /// mean: its mean over the training samples, which removes only its information; zero: 0, which also shifts the sums it is
    /// part of.
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Measurement", default_value_t = Silence::Mean)]
    pub(crate) silence: Silence,
    /// Cut every layer into N even blocks
    ///
    /// A layer with fewer neurons has one block for each. [default: the model's own blocks]
    #[arg(long, value_name = "N", help_heading = "Measurement", allow_negative_numbers = true)]
    pub(crate) blocks: Option<usize>,
    /// Trees of each layer's random forest; 0 for none
    #[arg(
        long,
        value_name = "N",
        help_heading = "Measurement",
        default_value_t = 100,
        allow_negative_numbers = true
    )]
    pub(crate) trees: usize,
    /// Training samples for the forest
    ///
    /// Drawn at random.
    #[arg(
        long,
        value_name = "N",
        help_heading = "Measurement",
        default_value_t = 10_000,
        allow_negative_numbers = true
    )]
    pub(crate) forest_samples: usize,
    #[command(flatten)]
    pub(crate) engine: EngineOptions,
    /// Folder for results [default: none]
    ///
    /// Writes a table, JSON and pictures. A folder that holds these is refused.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MeasuredArg {
    Test,
    Validation,
}

/// A trained model, and the samples of an experiment.
#[derive(Debug, Args)]
pub(crate) struct TrainedArgs {
    /// Model file of a run, or the run's folder
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataOptions,
    #[command(flatten)]
    pub(crate) split: SplitSettings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MethodArg {
    Blocks,
    Magnitude,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputsArg {
    Keep,
    Prune,
}

/// A share, or a percentage with its sign.
fn share(text: &str) -> Result<f64, String> {
    let number = match text.strip_suffix('%') {
        Some(number) => format!("{}e-2", number.trim_end()),
        None => text.to_owned(),
    };
    number.parse().map_err(|_| format!("{text:?} is not a share: write 0.5 or 50%"))
}

/// Reads a size; the parser names the flag itself.
fn target(text: &str) -> Result<PruneTarget, String> {
    let wrong = || format!("{text:?} is neither a number of parameters (20000) nor a share of them (20%)");
    match text.strip_suffix('%') {
        Some(percent) => {
            let percent = percent.parse().ok().filter(|percent| *percent > 0.0 && *percent < 100.0);
            percent.map(PruneTarget::Percent).ok_or_else(wrong)
        }
        None => text.parse().map(PruneTarget::Parameters).map_err(|_| wrong()),
    }
}
