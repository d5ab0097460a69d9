//! Timing an engine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Spread;
use crate::dataset::Dataset;
use crate::engine::cpu::SingleSample;
use crate::engine::{Engine, StepPlan};
use crate::network::{Network, Parameters};
use crate::{Error, Result, Setting};

/// Minimum number of timed calls.
pub(super) const LEAST_CALLS: usize = 5;
/// Number of calls that a measurement should have time for.
pub(super) const CALLS_WANTED: f64 = 10.0;
/// How much longer each call of the warm-up may be than the previous one.
const GROWTH: usize = 4;
/// Batches in the data, so that a step does not find its samples in the cache.
const BATCHES: usize = 4;
/// Learning rate while timing; it does not affect the time.
const LEARNING_RATE: f64 = 0.01;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Steps that each timed call ran.
    pub steps_per_call: usize,
    /// Microseconds per step.
    pub spread: Spread,
}

/// Samples of noise in 0..1; the time of a step does not depend on what is in them.
///
/// # Errors
/// Only if the data would be empty.
pub fn noise(samples: usize, features: usize, classes: usize) -> Result<Arc<Dataset>> {
    // Knuth's multiplicative hash; the low bits repeat early, the middle ones do not.
    let value = |k: usize| ((k as u64).wrapping_mul(2_654_435_761) >> 8 & 0xffff) as f32 / 65_536.0;
    let labels = (0..samples).map(|k| u32::try_from(k % classes).unwrap_or(0)).collect();
    Ok(Arc::new(Dataset::new((0..samples * features).map(value).collect(), features, labels, classes)?))
}

/// Bytes of the data of a measurement.
#[must_use]
pub fn data_bytes(features: usize, batch: usize) -> f64 {
    (size_of::<f32>() * BATCHES) as f64 * features as f64 * batch as f64
}

/// Times training steps of `batch` samples, forward, backward and update, for about `seconds` after a warm-up.
///
/// A call has as many steps as the engine prefers, unless these take more than a tenth of the time. The warm-up lasts as
/// long as the measurement: a virtual machine can take a second to assign a core to each of two threads that wake up.
///
/// # Errors
/// Those of the engine; a time that is not above 0 and finite.
pub fn time_training(
    engine: &mut dyn Engine,
    network: &Network,
    batch: usize,
    seconds: f64,
) -> Result<Timing> {
    let wanted = duration(seconds)?;
    let most = engine.steps_per_call().max(1);
    let mut batches = Batches::new(network, batch, most)?;
    let mut call = |steps: usize| batches.next(steps, |data, plan| engine.train(data, plan).map(|_| ()));
    let warm_up = Instant::now();
    call(1)?;
    let mut steps = 1;
    loop {
        let begin = Instant::now();
        call(steps)?;
        if steps == most || begin.elapsed().as_secs_f64() * CALLS_WANTED >= seconds {
            break;
        }
        steps = (GROWTH * steps).min(most);
    }
    while warm_up.elapsed() < wanted {
        call(steps)?;
    }
    let times = repeated(wanted, || call(steps))?;
    timing(steps, times)
}

/// The timed steps, as many per call as requested, each call continuing where the last one ended.
pub(super) struct Batches {
    data: Arc<Dataset>,
    order: Vec<u32>,
    batch: usize,
    first_step: u64,
}

impl Batches {
    /// Batches of noise, at most `most` of them to a call.
    pub(super) fn new(network: &Network, batch: usize, most: usize) -> Result<Self> {
        let samples = BATCHES * batch;
        let data = noise(samples, network.inputs(), network.classes())?;
        let stride = stride(samples);
        let order = (0..most * batch).map(|k| u32::try_from(k * stride % samples).unwrap_or(0)).collect();
        Ok(Self { data, order, batch, first_step: 0 })
    }

    /// Hands the next steps to an engine.
    pub(super) fn next<T>(
        &mut self,
        steps: usize,
        run: impl FnOnce(&Arc<Dataset>, &StepPlan<'_>) -> Result<T>,
    ) -> Result<T> {
        let samples = &self.order[..steps * self.batch];
        let plan = StepPlan { samples, learning_rate: LEARNING_RATE, first_step: self.first_step };
        self.first_step += steps as u64;
        run(&self.data, &plan)
    }
}

/// A stride that visits all samples before repeating one, in an order that a cache cannot guess: the
/// first from a large prime on that has no divisor in common with their number.
fn stride(samples: usize) -> usize {
    let mut stride = 7919;
    while greatest_common_divisor(stride, samples) > 1 {
        stride += 1;
    }
    stride
}

/// By Euclid.
fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// Times the forward pass of `batch` samples in one call of [`Engine::evaluate`], which also looks at the labels.
///
/// # Errors
/// As [`time_training`].
pub fn time_inference(
    engine: &mut dyn Engine,
    network: &Network,
    batch: usize,
    seconds: f64,
) -> Result<Timing> {
    let wanted = duration(seconds)?;
    let data = noise(batch, network.inputs(), network.classes())?;
    let mut call = || engine.evaluate(&data).map(|_| ());
    repeated(wanted, &mut call)?;
    timing(1, repeated(wanted, call)?)
}

/// Times the forward pass of one sample on one thread by [`SingleSample`].
///
/// # Errors
/// As [`time_training`].
pub fn time_single_sample(network: &Network, parameters: &Parameters, seconds: f64) -> Result<Timing> {
    let wanted = duration(seconds)?;
    let data = noise(2, network.inputs(), network.classes())?;
    let mut forward = SingleSample::new(network, parameters)?;
    forward.logits(data.sample(0))?;
    let mut call = || forward.logits(std::hint::black_box(data.sample(1))).map(|_| ());
    repeated(wanted.div_f64(CALLS_WANTED), &mut call)?;
    timing(1, repeated(wanted, call)?)
}

/// Microseconds of each call, until the time is up.
fn repeated(time: Duration, mut call: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    let begin = Instant::now();
    while times.len() < LEAST_CALLS || begin.elapsed() < time {
        let start = Instant::now();
        call()?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(times)
}

fn timing(steps: usize, calls: Vec<f64>) -> Result<Timing> {
    let times = calls.into_iter().map(|time| time / steps as f64).collect();
    let spread = Spread::of(times);
    spread.map(|spread| Timing { steps_per_call: steps, spread }).ok_or_else(|| refuse_seconds(0.0))
}

pub(super) fn duration(seconds: f64) -> Result<Duration> {
    let fits = seconds > 0.0 && seconds.is_finite();
    Duration::try_from_secs_f64(seconds).ok().filter(|_| fits).ok_or_else(|| refuse_seconds(seconds))
}

fn refuse_seconds(seconds: f64) -> Error {
    let reason = format!("{seconds} is invalid, it must be above 0 and finite");
    Error::Setting { setting: Setting::Seconds, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stride_goes_through_all_samples() {
        for samples in [1, 4, 7919, 4 * 7919, 7919 * 7920, 148] {
            let stride = stride(samples);
            assert_eq!(greatest_common_divisor(stride, samples), 1, "{samples}");
        }
        let samples = 4 * 7919;
        let mut seen = vec![false; samples];
        (0..samples).for_each(|k| seen[k * stride(samples) % samples] = true);
        assert!(seen.iter().all(|seen| *seen));
    }
}
