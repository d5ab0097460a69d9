//! The importance of each input, from the ranking of the features.

use image::{ImageFormat, RgbImage};
use maud::{Markup, html};

use super::markup::{data_url, percent};
use super::{Names, ScoredRun};
use crate::importance::Transform;
use crate::model::TrainedModel;
use crate::report::connectivity::blend;
use crate::report::grouped;
use crate::report::style::{EDGE, PAPER};

/// Maximum number of features in the list.
const LISTED: usize = 20;
/// Maximum side of a picture in pixels.
const MAX_SIDE: usize = 512;

/// The most important features, and their places on a picture; empty for a model without a ranking.
pub(super) fn figure(id: &str, model: &TrainedModel, scored: Option<&ScoredRun>) -> Markup {
    let preprocessing = model.preprocessing();
    let (features, values, what): (Option<&[u32]>, &[f32], &str) = match preprocessing.transform() {
        Transform::Identity { .. } => return html! {},
        Transform::Permutation { order, importance } => (Some(order), importance, "importance"),
        Transform::Rotation { explained_variance, .. } => (None, explained_variance, "variance"),
    };
    let sum: f64 = values.iter().copied().map(f64::from).sum();
    if !(sum > 0.0 && sum.is_finite()) {
        return html! {};
    }
    let record = model.data();
    let names = scored
        .map(|scored| scored.names.clone())
        .unwrap_or_else(|| Names { classes: Vec::new(), features: record.feature_names.clone() });
    let name = |position: usize| match features {
        Some(order) => names.feature(order[position] as usize),
        None => format!("component {position}"),
    };
    let mut ranked: Vec<usize> = (0..values.len()).collect();
    ranked.sort_by(|one, other| values[*other].total_cmp(&values[*one]));
    let listed = &ranked[..ranked.len().min(LISTED)];
    let most = f64::from(values[ranked[0]]);
    let map = features.zip(record.image_shape).and_then(|(order, shape)| map(order, values, shape));
    let kind = preprocessing.importance();
    html! {
        figure.wide id={ (id) "-importance" } {
            h3 { "Importance of the inputs" span.unit { "by " (kind) } }
            div.importance {
                @if let Some(png) = map { img.map src=(data_url(&png)) alt="Importance of each pixel: darker is more important"; }
                ol { @for position in listed {
                    @let value = f64::from(values[*position]);
                    li style={ "--share:" (format!("{:.4}", value / most)) } { span { (name(*position)) } " " (percent(value / sum)) }
                } }
            }
            figcaption { "Shares of the total " (what) ". These are the first " (listed.len()) " of " (grouped(values.len())) "." }
        }
    }
}

/// A pixel for each feature, if the features are those of a picture.
fn map(order: &[u32], values: &[f32], [rows, columns]: [usize; 2]) -> Option<Vec<u8>> {
    let fits = rows.checked_mul(columns) == Some(order.len()) && rows.max(columns) <= MAX_SIDE;
    let size = [columns, rows].map(|side| u32::try_from(side).ok());
    let ([Some(width), Some(height)], true) = (size, fits) else { return None };
    let mut picture = RgbImage::new(width, height);
    let most = f64::from(values.iter().copied().fold(f32::MIN_POSITIVE, f32::max));
    for (feature, value) in order.iter().zip(values) {
        let share = (f64::from(*value) / most).clamp(0.0, 1.0);
        picture.put_pixel(feature % width, feature / width, blend(PAPER.rgb(), EDGE.rgb(), share));
    }
    let mut png = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).ok()?;
    Some(png.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_is_as_dark_as_it_is_important() {
        let png = map(&[3, 0, 2, 1], &[4.0, 2.0, 0.0, 0.0], [2, 2]).unwrap();
        let picture = image::load_from_memory(&png).unwrap().to_rgb8();
        assert_eq!(*picture.get_pixel(1, 1), EDGE.rgb());
        assert_eq!(*picture.get_pixel(0, 0), blend(PAPER.rgb(), EDGE.rgb(), 0.5));
        assert_eq!(*picture.get_pixel(0, 1), PAPER.rgb());
        assert!(map(&[0, 1, 2], &[1.0; 3], [2, 2]).is_none());
    }
}
