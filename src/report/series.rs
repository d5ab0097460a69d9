//! A count for each input, in the order of the inputs.

use kuva::plot::{LinePlot, ScatterPlot};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::drawing::{Drawing, Key, Sign, figure};
use super::style::{CURVE, FAINT, FIRST, SMALL_DOT};
use crate::{Error, Result};

/// Inputs on either side of one that its running mean includes.
const REACH: usize = 10;

/// Draws the number of edges of each input as points, with their running mean as a line.
///
/// The axis label names the order of the inputs, the heading what was counted.
///
/// # Errors
/// [`Error::Picture`] when there is no input, or the drawing fails.
pub fn edges_by_input(counts: &[usize], title: &str, x_label: &str, y_label: &str) -> Result<Drawing> {
    if counts.is_empty() {
        return Err(Error::Picture("a plot of 0 inputs".into()));
    }
    let points = counts.iter().enumerate().map(|(input, count)| (input as f64, *count as f64));
    let points = ScatterPlot::new().with_data(points.collect::<Vec<_>>()).with_color(FAINT.light);
    let mean = running_mean(counts).into_iter().enumerate().map(|(input, mean)| (input as f64, mean));
    let line = LinePlot::new().with_data(mean.collect::<Vec<_>>()).with_color(FIRST.light);
    let plots = vec![Plot::Scatter(points.with_size(SMALL_DOT)), Plot::Line(line.with_stroke_width(CURVE))];
    let keys = [
        Key::new("one input", FAINT, Sign::Dot),
        Key::new(format!("mean over {} inputs", 2 * REACH + 1), FIRST, Sign::Line),
    ];
    let layout = Layout::auto_from_plots(&plots).with_title(y_label).with_x_label(x_label);
    let layout = layout.with_y_axis_min(0.0).with_clamp_axis();
    Drawing::of(&figure(title, [720.0, 400.0], vec![(plots, layout)], &keys))
}

/// Mean of each count and its neighbours; fewer of them at the ends.
fn running_mean(counts: &[usize]) -> Vec<f64> {
    let mean = |input: usize| {
        let window = &counts[input.saturating_sub(REACH)..(input + REACH + 1).min(counts.len())];
        window.iter().sum::<usize>() as f64 / window.len() as f64
    };
    (0..counts.len()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_mean_takes_in_neighbours_that_are_there() {
        let mut counts = vec![0; 30];
        counts[0] = 22;
        let mean = running_mean(&counts);
        assert_eq!([mean[0], mean[10], mean[11]], [2.0, 22.0 / 21.0, 0.0]);
        assert_eq!(running_mean(&[4]), [4.0]);
    }

    /// Attributes of the elements that start like this: `[element][attribute]`.
    fn attributes(svg: &str, start: &str, names: [&str; 2]) -> Vec<[f64; 2]> {
        let value = |element: &str, name: &str| {
            let rest = element.split(&format!(" {name}=\"")).nth(1)?;
            rest.split('"').next()?.parse().ok()
        };
        let of = |element: &str| Some([value(element, names[0])?, value(element, names[1])?]);
        svg.split(start).skip(1).filter_map(of).collect()
    }

    #[test]
    fn the_legend_lies_off_the_points() {
        // High counts everywhere leave no corner empty.
        let counts: Vec<usize> = (0..300).map(|input| 100 + input * 37 % 11).collect();
        let svg = edges_by_input(&counts, "title", "input", "edges").unwrap().svg;
        let circles = attributes(&svg, "<circle", ["cx", "cy"]);
        assert!(circles.len() > 300, "{}", circles.len());
        let lowest = circles[..300].iter().map(|[_, y]| *y).fold(0.0, f64::max);
        for name in ["one input", "mean over 21 inputs"] {
            let text = svg.split("<text").find(|text| text.contains(name)).unwrap();
            let [_, y] = attributes(&format!("<text{text}"), "<text", ["x", "y"])[0];
            assert!(
                y - f64::from(super::super::style::TEXT) > lowest,
                "{name}: {y}, points down to {lowest}"
            );
        }
    }

    #[test]
    fn a_plot_of_one_and_of_many_inputs_is_drawn() {
        for inputs in [1, 2, 784] {
            let plot =
                edges_by_input(&(0..inputs).rev().collect::<Vec<_>>(), "title", "input", "edges").unwrap();
            let picture = image::load_from_memory(&plot.png).unwrap();
            assert!(picture.width() >= 1000 && plot.svg.contains("edges"), "{inputs}");
        }
        assert!(edges_by_input(&[], "title", "input", "edges").is_err());
    }
}
