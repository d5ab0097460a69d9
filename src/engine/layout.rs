//! The layout of the buffers of the packed engines.
//!
//! Rows of activations: one for each neuron of the network, the inputs first,
//! then each layer's outputs. Values: the micro-blocks of all layers in
//! sequence in the *dense* values; the sparse edges of all layers, then the
//! biases of all layers, in the *sparse* values. So one pass over the dense values and one
//! over the sparse ones sees every parameter of the network.

use crate::network::{LayerParameters, Network, Parameters};
use crate::tiles::{MICRO_BLOCK, TilePolicy, TiledLayer, index_of};

/// Where one layer's rows and values begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerPlace {
    /// Row of the layer's first input.
    pub input_row: u32,
    /// Row of the layer's first output.
    pub output_row: u32,
    /// The layer's first micro-block.
    pub micro_block: u32,
    /// The layer's first sparse edge.
    pub sparse: u32,
    /// The layer's first bias, among the sparse values.
    pub bias: u32,
}

/// A packed network: tiles of every layer, and their places.
#[derive(Clone, Debug, Default)]
pub struct NetworkLayout {
    layers: Vec<TiledLayer>,
    places: Vec<LayerPlace>,
    rows: usize,
    micro_blocks: usize,
    sparse_edges: usize,
    biases: usize,
}

/// Values of all parameters (or of their gradients, momenta ...) where kernels expect them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PackedValues {
    /// `[micro-block][16]`.
    pub dense: Vec<f32>,
    /// Sparse edges of all layers, then biases of all layers.
    pub sparse: Vec<f32>,
}

impl NetworkLayout {
    /// Packs every layer of a network.
    pub fn new(network: &Network, policy: TilePolicy) -> Self {
        let layers: Vec<_> =
            network.layers().iter().map(|layer| TiledLayer::pack(&layer.topology, policy)).collect();
        let sparse_edges: usize = layers.iter().map(|layer| layer.sparse().input.len()).sum();
        let (mut input_row, mut micro_block, mut sparse, mut bias) = (0, 0, 0, index_of(sparse_edges));
        let mut places = Vec::with_capacity(layers.len());
        for layer in &layers {
            let output_row = input_row + index_of(layer.inputs().width());
            places.push(LayerPlace { input_row, output_row, micro_block, sparse, bias });
            input_row = output_row;
            micro_block += index_of(layer.micro_blocks().len());
            sparse += index_of(layer.sparse().input.len());
            bias += index_of(layer.outputs().width());
        }
        let biases = bias as usize - sparse_edges;
        let rows = network.widths().iter().sum();
        Self { layers, places, rows, micro_blocks: micro_block as usize, sparse_edges, biases }
    }

    /// The packed layers.
    pub fn layers(&self) -> &[TiledLayer] {
        &self.layers
    }

    /// The place of each layer.
    pub fn places(&self) -> &[LayerPlace] {
        &self.places
    }

    /// Number of neurons of the network, inputs included.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of dense values, padding included.
    pub fn dense_len(&self) -> usize {
        self.micro_blocks * MICRO_BLOCK
    }

    /// Number of sparse values, biases included.
    pub fn sparse_len(&self) -> usize {
        self.sparse_edges + self.biases
    }

    /// Place of the first bias among the sparse values; all after it are biases.
    pub fn first_bias(&self) -> usize {
        self.sparse_edges
    }

    /// For each micro-block: (row of its first output, row of its first input, mask).
    pub fn micro_block_rows(&self) -> Vec<[u32; 3]> {
        let layers = self.layers.iter().zip(&self.places);
        let rows = layers.flat_map(|(layer, place)| {
            layer.micro_blocks().iter().map(|block| {
                [block.output + place.output_row, block.input + place.input_row, u32::from(block.mask)]
            })
        });
        rows.collect()
    }

    /// For each sparse value: (row of its output, row of its input); for a bias the input row is 0 and has no meaning.
    pub fn sparse_rows(&self) -> Vec<[u32; 2]> {
        let mut rows = Vec::with_capacity(self.sparse_len());
        for (layer, place) in self.layers.iter().zip(&self.places) {
            let lists = layer.sparse();
            for (output, bounds) in (place.output_row..).zip(lists.row_start.windows(2)) {
                let inputs = &lists.input[bounds[0] as usize..bounds[1] as usize];
                rows.extend(inputs.iter().map(|input| [output, input + place.input_row]));
            }
        }
        for (layer, place) in self.layers.iter().zip(&self.places) {
            rows.extend((place.output_row..).take(layer.outputs().width()).map(|output| [output, 0]));
        }
        rows
    }

    /// A 0 for every value.
    pub fn zeros(&self) -> PackedValues {
        PackedValues { dense: vec![0.0; self.dense_len()], sparse: vec![0.0; self.sparse_len()] }
    }

    /// Moves parameters to where kernels expect them; padding is 0.
    ///
    /// # Panics
    /// If the parameters do not fit the network.
    pub fn pack(&self, parameters: &Parameters) -> PackedValues {
        assert_eq!(parameters.layers.len(), self.layers.len(), "one set of parameters for each layer");
        let mut values = PackedValues {
            dense: Vec::with_capacity(self.dense_len()),
            sparse: Vec::with_capacity(self.sparse_len()),
        };
        for (layer, given) in self.layers.iter().zip(&parameters.layers) {
            let slots = layer.pack_values(&given.weights);
            values.dense.extend_from_slice(&slots[..layer.dense_slots()]);
            values.sparse.extend_from_slice(&slots[layer.dense_slots()..]);
        }
        for (layer, given) in self.layers.iter().zip(&parameters.layers) {
            assert_eq!(given.biases.len(), layer.outputs().width(), "one bias for each output");
            values.sparse.extend_from_slice(&given.biases);
        }
        values
    }

    /// Moves values back to canonical order.
    ///
    /// # Panics
    /// If the numbers of values and places differ.
    pub fn unpack(&self, values: &PackedValues) -> Parameters {
        assert_eq!(values.dense.len(), self.dense_len(), "one value for each dense slot");
        assert_eq!(values.sparse.len(), self.sparse_len(), "one value for each sparse slot");
        let unpack_layer = |(layer, place): (&TiledLayer, &LayerPlace)| {
            let dense = place.micro_block as usize * MICRO_BLOCK;
            let (sparse, bias) = (place.sparse as usize, place.bias as usize);
            let mut slots = values.dense[dense..dense + layer.dense_slots()].to_vec();
            slots.extend_from_slice(&values.sparse[sparse..sparse + layer.sparse().input.len()]);
            LayerParameters {
                weights: layer.unpack_values(&slots),
                biases: values.sparse[bias..bias + layer.outputs().width()].to_vec(),
            }
        };
        Parameters { layers: self.layers.iter().zip(&self.places).map(unpack_layer).collect() }
    }
}
