//! Tests of the GPU engine. They run on the best adapter there is, software
//! renderers included; without any they show as ignored, with the reason, and
//! with `TANNER_REQUIRE_GPU=1` that is a failure. `TANNER_IGNORE_GPU=1` ignores
//! them where a driver is there and not to be trusted.

#[path = "gpu/command_line.rs"]
mod command_line;
mod common;
#[path = "gpu/kernels.rs"]
mod kernels;
#[cfg(unix)]
#[path = "cli/killing.rs"]
mod killing;
#[path = "gpu/losses.rs"]
mod losses;
#[path = "gpu/oracle.rs"]
mod oracle;
#[path = "gpu/profile.rs"]
mod profile;
#[path = "gpu/regularisation.rs"]
mod regularisation;
#[path = "gpu/rewiring.rs"]
mod rewiring;
#[path = "gpu/shapes.rs"]
mod shapes;
#[path = "cli/support.rs"]
#[expect(dead_code, reason = "the command-line tests use the rest")]
mod support;
#[path = "gpu/training.rs"]
mod training;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Measurement, Trial};
use tanner::engine::gpu::{GpuOptions, Share};
use tanner::engine::{Optimizer, OptimizerKind};
use tanner::network::Activation;
use tanner::tiles::TilePolicy;

use kernels::Bench;

/// A name and what to run.
type Test = (String, Box<dyn FnOnce() -> Result<(), String> + Send>);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let missing = why_ignored();
    if let Some(reason) = &missing {
        eprintln!("GPU tests do not run: {reason}");
        if is_asked("TANNER_REQUIRE_GPU") {
            return ExitCode::FAILURE;
        }
    }
    let trial = |(name, run): Test| match missing.clone() {
        Some(reason) => Trial::ignorable_test(name, move || Ok(Completion::ignored_with(reason))),
        None => Trial::test(name, move || run().map_err(Failed::from)),
    };
    let mut trials: Vec<_> = tests().into_iter().map(trial).collect();
    if missing.is_none() && arguments.bench {
        // Runs with `cargo test --release --test gpu -- --bench` only.
        trials.push(Trial::bench("step of the paper's network, batch 128", |test| {
            Ok((!test).then(|| Measurement { avg: training::time_of_a_step(), variance: 0 }))
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Whether a variable of the environment is 1.
fn is_asked(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value == "1")
}

/// Why no test can run here, if so.
fn why_ignored() -> Option<String> {
    if is_asked("TANNER_IGNORE_GPU") {
        return Some("TANNER_IGNORE_GPU=1 leaves them out".to_owned());
    }
    let found = tanner::engine::gpu::adapters();
    match found.iter().find(|adapter| adapter.usable.is_ok()) {
        Some(adapter) => {
            eprintln!("adapter: {adapter}, {} {}", adapter.driver, adapter.driver_info);
            None
        }
        None if found.is_empty() => {
            Some("no adapter: is a Vulkan, Metal or DX12 driver installed?".to_owned())
        }
        None => Some(format!("no usable adapter: {}", found[0])),
    }
}

fn tests() -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    for (checks, runtime_checks) in [("checked", true), ("unchecked", false)] {
        for (policy, tiles) in shapes::POLICIES {
            add_kernel_tests(&mut tests, (checks, runtime_checks), (policy, tiles));
        }
        for (policy, tiles) in shapes::POLICIES {
            for share in Share::ALL {
                let name = format!("kernels at full width, {policy}, share {share}, {checks}");
                tests.push((name, Box::new(move || kernels::full_width(tiles, share, runtime_checks))));
            }
            let name = format!("penalties reach every weight, {policy}, {checks}");
            let run = move || regularisation::penalties_reach_every_weight(tiles, runtime_checks);
            tests.push((name, Box::new(run)));
            let name = format!("penalties of whole numbers, {policy}, {checks}");
            tests.push((name, Box::new(move || regularisation::whole_numbers(tiles, runtime_checks))));
            let name = format!("connections are dropped, {policy}, {checks}");
            tests.push((
                name,
                Box::new(move || regularisation::connections_are_dropped(tiles, runtime_checks)),
            ));
        }
        let mut add = |name: &str, run: fn(bool) -> Result<(), String>| {
            tests.push((format!("{name}, {checks}"), Box::new(move || run(runtime_checks))));
        };
        add("activations saturate", kernels::activations_saturate);
        add("dispatches of more than 65,535 workgroups fold", kernels::dispatches_fold);
        add("dispatches of shared sums fold", kernels::shared_sums_fold);
        add("more quads and columns than a workgroup has", kernels::wide_layers);
        add("training follows the reference", training::follows_the_reference);
        add("golden runs", training::gives_the_golden_losses);
        add("every loss and weights", losses::kernels_follow_the_reference);
        add("training with every loss and weights", losses::training_follows_the_reference);
        add("labels are smoothed", regularisation::smoothed_labels);
        add("regularised steps follow the reference", regularisation::steps_follow_the_reference);
        add("optimisers follow their formulas", training::optimizers_follow_their_formulas);
    }
    let mut add = |name: &str, run: fn() -> Result<(), String>| tests.push((name.into(), Box::new(run)));
    add("the command line gives the same on both engines", command_line::engines_agree);
    add("the command line records and restores kernels", command_line::kernels_are_recorded);
    add("an interrupted run of many starts over with its kernels", command_line::batches_keep_kernels);
    if std::path::Path::new(command_line::SOFTWARE_DRIVER).exists() {
        add("of two equal adapters one is chosen by its number", command_line::adapters_have_numbers);
    }
    #[cfg(unix)]
    add("the command line survives whatever ends it", command_line::runs_survive);
    add("a rewired engine continues like a new one", rewiring::continues_like_a_new_engine);
    add("a rewired engine agrees with the reference", rewiring::agrees_with_the_reference);
    add("a new engine goes on where another one was", training::states_come_back);
    add("tunings are found by measurement", training::tunings_are_found);
    add("profiled steps keep their bits", profile::steps_keep_their_bits);
    add("dispatches are counted by hand", profile::dispatches_are_counted);
    add("the command prints dispatches", profile::the_command_prints_dispatches);
    add("a lost device is an error", training::a_lost_device_is_an_error);
    add("training repeats bit for bit", training::repeats_bit_for_bit);
    add("streamed data give the bits of resident data", training::streamed_equals_resident);
    add("calls can be cut anywhere", training::calls_can_be_cut);
    add("dispatches can be cut anywhere", training::dispatches_can_be_cut);
    add("a call can be stopped", training::a_call_can_be_stopped);
    add("parameters come back", training::parameters_come_back);
    add("new parameters forget the optimiser's state", training::new_parameters_forget);
    add("data sets take turns", training::data_sets_take_turns);
    add("epochs bring new data", training::epochs_bring_new_data);
    add("bad requests are refused", training::bad_requests_are_refused);
    add("large networks are refused", training::large_networks_are_refused);
    tests
}

/// Every kernel with every share: with whole numbers on all shapes, with real ones for each activation and optimiser.
fn add_kernel_tests(
    tests: &mut Vec<Test>,
    (checks, runtime_checks): (&str, bool),
    (policy, tiles): (&str, TilePolicy),
) {
    let options = shapes::options(tiles, runtime_checks);
    for (name, network) in shapes::shapes(Activation::Relu, 0.5) {
        let options = options.clone();
        let run = move || {
            Share::ALL.into_iter().try_for_each(|share| {
                // One engine for all sizes of batch, which are partial ones then, and one with full rows only.
                let options = shapes::shared(share, options.clone());
                let settings = shapes::settings(Optimizer::Sgd, 65);
                let mut bench = Bench::new(network.clone(), settings, &options, true);
                let result = bench.check_all(&[1, 3, 4, 5, 63, 64, 65]).and_then(|()| {
                    let settings = shapes::settings(Optimizer::Sgd, 4);
                    Bench::new(network.clone(), settings, &options, true).check_all(&[4])
                });
                result.map_err(|text| format!("share {share}: {text}"))
            })
        };
        tests.push((format!("kernels on {name}, whole numbers, {policy}, {checks}"), Box::new(run)));
    }
    for (activation, optimizer) in activations_and_optimizers() {
        let options = options.clone();
        let run = move || {
            Share::ALL.into_iter().try_for_each(|share| {
                let options = shapes::shared(share, options.clone());
                let result = kernels_on_real_numbers(activation, optimizer, &options);
                result.map_err(|text| format!("share {share}: {text}"))
            })
        };
        tests.push((format!("kernels with {activation} and {optimizer}, {policy}, {checks}"), Box::new(run)));
    }
}

/// Every activation and every optimiser, in as few pairs as there are of the more numerous ones.
fn activations_and_optimizers() -> impl Iterator<Item = (Activation, Optimizer)> {
    let activations = Activation::ALL.into_iter().cycle();
    let optimizers = OptimizerKind::ALL.map(OptimizerKind::usual).into_iter().cycle();
    activations.zip(optimizers).take(Activation::ALL.len().max(OptimizerKind::ALL.len()))
}

fn kernels_on_real_numbers(
    activation: Activation,
    optimizer: Optimizer,
    options: &GpuOptions,
) -> Result<(), String> {
    let mut batches: Vec<(&str, usize, &[usize])> = vec![("coupled", 64, &[3, 64])];
    batches.push(("empty row and column", 1, &[1]));
    batches.push(("last block smaller", 5, &[5]));
    batches.into_iter().try_for_each(|(shape, batch, samples)| {
        let network = shapes::shape(shape, activation, 0.7);
        let settings = shapes::settings(optimizer, batch);
        Bench::new(network, settings, options, false).check_all(samples)
    })
}
