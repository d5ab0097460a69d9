//! Profiles: dispatches counted by hand, and timed steps with the bits of untimed ones.

use tanner::engine::gpu::{GpuEngine, GpuOptions, Share, adapters};
use tanner::engine::profile::{DispatchShape, ProfiledEngine, Stage, StepProfile};
use tanner::engine::{Engine, EngineSettings, Optimizer, Penalties, StepOutcome, StepPlan};
use tanner::network::{Activation, Network};
use tanner::tiles::TilePolicy;

use crate::oracle::Misses;
use crate::shapes;
use crate::support::tanner;

/// Batches of 10, with every stage that a step can have.
fn settings() -> EngineSettings {
    let penalties = Penalties { l2: 1e-3, group_lasso: 1e-3, ..Penalties::default() };
    EngineSettings { penalties, drop_connect: 0.2, ..EngineSettings::new(Optimizer::ADAM, 10, 5) }
}

fn engine(network: &Network, settings: EngineSettings, options: &GpuOptions) -> GpuEngine {
    let start = shapes::parameters(network, |place, layer| 0.5 * shapes::real(place, layer, 60));
    shapes::engine(network, &start, settings, options)
}

fn timed(tiles: TilePolicy) -> GpuOptions {
    GpuOptions { timestamps: true, ..shapes::options(tiles, false) }
}

/// Whether the adapter that tests run on has timestamps.
fn has_timestamps() -> bool {
    adapters().iter().find(|adapter| adapter.usable.is_ok()).is_some_and(|adapter| adapter.has_timestamps)
}

fn bits(engine: &mut GpuEngine) -> Vec<u32> {
    let layers = engine.parameters().unwrap().layers;
    let values = layers.iter().flat_map(|layer| layer.weights.iter().chain(&layer.biases));
    values.map(|value| value.to_bits()).collect()
}

/// More steps than one submit holds, and a last batch that is smaller; also without any dense tile.
pub(crate) fn steps_keep_their_bits() -> Result<(), String> {
    let network = shapes::shape("coupled", Activation::Tanh, 0.8);
    let data = shapes::dataset(&network, 47, 61);
    let samples: Vec<u32> = (0..694).map(|place| place * 17 % 47).collect();
    let plan = StepPlan { samples: &samples, learning_rate: 0.05, first_step: 2 };
    let mut misses = Misses::default();
    for (policy, tiles) in shapes::POLICIES {
        let mut plain = engine(&network, settings(), &shapes::options(tiles, false));
        let outcomes = plain.train(&data, &plan).unwrap();
        misses.equal("a profile nobody asked for", plain.profile(&data, &plan).unwrap(), None);
        let mut profiled = engine(&network, settings(), &timed(tiles));
        let steps = profiled.profile(&data, &plan).unwrap();
        misses.equal("timestamps", steps.is_some(), has_timestamps());
        let Some(steps) = steps else { continue };
        let seen: Vec<StepOutcome> = steps.iter().map(|step| step.outcome).collect();
        misses.equal(format!("{policy}: outcomes"), seen, outcomes);
        misses.equal(format!("{policy}: bits"), bits(&mut profiled), bits(&mut plain));
        steps.iter().for_each(|step| check_times(&mut misses, policy, step));
    }
    misses.result()
}

/// Every stage in the order of a step, one after another and inside of the step.
fn check_times(misses: &mut Misses, policy: &str, step: &StepProfile) {
    let stages: Vec<Stage> = step.stages.iter().map(|time| time.stage).collect();
    let expected = [
        Stage::Mask,
        Stage::Gather,
        Stage::Forward(0),
        Stage::Forward(1),
        Stage::LogitsAndLoss,
        Stage::BackwardInput(2),
        Stage::BackwardInput(1),
        Stage::GroupFactors,
        Stage::Update,
    ];
    misses.equal(format!("{policy}: stages"), stages, expected.to_vec());
    let sum: f64 = step.stages.iter().map(|time| time.microseconds).sum();
    let fits = step.stages.iter().all(|time| time.microseconds >= 0.0)
        && sum > 0.0
        && sum <= 1.001 * step.wall_microseconds;
    misses.equal(format!("{policy}: {sum} in {}", step.wall_microseconds), fits, true);
}

/// 5 -> 18 -> 9 -> 3, all dense, batch 300: 75 columns of 4 samples.
pub(crate) fn dispatches_are_counted() -> Result<(), String> {
    let network = shapes::shape("oblong tiles", Activation::Relu, 1.0);
    let settings = EngineSettings::new(Optimizer::Sgd, 300, 0);
    let line = |shape: &DispatchShape| {
        let DispatchShape { workgroups, invocations_per_workgroup, working_invocations, .. } = shape;
        let groups = format!("{workgroups} x {invocations_per_workgroup}, {working_invocations} work");
        format!("{} {:?}: {groups}, {} B", shape.pipeline, shape.stage.layer(), shape.workgroup_bytes)
    };
    let mut misses = Misses::default();
    for (share, expected) in [
        (
            1,
            [
                "gather None: 10 x 256, 375 work, 4608 B",
                // Up to 8 quads for 32 columns in a workgroup.
                "forward Some(0): 3 x 256, 375 work, 0 B",
                "forward Some(1): 3 x 256, 225 work, 0 B",
                // 64 columns a workgroup, with 5 vectors and 2 words each, and 128 vectors of logits.
                "softmax_cross_entropy None: 2 x 64, 75 work, 7680 B",
                "backward_input Some(2): 3 x 256, 225 work, 0 B",
                "backward_input Some(1): 3 x 256, 375 work, 0 B",
                // 5 x 1 + 3 x 3 + 1 x 2 pairs of micro-blocks; 8 quads of biases; a workgroup for each.
                "backward_weight None: 2 x 64, 24 work, 0 B",
            ],
        ),
        (
            16,
            [
                "gather None: 10 x 256, 375 work, 4608 B",
                // 8 columns of a quad in a workgroup; 4 vectors for 129 places.
                "forward Some(0): 50 x 128, 6000 work, 8256 B",
                "forward Some(1): 30 x 128, 3600 work, 8256 B",
                // 4 columns a workgroup.
                "softmax_cross_entropy None: 19 x 128, 1200 work, 15456 B",
                "backward_input Some(2): 30 x 128, 3600 work, 8256 B",
                "backward_input Some(1): 50 x 128, 6000 work, 8256 B",
                // 16 pairs and 8 quads of biases, 16 a workgroup.
                "backward_weight None: 2 x 256, 384 work, 16448 B",
            ],
        ),
    ] {
        let options = shapes::options(TilePolicy::ALL_DENSE, false);
        let engine = engine(&network, settings, &shapes::shared(Share::new(share).unwrap(), options));
        let lines: Vec<String> = engine.dispatches().iter().map(line).collect();
        for (got, expected) in lines.iter().zip(expected) {
            misses.equal(format!("dispatch with a share of {share}"), got.as_str(), expected);
        }
        misses.equal("dispatches", lines.len(), expected.len());
    }
    misses.result()
}

/// The binary prints both tables, with times or the reason why there are none.
pub(crate) fn the_command_prints_dispatches() -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let line = "bench --profile --backend gpu --width 98 --layers 2 --batch 8 --seconds 0.02";
    let outcome = tanner(folder.path(), line);
    let mut misses = Misses::default();
    misses.equal(format!("{outcome:?}"), outcome.code, Some(0));
    let count = |part: &str| outcome.stdout.matches(part).count();
    misses.equal(format!("forward in two tables: {}", outcome.stdout), count("forward"), 4);
    misses.equal("a pipeline", count("backward_weight"), 1);
    misses.equal("a reason", outcome.stderr.contains("no timestamps"), !has_timestamps());
    misses.result()
}
