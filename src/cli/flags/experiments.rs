//! What can be typed for the experiments on trained models.

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
    /// The best of them on the validation split is kept.
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
    /// At the start, falling along a cosine; SGD with momentum 0.9.
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
    /// One that holds these already is refused. [default: runs/<time>-prune-<method>]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

/// What is removed, and how often.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pruning")]
pub(crate) struct PruningArgs {
    /// What is removed: blocks or magnitude
    ///
    /// The last blocks of neurons, layer by layer, or the smallest weights of all layers.
    #[arg(long, value_enum, default_value_t = MethodArg::Blocks)]
    pub(crate) method: MethodArg,
    /// blocks: points of accuracy that may be lost [default: 0.5]
    ///
    /// Percentage points of validation accuracy, against the unpruned model, before fine-tuning.
    #[arg(long, value_name = "POINTS", conflicts_with = "target", allow_negative_numbers = true)]
    pub(crate) max_drop: Option<f64>,
    /// blocks: parameters or share to leave [default: by --max-drop]
    ///
    /// A number of parameters, or a share of the model's (20%); pruned down to it, whatever it costs.
    #[arg(long, value_name = "N|P%", value_parser = target, allow_hyphen_values = true)]
    pub(crate) target: Option<PruneTarget>,
    /// blocks: cut every layer into N even blocks
    ///
    /// [default: the model's own blocks]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) blocks: Option<usize>,
    /// blocks: whether weights of input blocks may go, too
    ///
    /// The inputs themselves stay.
    #[arg(long, value_enum, value_name = "WHETHER", default_value_t = InputsArg::Keep)]
    pub(crate) inputs: InputsArg,
    /// blocks: what a removed neuron leaves [default: mean]
    ///
    /// In the biases that it fed: its mean output over the training samples (which keeps the means of the weighted
    /// sums), or nothing (zero).
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) compensate: Option<Silence>,
    /// magnitude: share of the weights to remove
    ///
    /// As 0.5 or 50%. [default: by --threshold]
    #[arg(long, value_name = "SHARE", conflicts_with = "threshold", value_parser = share, allow_hyphen_values = true)]
    pub(crate) sparsity: Option<f64>,
    /// magnitude: remove every weight with |w| below T
    ///
    /// [default: by --sparsity]
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(crate) threshold: Option<f32>,
    /// Times that pruning and fine-tuning follow each other
    ///
    /// Ends before where nothing changes any more.
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    pub(crate) rounds: usize,
}

#[derive(Debug, Args)]
pub(crate) struct LayerImportanceArgs {
    #[command(flatten)]
    pub(crate) trained: TrainedArgs,
    /// Samples on which lost accuracy is measured
    #[arg(long, value_enum, value_name = "SAMPLES", help_heading = "Measurement", default_value_t = MeasuredArg::Test)]
    pub(crate) on: MeasuredArg,
    /// What a silenced neuron gives: mean or zero
    ///
    /// Its mean over the training samples, which takes away only what it says, or 0, which also shifts the sums it is
    /// part of.
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Measurement", default_value_t = Silence::Mean)]
    pub(crate) silence: Silence,
    /// Cut every layer into N even blocks
    ///
    /// [default: the model's own blocks]
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
    /// Training samples that the forest is grown on
    ///
    /// Drawn by chance.
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
    /// Folder of the results [default: none are written]
    ///
    /// A table, JSON and pictures; one that holds these already is refused.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MeasuredArg {
    Test,
    Validation,
}

/// A trained model, and the samples that an experiment shows it.
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

/// A share, or per cent with a sign.
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
