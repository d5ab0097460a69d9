//! The layer in which every input feeds every output.

use super::{Partition, Topology};
use crate::{Error, Result};

/// Connects every input to every output; one block on each side.
///
/// # Errors
/// Refuses a width of 0 and more than 2^31 - 1 edges.
pub fn fully_connected(inputs: usize, outputs: usize) -> Result<Topology> {
    Topology::full(Partition::whole(inputs)?, Partition::whole(outputs)?)
}

impl Topology {
    /// Connects every input to every output.
    pub(crate) fn full(inputs: Partition, outputs: Partition) -> Result<Self> {
        let edges = inputs.width().checked_mul(outputs.width()).filter(|edges| *edges < 1 << 31);
        let edges = edges.ok_or_else(|| {
            Error::Topology(format!(
                "a fully connected layer of {} x {} has too many edges, the limit is {}",
                inputs.width(),
                outputs.width(),
                (1u32 << 31) - 1
            ))
        })?;
        let (width, height) = (inputs.bounds()[inputs.len()], outputs.bounds()[outputs.len()]);
        let row_start = (0..=height).map(|output| output * width).collect();
        let mut input = Vec::with_capacity(edges);
        for _ in 0..height {
            input.extend(0..width);
        }
        Self::from_rows(inputs, outputs, row_start, input)
    }
}
