//! Receptive fields on the picture: the pixels that the neurons of each layer see, and the lengths of edges.

mod sheet;

use crate::importance::Transform;
use crate::model::TrainedModel;
use crate::network::{Architecture, Connectivity, Network};
use crate::topology::{Grid, Topology};

use super::table::{TextCell, TextColumn, TextTable};

/// Above this number of bits (pixels times neurons of a layer), the pixels that neurons see are not counted.
const MAX_BITS: usize = 1 << 28;

/// The places on a picture of a network's inputs, and of its neurons if they have places.
#[derive(Clone, Debug, PartialEq)]
pub struct OnPicture {
    rows: usize,
    columns: usize,
    /// The pixel of each input, row by row: `[input]`.
    pixels: Vec<usize>,
    /// The grid of each hidden layer; `None` for a layer without places.
    grids: Vec<Option<Grid>>,
}

/// The receptive fields of the neurons of a hidden layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct ReceptiveFields {
    /// Mean length of the edges in pixels, if the neurons have places.
    pub mean_distance: Option<f64>,
    /// Maximum length of the edges.
    pub largest_distance: Option<f64>,
    /// Mean number of pixels that a neuron sees through all layers below; `None` for very wide layers.
    pub pixels_seen: Option<f64>,
}

impl OnPicture {
    /// A model whose inputs are the pixels of a picture, in any order.
    #[must_use]
    pub fn of_model(model: &TrainedModel) -> Option<Self> {
        let [rows, columns] = model.data().image_shape?;
        let pixels = match model.preprocessing().transform() {
            Transform::Identity { features } => (0..*features).collect(),
            Transform::Permutation { order, .. } => order.iter().map(|feature| *feature as usize).collect(),
            Transform::Rotation { .. } => return None,
        };
        let record = model.record();
        Self::new([rows, columns], pixels, &record.grids, model.network())
    }

    /// A network in two dimensions that was drawn without data.
    #[must_use]
    pub fn of_architecture(architecture: &Architecture, network: &Network) -> Option<Self> {
        let Connectivity::Coupled2d { picture, grids, .. } = &architecture.connectivity else { return None };
        Self::new([picture.rows, picture.columns], picture.pixels(), grids, network)
    }

    /// Features are ordered map by map, each map row by row.
    fn new(
        [rows, columns]: [usize; 2],
        features: Vec<usize>,
        grids: &[Grid],
        network: &Network,
    ) -> Option<Self> {
        let size = rows.checked_mul(columns).filter(|size| *size > 0)?;
        if features.len() != network.inputs() || !features.len().is_multiple_of(size) {
            return None;
        }
        // Pruning leaves layers without places.
        let grid = |(index, layer): (usize, &Topology)| {
            let grid = grids.get(index).or(grids.first().filter(|_| grids.len() == 1)).copied();
            grid.filter(|grid| grid.neurons() == layer.outputs().width())
        };
        let grids = hidden(network).into_iter().enumerate().map(grid).collect();
        let pixels = features.into_iter().map(|feature| feature % size).collect();
        Some(Self { rows, columns, pixels, grids })
    }

    /// The receptive fields of each hidden layer.
    #[must_use]
    pub fn fields(&self, network: &Network) -> Vec<ReceptiveFields> {
        let words = (self.rows * self.columns).div_ceil(u64::BITS as usize);
        let mut below = self.own_pixels(words);
        let mut places: Option<Vec<[f64; 2]>> =
            Some(self.pixels.iter().map(|pixel| self.pixel(*pixel)).collect());
        let mut fields = Vec::new();
        for (layer, grid) in hidden(network).into_iter().zip(&self.grids) {
            let mut field = ReceptiveFields::default();
            let above = grid.map(|grid| self.places(grid));
            if let (Some(from), Some(to)) = (&places, &above) {
                let (mut sum, mut largest) = (0.0, 0.0f64);
                for (output, input) in layer.edge_ends() {
                    let ([row, column], [there, across]) = (to[output], from[input]);
                    let distance = (row - there).hypot(column - across);
                    (sum, largest) = (sum + distance, largest.max(distance));
                }
                field.mean_distance = Some(sum / layer.edges() as f64);
                field.largest_distance = Some(largest);
            }
            below = below.and_then(|below| seen(layer, &below, words));
            if let Some(seen) = &below {
                let bits: u64 = seen.iter().map(|word| u64::from(word.count_ones())).sum();
                field.pixels_seen = Some(bits as f64 / layer.outputs().width() as f64);
            }
            places = above;
            fields.push(field);
        }
        fields
    }

    /// The same as a table.
    #[must_use]
    pub fn table(&self, network: &Network) -> TextTable {
        let mut table = TextTable::new([
            TextColumn::text("layer"),
            TextColumn::number("mean distance").plain(&["mean_distance"]),
            TextColumn::number("largest").plain(&["largest_distance"]),
            TextColumn::number("pixels seen").plain(&["pixels_seen"]),
            TextColumn::number("of").plain(&["pixels"]),
        ]);
        let number =
            |value: Option<f64>| value.map_or_else(TextCell::default, |value| format!("{value:.1}").into());
        for (number_of_layer, field) in (1..).zip(self.fields(network)) {
            table.row([
                TextCell::from(number_of_layer.to_string()),
                number(field.mean_distance),
                number(field.largest_distance),
                number(field.pixels_seen),
                TextCell::count(self.rows * self.columns),
            ]);
        }
        table
    }

    /// Row and column of the centre of a pixel.
    fn pixel(&self, pixel: usize) -> [f64; 2] {
        [(pixel / self.columns) as f64 + 0.5, (pixel % self.columns) as f64 + 0.5]
    }

    /// The places of the neurons of a grid, in pixels.
    fn places(&self, grid: Grid) -> Vec<[f64; 2]> {
        let scaled = |[row, column]: [f64; 2]| [row * self.rows as f64, column * self.columns as f64];
        grid.middles(1).into_iter().map(scaled).collect()
    }

    /// The bit of each input's pixel: `[input][word]`.
    fn own_pixels(&self, words: usize) -> Option<Vec<u64>> {
        let mut bits = room(self.pixels.len(), words)?;
        for (input, pixel) in self.pixels.iter().enumerate() {
            bits[input * words + pixel / 64] |= 1 << (pixel % 64);
        }
        Some(bits)
    }
}

/// The hidden layers, or the only one.
fn hidden(network: &Network) -> Vec<&Topology> {
    let layers = network.layers();
    layers[..(layers.len() - 1).max(1)].iter().map(|layer| &*layer.topology).collect()
}

/// The number of words for a pixel set of each of these neurons, unless they are too many.
fn room(neurons: usize, words: usize) -> Option<Vec<u64>> {
    let count = neurons.checked_mul(words).filter(|count| count.saturating_mul(64) <= MAX_BITS)?;
    Some(vec![0; count])
}

/// The pixels that each output of a layer sees, given those of its inputs.
fn seen(layer: &Topology, below: &[u64], words: usize) -> Option<Vec<u64>> {
    let mut bits = room(layer.outputs().width(), words)?;
    for (output, input) in layer.edge_ends() {
        let own = &mut bits[output * words..(output + 1) * words];
        own.iter_mut().zip(&below[input * words..]).for_each(|(own, word)| *own |= word);
    }
    Some(bits)
}

#[cfg(test)]
mod tests;
