//! What the program does with a row before it is raw features: missing values are filled, and pixels are scaled.

use super::graph::Graph;
use crate::model::TrainedModel;

/// What the input of the graph is.
pub(super) fn about(model: &TrainedModel) -> String {
    let mut about = "raw features, one row for each sample".to_owned();
    if let Some(scale) = model.data().pixel_scale {
        about += &format!("; pixels from 0 to 1, or from 0 to {scale}");
    }
    if !offset_columns(model).is_empty() {
        about += "; columns with an offset (see the metadata tanner) without it, subtracted in float64";
    }
    about
}

/// The columns whose offset has to be subtracted before numbers are rounded to float32, so outside of the graph.
pub fn offset_columns(model: &TrainedModel) -> Vec<&str> {
    let columns = model.data().encoding.as_ref().map_or(&[][..], |encoding| &encoding.columns);
    columns.iter().filter(|column| column.offset.is_some()).map(|column| column.name.as_str()).collect()
}

/// Adds these steps, and returns the name of the raw features.
pub(super) fn add(graph: &mut Graph, model: &TrainedModel) -> String {
    let mut values = "features".to_owned();
    let encoding = model.data().encoding.as_ref().filter(|encoding| encoding.impute.is_some());
    let missing = encoding.map(|_| graph.node("IsNaN", &["features"], "missing", &[]));
    if let Some(scale) = model.data().pixel_scale {
        let [one, scale] = [("pixel.one", 1.0), ("pixel.scale", scale)]
            .map(|(name, value)| graph.floats(name, &[1], [value]));
        if let Some(missing) = &missing {
            let zero = graph.floats("pixel.zero", &[1], [0.0]);
            // The greatest of a row with NaN may be NaN.
            values = graph.node("Where", &[missing, &zero, &values], "pixel.there", &[]);
        }
        let greatest = graph.row_maximum(&values, "pixel.greatest");
        let are_bytes = graph.node("Greater", &[&greatest, &one], "pixel.are_bytes", &[]);
        let divisor = graph.node("Where", &[&are_bytes, &scale, &one], "pixel.divisor", &[]);
        values = graph.node("Div", &[&values, &divisor], "pixels", &[]);
    }
    if let (Some(encoding), Some(missing)) = (encoding, missing) {
        // A missing text is in no category.
        let fills = encoding.columns.iter().flat_map(|column| {
            std::iter::repeat_n(
                column.fill.filter(|_| column.categories.is_none()).unwrap_or(0.0),
                column.width(),
            )
        });
        let fills = graph.floats("fills", &[encoding.width()], fills);
        values = graph.node("Where", &[&missing, &fills, &values], "filled", &[]);
    }
    values
}
