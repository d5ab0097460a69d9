//! Dots with intervals: accuracies over several seeds, a line for each configuration.

use std::sync::Arc;

use kuva::plot::annotations::TextAnnotation;
use kuva::plot::scatter::{MarkerShape, ScatterPlot};
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;

use super::axis::Axis;
use super::drawing::{Drawing, Key, Sign, figure};
use super::style::{DOT, PALETTE, TEXT, Tone, text_width};
use crate::{Error, Result};

/// The look of each series' dots.
const LOOKS: [(Tone, MarkerShape, Sign); 2] =
    [(PALETTE[0], MarkerShape::Circle, Sign::Dot), (PALETTE[1], MarkerShape::Diamond, Sign::Diamond)];
/// Height of a row, and width and height of everything else.
const ROW: f64 = 30.0;
const AXIS: [f64; 2] = [520.0, 110.0];

/// A mean, and its standard deviation if known.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// The position of the dot.
    pub value: f64,
    /// Half the length of its interval.
    pub deviation: Option<f64>,
}

/// The dots of one line; a gap if nothing was measured.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq)]
pub struct DotRow {
    /// Its label.
    pub label: String,
    /// One for each series.
    pub dots: Vec<Option<Dot>>,
}

/// Draws a line for each row, the first at the top, on an axis that fits the dots; at most two series.
///
/// A dot below half of the median would leave no room to distinguish the others, so it becomes a number at the left end of
/// the axis.
///
/// # Errors
/// [`Error::Picture`] when there is no dot, a row does not have one place for each series, or there are more than two series.
#[doc(hidden)]
pub fn interval_chart(title: &str, x_label: &str, series: &[&str], rows: &[DotRow]) -> Result<Drawing> {
    let fits = |row: &DotRow| row.dots.len() == series.len();
    if !(1..=LOOKS.len()).contains(&series.len()) || !rows.iter().all(fits) {
        let (rows, series) = (rows.len(), series.len());
        return Err(Error::Picture(format!("{rows} rows of dots for {series} series, 1 or 2")));
    }
    let axis = axis(rows).ok_or_else(|| Error::Picture("a chart of 0 dots".into()))?;
    let (mut plots, mut far) = (Vec::new(), Vec::new());
    for (index, (color, marker, _)) in LOOKS.into_iter().enumerate().take(series.len()) {
        // Two series of a row are drawn a little apart.
        let offset = if series.len() > 1 { 0.16 - 0.32 * index as f64 } else { 0.0 };
        let dots = rows
            .iter()
            .enumerate()
            .filter_map(|(row, cells)| Some(((rows.len() - row) as f64 + offset, cells.dots[index]?)));
        let (near, beyond): (Vec<_>, Vec<_>) = dots.partition(|(_, dot)| dot.value >= axis.low);
        far.extend(beyond.into_iter().map(|(y, dot)| (y, dot.value, series[index])));
        // A single seed has no interval.
        let (with, alone): (Vec<_>, Vec<_>) = near.into_iter().partition(|(_, dot)| dot.deviation.is_some());
        for dots in [with, alone].into_iter().filter(|dots| !dots.is_empty()) {
            let places = dots.iter().map(|(y, dot)| (dot.value, *y));
            let plot = ScatterPlot::new().with_data(places.collect::<Vec<_>>()).with_color(color.light);
            let deviations: Vec<f64> = dots.iter().filter_map(|(_, dot)| dot.deviation).collect();
            plots.push(Plot::Scatter(plot.with_x_err(deviations).with_size(DOT).with_marker(marker)));
        }
    }
    let labels: Vec<String> = rows.iter().rev().map(|row| row.label.clone()).collect();
    let widest = labels.iter().map(|label| text_width(label, TEXT)).fold(0.0, f64::max) + 24.0;
    let mut layout = layout(&plots, &axis, x_label, labels).with_force_margins(widest, 24.0);
    for (y, value, name) in far {
        let name = if series.len() > 1 { format!(" {name}") } else { String::new() };
        let text = format!("← {value:.2}{name}");
        let inside = axis.low + (axis.high - axis.low) * (text_width(&text, TEXT) / 2.0 + 6.0) / AXIS[0];
        layout = layout.with_annotation(TextAnnotation::new(text, inside, y).with_font_size(TEXT));
    }
    let keys = series.iter().zip(LOOKS).map(|(name, (color, _, sign))| Key::new(*name, color, sign));
    let keys: Vec<Key> = if series.len() > 1 { keys.collect() } else { Vec::new() };
    let size = [AXIS[0] + widest, AXIS[1] + ROW * rows.len() as f64];
    Drawing::of(&figure(title, size, vec![(plots, layout)], &keys))
}

/// The axes: labels of rows replace the numbers of the vertical one.
fn layout(plots: &[Plot], axis: &Axis, x_label: &str, labels: Vec<String>) -> Layout {
    let rows = labels.len() as f64;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "casts saturate, and a number that is no row has no label"
    )]
    let row = |y: f64| (y.round() as usize).checked_sub(1);
    let label = move |y: f64| row(y).and_then(|row| labels.get(row)).cloned().unwrap_or_default();
    let layout = Layout::auto_from_plots(plots).with_x_label(x_label);
    let layout = layout.with_x_axis_min(axis.low).with_x_axis_max(axis.high).with_y_axis_min(0.5);
    let layout = layout.with_y_axis_max(rows + 0.5).with_y_tick_step(1.0);
    let layout = layout.with_x_tick_step(axis.ticks[1] - axis.ticks[0]);
    layout.with_y_tick_format(TickFormat::Custom(Arc::new(label)))
}

/// The axis around all intervals, except those of dots below half of the median dot.
fn axis(rows: &[DotRow]) -> Option<Axis> {
    let mut dots: Vec<Dot> = rows.iter().flat_map(|row| &row.dots).copied().flatten().collect();
    dots.sort_by(|one, other| one.value.total_cmp(&other.value));
    let median = dots.get(dots.len() / 2)?.value;
    let ends = dots.iter().filter(|dot| dot.value >= median / 2.0).flat_map(|dot| {
        let deviation = dot.deviation.unwrap_or(0.0);
        [dot.value - deviation, dot.value + deviation]
    });
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(low, high), end| (low.min(end), high.max(end)));
    Some(Axis::linear(low.max(0.0), high, f64::INFINITY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: &str, dots: &[Option<(f64, f64)>]) -> DotRow {
        let dot = |(value, deviation)| Dot { value, deviation: Some(deviation) };
        DotRow { label: label.into(), dots: dots.iter().map(|place| place.map(dot)).collect() }
    }

    fn count(drawing: &Drawing, color: Tone) -> usize {
        let picture = image::load_from_memory(&drawing.png).unwrap().to_rgb8();
        picture.pixels().filter(|pixel| **pixel == color.rgb()).count()
    }

    #[test]
    fn the_axis_is_zoomed_to_the_intervals() {
        let axis = axis(&[row("a", &[Some((88.9, 0.1))]), row("b", &[Some((89.3, 0.2))])]).unwrap();
        assert!(axis.low > 88.7 && axis.high < 89.7, "{axis:?}");
        assert!(axis.low < 88.81 && axis.high > 89.49, "{axis:?}");
        let rows =
            [row("a", &[Some((88.9, 0.0))]), row("b", &[Some((89.3, 0.0))]), row("c", &[Some((10.0, 0.0))])];
        assert!(super::axis(&rows).unwrap().low > 88.0);
    }

    #[test]
    fn what_was_not_measured_is_a_gap() {
        let full = [
            row("a", &[Some((88.0, 0.5)), Some((87.0, 0.0))]),
            row("b", &[Some((89.0, 0.5)), Some((86.0, 0.0))]),
        ];
        let mut gap = full.clone();
        gap[0].dots[0] = None;
        let draw =
            |rows: &[DotRow]| interval_chart("title", "accuracy (%)", &["ours", "paper"], rows).unwrap();
        let (full, gap) = (draw(&full), draw(&gap));
        let [two, one] = [count(&full, PALETTE[0]), count(&gap, PALETTE[0])];
        // Three dots, one of them in the legend, and two intervals.
        assert!(one > 100 && one < two * 3 / 4, "{one} of {two} pixels");
        assert_eq!(count(&full, PALETTE[1]), count(&gap, PALETTE[1]));
        assert!(gap.svg.contains(">a<") && !gap.svg.contains(">0<") && !gap.svg.contains("0.00"));
    }

    #[test]
    fn intervals_are_drawn_and_a_far_dot_is_a_number() {
        let rows = |deviation: f64| {
            let rows = [
                row("a", &[Some((88.0, deviation))]),
                row("b", &[Some((90.0, 0.0))]),
                row("c", &[Some((10.0, 0.0))]),
            ];
            interval_chart("title", "accuracy (%)", &["ours"], &rows).unwrap()
        };
        let (without, with) = (rows(0.0), rows(0.5));
        assert!(count(&with, PALETTE[0]) > count(&without, PALETTE[0]) + 20);
        assert!(with.svg.contains("← 10.00") && with.svg.contains("accuracy (%)"));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        assert!(interval_chart("t", "x", &["one"], &[]).is_err());
        assert!(interval_chart("t", "x", &["one"], &[row("a", &[None])]).is_err());
        assert!(interval_chart("t", "x", &["one"], &[row("a", &[Some((1.0, 0.0)), None])]).is_err());
        assert!(interval_chart("t", "x", &["1", "2", "3"], &[row("a", &[None, None, None])]).is_err());
    }
}
