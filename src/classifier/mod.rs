//! From samples to a trained model in one call.
//!
//! A [`Classifier`] collects what is to be trained: the graphs (drawn by a [`Connectivity`], or given edge by edge
//! as [`Topology`]), the order of the inputs, the [`Recipe`], the engine. [`Classifier::fit`] runs all of it;
//! whoever needs more of a say calls the rooms one by one, as `fit` does.

mod fit;
#[cfg(test)]
mod tests;

use crate::importance::{Importance, ImportanceSettings};
use crate::model::TrainedModel;
use crate::network::{Activation, Connectivity};
use crate::topology::Topology;
use crate::training::{EpochMetrics, Recipe};

/// Which engine trains.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum EngineKind {
    /// Float32 on all cores of the CPU, or on so many threads.
    #[default]
    Cpu,
    /// The CPU with a number of threads.
    CpuThreads(usize),
    /// Float64 on one core: slow, for comparisons.
    Reference,
    /// A GPU.
    #[cfg(feature = "gpu")]
    Gpu(crate::engine::gpu::GpuOptions),
}

/// The hidden layers.
#[derive(Clone, Debug)]
enum Hidden {
    /// Spatially coupled like the paper's, degrees in proportion to the widths.
    Proportional { widths: Vec<usize>, density: f64 },
    /// Drawn from the recipe's seed.
    Drawn { widths: Vec<usize>, connectivity: Connectivity },
    /// Brought along.
    Given(Vec<Topology>),
}

/// What is to be trained, and how.
///
/// ```
/// use tanner::classifier::Classifier;
/// use tanner::dataset::Dataset;
/// use tanner::network::Activation;
///
/// # fn main() -> tanner::Result<()> {
/// // 60 samples of 4 features in 3 classes, told apart by their first feature.
/// let features = (0..60 * 4).map(|k| if k % 4 == 0 { (k / 4 % 3) as f32 } else { 0.1 }).collect();
/// let data = Dataset::new(features, 4, (0..60).map(|sample| sample % 3).collect(), 3)?;
///
/// let fitted = Classifier::new()
///     .hidden(&[16, 16])
///     .density(0.3)
///     .activation(Activation::Relu)
///     .epochs(30)
///     .batch_size(10)
///     .fit(&data, &data, |epoch| println!("epoch {}: {:.3}", epoch.epoch, epoch.test_accuracy))?;
/// assert_eq!(fitted.history.last().map(|epoch| epoch.test_accuracy), Some(1.0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Classifier {
    hidden: Hidden,
    activation: Activation,
    keep_probability: f32,
    importance: ImportanceSettings,
    recipe: Recipe,
    /// Whether the gain of the initial weights follows the activation.
    usual_gain: bool,
    engine: EngineKind,
}

/// What training gave.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The model after the last epoch.
    pub model: TrainedModel,
    /// One entry for each epoch.
    pub history: Vec<EpochMetrics>,
}

impl Default for Classifier {
    fn default() -> Self {
        Self::new()
    }
}

impl Classifier {
    /// Two spatially-coupled layers of 128 sigmoid neurons, 20 % of the weights, on principal components, trained by
    /// [`Recipe::default`] on the CPU.
    #[must_use]
    pub fn new() -> Self {
        Self {
            hidden: Hidden::Proportional { widths: vec![128; 2], density: 0.2 },
            activation: Activation::Sigmoid,
            keep_probability: 1.0,
            importance: ImportanceSettings::new(Importance::Pca),
            recipe: Recipe::default(),
            usual_gain: true,
            engine: EngineKind::Cpu,
        }
    }

    /// Widths of the hidden layers; none for a linear classifier. Topologies that were given are forgotten.
    #[must_use]
    pub fn hidden(mut self, hidden: &[usize]) -> Self {
        match &mut self.hidden {
            Hidden::Proportional { widths, .. } | Hidden::Drawn { widths, .. } => *widths = hidden.to_vec(),
            Hidden::Given(_) => {
                self.hidden = Hidden::Proportional { widths: hidden.to_vec(), density: 0.2 };
            }
        }
        self
    }

    /// Share of the weights that exist in spatially-coupled layers with degrees in proportion to the paper's, above 0
    /// and at most 1; see [`paper_degrees`](crate::topology::paper_degrees). Takes the place of a connectivity.
    #[must_use]
    pub fn density(mut self, density: f64) -> Self {
        let widths = self.widths();
        self.hidden = Hidden::Proportional { widths, density };
        self
    }

    /// How the hidden layers are joined.
    #[must_use]
    pub fn connectivity(mut self, connectivity: Connectivity) -> Self {
        let widths = self.widths();
        self.hidden = Hidden::Drawn { widths, connectivity };
        self
    }

    /// The graphs of the hidden layers, from the inputs on; see [`Topology::from_edges`]. A fully connected layer
    /// of logits is put on top.
    #[must_use]
    pub fn topologies(mut self, topologies: Vec<Topology>) -> Self {
        self.hidden = Hidden::Given(topologies);
        self
    }

    /// Activation of the hidden layers; the gain of the initial weights follows it unless a whole recipe was given.
    #[must_use]
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Probability with which training drops a hidden unit, at least 0 and below 1.
    #[must_use]
    pub fn dropout(mut self, probability: f32) -> Self {
        self.keep_probability = 1.0 - probability;
        self
    }

    /// How features are standardised and ordered.
    #[must_use]
    pub fn importance(mut self, settings: ImportanceSettings) -> Self {
        self.importance = settings;
        self
    }

    /// How to train; everything in it counts as it is.
    #[must_use]
    pub fn recipe(mut self, recipe: Recipe) -> Self {
        (self.recipe, self.usual_gain) = (recipe, false);
        self
    }

    /// Passes over the training set.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.recipe.epochs = epochs;
        self
    }

    /// Samples in one batch.
    #[must_use]
    pub fn batch_size(mut self, samples: usize) -> Self {
        self.recipe.batch_size = samples;
        self
    }

    /// Seed of graphs, weights, order of samples and dropout.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.recipe.seed = seed;
        self
    }

    /// Which engine trains.
    #[must_use]
    pub fn engine(mut self, engine: EngineKind) -> Self {
        self.engine = engine;
        self
    }

    fn widths(&self) -> Vec<usize> {
        match &self.hidden {
            Hidden::Proportional { widths, .. } | Hidden::Drawn { widths, .. } => widths.clone(),
            Hidden::Given(topologies) => topologies.iter().map(|layer| layer.outputs().width()).collect(),
        }
    }
}
