//! Warnings: neurons without inputs, networks that learned nothing, and others.

use std::ops::Range;

use super::Session;
use super::settings::{ArchitectureSettings, RunSettings};
use crate::dataset::table::{Unseen, listed};
use crate::model::{Arch, TrainedModel};
use crate::network::{Architecture, Network};
use crate::text::grouped;
use crate::topology::{Region, Topology};
use crate::training::EpochMetrics;

/// A layer gets a warning from this share of neurons without inputs on, or if a whole block of outputs
/// has none. A few are normal with small degrees; an in-degree of 1 on average leaves 37 %.
const MANY: f64 = 0.25;
/// A layer with this many times fewer inputs than outputs gets none.
const FEW: usize = 4;
/// A layer in two dimensions gets a warning from this share of long edges on.
const FAR: f64 = 0.25;
/// A network that misses its number of parameters by more than this share gets a warning.
const NEAR: f64 = 0.02;

#[doc(hidden)]
impl Session<'_> {
    /// Names the layers with neurons without inputs. The output of such a neuron is constant: its inputs have degrees too
    /// small to reach all the output blocks that they feed.
    pub fn warn_of_constant_neurons(&self, network: &Network) {
        if let Some(line) = constant_neurons(network) {
            self.warn(line);
        }
    }

    /// Where the edges of each layer may move; warns if they may move anywhere although neurons once had places.
    pub(super) fn regions(&self, model: &TrainedModel) -> Vec<Region> {
        if model.has_lost_places() {
            self.warn("pruning removed neurons, and with them the places of the others: edges move over the whole picture");
        }
        model.regions()
    }

    /// Names the layers in two dimensions with many edges beyond their reach.
    pub fn warn_of_far_edges(&self, architecture: &Architecture, network: &Network) {
        let shares = architecture.far_shares(network);
        let far = |(number, share): (usize, f64)| {
            (share > FAR).then(|| format!("{:.0} % of layer {number}", 100.0 * share))
        };
        let layers: Vec<String> = (1..).zip(shares).filter_map(far).collect();
        if !layers.is_empty() {
            self.warn(format!(
                "edges are longer than 3 times the `reach`, where distance has no effect: {}; a larger `reach` or a \
                 smaller `fan-in` keeps them short",
                layers.join(", ")
            ));
        }
    }

    /// Warns of an importance that neither orders the inputs nor weights the draw of edges.
    pub(super) fn warn_of_unused_importance(&self, settings: &RunSettings) {
        let importance = settings.importance.importance;
        let power = settings.asked.architecture.importance_power.unwrap_or(0.0);
        if settings.architecture.arch == Arch::Sc2d && importance.scores_features() && power == 0.0 {
            self.warn(format!(
                "`importance` {importance} changes nothing with `arch` sc2d as long as `importance-power` is 0: take 1, or `importance` none"
            ));
        }
    }

    /// Warns once of texts that training did not see.
    pub(super) fn warn_of_unseen(&self, unseen: &[Unseen]) {
        unseen_lines(unseen).into_iter().for_each(|line| self.warn(line));
    }

    /// Says that a preset also trains on mirrored pictures.
    pub(super) fn note_mirrored_pictures(&self, settings: &RunSettings) {
        if settings.augmentation.flip && settings.typed.training.augment.is_none() {
            self.note(
                "the preset also trains on mirrored pictures: if they may be of another class (digits, letters, arrows), give \
                 `augment` shift=1",
            );
        }
    }

    /// Warns that no edge has moved.
    pub(super) fn warn_of_unmoved_edges(&self, settings: &RunSettings, history: &[EpochMetrics]) {
        let has_moved = history.iter().any(|epoch| epoch.edges_moved.is_some_and(|moved| moved > 0));
        if settings.recipe.rewire.is_some() && !has_moved {
            self.warn(
                "no edge has moved: the layers had no free place, or `rewire-fraction`, `rewire-every` and \
                 `rewire-end` allowed no move in these epochs",
            );
        }
    }

    /// Warns if a network differs from the requested size: far fewer parameters, or hidden layers with another
    /// share of their weights.
    pub fn warn_of_size(&self, settings: &ArchitectureSettings, network: &Network) {
        let count = network.parameter_count();
        if let Some(asked) = settings.parameters.filter(|asked| (count as f64) < (1.0 - NEAR) * *asked as f64)
        {
            let [asked, count] = [asked, count].map(grouped);
            self.warn(format!(
                "{asked} `parameters` were requested, these layers can have at most {count} of them"
            ));
        }
        if let Some(line) = settings.density().and_then(|asked| other_density(asked, network)) {
            self.warn(line);
        }
    }
}

/// The warning about a density that was not reached, ignoring rounding of degrees.
fn other_density(asked: f64, network: &Network) -> Option<String> {
    let hidden = &network.layers()[..network.layers().len() - 1];
    let sum =
        |of: fn(&Topology) -> usize| hidden.iter().map(|layer| of(&layer.topology)).sum::<usize>() as f64;
    let reached = sum(Topology::edges) / sum(Topology::dense_edges);
    let why = if reached < 0.9 * asked {
        "their windows hold no more; `receptive-field` and `blocks` set them"
    } else if reached > 1.5 * asked {
        "with fewer weights some neurons would have no inputs"
    } else {
        return None;
    };
    Some(format!(
        "a `density` of {:.1} % was requested, the hidden layers have {:.1} %: {why}",
        100.0 * asked,
        100.0 * reached
    ))
}

fn constant_neurons(network: &Network) -> Option<String> {
    let layers = (1..).zip(network.layers());
    let lacking: Vec<String> =
        layers.filter_map(|(number, layer)| lacking(&layer.topology, number)).collect();
    (!lacking.is_empty()).then(|| {
        let layers = lacking.join("; ");
        format!(
            "neurons without inputs, which stay constant: {layers}; larger `degrees` (rsp: `degree`, sc2d: `fan-in`) or more `parameters` reach them"
        )
    })
}

/// The warning about a layer's neurons without inputs, if there are many.
fn lacking(topology: &Topology, number: usize) -> Option<String> {
    // A few features cannot reach all neurons of a wide layer, whatever their degrees in a window.
    if topology.inputs().width() < topology.outputs().width() / FEW {
        return None;
    }
    let empty = |neurons: Range<usize>| neurons.filter(|n| topology.in_degree(*n) == 0).count();
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

/// Warnings of texts that training did not see.
pub(super) fn unseen_lines(unseen: &[Unseen]) -> Vec<String> {
    let mut lines = Vec::new();
    let quoted = |texts: &[String]| listed(texts.iter().map(|text| format!("{text:?}")), texts.len());
    for all in unseen.iter().filter(|unseen| unseen.is_all) {
        lines.push(format!(
            "column {:?} is lost in all {} rows: it holds {}, in training it held {}; predictions do without it",
            all.column,
            grouped(all.rows),
            quoted(&all.texts),
            quoted(&all.known)
        ));
    }
    let column = |unseen: &Unseen| {
        let rows = if unseen.rows == 1 { "row" } else { "rows" };
        let texts = unseen.texts.iter().map(|text| format!("{text:?}"));
        let first = unseen.first.iter().map(|first| format!("the first in {first}"));
        let examples = texts.chain(first).collect::<Vec<_>>().join(", ");
        format!("{:?} in {} {rows} ({examples})", unseen.column, grouped(unseen.rows))
    };
    let some: Vec<String> = unseen.iter().filter(|unseen| !unseen.is_all).map(column).collect();
    if !some.is_empty() {
        let columns = some.join(", ");
        lines.push(format!("texts that do not occur in the training rows belong to no category: {columns}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Connectivity;

    fn coupled(degrees: [usize; 4], hidden: Vec<usize>) -> Option<String> {
        let connectivity = Connectivity::SpatiallyCoupled {
            blocks: vec![4],
            receptive_fields: vec![2],
            degrees: vec![degrees.to_vec()],
        };
        let architecture = Architecture { hidden, connectivity, ..Architecture::paper(40, 10) };
        constant_neurons(&architecture.build(0).unwrap())
    }

    #[test]
    fn blocks_that_no_edge_reaches_are_named_with_their_layers() {
        // Input block 3 gives its one edge to output block 2, and nothing else feeds output block 3.
        let line = coupled([8, 8, 8, 1], vec![40, 80]).unwrap();
        assert!(line.starts_with("neurons without inputs") && !line.contains('\n'), "{line}");
        assert!(line.contains("layer 1 has 10 of 40, a whole block among them; layer 2 has 2"), "{line}");
        assert!(!line.contains("layer 3"), "{line}");
        assert_eq!(coupled([8, 8, 8, 8], vec![40, 40]), None);
    }

    #[test]
    fn a_density_that_is_not_reached_is_named() {
        let coupled = |density: f64| {
            let settings = crate::Settings::default().density(density).hidden(vec![784]).resolve().unwrap();
            let network = settings.architecture.fit_to(784, 10).unwrap().build(0).unwrap();
            (settings.architecture.density(), other_density(density, &network))
        };
        let (asked, line) = coupled(0.9);
        assert_eq!(asked, Some(0.9));
        assert!(line.unwrap().contains("90.0 % was requested, the hidden layers have 23.4 %"));
        assert_eq!(coupled(0.2).1, None);
        assert!(
            coupled(0.0001)
                .1
                .unwrap()
                .contains("0.0 % was requested, the hidden layers have 0.2 %: with fewer")
        );
        assert_eq!(crate::Settings::default().resolve().unwrap().architecture.density(), None);
    }

    /// Widths at which the defaults once left blocks without any input.
    #[test]
    fn default_degrees_reach_every_neuron() {
        for hidden in [vec![20], vec![64, 64], vec![100, 60], vec![33, 20, 40], vec![196, 196]] {
            let settings = crate::Settings::default().hidden(hidden.clone()).resolve().unwrap();
            for seed in 0..3 {
                let network = settings.architecture.fit_to(784, 10).unwrap().build(seed).unwrap();
                for layer in network.layers() {
                    let outputs = 0..layer.topology.outputs().width();
                    let empty = outputs.filter(|output| layer.topology.in_degree(*output) == 0).count();
                    assert!(empty == 0, "{hidden:?}, seed {seed}: {empty}");
                }
            }
        }
    }

    #[test]
    fn chance_defects_of_the_default_network_are_not_reported() {
        for seed in 0..5 {
            assert_eq!(constant_neurons(&Architecture::paper(784, 10).build(seed).unwrap()), None);
        }
    }

    #[test]
    fn a_third_without_inputs_is_named_without_any_block() {
        let connectivity = Connectivity::RandomSparse { degrees: vec!["1".parse().unwrap()] };
        let architecture = Architecture { hidden: vec![784], connectivity, ..Architecture::paper(784, 10) };
        let line = constant_neurons(&architecture.build(0).unwrap()).unwrap();
        assert!(line.contains(" of 784;") && !line.contains("block"), "{line}");
    }
}
