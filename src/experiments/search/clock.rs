//! The time of a search.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts the seconds of this process, and those of trials that earlier ones finished.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    budget: Option<f64>,
    before: Mutex<f64>,
    /// Whether it stops trainings.
    runs: AtomicBool,
}

impl Clock {
    /// Time between two looks at it.
    pub(super) const TICK: Duration = Duration::from_millis(50);

    pub(super) fn new(budget: Option<f64>) -> Self {
        Self { start: Instant::now(), budget, before: Mutex::new(0.0), runs: AtomicBool::new(false) }
    }

    /// A trial that was finished before took this long.
    pub(super) fn spent_before(&self, seconds: f64) {
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) += seconds;
    }

    /// Seconds until the end; infinite without a budget.
    pub(super) fn left(&self) -> f64 {
        let before = *self.before.lock().unwrap_or_else(PoisonError::into_inner);
        self.budget.map_or(f64::INFINITY, |budget| budget - before - self.start.elapsed().as_secs_f64())
    }

    /// From now on, it may stop trainings: there is a result.
    pub(super) fn may_stop(&self) {
        self.runs.store(true, Ordering::Relaxed);
    }

    /// Whether trainings must stop.
    pub(super) fn is_over(&self) -> bool {
        self.runs.load(Ordering::Relaxed) && self.left() <= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_trials_count() {
        let clock = Clock::new(Some(1000.0));
        assert!(clock.left() > 990.0 && !clock.is_over());
        clock.spent_before(600.0);
        clock.spent_before(500.0);
        assert!(!clock.is_over() && clock.left() < -99.0);
        clock.may_stop();
        assert!(clock.is_over());
        assert_eq!(Clock::new(None).left(), f64::INFINITY);
    }
}
