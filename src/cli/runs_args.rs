//! The flags by which runs survive and end: checkpoints, resumption, patience.

use std::path::PathBuf;

use clap::Args;
use tanner::Error;
use tanner::training::CheckpointEvery;

/// Ids of the flags of `train` that may stand beside `--resume`: they change no bit of the run.
pub(crate) const BESIDE_RESUME: [&str; 4] = ["resume", "threads", "quiet", "json"];

#[derive(Debug, Args)]
#[command(next_help_heading = "Runs")]
pub(crate) struct RunsArgs {
    /// Go on with the run in this folder, from its last checkpoint and with its recorded settings, to the same bits
    /// as if it had never been interrupted; other flags but --threads are refused [default: a new run]
    #[arg(long, value_name = "DIR")]
    pub(crate) resume: Option<PathBuf>,
    /// Keep a checkpoint after so many epochs (1), steps (500steps) or seconds (30s), the last one replacing the one
    /// before; Ctrl-C and SIGTERM always leave one
    #[arg(long, value_name = "N", default_value_t = CheckpointEvery::default(), value_parser = every)]
    pub(crate) checkpoint_every: CheckpointEvery,
    /// Stop after N epochs without a better validation accuracy; needs --validation. The schedule stays that of all
    /// --epochs; model.safetensors is of the last epoch, best.safetensors of the best [default: train all epochs]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) patience: Option<usize>,
}

fn every(text: &str) -> Result<CheckpointEvery, String> {
    text.parse().map_err(|error| match error {
        Error::Setting { reason, .. } => reason,
        other => other.to_string(),
    })
}
