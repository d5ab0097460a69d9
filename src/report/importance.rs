//! The importance of features that are the pixels of a picture.

use kuva::plot::{ColorMap, Heatmap};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::drawing::{figure, png};
use crate::{Error, Result};

/// Draws the importance of the pixels as a heat map with a colour scale, as a PNG file.
///
/// `scores` is `[row][column]` of a picture of `[rows, columns]`.
///
/// # Errors
/// [`Error::Picture`] when the number of scores is not that of the pixels, or the drawing fails.
pub fn importance_picture(scores: &[f64], [rows, columns]: [usize; 2], title: &str) -> Result<Vec<u8>> {
    if scores.is_empty() || rows.checked_mul(columns) != Some(scores.len()) {
        return Err(Error::Picture(format!(
            "{} scores do not fit a picture of {rows} x {columns}",
            scores.len()
        )));
    }
    // The first row of a heat map is drawn at the bottom.
    let cells: Vec<Vec<f64>> = scores.chunks_exact(columns).rev().map(<[f64]>::to_vec).collect();
    let map = Heatmap::new().with_data(cells).with_color_map(ColorMap::Viridis);
    let plots = vec![Plot::Heatmap(map)];
    let rows_up: Vec<String> = numbers(rows).into_iter().rev().collect();
    let layout = Layout::auto_from_plots(&plots).with_show_grid(false);
    let layout = layout.with_x_categories(numbers(columns)).with_y_categories(rows_up);
    let layout = layout.with_x_label("column").with_y_label("row");
    png(&figure(title, [600.0, 500.0], vec![(plots, layout)], &[]))
}

/// Labels of rows or columns, counted from 0; only some are shown, for lack of space.
fn numbers(count: usize) -> Vec<String> {
    let step = count.div_ceil(8);
    (0..count).map(|k| if k % step == 0 { k.to_string() } else { String::new() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_important_pixel_is_bright_where_it_is() {
        // The first pixel of the first row: above and left of the middle.
        let mut scores = vec![0.0; 12];
        scores[0] = 1.0;
        let png = importance_picture(&scores, [3, 4], "test").unwrap();
        let picture = image::load_from_memory(&png).unwrap().to_rgb8();
        let (width, height) = picture.dimensions();
        assert!(width >= 400 && height >= 300, "{width} x {height}");
        // The ends of viridis are dark violet and yellow.
        let yellow = |pixel: &image::Rgb<u8>| pixel.0[0] > 230 && pixel.0[1] > 210 && pixel.0[2] < 90;
        let bright: Vec<(u32, u32)> = picture
            .enumerate_pixels()
            .filter(|(x, _, pixel)| *x < width * 3 / 4 && yellow(pixel))
            .map(|(x, y, _)| (x, y))
            .collect();
        assert!(bright.len() > 1000, "{} bright pixels", bright.len());
        assert!(bright.iter().all(|(x, y)| *x < width / 2 && *y < height / 2));
    }

    #[test]
    fn scores_that_do_not_fit_are_refused() {
        assert!(importance_picture(&[1.0; 5], [2, 3], "").is_err());
        assert!(importance_picture(&[], [0, 0], "").is_err());
    }
}
