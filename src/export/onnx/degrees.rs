//! A sparse layer as gathered inputs: outputs of similar in-degree together, short ones padded.
//!
//! ONNX can gather the inputs of some outputs as `[sample][output][edge]` where all have the
//! same number of edges, multiply them by weights `[output][edge]` and add them up. So outputs are
//! sorted by their in-degree and cut into groups, each as wide as its widest output; an
//! padding edge has the weight 0. The cuts minimise the size of the file.

use std::iter::repeat_n;

use super::graph::Graph;
use crate::topology::Topology;

/// Bytes of an edge: an int32 index and a float32 weight.
pub(super) const EDGE_BYTES: u64 = 8;
/// Approximate bytes of a group without its edges: three nodes and two constants.
const GROUP_BYTES: u64 = 300;

/// The outputs of a layer, cut into groups.
pub(super) struct DegreeGroups {
    /// Outputs of each group, and how many edges each of them gets.
    groups: Vec<(Vec<u32>, usize)>,
}

impl DegreeGroups {
    pub(super) fn new(topology: &Topology) -> Self {
        let degree = |output: &u32| topology.in_degree(*output as usize);
        let mut outputs: Vec<u32> = (0u32..).take(topology.outputs().width()).collect();
        outputs.sort_by_key(degree);
        let of_degree: Vec<&[u32]> = outputs.chunk_by(|a, b| degree(a) == degree(b)).collect();
        // An output without edges gets one, because ONNX cannot gather a width of 0.
        let sizes: Vec<(usize, usize)> =
            of_degree.iter().map(|same| (degree(&same[0]).max(1), same.len())).collect();
        let cuts = cuts(&sizes);
        let groups = cuts.windows(2).map(|cut| {
            let mut outputs = of_degree[cut[0]..cut[1]].concat();
            outputs.sort_unstable();
            (outputs, sizes[cut[1] - 1].0)
        });
        Self { groups: groups.collect() }
    }

    /// Bytes of all groups.
    pub(super) fn bytes(&self) -> u64 {
        let cells = |(outputs, width): &(Vec<u32>, usize)| outputs.len() as u64 * *width as u64;
        self.groups.iter().map(|group| GROUP_BYTES + EDGE_BYTES * cells(group)).sum()
    }

    /// Adds the weighted sums of all outputs, without biases, and returns their name.
    pub(super) fn add(
        &self,
        graph: &mut Graph,
        name: &str,
        input: &str,
        topology: &Topology,
        weights: &[f32],
    ) -> String {
        let axis = graph.sizes(&format!("{name}.edge_axis"), &[2]);
        let mut sums = Vec::new();
        for (index, (outputs, width)) in self.groups.iter().enumerate() {
            let part = |part: &str| format!("{name}.{index}.{part}");
            let padding = |output: &u32| width - topology.in_degree(*output as usize);
            let inputs = outputs.iter().flat_map(|output| {
                let edges = &topology.edge_inputs()[topology.row(*output as usize)];
                let repeated = edges.first().copied().unwrap_or(0);
                edges.iter().copied().chain(repeat_n(repeated, padding(output)))
            });
            let shape = [outputs.len(), *width];
            let inputs = graph.indices(&part("inputs"), &shape, inputs);
            let values = outputs.iter().flat_map(|output| {
                let edges = &weights[topology.row(*output as usize)];
                edges.iter().copied().chain(repeat_n(0.0, padding(output)))
            });
            let values = graph.floats(&part("weights"), &shape, values);
            let gathered = graph.node("Gather", &[input, &inputs], &part("gathered"), &[("axis", 1)]);
            let products = graph.node("Mul", &[&gathered, &values], &part("products"), &[]);
            sums.push(graph.node("ReduceSum", &[&products, &axis], &part("sums"), &[("keepdims", 0)]));
        }
        self.in_order(graph, name, &sums)
    }

    /// Concatenates the groups and restores the order of their outputs.
    fn in_order(&self, graph: &mut Graph, name: &str, sums: &[String]) -> String {
        if let [all] = sums {
            return all.clone();
        }
        let parts: Vec<&str> = sums.iter().map(String::as_str).collect();
        let joined = graph.node("Concat", &parts, &format!("{name}.joined"), &[("axis", 1)]);
        let outputs: Vec<u32> = self.groups.iter().flat_map(|(outputs, _)| outputs.iter().copied()).collect();
        let mut place = vec![0u32; outputs.len()];
        for (at, output) in (0u32..).zip(&outputs) {
            place[*output as usize] = at;
        }
        let places = graph.indices(&format!("{name}.places"), &[place.len()], place);
        graph.node("Gather", &[&joined, &places], &format!("{name}.products"), &[("axis", 1)])
    }
}

/// Where to cut outputs of (degree, count), degrees increasing: first of each group, then their number.
///
/// The best cut of the first `end` degrees follows from those of fewer.
fn cuts(sizes: &[(usize, usize)]) -> Vec<usize> {
    // Bytes of the best cut of the first degrees, and where its last group starts.
    let mut best = vec![(0u64, 0usize)];
    for end in 1..=sizes.len() {
        let width = sizes[end - 1].0 as u64;
        let mut count = 0;
        let candidates = (0..end).rev().map(|start| {
            count += sizes[start].1 as u64;
            (best[start].0 + GROUP_BYTES + EDGE_BYTES * width * count, start)
        });
        let found = candidates.min().expect("there is at least the group of one degree");
        best.push(found);
    }
    let mut cuts = vec![sizes.len()];
    while let Some(end) = cuts.last().copied().filter(|end| *end > 0) {
        cuts.push(best[end].1);
    }
    cuts.reverse();
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_cut_where_padding_costs_more_than_a_group() {
        // One more output is padded for less than a group costs; 100 of them are not.
        assert_eq!(cuts(&[(10, 5)]), [0, 1]);
        assert_eq!(cuts(&[(10, 1), (11, 5)]), [0, 2]);
        assert_eq!(cuts(&[(10, 100), (11, 5)]), [0, 1, 2]);
        assert_eq!(cuts(&[(1, 20), (2, 1), (100, 50)]), [0, 2, 3]);
    }
}
