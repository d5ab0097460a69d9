//! What [`Classifier::fit`] does, step by step.

use std::sync::Arc;

use super::{Classifier, EngineKind, Fitted, Hidden};
use crate::dataset::Dataset;
use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::engine::reference::ReferenceEngine;
use crate::importance::Preprocessing;
use crate::model::{ArchitectureRecord, TrainedModel};
use crate::network::{Activation, Architecture, Connectivity, Layer, Network, Parameters};
use crate::topology::{fully_connected, paper_degrees};
use crate::training::{EpochMetrics, Observer, Recipe, train};
use crate::{Error, Result};

/// Blocks of proportional layers, fewer where a layer has fewer neurons.
const BLOCKS: usize = 8;
/// Input blocks that an output block of proportional layers sees.
const RECEPTIVE_FIELD: usize = 2;

impl Classifier {
    /// Fits the preprocessing on `train_set`, draws the graphs, trains, and calls `on_epoch` after each epoch.
    ///
    /// `test_set` is only ever looked at to measure. Both are raw samples, `[sample][feature]`, of the same features.
    ///
    /// # Errors
    /// Settings outside their range, graphs that cannot be, data that do not fit, a device that fails, or
    /// training that diverges.
    pub fn fit(
        &self,
        train_set: &Dataset,
        test_set: &Dataset,
        on_epoch: impl FnMut(&EpochMetrics),
    ) -> Result<Fitted> {
        let mut recipe = self.recipe.clone();
        if self.usual_gain {
            recipe.initialisation.gain = self.activation.usual_gain();
        }
        recipe.check()?;
        let preprocessing = Preprocessing::fit(&self.importance, train_set)?;
        let (network, record) = self.network(preprocessing.output_features(), train_set.class_count())?;
        let parameters = recipe.initialisation.draw(&network, recipe.seed)?;
        let mut engine = self.start(&network, &parameters, &recipe)?;
        let mut model = TrainedModel::new(network, parameters, preprocessing, record)?;
        let prepared = Arc::new(model.prepare(train_set.clone())?);
        let tested = Arc::new(model.prepare(test_set.clone())?);
        let mut callback = Callback(on_epoch);
        let history = train(&mut *engine, &recipe, prepared, &tested, &mut [&mut callback])?;
        model.set_parameters(engine.parameters()?, history.len())?;
        Ok(Fitted { model, history })
    }

    /// The network, and the record of it that a model keeps.
    fn network(&self, inputs: usize, classes: usize) -> Result<(Network, ArchitectureRecord)> {
        let seed = self.recipe.seed;
        let (widths, connectivity) = match &self.hidden {
            Hidden::Given(topologies) => return self.joined(topologies, classes),
            Hidden::Drawn { widths, connectivity } => (widths, connectivity.clone()),
            Hidden::Proportional { widths, density } => (widths, proportional(inputs, widths, *density)?),
        };
        let architecture = Architecture {
            inputs,
            hidden: widths.clone(),
            classes,
            connectivity,
            activation: self.activation,
            keep_probability: self.keep_probability,
        };
        Ok((architecture.build(seed)?, ArchitectureRecord::new(&architecture, seed)))
    }

    /// Graphs that were brought along, under a layer of logits.
    fn joined(
        &self,
        topologies: &[crate::topology::Topology],
        classes: usize,
    ) -> Result<(Network, ArchitectureRecord)> {
        let Some(last) = topologies.last() else {
            return Err(Error::Network("no topology was given, at least 1 is needed".into()));
        };
        let logits = fully_connected(last.outputs().width(), classes)?;
        let hidden = topologies.iter().map(|topology| Layer {
            topology: Arc::new(topology.clone()),
            activation: self.activation,
            keep_probability: self.keep_probability,
        });
        let top =
            Layer { topology: Arc::new(logits), activation: Activation::Identity, keep_probability: 1.0 };
        let network = Network::new(hidden.chain([top]).collect())?;
        let record =
            ArchitectureRecord::custom(&network, self.activation, self.keep_probability, self.recipe.seed);
        Ok((network, record))
    }

    fn start(&self, network: &Network, parameters: &Parameters, recipe: &Recipe) -> Result<Box<dyn Engine>> {
        let settings = recipe.engine_settings();
        Ok(match &self.engine {
            EngineKind::Cpu => Box::new(CpuEngine::new(network, parameters, settings, None)?),
            EngineKind::CpuThreads(threads) => {
                Box::new(CpuEngine::new(network, parameters, settings, Some(*threads))?)
            }
            EngineKind::Reference => Box::new(ReferenceEngine::new(network, parameters, settings)?),
            #[cfg(feature = "gpu")]
            EngineKind::Gpu(options) => {
                Box::new(crate::engine::gpu::GpuEngine::new(network, parameters, settings, options)?)
            }
        })
    }
}

/// Spatially-coupled layers of these widths with the paper's profile of degrees.
fn proportional(inputs: usize, hidden: &[usize], density: f64) -> Result<Connectivity> {
    if !(density > 0.0 && density <= 1.0) {
        return Err(Error::Topology(format!(
            "a density of {density} is impossible, it must be above 0 and at most 1"
        )));
    }
    let (mut blocks, mut receptive_fields, mut degrees) = (Vec::new(), Vec::new(), Vec::new());
    for (width, outputs) in [inputs].iter().chain(hidden).zip(hidden) {
        let count = BLOCKS.min(*width).min(*outputs);
        let field = RECEPTIVE_FIELD.min(count);
        blocks.push(count);
        receptive_fields.push(field);
        degrees.push(paper_degrees(*outputs, count, Some(field), density));
    }
    Ok(Connectivity::SpatiallyCoupled { blocks, receptive_fields, degrees })
}

/// A function as an observer.
struct Callback<F>(F);

impl<F: FnMut(&EpochMetrics)> Observer for Callback<F> {
    fn epoch_ended(&mut self, metrics: &EpochMetrics, _: &Parameters) -> Result<()> {
        (self.0)(metrics);
        Ok(())
    }
}
