//! What was typed, once validated: typed settings that fit each other.

use std::path::PathBuf;

use anyhow::Context as _;
use tanner::dataset::{Augmentation, Holdout};
use tanner::engine::Optimizer;
use tanner::engine::gpu::Tuning;
use tanner::importance::ImportanceSettings;
use tanner::model::{Arch, TrainedModel};
use tanner::network::{Activation, Architecture, Connectivity, Initialisation, Scheme};
use tanner::topology::DegreeDistribution;
use tanner::training::{CheckpointEvery, Recipe, ScoredOn};
use tanner::{Error, Result};

use super::args::{
    ActivationArg, ArchArg, ArchitectureArgs, BackendArg, EngineArgs, InitArg, OptimizerArg, TrainArgs,
    TrainingArgs,
};
use super::data_args::DataSettings;
use super::degrees::{PAPER_BLOCKS, Profile, one_for_all};
use super::gpu_kernels::KernelsRequest;
use super::report_args::EventsPlace;

/// Input blocks that an output block of the paper sees.
const PAPER_RECEPTIVE_FIELD: usize = 2;
/// Softness of a band: as far as its neighbours, as the paper's window.
const SOFTNESS: f64 = 1.0;
/// Degree of the paper's random sparse network.
const PAPER_DEGREE: usize = 53;
/// More threads than any machine has cores.
const MAX_THREADS: usize = 1024;

/// A training run.
#[derive(Debug)]
pub(crate) struct TrainSettings {
    pub(crate) data: DataSettings,
    pub(crate) train_limit: Option<usize>,
    /// Score on a held-out part of the training set in place of the test set.
    pub(crate) validation: Option<Holdout>,
    /// A saved model to go on from; it decides importance and architecture then.
    pub(crate) from: Option<PathBuf>,
    pub(crate) importance: ImportanceSettings,
    pub(crate) architecture: ArchitectureSettings,
    pub(crate) recipe: Recipe,
    pub(crate) augmentation: Augmentation,
    pub(crate) checkpoint_every: CheckpointEvery,
    /// Epochs without a better validation accuracy after which the run ends.
    pub(crate) patience: Option<usize>,
    pub(crate) engine: EngineRequest,
    pub(crate) out: Option<PathBuf>,
    /// Where an event file for TensorBoard goes, if one is asked for.
    pub(crate) tensorboard: Option<EventsPlace>,
}

/// An architecture that does not know yet how wide its data are.
#[derive(Clone, Debug)]
pub(crate) struct ArchitectureSettings {
    pub(crate) arch: Arch,
    pub(crate) hidden: Vec<usize>,
    pub(crate) connectivity: Connectivity,
    /// How degrees follow from the widths, where none were typed.
    pub(crate) profile: Option<Profile>,
    pub(crate) activation: Activation,
    pub(crate) keep_probability: f32,
}

/// Which engine is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum EngineRequest {
    /// A hardware GPU if there is one, else the CPU.
    Auto {
        /// Threads, should it be the CPU.
        threads: Option<usize>,
        /// Should it be a GPU.
        kernels: KernelsRequest,
    },
    /// A GPU, the best or the named one.
    Gpu {
        adapter: Option<String>,
        kernels: KernelsRequest,
    },
    Cpu {
        threads: Option<usize>,
    },
    Reference,
}

/// Refuses what was typed behind a flag, as the library or as a command tells errors.
pub(crate) fn refuse<T, E: From<Error>>(
    setting: &'static str,
    reason: impl Into<String>,
) -> std::result::Result<T, E> {
    Err(Error::Setting { setting, reason: reason.into() }.into())
}

impl TrainSettings {
    /// Checks all that was typed, and all that can be checked without data.
    pub(crate) fn new(args: &TrainArgs) -> Result<Self> {
        if args.train_limit == Some(0) {
            return refuse("--train-limit", "0 is impossible, it must be at least 1");
        }
        let importance = args.importance.settings(args.training.seed)?;
        let architecture = ArchitectureSettings::new(&args.architecture)?;
        Ok(Self {
            data: args.data.settings()?,
            train_limit: args.train_limit,
            validation: args.validation,
            from: args.from.clone(),
            importance,
            recipe: recipe(&args.training, &architecture)?,
            architecture,
            augmentation: args.training.augment,
            checkpoint_every: args.runs.checkpoint_every,
            patience: patience(args)?,
            engine: EngineRequest::new(&args.engine)?,
            out: args.out.clone(),
            tensorboard: args.watch.tensorboard.clone(),
        })
    }

    /// Takes over what a saved model decides in place of flags.
    pub(crate) fn go_on_from(&mut self, model: &TrainedModel, args: &TrainArgs) {
        let fitted = model.preprocessing();
        self.importance = ImportanceSettings {
            order: fitted.order(),
            standardize: fitted.standardisation().is_some(),
            ..ImportanceSettings::new(fitted.importance())
        };
        self.architecture.arch = model.record().arch;
        self.recipe.penalties.l2 = args.training.l2.unwrap_or(usual_l2(model.record().arch));
    }
}

impl TrainSettings {
    /// What the run is scored on.
    pub(crate) fn scored_on(&self) -> ScoredOn {
        if self.validation.is_some() { ScoredOn::Validation } else { ScoredOn::Test }
    }
}

impl ArchitectureSettings {
    pub(crate) fn new(args: &ArchitectureArgs) -> Result<Self> {
        let arch = Arch::from(args.arch);
        refuse_strangers(args, arch)?;
        if args.hidden.0.contains(&0) {
            return refuse("--hidden", "a width of 0 is impossible, it must be at least 1");
        }
        // Written so that NaN is refused.
        let keep_probability = 1.0 - args.dropout;
        if !(args.dropout >= 0.0 && keep_probability > 0.0) {
            return refuse(
                "--dropout",
                format!("{} is impossible, it must be at least 0 and below 1", args.dropout),
            );
        }
        let connectivity = match args.arch {
            ArchArg::Sc => spatially_coupled(args)?,
            ArchArg::Rsp => Connectivity::RandomSparse { degrees: degree_distributions(args)? },
            ArchArg::Fc => Connectivity::FullyConnected,
            ArchArg::Narrow => narrow(args)?,
            ArchArg::Band => soft_band(args)?,
        };
        let activation = match args.activation {
            ActivationArg::Sigmoid => Activation::Sigmoid,
            ActivationArg::Relu => Activation::Relu,
            ActivationArg::Tanh => Activation::Tanh,
            ActivationArg::Identity => Activation::Identity,
        };
        let (hidden, profile) = (args.hidden.0.clone(), Profile::new(args, arch)?);
        Ok(Self { arch, hidden, connectivity, profile, activation, keep_probability })
    }

    /// The architecture for data of this shape; the width of a narrow network is found here.
    pub(crate) fn fit_to(&self, inputs: usize, classes: usize) -> anyhow::Result<Architecture> {
        let mut connectivity = self.connectivity.clone();
        if let Some(profile) = &self.profile {
            profile.fill(&mut connectivity, inputs, &self.hidden);
        }
        let architecture = Architecture {
            inputs,
            hidden: self.hidden.clone(),
            classes,
            connectivity,
            activation: self.activation,
            keep_probability: self.keep_probability,
        };
        if self.arch != Arch::Narrow {
            return Ok(architecture);
        }
        let budget = match architecture.connectivity {
            Connectivity::Narrow { budget } => budget,
            _ => architecture.parameter_count().context("--arch narrow: the sc network it is to match")?,
        };
        architecture.narrowed_to(budget).context("--arch narrow")
    }
}

/// Patience is for samples that are neither trained on nor reported.
fn patience(args: &TrainArgs) -> Result<Option<usize>> {
    match args.runs.patience {
        Some(0) => refuse("--patience", "0 is impossible, it must be at least 1"),
        Some(_) if args.validation.is_none() => refuse(
            "--patience",
            "needs --validation: stopping where the test accuracy looks best would make it too good",
        ),
        fitting => Ok(fitting),
    }
}

/// Refuses flags of other architectures.
fn refuse_strangers(args: &ArchitectureArgs, arch: Arch) -> Result<()> {
    // A narrow network without a budget takes that of a spatially-coupled one.
    let coupled = [Arch::Sc, Arch::Narrow];
    let banded = [Arch::Sc, Arch::Band, Arch::Narrow];
    let owners: [(&'static str, bool, &[Arch]); 8] = [
        ("--blocks", args.blocks.is_some(), &banded),
        ("--receptive-field", args.receptive_field.is_some(), &coupled),
        ("--degrees", args.degrees.is_some(), &banded),
        ("--density", args.density.is_some(), &banded),
        ("--degree", args.degree.is_some(), &[Arch::Rsp]),
        ("--degree-distribution", args.degree_distribution.is_some(), &[Arch::Rsp]),
        ("--budget", args.budget.is_some(), &[Arch::Narrow]),
        ("--softness", args.softness.is_some(), &[Arch::Band]),
    ];
    for (flag, _, owners) in owners.iter().filter(|(_, given, _)| *given) {
        if !owners.contains(&arch) {
            let names: Vec<&str> = owners.iter().map(|owner| owner.name()).collect();
            let owners = names.join(" and ");
            return refuse(flag, format!("has no meaning with --arch {arch}, it belongs to --arch {owners}"));
        }
        if arch == Arch::Narrow && args.budget.is_some() && *flag != "--budget" {
            return refuse(flag, "has no meaning with --budget, which it would be the default of");
        }
    }
    Ok(())
}

fn spatially_coupled(args: &ArchitectureArgs) -> Result<Connectivity> {
    let (blocks, degrees) = blocks_and_degrees(args)?;
    // Fewer blocks than the paper's window has cannot be seen.
    let usual = || one_for_all(blocks.iter().map(|count| PAPER_RECEPTIVE_FIELD.min(*count)).collect());
    let receptive_fields = args.receptive_field.as_ref().map_or_else(usual, |list| list.0.clone());
    Ok(Connectivity::SpatiallyCoupled { blocks, receptive_fields, degrees })
}

fn soft_band(args: &ArchitectureArgs) -> Result<Connectivity> {
    let (blocks, degrees) = blocks_and_degrees(args)?;
    let softness = args.softness.unwrap_or(SOFTNESS);
    if !(softness > 0.0 && softness.is_finite()) {
        return refuse("--softness", format!("{softness} is impossible, it must be above 0 and finite"));
    }
    Ok(Connectivity::SoftBand { blocks, degrees, softness })
}

/// The budget that was typed, or the spatially-coupled network whose parameters are to be counted.
fn narrow(args: &ArchitectureArgs) -> Result<Connectivity> {
    if args.hidden.0.is_empty() {
        return refuse("--hidden", "none is impossible with --arch narrow, which finds a width");
    }
    args.budget.map_or_else(|| spatially_coupled(args), |budget| Ok(Connectivity::Narrow { budget }))
}

/// Number of blocks of each layer, and `[layer][block]` degrees; empty where a [`Profile`] fills them in.
fn blocks_and_degrees(args: &ArchitectureArgs) -> Result<(Vec<usize>, Vec<Vec<usize>>)> {
    let blocks = args.blocks.as_ref().map_or(vec![PAPER_BLOCKS], |list| list.0.clone());
    if blocks.contains(&0) {
        return refuse("--blocks", "0 is impossible, it must be at least 1");
    }
    Ok((blocks, args.degrees.as_ref().map_or(Vec::new(), |lists| lists.0.clone())))
}

fn degree_distributions(args: &ArchitectureArgs) -> Result<Vec<DegreeDistribution>> {
    match &args.degree_distribution {
        Some(text) => text.split('/').map(str::parse).collect(),
        None => Ok(vec![DegreeDistribution::Regular(args.degree.unwrap_or(PAPER_DEGREE))]),
    }
}

fn recipe(args: &TrainingArgs, architecture: &ArchitectureSettings) -> Result<Recipe> {
    let momentum = args.momentum.unwrap_or(0.9);
    let (optimizer, usual_rate) = match args.optimizer {
        OptimizerArg::Sgd => (Optimizer::Sgd, 0.1),
        OptimizerArg::Momentum => (Optimizer::Momentum { momentum, nesterov: false }, 0.1),
        OptimizerArg::Nesterov => (Optimizer::Momentum { momentum, nesterov: true }, 0.1),
        OptimizerArg::Adam => (Optimizer::ADAM, 0.001),
    };
    if args.momentum.is_some() && !matches!(optimizer, Optimizer::Momentum { .. }) {
        return refuse(
            "--momentum",
            "has no meaning with this --optimizer, it belongs to momentum and nesterov",
        );
    }
    let scheme = match args.init {
        InitArg::Glorot => Scheme::Glorot,
        InitArg::He => Scheme::He,
        InitArg::Lecun => Scheme::Lecun,
    };
    let l2 = args.l2.unwrap_or(usual_l2(architecture.arch));
    let gain = args.gain.unwrap_or(architecture.activation.usual_gain());
    let recipe = Recipe {
        epochs: args.epochs,
        batch_size: args.batch_size,
        learning_rate: args.lr.unwrap_or(usual_rate),
        schedule: args.schedule,
        optimizer,
        penalties: args.regularisation.penalties(l2),
        label_smoothing: args.regularisation.label_smoothing,
        drop_connect: args.regularisation.dropconnect,
        initialisation: Initialisation { scheme, gain },
        seed: args.seed,
    };
    recipe.check()?;
    Ok(recipe)
}

/// Weight decay where none is asked for: the paper has none on the fully connected network.
pub(crate) fn usual_l2(arch: Arch) -> f32 {
    if arch == Arch::Fc { 0.0 } else { 5e-5 }
}

/// Refuses a number of threads that no machine serves.
pub(crate) fn check_threads(typed: Option<usize>) -> Result<Option<usize>> {
    match typed {
        Some(count) if !(1..=MAX_THREADS).contains(&count) => {
            refuse("--threads", format!("{count} is impossible, it must be 1 to {MAX_THREADS}"))
        }
        fitting => Ok(fitting),
    }
}

impl EngineRequest {
    /// Threads of the CPU, where a number was typed.
    pub(crate) fn threads(&self) -> Option<usize> {
        match self {
            Self::Auto { threads, .. } | Self::Cpu { threads } => *threads,
            Self::Gpu { .. } | Self::Reference => None,
        }
    }

    /// The same for a run that is made anew: its adapter, and the kernels that it had there.
    pub(crate) fn with_recorded(&self, before: Option<(String, Tuning)>) -> Self {
        let mut request = self.clone();
        if let Self::Auto { kernels, .. } | Self::Gpu { kernels, .. } = &mut request {
            kernels.recorded = before;
        }
        request
    }

    pub(crate) fn new(args: &EngineArgs) -> Result<Self> {
        let (threads, adapter) = (check_threads(args.threads)?, args.adapter.clone());
        let kernels = KernelsRequest { typed: args.gpu_kernels, recorded: None };
        if kernels.typed.is_some() && matches!(args.backend, BackendArg::Cpu | BackendArg::Reference) {
            return refuse("--gpu-kernels", "has no meaning with this --backend, it belongs to gpu and auto");
        }
        match (args.backend, &adapter, threads) {
            (BackendArg::Cpu | BackendArg::Reference, Some(_), _) => {
                refuse("--adapter", "has no meaning with this --backend, it belongs to gpu and auto")
            }
            (BackendArg::Gpu | BackendArg::Reference, _, Some(_)) => {
                refuse("--threads", "has no meaning with this --backend, it belongs to cpu and auto")
            }
            (BackendArg::Auto, Some(_), Some(_)) => {
                refuse("--threads", "has no meaning with --adapter, which asks for a GPU")
            }
            // Who names an adapter wants that one, and no CPU in its place.
            (BackendArg::Gpu, ..) | (BackendArg::Auto, Some(_), None) => Ok(Self::Gpu { adapter, kernels }),
            (BackendArg::Auto, None, _) => Ok(Self::Auto { threads, kernels }),
            (BackendArg::Cpu, None, _) => Ok(Self::Cpu { threads }),
            (BackendArg::Reference, None, None) => Ok(Self::Reference),
        }
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
