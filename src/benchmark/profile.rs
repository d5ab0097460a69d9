//! Where the time of a training step goes, and the work of each stage.

use std::time::Instant;

use serde::Serialize;

use super::timing::{Batches, CALLS_WANTED, LEAST_CALLS, duration};
use super::{Machine, Spread, Work};
use crate::engine::EngineSettings;
use crate::engine::profile::{DispatchShape, ProfiledEngine, Stage, StepProfile};
use crate::network::Network;
use crate::{Error, Result};

/// One profile of one network on one engine.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// Version of this program.
    pub version: String,
    /// The network: `sc`, `rsp`, `fc`, `narrow`, `band`.
    pub arch: String,
    /// Number of inputs.
    pub width: usize,
    /// Number of hidden layers.
    pub hidden_layers: usize,
    /// Samples in a batch.
    pub batch: usize,
    /// How gradients change the parameters.
    pub optimizer: String,
    /// `cpu` or `gpu`.
    pub backend: String,
    /// The processor or adapter.
    pub device: String,
    /// Density of dense tiles and shares of sums on a GPU, as `--gpu-kernels` takes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_kernels: Option<String>,
    /// Threads whose times are summed in a stage; 1 for a GPU.
    pub workers: usize,
    /// Weights of the network, biases not counted.
    pub edges: usize,
    /// Microseconds per step without clocks around its stages.
    pub step: Spread,
    /// Microseconds of a step with them, from beginning to end; `None` if the device has no clocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profiled_step: Option<Spread>,
    /// In the order of a step.
    pub stages: Vec<StageProfile>,
    /// Where it ran.
    pub machine: Machine,
}

/// One stage of a step.
#[derive(Clone, Debug, Serialize)]
pub struct StageProfile {
    /// What it does.
    pub stage: &'static str,
    /// The layer, counted from 1, if the stage belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<usize>,
    /// Microseconds, summed over its threads; the median of all steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microseconds: Option<f64>,
    /// Its part of the sum of all stages, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Useful floating-point operations, in 10^9 per second (on a CPU: of one core's time).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gflops: Option<f64>,
    /// Minimum bytes to move, in 10^9 per second (on a CPU: of one core's time).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gigabytes_per_second: Option<f64>,
    /// Its amount of work.
    #[serde(flatten)]
    pub work: Work,
    /// Its dispatch on a GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatch: Option<DispatchShape>,
}

impl Profile {
    /// Microseconds of all stages together.
    #[must_use]
    pub fn stage_sum(&self) -> Option<f64> {
        self.stages.iter().map(|stage| stage.microseconds).sum()
    }

    /// Multiply-adds of a step: useful ones, and those at stored values.
    #[must_use]
    pub fn multiply_adds(&self) -> [u64; 2] {
        let sum = |count: fn(&Work) -> u64| self.stages.iter().map(|stage| count(&stage.work)).sum();
        [sum(|work| work.multiply_adds), sum(|work| work.stored_multiply_adds)]
    }
}

/// How long each stage took, the median of many steps.
#[derive(Clone, Debug, PartialEq)]
pub struct StageTimes {
    /// Of a whole step, from beginning to end.
    pub step: Spread,
    /// In the order of [`ProfiledEngine::stages`].
    pub microseconds: Vec<f64>,
}

impl StageTimes {
    /// Medians of steps with the same stages; `None` without steps.
    #[must_use]
    pub fn of(steps: &[StepProfile]) -> Option<Self> {
        let first = steps.first()?;
        let median = |times: Vec<f64>| Spread::of(times).map(|spread| spread.median_us);
        let of_stage =
            |index: usize| median(steps.iter().map(|step| step.stages[index].microseconds).collect());
        Some(Self {
            step: Spread::of(steps.iter().map(|step| step.wall_microseconds).collect())?,
            microseconds: (0..first.stages.len()).map(of_stage).collect::<Option<_>>()?,
        })
    }
}

impl StageProfile {
    /// The stages of a step of this engine, with times if it has any.
    #[must_use]
    pub fn of_step(
        engine: &dyn ProfiledEngine,
        settings: &EngineSettings,
        times: Option<&StageTimes>,
    ) -> Vec<Self> {
        let (layout, dispatches) = (engine.layout(), engine.dispatches());
        let sum: Option<f64> = times.map(|times| times.microseconds.iter().sum());
        let stages = engine.stages(settings);
        let profile = |(index, stage): (usize, Stage)| Self {
            dispatch: dispatches.iter().find(|dispatch| dispatch.stage == stage).copied(),
            ..Self::new(stage, Work::of(stage, layout, settings), times.map(|t| t.microseconds[index]), sum)
        };
        stages.into_iter().enumerate().map(profile).collect()
    }

    fn new(stage: Stage, work: Work, microseconds: Option<f64>, sum: Option<f64>) -> Self {
        // Operations in a microsecond are millions in a second; a time of 0 has no rate.
        let rate = |count: u64| microseconds.filter(|time| *time > 0.0).map(|time| count as f64 / time / 1e3);
        Self {
            stage: stage.name(),
            layer: stage.layer().map(|layer| layer + 1),
            microseconds,
            share: microseconds.zip(sum).map(|(time, sum)| time / sum),
            gflops: rate(work.flops()),
            gigabytes_per_second: rate(work.bytes()),
            work,
            dispatch: None,
        }
    }
}

/// Profiles training steps of `batch` samples for about `seconds` after a warm-up; none on a device without clocks.
///
/// # Errors
/// Those of the engine; a time that is not above 0 and finite.
pub fn profile_training(
    engine: &mut dyn ProfiledEngine,
    network: &Network,
    batch: usize,
    seconds: f64,
) -> Result<Option<StageTimes>> {
    let wanted = duration(seconds)?;
    let most = engine.steps_per_call().max(1);
    let mut batches = Batches::new(network, batch, most)?;
    let mut call = |steps: usize| batches.next(steps, |data, plan| engine.profile(data, plan));
    if call(1)?.is_none() {
        return Ok(None);
    }
    let begin = Instant::now();
    call(1)?;
    let fitting = seconds / CALLS_WANTED / begin.elapsed().as_secs_f64();
    // At most as many as the engine prefers in one call, so it fits; larger floats saturate.
    #[expect(clippy::cast_possible_truncation, reason = "a positive number, cut off")]
    let steps = (fitting as usize).clamp(1, most);
    let (mut profiles, begin) = (Vec::new(), Instant::now());
    while profiles.len() < LEAST_CALLS || begin.elapsed() < wanted {
        profiles.extend(call(steps)?.unwrap_or_default());
    }
    let times = StageTimes::of(&profiles);
    times.map(Some).ok_or_else(|| Error::WrongResult("the engine profiled no step".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::StepOutcome;
    use crate::engine::profile::StageTime;

    fn step(wall_microseconds: f64, times: [f64; 2]) -> StepProfile {
        let stages = [Stage::Gather, Stage::Loss].into_iter().zip(times);
        let stages = stages.map(|(stage, microseconds)| StageTime { stage, microseconds });
        StepProfile { outcome: StepOutcome::default(), wall_microseconds, stages: stages.collect() }
    }

    #[test]
    fn medians_are_taken_stage_by_stage() {
        let steps = [step(10.0, [1.0, 9.0]), step(30.0, [3.0, 7.0]), step(20.0, [2.0, 8.0])];
        let times = StageTimes::of(&steps).unwrap();
        assert_eq!((times.step.median_us, times.microseconds), (20.0, vec![2.0, 8.0]));
        assert_eq!(StageTimes::of(&[]), None);
    }

    #[test]
    fn rates_are_thousands_of_millions_a_second() {
        let work =
            Work { multiply_adds: 3_000, stored_multiply_adds: 4_000, bytes_read: 1_500, bytes_written: 500 };
        let stage = StageProfile::new(Stage::Forward(2), work, Some(4.0), Some(16.0));
        // 6,000 operations and 2,000 bytes in 4 us.
        assert_eq!((stage.gflops, stage.gigabytes_per_second), (Some(1.5), Some(0.5)));
        assert_eq!((stage.stage, stage.layer, stage.share), ("forward", Some(3), Some(0.25)));
        let untimed = StageProfile::new(Stage::Loss, work, None, None);
        assert_eq!((untimed.gflops, untimed.share, untimed.layer), (None, None, None));
        assert_eq!(StageProfile::new(Stage::Loss, work, Some(0.0), Some(1.0)).gflops, None);
    }
}
