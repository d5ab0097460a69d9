//! A count for each input, in the order of the inputs.

use kuva::plot::{LegendPosition, LinePlot, ScatterPlot};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::drawing::{Drawing, figure};
use crate::{Error, Result};

const POINTS: &str = "#9CC9E4";
const MEAN: &str = "#0072B2";
/// Inputs on either side of one that its running mean takes in.
const REACH: usize = 10;

/// Draws the number of edges of each input as points, with their running mean as a line.
///
/// The labels of the axes say in which order the inputs come, and what was counted.
///
/// # Errors
/// [`Error::Picture`] when there is no input, or the drawing fails.
pub fn edges_by_input(counts: &[usize], title: &str, x_label: &str, y_label: &str) -> Result<Drawing> {
    if counts.is_empty() {
        return Err(Error::Picture("a plot of 0 inputs".into()));
    }
    let points = counts.iter().enumerate().map(|(input, count)| (input as f64, *count as f64));
    let points = ScatterPlot::new().with_data(points.collect::<Vec<_>>()).with_color(POINTS).with_size(2.0);
    let mean = running_mean(counts).into_iter().enumerate().map(|(input, mean)| (input as f64, mean));
    let line = LinePlot::new().with_data(mean.collect::<Vec<_>>()).with_color(MEAN).with_stroke_width(2.0);
    let legend = format!("mean over {} inputs", 2 * REACH + 1);
    let plots = vec![Plot::Scatter(points.with_legend("one input")), Plot::Line(line.with_legend(legend))];
    let layout = Layout::auto_from_plots(&plots).with_x_label(x_label);
    let layout = layout.with_y_label(y_label).with_y_axis_min(0.0).with_clamp_axis();
    let layout = layout.with_legend_position(LegendPosition::InsideTopRight).with_legend_box(false);
    Drawing::of(figure(title, [720.0, 400.0], vec![(plots, layout)]))
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
