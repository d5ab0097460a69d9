//! The settings of a run, in groups.
//!
//! A field of a group is a flag of the command line, a key of a settings file, a key of a plan's entry and a key of
//! `config.json`, all by one name. Its doc comment is the help of the flag.

#![allow(rustdoc::invalid_html_tags, reason = "the help of a flag has words like <time>")]

use std::path::PathBuf;

use super::values::{
    BackendChoice, DegreeDistributions, Delimiter, EventsPlace, KernelChoice, List, Lists, Switch, TestRows,
    Widths,
};
use super::{Preset, Settings};
use crate::Setting;
use crate::dataset::table::{ColumnRef, Header, Impute};
use crate::dataset::{Augmentation, Holdout};
use crate::engine::OptimizerKind;
use crate::importance::{Importance, Order};
use crate::model::Arch;
use crate::network::{Activation, Scheme};
use crate::training::{CheckpointEvery, PatienceOn, Schedule, TargetScore};

/// Defines a group of settings: a struct of optional fields, and what follows from the list of its fields.
macro_rules! group {
    (
        $(#[doc = $about:tt])*
        $heading:literal pub struct $Group:ident in $place:ident {
            $($(#[doc = $doc:tt])* #[arg($($arg:tt)*)] $(#[serde($($serde:tt)*)])? $field:ident: ($($Type:tt)+) => $Setting:ident,)+
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case", default)]
        #[cfg_attr(feature = "cli", derive(clap::Args), command(next_help_heading = $heading))]
        pub struct $Group {
            $(
                $(#[doc = $doc])*
                #[serde(skip_serializing_if = "Option::is_none" $(, $($serde)*)?)]
                #[cfg_attr(feature = "cli", arg(long, $($arg)*))]
                pub $field: Option<$($Type)+>,
            )+
        }

        impl $Group {
            /// Every setting of the group.
            pub(super) const SETTINGS: &'static [Setting] = &[$(Setting::$Setting),+];

            /// Those that have a value.
            pub(crate) fn given(&self) -> impl Iterator<Item = Setting> {
                [$(self.$field.is_some().then_some(Setting::$Setting)),+].into_iter().flatten()
            }

            /// Takes a value away; settings of other groups are none of its business.
            pub(super) fn remove(&mut self, setting: Setting) {
                match setting {
                    $(Setting::$Setting => self.$field = None,)+
                    _ => {}
                }
            }

            /// Takes what it lacks from the group below it.
            pub(super) fn fill_from(&mut self, below: Self) {
                $(if self.$field.is_none() {
                    self.$field = below.$field;
                })+
            }
        }

        impl Settings {
            $(
                #[doc = concat!("With `", stringify!($field), "`.")]
                #[must_use]
                #[allow(dead_code, reason = "one for each field, not all of which are set in code")]
                pub(crate) fn $field(mut self, value: impl Into<$($Type)+>) -> Self {
                    self.$place.$field = Some(value.into());
                    self
                }
            )+
        }
    };
}

group! {
    /// Which data, and how a table is read and encoded.
    "Data" pub struct DataOptions in data {
        /// Folder with the four IDX files of an MNIST-like set, plain or gzipped; or a table: .csv, .tsv, .npy, .npz,
        /// .parquet [default: data/fashion-mnist]
        #[arg(value_name = "PATH")]
        data: (PathBuf) => Data,
        /// Table: column of the label, by its name, or by its place counted from 0, where -1 is the last
        /// [default: a column called label, class, target or y, else the last one]
        #[arg(value_name = "NAME|INDEX", allow_negative_numbers = true)]
        label: (ColumnRef) => Label,
        /// NPY: a second file with one label for each row [default: labels are a column]
        #[arg(value_name = "FILE", conflicts_with = "label")]
        labels: (PathBuf) => Labels,
        /// CSV: whether the first row names the columns; auto looks whether it differs from those below [default: auto]
        #[arg(value_name = "WHETHER", value_enum)]
        header: (Header) => Header,
        /// CSV: what stands between fields, one character or `tab` [default: the one of , ; and tab that fits]
        #[arg(value_name = "CHAR")]
        delimiter: (Delimiter) => Delimiter,
        /// Table: columns to leave out, by names or places as for --label [default: none]
        #[arg(value_name = "COLUMN,..", value_delimiter = ',', allow_negative_numbers = true)]
        drop: (Vec<ColumnRef>) => Drop,
        /// Table: most categories of a column of texts, each of which becomes a feature [default: 64]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        max_categories: (usize) => MaxCategories,
        /// Table: fill missing values (empty, NA, N/A, NaN, null, ?) by mean or median of the training rows or by zero;
        /// a missing text is of no category [default: refuse them]
        #[arg(value_name = "HOW", value_enum)]
        impute: (Impute) => Impute,
        /// Table: what is tested on, a file with the same columns, or a share or number of rows, of each class its
        /// proportion, drawn from --seed [default: 0.2, or what an NPZ file has as x_test]
        #[arg(value_name = "FILE|SHARE", value_parser = super::values::parsed::<TestRows>)]
        test: (TestRows) => Test,
    }
}

group! {
    /// Which samples a run sees, and where it starts.
    "Data" pub struct SampleOptions in samples {
        /// Train on the first N training samples only [default: all]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        train_limit: (usize) => TrainLimit,
        /// Hold samples out of the training set, so many (10000) or a share (0.1), and score on
        /// them; the test set is not looked at [default: score on the test set]
        #[arg(value_name = "N|SHARE", value_parser = super::values::parsed::<Holdout>)]
        validation: (Holdout) => Validation,
        /// Go on from a saved model: its preprocessing, network and values; the optimiser starts anew
        /// [default: a new network]
        #[arg(value_name = "FILE", conflicts_with_all = ["ImportanceOptions", "ArchitectureOptions", "init", "gain"])]
        from: (PathBuf) => From,
    }
}

group! {
    /// How inputs are standardised and ordered.
    "Importance" pub struct ImportanceOptions in importance {
        /// Short for --importance pca
        #[arg(num_args = 0, default_missing_value = "true", conflicts_with_all = ["rf", "importance"])]
        pca: (bool) => Pca,
        /// Short for --importance rf
        #[arg(num_args = 0, default_missing_value = "true", conflicts_with = "importance")]
        rf: (bool) => Rf,
        /// By what the inputs are ordered: variance of principal components, decrease in Gini impurity
        /// in a random forest, variance, chance, or nothing [default: pca]
        #[arg(value_name = "KIND", value_enum)]
        importance: (Importance) => Importance,
        /// Most important input first (desc) or last (asc) [default: desc]
        #[arg(value_name = "ORDER", value_enum)]
        order: (Order) => Order,
        /// rf: number of trees; more give a steadier order, and take longer [default: 500]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        trees: (usize) => Trees,
        /// Standardise each raw feature first: minus its mean, by its deviation + 0.001, both of the training
        /// set. Raw pixels are never negative, so their means are not 0; components of a PCA have the mean 0, and
        /// their scale tells their importance [default: on for rf, variance and random, else off]
        #[arg(value_name = "ON", value_enum, num_args = 0..=1, default_missing_value = "on")]
        standardize: (Switch) => Standardize,
    }
}

group! {
    /// How the network looks, before it is known how wide its data are.
    "Architecture" pub struct ArchitectureOptions in architecture {
        /// How hidden layers are joined: sc spatially coupled, rsp random sparse, fc fully connected,
        /// narrow fully connected with as few parameters as sc, band as sc but without a window [default: sc]
        #[arg(value_enum)]
        arch: (Arch) => Arch,
        /// Widths of the hidden layers, or `none`; narrow keeps their number and finds the width itself
        /// [default: 784,784,784,784,784]
        #[arg(value_name = "N,N,..")]
        hidden: (Widths) => Hidden,
        /// sc, band: number of blocks, one or a list by layer [default: 8, fewer where a layer has fewer neurons]
        #[arg(value_name = "N")]
        blocks: (List) => Blocks,
        /// sc: input blocks that an output block sees, one or a list by layer [default: 2]
        #[arg(value_name = "N")]
        receptive_field: (List) => ReceptiveField,
        /// sc, band: out-degree of the neurons of each block, one number for all blocks; lists by layer stand between slashes
        /// [default: for 784 neurons and 8 blocks 98,130,98,49,20,10,10,10, for others in proportion]
        #[arg(value_name = "N,N,..")]
        degrees: (Lists) => Degrees,
        /// sc, band: share of the weights that exist, in place of --degrees, whose default is scaled to it as far as
        /// the receptive field allows [default: 0.068]
        #[arg(value_name = "SHARE", conflicts_with = "degrees", allow_negative_numbers = true)]
        density: (f64) => Density,
        /// rsp: out-degree of every neuron [default: 53]
        #[arg(value_name = "N", conflicts_with = "degree_distribution", allow_negative_numbers = true)]
        degree: (usize) => Degree,
        /// rsp: distribution of the out-degrees, regular:53, uniform:10-90, poisson:53 or
        /// 20:0.5,86:0.5; distributions by layer stand between slashes [default: regular:53]
        #[arg(value_name = "TEXT")]
        degree_distribution: (DegreeDistributions) => DegreeDistribution,
        /// narrow: most weights and biases of the network [default: as many as the sc network of these flags has]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        budget: (usize) => Budget,
        /// band: blocks over which the probability of an edge falls by the factor e [default: 1]
        #[arg(value_name = "BLOCKS", allow_negative_numbers = true)]
        softness: (f64) => Softness,
        /// Activation of the hidden layers [default: sigmoid]
        #[arg(value_enum)]
        activation: (Activation) => Activation,
        /// Probability with which training drops a hidden unit [default: 0]
        #[arg(value_name = "P", allow_negative_numbers = true)]
        dropout: (f32) => Dropout,
    }
}

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
        /// Learning rate at the start [default: 0.1; adam, adamw: 0.001; lion: 0.0001]
        #[arg(value_name = "RATE", allow_negative_numbers = true)]
        lr: (f64) => Lr,
        /// momentum, nesterov: share of the last step that is kept [default: 0.9]
        #[arg(value_name = "SHARE", allow_negative_numbers = true)]
        momentum: (f32) => Momentum,
        /// adam, adamw, lion: decay of the mean of the gradients [default: 0.9]
        #[arg(value_name = "SHARE", allow_negative_numbers = true)]
        adam_beta1: (f32) => AdamBeta1,
        /// adam, adamw: decay of the mean of their squares; lion: of the momentum [default: 0.999; lion: 0.99]
        #[arg(value_name = "SHARE", allow_negative_numbers = true)]
        adam_beta2: (f32) => AdamBeta2,
        /// adam, adamw: what keeps the division finite [default: 1e-8]
        #[arg(value_name = "E", allow_negative_numbers = true)]
        adam_epsilon: (f32) => AdamEpsilon,
        /// Learning rate over the epochs: constant, cosine (down to 0) or step:EPOCHS:FACTOR [default: cosine]
        #[arg(value_name = "TEXT", value_parser = super::values::parsed::<Schedule>)]
        schedule: (Schedule) => Schedule,
        /// Weight decay L, the penalty being L * sum(w^2) [default: 5e-5, fc: 0]
        #[arg(value_name = "L", allow_negative_numbers = true)]
        l2: (f32) => L2,
        /// L1 penalty L * sum(|w|) [default: 0]
        #[arg(value_name = "L", allow_negative_numbers = true)]
        l1: (f32) => L1,
        /// L1 penalty of the first layer, in place of --l1 there [default: the same as --l1]
        #[arg(value_name = "L", allow_negative_numbers = true)]
        l1_input: (f32) => L1Input,
        /// Group lasso on the first layer: L * sqrt(weights) * norm of the weights out of each input, summed [default: 0]
        #[arg(value_name = "L", allow_negative_numbers = true)]
        group_lasso: (f32) => GroupLasso,
        /// Smoothed L1/2 penalty L * sum(|w|^(1/2)), smoothed for |w| below 0.05 [default: 0]
        #[arg(value_name = "L", allow_negative_numbers = true)]
        l_half: (f32) => LHalf,
        /// Weight elimination: penalty L * sum(w^2 / (1 + w^2)) [default: 0]
        #[arg(value_name = "L", allow_negative_numbers = true)]
        weight_elimination: (f32) => WeightElimination,
        /// DropConnect: probability with which a training step drops a connection of a hidden layer; one mask
        /// serves the whole batch, so that its cost follows the edges (Wan et al. draw one for each sample) [default: 0]
        #[arg(value_name = "P", allow_negative_numbers = true)]
        dropconnect: (f32) => Dropconnect,
        /// Share of every label that goes to all classes alike; training losses are against the smoothed labels,
        /// test losses against the true ones [default: 0]
        #[arg(value_name = "E", allow_negative_numbers = true)]
        label_smoothing: (f32) => LabelSmoothing,
        /// Variance of the initial weights, by the true fans of each edge [default: glorot]
        #[arg(value_enum)]
        init: (Scheme) => Init,
        /// Factor on their standard deviation [default: sigmoid 4, relu 1.414, tanh and identity 1]
        #[arg(value_name = "FACTOR", allow_negative_numbers = true)]
        gain: (f32) => Gain,
        /// Move each training picture by chance, another way every epoch: shift=N (up to N pixels in both
        /// directions, filled up with 0), flip (left to right, every second one), shift=N,flip, or none [default: none]
        #[arg(value_name = "TEXT", value_parser = super::values::parsed::<Augmentation>)]
        #[serde(with = "super::values::as_text")]
        augment: (Augmentation) => Augment,
        /// Seed of graphs, weights, order of samples, dropout and augmentation [default: 0]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        seed: (u64) => Seed,
    }
}

group! {
    /// What a run is computed on.
    "Engine" pub struct EngineOptions in engine {
        /// auto: a hardware GPU if there is one, else the CPU; gpu: software adapters, too [default: auto]
        #[arg(value_enum)]
        backend: (BackendChoice) => Backend,
        /// Take the GPU with this number in `tanner devices`, or the one whose name contains this text [default: the best]
        #[arg(value_name = "N|TEXT")]
        adapter: (String) => Adapter,
        /// Which tiles a GPU stores dense and how many invocations share a sum: auto (what a short measurement finds
        /// best, kept in the cache), default (without one), or what a run recorded, dense=0.3,forward=8,..; results differ in
        /// their last digits [default: auto for training on hardware GPUs, else default]
        #[arg(value_name = "KERNELS", value_parser = super::values::parsed::<KernelChoice>)]
        gpu_kernels: (KernelChoice) => GpuKernels,
        /// Threads of the CPU engine [default: all cores]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        threads: (usize) => Threads,
    }
}

group! {
    /// What a run keeps, and what ends it early.
    "Runs" pub struct KeepingOptions in keeping {
        /// Keep a checkpoint and the models after so many epochs (1), steps (500steps) or seconds (30s), replacing those
        /// before; Ctrl-C and SIGTERM always leave them [default: 5s]
        #[arg(value_name = "N", value_parser = super::values::parsed::<CheckpointEvery>)]
        checkpoint_every: (CheckpointEvery) => CheckpointEvery,
        /// Stop after N epochs without a better validation accuracy or the same with a lower loss; needs --validation. The
        /// schedule stays; model.safetensors is of the last epoch, best.safetensors of the best [default: train all epochs]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        patience: (usize) => Patience,
        /// What has to get better for --patience: score (accuracy, ties by the loss) or the loss alone [default: score]
        #[arg(value_enum, value_name = "WHAT")]
        patience_on: (PatienceOn) => PatienceOn,
        /// Time when the accuracy reaches a share (0.8718 or 87.18%), seconds_to_target in summary.json [default: none]
        #[arg(value_name = "SHARE", allow_negative_numbers = true, value_parser = super::values::parsed::<TargetScore>)]
        target: (TargetScore) => Target,
    }
}

group! {
    /// Where results go.
    "Output" pub struct OutputOptions in output {
        /// Folder of the run; one that holds a run already is refused
        /// [default: runs/TIME-ARCH-IMPORTANCE-ORDER-sSEED]
        #[arg(value_name = "DIR")]
        out: (PathBuf) => Out,
        /// Write an event file for TensorBoard after every epoch: losses, accuracies, learning rate, weights of each layer;
        /// alone (or run-folder) into the run folder, else into a folder of the run's name below DIR [default: none]
        #[arg(value_name = "DIR", num_args = 0..=1, default_missing_value = EventsPlace::RUN_FOLDER,
            value_parser = super::values::parsed::<EventsPlace>)]
        tensorboard: (EventsPlace) => Tensorboard,
    }
}

group! {
    /// Settings under a name.
    "Settings" pub struct PresetOption in preset {
        /// Settings under a name, over which files and typed flags win: paper (the paper's recipe, with the usual choices
        /// where it is silent), tanner (the most accurate recipe found for Fashion-MNIST; for pictures), small (small
        /// tables: two hidden layers behind standardised features in a random forest's order) [default: none]
        #[arg(value_enum, value_name = "NAME")]
        preset: (Preset) => Preset,
    }
}
