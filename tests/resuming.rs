//! A run resumed in a new engine has the bits of an uninterrupted one.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{random_data, random_parameters, small_network};
use tanner::Error;
use tanner::dataset::Dataset;
use tanner::engine::cpu::CpuEngine;
use tanner::engine::reference::ReferenceEngine;
use tanner::engine::{
    Engine, EngineInfo, EngineSettings, EngineState, Evaluation, Optimizer, OptimizerKind, Penalties,
    StepOutcome, StepPlan, Values,
};
use tanner::network::{Activation, Network, Parameters};
use tanner::tiles::TilePolicy;
use tanner::training::{
    CheckpointEvery, Ending, EpochMetrics, Observer, Progress, Recipe, Schedule, TrainOptions, Trained,
    TrainingState, train, train_with,
};

/// Makes an engine of a network, its settings, and the seed of its first parameters.
type Make = fn(&Network, EngineSettings, u64) -> Box<dyn Engine>;

fn engines() -> Vec<(&'static str, Make)> {
    fn cpu(
        network: &Network,
        settings: EngineSettings,
        seed: u64,
        dense_from: f64,
        threads: usize,
    ) -> Box<dyn Engine> {
        let (parameters, policy) = (random_parameters(network, seed), TilePolicy::dense_from(dense_from));
        Box::new(CpuEngine::with_tiles(network, &parameters, settings, Some(threads), policy).unwrap())
    }
    vec![
        ("reference", |network, settings, seed| {
            Box::new(ReferenceEngine::new(network, &random_parameters(network, seed), settings).unwrap())
        }),
        ("cpu, dense tiles", |network, settings, seed| cpu(network, settings, seed, 0.0, 2)),
        ("cpu, sparse tiles", |network, settings, seed| cpu(network, settings, seed, 2.0, 1)),
        ("cpu, both", |network, settings, seed| cpu(network, settings, seed, 0.5, 3)),
    ]
}

fn settings(optimizer: Optimizer) -> EngineSettings {
    let penalties = Penalties { l2: 1e-3, group_lasso: 1e-3, ..Penalties::default() };
    let settings = EngineSettings::new(optimizer, 10, 5);
    EngineSettings { penalties, drop_connect: 0.1, ..settings }
}

/// Values by their bits, so that the sign of 0 counts.
fn bits(state: &EngineState) -> Vec<u64> {
    let values = [&state.parameters].into_iter().chain(&state.optimizer);
    let bits = values.flat_map(|values| match values {
        Values::Single(values) => values.iter().map(|v| u64::from(v.to_bits())).collect::<Vec<_>>(),
        Values::Double(values) => values.iter().map(|v| v.to_bits()).collect(),
    });
    bits.collect()
}

/// After a reset, an optimiser does not depend on earlier steps: Adam corrects its means by the steps
/// since then. Its first step moves every parameter by the rate, whatever the gradient.
#[test]
fn an_optimiser_that_begins_at_zero_in_the_middle_of_a_run_steps_as_at_its_start() {
    let network = small_network(Activation::Tanh, 1.0);
    let data = random_data(60, 10, 4, 3);
    let samples: Vec<u32> = (0..50).map(|k| k * 7 % 60).collect();
    for (name, make) in engines() {
        for optimizer in OptimizerKind::ALL.map(OptimizerKind::usual) {
            let settings = EngineSettings::new(optimizer, 10, 5);
            let mut first = make(&network, settings, 1);
            let begun = first.state().unwrap();
            assert_eq!(begun.optimizer_start, 0);
            let plan = |samples, first_step| StepPlan { samples, learning_rate: 0.05, first_step };
            first.train(&data, &plan(&samples, 0)).unwrap();
            let mut later = make(&network, settings, 2);
            later.restore(&EngineState { optimizer_start: 7000, ..begun.clone() }).unwrap();
            later.train(&data, &plan(&samples, 7000)).unwrap();
            let (first, later) = (first.state().unwrap(), later.state().unwrap());
            assert_eq!(bits(&first), bits(&later), "{name}, {optimizer}");
            assert_eq!(later.optimizer_start, 7000);

            let mut one = make(&network, settings, 3);
            one.restore(&EngineState { optimizer_start: 7000, ..begun.clone() }).unwrap();
            one.train(&data, &plan(&samples[..10], 7000)).unwrap();
            if matches!(optimizer, Optimizer::Adam { .. }) {
                let numbers = |state: &EngineState| match &state.parameters {
                    Values::Single(values) => values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>(),
                    Values::Double(values) => values.clone(),
                };
                let (before, after) = (numbers(&begun), numbers(&one.state().unwrap()));
                let moved = before.iter().zip(&after).map(|(before, after)| (before - after).abs());
                let moved: Vec<f64> = moved.filter(|moved| *moved > 0.0).collect();
                let most = moved.iter().copied().fold(0.0, f64::max);
                assert!((most - 0.05).abs() < 1e-4 && moved.len() > 20, "{name}: {most}");
            }
        }
    }
}

#[test]
fn a_new_engine_continues_from_the_state_of_another() {
    let network = small_network(Activation::Tanh, 0.8);
    let data = random_data(60, 10, 4, 3);
    let samples: Vec<u32> = (0..130).map(|k| k * 7 % 60).collect();
    let plan = |samples, first_step| StepPlan { samples, learning_rate: 0.05, first_step };
    for (name, make) in engines() {
        for optimizer in OptimizerKind::ALL.map(OptimizerKind::usual) {
            let mut whole = make(&network, settings(optimizer), 1);
            whole.train(&data, &plan(&samples[..70], 0)).unwrap();
            let state = whole.state().unwrap();
            assert_eq!(state.optimizer.len(), optimizer.state_count());
            let outcomes = whole.train(&data, &plan(&samples[70..], 7)).unwrap();
            // Another start and one more step: neither may leave a trace.
            let mut second = make(&network, settings(optimizer), 2);
            second.train(&data, &plan(&samples[..10], 0)).unwrap();
            second.restore(&state).unwrap();
            assert_eq!(bits(&second.state().unwrap()), bits(&state), "{name}, {optimizer}: round trip");
            assert_eq!(
                second.train(&data, &plan(&samples[70..], 7)).unwrap(),
                outcomes,
                "{name}, {optimizer}"
            );
            assert_eq!(bits(&second.state().unwrap()), bits(&whole.state().unwrap()), "{name}, {optimizer}");
            assert_eq!(second.evaluate(&data).unwrap(), whole.evaluate(&data).unwrap());
        }
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused_and_changes_nothing() {
    let network = small_network(Activation::Tanh, 1.0);
    let makes = engines();
    let (reference, cpu) = (makes[0].1, makes[3].1);
    let state = |make: Make, optimizer| make(&network, settings(optimizer), 1).state().unwrap();
    let mut broken = state(cpu, Optimizer::Sgd);
    broken.parameters = Values::Single(vec![f32::NAN; network.parameter_count()]);
    let mut short = state(cpu, Optimizer::Sgd);
    short.parameters = Values::Single(vec![0.0; 3]);
    for (make, given, part) in [
        (cpu, state(reference, Optimizer::Sgd), "float64 do not fit an engine that computes in float32"),
        (reference, state(cpu, Optimizer::Sgd), "float32 do not fit an engine that computes in float64"),
        (cpu, state(cpu, Optimizer::ADAM), "2 values a parameter do not fit SGD, which has 0"),
        (cpu, broken, "not a finite number"),
        (cpu, short, "3 values do not fit a network of"),
    ] {
        let mut engine = make(&network, settings(Optimizer::Sgd), 4);
        let before = engine.state().unwrap();
        let message = engine.restore(&given).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
        assert_eq!(engine.state().unwrap(), before);
    }
}

fn recipe(optimizer: Optimizer) -> Recipe {
    let schedule = Schedule::Cosine;
    Recipe { epochs: 4, batch_size: 10, learning_rate: 0.05, schedule, optimizer, ..Recipe::default() }
}

/// Keeps every state, and can request a stop at one of them.
#[derive(Default)]
struct Keeper {
    states: Vec<TrainingState>,
    stop: AtomicBool,
}

/// Observers and the stop flag are borrowed side by side.
struct Watch<'a>(&'a mut Vec<TrainingState>, Option<(&'a AtomicBool, usize)>, usize);

impl Observer for Watch<'_> {
    fn batches_trained(&mut self, _: &Progress) {
        self.2 += 1;
        if let Some((stop, _)) = self.1.filter(|(_, call)| *call == self.2) {
            stop.store(true, Ordering::Relaxed);
        }
    }

    fn checkpoint(&mut self, state: &TrainingState) -> tanner::Result<()> {
        self.0.push(state.clone());
        Ok(())
    }
}

fn data() -> (Arc<Dataset>, Arc<Dataset>) {
    (random_data(205, 10, 4, 3), random_data(40, 10, 4, 4))
}

fn run(
    make: Make,
    options: TrainOptions<'_>,
    stop_at: Option<(&AtomicBool, usize)>,
) -> (Trained, Keeper, Vec<u64>) {
    let network = small_network(Activation::Tanh, 0.8);
    let recipe = recipe(Optimizer::ADAM);
    let (training, test) = data();
    let mut engine = make(&network, recipe.engine_settings(), 1);
    let mut keeper = Keeper::default();
    let mut watch = Watch(&mut keeper.states, stop_at, 0);
    let trained = train_with(&mut *engine, &recipe, &training, &test, &mut [&mut watch], options).unwrap();
    (trained, keeper, bits(&engine.state().unwrap()))
}

/// Metrics without the seconds.
fn numbers(history: &[EpochMetrics]) -> Vec<[u64; 5]> {
    let bits = |m: &EpochMetrics| {
        [m.train_loss, m.test_loss, m.train_accuracy, m.test_accuracy, m.learning_rate].map(f64::to_bits)
    };
    history.iter().map(bits).collect()
}

/// From every place where a run can be saved, with 21 steps per epoch.
#[test]
fn a_run_resumes_from_every_step_to_the_same_bits() {
    for (name, make) in [engines()[0], engines()[3]] {
        let (whole, _, end) = run(make, TrainOptions::default(), None);
        assert_eq!((whole.ending, whole.history.len()), (Ending::Completed, 4));
        let every = |every| TrainOptions { checkpoint_every: Some(every), ..TrainOptions::default() };
        let (kept, keeper, same_end) = run(make, every(CheckpointEvery::Steps(1)), None);
        assert!(numbers(&kept.history) == numbers(&whole.history) && end == same_end, "keeping changes bits");
        let per_epoch = if name == "reference" { 21 } else { 3 };
        assert_eq!(keeper.states.len(), 4 * per_epoch, "{name}");
        let by_epoch = run(make, every(CheckpointEvery::Epochs(1)), None).1.states;
        assert_eq!(by_epoch.len(), 4);
        for state in keeper.states.into_iter().chain(by_epoch) {
            let place = (state.history.len(), state.so_far.steps);
            let options = TrainOptions { resume_from: Some(state), ..TrainOptions::default() };
            let (resumed, _, same_end) = run(make, options, None);
            assert_eq!(resumed.ending, Ending::Completed);
            assert!(numbers(&resumed.history) == numbers(&whole.history), "{name}: metrics from {place:?}");
            assert!(end == same_end, "{name}: values from {place:?}");
        }
    }
}

#[test]
fn a_run_stops_on_request_and_resumes() {
    let make = engines()[3].1;
    let (whole, _, end) = run(make, TrainOptions::default(), None);
    for call in [1, 3, 5, 12] {
        let stop = Keeper::default().stop;
        let options = TrainOptions { stop: Some(&stop), ..TrainOptions::default() };
        let (stopped, mut keeper, _) = run(make, options, Some((&stop, call)));
        assert!(matches!(stopped.ending, Ending::Stopped { .. }), "{stopped:?}");
        assert_eq!(keeper.states.len(), 1, "one state, where it stopped");
        let state = keeper.states.remove(0);
        let steps = [8, 16, 21][(call - 1) % 3];
        assert_eq!((state.history.len(), state.so_far.steps), ((call - 1) / 3, steps));
        let options = TrainOptions { resume_from: Some(state), ..TrainOptions::default() };
        let (resumed, _, same_end) = run(make, options, None);
        assert!(numbers(&resumed.history) == numbers(&whole.history) && end == same_end, "call {call}");
    }
    // Requested before the first step.
    let stop = AtomicBool::new(true);
    let options = TrainOptions { stop: Some(&stop), ..TrainOptions::default() };
    let (stopped, keeper, _) = run(make, options, None);
    assert_eq!(stopped.ending, Ending::Stopped { epochs: 0, steps: 0 });
    assert_eq!(keeper.states.len(), 1);
}

#[test]
fn patience_ends_a_run_and_a_resumed_one_at_the_same_epoch() {
    let network = small_network(Activation::Tanh, 1.0);
    // So slow that nothing changes.
    let recipe = Recipe { epochs: 40, learning_rate: 1e-15, batch_size: 10, ..Recipe::default() };
    let (training, test) = data();
    let run = |resume_from, patience| {
        let mut engine = engines()[3].1(&network, recipe.engine_settings(), 1);
        let mut states = Vec::new();
        let mut watch = Watch(&mut states, None, 0);
        let checkpoint_every = Some(CheckpointEvery::Epochs(1));
        let options = TrainOptions { resume_from, patience, checkpoint_every, ..TrainOptions::default() };
        let observers: &mut [&mut dyn Observer] = &mut [&mut watch];
        let trained = train_with(&mut *engine, &recipe, &training, &test, observers, options).unwrap();
        (trained, states)
    };
    let (early, states) = run(None, Some(3));
    assert_eq!((early.ending, early.history.len()), (Ending::OutOfPatience, 4));
    for state in states {
        let (resumed, _) = run(Some(state), Some(3));
        assert_eq!(resumed.ending, Ending::OutOfPatience);
        assert_eq!(numbers(&resumed.history), numbers(&early.history));
    }
    assert_eq!(run(None, None).0.ending, Ending::Completed);
}

#[test]
fn a_state_of_other_data_or_of_a_longer_run_is_refused() {
    let network = small_network(Activation::Tanh, 1.0);
    let (training, test) = data();
    let every = TrainOptions { checkpoint_every: Some(CheckpointEvery::Steps(1)), ..TrainOptions::default() };
    let state = run(engines()[3].1, every, None).1.states.swap_remove(4);
    let resume = |recipe: &Recipe, training: &Arc<Dataset>| {
        let mut engine = engines()[3].1(&network, recipe.engine_settings(), 1);
        let options = TrainOptions { resume_from: Some(state.clone()), ..TrainOptions::default() };
        train_with(&mut *engine, recipe, training, &test, &mut [], options).unwrap_err().to_string()
    };
    let adam = recipe(Optimizer::ADAM);
    let message = resume(&Recipe { epochs: 1, ..adam.clone() }, &training);
    assert!(message.starts_with("epochs: 1 is less than"), "{message}");
    let message = resume(&Recipe { batch_size: 11, ..adam }, &training);
    assert!(message.contains("16 steps over 160 samples, but with these data they are 176"), "{message}");
    let message = resume(&recipe(Optimizer::Sgd), &training);
    assert!(message.contains("do not fit SGD"), "{message}");
}

/// An engine whose device is lost at some call.
struct Mortal {
    engine: Box<dyn Engine>,
    calls: usize,
    /// Number of evaluations until a stop is requested in one.
    evaluations: usize,
}

impl Engine for Mortal {
    fn info(&self) -> EngineInfo {
        self.engine.info()
    }

    fn steps_per_call(&self) -> usize {
        self.engine.steps_per_call()
    }

    fn train(&mut self, data: &Arc<Dataset>, plan: &StepPlan<'_>) -> tanner::Result<Vec<StepOutcome>> {
        let lost = || Error::Device { adapter: "card".into(), reason: "the device is lost".into() };
        self.calls = self.calls.checked_sub(1).ok_or_else(lost)?;
        self.engine.train(data, plan)
    }

    fn evaluate(&mut self, data: &Arc<Dataset>) -> tanner::Result<Evaluation> {
        self.engine.evaluate(data)
    }

    fn evaluate_unless(
        &mut self,
        data: &Arc<Dataset>,
        stop: &AtomicBool,
    ) -> tanner::Result<Option<Evaluation>> {
        self.evaluations = self.evaluations.wrapping_sub(1);
        if self.evaluations == 0 {
            stop.store(true, Ordering::Relaxed);
        }
        self.engine.evaluate_unless(data, stop)
    }

    fn parameters(&mut self) -> tanner::Result<Parameters> {
        self.engine.parameters()
    }

    fn set_parameters(&mut self, parameters: &Parameters) -> tanner::Result<()> {
        self.engine.set_parameters(parameters)
    }

    fn state(&mut self) -> tanner::Result<EngineState> {
        self.engine.state()
    }

    fn restore(&mut self, state: &EngineState) -> tanner::Result<()> {
        self.engine.restore(state)
    }
}

/// A run whose device is lost resumes from its last checkpoint, which is complete.
#[test]
fn a_lost_device_costs_no_more_than_since_the_last_checkpoint() {
    let make = engines()[3].1;
    let (whole, _, end) = run(make, TrainOptions::default(), None);
    let (network, (training, test)) = (small_network(Activation::Tanh, 0.8), data());
    let recipe = recipe(Optimizer::ADAM);
    let mut engine = Mortal { engine: make(&network, recipe.engine_settings(), 1), calls: 7, evaluations: 0 };
    let mut states = Vec::new();
    let mut watch = Watch(&mut states, None, 0);
    let options =
        TrainOptions { checkpoint_every: Some(CheckpointEvery::Steps(10)), ..TrainOptions::default() };
    let observers: &mut [&mut dyn Observer] = &mut [&mut watch];
    let lost = train_with(&mut engine, &recipe, &training, &test, observers, options);
    assert!(matches!(lost, Err(Error::Device { .. })));
    let state = states.pop().unwrap();
    // Calls of 8, 8 and 5 steps an epoch: kept after 16 steps, 13 more, 13 more.
    assert_eq!((state.history.len(), state.so_far.steps), (1, 21));
    let options = TrainOptions { resume_from: Some(state), ..TrainOptions::default() };
    let (resumed, _, same_end) = run(make, options, None);
    assert!(numbers(&resumed.history) == numbers(&whole.history) && end == same_end);
}

/// A run stopped in the evaluation of an epoch saves the state after its last step, and resumes to the same bits.
#[test]
fn a_run_that_is_stopped_in_an_evaluation_keeps_the_epochs_steps() {
    for (name, make) in engines() {
        let (whole, _, end) = run(make, TrainOptions::default(), None);
        let (network, (training, test)) = (small_network(Activation::Tanh, 0.8), data());
        let recipe = recipe(Optimizer::ADAM);
        let engine = make(&network, recipe.engine_settings(), 1);
        let mut engine = Mortal { engine, calls: usize::MAX, evaluations: 2 };
        let (mut states, stop) = (Vec::new(), AtomicBool::new(false));
        let mut watch = Watch(&mut states, None, 0);
        let options = TrainOptions { stop: Some(&stop), ..TrainOptions::default() };
        let stopped = train_with(&mut engine, &recipe, &training, &test, &mut [&mut watch], options).unwrap();
        let steps = training.samples().div_ceil(recipe.batch_size);
        assert_eq!(stopped.ending, Ending::Stopped { epochs: 1, steps }, "{name}");
        let state = states.pop().unwrap();
        assert_eq!((state.history.len(), state.so_far.steps), (1, steps), "{name}");
        let options = TrainOptions { resume_from: Some(state), ..TrainOptions::default() };
        let (resumed, _, same_end) = run(make, options, None);
        assert!(numbers(&resumed.history) == numbers(&whole.history) && end == same_end, "{name}");
    }
}

/// The simple call runs the same training.
#[test]
fn the_simple_call_gives_the_same_bits() {
    let network = small_network(Activation::Tanh, 0.8);
    let recipe = recipe(Optimizer::ADAM);
    let (training, test) = data();
    let mut engine = engines()[3].1(&network, recipe.engine_settings(), 1);
    let history = train(&mut *engine, &recipe, &training, &test, &mut []).unwrap();
    let (whole, _, end) = run(engines()[3].1, TrainOptions::default(), None);
    assert!(numbers(&history) == numbers(&whole.history) && bits(&engine.state().unwrap()) == end);
}
