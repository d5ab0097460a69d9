//! Clocks around the stages of a step, and a recorder that does nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::engine::profile::{Stage, StageTime};

/// A recorder of the stages of a step. A type for each case, so that steps without a clock are
/// compiled without any trace of one.
pub(super) trait StageRecorder: Sync {
    /// Runs a part of a stage, on the caller's thread.
    fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T;
}

/// Takes no time.
pub(super) struct NoRecorder;

impl StageRecorder for NoRecorder {
    #[inline(always)]
    fn time<T>(&self, _: Stage, work: impl FnOnce() -> T) -> T {
        work()
    }
}

/// Sums the time of each stage over all threads.
pub(super) struct StageClock {
    /// Nanoseconds: whole numbers, whose sum does not depend on the order of the threads.
    stages: Vec<(Stage, AtomicU64)>,
}

impl StageClock {
    pub(super) fn new(stages: Vec<Stage>) -> Self {
        Self { stages: stages.into_iter().map(|stage| (stage, AtomicU64::new(0))).collect() }
    }

    /// The sums so far, which are reset.
    pub(super) fn take(&self) -> Vec<StageTime> {
        let time = |(stage, sum): &(Stage, AtomicU64)| StageTime {
            stage: *stage,
            microseconds: microseconds(Duration::from_nanos(sum.swap(0, Ordering::Relaxed))),
        };
        self.stages.iter().map(time).collect()
    }
}

impl StageRecorder for StageClock {
    fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let result = work();
        let nanoseconds = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if let Some((_, sum)) = self.stages.iter().find(|(known, _)| *known == stage) {
            sum.fetch_add(nanoseconds, Ordering::Relaxed);
        }
        result
    }
}

pub(super) fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
