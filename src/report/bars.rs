//! Bars with deviations: accuracies of several constructions, side by side.

use kuva::plot::{BarPlot, LegendPosition};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::drawing::{Drawing, figure};
use crate::{Error, Result};

/// Pairs of a strong and a pale colour that stay apart for colour-blind readers (after Okabe and Ito).
const COLORS: [&str; 6] = ["#0072B2", "#9CC9E4", "#D55E00", "#F2BE96", "#009E73", "#96D6C3"];

/// One bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Its height.
    pub value: f64,
    /// Half the length of its whisker.
    pub deviation: f64,
}

/// Bars that stand together over one label.
#[derive(Clone, Debug, PartialEq)]
pub struct BarGroup {
    /// The label.
    pub label: String,
    /// As many as there are series.
    pub bars: Vec<Bar>,
}

/// Draws groups of bars from 0 to 100 per cent; at most six series.
///
/// # Errors
/// [`Error::Picture`] when there is nothing to draw, a group has not one bar for
/// each series, or there are more than six of them.
pub fn bar_chart(title: &str, y_label: &str, series: &[&str], groups: &[BarGroup]) -> Result<Drawing> {
    if groups.is_empty() || series.is_empty() || series.len() > COLORS.len() {
        let (bars, groups) = (series.len(), groups.len());
        return Err(Error::Picture(format!("a bar chart of {groups} groups and {bars} series, 1 to 6")));
    }
    if groups.iter().any(|group| group.bars.len() != series.len()) {
        return Err(Error::Picture("a group of bars has not one bar for each series".into()));
    }
    let mut plot = BarPlot::new();
    for group in groups {
        let bars = group.bars.iter().zip(colors(series.len()));
        plot =
            plot.with_group(&*group.label, bars.map(|(bar, color)| (bar.value, color)).collect::<Vec<_>>());
    }
    let deviations = groups.iter().flat_map(|group| &group.bars).map(|bar| bar.deviation);
    plot = plot.with_error(deviations.collect::<Vec<f64>>());
    if series.len() > 1 {
        plot = plot.with_legend(series.to_vec());
    }
    let plots = vec![Plot::Bar(plot)];
    let mut layout = Layout::auto_from_plots(&plots).with_y_label(y_label).with_y_axis_min(0.0);
    layout = layout.with_y_axis_max(100.0).with_y_tick_step(10.0).with_legend_box(false);
    if series.len() > 1 {
        layout = layout.with_legend_position(LegendPosition::OutsideRightTop);
    }
    if groups.len() > 5 {
        layout = layout.with_x_tick_rotate(-35.0);
    }
    let width = (90.0 * groups.len() as f64).max(40.0 * (groups.len() * series.len()) as f64).max(480.0);
    Drawing::of(figure(title, [width, 420.0], vec![(plots, layout)]))
}

/// Strong colours alone for up to three series, pairs for more.
fn colors(series: usize) -> impl Iterator<Item = &'static str> {
    COLORS.into_iter().step_by(if series > 3 { 1 } else { 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_the_colours_of_its_series_and_wrong_ones_are_refused() {
        let bar = |value| Bar { value, deviation: 1.0 };
        let group = |label: &str| BarGroup { label: label.into(), bars: vec![bar(80.0), bar(20.0)] };
        let groups = [group("a"), group("b")];
        let chart = bar_chart("title", "accuracy (%)", &["ours", "paper"], &groups).unwrap();
        let picture = image::load_from_memory(&chart.png).unwrap().to_rgb8();
        let count = |color: [u8; 3]| picture.pixels().filter(|pixel| pixel.0 == color).count();
        let [high, low] = [count([0x00, 0x72, 0xB2]), count([0xD5, 0x5E, 0x00])];
        assert!(high > 3 * low && low > 1000, "{high} {low}");
        assert!(chart.svg.starts_with("<svg") && chart.svg.contains("title"));
        assert!(bar_chart("t", "y", &["one"], &groups).is_err());
        assert!(bar_chart("t", "y", &["one"], &[]).is_err());
    }
}
