//! The edges of a graph without its neurons, for checkpoints.

use std::sync::Arc;

use super::Topology;
use crate::Result;

/// Edges in canonical order.
#[derive(Clone, Debug)]
pub enum GraphRows {
    /// Those of a graph.
    Of(Arc<Topology>),
    /// Those of a file, not yet validated.
    Read {
        /// First edge of each output, then the number of edges: `[outputs + 1]`.
        row_start: Vec<u32>,
        /// Input neuron of each edge: `[edges]`.
        input: Vec<u32>,
    },
}

impl GraphRows {
    /// First edge of each output, then the number of edges: `[outputs + 1]`.
    #[must_use]
    pub fn row_start(&self) -> &[u32] {
        match self {
            Self::Of(topology) => topology.row_start(),
            Self::Read { row_start, .. } => row_start,
        }
    }

    /// Input neuron of each edge: `[edges]`.
    #[must_use]
    pub fn input(&self) -> &[u32] {
        match self {
            Self::Of(topology) => topology.edge_inputs(),
            Self::Read { input, .. } => input,
        }
    }

    /// The graph of these edges between the neurons of another one.
    ///
    /// # Errors
    /// As [`Topology::from_rows`].
    pub fn between(&self, neurons: &Topology) -> Result<Arc<Topology>> {
        if let Self::Of(topology) = self
            && topology.inputs() == neurons.inputs()
            && topology.outputs() == neurons.outputs()
        {
            return Ok(topology.clone());
        }
        let (row_start, input) = (self.row_start().to_vec(), self.input().to_vec());
        Topology::from_rows(neurons.inputs().clone(), neurons.outputs().clone(), row_start, input)
            .map(Arc::new)
    }
}

impl PartialEq for GraphRows {
    fn eq(&self, other: &Self) -> bool {
        self.row_start() == other.row_start() && self.input() == other.input()
    }
}
