//! The settings of training; the other groups are in [`groups`](super::groups).

use super::Settings;
use super::class_weights::ClassWeights;
use super::group::group;
use crate::Setting;
use crate::dataset::Augmentation;
use crate::engine::{LossRule, OptimizerKind};
use crate::network::Scheme;
use crate::training::{Rewire, Schedule};

group! {
    /// How the network is trained.
    "Training" pub struct TrainingOptions in training {
        /// Passes over the training set [default: 30]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        epochs: (usize) => Epochs,
        /// Samples in one batch [default: 128]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        batch_size: (usize) => BatchSize,
        /// How gradients change the parameters [default: momentum]
        #[arg(value_enum)]
        optimizer: (OptimizerKind) => Optimizer,
        /// Learning rate at the start [default: 0.1]
        ///
        /// [default: 0.1; adam, adamw: 0.001; lion: 0.0001]
        #[arg(value_name = "RATE", allow_negative_numbers = true)]
        lr: (f64) => Lr,
        /// momentum, nesterov: share of the last step kept [default: 0.9]
        #[arg(value_name = "SHARE", allow_negative_numbers = true)]
        momentum: (f32) => Momentum,
        /// adam, adamw, lion: decay of the mean gradient [default: 0.9]
        #[arg(value_name = "SHARE", allow_negative_numbers = true)]
        adam_beta1: (f32) => AdamBeta1,
        /// adam, adamw: decay of the mean square [default: 0.999]
        ///
        /// adam, adamw: decay of the mean of the squared gradients; lion: of the momentum. [default: 0.999; lion: 0.99]
        #[arg(value_name = "SHARE", allow_negative_numbers = true)]
        adam_beta2: (f32) => AdamBeta2,
        /// adam, adamw: term that keeps the division finite [default: 1e-8]
        #[arg(value_name = "E", allow_negative_numbers = true)]
        adam_epsilon: (f32) => AdamEpsilon,
        /// Learning rate over the epochs [default: cosine]
        ///
        /// constant, cosine (down to 0) or step:EPOCHS:FACTOR.
        #[arg(value_name = "TEXT", value_parser = super::values::parsed::<Schedule>)]
        schedule: (Schedule) => Schedule,
        /// Weight decay, L * sum(w^2) [default: 5e-5, fc: 0]
        #[arg(value_name = "L", allow_negative_numbers = true)]
        l2: (f32) => L2,
        /// L1 penalty, L * sum(|w|) [default: 0]
        #[arg(value_name = "L", allow_negative_numbers = true)]
        l1: (f32) => L1,
        /// L1 penalty of the first layer [default: the same as --l1]
        ///
        /// Replaces --l1 in the first layer.
        #[arg(value_name = "L", allow_negative_numbers = true)]
        l1_input: (f32) => L1Input,
        /// Group lasso on the first layer [default: 0]
        ///
        /// L * sqrt(weights) * norm of the weights of each input, summed.
        #[arg(value_name = "L", allow_negative_numbers = true)]
        group_lasso: (f32) => GroupLasso,
        /// Smoothed L1/2 penalty, L * sum(|w|^(1/2)) [default: 0]
        ///
        /// Smoothed for |w| below 0.05.
        #[arg(value_name = "L", allow_negative_numbers = true)]
        l_half: (f32) => LHalf,
        /// Penalty L * sum(w^2 / (1 + w^2)) [default: 0]
        #[arg(value_name = "L", allow_negative_numbers = true)]
        weight_elimination: (f32) => WeightElimination,
        /// Probability of dropping a connection [default: 0]
        ///
        /// In hidden layers, in training only. The whole batch shares one mask, so its cost depends on the edges (Wan et al.
        /// draw one for each sample).
        #[arg(value_name = "P", allow_negative_numbers = true)]
        dropconnect: (f32) => Dropconnect,
        /// Regression: squared, absolute, huber or huber:D [default: squared]
        ///
        /// Of the error e in deviations of the target: squared: e^2 / 2; absolute: |e|; huber:D: e^2 / 2 up to D, beyond it
        /// D (|e| - D / 2), with D 1 by default. Several targets have the mean of their losses.
        #[arg(value_name = "LOSS", value_parser = super::values::parsed::<LossRule>)]
        loss: (LossRule) => Loss,
        /// Weights of classes: balanced or NAME:W,.. [default: 1]
        ///
        /// How much a training sample of a class counts in the loss. balanced: inverse to the number of samples of the class.
        /// Others have the weight 1. All weights are divided by their mean. Scores count every sample alike.
        #[arg(value_name = "WEIGHTS", value_parser = super::values::parsed::<ClassWeights>)]
        class_weight: (ClassWeights) => ClassWeight,
        /// Share of every label that goes to all classes [default: 0]
        ///
        /// Training losses use the smoothed labels, test losses the true ones.
        #[arg(value_name = "E", allow_negative_numbers = true)]
        label_smoothing: (f32) => LabelSmoothing,
        /// Variance of the initial weights [default: glorot]
        ///
        /// Computed from the true fan-in and fan-out of each edge.
        #[arg(value_enum)]
        init: (Scheme) => Init,
        /// Factor on the deviation of the initial weights
        ///
        /// [default: sigmoid 4, relu 1.414, tanh and identity 1]
        #[arg(value_name = "FACTOR", allow_negative_numbers = true)]
        gain: (f32) => Gain,
        /// Shift or mirror training pictures at random [default: none]
        ///
        /// Differently in every epoch: shift=N (by up to N pixels in both directions, filled up with 0), flip (mirror half of
        /// them from left to right), shift=N,flip, or none.
        #[arg(value_name = "TEXT", value_parser = super::values::parsed::<Augmentation>)]
        #[serde(with = "super::values::as_text")]
        augment: (Augmentation) => Augment,
        /// Move edges: off, set, rigl or percolate [default: off]
        ///
        /// Between epochs the smallest weights of each layer are removed and as many edges added. set: at random; rigl: where the
        /// gradient of the loss is largest; percolate: at random, and away from neurons that nothing reaches or that reach nothing.
        /// Edges are added where the architecture allows them: between connected blocks, in sc2d within 3 times the reach.
        #[arg(value_enum, value_name = "RULE")]
        rewire: (Rewire) => Rewire,
        /// Share of the edges that move at first [default: 0.3]
        ///
        /// Falls along a cosine to 0 at --rewire-end.
        #[arg(value_name = "SHARE", allow_negative_numbers = true)]
        rewire_fraction: (f64) => RewireFraction,
        /// Epochs between moves [default: 1]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        rewire_every: (usize) => RewireEvery,
        /// Share of the epochs in which edges move [default: 0.75]
        #[arg(value_name = "SHARE", allow_negative_numbers = true)]
        rewire_end: (f64) => RewireEnd,
        /// Seed of everything random [default: 0]
        ///
        /// Graphs, weights, order of samples, dropout, augmentation and moving edges.
        #[arg(value_name = "N", allow_negative_numbers = true)]
        seed: (u64) => Seed,
    }
}
