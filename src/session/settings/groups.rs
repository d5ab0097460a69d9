//! The settings of a run, in groups.
//!
//! A field of a group is a flag of the command line, a key of a settings file, a key of a plan's entry and a key of
//! `config.json`, all by one name. Its doc comment is the help of the flag.

#![allow(rustdoc::invalid_html_tags, reason = "help texts have words like <time>")]

use std::path::PathBuf;

use super::edge_files::EdgeFiles;
use super::group::group;
use super::planar::{Grids, Numbers};
use super::task_choice::TaskChoice;
use super::values::{
    BackendChoice, DegreeDistributions, Delimiter, EventsPlace, KernelChoice, List, Lists, TestRows, Widths,
};
use super::{Preset, Settings};
use crate::Setting;
use crate::dataset::Holdout;
use crate::dataset::table::{ColumnRef, Decimal, Header, Impute};
use crate::model::Arch;
use crate::network::Activation;
use crate::topology::{Falloff, Grain, Grid};
use crate::training::{CheckpointEvery, PatienceOn, TargetScore};

group! {
    /// Which data to use, and how to read and encode a table.
    "Data" pub struct DataOptions in data {
        /// File or folder of data [default: data/fashion-mnist]
        ///
        /// A folder has the four IDX files of an MNIST-like set, plain or gzipped. A table is .csv, .tsv, .npy, .npz or .parquet.
        /// The same as the argument without a flag.
        #[arg(value_name = "PATH")]
        data: (PathBuf) => Data,
        /// Table: column of the label, by name or place
        ///
        /// Places count from 0, and -1 is the last column. Several columns, with commas between them, are several numbers to
        /// predict or, if all are 0 or 1, several labels of a sample; quotes around a name protect its commas.
        /// [default: a column called label, class, target or y, otherwise the last one]
        #[arg(value_name = "NAME|INDEX", allow_negative_numbers = true)]
        label: (ColumnRef) => Label,
        /// NPY, NPZ: a second file with one label per row
        ///
        /// For an NPZ archive also the name of one of its arrays. [default: labels are a column or an array]
        #[arg(value_name = "FILE", conflicts_with = "label")]
        labels: (PathBuf) => Labels,
        /// Table: what to learn: classification, regression.. [default: auto]
        ///
        /// auto: a text, a boolean or one of few whole numbers is a class; a column named with --label whose values have
        /// fractions, or more than 50 different values, is predicted as a number; several columns of 0 and 1 are several labels.
        #[arg(value_name = "TASK", value_enum)]
        task: (TaskChoice) => Task,
        /// Table: column with the weight of each row [default: none]
        ///
        /// How much a row counts in the loss of training; it is no feature. A row of weight 0 is left out, one of weight 2 counts
        /// like two. Weights are divided by their mean. Scores count every row alike.
        #[arg(value_name = "NAME|INDEX", allow_negative_numbers = true)]
        weights: (ColumnRef) => Weights,
        /// CSV: whether the first row names the columns [default: auto]
        ///
        /// auto checks whether the first row differs from those below.
        #[arg(value_name = "WHETHER", value_enum)]
        header: (Header) => Header,
        /// CSV: separator of fields, one character or `tab`
        ///
        /// `blanks` are runs of blanks and tabs. [default: whichever of , ; | tab and blanks makes most columns numbers]
        #[arg(value_name = "CHAR")]
        delimiter: (Delimiter) => Delimiter,
        /// CSV: character before decimals: . or , [default: auto]
        ///
        /// The other one groups thousands. auto takes the one with which more cells are numbers.
        #[arg(value_name = "CHAR", value_enum)]
        decimal: (Decimal) => Decimal,
        /// CSV: words for missing values [default: NA, None..]
        ///
        /// A list replaces all usual words: NA, N/A, NaN, null, ? and, among numbers, also None, #N/A, NaT, - and the like. The
        /// word `usual` stands for them. An empty list ('') keeps NA as a text. An empty cell is always missing.
        #[arg(value_name = "TEXT,..", value_delimiter = ',', allow_hyphen_values = true)]
        missing: (Vec<String>) => Missing,
        /// Table: columns to ignore [default: none]
        ///
        /// By name or place, as for --label. Quote a name with a comma as in CSV: '"height, cm",age'.
        #[arg(value_name = "COLUMN,..", value_delimiter = ',', allow_negative_numbers = true)]
        drop: (Vec<ColumnRef>) => Drop,
        /// Table: maximum categories of a text column [default: 64]
        ///
        /// Each category becomes a feature.
        #[arg(value_name = "N", allow_negative_numbers = true)]
        max_categories: (usize) => MaxCategories,
        /// Table: fill missing values [default: refuse them]
        ///
        /// With the mean or median of the training rows, or zero. A missing text belongs to no category. --missing names
        /// the words that mean a missing value.
        #[arg(value_name = "HOW", value_enum)]
        impute: (Impute) => Impute,
        /// Table: rows are pictures of this size [default: none]
        ///
        /// Rows x columns, such as 28x28: features are pixels in reading order. IDX files contain the size.
        #[arg(value_name = "RxC", value_parser = super::values::parsed::<Grid>)]
        picture: (Grid) => Picture,
        /// Table: file, share or number of rows to test on [default: 0.2]
        ///
        /// A file must have the same columns. A share or number of rows is drawn from --seed, in proportion from each class. An
        /// NPZ file may contain its own test rows, as x_test.
        #[arg(value_name = "FILE|SHARE", allow_negative_numbers = true, value_parser = super::values::parsed::<TestRows>)]
        test: (TestRows) => Test,
    }
}

group! {
    /// Which samples a run uses, and where it starts.
    "Data" pub struct SampleOptions in samples {
        /// Train on the first N training samples only [default: all]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        train_limit: (usize) => TrainLimit,
        /// Hold out training samples to score on [default: none]
        ///
        /// A number (10000) or a share (0.1). The test set then stays unused. [default: score on the test set]
        #[arg(value_name = "N|SHARE", allow_negative_numbers = true, value_parser = super::values::parsed::<Holdout>)]
        validation: (Holdout) => Validation,
        /// Continue from a saved model [default: a new network]
        ///
        /// Keeps its preprocessing, network and values; the optimiser starts from zero. A run folder means the model in it.
        #[arg(value_name = "FILE", conflicts_with_all = ["ImportanceOptions", "ArchitectureOptions", "init", "gain"])]
        from: (PathBuf) => From,
    }
}

group! {
    /// The network, independent of the width of the data.
    "Architecture" pub struct ArchitectureOptions in architecture {
        /// Hidden layers: sc, sc2d, rsp, fc, narrow.. [default: sc]
        ///
        /// sc: spatially coupled; sc2d: the same in two dimensions, across a picture; rsp: random sparse; fc: fully connected;
        /// narrow: fully connected with as few parameters as sc; band: as sc, without a window.
        #[arg(value_enum)]
        arch: (Arch) => Arch,
        /// Widths of hidden layers [default: 784,784,784,784,784]
        ///
        /// `none` for no hidden layer. narrow keeps their number and computes the width.
        #[arg(value_name = "N,N,..", allow_negative_numbers = true)]
        hidden: (Widths) => Hidden,
        /// sc, band: number of blocks [default: 8]
        ///
        /// One number, or one per layer. A layer with fewer neurons has fewer blocks.
        #[arg(value_name = "N", allow_negative_numbers = true)]
        blocks: (List) => Blocks,
        /// sc: input blocks that an output block sees [default: 2]
        ///
        /// One number, or one per layer.
        #[arg(value_name = "N", allow_negative_numbers = true)]
        receptive_field: (List) => ReceptiveField,
        /// sc, band: edges of a neuron of each block
        ///
        /// One number for all blocks, or a list; slashes separate the lists of the layers.
        /// [default: 98,130,98,49,20,10,10,10 for 784 neurons and 8 blocks, in proportion for others]
        #[arg(value_name = "N,N,..", allow_negative_numbers = true)]
        degrees: (Lists) => Degrees,
        /// sc, band: share of the weights that exist [default: 0.068]
        ///
        /// Scales the default of --degrees to this share, as far as the receptive field allows.
        #[arg(value_name = "SHARE", conflicts_with = "degrees", allow_negative_numbers = true)]
        density: (f64) => Density,
        /// rsp: out-degree of every neuron [default: 53]
        #[arg(value_name = "N", conflicts_with = "degree_distribution", allow_negative_numbers = true)]
        degree: (usize) => Degree,
        /// rsp: distribution of the out-degrees [default: regular:53]
        ///
        /// regular:53, uniform:10-90, poisson:53 or 20:0.5,86:0.5; slashes separate the distributions of the layers.
        #[arg(value_name = "TEXT")]
        degree_distribution: (DegreeDistributions) => DegreeDistribution,
        /// narrow: maximum weights and biases of the network
        ///
        /// [default: as many as the sc network with these flags has]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        budget: (usize) => Budget,
        /// band: blocks over which edges get e times rarer [default: 1]
        #[arg(value_name = "BLOCKS", allow_negative_numbers = true)]
        softness: (f64) => Softness,
        /// sc2d: rows, columns and maps of each layer
        ///
        /// One grid per hidden layer, such as 28x28,14x14x4. All cover the same picture; maps are neurons at the same place.
        /// [default: three layers, or as many as --reach and --fan-in have, of the picture's size]
        #[arg(value_name = "GRID,GRID,..", value_parser = super::values::parsed::<Grids>)]
        grid: (Grids) => Grid,
        /// sc2d: inputs of a neuron [default: 40,76,144]
        ///
        /// One number, or one per layer. 41.5 means 41 for half of the neurons and 42 for the others, in micro-blocks
        /// 40 for most and 44 for the others. The default is for three layers; with more or fewer it grows likewise from first to last.
        #[arg(value_name = "N,N,..", allow_negative_numbers = true)]
        fan_in: (Numbers) => FanIn,
        /// sc2d: how far a neuron sees, in pixels [default: 1.5,2.74,5]
        ///
        /// One number, or one per layer: the standard deviation of a Gaussian, or half the side of a window. The default is
        /// for three layers on 28 x 28 pixels. Otherwise it grows likewise, in proportion to the picture, as far as the fan-in needs. Windows
        /// are twice as wide.
        #[arg(value_name = "PIXELS,..", allow_negative_numbers = true)]
        reach: (Numbers) => Reach,
        /// sc2d: how the chance of an edge falls [default: gauss]
        ///
        /// gauss: with the distance; window: equal chances within the reach, none beyond it.
        #[arg(value_enum, value_name = "HOW")]
        falloff: (Falloff) => Falloff,
        /// sc2d: draw micro-blocks (4) or edges (1) [default: 4]
        ///
        /// 4 connects patches of 2 x 2 neurons by all 16 edges, without padding and with one index. It needs grids with even
        /// sides. The default is 1 for grids with an odd side.
        #[arg(value_enum, value_name = "N")]
        grain: (Grain) => Grain,
        /// sc2d: how strongly edges go to important pixels [default: 0]
        ///
        /// Multiplies the chance of a pixel in the draw of the first layer by (its importance / the mean importance) to this
        /// power. Needs --importance rf, variance or random.
        #[arg(value_name = "POWER", allow_negative_numbers = true)]
        importance_power: (f64) => ImportancePower,
        /// Maximum weights and biases [default: by the other flags]
        ///
        /// Chooses the largest such network: sc, band and sc2d by degrees or fan-ins in their usual proportions, rsp by
        /// the mean degree, fc and narrow by the widths.
        #[arg(value_name = "N", allow_negative_numbers = true)]
        parameters: (usize) => Parameters,
        /// Graphs from NPZ files instead of drawn ones [default: none]
        ///
        /// A folder written by `export --csr`, or scipy.sparse.save_npz files (outputs by inputs) in the order of the layers, the
        /// logits last: a.npz,b.npz. Only the graph counts: every stored entry is an edge, even 0, and weights, biases and preprocessing
        /// are ignored. The files decide the widths: of the architecture only --activation and --dropout are free. Features are
        /// unchanged unless --importance is given.
        #[arg(value_name = "FILE,..")]
        edges: (EdgeFiles) => Edges,
        /// Activation of the hidden layers [default: sigmoid]
        #[arg(value_enum)]
        activation: (Activation) => Activation,
        /// Probability of dropping a hidden unit [default: 0]
        ///
        /// In training only; predictions use all units.
        #[arg(value_name = "P", allow_negative_numbers = true)]
        dropout: (f32) => Dropout,
    }
}

group! {
    /// Which engine computes a run.
    "Engine" pub struct EngineOptions in engine {
        /// Engine: auto, gpu, cpu or reference [default: auto]
        ///
        /// auto: a hardware GPU if there is one, otherwise the CPU; gpu: a GPU, even a software adapter; reference: slow and exact.
        #[arg(value_enum)]
        backend: (BackendChoice) => Backend,
        /// Which GPU: its number or a part of its name [default: the best]
        ///
        /// Numbers are those of `tanner devices`; one or two digits are always a number. A part of a name (4090) must match
        /// only one GPU.
        #[arg(value_name = "N|TEXT")]
        adapter: (String) => Adapter,
        /// How a GPU stores tiles and shares sums
        ///
        /// auto (the best in a short measurement, kept in the cache), default (without measuring), or the text that a run
        /// recorded: dense=0.3,forward=8,logits=32,backward-input=8,backward-weight=8. Results differ in their last digits.
        /// [default: auto for training on hardware GPUs, otherwise default]
        #[arg(value_name = "KERNELS", value_parser = super::values::parsed::<KernelChoice>)]
        gpu_kernels: (KernelChoice) => GpuKernels,
        /// Threads of the CPU engine [default: all cores]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        threads: (usize) => Threads,
    }
}

group! {
    /// What a run saves, and what ends it early.
    "Runs" pub struct KeepingOptions in keeping {
        /// How often to save a checkpoint and the models [default: 5s]
        ///
        /// After this many epochs (1), steps (500steps) or seconds (30s), replacing the previous one. A run that a signal ends
        /// always saves one.
        #[arg(value_name = "N", allow_hyphen_values = true, value_parser = super::values::parsed::<CheckpointEvery>)]
        checkpoint_every: (CheckpointEvery) => CheckpointEvery,
        /// Stop after N epochs without a better score
        ///
        /// Needs --validation. With equal accuracy, the lower loss is better. The schedule still covers all --epochs.
        /// model.safetensors is of the last epoch, best.safetensors of the best. [default: train all epochs]
        #[arg(value_name = "N", allow_negative_numbers = true)]
        patience: (usize) => Patience,
        /// What must improve for --patience [default: score]
        ///
        /// score: the accuracy, with ties decided by the loss; loss: the loss only.
        #[arg(value_enum, value_name = "WHAT")]
        patience_on: (PatienceOn) => PatienceOn,
        /// Record when the score reaches a share [default: none]
        ///
        /// Such as 0.8718 or 87.18%, or an RMSE of numbers; summary.json then has seconds_to_target.
        #[arg(value_name = "SHARE", allow_negative_numbers = true, value_parser = super::values::parsed::<TargetScore>)]
        target: (TargetScore) => Target,
    }
}

group! {
    /// Where to write results.
    "Output" pub struct OutputOptions in output {
        /// Folder of the run [default: a new one in runs/]
        ///
        /// A folder that holds a run is refused. The name of a new one consists of time, data, architecture, changed settings and seed.
        #[arg(value_name = "DIR")]
        out: (PathBuf) => Out,
        /// Write an event file for TensorBoard [default: none]
        ///
        /// After every epoch: losses, accuracies, learning rate, weights of each layer. Without DIR (or with run-folder) it is in the
        /// run folder, otherwise in a folder of the run's name below DIR.
        #[arg(value_name = "DIR", num_args = 0..=1, default_missing_value = EventsPlace::RUN_FOLDER,
            value_parser = super::values::parsed::<EventsPlace>)]
        tensorboard: (EventsPlace) => Tensorboard,
    }
}

group! {
    /// Named settings.
    "Settings" pub struct PresetOption in preset {
        /// Named settings, such as table or tanner [default: auto]
        ///
        /// Files and typed flags override them. auto: table for tables, tanner for fewer than 20,000 pictures unless flags choose
        /// network or preprocessing, otherwise none. table: two hidden layers, numbers piecewise, lengths by the number of rows.
        /// tanner: for pictures, the most accurate recipe found for Fashion-MNIST. small: for small tables, two hidden layers
        /// on standardised features in a random forest's order. paper: the paper's recipe, with common choices for what it does
        /// not specify. none: only the defaults of each flag.
        #[arg(value_enum, value_name = "NAME")]
        preset: (Preset) => Preset,
    }
}
