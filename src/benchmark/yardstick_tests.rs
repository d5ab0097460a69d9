//! Engines that are right, a little off, and broken.

use super::*;
use crate::benchmark::BenchNetwork;
use crate::engine::cpu::CpuEngine;
use crate::engine::{EngineInfo, EngineState, Optimizer, StepOutcome};
use crate::model::Arch;
use crate::training::Recipe;

fn subject(arch: Arch) -> (Network, Parameters, EngineSettings) {
    let request = BenchNetwork { arch, width: 98, hidden_layers: 2 };
    let network = request.architecture().unwrap().build(0).unwrap();
    let start = Recipe::default().initialisation.draw(&network, 0).unwrap();
    let momentum = Optimizer::Momentum { momentum: 0.9, nesterov: false };
    let settings = EngineSettings { penalties: request.penalties(), ..EngineSettings::new(momentum, 64, 1) };
    (network, start, settings)
}

/// With batches of a few samples, a correct engine passes for any seed, and a wrong one is refused.
#[test]
fn batches_of_a_few_samples_are_judged_as_larger_ones() {
    let momentum = Optimizer::Momentum { momentum: 0.9, nesterov: false };
    for (arch, seed) in Arch::drawable().flat_map(|arch| (0..20).map(move |seed| (arch, seed))) {
        let request = BenchNetwork { arch, width: 49, hidden_layers: 2 };
        let network = request.architecture().unwrap().build(seed).unwrap();
        let start = Recipe::default().initialisation.draw(&network, seed).unwrap();
        for (optimizer, batch) in [(momentum, 1), (momentum, 2), (Optimizer::ADAM, 1), (Optimizer::ADAM, 2)] {
            let settings = EngineSettings {
                penalties: request.penalties(),
                ..EngineSettings::new(optimizer, batch, seed)
            };
            let yardstick = Yardstick::new(&network, &start, settings).unwrap();
            let check =
                |settings| yardstick.check(&mut CpuEngine::new(&network, &start, settings, Some(1)).unwrap());
            let report = check(settings).unwrap_or_else(|error| panic!("{arch} {seed} {optimizer}: {error}"));
            assert!(report.loss <= 0.5, "{arch} {seed} {optimizer}: {report:?}");
            let wrong = [
                EngineSettings { optimizer: Optimizer::Sgd, ..settings },
                EngineSettings { penalties: crate::engine::Penalties::l2(0.01), ..settings },
                EngineSettings { label_smoothing: 0.001, ..settings },
            ];
            for wrong in wrong.into_iter().filter(|_| seed < 3) {
                assert!(check(wrong).is_err(), "{arch} {seed} {optimizer}: {wrong:?}");
            }
        }
    }
}

#[test]
fn the_cpu_engine_passes_and_is_left_as_it_was() {
    for arch in Arch::drawable() {
        let (network, start, settings) = subject(arch);
        let yardstick = Yardstick::new(&network, &start, settings).unwrap();
        let mut engine = CpuEngine::new(&network, &start, settings, Some(2)).unwrap();
        let report = yardstick.check(&mut engine).unwrap();
        assert!(report.loss <= 1.0 && report.parameters > 0.0 && report.parameters <= 0.5, "{report:?}");
        assert_eq!(engine.parameters().unwrap(), start);
    }
}

/// Slightly different settings imitate a slightly wrong engine, which must not pass.
#[test]
fn a_slightly_wrong_engine_is_refused() {
    let (network, start, settings) = subject(Arch::Fc);
    let yardstick = Yardstick::new(&network, &start, settings).unwrap();
    let optimizer = Optimizer::Momentum { momentum: 0.898, nesterov: false };
    let wrong = [
        EngineSettings { optimizer, ..settings },
        EngineSettings { optimizer: Optimizer::Sgd, ..settings },
        EngineSettings { penalties: crate::engine::Penalties::l2(0.01), ..settings },
        EngineSettings { seed: 2, ..settings },
        EngineSettings { label_smoothing: 0.001, ..settings },
    ];
    for settings in wrong {
        let mut engine = CpuEngine::new(&network, &start, settings, Some(1)).unwrap();
        let refusal = yardstick.check(&mut engine).unwrap_err().to_string();
        assert!(
            refusal.starts_with("the cpu engine on 1 thread") && refusal.contains("computes wrong numbers"),
            "{refusal}"
        );
    }
}

/// An engine whose results a test falsifies.
struct Liar {
    engine: CpuEngine,
    loss_factor: f64,
    change_factor: f32,
    broken: Option<usize>,
    start: Parameters,
}

impl Engine for Liar {
    fn info(&self) -> EngineInfo {
        self.engine.info()
    }

    fn steps_per_call(&self) -> usize {
        self.engine.steps_per_call()
    }

    fn train(&mut self, data: &Arc<Dataset>, plan: &StepPlan<'_>) -> Result<Vec<StepOutcome>> {
        let mut outcomes = self.engine.train(data, plan)?;
        outcomes.iter_mut().for_each(|outcome| outcome.loss *= self.loss_factor);
        Ok(outcomes)
    }

    fn evaluate(&mut self, data: &Arc<Dataset>) -> Result<Evaluation> {
        self.engine.evaluate(data)
    }

    fn parameters(&mut self) -> Result<Parameters> {
        let mut parameters = self.engine.parameters()?;
        // Only the last layer, so that its error is not hidden among the others.
        let (last, start) = (parameters.layers.last_mut(), self.start.layers.last());
        let (last, start) = last.zip(start).expect("there is a layer");
        for (value, start) in last.weights.iter_mut().zip(&start.weights) {
            *value = start + self.change_factor * (*value - start);
        }
        if let Some(broken) = self.broken {
            last.biases[broken] = f32::NAN;
        }
        Ok(parameters)
    }

    fn set_parameters(&mut self, parameters: &Parameters) -> Result<()> {
        self.engine.set_parameters(parameters)
    }

    fn state(&mut self) -> Result<EngineState> {
        self.engine.state()
    }

    fn restore(&mut self, state: &EngineState) -> Result<()> {
        self.engine.restore(state)
    }
}

#[test]
fn each_number_is_looked_at_by_itself() {
    let (network, start, settings) = subject(Arch::Sc);
    let yardstick = Yardstick::new(&network, &start, settings).unwrap();
    let verdict = |loss_factor, change_factor, broken| {
        let engine = CpuEngine::new(&network, &start, settings, Some(1)).unwrap();
        let mut liar = Liar { engine, loss_factor, change_factor, broken, start: start.clone() };
        yardstick.check(&mut liar).map_err(|error| error.to_string())
    };
    assert!(verdict(1.0, 1.0, None).is_ok());
    for (verdict, part) in [
        (verdict(1.0 + 3.0 * LOSS_BOUND, 1.0, None), "the loss of step 1 is"),
        (verdict(f64::NAN, 1.0, None), "the loss of step 1 is NaN"),
        (verdict(1.0, 1.003, None), "layer 3 is"),
        (verdict(1.0, 1.0, Some(9)), "layer 3 is NaN times the bound"),
    ] {
        let refusal = verdict.unwrap_err();
        assert!(refusal.contains(part), "{refusal:?} does not say {part:?}");
    }
}
