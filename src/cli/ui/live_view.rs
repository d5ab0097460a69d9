//! The live line below a run: progress, scores, time left.
//!
//! It knows only the width of the terminal, and skips what does not fit.

use std::time::{Duration, Instant};

use tanner::training::{EpochMetrics, Metric, PatienceOn, Progress, ScoredOn, is_better};

/// Epochs in the sparkline.
const SPARKS: usize = 16;
/// Columns of the bar on wide and on narrow terminals.
const BARS: [usize; 2] = [24, 10];

/// The state of a run.
#[derive(Debug)]
pub(crate) struct LiveView {
    epochs: usize,
    /// Samples in one epoch.
    samples: usize,
    scored_on: ScoredOn,
    /// The current epoch, counted from 1.
    epoch: usize,
    /// Samples trained in it.
    trained: usize,
    loss: f64,
    accuracy: f64,
    metric: Metric,
    /// Score after each epoch.
    scores: Vec<f64>,
    /// The best epoch.
    best: Option<EpochMetrics>,
    epoch_start: Instant,
    /// Seconds of the last whole epoch, and of its steps.
    last: Option<(f64, f64)>,
}

impl LiveView {
    pub(crate) fn new(epochs: usize, samples: usize, scored_on: ScoredOn, now: Instant) -> Self {
        Self {
            epochs,
            samples,
            scored_on,
            epoch: 1,
            trained: 0,
            loss: f64::NAN,
            accuracy: 0.0,
            metric: Metric::Accuracy,
            scores: Vec::new(),
            best: None,
            epoch_start: now,
            last: None,
        }
    }

    pub(crate) fn batches_trained(&mut self, progress: &Progress) {
        self.epoch = progress.epoch;
        self.trained = progress.samples;
        (self.loss, self.accuracy, self.metric) = (progress.loss, progress.accuracy, progress.metric);
    }

    pub(crate) fn epoch_ended(&mut self, metrics: &EpochMetrics, now: Instant) {
        self.scores.push(metrics.test_accuracy);
        if self.best.as_ref().is_none_or(|best| is_better(metrics, best, PatienceOn::Score)) {
            self.best = Some(metrics.clone());
        }
        self.last = Some((metrics.seconds, metrics.seconds_steps));
        (self.epoch, self.trained) = ((metrics.epoch + 1).min(self.epochs), 0);
        if metrics.epoch == self.epochs {
            self.trained = self.samples;
        }
        self.epoch_start = now;
    }

    /// Share of this epoch's samples that are trained.
    fn share(&self) -> f64 {
        (self.trained as f64 / self.samples.max(1) as f64).min(1.0)
    }

    /// Share of the whole run that is trained.
    fn share_of_run(&self) -> f64 {
        ((self.epoch - 1) as f64 + self.share()) / self.epochs.max(1) as f64
    }

    /// Seconds left of the epoch and of the run, if they can be estimated.
    fn left(&self, now: Instant) -> Option<(f64, f64)> {
        let elapsed = now.saturating_duration_since(self.epoch_start).as_secs_f64();
        let share = self.share();
        let scoring = self.last.map_or(0.0, |(seconds, steps)| (seconds - steps).max(0.0));
        let whole = match self.last {
            // A rate over a small part of an epoch is less accurate than the previous epoch.
            Some((seconds, _)) if share < 0.05 => seconds,
            _ if share > 0.0 => elapsed.min(self.steps_end(elapsed)) / share + scoring,
            _ => return None,
        };
        let of_epoch = (whole - elapsed).max(0.0);
        Some((of_epoch, of_epoch + whole * (self.epochs - self.epoch) as f64))
    }

    /// While an epoch is scored, no samples are trained; its steps took as long as those of the last epoch.
    fn steps_end(&self, elapsed: f64) -> f64 {
        match self.last {
            Some((_, steps)) if self.trained >= self.samples => steps,
            _ => elapsed,
        }
    }

    /// The line, at most `columns` wide.
    pub(crate) fn line(&self, columns: usize, now: Instant) -> String {
        // In display order; the part with the highest number is dropped first if the line is too long.
        let mut parts = self.parts(now);
        loop {
            let text = parts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("  ");
            if text.chars().count() <= columns {
                return text;
            }
            let Some(least) = parts.iter().map(|(rank, _)| *rank).max().filter(|rank| *rank > 0) else {
                return text.chars().take(columns).collect();
            };
            match parts.iter().position(|(rank, _)| *rank == least) {
                // First, a wide bar becomes a small one.
                Some(place) if least == 7 => parts[place] = (3, bar(self.share_of_run(), BARS[1])),
                Some(place) => drop(parts.remove(place)),
                None => return text,
            }
        }
    }

    fn parts(&self, now: Instant) -> Vec<(u8, String)> {
        let share = self.share_of_run();
        let mut parts = vec![
            (0, format!("epoch {}/{}", self.epoch, self.epochs)),
            (7, bar(share, BARS[0])),
            (1, format!("{:>3.0} %", 100.0 * share)),
        ];
        if self.loss.is_finite() {
            parts.push((
                6,
                format!(
                    "train loss {:.4}, {} {}",
                    self.loss,
                    self.metric.title(),
                    self.metric.shown(self.accuracy)
                ),
            ));
        }
        if let Some(best) = &self.best {
            let (score, epoch) = (best.metric.shown(best.test_accuracy), best.epoch);
            parts.push((4, format!("best {} {score} (epoch {epoch})", self.scored_on)));
        }
        if self.scores.len() > 1 {
            parts.push((10, sparkline(&self.scores[self.scores.len().saturating_sub(SPARKS)..])));
        }
        let seconds = now.saturating_duration_since(self.epoch_start).as_secs_f64();
        if self.trained > 0 && self.trained < self.samples && seconds > 0.0 {
            parts.push((8, format!("{:.0} samples/s", self.trained as f64 / seconds)));
        }
        if let Some((epoch, run)) = self.left(now) {
            parts.push((9, format!("{} left of the epoch", clock(epoch))));
            parts.push((2, format!("{} left", clock(run))));
        }
        parts
    }
}

/// A bar with eighths of a column.
fn bar(share: f64, columns: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 8 times the columns")]
    let eighths = (share.clamp(0.0, 1.0) * (8 * columns) as f64) as usize;
    let mut bar = "█".repeat(eighths / 8);
    if eighths < 8 * columns {
        bar.push(EIGHTHS[eighths % 8]);
    }
    format!("▕{bar:columns$}▏")
}

/// A column for each value, scaled from lowest to highest.
fn sparkline(values: &[f64]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    #[expect(clippy::cast_possible_truncation, reason = "0 to 7; NaN, where all are equal, is 0")]
    let level = |value: &f64| LEVELS[(((value - low) / (high - low) * 7.0).round() as usize).min(7)];
    values.iter().map(level).collect()
}

/// Hours, minutes and seconds, as a clock shows them: `1:02:03`, `4:05`, `0:07`.
fn clock(seconds: f64) -> String {
    // Invalid and very long times are shown as at most a year.
    let seconds =
        Duration::try_from_secs_f64(seconds.clamp(0.0, 3.2e7).round()).map_or(0, |time| time.as_secs());
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(epoch: usize, accuracy: f64) -> EpochMetrics {
        EpochMetrics {
            epoch,
            train_loss: 0.5,
            test_loss: 0.5,
            train_accuracy: 0.8,
            test_accuracy: accuracy,
            learning_rate: 0.1,
            seconds: 10.0,
            seconds_steps: 8.0,
            ..EpochMetrics::default()
        }
    }

    /// Three epochs of ten are over, a quarter of the fourth is trained in two seconds.
    fn view(start: Instant) -> (LiveView, Instant) {
        let mut view = LiveView::new(10, 1000, ScoredOn::Test, start);
        for (epoch, accuracy) in [(1, 0.5), (2, 0.9), (3, 0.8)] {
            view.epoch_ended(&metrics(epoch, accuracy), start);
        }
        view.batches_trained(&Progress {
            epoch: 4,
            samples: 250,
            loss: 0.25,
            accuracy: 0.75,
            metric: Metric::Accuracy,
        });
        (view, start + Duration::from_secs(2))
    }

    #[test]
    fn the_line_says_how_far_how_well_and_how_long() {
        let (view, now) = view(Instant::now());
        // 8 s of steps and 2 of scoring: 8 are left of the epoch, and 60 of the six behind it.
        assert_eq!(
            view.line(200, now),
            "epoch 4/10  ▕███████▊                ▏   32 %  train loss 0.2500, accuracy 75.00 %  best test 90.00 % (epoch 2)  \
             ▁█▆  125 samples/s  0:08 left of the epoch  1:08 left"
        );
    }

    #[test]
    fn a_narrow_terminal_shows_the_most_important_parts() {
        let (view, now) = view(Instant::now());
        for columns in 0..200 {
            let line = view.line(columns, now);
            assert!(line.chars().count() <= columns, "{columns}: {line}");
            assert_eq!(line.contains("epoch 4/10"), columns >= 10, "{columns}: {line}");
        }
        assert_eq!(view.line(30, now), "epoch 4/10   32 %  1:08 left");
        assert_eq!(
            view.line(79, now),
            "epoch 4/10  ▕███▎      ▏   32 %  best test 90.00 % (epoch 2)  1:08 left"
        );
        assert_eq!(
            view.line(119, now),
            "epoch 4/10  ▕███▎      ▏   32 %  train loss 0.2500, accuracy 75.00 %  best test 90.00 % (epoch 2)  1:08 left"
        );
    }

    #[test]
    fn a_run_that_begins_or_ends_has_a_line() {
        let start = Instant::now();
        let mut view = LiveView::new(1, 0, ScoredOn::Test, start);
        assert!(view.line(100, start).starts_with("epoch 1/1  "), "{}", view.line(100, start));
        view.epoch_ended(&metrics(1, 0.5), start);
        assert!(view.line(100, start).contains("epoch 1/1"));
        // All samples are trained, and it is being scored: half of the two seconds are left.
        let mut view = LiveView::new(2, 1000, ScoredOn::Test, start);
        view.epoch_ended(&metrics(1, 0.5), start);
        view.batches_trained(&Progress {
            epoch: 2,
            samples: 1000,
            loss: 0.25,
            accuracy: 0.75,
            metric: Metric::Accuracy,
        });
        let line = view.line(200, start + Duration::from_secs(9));
        assert!(line.ends_with("0:01 left of the epoch  0:01 left"), "{line}");
    }

    #[test]
    fn numbers_become_pictures() {
        assert_eq!(sparkline(&[0.0, 1.0, 0.5]), "▁█▅");
        assert_eq!(sparkline(&[0.5, 0.5]), "▁▁");
        assert_eq!(bar(0.5, 4), "▕██  ▏");
        assert_eq!([bar(0.0, 2), bar(1.0, 2)], ["▕  ▏", "▕██▏"]);
        assert_eq!(bar(0.3, 1), "▕▎▏");
        assert_eq!([0.4, 65.0, 3723.0, f64::NAN].map(clock), ["0:00", "1:05", "1:02:03", "0:00"]);
    }
}
