//! Which weights of a layer exist: the bipartite (Tanner) graph between its
//! inputs and its outputs.
//!
//! A [`Topology`] is built once, validated in its constructor, and never
//! changes. Builders: [`SpatiallyCoupled`], [`SoftBand`], [`Coupled2d`], [`RandomSparse`] (with
//! a [`DegreeDistribution`]) and [`fully_connected`]. Values (weights, momenta)
//! live elsewhere, in the topology's one **canonical order**: by output neuron,
//! then by input neuron. The transpose is index lists into that same order.

#[cfg(feature = "train")]
mod coupled_2d;
mod degree_distribution;
#[cfg(feature = "train")]
mod degree_profile;
mod edit;
mod fully_connected;
mod graph_rows;
mod grid;
mod partition;
#[cfg(feature = "train")]
mod random_sparse;
#[cfg(feature = "train")]
mod region;
#[cfg(feature = "train")]
mod sampling;
#[cfg(feature = "train")]
mod soft_band;
#[cfg(feature = "train")]
mod spatially_coupled;

use std::ops::Range;

use crate::{Error, Result};

#[cfg(feature = "train")]
pub use coupled_2d::Coupled2d;
#[cfg(feature = "train")]
pub(crate) use coupled_2d::{usual_fan_in, usual_reach};
pub use degree_distribution::DegreeDistribution;
#[doc(hidden)]
pub use degree_distribution::DegreeFamily;
#[cfg(feature = "train")]
pub(crate) use degree_profile::{paper_degrees, paper_density};
#[doc(hidden)]
pub use edit::{Edit, Edited, Link};
pub use fully_connected::fully_connected;
#[doc(hidden)]
pub use graph_rows::GraphRows;
pub use grid::{Falloff, Grain, Grid};
pub(crate) use partition::MAX_WIDTH;
pub use partition::Partition;
#[cfg(feature = "train")]
pub use random_sparse::RandomSparse;
#[cfg(feature = "train")]
#[doc(hidden)]
pub use region::Region;
#[cfg(feature = "train")]
#[doc(hidden)]
pub use soft_band::SoftBand;
#[cfg(feature = "train")]
pub use spatially_coupled::SpatiallyCoupled;

/// The edges of one layer, in canonical order, with the transposed lists.
///
/// Invariants, checked by the constructor: both ends of each edge exist; within
/// an output the inputs strictly increase (so no edge is duplicated); there is
/// at least one edge, and fewer than 2^31.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    inputs: Partition,
    outputs: Partition,
    /// First edge of each output, then the number of edges: `[outputs + 1]`.
    row_start: Vec<u32>,
    /// Input neuron of each edge: `[edges]`.
    input: Vec<u32>,
    /// First entry of each input in the transposed lists: `[inputs + 1]`.
    column_start: Vec<u32>,
    /// Output neuron of each transposed entry: `[edges]`.
    output: Vec<u32>,
    /// Canonical edge of each transposed entry: `[edges]`.
    edge: Vec<u32>,
}

impl Topology {
    /// Takes the edges as pairs of input and output neuron, in any order.
    ///
    /// ```
    /// use tanner::topology::{Partition, Topology};
    ///
    /// # fn main() -> tanner::Result<()> {
    /// // Three inputs, two outputs.
    /// let topology = Topology::from_edges(Partition::whole(3)?, Partition::whole(2)?, &[(0, 0), (2, 1), (1, 0)])?;
    /// let ends: Vec<_> = topology.edge_ends().collect();
    /// assert_eq!(ends, [(0, 0), (0, 1), (1, 2)]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Topology`] for an edge whose ends do not exist, for a duplicate edge, and if there is none.
    pub fn from_edges(inputs: Partition, outputs: Partition, edges: &[(u32, u32)]) -> Result<Self> {
        let mut targets = vec![Vec::new(); inputs.width()];
        for (input, output) in edges {
            let Some(targets) = targets.get_mut(*input as usize) else {
                return Err(Error::Topology(format!("input {input} of an edge does not exist")));
            };
            targets.push(*output);
        }
        Self::from_targets(inputs, outputs, &targets)
    }

    /// The inputs and their blocks.
    pub fn inputs(&self) -> &Partition {
        &self.inputs
    }

    /// The outputs and their blocks.
    pub fn outputs(&self) -> &Partition {
        &self.outputs
    }

    /// Number of edges, which is the number of weights.
    pub fn edges(&self) -> usize {
        self.input.len()
    }

    /// Share of the possible edges that exist, in `(0, 1]`.
    pub fn density(&self) -> f64 {
        self.edges() as f64 / self.dense_edges() as f64
    }

    /// Whether every possible edge exists.
    pub(crate) fn is_fully_connected(&self) -> bool {
        self.edges() == self.dense_edges()
    }

    /// Every edge in canonical order, as (output, input).
    pub fn edge_ends(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.outputs.width())
            .flat_map(move |output| self.row(output).map(move |edge| (output, self.input[edge] as usize)))
    }

    /// Number of edges into one output.
    pub fn in_degree(&self, output: usize) -> usize {
        self.row(output).len()
    }

    /// Number of edges out of one input.
    pub fn out_degree(&self, input: usize) -> usize {
        (self.column_start[input + 1] - self.column_start[input]) as usize
    }
}

#[doc(hidden)]
impl Topology {
    /// Takes each output's inputs, in order: output `o` has the inputs
    /// `input[row_start[o]..row_start[o + 1]]`.
    ///
    /// # Errors
    /// Names the first violated invariant and its place.
    pub fn from_rows(
        inputs: Partition,
        outputs: Partition,
        row_start: Vec<u32>,
        input: Vec<u32>,
    ) -> Result<Self> {
        check_rows(inputs.width(), outputs.width(), &row_start, &input)?;
        let (column_start, output, edge) = transpose(inputs.width(), &row_start, &input);
        Ok(Self { inputs, outputs, row_start, input, column_start, output, edge })
    }

    /// Takes, for each input neuron in order, the outputs it feeds, in any order.
    ///
    /// # Errors
    /// As [`Topology::from_rows`].
    pub fn from_targets(inputs: Partition, outputs: Partition, targets: &[Vec<u32>]) -> Result<Self> {
        let mut rows = vec![Vec::new(); outputs.width()];
        for (input, outputs_fed) in (0u32..).zip(targets) {
            for output in outputs_fed {
                rows.get_mut(*output as usize)
                    .ok_or_else(|| {
                        Error::Topology(format!("input {input} feeds output {output}, which does not exist"))
                    })?
                    .push(input);
            }
        }
        let mut row_start = vec![0];
        let mut total = 0;
        for row in &rows {
            total += row.len();
            row_start.push(edge_index(total)?);
        }
        Self::from_rows(inputs, outputs, row_start, rows.concat())
    }

    /// Number of weights of the fully connected layer between the same neurons.
    pub fn dense_edges(&self) -> usize {
        self.inputs.width() * self.outputs.width()
    }

    /// The canonical edges of one output.
    pub fn row(&self, output: usize) -> Range<usize> {
        self.row_start[output] as usize..self.row_start[output + 1] as usize
    }

    /// First edge of each output, then the number of edges: `[outputs + 1]`.
    pub fn row_start(&self) -> &[u32] {
        &self.row_start
    }

    /// Input neuron of each edge in canonical order: `[edges]`.
    pub fn edge_inputs(&self) -> &[u32] {
        &self.input
    }

    /// The edges of one input, as (output, canonical edge), outputs increasing.
    pub fn column(&self, input: usize) -> impl ExactSizeIterator<Item = (usize, usize)> {
        let entries = self.column_start[input] as usize..self.column_start[input + 1] as usize;
        self.output[entries.clone()].iter().zip(&self.edge[entries]).map(|(o, e)| (*o as usize, *e as usize))
    }
}

/// Refuses rows that break an invariant of [`Topology`].
fn check_rows(inputs: usize, outputs: usize, row_start: &[u32], input: &[u32]) -> Result<()> {
    let refuse = |reason: String| Err(Error::Topology(reason));
    edge_index(input.len())?;
    if row_start.len() != outputs + 1 {
        return refuse(format!("{outputs} outputs need {} row starts, got {}", outputs + 1, row_start.len()));
    }
    if row_start[0] != 0 || row_start[outputs] as usize != input.len() {
        return refuse(format!("row starts must run from 0 to the number of edges, {}", input.len()));
    }
    if input.is_empty() {
        return refuse("a layer needs at least 1 edge, got 0".into());
    }
    if let Some(output) = row_start.windows(2).position(|pair| pair[0] > pair[1]) {
        return refuse(format!("the row of output {output} ends before it starts"));
    }
    for output in 0..outputs {
        let row = &input[row_start[output] as usize..row_start[output + 1] as usize];
        if let Some(pair) = row.windows(2).find(|pair| pair[0] >= pair[1]) {
            return refuse(format!(
                "output {output}: its inputs must strictly increase, got {} then {}",
                pair[0], pair[1]
            ));
        }
        if let Some(last) = row.last().filter(|last| **last as usize >= inputs) {
            return refuse(format!("output {output} reads input {last}, the layer has {inputs} inputs"));
        }
    }
    Ok(())
}

/// The lists by input: (column_start, output, edge).
fn transpose(inputs: usize, row_start: &[u32], input: &[u32]) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let mut column_start = vec![0u32; inputs + 1];
    for i in input {
        column_start[*i as usize + 1] += 1;
    }
    for i in 0..inputs {
        column_start[i + 1] += column_start[i];
    }
    let mut next = column_start.clone();
    let (mut output, mut edge) = (vec![0; input.len()], vec![0; input.len()]);
    for (o, bounds) in (0u32..).zip(row_start.windows(2)) {
        for e in bounds[0]..bounds[1] {
            let entry = &mut next[input[e as usize] as usize];
            output[*entry as usize] = o;
            edge[*entry as usize] = e;
            *entry += 1;
        }
    }
    (column_start, output, edge)
}

/// An edge count as the `u32` that index lists hold.
fn edge_index(edges: usize) -> Result<u32> {
    u32::try_from(edges).ok().filter(|count| *count < 1 << 31).ok_or_else(|| {
        Error::Topology(format!("{edges} edges in one layer, the limit is {}", (1u32 << 31) - 1))
    })
}
