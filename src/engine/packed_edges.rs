//! Which packed value belongs to which edge, for regularisation.

use super::layout::NetworkLayout;
use crate::network::Network;
use crate::network::drop_connect::{NO_CONNECTION, connection_numbers};
use crate::tiles::{MICRO_BLOCK, index_of};

/// The weights of each input neuron of a network: the groups of the group lasso.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputGroups {
    /// First entry of each input neuron, then the number of entries: `[inputs + 1]`.
    pub start: Vec<u32>,
    /// Place of each weight among the dense values followed by the sparse ones, by input, then output.
    pub value: Vec<u32>,
}

/// The connection number of each packed value, as
/// [`ConnectionMask`](crate::network::drop_connect::ConnectionMask) knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedConnections {
    /// Of each dense value; [`NO_CONNECTION`] for padding.
    pub dense: Vec<u32>,
    /// Of each sparse value; [`NO_CONNECTION`] for a bias.
    pub sparse: Vec<u32>,
}

impl NetworkLayout {
    /// The groups of the first layer.
    pub fn input_groups(&self, network: &Network) -> InputGroups {
        let topology = &network.layers()[0].topology;
        let mut groups = InputGroups { start: vec![0], value: Vec::with_capacity(topology.edges()) };
        for input in 0..network.inputs() {
            groups.value.extend(topology.column(input).map(|(_, edge)| index_of(self.place_of(0, edge))));
            groups.start.push(index_of(groups.value.len()));
        }
        groups
    }

    /// The connection of each value.
    pub fn connections(&self, network: &Network) -> PackedConnections {
        let mut dense = vec![NO_CONNECTION; self.dense_len() + self.sparse_len()];
        for layer in 0..self.layers().len() {
            for (edge, number) in connection_numbers(network, layer).enumerate() {
                dense[self.place_of(layer, edge)] = number;
            }
        }
        let sparse = dense.split_off(self.dense_len());
        PackedConnections { dense, sparse }
    }

    /// Place of a layer's canonical edge among the dense values followed by the sparse ones.
    fn place_of(&self, layer: usize, edge: usize) -> usize {
        let (tiled, place) = (&self.layers()[layer], &self.places()[layer]);
        let slot = tiled.slot_of_edge()[edge] as usize;
        match slot.checked_sub(tiled.dense_slots()) {
            None => place.micro_block as usize * MICRO_BLOCK + slot,
            Some(sparse) => self.dense_len() + place.sparse as usize + sparse,
        }
    }
}
