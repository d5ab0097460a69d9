//! The edges of a graph without its neurons, as checkpoints keep them.

use super::Topology;
use crate::Result;

/// Edges in canonical order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphRows {
    /// First edge of each output, then the number of edges: `[outputs + 1]`.
    pub row_start: Vec<u32>,
    /// Input neuron of each edge: `[edges]`.
    pub input: Vec<u32>,
}

#[doc(hidden)]
impl Topology {
    /// Its edges.
    pub fn rows(&self) -> GraphRows {
        GraphRows { row_start: self.row_start().to_vec(), input: self.edge_inputs().to_vec() }
    }

    /// Other edges between the same neurons.
    ///
    /// # Errors
    /// As [`Topology::from_rows`].
    pub fn with_rows(&self, rows: &GraphRows) -> Result<Self> {
        let GraphRows { row_start, input } = rows.clone();
        Self::from_rows(self.inputs().clone(), self.outputs().clone(), row_start, input)
    }
}
