//! Training steps with a clock around each stage.

use std::sync::Arc;
use std::time::Instant;

use super::CpuEngine;
use super::recorder::{StageClock, microseconds};
use super::simd::NEVER;
use crate::Result;
use crate::dataset::Dataset;
use crate::engine::layout::NetworkLayout;
use crate::engine::profile::{DispatchShape, ProfiledEngine, Stage, StepProfile};
use crate::engine::{StepPlan, check_plan};

impl ProfiledEngine for CpuEngine {
    fn layout(&self) -> &NetworkLayout {
        &self.layout
    }

    fn workers(&self) -> usize {
        self.threads.count()
    }

    fn dispatches(&self) -> Vec<DispatchShape> {
        Vec::new()
    }

    fn profile(&mut self, data: &Arc<Dataset>, plan: &StepPlan<'_>) -> Result<Option<Vec<StepProfile>>> {
        check_plan(&self.network, data, self.settings.loss, plan)?;
        let layers = self.network.layers().len();
        let clock = StageClock::new(Stage::of_training_step(layers, &self.settings));
        let threads = self.threads.clone();
        let steps = threads.install(|| {
            let batches = (plan.first_step..).zip(plan.samples.chunks(self.settings.batch_size));
            let profile = |(step, samples)| {
                let begin = Instant::now();
                let outcome = self.step(data, samples, plan.learning_rate, step, &NEVER, &clock)?;
                let wall_microseconds = microseconds(begin.elapsed());
                Some(StepProfile { outcome, wall_microseconds, stages: clock.take() })
            };
            batches.map_while(profile).collect()
        });
        Ok(Some(steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, EngineSettings, Optimizer, Penalties, StepOutcome};
    use crate::network::{
        Activation, Architecture, Connectivity, Initialisation, Network, Parameters, Scheme,
    };

    /// 40 inputs, two coupled layers with dropout, 3 logits; every stage that a step can have.
    fn subject() -> (Network, Parameters, EngineSettings) {
        let architecture = Architecture {
            inputs: 40,
            hidden: vec![36, 30],
            classes: 3,
            connectivity: Connectivity::SpatiallyCoupled {
                blocks: vec![3],
                receptive_fields: vec![2],
                degrees: vec![vec![10, 9, 3]],
            },
            activation: Activation::Tanh,
            keep_probability: 0.8,
            reaches_all: false,
        };
        let network = architecture.build(5).unwrap();
        let start = Initialisation { scheme: Scheme::Glorot, gain: Activation::Tanh.usual_gain() };
        let parameters = start.draw(&network, 5).unwrap();
        let penalties = Penalties { l2: 1e-3, group_lasso: 1e-3, ..Penalties::default() };
        let settings = EngineSettings::new(Optimizer::ADAM, 300, 5);
        (network, parameters, EngineSettings { penalties, drop_connect: 0.1, ..settings })
    }

    /// Samples of 40 features.
    fn data(samples: u32) -> Arc<Dataset> {
        let features = (0..40 * samples).map(|k| (k * 37 % 101) as f32 / 50.0 - 1.0).collect();
        let labels = (0..samples).map(|k| k % 3).collect();
        Arc::new(Dataset::new(features, 40, labels, 3).unwrap())
    }

    fn bits(parameters: &Parameters) -> Vec<u32> {
        let layers = parameters.layers.iter();
        let values = layers.flat_map(|layer| layer.weights.iter().chain(&layer.biases));
        values.map(|value| value.to_bits()).collect()
    }

    /// On one thread and on three, with batches of more than one group and a last one that is smaller.
    #[test]
    fn profiled_steps_compute_the_bits_of_unprofiled_ones() {
        let (network, parameters, settings) = subject();
        let data = data(100);
        let samples: Vec<u32> = (0..515).map(|k| k * 37 % 100).collect();
        let plan = StepPlan { samples: &samples, learning_rate: 0.05, first_step: 3 };
        let engine = |threads| CpuEngine::new(&network, &parameters, settings, Some(threads)).unwrap();
        let mut plain = engine(2);
        let outcomes = plain.train(&data, &plan).unwrap();
        for threads in [1, 3] {
            let mut profiled = engine(threads);
            let steps = profiled.profile(&data, &plan).unwrap().unwrap();
            let seen: Vec<StepOutcome> = steps.iter().map(|step| step.outcome).collect();
            assert_eq!(seen, outcomes, "{threads} threads");
            assert_eq!(bits(&profiled.parameters().unwrap()), bits(&plain.parameters().unwrap()));
        }
    }

    #[test]
    fn every_stage_is_timed_and_their_sum_fits_the_step() {
        let (network, parameters, settings) = subject();
        let mut engine = CpuEngine::new(&network, &parameters, settings, Some(1)).unwrap();
        let data = data(70);
        let samples: Vec<u32> = (0..1500).map(|k| k % 70).collect();
        let plan = StepPlan { samples: &samples, learning_rate: 0.05, first_step: 0 };
        let steps = engine.profile(&data, &plan).unwrap().unwrap();
        assert_eq!(steps.len(), 5);
        for step in steps {
            let stages: Vec<Stage> = step.stages.iter().map(|time| time.stage).collect();
            assert_eq!(stages, Stage::of_training_step(3, &settings));
            assert!(step.stages.iter().all(|time| time.microseconds > 0.0), "{step:?}");
            let sum: f64 = step.stages.iter().map(|time| time.microseconds).sum();
            // A single thread spends nearly all its time in stages.
            assert!(sum <= step.wall_microseconds, "{step:?}");
        }
        let outside = StepPlan { samples: &[70], ..plan };
        assert!(engine.profile(&data, &outside).is_err());
    }
}
