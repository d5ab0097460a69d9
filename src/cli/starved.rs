//! A word of warning for layers whose neurons have nothing to look at.
//!
//! An input neuron shares its out-degree over the output blocks that it feeds; a
//! degree below their number reaches the first of them only, and the last output
//! blocks may get no edge at all. A neuron without inputs puts out a constant.

use tanner::network::Network;
use tanner::report::grouped;
use tanner::topology::Topology;

use super::terminal;

/// A layer is worth a warning from this share of neurons without inputs on, or where a whole block of outputs
/// has none. A few are what chance leaves of any layer with small degrees; an in-degree of 1 on average leaves 37 %.
const MANY: f64 = 0.25;
/// A layer with this many times fewer inputs than outputs is not worth one.
const FEW: usize = 4;

/// Names the layers that starve, in one line on stderr, if there are any.
pub(super) fn warn(network: &Network) {
    if let Some(line) = warning(network) {
        terminal::warn(&line);
    }
}

fn warning(network: &Network) -> Option<String> {
    let layers = (1..).zip(network.layers());
    let starved: Vec<String> =
        layers.filter_map(|(number, layer)| starved(&layer.topology, number)).collect();
    (!starved.is_empty()).then(|| {
        let layers = starved.join("; ");
        format!("neurons without inputs, which stay constant: {layers}; larger degrees would reach them")
    })
}

/// What a layer lacks, if that is worth a word.
fn starved(topology: &Topology, number: usize) -> Option<String> {
    // A few features cannot reach all neurons of a wide layer, whatever their degrees in a window.
    if topology.inputs().width() < topology.outputs().width() / FEW {
        return None;
    }
    let empty = |neurons: std::ops::Range<usize>| neurons.filter(|n| topology.in_degree(*n) == 0).count();
    let (width, all) = (topology.outputs().width(), empty(0..topology.outputs().width()));
    let blocks = topology.outputs().blocks().filter(|block| empty(block.clone()) == block.len()).count();
    let whole = match blocks {
        0 => String::new(),
        1 => ", a whole block among them".to_owned(),
        more => format!(", {more} whole blocks among them"),
    };
    let many = all as f64 > MANY * width as f64;
    (blocks > 0 || many).then(|| format!("layer {number} has {} of {}{whole}", grouped(all), grouped(width)))
}

#[cfg(test)]
mod tests {
    use tanner::network::{Architecture, Connectivity};

    use super::*;

    fn coupled(degrees: [usize; 4], hidden: Vec<usize>) -> Option<String> {
        let connectivity = Connectivity::SpatiallyCoupled {
            blocks: vec![4],
            receptive_fields: vec![2],
            degrees: vec![degrees.to_vec()],
        };
        let architecture = Architecture { hidden, connectivity, ..Architecture::paper(40, 10) };
        warning(&architecture.build(0).unwrap())
    }

    #[test]
    fn blocks_that_no_edge_reaches_are_told_with_their_layers() {
        // Input block 3 gives its one edge to output block 2, and nothing else feeds output block 3.
        let line = coupled([8, 8, 8, 1], vec![40, 80]).unwrap();
        assert!(line.starts_with("neurons without inputs") && !line.contains('\n'), "{line}");
        assert!(line.contains("layer 1 has 10 of 40, a whole block among them; layer 2 has 2"), "{line}");
        assert!(!line.contains("layer 3"), "{line}");
        assert_eq!(coupled([8, 8, 8, 8], vec![40, 40]), None);
    }

    #[test]
    fn what_chance_leaves_of_the_default_network_is_not_worth_a_word() {
        for seed in 0..5 {
            assert_eq!(warning(&Architecture::paper(784, 10).build(seed).unwrap()), None);
        }
    }

    #[test]
    fn a_third_without_inputs_is_told_without_any_block() {
        let connectivity = Connectivity::RandomSparse { degrees: vec!["1".parse().unwrap()] };
        let architecture = Architecture { hidden: vec![784], connectivity, ..Architecture::paper(784, 10) };
        let line = warning(&architecture.build(0).unwrap()).unwrap();
        assert!(line.contains(" of 784;") && !line.contains("block"), "{line}");
    }
}
