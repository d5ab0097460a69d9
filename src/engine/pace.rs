//! How many steps an engine runs before it checks the stop flag.

use std::time::Duration;
#[cfg(feature = "gpu")]
use std::time::Instant;

use crate::network::Network;

/// Approximate time between checks of the stop flag, once calls have been timed.
const CALL: Duration = Duration::from_millis(100);
/// Approximate time between checks on a slow device before any call has been timed.
const FIRST_CALL: Duration = Duration::from_secs(1);
/// About how long a GPU should work on one submit: some drivers consider a device hung after two seconds.
#[cfg(feature = "gpu")]
const SUBMIT: Duration = Duration::from_millis(50);
/// Steps of the first submit of a call, which should not keep the device waiting.
#[cfg(feature = "gpu")]
const FIRST_SUBMIT: usize = 8;

/// Operations per second of a slow pair of cores.
pub(crate) const SLOW_CORES: f64 = 1e10;

/// The same for a software adapter on them.
#[cfg(feature = "gpu")]
pub(crate) const SOFTWARE_GPU: f64 = 1e8;

/// Maximum number of steps of a call, at most `most`, that last no longer than [`FIRST_CALL`] on a device of this speed, by an estimate.
pub(crate) fn steps_within_call(most: usize, network: &Network, batch: usize, speed: f64) -> usize {
    steps_within(FIRST_CALL, most, network, batch, speed)
}

/// Seconds of a step, by an estimate.
fn seconds_of_step(network: &Network, batch: usize, speed: f64) -> f64 {
    let edges: usize = network.layers().iter().map(|layer| layer.topology.edges()).sum();
    // Forward, backward to the inputs, and gradients.
    6.0 * edges.max(1) as f64 * batch.max(1) as f64 / speed
}

fn steps_within(time: Duration, most: usize, network: &Network, batch: usize, speed: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number, cut off")]
    let fitting = (time.as_secs_f64() / seconds_of_step(network, batch, speed)) as usize;
    fitting.clamp(1, most.max(1))
}

/// Steps per call: at first as many as the engine prefers, then fewer if the last call took longer than [`CALL`]. Results
/// do not depend on it.
#[derive(Debug)]
pub(crate) struct Pace {
    most: usize,
    steps: usize,
}

impl Pace {
    /// The first call has `first` steps, none more than `most`.
    pub(crate) fn new(first: usize, most: usize) -> Self {
        Self { most: most.max(1), steps: first.max(1) }
    }

    /// Steps of the next call.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// Records the time of a call of this many steps.
    pub(crate) fn took(&mut self, steps: usize, time: Duration) {
        let one = (time.as_nanos() / steps.max(1) as u128).max(1);
        self.steps = usize::try_from(CALL.as_nanos() / one).unwrap_or(usize::MAX).clamp(1, self.most);
    }
}

/// Steps per submit: few in the first submit of a call, then twice as many each time, but no more than [`SUBMIT`] by
/// the times so far. If a single step takes longer, each of its dispatches is one submit or several. Results
/// do not depend on it.
#[cfg(feature = "gpu")]
#[derive(Debug)]
pub(crate) struct SubmitPace {
    next: usize,
    limit: usize,
    /// Submits for each dispatch of a step that takes longer than [`SUBMIT`]; 0 for faster steps.
    parts: usize,
    /// A fixed value for tests, whatever is measured.
    fixed: Option<usize>,
    /// When the last submit was done.
    done: Option<Instant>,
}

#[cfg(feature = "gpu")]
impl SubmitPace {
    /// As many steps as a slow device runs in [`SUBMIT`], before any submit has been timed.
    pub(crate) fn new(network: &Network, batch: usize, speed: f64) -> Self {
        let limit = steps_within(SUBMIT, usize::MAX, network, batch, speed);
        let step =
            Duration::try_from_secs_f64(seconds_of_step(network, batch, speed)).unwrap_or(Duration::MAX);
        Self { next: 1, limit, parts: parts(step.as_nanos()), fixed: None, done: None }
    }

    /// The number of submits per dispatch, if steps are cut at all.
    pub(crate) fn parts(&self) -> Option<usize> {
        self.fixed.or(Some(self.parts)).filter(|parts| *parts > 0)
    }

    /// Cuts dispatches into this number of submits from now on; 0 for none.
    pub(crate) fn fix_parts(&mut self, parts: usize) {
        self.fixed = Some(parts);
    }

    /// A call begins.
    pub(crate) fn begin(&mut self) {
        (self.next, self.done) = (FIRST_SUBMIT, None);
    }

    /// Steps of the next submit, at most `most`.
    pub(crate) fn steps(&mut self, most: usize) -> usize {
        let steps = self.next.min(self.limit).clamp(1, most);
        self.next = 2 * steps;
        steps
    }

    /// A submit of this many steps is done, and the device was busy with it since the one before.
    pub(crate) fn took(&mut self, steps: usize, now: Instant) {
        if let Some(before) = self.done.replace(now) {
            let one = (now.duration_since(before).as_nanos() / steps.max(1) as u128).max(1);
            self.parts = parts(one);
            self.limit = usize::try_from(SUBMIT.as_nanos() / one).unwrap_or(usize::MAX).max(1);
        }
    }
}

/// Submits for each dispatch of a step of this many nanoseconds, at most about a third of which one dispatch takes.
#[cfg(feature = "gpu")]
fn parts(step: u128) -> usize {
    let submits = step.div_ceil(SUBMIT.as_nanos());
    if submits > 1 { usize::try_from(submits.div_ceil(3)).unwrap_or(usize::MAX) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Architecture;

    #[test]
    fn a_call_takes_about_a_tenth_of_a_second_and_at_least_one_step() {
        let mut pace = Pace::new(0, 32);
        assert_eq!(pace.steps(), 1);
        let mut after = |steps, milliseconds| {
            pace.took(steps, Duration::from_millis(milliseconds));
            pace.steps()
        };
        assert_eq!([after(1, 20), after(5, 100), after(5, 1000), after(1, 400)], [5, 5, 1, 1]);
        assert_eq!([after(1, 1), after(32, 0), after(0, 0)], [32; 3]);
    }

    #[test]
    fn wide_networks_and_large_batches_have_fewer_steps_to_a_call() {
        let network = Architecture::paper(784, 10).build(0).unwrap();
        let steps = |batch| steps_within_call(8, &network, batch, SLOW_CORES);
        // 216,090 edges: 1.3 million operations for each sample.
        assert_eq!([1, 128, 1024, 1 << 20].map(steps), [8, 8, 7, 1]);
    }

    #[test]
    #[cfg(feature = "gpu")]
    fn submits_grow_within_a_call_and_shrink_with_slow_steps() {
        let network = Architecture::paper(784, 10).build(0).unwrap();
        let mut pace = SubmitPace::new(&network, 128, 1e12);
        pace.begin();
        assert_eq!([32; 4].map(|most| pace.steps(most)), [8, 16, 32, 32]);
        assert_eq!(pace.parts(), None);
        pace.begin();
        assert_eq!(pace.steps(4), 4);
        // 10 ms a step.
        let begin = Instant::now();
        pace.took(8, begin);
        pace.took(16, begin + Duration::from_millis(160));
        assert_eq!([32; 2].map(|most| pace.steps(most)), [5, 5]);
        pace.begin();
        assert_eq!(pace.steps(32), 5);
        // Slower than any submit should take.
        pace.took(1, begin);
        pace.took(1, begin + Duration::from_secs(3));
        assert_eq!(pace.steps(32), 1);
        // 60 submits of 50 ms, in 3 of the step's dispatches at least.
        assert_eq!(pace.parts(), Some(20));
        pace.took(1, begin + Duration::from_millis(3_060));
        assert_eq!(pace.parts(), Some(1));
        pace.took(1, begin + Duration::from_millis(3_109));
        assert_eq!(pace.parts(), None);
        // 1.3 million operations for each of 128 samples, at 10^8 in a second: far too many for a submit.
        assert_eq!(SubmitPace::new(&network, 128, SOFTWARE_GPU).parts(), Some(12));
    }
}
