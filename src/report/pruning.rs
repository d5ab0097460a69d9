//! The cost of pruning: accuracy against the number of parameters.

use std::sync::Arc;

use kuva::plot::LinePlot;
use kuva::plot::scatter::{MarkerShape, ScatterPlot};
use kuva::render::annotations::ReferenceLine;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;

use super::drawing::{Drawing, Key, Sign, figure};
use super::style::{DOT, FIRST, SECOND, SOFT, THIN, Tone};
use super::table::{CellOf, CsvColumn, TextCell, TextColumn, TextTable, csv, table_of};
use crate::experiments::prune::PrunePoint;
use crate::text::{digits, grouped};
use crate::training::Metric;
use crate::{Error, Result};

/// Draws the accuracy on validation and test samples against the number of parameters.
///
/// # Errors
/// [`Error::Picture`] when there are fewer than 2 points or the drawing fails.
pub fn pruning_curve(curve: &[PrunePoint], title: &str) -> Result<Drawing> {
    let [first, .., last] = curve else {
        return Err(Error::Picture("a pruning curve needs at least 2 points".into()));
    };
    let metric = first.metric;
    let factor = if metric.is_share() { 100.0 } else { 1.0 };
    let share = |point: &PrunePoint| 100.0 * point.parameters as f64 / first.parameters as f64;
    let plots = |value: fn(&PrunePoint) -> f64, color: Tone, marker| {
        let points: Vec<(f64, f64)> =
            curve.iter().map(|point| (share(point), factor * value(point))).collect();
        let line = LinePlot::new().with_data(points.clone()).with_color(color.light).with_stroke_width(THIN);
        let dots = ScatterPlot::new().with_data(points).with_color(color.light).with_size(DOT);
        [Plot::Line(line), Plot::Scatter(dots.with_marker(marker))]
    };
    let named = |name: &str, value: fn(&PrunePoint) -> f64| {
        format!("{name}: {} to {}", metric.shown(value(first)), metric.shown(value(last)))
    };
    let keys = [
        Key::new(named("validation, chosen by", |p| p.validation_accuracy), FIRST, Sign::Dot),
        Key::new(named("test, only measured", |p| p.test_accuracy), SECOND, Sign::Square),
        Key::new("validation before pruning", SOFT, Sign::Dashes),
    ];
    let mut all = Vec::new();
    all.extend(plots(|p| p.validation_accuracy, FIRST, MarkerShape::Circle));
    all.extend(plots(|p| p.test_accuracy, SECOND, MarkerShape::Square));
    let accuracies = curve.iter().flat_map(|p| [p.validation_accuracy, p.test_accuracy].map(|a| factor * a));
    let (low, high) = accuracies.fold((f64::MAX, f64::MIN), |(low, high), a| (low.min(a), high.max(a)));
    // A margin keeps markers off the frame.
    let (least, top) = if metric.is_share() { (0.1, 100.0) } else { (0.01 * high.abs(), f64::INFINITY) };
    let room = (0.06 * (high - low)).max(least);
    let is_share = metric.is_share();
    let tick = move |value: f64| if is_share { format!("{value:.2}") } else { digits(value, 4) };
    let unpruned = ReferenceLine::horizontal(factor * first.validation_accuracy).with_color(SOFT.light);
    let layout = Layout::auto_from_plots(&all)
        .with_title(if metric.is_share() { format!("{} (%)", metric.title()) } else { metric.title().into() })
        .with_x_label(format!("parameters left (% of {})", grouped(first.parameters)))
        .with_x_axis_min(0.0)
        .with_x_axis_max(102.0)
        .with_y_axis_min(low - room)
        .with_y_axis_max((high + room).min(top + room))
        .with_x_tick_step(10.0)
        .with_y_tick_format(TickFormat::Custom(Arc::new(tick)))
        .with_reference_line(unpruned);
    let title = format!("{title}: {} to {} parameters", grouped(first.parameters), grouped(last.parameters));
    Drawing::of(&figure(title, [760.0, 440.0], vec![(all, layout)], &keys))
}

/// A row for each pruning step.
pub fn pruning_table(curve: &[PrunePoint]) -> TextTable {
    let all = curve.first().map_or(1, |point| point.parameters) as f64;
    let loss = |loss: f64| TextCell::text(format!("{loss:.4}"));
    let metric = curve.first().map_or_else(Metric::default, |point| point.metric);
    let column = |part: &str| match metric {
        Metric::Accuracy => TextColumn::number(format!("{part} %")),
        _ if metric.is_share() => {
            TextColumn::number(format!("{part} %")).plain(&[&format!("{part}_{metric}_percent")])
        }
        _ => TextColumn::number(format!("{part} {}", metric.title())).plain(&[&format!("{part}_{metric}")]),
    };
    let score =
        |score: f64| if metric.is_share() { TextCell::percent(score) } else { metric.shown(score).into() };
    let columns: [CellOf<&PrunePoint>; 9] = [
        (TextColumn::text("step").least(10), &|point| point.step.clone().into()),
        (TextColumn::text("hidden widths").rank(3).least(13), &|point| hidden(point, " ").into()),
        (TextColumn::number("weights").rank(6), &|point| TextCell::count(point.edges)),
        (TextColumn::number("parameters"), &|point| TextCell::count(point.parameters)),
        (TextColumn::number("left %").rank(2), &|point| TextCell::percent(point.parameters as f64 / all)),
        (column("validation"), &|point| score(point.validation_accuracy)),
        (TextColumn::number("loss").plain(&["validation_loss"]).rank(4), &|point| {
            loss(point.validation_loss)
        }),
        (column("test").rank(1), &|point| score(point.test_accuracy)),
        (TextColumn::number("loss").plain(&["test_loss"]).rank(5), &|point| loss(point.test_loss)),
    ];
    table_of(curve, &columns)
}

/// The curve as comma-separated values, a line for each point under a header.
pub fn pruning_csv(curve: &[PrunePoint]) -> String {
    let metric = curve.first().map_or_else(Metric::default, |point| point.metric);
    let (validation, test) = (format!("validation_{metric}"), format!("test_{metric}"));
    let columns: [CsvColumn<&PrunePoint>; 8] = [
        ("step", &|point| point.step.clone()),
        ("parameters", &|point| point.parameters.to_string()),
        ("edges", &|point| point.edges.to_string()),
        ("hidden", &|point| hidden(point, "-")),
        (&validation, &|point| point.validation_accuracy.to_string()),
        ("validation_loss", &|point| point.validation_loss.to_string()),
        (&test, &|point| point.test_accuracy.to_string()),
        ("test_loss", &|point| point.test_loss.to_string()),
    ];
    csv(curve, &columns)
}

fn hidden(point: &PrunePoint, separator: &str) -> String {
    point.hidden.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: usize) -> Vec<PrunePoint> {
        let point = |step: usize| PrunePoint {
            metric: Metric::Accuracy,
            step: format!("step {step}"),
            parameters: 220_020 - 20_000 * step,
            edges: 216_090 - 20_000 * step,
            hidden: vec![784 - 98 * (step / 2); 5],
            validation_correct: 8800,
            validation_accuracy: 0.88 - 0.001 * step as f64,
            validation_loss: 0.4,
            test_accuracy: 0.878 - 0.001 * step as f64,
            test_loss: 0.41,
        };
        (0..points).map(point).collect()
    }

    #[test]
    fn the_curve_is_drawn_in_both_formats_with_both_colours() {
        let drawing = pruning_curve(&curve(9), "pruning by blocks").unwrap();
        let picture = image::load_from_memory(&drawing.png).unwrap().to_rgb8();
        for color in [[0x00, 0x72, 0xB2], [0xD5, 0x5E, 0x00]] {
            let there = picture.pixels().filter(|pixel| pixel.0 == color).count();
            assert!(there > 50, "{there} pixels of {color:?}");
        }
        assert!(drawing.svg.starts_with("<svg") && drawing.svg.contains("parameters left"));
        assert!(pruning_curve(&curve(1), "").is_err());
    }

    #[test]
    fn the_table_has_a_row_for_each_point() {
        let text = pruning_table(&curve(3)).to_string();
        for part in ["step 2", "180,020", "81.82", "87.80", "686 686"] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
