//! The progress display of a training run.
//!
//! A line for each epoch, and on a terminal a live line below them, by [`LiveView`].

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use console::Term;
use indicatif::{ProgressBar, ProgressStyle};
use tanner::network::Parameters;
use tanner::training::{EpochMetrics, Observer, PatienceOn, Progress, ScoredOn, best_epoch, is_better};

use super::canvas;
use super::live_view::LiveView;
use super::signals::{self, Keeping};
use super::terminal::{self, BARS};

/// A line for each epoch, and on a terminal a live view below them.
pub(crate) struct ProgressReport {
    /// Whether each epoch has a line; not so for runs of a batch.
    has_lines: bool,
    epochs: usize,
    scored_on: ScoredOn,
    /// Samples in one epoch.
    samples: usize,
    /// Best score so far.
    best: Option<EpochMetrics>,
    view: Arc<Mutex<LiveView>>,
    /// `None` without a terminal.
    bar: Option<ProgressBar>,
    /// A run of a batch has something to save until all of it is written; a single run, until the command ends.
    _keeping: Option<Keeping>,
}

impl ProgressReport {
    /// Starts to display a run.
    pub(crate) fn new(epochs: usize, samples: usize, has_lines: bool, scored_on: ScoredOn) -> Self {
        let view = Arc::new(Mutex::new(LiveView::new(epochs, samples, scored_on, Instant::now())));
        let bar = terminal::shows_progress().then(|| bar(&view));
        let keeping = (!has_lines).then(signals::keeping);
        if has_lines {
            signals::keep_to_the_end();
        }
        Self { has_lines, epochs, scored_on, samples, best: None, view, bar, _keeping: keeping }
    }

    /// The run resumes after these epochs.
    pub(crate) fn resumed(&mut self, history: &[EpochMetrics]) {
        for metrics in history {
            self.update(|view| view.epoch_ended(metrics, Instant::now()));
        }
        self.best = best_epoch(history).cloned();
    }

    fn update(&self, change: impl FnOnce(&mut LiveView)) {
        change(&mut self.view.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A line below all others, redrawn five times per second, so that the time left counts down.
fn bar(view: &Arc<Mutex<LiveView>>) -> ProgressBar {
    let view = Arc::clone(view);
    let write = move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
        // A second signal exits at once; the line must be gone by then.
        if signals::stop().asked().load(Ordering::Relaxed) {
            return;
        }
        let view = view.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = out.write_str(&view.line(canvas::width(&Term::stderr()), Instant::now()));
    };
    let bar = BARS.add(ProgressBar::no_length());
    if let Ok(style) = ProgressStyle::with_template("{view}") {
        bar.set_style(style.with_key("view", write));
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Columns of the terminal.
fn width() -> usize {
    terminal::width(&Term::stderr())
}

impl Drop for ProgressReport {
    /// However the run ends, the live view is removed and the lines stay.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for ProgressReport {
    fn batches_trained(&mut self, progress: &Progress) {
        if let Some(bar) = &self.bar {
            self.update(|view| view.batches_trained(progress));
            // Draws at a limited rate.
            bar.inc(1);
        }
    }

    fn epoch_ended(&mut self, metrics: &EpochMetrics, _: &Parameters) -> tanner::Result<()> {
        let is_best = self.best.as_ref().is_none_or(|best| is_better(metrics, best, PatienceOn::Score));
        if is_best {
            self.best = Some(metrics.clone());
        }
        self.update(|view| view.epoch_ended(metrics, Instant::now()));
        if self.has_lines {
            let columns = self.bar.as_ref().map(|_| width());
            terminal::note(&self.line(metrics, is_best, columns));
        }
        Ok(())
    }
}

impl ProgressReport {
    /// The line of an epoch; an asterisk marks the best so far. A narrow terminal shows less, a file everything.
    fn line(&self, metrics: &EpochMetrics, is_best: bool, columns: Option<usize>) -> String {
        let width = self.epochs.to_string().len();
        let (metric, name) = (metrics.metric, metrics.metric.short());
        let [train, test] = [metrics.train_accuracy, metrics.test_accuracy].map(|score| metric.shown(score));
        let best = metric.shown(self.best.as_ref().unwrap_or(metrics).test_accuracy);
        let mark = if is_best { '*' } else { ' ' };
        let number = format!("epoch {:>width$}/{}", metrics.epoch, self.epochs);
        let full = format!(
            "{number}  train loss {:.4} {name} {train:>8}  {} loss {:.4} {name} {test:>8}{mark} (best {best})  \
             lr {:.6}  {:.2} s, {:.0} samples/s",
            metrics.train_loss,
            self.scored_on,
            metrics.test_loss,
            metrics.learning_rate,
            metrics.seconds,
            self.samples as f64 / metrics.seconds_steps,
        );
        let (on, train_loss, test_loss) = (self.scored_on, metrics.train_loss, metrics.test_loss);
        let shorter = [
            format!(
                "{number}  train loss {train_loss:.4} {name} {train}  {on} loss {test_loss:.4} {name} {test}{mark}"
            ),
            format!("{number}  {on} loss {test_loss:.4} {name} {test}{mark}"),
            format!("{number}  {on} {name} {test}{mark}"),
            format!("{number}  {test}{mark}"),
        ];
        let Some(columns) = columns else { return full };
        let mut lines = std::iter::once(full).chain(shorter);
        let fits = |line: &String| line.chars().count() <= columns;
        lines.find(fits).unwrap_or(test)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_the_terminal_allows_and_mark_the_best() {
        let mut report = ProgressReport::new(30, 60_000, false, ScoredOn::Test);
        let metrics = |epoch: usize, accuracy: f64| EpochMetrics {
            epoch,
            train_loss: 0.5,
            test_loss: 0.4,
            train_accuracy: 0.8,
            test_accuracy: accuracy,
            learning_rate: 0.1,
            seconds: 2.0,
            seconds_steps: 1.5,
            ..EpochMetrics::default()
        };
        report.epoch_ended(&metrics(1, 0.85), &Parameters::default()).unwrap();
        let full = report.line(&metrics(1, 0.85), true, None);
        assert!(full.starts_with(
            "epoch  1/30  train loss 0.5000 acc  80.00 %  test loss 0.4000 acc  85.00 %* (best 85.00 %)"
        ));
        assert!(full.ends_with("lr 0.100000  2.00 s, 40000 samples/s"), "{full}");
        report.epoch_ended(&metrics(2, 0.84), &Parameters::default()).unwrap();
        assert!(report.line(&metrics(2, 0.84), false, Some(200)).contains("acc  84.00 %  (best 85.00 %)"));
        let narrow = report.line(&metrics(2, 0.84), false, Some(78));
        assert_eq!(narrow, "epoch  2/30  train loss 0.5000 acc 80.00 %  test loss 0.4000 acc 84.00 % ");
        assert_eq!(report.line(&metrics(3, 0.9), true, Some(32)), "epoch  3/30  test acc 90.00 %*");
        assert_eq!(report.line(&metrics(3, 0.9), true, Some(24)), "epoch  3/30  90.00 %*");
    }
}
