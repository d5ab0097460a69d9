//! How many steps an engine makes before somebody looks whether it should stop.

use std::time::Duration;

use crate::network::Network;

/// About how long nobody looks.
const CALL: Duration = Duration::from_secs(1);

/// Multiplications and additions in a second that a slow pair of cores can do.
pub(crate) const SLOW_CORES: f64 = 1e10;

/// The same for a GPU that is a program on them.
#[cfg(feature = "gpu")]
pub(crate) const SOFTWARE_GPU: f64 = 1e8;

/// Most steps of a call, at most `most`, that last no longer than [`CALL`] on a device of this speed, by an estimate.
pub(crate) fn steps_within_call(most: usize, network: &Network, batch: usize, speed: f64) -> usize {
    let edges: usize = network.layers().iter().map(|layer| layer.topology.edges()).sum();
    // Forward, backward to the inputs, and gradients.
    let step = 6.0 * edges.max(1) as f64 * batch.max(1) as f64;
    (1..=most.max(1)).rev().find(|steps| *steps as f64 * step <= speed * CALL.as_secs_f64()).unwrap_or(1)
}

/// Steps to a call: at first as many as the engine likes, then fewer where the last call took longer than [`CALL`]. What
/// is computed does not depend on it.
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

    /// Notes how long a call took, by its number of steps.
    pub(crate) fn took(&mut self, steps: usize, time: Duration) {
        let one = (time.as_nanos() / steps.max(1) as u128).max(1);
        self.steps = usize::try_from(CALL.as_nanos() / one).unwrap_or(usize::MAX).clamp(1, self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Architecture;

    #[test]
    fn a_call_takes_about_a_second_and_at_least_one_step() {
        let mut pace = Pace::new(0, 32);
        assert_eq!(pace.steps(), 1);
        let mut after = |steps, milliseconds| {
            pace.took(steps, Duration::from_millis(milliseconds));
            pace.steps()
        };
        assert_eq!([after(1, 200), after(5, 1000), after(5, 10_000), after(1, 4000)], [5, 5, 1, 1]);
        assert_eq!([after(1, 1), after(32, 0), after(0, 0)], [32; 3]);
    }

    #[test]
    fn wide_networks_and_large_batches_have_fewer_steps_to_a_call() {
        let network = Architecture::paper(784, 10).build(0).unwrap();
        let steps = |batch| steps_within_call(8, &network, batch, SLOW_CORES);
        // 216,090 edges: 1.3 million operations for each sample.
        assert_eq!([1, 128, 1024, 1 << 20].map(steps), [8, 8, 7, 1]);
    }
}
