use super::*;
use crate::engine::{Backend, EngineInfo, EngineState, Errors, Evaluation, StepOutcome};
use crate::network::Parameters;

/// An engine that learns nothing, records its calls, and fails on request.
#[derive(Default)]
struct FakeEngine {
    /// Samples and first step of each call.
    calls: Vec<(Vec<u32>, u64)>,
    /// The first feature of the data of each call.
    features: Vec<f32>,
    batch_size: usize,
    losses: Vec<f64>,
    parameters: Parameters,
}

impl Engine for FakeEngine {
    fn info(&self) -> EngineInfo {
        EngineInfo { backend: Backend::Reference, adapter: "fake".into() }
    }

    fn steps_per_call(&self) -> usize {
        2
    }

    fn train(&mut self, data: &Arc<Dataset>, plan: &StepPlan<'_>) -> Result<Vec<StepOutcome>> {
        self.features.push(data.features()[0]);
        self.calls.push((plan.samples.to_vec(), plan.first_step));
        let outcomes = plan.samples.chunks(self.batch_size).zip(usize::try_from(plan.first_step).unwrap()..);
        let outcome = |(batch, step): (&[u32], usize)| StepOutcome {
            loss: self.losses.get(step).copied().unwrap_or(1.0),
            correct: 1,
            errors: Errors::default(),
            samples: u32::try_from(batch.len()).unwrap(),
        };
        Ok(outcomes.map(outcome).collect())
    }

    fn evaluate(&mut self, data: &Arc<Dataset>) -> Result<Evaluation> {
        Ok(Evaluation { loss: 0.5, correct: 1, samples: data.samples(), errors: Errors::default() })
    }

    fn parameters(&mut self) -> Result<Parameters> {
        Ok(self.parameters.clone())
    }

    fn set_parameters(&mut self, parameters: &Parameters) -> Result<()> {
        self.parameters = parameters.clone();
        Ok(())
    }

    fn state(&mut self) -> Result<EngineState> {
        Ok(EngineState::of_single(&self.parameters, &[]))
    }

    fn restore(&mut self, _: &EngineState) -> Result<()> {
        Ok(())
    }
}

#[derive(Default)]
struct Notes {
    progress: Vec<Progress>,
    epochs: Vec<usize>,
}

impl Observer for Notes {
    fn batches_trained(&mut self, progress: &Progress) {
        self.progress.push(*progress);
    }

    fn epoch_ended(&mut self, metrics: &EpochMetrics, _: &Parameters) -> Result<()> {
        self.epochs.push(metrics.epoch);
        Ok(())
    }
}

fn samples(count: usize) -> Arc<Dataset> {
    Arc::new(Dataset::new(vec![0.0; count], 1, vec![0; count], 2).unwrap())
}

fn run(engine: &mut FakeEngine, epochs: usize) -> (Result<Vec<EpochMetrics>>, Notes) {
    engine.batch_size = 3;
    let recipe = Recipe { epochs, batch_size: 3, ..Recipe::default() };
    let mut notes = Notes::default();
    let history = train(engine, &recipe, &samples(10), &samples(4), &mut [&mut notes]);
    (history, notes)
}

#[test]
fn every_epoch_has_every_sample_once_in_its_own_order() {
    let mut engine = FakeEngine::default();
    run(&mut engine, 3).0.unwrap();
    // 10 samples in batches of 3, 2 batches a call: 6 and 4 samples; 4 steps an epoch.
    let shape: Vec<_> = engine.calls.iter().map(|(samples, step)| (samples.len(), *step)).collect();
    assert_eq!(shape, [(6, 0), (4, 2), (6, 4), (4, 6), (6, 8), (4, 10)]);
    let orders: Vec<Vec<u32>> =
        engine.calls.chunks(2).map(|calls| [&calls[0].0[..], &calls[1].0].concat()).collect();
    for order in &orders {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..10).collect::<Vec<_>>());
    }
    assert!(orders[0] != orders[1] && orders[1] != orders[2] && orders[0] != orders[2]);
    let mut again = FakeEngine::default();
    run(&mut again, 3).0.unwrap();
    assert_eq!(engine.calls, again.calls);
}

/// Samples whose features are the number of the epoch.
struct Numbered;

impl TrainingData for Numbered {
    fn epoch(&mut self, epoch: usize) -> Result<Arc<Dataset>> {
        let number = u16::try_from(epoch).map(f32::from).unwrap();
        Ok(Arc::new(Dataset::new(vec![number; 10], 1, vec![0; 10], 2)?))
    }
}

#[test]
fn every_epoch_trains_on_its_own_samples() {
    let mut engine = FakeEngine { batch_size: 3, ..FakeEngine::default() };
    let recipe = Recipe { epochs: 3, batch_size: 3, ..Recipe::default() };
    train(&mut engine, &recipe, Numbered, &samples(4), &mut []).unwrap();
    assert_eq!(engine.features, [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
}

#[test]
fn means_weigh_batches_by_their_size() {
    let losses = vec![1.0, 2.0, 3.0, 10.0];
    let (history, notes) = run(&mut FakeEngine { losses, ..FakeEngine::default() }, 1);
    let metrics = &history.unwrap()[0];
    // Three batches of 3 and one of 1.
    assert!((metrics.train_loss - (3.0 + 6.0 + 9.0 + 10.0) / 10.0).abs() < 1e-12, "{metrics:?}");
    assert_eq!((metrics.train_accuracy, metrics.test_accuracy, metrics.test_loss), (0.4, 0.25, 0.5));
    assert_eq!((metrics.epoch, metrics.learning_rate), (1, 0.1));
    assert_eq!(notes.progress.iter().map(|p| p.samples).collect::<Vec<_>>(), [6, 10]);
    assert!((notes.progress[0].loss - 1.5).abs() < 1e-12);
}

#[test]
fn a_loss_that_is_not_finite_ends_the_run_and_keeps_the_epochs_before() {
    for bad in [f64::NAN, f64::INFINITY] {
        let losses = vec![1.0, 1.0, 1.0, 1.0, 1.0, bad];
        let (history, notes) = run(&mut FakeEngine { losses, ..FakeEngine::default() }, 3);
        let message = history.unwrap_err().to_string();
        assert!(message.contains("step 2 of 4 in epoch 2"), "{message}");
        assert_eq!(notes.epochs, [1]);
    }
}

#[test]
fn a_parameter_that_is_not_finite_ends_the_run() {
    let layer = crate::network::LayerParameters { weights: vec![f32::NAN], biases: vec![] };
    let parameters = Parameters { layers: vec![layer] };
    let (history, notes) = run(&mut FakeEngine { parameters, ..FakeEngine::default() }, 3);
    assert!(matches!(history, Err(Error::Diverged(_))));
    assert!(notes.epochs.is_empty());
}

/// The order of samples of a seed must never change.
#[test]
fn the_permutation_is_pinned() {
    assert_eq!(permutation(10, 0, 0).unwrap(), [7, 4, 0, 6, 9, 8, 1, 2, 5, 3]);
}

#[test]
fn all_orders_of_three_are_equally_likely() {
    let mut counts = std::collections::HashMap::new();
    for epoch in 0..6000 {
        *counts.entry(permutation(3, 1, epoch).unwrap()).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 6);
    // 1000 expected of each; 5 standard deviations are 144.
    assert!(counts.values().all(|count| (856..=1144).contains(count)), "{counts:?}");
}
