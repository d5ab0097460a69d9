//! The learning curve: loss and accuracy over the epochs.

use kuva::plot::LinePlot;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::drawing::{Key, Sign, figure, png};
use super::style::{CURVE, FIRST, SECOND, Tone};
use crate::training::{EpochMetrics, Metric, best_epoch};
use crate::{Error, Result};

const TRAIN: Tone = FIRST;
const TEST: Tone = SECOND;

/// Draws the curves of training and test set side by side, as a PNG file.
///
/// # Errors
/// [`Error::Picture`] when there is no epoch to draw or the drawing fails.
pub fn learning_curve(history: &[EpochMetrics], title: &str) -> Result<Vec<u8>> {
    let Some(best) = best_epoch(history) else {
        return Err(Error::Picture("a learning curve of 0 epochs".into()));
    };
    let curve = |value: fn(&EpochMetrics) -> f64, color: Tone| {
        let points = history.iter().map(|metrics| (metrics.epoch as f64, value(metrics)));
        // A line through one point is invisible.
        let mut points: Vec<_> = points.collect();
        if let [(epoch, value)] = points[..] {
            points = vec![(epoch - 0.1, value), (epoch + 0.1, value)];
        }
        Plot::Line(LinePlot::new().with_data(points).with_color(color.light).with_stroke_width(CURVE))
    };
    let loss = vec![curve(|m| m.train_loss, TRAIN), curve(|m| m.test_loss, TEST)];
    let metric = best.metric;
    let accuracy = if metric.is_share() {
        vec![curve(|m| 100.0 * m.train_accuracy, TRAIN), curve(|m| 100.0 * m.test_accuracy, TEST)]
    } else {
        vec![curve(|m| m.train_accuracy, TRAIN), curve(|m| m.test_accuracy, TEST)]
    };
    let best = metric.shown(best.test_accuracy);
    let keys = [("training".to_owned(), TRAIN), (format!("test (best {best})"), TEST)];
    let keys = keys.map(|(name, color)| Key::new(name, color, Sign::Line));
    let layout = |plots: &[Plot], name: &str| {
        let layout = Layout::auto_from_plots(plots).with_title(name).with_x_label("epoch");
        layout.with_x_tick_step(tick_step(history.len()) as f64).with_clamp_y_axis()
    };
    let layouts =
        [layout(&loss, loss_title(metric)).with_y_axis_min(0.0), layout(&accuracy, &score_title(metric))];
    let panels = [loss, accuracy].into_iter().zip(layouts).collect();
    png(&figure(title, [480.0, 360.0], panels, &keys))
}

/// The title of an axis of losses.
pub(super) fn loss_title(metric: Metric) -> &'static str {
    if metric.is_accuracy() { "cross-entropy (nats)" } else { "loss" }
}

/// The title of an axis of scores.
pub(super) fn score_title(metric: Metric) -> String {
    if metric.is_share() { format!("{} (%)", metric.title()) } else { metric.title().to_owned() }
}

/// Epochs between two ticks: 1, 2 or 5 times a power of ten, for about 5 to 10 ticks.
pub(super) fn tick_step(epochs: usize) -> usize {
    let mut steps = (0..18).flat_map(|power| [1, 2, 5].map(|step| step * 10usize.pow(power)));
    steps.find(|step| epochs.div_ceil(*step) <= 10).unwrap_or(epochs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_whole_epochs_and_few() {
        assert_eq!([1, 10, 11, 30, 100, 101, 5000].map(tick_step), [1, 1, 2, 5, 10, 20, 500]);
    }

    fn epochs(count: usize) -> Vec<EpochMetrics> {
        let metrics = |epoch: usize| EpochMetrics {
            epoch,
            train_loss: 1.0 / epoch as f64,
            test_loss: 1.1 / epoch as f64,
            train_accuracy: 0.9 - 0.3 / epoch as f64,
            test_accuracy: 0.89 - 0.3 / epoch as f64,
            learning_rate: 0.1,
            seconds: 1.0,
            seconds_steps: 0.9,
            ..EpochMetrics::default()
        };
        (1..=count).map(metrics).collect()
    }

    #[test]
    fn curves_of_one_and_of_many_epochs_are_png_files_with_both_colours() {
        for count in [1, 2, 30] {
            let png = learning_curve(&epochs(count), "test").unwrap();
            let picture = image::load_from_memory(&png).unwrap().to_rgb8();
            assert!(picture.width() >= 1600 && picture.height() >= 600, "{:?}", picture.dimensions());
            for color in [[0x00, 0x72, 0xB2], [0xD5, 0x5E, 0x00]] {
                let there = picture.pixels().filter(|pixel| pixel.0 == color).count();
                assert!(there > 50, "{count} epochs: {there} pixels of {color:?}");
            }
        }
        assert!(learning_curve(&[], "test").is_err());
    }
}
