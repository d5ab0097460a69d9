//! What a training run shows while it goes on.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tanner::network::Parameters;
use tanner::training::{EpochMetrics, Observer, Progress, ScoredOn};

use super::terminal::{self, BARS};

const TEMPLATE: &str = "epoch {prefix} {bar:24} {percent:>3} % {msg}  {eta} left";

/// What is told of an epoch that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Epochs {
    /// A line.
    Lines,
    /// Nothing; the run is one of many.
    Quiet,
}

/// A line for each epoch, and on a terminal a bar below them.
pub(crate) struct ProgressReport {
    epochs: usize,
    told: Epochs,
    scored_on: ScoredOn,
    /// Samples in one epoch.
    samples: usize,
    best: Option<f64>,
    epoch_start: Instant,
    /// `None` where stderr is no terminal.
    bar: Option<ProgressBar>,
}

impl ProgressReport {
    /// Starts to show a run.
    pub(crate) fn new(epochs: usize, samples: usize, told: Epochs, scored_on: ScoredOn) -> Self {
        let bar = terminal::shows_progress().then(|| {
            let bar = BARS.add(ProgressBar::new(epochs as u64 * samples as u64));
            if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(format!("1/{epochs}"));
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Self { epochs, told, scored_on, samples, best: None, epoch_start: Instant::now(), bar }
    }
}

impl Drop for ProgressReport {
    /// However the run ends, the bar goes and the lines stay.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for ProgressReport {
    fn batches_trained(&mut self, progress: &Progress) {
        let Some(bar) = &self.bar else { return };
        let done = (progress.epoch - 1) * self.samples + progress.samples;
        bar.set_position(done as u64);
        let rate = progress.samples as f64 / self.epoch_start.elapsed().as_secs_f64();
        let best = self.best.map_or(Cow::Borrowed(""), |best| format!(" best {:.2} %", 100.0 * best).into());
        bar.set_message(format!(
            "loss {:.4} acc {:.2} %{best} {rate:.0} samples/s",
            progress.loss,
            100.0 * progress.accuracy
        ));
    }

    fn epoch_ended(&mut self, metrics: &EpochMetrics, _: &Parameters) -> tanner::Result<()> {
        let best = self.best.map_or(metrics.test_accuracy, |best| best.max(metrics.test_accuracy));
        self.best = Some(best);
        if self.told == Epochs::Lines {
            terminal::note(&self.line(metrics, best));
        }
        if let Some(bar) = &self.bar {
            bar.set_prefix(format!("{}/{}", (metrics.epoch + 1).min(self.epochs), self.epochs));
        }
        self.epoch_start = Instant::now();
        Ok(())
    }
}

impl ProgressReport {
    fn line(&self, metrics: &EpochMetrics, best: f64) -> String {
        let width = self.epochs.to_string().len();
        format!(
            "epoch {:>width$}/{}  train loss {:.4} acc {:>6.2} %  {} loss {:.4} acc {:>6.2} % (best {:.2})  \
             lr {:.6}  {:.2} s, {:.0} samples/s",
            metrics.epoch,
            self.epochs,
            metrics.train_loss,
            100.0 * metrics.train_accuracy,
            self.scored_on,
            metrics.test_loss,
            100.0 * metrics.test_accuracy,
            100.0 * best,
            metrics.learning_rate,
            metrics.seconds,
            self.samples as f64 / metrics.seconds_steps,
        )
    }
}
