//! The flags of regularisation beside `--l2` and `--dropout`.

use clap::Args;
use tanner::engine::Penalties;

#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub(crate) struct RegularisationArgs {
    /// L1 penalty L * sum(|w|)
    #[arg(long, value_name = "L", default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) l1: f32,
    /// L1 penalty of the first layer, in place of --l1 there [default: the same as --l1]
    #[arg(long, value_name = "L", allow_negative_numbers = true)]
    pub(crate) l1_input: Option<f32>,
    /// Group lasso on the first layer: L * sqrt(weights) * norm of the weights out of each input, summed
    #[arg(long, value_name = "L", default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) group_lasso: f32,
    /// Smoothed L1/2 penalty L * sum(|w|^(1/2)), smoothed for |w| below 0.05
    #[arg(long, value_name = "L", default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) l_half: f32,
    /// Weight elimination: penalty L * sum(w^2 / (1 + w^2))
    #[arg(long, value_name = "L", default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) weight_elimination: f32,
    /// DropConnect: probability with which a training step drops a connection of a hidden layer; one mask
    /// serves the whole batch, so that its cost follows the edges (Wan et al. draw one for each sample)
    #[arg(long, value_name = "P", default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) dropconnect: f32,
    /// Share of every label that goes to all classes alike; training losses are against the smoothed labels,
    /// test losses against the true ones
    #[arg(long, value_name = "E", default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) label_smoothing: f32,
}

impl RegularisationArgs {
    /// The penalties, given the strength of L2.
    pub(crate) fn penalties(&self, l2: f32) -> Penalties {
        Penalties {
            l2,
            l1: self.l1,
            l1_input: self.l1_input,
            l_half: self.l_half,
            weight_elimination: self.weight_elimination,
            group_lasso: self.group_lasso,
        }
    }
}
