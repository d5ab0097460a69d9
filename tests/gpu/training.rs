//! The engine as a whole: training, reproducibility, refusals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tanner::Error;
use tanner::dataset::Dataset;
use tanner::engine::gpu::{
    AdapterChoice, Budget, Buffer, GpuDevice, GpuEngine, GpuOptions, KernelKind, ProbeStep, Search, Share,
    Tuning, TuningSource, TuningTask,
};
use tanner::engine::reference::ReferenceEngine;
use tanner::engine::{
    Engine, EngineSettings, EngineState, Optimizer, OptimizerKind, Penalties, StepOutcome, StepPlan, Values,
};
use tanner::network::{Activation, Network, Parameters};
use tanner::tiles::TilePolicy;

use crate::common::{golden, optimizers};
use crate::kernels::Bench;
use crate::oracle::{Bounded, Misses};
use crate::shapes;

const MIXED: TilePolicy = TilePolicy::dense_from(0.45);

fn start(network: &Network) -> Parameters {
    shapes::parameters(network, |place, layer| 0.5 * shapes::real(place, layer, 60))
}

fn coupled(keep_probability: f32) -> Network {
    shapes::shape("coupled", Activation::Tanh, keep_probability)
}

fn settings(optimizer: Optimizer) -> EngineSettings {
    EngineSettings { penalties: Penalties::l2(1e-3), ..EngineSettings::new(optimizer, 10, 5) }
}

fn order(steps: usize) -> Vec<u32> {
    (0u32..).take(10 * steps).map(|place| place * 17 % 47).collect()
}

fn train(engine: &mut GpuEngine, data: &Arc<Dataset>, samples: &[u32], first_step: u64) -> Vec<StepOutcome> {
    engine.train(data, &StepPlan { samples, learning_rate: 0.05, first_step }).unwrap()
}

fn bits(parameters: &Parameters) -> Vec<u32> {
    let values = parameters.layers.iter().flat_map(|layer| layer.weights.iter().chain(&layer.biases));
    values.map(|value| value.to_bits()).collect()
}

/// Some steps, then an evaluation, and all results.
fn short_run(
    network: &Network,
    data: &Arc<Dataset>,
    options: &GpuOptions,
) -> (Vec<StepOutcome>, Vec<u32>, f64) {
    let mut engine = shapes::engine(network, &start(network), settings(Optimizer::ADAM), options);
    let outcomes = train(&mut engine, data, &order(70)[..694], 0);
    let evaluation = engine.evaluate(data).unwrap();
    (outcomes, bits(&engine.parameters().unwrap()), evaluation.loss)
}

/// Three steps and an evaluation against the reference, through all kernels in their order.
pub(crate) fn follows_the_reference(runtime_checks: bool) -> Result<(), String> {
    for optimizer in OptimizerKind::ALL.map(OptimizerKind::usual) {
        follow(settings(optimizer), runtime_checks)?;
    }
    Ok(())
}

/// Several steps of every optimiser along known gradients, under every tile policy.
pub(crate) fn optimizers_follow_their_formulas(runtime_checks: bool) -> Result<(), String> {
    for optimizer in optimizers() {
        for (policy, tiles) in shapes::POLICIES {
            let network = shapes::shape("last block smaller", Activation::Tanh, 1.0);
            let options = shapes::options(tiles, runtime_checks);
            let mut misses = Misses::default();
            Bench::new(network, shapes::settings(optimizer, 1), &options, false).several_steps(&mut misses);
            misses.result().map_err(|text| format!("{optimizer}, {policy}: {text}"))?;
        }
    }
    Ok(())
}

/// Three steps and an evaluation under any settings for batches of 10.
pub(crate) fn follow(settings: EngineSettings, runtime_checks: bool) -> Result<(), String> {
    let network = coupled(0.8);
    let data = shapes::dataset(&network, 47, 61);
    let mut misses = Misses::default();
    for share in [Share::ONE, Share::ALL[2], Share::ALL[5]] {
        let options = shapes::shared(share, shapes::options(MIXED, runtime_checks));
        follow_with(settings, &options, (&network, &data), &mut misses);
    }
    misses.result()
}

fn follow_with(
    settings: EngineSettings,
    options: &GpuOptions,
    (network, data): (&Network, &Arc<Dataset>),
    misses: &mut Misses,
) {
    let optimizer = settings.optimizer;
    let mut engine = shapes::engine(network, &start(network), settings, options);
    let mut reference = ReferenceEngine::new(network, &start(network), settings).unwrap();
    let plan = StepPlan { samples: &order(3)[..27], learning_rate: 0.05, first_step: 4 };
    let steps = engine.train(data, &plan).unwrap().into_iter().zip(reference.train(data, &plan).unwrap());
    for (step, (got, expected)) in steps.enumerate() {
        misses.near(format!("{optimizer}, step {step}: loss"), got.loss, close(expected.loss));
        misses.equal("correct", (got.correct, got.samples), (expected.correct, expected.samples));
    }
    for (index, (now, then)) in engine.parameters().unwrap().layers.iter().zip(reference.values()).enumerate()
    {
        let values = now.weights.iter().chain(&now.biases).zip(then.weights.iter().chain(&then.biases));
        for (place, (now, then)) in values.enumerate() {
            misses.near(format!("{optimizer}, layer {index}, value {place}"), *now, close(*then));
        }
    }
    let (got, expected) = (engine.evaluate(data).unwrap(), reference.evaluate(data).unwrap());
    misses.near(format!("{optimizer}: evaluation"), got.loss, close(expected.loss));
    misses.equal("evaluation", (got.correct, got.samples), (expected.correct, 47));
}

/// The recorded losses of the golden runs, under every tile policy.
pub(crate) fn gives_the_golden_losses(runtime_checks: bool) -> Result<(), String> {
    for golden in golden::RUNS {
        let (network, parameters, settings) = golden::network(golden.rule);
        for (_, tiles) in shapes::POLICIES {
            let options = shapes::options(tiles, runtime_checks);
            let mut engine = shapes::engine(&network, &parameters, settings, &options);
            golden.check(&mut engine, golden::FLOAT32_BOUND);
        }
    }
    Ok(())
}

/// Errors of three steps grow past any simple bound; a wrong kernel misses by far more.
fn close(value: f64) -> Bounded {
    Bounded { value, bound: 2e-5 * (1.0 + value.abs()) }
}

type Ask = fn(&mut GpuEngine, &Arc<Dataset>) -> Result<(), Error>;

/// Any request to an engine without its device ends in an error, never in a panic.
pub(crate) fn a_lost_device_is_an_error() -> Result<(), String> {
    let (network, options) = (coupled(0.5), shapes::options(MIXED, false));
    let data = shapes::dataset(&network, 47, 62);
    let mut misses = Misses::default();
    let device_error = |result: Result<(), Error>| matches!(result, Err(Error::Device { .. }));
    let asks: [Ask; 6] = [
        |engine, data| {
            let plan = StepPlan { samples: &order(2), learning_rate: 0.1, first_step: 0 };
            engine.train(data, &plan).map(|_| ())
        },
        |engine, data| engine.evaluate(data).map(|_| ()),
        |engine, _| engine.parameters().map(|_| ()),
        |engine, _| engine.set_parameters(&start(&coupled(0.5))),
        |engine, _| engine.state().map(|_| ()),
        |engine, _| {
            let state = EngineState::of_single(&start(&coupled(0.5)), &[]);
            engine.restore(&state)
        },
    ];
    for (number, ask) in asks.into_iter().enumerate() {
        let mut engine =
            GpuEngine::new(&network, &start(&network), settings(Optimizer::Sgd), &options).unwrap();
        ask(&mut engine, &data).map_err(|error| error.to_string())?;
        engine.probe().lose_device();
        let result = ask(&mut engine, &data);
        misses.equal(format!("ask {number}: {result:?}"), device_error(result), true);
    }
    misses.result()
}

pub(crate) fn repeats_bit_for_bit() -> Result<(), String> {
    let network = coupled(0.5);
    let data = shapes::dataset(&network, 47, 62);
    let mut misses = Misses::default();
    for share in Share::ALL {
        let options = shapes::shared(share, shapes::options(MIXED, false));
        let run = || short_run(&network, &data, &options);
        let (first, second) = (run(), run());
        misses.equal("steps", first.0.len(), 70);
        misses.equal(format!("two runs with a share of {share}"), first, second);
    }
    misses.result()
}

fn budget(seconds: u64) -> Budget {
    let time = Duration::from_secs(seconds);
    Budget { device: time, in_all: time }
}

/// A measurement finds a tuning that engines accept, returns it again from the cache, and leaves
/// initial parameters unchanged, even without hidden layers, and without time.
pub(crate) fn tunings_are_found() -> Result<(), String> {
    let mut misses = Misses::default();
    let folder = tempfile::tempdir().unwrap();
    let options = shapes::options(TilePolicy::dense_from(0.3), false);
    let device = GpuDevice::open(&options).unwrap();
    let bare = shapes::network(
        vec![shapes::layer_of(
            tanner::topology::Partition::whole(5).unwrap(),
            tanner::topology::Partition::whole(3).unwrap(),
            |o, i| o != i,
        )],
        Activation::Identity,
        1.0,
    );
    for (number, network) in [coupled(0.5), bare].iter().enumerate() {
        let (parameters, settings) = (start(network), settings(Optimizer::ADAM));
        let task =
            TuningTask { device: &device, network, parameters: &parameters, settings, options: &options };
        let find = |seconds| task.find(Some(folder.path()), budget(seconds)).unwrap();
        // Without time nothing is measured, and the next search continues.
        let all = task.candidate_count();
        let first = (task.default_tuning(), TuningSource::Measured { left: all });
        misses.equal(format!("network {number}: no time"), find(0), first);
        let (tuning, source) = find(60);
        misses.equal(format!("network {number}: first"), source, TuningSource::Measured { left: 0 });
        misses.equal(format!("network {number}: second"), find(0), (tuning, TuningSource::Cache));
        // A search that stops in the middle resumes from there.
        let middle = Search { tuning, measured: all - 1 };
        misses.equal("the last one", task.measure(middle, budget(60)).unwrap().measured, all);
        let text = tuning.to_string();
        misses.equal(format!("network {number}: text"), text.parse::<Tuning>().unwrap(), tuning);
        let mut engine =
            GpuEngine::on(&device, network, &parameters, settings, &tuning.applied_to(options.clone()))
                .unwrap();
        misses.equal("the engine has it", engine.tuning(), tuning);
        misses.equal("untouched", bits(&engine.parameters().unwrap()), bits(&parameters));
        // Another size of batches is another task.
        let settings = EngineSettings { batch_size: 9, ..settings };
        let other = TuningTask { settings, ..task };
        let source = other.find(Some(folder.path()), budget(0)).unwrap().1;
        misses.equal(format!("network {number}: batch 9"), source, TuningSource::Measured { left: all });
    }
    misses.equal("files", std::fs::read_dir(folder.path()).unwrap().count(), 4);
    misses.result()
}

pub(crate) fn streamed_equals_resident() -> Result<(), String> {
    let (network, options) = (coupled(0.5), shapes::options(MIXED, false));
    let data = shapes::dataset(&network, 47, 63);
    let tight = GpuOptions { resident_limit: Some(100), ..options.clone() };
    let mut misses = Misses::default();
    misses.equal("streamed", short_run(&network, &data, &tight), short_run(&network, &data, &options));
    misses.result()
}

/// However the workgroups of a dispatch are split into submits, all kernels produce the same bits.
pub(crate) fn dispatches_can_be_cut() -> Result<(), String> {
    let network = shapes::wide(Activation::Sigmoid);
    let penalties = Penalties { group_lasso: 0.01, ..Penalties::default() };
    let settings =
        EngineSettings { penalties, drop_connect: 0.2, batch_size: 133, ..settings(Optimizer::ADAM) };
    let data = shapes::dataset(&network, 150, 64);
    let run = |share: u32, parts: usize| {
        let options = shapes::shared(Share::new(share).unwrap(), shapes::options(MIXED, false));
        let mut engine = shapes::engine(&network, &start(&network), settings, &options);
        engine.probe().cut_submits(parts);
        let outcomes = train(&mut engine, &data, &order(15), 0);
        let evaluation = engine.evaluate(&data).unwrap();
        (outcomes, bits(&engine.parameters().unwrap()), evaluation.loss)
    };
    let mut misses = Misses::default();
    for share in [1, 8] {
        let whole = run(share, 0);
        for parts in [1, 2, 5, 1000] {
            misses.equal(format!("share {share}, {parts} parts"), run(share, parts) == whole, true);
        }
    }
    misses.result()
}

/// Neither cutting a run into calls, even in the middle of a submit, nor the number of steps per call changes anything.
pub(crate) fn calls_can_be_cut() -> Result<(), String> {
    let (network, options) =
        (shapes::shape("one tile", Activation::Sigmoid, 0.5), shapes::options(MIXED, false));
    let settings = EngineSettings { batch_size: 1, ..settings(Optimizer::ADAM) };
    let data = shapes::dataset(&network, 47, 64);
    let samples = &order(110)[..1_060];
    let run = |cuts: &[usize]| {
        let mut engine = shapes::engine(&network, &start(&network), settings, &options);
        let (mut outcomes, mut first) = (Vec::new(), 0);
        for cut in cuts.iter().chain([&samples.len()]) {
            outcomes.extend(train(&mut engine, &data, &samples[first..*cut], first as u64));
            first = *cut;
        }
        (outcomes, bits(&engine.parameters().unwrap()))
    };
    let mut misses = Misses::default();
    let whole = run(&[]);
    misses.equal("steps", whole.0.len(), 1_060);
    misses.equal("cut runs", whole, run(&[1, 8, 50, 100, 1_030]));
    misses.result()
}

pub(crate) fn parameters_come_back() -> Result<(), String> {
    let mut misses = Misses::default();
    for (name, network) in shapes::shapes(Activation::Relu, 1.0) {
        for (policy, tiles) in shapes::POLICIES {
            let parameters = start(&network);
            let options = shapes::options(tiles, false);
            let mut engine = shapes::engine(&network, &parameters, settings(Optimizer::ADAM), &options);
            misses.equal(format!("{name}, {policy}"), engine.parameters().unwrap(), parameters);
            let probe = engine.probe();
            let kinds = (probe.layout().dense_len() > 0, probe.layout().first_bias() > 0);
            match policy {
                "dense" => misses.equal(format!("kinds of tiles of {name}"), kinds, (true, false)),
                // Lists hold whole micro-blocks under every policy.
                "sparse" if name == "whole micro-blocks" => misses.equal("its kinds", kinds, (true, true)),
                "sparse" => misses.equal(format!("kinds of tiles of {name}"), kinds, (false, true)),
                _ if ["coupled", "last block smaller", "empty row and column"].contains(&name) => {
                    misses.equal(format!("kinds of tiles of {name}"), kinds, (true, true));
                }
                _ => {}
            }
        }
    }
    misses.result()
}

/// New parameters start a new run without old momentum or means.
pub(crate) fn new_parameters_forget() -> Result<(), String> {
    let mut misses = Misses::default();
    for optimizer in OptimizerKind::ALL.map(OptimizerKind::usual) {
        let (network, options) = (coupled(1.0), shapes::options(MIXED, false));
        let data = shapes::dataset(&network, 47, 65);
        let mut engine = shapes::engine(&network, &start(&network), settings(optimizer), &options);
        let first = (train(&mut engine, &data, &order(5), 0), bits(&engine.parameters().unwrap()));
        engine.set_parameters(&start(&network)).unwrap();
        let second = (train(&mut engine, &data, &order(5), 0), bits(&engine.parameters().unwrap()));
        misses.equal(format!("{optimizer}"), second, first);
    }
    misses.result()
}

/// Parameters and optimiser state move into a new engine with any tiles, to the bit.
pub(crate) fn states_come_back() -> Result<(), String> {
    let mut misses = Misses::default();
    for optimizer in OptimizerKind::ALL.map(OptimizerKind::usual) {
        // Tiles change nothing that depends on the optimiser but how much of it there is.
        let all_tiles = optimizer == Optimizer::ADAM;
        for (policy, tiles) in shapes::POLICIES {
            if !all_tiles && tiles != MIXED {
                continue;
            }
            let (network, options) = (coupled(0.8), shapes::options(tiles, false));
            let settings = EngineSettings { drop_connect: 0.1, ..settings(optimizer) };
            let data = shapes::dataset(&network, 47, 68);
            let mut whole = shapes::engine(&network, &start(&network), settings, &options);
            train(&mut whole, &data, &order(5), 0);
            let state = whole.state().unwrap();
            let rest = train(&mut whole, &data, &order(9)[50..], 5);
            let mut second = shapes::engine(&network, &start(&network), settings, &options);
            train(&mut second, &data, &order(2), 0);
            second.restore(&state).unwrap();
            let name = format!("{optimizer}, {policy}");
            misses.equal(format!("{name}: round trip"), second.state().unwrap() == state, true);
            misses.equal(format!("{name}: steps"), train(&mut second, &data, &order(9)[50..], 5), rest);
            misses.equal(format!("{name}: end"), second.state().unwrap() == whole.state().unwrap(), true);
            misses.equal("memories", state.optimizer.len(), optimizer.state_count());
        }
    }
    let mut engine = shapes::engine(
        &coupled(1.0),
        &start(&coupled(1.0)),
        settings(Optimizer::Sgd),
        &shapes::options(MIXED, false),
    );
    let double =
        EngineState { parameters: Values::Double(vec![0.0]), optimizer: Vec::new(), optimizer_start: 0 };
    let message = engine.restore(&double).unwrap_err().to_string();
    misses.equal(message.clone(), message.contains("float64 do not fit"), true);
    misses.result()
}

/// More data sets than are remembered, in turn; each must be recognised.
pub(crate) fn data_sets_take_turns() -> Result<(), String> {
    let (network, options) = (coupled(1.0), shapes::options(MIXED, false));
    let mut misses = Misses::default();
    let mut engine = shapes::engine(&network, &start(&network), settings(Optimizer::Sgd), &options);
    let sets: Vec<_> = (0..7u32).map(|set| shapes::dataset(&network, 20 + set as usize, 70 + set)).collect();
    let first: Vec<_> = sets.iter().map(|set| engine.evaluate(set).unwrap()).collect();
    for set in [6, 0, 5, 0, 1, 3, 2, 6, 4] {
        misses.equal(format!("set {set}"), engine.evaluate(&sets[set]).unwrap(), first[set]);
        misses.equal("samples", first[set].samples, 20 + set);
    }
    misses.equal("sets differ", first[0].loss == first[1].loss, false);
    misses.result()
}

/// Different samples every epoch, as with augmentation: each set replaces the previous one, on
/// the device and in memory, and resident and streamed sets give the same bits.
pub(crate) fn epochs_bring_new_data() -> Result<(), String> {
    let (network, options) = (coupled(1.0), shapes::options(MIXED, false));
    let mut misses = Misses::default();
    let mut run = |options: &GpuOptions| {
        let mut engine = shapes::engine(&network, &start(&network), settings(Optimizer::ADAM), options);
        let test = shapes::dataset(&network, 12, 90);
        let mut outcomes = Vec::new();
        let mut before = std::sync::Weak::new();
        for epoch in 0..6 {
            let data = shapes::dataset(&network, 47, 91 + epoch);
            outcomes.extend(train(&mut engine, &data, &order(4)[..37], 4 * u64::from(epoch)));
            misses.equal(format!("the data of epoch {epoch} are let go"), before.strong_count(), 0);
            engine.evaluate(&test).unwrap();
            before = Arc::downgrade(&data);
        }
        misses.equal("the test set is kept", Arc::strong_count(&test), 2);
        (outcomes, bits(&engine.parameters().unwrap()))
    };
    let resident = run(&options);
    let streamed = run(&GpuOptions { resident_limit: Some(100), ..options.clone() });
    misses.equal("streamed", streamed, resident);
    misses.result()
}

pub(crate) fn bad_requests_are_refused() -> Result<(), String> {
    let (network, options) = (coupled(1.0), shapes::options(MIXED, false));
    let mut misses = Misses::default();
    let mut says = |what: &str, result: Result<(), Error>, words: &[&str]| {
        let text = result.err().map(|error| error.to_string()).unwrap_or_default();
        let missing: Vec<_> = words.iter().filter(|word| !text.contains(**word)).collect();
        misses.equal(format!("{what}: {text:?}"), missing, vec![]);
    };
    let make = |settings, options: &GpuOptions| {
        GpuEngine::new(&network, &start(&network), settings, options).map(|_| ())
    };
    let named = GpuOptions { adapter: AdapterChoice::Named("no such card".into()), ..options.clone() };
    let there = tanner::engine::gpu::adapters()[0].name.clone();
    says("adapter", make(settings(Optimizer::Sgd), &named), &["no such card", &there]);
    let none = EngineSettings { batch_size: 0, ..settings(Optimizer::Sgd) };
    says("batch 0", make(none, &options), &["batch-size", "0"]);
    let wrong = Parameters { layers: vec![] };
    says(
        "parameters",
        GpuEngine::new(&network, &wrong, settings(Optimizer::Sgd), &options).map(|_| ()),
        &["0 layers"],
    );

    let mut engine = shapes::engine(&network, &start(&network), settings(Optimizer::Sgd), &options);
    says("parameters", engine.set_parameters(&wrong), &["0 layers"]);
    let data = shapes::dataset(&network, 5, 66);
    let plan = StepPlan { samples: &[0, 5], learning_rate: 0.1, first_step: 0 };
    says("sample", engine.train(&data, &plan).map(|_| ()), &["sample 5"]);
    let plan = StepPlan { samples: &[0], learning_rate: f64::NAN, first_step: 0 };
    says("rate", engine.train(&data, &plan).map(|_| ()), &["NaN"]);
    let narrow = Arc::new(Dataset::new(vec![0.0; 6], 3, vec![0, 1], 2).unwrap());
    says("features", engine.evaluate(&narrow).map(|_| ()), &["3 features", "20 inputs"]);
    let many = Arc::new(Dataset::new(vec![0.0; 20], 20, vec![0], 7).unwrap());
    says("classes", engine.evaluate(&many).map(|_| ()), &["7 classes", "6 logits"]);
    let mut probe = engine.probe();
    let step = ProbeStep { samples: 1, step: 0, learning_rate: None };
    says("no data", probe.run(KernelKind::Gather.of(0), step), &["Gather"]);
    says("layer", probe.run(KernelKind::Forward.of(3), step), &["3 layers"]);
    says("layer", probe.run(KernelKind::BackwardInput.of(0), step), &["3 layers"]);
    says("batch", probe.run(KernelKind::Forward.of(0), ProbeStep { samples: 11, ..step }), &["11", "10"]);
    says("values", probe.write(Buffer::Values, &[0.0; 1 << 16]), &["65536"]);
    // Refused requests leave the engine as it was.
    let plan = StepPlan { samples: &[0, 4], learning_rate: 0.1, first_step: 0 };
    misses.equal("a good request", engine.train(&data, &plan).unwrap().len(), 1);
    misses.equal("nothing to do", engine.evaluate(&data).is_ok(), true);
    misses.result()
}

/// Mean time of a training step of the paper's network at batch 128, in nanoseconds.
pub(crate) fn time_of_a_step() -> u64 {
    let network = tanner::network::Architecture::paper(784, 10).build(0).unwrap();
    let parameters = shapes::parameters(&network, |place, layer| 0.1 * shapes::real(place, layer, 80));
    let settings = EngineSettings { batch_size: 128, ..settings(Optimizer::ADAM) };
    let options = GpuOptions { adapter: AdapterChoice::Any, ..GpuOptions::default() };
    let mut engine = shapes::engine(&network, &parameters, settings, &options);
    let data = shapes::dataset(&network, 4096, 81);
    let samples: Vec<u32> = (0..4096).collect();
    let mut run = || {
        let start = std::time::Instant::now();
        engine.train(&data, &StepPlan { samples: &samples, learning_rate: 1e-3, first_step: 0 }).unwrap();
        u64::try_from(start.elapsed().as_nanos()).unwrap() / (4096 / 128)
    };
    run();
    (run() + run()) / 2
}

/// A buffer beyond the adapter's limits is refused by name, size and limit.
pub(crate) fn large_networks_are_refused() -> Result<(), String> {
    let limit = tanner::engine::gpu::adapters()[0].max_binding_size;
    let batch_size = 1 << 20;
    let rows = usize::try_from(limit).unwrap() / (4 * batch_size) + 1;
    if rows > 1 << 16 {
        // No adapter so far has a binding limit of 256 GiB.
        return Err(format!("the adapter's limit of {limit} bytes is beyond this test"));
    }
    let wide = shapes::layer_of(
        tanner::topology::Partition::whole(rows).unwrap(),
        tanner::topology::Partition::whole(2).unwrap(),
        |_, input| input == 0,
    );
    let network = shapes::network(vec![wide], Activation::Identity, 1.0);
    let settings = EngineSettings { batch_size, ..settings(Optimizer::Sgd) };
    let options = shapes::options(TilePolicy::ALL_SPARSE, false);
    let error = GpuEngine::new(&network, &start(&network), settings, &options).err();
    let text = error.map(|error| error.to_string()).unwrap_or_default();
    let size = (16 * (rows as u64 + 2) * (batch_size as u64 / 4)).to_string();
    match ["activations", &size, &limit.to_string()].iter().find(|word| !text.contains(**word)) {
        Some(word) => Err(format!("{word} is not in {text:?}")),
        None => Ok(()),
    }
}

/// A call checks the stop flag before each submit; later submits do not run, and the remaining steps have the same bits.
pub(crate) fn a_call_can_be_stopped() -> Result<(), String> {
    let mut misses = Misses::default();
    let (network, options) = (coupled(1.0), shapes::options(MIXED, false));
    let data = shapes::dataset(&network, 47, 65);
    let samples: Vec<u32> = (0u32..).take(20 * 47).map(|place| place % 47).collect();
    let mut engine = shapes::engine(&network, &start(&network), settings(Optimizer::ADAM), &options);
    let before = engine.parameters().unwrap();
    let plan = StepPlan { samples: &samples, learning_rate: 0.01, first_step: 0 };
    let stop = AtomicBool::new(true);
    misses.equal("steps", engine.train_unless(&data, &plan, &stop).unwrap().len(), 0);
    misses.equal("parameters", engine.parameters().unwrap(), before);
    misses.equal("evaluation", engine.evaluate_unless(&data, &stop).unwrap().is_none(), true);
    stop.store(false, Ordering::Relaxed);
    let all = engine.train_unless(&data, &plan, &stop).unwrap();
    misses.equal("steps of all", all.len(), samples.len().div_ceil(settings(Optimizer::ADAM).batch_size));
    let mut other = shapes::engine(&network, &start(&network), settings(Optimizer::ADAM), &options);
    misses.equal("the same steps", other.train(&data, &plan).unwrap(), all);
    misses.equal("an evaluation", engine.evaluate_unless(&data, &stop).unwrap().is_some(), true);
    misses.result()
}
