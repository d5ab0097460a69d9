//! The settings of a run, in groups.
//!
//! A field of a group is a flag of the command line, a key of a settings file, a key of a plan's entry and a key of
//! `config.json`, all by one name. Its doc comment is the help of the flag.

#![allow(rustdoc::invalid_html_tags, reason = "the help of a flag has words like <time>")]

use std::path::PathBuf;

use super::edge_files::EdgeFiles;
use super::group::group;
use super::planar::{Grids, Numbers};
use super::values::{
    BackendChoice, DegreeDistributions, Delimiter, EventsPlace, KernelChoice, List, Lists, Switch, TestRows,
    Widths,
};
use super::{Preset, Settings};
use crate::Setting;
use crate::dataset::Holdout;
use crate::dataset::table::{ColumnRef, Header, Impute};
use crate::importance::{Importance, Order};
use crate::model::Arch;
use crate::network::Activation;
use crate::topology::{Falloff, Grain, Grid};
use crate::training::{CheckpointEvery, PatienceOn, TargetScore};

group! {
    /// Which data, and how a table is read and encoded.
    "Data" pub struct DataOptions in data {
        /// File or folder of data [default: data/fashion-mnist]
        ///
        /// A folder has the four IDX files of an MNIST-like set, plain or gzipped. A table is .csv, .tsv, .npy, .npz or .parquet.
        /// The same as the argument without a flag.
        #[arg(value_name = "PATH")]
        data: (PathBuf) => Data,
        /// Table: column of the label, by name or place
        ///
        /// Places count from 0, and -1 is the last column.
        /// [default: a column called label, class, target or y, else the last one]
        #[arg(value_name = "NAME|INDEX", allow_negative_numbers = true)]
        label: (ColumnRef) => Label,
        /// NPY: a second file with one label for each row
        ///
        /// [default: labels are a column]
        #[arg(value_name = "FILE", conflicts_with = "label")]
        labels: (PathBuf) => Labels,
        /// CSV: whether the first row names the columns [default: auto]
        ///
        /// auto looks whether the first row differs from those below.
        #[arg(value_name = "WHETHER", value_enum)]
        header: (Header) => Header,
        /// CSV: what stands between fields, one character or `tab`
        ///
        /// [default: the one of , ; and tab that fits]
        #[arg(value_name = "CHAR")]
        delimiter: (Delimiter) => Delimiter,
        /// Table: columns to leave out [default: none]
        ///
        /// By names or places, as for --label.
        #[arg(value_name = "COLUMN,..", value_delimiter = ',', allow_negative_numbers = true)]
        drop: (Vec<ColumnRef>) => Drop,
        /// Table: most categories of a column of texts [default: 64]
        ///
        /// Each category becomes a feature.
        #[arg(value_name = "N", allow_negative_numbers = true)]
        max_categories: (usize) => MaxCategories,
        /// Table: fill missing values [default: refuse them]
        ///
        /// mean or median of the training rows, or zero. Missing are empty cells, NA, N/A, NaN, null and ?; a missing text is of no
        /// category.
        #[arg(value_name = "HOW", value_enum)]
        impute: (Impute) => Impute,
        /// Table: size of the pictures that rows are [default: none]
        ///
        /// As 28x28, rows and columns: features are pixels in reading order. IDX files say so themselves.
        #[arg(value_name = "RxC", value_parser = super::values::parsed::<Grid>)]
        picture: (Grid) => Picture,
        /// Table: file, share or number of rows to test on [default: 0.2]
        ///
        /// A file has the same columns. A share or number of rows is drawn from --seed, of each class its proportion. An NPZ file
        /// may bring its own test rows, as x_test.
        #[arg(value_name = "FILE|SHARE", allow_negative_numbers = true, value_parser = super::values::parsed::<TestRows>)]
        test: (TestRows) => Test,
    }
}

group! {
    /// Which samples a run sees, and where it starts.
    "Data" pub struct SampleOptions in samples {
        /// Train on the first N training samples only [default: all]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        train_limit: (usize) => TrainLimit,
        /// Hold out training samples to score on [default: none]
        ///
        /// A number (10000) or a share (0.1). The test set is not looked at then. [default: score on the test set]
        #[arg(value_name = "N|SHARE", allow_negative_numbers = true, value_parser = super::values::parsed::<Holdout>)]
        validation: (Holdout) => Validation,
        /// Go on from a saved model [default: a new network]
        ///
        /// Its preprocessing, network and values are kept; the optimiser starts from nothing. A run folder means its model.
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
        /// How inputs are ordered: pca, rf, variance.. [default: pca]
        ///
        /// pca: variance of principal components; rf: decrease in Gini impurity in a random forest; variance; random: by chance;
        /// none: as they are.
        #[arg(value_name = "KIND", value_enum)]
        importance: (Importance) => Importance,
        /// Most important input first (desc) or last (asc) [default: desc]
        #[arg(value_name = "ORDER", value_enum)]
        order: (Order) => Order,
        /// rf: number of trees [default: 500]
        ///
        /// More trees give a steadier order, and take longer.
        #[arg(value_name = "N", allow_negative_numbers = true)]
        trees: (usize) => Trees,
        /// Standardise each raw feature first
        ///
        /// Minus its mean, by its deviation + 0.001, both of the training set. Raw pixels are never negative, so their means are
        /// not 0; components of a PCA have the mean 0, and their scale tells their importance.
        /// [default: on for rf, variance and random, else off]
        #[arg(value_name = "ON", value_enum, num_args = 0..=1, default_missing_value = "on")]
        standardize: (Switch) => Standardize,
    }
}

group! {
    /// How the network looks, before it is known how wide its data are.
    "Architecture" pub struct ArchitectureOptions in architecture {
        /// Hidden layers: sc, sc2d, rsp, fc, narrow.. [default: sc]
        ///
        /// sc spatially coupled, sc2d the same in two dimensions along a picture, rsp random sparse, fc fully connected, narrow
        /// fully connected with as few parameters as sc, band as sc but without a window.
        #[arg(value_enum)]
        arch: (Arch) => Arch,
        /// Widths of hidden layers [default: 784,784,784,784,784]
        ///
        /// `none` for no hidden layer. narrow keeps their number and finds the width itself.
        #[arg(value_name = "N,N,..", allow_negative_numbers = true)]
        hidden: (Widths) => Hidden,
        /// sc, band: number of blocks [default: 8]
        ///
        /// One number, or a list by layer. A layer with fewer neurons has fewer blocks.
        #[arg(value_name = "N", allow_negative_numbers = true)]
        blocks: (List) => Blocks,
        /// sc: input blocks that an output block sees [default: 2]
        ///
        /// One number, or a list by layer.
        #[arg(value_name = "N", allow_negative_numbers = true)]
        receptive_field: (List) => ReceptiveField,
        /// sc, band: edges of a neuron of each block
        ///
        /// One number for all blocks, or a list; lists by layer stand between slashes.
        /// [default: for 784 neurons and 8 blocks 98,130,98,49,20,10,10,10, for others in proportion]
        #[arg(value_name = "N,N,..", allow_negative_numbers = true)]
        degrees: (Lists) => Degrees,
        /// sc, band: share of the weights that exist [default: 0.068]
        ///
        /// In place of --degrees, whose default is scaled to it as far as the receptive field allows.
        #[arg(value_name = "SHARE", conflicts_with = "degrees", allow_negative_numbers = true)]
        density: (f64) => Density,
        /// rsp: out-degree of every neuron [default: 53]
        #[arg(value_name = "N", conflicts_with = "degree_distribution", allow_negative_numbers = true)]
        degree: (usize) => Degree,
        /// rsp: distribution of the out-degrees [default: regular:53]
        ///
        /// regular:53, uniform:10-90, poisson:53 or 20:0.5,86:0.5; distributions by layer stand between slashes.
        #[arg(value_name = "TEXT")]
        degree_distribution: (DegreeDistributions) => DegreeDistribution,
        /// narrow: most weights and biases of the network
        ///
        /// [default: as many as the sc network of these flags has]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        budget: (usize) => Budget,
        /// band: blocks over which edges get e times rarer [default: 1]
        #[arg(value_name = "BLOCKS", allow_negative_numbers = true)]
        softness: (f64) => Softness,
        /// sc2d: rows, columns and maps of each layer
        ///
        /// As 28x28,14x14x4: one grid for each hidden layer, which all cover the same picture; maps are neurons on one place.
        /// [default: three layers, or as many as --reach and --fan-in have, of the picture's size]
        #[arg(value_name = "GRID,GRID,..", value_parser = super::values::parsed::<Grids>)]
        grid: (Grids) => Grid,
        /// sc2d: inputs of a neuron [default: 40,76,144]
        ///
        /// One number, or a list by layer; 41.5 is 41 for half of the neurons and 42 for the others, in micro-blocks
        /// 40 for most and 44 for the others. The default is that of three layers; for others it grows likewise from the first to the last.
        #[arg(value_name = "N,N,..", allow_negative_numbers = true)]
        fan_in: (Numbers) => FanIn,
        /// sc2d: how far a neuron sees, in pixels [default: 1.5,2.74,5]
        ///
        /// One number, or a list by layer: the standard deviation of a Gaussian, or half the side of a window. The default is
        /// that of three layers on 28 x 28 pixels; for others it grows likewise, in proportion to the picture, as far as the fan-in needs; windows
        /// are twice as wide.
        #[arg(value_name = "PIXELS,..", allow_negative_numbers = true)]
        reach: (Numbers) => Reach,
        /// sc2d: how the chance of an edge falls [default: gauss]
        ///
        /// gauss: with the distance; window: not at all within the reach, and to nothing beyond it.
        #[arg(value_enum, value_name = "HOW")]
        falloff: (Falloff) => Falloff,
        /// sc2d: draw micro-blocks (4) or edges (1) [default: 4]
        ///
        /// 4 joins patches of 2 x 2 neurons by all 16 edges, which costs no padding and one index; it needs grids with even
        /// sides. The default is 1 for grids with an odd side.
        #[arg(value_enum, value_name = "N")]
        grain: (Grain) => Grain,
        /// sc2d: how strongly edges go to important pixels [default: 0]
        ///
        /// The chance of a pixel in the draw of the first layer is multiplied by (its importance / the mean importance) to this
        /// power. Needs --importance rf, variance or random.
        #[arg(value_name = "POWER", allow_negative_numbers = true)]
        importance_power: (f64) => ImportancePower,
        /// Most weights and biases [default: what other flags give]
        ///
        /// Finds the degrees, the fan-in or the widths of the largest such network: sc, band and sc2d in their usual proportions, rsp by
        /// the mean degree, fc and narrow by the widths.
        #[arg(value_name = "N", allow_negative_numbers = true)]
        parameters: (usize) => Parameters,
        /// Graphs from NPZ files, in place of drawn ones [default: none]
        ///
        /// A folder that `export --csr` wrote, or scipy.sparse.save_npz files (outputs by inputs) in the order of the layers, the
        /// logits' the last: a.npz,b.npz. Only the graph counts: a stored entry is an edge, even 0, and weights, biases and preprocessing
        /// there are ignored. It decides the widths: of the architecture only --activation and --dropout are free. Features stay as
        /// they are unless --importance is given.
        #[arg(value_name = "FILE,..")]
        edges: (EdgeFiles) => Edges,
        /// Activation of the hidden layers [default: sigmoid]
        #[arg(value_enum)]
        activation: (Activation) => Activation,
        /// Probability of dropping a hidden unit [default: 0]
        ///
        /// While training; all units take part when a model is used.
        #[arg(value_name = "P", allow_negative_numbers = true)]
        dropout: (f32) => Dropout,
    }
}

group! {
    /// What a run is computed on.
    "Engine" pub struct EngineOptions in engine {
        /// Engine: auto, gpu, cpu or reference [default: auto]
        ///
        /// auto takes a hardware GPU if there is one, else the CPU; gpu takes software adapters, too; reference is slow and exact.
        #[arg(value_enum)]
        backend: (BackendChoice) => Backend,
        /// Which GPU: its number or a part of its name [default: the best]
        ///
        /// Numbers are those of `tanner devices`; one or two digits are always a number. A part of a name (4090) must fit one
        /// GPU alone.
        #[arg(value_name = "N|TEXT")]
        adapter: (String) => Adapter,
        /// How a GPU stores tiles and shares sums
        ///
        /// auto (what a short measurement finds best, kept in the cache), default (without one), or what a run recorded:
        /// dense=0.3,forward=8,logits=32,backward-input=8,backward-weight=8. Results differ in their last digits.
        /// [default: auto for training on hardware GPUs, else default]
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
        /// How often a checkpoint and the models are kept [default: 5s]
        ///
        /// After this many epochs (1), steps (500steps) or seconds (30s), the last one replacing the one before. A signal that
        /// ends a run always leaves one.
        #[arg(value_name = "N", allow_hyphen_values = true, value_parser = super::values::parsed::<CheckpointEvery>)]
        checkpoint_every: (CheckpointEvery) => CheckpointEvery,
        /// Stop after N epochs without a better score
        ///
        /// A score is also better where the accuracy is the same and the loss lower. Needs --validation. The schedule stays that of all --epochs; model.safetensors is of the last epoch, best.safetensors of
        /// the best. [default: train all epochs]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        patience: (usize) => Patience,
        /// What has to get better for --patience [default: score]
        ///
        /// score is the accuracy, ties by the loss; loss is the loss alone.
        #[arg(value_enum, value_name = "WHAT")]
        patience_on: (PatienceOn) => PatienceOn,
        /// Time when the score reaches a share [default: none]
        ///
        /// As 0.8718 or 87.18%; summary.json then has seconds_to_target.
        #[arg(value_name = "SHARE", allow_negative_numbers = true, value_parser = super::values::parsed::<TargetScore>)]
        target: (TargetScore) => Target,
    }
}

group! {
    /// Where results go.
    "Output" pub struct OutputOptions in output {
        /// Folder of the run [default: a new one in runs/]
        ///
        /// One that holds a run already is refused. A new one is named after time, data, architecture, what was set, and seed.
        #[arg(value_name = "DIR")]
        out: (PathBuf) => Out,
        /// Write an event file for TensorBoard [default: none]
        ///
        /// After every epoch: losses, accuracies, learning rate, weights of each layer. Alone (or run-folder) it goes into the run
        /// folder, else into a folder of the run's name below DIR.
        #[arg(value_name = "DIR", num_args = 0..=1, default_missing_value = EventsPlace::RUN_FOLDER,
            value_parser = super::values::parsed::<EventsPlace>)]
        tensorboard: (EventsPlace) => Tensorboard,
    }
}

group! {
    /// Settings under a name.
    "Settings" pub struct PresetOption in preset {
        /// Settings by a name: paper, tanner or small [default: none]
        ///
        /// Files and typed flags win over them. paper: the paper's recipe, with the usual choices where it is silent. tanner: the
        /// most accurate recipe found for Fashion-MNIST; for pictures. small: for small tables, two hidden layers behind
        /// standardised features in a random forest's order.
        #[arg(value_enum, value_name = "NAME")]
        preset: (Preset) => Preset,
    }
}
