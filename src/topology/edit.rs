//! Moving edges of a graph: a new immutable graph, and the place of each old edge in it.
//!
//! The unit that moves is a [`Link`]: an edge, or a micro-block in a graph of whole ones. The number of edges stays the same.

use super::{Grain, Topology};
use crate::{Error, Result};

/// A connection of a group of outputs and a group of inputs, as (output group, input group): with grain 1 one edge between two
/// neurons, with grain 4 the 16 edges between two quads.
pub type Link = (u32, u32);

/// The links to remove and as many to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The unit of a link.
    pub grain: Grain,
    /// Links of the graph, in any order.
    pub dropped: Vec<Link>,
    /// Links that the graph does not have, or that are dropped.
    pub added: Vec<Link>,
}

/// The result of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The new graph, between the same neurons in the same blocks.
    pub topology: Topology,
    /// The canonical edge of each old edge in the new graph, `None` if it is dropped: `[old edges]`.
    pub now: Vec<Option<u32>>,
}

impl Topology {
    /// The unit in which the graph can move: whole micro-blocks if it consists of them, but is not fully connected.
    #[doc(hidden)]
    pub fn grain(&self) -> Grain {
        let width = Grain::MicroBlocks.group_size();
        let are_quads = [self.inputs(), self.outputs()]
            .iter()
            .all(|side| side.bounds().iter().all(|bound| (*bound as usize).is_multiple_of(width)));
        if are_quads && !self.is_fully_connected() && self.is_of_micro_blocks() {
            Grain::MicroBlocks
        } else {
            Grain::Edges
        }
    }

    /// Whether the four outputs of each quad have the same inputs, which are whole quads.
    fn is_of_micro_blocks(&self) -> bool {
        (0..self.outputs().width()).step_by(4).all(|first| {
            let inputs = &self.edge_inputs()[self.row(first)];
            let (quads, rest) = inputs.as_chunks::<4>();
            // Inputs increase, so the first and the last one determine all four.
            let is_whole = |quad: &[u32; 4]| quad[0].is_multiple_of(4) && quad[3] == quad[0] + 3;
            rest.is_empty()
                && quads.iter().all(is_whole)
                && (first + 1..first + 4).all(|output| &self.edge_inputs()[self.row(output)] == inputs)
        })
    }

    /// The input groups connected to an output group, increasing.
    #[doc(hidden)]
    pub fn joined(&self, grain: Grain, output: u32) -> impl ExactSizeIterator<Item = u32> + '_ {
        let inputs = &self.edge_inputs()[self.row(output as usize * grain.group_size())];
        inputs.iter().step_by(grain.group_size()).map(move |input| input / grain.width())
    }

    /// Every link, by output group, then input group.
    #[doc(hidden)]
    pub fn links(&self, grain: Grain) -> impl Iterator<Item = Link> + '_ {
        let groups = 0..self.groups(grain)[0];
        groups.flat_map(move |output| self.joined(grain, output).map(move |input| (output, input)))
    }

    /// Number of output groups and of input groups.
    #[doc(hidden)]
    pub fn groups(&self, grain: Grain) -> [u32; 2] {
        let count =
            |width: usize| u32::try_from(width / grain.group_size()).expect("a partition's neurons fit u32");
        [count(self.outputs().width()), count(self.inputs().width())]
    }

    /// Moves edges.
    ///
    /// # Errors
    /// [`Error::Topology`] if the numbers of added and dropped links differ, a dropped link does not exist, or an added one does; and
    /// if the grain is not that of the graph.
    #[doc(hidden)]
    pub fn edit(&self, edit: Edit) -> Result<Edited> {
        let Edit { grain, mut dropped, mut added } = edit;
        if grain == Grain::MicroBlocks && self.grain() != grain {
            return Err(Error::Topology(
                "a graph that is not made of whole micro-blocks cannot move them".into(),
            ));
        }
        if dropped.len() != added.len() {
            let (dropped, added) = (dropped.len(), added.len());
            return Err(Error::Topology(format!(
                "{added} links are added and {dropped} removed, the numbers must be equal"
            )));
        }
        dropped.sort_unstable();
        added.sort_unstable();
        let [outputs, inputs] = self.groups(grain);
        if let Some((output, input)) = added.iter().find(|link| link.0 >= outputs || link.1 >= inputs) {
            return Err(Error::Topology(format!(
                "a link from {input} to {output} cannot be added, there are {inputs} inputs and {outputs} outputs"
            )));
        }
        let mut edited = Making {
            of: self,
            grain,
            row_start: vec![0],
            input: Vec::with_capacity(self.edges()),
            now: vec![None; self.edges()],
        };
        let (mut going, mut coming) = (&dropped[..], &added[..]);
        for output in 0..outputs {
            let merged =
                merged(self.joined(grain, output), take(&mut going, output), take(&mut coming, output))
                    .map_err(|reason| Error::Topology(format!("links to {output}: {reason}")))?;
            edited.push(output, &merged)?;
        }
        if let Some((output, input)) = going.first() {
            return Err(Error::Topology(format!(
                "a link from {input} to {output} cannot be removed, there is none"
            )));
        }
        drop((dropped, added));
        let Making { row_start, input, now, .. } = edited;
        let topology = Self::from_rows(self.inputs().clone(), self.outputs().clone(), row_start, input)?;
        Ok(Edited { topology, now })
    }
}

/// Splits the links of an output group off the front of sorted ones.
fn take<'a>(links: &mut &'a [Link], output: u32) -> &'a [Link] {
    let (taken, rest) = links.split_at(links.partition_point(|link| link.0 <= output));
    *links = rest;
    taken
}

/// The input groups of an output group after an edit, increasing, each with its old place.
fn merged(
    joined: impl Iterator<Item = u32>,
    going: &[Link],
    coming: &[Link],
) -> Result<Vec<(u32, Option<usize>)>, String> {
    let mut left = going.iter().map(|link| link.1).peekable();
    let mut all: Vec<(u32, Option<usize>)> = Vec::new();
    for (place, input) in joined.enumerate() {
        if left.next_if_eq(&input).is_none() {
            all.push((input, Some(place)));
        }
    }
    if let Some(input) = left.next() {
        return Err(format!("one from {input} cannot be removed, there is none"));
    }
    all.extend(coming.iter().map(|link| (link.1, None)));
    all.sort_unstable_by_key(|(input, _)| *input);
    match all.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(format!("one from {} cannot be added, there is one", pair[0].0)),
        None => Ok(all),
    }
}

/// The rows of a new graph under construction.
struct Making<'a> {
    of: &'a Topology,
    grain: Grain,
    row_start: Vec<u32>,
    input: Vec<u32>,
    now: Vec<Option<u32>>,
}

impl Making<'_> {
    /// Adds the rows of an output group, given its input groups and their places in the old graph.
    fn push(&mut self, output: u32, groups: &[(u32, Option<usize>)]) -> Result<()> {
        let (width, group_size) = (self.grain.width(), self.grain.group_size());
        for row in output as usize * group_size..(output as usize + 1) * group_size {
            let first = self.of.row(row).start;
            for (group, before) in groups {
                for (lane, input) in (group * width..(group + 1) * width).enumerate() {
                    if let Some(place) = before {
                        self.now[first + place * group_size + lane] = Some(self.here()?);
                    }
                    self.input.push(input);
                }
            }
            self.row_start.push(self.here()?);
        }
        Ok(())
    }

    fn here(&self) -> Result<u32> {
        super::edge_index(self.input.len())
    }
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
